from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from checks.engine.catalogue import load_rules, rule_of, rules_hash, rules_of

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


def test_the_hash_is_the_same_wherever_the_files_are(copied: Sequence[Rule]) -> None:
    """Equal files have equal hashes, in 64 hexadecimal digits."""
    assert rules_hash(copied) == rules_hash(load_rules())
    assert re.fullmatch(r"[0-9a-f]{64}", rules_hash(copied))


@pytest.mark.parametrize(
    "name",
    [
        "checks/check_scope_has_key.py",
        "checks/engine/evaluation.py",
        "checks/engine/waivers.py",
        "checks/reasons.yaml",
        "checks/shared/registration.py",
        "inventory/astra/parse_keys.py",
        "inventory/cloud_facts.py",
        "inventory/clouds/answers.py",
        "inventory/clouds/gcp/reader.py",
        "inventory/files/ndjson.py",
        "inventory/history.py",
        "inventory/model/key_ids.py",
        "inventory/plans.py",
        "inventory/terraform/ordering.py",
    ],
)
def test_the_hash_changes_with_what_judges(copied: Sequence[Rule], name: str) -> None:
    """A comment in a rule, in what rules share, in data or in how they read changes the hash."""
    before = rules_hash(copied)
    file = copied[0].source.parents[1] / name
    file.write_text(f"{file.read_text('utf-8')}# a comment\n", "utf-8")
    assert rules_hash(copied) != before


@pytest.mark.parametrize(
    "name",
    [
        "checks/controls.yaml",
        "checks/engine/controls.py",
        "checks/engine/grouping.py",
        "inventory/astra/collector.py",
        "inventory/clouds/gcp/transport.py",
        "inventory/evidence/writer.py",
        "inventory/examples/acme.yaml",
        "inventory/hypothetical.py",
        "inventory/schema.py",
    ],
)
def test_the_hash_leaves_out_what_does_not_judge(copied: Sequence[Rule], name: str) -> None:
    """Control ids, examples and what only writes leave the hash as it is."""
    before = rules_hash(copied)
    file = copied[0].source.parents[1] / name
    file.write_text(f"{file.read_text('utf-8')}# a comment\n", "utf-8")
    assert rules_hash(copied) == before


def test_the_hash_follows_a_module_into_a_new_folder(copied: Sequence[Rule]) -> None:
    """A module in a new folder counts as soon as something that judges imports it."""
    suite = copied[0].source.parents[1]
    module = suite / "inventory/model/further/names.py"
    module.parent.mkdir()
    (module.parent / "__init__.py").touch()
    module.write_text("A = 1\n", "utf-8")
    key_ids = suite / "inventory/model/key_ids.py"
    alone = rules_hash(copied)
    text = key_ids.read_text("utf-8")
    key_ids.write_text(f"{text}from inventory.model.further.names import A\n", "utf-8")
    imported = rules_hash(copied)
    module.write_text("A = 2\n", "utf-8")
    assert len({alone, imported, rules_hash(copied)}) == 3


def test_each_role_names_its_rules() -> None:
    """The rules of a role are found by their cards, and one role by one rule."""
    assert rules_of("key-first") == ("CMEK-05",)
    assert rule_of("key-first") == "CMEK-05"
    with pytest.raises(ValueError, match="too many values"):
        rule_of("proof")
