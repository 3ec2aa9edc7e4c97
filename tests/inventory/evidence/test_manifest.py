"""A bundle is evidence as long as it is, to the last byte, what was written."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from inventory.errors import EvidenceError
from inventory.evidence.exchange import Exchange
from inventory.evidence.manifest import Previous, check_bundle, read_head, read_manifest, root_of
from inventory.evidence.reader import read_exchanges
from inventory.files.evidence_layout import classify
from tests.evidence_files import FIRST, lines_of, write_lines
from tests.inventory.live import (
    HOST,
    TOOL,
    configured,
    seal,
    write_bundle,
)

if TYPE_CHECKING:
    from collections.abc import Callable


BEFORE = Previous(name="before", root="0" * 64)


def problems(folder: str, *, only_inventory: bool = False) -> set[tuple[str, str, str]]:
    """Return path, what was found and what was expected, of all that is wrong with a bundle."""
    with pytest.raises(EvidenceError) as caught:
        check_bundle(folder, only_inventory=only_inventory)
    assert list(caught.value.problems) == sorted(caught.value.problems)
    return {
        (problem.file.removeprefix(f"{folder}/"), problem.found, problem.expected)
        for problem in caught.value.problems
    }


def rewrite(folder: str, name: str, old: str, new: str) -> None:
    path = Path(folder) / name
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


# --- manifests ------------------------------------------------------------------------------------


def test_manifest(recorded: str) -> None:
    """The manifest says when and how a bundle was made, and lists all other files by hash."""
    manifest = check_bundle(recorded)
    assert (manifest.tool, manifest.address) == (TOOL, HOST)
    assert manifest.previous == BEFORE
    assert all(manifest.started <= exchange.started for exchange in exchanges(recorded))
    assert all(manifest.ended >= exchange.ended for exchange in exchanges(recorded))
    assert (manifest.organizations, manifest.failures, manifest.redactions) == (2, 1, 4)
    files = [path for path in Path(recorded).rglob("*") if path.is_file()]
    hashes = {
        path.relative_to(recorded).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in files
        if path.name != "manifest.json"
    }
    assert {file.path: file.sha256 for file in manifest.files} == hashes
    assert sorted(hashes) == [FIRST, "inventory.ndjson", "organizations.json"]
    assert manifest.requests == len(lines_of(Path(recorded) / FIRST))


def test_root(recorded: str) -> None:
    """The root is the hash of all lines above it, as any tool can compute it."""
    lines = (Path(recorded) / "manifest.json").read_bytes().splitlines(keepends=True)
    root = hashlib.sha256(b"".join(lines[:-2])).hexdigest()
    assert lines[-2:] == [f'"root": "{root}"\n'.encode(), b"}\n"]
    assert read_manifest(recorded).root == root
    assert root_of(b"".join(lines)) == root


def test_head_of_a_manifest(recorded: str) -> None:
    """The head of a manifest states the bundle's place in the chain, as the whole manifest does."""
    manifest, head = read_manifest(recorded), read_head(recorded)
    assert head.model_dump() == manifest.model_dump(include={"started", "previous", "root"})


def test_every_line_of_a_manifest_counts(bundle: str) -> None:
    """A manifest of which any line was changed is refused."""
    path = Path(bundle) / "manifest.json"
    lines = path.read_text(encoding="utf-8").splitlines()
    for number, line in enumerate(lines):
        changed = re.sub(r"[0-9](?=[^0-9]*$)", lambda digit: str(9 - int(digit[0])), line)
        if changed != line:
            text = "\n".join([*lines[:number], changed, *lines[number + 1 :], ""])
            path.write_text(text, encoding="utf-8")
            with pytest.raises(EvidenceError):
                read_manifest(bundle)


OWN_ROOT = ("manifest.json", "a root that does not match its content", "an unchanged manifest")


NO_JSON = ("manifest.json", "no JSON", "an unchanged manifest")


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", NO_JSON),
        (b"{", NO_JSON),
        (b"\xff", NO_JSON),
        (b"[" * 100_000, NO_JSON),
        (b"[]", ("manifest.json", "an empty list", "a mapping")),
    ],
)
def test_manifests_that_are_none(
    bundle: str, content: bytes, problem: tuple[str, str, str]
) -> None:
    """A manifest that is broken or of another kind is refused."""
    (Path(bundle) / "manifest.json").write_bytes(content)
    assert problems(bundle) == {problem}
    with pytest.raises(EvidenceError, match=r"manifest\.json"):
        read_head(bundle)


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        ('"cmek-evidence": 2', '"cmek-evidence": 3', "3"),
        ('"content":', '"contents":', "an unknown field"),
        ('"organizations": 2', '"organizations": 0', "0"),
        ('"tool"', '"tools"', "an unknown field"),
        ("inventory.ndjson", "../inventory.ndjson", "'../inventory.ndjson'"),
        (FIRST, "/etc/passwd", "'/etc/passwd'"),
    ],
)
def test_manifests_with_other_fields(bundle: str, old: str, new: str, found: str) -> None:
    """A manifest that says something else than a manifest can is refused, field by field."""
    rewrite(bundle, "manifest.json", old, new)
    assert found in {problem for _, problem, _ in problems(bundle)}


@pytest.mark.parametrize(
    ("name", "over", "field"),
    [
        (FIRST, {"content": None}, "files[0].content"),
        ("inventory.ndjson", {"content": 9}, "files[1].content"),
        (FIRST, {"path": "exchanges/0001/0001.json", "content": None}, "files"),
    ],
)
def test_manifests_with_files_of_another_kind(
    bundle: str, name: str, over: dict[str, object], field: str
) -> None:
    """Compressed lines have a second size, other files not; and each version has its own layout."""
    files = json.loads((Path(bundle) / "manifest.json").read_bytes())["files"]
    seal(bundle, files=[file | over if file["path"] == name else file for file in files])
    with pytest.raises(EvidenceError) as caught:
        check_bundle(bundle)
    assert [problem.field for problem in caught.value.problems] == [field]


def test_manifest_with_a_root_of_another(bundle: str) -> None:
    """A manifest with another root than its own is refused."""
    rewrite(bundle, "manifest.json", '"failures": 1', '"failures": 0')
    assert problems(bundle) == {OWN_ROOT}
    with pytest.raises(EvidenceError, match="a root that does not match its content"):
        read_head(bundle)


@pytest.mark.parametrize(
    "more", [',\n"failures": 7\n}\n', ',\n"files": []\n}\n', "}\n", "\n}", "\n}\n\n"]
)
def test_nothing_stands_below_the_root(bundle: str, more: str) -> None:
    """A manifest is refused if anything is below its root, which would not cover it."""
    path = Path(bundle) / "manifest.json"
    raw = path.read_text(encoding="utf-8").removesuffix("\n}\n")
    path.write_text(raw + more, encoding="utf-8")
    assert problems(bundle) == {OWN_ROOT}


def test_linked_manifest(bundle: str, tmp_path: Path) -> None:
    """A link in the place of the manifest is refused."""
    path = Path(bundle) / "manifest.json"
    path.symlink_to(path.rename(tmp_path / "other.json"))
    assert problems(bundle) == {("manifest.json", "a link", "a file")}


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir], ids=["pipe", "folder"])
def test_a_manifest_is_a_file(bundle: str, make: Callable[[Path], None]) -> None:
    """A pipe or a folder in the place of the manifest is refused, and nobody waits for it."""
    path = Path(bundle) / "manifest.json"
    path.unlink()
    make(path)
    assert problems(bundle) == {("manifest.json", "no regular file", "a file")}


@pytest.mark.parametrize("name", ["inventory.ndjson", "organizations.json"])
def test_bundle_without_one_of_its_own_files(bundle: str, name: str) -> None:
    """A bundle has an inventory and what was to be read, whatever its manifest lists."""
    (Path(bundle) / name).unlink()
    seal(bundle)
    assert problems(bundle) == {(name, "nothing", "the file that the manifest lists")}


def test_no_manifest(bundle: str) -> None:
    """A folder without a manifest is no bundle."""
    (Path(bundle) / "manifest.json").unlink()
    expected = ("manifest.json", "No such file or directory", "a readable manifest")
    assert problems(bundle) == {expected}
    assert classify(Path(bundle)).kind == "broken"


# --- files ----------------------------------------------------------------------------------------


def test_changed_files(bundle: str) -> None:
    """Every file that was changed is named, be it by a byte."""
    changed = [FIRST, "inventory.ndjson", "organizations.json"]
    for name in changed:
        path = Path(bundle) / name
        path.write_bytes(path.read_bytes() + b" ")
    listed = {file.path: file.sha256 for file in read_manifest(bundle).files}
    assert problems(bundle) == {
        (name, "changed content", f"the SHA-256 {listed[name]}") for name in changed
    }


def test_lines_that_were_compressed_by_somebody_else(bundle: str) -> None:
    """Lines that are damaged inside are named, also if their hash fits."""
    file = Path(bundle) / FIRST
    raw = file.read_bytes()
    for other, found in (
        (raw[:-1], "a file that ends early"),
        (raw + raw, "data after the compressed lines"),
        (raw[:-8] + bytes(8), "damaged compression"),
    ):
        content = len(gzip.decompress(raw))
        file.write_bytes(other)
        listed = [{"path": FIRST, **sizes(other), "content": content}]
        own = [file for file in json.loads(manifest_of(bundle))["files"] if file["path"] != FIRST]
        seal(bundle, files=[*listed, *own])
        assert {problem[:2] for problem in problems(bundle)} == {(FIRST, found)}


def manifest_of(bundle: str) -> bytes:
    return (Path(bundle) / "manifest.json").read_bytes()


def sizes(raw: bytes) -> dict[str, object]:
    return {"size": len(raw), "sha256": hashlib.sha256(raw).hexdigest()}


def test_a_bomb_is_refused_before_it_is_decompressed(bundle: str) -> None:
    """A file that is not the listed one is not decompressed; one that is, up to its size."""
    file = Path(bundle) / FIRST
    content = len(gzip.decompress(file.read_bytes()))
    file.write_bytes(gzip.compress(bytes(30_000_000)))
    assert {found for _, found, _ in problems(bundle)} == {"changed content"}
    own = [file for file in json.loads(manifest_of(bundle))["files"] if file["path"] != FIRST]
    listed = {"path": FIRST, **sizes(file.read_bytes()), "content": content}
    seal(bundle, files=[listed, *own])
    assert {found for _, found, _ in problems(bundle)} == {f"more than {content:,} bytes of lines"}


def test_files_that_are_not_listed(bundle: str) -> None:
    """A file that the manifest does not list is named, wherever it hides."""
    names = ["more.json", ".hidden", "exchanges/0002.ndjson.gz", "exchanges/manifest.json"]
    for name in names:
        (Path(bundle) / name).write_text("{}", encoding="utf-8")
    assert problems(bundle) == {(name, "a file", "no file: it is not listed") for name in names}


def test_empty_folders(bundle: str) -> None:
    """An empty folder is named, wherever it is."""
    names = ["more", "exchanges/0001", "exchanges/0002"]
    for name in names:
        (Path(bundle) / name).mkdir()
    assert problems(bundle) == {
        (name, "an empty folder", "no file: it is not listed") for name in names
    }


def test_bundle_of_which_nobody_was_asked(tmp_path: Path) -> None:
    """If no organization had a token, the folder of exchanges is empty, or gone."""
    bundle = Path(write_bundle(tmp_path / "b", (configured(), None)))
    assert check_bundle(str(bundle))
    (bundle / "exchanges").rmdir()
    assert check_bundle(str(bundle))


def test_folders_and_files_that_cannot_be_read(
    bundle: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the system refuses to show is named, as it may be anything."""

    def barred(path: Path) -> bytes:
        if path.name == "manifest.json":
            return read(path)
        raise PermissionError(13, "Permission denied", str(path))

    read = Path.read_bytes
    monkeypatch.setattr(Path, "read_bytes", barred)
    assert ("inventory.ndjson", "Permission denied", "a readable file") in problems(bundle)

    def listed(path: str) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr("os.scandir", listed)
    assert {problem[1:] for problem in problems(bundle)} == {
        ("Permission denied", "a readable folder")
    }


def test_files_that_are_gone(bundle: str) -> None:
    """A file that is listed and not there is named."""
    names = [FIRST, "inventory.ndjson", "organizations.json"]
    for name in names:
        (Path(bundle) / name).unlink()
    expected = "the file that the manifest lists"
    assert problems(bundle) == {(name, "nothing", expected) for name in names}


def test_links(bundle: str, tmp_path: Path) -> None:
    """A link in the place of a file is refused, also if it leads to the same content."""
    file = Path(bundle) / FIRST
    other = file.rename(tmp_path / "other.json")
    file.symlink_to(other)
    assert problems(bundle) == {(FIRST, "a link", "a file")}


def test_linked_folders(bundle: str, tmp_path: Path) -> None:
    """A link in the place of a folder is refused, and not followed."""
    folder = Path(bundle) / "exchanges"
    other = folder.rename(tmp_path / "other")
    folder.symlink_to(other)
    found = problems(bundle)
    assert found == {
        ("exchanges", "a file", "no file: it is not listed"),
        (FIRST, "nothing", "the file that the manifest lists"),
    }


def test_pipes(bundle: str) -> None:
    """What is neither file nor folder is refused, and nobody waits for it."""
    file = Path(bundle) / FIRST
    file.unlink()
    os.mkfifo(file)
    assert problems(bundle) == {(FIRST, "a link", "a file")}


def test_file_listed_twice(bundle: str) -> None:
    """A manifest that lists a file twice is refused."""
    files = json.loads((Path(bundle) / "manifest.json").read_bytes())["files"]
    seal(bundle, files=[*files, files[0]])
    assert problems(bundle) == {("manifest.json", "a file listed twice", "each file once")}


def test_token_in_a_file(bundle: str) -> None:
    """A file in which a token is is no evidence, also if the manifest fits."""
    rewrite(bundle, "organizations.json", "acme-prod", "AstraCS:not-real")
    seal(bundle)
    expected = ("organizations.json", "what looks like a token", "evidence without secrets")
    assert problems(bundle) == {expected}


def test_token_in_a_line(bundle: str) -> None:
    """A line in which a token is, is named by its number."""
    file = Path(bundle) / FIRST
    lines = lines_of(file)
    lines[2] = lines[2].replace(b"GET", b"AstraCS:not-real")
    write_lines(file, lines)
    seal(bundle)
    with pytest.raises(EvidenceError) as caught:
        check_bundle(bundle)
    [problem] = caught.value.problems
    assert problem == (str(file), 3, "", "what looks like a token", "evidence without secrets")


def test_inventory_alone(bundle: str) -> None:
    """Of a bundle that serves as history nothing but manifest and inventory are looked at."""
    shutil.rmtree(Path(bundle) / "exchanges")
    assert check_bundle(bundle, only_inventory=True) == read_manifest(bundle)
    rewrite(bundle, "inventory.ndjson", "us-east-1", "us-east-2")
    assert {problem[:2] for problem in problems(bundle, only_inventory=True)} == {
        ("inventory.ndjson", "changed content")
    }
    (Path(bundle) / "inventory.ndjson").unlink()
    assert {problem[:2] for problem in problems(bundle, only_inventory=True)} == {
        ("inventory.ndjson", "nothing")
    }


# --- what bundles hold ----------------------------------------------------------------------------


def exchanges(folder: str) -> list[Exchange]:
    return read_exchanges(folder, read_manifest(folder), 1)
