"""Earlier bundles in a row, named by two of them."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from inventory.errors import EvidenceError
from inventory.evidence.manifest import read_head
from inventory.history import read_history
from inventory.model.sources import SourceChain
from inventory.past.chains import bundles_between, condense, hash_roots
from tests.builders import document_data, write_yaml
from tests.inventory.past.nights import write_nights

if TYPE_CHECKING:
    from pathlib import Path


def paths(sources: object) -> list[str]:
    """Return the paths of sources."""
    return [source.path for source in sources]  # type: ignore[attr-defined]


def test_first_and_last(tmp_path: Path) -> None:
    """Of bundles in a row the first and the last one are listed, with their number."""
    written = [str(path) for path in write_nights(tmp_path / "ev", [{}] * 4)]
    first, last = condense(read_history([str(tmp_path / "ev")]).sources)
    roots = [read_head(path).root for path in written]
    assert (first.path, first.chain) == (written[0], None)
    chain = SourceChain(first=written[0], records=4, sha256=hash_roots(roots))
    assert (last.path, last.chain) == (written[3], chain)
    assert bundles_between(written[0], written[3], 4) == (written, chain.sha256)


def test_few_are_listed(tmp_path: Path) -> None:
    """Two bundles are listed as they are, and so are files."""
    folder = tmp_path / "ev"
    written = write_nights(folder, [{}] * 2)
    file = write_yaml(folder / "a.yaml", document_data(captured_at="2025-01-01T00:00:00Z"))
    sources = list(condense(read_history([str(folder)]).sources))
    assert paths(sources) == [*map(str, written), file]
    assert [source.chain for source in sources] == [None, None, None]


def test_another_host_stays_listed(tmp_path: Path) -> None:
    """A bundle for which another host was asked is not hidden in a row of others."""
    written = write_nights(tmp_path / "ev", [{}] * 7, hosts={3: "https://elsewhere.test"})
    sources = list(condense(read_history([str(tmp_path / "ev")]).sources))
    named = [written[number].name for number in (0, 2, 3, 4, 6)]
    assert [source.path.rpartition("/")[2] for source in sources] == named


def test_a_bundle_that_is_missing_ends_a_row(tmp_path: Path) -> None:
    """Only bundles of which each follows the one before are a row; none is no row."""
    written = write_nights(tmp_path / "ev", [{}] * 7)
    shutil.rmtree(written[3])
    kept = [written[number].name for number in (0, 2, 4, 6)]
    sources = list(condense(read_history([str(tmp_path / "ev")]).sources))
    assert [source.path.rpartition("/")[2] for source in sources] == kept
    assert list(condense([])) == []


def test_bundles_without_a_folder_are_listed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Bundles in the working directory have no folder in common by their paths."""
    written = write_nights(tmp_path / "ev", [{}] * 4)
    monkeypatch.chdir(tmp_path / "ev")
    names = [path.name for path in written]
    assert paths(condense(read_history(names).sources)) == names
    assert bundles_between(names[0], names[3], 4)[0] == names


def test_what_is_not_there_any_more(tmp_path: Path) -> None:
    """Bundles that are missing, fewer, or others, are found out."""
    written = write_nights(tmp_path / "ev", [{}] * 4)
    first, last = str(written[0]), str(written[3])
    for begin, records in ((first, 3), (first, 5), (str(written[1]), 4), ("elsewhere", 4)):
        with pytest.raises(EvidenceError):
            bundles_between(begin, last, records)
    shutil.rmtree(written[2])
    with pytest.raises(EvidenceError):
        bundles_between(first, last, 4)
    shutil.copytree(written[1], written[2])
    with pytest.raises(EvidenceError, match="another bundle before it"):
        bundles_between(first, last, 4)
