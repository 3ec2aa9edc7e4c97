"""All rules, found by their files."""

from __future__ import annotations

import hashlib
import importlib
import pkgutil
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from checks.engine.card import Card
from checks.engine.import_closure import import_closure, read_modules
from inventory.files.yaml_json import raw_bytes

if TYPE_CHECKING:
    from checks.engine.card import Role
    from checks.engine.context import Context, Summary
    from checks.engine.finding import Finding
    from checks.engine.pass_series import Found
    from inventory.index.organization_index import OrganizationIndex

Judge = Callable[["OrganizationIndex", "Context"], Iterator["Found"]]
JudgeAcross = Callable[[Sequence["Summary"], "Context"], Iterator["Finding"]]

_CHECKS = Path(__file__).parents[1]
_JUDGING = ("checks.engine.evaluation", "checks.engine.waivers")
"""What judges beside the rules: it runs them, and applies waivers."""

_READERS = (
    "inventory.astra.attested",
    "inventory.astra.fetch",
    "inventory.astra.readings",
    "inventory.clouds.aws.reader",
    "inventory.clouds.azure.reader",
    "inventory.clouds.collector",
    "inventory.clouds.gcp.reader",
    "inventory.history",
    "inventory.inventory",
)
"""What turns a file, or an answer of Astra or of a cloud, into what is judged."""

_DATA = ("reasons.yaml",)
"""The files beside the rules whose words come into findings."""


class Rule(NamedTuple):
    """A rule ready to judge.

    Attributes:
        card: what it says of itself.
        judge: judges one organization; None for a rule that only goes across them.
        judge_across: judges all organizations together; None for most rules.
        source: the file that holds it.
    """

    card: Card
    judge: Judge | None
    judge_across: JudgeAcross | None
    source: Path


def load_rules() -> tuple[Rule, ...]:
    """Import every ``checks/check_*.py`` and return the rules by their ids."""
    modules = [module.name for module in pkgutil.iter_modules([str(_CHECKS)])]
    rules = [_load(name) for name in modules if name.startswith("check_")]
    return tuple(sorted(rules, key=lambda rule: rule.card.id))


def _load(name: str) -> Rule:
    module = importlib.import_module(f"checks.{name}")
    judge, across = getattr(module, "judge", None), getattr(module, "judge_across", None)
    return Rule(module.CARD, judge, across, Path(str(module.__file__)))


@cache
def rules_of(role: Role) -> tuple[str, ...]:
    """Return the ids of the rules whose cards have ``role``."""
    return tuple(rule.card.id for rule in load_rules() if role in rule.card.roles)


def rule_of(role: Role) -> str:
    """Return the id of the one rule whose card has ``role``; raise ValueError if it is not one."""
    (rule,) = rules_of(role)
    return rule


def rules_hash(rules: Sequence[Rule]) -> str:
    """Return a hash over all that judges: audits with equal hashes judge alike.

    That is every module of the ``rules`` and of the readers, what they import, and their data.
    """
    checks = rules[0].source.parent
    texts = read_modules(checks.parent)
    roots = [f"checks.{rule.source.stem}" for rule in rules]
    digest = hashlib.sha256()
    for module in sorted(import_closure(texts, [*roots, *_JUDGING, *_READERS])):
        digest.update(module.encode() + b"\0" + texts[module] + b"\0")
    for name in _DATA:
        digest.update(name.encode() + b"\0" + raw_bytes(str(checks / name)) + b"\0")
    return digest.hexdigest()
