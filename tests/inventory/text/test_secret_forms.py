"""The credentials of the clouds are recognised, and nothing that inventories hold is."""

from __future__ import annotations

import json
import re
import time
from base64 import b64encode, urlsafe_b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory.text import secrets
from inventory.text.secret_forms import FORMS, hide_forms, holds_encoded_form, holds_form
from inventory.text.secrets import Scrubber, holds_secret, lines_with_secret, without_secrets
from tests.hypothesis_profile import examples
from tests.inventory.live import entities, escaped, percent

UPPER = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
ALPHANUMERIC = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
FOR_URLS = f"{ALPHANUMERIC}-_"
STANDARD = f"{ALPHANUMERIC}+/"
HEX = "0123456789abcdef"


def made(pattern: str, alphabet: str, shortest: int, longest: int) -> st.SearchStrategy[str]:
    """Return made-up credentials: ``pattern`` with letters of ``alphabet`` in the place of @."""
    letters = st.text(alphabet, min_size=shortest, max_size=longest)
    return letters.map(lambda text: pattern.replace("@", text))


CREDENTIALS = {
    "access key": made("AKIA@", UPPER, 16, 16),
    "temporary access key": made("ASIA@", UPPER, 16, 16),
    "session token": made("IQoJb3JpZ2luX2Vj@", STANDARD, 40, 300),
    "older session token": made("FwoGZXIvYXdzE@", STANDARD, 40, 300),
    "signed header": made(
        "AWS4-HMAC-SHA256 Credential=test/20261120/us-east-2/kms/aws4_request, "
        "SignedHeaders=host;x-amz-date, Signature=@",
        HEX,
        64,
        64,
    ),
    "signed address": made(
        "https://kms.example.test/?X-Amz-Expires=60&X-Amz-Signature=@", HEX, 64, 64
    ),
    "signed address of Google": made(
        "https://storage.example.test/a?X-Goog-Signature=@", HEX, 64, 512
    ),
    "secret key in JSON": made('"SecretAccessKey": "@"', STANDARD, 40, 40),
    "secret key in a file": made("aws_secret_access_key = @", STANDARD, 40, 40),
    "secret key in the environment": made("AWS_SECRET_ACCESS_KEY=@", STANDARD, 40, 40),
    "access token of Google": made("ya29.@", FOR_URLS, 20, 200),
    "refresh token of Google": made("1//0@", FOR_URLS, 40, 100),
    "API key": made("AIza@", FOR_URLS, 35, 35),
    "field of a private key": made('"private_key": "@"', ALPHANUMERIC, 1, 40),
    "client secret": made("abc8Q~@", f"{FOR_URLS}.~", 34, 34),
    "signed token": st.tuples(
        made("eyJhbGciOiJSUzI1NiJ9.eyJ@", FOR_URLS, 20, 200), made(".@", FOR_URLS, 20, 90)
    ).map("".join),
    "private key": made(
        "-----BEGIN PRIVATE KEY-----\n@\n-----END PRIVATE KEY-----", STANDARD, 32, 64
    ),
    "private RSA key": made("-----BEGIN RSA PRIVATE KEY-----\n@\n", STANDARD, 32, 64),
}
"""Made-up credentials of each form."""

ESCAPES = {
    "plain": str,
    "bearer": lambda text: f"Bearer {text}",
    "escaped": escaped,
    "escaped twice": lambda text: escaped(text).replace("\\", "\\\\"),
    "escaped as in a program": lambda text: "".join(f"\\x{ord(letter):02x}" for letter in text),
    "percent-encoded": percent,
    "percent-encoded twice": lambda text: percent(percent(text)),
    "HTML by number": entities,
    "HTML by hexadecimal number": lambda text: "".join(f"&#x{ord(letter):x};" for letter in text),
    "base64": lambda text: b64encode(text.encode()).decode(),
    "base64 of a pair": lambda text: b64encode(f"me:{text}".encode()).decode(),
    "base64 with it in the middle": lambda text: b64encode(f"{{{text}}}".encode()).decode(),
    "base64 for URLs": lambda text: urlsafe_b64encode(f"?{text}".encode()).decode(),
}
"""How a text may be written, as the search for tokens knows it."""

ANY_CREDENTIAL = st.one_of(*CREDENTIALS.values())
SURROUNDINGS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)


@pytest.mark.parametrize("kind", CREDENTIALS)
@examples(100)
@given(data=st.data())
def test_each_credential_is_found(kind: str, data: st.DataObject) -> None:
    """A credential of each form is found among bytes, and nothing of it is left in a text."""
    credential = data.draw(CREDENTIALS[kind])
    assert holds_secret(f'{{"message": "{credential}"}}'.encode())
    clean = without_secrets(f"asked with {credential} once")
    assert not holds_form(clean.encode())
    assert credential[8:] not in clean
    assert clean.startswith(("asked with ", "(hidden)"))


@pytest.mark.parametrize("write", ESCAPES.values(), ids=ESCAPES)
@examples(300)
@given(data=st.data())
def test_no_escape_hides_a_credential(write: object, data: st.DataObject) -> None:
    """However a credential is written, and whatever is around it, nothing of it is left."""
    credential, before = data.draw(ANY_CREDENTIAL), data.draw(SURROUNDINGS)
    written = write(credential)  # type: ignore[operator]
    text = f"{before} {written} {data.draw(SURROUNDINGS)}"
    assert not Scrubber().is_clean(text)
    clean = without_secrets(text)
    assert Scrubber().is_clean(clean)
    assert not holds_secret(clean.encode())
    assert written not in clean


@given(st.lists(ANY_CREDENTIAL | SURROUNDINGS, max_size=6).map(" ".join))
def test_what_was_hidden_stays_hidden(text: str) -> None:
    """What was scrubbed stays as it is when scrubbed again, and passes the search in bytes."""
    clean = without_secrets(text)
    assert without_secrets(clean) == clean
    assert not holds_secret(clean.encode("utf-8", "replace"))


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("id AKIAIOSFODNN7EXAMPLE.", "id (hidden)."),
        ("?key=AIza" + "0" * 35 + "&b=1", "?key=(hidden)&b=1"),
        ("Bearer ya29.a0-not-a-real-token then", "Bearer (hidden) then"),
        ("a eyJhbGciOiJub25lIn0.eyJzdWIiOiJub2JvZHkifQ.c2ln b", "a (hidden) b"),
        ("x -----BEGIN EC PRIVATE KEY-----\nAA\n-----END EC PRIVATE KEY----- y", "x (hidden) y"),
        ("x -----BEGIN PRIVATE KEY-----\\nAA", "x (hidden)"),
        ('{"private_key": "AAAA", "a": 1}', '{"(hidden)", "a": 1}'),
        ("is abc8Q~" + "d" * 34 + " so", "is (hidden) so"),
        (f"AWS4-HMAC-SHA256 Credential=a/b, Signature={'0' * 64} x", "(hidden) x"),
    ],
)
def test_rest_of_a_text_stays(text: str, clean: str) -> None:
    """The credential is hidden, and the rest of the text stays."""
    assert without_secrets(text) == clean


UUIDS = st.uuids().map(str)
ACCOUNTS = st.from_regex(r"[0-9]{12}", fullmatch=True)
HASHES = st.text(HEX, min_size=64, max_size=64)
REGIONS = st.sampled_from(["us-east-2", "asia-south1", "europe-west4", "global"])
NAMES = st.from_regex(r"[A-Za-z][A-Za-z0-9_-]{0,30}", fullmatch=True)
HARMLESS = st.one_of(
    UUIDS,
    HASHES,
    ACCOUNTS,
    st.builds("arn:aws:kms:{}:{}:key/{}".format, REGIONS, ACCOUNTS, UUIDS),
    st.builds("arn:aws:iam::{}:role/{}".format, ACCOUNTS, NAMES),
    st.builds("projects/a/locations/{}/keyRings/{}/cryptoKeys/{}".format, REGIONS, NAMES, NAMES),
    st.builds("https://{}.vault.azure.net/keys/{}/{}".format, NAMES, NAMES, HASHES),
    st.builds("service-{}@gcp-sa-x.iam.gserviceaccount.com".format, ACCOUNTS),
    st.binary(min_size=32, max_size=32).map(lambda raw: f"sha256-{b64encode(raw).decode()}"),
    st.text(f"{UPPER}1089", min_size=16, max_size=17).map("AROA{}".format),
    NAMES,
    st.datetimes().map(str),
)
"""What inventories and reports hold."""


@examples(500)
@given(st.lists(HARMLESS, max_size=12))
def test_inventories_hold_no_credentials(texts: list[str]) -> None:
    """Key ids, ids, hashes, account numbers, names and times are no credentials."""
    line = json.dumps({"kind": "database", "values": texts})
    assert not holds_secret(line.encode())
    assert Scrubber().is_clean(line)
    assert without_secrets(line) == line


@pytest.mark.parametrize(
    "text",
    [
        "ASIA",
        "EURASIAPACIFICNORTHEASTERN",
        "ASIAPACIFICNORTHEASTERN",
        "AROAIOSFODNN7EXAMPLE",
        "AWS4-HMAC-SHA256",
        "AWS4-HMAC-SHA256 Credential=(hidden)",
        "Signature=(hidden)",
        "ya29.short",
        "http://127.0.0.1//0/keys",
        "a private key, or PRIVATE KEY",
        '{"private_key": null, "private_key_id": "0123456789abcdef"}',
        '{"private_key": "(hidden)", "secret_access_key": "(hidden)"}',
        "-----BEGIN CERTIFICATE-----",
        "AQ~ or 8Q~short",
        "eyJhbGciOiJub25lIn0",
        "x.eyJ",
        b64encode(b"AKIA and nothing more than a few harmless words").decode(),
    ],
)
def test_texts_with_similar_words_stay(text: str) -> None:
    """What only resembles a credential stays."""
    assert without_secrets(text) == text
    assert not holds_secret(text.encode())


def test_lines_with_credentials() -> None:
    """Each line with a credential is reported by its number."""
    block = b"a\nAKIAIOSFODNN7EXAMPLE\nb\nya29.a0-not-a-real-token"
    assert list(lines_with_secret(block)) == [2, 4]


@pytest.mark.parametrize("form", FORMS, ids=[form.marker for form in FORMS])
def test_hostile_texts_take_no_longer(form: object) -> None:
    """A long text that is full of markers, or of what may follow one, is searched all the same."""
    marker = form.marker  # type: ignore[attr-defined]
    started = time.process_time()
    for text in (marker * 60_000, f"{marker} " * 60_000, f"{marker}{'A' * 400_000}", "-" * 400_000):
        holds_form(text.encode())
        hide_forms(text, "")
    assert time.process_time() - started < 5


def test_beginnings_of_private_keys_take_no_longer() -> None:
    """A long text in which credentials only begin is searched all the same."""
    started = time.process_time()
    pieces = (
        "-----BEGIN A ",
        "-----BEGIN PRIVATE KEY",
        "AWS4-HMAC-SHA256 Credential=a, ",
        "eyJ.eyJ",
    )
    for piece in pieces:
        text = piece * 40_000
        holds_form(text.encode())
        hide_forms(text, "")
        holds_encoded_form(text)
    assert time.process_time() - started < 5


# --- the quick search -----------------------------------------------------------------------------

PIECES = [
    *(form.marker for form in FORMS),
    *(mark for form in FORMS for mark in form.marks),
    *("AstraCS:", "AstraCS%3a", "QXN0cmFDUz", "=", "%3D", "\\u003d", "&#61;", ",", '"', ": ", " "),
    *("-----", " KEY", "abc8", "A" * 16, "0" * 32, "a_-" * 14, "\n", "\\", "é"),
]


@examples(400)
@given(parts=st.lists(st.sampled_from(PIECES) | st.text(max_size=3), max_size=8))
def test_quick_search_is_as_sharp_as_the_patterns(parts: list[str]) -> None:
    """What is searched for first hides nothing: the patterns alone find the same texts."""
    block = "".join(parts).encode()
    by_patterns = any(re.search(form.pattern.encode(), block) for form in FORMS)
    assert holds_form(block) == by_patterns
    assert holds_secret(block) == (by_patterns or secrets._SUSPICIOUS.search(block) is not None)


def test_every_form_begins_with_its_marker() -> None:
    """Each mark begins with the marker of its form, so the patterns see what the marks let pass."""
    assert all(mark.startswith(form.marker) for form in FORMS for mark in form.marks)
