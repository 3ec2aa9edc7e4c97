from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.engine.identity import (
    LONGEST,
    cached_escape,
    cause_of,
    escape,
    escape_all,
    finding_id,
    finding_ids,
    join,
    reason_of,
    shorten,
    things_of,
    unescape,
)
from tests.hypothesis_profile import examples

ANY = st.text(st.characters(exclude_categories=()))
PROPERTY = examples(200)


@PROPERTY
@given(ANY)
def test_escaping_leaves_a_safe_alphabet(text: str) -> None:
    """An escaped text holds letters, digits, dot, underscore and hyphen, and nothing else."""
    assert re.fullmatch(r"[A-Za-z0-9._-]*", escape(text))


@PROPERTY
@given(ANY)
def test_unescaping_gives_the_text_back(text: str) -> None:
    """Every text, with lone surrogates too, comes back as it was; so different ones stay so."""
    assert unescape(escape(text)) == text
    assert cached_escape(text) == escape(text)


@PROPERTY
@given(st.lists(ANY, min_size=1, max_size=4), st.lists(ANY, min_size=1, max_size=4))
def test_paths_of_different_parts_differ(one: list[str], two: list[str]) -> None:
    """Two paths are equal if and only if their parts are."""
    assert (join(*one) == join(*two)) == (one == two)


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("acme-prod_1", "acme-prod_1"),
        ("", ""),
        ("a.b", "a.2eb"),
        ("a/b", "a.2fb"),
        ("acme prod", "acme.20prod"),
        ("<b>[1]", ".3cb.3e.5b1.5d"),
        ("ü", ".c3.bc"),
        ("a\n", "a.0a"),
        ("\u0661", ".d9.a1"),
        ("\ud800", ".ed.a0.80"),
    ],
)
def test_what_is_not_plain_becomes_hexadecimal(text: str, escaped: str) -> None:
    """Each byte outside the alphabet, and the dot itself, is written as a dot and two digits."""
    assert escape(text) == escaped


def test_a_path_joins_by_slashes() -> None:
    """A path reads like the scope that it names."""
    path = join("acme/prod", "serverless", "aws", "us-east-2")
    assert path == "acme.2fprod/serverless/aws/us-east-2"


@PROPERTY
@given(st.text("abc./-", max_size=2 * LONGEST))
def test_shortened_paths_are_short(path: str) -> None:
    """No path is longer than the limit, and one that is short enough stays as it is."""
    short = shorten(path)
    assert len(short) <= LONGEST
    if len(path) <= LONGEST:
        assert short == path


@PROPERTY
@given(st.text("ab", max_size=4), st.text("ab", max_size=4), st.integers(LONGEST - 4, 2 * LONGEST))
def test_shortened_paths_stay_different(one: str, two: str, length: int) -> None:
    """Long paths that differ only where they are cut off stay different."""
    start = "a" * length
    assert (shorten(start + one) == shorten(start + two)) == (one == two)


def test_a_shortened_path_says_so() -> None:
    """A cut path keeps its beginning and ends with a hash that no escaped text can hold."""
    short = shorten("a" * (LONGEST + 1))
    assert re.fullmatch(r"a{178}\.x[0-9a-f]{20}", short)
    assert shorten("a" * LONGEST) == "a" * LONGEST


def test_a_finding_keeps_its_id_for_ever() -> None:
    """The id of a finding is the hash of rule and path, the same in every run and version."""
    assert finding_id("CMEK-01", "acme-prod/serverless/aws/us-east-2") == "7d7032c93c3f9ad2c9b8"
    assert finding_id("CMEK-02", "acme-prod/serverless/aws/us-east-2") != "7d7032c93c3f9ad2c9b8"


THINGS = st.lists(st.text(st.characters(exclude_categories=["Cs"])), max_size=3)


@PROPERTY
@given(st.sampled_from(["a", "b"]), THINGS, st.sampled_from(["a", "b"]), THINGS)
def test_causes_of_different_things_differ(
    one: str, things: list[str], two: str, others: list[str]
) -> None:
    """Two causes are equal if and only if code and things are; none holds white space."""
    cause = cause_of(one, *things)
    assert (cause == cause_of(two, *others)) == ((one, things) == (two, others))
    assert re.fullmatch(r"[!-~]+", cause)
    assert reason_of(cause) == reason_of(f"planned-{cause}") == one


@given(things=st.lists(st.text(min_size=1), max_size=4))
def test_the_things_of_a_cause_are_those_it_was_made_of(things: list[str]) -> None:
    """Whatever a cause concerns, it gives back; a cause of nothing concerns nothing."""
    assert things_of(cause_of("code", *things)) == tuple(things)


def test_a_cause_names_its_things_as_people_know_them() -> None:
    """Key ids and database ids stay readable in a cause; white space and commas do not."""
    key = "arn:aws:kms:us-east-1:111122223333:key/1"
    assert cause_of("replaced", key, "2") == f"replaced:{key},2"
    assert cause_of("vanished", "planned a,b%") == "vanished:planned%20a%2Cb%25"


@PROPERTY
@given(st.lists(ANY | st.sampled_from(["acme", "us-east-1"]), max_size=4))
def test_texts_are_escaped_together_as_each_is(texts: list[str]) -> None:
    """Escaping many texts at once gives what escaping each of them gives."""
    assert list(escape_all(texts)) == list(map(escape, texts))


@PROPERTY
@given(ANY.map(escape), st.lists(ANY.map(escape), max_size=4))
def test_ids_of_paths_that_begin_alike_are_those_of_each_path(begin: str, ends: list[str]) -> None:
    """Hashing what paths share once changes no id."""
    expected = [finding_id("CMEK-05", begin + end) for end in ends]
    assert list(finding_ids("CMEK-05", begin, ends)) == expected
