"""``diff``: two audits compared."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from cmek_audit.commands import diff
from reports.comparison.changes import NEWS
from reports.model.changes import CLASSES
from tests.cmek_audit.helpers import command, printed_json
from tests.reports.comparing import FIRST, SECOND, every_change, night, stored
from tests.reports.live import report_on
from tests.reports.recording import a_finding
from tests.reports.samples import (
    COMPLIANT,
    EVIL,
    HOSTILE,
    VIOLATIONS,
    attested,
    database,
    key,
    organization,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.reports.samples import Entry

    Golden = Callable[[str, str], None]

UNPAID = [COMPLIANT[0] | {"plan": attested(paid=False)}]


def _before() -> list[Entry]:
    return [
        organization(
            "acme",
            [key("us-east-2", 1), key("eu-central-1", 2)],
            [
                database("orders", "us-east-2", "eu-west-1"),
                database("ledger", "us-west-2"),
                database("lost", "ap-south-1"),
            ],
            plan=attested(paid=False),
        ),
        organization("labs", [key("us-east-2", 3)], [database("t", "eu-west-1")]),
        organization("closed", [], [database("x", "us-east-1")]),
    ]


def _after() -> list[Entry]:
    gap = {"fact": "serverless-keys", "reason": "refused", "detail": "403"}
    return [
        organization(
            "acme",
            [key("us-east-2", 4), key("us-west-2", 5)],
            [
                database("orders", "us-east-2", "eu-west-1"),
                database("ledger", "us-west-2"),
                database("next", "eu-west-1", state="planned"),
            ],
            plan=None,
        ),
        organization("labs", [], [database("t", "eu-west-1")], gaps=[gap]),
    ]


@pytest.fixture
def two(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[str, str]:
    """Audit two nights; return their folders, relative to where the test works then."""
    folders = [night(tmp_path, made(), at) for made, at in ((_before, FIRST), (_after, SECOND))]
    monkeypatch.chdir(tmp_path)
    one, other = [folder.folder.relative_to(tmp_path).as_posix() for folder in folders]
    return one, other


@pytest.mark.parametrize("form", ["text", "markdown"])
def test_the_output_is_as_written_down(two: tuple[str, str], form: str, golden: Golden) -> None:
    """Each form prints what is written down; hashes alone follow from the rules' files."""
    done = command("diff", *two, "--format", form)
    assert (done.exit_code, done.stderr) == (1, "")
    text = re.sub(r"\b[0-9a-f]{64}\b|(?<=report )[0-9a-f]{12}\b", "HASH", done.stdout)
    golden(f"diff-{form}.txt", text)


def test_text_is_the_default(two: tuple[str, str]) -> None:
    """Without a format, the text is printed; a head is as good as its folder."""
    heads = [f"{each}/audit.json" for each in two]
    assert command("diff", *heads).stdout == command("diff", *two, "-f", "text").stdout


def test_what_is_no_evidence_is_said_of_each_audit(chain: Path, tmp_path: Path) -> None:
    """Of audits whose answers are not Astra's, each form says so of both."""
    bundles = sorted(str(path) for path in chain.iterdir())[:2]
    reports = [report_on(tmp_path / str(n), each).folder for n, each in enumerate(bundles)]
    words = "NOT ASTRA, NOT AUDIT EVIDENCE: answers came from"
    for form in ("text", "json", "markdown"):
        printed = command("diff", *reports, "--format", form).stdout
        assert printed.replace("\\", "").count(words) == 2, form


def test_the_changes_are_those_of_an_audit_with_a_baseline(tmp_path: Path) -> None:
    """Comparing two finished audits tells what the later one tells, given the first as baseline."""
    first = night(tmp_path, _before(), FIRST)
    second = night(tmp_path, _after(), SECOND, first)
    made = printed_json(command("diff", first.folder, second.folder, "--format=json"))
    changes = second.head["changes"]
    baseline = changes["baseline"] | {"banners": []}
    assert made["old"] == {name: baseline[name] for name in made["old"]}
    assert made["same_rules"] is changes["baseline"]["same_rules"] is True
    for block in ("counts", "not_judged_again", "lists", "keys"):
        assert made[block] == changes[block]


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        (COMPLIANT, UNPAID, 1),
        (UNPAID, UNPAID, 0),
        (UNPAID, COMPLIANT, 0),
        ([COMPLIANT[0] | {"plan": None}], UNPAID, 1),
        (UNPAID, [COMPLIANT[0] | {"plan": None}], 1),
        (VIOLATIONS, COMPLIANT, 1),
    ],
    ids=["new", "unchanged", "fixed", "worsened", "unclear", "organizations-gone"],
)
def test_the_exit_code_says_whether_anything_is_new(
    tmp_path: Path, old: list[Entry], new: list[Entry], code: int
) -> None:
    """What is new, worse, unclear or an organization gone gives 1; what is known or fixed 0."""
    folders = (night(tmp_path, old, FIRST).folder, night(tmp_path, new, SECOND).folder)
    assert command("diff", *folders).exit_code == code


def test_an_audit_does_not_differ_from_itself(tmp_path: Path) -> None:
    """Compared with itself, an audit has nothing but what is unchanged."""
    folder = night(tmp_path, VIOLATIONS, FIRST).folder
    done = command("diff", folder, folder)
    assert done.exit_code == 0
    assert re.fullmatch(r"Changes:  [0-9]+ unchanged", done.stdout.splitlines()[-1])


def test_other_rules_are_reported(tmp_path: Path) -> None:
    """If the two were judged by other rules, text and Markdown say so."""
    folders = [stored(tmp_path / each, [a_finding()]) for each in "ab"]
    other = json.loads((folders[0] / "audit.json").read_text())
    other["criteria"]["hash"] = "0" * 64
    from tests.reports.comparing import write_head  # noqa: PLC0415

    write_head(folders[0], other)
    for form in ("text", "markdown"):
        assert diff.OTHER_RULES in command("diff", *folders, "-f", form).stdout


@pytest.mark.parametrize("form", ["text", "markdown"])
def test_long_lists_are_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: str) -> None:
    """What is beyond the limit is counted, in a line that is no row of a table."""
    monkeypatch.setattr(diff, "MOST_SHOWN", 0)
    changes = every_change()
    lines = list(
        diff._text(_compared(changes)) if form == "text" else diff._markdown(_compared(changes))
    )
    assert sum(line.strip() == "… and 1 more" for line in lines) == len(CLASSES) - 1 + 4 + 1
    if form == "markdown":
        assert {lines[place - 1] for place, line in enumerate(lines) if line[0:1] == "…"} == {""}


def _compared(changes: Any) -> Any:  # noqa: ANN401 (parts of the record)
    about = changes["baseline"] | {"banners": []}
    return {"old": about, "new": about, "same_rules": True} | changes


# --- hostile names --------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["text", "markdown", "json"])
def test_hostile_names_do_no_harm(tmp_path: Path, form: str) -> None:
    """Whatever names hold, nothing steers a terminal, and no table loses its columns."""
    folders = (night(tmp_path, VIOLATIONS, FIRST).folder, night(tmp_path, HOSTILE, SECOND).folder)
    text = command("diff", *folders, "-f", form).stdout
    assert {"\x1b", "\u202e", "\x00", "\u200b"} & set(text) == set()
    if form == "markdown":
        rows = [line for line in text.splitlines() if line.startswith("|")]
        assert {line.count("|") for line in rows} == {3, 4, 5, 6}
        assert EVIL not in re.sub(r"`[^`]*`", "", text)


# --- what cannot be compared ----------------------------------------------------------------------


def test_a_missing_report_is_refused(tmp_path: Path) -> None:
    """A path without a record is an unusable argument, the first or the second."""
    folder = stored(tmp_path / "a")
    for arguments in ((folder, tmp_path / "b"), (tmp_path / "b", folder)):
        done = command("diff", *arguments)
        assert (done.exit_code, done.stdout) == (4, "")
        assert "found No such file or directory, expected a record" in done.stderr


def test_the_wrong_order_is_refused(tmp_path: Path) -> None:
    """An earlier audit in the place of the later one would tell everything the wrong way round."""
    folders = (night(tmp_path, UNPAID, SECOND).folder, night(tmp_path, COMPLIANT, FIRST).folder)
    done = command("diff", *folders)
    assert (done.exit_code, done.stdout) == (4, "")
    assert f"found an audit as of {SECOND}, expected the earlier one of the two" in done.stderr


@pytest.mark.parametrize("place", [0, 1], ids=["old", "new"])
def test_a_partial_run_is_refused(tmp_path: Path, place: int) -> None:
    """A run of which something was left out is not compared, neither as old nor as new."""
    partial: list[dict[str, Any]] = [
        {"only": "CMEK-08"} if each == place else {} for each in (0, 1)
    ]
    folders = [
        night(tmp_path, UNPAID, at, **more).folder
        for at, more in zip((FIRST, SECOND), partial, strict=True)
    ]
    done = command("diff", *folders)
    assert (done.exit_code, done.stdout) == (4, "")
    assert "found a partial run (" in done.stderr


def test_an_example_is_not_compared_with_an_audit(tmp_path: Path) -> None:
    """An audit of an example and one of real records have nothing to do with each other."""
    folders = (stored(tmp_path / "a", is_example=True), stored(tmp_path / "b"))
    done = command("diff", *folders)
    assert (done.exit_code, done.stdout) == (4, "")
    assert "found an audit of a bundled example, expected one of recorded or live" in done.stderr


def test_a_changed_finding_is_refused(tmp_path: Path) -> None:
    """A later audit of which a line was changed is not compared."""
    folders = (night(tmp_path, UNPAID, FIRST).folder, night(tmp_path, UNPAID, SECOND).folder)
    file = folders[1] / "findings.ndjson"
    file.write_bytes(file.read_bytes().replace(b'"status":"fail"', b'"status":"pass"'))
    assert command("diff", *folders).exit_code == 4


def test_every_news_stops() -> None:
    """The exit code is 1 for exactly the classes that a gate on what is new stops for."""
    assert set(NEWS) == set(CLASSES) - {"unchanged", "fixed", "superseded", "waived", "gone"}


def test_an_organization_that_passed_and_is_gone_stops(tmp_path: Path) -> None:
    """An organization that only the earlier audit holds is named, also if nothing of it failed."""
    calm, other = COMPLIANT[0], organization("other", [], [])
    old = night(tmp_path, [calm, other], FIRST)
    new = night(tmp_path, [calm], SECOND)
    done = command("diff", old.folder, new.folder)
    assert done.exit_code == 1
    assert "Organizations gone (1): They are in the earlier audit" in done.stdout
    assert "  other (other)" in done.stdout
    comparison = json.loads(command("diff", old.folder, new.folder, "--format=json").stdout)
    assert comparison["organizations_gone"]["list"] == [{"organization": "other", "name": "other"}]
    assert (
        "### Organizations gone"
        in command("diff", old.folder, new.folder, "--format=markdown").stdout
    )
    assert command("diff", old.folder, old.folder).exit_code == 0
