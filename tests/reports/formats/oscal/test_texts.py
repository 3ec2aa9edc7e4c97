"""Texts, tokens, times and addresses: whatever a record holds, OSCAL takes them."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from regress import Regex

from inventory.text.deceptive_text import deceptive_positions
from reports.formats.oscal.texts import (
    EMPTY,
    address,
    block,
    control_token,
    first_second,
    last_second,
    line,
    time,
    value,
)
from tests.reports.markdown_reading import LIVELY, PARSER, inline
from tests.reports.oscal_reading import validator

_SCHEMA: Any = validator("assessment-results").schema
_TYPES = _SCHEMA["definitions"]
_ANY = st.text(st.characters(), max_size=40)


def _is(kind: str, text: str) -> bool:
    return Regex(_TYPES[f"{kind}Datatype"]["pattern"], "u").find(text) is not None


@given(_ANY)
def test_any_text_is_a_value(text: str) -> None:
    """A value has no blank at its ends and nothing that cannot be seen; or it is empty."""
    shown = value(text)
    assert not shown or _is("String", shown)
    assert not deceptive_positions(shown)


@given(_ANY)
def test_any_text_is_a_line(text: str) -> None:
    """A line is one line, and never empty."""
    assert _is("MarkupLine", line(text))
    assert not deceptive_positions(line(text))


@given(_ANY | st.text("ab1 .)(-#*_`[]<>!&\n\t|~\\\\:/@", max_size=30))
def test_markdown_sees_words_and_code(text: str) -> None:
    """A reader of Markdown finds paragraphs of words and code in any text, and nothing else."""
    for shown in (line(text), block(text)):
        kinds = {token.type for token in PARSER.parse(shown)}
        assert kinds == {"paragraph_open", "inline", "paragraph_close"}
        assert {token.type for token in inline(shown)} <= {"text", "code_inline"}
        words = " ".join(token.content for token in inline(shown) if token.type == "text")
        assert not LIVELY.search(words)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("No key is registered, in 1,000 databases.",) * 2,
        ("CMEK-01 of SC-12 in us-west-2 (eu-west-1)",) * 2,
        ("acme / orders \N{EN DASH} eu",) * 2,
        ("[x](javascript:alert(1))", "`[x](javascript:alert(1))`"),
        ("<img src=x>", "`<img` `src=x>`"),
        ("see http://evil.example/x, now", "see `http://evil.example/x`, now"),
        ("@everyone *bold* under_scored", "`@everyone` `*bold*` `under_scored`"),
        ("{{ insert: param, x }}", "`{{` insert: param, x `}}`"),
        ("a`b`c", "`a(U+0060)b(U+0060)c`"),
        ("   ", EMPTY),
        ("", EMPTY),
        ("    indented", "indented"),
        ("a\nb", "`a(U+000A)b`"),
        ("...", "`...`"),
    ],
)
def test_words_that_are_not_plain_are_code(text: str, shown: str) -> None:
    """Plain words, numbers and ids stay as they are; whatever might format or link is code."""
    assert line(text) == shown


def test_a_long_text_is_cut() -> None:
    """A text beyond the limit is cut, and its length is stated."""
    shown = line("word " * 1_000)
    assert shown.endswith("word … (5,000 characters)")
    assert len(shown) < 1_100


def test_a_block_keeps_its_lines() -> None:
    """Each line of a text is a paragraph; none of them begins a list."""
    assert (
        block("One.\n\n1. Two.\n2) Three.\n- Four")
        == "One.\n\n1\\. Two.\n\n2\\) Three.\n\n`-` Four"
    )
    assert block("\n \n") == EMPTY
    many = block("\n".join(["a"] * 60)).split("\n\n")
    assert (len(many), many[-1]) == (51, "10 more lines are left out.")


@given(st.text(max_size=20))
def test_any_id_is_a_token(identity: str) -> None:
    """Whatever the id of a control holds, it becomes a token."""
    assert _is("Token", control_token(identity))


@pytest.mark.parametrize(
    ("identity", "token"),
    [
        ("SC-28(1)", "sc-28.1"),
        ("SA-9(6)", "sa-9.6"),
        ("AC-3", "ac-3"),
        (" AC-2 (1) ", "ac-2-.1"),
        ("3.5.1", "_3.5.1"),
        ("CMEK-01", "cmek-01"),
        ("", "_"),
    ],
)
def test_controls_have_the_ids_of_catalogs(identity: str, token: str) -> None:
    """Controls of NIST SP 800-53 have the ids that NIST's catalog gives them."""
    assert control_token(identity) == token


@pytest.mark.parametrize(
    ("given_time", "shown"),
    [
        ("2026-11-20T02:00:00Z",) * 2,
        ("2026-11-20T02:00:00.123456Z",) * 2,
        ("2026-11-20T02:00:00", ""),
        ("0001-01-01T00:00:00Z", ""),
        ("9999-12-31T23:59:59Z", ""),
        ("", ""),
        (None, ""),
    ],
)
def test_times_have_a_zone(given_time: str | None, shown: str) -> None:
    """A time that OSCAL has no place for is left out."""
    assert time(given_time) == shown
    assert not shown or _is("DateTimeWithTimezone", shown)


def test_a_day_has_a_beginning_and_an_end() -> None:
    """What holds through a day ends with its last second."""
    assert first_second("2026-12-08") == "2026-12-08T00:00:00Z"
    assert last_second("2026-12-08") == "2026-12-08T23:59:59Z"
    assert (first_second(None), last_second(None)) == ("", "")


@pytest.mark.parametrize(
    ("path", "href"),
    [
        ("inventory/acme.yaml",) * 2,
        ("a b#1.yaml", "a%20b%231.yaml"),
        ("javascript:alert(1)", "javascript%3Aalert%281%29"),
        ("//evil.example/x", "file:///evil.example/x"),
        ("/etc/a.yaml", "file:///etc/a.yaml"),
        ("", ""),
    ],
)
def test_paths_are_references(path: str, href: str) -> None:
    """A path is a reference relative to where the audit was run, or a file; never another host."""
    assert address(path) == href


@given(_ANY)
def test_any_path_is_no_other_address(path: str) -> None:
    """Whatever a path holds, it names a file of that name."""
    parts = urlsplit(address(path))
    assert parts[0] in {"", "file"}
    assert parts[1:2] + parts[3:] == ("", "", "")
    if path.isprintable():
        assert unquote(parts.path).lstrip("/") == path.lstrip("/")
