"""CMEK-02: a customer key serves one database type, provider and region."""

from __future__ import annotations

from typing import TYPE_CHECKING, get_args

from checks.engine.actions import ActionKind
from checks.engine.card import OVERVIEW, Card, Quote
from checks.engine.context import gap_text, scope_label
from checks.engine.finding import (
    fails,
    inconclusive,
    key_id_subject,
    locations_of,
    passes,
    scope_subject,
)
from checks.engine.identity import cause_of
from checks.engine.outcome import report_outcome
from checks.engine.reasons import cause_of_gap, gap_action
from checks.shared.planned_keys import as_planned, planned_keys, undetermined_keys, without_id
from checks.shared.remedies import FIND_KEY_IN_USE, for_scope, record_key_id, separate_scopes
from checks.shared.verdicts import with_databases_of
from inventory.model.key_ids import canonical, material_id, parse_key_id, project_of
from inventory.model.vocabulary import DatabaseType

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from checks.engine.context import Context
    from checks.engine.finding import Finding, Subject
    from checks.engine.outcome import FindingGroup
    from inventory.index.organization_index import OrganizationIndex
    from inventory.model.base import Located, SourceLocation
    from inventory.model.key import CustomerKey, KeyScope
    from inventory.model.planned_keys import PlannedKey

    Uses = dict[str, list[tuple[KeyScope, CustomerKey]]]
    """The scopes for which each key is registered, by the key's id without a version."""

CARD = Card(
    id="CMEK-02",
    check="check_key_serves_one_scope",
    title="A customer key serves one database type, provider and region",
    basis="required",
    severity="high",
    severity_planned="critical",
    subject="key id within an organization; key scope with two keys; planned key",
    needs=("keys",),
    causes={
        "serves:TYPE/PROVIDER/REGION": "The key is registered for this combination and for others.",
        "rival-key:KEY": "The key is one of several that are claimed for the combination.",
    },
    rationale=(
        "Astra keeps a key for each combination. One key registered for two of them, or two keys "
        "claimed for one, means that the separation the documentation demands does not hold, or "
        "that the record does not show what is really in use."
    ),
    quotes=(
        Quote(
            sentence=(
                "If you use both types, then you need separate encryption keys for each type, even "
                "if they are deployed to the same regions."
            ),
            page=OVERVIEW,
            heading="Determine how many keys you need",
        ),
    ),
    remediation=(
        "Create a key of its own for each further combination. A key that is registered already "
        "can be replaced by IBM Support only: open a case. Correct a plan before it is applied: "
        "Terraform cannot undo a registration, and its replacement registers a second key."
    ),
    no_subject="The audit holds no customer key, registered or planned.",
    roles=("proof", "which-key"),
)

_KEEP_ONE_PLANNED_KEY = ActionKind(
    code="keep-one-planned-key",
    sentence="Remove all but one key for {scope} from the plan",
    purpose="repair",
    who="we",
    sentence_for_several="Remove all but one planned key for each of {number} key scopes: {scopes}",
    steps=(
        "Choose the key that the type, provider and region shall have.",
        "Remove the others from the plan.",
        "Audit the new plan before you apply it: Terraform cannot undo a registration.",
    ),
)
_REMOVE_PLANNED_KEY = ActionKind(
    code="remove-planned-key",
    sentence=(
        "Remove the key for {scope} from the plan: only IBM Support can replace a registered key"
    ),
    purpose="repair",
    who="we",
    sentence_for_several="Remove the keys for {number} key scopes from the plan: {scopes}",
    steps=(
        "Remove the planned key: the type, provider and region have a registered one.",
        "Open a case with IBM Support if the registered key has to be replaced.",
        "Audit the new plan before you apply it: Terraform cannot undo a registration.",
    ),
)


def judge(index: OrganizationIndex, context: Context) -> Iterator[Finding]:
    """Judge each key id, compared without version, and each scope with two different ones."""
    uses: Uses = {}
    for scope, keys in index.keys.items():
        yield from _judge_rivals(index, scope, keys)
        for key in keys:
            uses.setdefault(canonical(key.key_id), []).append((scope, key))
    namesakes = _namesakes(uses)
    for own, used in uses.items():
        for finding in _judge_key(index, own, used):
            note = _note(index, own, [uses[other] for other in namesakes(own)])
            yield finding._replace(message=f"{finding.message}{note}")
    yield from undetermined_keys(CARD, index)
    yield from _judge_plans(index, uses, namesakes)


def _namesakes(uses: Iterable[str]) -> Callable[[str], list[str]]:
    """Return how to find the ids that may name the Google key of another id.

    One of them names the project by its id, the other by its number.
    """
    relatives: dict[str, list[str]] = {}
    for own in uses:
        if project_of(own):
            relatives.setdefault(material_id(own), []).append(own)

    def find(own: str) -> list[str]:
        is_number = project_of(own).isdecimal()
        alike = relatives.get(material_id(own), ())
        return [other for other in alike if project_of(other).isdecimal() is not is_number]

    return find


def _note(
    index: OrganizationIndex, own: str, others: list[list[tuple[KeyScope, CustomerKey]]]
) -> str:
    """Return which other scopes may have the key under another id; empty if none may."""
    kind = "id" if project_of(own).isdecimal() else "number"
    scopes = dict.fromkeys(scope for used in others for scope, _ in used)
    named = ", ".join(scope_label(index.organization, scope) for scope in scopes)
    return f" It may be the key that {named} names by the project's {kind}." if named else ""


def _judge_rivals(
    index: OrganizationIndex, scope: KeyScope, keys: list[CustomerKey]
) -> Iterator[Finding]:
    """Yield one finding for each of several keys claimed for ``scope``: each is a cause."""
    claimed = sorted({canonical(key.key_id) for key in keys})
    if len(claimed) == 1:
        return
    named = ", ".join(claimed)
    action = for_scope(FIND_KEY_IN_USE, index, scope)
    for own in claimed:
        message = f"{own} is one of {len(claimed)} keys claimed for the scope: {named}."
        cause = cause_of("rival-key", own)
        finding = fails(CARD, scope_subject(scope), cause, message, locations_of(keys), action)
        yield with_databases_of(finding, index, [scope])


def _judge_key(
    index: OrganizationIndex, own: str, used: list[tuple[KeyScope, CustomerKey]]
) -> Iterator[Finding]:
    scopes = list(dict.fromkeys(scope for scope, _ in used))
    if len(scopes) > 1:
        yield from _shared(index, own, scopes, locations_of(key for _, key in used))
    elif parse_key_id(own).form != "key":
        yield with_databases_of(_disguised(own, used), index, scopes)
    else:
        yield with_databases_of(_exclusive(index, own, used), index, scopes)


def _of_key_id(own: str, scope: KeyScope) -> Subject:
    """Return the subject that is a key id, with the one scope that its finding concerns."""
    subject = key_id_subject(scope.organization, own)
    return subject._replace(type=scope.type, provider=scope.provider, region=scope.region)


def _shared(
    index: OrganizationIndex, own: str, scopes: list[KeyScope], where: tuple[SourceLocation, ...]
) -> Iterator[Finding]:
    """Yield one finding for each scope that the key serves: a further scope is a further cause."""
    named = ", ".join(scope_label(index.organization, scope) for scope in scopes)
    action = separate_scopes(own)
    for scope in scopes:
        label = scope_label(index.organization, scope)
        message = f"{label} is one of {len(scopes)} scopes that the key serves: {named}."
        cause = cause_of("serves", "/".join(scope[1:]))
        finding = fails(CARD, _of_key_id(own, scope), cause, message, where, action)
        yield with_databases_of(finding, index, [scope])


def _exclusive(
    index: OrganizationIndex, own: str, used: list[tuple[KeyScope, CustomerKey]]
) -> Finding:
    scope, key = used[0]
    subject, where = _of_key_id(own, scope), locations_of(key for _, key in used)
    is_replicated = parse_key_id(key.key_id).multi_region
    note = " Multi-Region keys share their material between regions." if is_replicated else ""
    message = f"The key serves {scope_label(index.organization, scope)} alone.{note}"
    return passes(CARD, subject, message, where)


def _disguised(own: str, used: Sequence[tuple[KeyScope, Located]]) -> Finding:
    subject = _of_key_id(own, used[0][0])
    where = locations_of(key for _, key in used)
    if parse_key_id(own).form == "alias":
        message, reason = "An alias names the key; the key behind an alias can change.", "alias"
    else:
        message, reason = "The key id has the form of no provider.", "unknown-key-id"
    action = record_key_id(own)
    return inconclusive(CARD, subject, reason, message, where, action)


# --- planned keys ---------------------------------------------------------------------------------


def _judge_plans(
    index: OrganizationIndex, uses: Uses, namesakes: Callable[[str], list[str]]
) -> Iterator[Finding]:
    """Judge each key that a plan would register, beside those that are registered."""
    planned: dict[str, list[KeyScope]] = {}
    for scope, key in planned_keys(index):
        if key.key_id:
            planned.setdefault(canonical(key.key_id), []).append(scope)
    for scope, key in planned_keys(index):
        if key.key_id is None:
            yield without_id(CARD, index, key)
            continue
        own = canonical(key.key_id)
        note = _note(index, own, [uses[other] for other in namesakes(own)])
        for finding in _judge_planned(index, scope, key, uses.get(own, []), planned[own]):
            noted = finding._replace(message=f"{finding.message}{note}")
            yield as_planned(noted, CARD, index, key)


def _judge_planned(
    index: OrganizationIndex,
    scope: KeyScope,
    key: PlannedKey,
    registered: list[tuple[KeyScope, CustomerKey]],
    planned: list[KeyScope],
) -> Iterator[Finding]:
    """Yield what is wrong with a planned key, else one finding.

    ``registered`` and ``planned`` are all scopes that have the key, and that are to get it.
    """
    own = canonical(str(key.key_id))
    others = dict.fromkeys([*(there for there, _ in registered), *planned])
    others.pop(scope, None)
    rivals = sorted(_keys_of(index, scope) - {own})
    if rivals:
        yield _second_key(index, scope, own, rivals)
    if others:
        yield _second_scope(index, scope, own, list(others), registered)
    if not (rivals or others):
        yield _alone(index, scope, key)


def _keys_of(index: OrganizationIndex, scope: KeyScope) -> set[str]:
    """Return the keys that a scope has, and those that it is to get."""
    planned = {canonical(key.key_id) for key in index.planned_keys[scope] if key.key_id}
    return {*index.key_ids(scope), *planned}


def _second_key(index: OrganizationIndex, scope: KeyScope, own: str, rivals: list[str]) -> Finding:
    named, where = scope_label(index.organization, scope), locations_of(index.keys.get(scope, ()))
    message = f"The plan registers a second key for {named}, beside {', '.join(rivals)}."
    kind = _REMOVE_PLANNED_KEY if where else _KEEP_ONE_PLANNED_KEY
    action = for_scope(kind, index, scope)
    return fails(CARD, scope_subject(scope), cause_of("rival-key", own), message, where, action)


def _second_scope(
    index: OrganizationIndex,
    scope: KeyScope,
    own: str,
    others: list[KeyScope],
    registered: list[tuple[KeyScope, CustomerKey]],
) -> Finding:
    named = ", ".join(scope_label(index.organization, there) for there in others)
    message = f"The plan registers one key for several scopes; the others: {named}."
    action = separate_scopes(own)
    cause, where = (
        cause_of("serves", "/".join(scope[1:])),
        locations_of(key for _, key in registered),
    )
    return fails(CARD, scope_subject(scope), cause, message, where, action)


def _alone(index: OrganizationIndex, scope: KeyScope, key: PlannedKey) -> Finding:
    """Return the finding about a planned key of which nothing shows that it serves another."""
    own = canonical(str(key.key_id))
    gaps = map(index.keys_gap, get_args(DatabaseType))
    if parse_key_id(own).form != "key":
        return _disguised(own, [(scope, key)])
    if gap := next(filter(None, gaps), None):
        message = f"Whether the key serves another scope is unknown: {gap_text(gap)}."
        action = gap_action(gap, index.organization)
        return inconclusive(CARD, scope_subject(scope), cause_of_gap(gap), message, (), action)
    message = f"The planned key would serve {scope_label(index.organization, scope)} alone."
    return passes(CARD, scope_subject(scope), message, ())


def check_key_serves_one_scope(group: FindingGroup) -> None:
    """A customer key serves one database type, provider and region."""
    report_outcome(group)
