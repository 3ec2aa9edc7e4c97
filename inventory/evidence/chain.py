"""The chain of evidence bundles: their order by their manifests, not by the clock."""

from __future__ import annotations

from collections import defaultdict
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from inventory.errors import Problem
from inventory.files.evidence_layout import MANIFEST
from inventory.text.display import describe

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    from inventory.evidence.manifest import ManifestHead, Previous


class Link(NamedTuple):
    """A bundle as a link of the chain.

    Attributes:
        name: the name of its folder.
        root: its root.
        previous: the previous bundle, as its manifest names it; None for the first.
        started: when it was begun, by the clock of its machine.
    """

    name: str
    root: str
    previous: Previous | None
    started: datetime


class Chain(NamedTuple):
    """The bundles of a folder, in the order in which they follow one another.

    Attributes:
        links: every bundle, from the oldest to the newest; empty if there are problems.
        problems: why the bundles are not one chain.
    """

    links: tuple[Link, ...]
    problems: tuple[Problem, ...]

    @property
    def head(self) -> Link | None:
        """Return the newest bundle; None if there is none."""
        return self.links[-1] if self.links else None

    @property
    def earlier(self) -> Previous | None:
        """Return the bundle that the oldest one here names as its previous one."""
        return self.links[0].previous if self.links else None

    def backdated(self) -> list[str]:
        """Return the names of bundles that, by the clock, are older than their previous one."""
        return [
            link.name for previous, link in pairwise(self.links) if link.started < previous.started
        ]


def link_of(name: str, head: ManifestHead) -> Link:
    """Return the link of the bundle ``name``, by the head of its manifest."""
    return Link(name, head.root, head.previous, head.started)


def build_chain(folder: Path, links: Iterable[Link]) -> Chain:
    """Return the chain of ``links``, the bundles of ``folder``, or why they are not one chain.

    The oldest may name one that is not here, as older bundles may have been removed.
    """
    by_root: dict[str, list[Link]] = defaultdict(list)
    for link in sorted(links, key=lambda link: link.name):
        by_root[link.root].append(link)
    unique = [same[0] for same in by_root.values()]
    starts = [link for link in unique if not (link.previous and link.previous.root in by_root)]
    followers = _followers(unique)
    order = _follow(starts, followers)
    problems = [
        *_copies(folder, by_root.values()),
        *_wrong_references(folder, by_root),
        *_several_starts(folder, starts, {link.name for link in unique}),
        *_forks(folder, followers.values()),
        *_cycles(folder, unique, order),
    ]
    return Chain(() if problems else tuple(order), tuple(problems))


def _followers(links: Iterable[Link]) -> dict[str, list[Link]]:
    """Return by each root the bundles that name it as that of their previous one."""
    followers: dict[str, list[Link]] = defaultdict(list)
    for link in links:
        if link.previous:
            followers[link.previous.root].append(link)
    return followers


def _follow(starts: Sequence[Link], followers: Mapping[str, Sequence[Link]]) -> list[Link]:
    """Return ``starts`` and all that follow them, each after its previous one."""
    order = list(starts)
    for link in order:  # grows while it is read; each has one previous bundle, so none comes twice
        order += followers.get(link.root, ())
    return order


def bundle_label(bundle: Previous | Link | None) -> str:
    """Return the name of a bundle's folder with its root."""
    return f"{describe(bundle.name)} with the root {bundle.root}" if bundle else "none"


# --- why bundles are not one chain ----------------------------------------------------------------


def _problem(folder: Path, link: Link, field: str, found: str, expected: str) -> Problem:
    return Problem((folder / link.name / MANIFEST).as_posix(), 0, field, found, expected)


def _names(links: Iterable[Link]) -> str:
    return ", ".join(describe(link.name) for link in links)


def _copies(folder: Path, same: Iterable[Sequence[Link]]) -> Iterator[Problem]:
    for first, *others in same:
        found = f"the root of {describe(first.name)}, of which this is a copy"
        yield from (_problem(folder, link, "root", found, "each bundle once") for link in others)


def _wrong_references(folder: Path, by_root: Mapping[str, Sequence[Link]]) -> Iterator[Problem]:
    """Yield each bundle whose previous one is here under another name, or with another root."""
    every = [link for same in by_root.values() for link in same]
    by_name = {link.name: link for link in every}
    for link in every:
        if previous := link.previous:
            same = by_root.get(previous.root, ())
            known = same[0] if same else by_name.get(previous.name)
            if known and previous.name not in {twin.name for twin in same}:
                yield _problem(
                    folder,
                    link,
                    "previous",
                    bundle_label(previous),
                    f"{bundle_label(known)}, as here",
                )


def _several_starts(
    folder: Path, starts: Sequence[Link], names: Container[str]
) -> Iterator[Problem]:
    """Yield each bundle that follows none of the folder, if there are several.

    If some of them name a previous bundle that is not here, those are the wrong ones: one without a
    previous bundle may be the first. A bundle of the folder named with another root is reported by
    ``_wrong_references``.
    """
    suspects = [link for link in starts if link.previous] or starts
    for link in suspects if len(starts) > 1 else ():
        found = f"{bundle_label(link.previous)}, which is not here" if link.previous else "none"
        if not (link.previous and link.previous.name in names):
            expected = f"one chain: {_names(starts)} each start one"
            yield _problem(folder, link, "previous", found, expected)


def _forks(folder: Path, followers: Iterable[Sequence[Link]]) -> Iterator[Problem]:
    for several in followers:
        if len(several) > 1:
            found = f"{_names(several)}, which all follow {bundle_label(several[0].previous)}"
            yield Problem(folder.as_posix(), 0, "", found, "one chain: one bundle after another")


def _cycles(folder: Path, links: Iterable[Link], order: Iterable[Link]) -> Iterator[Problem]:
    reached = {link.root for link in order}
    if cycle := [link for link in links if link.root not in reached]:
        found = f"bundles that follow one another in a cycle: {_names(cycle)}"
        yield Problem(folder.as_posix(), 0, "", found, "one chain with a first bundle")
