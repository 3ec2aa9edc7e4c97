"""The options of ``audit``: which there are, and how the command line becomes pytest's."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

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
            ["--cmek-plan", "b", "-q", "--cmek-plan=a", "--cmek-plan", "c"],
            ["--cmek-plan=b", "--cmek-plan=a", "--cmek-plan=c", "-q"],
        ),
        (["--cmek-fail-on=low", "--cmek-fail-on", "high"], ["--cmek-fail-on=high"]),
        (["--cmek-no-waivers"], ["--cmek-no-waivers"]),
        (PYTEST_ONLY, PYTEST_ONLY),
        (["-q", "--", "--help", "--cmek-plan", "x"], ["-q", "--help", "--cmek-plan", "x"]),
        (["--", "--cmek-no-such", "--", "x"], ["--cmek-no-such", "--", "x"]),
    ],
)
def test_the_command_line_of_pytest(typed: list[str], given: list[str]) -> None:
    """Options of the suite become one word each; all others go to pytest in their order."""
    assert for_pytest(*typed) == given


PAIRS = st.tuples(
    st.sampled_from([option.flag for option in OPTIONS if option.kind in {"paths", "texts"}]),
    st.text(min_size=1).filter(lambda value: value != "--"),
    st.booleans(),
)
OTHERS = st.sampled_from(["-q", "-x", "-n2", "--tb=no", "-", "word", "a b", "--deselect=a", "é"])


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
            flag, value, is_apart = part
            typed += [flag, value] if is_apart else [f"{flag}={value}"]
            values.append(f"{flag}={value}")
    order = [option.flag for option in OPTIONS]
    values.sort(key=lambda word: order.index(word.partition("=")[0]))
    assert for_pytest(*typed) == [*values, *others]


def test_every_option_is_offered() -> None:
    """The help shows each option of the suite, and the explanation that the table has."""
    shown = command("audit", "--help").stdout.split("\nOptions:\n")[1]
    listed = re.findall(r"^  (--[a-z-]+)(?: (\S+))?\s", shown, re.MULTILINE)
    assert [flag for flag, _ in listed] == [*(option.flag for option in OPTIONS), "--help"]
    assert {flag: metavar for flag, metavar in listed if flag != "--help"} == {
        option.flag: option.metavar for option in OPTIONS
    }
    text = " ".join(shown.split())
    assert [option.name for option in OPTIONS if option.help not in text] == []
