"""The table of options: names, explanations, and no import that takes time."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from checks.engine.card import SEVERITIES
from cmek_audit.run.options import OPTIONS, Option
from reports.formats.registry import WRITABLE
from tests.cmek_audit.helpers import ROOT

EACH = pytest.mark.parametrize("option", OPTIONS, ids=lambda option: option.name)


@EACH
def test_every_option_is_explained(option: Option) -> None:
    """Each option has a help, and each but a flag shows what value it takes."""
    assert len(option.help) > 20
    assert bool(option.metavar) == (option.kind != "flag")


@EACH
def test_names_follow_from_each_other(option: Option) -> None:
    """An option and its ini twin bear one name."""
    assert option.flag == f"--cmek-{option.name}"
    assert option.ini == "cmek_" + option.flag.removeprefix("--cmek-").replace("-", "_")
    assert re.fullmatch(r"[a-z]+(-[a-z]+)*", option.name)


@pytest.mark.parametrize("name", ["fail-on", "group", "kms", "formats"])
def test_a_help_lists_what_may_be_said(name: str) -> None:
    """The help of an option with fixed values names all of them, and the default."""
    words: tuple[str, ...] = {
        "fail-on": SEVERITIES,
        "group": ("subject", "organization", "rule", "auto"),
        "kms": ("recorded", "none"),
        "formats": WRITABLE,
    }[name]
    (option,) = [option for option in OPTIONS if option.name == name]
    assert [word for word in words if word not in option.help] == []
    assert "default: " in option.help


def test_the_table_imports_no_models() -> None:
    """Help, and a run of pytest without an audit, read the table without pydantic."""
    code = "import sys, cmek_audit.run.options; print('pydantic' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout == "False\n"
