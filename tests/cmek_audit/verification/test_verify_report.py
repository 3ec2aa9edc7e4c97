"""A finished report, verified: as it was written, and given again by its sources."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from cmek_audit.run.audit import run_audit
from cmek_audit.run.options import parse_options
from cmek_audit.run.preparation import EXAMPLES
from cmek_audit.verification.verify_report import Verified, verify_report
from inventory.errors import RecordError
from reports.formats.registry import RENDERED, encode
from reports.record.reader import read_record
from reports.record.writer import canonical, report_id
from tests.reports.comparing import FIRST, SECOND, night, stored
from tests.reports.live import Recorded, recorded, report_on
from tests.reports.samples import (
    AS_OF,
    COMPLIANT,
    RUN,
    VIOLATIONS,
    WAIVERS,
    Report,
    audit,
    database,
    organization,
    save,
    save_inventory,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    Head = dict[str, Any]


@pytest.fixture
def report(tmp_path: Path) -> Report:
    """Audit a file with failures and waivers."""
    return audit(tmp_path, VIOLATIONS, WAIVERS)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> tuple[Recorded, Report]:
    """Record two bundles, and audit the second after the first; not to be changed."""
    folder = tmp_path_factory.mktemp("live")
    earlier = recorded(folder).bundle
    made = recorded(folder)
    return made, report_on(folder, made.bundle, history=(earlier,))


@pytest.fixture
def live(shared: tuple[Recorded, Report], tmp_path: Path) -> Report:
    """Audit copies of both bundles, which may be changed."""
    bundles = Path(shared[0].bundle).parent
    copied = sorted(shutil.copytree(bundles, tmp_path / "ev").iterdir())
    return report_on(tmp_path, str(copied[1]), history=(str(copied[0]),))


def _rewrite(report: Report, change: Callable[[Head], object]) -> None:
    """Change the head of ``report``, and write it as a record is written."""
    head = json.loads((report.folder / "audit.json").read_text())
    change(head)
    head["report"] = report_id(head)
    (report.folder / "audit.json").write_text(canonical(head))


RECORD = ("audit.json", "findings.ndjson")
DIFFER = "judged again from its sources, these differ:"
PAGES = ("audit.html", "summary.md", "audit.sarif")
UNJUDGED = dict.fromkeys((*RECORD, *PAGES), "not-proven")
"""What stops if the record is not judged again: itself, and whatever is rendered from it."""


ONLY_PAGE = {name: status for name, status in UNJUDGED.items() if name in {*RECORD, PAGES[0]}}
"""The same of an audit that wrote no more than its page."""


def _render(report: Report) -> None:
    """Render the record again, as a forger would who has the suite."""
    record = read_record(report.folder)
    for each in RENDERED:
        raw = encode(each.render(record.head, record.lines()))
        (report.folder / each.file).write_bytes(raw)


def _refuse(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Let the machine refuse to open a file of that name."""
    opened = os.open

    def refuse(path: str, *arguments: Any, **more: Any) -> int:  # noqa: ANN401 (as the original)
        if Path(path).name == name:
            raise PermissionError(13, "Permission denied", path)
        return opened(path, *arguments, **more)

    monkeypatch.setattr("reports.record.reader.os.open", refuse)


def _about(verified: Verified, words: str) -> list[str]:
    """Return every line, of proofs and others, in which ``words`` stand."""
    return [line for line in (*map(str, verified.proofs), *verified.lines) if words in line]


def _stopping(verified: Verified) -> dict[str, str]:
    """Return the status of whatever keeps a report from being proven; empty if nothing does."""
    return {proof.name: proof.status for proof in verified.proofs if proof.stops}


def _reason(verified: Verified, name: str) -> str:
    [reason] = [proof.reason for proof in verified.proofs if proof.name == name]
    return reason


def _source(report: Report, place: int = 0) -> Path:
    return Path(report.head["population"]["sources"][place]["path"])


# --- the same -------------------------------------------------------------------------------------


def test_a_report_on_files_is_proven(report: Report, tmp_path: Path) -> None:
    """A report whose files are unchanged is made again, and each of its parts is named."""
    count = len(report.lines)
    verified = verify_report(str(report.folder))
    assert [*map(str, verified.proofs)] == [
        "audit.json: proven (judged again from its sources: equal)",
        f"findings.ndjson: proven (judged again from its sources: the same {count} findings)",
        "audit.html: proven (rendered again from the record: equal)",
        "summary.md: proven (rendered again from the record: equal)",
        "audit.sarif: proven (rendered again from the record: equal)",
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
    assert (_stopping(verified), verified.rests_on_bundles) == ({}, False)


def test_a_report_on_bundles_is_proven(live: Report) -> None:
    """The audited bundle is replayed, and of an earlier one the inventory is looked at."""
    verified = verify_report(str(live.folder))
    evidence = live.head["evidence"][0]
    assert (_stopping(verified), verified.rests_on_bundles) == ({}, True)
    assert _reason(verified, str(_source(live))) == (
        f"{evidence['requests']} requests replayed: the same inventory; asked: "
        f"{evidence['address']}, not the vendor's host https://api.astra.datastax.com"
    )
    assert _about(verified, f"{_source(live, 1)}/inventory.ndjson: proven (it has the recorded")


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
    assert (_stopping(verified), len(_about(verified, "replayed"))) == ({}, 1)
    assert _about(verified, "settings.mode: ") == [
        "settings.mode: not proven (live: nothing shows that Astra's own server answered)"
    ]


def test_every_setting_is_taken_from_the_record(tmp_path: Path) -> None:
    """Every setting, the plan, the state, the history and the waivers are those recorded."""
    controls = tmp_path / "controls.yaml"
    controls.write_text("cmek-controls: 1\nframeworks: []\n")
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
        as_of=AS_OF,
        max_age="7h",
        fail_on="critical",
        allow_inconclusive=True,
        kms="none",
        group="rule",
    )
    verified = verify_report(str(report.folder))
    assert (_stopping(verified), len(_about(verified, "has the recorded SHA-256"))) == ({}, 6)


def test_a_report_without_waivers_is_verified(tmp_path: Path) -> None:
    """An audit that was told to leave waivers out is judged again without them."""
    file = str(save(tmp_path / "waivers.json", **{"cmek-waivers": 1, "waivers": WAIVERS}))
    inventory = str(save_inventory(tmp_path / "inventory.json", VIOLATIONS))
    report = report_on(tmp_path, inventory, waivers=(file,), no_waivers=True, as_of=AS_OF)
    assert report.head["settings"]["waiver_files"] == []
    assert _stopping(verify_report(str(report.folder))) == {}


def test_an_example_is_verified(tmp_path: Path) -> None:
    """A run over the bundled example is given again, and is said to be no evidence."""
    _, head = run_audit(parse_options({"report_dir": str(tmp_path)}), lambda _: dict(RUN))
    verified = verify_report(str(tmp_path))
    assert (_stopping(verified), len(_about(verified, "EXAMPLE, NOT AUDIT"))) == ({}, 1)
    assert {
        waiver_file["path"].rpartition("/")[2] for waiver_file in head["settings"]["waiver_files"]
    } == {each.name for each in EXAMPLES.glob("*-waivers.yaml")}


def test_what_was_not_asked_for_is_not_missed(tmp_path: Path) -> None:
    """A report of which only the record was asked for is whole without the others."""
    inventory = str(save_inventory(tmp_path / "inventory.json", COMPLIANT))
    report = report_on(tmp_path, inventory, as_of=AS_OF, formats=("json",))
    verified = verify_report(str(report.folder))
    assert (_stopping(verified), _about(verified, "missing")) == ({}, [])


def test_a_report_with_a_baseline_is_verified(tmp_path: Path) -> None:
    """What is new is found again with the same baseline, which is named and unchanged."""
    before = night(tmp_path, VIOLATIONS, FIRST)
    report = night(tmp_path, COMPLIANT, SECOND, before, fail_on_new=True)
    verified = verify_report(str(report.folder))
    assert _stopping(verified) == {}
    assert _reason(verified, f"{before.folder}/audit.json") == "it has the recorded SHA-256"
    assert _about(verified, "GATE ON NEW FINDINGS ONLY")


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
    assert _stopping(verified) == {**ONLY_PAGE, str(head): "not-proven"}
    assert _reason(verified, str(head)).startswith("changed since" if is_there else "missing")


def test_a_baseline_without_its_findings_is_found_out(tmp_path: Path) -> None:
    """A baseline of which only the head is left proves nothing."""
    before = night(tmp_path, VIOLATIONS, FIRST)
    report = night(tmp_path, VIOLATIONS, SECOND, before)
    (before.folder / "findings.ndjson").unlink()
    verified = verify_report(str(report.folder))
    assert _stopping(verified) == ONLY_PAGE
    assert _about(verified, "findings.ndjson: not proven (it cannot be judged again: ")


def test_a_made_up_age_is_found_out(tmp_path: Path) -> None:
    """A record that calls more findings known than its baseline has differs from what is judged."""
    before = night(tmp_path, COMPLIANT, FIRST)
    report = night(tmp_path, VIOLATIONS, SECOND, before, fail_on_new=True)
    _rewrite(report, lambda head: head["changes"]["counts"].update(new=0))
    verified = verify_report(str(report.folder))
    assert _reason(verified, "audit.json") == f"{DIFFER} changes"


def test_relative_paths_begin_where_the_audit_ran(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Paths are taken as the audit was given them: it is verified from the same folder."""
    monkeypatch.chdir(tmp_path)
    save_inventory(Path("inventory.json"), COMPLIANT)
    report = report_on(tmp_path, "inventory.json", as_of=AS_OF)
    assert _stopping(verify_report("report")) == {}
    monkeypatch.chdir("/")
    away = verify_report(str(report.folder))
    assert _stopping(away) == {**UNJUDGED, "inventory.json": "not-proven"}
    assert _reason(away, "inventory.json").startswith("missing; verify where the audit was run")


def test_verifying_touches_nothing(report: Report) -> None:
    """The verified report and its folder are as they were, to the byte and the second."""
    before = {each: (each.read_bytes(), each.stat()) for each in report.folder.iterdir()}
    verify_report(str(report.folder))
    assert {each: (each.read_bytes(), each.stat()) for each in report.folder.iterdir()} == before


# --- the record is not as it was written ----------------------------------------------------------


def _rewrite_findings(report: Report, old: bytes, new: bytes) -> None:
    """Change the first ``old`` in the findings, and what the head says of them."""
    raw = b"".join(report.lines).replace(old, new, 1)
    (report.folder / "findings.ndjson").write_bytes(raw)
    told = {"sha256": hashlib.sha256(raw).hexdigest(), "bytes": len(raw)}
    _rewrite(report, lambda head: head["findings"].update(told))


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
        (lambda head: head["settings"].update(kms="some"), "no settings of an audit: kms: "),
    ],
    ids=["count", "bytes", "file", "version", "missing", "setting"],
)
def test_a_head_that_is_no_record_is_refused(
    report: Report, change: Callable[[Head], object], words: str
) -> None:
    """A head with a fitting report id and impossible content is an error that names the field."""
    _rewrite(report, change)
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


# --- the record was made up -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "block"),
    [
        (lambda head: head["verdict"].update(word="compliant"), "verdict"),
        (lambda head: head["counts"].update(fail=0), "counts"),
        (lambda head: head["waivers"][0].update(approved_by="Nobody"), "waivers"),
        (lambda head: head["attestations"][0].update(by="Nobody"), "attestations"),
        (lambda head: head["criteria"]["rules"][0].update(severity="low"), "criteria"),
        (lambda head: head.update(more=1), "more"),
        (lambda head: head.pop("key_plan"), "key_plan"),
    ],
    ids=["verdict", "counts", "waiver", "attestation", "rule", "a-block-more", "a-block-less"],
)
def test_a_made_up_head_is_found_out(
    report: Report, change: Callable[[Head], object], block: str
) -> None:
    """A head that was changed and given a fitting report id differs from what is judged again."""
    _rewrite(report, change)
    verified = verify_report(str(report.folder))
    assert _stopping(verified)["audit.json"] == "differs"
    assert _reason(verified, "audit.json") == f"{DIFFER} {block}"


def test_made_up_findings_are_found_out(report: Report) -> None:
    """Findings that were changed together with their hash differ from what is judged again."""
    _rewrite_findings(report, b'"fail"', b'"pass"')
    verified = verify_report(str(report.folder))
    assert _stopping(verified).keys() >= {"audit.json", "findings.ndjson"}
    assert _reason(verified, "findings.ndjson") == "judged again from its sources: other findings"


@pytest.mark.parametrize(
    ("name", "noun"),
    [("audit.html", "page"), ("summary.md", "summary"), ("audit.sarif", "list of results")],
)
def test_a_changed_report_is_found_out(report: Report, name: str, noun: str) -> None:
    """A page, a summary or a list that is not what the record renders to is none of this report."""
    path = report.folder / name
    path.write_text(path.read_text().replace("Not compliant", "Compliant"))
    verified = verify_report(str(report.folder))
    assert _stopping(verified) == {name: "differs"}
    assert _reason(verified, name) == f"not the {noun} that the record renders to"


def test_a_record_that_cannot_be_rendered_is_no_crash(report: Report) -> None:
    """A head that was made up so that nothing can be made of it has no page of this report."""
    _rewrite(report, lambda head: head.pop("actions"))
    verified = verify_report(str(report.folder))
    assert len(_about(verified, ": differs (nothing can be rendered from the record)")) == 2


def test_what_a_forged_record_renders_to_is_not_proven(report: Report) -> None:
    """A page that is made again from a record which differs is proven no further than that."""
    _rewrite(report, lambda head: head["verdict"].update(word="compliant", text="Compliant."))
    _render(report)
    verified = verify_report(str(report.folder))
    assert _stopping(verified) == {"audit.json": "differs", **dict.fromkeys(PAGES, "not-proven")}
    assert _about(verified, "audit.html: not proven (rendered again from the record: equal; the ")


def test_true_is_not_one(report: Report) -> None:
    """A value that Python takes for equal, and JSON does not, differs."""
    _rewrite(report, lambda head: head["verdict"].update(exit_code=True))
    assert _stopping(verify_report(str(report.folder)))["audit.json"] == "differs"


def test_the_order_of_the_blocks_is_compared(report: Report) -> None:
    """A head whose blocks stand in another order is not the one that was written."""
    _rewrite(report, lambda head: head.update(verdict=head.pop("verdict")))
    verified = verify_report(str(report.folder))
    assert _about(verified, "these differ: the order of its blocks")


# --- another suite --------------------------------------------------------------------------------


def _other_rules(head: Head) -> None:
    head["criteria"]["hash"] = "0" * 64


def test_nothing_of_another_rule_set_is_proven(report: Report) -> None:
    """If the rules are others now, neither the record nor what it renders to is proven."""
    _rewrite(report, _other_rules)
    _render(report)
    verified = verify_report(str(report.folder))
    assert _stopping(verified) == dict.fromkeys((*RECORD, *PAGES), "not-proven")
    reason = _reason(verified, "audit.json")
    assert reason.startswith("made by another rule set: hash 000000000000, here ")
    assert reason.endswith(f"; {DIFFER} criteria")
    assert _reason(verified, "findings.ndjson").endswith(
        f"judged again by those here: the same {len(report.lines)} findings"
    )
    assert _reason(verified, "audit.html").endswith("equal; the record is not proven")


def test_a_forger_gains_nothing_by_another_hash(report: Report) -> None:
    """Titles and severities that were rewritten beside another hash prove nothing.

    What the rules here find is shown beside the recorded verdict.
    """

    def forge(head: Head) -> None:
        _other_rules(head)
        head["criteria"]["rules"][0].update(title="In other words", severity="low")
        head["verdict"].update(word="compliant", text="Compliant.")

    _rewrite(report, forge)
    for name in PAGES:
        (report.folder / name).write_text("Compliant")
    verified = verify_report(str(report.folder))
    assert _stopping(verified) == dict.fromkeys((*RECORD, *PAGES), "not-proven")
    assert _reason(verified, "audit.json").endswith("these differ: verdict, criteria")
    assert _about(verified, "verdict: compliant, ")
    assert _about(verified, "verdict now, by this suite: not compliant, ")


def test_other_findings_by_other_rules_are_not_proven(report: Report) -> None:
    """Findings that the rules here do not give may be those of the other rules, or made up."""
    _rewrite(report, _other_rules)
    _rewrite_findings(report, b'"fail"', b'"pass"')
    verified = verify_report(str(report.folder))
    assert _stopping(verified)["findings.ndjson"] == "not-proven"
    assert _reason(verified, "findings.ndjson").endswith("sources: other findings")


@pytest.mark.parametrize(
    ("run", "words"),
    [
        ({"packages": {"cmek-audit": "9.9"}}, "made by another version of the suite: 9.9, here "),
        ({"commit": "0" * 40}, "made by another commit of the suite: 0000000000"),
    ],
    ids=["version", "commit"],
)
def test_a_difference_may_be_one_of_versions(report: Report, run: Head, words: str) -> None:
    """What another version says it made is not proven where it differs, and proven where not."""
    _rewrite(report, lambda head: head["run"].update(run))
    _render(report)
    assert _stopping(verify_report(str(report.folder))) == {}
    (report.folder / "summary.md").write_text("Compliant")
    verified = verify_report(str(report.folder))
    assert _stopping(verified) == {"summary.md": "not-proven"}
    assert words in _reason(verified, "summary.md")


# --- what nothing can prove -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"exit_code": 0}, "its exit code is 0, and the verdict is one that stops"),
        ({"ended": "2026-11-20T00:00:00Z"}, "it ended before it started"),
        ({"started": "yesterday"}, "it does not hold what an audit writes"),
        ({"exit_code": -1}, "it does not hold what an audit writes"),
    ],
    ids=["exit-code", "times", "no-time", "no-code"],
)
def test_a_run_that_cannot_be_differs(report: Report, change: Head, words: str) -> None:
    """A block ``run`` that contradicts itself or the verdict is found out."""
    _rewrite(report, lambda head: head["run"].update(change))
    _render(report)
    verified = verify_report(str(report.folder))
    assert _stopping(verified) == {"run": "differs"}
    assert words in _reason(verified, "run")


def test_a_record_without_a_run_differs(report: Report) -> None:
    """A head from which the block ``run`` was taken is not as it was written."""
    _rewrite(report, lambda head: head.pop("run"))
    verified = verify_report(str(report.folder))
    assert _stopping(verified).items() >= {"run": "differs", "audit.json": "differs"}.items()


def test_who_ran_it_is_never_proven(report: Report) -> None:
    """A block ``run`` that was rewritten cannot be told from another, and is named for that."""
    _rewrite(report, lambda head: head["run"].update(actor="Somebody Else"))
    _render(report)
    verified = verify_report(str(report.folder))
    assert _stopping(verified) == {}
    assert _about(verified, "run: not proven (only the record says who ran the audit, when and how")


def _to_live(head: Head) -> None:
    head["settings"]["mode"] = "live"


def test_a_file_that_is_called_live_differs(report: Report) -> None:
    """A record of a plain file says in vain that Astra itself was read."""
    _rewrite(report, _to_live)
    _render(report)
    verified = verify_report(str(report.folder))
    assert (
        _stopping(verified).items() >= {"settings.mode": "differs", "audit.json": "differs"}.items()
    )
    assert _reason(verified, "settings.mode") == (
        "live: it says that Astra itself was read, and no bundle was recorded while the audit ran"
    )


def test_an_older_bundle_that_is_called_live_differs(live: Report) -> None:
    """A bundle that was recorded before the audit ran makes it no live one."""
    _rewrite(live, _to_live)
    assert _stopping(verify_report(str(live.folder)))["settings.mode"] == "differs"


def test_a_live_audit_that_is_called_recorded_differs(live: Report) -> None:
    """A bundle that was recorded while the audit ran shows that it was live."""
    evidence = live.head["evidence"][0]
    times = {name: evidence[name] for name in ("started", "ended")}
    _rewrite(live, lambda head: head["run"].update(times))
    verified = verify_report(str(live.folder))
    assert _stopping(verified)["settings.mode"] == "differs"
    assert _reason(verified, "settings.mode").startswith(
        "recorded: it says that no server was asked"
    )


# --- what lies in the folder ----------------------------------------------------------------------


@pytest.mark.parametrize("name", ["audit.html", "summary.md", "audit.sarif"])
def test_a_missing_page_is_not_proven(report: Report, name: str) -> None:
    """A page that the record says was asked for, and that is not there, stops."""
    (report.folder / name).unlink()
    verified = verify_report(str(report.folder))
    assert _stopping(verified) == {name: "not-proven"}
    assert _reason(verified, name) == "missing; the record says that it was asked for"


def test_a_record_may_not_say_what_was_written(report: Report) -> None:
    """Where the record does not say which reports were asked for, each missing one is named."""
    _rewrite(report, lambda head: head["run"].pop("formats"))
    for name in PAGES:
        (report.folder / name).unlink()
    verified = verify_report(str(report.folder))
    told = "not proven (missing; the record does not say whether it was asked for)"
    assert _stopping(verified) == {}
    assert _about(verified, "missing") == [
        f"{name}: {told}" for name in (*PAGES, "results.html", "junit.xml")
    ]


def test_what_is_not_looked_at_is_named(report: Report) -> None:
    """Another page in the folder, and the audit before, are named; what is hidden is passed by."""
    (report.folder / "compliant.html").write_text("Compliant")
    (report.folder / "previous").mkdir()
    (report.folder / ".lock").write_text("")
    verified = verify_report(str(report.folder))
    assert _stopping(verified) == {}
    assert [*map(str, verified.proofs)][-2:] == [
        "compliant.html: not proven (no part of this report: not looked at)",
        "previous: not proven (the audit before this one: not looked at)",
    ]


def test_many_other_files_are_counted(report: Report) -> None:
    """Of many other files the first fifty are named."""
    for number in range(60):
        (report.folder / f"other-{number:02}.html").write_text("")
    verified = verify_report(str(report.folder))
    assert len(_about(verified, "no part of this report")) == 51
    assert verified.proofs[-1].name == "10 more"


@pytest.mark.parametrize("name", ["audit.html", "junit.xml"])
@pytest.mark.parametrize("kind", ["link", "pipe", "folder"])
def test_only_files_are_read(report: Report, tmp_path: Path, name: str, kind: str) -> None:
    """What is a link, a pipe or a folder in the place of a file is not opened, and differs."""
    path = report.folder / name
    path.unlink(missing_ok=True)
    if kind == "link":
        path.symlink_to(save(tmp_path / "secret.json"))
    elif kind == "pipe":
        os.mkfifo(path)
    else:
        path.mkdir()
    verified = verify_report(str(report.folder))
    found = "a link" if kind == "link" else "no regular file"
    assert _stopping(verified) == {name: "differs"}
    assert _reason(verified, name) == f"found {found}, expected a file"


@pytest.mark.parametrize("name", ["audit.json", "findings.ndjson"])
def test_a_record_that_is_a_link_is_refused(report: Report, tmp_path: Path, name: str) -> None:
    """A record that leads out of its folder is refused, whatever stands there."""
    path = report.folder / name
    path.symlink_to(path.rename(tmp_path / name))
    with pytest.raises(RecordError, match="found a link, expected a file of a report"):
        verify_report(str(report.folder))


def test_a_page_that_cannot_be_read_is_not_proven(
    report: Report, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A page that the machine refuses to show is named with the reason."""
    _refuse(monkeypatch, "summary.md")
    verified = verify_report(str(report.folder))
    assert _stopping(verified) == {"summary.md": "not-proven"}
    assert _reason(verified, "summary.md") == "it cannot be read: Permission denied"


# --- the sources are not those --------------------------------------------------------------------


@pytest.mark.parametrize("name", ["inventory.json", "waivers.json"])
def test_a_changed_file_is_found_out(report: Report, tmp_path: Path, name: str) -> None:
    """A source or a file of waivers that was changed is named with both hashes."""
    with (tmp_path / name).open("a") as file:
        file.write("\n")
    verified = verify_report(str(report.folder))
    assert _stopping(verified) == {**UNJUDGED, f"{tmp_path}/{name}": "not-proven"}


@pytest.mark.parametrize("place", [0, 1], ids=["present", "earlier"])
def test_a_missing_bundle_is_found_out(live: Report, place: int) -> None:
    """A bundle that is gone is named, and nothing is judged without it."""
    shutil.rmtree(_source(live, place))
    verified = verify_report(str(live.folder))
    name = f"{_source(live, place)}{'/inventory.ndjson' if place else ''}"
    assert _stopping(verified) == {**UNJUDGED, name: "not-proven"}
    assert _reason(verified, name).startswith("missing; verify where")


def test_a_changed_bundle_is_found_out(live: Report) -> None:
    """A bundle of which a file was changed is named with that file."""
    (_source(live) / "exchanges/0001/0002.json").write_text("{}")
    verified = verify_report(str(live.folder))
    assert _stopping(verified) == {**UNJUDGED, str(_source(live)): "differs"}
    [line] = _about(verified, "not as it was recorded")
    assert f"{_source(live)}/exchanges/0001/0002.json: found changed content" in line


def test_a_bundle_that_tells_something_else_is_found_out(
    live: Report, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A bundle whose answers do not give its inventory is no evidence for the report."""
    from inventory.astra import replay  # noqa: PLC0415
    from inventory.errors import ReplayError  # noqa: PLC0415

    def refuse(folder: str) -> None:
        raise ReplayError(f"{folder}: the exchanges tell something else")

    monkeypatch.setattr(replay, "replay", refuse)
    verified = verify_report(str(live.folder))
    assert _stopping(verified) == {**UNJUDGED, str(_source(live)): "differs"}
    assert _about(verified, "cannot be replayed: ")


def test_another_bundle_is_found_out(live: Report, tmp_path: Path) -> None:
    """A whole bundle in the place of the audited one is told by its root."""
    shutil.rmtree(_source(live))
    Path(recorded(tmp_path / "another").bundle).rename(_source(live))
    verified = verify_report(str(live.folder))
    assert _stopping(verified) == {**UNJUDGED, str(_source(live)): "not-proven"}
    root = live.head["evidence"][0]["root"]
    assert _reason(verified, str(_source(live))).endswith(f"recorded {root}")


def test_sources_that_cannot_be_judged_again_are_told(tmp_path: Path) -> None:
    """Sources that are as they were and cannot be judged as the record says are no proof."""
    controls = tmp_path / "controls.yaml"
    controls.write_text("cmek-controls: 1\nframeworks: []\n")
    inventory = str(save_inventory(tmp_path / "inventory.json", COMPLIANT))
    report = report_on(tmp_path, inventory, controls=str(controls), as_of=AS_OF)

    def exchange(head: Head) -> None:
        told = head["population"]["sources"][0]
        head["settings"]["controls_file"] = {name: told[name] for name in ("path", "sha256")}

    _rewrite(report, exchange)
    _render(report)
    verified = verify_report(str(report.folder))
    assert _stopping(verified) == UNJUDGED
    assert _about(verified, "audit.json: not proven (it cannot be judged again: ")


# --- what cannot be compared ----------------------------------------------------------------------


def test_a_partial_run_cannot_be_compared(tmp_path: Path) -> None:
    """The files of a partial run are looked at, and it is said why nothing is judged again."""
    report = audit(tmp_path, VIOLATIONS, only="CMEK-08")
    verified = verify_report(str(report.folder))
    assert _stopping(verified) == UNJUDGED
    assert _about(verified, "inventory.json: proven")
    assert _reason(verified, "audit.json").startswith("the run was partial: ")
    assert _about(verified, "PARTIAL RUN, NOT AUDIT EVIDENCE")


def test_hostile_words_do_no_harm(tmp_path: Path) -> None:
    """No line carries what could steer a terminal, whatever the record holds."""
    evil = "\x1b[2J\u202e"
    report = audit(tmp_path, [organization("calm", [], [], name=evil)])
    _rewrite(report, lambda head: head["verdict"].update(word=evil))
    _rewrite(report, lambda head: head["population"]["sources"][0].update(path=evil))
    verified = verify_report(str(report.folder))
    assert {"\x1b", "\u202e"} & set("".join(_about(verified, ""))) == set()
