"""The values of all options, checked."""

from __future__ import annotations

import os
import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from checks.engine.card import Severity
from checks.engine.context import LIVE_MAX_AGE, MOST_ROTATION_DAYS, RECORDED_MAX_AGE, Kms
from checks.engine.grouping import GroupingSetting
from cmek_audit.clouds_option import KmsWord, clouds_to_ask, split_words
from inventory.errors import SettingError
from inventory.files.suggestions import did_you_mean
from inventory.system.executors import ExecutorSetting, parse_executor
from reports.formats.registry import DEFAULT, EXPORTED, WRITABLE

if TYPE_CHECKING:
    Format = str
else:
    Format = Literal[WRITABLE]


def _time(value: object) -> object:
    if not isinstance(value, str):
        return value
    message = "a time with its zone, such as 2026-11-20T02:00:00Z"
    try:
        time = datetime.fromisoformat(value)
        if time.tzinfo is not None:
            return time.astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError(message) from None
    raise ValueError(message)


def _duration(value: object) -> object:
    if not isinstance(value, str):
        return value
    match = re.fullmatch(r"([1-9][0-9]{0,4})([hd])", value)
    if not match:
        message = "a number of hours or days, such as 24h or 30d"
        raise ValueError(message)
    return timedelta(**{"hours" if match[2] == "h" else "days": int(match[1])})


def _rotation_days(value: object) -> object:
    if not isinstance(value, str):
        return value
    match = re.fullmatch(r"[1-9][0-9]{0,3}", value)
    if not match or int(value) > MOST_ROTATION_DAYS:
        message = f"a number of days from 1 to {MOST_ROTATION_DAYS}"
        raise ValueError(message)
    return int(value)


def _jobs(value: object) -> object:
    if not isinstance(value, str):
        return value
    if value in {"auto", "0"}:
        return os.cpu_count() or 1
    if not re.fullmatch(r"[1-9][0-9]{0,3}", value):
        message = "a number of processes from 1 to 9999, or auto for one a processor"
        raise ValueError(message)
    return int(value)


def _list(value: object) -> object:
    if isinstance(value, str):
        return tuple(dict.fromkeys(["json", *filter(None, re.split(r"[\s,]+", value))]))
    return value


def _executor(value: object) -> object:
    if not isinstance(value, str):
        return value
    if setting := parse_executor(value):
        return setting
    message = "serial, processes, or dask= with the address of a scheduler"
    raise ValueError(message)


class Share(NamedTuple):
    """Which shards a run judges: the share ``number`` of so many.

    A run that merges judges none, and puts all of them together: it has the number 0.
    """

    number: int
    of: int

    @property
    def merges(self) -> bool:
        """Return whether the run puts together what others have judged."""
        return self.number == 0

    def __str__(self) -> str:
        """Render as the option states it."""
        return "merge" if self.merges else f"{self.number}/{self.of}"


MERGE = Share(0, 0)


def _share(value: object) -> object:
    if not isinstance(value, str):
        return value
    if value == str(MERGE):
        return MERGE
    match = re.fullmatch(r"([1-9][0-9]{0,3})/([1-9][0-9]{0,3})", value)
    if not match or int(match[1]) > int(match[2]):
        message = "I/N, such as 2/8 for the second of eight shares, or merge"
        raise ValueError(message)
    return Share(int(match[1]), int(match[2]))


class Options(BaseModel):
    """The values of all options, checked; times in UTC."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    inventory: tuple[str, ...] = ()
    live: str | None = None
    evidence_dir: str = "audit-evidence"
    plan: tuple[str, ...] = ()
    state: tuple[str, ...] = ()
    terraform_organization: tuple[str, ...] = ()
    terraform_source: str | None = None
    history: tuple[str, ...] = ()
    waivers: tuple[str, ...] = ()
    baseline: str | None = None
    fail_on_new: bool = False
    no_waivers: bool = False
    as_of: Annotated[datetime | None, BeforeValidator(_time)] = None
    max_age: Annotated[timedelta | None, BeforeValidator(_duration)] = None
    fail_on: Severity = "low"
    allow_inconclusive: bool = False
    report_dir: str = "audit-report"
    formats: Annotated[tuple[Format, ...], BeforeValidator(_list)] = DEFAULT
    group: GroupingSetting = "auto"
    executor: Annotated[ExecutorSetting | None, BeforeValidator(_executor)] = None
    kms: Annotated[tuple[KmsWord, ...], BeforeValidator(split_words), Field(min_length=1)] = (
        "recorded",
    )
    clouds: str | None = None
    rotation_days: Annotated[int | None, BeforeValidator(_rotation_days)] = None
    controls: str | None = None
    framework: tuple[str, ...] = ()
    jobs: Annotated[int | None, BeforeValidator(_jobs)] = None
    shard_dir: str | None = None
    shard: Annotated[Share | None, BeforeValidator(_share)] = None
    sign_key: str | None = None

    @property
    def judged_on(self) -> ExecutorSetting:
        """Return where the shards of the audit are judged."""
        if self.executor:
            return self.executor._replace(jobs=self.jobs or self.executor.jobs)
        jobs = self.jobs or 1
        return ExecutorSetting("serial" if jobs == 1 else "processes", jobs)

    @property
    def read_on(self) -> ExecutorSetting | None:
        """Return where a live audit reads organizations; None for what is worth while."""
        return self.judged_on if self.executor else None

    @property
    def asks_clouds(self) -> bool:
        """Return whether the options name clouds to ask."""
        return bool(clouds_to_ask(self.kms))

    @property
    def judged_kms(self) -> Kms:
        """Return whether the facts of the clouds count, once they are recorded."""
        return "none" if self.kms == ("none",) else "recorded"

    @property
    def oldest(self) -> timedelta:
        """Return how old a record may be."""
        return self.max_age or (LIVE_MAX_AGE if self.live else RECORDED_MAX_AGE)


def parse_options(values: dict[str, Any]) -> Options:
    """Check ``values``, by field name; raise SettingError that names each unusable option."""
    options = check_each(values)
    for row in EXPORTED:
        if row.name in options.formats and row.without_library:
            raise SettingError(f"--cmek-formats: {row.without_library}")
    if options.fail_on_new and not options.baseline:
        raise SettingError("--cmek-fail-on-new: found no --cmek-baseline, expected one with it")
    if options.terraform_source and not options.plan:
        raise SettingError(
            "--cmek-terraform-source: found no --cmek-plan, expected a plan of Terraform with it"
        )
    if options.executor and options.executor.kind != "processes" and options.jobs:
        raise SettingError(
            f"--cmek-jobs: found --cmek-executor={options.executor.kind} beside it, expected "
            "processes: a cluster has as many as it has"
        )
    if options.clouds and (options.live or not options.asks_clouds):
        found = "--cmek-live" if options.live else "no cloud in --cmek-kms"
        raise SettingError(
            f"--cmek-clouds: found {found}, expected clouds to ask, and no other file"
        )
    if options.sign_key and options.shard and not options.shard.merges:
        raise SettingError(
            f"--cmek-sign-key: found --cmek-shard={options.shard}, which writes no report, "
            "expected it with the merge"
        )
    _check_shards(options)
    return options


def check_each(values: dict[str, Any]) -> Options:
    """Check each of ``values`` by itself; raise SettingError that names each unusable option."""
    try:
        return Options.model_validate(values)
    except ValidationError as error:
        details = error.errors(include_url=False)
        raise SettingError(
            "\n".join(_complaint(detail["loc"], detail) for detail in details)
        ) from None


def _check_shards(options: Options) -> None:
    """Raise SettingError if shards are to be kept that no other run can use, or to be nowhere."""
    name = "--cmek-shard" if options.shard else "--cmek-shard-dir"
    if options.shard and options.shard_dir is None:
        raise SettingError(f"{name}: found no --cmek-shard-dir, expected one with it")
    if options.shard_dir is None:
        return
    found = ""
    if options.live or options.asks_clouds:
        found = "--cmek-live" if options.live else "clouds to ask"
    elif options.shard and not options.inventory:
        found = "no inventory"
    if found:
        raise SettingError(f"{name}: found {found}, expected recorded inventories alone")


def _complaint(loc: tuple[int | str, ...], detail: Any) -> str:  # noqa: ANN401 (pydantic's dict)
    name = str(loc[0]).replace("_", "-")
    expected = re.sub(r"^(Value error, |Input should be )", "", detail["msg"])
    # pydantic names the words of a choice in one text.
    words = re.findall(r"'([^']+)'", detail.get("ctx", {}).get("expected", ""))
    found = detail["input"]
    hint = did_you_mean(found, words) if isinstance(found, str) else ""
    return f"--cmek-{name}: found {found!r}, expected {expected}{hint}"
