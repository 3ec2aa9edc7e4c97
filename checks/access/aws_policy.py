"""AWS key policies: their statements, taken apart, and what each says of an action and a key.

Nothing in a policy is ignored: a statement that is not understood in full is *odd*. It may apply to
anybody and anything, and if not even its effect is clear, it may allow that or deny it.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from functools import lru_cache
from typing import TYPE_CHECKING, Literal, NamedTuple

from checks.access.answers import Clause, any_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from checks.access.answers import Match

Effect = Literal["Allow", "Deny"]

_ELEMENTS = frozenset({"Sid", "Effect", "Condition"})
_OPPOSITES = (("Principal", "NotPrincipal"), ("Action", "NotAction"), ("Resource", "NotResource"))
_PRINCIPAL_KINDS = frozenset({"AWS", "Service", "Federated", "CanonicalUser"})
_VERSIONS = frozenset({"2008-10-17", "2012-10-17"})
_ACTION = re.compile(r"\*|[A-Za-z0-9-]+:[A-Za-z0-9*?]+")


class Principal(NamedTuple):
    """A principal of a statement: its kind, such as ``AWS`` or ``Service``, and its name."""

    kind: str
    name: str


class Condition(NamedTuple):
    """One line of a condition: the key compares by the operator with any of the values."""

    operator: str
    key: str
    values: tuple[str, ...]


class Statement(NamedTuple):
    """A statement of a key policy.

    Attributes:
        label: names it for people: ``statement 2 (Vendor)``, counted from 1.
        code: its own name if no other statement has it, else its position; for causes.
        text: the statement as compact JSON, for quoting.
        effect: what it does; None if that is not clear.
        is_odd: whether some other part of it is not understood.
        principals: to whom it applies, or does not.
        actions: which patterns of actions, or which not.
        resources: which patterns of keys, or which not.
        conditions: what must hold as well, all of it.
        negated: which of the three lists say what is left out: ``NotPrincipal`` and so on.
    """

    label: str
    code: str
    text: str
    effect: Effect | None = None
    is_odd: bool = True
    principals: tuple[Principal, ...] = ()
    actions: tuple[str, ...] = ()
    resources: tuple[str, ...] = ()
    conditions: tuple[Condition, ...] = ()
    negated: frozenset[str] = frozenset()

    @property
    def clause(self) -> Clause:
        """Return the statement as it is quoted."""
        return Clause(self.code, self.label, self.text)

    def may(self, effect: Effect) -> bool:
        """Say whether it has this effect; one whose effect is not clear may have any."""
        return self.effect in {None, effect}


class _OddError(ValueError):
    """A part of a policy is not as a policy is written."""


class _Repeating(dict[str, object]):
    """A JSON object that has a key twice: which of the two counts is not known."""


def parse_policy(text: str) -> tuple[Statement, ...]:
    """Take a key policy apart; what is no policy at all is one odd statement."""
    try:
        policy = json.loads(text, object_pairs_hook=_object)
        listed = _statements(policy)
        sids = Counter(map(_sid, listed))
        return tuple(
            _statement(place, data, is_named=sids[_sid(data)] == 1)
            for place, data in enumerate(listed, 1)
        )
    except (ValueError, RecursionError):
        return (Statement("the policy", "policy", text),)


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    made = dict(pairs)
    return made if len(made) == len(pairs) else _Repeating(made)


def _statements(policy: object) -> Sequence[object]:
    """Return the statements of a policy, of which one may go without its list."""
    if type(policy) is not dict or not policy.keys() <= {"Version", "Id", "Statement"}:
        raise _OddError
    version = policy.get("Version", "2008-10-17")
    if not isinstance(version, str) or version not in _VERSIONS or "Statement" not in policy:
        raise _OddError
    statements = policy["Statement"]
    return statements if isinstance(statements, list) else [statements]


def _sid(data: object) -> str:
    sid = data.get("Sid") if isinstance(data, dict) else None
    return sid if isinstance(sid, str) else ""


def _statement(place: int, data: object, *, is_named: bool) -> Statement:
    """Return a statement; ``is_named`` if no other has its own name."""
    text, sid = json.dumps(data, separators=(",", ":")), _sid(data)
    label = f"statement {place} ({sid})" if sid else f"statement {place}"
    # A name may look like a place: then the place is used, which no two statements have.
    is_code = sid and is_named and not sid.startswith("#")
    odd = Statement(label, sid if is_code else f"#{place}", text, _effect(data))
    try:
        return _understood(odd, data)
    except _OddError:
        return odd


def _effect(data: object) -> Effect | None:
    """Return the effect of a statement that has only elements which are known, each once."""
    if type(data) is not dict or not data.keys() <= _ELEMENTS.union(*_OPPOSITES):
        return None
    known: tuple[Effect, ...] = ("Allow", "Deny")
    return next((effect for effect in known if data.get("Effect") == effect), None)


def _understood(odd: Statement, data: object) -> Statement:
    """Return the statement with all its parts; raise _OddError if one is not understood."""
    if type(data) is not dict or _repeats(data) or not isinstance(data.get("Sid", ""), str):
        raise _OddError
    chosen = [next((name for name in pair if name in data), "") for pair in _OPPOSITES]
    if data.keys() - _ELEMENTS - set(chosen) or "" in chosen:
        raise _OddError  # an element of no policy, both of a pair, or none of it
    if odd.effect is None:
        raise _OddError
    who, what, which = (data[name] for name in chosen)
    return odd._replace(
        is_odd=False,
        principals=tuple(_principals(who)),
        actions=_texts(what, _ACTION),
        resources=_texts(which),
        conditions=tuple(_conditions(data.get("Condition", {}))),
        negated=frozenset(name for name in chosen if name.startswith("Not")),
    )


def _repeats(value: object) -> bool:
    """Say whether any object in ``value`` has a key twice."""
    if isinstance(value, list):
        return any(map(_repeats, value))
    if isinstance(value, dict):
        return isinstance(value, _Repeating) or any(map(_repeats, value.values()))
    return False


def _texts(value: object, form: re.Pattern[str] | None = None) -> tuple[str, ...]:
    """Return the texts of a list, or a text alone; raise _OddError if it is not one."""
    values = value if isinstance(value, list) else [value]
    texts = tuple(text for text in values if isinstance(text, str) and text)
    if not texts or len(texts) < len(values):
        raise _OddError
    if form and not all(map(form.fullmatch, texts)):
        raise _OddError
    return texts


def _principals(value: object) -> Iterable[Principal]:
    if value == "*":
        return [Principal("AWS", "*")]
    if not isinstance(value, dict) or not value or not value.keys() <= _PRINCIPAL_KINDS:
        raise _OddError
    return [Principal(kind, name) for kind, names in value.items() for name in _texts(names)]


def _conditions(value: object) -> Iterable[Condition]:
    if not isinstance(value, dict):
        raise _OddError
    return [
        Condition(operator, key.lower(), _values(values))
        for operator, keys in value.items()
        for key, values in _keys(keys).items()
    ]


def _keys(value: object) -> Mapping[str, object]:
    if not isinstance(value, dict) or not value:
        raise _OddError
    return value


def _values(value: object) -> tuple[str, ...]:
    """Return the values of a condition; ``true`` may be written without quotes."""
    if isinstance(value, bool):
        return (str(value).lower(),)
    return _texts(value)


# --- what a statement says ------------------------------------------------------------------------


def matches_action(statement: Statement, action: str) -> Match:
    """Say whether a statement is about an action of a key, such as ``Decrypt``; case is ignored."""
    found = _are_about(statement.actions, f"kms:{action}".lower())
    return "yes" if found is not ("NotAction" in statement.negated) else "no"


@lru_cache(maxsize=4_096)
def _are_about(patterns: tuple[str, ...], action: str) -> bool:
    """Say whether one of the patterns is of the action; for each account it is the same."""
    return any(matches_pattern(pattern.lower(), action) for pattern in patterns)


def matches_key(statement: Statement, arn: str) -> Match:
    """Say whether a statement is about a key; ``arn`` is empty if the key's is not known.

    In a key policy, ``*`` is the key itself.
    """
    if "NotResource" in statement.negated:
        return "maybe"
    return any_of(_matches_resource(pattern, arn) for pattern in statement.resources)


def _matches_resource(pattern: str, arn: str) -> Match:
    if pattern == "*":
        return "yes"
    if not arn or "${" in pattern or not pattern.startswith("arn:"):
        return "maybe"
    return "yes" if matches_pattern(pattern, arn) else "no"


def matches_pattern(pattern: str, text: str) -> bool:
    """Say whether ``text`` is matched by a pattern in which ``*`` and ``?`` stand for characters.

    Each star takes as little as it can, so that the time is at most the product of both lengths.
    """
    at = start = 0
    star = -1
    for_text = 0
    while at < len(text):
        if start < len(pattern) and pattern[start] == "*":
            star, for_text = start, at
            start += 1
        elif start < len(pattern) and pattern[start] in {"?", text[at]}:
            at, start = at + 1, start + 1
        elif star >= 0:
            for_text += 1
            at, start = for_text, star + 1
        else:
            return False
    return not pattern[start:].strip("*")
