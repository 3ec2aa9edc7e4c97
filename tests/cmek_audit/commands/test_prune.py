"""``prune`` turns old bundles into a summary; how nothing is lost is tested with the pruning."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.cmek_audit.helpers import command, printed_json
from tests.inventory.past.nights import name_of, write_nights

if TYPE_CHECKING:
    from pathlib import Path

SUMMARY = f"summary-{name_of(0)}-{name_of(6)}.ndjson"


@pytest.fixture
def nights(tmp_path: Path) -> Path:
    """Return a folder with nine nights."""
    write_nights(tmp_path / "ev", [{}] * 9)
    return tmp_path / "ev"


def test_pruned(nights: Path) -> None:
    """What was summed up, removed and kept is printed; a second time there is nothing to do."""
    size = sum(path.stat().st_size for path in nights.glob("*/*") if path.is_file())
    done = command("prune", nights, "--keep", 2)
    first = ", ".join(f"'{name_of(night)}'" for night in range(5))
    assert (done.exit_code, done.stderr) == (0, "")
    removed = f"7 bundles: {first} … '{name_of(6)}'"
    assert done.stdout.splitlines() == [
        f"Summary:   {nights / SUMMARY}",
        f"Summed up: {removed}",
        f"Removed:   {removed}; 21 files, {size * 7 / 9 / 2**20:,.1f} MiB",
        f"Kept:      2 bundles: '{name_of(7)}', '{name_of(8)}'",
    ]
    names = sorted(path.name for path in nights.iterdir())
    assert names == [name_of(7), name_of(8), SUMMARY]
    again = command("prune", nights, "--keep", 2)
    assert (again.exit_code, again.stdout) == (0, "Nothing to prune: 2 bundles kept.\n")


def test_planned(nights: Path) -> None:
    """A dry run changes nothing, and says so."""
    done = command("prune", nights, "--keep", 2, "--dry-run")
    assert done.exit_code == 0
    assert done.stdout.splitlines()[-1] == "Nothing was changed."
    assert len(list(nights.iterdir())) == 9


def test_as_json(nights: Path) -> None:
    """The JSON object has the same, and every name."""
    value = printed_json(command("prune", nights, "--keep", 2, "--json"))
    assert value.pop("size") > 0
    names = [name_of(night) for night in range(9)]
    assert value == {
        "summary": (nights / SUMMARY).as_posix(),
        "covered": names[:7],
        "removed": names[:7],
        "kept": names[7:],
        "unchecked": [],
        "files": 21,
        "dry_run": False,
    }
    assert printed_json(command("prune", nights, "--keep", 9, "--json"))["summary"] is not None


def test_answers_that_are_not_here(nights: Path) -> None:
    """Bundles whose answers are not here are named."""
    for folder in sorted((nights / name_of(0) / "exchanges").rglob("*"), reverse=True):
        folder.rmdir()
    (nights / name_of(0) / "exchanges").rmdir()
    done = command("prune", nights, "--keep", 8)
    assert done.stdout.splitlines()[-1] == (
        f"The answers were not here to be checked, only the inventory: 1 bundle: '{name_of(0)}'"
    )


def test_what_a_killed_run_left(nights: Path) -> None:
    """What a killed run left unfinished is removed, and named."""
    (nights / ".collecting-removed-x").mkdir()
    done = command("prune", nights, "--keep", 2)
    assert done.stderr.startswith(f"Removing {nights / '.collecting-removed-x'}")
    assert not (nights / ".collecting-removed-x").exists()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["missing", "--keep", 1], "missing: found no folder, expected a folder of evidence"),
        (["ev"], "Missing option '--keep'"),
        (["ev", "--keep", 0], "0 is not in the range x>=1"),
    ],
)
def test_unusable(words: list[object], message: str, tmp_path: Path) -> None:
    """A wrong argument is refused, and nothing is created."""
    done = command("prune", *words)
    assert done.exit_code == 4
    assert message in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_damaged(nights: Path) -> None:
    """A damaged bundle is not removed."""
    (nights / name_of(3) / "organizations.json").write_bytes(b"[]")
    done = command("prune", nights, "--keep", 2)
    assert done.exit_code == 4
    assert f"{name_of(3)}/organizations.json: found changed content" in done.stderr
    assert len(list(nights.iterdir())) == 9


def test_a_quiet_run_prints_nothing(nights: Path) -> None:
    """What was done is not printed, what cannot be done is."""
    done = command("prune", nights, "--keep=1", "-q", "--dry-run")
    assert (done.exit_code, done.stdout) == (0, "")
    assert command("prune", nights / "none", "--keep=1", "-q").exit_code == 4
