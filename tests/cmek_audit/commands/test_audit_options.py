"""The options of ``audit``: which there are, and how the command line becomes pytest's."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cmek_audit.commands.audit_options import QUIET
from cmek_audit.run.options import OPTIONS
from tests.cmek_audit.helpers import ROOT, command
from tests.hypothesis_profile import examples


def for_pytest(*arguments: str) -> list[str]:
    """Return the arguments that pytest is given after the folder of the checks."""
    given: list[str] = []

    def main(arguments: list[str], _: object) -> int:
        given.extend(arguments[arguments.index(str(ROOT / "checks")) + 1 :])
        return 0

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pytest, "main", main)
        done = command("audit", *arguments)
    assert (done.exit_code, done.output) == (0, "")
    return given


PYTEST_ONLY = [
    "-k",
    "a or b",
    "-n",
    "2",
    "-x",
    "-rA",
    "-o",
    "a=b",
    "--tb=short",
    "-m",
    "rule(id='x')",
]


@pytest.mark.parametrize(
    ("typed", "given"),
    [
        ([], []),
        (["--cmek-plan", "x.yaml"], ["--cmek-plan=x.yaml"]),
        (["--cmek-plan=x.yaml"], ["--cmek-plan=x.yaml"]),
        (["--cmek-plan", "-x=y.yaml"], ["--cmek-plan=-x=y.yaml"]),
        (
            ["--cmek-plan", "b", "-x", "--plan=a", "--cmek-plan", "c"],
            ["--cmek-plan=b", "--cmek-plan=a", "--cmek-plan=c", "-x"],
        ),
        (["--cmek-fail-on=low", "--cmek-fail-on", "high"], ["--cmek-fail-on=high"]),
        (["--cmek-no-waivers"], ["--cmek-no-waivers"]),
        (["--plan", "x.yaml", "--fail-on=high"], ["--cmek-plan=x.yaml", "--cmek-fail-on=high"]),
        (PYTEST_ONLY, PYTEST_ONLY),
        (["-x", "--", "--help", "--cmek-plan", "x"], ["-x", "--help", "--cmek-plan", "x"]),
        (["-q", "-x"], [*QUIET, "-x"]),
        (["-qq", "--", "-q"], [*QUIET, "-q"]),
        (["--quiet"], [*QUIET]),
        (["-q", "--collect-only"], ["-q", "--collect-only"]),
        (["--plan", "-q", "--framework", "-h"], ["--cmek-plan=-q", "--cmek-framework=-h"]),
        (["-khidden", "-kVault", "-kquick"], ["-khidden", "-kVault", "-kquick"]),
        (["--", "--cmek-no-such", "--", "x"], ["--cmek-no-such", "--", "x"]),
    ],
)
def test_the_command_line_of_pytest(typed: list[str], given: list[str]) -> None:
    """Options of the suite become one word each; all others go to pytest in their order."""
    assert for_pytest(*typed) == given


PAIRS = st.tuples(
    st.sampled_from([option for option in OPTIONS if option.is_list]),
    st.sampled_from(["flag", "plain_flag"]),
    st.text(min_size=1).filter(lambda value: value != "--"),
    st.booleans(),
)
OTHERS = st.sampled_from(["-v", "-x", "-n2", "--tb=no", "-", "word", "a b", "--deselect=a", "é"])


@examples(50)
@given(st.lists(st.one_of(PAIRS, OTHERS)))
def test_any_command_line(parts: list[Any]) -> None:
    """An option has the same value after a space and after a sign, and nothing is lost."""
    typed, values, others = [], [], []
    for part in parts:
        if isinstance(part, str):
            typed.append(part)
            others.append(part)
        else:
            option, kind, value, is_apart = part
            flag = getattr(option, kind)
            typed += [flag, value] if is_apart else [f"{flag}={value}"]
            values.append(f"{option.flag}={value}")
    order = [option.flag for option in OPTIONS]
    values.sort(key=lambda word: order.index(word.partition("=")[0]))
    assert for_pytest(*typed) == [*values, *others]


def test_every_option_is_offered() -> None:
    """The help shows each option of the suite, and the explanation that the table has."""
    shown = command("audit", "--help").stdout.split("\nOptions:\n")[1]
    listed = re.findall(r"^  (--[a-z-]+(?:, --[a-z-]+)?)(?: (\S+))?\s", shown, re.MULTILINE)
    assert listed == [
        *((f"{option.plain_flag}, {option.flag}", option.metavar) for option in OPTIONS),
        *((name, "") for name in ("--json", "--quiet", "--version", "--help")),
    ]
    text = "".join(shown.split())  # a line may end behind a hyphen
    missing = [option.name for option in OPTIONS if "".join(option.help.split()) not in text]
    assert missing == []


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("--inventroy=x", "'--inventroy'. Did you mean --inventory? An option of pytest goes af"),
        ("--fail-onn", "'--fail-onn'. Did you mean --fail-on or --fail-on-new? An option of pyt"),
        ("--cmek-inventry", "'--cmek-inventry'. Did you mean --cmek-inventory?"),
    ],
)
def test_a_mistyped_option_is_not_left_to_pytest(word: str, message: str) -> None:
    """A word that is nearly an option of the suite ends with 4, and with the nearest."""
    done = command("audit", word)
    assert done.exit_code == 4
    assert f"Error: No such option {message}" in done.stderr


def test_options_of_pytest_and_its_plugins_are_left_to_them() -> None:
    """No common option of pytest or of a plugin is taken for a mistyped one of the suite."""
    words = [
        "--maxfail=1",
        "--report-log=x",
        "--reportlog",
        "--cov",
        "--basetemp=x",
        "--numprocesses",
    ]
    assert for_pytest(*words) == words


@pytest.mark.parametrize(("word", "shown"), [("-h", "Usage: cmek-audit audit"), ("-V", "cmek-aud")])
def test_letters_for_help_and_version(word: str, shown: str) -> None:
    """The letters that every command has are not pytest's in an audit either."""
    done = command("audit", word)
    assert (done.exit_code, done.stdout.startswith(shown)) == (0, True)
