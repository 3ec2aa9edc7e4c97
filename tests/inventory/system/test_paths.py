"""One spelling for each path, and one order."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory.system.paths import normalize_path, sorted_paths

if TYPE_CHECKING:
    from pathlib import Path

PARTS = st.lists(st.sampled_from(["a", "b.yaml", "..", ".", "", "é"]), min_size=1, max_size=6)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in a folder of its own."""
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setenv("PWD", str(folder))
    return folder


@pytest.mark.parametrize(
    ("spelled", "expected"),
    [
        ("a.yaml", "a.yaml"),
        ("./a.yaml", "a.yaml"),
        ("x/../a.yaml", "a.yaml"),
        ("x//y/./../a.yaml", "x/a.yaml"),
        ("../here/a.yaml", "a.yaml"),
        ("{here}/a.yaml", "a.yaml"),
        ("{here}/x/../a.yaml", "a.yaml"),
        ("bundle/", "bundle"),
        ("../a.yaml", "{above}/a.yaml"),
        ("{above}/a.yaml", "{above}/a.yaml"),
        ("{above}/x/../here-too/a.yaml", "{above}/here-too/a.yaml"),
        ("/../a.yaml", "/a.yaml"),
        (".", "."),
        ("", ""),
    ],
)
def test_a_path_has_one_spelling(here: Path, spelled: str, expected: str) -> None:
    """A path is relative in the working directory, absolute elsewhere, and without detours."""
    names = {"here": here, "above": here.parent}
    assert normalize_path(spelled.format_map(names)) == expected.format_map(names)


def test_a_path_may_begin_elsewhere(here: Path) -> None:
    """A relative path begins where it is told to, and is named from the working directory."""
    assert normalize_path("./a.yaml", here / "x") == "x/a.yaml"
    assert normalize_path("../a.yaml", here.parent / "x") == str(here.parent / "a.yaml")
    assert normalize_path(str(here / "a.yaml"), here / "x") == "a.yaml"
    assert sorted_paths(["b", "a"], here / "x") == ("x/a", "x/b")


def test_links_are_not_followed(here: Path) -> None:
    """A link keeps its own path, and what lies above its target is not taken for what is here."""
    (here.parent / "far" / "inner").mkdir(parents=True)
    (here / "link").symlink_to(here.parent / "far" / "inner")
    assert normalize_path("link/a.yaml") == "link/a.yaml"
    assert normalize_path("link/../a.yaml") == "link/../a.yaml"
    assert normalize_path("link/../../here/a.yaml") == "link/../../here/a.yaml"


def test_a_working_directory_behind_a_link(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The working directory is known by the way to it that the shell shows, too."""
    way = here.parent / "way"
    way.symlink_to(here)
    assert normalize_path(f"{way}/a.yaml") == f"{way}/a.yaml"
    monkeypatch.setenv("PWD", str(way))
    assert normalize_path(f"{way}/a.yaml") == "a.yaml"
    assert normalize_path(f"{here}/a.yaml") == "a.yaml"


@pytest.mark.parametrize("shown", ["", "relative", "/nowhere", "/"])
def test_a_shell_that_shows_something_else(
    here: Path, monkeypatch: pytest.MonkeyPatch, shown: str
) -> None:
    """What the shell shows counts only if it is the working directory."""
    monkeypatch.setenv("PWD", shown)
    assert normalize_path(f"{here}/a.yaml") == "a.yaml"
    assert normalize_path("/nowhere/a.yaml") == "/nowhere/a.yaml"


def test_paths_have_one_order(here: Path) -> None:
    """Paths come in the order of their spellings, each once."""
    assert sorted_paths(["b.yaml", "./a.yaml", str(here / "b.yaml"), "a.yaml"]) == (
        "a.yaml",
        "b.yaml",
    )
    assert sorted_paths([]) == ()


@given(PARTS)
def test_the_one_spelling_stays(parts: list[str]) -> None:
    """The one spelling is that of itself, and names the same place."""
    path = "/".join(parts)
    assert normalize_path(normalize_path(path)) == normalize_path(path)
    assert not path or os.path.abspath(normalize_path(path)) == os.path.abspath(path)  # noqa: PTH100
