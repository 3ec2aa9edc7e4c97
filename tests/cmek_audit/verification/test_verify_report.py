"""A finished report, verified: as it was written, and given again by its sources."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from cmek_audit.run.audit import run_audit
from cmek_audit.run.option_values import parse_options
from cmek_audit.run.preparation import EXAMPLES
from cmek_audit.verification.verify_report import verify_report
from inventory.errors import RecordError
from tests.cmek_audit.verification.verified import (
    DIFFER,
    ONLY_PAGE,
    PAGES,
    UNJUDGED,
    about,
    reason_of,
    rewrite,
    source_of,
    stopping,
)
from tests.reports.comparing import FIRST, SECOND, night, stored
from tests.reports.live import Recorded, report_on
from tests.reports.samples import (
    AS_OF,
    COMPLIANT,
    RUN,
    VIOLATIONS,
    WAIVERS,
    Report,
    database,
    save,
    save_inventory,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    Head = dict[str, Any]


# --- the same -------------------------------------------------------------------------------------


def test_a_report_on_files_is_proven(report: Report, tmp_path: Path) -> None:
    """A report whose files are unchanged is made again, and each of its parts is named."""
    count, entries = len(report.lines), report.head["population_file"]["count"]
    verified = verify_report(str(report.folder))
    assert [*map(str, verified.proofs)] == [
        "audit.json: proven (judged again from its sources: equal)",
        f"findings.ndjson: proven (judged again from its sources: the same {count} findings)",
        f"population.ndjson: proven (read again from its sources: the same {entries} entries)",
        *(f"{page}: proven (rendered again from the record: equal)" for page in PAGES),
        "results.html: not proven (missing; the record says that it was asked for)",
        "junit.xml: not proven (missing; the record says that it was asked for)",
        "run: not proven (only the record says who ran the audit, when and how)",
        f"{tmp_path}/inventory.json: proven (it has the recorded SHA-256)",
        f"{tmp_path}/waivers.json: proven (it has the recorded SHA-256)",
    ]
    counts = ", ".join(f"{n} {status}" for status, n in report.head["counts"].items() if n)
    assert verified.lines == [
        f"report: {report.head['report']}",
        f"verdict: not compliant, {counts}, as of {AS_OF}",
    ]
    assert (stopping(verified), verified.rests_on_bundles) == ({}, False)


def test_a_report_on_bundles_is_proven(live: Report) -> None:
    """The audited bundle is replayed, and of an earlier one the inventory is looked at."""
    verified = verify_report(str(live.folder))
    evidence = live.head["evidence"][0]
    assert (stopping(verified), verified.rests_on_bundles) == ({}, True)
    assert reason_of(verified, str(source_of(live))) == (
        f"{evidence['requests']} requests replayed: the same inventory; asked: "
        f"{evidence['address']}, not the vendor's host https://api.astra.datastax.com"
    )
    assert about(verified, f"{source_of(live, 1)}/inventory.ndjson: proven (it has the recorded")


def test_a_live_report_is_verified(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shared: tuple[Recorded, Report]
) -> None:
    """A live audit is verified by what it recorded: its server need not be there, nor its token."""
    from tests.astra.server import serve  # noqa: PLC0415
    from tests.reports.live import small_fleet  # noqa: PLC0415

    made, _ = shared
    for name, token in made.environment.items():
        monkeypatch.setenv(name, token)
    with serve(small_fleet()) as running:
        data = json.loads(made.organizations.read_text()) | {"address": running.address}
        file = save(tmp_path / "organizations.json", **data)
        report = report_on(tmp_path, live=str(file), evidence_dir=str(tmp_path / "ev"))
    for name in made.environment:
        monkeypatch.delenv(name)
    verified = verify_report(str(report.folder))
    assert report.head["settings"]["mode"] == "live"
    assert (stopping(verified), len(about(verified, "replayed"))) == ({}, 1)
    assert about(verified, "settings.mode: ") == [
        "settings.mode: not proven (live: nothing shows that Astra's own server answered)"
    ]


def test_every_setting_is_taken_from_the_record(tmp_path: Path) -> None:
    """Every setting, the plan, the state, the history and the waivers are those recorded."""
    controls = tmp_path / "controls.yaml"
    frameworks = "[{name: Acme 1, rules: {}}, {name: Acme 2, rules: {}}]"
    controls.write_text(f"cmek-controls: 1\nframeworks: {frameworks}\n")
    planned = {"id": "calm", "databases": [database("next", "us-east-2", state="planned")]}
    early = {"captured_at": "2026-01-01T00:00:00Z"}
    report = report_on(
        tmp_path,
        str(save_inventory(tmp_path / "inventory.json", COMPLIANT)),
        plan=(str(save(tmp_path / "plan.json", **{"cmek-plan": 1, "organizations": [planned]})),),
        state=(str(save(tmp_path / "state.json", format_version="1.0")),),
        history=(str(save_inventory(tmp_path / "early.json", COMPLIANT, **early)),),
        waivers=(str(save(tmp_path / "waivers.json", **{"cmek-waivers": 1, "waivers": WAIVERS})),),
        controls=str(controls),
        framework=("acme 2",),
        as_of=AS_OF,
        max_age="7h",
        fail_on="critical",
        allow_inconclusive=True,
        kms="none",
        rotation_days=90,
        group="rule",
    )
    verified = verify_report(str(report.folder))
    assert (stopping(verified), len(about(verified, "has the recorded SHA-256"))) == ({}, 6)


def test_a_report_without_waivers_is_verified(tmp_path: Path) -> None:
    """An audit that was told to leave waivers out is judged again without them."""
    file = str(save(tmp_path / "waivers.json", **{"cmek-waivers": 1, "waivers": WAIVERS}))
    inventory = str(save_inventory(tmp_path / "inventory.json", VIOLATIONS))
    report = report_on(tmp_path, inventory, waivers=(file,), no_waivers=True, as_of=AS_OF)
    assert report.head["settings"]["waiver_files"] == []
    assert stopping(verify_report(str(report.folder))) == {}


def test_an_example_is_verified(tmp_path: Path) -> None:
    """A run over the bundled example is given again, and is said to be no evidence."""
    _, head = run_audit(parse_options({"report_dir": str(tmp_path)}), lambda _: RUN.copy())
    verified = verify_report(str(tmp_path))
    assert (stopping(verified), len(about(verified, "EXAMPLE, NOT AUDIT"))) == ({}, 1)
    assert {
        waiver_file["path"].rpartition("/")[2] for waiver_file in head["settings"]["waiver_files"]
    } == {entry.name for entry in EXAMPLES.glob("*-waivers.yaml")}


def test_what_was_not_asked_for_is_not_missed(tmp_path: Path) -> None:
    """A report of which only the record was asked for is whole without the others."""
    inventory = str(save_inventory(tmp_path / "inventory.json", COMPLIANT))
    report = report_on(tmp_path, inventory, as_of=AS_OF, formats=("json",))
    verified = verify_report(str(report.folder))
    assert (stopping(verified), about(verified, "missing")) == ({}, [])


def test_a_report_with_a_baseline_is_verified(tmp_path: Path) -> None:
    """What is new is found again with the same baseline, which is named and unchanged."""
    before = night(tmp_path, VIOLATIONS, FIRST)
    report = night(tmp_path, COMPLIANT, SECOND, before, fail_on_new=True)
    verified = verify_report(str(report.folder))
    assert stopping(verified) == {}
    assert reason_of(verified, f"{before.folder}/audit.json") == "it has the recorded SHA-256"
    assert about(verified, "GATE ON NEW FINDINGS ONLY")


@pytest.mark.parametrize("is_there", [True, False], ids=["changed", "gone"])
def test_another_baseline_is_found_out(
    tmp_path: Path,
    is_there: bool,  # noqa: FBT001 (a parameter)
) -> None:
    """A report whose baseline is another one now, or is not there, is not judged again."""
    before = night(tmp_path, VIOLATIONS, FIRST)
    report = night(tmp_path, VIOLATIONS, SECOND, before)
    head = before.folder / "audit.json"
    head.unlink()
    if is_there:
        stored(before.folder)
    verified = verify_report(str(report.folder))
    assert stopping(verified) == {**ONLY_PAGE, str(head): "not-proven"}
    assert reason_of(verified, str(head)).startswith("changed since" if is_there else "missing")


def test_a_baseline_without_its_findings_is_found_out(tmp_path: Path) -> None:
    """A baseline of which only the head is left proves nothing."""
    before = night(tmp_path, VIOLATIONS, FIRST)
    report = night(tmp_path, VIOLATIONS, SECOND, before)
    (before.folder / "findings.ndjson").unlink()
    verified = verify_report(str(report.folder))
    assert stopping(verified) == ONLY_PAGE
    assert about(verified, "findings.ndjson: not proven (it cannot be judged again: ")


def test_a_made_up_age_is_found_out(tmp_path: Path) -> None:
    """A record that calls more findings known than its baseline has differs from what is judged."""
    before = night(tmp_path, COMPLIANT, FIRST)
    report = night(tmp_path, VIOLATIONS, SECOND, before, fail_on_new=True)
    rewrite(report, lambda head: head["changes"]["counts"].update(new=0))
    verified = verify_report(str(report.folder))
    assert reason_of(verified, "audit.json") == f"{DIFFER} changes"


def test_relative_paths_begin_where_the_audit_ran(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Paths are taken as the audit was given them: it is verified from the same folder."""
    monkeypatch.chdir(tmp_path)
    save_inventory(Path("inventory.json"), COMPLIANT)
    report = report_on(tmp_path, "inventory.json", as_of=AS_OF)
    assert stopping(verify_report("report")) == {}
    monkeypatch.chdir("/")
    away = verify_report(str(report.folder))
    assert stopping(away) == {**UNJUDGED, "inventory.json": "not-proven"}
    assert reason_of(away, "inventory.json").startswith("missing; verify where the audit was run")


def test_verifying_touches_nothing(report: Report) -> None:
    """The verified report and its folder are as they were, to the byte and the second."""
    before = {entry: (entry.read_bytes(), entry.stat()) for entry in report.folder.iterdir()}
    verify_report(str(report.folder))
    assert {
        entry: (entry.read_bytes(), entry.stat()) for entry in report.folder.iterdir()
    } == before


# --- the record is not as it was written ----------------------------------------------------------


def _line(report: Report) -> None:
    raw = b"".join(report.lines)
    (report.folder / "findings.ndjson").write_bytes(raw.replace(b'"fail"', b'"pass"', 1))


def _less(report: Report) -> None:
    (report.folder / "findings.ndjson").write_bytes(b"".join(report.lines[:-1]))


def _none(report: Report) -> None:
    (report.folder / "findings.ndjson").unlink()


def _verdict(report: Report) -> None:
    path = report.folder / "audit.json"
    path.write_text(
        path.read_text().replace('"outcome": "not compliant"', '"outcome": "compliant"')
    )


def _spaces(report: Report) -> None:
    path = report.folder / "audit.json"
    path.write_text(json.dumps(json.loads(path.read_text())))


def _twice(report: Report) -> None:
    path = report.folder / "audit.json"
    path.write_text(
        path.read_text().replace('"outcome":', '"outcome": "compliant",\n  "outcome":', 1)
    )


@pytest.mark.parametrize(
    ("tamper", "words"),
    [
        (_line, r"findings\.ndjson: changed since: SHA-256 [0-9a-f]{64}, recorded [0-9a-f]{64}"),
        (_less, r"findings\.ndjson: changed since"),
        (_none, r"findings\.ndjson: found No such file or directory, expected the findings"),
        (_verdict, r"audit\.json: the report id is not that of its content: it was changed since"),
        (_spaces, r"audit\.json: not written as a record is, so it was changed since"),
        (_twice, r"audit\.json: not written as a record is, so it was changed since"),
    ],
    ids=["a-line", "a-line-less", "no-lines", "the-verdict", "the-form", "a-key-twice"],
)
def test_a_changed_record_is_refused(
    report: Report, tamper: Callable[[Report], None], words: str
) -> None:
    """A record that was changed since it was written is an error that says which file, and how."""
    tamper(report)
    with pytest.raises(RecordError, match=words):
        verify_report(str(report.folder))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda head: head["findings"].update(count=1), "lines [0-9]+, recorded 1"),
        (lambda head: head["findings"].update(bytes=1), "bytes [0-9]+, recorded 1"),
        (lambda head: head["findings"].update(file="../secret"), "findings.file: input should be"),
        (
            lambda head: head.update(schema="cmek-audit-record/9"),
            "schema: found 'cmek-audit-record/9'",
        ),
        (lambda head: head["settings"].pop("as_of"), "settings.as_of: field required"),
        (lambda head: head["settings"].update(kms="some"), "no settings of an audit: kms.0: "),
    ],
    ids=["count", "bytes", "file", "version", "missing", "setting"],
)
def test_a_head_that_is_no_record_is_refused(
    report: Report, change: Callable[[Head], object], words: str
) -> None:
    """A head with a fitting report id and impossible content is an error that names the field."""
    rewrite(report, change)
    with pytest.raises(RecordError, match=words):
        verify_report(str(report.folder))


@pytest.mark.parametrize(
    "content",
    [b"", b"{}", b"[]", b"null", b"not JSON", b"\xff", b"[" * 100_000],
    ids=["empty", "no-fields", "list", "null", "text", "bytes", "deep"],
)
def test_anything_else_is_no_record(tmp_path: Path, content: bytes) -> None:
    """Whatever the file holds, it is an error and not a crash."""
    (tmp_path / "audit.json").write_bytes(content)
    with pytest.raises(RecordError, match=r"audit\.json: (no record|found (no JSON|an empty))"):
        verify_report(str(tmp_path))


def test_a_folder_without_a_record_is_refused(tmp_path: Path) -> None:
    """A folder that holds no record is an error that says so."""
    with pytest.raises(RecordError, match="found No such file or directory, expected a record"):
        verify_report(str(tmp_path))
