"""A summary beside the bundles that are still there; what is refused is tested with pruning."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from inventory.errors import EvidenceError
from inventory.evidence.chain import build_chain
from inventory.evidence.folder import read_links
from inventory.files.evidence_layout import read_folder
from inventory.past.summaries import find_summary, link_problems, require_continued
from inventory.pruning import prune
from tests.inventory.past.nights import name_of, write_nights

if TYPE_CHECKING:
    from pathlib import Path

    from inventory.evidence.chain import Chain


def chain_of(folder: Path) -> Chain:
    """Return the chain of a folder."""
    return build_chain(folder, read_links(read_folder(folder).bundles)[0])


def test_what_is_still_here(tmp_path: Path) -> None:
    """Covered bundles that are still there are named, and the chain goes on from them."""
    written = write_nights(tmp_path / "ev", [{}] * 4)
    shutil.copytree(tmp_path / "ev", tmp_path / "kept")
    summary = prune(tmp_path / "ev", 1, "cmek-audit 0", lambda _: None).summary
    for path in written[1:3]:
        shutil.copytree(tmp_path / "kept" / path.name, path)
    found = find_summary(read_folder(tmp_path / "ev"))
    assert found.summary.file == str(summary)
    assert found.still_here == tuple(written[1:3])
    assert found.superseded == ()


def test_links(tmp_path: Path) -> None:
    """The chain continues what is covered, from within it or after it."""
    folder = tmp_path / "ev"
    write_nights(folder, [{}] * 4)
    shutil.copytree(folder, tmp_path / "kept")
    assert require_continued(folder, chain_of(folder)) == {}
    prune(folder, 2, "cmek-audit 0", lambda _: None)
    assert list(require_continued(folder, chain_of(folder))) == [name_of(0), name_of(1)]
    summary = find_summary(read_folder(folder)).summary
    assert list(link_problems(summary, chain_of(tmp_path / "kept"))) == []
    assert list(link_problems(summary, chain_of(tmp_path))) == []
    shutil.copytree(tmp_path / "kept" / name_of(1), folder / name_of(1))
    assert list(link_problems(summary, chain_of(folder))) == []
    shutil.copytree(tmp_path / "kept" / name_of(0), folder / name_of(0))
    assert list(link_problems(summary, chain_of(folder))) == []
    turned = summary._replace(bundles=summary.bundles[::-1])
    (problem,) = link_problems(turned, chain_of(folder))
    assert problem.found == "other bundles in the chain"
    for number in range(3):
        shutil.rmtree(folder / name_of(number))
    with pytest.raises(EvidenceError, match="the last that"):
        require_continued(folder, chain_of(folder))
