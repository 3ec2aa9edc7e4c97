"""One audit in three steps, from its options to its files, without pytest around it."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from checks.engine.catalogue import load_rules
from cmek_audit.run.audit import (
    Draft,
    begin_report,
    conclude,
    draft_audit,
    first_page,
    publish,
    publish_without_audit,
    run_audit,
    without_file,
)
from cmek_audit.run.preparation import prepare
from cmek_audit.signing.key_files import read_public_key
from cmek_audit.verification.signature_proofs import prove_signature
from inventory.errors import CmekAuditError, InventoryError, LeakError, SettingError
from inventory.text.searched_files import SearchedFiles
from inventory.text.secrets import Token
from reports.formats import registry
from reports.record.layout import SIGNATURE
from tests.builders import write_text
from tests.cmek_audit.run.audits import left_in, options_in
from tests.reports.fleets import LEAN_FLEET
from tests.reports.recording import RUN
from tests.reports.samples import save_inventory
from tests.wiring.runs import ALL_FILES, KEPT, RECORD, RENDERED, mixed, prefill

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cmek_audit.run.audit import Published
    from cmek_audit.run.option_values import Options
    from reports.model.head import Head, Provenance
    from tests.cmek_audit.signing.signed import KeyPair

RULE_IDS = [rule.card.id for rule in load_rules()]
OWN_RUN: Any = {name: RUN[name] for name in RUN if name not in {"started", "ended", "formats"}}
"""What whoever runs an audit says of the run; the audit itself adds the rest."""


def _run(options: Options) -> Published:
    return run_audit(options, lambda _: OWN_RUN)


def _open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


@pytest.fixture
def draft(tmp_path: Path) -> Iterator[Draft]:
    options = options_in(tmp_path)
    draft = draft_audit(prepare(options), begin_report(options))
    yield draft
    draft.discard()


# --- all or nothing -------------------------------------------------------------------------------


def test_an_audit_is_not_there_before_it_is_whole(tmp_path: Path, draft: Draft) -> None:
    """Until the audit is published, its report folder holds no file that looks like one."""
    head = conclude(draft, draft.judged.group_ids)
    assert left_in(tmp_path) & ALL_FILES == set()
    publish(draft, head, OWN_RUN)
    assert left_in(tmp_path) == RECORD | RENDERED


def test_a_discarded_audit_leaves_nothing(tmp_path: Path, draft: Draft) -> None:
    """An audit that is given up removes what it had written, and may be given up twice."""
    draft.discard()
    draft.discard()
    assert left_in(tmp_path) == set()


def test_an_audit_that_cannot_be_finished_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If any of the reports cannot be written, none is left."""

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(registry, "encode", fail)
    with pytest.raises(OSError, match="No space left"):
        _run(options_in(tmp_path))
    assert left_in(tmp_path) == set()


def test_an_audit_that_cannot_be_prepared_leaves_nothing(tmp_path: Path) -> None:
    """An unreadable inventory leaves no audit in the folder; the earlier one is set aside."""
    prefill(tmp_path)
    with pytest.raises(InventoryError):
        _run(options_in(tmp_path, inventory=("acme-is-not-there.yaml",)))
    assert left_in(tmp_path) == KEPT


def test_an_audit_whose_judging_breaks_off_closes_its_file(tmp_path: Path) -> None:
    """A stream that turns out to be cut off at its end leaves neither a file nor an open one."""
    options = options_in(tmp_path)
    stream = write_text(tmp_path / "cut.ndjson", '{"kind": "inventory", "cmek-inventory": 1}\n')
    opened = _open_files()
    with pytest.raises(InventoryError):
        _run(options.model_copy(update={"inventory": (str(stream),)}))
    assert (left_in(tmp_path), _open_files()) == (set(), opened)


def test_a_folder_within_a_file_is_refused(tmp_path: Path) -> None:
    """A report folder that cannot be made is named, with what was expected of it."""
    write_text(tmp_path / "file", "")
    folder = str(tmp_path / "file" / "r")
    with pytest.raises(SettingError, match=r"^--cmek-report-dir: found .*/file/r") as caught:
        _run(options_in(tmp_path, report_dir=folder))
    assert isinstance(caught.value, CmekAuditError)


def test_the_evidence_of_a_live_audit_has_a_folder_of_its_own(tmp_path: Path) -> None:
    """Reports and evidence in one folder would remove each other, so that is refused."""
    options = options_in(tmp_path, live="env", evidence_dir=str(tmp_path / "x" / ".." / "r"))
    with pytest.raises(SettingError, match=r"^--cmek-evidence-dir: found .+, expected another"):
        begin_report(options)


# --- the verdict ----------------------------------------------------------------------------------


def test_all_groups_make_a_whole_audit(draft: Draft) -> None:
    """If every group was run nothing is left out, and no rule is without a group."""
    finished = draft.judged.group_ids
    assert sorted({rule for rule, _ in finished}) == RULE_IDS
    assert conclude(draft, finished)["settings"]["left_out"] == ""


def test_the_record_names_the_groups_that_were_left_out(draft: Draft) -> None:
    """Rules of which a group was not run are named, and counted among all groups."""
    groups = draft.judged.group_ids
    finished = {group for group in groups if group[0] not in RULE_IDS[:2]}
    left_out = f"2 of {len(groups)} groups of findings were not run, of CMEK-01, CMEK-02"
    assert conclude(draft, finished)["settings"]["left_out"] == left_out


def test_a_partial_audit_keeps_the_grouping_of_the_whole(tmp_path: Path) -> None:
    """With fewer findings a finer grouping would fit; but pytest has run the coarser one."""
    options = options_in(tmp_path, mixed(), group="organization")
    draft = draft_audit(prepare(options), begin_report(options))
    finished = {group for group in draft.judged.group_ids if group[0] == RULE_IDS[0]}
    head = publish(draft, conclude(draft, finished), OWN_RUN)
    lines = (tmp_path / "r" / "findings.ndjson").read_text().splitlines()
    assert head["settings"]["grouping"] == "organization"
    assert {json.loads(line)["rule"] for line in lines} == {RULE_IDS[0]}
    assert head["findings"]["count"] == len(lines)


# --- the files ------------------------------------------------------------------------------------


def test_the_block_on_the_run_begins_with_its_times(tmp_path: Path) -> None:
    """The audit adds the times and formats of the run; all else comes from whoever runs it."""
    options = options_in(tmp_path)
    _, head = _run(options)
    assert head["run"]["formats"] == list(options.formats)
    assert list(head["run"]) == list(RUN)
    assert head["run"]["started"] <= head["run"]["ended"]
    assert json.loads((tmp_path / "r" / "audit.json").read_bytes()) == head


def test_the_block_on_the_run_may_depend_on_the_verdict(tmp_path: Path) -> None:
    """Whoever describes the run gets the head, with the exit code of the verdict."""

    def describe_run(head: Head) -> Provenance:
        run: Provenance = OWN_RUN | {"exit_code": head["verdict"]["exit_code"]}
        return run

    _, head = run_audit(options_in(tmp_path, mixed()), describe_run)
    assert (head["verdict"]["exit_code"], head["run"]["exit_code"]) == (1, 1)


def test_a_run_without_an_audit_publishes_no_record(tmp_path: Path, draft: Draft) -> None:
    """pytest's own reports get their place, and nothing that could be taken for an audit does."""
    write_text(draft.folder.staging / "junit.xml", "<testsuites/>")
    publish_without_audit(draft)
    assert left_in(tmp_path) == {"junit.xml"}


def test_a_report_with_a_secret_is_removed_and_named(tmp_path: Path, draft: Draft) -> None:
    """A leak is named by the place that the file would have had; a file elsewhere by its own."""
    leaking = draft._replace(files=SearchedFiles([Token("T", "AstraCS:abc:0123456789")]))
    inside = Path(write_text(draft.folder.staging / "junit.xml", "AstraCS:abc:0123456789"))
    outside = Path(write_text(tmp_path / "mine.xml", "AstraCS:abc:0123456789"))
    with pytest.raises(LeakError) as caught:
        publish_without_audit(leaking, [outside])
    assert caught.value.files == (tmp_path / "r" / "junit.xml", outside)
    assert [inside.exists(), outside.exists()] == [False, False]


def test_a_page_with_a_secret_is_removed_and_the_run_fails(tmp_path: Path) -> None:
    """Pages of organizations are searched like all reports, and one that leaks ends the audit.

    These words take the part of a token here, as only the page of one organization has them.
    """
    inventory = str(save_inventory(tmp_path / "inventory.json", LEAN_FLEET))
    options = options_in(tmp_path, inventory)
    with closing(begin_report(options)) as folder:
        draft = draft_audit(prepare(options), folder)
        words = f"All {len(LEAN_FLEET)} organizations of this audit"
        leaking = draft._replace(files=SearchedFiles([Token("T", words)]))
        head = conclude(leaking, draft.judged.group_ids)
        with pytest.raises(LeakError) as caught:
            publish(leaking, head, OWN_RUN)
        pages = [file for file in caught.value.files if file.parent.name == "organizations"]
        assert len(pages) == 3
        assert {file.parent for file in pages} == {tmp_path / "r" / "organizations"}
        assert list((folder.staging / "organizations").iterdir()) == []
    assert left_in(tmp_path) == set()


@pytest.mark.parametrize(
    ("formats", "page"), [("html,junit", "audit.html"), ("junit", "audit.json")]
)
def test_the_first_page_is_one_that_is_written(tmp_path: Path, formats: str, page: str) -> None:
    """A person opens the auditor's page first; where none is written, the record."""
    options = options_in(tmp_path, formats=formats)
    assert first_page(options) == f"{tmp_path}/r/{page}"


@pytest.mark.parametrize(
    ("formats", "found"), [("oscal,oscal-poam", ["oscal-poam"]), ("oscal,markdown", [])]
)
def test_a_format_of_which_nothing_is_written_is_known(
    tmp_path: Path, formats: str, found: list[str]
) -> None:
    """A format that was asked for, and has nothing to show, is known by its missing file."""
    options = options_in(tmp_path, formats=formats)
    assert [row.name for row in without_file(options)] == found
    (tmp_path / "r").mkdir(exist_ok=True)
    write_text(tmp_path / "r" / "oscal-poam.json", "{}")
    assert without_file(options) == []


# --- signed ---------------------------------------------------------------------------------------


def _signing(options: Options, keys: KeyPair) -> Options:
    return options.model_copy(update={"sign_key": str(keys.private)})


def test_an_audit_signs_what_it_writes(tmp_path: Path, keys: KeyPair) -> None:
    """With a key, the report that is published is signed as a whole."""
    _run(_signing(options_in(tmp_path), keys))
    folder = tmp_path / "r"
    [proof] = prove_signature(folder, read_public_key(str(keys.public), "--key"))
    assert proof.status == "proven"


def test_a_signature_never_stays_beside_another_audit(tmp_path: Path, keys: KeyPair) -> None:
    """When another audit begins, the signature goes to previous/ with what it is of."""
    _run(_signing(options_in(tmp_path), keys))
    public = read_public_key(str(keys.public), "--key")
    before = (tmp_path / "r" / SIGNATURE).read_bytes()
    _run(options_in(tmp_path))
    folder = tmp_path / "r"
    assert not (folder / SIGNATURE).exists()
    assert (folder / "previous" / SIGNATURE).read_bytes() == before
    assert [proof.status for proof in prove_signature(folder / "previous", public)] == ["proven"]


def test_a_key_that_cannot_be_used_stops_before_anything_is_done(
    tmp_path: Path, keys: KeyPair
) -> None:
    """With an unusable key no audit begins, and the one before stays where it is."""
    _run(options_in(tmp_path))
    before = left_in(tmp_path)
    for path in ("nowhere.pem", str(tmp_path / "r" / "key.pem")):
        with pytest.raises(SettingError, match="--cmek-sign-key: found"):
            begin_report(options_in(tmp_path).model_copy(update={"sign_key": path}))
    assert left_in(tmp_path) == before


def test_what_cannot_be_signed_is_not_published(
    tmp_path: Path, keys: KeyPair, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An audit that was to be signed and could not be leaves no report."""

    def refuse(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("cmek_audit.run.audit.sign_report", refuse)
    with pytest.raises(OSError, match="No space left"):
        _run(_signing(options_in(tmp_path), keys))
    assert not (tmp_path / "r" / "audit.json").exists()
