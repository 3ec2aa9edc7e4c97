"""The audit of a report is made again from its sources, if they are the same."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from cmek_audit.verification.verify_report import verify_report
from tests.cmek_audit.verification.verified import (
    UNJUDGED,
    about,
    reason_of,
    render_pages,
    rewrite,
    source_of,
    stopping,
)
from tests.reports.live import recorded, report_on
from tests.reports.samples import (
    AS_OF,
    COMPLIANT,
    VIOLATIONS,
    Report,
    audit,
    organization,
    save_inventory,
)

if TYPE_CHECKING:
    Head = dict[str, Any]


# --- the sources are not those --------------------------------------------------------------------


@pytest.mark.parametrize("name", ["inventory.json", "waivers.json"])
def test_a_changed_file_is_found_out(report: Report, tmp_path: Path, name: str) -> None:
    """A source or a file of waivers that was changed is named with both hashes."""
    with (tmp_path / name).open("a") as file:
        file.write("\n")
    verified = verify_report(str(report.folder))
    assert stopping(verified) == {**UNJUDGED, f"{tmp_path}/{name}": "not-proven"}


@pytest.mark.parametrize("place", [0, 1], ids=["present", "earlier"])
def test_a_missing_bundle_is_found_out(live: Report, place: int) -> None:
    """A bundle that is gone is named, and nothing is judged without it."""
    shutil.rmtree(source_of(live, place))
    verified = verify_report(str(live.folder))
    name = f"{source_of(live, place)}{'/inventory.ndjson' if place else ''}"
    assert stopping(verified) == {**UNJUDGED, name: "not-proven"}
    assert reason_of(verified, name).startswith("missing; verify where")


def test_a_changed_bundle_is_found_out(live: Report) -> None:
    """A bundle of which a file was changed is named with that file."""
    (source_of(live) / "exchanges/0001.ndjson.gz").write_text("{}")
    verified = verify_report(str(live.folder))
    assert stopping(verified) == {**UNJUDGED, str(source_of(live)): "differs"}
    [line] = about(verified, "not as it was recorded")
    assert f"{source_of(live)}/exchanges/0001.ndjson.gz: found changed content" in line


def test_a_bundle_that_tells_something_else_is_found_out(
    live: Report, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A bundle whose answers do not give its inventory is no evidence for the report."""
    from inventory.astra import replay  # noqa: PLC0415
    from inventory.errors import ReplayError  # noqa: PLC0415

    def refuse(folder: str) -> None:
        raise ReplayError(f"{folder}: the exchanges give another line")

    monkeypatch.setattr(replay, "replay", refuse)
    verified = verify_report(str(live.folder))
    assert stopping(verified) == {**UNJUDGED, str(source_of(live)): "differs"}
    assert about(verified, "cannot be replayed: ")


def test_another_bundle_is_found_out(live: Report, tmp_path: Path) -> None:
    """A whole bundle in the place of the audited one is told by its root."""
    shutil.rmtree(source_of(live))
    Path(recorded(tmp_path / "another").bundle).rename(source_of(live))
    verified = verify_report(str(live.folder))
    assert stopping(verified) == {**UNJUDGED, str(source_of(live)): "not-proven"}
    root = live.head["evidence"][0]["root"]
    assert reason_of(verified, str(source_of(live))).endswith(f"recorded {root}")


def test_sources_that_cannot_be_judged_again_are_reported(tmp_path: Path) -> None:
    """Sources that are as they were and cannot be judged as the record says are no proof."""
    controls = tmp_path / "controls.yaml"
    controls.write_text("cmek-controls: 1\nframeworks: []\n")
    inventory = str(save_inventory(tmp_path / "inventory.json", COMPLIANT))
    report = report_on(tmp_path, inventory, controls=str(controls), as_of=AS_OF)

    def exchange(head: Head) -> None:
        shown = head["population"]["sources"][0]
        head["settings"]["controls_file"] = {name: shown[name] for name in ("path", "sha256")}

    rewrite(report, exchange)
    render_pages(report)
    verified = verify_report(str(report.folder))
    assert stopping(verified) == UNJUDGED
    assert about(verified, "audit.json: not proven (it cannot be judged again: ")


# --- what cannot be compared ----------------------------------------------------------------------


def test_a_partial_run_cannot_be_compared(tmp_path: Path) -> None:
    """The files of a partial run are looked at, and it is said why nothing is judged again."""
    report = audit(tmp_path, VIOLATIONS, only="CMEK-08")
    verified = verify_report(str(report.folder))
    assert stopping(verified) == UNJUDGED
    assert about(verified, "inventory.json: proven")
    assert reason_of(verified, "audit.json").startswith("the run was partial: ")
    assert about(verified, "PARTIAL RUN, NOT AUDIT EVIDENCE")


def test_hostile_words_do_no_harm(tmp_path: Path) -> None:
    """No line carries what could steer a terminal, whatever the record holds."""
    evil = "\x1b[2J\u202e"
    report = audit(tmp_path, [organization("calm", [], [], name=evil)])
    rewrite(report, lambda head: head["verdict"].update(word=evil))
    rewrite(report, lambda head: head["population"]["sources"][0].update(path=evil))
    verified = verify_report(str(report.folder))
    assert {"\x1b", "\u202e"} & set("".join(about(verified, ""))) == set()
