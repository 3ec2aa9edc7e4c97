"""Settings in environment variables."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from cmek_audit.run.options import OPTIONS, Option
from cmek_audit.settings.given import Given
from cmek_audit.settings.variables import FILE_VARIABLE, read_variables, unknown_variables
from inventory.errors import SettingError
from tests.builders import write_text

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("option", OPTIONS, ids=lambda option: option.name)
def test_every_option_has_its_variable(option: Option) -> None:
    """The variable of an option is found, and says where the value is from."""
    (given,) = read_variables({option.variable: "1", "OTHER": "1"})
    assert isinstance(given, Given)
    assert (given.option, given.source, given.label) == (option, option.variable, option.variable)


def test_a_blank_variable_is_not_set() -> None:
    """Pipelines pass on what they were not given as an empty text."""
    assert list(read_variables({"CMEK_FAIL_ON": "", "CMEK_NO_WAIVERS": " \n"})) == []


@pytest.mark.parametrize("text", [":", " : ", "::"])
def test_a_variable_of_separators_alone_is_refused(text: str) -> None:
    """Without its paths an audit would read something else, and nobody would see it."""
    (error,) = read_variables({"CMEK_INVENTORY": text.replace(":", os.pathsep)})
    assert isinstance(error, SettingError)
    assert str(error).startswith("CMEK_INVENTORY: found ")
    assert str(error).endswith(f"expected at least one value beside {os.pathsep!r}")


def test_an_unusable_variable_is_named() -> None:
    """The error begins with the variable; the others are read all the same."""
    given = list(read_variables({"CMEK_NO_WAIVERS": "maybe", "CMEK_FAIL_ON": "high"}))
    (error,) = [str(one) for one in given if not isinstance(one, Given)]
    assert len(given) == 2
    assert error.startswith("CMEK_NO_WAIVERS: found 'maybe', expected 1, true")


def test_a_mistyped_variable_is_refused() -> None:
    """A variable that nobody reads would weaken or strengthen nothing, and nobody would see it."""
    expected = "expected CMEK_ and the name of an option, or TOKEN in the name of one that holds a"
    assert unknown_variables({"CMEK_FAILON": "high", "CMEK_X": "", "XCMEK_A": ""}, []) == [
        (
            f"CMEK_FAILON: found a variable that is no setting, {expected} token; did you mean "
            "'CMEK_FAIL_ON'?"
        ),
        f"CMEK_X: found a variable that is no setting, {expected} token",
    ]


@pytest.mark.parametrize(
    "name",
    [
        "CMEK_TOKEN",
        "CMEK_ACME_TOKEN",
        "CMEK_TOKEN_FILE",
        "CMEK_SECRET_ACME",
        "CMEK_PASSWORD",
        "CMEK_SIGN_PASSPHRASE",
        "CMEK_SIGN_PASSPHRASE_FILE",
        "CMEK_AWS_CREDENTIALS",
        FILE_VARIABLE,
        *(option.variable for option in OPTIONS),
    ],
)
def test_tokens_and_settings_are_known(name: str) -> None:
    """The variable of a token has a name of the user's own, which may begin as a setting does."""
    assert unknown_variables({name: "x"}, []) == []


def test_what_an_organizations_file_names_is_known(tmp_path: Path) -> None:
    """A variable that the organizations file names is a token, whatever its name."""
    file = write_text(tmp_path / "o.yaml", "organizations:\n- {id: x, token: CMEK_ACME}\n")
    assert unknown_variables({"CMEK_ACME": "x"}, [file]) == []
    assert unknown_variables({"CMEK_ACME_FILE": "x"}, [file]) == []
    assert len(unknown_variables({"CMEK_ACM": "x"}, [file])) == 1


@pytest.mark.parametrize("path", ["nowhere.yaml", "bad\0name", "."])
def test_an_organizations_file_that_cannot_be_read_names_nothing(path: str) -> None:
    """That it cannot be read is an error of whoever reads it."""
    assert len(unknown_variables({"CMEK_ACME": "x"}, [path])) == 1
