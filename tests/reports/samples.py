"""Inventories to audit, an audit of them without pytest, and a reader of the page it writes."""

from __future__ import annotations

import json
from contextlib import closing
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any, NamedTuple

from cmek_audit.run.audit import begin_report, conclude, draft_audit, publish
from cmek_audit.run.option_values import parse_options
from cmek_audit.run.preparation import prepare
from reports.presentation.selection import FindingSelector

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from cmek_audit.run.option_values import Options
    from reports.model.head import Head, RuleEntry
    from reports.presentation.selection import PageLimits, Selection

    Entry = dict[str, Any]

AS_OF = "2026-11-21T00:00:00Z"
EVIL = '<img src=x onerror="window.__pwned=1">'
RUN: Any = {
    "started": "2026-11-21T00:00:00Z",
    "ended": "2026-11-21T00:00:01Z",
    "actor": "ci",
    "trigger": "by hand",
    "link": "https://ci.example/1",
    "command": ["pytest", "--cmek-inventory", "a b.yaml"],
    "exit_code": 1,
    "python": "3.13.0",
    "platform": "Linux",
    "packages": {"pytest": "9.0.0"},
    "commit": "",
    "dirty": None,
}


class Report(NamedTuple):
    """What an audit wrote: its head, its findings, its page, and what it judged."""

    folder: Path
    head: Any
    lines: list[bytes]
    page: str
    population: list[bytes]


def attested(**facts: object) -> Entry:
    return {"by": "Dana Reyes", "on": "2026-10-01", **facts}


def key(region: str, number: int, **more: object) -> Entry:
    key_id = f"arn:aws:kms:{region}:111122223333:key/{number:08x}-0000-4000-8000-000000000000"
    return {
        "type": "serverless",
        "provider": "aws",
        "region": region,
        "key_id": key_id,
        "rotation": attested(automatic=True),
        "usable": attested(usable=True),
        "registered": {"at": "2025-01-10T09:00:00Z", "by": "Dana Reyes", "on": "2025-01-11"},
        **more,
    }


def database(name: str, *regions: str, **more: object) -> Entry:
    planned = more.get("state") == "planned"
    added = {} if planned else {"added_at": "2025-03-01T12:00:00Z"}
    placed = [{"name": region} | added for region in regions]
    own = {} if planned else {"id": f"db-{name}"}
    return {
        **own,
        "name": name,
        "type": "serverless",
        "provider": "aws",
        "regions": placed,
        **more,
    }


def organization(identity: str, keys: list[Entry], databases: list[Entry], **more: object) -> Entry:
    return {
        "id": identity,
        "name": identity,
        "plan": attested(paid=True),
        "keys": keys,
        "databases": databases,
        **more,
    }


COMPLIANT = [organization("calm", [key("us-east-2", 1)], [database("orders", "us-east-2")])]

VIOLATIONS = [
    organization(
        "acme",
        [key("us-east-2", 1), key("eu-central-1", 7)],
        [
            database("orders", "us-east-2", "eu-west-1"),
            database("ledger", "us-west-2"),
            database("next", "eu-west-1", state="planned"),
            database("gone", "us-east-2", status="TERMINATED"),
            database(
                "sandbox",
                "europe-west1",
                provider="gcp",
                encryption="astra-provided",
                reason="Test data",
            ),
            database("reporting", "westeurope", provider="azure", type="managed-clusters"),
        ],
    ),
    organization(
        "labs",
        [key("us-east-2", 1)],
        [{"id": "t", "name": "t", "tier": "new", "provider": "gcp", "regions": [{"name": "r1"}]}],
        gaps=[{"fact": "managed-clusters-keys", "reason": "refused", "detail": "403"}],
    ),
]

HOSTILE_NAMES = (
    EVIL,
    "<script>window.__pwned=1</script>",
    "</style></title><script>window.__pwned=1</script>",
    '"><svg/onload=window.__pwned=1>',
    "\u202egpj.exe\u202c\u0000\u001b[31m\u200b",
    '=HYPERLINK("http://evil.example/")',
    "[x](javascript:alert(1)) ]]> --> {{ 7*7 }} {% x %}",
    "A" * 10_000,
    "\u202e" * 10_000 + ".",
    "a\u202e" * 5_000,
    "\u05d0\u05d1 Z" + "\u0301" * 40,
    " \n\t\u2800.",
)


def hostile_facts(text: str) -> Entry:
    """Return facts of a cloud in which each text is ``text``, or markup where it must be short."""
    statement = {"Effect": "Allow", "Principal": {"AWS": text}, "Action": text, "Resource": "*"}
    return {
        "observed_at": "2026-11-20T02:00:00Z",
        "state": EVIL,
        "kind": EVIL,
        "owner": "<img/src=x/onerror=window.__pwned=1>",
        "created_at": "2025-01-01T00:00:00Z",
        "policy": json.dumps({"Statement": [statement, {"Sid": text}]}),
        "versions": [{"id": "<script>", "state": EVIL, "usable": False}],
        "bindings": [{"on": "key", "role": "<b>", "members": [EVIL]}],
        "unread": [
            {"fact": "grants", "reason": "refused", "detail": text, "permission": text},
        ],
    }


HOSTILE = [
    organization(
        "'\"><script>window.__pwned=1</script>" if place == 1 else f"o{place}",
        [
            key(
                "us-east-1",
                place,
                key_id=f"<img/src=x/onerror=window.__pwned=1>{place}",
                kms=hostile_facts(text),
                portal={"status": "in-use", "by": EVIL, "on": "2026-10-01"},
            )
        ],
        [
            database(f"d{place}", "us-east-1", "</td><img/src=x/onerror=window.__pwned=1>"),
            {
                **database("x", "r" * 1_500, state="planned"),
                "name": text,
                "encryption": "astra-provided",
                "reason": text,
            },
        ],
        name=text,
        owner=text[-200:],
        plan=attested(paid=True, note=text),
    )
    for place, text in enumerate(HOSTILE_NAMES)
]


def waiver(identity: str, rule: str, subject: str, cause: str, **more: str) -> Entry:
    return {
        "id": identity,
        "rule": rule,
        "subject": subject,
        "cause": cause,
        "reason": "A pilot.\nIt ends soon.",
        "requested_by": "Ines Okafor",
        "approved_by": "Dana Reyes",
        "requested_on": "2026-09-01",
        "approved_on": "2026-09-01",
        "expires_on": "2027-03-01",
        "compensating_control": "The application encrypts.",
        "ticket": "SEC-1",
        **more,
    }


def request(identity: str, rule: str, subject: str, cause: str, **more: str) -> Entry:
    asked = waiver(identity, rule, subject, cause, **more)
    return {name: value for name, value in asked.items() if not name.startswith("approved_")}


WAIVERS = [
    waiver("W-active", "CMEK-01", "acme/serverless/aws/us-west-2", "without-key"),
    waiver(
        "W-expiring",
        "CMEK-03",
        "acme/database/db-orders",
        "without-key:eu-west-1",
        expires_on="2026-12-01",
    ),
    waiver(
        "W-expired",
        "CMEK-05",
        "acme/database/db-ledger/us-west-2",
        "without-key",
        expires_on="2026-10-01",
    ),
    waiver(
        "W-later",
        "CMEK-05",
        "acme/database/db-orders/eu-west-1",
        "without-key",
        approved_on="2026-12-01",
    ),
    waiver("W-unused", "CMEK-01", "acme/serverless/aws/us-east-2", "without-key"),
    waiver("W-unmatched", "CMEK-01", "acme/serverless/aws/ap-south-1", "without-key"),
    request("W-requested", "CMEK-01", "acme/serverless/aws/eu-west-1", "without-key"),
]


def save(path: Path, **data: object) -> Path:
    path.write_text(json.dumps(data), encoding="utf-8")
    return path


def save_inventory(path: Path, organizations: Sequence[Entry], **more: object) -> Path:
    head = {"cmek-inventory": 1, "captured_at": "2026-11-20T02:00:00Z", **more}
    return save(path, **head, organizations=organizations)


def run_of(head: Head) -> Any:  # noqa: ANN401 (a block of the record)
    """Return the block on a run that ended as the verdict in ``head`` says."""
    return RUN | {"exit_code": head["verdict"]["exit_code"]}


def run_rules(
    options: Options, only: str = "", describe_run: Callable[[Head], Any] = run_of
) -> Head:
    """Audit by ``options``; if ``only`` names a rule, as if pytest had run no other."""
    with closing(begin_report(options)) as folder:
        draft = draft_audit(prepare(options), folder)
        finished = {group for group in draft.judged.group_ids if only in {"", group[0]}}
        head = conclude(draft, finished)
        return publish(draft, head, describe_run(head))


def audit(
    folder: Path,
    organizations: Sequence[Entry],
    waivers: Sequence[Entry] = (),
    only: str = "",
    **more: object,
) -> Report:
    """Audit ``organizations``; if ``only`` names a rule, as if no other had been run."""
    options: dict[str, Any] = {"as_of": AS_OF, "report_dir": str(folder / "report")}
    options["inventory"] = (str(save_inventory(folder / "inventory.json", organizations, **more)),)
    if waivers:
        path = save(folder / "waivers.json", **{"cmek-waivers": 1, "waivers": waivers})
        options["waivers"] = (str(path),)
    head = run_rules(parse_options(options), only)
    written = folder / "report"
    return read_report(written, head)


def read_report(folder: Path, head: Head) -> Report:
    """Read what an audit with this ``head`` wrote into ``folder``; the page may be missing."""
    findings, population = (
        (folder / name).read_bytes().splitlines(keepends=True)
        for name in ("findings.ndjson", "population.ndjson")
    )
    page = folder / "audit.html"
    source = page.read_text(encoding="utf-8") if page.is_file() else ""
    return Report(folder, head, findings, source, population)


class Page(HTMLParser):
    """What stands in a page.

    Attributes:
        tags: every element's name and attributes, in order.
        text: all text outside style and script.
    """

    def __init__(self, source: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = []
        self._parts: list[str] = []
        self._inside = ""
        self.feed(source)
        self.close()
        self.text = " ".join("".join(self._parts).split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))
        self._inside = tag

    def handle_endtag(self, tag: str) -> None:
        self._inside = ""

    def handle_data(self, data: str) -> None:
        if self._inside not in {"style", "script"}:
            self._parts.append(data)

    def values(self, attribute: str, tag: str = "") -> list[str]:
        """Return all values of ``attribute``, of elements named ``tag`` if that is given."""
        return [
            attrs[attribute]
            for name, attrs in self.tags
            if attribute in attrs and tag in {"", name}
        ]


def select_findings(
    lines: Iterable[bytes], rules: Sequence[RuleEntry], limits: PageLimits
) -> Selection:
    """Pick the findings that a page shows from the ``lines`` of all."""
    selector = FindingSelector(rules, limits)
    for line in lines:
        selector.add(line)
    return selector.finish()
