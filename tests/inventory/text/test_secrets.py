"""Tokens are kept out of everything that is written."""

from __future__ import annotations

import copy
import multiprocessing
import pickle
import re
import traceback
from base64 import b64encode, urlsafe_b64encode
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory.errors import LeakError
from inventory.text import secrets
from inventory.text.secrets import (
    Scrubber,
    Secret,
    SecretText,
    Token,
    TokenVariables,
    clear_locals,
    holds_secret,
    lines_with_secret,
    refuse_leaks,
    without_secrets,
)
from tests.inventory.live import HIDING_PLACES, SECRET, TOKEN, TRACES, VALUE, VARIABLE

if TYPE_CHECKING:
    from pathlib import Path

SCRUBBER = Scrubber([TOKEN])
WITHHELD = "(hidden): a text that hides a secret"
NEEDLES = [needle.encode() for needle in TOKEN.needles()]
SIGNED = "https://bundles.example.test/a.zip?X-Amz-Date=1&X-Amz-Signature=deadbeef"


# --- tokens ---------------------------------------------------------------------------------------


def test_token_shows_its_variable() -> None:
    """Whatever renders a token shows the variable that held it, and nothing of the token."""
    assert {repr(TOKEN), str(TOKEN), f"{TOKEN}", f"{TOKEN!r}"} == {f"Token({VARIABLE})"}
    assert repr({"token": [TOKEN]}) == f"{{'token': [Token({VARIABLE})]}}"


@pytest.mark.parametrize("write", [pickle.dumps, copy.copy, copy.deepcopy])
def test_token_is_not_written_down(write: object) -> None:
    """A token can be neither pickled nor copied."""
    with pytest.raises(TypeError, match=r"^a token is not written down$"):
        write(TOKEN)  # type: ignore[operator]


def test_token_has_no_other_fields() -> None:
    """A token has no dictionary of fields that something could render."""
    assert not hasattr(TOKEN, "__dict__")


def test_token_is_sent_as_a_header() -> None:
    """The one thing a token is good for is the header of a request."""
    assert TOKEN.authorization() == f"Bearer {VALUE}"


def test_secret_part_counts_only_if_it_is_long() -> None:
    """A short last part of a token is not looked for, as it stands in harmless texts too."""
    short = Token("X", "AstraCS:not-a-real-token:acme")
    assert Scrubber([short]).scrub("acme") == "acme"
    assert Scrubber([short]).scrub("AstraCS:not-a-real-token:acme") == "(hidden)"


# --- scrubbing ------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", HIDING_PLACES.values(), ids=HIDING_PLACES)
def test_no_form_of_a_token_survives(form: str) -> None:
    """However a known token is written into a text, nothing of it is left."""
    for text in (form, f"token={form}&x", f'{{"message": "asked with {form}"}}', f"a\n{form}\nb"):
        clean = SCRUBBER.scrub(text)
        assert not SCRUBBER.is_clean(text)
        assert SCRUBBER.is_clean(clean)
        assert not any(trace in clean for trace in TRACES)
        assert not holds_secret(clean.encode(), NEEDLES)


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        (f"Bearer {VALUE} then", "Bearer (hidden) then"),
        (f"id {SECRET}.", "id (hidden)."),
        ("Bearer AstraCS:other:one then", "Bearer AstraCS:(hidden) then"),
        ("astracs:other", "AstraCS:(hidden)"),
        ('{"a": "AstraCS:x", "b": 1}', '{"a": "AstraCS:(hidden)", "b": 1}'),
        ("AstraCS%3Aother", WITHHELD),
        ("QXN0cmFDUzpvdGhlcg", WITHHELD),
        (f"see {SIGNED} now", "see (hidden) now"),
        ("https://a.test/?u=https://b.test/?sig=x y", "https://a.test/?u=(hidden) y"),
        ("https://a.test/%3Fsig=x", WITHHELD),
    ],
)
def test_rest_of_a_text_stays(text: str, clean: str) -> None:
    """What is secret is blanked, and the rest stays; if that does not suffice, all is withheld."""
    assert SCRUBBER.scrub(text) == clean


@pytest.mark.parametrize(
    "text",
    [
        "",
        "AstraCS",
        "AstraCS: none",
        "AstraCS:(hidden)",
        "AstraCS:",
        "https://a.test/d?refresh=30s",
        "50 % of \\users & others &#128512; &unknown; \\u20ac",
        "https://a.test/?x=1 and ?sig=2",
    ],
)
def test_harmless_texts_stay(text: str) -> None:
    """A text without secrets stays as it is."""
    assert SCRUBBER.is_clean(text)
    assert SCRUBBER.scrub(text) == text


def test_texts_that_are_escaped_too_often() -> None:
    """A text that is still escaped after three layers is withheld, whatever it may hold."""
    assert SCRUBBER.scrub("%252541") == "%252541"
    assert SCRUBBER.scrub("%25252541") == WITHHELD


def test_what_was_blanked_can_be_cut() -> None:
    """A text in which a token was blanked holds none wherever it is cut off."""
    clean = SCRUBBER.scrub("asked with AstraCS:other and AstraCS:another")
    pieces = [clean[:end] for end in range(len(clean))]
    assert {piece for piece in pieces if not SCRUBBER.is_clean(f"{piece}…")} == set()
    assert {piece for piece in pieces if holds_secret(f"{piece}\\u2026".encode())} == set()


_PIECES = (
    *("AstraCS", ":", "%3A", "\\u003a", "&#58;", "&#x3a;", "&colon;", "(hidden)", "%28hidden%29"),
    *("a", "\\", "%", "&", " ", '"', "QXN0cmFDUz", SECRET[:8], SECRET, VALUE, SIGNED, "\\u00"),
)


@given(st.lists(st.sampled_from(_PIECES), max_size=12).map("".join))
def test_scrubbed_text_can_be_written(text: str) -> None:
    """What was scrubbed stays as it is when scrubbed again, and passes the last look at bytes."""
    clean = SCRUBBER.scrub(text)
    assert SCRUBBER.scrub(clean) == clean
    assert not holds_secret(clean.encode(), NEEDLES)
    assert SECRET not in clean


@given(st.text(max_size=20), st.sampled_from(sorted(HIDING_PLACES.values())), st.text(max_size=20))
def test_no_surroundings_hide_a_token(before: str, form: str, after: str) -> None:
    """Whatever stands before and after a token, nothing of it is left."""
    clean = SCRUBBER.scrub(f"{before}{form}{after}")
    assert not any(trace in clean for trace in TRACES)


@pytest.mark.parametrize("piece", ["http://", "\\", "&#1", "%25", "AstraCS:", "https://a?"])
def test_hostile_texts_take_no_longer(piece: str) -> None:
    """A long text made to be tedious is scrubbed all the same."""
    assert SECRET not in SCRUBBER.scrub(piece * 100_000 + SECRET)


def test_scrubber_shows_no_secret() -> None:
    """What renders a scrubber shows how much it knows, not what."""
    assert re.fullmatch(r"Scrubber\([0-9]+ needles\)", repr(SCRUBBER))


def test_lookalikes_are_blanked_everywhere() -> None:
    """Where no token is known, what looks like one is blanked."""
    assert without_secrets("-k AstraCS:other") == "-k AstraCS:(hidden)"
    assert without_secrets(SECRET) == SECRET


# --- looking through files ------------------------------------------------------------------------


def test_search_names_files_and_no_secret(tmp_path: Path) -> None:
    """Files in which a secret stands are all named, the secret is not, and others are not."""
    texts = {"a": VALUE, "b": f"x{SECRET}x", "c": "AstraCS:other", "d": "harmless"}
    texts["e"] = b64encode(b"AstraCS:other").decode()
    files = [tmp_path / name for name in texts]
    for file, text in zip(files, texts.values(), strict=True):
        file.write_text(text, encoding="utf-8")
    with pytest.raises(LeakError) as caught:
        refuse_leaks([*files, tmp_path / "gone"], [TOKEN])
    assert {file.name for file in caught.value.files} == {"a", "b", "c", "e"}
    assert SECRET not in str(caught.value)


def test_search_finds_nothing_in_clean_files(tmp_path: Path) -> None:
    """Files without secrets are passed in silence."""
    (tmp_path / "a").write_text("AstraCS:(hidden)", encoding="utf-8")
    refuse_leaks([tmp_path / "a"], [TOKEN])


def test_search_finds_what_a_chunk_cuts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A secret is found wherever the pieces, in which a file is read, happen to be cut."""
    monkeypatch.setattr(secrets, "_CHUNK", 16)
    for before in range(16):
        file = tmp_path / f"{before}"
        file.write_text(f"{'x' * (before + 5000)}{SECRET}{'x' * 40}", encoding="utf-8")
        with pytest.raises(LeakError):
            refuse_leaks([file], [TOKEN])


def test_lines_with_secrets() -> None:
    """Each line in which a look-alike stands is told by its number."""
    block = b"a\nAstraCS:x\nb\nAstraCS%3Ax AstraCS:y\nAstraCS:(hidden)\nAstraCS\\u003ax"
    assert list(lines_with_secret(block)) == [2, 4, 6]
    assert list(lines_with_secret(block, first=11)) == [12, 14, 16]
    assert list(lines_with_secret(b"a\nb")) == []


# --- what is shown --------------------------------------------------------------------------------


def test_secret_texts_show_nothing() -> None:
    """A secret text is equal to the plain one, and its repr shows nothing, as bytes neither."""
    text = SecretText(VALUE)
    raw = text.encode()
    assert (text, raw) == (VALUE, VALUE.encode())
    assert repr([text, {text: raw}]) == "[(hidden), {(hidden): (hidden)}]"


@pytest.mark.parametrize(
    "secret", [SecretText(VALUE), SecretText(VALUE).encode()], ids=["text", "bytes"]
)
@pytest.mark.parametrize("write", [pickle.dumps, copy.copy, copy.deepcopy])
def test_secret_texts_are_not_written_down(write: object, secret: object) -> None:
    """A secret text is pickled for a process that is being started, and for nothing else."""
    with pytest.raises(TypeError, match=r"^a token is not written down$"):
        write(secret)  # type: ignore[operator]


def test_token_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of an environment the variables that are named are held; what shows them shows names."""
    monkeypatch.setenv(VARIABLE, VALUE)
    held = TokenVariables({VARIABLE, "ABSENT"})
    assert (dict(held), len(held), repr(held)) == (
        *({VARIABLE: VALUE}, 1, f"TokenVariables({VARIABLE})"),
    )
    assert dict(TokenVariables([VARIABLE, "B"], {"B": "b", "C": "c"})) == {"B": "b"}
    assert repr(held[VARIABLE]) == "(hidden)"


def _echo(variables: TokenVariables, back: Any) -> None:  # noqa: ANN401
    back.put([repr(variables), *map(str, variables.values())])


def test_token_variables_reach_a_process_that_is_started() -> None:
    """A process that is started is given the variables, and no pickle of them is made else."""
    context = multiprocessing.get_context("spawn")
    back = context.Queue()
    held = TokenVariables([VARIABLE], {VARIABLE: VALUE})
    process = context.Process(target=_echo, args=(held, back))
    process.start()
    assert back.get(timeout=60) == [f"TokenVariables({VARIABLE})", VALUE]
    process.join()
    with pytest.raises(TypeError, match=r"^a token is not written down$"):
        pickle.dumps(held)


def _raise(secret: str) -> None:
    raise ExceptionGroup("several", [ValueError("one")]) from RuntimeError("cause")


def test_local_variables_are_forgotten() -> None:
    """An error whose local variables are forgotten keeps its places, and so do its causes."""
    with pytest.raises(ExceptionGroup) as caught:
        _raise(VALUE)
    error = caught.value
    places = [frame.name for frame in traceback.extract_tb(error.__traceback__)]
    error.exceptions[0].__context__ = error  # a circle, as there can be
    clear_locals(error)
    assert [frame.name for frame in traceback.extract_tb(error.__traceback__)] == places
    whole = traceback.TracebackException.from_exception(error, capture_locals=True)
    assert f"secret = '{VALUE}'" not in "".join(whole.format())


# --- other secrets --------------------------------------------------------------------------------


OTHER_VALUE = "wJalr/not+a+real+secret+0123456789abcdefg"
OTHER = Secret("secret access key", OTHER_VALUE)
OTHER_PLACES = {
    "plain": OTHER_VALUE,
    "in JSON": OTHER_VALUE.replace("/", "\\/"),
    "percent-encoded": quote(OTHER_VALUE, safe=""),
    "percent-encoded in a path": quote(OTHER_VALUE),
    "base64": b64encode(OTHER_VALUE.encode()).decode(),
    "base64 of a pair": b64encode(f"me:{OTHER_VALUE}".encode()).decode(),
    "base64 for URLs": urlsafe_b64encode(f"?{OTHER_VALUE}".encode()).decode(),
}
"""A secret of another kind as it may come back."""


def test_secret_shows_its_name() -> None:
    """Whatever renders a secret shows what it is called, and nothing of the secret."""
    assert {repr(OTHER), str(OTHER)} == {"Secret(secret access key)"}
    with pytest.raises(TypeError, match=r"^a token is not written down$"):
        pickle.dumps(OTHER)


@pytest.mark.parametrize("form", OTHER_PLACES.values(), ids=OTHER_PLACES)
def test_no_form_of_a_secret_survives(form: str, tmp_path: Path) -> None:
    """A known secret is hidden and found in a file in each of its forms."""
    scrubber, file = Scrubber([OTHER]), tmp_path / "a"
    assert not scrubber.is_clean(f"x{form}y")
    assert scrubber.is_clean(scrubber.scrub(f"x{form}y"))
    file.write_text(f"x{form}y", encoding="utf-8")
    with pytest.raises(LeakError):
        refuse_leaks([file], [OTHER])


def test_each_long_line_of_a_secret_reveals_it() -> None:
    """Of a secret of several lines each line is hidden, also alone; a short one is harmless."""
    key = Secret("key file", "-----BEGIN-----\nMIIBVgIBADANBgkqhkiG\nshort\n")
    assert Scrubber([key]).scrub("a MIIBVgIBADANBgkqhkiG b short") == "a (hidden) b short"


@pytest.mark.parametrize("value", ["", " ", "testing", "\n\n"])
def test_short_values_are_not_looked_for(value: str) -> None:
    """A value that harmless texts hold is no needle."""
    assert Secret("x", value).needles() == ()


@given(st.text(min_size=8, max_size=60).filter(lambda text: len(text.strip()) >= 8))
def test_any_secret_is_hidden(value: str) -> None:
    """Whatever a secret is made of, nothing of it is left."""
    one_line = " ".join(value.split())
    value = one_line if len(one_line) >= 8 else "x" * 8
    clean = Scrubber([Secret("x", value)]).scrub(f"with {value} here")
    assert value not in clean or value in "with (hidden) here (hidden): a text that hides a secret"
