"""How many databases are protected by customer keys."""

from __future__ import annotations

from typing import TypedDict


class Protection(TypedDict):
    """How many databases there are of each state; ``waived`` is a part of ``unprotected``.

    The first three together are all databases that are to be encrypted by a customer key.
    """

    protected: int
    unprotected: int
    unproven: int
    astra_provided: int
    waived: int
