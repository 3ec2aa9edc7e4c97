"""The key plan on the auditor's page."""

from __future__ import annotations

import re
from html import unescape
from typing import TYPE_CHECKING, Any

import pytest

from cmek_audit.run.audit import run_audit
from cmek_audit.run.option_values import parse_options
from reports.formats import html
from reports.key_instructions.commands import TOKEN
from reports.key_instructions.instructions import lay_out_commands
from reports.model.key_plan import NUMBERS
from reports.presentation import labels
from reports.presentation.selection import PageLimits
from tests.reports.samples import (
    COMPLIANT,
    HOSTILE,
    RUN,
    VIOLATIONS,
    Page,
    Report,
    audit,
    database,
    key,
    organization,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MIXED = [
    *VIOLATIONS,
    organization("plans", [], [database("a", "r1"), database("b", "r1", state="planned")]),
    organization("nothing", [], []),
    {"id": "unread", "name": "unread", "databases": [database("c", "r1")]},
    {"id": "blank", "name": "blank", "keys": []},
    {"id": "dark", "name": "dark"},
]


@pytest.fixture(scope="module")
def mixed(tmp_path_factory: pytest.TempPathFactory) -> Report:
    return audit(tmp_path_factory.mktemp("mixed"), MIXED)


def section(page: str) -> str:
    """Return the section of the key plan."""
    return page[page.index('<section id="key-plan">') :].partition("</section>")[0]


def rows(page: str) -> Iterator[list[str]]:
    """Yield the cells of each row of its tables, without markup."""
    for row in re.findall(r"<tr>(<th scope=\"row\">.*?)</tr>", section(page)):
        cells = re.findall(r"<t[hd].*?>(.*?)</t[hd]>", row)
        yield [unescape(re.sub(r"<.*?>", "", cell)) for cell in cells]


def test_numbers_of_all(mixed: Report) -> None:
    """The numbers of all organizations together stand at the head of the plan."""
    plan, reported = mixed.head["key_plan"], section(mixed.page)
    assert re.findall(r"<dt>(.*?)</dt><dd>(.*?)</dd>", reported) == [
        (word, str(plan[number])) for number, word in labels.KEY_NUMBERS.items()
    ]
    assert f"Not included: {plan['astra_provided']} key scope on Astra’s own keys" in reported
    assert f"and {plan['unsupported']} for which Astra has no customer keys" in reported


def test_numbers_of_each_organization(mixed: Report) -> None:
    """Each organization has a row with its numbers, those that lack most keys first."""
    reported = [row for row in rows(mixed.page) if len(row) == 13]
    plan = {
        organization["name"]: organization
        for organization in mixed.head["key_plan"]["organizations"]
    }
    assert {row[0]: row[1:-1] for row in reported} == {
        name: [str(organization[number]) for number in NUMBERS]
        for name, organization in plan.items()
    }
    worst_first = ("missing", "failing", "undetermined", "unproven")
    missing = [tuple(plan[row[0]][number] for number in worst_first) for row in reported]
    assert missing == sorted(missing, reverse=True)
    assert len(set(missing)) > 2


def test_what_was_not_read(mixed: Report) -> None:
    """Each organization's row says whether all its keys and databases were read."""
    assert {row[0]: row[-1] for row in rows(mixed.page) if len(row) == 13} == {
        "acme": "yes",
        "labs": "not all keys",
        "plans": "yes",
        "nothing": "yes",
        "unread": "not all keys",
        "blank": "not all databases",
        "dark": "neither all keys nor all databases",
    }


def test_key_scopes(mixed: Report) -> None:
    """Each key scope that lacks a key, may lack one or has an idle one is listed with databases."""
    lists = mixed.head["key_plan"]["lists"]
    listed = [
        _row(scope) for state in ("missing", "undetermined", "unused") for scope in lists[state]
    ]
    assert [row for row in rows(mixed.page) if len(row) == 5] == listed
    assert {row[-1] for row in listed} == {
        "1 existing",
        "1 existing, 1 planned",
        "none",
    }


def _row(scope: dict[str, Any]) -> list[str]:
    planned = scope["databases"] - scope["existing"]
    reported = {"existing": scope["existing"], "planned": planned}
    words = ", ".join(f"{count} {state}" for state, count in reported.items() if count)
    place = labels.TYPE[scope["type"]], labels.PROVIDER[scope["provider"]], scope["region"]
    return [scope["name"], *place, words or "none"]


def test_steps(mixed: Report) -> None:
    """Each kind of steps stands there once, folded, with its page, its address and its numbers."""
    reported = re.findall(
        r"<details class=\"fold\">(.*?)</details>", section(mixed.page), re.DOTALL
    )
    steps = mixed.head["key_plan"]["steps"]
    assert len(reported) == len(steps) > 1
    for text, step in zip(reported, steps, strict=True):
        plain = " ".join(unescape(re.sub(r"<.*?>", "", text)).split())
        items = [unescape(item) for item in re.findall(r"<li>(.*?)</li>", text)]
        assert items == step["steps"]
        counts = {"missing": "missing", "shared": "shared", "undetermined": "not known"}
        counts["unsupported"] = "not supported"
        numbers = ", ".join(f"{step[key]} {word}" for key, word in counts.items() if step[key])
        name = labels.TYPE[step["type"]]
        place = f"{name[0].upper()}{name[1:]} on {labels.PROVIDER[step['provider']]}"
        assert plain.startswith(f"{place}: {numbers} The vendor’s page: “{step['page']}”.")
        assert ("Astra lists such keys at" in plain) is bool(step["address"])


def test_what_to_paste(tmp_path: Path) -> None:
    """Each missing key has calls and blocks to paste, exactly as they are; five of a kind at most.

    A region that is no text for a shell, for JSON or for Terraform arrives there as text.
    """
    odd = "'\"$(id)`<b>&amp;"
    regions = ["eu-west-1", *(f"us-west-{number}" for number in range(6)), odd]
    databases = [database(f"d{place}", region) for place, region in enumerate(regions)]
    identity = "00000000-0000-4000-8000-000000000001"
    report = audit(tmp_path, [organization(identity, [], databases, name="acme")])
    plan = report.head["key_plan"]
    [shown] = lay_out_commands(plan, PageLimits().commands)
    blocks = re.findall(r"<pre [^>]*><code>(.*?)</code></pre>", section(report.page), re.DOTALL)
    pieces = [part.code for _, parts in shown.scopes for part in parts if part.code]
    assert [unescape(block) for block in blocks] == pieces
    heads = [unescape(re.sub("<.*?>", "", head)) for head in _headings(report.page)]
    assert heads == [f"acme, {region}" for region in sorted(regions)[:5]]
    assert odd in {entry["region"] for entry, _ in shown.scopes}
    assert "The same for 3 more key scopes: <code>cmek-audit keys --format json</code>." in section(
        report.page
    )
    for words in ("An audit never registers a key", f"<code>{TOKEN}</code>"):
        assert words in section(report.page)


def _headings(page: str) -> list[str]:
    return re.findall(r"<h5>(.*?)</h5>", section(page))


def test_what_to_paste_with_terraform(tmp_path: Path) -> None:
    """Where Terraform plans the database, its way is shown, and what comes after all keys."""
    path = "inventory/examples/"
    options = {
        "inventory": (f"{path}acme.yaml",),
        "plan": (f"{path}terraform/plan.json",),
        "report_dir": str(tmp_path),
    }
    run_audit(parse_options(options), lambda _: RUN.copy())
    page = (tmp_path / "audit.html").read_text(encoding="utf-8")
    assert [re.sub("<.*?>", "", head) for head in _headings(page)] == [
        "acme-prod, eu-north-1",
        "acme-prod, eu-west-1",
        "acme-prod, us-west-2",
        "After that",
    ]
    plain = unescape(re.sub("<.*?>", "", section(page)))
    for words in (
        "With Terraform: the plan creates the key as astra_customer_key.search.",
        'resource "astra_customer_key" "aws_us_west_2" {',
        "depends_on = [astra_customer_key.aws_us_west_2]",
        "terraform apply -target=astra_customer_key.search",
        "&& terraform apply plan.bin",
    ):
        assert words in plain


def test_shared_keys_and_late_databases(tmp_path: Path) -> None:
    """A key that two key scopes share is named with both, and so is what no key encrypts."""
    late = {"registered": {"at": "2026-01-10T09:00:00Z", "by": "Dana", "on": "2026-01-11"}}
    kinds = ("serverless", "managed-clusters")
    keys = [key("us-east-2", 1, **late, type=kind) for kind in kinds]
    databases = [database(kind, "us-east-2", type=kind) for kind in kinds]
    reported = section(audit(tmp_path, [organization("acme", keys, databases)]).page)
    [row] = [row for row in rows(reported) if len(row) == 3]
    assert row == [
        "acme",
        keys[0]["key_id"],
        "Managed Clusters on AWS, us-east-2Serverless on AWS, us-east-2",
    ]
    assert "Shared: all key scopes but one lack a key" in reported
    assert "2 existing databases run on Astra’s keys in some region" in reported


def test_nothing_to_do(tmp_path: Path) -> None:
    """Where no key is missing, there are no steps, nor lists."""
    reported = section(audit(tmp_path, COMPLIANT).page)
    assert re.findall("<h4>", reported) == []


def test_a_cut_plan_says_so(mixed: Report) -> None:
    """What is not shown is counted, organizations that lack no key first."""
    page = html.render(mixed.head, mixed.lines, PageLimits(plan=1))
    assert [row[0] for row in rows(page) if len(row) == 13] == ["acme"]
    assert "6 more organizations are listed in audit.json." in section(page)


def test_hostile_names_stay_text(tmp_path: Path) -> None:
    """Names of organizations and regions bring no element with them."""
    report = audit(tmp_path, HOSTILE)
    start = '<!DOCTYPE html><html lang="en"><section>'
    tags = {tag for tag, _ in Page(start + section(report.page)).tags}
    ours = {"html", "section", "h2", "h3", "p", "dl", "div", "dt", "dd", "table", "caption"}
    ours |= {"thead", "tbody", "tr", "th", "td", "bdi", "span", "details", "summary", "strong"}
    assert tags <= ours | {"ol", "li", "code", "i", "a", "h4", "h5", "pre"}
