"""An audit in shards is the audit: the same bytes, whoever judged, and in whatever order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import strategies as st

from cmek_audit.execution.sharded import NotDivisibleError
from cmek_audit.run.audit import run_audit
from inventory import inventory_parts
from inventory.conversion import convert
from inventory.system.executors import ExecutorSetting
from tests.builders import (
    a_database,
    a_key,
    an_organization,
    aws_key_id,
    moment,
    uuid,
    write_json,
    write_text,
)
from tests.checks.strategies import organizations
from tests.cmek_audit.execution.audits import (
    PROCESSES,
    audited,
    die_at_second,
    die_once,
    findings_of,
    in_shards,
    options_of,
    run_out_of_memory,
    save_fleet,
)
from tests.cmek_audit.run.test_audit import OWN_RUN
from tests.hypothesis_profile import examples
from tests.wiring.runs import waiver_data

if TYPE_CHECKING:
    from pathlib import Path

    from cmek_audit.run.option_values import Options
    from inventory.model.organization import Organization

EARLIER = moment("2026-11-01T02:00:00Z")
FLEETS = st.tuples(*(organizations(number) for number in range(1, 6)))


@pytest.fixture(autouse=True)
def _small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inventory_parts, "LEAST_BYTES", 1)


@pytest.fixture(scope="module")
def fleet() -> list[Organization]:
    return [
        an_organization(
            id=uuid(number),
            name=f"acme-{number}",
            keys=[a_key(key_id=aws_key_id(number=number))],
            databases=[a_database(id=uuid(100 + number))],
        )
        for number in range(1, 9)
    ]


# --- the same bytes -------------------------------------------------------------------------------


@st.composite
def _around(draw: st.DrawFn, folder: Path, fleet: tuple[Organization, ...]) -> dict[str, object]:
    """Draw what an audit of ``fleet`` is compared with, and which of its failures are accepted."""
    options: dict[str, object] = {
        "group": draw(st.sampled_from(["auto", "subject", "organization", "rule"]))
    }
    if draw(st.booleans()):
        earlier = [one.model_copy(update={"captured_at": None}) for one in draw(FLEETS)[:3]]
        options["history"] = (save_fleet(folder, earlier, EARLIER, "earlier"),)
    if draw(st.booleans()):
        before = save_fleet(folder, draw(FLEETS)[1:], EARLIER, "before")
        over = {"as_of": "2026-11-20T12:00:00Z", "report_dir": str(folder / "b"), "formats": "json"}
        run_audit(options_of(folder, before, **over), lambda _: OWN_RUN)
        options["baseline"] = str(folder / "b")
    failing = [
        finding
        for finding in findings_of(audited(folder / "first", _options(folder, fleet, options)))
        if "cause" in finding
    ]
    accepted = (
        draw(st.lists(st.sampled_from(failing), max_size=3, unique_by=_target)) if failing else []
    )
    if accepted:
        entries = [
            waiver_data(
                id=f"W-{number}",
                rule=finding["rule"],
                subject=finding["subject"]["path"],
                cause=finding["cause"],
            )
            for number, finding in enumerate(accepted)
        ]
        data = {"cmek-waivers": 1, "waivers": entries}
        options["waivers"] = (write_json(folder / "waivers.json", data),)
    return options


def _target(finding: dict[str, Any]) -> tuple[str, str, str]:
    return finding["rule"], finding["subject"]["path"], finding["cause"]


def _options(folder: Path, fleet: tuple[Organization, ...], options: dict[str, object]) -> Options:
    return options_of(folder, save_fleet(folder, fleet), **options)


@examples(100, HealthCheck.function_scoped_fixture, HealthCheck.too_slow)
@given(data=st.data(), fleet=FLEETS, jobs=st.integers(1, 3))
def test_shards_come_to_what_the_whole_comes_to(
    tmp_path_factory: pytest.TempPathFactory,
    data: st.DataObject,
    fleet: tuple[Organization, ...],
    jobs: int,
) -> None:
    """Whatever fleet, history, baseline and waivers are, and in whatever order shards end."""
    folder = tmp_path_factory.mktemp("audit")
    options = _options(folder, fleet, data.draw(_around(folder, fleet)))
    setting = ExecutorSetting("serial", jobs)
    found = in_shards(
        folder / "shards", options, setting, lambda some: data.draw(st.permutations(some))
    )
    assert found == audited(folder / "whole", options)


def test_shards_of_parquet_come_to_what_the_folder_comes_to(
    tmp_path: Path, fleet: list[Organization]
) -> None:
    """A folder of Parquet is judged in shards, too, with the same bytes."""
    convert(save_fleet(tmp_path, fleet), str(tmp_path / "parquet"), 3)
    options = options_of(tmp_path, str(tmp_path / "parquet"))
    assert in_shards(tmp_path / "2", options) == audited(tmp_path / "1", options)


def test_processes_come_to_what_one_comes_to(tmp_path: Path, fleet: list[Organization]) -> None:
    """Two real processes find what one finds, byte for byte."""
    options = options_of(tmp_path, save_fleet(tmp_path, fleet))
    assert in_shards(tmp_path / "2", options, PROCESSES) == audited(tmp_path / "1", options)


def test_a_process_that_is_lost_costs_nothing_but_time(
    tmp_path: Path, fleet: list[Organization]
) -> None:
    """A shard whose process was killed is judged by another one."""
    options = options_of(tmp_path, save_fleet(tmp_path, fleet))
    found = in_shards(tmp_path / "2", options, PROCESSES, work=die_once)
    assert found == audited(tmp_path / "1", options)


def test_a_shard_that_ends_every_process_is_inconclusive(
    tmp_path: Path, fleet: list[Organization]
) -> None:
    """Nothing passes of what nobody could judge; all other organizations are judged."""
    options = options_of(tmp_path, save_fleet(tmp_path, fleet))
    whole = findings_of(audited(tmp_path / "1", options))
    found = findings_of(in_shards(tmp_path / "2", options, PROCESSES, work=die_at_second))
    lost = {
        finding["subject"]["organization"]
        for finding in found
        if finding.get("cause", "").startswith("not-judged")
    } - {""}
    assert lost == {fleet[1].id, fleet[2].id}
    of_lost = [one for one in found if one["subject"]["organization"] in lost]
    assert {one["status"] for one in of_lost} <= {"inconclusive", "not-applicable"}
    assert {one["rule"] for one in of_lost if one["status"] == "inconclusive"} >= {
        one["rule"]
        for one in whole
        if one["subject"]["organization"] in lost and one["status"] == "pass"
    }
    assert [one for one in found if one["subject"]["organization"] not in {*lost, ""}] == [
        one for one in whole if one["subject"]["organization"] not in {*lost, ""}
    ]


def test_what_fails_in_a_shard_fails(tmp_path: Path, fleet: list[Organization]) -> None:
    """A process that is out of memory, and not lost, ends the audit as it would without shards."""
    options = options_of(tmp_path, save_fleet(tmp_path, fleet))
    with pytest.raises(MemoryError):
        in_shards(tmp_path / "2", options, PROCESSES, work=run_out_of_memory)


def test_a_mistake_in_any_shard_is_left_to_one_reader(
    tmp_path: Path, fleet: list[Organization]
) -> None:
    """Shards report no mistakes: whoever reads all of the file does, with its lines."""
    file = save_fleet(tmp_path, fleet)
    text = (tmp_path / "fleet.ndjson").read_text()
    write_text(tmp_path / "fleet.ndjson", text.replace('"acme-5"', "5"))
    with pytest.raises(NotDivisibleError):
        in_shards(tmp_path / "2", options_of(tmp_path, file))


def test_a_mistake_between_shards_is_left_to_one_reader(
    tmp_path: Path, fleet: list[Organization]
) -> None:
    """An organization in two shards is known once these are put together."""
    file = save_fleet(tmp_path, [*fleet, fleet[0]])
    with pytest.raises(NotDivisibleError):
        in_shards(tmp_path / "2", options_of(tmp_path, file))
