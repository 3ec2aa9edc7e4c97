"""A finished report, verified: as it was written, and given again by its sources."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from checks.options import parse_options
from inventory.errors import RecordError
from reports.audit import EXAMPLES, Audit
from reports.record import canonical, report_id
from reports.verifying import Verified, verify_report
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


def _about(verified: Verified, words: str) -> list[str]:
    return [line for line in verified.lines if words in line]


def _source(report: Report, place: int = 0) -> Path:
    return Path(report.head["population"]["sources"][place]["path"])


# --- the same -------------------------------------------------------------------------------------


def test_a_report_on_files_is_verified(report: Report, tmp_path: Path) -> None:
    """A report whose files are unchanged is given again, and each file is named."""
    assert verify_report(str(report.folder)) == Verified(
        same=True,
        word="not compliant",
        lines=[
            f"audit.json: as it was written, report {report.head['report']}",
            f"findings.ndjson: as it was written, {len(report.lines)} findings",
            f"{tmp_path}/inventory.json: unchanged",
            f"{tmp_path}/waivers.json: unchanged",
            f"judged again: the same {len(report.lines)} findings and verdict",
            "audit.html: the page of this record",
            "summary.md: the summary of this record",
            "audit.sarif: the list of results of this record",
        ],
    )


def test_a_report_on_bundles_is_verified(live: Report) -> None:
    """The audited bundle is replayed, and of an earlier one the inventory is looked at."""
    verified = verify_report(str(live.folder))
    requests = live.head["evidence"][0]["requests"]
    assert (verified.same, verified.word) == (True, live.head["verdict"]["word"])
    assert verified.lines[2:4] == [
        f"{_source(live)}: unchanged; {requests} requests replayed, the same inventory",
        f"{_source(live, 1)}/inventory.ndjson: unchanged",
    ]


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
    assert (verified.same, len(_about(verified, "replayed"))) == (True, 1)


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
    assert (verified.same, len(_about(verified, "unchanged"))) == (True, 6)


def test_a_report_without_waivers_is_verified(tmp_path: Path) -> None:
    """An audit that was told to leave waivers out is judged again without them."""
    file = str(save(tmp_path / "waivers.json", **{"cmek-waivers": 1, "waivers": WAIVERS}))
    inventory = str(save_inventory(tmp_path / "inventory.json", VIOLATIONS))
    report = report_on(tmp_path, inventory, waivers=(file,), no_waivers=True, as_of=AS_OF)
    assert report.head["settings"]["waiver_files"] == []
    assert verify_report(str(report.folder)).same


def test_an_example_is_verified(tmp_path: Path) -> None:
    """A run over the bundled example is given again, and is said to be no evidence."""
    made = Audit(parse_options({"report_dir": str(tmp_path)}))
    groups = (group for each in made.grouping.groups().values() for group in each)
    head = made.write({(group.card.id, group.key) for group in groups}, lambda: dict(RUN))
    verified = verify_report(str(tmp_path))
    assert (verified.same, len(_about(verified, "EXAMPLE, NOT AUDIT EVIDENCE"))) == (True, 1)
    assert {each["path"].rpartition("/")[2] for each in head["settings"]["waiver_files"]} == {
        each.name for each in EXAMPLES.glob("*-waivers.yaml")
    }


def test_a_report_without_a_page_is_verified(tmp_path: Path) -> None:
    """A report of which only the record was written has no page to be looked at."""
    inventory = str(save_inventory(tmp_path / "inventory.json", COMPLIANT))
    report = report_on(tmp_path, inventory, as_of=AS_OF, formats=("json",))
    verified = verify_report(str(report.folder))
    assert (verified.same, _about(verified, "audit.html")) == (True, [])


def test_a_report_with_a_baseline_is_verified(tmp_path: Path) -> None:
    """What is new is found again with the same baseline, which is named and unchanged."""
    before = night(tmp_path, VIOLATIONS, FIRST)
    report = night(tmp_path, COMPLIANT, SECOND, before, fail_on_new=True)
    verified = verify_report(str(report.folder))
    assert verified.same
    assert _about(verified, "audit.json: unchanged") == [f"{before.folder}/audit.json: unchanged"]
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
    assert not verified.same
    assert _about(verified, f"{head}: {'changed since: SHA-256' if is_there else 'not there'}")
    assert verified.lines[-1] == UNJUDGED


def test_a_baseline_without_its_findings_is_found_out(tmp_path: Path) -> None:
    """A baseline of which only the head is left proves nothing."""
    before = night(tmp_path, VIOLATIONS, FIRST)
    report = night(tmp_path, VIOLATIONS, SECOND, before)
    (before.folder / "findings.ndjson").unlink()
    verified = verify_report(str(report.folder))
    assert not verified.same
    assert _about(verified, "not judged again: ")


def test_a_made_up_age_is_found_out(tmp_path: Path) -> None:
    """A record that calls more findings known than its baseline has differs from what is judged."""
    before = night(tmp_path, COMPLIANT, FIRST)
    report = night(tmp_path, VIOLATIONS, SECOND, before, fail_on_new=True)
    _rewrite(report, lambda head: head["changes"]["counts"].update(new=0))
    verified = verify_report(str(report.folder))
    assert not verified.same
    assert _about(verified, "judged again, these differ: changes")


def test_relative_paths_begin_where_the_audit_ran(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Paths are taken as the audit was given them: it is verified from the same folder."""
    monkeypatch.chdir(tmp_path)
    save_inventory(Path("inventory.json"), COMPLIANT)
    report = report_on(tmp_path, "inventory.json", as_of=AS_OF)
    assert verify_report("report").same
    monkeypatch.chdir("/")
    away = verify_report(str(report.folder))
    assert not away.same
    assert _about(away, "inventory.json: not there; verify where the audit was run")


def test_verifying_touches_nothing(report: Report) -> None:
    """The verified report and its folder are as they were, to the byte and the second."""
    before = {each: (each.read_bytes(), each.stat()) for each in report.folder.iterdir()}
    verify_report(str(report.folder))
    assert {each: (each.read_bytes(), each.stat()) for each in report.folder.iterdir()} == before


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
    path.write_text(path.read_text().replace('"word": "not compliant"', '"word": "compliant"'))


def _spaces(report: Report) -> None:
    path = report.folder / "audit.json"
    path.write_text(json.dumps(json.loads(path.read_text())))


def _twice(report: Report) -> None:
    path = report.folder / "audit.json"
    path.write_text(path.read_text().replace('"word":', '"word": "compliant",\n  "word":', 1))


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
        (lambda head: head.update(schema="cmek-audit-record/9"), "schema: input should be"),
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
    with pytest.raises(RecordError, match=r"audit\.json: (no record|found no JSON)"):
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
    assert not verified.same
    assert _about(verified, f"judged again, these differ: {block}")


def test_made_up_findings_are_found_out(report: Report) -> None:
    """Findings that were changed together with their hash differ from what is judged again."""
    import hashlib  # noqa: PLC0415

    raw = b"".join(report.lines).replace(b"is missing", b"is there")
    raw = raw.replace(b'"fail"', b'"pass"', 1)
    (report.folder / "findings.ndjson").write_bytes(raw)
    told = {"sha256": hashlib.sha256(raw).hexdigest(), "bytes": len(raw)}
    _rewrite(report, lambda head: head["findings"].update(told))
    verified = verify_report(str(report.folder))
    assert not verified.same
    assert _about(verified, "these differ: findings")


@pytest.mark.parametrize(
    ("name", "noun"),
    [("audit.html", "page"), ("summary.md", "summary"), ("audit.sarif", "list of results")],
)
def test_a_changed_report_is_found_out(report: Report, name: str, noun: str) -> None:
    """A page, a summary or a list that is not what the record renders to is none of this report."""
    path = report.folder / name
    path.write_text(path.read_text().replace("Not compliant", "Compliant"))
    verified = verify_report(str(report.folder))
    assert not verified.same
    assert [line for line in verified.lines if line.startswith(name)] == [
        f"{name}: not the {noun} that this suite makes of the record"
    ]


def test_a_record_that_cannot_be_rendered_is_no_crash(report: Report) -> None:
    """A head that was made up so that nothing can be made of it has no page of this report."""
    _rewrite(report, lambda head: head.pop("actions"))
    verified = verify_report(str(report.folder))
    assert not verified.same
    assert len(_about(verified, ": not the ")) == 3


# --- other rules ----------------------------------------------------------------------------------


def _other_rules(head: Head) -> None:
    head["criteria"]["hash"] = "0" * 64
    head["criteria"]["rules"][0]["title"] = "In other words"


def test_other_rules_are_told(report: Report) -> None:
    """If the rules are others now, that is said, with what they find; the words may differ."""
    _rewrite(report, _other_rules)
    verified = verify_report(str(report.folder))
    assert verified.same
    assert _about(verified, "the rules are others now: hash ")
    assert _about(verified, "by them the verdict is: not compliant, ")
    assert "audit.html: not the page that this suite makes of the record" in verified.lines


def test_another_verdict_by_other_rules_differs(report: Report) -> None:
    """Rules that are others now and find something else do not verify the report."""
    _rewrite(report, _other_rules)
    _rewrite(report, lambda head: head["verdict"].update(word="compliant"))
    verified = verify_report(str(report.folder))
    assert (verified.same, verified.word) == (False, "compliant")
    assert _about(verified, "recorded: compliant, ")
    assert _about(verified, "now: not compliant, ")


# --- the sources are not those --------------------------------------------------------------------

UNJUDGED = "not judged again: its sources are not those that it was made of"


@pytest.mark.parametrize("name", ["inventory.json", "waivers.json"])
def test_a_changed_file_is_found_out(report: Report, tmp_path: Path, name: str) -> None:
    """A source or a file of waivers that was changed is named with both hashes."""
    with (tmp_path / name).open("a") as file:
        file.write("\n")
    verified = verify_report(str(report.folder))
    assert not verified.same
    assert _about(verified, f"{tmp_path}/{name}: changed since: SHA-256 ")
    assert verified.lines[-1] == UNJUDGED


@pytest.mark.parametrize("place", [0, 1], ids=["present", "earlier"])
def test_a_missing_bundle_is_found_out(live: Report, place: int) -> None:
    """A bundle that is gone is named, and nothing is judged without it."""
    shutil.rmtree(_source(live, place))
    verified = verify_report(str(live.folder))
    assert not verified.same
    inventory = "/inventory.ndjson" if place else ""
    assert _about(verified, f"{_source(live, place)}{inventory}: not there; verify where")
    assert verified.lines[-1] == UNJUDGED


def test_a_changed_bundle_is_found_out(live: Report) -> None:
    """A bundle of which a file was changed is named with that file."""
    (_source(live) / "exchanges/0001/0002.json").write_text("{}")
    verified = verify_report(str(live.folder))
    assert not verified.same
    [line] = _about(verified, "not as it was recorded")
    assert f"{_source(live)}/exchanges/0001/0002.json: found changed content" in line


def test_a_bundle_that_tells_something_else_is_found_out(
    live: Report, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A bundle whose answers do not give its inventory is no evidence for the report."""
    from inventory import replaying  # noqa: PLC0415
    from inventory.errors import ReplayError  # noqa: PLC0415

    def replay(folder: str) -> None:
        raise ReplayError(f"{folder}: the exchanges tell something else")

    monkeypatch.setattr(replaying, "replay", replay)
    verified = verify_report(str(live.folder))
    assert not verified.same
    assert _about(verified, "cannot be replayed: ")


def test_another_bundle_is_found_out(live: Report, tmp_path: Path) -> None:
    """A whole bundle in the place of the audited one is told by its root."""
    shutil.rmtree(_source(live))
    Path(recorded(tmp_path / "another").bundle).rename(_source(live))
    verified = verify_report(str(live.folder))
    assert not verified.same
    root = live.head["evidence"][0]["root"]
    assert _about(verified, "another bundle: root ")[0].endswith(f"not {root}")


def test_what_is_no_file_is_not_read(report: Report, tmp_path: Path) -> None:
    """A path to something that never ends, such as a pipe, is not there."""
    path = tmp_path / "inventory.json"
    path.unlink()
    os.mkfifo(path)
    verified = verify_report(str(report.folder))
    assert _about(verified, f"{path}: not there")


def test_a_file_that_cannot_be_read_is_told(
    report: Report, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file that the machine refuses to read is named with the reason."""
    opened = os.open

    def refuse(path: str, *arguments: Any, **more: Any) -> int:  # noqa: ANN401 (as the original)
        if Path(path).name == "inventory.json":
            raise PermissionError(13, "Permission denied", path)
        return opened(path, *arguments, **more)

    monkeypatch.setattr("reports.reading_back.os.open", refuse)
    verified = verify_report(str(report.folder))
    assert not verified.same
    assert _about(verified, f"{tmp_path}/inventory.json: Permission denied")


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
    verified = verify_report(str(report.folder))
    assert not verified.same
    assert _about(verified, "not judged again: ")


# --- what cannot be compared ----------------------------------------------------------------------


def test_a_partial_run_cannot_be_compared(tmp_path: Path) -> None:
    """Of a partial run files are looked at, and it is said why nothing is judged again."""
    report = audit(tmp_path, VIOLATIONS, only="CMEK-08")
    verified = verify_report(str(report.folder))
    assert not verified.same
    assert _about(verified, "inventory.json: unchanged")
    assert verified.lines[-1].startswith("not judged again: the run was partial, ")
    assert _about(verified, "PARTIAL RUN, NOT AUDIT EVIDENCE")


def test_hostile_words_do_no_harm(tmp_path: Path) -> None:
    """No line carries what could steer a terminal, whatever the record holds."""
    evil = "\x1b[2J\u202e"
    report = audit(tmp_path, [organization("calm", [], [], name=evil)])
    _rewrite(report, lambda head: head["verdict"].update(word=evil))
    _rewrite(report, lambda head: head["population"]["sources"][0].update(path=evil))
    verified = verify_report(str(report.folder))
    assert {"\x1b", "\u202e"} & set("".join([verified.word, *verified.lines])) == set()
