"""A further rule, added to a copy of the tree by the steps of CONTRIBUTING's "A new rule"."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

from tests.wiring.runs import environment_of

if TYPE_CHECKING:
    from collections.abc import Collection

ROOT = Path(__file__).parents[2]
COMPLETENESS = ("tests/checks/test_completeness.py", "tests/checks/test_rules.py")
CATALOGUE = ("tests/checks/engine/test_catalogue.py", "tests/checks/engine/test_controls.py")
RULE = '''"""CMEK-98: an organization has a name of one word."""

from __future__ import annotations

from typing import TYPE_CHECKING

from checks.engine.actions import ActionKind
from checks.engine.card import OVERVIEW, Card, Quote
from checks.engine.finding import fails, locations_of, organization_subject, passes
from checks.engine.outcome import report_outcome

if TYPE_CHECKING:
    from collections.abc import Iterator

    from checks.engine.context import Context
    from checks.engine.finding import Finding
    from checks.engine.outcome import FindingGroup
    from inventory.index.organization_index import OrganizationIndex

CARD = Card(
    id="CMEK-98",
    check="check_short_name",
    title="An organization has a name of one word",
    basis="derived",
    severity="low",
    subject="organization",
    causes={"several-words": "The name has several words."},
    rationale="A name of one word is easier to type.",
    quotes=(
        Quote(
            sentence="A sentence of the documentation that asks for names of one word.",
            page=OVERVIEW,
            heading="Names",
        ),
    ),
    remediation="Rename the organization.",
    no_subject="The inventory holds no organization.",
)

_RENAME = ActionKind(
    code="rename-organization",
    sentence="Rename {name}",
    purpose="repair",
    who="we",
    steps=("Choose a name of one word.", "Rename the organization in the Astra portal."),
)


def judge(index: OrganizationIndex, context: Context) -> Iterator[Finding]:
    """Judge the organization by its name."""
    organization = index.organization
    subject, where = organization_subject(organization.id), locations_of([organization])
    if "-" in organization.name or " " in organization.name:
        action = _RENAME.on(name=organization.name)
        yield fails(CARD, subject, "several-words", "The name has several words.", where, action)
    else:
        yield passes(CARD, subject, "The name has one word.", where)


def check_short_name(group: FindingGroup) -> None:
    """An organization has a name of one word."""
    report_outcome(group)
'''
FIXTURE = """\
cmek-inventory: 1
captured_at: 2026-11-20T02:00:00Z
organizations:
  - {id: one, name: pass1, keys: [], databases: []}
  - {id: two, name: two fail1, keys: [], databases: []}
"""
TEST = '''"""CMEK-98."""

from __future__ import annotations

from tests.builders import an_organization
from tests.checks.judging import statuses


def test_a_name_of_one_word_passes() -> None:
    """A name of one word passes, and one of two does not."""
    assert statuses("CMEK-98", an_organization(name="acme")) == ["pass"]
    assert statuses("CMEK-98", an_organization(name="acme prod")) == ["fail"]
'''
ORGANIZATION = "\n  - {id: calm, name: calm, keys: [], databases: []}\n"
CONTROL = '    rules:\n      CMEK-98: [{id: "CM-6", strength: supporting}]\n'


class Copy(NamedTuple):
    """A copy of the tree, in which a rule is added."""

    root: Path

    def add_rule(self, *, without: int | None = None) -> None:
        """Follow the steps, all or all but one; each touches what CONTRIBUTING names, no more."""
        steps = (
            self._write_rule,
            self._write_fixture,
            self._write_test,
            self._add_control,
            self._extend_example,
            self._write_page,
        )
        for number, step in enumerate(steps, 1):
            if number != without:
                step()

    def _write_rule(self) -> None:
        (self.root / "checks/check_short_name.py").write_text(RULE, "utf-8")

    def _write_fixture(self) -> None:
        (self.root / "tests/checks/fixtures/check_short_name.yaml").write_text(FIXTURE, "utf-8")

    def _write_test(self) -> None:
        (self.root / "tests/checks/test_check_short_name.py").write_text(TEST, "utf-8")

    def _add_control(self) -> None:
        file = self.root / "checks/controls.yaml"
        text = file.read_text("utf-8")
        file.write_text(text.replace("    rules:\n", CONTROL, 1), "utf-8")

    def _extend_example(self) -> None:
        """Add a subject that passes; the organizations that are there already do not."""
        file = self.root / "inventory/examples/acme.yaml"
        file.write_text(file.read_text("utf-8").rstrip() + ORGANIZATION, "utf-8")

    def _write_page(self) -> None:
        self.run("-m", "cmek_audit.docs_pages")

    def changed(self) -> set[str]:
        """Return the files that differ from those of the tree."""
        files = {file.relative_to(self.root).as_posix() for file in _files(self.root)}
        return {
            name
            for name in files
            if not (ROOT / name).is_file()
            or (ROOT / name).read_bytes() != (self.root / name).read_bytes()
        }

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, *arguments],
            cwd=self.root,
            env=environment_of({"PYTHONPATH": str(self.root), "PYTHONDONTWRITEBYTECODE": "1"}),
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )

    def test(self, *files: str) -> subprocess.CompletedProcess[str]:
        return self.run("-m", "pytest", "-q", "-p", "no:cacheprovider", *files)


def _files(folder: Path) -> Collection[Path]:
    """Return the files of a tree, without those that tests leave."""
    left = {"__pycache__", ".hypothesis"}
    return [
        file
        for file in folder.rglob("*")
        if file.is_file() and left.isdisjoint(file.parts) and file.suffix != ".pyc"
    ]


@pytest.fixture
def copy(tmp_path: Path) -> Copy:
    """Provide a copy of all that the steps and their tests need."""
    skipped = shutil.ignore_patterns("__pycache__", ".*", "audit-report", "*.png")
    for name in ("checks", "cmek_audit", "docs", "inventory", "reports", "tests"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=skipped)
    for name in ("conftest.py", "pyproject.toml", "CONTRIBUTING.md"):
        shutil.copy(ROOT / name, tmp_path / name)
    return Copy(tmp_path)


@pytest.mark.slow
def test_a_rule_is_added_by_its_steps(copy: Copy) -> None:
    """With all steps done the tests pass, and only the rule's own files and three others change."""
    copy.add_rule()
    done = copy.test(*COMPLETENESS, *CATALOGUE, "tests/checks/test_check_short_name.py")
    assert (done.returncode, done.stdout[-3_000:]) == (0, done.stdout[-3_000:])
    assert copy.changed() == {
        "checks/check_short_name.py",
        "checks/controls.yaml",
        "docs/rules.md",
        "inventory/examples/acme.yaml",
        "tests/checks/fixtures/check_short_name.yaml",
        "tests/checks/test_check_short_name.py",
    }


@pytest.mark.slow
@pytest.mark.parametrize(
    ("step", "file"),
    [
        (2, "tests/checks/fixtures/check_short_name.yaml"),
        (3, "tests/checks/test_check_short_name.py"),
        (4, "checks/controls.yaml"),
        (5, "inventory/examples/acme.yaml"),
        (6, "docs/rules.md"),
    ],
)
def test_a_step_that_is_left_out_is_named(copy: Copy, step: int, file: str) -> None:
    """Without one of the steps a test fails, and names its file and its number."""
    copy.add_rule(without=step)
    done = copy.test(*COMPLETENESS)
    assert done.returncode == 1
    message = rf'{re.escape(file)}.*CONTRIBUTING\.md, "A new rule", step {step}'
    assert re.search(message, done.stdout), done.stdout[-3_000:]


@pytest.mark.slow
def test_a_card_that_is_not_the_file_s_is_named(copy: Copy) -> None:
    """A rule whose file, check and card differ in name fails a test that names the first step."""
    copy.add_rule()
    file = copy.root / "checks/check_short_name.py"
    file.write_text(RULE.replace('"check_short_name"', '"check_name"'), "utf-8")
    done = copy.test(COMPLETENESS[0])
    message = r'checks/check_short_name\.py.*CONTRIBUTING\.md, "A new rule", step 1'
    assert re.search(message, done.stdout), done.stdout[-3_000:]


def test_the_steps_are_those_of_the_page() -> None:
    """The page has as many steps as these tests follow."""
    text = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    section = text.partition("## A new rule\n")[2].partition("\n## ")[0]
    assert re.findall(r"^([0-9])\. ", section, re.MULTILINE) == list("123456")
