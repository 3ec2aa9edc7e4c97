"""An earlier audit as a baseline: what is kept of it, and when it is refused."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from checks.engine.context import KnownOrganization
from cmek_audit.run.audit import Published, run_audit
from cmek_audit.run.option_values import parse_options
from cmek_audit.run.preparation import prepare
from inventory.errors import RecordError, SettingError
from inventory.history import Observation
from inventory.model.key import KeyScope
from reports.comparison.baseline import key_of, read_baseline, read_later, refuse_unlike
from reports.record.layout import RECORD
from tests.builders import moment
from tests.reports.comparing import FIRST, SECOND, night, stored, write_head
from tests.reports.recording import RUN, a_finding
from tests.reports.samples import COMPLIANT, VIOLATIONS, WAIVERS, Report, audit, save_inventory

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Head = Any


@pytest.fixture
def report(tmp_path: Path) -> Report:
    """Audit a file with failures and waivers."""
    return audit(tmp_path, VIOLATIONS, WAIVERS)


# --- what is kept ---------------------------------------------------------------------------------


def test_only_what_did_not_pass_is_kept(report: Report) -> None:
    """Of an earlier audit the findings are kept that are open or waived, and no other."""
    shown = list(map(json.loads, report.lines))
    wanted = {
        (finding["rule"], finding["subject"]["path"], finding["cause"]): finding["status"]
        for finding in shown
        if finding["status"] not in {"pass", "not-applicable"}
    }
    kept = read_baseline(report.folder).kept
    assert {key: each.status for key, each in kept.items()} == wanted
    assert {key_of(each) for each in kept.values()} == set(wanted)


def test_every_key_of_an_earlier_audit_is_known(report: Report) -> None:
    """The keys of all organizations are known, whatever the rule found that names them."""
    seen = read_baseline(report.folder).seen
    assert {(scope.organization, scope.region): len(ids) for scope, ids in seen.keys.items()} == {
        ("acme", "us-east-2"): 1,
        ("acme", "eu-central-1"): 1,
        ("labs", "us-east-2"): 1,
    }
    assert seen.names == {"acme": "acme", "labs": "labs"}
    assert seen.unread == {"acme": frozenset(), "labs": frozenset({"managed-clusters-keys"})}


def test_what_a_baseline_knows_of_each_organization(report: Report) -> None:
    """The rules get name, place, databases, keys and time of all organizations, also missed ones.

    Several versions of a key are in order, and an organization that was missed goes by its id.
    """
    scope = KeyScope("acme", "serverless", "aws", "us-east-2")
    made = read_baseline(report.folder)
    seen = made.seen
    seen.keys.clear()
    seen.keys[scope] = {f"key-{place}": f"key-{place}" for place in (3, 1, 2)}
    seen.captured.clear()
    seen.captured["acme"] = moment("2026-11-20")
    baseline = made._replace(
        databases={"acme": {"d1": "orders"}}, missing=frozenset({"gone", "labs"})
    )
    place = (f"{report.folder}/audit.json", 1)
    ids = ("key-1", "key-2", "key-3")
    keys = {scope: (Observation(moment("2026-11-20"), ids, *place),)}
    assert baseline.organizations() == {
        "gone": KnownOrganization("gone", place),
        "labs": KnownOrganization("labs", place),
        "acme": KnownOrganization("acme", place, {"d1": "orders"}, keys, moment("2026-11-20")),
    }


def test_what_an_audit_missed_is_missed_again(tmp_path: Path) -> None:
    """Databases and organizations that an audit missed are known to the next one, by their ids."""
    causes = ["vanished:db%2F1", "unseen:d2", "stale", "differ:databases,count"]
    found = [a_finding(rule="CMEK-14", organization="acme", cause=cause) for cause in causes]
    found += [
        a_finding(rule="CMEK-14", organization="gone", cause="organization-missing"),
        a_finding(rule="CMEK-10", organization="labs", cause="vanished:d3"),
    ]
    made = read_baseline(stored(tmp_path, found))
    assert made.databases == {"acme": {"db/1": "db/1", "d2": "d2"}}
    assert made.missing == frozenset({"gone"})
    assert len(made.kept) == len(found)


def test_a_folder_and_its_head_are_the_same_baseline(report: Report) -> None:
    """A baseline is named by its folder or by its head, and is told by the latter's path."""
    folder = read_baseline(report.folder)
    file = read_baseline(report.folder / "audit.json")
    assert folder.about == file.about
    assert folder.about.path == f"{report.folder}/audit.json"


def test_the_first_of_two_equal_findings_is_kept(tmp_path: Path) -> None:
    """Two findings of one id, which no audit should write, are no reason to break."""
    made = read_baseline(stored(tmp_path, [a_finding("fail"), a_finding("inconclusive")]))
    assert [each.status for each in made.kept.values()] == ["fail"]


def test_a_later_audit_is_read_whole(report: Report) -> None:
    """Of the later of two audits every finding is read, without its evidence."""
    later = read_later(report.folder)
    assert [finding.id for finding in later.findings()] == [
        json.loads(line)["id"] for line in report.lines
    ]
    assert {finding.evidence for finding in later.findings()} == {()}


# --- what is refused ------------------------------------------------------------------------------


def test_a_missing_baseline_is_refused(tmp_path: Path) -> None:
    """A path at which there is nothing is an error that says so."""
    with pytest.raises(RecordError, match=r"nothing: found No such file or directory, expected a"):
        read_baseline(tmp_path / "nothing")


def test_a_changed_baseline_is_refused(report: Report) -> None:
    """A baseline of which a finding was made to fail, so that it would be known, is refused."""
    raw = b"".join(report.lines).replace(b'"status":"pass"', b'"status":"fail"', 1)
    (report.folder / "findings.ndjson").write_bytes(raw)
    with pytest.raises(RecordError, match=r"findings\.ndjson: changed since: SHA-256"):
        read_baseline(report.folder)


def test_a_partial_baseline_is_refused(tmp_path: Path) -> None:
    """A run of which something was left out is no baseline: what it lacks is not new."""
    made = audit(tmp_path, VIOLATIONS, only="CMEK-08")
    with pytest.raises(RecordError, match=r"audit\.json: found a partial run \(.+\), expected a"):
        read_baseline(made.folder)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda head: head.update(schema="cmek-audit-record/0"), "schema: input should be"),
        (lambda head: head["settings"].pop("as_of"), r"settings\.as_of: field required"),
        (lambda head: head["settings"].update(as_of="long ago"), r"settings\.as_of: "),
        (lambda head: head["population"].pop("organizations"), "population.organizations: field"),
        (lambda head: head["criteria"].update(hash="x"), "criteria.hash: string should match"),
        (lambda head: head.pop("changes"), "changes: field required"),
        (
            lambda head: head.update(changes={"closed": ["x"], "closed_left_out": 0}),
            r"changes\.closed\.0: string should match",
        ),
        (
            lambda head: head.update(changes={"closed": [], "closed_left_out": -1}),
            r"changes\.closed_left_out: input should be greater",
        ),
    ],
    ids=["schema", "no-time", "time", "population", "rules", "changes", "closed", "forgotten"],
)
def test_a_head_that_no_audit_writes_is_refused(
    tmp_path: Path, change: Callable[[Head], object], words: str
) -> None:
    """A head with a fitting report id and impossible content is an error that names the field."""
    folder = stored(tmp_path)
    head = json.loads((folder / "audit.json").read_bytes())
    change(head)
    write_head(folder, head)
    with pytest.raises(RecordError, match=words):
        read_baseline(folder)


def _audit(folder: Path, **options: object) -> Published:
    inventory = str(save_inventory(folder / "inventory.json", COMPLIANT))
    values = {"inventory": (inventory,), "as_of": SECOND, "report_dir": str(folder / "report")}
    return run_audit(parse_options(values | options), lambda _: RUN.copy())


@pytest.mark.parametrize("as_of", [FIRST, "2026-11-20T02:59:59Z"], ids=["same", "earlier"])
def test_a_baseline_of_the_future_is_refused(tmp_path: Path, as_of: str) -> None:
    """A baseline must be of a time before the audit's own; nothing is written otherwise."""
    before = night(tmp_path, COMPLIANT, FIRST).folder
    with pytest.raises(RecordError, match=f"found an audit as of {FIRST}, expected one"):
        _audit(tmp_path, baseline=str(before), as_of=as_of)
    assert list((tmp_path / "report").iterdir()) == []


def test_an_example_is_no_baseline_of_an_audit(tmp_path: Path) -> None:
    """An audit of real records is not compared with one of an example."""
    before = stored(tmp_path / "before", is_example=True)
    with pytest.raises(RecordError, match="found an audit of a bundled example, expected one"):
        _audit(tmp_path, baseline=str(before))


def test_an_audit_is_no_baseline_of_an_example(tmp_path: Path) -> None:
    """An example, audited as no inventory was given, is not compared with real records."""
    before = stored(tmp_path / "before")
    with pytest.raises(RecordError, match="of recorded or live organizations, expected one of a b"):
        _audit(tmp_path, baseline=str(before), inventory=())


def test_an_example_is_compared_with_an_example(tmp_path: Path) -> None:
    """An example may be audited twice, and the second time after the first."""
    _audit(tmp_path, inventory=(), report_dir=str(tmp_path / "before"))
    about = read_baseline(tmp_path / "before").about
    refuse_unlike(about, is_example=True)
    again = _audit(
        tmp_path, inventory=(), baseline=str(tmp_path / "before"), as_of="2027-01-01T00Z"
    )
    changes = again.head["changes"]
    assert changes is not None
    assert changes["baseline"]["path"] == str(tmp_path / "before" / "audit.json")


# --- the baseline that would be removed -----------------------------------------------------------


@pytest.mark.parametrize("name", ["", "audit.json", "findings.ndjson", "../report/audit.json"])
def test_a_baseline_in_the_report_folder_is_refused_and_kept(tmp_path: Path, name: str) -> None:
    """The baseline is never what the audit is about to remove; it is refused and left as it is."""
    folder = stored(tmp_path / "report")
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    with pytest.raises(SettingError, match=r"^--cmek-baseline: found .+ in the report folder"):
        _audit(tmp_path, baseline=str(folder / name) if name else str(folder))
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_a_link_to_the_report_folder_is_found_out(tmp_path: Path) -> None:
    """A baseline that is named by another path to the report folder is in it all the same."""
    folder = stored(tmp_path / "report")
    (tmp_path / "link").symlink_to(folder)
    with pytest.raises(SettingError, match=r"^--cmek-baseline: found .*/link/audit.json, which"):
        _audit(tmp_path, baseline=str(tmp_path / "link" / "audit.json"))
    assert (folder / "audit.json").is_file()


def test_a_run_that_only_looks_removes_no_baseline(tmp_path: Path) -> None:
    """An audit that writes nothing may take a baseline from anywhere."""
    folder = stored(tmp_path / "report")
    inventory = str(save_inventory(tmp_path / "inventory.json", COMPLIANT))
    values = {"inventory": (inventory,), "as_of": SECOND, "report_dir": str(folder)}
    prepared = prepare(parse_options(values | {"baseline": str(folder)}))
    baseline = prepared.setup.criteria.baseline
    assert baseline is not None
    assert baseline.about == read_baseline(folder).about
    assert {file.name for file in folder.iterdir()} == set(RECORD)
