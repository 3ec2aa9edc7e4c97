"""Answers on who may use a key: yes, no, or that what the cloud shows does not decide it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple, get_args

if TYPE_CHECKING:
    from collections.abc import Iterable

Match = Literal["no", "maybe", "yes"]
"""Whether something applies; ``maybe`` if that cannot be decided."""

_MATCHES: tuple[Match, ...] = get_args(Match)

_MOST_QUOTED = 300


class Clause(NamedTuple):
    """A part of what a cloud shows: a statement of a policy, a grant, or a binding.

    Attributes:
        code: names it in a cause.
        label: names it for people.
        text: the part itself, as it was shown.
    """

    code: str
    label: str
    text: str

    @property
    def quote(self) -> str:
        """Quote it in a sentence, cut if it is long."""
        is_long = len(self.text) > _MOST_QUOTED
        text = f"{self.text[:_MOST_QUOTED]}…" if is_long else self.text
        return f"{self.label}: {text}" if text else self.label


class Access(NamedTuple):
    """Whether somebody may do something with a key.

    Attributes:
        answer: whether that is so.
        clauses: what allows it, denies it, or leaves it open.
    """

    answer: Match
    clauses: tuple[Clause, ...] = ()


class VendorAccess(NamedTuple):
    """What an account of the vendor may do with a key.

    Attributes:
        account: the account, as Astra names it.
        missing: what it needs and may not do.
        unclear: what it needs, or may need, and of which it is not clear whether it may.
        doubtful: what it may need, and may not do.
        clauses: what leaves open what is ``unclear``.
        is_inherited: whether access may be inherited of what is not shown.
    """

    account: str
    missing: tuple[str, ...] = ()
    unclear: tuple[str, ...] = ()
    doubtful: tuple[str, ...] = ()
    clauses: tuple[Clause, ...] = ()
    is_inherited: bool = False


class Outsider(NamedTuple):
    """Somebody who may use a key.

    Attributes:
        account: the account or project; empty if it is everybody.
        clauses: what lets them use it.
    """

    account: str
    clauses: tuple[Clause, ...]


class Outsiders(NamedTuple):
    """Who may use a key and is neither its owner nor the vendor.

    Attributes:
        found: those who surely may.
        unclear: what may let somebody use it, or may not.
        notes: what else is remarkable, in sentences.
    """

    found: tuple[Outsider, ...] = ()
    unclear: tuple[Clause, ...] = ()
    notes: tuple[str, ...] = ()


def all_of(matches: Iterable[Match]) -> Match:
    """Return whether all apply: the worst of them."""
    return min(matches, key=_MATCHES.index, default="yes")


def any_of(matches: Iterable[Match]) -> Match:
    """Return whether any applies: the best of them."""
    return max(matches, key=_MATCHES.index, default="no")


def distinct(clauses: Iterable[Clause]) -> tuple[Clause, ...]:
    """Return the clauses in their order, each once."""
    return tuple(dict.fromkeys(clauses))
