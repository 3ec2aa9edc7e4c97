"""Bundles follow one another as their manifests say, whatever the clock said."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory.evidence.chain import Chain, Link, build_chain, bundle_label, link_of
from inventory.evidence.manifest import Previous, read_head, read_manifest
from tests.inventory.live import Astra, configured, write_bundle

FOLDER = Path("ev")
DAY = datetime(2026, 11, 20, tzinfo=UTC)


def root_of(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()


def previous(name: str) -> Previous:
    return Previous(name=name, root=root_of(name))


def link(name: str, before: str | None = None, started: datetime = DAY) -> Link:
    """Return the bundle ``name``, which follows ``before``."""
    return Link(name, root_of(name), previous(before) if before else None, started)


def nights(*names: str) -> list[Link]:
    """Return bundles of which each follows the one before it."""
    return [link(name, before) for name, before in zip(names, (None, *names), strict=False)]


def names(chain: Chain) -> list[str]:
    return [link.name for link in chain.links]


def problems(*links: Link) -> set[tuple[str, str]]:
    """Return where ``links`` are no chain, and what is found there, with short roots."""
    chain = build_chain(FOLDER, links)
    assert (chain.links, chain.head, chain.earlier) == ((), None, None)
    return {
        (problem.file.removesuffix("/manifest.json"), _short(problem.found))
        for problem in chain.problems
    }


def _short(text: str) -> str:
    for name in "abcdefgx":
        text = text.replace(root_of(name), name.upper())
    return text


# --- chains ---------------------------------------------------------------------------------------


def test_nothing_is_a_chain_without_a_head() -> None:
    """An empty folder is a chain to which the first bundle can be added."""
    assert build_chain(FOLDER, []) == Chain((), ())
    assert (Chain((), ()).head, Chain((), ()).earlier, Chain((), ()).backdated()) == (
        None,
        None,
        [],
    )


@given(
    offsets=st.lists(st.integers(-400, 400), min_size=1, max_size=12),
    data=st.data(),
)
def test_chain_does_not_depend_on_times_or_order(offsets: list[int], data: st.DataObject) -> None:
    """Whatever the clock said, and however a folder is listed, links give the same chain."""
    order = [f"n{number:02}" for number in range(len(offsets))]
    named_by_clock = data.draw(st.permutations(order))
    links = [
        link._replace(started=DAY + timedelta(days=days))
        for link, days in zip(nights(*named_by_clock), offsets, strict=True)
    ]
    chain = build_chain(FOLDER, data.draw(st.permutations(links)))
    assert (chain.problems, names(chain)) == ((), named_by_clock)
    assert chain.head == links[-1]
    back = [two.name for one, two in pairwise(links) if two.started < one.started]
    assert chain.backdated() == back


@given(count=st.integers(2, 10), data=st.data())
def test_only_the_oldest_and_the_newest_can_be_missing(count: int, data: st.DataObject) -> None:
    """What is left of a chain is one exactly if it was cut at its ends."""
    links = nights(*(f"n{number}" for number in range(count)))
    kept = data.draw(st.lists(st.sampled_from(range(count)), min_size=1, unique=True))
    chain = build_chain(FOLDER, [links[number] for number in kept])
    is_whole = max(kept) - min(kept) + 1 == len(kept)
    assert (not chain.problems) == is_whole
    if is_whole:
        assert chain.earlier == links[min(kept)].previous


@given(count=st.integers(1, 8), data=st.data())
def test_no_bundle_can_be_slipped_in(count: int, data: st.DataObject) -> None:
    """A bundle that follows any but the last one makes a fork, or a chain of its own."""
    links = nights(*(f"n{number}" for number in range(count)))
    before = data.draw(st.sampled_from([None, *(f"n{number}" for number in range(count - 1))]))
    assert build_chain(FOLDER, [*links, link("slipped", before)]).problems


def test_link_of_a_bundle(tmp_path: Path) -> None:
    """A link holds what a bundle's manifest says of its place in the chain."""
    bundle = write_bundle(tmp_path / "b", (configured(), Astra()), previous=previous("a"))
    manifest = read_manifest(bundle)
    link = link_of("b", read_head(bundle))
    assert link == ("b", manifest.root, previous("a"), manifest.started)


def test_bundles_are_named_with_their_roots() -> None:
    """A bundle is named by folder and root; where there is none, that is said."""
    assert (
        bundle_label(link("a"))
        == bundle_label(previous("a"))
        == f"'a' with the root {root_of('a')}"
    )
    assert bundle_label(None) == "none"


# --- where bundles are no chain -------------------------------------------------------------------


def test_missing_middle() -> None:
    """Where a bundle was taken out, the next one names what is not here."""
    first, _, third = nights("a", "b", "c")
    assert problems(first, third) == {("ev/c", "'b' with the root B, which is not here")}
    [problem] = build_chain(FOLDER, [first, third]).problems
    assert (problem.field, problem.expected) == ("previous", "one chain: 'a', 'c' each start one")


def test_two_chains() -> None:
    """Two bundles that follow none are two chains; of two that were cut both are named."""
    assert problems(link("a"), link("b")) == {("ev/a", "none"), ("ev/b", "none")}
    assert problems(link("b", "a"), link("d", "c")) == {
        ("ev/b", "'a' with the root A, which is not here"),
        ("ev/d", "'c' with the root C, which is not here"),
    }


def test_two_heads() -> None:
    """Two bundles that follow the same one, as two machines make them, are no chain."""
    found = "'b', 'c', which all follow 'a' with the root A"
    assert problems(link("a"), link("b", "a"), link("c", "a")) == {("ev", found)}
    assert problems(link("b", "a"), link("c", "a")) == {
        ("ev", found),
        ("ev/b", "'a' with the root A, which is not here"),
        ("ev/c", "'a' with the root A, which is not here"),
    }


@pytest.mark.parametrize("copied", ["a", "b", "c"])
def test_copy(copied: str) -> None:
    """A bundle that is there twice is named once, wherever it is in the chain."""
    links = {night.name: night for night in nights("a", "b", "c")}
    copy = links[copied]._replace(name="x")
    found = f"the root of '{copied}', of which this is a copy"
    assert problems(*links.values(), copy) == {("ev/x", found)}


def test_renamed_bundle() -> None:
    """A bundle that was renamed is named by the one that follows it."""
    first, second = nights("a", "b")
    assert problems(first._replace(name="x"), second) == {("ev/b", "'a' with the root A")}


def test_replaced_bundle() -> None:
    """A bundle in the place of another one has another root than the next one names."""
    first, second, third = nights("a", "b", "c")
    replaced = second._replace(root=root_of("x"))
    assert problems(first, replaced, third) == {("ev/c", "'b' with the root B")}
    [problem] = build_chain(FOLDER, [first, replaced, third]).problems
    assert problem.expected == f"'b' with the root {root_of('x')}, as here"


def test_bundle_that_names_itself() -> None:
    """A bundle that follows itself has no beginning, and its name with another root is no other."""
    found = "bundles that follow one another in a cycle: 'a'"
    assert problems(link("a", "a")) == {("ev", found)}
    assert problems(link("a", "a")._replace(root=root_of("x"))) == {("ev/a", "'a' with the root A")}


def test_circle() -> None:
    """Bundles that follow one another in a circle are named, also beside a chain."""
    found = "bundles that follow one another in a cycle: 'c', 'd', 'e'"
    links = link("c", "d"), link("d", "c"), link("e", "d")
    assert ("ev", found) in problems(*links)
    assert ("ev", found) in problems(*nights("a", "b"), *links)
