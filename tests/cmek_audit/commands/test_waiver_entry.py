"""Requests in files of waivers: what they look like, and that all else stays as it is."""

from __future__ import annotations

import codecs
from datetime import date
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from checks.engine.waivers import Waiver, read_waivers
from cmek_audit.commands import waiver_entry
from cmek_audit.commands.waiver_entry import WaiverRequest, add, entry, listed, show
from inventory.errors import CmekAuditError, SettingError, WaiverError
from inventory.text.display import printable
from inventory.text.visible_text import visible
from tests.builders import write_json
from tests.checks.judging import RULES

if TYPE_CHECKING:
    from pathlib import Path

IDS = list(RULES)
FIELDS = """\
rule: CMEK-01
    subject: acme/serverless/aws/us-east-1
    cause: without-key
    reason: A pilot. # until it ends
    requested_by: Ines Example
    approved_by: Dana Example
    requested_on: 2026-09-01
    approved_on: 2026-09-02
    expires_on: 2027-03-01
    compensating_control: none
    ticket: ACME-1"""
FLAT = FIELDS.replace(" # until it ends", "").replace("\n   ", ",")
ONE = f"  - id: W-1\n    {FIELDS}\n"
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


def asked(message: str = "CMEK-05, high: The key came too late.", **over: Any) -> WaiverRequest:  # noqa: ANN401
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


def saved(folder: Path, text: str, name: str = "waivers.yaml") -> Path:
    file = folder / name
    file.write_bytes(text.encode())
    return file


def names(folder: Path) -> list[str]:
    return sorted(each.name for each in folder.iterdir())


def ids(file: Path) -> list[str]:
    return [read_waiver.id for read_waiver in read_waivers([str(file)], IDS)]


# --- a file that takes it -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "after", "indented"),
    [
        (HEAD + ONE, "", 2),
        (f"# Ours\n---\n{HEAD}{ONE}", "\n# The end\n", 2),
        (f"---\n{HEAD}{ONE}", "...\n", 2),
        (f"waivers:\n{ONE}", "cmek-waivers: 1\n", 2),
        (HEAD + ONE, "\n\n  # - id: W-0, gone\n", 2),
        (f"{HEAD}{ONE.removesuffix('1')}", "", 2),
        ("cmek-waivers: 1\nwaivers:\n" + ONE.replace("\n  ", "\n")[2:], "", 0),
        (HEAD + ONE.replace("\n", "\n      ").replace("  - ", "        - ").rstrip(" "), "", 8),
        (HEAD + ONE.replace("ticket: ACME-1", "ticket: |\n      ACME-1"), "", 2),
        (HEAD + ONE.replace("ticket: ACME-1", "ticket: |+\n      ACME-1\n\n"), "# x\n", 2),
        (HEAD + ONE.replace("ticket: ACME-1", 'ticket: "ACME\n\n      -1" # 1'), "", 2),
        (HEAD + ONE.replace("ticket: ACME-1", "ticket: ACME\n      -1"), "", 2),
        (HEAD + ONE.replace("A pilot.", "Zürich, 東京 😀"), "", 2),
        (HEAD + f"  - {{id: W-1, {FLAT}}}\n", "", 2),
    ],
    ids=[
        "plain",
        "comments",
        "document-end",
        "other-order",
        "comments-in-the-list",
        "last",
        "flush-left",
        "far-right",
        "block-text",
        "kept-lines",
        "quoted-text",
        "folded-text",
        "other-scripts",
        "flow-mapping",
    ],
)
def test_everything_else_is_kept(tmp_path: Path, before: str, after: str, indented: int) -> None:
    """The request goes behind the last waiver of the list; not a byte around it changes."""
    file = saved(tmp_path, before + after)
    add(asked(), str(file), IDS)
    lines = ENTRY.splitlines(keepends=True)
    added = "".join(" " * indented + line[2:] for line in lines)
    assert file.read_bytes().decode() == before + added + after
    assert (ids(file), names(tmp_path)) == (["W-1", "W-2"], ["waivers.yaml"])


def test_a_last_line_gets_its_end(tmp_path: Path) -> None:
    """A file whose last line does not end gets a line end before the request."""
    file = saved(tmp_path, HEAD + ONE.rstrip("\n"))
    add(asked(), str(file), IDS)
    assert file.read_text() == HEAD + ONE + ENTRY


def test_line_ends_stay_those_of_the_file(tmp_path: Path) -> None:
    """A file with CR LF, and with a byte order mark, stays one."""
    file = saved(tmp_path, "\ufeff" + (HEAD + ONE).replace("\n", "\r\n"))
    add(asked(), str(file), IDS)
    raw = file.read_bytes()
    assert raw == codecs.BOM_UTF8 + (HEAD + ONE + ENTRY).replace("\n", "\r\n").encode()
    assert ids(file) == ["W-1", "W-2"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("cmek-waivers: 1\nwaivers: []\n", HEAD + ENTRY),
        ("cmek-waivers: 1\nwaivers:  [ ]", HEAD + ENTRY),
        (
            "waivers: [] # none yet\n\ncmek-waivers: 1\n",
            "waivers: # none yet\n{}\ncmek-waivers: 1\n",
        ),
    ],
)
def test_an_empty_list_becomes_a_list(tmp_path: Path, text: str, expected: str) -> None:
    """An empty list in brackets gives way to a list with the request."""
    file = saved(tmp_path, text)
    add(asked(), str(file), IDS)
    assert file.read_text() == expected.format(ENTRY)
    assert ids(file) == ["W-2"]


def test_a_new_file_is_made(tmp_path: Path) -> None:
    """A file that is not there is made, and holds the request alone."""
    file = tmp_path / "new.yml"
    add(asked(), str(file), IDS)
    assert file.read_text() == HEAD + ENTRY


def test_rights_and_links_are_kept(tmp_path: Path) -> None:
    """A file keeps its rights, and a link to it stays a link."""
    file = saved(tmp_path, HEAD + ONE, "real.yaml")
    file.chmod(0o640)
    link = tmp_path / "waivers.yaml"
    link.symlink_to(file)
    add(asked(), str(link), IDS)
    assert (link.is_symlink(), file.stat().st_mode & 0o777) == (True, 0o640)
    assert ids(file) == ["W-1", "W-2"]


# --- a file that does not -------------------------------------------------------------------------


def refused(file: Path, request: WaiverRequest | None = None) -> str:
    """Return why a request is refused; the file must be what it was, and alone."""
    raw = file.read_bytes() if file.exists() else None
    there = names(file.parent)
    with pytest.raises(CmekAuditError) as raised:
        add(request or asked(), str(file), IDS)
    assert (file.read_bytes() if file.exists() else None) == raw
    assert names(file.parent) == there
    return str(raised.value)


def test_a_second_waiver_for_the_same_is_refused(tmp_path: Path) -> None:
    """If the file has a waiver for the same cause, whatever its days, it is named."""
    file = saved(tmp_path, HEAD + ONE)
    request = asked(rule="CMEK-01", subject="acme/serverless/aws/us-east-1", cause="without-key")
    assert refused(file, request) == (
        f"{file}:3: found W-1, a waiver for the same cause of the same subject. To do instead: "
        "change that one: its days and who asks, and have it approved anew."
    )


@pytest.mark.parametrize("name", ["waivers.json", "waivers.txt", "waivers"])
def test_only_yaml_is_written(tmp_path: Path, name: str) -> None:
    """A file that is not to be YAML is refused, whether it is there or not."""
    file = tmp_path / name
    expected = "expected a file ending in .yaml or .yml; --cmek-waivers takes it beside others"
    assert refused(file) == f"--into: found {file}, {expected}"
    write_json(file, {"cmek-waivers": 1, "waivers": []})
    assert refused(file) == f"--into: found {file}, {expected}"


@pytest.mark.parametrize(
    "text",
    ["", "cmek-waivers: 1\n", "waivers: []\n", HEAD, HEAD + ONE + "x: 1\n", "- 1\n", "\xff["],
)
def test_what_is_no_file_of_waivers_is_refused(tmp_path: Path, text: str) -> None:
    """A file with a mistake of its own takes no request."""
    file = saved(tmp_path, text)
    with pytest.raises(WaiverError):
        listed(str(file), IDS)
    assert "waivers.yaml" in refused(file)


@pytest.mark.parametrize(
    "text",
    [
        HEAD.rstrip("\n") + f" [{{id: W-1, {FLAT}}}]\n",
        "{cmek-waivers: 1, waivers: []}\n",
        HEAD + ONE.replace("ACME-1\n", "|\n      ACME-1"),
    ],
    ids=["in-brackets", "in-braces", "a-text-without-its-end"],
)
def test_what_cannot_be_added_to_stays_as_it_is(tmp_path: Path, text: str) -> None:
    """If the file would not hold the same waivers and one more, it is left alone."""
    file = saved(tmp_path, text)
    assert ids(file) in ([], ["W-1"])
    told = refused(file)
    assert told.startswith(f"{file}: nothing was changed, as it would not ")
    assert told.endswith(". To do instead: print the request, and add it by hand.")


def test_a_file_that_changes_meanwhile_is_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If somebody else writes the file at the same time, theirs stays."""
    file = saved(tmp_path, HEAD + ONE)
    theirs = HEAD + ONE + "# theirs\n"
    compare = waiver_entry._compare

    def meanwhile(*given: Any) -> None:  # noqa: ANN401
        compare(*given)
        file.write_text(theirs)

    monkeypatch.setattr(waiver_entry, "_compare", meanwhile)
    with pytest.raises(SettingError, match="somebody else just did"):
        add(asked(), str(file), IDS)
    assert (file.read_text(), names(tmp_path)) == (theirs, ["waivers.yaml"])


def test_an_unknown_rule_is_refused(tmp_path: Path) -> None:
    """A request for a rule that this suite does not have is not written."""
    assert "found 'CMEK-99', expected the id of a rule" in refused(
        tmp_path / "new.yaml", asked(rule="CMEK-99")
    )


# --- what it looks like ---------------------------------------------------------------------------


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
    show(asked("Zürich", reason="Zürich"), IDS)
    assert {reason, message} <= {line.strip() for line in terminal.text.splitlines()}


def test_a_request_that_could_not_be_read_is_not_printed(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """What would not be a file of waivers is refused and not printed."""
    with pytest.raises(SettingError, match="the request: nothing was changed, as it would not be"):
        show(asked(rule="CMEK-99"), IDS)
    assert capsys.readouterr().out == ""


def test_a_long_finding_is_wrapped() -> None:
    """What the finding says stands above the request in lines that can be read, without tokens."""
    token = "Astra" + "CS:" + "acme" * 8
    lines = entry(asked(f"word \x1b[2J\n{token} " + "word " * 90)).splitlines()
    comments = [line for line in lines if line.startswith("  # ")]
    assert max(map(len, lines)) <= 102
    assert len(comments) == 6
    assert comments[0].startswith(f"  # word ?[2J?{token[:8]}(hidden) word word")


TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=60).filter(
    lambda text: visible(text) and "AstraCS" not in text
)


@settings(deadline=None, max_examples=150)
@given(
    reason=TEXT,
    ticket=TEXT | st.sampled_from(["yes", "null", "~", "12", "1e3", "0x1f", "2026-01-01", "- a"]),
    message=TEXT,
    layout=st.tuples(st.integers(0, 8), st.sampled_from(["\n", "\r\n"])),
    only_ascii=st.booleans(),
)
def test_any_text_is_read_back(
    tmp_path_factory: pytest.TempPathFactory,
    reason: str,
    ticket: str,
    message: str,
    layout: tuple[int, str],
    *,
    only_ascii: bool,
) -> None:
    """Whatever is asked for in whatever words, the file says exactly that, and visibly."""
    request = asked(message, reason=reason, ticket=ticket)
    text = entry(request, *layout, only_ascii=only_ascii)
    newline = layout[1]
    head = HEAD.replace("\n", newline)
    file = saved(tmp_path_factory.getbasetemp(), head + text, "any.yaml")
    (waiver,) = read_waivers([str(file)], IDS)
    assert waiver.model_dump() == request.waiver.model_dump()
    assert text.isascii() or not only_ascii
    lines = text.split(newline)
    assert [printable(line, len(line)) for line in lines] == lines


@settings(deadline=None, max_examples=60)
@given(
    ticket=TEXT,
    comment=st.text(st.characters(categories=["L", "P"], max_codepoint=0xFF)),
    tail=st.sampled_from(["", "\n", "\n\n# end\n", "...\n"]),
)
def test_it_is_added_behind_any_text(
    tmp_path_factory: pytest.TempPathFactory, ticket: str, comment: str, tail: str
) -> None:
    """Whatever the last waiver says and however it is written, it stays, and so does the rest."""
    first = entry(asked(comment, id="W-1", rule="CMEK-01", ticket=ticket))
    before = f"# {comment}\n{HEAD}{first}"
    file = saved(tmp_path_factory.getbasetemp(), before + tail, "behind.yaml")
    old = read_waivers([str(file)], IDS)
    add(asked(), str(file), IDS)
    assert file.read_bytes().decode() == before + ENTRY + tail
    assert read_waivers([str(file)], IDS)[:-1] == old
