from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from checks.engine.catalogue import load_rules, rules_hash

if TYPE_CHECKING:
    from collections.abc import Sequence

    from checks.engine.catalogue import Rule

CHECKS = Path(__file__).parents[3] / "checks"


@pytest.fixture
def copied(tmp_path: Path) -> Sequence[Rule]:
    """Provide the rules, as if they stood in a copy of their folder."""
    for folder in (CHECKS, CHECKS.parent / "inventory"):
        shutil.copytree(
            folder, tmp_path / folder.name, ignore=shutil.ignore_patterns("__pycache__")
        )
    return [rule._replace(source=tmp_path / "checks" / rule.source.name) for rule in load_rules()]


def test_every_file_of_a_rule_is_loaded() -> None:
    """The rules are those that have a file, in the order of their ids."""
    rules = load_rules()
    assert {rule.source for rule in rules} == set(CHECKS.glob("check_*.py"))
    assert [rule.card.id for rule in rules] == sorted(rule.card.id for rule in rules)


def test_the_hash_is_the_same_wherever_the_files_lie(copied: Sequence[Rule]) -> None:
    """Equal files have equal hashes, in 64 hexadecimal digits."""
    assert rules_hash(copied) == rules_hash(load_rules())
    assert re.fullmatch(r"[0-9a-f]{64}", rules_hash(copied))


@pytest.mark.parametrize(
    "name",
    [
        "checks/check_scope_has_key.py",
        "checks/shared/registration.py",
        "inventory/model/key_ids.py",
    ],
)
def test_the_hash_changes_with_every_file_that_judges(copied: Sequence[Rule], name: str) -> None:
    """A change in a rule, in what rules share, or in how they read, changes the hash."""
    before = rules_hash(copied)
    file = copied[0].source.parents[1] / name
    file.write_text(f"{file.read_text('utf-8')}\n", "utf-8")
    assert rules_hash(copied) != before


@pytest.mark.parametrize("name", ["checks/check_a.py", "checks/check_z.py"])
def test_the_hash_changes_with_the_names_of_files(copied: Sequence[Rule], name: str) -> None:
    """A file that moves, or comes, changes the hash."""
    before = rules_hash(copied)
    folder = copied[0].source.parents[1]
    shutil.move(folder / "checks/engine/card.py", folder / name)
    assert rules_hash(copied) != before


def test_the_hash_leaves_out_what_does_not_judge(copied: Sequence[Rule]) -> None:
    """Control ids and examples do not judge, and leave the hash as it is."""
    before = rules_hash(copied)
    (copied[0].source.parent / "controls.yaml").write_text("", "utf-8")
    assert rules_hash(copied) == before
