"""Requests for waivers in YAML: what they look like, and that they are read back."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.engine.waivers import Waiver, read_waivers
from cmek_audit.commands.waiver_entry import WaiverRequest, print_request, render_entry
from inventory.errors import SettingError
from inventory.text.display import printable
from inventory.text.visible_text import visible
from tests.checks.judging import RULES
from tests.hypothesis_profile import examples

HEAD = "cmek-waivers: 1\nwaivers:\n"
ENTRY = """\
  # CMEK-05, high: The key came too late.
  # To be filled in by somebody else: approved_by, approved_on
  - id: W-2
    rule: CMEK-05
    subject: acme/database/orders/us-east-1
    cause: older-than-key
    reason: It moves soon.
    requested_by: Ben Example
    requested_on: 2026-11-21
    expires_on: 2027-02-19
    compensating_control: none
    ticket: ACME-2
"""


def requested(message: str = "CMEK-05, high: The key came too late.", **over: Any) -> WaiverRequest:  # noqa: ANN401
    fields = {
        "id": "W-2",
        "rule": "CMEK-05",
        "subject": "acme/database/orders/us-east-1",
        "cause": "older-than-key",
        "reason": "It moves soon.",
        "requested_by": "Ben Example",
        "requested_on": date(2026, 11, 21),
        "expires_on": date(2027, 2, 19),
        "compensating_control": "none",
        "ticket": "ACME-2",
    }
    return WaiverRequest(Waiver.model_validate(fields | over), message)


def test_an_entry_is_pasted_below_others(capsys: pytest.CaptureFixture[str]) -> None:
    """An entry has its finding above it, all that is known, and the indent of a list's entries."""
    print_request(requested())
    assert capsys.readouterr() == (ENTRY, "")


class Terminal:
    def __init__(self, encoding: str | None) -> None:
        self.encoding = encoding
        self.text = ""

    def write(self, text: str) -> int:
        self.text += text
        return len(text)

    def flush(self) -> None:
        pass


@pytest.mark.parametrize(
    ("encoding", "reason", "message"),
    [
        ("utf-8", "reason: Zürich", "# Zürich"),
        ("latin-1", "reason: Zürich", "# Zürich"),
        ("ascii", 'reason: "Z\\xFCrich"', "# Z\\xfcrich"),
        (None, 'reason: "Z\\xFCrich"', "# Z\\xfcrich"),
    ],
)
def test_it_is_printed_in_characters_that_there_are(
    monkeypatch: pytest.MonkeyPatch, encoding: str | None, reason: str, message: str
) -> None:
    """What stdout cannot print is named by number, in a way that YAML reads back."""
    terminal = Terminal(encoding)
    monkeypatch.setattr("sys.stdout", terminal)
    print_request(requested("Zürich", reason="Zürich"))
    assert {reason, message} <= {line.strip() for line in terminal.text.splitlines()}


def test_a_request_that_could_not_be_read_is_not_printed(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A request for a rule that this suite does not have is refused and not printed."""
    with pytest.raises(SettingError, match=r"not printed: it could not be read.*found 'CMEK-99'"):
        print_request(requested(rule="CMEK-99"))
    assert capsys.readouterr().out == ""


def test_a_long_finding_is_wrapped() -> None:
    """What the finding says stands above the request in lines that can be read, without tokens."""
    token = "Astra" + "CS:" + "acme" * 8
    lines = render_entry(requested(f"word \x1b[2J\n{token} " + "word " * 90)).splitlines()
    comments = [line for line in lines if line.startswith("  # ")]
    assert max(map(len, lines)) <= 102
    assert len(comments) == 6
    assert comments[0].startswith(f"  # word ?[2J?{token[:8]}(hidden) word word")


TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=60).filter(
    lambda text: visible(text) and "AstraCS" not in text
)


@examples(150)
@given(
    reason=TEXT,
    ticket=TEXT | st.sampled_from(["yes", "null", "~", "12", "1e3", "0x1f", "2026-01-01", "- a"]),
    message=TEXT,
    only_ascii=st.booleans(),
)
def test_any_text_is_read_back(
    tmp_path_factory: pytest.TempPathFactory,
    reason: str,
    ticket: str,
    message: str,
    *,
    only_ascii: bool,
) -> None:
    """Whatever is asked for in whatever words, the file says exactly that, and visibly."""
    request = requested(message, reason=reason, ticket=ticket)
    text = render_entry(request, only_ascii=only_ascii)
    file = tmp_path_factory.getbasetemp() / "any.yaml"
    file.write_bytes((HEAD + text).encode())
    (waiver,) = read_waivers([str(file)], list(RULES))
    assert waiver.model_dump() == request.waiver.model_dump()
    assert text.isascii() or not only_ascii
    lines = text.split("\n")
    assert [printable(line, len(line)) for line in lines] == lines
