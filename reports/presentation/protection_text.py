"""How many databases are encrypted with customer keys, in words: the answer of every report."""

from __future__ import annotations

from typing import TYPE_CHECKING

from inventory.text.display import pluralize

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reports.model.head import Head
    from reports.model.key_plan import CoverageRow
    from reports.model.protection import Protection

NOT_RECORDED = "How many databases are encrypted with your keys is not recorded."
NO_DATABASE = "No database is known."
"""What a report says of no database: that none was found does not prove that there is none."""

_PROVEN = "proven to be encrypted with your keys"


def answer(head: Head) -> str:
    """Say how many databases of an audit are proven to be encrypted.

    If not all was read and judged, there may be more databases than those that are known.
    """
    is_whole = not head["settings"]["left_out"] and all(row["complete"] for row in head["coverage"])
    return sentence(recorded_protection(head), is_whole=is_whole)


def answer_of(row: CoverageRow) -> str:
    """Say how many databases of one organization are proven to be encrypted; as ``answer``."""
    return sentence(recorded_protection(row), is_whole=row["complete"])


def recorded_protection(block: Head | CoverageRow) -> Protection | None:
    """Return the numbers of an audit or an organization; None in records of earlier versions."""
    return block.get("protection")


def expected(protection: Protection) -> int:
    """Return how many databases are to be encrypted by a customer key."""
    return protection["protected"] + protection["unprotected"] + protection["unproven"]


def sentence(protection: Protection | None, *, is_whole: bool = True) -> str:
    """Say how many databases are proven to be encrypted, and what is known of the others.

    Unless it ``is_whole``, the numbers are those of the known databases, and there may be more.
    """
    if protection is None:
        return NOT_RECORDED
    if not (expected(protection) or protection["astra_provided"]):
        return NO_DATABASE
    first, *others = _clauses(protection, "database" if is_whole else "known database")
    return f"{first}; {', '.join(others)}." if others else f"{first}."


def _clauses(protection: Protection, noun: str) -> Iterator[str]:
    if expected(protection) == 1:
        yield f"The only {noun} {_only(protection)}"
    else:
        yield _proven(protection["protected"], expected(protection), noun)
        if count := protection["unprotected"]:
            yield f"{count:,} {_are(count)} not{_accepted(protection)}"
        if count := protection["unproven"]:
            yield f"{count:,} cannot be proven"
    if count := protection["astra_provided"]:
        yield f"{count:,} {_are(count)} approved to use Astra's keys"


def _only(protection: Protection) -> str:
    """Say what is known of the one database that there is."""
    if protection["protected"]:
        return f"is {_PROVEN}"
    if protection["unproven"]:
        return f"cannot be {_PROVEN}"
    return f"is not encrypted with your keys{_accepted(protection)}"


def _proven(count: int, total: int, noun: str) -> str:
    if not total:
        return f"No {noun} is to be encrypted with your keys"
    databases = pluralize(total, noun)
    if count in {0, total}:
        which, verb = ("All", "are") if count else ("None of", "is")
        return f"{which} {databases} {verb} {_PROVEN}"
    return f"{count:,} of {databases} {_are(count)} {_PROVEN}"


def _accepted(protection: Protection) -> str:
    """Say how many of those that are not encrypted a waiver accepts; empty if none."""
    count, total = protection["waived"], protection["unprotected"]
    if not count:
        return ""
    waivers = "a waiver" if count == 1 else "waivers"
    if count < total:
        return f" ({count:,} of them accepted by {waivers})"
    return f" (accepted by {waivers})"


def _are(count: int) -> str:
    return "is" if count == 1 else "are"


def share(protection: Protection | None) -> str:
    """Return the share of databases that are proven to be encrypted, of those that are to be.

    It is rounded down, so that only all of them are 100 %; empty if there are none.
    """
    if protection is None or not (total := expected(protection)):
        return ""
    percent = 100 * protection["protected"] // total
    return "under 1 %" if protection["protected"] and not percent else f"{percent} %"
