"""What a cloud shows of a key, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from inventory.text.display import pluralize
from reports.page.timeline.key_life import events_of
from reports.page.times import short_time
from reports.presentation import labels
from reports.presentation.sanitize import plain

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from inventory.model.kms import KmsFact
    from reports.model.cloud_record import CloudRecord, DeadVersion, KeyUser, UnreadFact
    from reports.model.population_record import KeyLine
    from reports.page.timeline.key_life import LifeKind

FACT: Mapping[KmsFact, str] = {
    "key": "the key itself",
    "versions": "its versions",
    "rotation": "whether it rotates",
    "rotations": "when it rotated",
    "policy": "its key policy",
    "grants": "its grants",
    "aliases": "its aliases",
    "last-use": "when it was last used",
    "bindings": "who has a role on it",
    "ring-bindings": "who has a role on its key ring",
    "deleted-key": "whether it was deleted",
}
"""What is asked of a cloud, in words."""

_OF_CLOUD = {
    "refused": "The cloud refused: these credentials may not read it.",
    "rate-limited": "The cloud limited the number of requests.",
    "unavailable": "The cloud did not answer, or answered with a server error.",
    "not-visible": "The cloud does not show it to these credentials.",
    "clock-differs": "The cloud’s clock and the recorder’s differ.",
}
"""What reason codes mean that are about Astra elsewhere."""

VIA = {
    "policy": "key policy",
    "grant": "grant",
    "key": "role on the key",
    "key-ring": "role on its key ring",
    "stated": "as a file states",
}
"""Where it is said who may use a key."""

EFFECT = {
    "allow": "may",
    "deny": "may not",
    "unclear": "unclear",
}
"""What is said of somebody."""

_LONGEST = 120


class LifeWords(NamedTuple):
    """A point in the life of a key, with its shape: what, and whether it is still to come."""

    kind: LifeKind
    words: str
    is_coming: bool


class UserWords(NamedTuple):
    """Somebody who is named by a cloud; texts are still to be escaped.

    Attributes:
        effect: what is said of that one, in words.
        who: the principal.
        what: what that one may do.
        via: where that is said.
        is_limited: whether it holds under conditions only.
    """

    effect: str
    who: str
    what: str
    via: str
    is_limited: bool


class UnreadWords(NamedTuple):
    """A fact that could not be read: what, the reason code and its meaning, and what is missing."""

    fact: str
    reason: str
    meaning: str
    permission: str
    detail: str


def life_words(key: KeyLine, end: datetime) -> list[LifeWords]:
    """Return the life of ``key`` in words, as marks show it, and what is not on any line."""
    words = [LifeWords(event.kind, event.brief, event.at > end) for event in events_of(key)]
    cloud = key.get("cloud")
    if cloud and cloud.get("never_used"):
        words.append(LifeWords("used", "never used since it was created", is_coming=False))
    if cloud and (grants := cloud.get("vendor_grants")) and "first" not in grants:
        words.append(LifeWords("granted", _undated_grants(grants["number"]), is_coming=False))
    return words


def _undated_grants(number: int) -> str:
    return f"{pluralize(number, 'grant')} by the vendor’s account, of unknown time"


def about(cloud: CloudRecord) -> list[tuple[str, str]]:
    """Return what is known of the key as it is, with a title each; texts are plain."""
    shown = (
        ("State", _state(cloud)),
        ("Kind", _kind(cloud)),
        ("Held by", plain(cloud.get("owner", ""), _LONGEST)),
        ("In", plain(cloud.get("region", ""), _LONGEST)),
        ("Rotation", _rotation(cloud)),
        ("Recovery", _recovery(cloud)),
        ("Versions", _versions(cloud)),
        ("Granted to Astra", _yes(cloud.get("granted_to_astra"), "yes, as a file states", "no")),
    )
    return [(title, text) for title, text in shown if text]


def _yes(value: bool | None, yes: str, no: str) -> str:  # noqa: FBT001 (a fact)
    return "" if value is None else yes if value else no


def _joined(*texts: str) -> str:
    return ", ".join(filter(None, texts))


def _state(cloud: CloudRecord) -> str:
    enabled = _yes(cloud.get("enabled"), "can be used", "cannot be used")
    return _joined(plain(cloud.get("state", ""), _LONGEST), enabled)


def _kind(cloud: CloudRecord) -> str:
    symmetric = _yes(cloud.get("symmetric"), "", "not symmetric")
    suitable = _yes(cloud.get("suitable"), "suitable", "not of the kind that wraps keys")
    replicas = _yes(cloud.get("multi_region"), "can have replicas in other regions", "")
    kind = plain(cloud.get("kind", ""), _LONGEST)
    return _joined(kind, suitable, symmetric if "suitable" not in cloud else "", replicas)


def _rotation(cloud: CloudRecord) -> str:
    is_on = _yes(cloud.get("rotation_enabled"), "on", "off")
    days = cloud.get("rotation_days")
    return _joined(is_on, f"every {pluralize(days, 'day')}" if days is not None else "")


def _recovery(cloud: CloudRecord) -> str:
    days = cloud.get("recoverable_days")
    purge = _yes(cloud.get("purge_protected"), "cannot be erased before", "can be erased at once")
    return _joined(pluralize(days, "day") if days is not None else "", purge)


def _versions(cloud: CloudRecord) -> str:
    if "versions" not in cloud:
        return ""
    dead = cloud.get("dead_versions_total", 0)
    alive = f"{dead:,} of them not alive, or to be destroyed" if dead else "all alive"
    return _joined(f"{cloud['versions']:,}", alive)


def dead_versions(cloud: CloudRecord) -> tuple[list[str], int]:
    """Return the versions that are not alive in words, and how many more there are."""
    versions = cloud.get("dead_versions", [])
    return list(map(_version, versions)), cloud.get("dead_versions_total", 0) - len(versions)


def _version(version: DeadVersion) -> str:
    times = (
        ("created", version.get("created_at")),
        ("to be destroyed", version.get("destroy_at")),
        ("expires", version.get("expires_at")),
    )
    dated = [f"{what} {short_time(time)}" for what, time in times if time]
    name, state = plain(version["id"], _LONGEST), plain(version["state"], _LONGEST)
    return _joined(f"{name}: {state}", *dated)


def users(cloud: CloudRecord) -> list[UserWords]:
    """Return who may use the key."""
    return [_user(user) for user in cloud.get("users", ())]


def _user(user: KeyUser) -> UserWords:
    return UserWords(
        effect=EFFECT[user["effect"]],
        who=user["who"],
        what=user["what"],
        via=VIA[user["via"]],
        is_limited=user.get("limited", False),
    )


def unread(cloud: CloudRecord) -> Iterator[UnreadWords]:
    """Yield what could not be read of the key, and why."""
    return map(_unread, cloud.get("unread", ()))


def _unread(gap: UnreadFact) -> UnreadWords:
    return UnreadWords(
        fact=FACT[gap["fact"]],
        reason=gap["reason"],
        meaning=_OF_CLOUD.get(gap["reason"]) or labels.reason(gap["reason"]).meaning,
        permission=gap.get("permission", ""),
        detail=gap.get("detail", ""),
    )
