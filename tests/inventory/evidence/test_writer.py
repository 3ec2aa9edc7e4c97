"""Bundles are written beside their place, and moved there when they are whole."""

from __future__ import annotations

import hashlib
import json
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from inventory.errors import LeakError
from inventory.evidence.exchange import Failure
from inventory.evidence.exchange_line import parse_line, render_line
from inventory.evidence.exchange_summary import ExchangeSummary, summarize_exchange
from inventory.evidence.manifest import check_bundle, read_manifest
from inventory.evidence.reader import open_bundle
from inventory.evidence.writer import (
    BundleInfo,
    BundleWriter,
    JobWriter,
    Period,
    Tally,
    period_of,
)
from inventory.files import evidence_layout
from inventory.model.organization import Organization
from inventory.text.secrets import Token
from tests.builders import a_database, an_organization
from tests.evidence_files import lines_of
from tests.inventory.live import ENDED, HOST, SECRET, STARTED, TOKEN, TOOL, VALUE, an_exchange

ORGANIZATIONS = b'{"cmek-organizations":1}\n'
FAILURE = Failure(reason="unavailable", detail="no answer: ConnectError")


def begun(tmp_path: Path) -> tuple[BundleWriter, JobWriter]:
    bundle = BundleWriter(tmp_path / "bundle", BundleInfo(TOOL, HOST, STARTED, None), ORGANIZATIONS)
    return bundle, JobWriter(bundle.staging)


def names(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def finished(
    tmp_path: Path, *organizations: Organization, tokens: tuple[Token, ...] = (TOKEN,)
) -> Path:
    bundle, job = begun(tmp_path)
    for number, organization in enumerate(organizations, 1):
        job.end(number, organization, job.begin(number, TOKEN))
    job.close()
    bundle.tally.merge(job.tally)
    bundle.finish(ENDED, tokens)
    return tmp_path / "bundle"


def test_bundle_that_cannot_be_begun(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If a bundle cannot be begun, nothing is left of the beginning."""

    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OSError, match="No space left on device"):
        begun(tmp_path)
    assert list(tmp_path.iterdir()) == []


# --- exchanges ------------------------------------------------------------------------------------


def test_exchanges_are_written_as_they_come(tmp_path: Path) -> None:
    """Each exchange is a line of the organization's file, which is listed with sizes and hash."""
    _, job = begun(tmp_path)
    writer = job.begin(7, TOKEN)
    exchanges = [an_exchange([line], path=writer.path, line=line) for line in (1, 2)]
    for exchange in exchanges:
        writer.write(exchange)
    listed = [json.loads(line) for line in writer.manifest_lines()]
    job.close()
    (staging,) = tmp_path.iterdir()
    file = staging / writer.path
    raw = file.read_bytes()
    lines = [render_line(exchange) for exchange in exchanges]
    assert listed == [
        {
            "path": "exchanges/0007.ndjson.gz",
            "size": len(raw),
            "content": len(b"".join(lines)),
            "sha256": hashlib.sha256(raw).hexdigest(),
        }
    ]
    assert lines_of(file) == lines
    hashes = [hashlib.sha256(line).hexdigest() for line in lines]
    assert [summary.sha256 for summary in writer.summaries] == hashes
    read = [parse_line(writer.path, line, raw) for line, raw in enumerate(lines, 1)]
    assert [exchange._replace(body="") for exchange in read] == exchanges


def test_the_same_exchanges_give_the_same_bytes(tmp_path: Path) -> None:
    """A file of exchanges holds no time and no name but theirs."""
    written = []
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        bundle, job = begun(tmp_path / name)
        writer = job.begin(1, TOKEN)
        writer.write(an_exchange([1]))
        writer.manifest_lines()
        job.close()
        written.append((bundle.staging / writer.path).read_bytes())
    assert written[0] == written[1]


@pytest.mark.parametrize(
    "over",
    [
        {"value": [VALUE]},
        {"value": [{"message": f"x{SECRET}x"}]},
        {"value": ["AstraCS:other"]},
        {"headers": {"etag": VALUE}},
        {"address": f"/v2/kms?token={SECRET}"},
        {"failure": FAILURE.model_copy(update={"detail": VALUE})},
        {"redactions": {VALUE: 1}},
    ],
)
def test_exchanges_with_secrets_are_not_written(tmp_path: Path, over: dict[str, Any]) -> None:
    """An exchange in which a token is after all is not written; the file is named, no more."""
    _, job = begun(tmp_path)
    writer = job.begin(1, TOKEN)
    with pytest.raises(LeakError) as caught:
        writer.write(an_exchange(**over))
    job.close()
    assert {file.name for file in caught.value.files} == {"0001.ndjson.gz"}
    assert SECRET not in str(caught.value)
    assert list(tmp_path.rglob("0001*")) == []


def test_organization_without_a_token(tmp_path: Path) -> None:
    """An organization without a token may have no secret; what looks like one is refused."""
    bundle, job = begun(tmp_path)
    writer = job.begin(1, None)
    with pytest.raises(LeakError):
        writer.write(an_exchange([VALUE]))
    job.close()
    assert list((bundle.staging / "exchanges").iterdir()) == []


def test_refused_secret_is_not_forgotten(tmp_path: Path) -> None:
    """Whoever swallows the error of a refused exchange gets it once more at the end."""
    _, job = begun(tmp_path)
    writer = job.begin(1, TOKEN)
    with suppress(LeakError):
        writer.write(an_exchange([VALUE]))
    with pytest.raises(LeakError) as caught:
        job.end(1, an_organization(), writer)
    job.close()
    assert [file.name for file in caught.value.files] == ["0001.ndjson.gz"]


def test_credentials_that_are_found_later_are_not_written(tmp_path: Path) -> None:
    """What is to be hidden from some moment on is in no exchange after it, nor in the inventory."""
    _, job = begun(tmp_path)
    writer = job.begin(1, TOKEN)
    found = "not-in-the-common-form-of-credentials"
    writer.write(an_exchange([found]))
    writer.hide([Token("a cloud's secret", found)])
    with pytest.raises(LeakError) as of_inventory:
        job.end(1, an_organization(name=found), writer)
    with pytest.raises(LeakError) as of_exchange:
        writer.write(an_exchange([found], line=2))
    job.close()
    files = [*of_inventory.value.files, *of_exchange.value.files]
    assert [file.name for file in files] == ["inventory.ndjson", "0001.ndjson.gz"]


def test_disk_that_refuses(tmp_path: Path) -> None:
    """A file that could not be written is an error before the organization is done."""
    bundle, job = begun(tmp_path)
    writer = job.begin(1, TOKEN)
    writer.write(an_exchange([]))
    (bundle.staging / "exchanges").rmdir()
    with pytest.raises(OSError, match="No such file"):
        writer.manifest_lines()
    job.close()


# --- tallies --------------------------------------------------------------------------------------


def summary(clock: float | None, **over: object) -> ExchangeSummary:
    exchange = an_exchange([], redactions={"user": 2})
    return summarize_exchange(exchange, "")._replace(clock=clock, **over)  # type: ignore[arg-type]


def lasting(started: int, ended: int) -> Period:
    """Return a period, in seconds after a fixed time."""
    return Period(STARTED + timedelta(seconds=started), STARTED + timedelta(seconds=ended))


def test_tally() -> None:
    """What was written is counted: entries, requests, failures, redactions, clock and period."""
    bundle = Tally()
    organization = an_organization(databases=[a_database(), a_database(id="b")], keys=None)
    periods = (lasting(2, 3), lasting(-1, 0), None)
    for clock, period in zip((1.0, -2.0, None), periods, strict=True):
        job = Tally()
        job.add(organization, [summary(clock), summary(None, is_failure=True)], period)
        bundle.merge(job)
    bundle.merge(Tally())
    assert +bundle.counts == {
        "organizations": 3,
        "databases": 6,
        "requests": 6,
        "failures": 3,
        "redactions": 12,
    }
    assert (bundle.clock, bundle.period) == (-2.0, lasting(-1, 3))
    assert (Tally().clock, Tally().period) == (None, None)


def test_period_of_exchanges() -> None:
    """Exchanges last from when the first is begun until the last is over, in whatever order."""
    exchanges = [
        an_exchange([], started=exchange.started, ended=exchange.ended)
        for exchange in (lasting(3, 9), lasting(1, 2), lasting(4, 5))
    ]
    assert period_of(exchanges) == lasting(1, 9)
    assert period_of([]) is None


# --- bundles --------------------------------------------------------------------------------------


def test_bundle_in_the_making(tmp_path: Path) -> None:
    """Until a bundle is whole, nothing is in its place, and no bundle is found."""
    bundle, job = begun(tmp_path)
    job.end(1, an_organization(), job.begin(1, TOKEN))
    job.close()
    assert {path.name.startswith(".collecting-bundle-") for path in tmp_path.iterdir()} == {True}
    assert {file.kind for file in map(evidence_layout.classify, tmp_path.iterdir())} == {
        "unfinished"
    }
    bundle.discard()
    assert list(tmp_path.iterdir()) == []
    bundle.discard()


def test_whole_bundle(tmp_path: Path) -> None:
    """A whole bundle is in its place, with all its files and nothing else."""
    folder = finished(tmp_path, an_organization(), an_organization(id="b"))
    assert [path.name for path in tmp_path.iterdir()] == ["bundle"]
    assert names(folder) == {"inventory.ndjson", "manifest.json", "organizations.json"}
    assert (folder / "organizations.json").read_bytes() == ORGANIZATIONS
    manifest = check_bundle(str(folder))
    assert (manifest.tool, manifest.started, manifest.ended) == (TOOL, STARTED, ENDED)
    assert (manifest.organizations, manifest.requests, manifest.clock_seconds) == (2, 0, None)


def test_organizations_are_in_their_order(tmp_path: Path) -> None:
    """Organizations stand in the inventory in their own order, not in that of their end."""
    bundle, job = begun(tmp_path)
    for number in (10, 2, 1):
        own = job.begin(number, TOKEN)
        own.write(an_exchange([], path=own.path))
        job.end(number, an_organization(id=f"o{number}"), own)
    job.close()
    bundle.tally.merge(job.tally)
    bundle.finish(ENDED, [TOKEN])
    reader = open_bundle(str(tmp_path / "bundle"))
    assert [organization.id for organization in reader.organizations()] == ["o1", "o2", "o10"]
    files = [file.path for file in read_manifest(str(tmp_path / "bundle")).files]
    assert files == [
        *(f"exchanges/{number:04}.ndjson.gz" for number in (1, 2, 10)),
        *("inventory.ndjson", "organizations.json"),
    ]


@pytest.mark.parametrize("name", [VALUE, f"x{SECRET}", "AstraCS:other"])
def test_secret_in_the_inventory(tmp_path: Path, name: str) -> None:
    """If a secret is in the inventory after all, the bundle does not come into its place."""
    with pytest.raises(LeakError) as caught:
        finished(tmp_path, an_organization(name=name))
    assert {file.name for file in caught.value.files} == {"inventory.ndjson"}
    assert not (tmp_path / "bundle").exists()
    assert evidence_layout.read_folder(tmp_path).bundles == ()


def test_secrets_of_all_organizations_are_looked_for(tmp_path: Path) -> None:
    """Each organization's token is looked for in what is common to all."""
    other = Token("OTHER", "not-in-the-common-form-of-tokens")
    with pytest.raises(LeakError):
        finished(
            tmp_path, an_organization(name="not-in-the-common-form-of-tokens"), tokens=(other,)
        )


@pytest.mark.parametrize(
    ("began", "over", "ended", "expected"),
    [(1, 2, 3, (0, 3)), (-5, 2, 3, (-5, 3)), (1, 9, 3, (0, 9)), (-5, -4, -3, (-5, 0))],
)
def test_clock_that_was_set_meanwhile(
    tmp_path: Path, began: int, over: int, ended: int, expected: tuple[int, int]
) -> None:
    """Whatever the clock does, all exchanges lie between start and end of their bundle."""
    bundle, job = begun(tmp_path)
    writer, lasted = job.begin(1, TOKEN), lasting(began, over)
    writer.write(an_exchange([], started=lasted.started, ended=lasted.ended))
    job.end(1, an_organization(), writer)
    job.close()
    bundle.tally.merge(job.tally)
    bundle.finish(STARTED + timedelta(seconds=ended), [TOKEN])
    manifest = check_bundle(str(tmp_path / "bundle"))
    whole = lasting(*expected)
    assert (manifest.started, manifest.ended) == whole
    reader = open_bundle(str(tmp_path / "bundle"))
    assert reader.head.captured_at == whole.started


def test_bundle_is_on_the_disk_before_it_is_in_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All is written through before the rename, and the name after it, if the system can."""
    done: list[str] = []

    def note(name: str) -> None:
        done.append(f"{name} {'in place' if (tmp_path / 'bundle').exists() else 'beside'}")

    def fsync(_: int) -> None:
        note("fsync")
        raise OSError(22, "Invalid argument")

    monkeypatch.setattr("os.sync", lambda: note("sync"))
    monkeypatch.setattr("os.fsync", fsync)
    finished(tmp_path, an_organization())
    assert done == ["sync beside", "fsync in place"]
