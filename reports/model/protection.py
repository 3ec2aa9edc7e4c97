"""How many databases are proven to be encrypted by a customer key, and how many are not."""

from __future__ import annotations

from typing import TypedDict


class Protection(TypedDict):
    """Numbers of databases, existing and planned; each database counts once, by its worst region.

    The first three add up to the databases that are to be encrypted by a customer key.

    Attributes:
        protected: a customer key is proven to encrypt it, or to be registered before it is
            deployed.
        unprotected: a failure says that no customer key encrypts it in some region.
        unproven: something about it is not known.
        astra_provided: it is declared to use Astra's keys, in one region at least; it is counted
            by none of the others.
        waived: how many of the unprotected have waivers for every failure. A waiver encrypts
            nothing.
    """

    protected: int
    unprotected: int
    unproven: int
    astra_provided: int
    waived: int
