"""``verify`` of a folder of bundles: each of them, and the chain of their roots."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

from inventory.evidence import read_manifest
from reports.proof import BUNDLES
from tests.cmek_audit.commands import bundles, command, problems, reseal, told

if TYPE_CHECKING:
    from pathlib import Path

    from typer.testing import Result


def _told(done: Result) -> list[str]:
    """Return what is told of each path."""
    return [line for line in done.stdout.splitlines() if line.startswith("  ")]


def test_a_chain_is_verified_in_order(chain: Path) -> None:
    """Of a folder each bundle is verified, then that each names the one before and its root."""
    done = command("verify", f"{chain}/")
    shown = [line for line in done.stdout.splitlines() if not line.startswith("  ")]
    assert done.exit_code == 0
    assert shown == [
        *(f"{bundle}: proven" for bundle in bundles(chain)),
        f"{chain}/: proven",
        BUNDLES,
        "proven",
    ]
    assert _told(done)[-1] == (
        "  chain: 3 bundles, each with the name and the root of the one before"
    )


def test_a_chain_of_one(chain: Path) -> None:
    """A folder with the first bundle alone is a chain of one."""
    for later in bundles(chain)[1:]:
        shutil.rmtree(later)
    done = command("verify", chain)
    assert (done.exit_code, _told(done)[-1]) == (0, "  chain: 1 bundle")


def _named(bundle: Path) -> str:
    return f"'{bundle.name}' with the root {read_manifest(str(bundle)).root}"


def _broken(bundle: Path, found: str, expected: str) -> str:
    where = f"{bundle}/manifest.json: previous:"
    return f"{where} found {found}, expected {expected}, the one before it here"


def test_a_bundle_missing_between_others_is_noticed(chain: Path) -> None:
    """Where a bundle was taken out, the next one names what is not there."""
    first, second, third = bundles(chain)
    found = _named(second)
    shutil.rmtree(second)
    done = command("verify", chain)
    assert done.exit_code == 1
    assert problems(done) == [
        _broken(third, found, _named(first)),
    ]


def test_a_chain_that_was_pruned_says_so(chain: Path) -> None:
    """Where the oldest bundles are gone, the rest is a chain, and what stood before is named."""
    first = bundles(chain)[0]
    found = _named(first)
    shutil.rmtree(first)
    done = command("verify", chain)
    assert done.exit_code == 0
    assert _told(done)[-2:] == [
        "  chain: 2 bundles, each with the name and the root of the one before",
        f"  older bundles are not here, the last of them {found}",
    ]


def test_a_bundle_put_between_others_is_noticed(chain: Path) -> None:
    """A bundle that was slipped in has nobody who names it."""
    first, second, _ = bundles(chain)
    slipped = shutil.copytree(first, chain / f"{first.name}-slipped")

    def later(data: dict[str, Any]) -> None:
        data["started"] = data["ended"]
        data["previous"] = {"name": first.name, "root": read_manifest(str(first)).root}

    reseal(slipped, later)
    done = command("verify", chain)
    assert done.exit_code == 1
    assert problems(done) == [
        f"{slipped}/inventory.ndjson:1: the exchanges tell something else",
        _broken(second, _named(first), _named(slipped)),
    ]


def test_a_bundle_forged_in_its_place_is_noticed(chain: Path) -> None:
    """A bundle whose hashes were made to agree has another root than the next one names."""
    first, second, _ = bundles(chain)
    found = _named(first)
    reseal(first, lambda data: data.update(tool="another tool"))
    done = command("verify", chain)
    assert done.exit_code == 1
    assert problems(done) == [
        _broken(second, found, _named(first)),
    ]


def test_a_bundle_without_its_manifest_is_noticed(chain: Path) -> None:
    """What is left of a bundle counts as one that is damaged, and interrupts the chain."""
    first, second, third = bundles(chain)
    found = _named(second)
    (second / "manifest.json").unlink()
    done = command("verify", chain)
    assert done.exit_code == 1
    assert problems(done) == [
        f"{second}/manifest.json: found No such file or directory, expected a readable manifest",
        _broken(third, found, _named(first)),
    ]


def test_a_damaged_bundle_keeps_no_other_from_being_verified(chain: Path) -> None:
    """Every bundle is verified, whatever was found in those before."""
    first, second, third = bundles(chain)
    (first / "inventory.ndjson").unlink()
    checked = told(command("verify", chain, "--json"))["checked"]
    assert {each["path"]: each["status"] for each in checked} == {
        str(first): "differs",
        str(second): "proven",
        str(third): "proven",
        str(chain): "proven",
    }


def test_what_was_never_finished_is_no_bundle(chain: Path) -> None:
    """A folder in the making, and files beside the bundles, belong to no chain."""
    shutil.copytree(bundles(chain)[0], chain / ".collecting-something")
    (chain / "notes.txt").write_text("harmless")
    (chain / "notes").mkdir()
    assert command("verify", chain).exit_code == 0
