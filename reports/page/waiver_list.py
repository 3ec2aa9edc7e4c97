"""The waivers in the order in which somebody has to see to them, each with its number."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from reports.presentation.waiver_notices import URGENT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from checks.engine.waivers import State
    from reports.model.head import WaiverEntry

_OTHERS: tuple[State, ...] = ("unmatched", "not-yet-valid", "unused", "active")
ORDER = (*URGENT, *_OTHERS)
"""The states of waivers, those that need attention first."""


class NumberedWaiver(NamedTuple):
    """A waiver, and its number: its place in the record."""

    number: int
    waiver: WaiverEntry


class WaiverList(NamedTuple):
    """The waivers of a page.

    Attributes:
        shown: those that are shown, in their order.
        left: how many more there are.
        states: how many there are of each state, without those of which there are none.
    """

    shown: list[NumberedWaiver]
    left: int
    states: dict[str, int]

    @property
    def numbers(self) -> dict[str, int]:
        """Return the number of each waiver that is shown, by its id."""
        return {waiver["id"]: number for number, waiver in self.shown}


def list_waivers(waivers: Sequence[WaiverEntry], limit: int) -> WaiverList:
    """Return at most ``limit`` of ``waivers``, those that need attention first."""
    numbered = [NumberedWaiver(number, waiver) for number, waiver in enumerate(waivers, 1)]
    numbered.sort(key=_urgency)
    found = [waiver["state"] for waiver in waivers]
    return WaiverList(
        shown=numbered[:limit],
        left=max(0, len(numbered) - limit),
        states={state: found.count(state) for state in ORDER if state in found},
    )


def _urgency(numbered: NumberedWaiver) -> tuple[int, str, int]:
    waiver = numbered.waiver
    return ORDER.index(waiver["state"]), waiver["expires_on"], numbered.number
