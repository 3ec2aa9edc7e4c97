"""What ``cmek-audit collect`` prints of the clouds: keys that were read, and what is missing."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Any, NamedTuple

from checks.engine.reasons import reasons
from inventory.model.key_ids import parse_key_id
from inventory.model.vocabulary import PROVIDER_NAMES
from inventory.text.display import pluralize

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from inventory.model.kms import KmsGap
    from inventory.model.organization import Organization

MOST_DETAILS = 3
_WIDTH = 16


class UnreadKey(NamedTuple):
    """A fact about a key that could not be read from its cloud.

    Attributes:
        organization: the id of the organization.
        name: its name.
        provider: the cloud.
        key_id: the key.
        gap: which fact it is, and why it could not be read.
    """

    organization: str
    name: str
    provider: str
    key_id: str
    gap: KmsGap

    def as_json(self) -> dict[str, Any]:
        """Return it as an object of JSON, with what to do about it."""
        fields = {"organization": self.organization, "name": self.name, "key": self.key_id}
        fields |= {"cloud": self.provider}
        return {**fields, **self.gap.model_dump(), "action": _step([self.gap])}


class CollectedKeys:
    """The keys of a collection, added up organization by organization.

    Attributes:
        unread: what could not be read.
    """

    def __init__(self, asked: Sequence[str]) -> None:
        """Start with no key in each of the clouds that were ``asked``."""
        self.unread: list[UnreadKey] = []
        self._asked = asked
        self._keys: Counter[str] = Counter()
        self._whole: Counter[str] = Counter()

    def add(self, organization: Organization) -> None:
        """Add the keys of ``organization``."""
        for key in organization.cloud_keys or ():
            provider = str(parse_key_id(key.key_id).provider)
            self._keys[provider] += 1
            self._whole[provider] += not key.facts.unread
            self.unread += [
                UnreadKey(organization.id, organization.name, provider, key.key_id, gap)
                for gap in key.facts.unread
            ]

    def counts(self) -> dict[str, dict[str, int]]:
        """Return of each cloud how many keys it was asked about, and how many were read in full."""
        return {
            cloud: {"keys": self._keys[cloud], "in_full": self._whole[cloud]}
            for cloud in self._asked
        }

    def lines(self) -> Iterator[str]:
        """Yield a line for each cloud, with the number of keys."""
        for cloud, counts in self.counts().items():
            number, whole = counts["keys"], counts["in_full"]
            read = "all read in full" if whole == number else f"{whole:,} read in full"
            count = f"{pluralize(number, 'key')}, {read}" if number else "no key"
            yield f"{PROVIDER_NAMES[cloud]}:".ljust(_WIDTH) + count

    def gap_lines(self) -> Iterator[str]:
        """Yield what could not be read, those facts together that one step would bring."""
        groups: dict[tuple[str, str], list[UnreadKey]] = defaultdict(list)
        for unread in self.unread:
            groups[unread.provider, unread.gap.reason].append(unread)
        for (provider, reason), several in sorted(groups.items()):
            yield from _group_lines(provider, reason, several)


def _group_lines(provider: str, reason: str, unread: Sequence[UnreadKey]) -> Iterator[str]:
    gaps = [one.gap for one in unread]
    keys = pluralize(len({one.key_id for one in unread}), "key")
    facts = ", ".join(dict.fromkeys(gap.fact for gap in gaps))
    yield f"\n{PROVIDER_NAMES[provider]}"
    yield f"  {reason}: {facts} of {keys}"
    details = list(dict.fromkeys(gap.detail for gap in gaps if gap.detail))
    yield from (f"    {detail}" for detail in details[:MOST_DETAILS])
    if len(details) > MOST_DETAILS:
        yield f"    … and {len(details) - MOST_DETAILS:,} more"
    yield f"    To do: {_step(gaps)}"


def _step(gaps: Iterable[KmsGap]) -> str:
    """Return what to do about ``gaps`` of one reason, with the permissions that are missing."""
    several = list(gaps)
    permissions = sorted({gap.permission for gap in several if gap.permission})
    if permissions:
        return f"Grant the audit's credentials {', '.join(permissions)}"
    return _STEPS.get(several[0].reason, reasons()[several[0].reason].step)


_STEPS = {
    "refused": "Let the audit's credentials read the key",
    "rate-limited": "Collect again later, or with fewer connections",
    "timed-out": "Collect again, with a later deadline in the organizations file if needed",
    "process-lost": "Find out in the logs of the cluster why its workers end, and collect again",
    "unavailable": "Collect again when the cloud answers",
    "wrong-address": "Check the key id, and the address in the organizations file",
    "cut-short": "Collect again",
}
"""The step where that of a gap in what Astra shows is another one."""
