"""A folder takes one bundle at a time, each into the one chain that it holds."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from inventory.errors import InventoryError, Problem, SettingError
from inventory.evidence.chain import Chain, Link
from inventory.evidence.folder import (
    REMEDY,
    free_bundle_path,
    locked_folder,
    prepare_folder,
    previous_of,
    read_links,
)
from inventory.evidence.manifest import Previous, read_manifest
from inventory.files.evidence_layout import read_folder
from tests.inventory.live import Astra, configured, write_bundle

NIGHT = datetime(2026, 11, 20, 2, tzinfo=UTC)


def bundle(path: Path, before: Path | None = None) -> Path:
    """Write a bundle that follows ``before``."""
    root = read_manifest(str(before)).root if before else ""
    previous = Previous(name=before.name, root=root) if before else None
    return Path(write_bundle(path, (configured(), Astra()), previous=previous))


def prepared(folder: Path) -> tuple[Chain, list[str]]:
    """Return the chain of ``folder``, and what was said."""
    said: list[str] = []
    return prepare_folder(folder, said.append), said


def refusals(folder: Path) -> tuple[Problem, ...]:
    """Return why nothing can be added to ``folder``, in which nothing was changed."""
    before = sorted(folder.rglob("*"))
    with pytest.raises(InventoryError) as caught:
        prepare_folder(folder, lambda _: pytest.fail("nothing is removed"))
    assert sorted(folder.rglob("*")) == before
    return caught.value.problems


# --- the lock -------------------------------------------------------------------------------------


def test_folder_is_made_and_locked(tmp_path: Path) -> None:
    """A folder that is missing is made; while it is locked, nobody else can lock it."""
    folder = tmp_path / "new" / "ev"
    with (
        locked_folder(folder),
        pytest.raises(SettingError) as refused,
        locked_folder(folder),
    ):
        pytest.fail("it was locked twice")
    assert str(refused.value) == (
        f"the evidence folder: found {folder}, which another run is writing to, "
        "expected a folder of its own"
    )
    assert list(folder.iterdir()) == []


def test_folder_that_cannot_be_written_to(tmp_path: Path) -> None:
    """What the system says of a folder, then or later, is an error of that folder."""
    file = tmp_path / "file"
    file.touch()
    with (
        pytest.raises(SettingError, match=r"file \(Not a directory\), expected a folder to write"),
        locked_folder(file),
    ):
        pytest.fail("a file is no folder")
    with (
        pytest.raises(SettingError, match=r"^the evidence folder: found .* \(No space left"),
        locked_folder(tmp_path),
    ):
        raise OSError(28, "No space left on device")


# --- the chain ------------------------------------------------------------------------------------


def test_new_folder_has_no_chain(tmp_path: Path) -> None:
    """The first bundle follows none."""
    chain, said = prepared(tmp_path)
    assert (chain.links, said, previous_of(chain)) == ((), [], None)


def test_next_bundle_follows_the_last_one_whatever_its_name(tmp_path: Path) -> None:
    """The last bundle is the one that no other follows, not the one with the latest name."""
    first = bundle(tmp_path / "z")
    last = bundle(tmp_path / "a", first)
    (tmp_path / "acme.yaml").touch()
    chain, _ = prepared(tmp_path)
    assert [link.name for link in chain.links] == ["z", "a"]
    assert previous_of(chain) == Previous(name="a", root=read_manifest(str(last)).root)


def test_unfinished_bundles_are_removed_once_that_is_said(tmp_path: Path) -> None:
    """What a collection that was killed left is removed, after it was named."""
    first = bundle(tmp_path / "a")
    left = tmp_path / ".collecting-b-7"
    (left / "parts").mkdir(parents=True)
    said: list[str] = []

    def say(note: str) -> None:
        assert left.exists()
        said.append(note)

    chain = prepare_folder(tmp_path, say)
    assert chain.head
    assert chain.head.name == first.name
    assert said == [f"Removing {left.as_posix()}, which a killed collection left unfinished."]
    assert list(tmp_path.iterdir()) == [first]


def test_strange_things_are_refused(tmp_path: Path) -> None:
    """Whatever may have been a bundle is named, and nothing is added beside it."""
    bundle(tmp_path / "a")
    (tmp_path / "b/exchanges").mkdir(parents=True)
    (tmp_path / ".collecting-c-7").mkdir()
    (problem,) = refusals(tmp_path)
    assert (problem.file, problem.found) == (
        (tmp_path / "b").as_posix(),
        "an evidence bundle without its manifest.json",
    )


def test_a_bundle_takes_no_bundle(tmp_path: Path) -> None:
    """A bundle is no folder of bundles, nor is what is left of one: nothing is written into it."""
    own = bundle(tmp_path / "a")
    for _ in range(2):
        (problem,) = refusals(own)
        assert problem.file == own.as_posix()
        assert problem.found == "an evidence bundle, or a part of one"
        (own / "manifest.json").unlink(missing_ok=True)


@pytest.mark.parametrize("name", ["a", "b"])
def test_damaged_manifests_are_refused(tmp_path: Path, name: str) -> None:
    """If any manifest is damaged, nothing is added to the chain, also if it is an older one."""
    bundle(tmp_path / "b", bundle(tmp_path / "a"))
    (tmp_path / name / "manifest.json").write_bytes(b"")
    (problem,) = refusals(tmp_path)
    assert problem.file == f"{tmp_path}/{name}/manifest.json"
    assert problem.expected == f"an unchanged manifest; {REMEDY}"


def test_last_bundle_is_checked_in_full(tmp_path: Path) -> None:
    """If a file of the last bundle is gone, nothing follows it, nor the one before it."""
    before = bundle(tmp_path / "a")
    last = bundle(tmp_path / "b", before)
    for damaged in (before, last):
        (damaged / "exchanges/0001.ndjson.gz").unlink()
    (problem,) = refusals(tmp_path)
    assert problem.file == f"{last}/exchanges/0001.ndjson.gz"
    assert problem.expected == f"the file that the manifest lists; {REMEDY}"


def test_two_last_bundles_are_refused(tmp_path: Path) -> None:
    """If two bundles follow one, as after a merge, both are named and nothing is added."""
    first = bundle(tmp_path / "a")
    for name in ("b", "c"):
        bundle(tmp_path / name, first)
    (problem,) = refusals(tmp_path)
    assert problem.file == tmp_path.as_posix()
    assert problem.found.startswith("'b', 'c', which all follow 'a' with the root ")
    assert problem.expected == f"one chain: one bundle after another; {REMEDY}"


def test_links_of_what_can_be_read(tmp_path: Path) -> None:
    """Bundles that can be read are links; what is wrong with the others is reported."""
    first, second = bundle(tmp_path / "a"), bundle(tmp_path / "b")
    (first / "manifest.json").write_bytes(b"{")
    links, problems = read_links(read_folder(tmp_path).bundles)
    assert [link.name for link in links] == [second.name]
    assert [problem.file for problem in problems] == [f"{first}/manifest.json"]


# --- names ----------------------------------------------------------------------------------------


def test_names_are_made_of_the_time(tmp_path: Path) -> None:
    """A bundle's name is the time; those of one second, or of one that is gone, have a number."""
    name = "2026-11-20T02-00-00Z"
    nothing = Chain((), ())
    assert free_bundle_path(tmp_path, NIGHT, nothing) == tmp_path / name
    assert free_bundle_path(tmp_path, NIGHT, nothing, {name}) == tmp_path / f"{name}-2"
    gone = Previous(name=name, root="0" * 64)
    pruned = Chain((Link("later", "1" * 64, gone, NIGHT),), ())
    assert free_bundle_path(tmp_path, NIGHT, pruned) == tmp_path / f"{name}-2"
    (tmp_path / f"{name}-2").mkdir()
    assert free_bundle_path(tmp_path, NIGHT, pruned) == tmp_path / f"{name}-3"
    assert free_bundle_path(tmp_path, NIGHT, nothing) == tmp_path / name
