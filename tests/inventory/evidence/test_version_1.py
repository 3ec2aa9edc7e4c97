"""Bundles of version 1, with a file for each exchange, are read as they always were.

``version_1`` holds a chain of two of them, written by the version that still wrote them.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from inventory.astra.replay import replay
from inventory.errors import EvidenceError, ReplayError
from inventory.evidence.folder import prepare_folder, previous_of
from inventory.evidence.manifest import Manifest, check_bundle, read_manifest
from inventory.evidence.reader import index_exchanges, open_bundle, read_exchanges
from inventory.history import read_history
from inventory.model.key import KeyScope
from tests.builders import ORGANIZATION
from tests.inventory.live import Astra, configured, listed_key, seal, write_bundle

if TYPE_CHECKING:
    from inventory.evidence.exchange import Exchange

RECORDED = Path(__file__).parent / "version_1"
NIGHTS = ["2026-11-19T02-00-00Z", "2026-11-20T02-00-00Z"]
FIRST = "exchanges/0001/0001.json"


@pytest.fixture
def bundle(tmp_path: Path) -> str:
    """Return a copy of the second night."""
    return str(shutil.copytree(RECORDED / NIGHTS[1], tmp_path / NIGHTS[1]))


def exchanges(folder: str) -> list[Exchange]:
    return read_exchanges(folder, read_manifest(folder), 1)


@pytest.mark.parametrize("night", NIGHTS)
def test_it_is_whole_and_gives_its_inventory(night: str) -> None:
    """A bundle of version 1 is checked and replayed to the byte."""
    folder = str(RECORDED / night)
    manifest = check_bundle(folder)
    assert (manifest.format, manifest.has_lines) == (1, False)
    assert replay(folder).manifest == manifest


def test_its_entries_lead_to_the_lines_of_its_files(bundle: str) -> None:
    """An entry names the file of its answer, and the line there on which it is."""
    first, second = open_bundle(bundle).organizations()
    (key,) = first.keys or ()
    assert key.location == (f"{bundle}/exchanges/0001/0002.json", 14)
    assert json.loads(Path(key.file).read_text().splitlines()[key.line - 1]) == listed_key()
    assert (first.id, second.id) == (ORGANIZATION, "b")
    assert {gap.reason for gap in second.gaps} == {"no-token"}


def test_its_index_names_files(bundle: str) -> None:
    """The index has one row for each file, with its hash as the manifest lists it."""
    manifest = read_manifest(bundle)
    listed = [(file.path, file.sha256) for file in manifest.files if "exchanges/" in file.path]
    index = list(index_exchanges(bundle, manifest))
    assert [(indexed.path, indexed.sha256) for indexed in index] == listed
    assert [indexed.address for indexed in index] == [one.address for one in exchanges(bundle)]
    assert {indexed.line for indexed in index} == {0}
    assert sum(indexed.redactions for indexed in index) == manifest.redactions


def test_it_serves_as_history() -> None:
    """The two nights show between which times the key was registered."""
    history = read_history([str(RECORDED)])
    scope = KeyScope(ORGANIZATION, "serverless", "aws", "us-east-1")
    seen = [sorted(observation.key_ids) for observation in history.observations(scope)]
    assert seen == [[], [listed_key()["KeyID"]]]


def test_a_new_bundle_follows_it(tmp_path: Path) -> None:
    """A chain that began with version 1 goes on with the present one."""
    folder = shutil.copytree(RECORDED, tmp_path / "ev")
    chain = prepare_folder(folder, print)
    assert [link.name for link in chain.links] == NIGHTS
    assert chain.head is not None
    previous = previous_of(chain)
    write_bundle(folder / "2026-11-21T02-00-00Z", (configured(), Astra()), previous=previous)
    links = prepare_folder(folder, print).links
    assert [link.name for link in links] == [*NIGHTS, "2026-11-21T02-00-00Z"]


def test_the_folder_of_an_organization_without_token_may_be_empty(bundle: str) -> None:
    """It may be there, and it may be gone, as git keeps no empty folder; no other may be there."""
    (Path(bundle) / "exchanges/0002").mkdir(exist_ok=True)
    assert isinstance(check_bundle(bundle), Manifest)
    for name in ("exchanges/0003", "exchanges/0000", "exchanges/00002", "exchanges/0001/0001"):
        (Path(bundle) / name).mkdir()
        with pytest.raises(EvidenceError, match="found an empty folder"):
            check_bundle(bundle)
        (Path(bundle) / name).rmdir()


def test_changed_files_are_found(bundle: str) -> None:
    """A file that was changed, removed or added is named."""
    file = Path(bundle) / FIRST
    raw = file.read_bytes()
    file.write_bytes(raw.replace(b'"status": 200', b'"status": 201'))
    with pytest.raises(EvidenceError, match=r"0001/0001\.json: found changed content"):
        check_bundle(bundle)
    file.unlink()
    with pytest.raises(EvidenceError, match=r"0001/0001\.json: found nothing"):
        check_bundle(bundle)
    file.write_bytes(raw)
    (Path(bundle) / "exchanges/0001/0099.json").write_bytes(raw)
    with pytest.raises(EvidenceError, match=r"0001/0099\.json: found a file"):
        check_bundle(bundle)


def test_exchanges_that_fit_the_manifest_only_are_found(bundle: str) -> None:
    """An exchange that was doubled, or cut inside, is found by the replay, whatever is listed."""
    more = Path(bundle) / "exchanges/0001/0099.json"
    shutil.copy(Path(bundle) / FIRST, more)
    seal(bundle)
    with pytest.raises(ReplayError, match=r"0001/0099\.json: recorded, but not requested"):
        replay(bundle)
    more.write_bytes(more.read_bytes()[:-3])
    seal(bundle)
    with pytest.raises(EvidenceError, match=r"0001/0099\.json: found no JSON"):
        replay(bundle)


@pytest.mark.parametrize("content", [None, b"", b"{}", b"\xff", b"[" * 100_000, b'"body": 1'])
def test_index_of_what_is_no_exchange(bundle: str, content: bytes | None) -> None:
    """A file that is gone, or is no exchange, has no place in the index."""
    file = Path(bundle) / FIRST
    if content is None:
        file.unlink()
    else:
        file.write_bytes(content)
    with pytest.raises(EvidenceError) as caught:
        list(index_exchanges(bundle, read_manifest(bundle)))
    assert [problem.file for problem in caught.value.problems] == [str(file)]


def test_compressed_lines_belong_to_the_next_version(bundle: str) -> None:
    """A manifest of version 1 lists no compressed lines."""
    manifest = json.loads((Path(bundle) / "manifest.json").read_bytes())
    lines = {"path": "exchanges/0001.ndjson.gz", "size": 1, "content": 1, "sha256": "0" * 64}
    seal(bundle, files=[*manifest["files"], lines])
    with pytest.raises(EvidenceError, match=r"found .*, expected exchanges in files that end in "):
        check_bundle(bundle)


def test_the_recorded_bundles_are_those_of_that_version() -> None:
    """Their roots are known: nobody has written them again with another version."""
    roots = {night: read_manifest(str(RECORDED / night)).root for night in NIGHTS}
    assert hashlib.sha256(json.dumps(roots).encode()).hexdigest()[:16] == "d9046c11360107c2"
