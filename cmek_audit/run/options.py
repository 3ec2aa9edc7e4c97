"""The suite's options: one table for pytest's command line, its ini twins, and the docs."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal, NamedTuple, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError

from checks.engine.card import Severity
from checks.engine.context import LIVE_MAX_AGE, RECORDED_MAX_AGE, Kms
from checks.engine.grouping import GroupingSetting
from inventory.errors import SettingError

Format = Literal["json", "html", "results", "junit", "markdown", "sarif"]
FORMATS: tuple[Format, ...] = get_args(Format)


class Option(NamedTuple):
    """One option.

    Attributes:
        name: without ``--cmek-``; the ini twin is ``cmek_`` and the same with underscores.
        kind: ``paths`` and ``texts`` may be given repeatedly, ``flag`` takes no value.
        metavar: what the help shows as value.
        help: what it does, with its default.
    """

    name: str
    kind: Literal["paths", "path", "texts", "text", "flag"]
    metavar: str
    help: str

    @property
    def flag(self) -> str:
        """Return the name on the command line."""
        return f"--cmek-{self.name}"

    @property
    def ini(self) -> str:
        """Return the name in the ini file."""
        return f"cmek_{self.name.replace('-', '_')}"


OPTIONS = (
    Option(
        "inventory",
        "paths",
        "PATH",
        "a recorded inventory (.yaml, .yml, .json, .ndjson) or an evidence bundle; repeatable, all "
        "of one moment. Without any, the bundled example is audited",
    ),
    Option(
        "live",
        "path",
        "ORGANIZATIONS",
        "read the organizations of this file (.yaml, .yml, .json) from Astra and audit them; env: "
        "the one organization of the token in ASTRA_API_TOKEN",
    ),
    Option(
        "evidence-dir",
        "path",
        "DIR",
        "where a live audit puts its evidence bundle; default: audit-evidence",
    ),
    Option(
        "plan",
        "paths",
        "[NAME=]PATH",
        "planned databases (.yaml, .yml, .json), or a plan of Terraform as 'terraform show -json "
        "FILE' prints it (.json), with a name where two have the same addresses; repeatable",
    ),
    Option(
        "state",
        "paths",
        "PATH",
        "a state of Terraform as 'terraform show -json' prints it (.json): what it believes to "
        "exist is compared with the inventory; repeatable",
    ),
    Option(
        "terraform-organization",
        "texts",
        "[[NAME#]PROVIDER=]ID",
        "the organization whose token a Terraform configuration uses, if the plan does not tell; "
        "with several, each with its provider's key, such as astra.eu=ID, and with its plan's "
        "name, such as prod#astra=ID; repeatable",
    ),
    Option(
        "terraform-source",
        "path",
        "DIR",
        "the folder of the Terraform configuration, so that findings lead to its file and line",
    ),
    Option(
        "history",
        "paths",
        "PATH",
        "an inventory recorded earlier, dated by its captured_at, an evidence bundle, or a folder "
        "of bundles; repeatable",
    ),
    Option("waivers", "paths", "PATH", "a file of waivers (.yaml, .yml, .json); repeatable"),
    Option(
        "baseline",
        "path",
        "AUDIT",
        "the audit.json of an earlier audit, to tell what is new, fixed, unchanged or reopened",
    ),
    Option(
        "fail-on-new",
        "flag",
        "",
        "stop only for what the baseline does not have; a check that broke always stops",
    ),
    Option("no-waivers", "flag", "", "judge as if there were no waivers"),
    Option(
        "as-of",
        "text",
        "TIME",
        "the time of judgement, such as 2026-11-20T02:00:00Z; default: now (for a bundled "
        "example: its own time)",
    ),
    Option(
        "max-age",
        "text",
        "DURATION",
        "how old a record may be, such as 24h or 30d; default: 30d, for a live audit 24h",
    ),
    Option(
        "fail-on",
        "text",
        "SEVERITY",
        "the mildest severity that stops: critical, high, medium, low or advisory; default: low",
    ),
    Option(
        "allow-inconclusive",
        "flag",
        "",
        "do not stop for what could not be judged; it is shown all the same",
    ),
    Option("report-dir", "path", "DIR", "where the reports go; default: audit-report"),
    Option(
        "formats",
        "text",
        "LIST",
        "which reports to write beside json: html, results, junit, markdown, sarif; default: all",
    ),
    Option(
        "group",
        "text",
        "MODE",
        "what one test item answers for: subject, organization, rule or auto, the finest with at "
        "most 500 items; default: auto",
    ),
    Option(
        "kms",
        "text",
        "MODE",
        "recorded: judge by recorded facts of the clouds' key management; none: leave them out, so "
        "that only attestations count; default: recorded",
    ),
    Option("controls", "path", "PATH", "control ids instead of the bundled ones"),
)


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


def _list(value: object) -> object:
    if isinstance(value, str):
        return tuple(dict.fromkeys(["json", *filter(None, re.split(r"[\s,]+", value))]))
    return value


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
    formats: Annotated[tuple[Format, ...], BeforeValidator(_list)] = FORMATS
    group: GroupingSetting = "auto"
    kms: Kms = "recorded"
    controls: str | None = None

    @property
    def oldest(self) -> timedelta:
        """Return how old a record may be."""
        return self.max_age or (LIVE_MAX_AGE if self.live else RECORDED_MAX_AGE)


def parse_options(values: dict[str, Any]) -> Options:
    """Check ``values``, by field name; raise SettingError that names each unusable option."""
    try:
        options = Options.model_validate(values)
    except ValidationError as error:
        details = error.errors(include_url=False)
        raise SettingError(
            "\n".join(_complaint(detail["loc"], detail) for detail in details)
        ) from None
    if options.fail_on_new and not options.baseline:
        raise SettingError("--cmek-fail-on-new: found no --cmek-baseline, expected one with it")
    return options


def _complaint(loc: tuple[int | str, ...], detail: Any) -> str:  # noqa: ANN401 (pydantic's dict)
    name = str(loc[0]).replace("_", "-")
    expected = re.sub(r"^(Value error, |Input should be )", "", detail["msg"])
    return f"--cmek-{name}: found {detail['input']!r}, expected {expected}"
