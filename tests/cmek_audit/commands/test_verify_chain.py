"""``verify`` of a folder of bundles: each of them, and the chain of their roots."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from cmek_audit.verification.proof import BUNDLES
from inventory.astra import collector, recording_transport
from inventory.astra.collector import collect
from inventory.astra.config import read_organizations
from inventory.evidence.manifest import read_manifest
from tests.cmek_audit.helpers import (
    FLEET,
    bundles,
    command,
    organizations,
    printed_json,
    problems,
    reseal,
)

if TYPE_CHECKING:
    from pathlib import Path

    import pytest
    from click.testing import Result

    from tests.astra.server import Running


def _shown(done: Result) -> list[str]:
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
    assert _shown(done)[-1] == (
        "  chain: 3 bundles, each with the name and the root of the one before"
    )


def test_a_chain_of_one(chain: Path) -> None:
    """A folder with the first bundle alone is a chain of one."""
    for later in bundles(chain)[1:]:
        shutil.rmtree(later)
    done = command("verify", chain)
    assert (done.exit_code, _shown(done)[-1]) == (0, "  chain: 1 bundle")


def _named(bundle: Path) -> str:
    return f"'{bundle.name}' with the root {read_manifest(str(bundle)).root}"


def _previous(bundle: Path, found: str, expected: str) -> str:
    return f"{bundle}/manifest.json: previous: found {found}, expected {expected}"


def test_a_bundle_missing_between_others_is_noticed(chain: Path) -> None:
    """Where a bundle was taken out, the next one names what is not there."""
    first, second, third = bundles(chain)
    found = f"{_named(second)}, which is not here"
    shutil.rmtree(second)
    done = command("verify", chain)
    expected = f"one chain: '{first.name}', '{third.name}' each start one"
    assert (done.exit_code, problems(done)) == (1, [_previous(third, found, expected)])


def test_a_chain_that_was_pruned_says_so(chain: Path) -> None:
    """Where the oldest bundles are gone, the rest is a chain, and what stood before is named."""
    first = bundles(chain)[0]
    found = _named(first)
    shutil.rmtree(first)
    done = command("verify", chain)
    assert done.exit_code == 0
    assert _shown(done)[-2:] == [
        "  chain: 2 bundles, each with the name and the root of the one before",
        f"  older bundles are not here, the last of them {found}",
    ]


def test_a_bundle_put_between_others_is_noticed(chain: Path) -> None:
    """A bundle that was slipped in has nobody who names it, and follows what another follows."""
    first, second, _ = bundles(chain)
    slipped = shutil.copytree(first, chain / f"{first.name}-slipped")

    def later(data: dict[str, Any]) -> None:
        data["previous"] = {"name": first.name, "root": read_manifest(str(first)).root}

    reseal(slipped, later)
    done = command("verify", chain)
    several = ", ".join(f"'{name}'" for name in sorted((second.name, slipped.name)))
    found = f"{several}, which all follow {_named(first)}"
    assert done.exit_code == 1
    assert problems(done) == [
        f"{chain}: found {found}, expected one chain: one bundle after another"
    ]


def test_a_bundle_forged_in_its_place_is_noticed(chain: Path) -> None:
    """A bundle whose hashes were made to agree has another root than the next one names."""
    first, second, _ = bundles(chain)
    found = _named(first)
    reseal(first, lambda data: data.update(tool="another tool"))
    done = command("verify", chain)
    assert done.exit_code == 1
    assert problems(done) == [_previous(second, found, f"{_named(first)}, as here")]


def test_a_bundle_without_its_manifest_is_noticed(chain: Path) -> None:
    """What is left of a bundle counts as one that is damaged, and interrupts the chain."""
    first, second, third = bundles(chain)
    found = f"{_named(second)}, which is not here"
    (second / "manifest.json").unlink()
    done = command("verify", chain)
    assert done.exit_code == 1
    assert problems(done) == [
        f"{second}/manifest.json: found No such file or directory, expected a readable manifest",
        _previous(third, found, f"one chain: '{first.name}', '{third.name}' each start one"),
    ]


def test_a_clock_that_was_set_back_breaks_no_chain(
    astra: Running, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The chain follows the manifests: a night with the clock set back is named, and no more."""
    wanted = read_organizations(organizations(tmp_path, astra.address))
    for day in (20, 18, 19):

        class Clock(datetime):
            at = datetime(2026, 11, day, 2, tzinfo=UTC)

            @classmethod
            def now(cls, tz: Any = None) -> datetime:  # type: ignore[override]  # noqa: ANN401
                return cls.at

        for module in (collector, recording_transport):
            monkeypatch.setattr(module, "datetime", Clock)
        collect(wanted, str(tmp_path / "ev"), FLEET.environment)
    done = command("verify", tmp_path / "ev")
    assert (done.exit_code, _shown(done)[-2:], done.stdout.splitlines()[-1]) == (
        0,
        [
            "  chain: 3 bundles, each with the name and the root of the one before",
            "  begun before what it follows, by the clock: '2026-11-18T02-00-00Z'",
        ],
        "proven",
    )


def test_a_damaged_bundle_keeps_no_other_from_being_verified(chain: Path) -> None:
    """Every bundle is verified, whatever was found in those before."""
    first, second, third = bundles(chain)
    (first / "inventory.ndjson").unlink()
    checked = printed_json(command("verify", chain, "--json"))["checked"]
    assert {each["path"]: each["status"] for each in checked} == {
        str(first): "differs",
        str(second): "proven",
        str(third): "proven",
        str(chain): "proven",
    }


def test_what_is_known_to_be_harmless_is_said(chain: Path) -> None:
    """A bundle in the making and a plain inventory belong to no chain; both are named."""
    shutil.copytree(bundles(chain)[0], chain / ".collecting-something")
    (chain / "acme.yaml").write_text("cmek-inventory: 1")
    done = command("verify", chain)
    assert done.exit_code == 0
    assert _shown(done)[-2:] == [
        "  records outside of the chain, which nothing proves: 'acme.yaml'",
        "  unfinished, not read: '.collecting-something'",
    ]


def test_whatever_is_strange_beside_the_bundles_is_named(chain: Path) -> None:
    """A file or a folder that is no record may have been one: it is a difference."""
    for name in ("notes", ".2026"):
        (chain / name).mkdir()
    done = command("verify", chain)
    expected = (
        "evidence bundles, and inventories that end in .yaml, .yml, .json, .ndjson: "
        "restore it, or move it out of this folder"
    )
    assert (done.exit_code, problems(done)) == (
        1,
        [
            f"{chain}/.2026: found a hidden folder, expected {expected}",
            f"{chain}/notes: found an empty folder, expected {expected}",
        ],
    )


def test_a_folder_that_cannot_be_listed_is_not_verified(
    chain: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder that the system refuses to list ends with 4, with the system's word for it."""

    def barred(_: Path) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("pathlib.Path.iterdir", barred)
    done = command("verify", chain)
    assert (done.exit_code, done.stdout) == (4, "")
    assert f"{chain}: found Permission denied, expected a readable folder" in done.stderr
