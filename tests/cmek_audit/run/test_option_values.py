"""The values of all options: what is taken, what is refused, and in which words."""

from __future__ import annotations

import os
from datetime import UTC, timedelta

import pytest

from cmek_audit.run.option_values import Options, parse_options
from cmek_audit.run.options import OPTIONS
from inventory.errors import SettingError
from inventory.system.executors import ExecutorSetting
from reports.formats.registry import DEFAULT, WRITABLE
from tests.builders import moment


def test_every_option_has_a_value_of_its_name() -> None:
    """The options on offer are exactly those whose values are checked."""
    assert {option.name.replace("-", "_") for option in OPTIONS} == set(Options.model_fields)


def test_the_defaults_are_the_documented_ones() -> None:
    """Without any option advisories do not stop, the inconclusive does, and waivers count."""
    assert parse_options({}).model_dump() == {
        "inventory": (),
        "live": None,
        "evidence_dir": "audit-evidence",
        "plan": (),
        "state": (),
        "terraform_organization": (),
        "terraform_source": None,
        "history": (),
        "waivers": (),
        "baseline": None,
        "fail_on_new": False,
        "no_waivers": False,
        "as_of": None,
        "max_age": None,
        "fail_on": "low",
        "allow_inconclusive": False,
        "report_dir": "audit-report",
        "formats": DEFAULT,
        "group": "auto",
        "executor": None,
        "kms": ("recorded",),
        "clouds": None,
        "rotation_days": None,
        "controls": None,
        "framework": (),
        "jobs": None,
        "shard_dir": None,
        "shard": None,
        "sign_key": None,
    }


@pytest.mark.parametrize(("text", "jobs"), [("1", 1), ("12", 12), ("auto", None), ("0", None)])
def test_jobs_are_a_number_or_one_a_processor(text: str, jobs: int | None) -> None:
    """Several jobs are several processes; one is this process."""
    found = parse_options({"jobs": text}).judged_on
    count = jobs or os.cpu_count() or 1
    assert found == ExecutorSetting("serial" if count == 1 else "processes", count)


@pytest.mark.parametrize("text", ["-1", "1.5", "many", "00", "10000", ""])
def test_other_jobs_are_refused(text: str) -> None:
    """What is no number of processes is refused with what is expected."""
    with pytest.raises(SettingError, match=r"found .*, expected a number of processes"):
        parse_options({"jobs": text})


@pytest.mark.parametrize(("text", "share"), [("1/1", (1, 1)), ("2/8", (2, 8)), ("merge", (0, 0))])
def test_a_share_is_one_of_several(text: str, share: tuple[int, int]) -> None:
    """A share reads as it is written."""
    given = {"shard": text, "shard_dir": "s", "inventory": ("a.yaml",)}
    found = parse_options(given).shard
    assert found is not None
    assert (tuple(found), str(found), found.merges) == (share, text, share[0] == 0)


@pytest.mark.parametrize("text", ["0/1", "2/1", "1", "1/", "a/b", "1/10000", "-1/2"])
def test_other_shares_are_refused(text: str) -> None:
    """What is no share is refused with what is expected."""
    with pytest.raises(SettingError, match=r"--cmek-shard: found .*, expected I/N, such"):
        parse_options({"shard": text, "shard_dir": "s", "inventory": ("a.yaml",)})


@pytest.mark.parametrize(
    ("over", "found"),
    [
        ({"shard_dir": None}, "no --cmek-shard-dir"),
        ({"inventory": None}, "no inventory"),
        ({"live": "o.yaml"}, "--cmek-live"),
        ({"kms": "auto"}, "clouds to ask"),
    ],
)
def test_a_share_needs_what_all_shares_have(over: dict[str, object], found: str) -> None:
    """A share is of recorded inventories, which every run can read, and is kept in a folder."""
    given = {"shard": "1/2", "shard_dir": "s", "inventory": ("a.yaml",)} | over
    with pytest.raises(SettingError, match=f"--cmek-shard: found {found}, expected"):
        parse_options({name: value for name, value in given.items() if value is not None})


def test_live_facts_age_sooner() -> None:
    """A record counts for thirty days, one made now for one, unless the audit is told otherwise."""
    live = {"live": "organizations.yaml"}
    assert [parse_options(each).oldest for each in ({}, live)] == [
        timedelta(days=30),
        timedelta(hours=24),
    ]
    shown = [parse_options(each | {"max_age": "7d"}).oldest for each in ({}, live)]
    assert shown == [timedelta(days=7)] * 2


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("2026-11-20T02:00:00Z", "2026-11-20T02:00:00Z"),
        ("2026-11-20T02:00:00+02:00", "2026-11-20T00:00:00Z"),
        ("2026-11-20 02:00:00.5-01:00", "2026-11-20T03:00:00.500000Z"),
    ],
)
def test_times_have_a_zone_and_are_turned_to_utc(text: str, time: str) -> None:
    """The time of judgement is kept in UTC, whatever zone it was given in."""
    as_of = parse_options({"as_of": text}).as_of
    assert as_of == moment(time)
    assert as_of is not None
    assert as_of.tzinfo is UTC


@pytest.mark.parametrize(
    ("text", "duration"),
    [
        ("1h", timedelta(hours=1)),
        ("24h", timedelta(hours=24)),
        ("30d", timedelta(days=30)),
        ("99999d", timedelta(days=99_999)),
    ],
)
def test_durations_are_hours_or_days(text: str, duration: timedelta) -> None:
    """How old a record may be is reported in hours or days."""
    assert parse_options({"max_age": text}).max_age == duration


@pytest.mark.parametrize(
    ("text", "formats"),
    [
        ("html", ("json", "html")),
        ("html,junit", ("json", "html", "junit")),
        (" html , results\njunit html", ("json", "html", "results", "junit")),
        ("json", ("json",)),
        (" ", ("json",)),
    ],
)
def test_formats_are_a_list_beside_json(text: str, formats: tuple[str, ...]) -> None:
    """The record is always written; other formats are named once each, by commas or spaces."""
    assert parse_options({"formats": text}).formats == formats


@pytest.mark.parametrize(
    ("text", "setting"),
    [
        ("serial", ExecutorSetting()),
        ("dask=tcp://127.0.0.1:8786", ExecutorSetting("dask", address="tcp://127.0.0.1:8786")),
    ],
)
def test_executors_are_named(text: str, setting: ExecutorSetting) -> None:
    """Where an audit runs is named by a word, or by the address of a scheduler."""
    assert parse_options({"executor": text}).executor == setting
    assert parse_options({"executor": setting}).executor == setting


CLUSTER = "dask=127.0.0.1:8786"


@pytest.mark.parametrize(
    ("given", "judging", "reading"),
    [
        ({}, ExecutorSetting(), None),
        ({"jobs": "1"}, ExecutorSetting(), None),
        ({"jobs": "3"}, ExecutorSetting("processes", 3), None),
        (
            {"jobs": "3", "executor": "processes"},
            ExecutorSetting("processes", 3),
            ExecutorSetting("processes", 3),
        ),
        ({"executor": "serial"}, ExecutorSetting(), ExecutorSetting()),
        (
            {"executor": CLUSTER},
            ExecutorSetting("dask", 1, "127.0.0.1:8786"),
            ExecutorSetting("dask", 1, "127.0.0.1:8786"),
        ),
    ],
)
def test_where_an_audit_runs(
    given: dict[str, str], judging: ExecutorSetting, reading: ExecutorSetting | None
) -> None:
    """Several jobs are processes that judge; an executor reads a live inventory, too."""
    options = parse_options(given)
    assert (options.judged_on, options.read_on) == (judging, reading)


@pytest.mark.parametrize(("executor", "kind"), [("serial", "serial"), (CLUSTER, "dask")])
def test_jobs_are_of_processes(executor: str, kind: str) -> None:
    """A number of jobs is refused beside anything that decides it otherwise."""
    with pytest.raises(SettingError) as raised:
        parse_options({"executor": executor, "jobs": "2"})
    expected = "processes: a cluster has as many as it has"
    assert str(raised.value) == (
        f"--cmek-jobs: found --cmek-executor={kind} beside it, expected {expected}"
    )


TIME = "a time with its zone, such as 2026-11-20T02:00:00Z"
DURATION = "a number of hours or days, such as 24h or 30d"
DAYS = "a number of days from 1 to 2560"
EXECUTORS = "serial, processes, or dask= with the address of a scheduler"
LEVELS = "'critical', 'high', 'medium', 'low' or 'advisory'"


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("as-of", "yesterday", TIME),
        ("as-of", "2026-11-20", TIME),
        ("as-of", "2026-11-20T02:00:00", TIME),
        ("as-of", "2026-13-20T02:00:00Z", TIME),
        ("as-of", "0001-01-01T00:00:00+01:00", TIME),
        ("as-of", "9999-12-31T23:59:59-01:00", TIME),
        ("max-age", "30", DURATION),
        ("max-age", "0d", DURATION),
        ("max-age", "-1d", DURATION),
        ("max-age", "1.5d", DURATION),
        ("max-age", "30D", DURATION),
        ("max-age", "30d\n", DURATION),
        ("max-age", "1w", DURATION),
        ("max-age", "100000d", DURATION),
        ("fail-on", "severe", LEVELS),
        ("fail-on", "HIGH", f"{LEVELS}; did you mean 'high'?"),
        ("fail-on", "crit", f"{LEVELS}; did you mean 'critical'?"),
        ("group", "file", "'subject', 'organization', 'rule' or 'auto'"),
        ("executor", "threads", EXECUTORS),
        ("executor", "dask", EXECUTORS),
        ("executor", "dask=acme.example", EXECUTORS),
        ("kms", "awss", "'auto', 'recorded', 'none', 'aws', 'gcp' or 'azure'; did you mean 'aws'?"),
        ("kms", "all", "'auto', 'recorded', 'none', 'aws', 'gcp' or 'azure'"),
        ("kms", "auto,aws", "one word, or a list of aws, gcp, azure"),
        ("kms", " , ", "Value should have at least 1 item after validation, not 0"),
        ("rotation-days", "0", DAYS),
        ("rotation-days", "2561", DAYS),
        ("rotation-days", "-1", DAYS),
        ("rotation-days", "90d", DAYS),
        ("rotation-days", "٩٠", DAYS),
        ("rotation-days", "", DAYS),
    ],
)
def test_a_value_that_cannot_be_used_is_reported(name: str, value: str, expected: str) -> None:
    """A bad value is reported with its option, what was found and what was expected."""
    with pytest.raises(SettingError) as raised:
        parse_options({name.replace("-", "_"): value})
    assert str(raised.value) == f"--cmek-{name}: found {value!r}, expected {expected}"


@pytest.mark.parametrize(
    ("text", "words", "asks", "judged"),
    [
        ("recorded", ("recorded",), False, "recorded"),
        ("none", ("none",), False, "none"),
        ("auto", ("auto",), True, "recorded"),
        ("azure, aws,azure", ("aws", "azure"), True, "recorded"),
    ],
)
def test_clouds_are_asked_by_name(
    text: str, words: tuple[str, ...], judged: str, *, asks: bool
) -> None:
    """Clouds are named in whatever order; their facts count once they are recorded."""
    options = parse_options({"kms": text})
    assert (options.kms, options.asks_clouds, options.judged_kms) == (words, asks, judged)


@pytest.mark.parametrize("other", [{}, {"kms": "none"}, {"kms": "aws", "live": "b.yaml"}])
def test_a_file_of_clouds_is_for_recorded_audits_that_ask_them(other: dict[str, str]) -> None:
    """The file that says how clouds are asked is refused where it would say nothing."""
    with pytest.raises(SettingError, match=r"^--cmek-clouds: found "):
        parse_options({"clouds": "a.yaml"} | other)
    assert parse_options({"clouds": "a.yaml", "kms": "gcp"}).clouds == "a.yaml"


@pytest.mark.parametrize(("text", "days"), [("1", 1), ("90", 90), ("2560", 2560)])
def test_days_between_rotations(text: str, days: int) -> None:
    """The most days between two rotations are a whole number, as given or as read back."""
    assert parse_options({"rotation_days": text}).rotation_days == days
    assert parse_options({"rotation_days": days}).rotation_days == days


def test_a_gate_on_what_is_new_needs_a_baseline() -> None:
    """Without the audit that tells what is new, a gate on it is refused, and not left open."""
    assert parse_options({"fail_on_new": True, "baseline": "audit.json"}).fail_on_new
    with pytest.raises(SettingError) as raised:
        parse_options({"fail_on_new": True})
    shown = "--cmek-fail-on-new: found no --cmek-baseline, expected one with it"
    assert str(raised.value) == shown


def test_a_configuration_of_terraform_needs_a_plan() -> None:
    """A folder that no plan leads to would be ignored, so it is refused."""
    plan = {"plan": ("plan.json",)}
    assert parse_options({"terraform_source": "infra"} | plan).terraform_source == "infra"
    with pytest.raises(SettingError) as raised:
        parse_options({"terraform_source": "infra"})
    assert str(raised.value) == (
        "--cmek-terraform-source: found no --cmek-plan, expected a plan of Terraform with it"
    )


def test_each_unknown_format_is_reported() -> None:
    """In a list of formats, each unknown one is reported."""
    with pytest.raises(SettingError) as raised:
        parse_options({"formats": "picture html,docx"})
    *others, last = (f"'{name}'" for name in WRITABLE)
    expected = f"expected {', '.join(others)} or {last}"
    assert str(raised.value).splitlines() == [
        f"--cmek-formats: found 'picture', {expected}",
        f"--cmek-formats: found 'docx', {expected}",
    ]


def test_all_bad_values_are_reported_together() -> None:
    """Every option that cannot be used has a line of its own."""
    with pytest.raises(SettingError) as raised:
        parse_options({"as_of": "now", "max_age": "x", "kms": "y"})
    assert [line.partition(":")[0] for line in str(raised.value).splitlines()] == [
        "--cmek-as-of",
        "--cmek-max-age",
        "--cmek-kms",
    ]


def test_values_that_are_made_in_memory_are_taken_as_they_are() -> None:
    """A time, a duration and a tuple need no reading."""
    time, age = moment("2026-11-20T02:00:00Z"), timedelta(minutes=5)
    options = parse_options({"as_of": time, "max_age": age, "formats": ("json", "html")})
    assert (options.as_of, options.max_age, options.formats) == (time, age, ("json", "html"))


def test_a_share_cannot_be_signed() -> None:
    """A share of an audit writes no report, so a key with it is refused; the merge takes one."""
    given = {"shard_dir": "s", "inventory": ("a.yaml",), "sign_key": "key.pem"}
    with pytest.raises(SettingError, match="--cmek-sign-key: found --cmek-shard=1/2, which writes"):
        parse_options(given | {"shard": "1/2"})
    assert parse_options(given | {"shard": "merge"}).sign_key == "key.pem"
