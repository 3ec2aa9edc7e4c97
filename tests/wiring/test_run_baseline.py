"""Runs with a baseline: what is shown of changes, and what stops."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.builders import database_data
from tests.wiring.runs import (
    ALL,
    ALL_FILES,
    AS_OF,
    RECORD,
    XDIST,
    Run,
    audit,
    compliant,
    mixed,
    run,
    saved,
    unpaid,
    unsettled,
)

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.slow

EARLIER = "2026-11-20T12:00:00Z"
GATE = "GATE ON NEW FINDINGS ONLY"
NEW_ONLY = "--cmek-fail-on-new"


@pytest.fixture(scope="module")
def before(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Audit an unpaid plan, and return the option that takes this as the baseline."""
    return _baseline(tmp_path_factory.mktemp("before"), unpaid())


def _baseline(folder: Path, inventory: object) -> str:
    made = audit(folder, inventory, f"--cmek-as-of={EARLIER}")
    assert made.left - {"previous"} == RECORD
    return f"--cmek-baseline={made.folder}"


def _counts(made: Run) -> dict[str, int]:
    return {class_: count for class_, count in made.head["changes"]["counts"].items() if count}


def test_what_is_known_stops_without_the_gate(tmp_path: Path, before: str) -> None:
    """With a baseline alone the run stops as ever, and tells what changed."""
    made = audit(tmp_path, unpaid(), before)
    assert (made.code, made.word, _counts(made)) == (1, "not compliant", {"unchanged": 1})
    assert f"Changes:  findings 1 unchanged, since {EARLIER}" in made.out
    assert GATE not in made.out


def test_what_is_known_does_not_stop_a_gate_on_what_is_new(tmp_path: Path, before: str) -> None:
    """With the gate on what is new the run goes on, and is called what it is."""
    made = audit(tmp_path, unpaid(), before, NEW_ONLY, "-v", formats=ALL)
    assert (made.code, made.word, _counts(made)) == (0, "not compliant", {"unchanged": 1})
    text = "The gate (--cmek-fail-on-new) lets this run pass."
    assert text in made.out
    assert f"{GATE}: findings of the baseline of {EARLIER} (report " in made.out
    assert "check_paid_plan[acme-prod] KNOWN" in made.out
    assert "1 known from the baseline" in made.out
    for name in ("audit.html", "results.html", "junit.xml"):
        assert GATE in made.text(name)
    properties = {
        property_.get("name"): property_.get("value") for property_ in made.junit.iter("property")
    }
    assert properties["changes"] == "1 unchanged"
    assert (properties["banner"] or "").startswith(GATE)


def test_what_is_new_stops_a_gate_on_what_is_new(tmp_path: Path, before: str) -> None:
    """What the baseline does not have stops the run, and only that is counted as stopping."""
    both = compliant(plan=unpaid()["organizations"][0]["plan"], keys=[])
    made = audit(tmp_path, both, before, NEW_ONLY)
    assert (made.code, _counts(made)) == (1, {"unchanged": 1, "new": 2})
    text = "Not compliant: 3 checks failed. The gate (--cmek-fail-on-new) stops this run for 2 "
    assert f"{text}of these." in made.out


def test_what_could_not_be_judged_before_does_not_stop_again(tmp_path: Path) -> None:
    """An unchanged inconclusive finding goes on, and compliance still is not established."""
    (tmp_path / "before").mkdir()
    before = _baseline(tmp_path / "before", unsettled())
    made = audit(tmp_path, unsettled(), before, NEW_ONLY, "-v")
    assert (made.code, made.word) == (0, "not established")
    assert " KNOWN" in made.out


def test_what_got_worse_stops(tmp_path: Path) -> None:
    """What could not be judged and fails now is new to the gate."""
    (tmp_path / "before").mkdir()
    before = _baseline(tmp_path / "before", compliant(plan=None))
    made = audit(tmp_path, unpaid(), before, NEW_ONLY)
    assert (made.code, _counts(made)) == (1, {"worsened": 1, "superseded": 1})


@pytest.mark.parametrize("group", ["subject", "organization", "rule"])
def test_the_gate_is_the_same_in_every_grouping(tmp_path: Path, group: str) -> None:
    """Whatever an item answers for, known findings stop nothing, and a new one does."""
    (tmp_path / "before").mkdir()
    before = _baseline(tmp_path / "before", mixed())
    again = audit(tmp_path, mixed(), before, NEW_ONLY, f"--cmek-group={group}")
    assert (again.code, set(_counts(again))) == (0, {"unchanged"})
    first = _baseline(tmp_path, compliant())
    changed = audit(tmp_path / "before", mixed(), first, NEW_ONLY, f"--cmek-group={group}")
    assert (changed.code, set(_counts(changed))) == (1, {"new"})


def test_several_processes_know_the_baseline(tmp_path: Path, before: str) -> None:
    """Spread over two processes, what is known is known in each of them."""
    made = audit(tmp_path, unpaid(), before, NEW_ONLY, "-n2", "-v", plugins=XDIST)
    assert (made.code, _counts(made)) == (0, {"unchanged": 1})
    assert " KNOWN" in made.out


def test_the_baseline_is_reported_at_the_start(tmp_path: Path, before: str) -> None:
    """The first lines say with which audit this one is compared."""
    made = audit(tmp_path, unpaid(), before, "--collect-only")
    path = before.partition("=")[2]
    assert f"baseline: {path}/audit.json, as of {EARLIER}" in made.out.splitlines()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ([NEW_ONLY], "--cmek-fail-on-new: found no --cmek-baseline"),
        (["--cmek-baseline=acme-nothing"], "acme-nothing: found No such file or directory"),
    ],
)
def test_an_unusable_baseline_ends_the_run(tmp_path: Path, options: list[str], words: str) -> None:
    """Without a usable baseline there is no audit, and no earlier one is left in its place."""
    audit(tmp_path, compliant())
    made = audit(tmp_path, compliant(), *options)
    assert (made.code, made.left) == (4, {"previous"})
    assert words in made.out
    assert "Traceback" not in made.out


@pytest.mark.parametrize("more", [[], ["--cmek-as-of=never"]], ids=["alone", "with-a-mistake"])
def test_a_baseline_is_never_removed(tmp_path: Path, more: list[str]) -> None:
    """A baseline in the report folder ends the run, and stays there to the byte."""
    made = audit(tmp_path, unpaid(), f"--cmek-as-of={EARLIER}", formats=ALL)
    left, held = made.left, _bytes(made.folder)
    again = audit(tmp_path, unpaid(), f"--cmek-baseline={made.folder}", *more, formats=ALL)
    assert (again.code, again.left) == (4, ALL_FILES & left)
    assert _bytes(made.folder) == held


def _bytes(folder: Path) -> dict[Path, bytes]:
    return {file: file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def test_a_baseline_may_stand_in_the_settings(tmp_path: Path, before: str) -> None:
    """Both options have their twins in the ini file."""
    inventory = saved(tmp_path, unpaid())
    made = run(
        f"--cmek-inventory={inventory}",
        f"--cmek-as-of={AS_OF}",
        f"--cmek-report-dir={tmp_path / 'r'}",
        "--cmek-formats=json",
        f"-ocmek_baseline={before.partition('=')[2]}",
        "-ocmek_fail_on_new=true",
        folder=tmp_path / "r",
    )
    assert (made.code, _counts(made)) == (0, {"unchanged": 1})


def test_a_planned_region_that_is_deployed_stops(tmp_path: Path) -> None:
    """A region without a key that was known as planned is no known one once it is deployed."""
    one = {"name": "us-east-1", "added_at": "2026-06-01T00:00:00Z"}
    planned = [one, {"name": "us-east-2", "state": "planned"}]
    deployed = [one, {"name": "us-east-2", "added_at": "2026-11-19T00:00:00Z"}]
    (tmp_path / "before").mkdir()
    made = [
        compliant(databases=[database_data(regions=regions)]) for regions in (planned, deployed)
    ]
    before = _baseline(tmp_path / "before", made[0])
    (tmp_path / "again").mkdir()
    assert audit(tmp_path / "again", made[0], before, NEW_ONLY).code == 0
    found = audit(tmp_path, made[1], before, NEW_ONLY)
    assert (found.code, _counts(found)) == (1, {"worsened": 3, "superseded": 3})


@pytest.mark.parametrize("more", [[], ["--cmek-as-of=never"]], ids=["alone", "with-a-mistake"])
@pytest.mark.parametrize("link", [Path.symlink_to, Path.hardlink_to], ids=["symbolic", "hard"])
@pytest.mark.parametrize("linked", [["audit.json"], ["findings.ndjson"], sorted(RECORD)])
def test_a_baseline_of_links_is_never_emptied(
    tmp_path: Path, linked: list[str], link: Callable[[Path, Path], None], more: list[str]
) -> None:
    """A baseline whose files are links into the report folder ends the run; every byte stays."""
    made = audit(tmp_path, unpaid(), f"--cmek-as-of={EARLIER}")
    held = {entry.name: entry.read_bytes() for entry in made.folder.iterdir()}
    (tmp_path / "elsewhere").mkdir()
    for name in RECORD:
        place = tmp_path / "elsewhere" / name
        link(place, made.folder / name) if name in linked else place.write_bytes(held[name])
    given = f"--cmek-baseline={tmp_path / 'elsewhere' / 'audit.json'}"
    again = audit(tmp_path, unpaid(), given, *more)
    assert again.code == 4
    assert more or "--cmek-baseline: found " in again.out
    assert {entry.name: entry.read_bytes() for entry in made.folder.iterdir()} == held
    kept = {entry.name: entry.read_bytes() for entry in (tmp_path / "elsewhere").iterdir()}
    assert kept == {name: held[name] for name in RECORD}


@pytest.mark.parametrize(
    "option", ["plan", "state", "history", "waivers", "controls", "live", "inventory"]
)
@pytest.mark.parametrize("more", [[], ["--cmek-as-of=never"]], ids=["alone", "with-a-mistake"])
def test_no_input_is_removed(tmp_path: Path, option: str, more: list[str]) -> None:
    """An input of any kind that is a link to a file of the report folder stays as it is."""
    made = audit(tmp_path, unpaid(), f"--cmek-as-of={EARLIER}")
    held = {entry.name: entry.read_bytes() for entry in made.folder.iterdir()}
    (tmp_path / "x.json").symlink_to(made.folder / "audit.json")
    again = audit(tmp_path, unpaid(), f"--cmek-{option}={tmp_path / 'x.json'}", *more)
    assert again.code == 4
    assert more or f"--cmek-{option}: found {tmp_path / 'x.json'}, which is the same" in again.out
    assert {entry.name: entry.read_bytes() for entry in made.folder.iterdir()} == held
