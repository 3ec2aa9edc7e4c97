"""Where a finding is shown in the files of a repository."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from reports.presentation.locations import (
    FileLocation,
    LocationFinder,
    chain_folder,
    first_evidence,
)
from tests.hypothesis_profile import examples

if TYPE_CHECKING:
    from collections.abc import Sequence

ROOT = Path("/repo/acme")
BUNDLE = "evidence/2026-11-20T02-00-00Z"


def _places(*sources: tuple[str, str], root: Path | None = ROOT) -> LocationFinder:
    shown = [{"path": path, "format": form} for path, form in sources]
    head: Any = {"population": {"sources": shown}}
    return LocationFinder(head, root)


def _finding(*evidence: Sequence[object]) -> Any:  # noqa: ANN401 (a part of the record)
    return {"evidence": [list(place) for place in evidence]}


@given(total=st.integers(0, 40), most=st.integers(0, 20))
def test_the_first_places_are_named_and_the_others_counted(total: int, most: int) -> None:
    """No more places are named than asked for, and none of the others goes uncounted."""
    finding = _finding(*(("a.yaml", line) for line in range(total)))
    places, more = first_evidence(finding, most)
    assert places == finding["evidence"][:most]
    assert len(places) + more == total


@pytest.mark.parametrize(
    ("file", "spot"),
    [
        ("a.yaml", FileLocation("file", "a.yaml", 3)),
        ("./x/../a b.yaml", FileLocation("file", "a b.yaml", 3)),
        ("/repo/acme/x/a.yaml", FileLocation("file", "x/a.yaml", 3)),
        ("/repo/acme-two/a.yaml", FileLocation("elsewhere", "/repo/acme-two/a.yaml", 3)),
        ("../a.yaml", FileLocation("elsewhere", "/repo/a.yaml", 3)),
        ("/etc/a.yaml", FileLocation("elsewhere", "/etc/a.yaml", 3)),
        (
            f"{BUNDLE}/exchanges/0001/0004.json",
            FileLocation("bundle", "evidence/inventory.ndjson", 1),
        ),
        (f"{BUNDLE}2/a.yaml", FileLocation("file", f"{BUNDLE}2/a.yaml", 3)),
        ("/far/b/inventory.ndjson", FileLocation("elsewhere", "/far/inventory.ndjson", 3)),
    ],
)
def test_a_file_is_named_by_where_it_lies(file: str, spot: FileLocation) -> None:
    """Below the repository's folder a file is named from there, elsewhere by its whole path.

    What lies in a bundle is named by the folder of bundles: each has another name.
    """
    places = _places((BUNDLE, "bundle"), ("/far/b/", "bundle"))
    assert places.at(file, 3) == spot
    assert places.of(_finding([file, 3])) == spot


def test_the_repository_is_where_the_process_works(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If no folder is given, the working folder is that of the repository."""
    monkeypatch.chdir(tmp_path)
    places = _places(root=None)
    assert places.at(f"{tmp_path}/a.yaml", 1) == FileLocation("file", "a.yaml", 1)
    assert places.at("../a.yaml", 1).kind == "elsewhere"


@pytest.mark.parametrize("line", [0, -1, 1])
def test_lines_begin_with_one(line: int) -> None:
    """A file as a whole is shown at its first line."""
    assert _places().at("a.yaml", line) == FileLocation("file", "a.yaml", 1)


def test_a_file_of_the_repository_comes_first() -> None:
    """Of all evidence the first in a file of the repository is shown, then what is in a bundle."""
    places = _places((BUNDLE, "bundle"))
    elsewhere, bundle = ["/etc/a.yaml", 1], [f"{BUNDLE}/exchanges/0001/0001.json", 2]
    own = ["plan.tf", 7, "astra_database.orders"]
    assert places.of(_finding(elsewhere, bundle, own, ["b.yaml", 8])) == FileLocation(
        "file", "plan.tf", 7, "astra_database.orders"
    )
    assert places.of(_finding(elsewhere, bundle)).kind == "bundle"
    assert places.of(_finding(elsewhere, ["/etc/b.yaml", 2])).path == "/etc/a.yaml"


@pytest.mark.parametrize("evidence", [[], [["", 0]]])
def test_without_evidence_it_is_the_first_source(evidence: list[list[object]]) -> None:
    """What no file holds is shown at the beginning of the first file that was read."""
    finding: Any = {"evidence": evidence}
    assert _places(("a.yaml", "yaml"), ("b.yaml", "yaml")).of(finding) == FileLocation(
        "file", "a.yaml", 1
    )
    assert _places((BUNDLE, "bundle")).of(finding).path == "evidence/inventory.ndjson"
    assert _places().of(finding) == FileLocation("file", "audit.json", 1)


def test_the_first_source_inside_is_found() -> None:
    """What has no place in the repository is shown at the first source that is there."""
    far, near = ("/etc/a.yaml", "yaml"), ("x/a.yaml", "yaml")
    assert _places(far, near, ("b.yaml", "yaml")).first_inside() == FileLocation(
        "file", "x/a.yaml", 1
    )
    bundle = FileLocation("bundle", "evidence/inventory.ndjson", 1)
    assert _places(far, (BUNDLE, "bundle"), near).first_inside() == bundle
    assert (_places(far).first_inside(), _places().first_inside()) == (None, None)


@examples(200)
@given(st.text(max_size=30), st.integers())
@example(".", 0)
@example("..", 0)
@example("/", 0)
@example("\x00/../..", 0)
def test_any_path_has_a_place(file: str, line: int) -> None:
    """Whatever a path holds, what is called a file of the repository lies in it."""
    spot = _places().at(file, line)
    assert spot.line >= 1
    if spot.kind == "file":
        assert not spot.path.startswith(("/", "../"))
        assert (ROOT / spot.path).is_relative_to(ROOT)


CHAIN: Any = {"path": BUNDLE, "format": "bundle", "chain": {"first": "evidence/first"}}


@pytest.mark.parametrize(
    ("file", "kind"),
    [
        ("evidence/between/exchanges/0001.ndjson", "bundle"),
        ("evidence/first/inventory.ndjson", "bundle"),
        ("elsewhere/between/a.yaml", "file"),
    ],
)
def test_a_bundle_that_is_not_listed(file: str, kind: str) -> None:
    """Of many bundles in a row the sources list two; what is in another is in a bundle, too."""
    head: Any = {"population": {"sources": [CHAIN]}}
    named = "evidence/inventory.ndjson" if kind == "bundle" else file
    assert LocationFinder(head, ROOT).at(file, 1) == FileLocation(kind, named, 1)  # type: ignore[arg-type]


def test_the_folder_of_a_chain() -> None:
    """Only bundles in a row have one; a summary is a file."""
    others: list[Any] = [{"path": BUNDLE, "format": "bundle"}, CHAIN | {"format": "summary"}]
    assert [chain_folder(source) for source in (CHAIN, *others)] == ["evidence/", "", ""]
