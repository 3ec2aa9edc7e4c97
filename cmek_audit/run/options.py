"""The suite's options: one table for command lines, ini twins, settings files, variables, docs."""

from __future__ import annotations

from typing import Literal, NamedTuple

from reports.formats.registry import describe_choice


class Option(NamedTuple):
    """One option.

    Attributes:
        name: without ``--cmek-``, as in a settings file; the ini twin is ``cmek_`` and the same
            with underscores, the variable ``CMEK_`` and the same in capitals.
        kind: ``paths`` and ``texts`` may be given repeatedly, ``words`` are a list in one text,
            ``number`` may be a word instead, ``flag`` takes no value.
        metavar: what the help shows as value.
        help: what it does, with its default.
    """

    name: str
    kind: Literal["paths", "path", "texts", "text", "words", "number", "flag"]
    metavar: str
    help: str

    @property
    def flag(self) -> str:
        """Return the name on the command line."""
        return f"--cmek-{self.name}"

    @property
    def ini(self) -> str:
        """Return the name in the ini file."""
        return f"cmek_{self.field}"

    @property
    def weakens(self) -> bool:
        """Return whether it can let an audit pass that would stop without it."""
        return self.name in _WEAKENING

    @property
    def is_list(self) -> bool:
        """Return whether it may be given repeatedly."""
        return self.kind in {"paths", "texts"}

    @property
    def field(self) -> str:
        """Return the name in Python."""
        return self.name.replace("-", "_")

    @property
    def plain_flag(self) -> str:
        """Return the name on the command line of ``cmek-audit``."""
        return f"--{self.name}"

    @property
    def variable(self) -> str:
        """Return the name of the environment variable."""
        return f"CMEK_{self.field.upper()}"


_WEAKENING = frozenset(
    {
        *("waivers", "baseline", "fail-on-new", "as-of", "max-age", "fail-on"),
        *("allow-inconclusive", "kms", "rotation-days"),
    }
)

OPTIONS = (
    Option(
        "inventory",
        "paths",
        "PATH",
        "a recorded inventory (.yaml, .yml, .json, .ndjson, a folder of Parquet) or an evidence "
        "bundle; repeatable, all of one moment. Without any, the bundled example is audited",
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
        "the organization whose token a Terraform configuration uses, if no plan names it; "
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
        "an inventory recorded earlier, dated by its captured_at, an evidence bundle, the report "
        "of an earlier audit, for the trend, or a folder of these; repeatable",
    ),
    Option("waivers", "paths", "PATH", "a file of waivers (.yaml, .yml, .json); repeatable"),
    Option(
        "baseline",
        "path",
        "AUDIT",
        "the audit.json of an earlier audit, to show what is new, fixed, unchanged or reopened",
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
        "words",
        "LIST",
        describe_choice(),
    ),
    Option(
        "group",
        "text",
        "MODE",
        "what one test item answers for: subject, organization, rule or auto, the finest with at "
        "most 500 items; default: auto",
    ),
    Option(
        "executor",
        "text",
        "WHERE",
        "where a live audit reads organizations, and where an audit judges them: serial, in this "
        "process; processes, in several; dask=ADDRESS, on the workers of the Dask cluster whose "
        "scheduler has this address, such as tcp://127.0.0.1:8786. Default: processes for reading, "
        "as many as are worth their start",
    ),
    Option(
        "kms",
        "words",
        "MODE",
        "recorded: judge by recorded facts of the clouds' key management, and let a live audit ask "
        "the clouds that the organizations file names; aws, gcp, azure, or several of them: ask "
        "these about each key, registered or planned; auto: ask all for which the library is "
        "there; none: ask none, and leave recorded facts out, so that only attestations count; "
        "default: recorded",
    ),
    Option(
        "clouds",
        "path",
        "ORGANIZATIONS",
        "the organizations file (.yaml, .yml, .json) that says how an audit of recorded "
        "inventories asks the clouds: profiles, roles, projects and tenants",
    ),
    Option(
        "rotation-days",
        "number",
        "N",
        "the most days between two rotations of a key, 1 to 2560; default: it is enough that "
        "automatic rotation is on",
    ),
    Option("controls", "path", "PATH", "control ids instead of the bundled ones"),
    Option(
        "framework",
        "texts",
        "NAME",
        "show only this framework in the report's section by framework, such as 'NIST 800-53' or "
        "'SOC 2'; findings and verdict stay the same; repeatable. Default: all",
    ),
    Option(
        "jobs",
        "number",
        "N",
        "how many processes judge at the same time; auto: as many as there are processors; "
        "default: 1",
    ),
    Option(
        "shard-dir",
        "path",
        "DIR",
        "keep judged shards in this folder, so that an interrupted audit of the same inputs goes "
        "on from them; default: they are not kept",
    ),
    Option(
        "shard",
        "text",
        "I/N",
        "judge only this share of the shards, such as 2/8, keep them in --cmek-shard-dir, and "
        "write no report; the command merge puts all shares together, and reaches the verdict",
    ),
    Option(
        "sign-key",
        "path",
        "KEY",
        "sign the report with this private key, Ed25519 in PEM, whose passphrase is in "
        "CMEK_SIGN_PASSPHRASE; needs pip install 'cmek-audit[sign]'; default: it is not signed",
    ),
)
