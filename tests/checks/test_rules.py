"""Every rule over its fixtures, whose subjects are named by what should become of them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from checks.engine.context import Context
from checks.engine.evaluation import evaluate
from inventory.history import read_history
from inventory.inventory import Inventory
from tests.builders import AS_OF
from tests.checks.judging import RULES

if TYPE_CHECKING:
    from checks.engine.finding import Finding

FIXTURES = Path(__file__).parent / "fixtures"
FILES = sorted(FIXTURES.glob("check_*.yaml"))
CASES = [path for path in FILES if not re.search(r"\.(history[0-9]*|plan)\.", path.name)]
BY_CHECK = {rule.card.check: rule for rule in RULES.values()}
VERDICT = re.compile(r"(pass|fail|inconclusive|not-applicable)([0-9]+)")


def beside(case: Path, kind: str) -> list[str]:
    """Return the files of that kind that belong to ``case``."""
    return sorted(str(path) for path in case.parent.glob(f"{case.stem}.{kind}*.yaml"))


def named(finding: Finding, organizations: dict[str, str]) -> str:
    """Return the name by which the fixture says what should become of the subject."""
    subject = finding.subject
    text = finding.name or subject.path
    if subject.kind == "organization":
        text = organizations.get(subject.organization, text)
    verdict = VERDICT.search(text)
    return verdict[0] if verdict else f"unnamed: {text}"


def judged_case(case: Path) -> list[tuple[str, str]]:
    """Judge ``case`` by its rule, and return the status of each subject beside its name."""
    history = read_history(beside(case, "history"))
    rule = BY_CHECK[case.name.partition(".")[0]]
    inventory = Inventory([str(case)], beside(case, "plan"))
    organizations: dict[str, str] = {}
    findings = evaluate(
        inventory.organizations(),
        [rule],
        Context(AS_OF, history=history),
        lambda each: organizations.update({each.id: each.name}),
    )
    return [(finding.status, named(finding, organizations)) for finding in findings]


def expected(case: Path) -> set[tuple[str, str]]:
    """Read from the text of ``case``, and of what belongs to it, what should be found."""
    texts = [case.read_text("utf-8")]
    texts += [Path(path).read_text("utf-8") for path in beside(case, "history")]
    texts += [Path(path).read_text("utf-8") for path in beside(case, "plan")]
    return {(match[1], match[0]) for text in texts for match in VERDICT.finditer(text)}


@pytest.mark.parametrize("case", CASES, ids=lambda path: path.stem)
def test_subjects_are_found_as_they_are_named(case: Path) -> None:
    """Each rule finds of each subject exactly what the subject's name says."""
    assert set(judged_case(case)) == expected(case)


@pytest.mark.parametrize("check", sorted(BY_CHECK))
def test_every_rule_can_pass_and_can_fail(check: str) -> None:
    """Every rule has an example that passes and one that does not."""
    case = FIXTURES / f"{check}.yaml"
    found = {status for status, _ in expected(case)}
    assert "pass" in found
    assert found & {"fail", "inconclusive"}


def test_every_file_belongs_to_a_rule() -> None:
    """No fixture is left over from a rule that has another name now."""
    assert {path.name.partition(".")[0] for path in FILES} == set(BY_CHECK)
