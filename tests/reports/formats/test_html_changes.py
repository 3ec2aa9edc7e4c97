"""The auditor's page, as far as it tells what changed since the last audit."""

from __future__ import annotations

import copy
import json
from typing import TYPE_CHECKING, get_args

import pytest

from reports.formats import html
from reports.model.changes import CLASSES, KEY_CHANGES, ChangeReason
from reports.presentation import labels
from reports.presentation.selection import PageLimits
from tests.reports.comparing import FIRST, SECOND, every_change, night
from tests.reports.samples import COMPLIANT, EVIL, VIOLATIONS, Page, Report, attested, audit

if TYPE_CHECKING:
    from pathlib import Path

    from tests.reports.comparing import Shown


@pytest.fixture(scope="module")
def violations(tmp_path_factory: pytest.TempPathFactory) -> Report:
    return audit(tmp_path_factory.mktemp("violations"), VIOLATIONS)


def _section(report: Report, changes: Shown | None, limits: PageLimits | None = None) -> Page:
    """Return the section of a page with these changes."""
    head = copy.deepcopy(report.head) | {"changes": changes}
    page = html.render(head, report.lines, limits)
    start = page.index('<section id="changes">')
    return Page(page[start : page.index("</section>", start)])


def _words(page: Page) -> str:
    return " ".join(page.text.split())


# --- nothing is forgotten -------------------------------------------------------------------------


def test_each_change_has_its_look() -> None:
    """Each class of findings, each way to end and each change of keys has words of its own."""
    assert list(labels.CHANGE) == list(CLASSES)
    assert set(labels.WHY) == set(get_args(ChangeReason)) - {""}
    assert list(labels.KEY_CHANGE) == list(KEY_CHANGES)
    for reported in (labels.CHANGE, labels.WHY, labels.KEY_CHANGE):
        assert len(set(reported.values())) == len(reported)
    assert len({label.shape for label in labels.CHANGE.values()}) == len(labels.CHANGE)


# --- the section ----------------------------------------------------------------------------------


def test_without_a_baseline_that_is_said(violations: Report) -> None:
    """If no baseline was given, nothing is told of changes, and no finding has an age."""
    assert (
        _words(_section(violations, None)) == "Changes since the last audit No baseline was given."
    )
    assert "First seen" not in violations.page


def test_each_class_is_counted_and_listed(violations: Report) -> None:
    """Every class has its count, and all but the unchanged are listed with what was and is."""
    changes = every_change()
    text = _words(_section(violations, changes))
    for what, look in labels.CHANGE.items():
        assert f"{look.shape} {look.word}{changes['counts'][what]}{look.meaning}" in text
        for finding in changes["lists"][what]:
            assert (finding["path"] in text) == (what != "unchanged")
    assert labels.WHY["organization-unread"] not in text
    assert labels.WHY["subject-absent"] in text


def test_the_baseline_is_named(violations: Report) -> None:
    """The section says with which audit it was compared, and where that stood."""
    changes = every_change()
    text = _words(_section(violations, changes))
    start = "Compared with the audit as of 2026-11-20 03:00:00, report 000000000000, from "
    assert f"{start}b/audit.json." in text
    assert "The rules have changed since" not in text
    changes["baseline"]["same_rules"] = False
    assert "The rules have changed since" in _words(_section(violations, changes))


def test_what_was_not_judged_again_is_counted(violations: Report) -> None:
    """Beside what is gone it is said how much of that was not judged again, if any."""
    changes = every_change()
    assert "Not evaluated again" not in _words(_section(violations, changes))
    changes["not_judged_again"] = 1
    assert "Not evaluated again: 1." in _words(_section(violations, changes))


def test_organizations_that_are_gone_are_named(violations: Report) -> None:
    """An organization that only the baseline holds is named, also if all of it passed."""
    changes = every_change()
    assert changes["organizations_gone"] == {
        "count": 1,
        "list": [{"organization": "labs", "name": "labs-prod"}],
    }
    text = _words(_section(violations, changes))
    assert "The baseline has 1 organization that this audit does not have. labs-prod labs" in text
    changes["organizations_gone"] = {"count": 0, "list": []}
    assert "Missing organizations" not in _words(_section(violations, changes))


def test_keys_are_reported_with_both_states(violations: Report) -> None:
    """Each scope whose keys changed shows the keys before and now."""
    changes = every_change()
    text = _words(_section(violations, changes))
    for what, (title, words) in labels.KEY_CHANGE.items():
        assert f"{title} {words}" in text
        for scope in changes["keys"]["lists"][what]:
            for key in (*scope["before"], *scope["after"]):
                assert key in text


def test_keys_that_did_not_change_are_reported(violations: Report) -> None:
    """If no key changed, that is said; and if it is not known, that."""
    changes = every_change()
    changes["keys"]["counts"] = dict.fromkeys(KEY_CHANGES, 0)
    assert "No key was added, replaced or removed." in _words(_section(violations, changes))
    changes["keys"] = None
    assert "is not known: this run was partial." in _words(_section(violations, changes))


def test_lists_are_bounded(violations: Report) -> None:
    """What is beyond the limit is counted, and said to stand in the record."""
    text = _words(_section(violations, every_change(), PageLimits(changes=0)))
    assert text.count("1 more finding is listed in audit.json") == len(CLASSES) - 1
    assert text.count("1 more key scope is listed in audit.json") == len(KEY_CHANGES)


def test_hostile_names_are_escaped(violations: Report) -> None:
    """Names, words and keys of a baseline that hold markup are text."""
    changes = every_change()
    changes["lists"]["new"][0] |= {"name": EVIL, "message": EVIL}
    changes["keys"]["lists"]["added"][0] |= {"name": EVIL, "region": EVIL, "after": [EVIL]}
    changes["baseline"]["path"] = EVIL
    page = _section(violations, changes)
    assert page.text.count(EVIL) == 6
    assert {tag for tag, _ in page.tags} & {"img", "script"} == set()


def test_only_findings_on_the_page_are_linked(violations: Report) -> None:
    """A listed finding that the page shows is a link to it; any other leads to its rule."""
    shown = json.loads(violations.lines[0])
    changes = every_change()
    changes["lists"]["new"][0] |= {"id": shown["id"], "rule": shown["rule"]}
    links = _section(violations, changes).values("href", "a")
    assert [link for link in links if link.startswith("#f-")] == [f"#f-{shown['id']}"]
    assert set(links) - {f"#f-{shown['id']}"} == {"#findings", "#r-CMEK-01"}


# --- the findings, and the whole page -------------------------------------------------------------


def test_an_open_finding_says_since_when_it_is_open(tmp_path: Path) -> None:
    """With a baseline each open finding shows when it was first seen, and how often since."""
    unpaid = [COMPLIANT[0] | {"plan": attested(paid=False)}]
    made = night(tmp_path, unpaid, SECOND, night(tmp_path, unpaid, FIRST))
    text = _words(Page(made.page))
    assert "First seen2026-11-20 03:00:00, open in 2 audits in a row = unchanged" in text
    assert text.count("First seen") == 1


def test_a_gate_on_what_is_new_is_reported_at_the_top(tmp_path: Path) -> None:
    """A page of such a run says in its banner and in its section what the gate was on."""
    unpaid = [COMPLIANT[0] | {"plan": attested(paid=False)}]
    first = night(tmp_path, unpaid, FIRST)
    made = night(tmp_path, unpaid, SECOND, first, fail_on_new=True)
    text = _words(Page(made.page))
    report = first.head["report"][:12]
    named = f"the baseline of {FIRST} (report {report}) do not stop the run."
    assert f"GATE ON NEW FINDINGS ONLY: findings of {named}" in text
    assert "Only findings that are new, reopened, worsened or unclear stop this run" in text
    assert "A finding of the baseline does not stop this run" in text
    assert '@top-center{content:"GATE ON NEW FINDINGS ONLY"}' in made.page
