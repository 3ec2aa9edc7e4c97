"""No secret of an answer reaches its record, whatever the answer is."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import unquote

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from inventory.evidence.exchange import Exchange
from inventory.evidence.exchange_line import parse_line, render_line
from inventory.evidence.redaction import redact_body
from inventory.text.secrets import Scrubber, holds_secret
from tests.inventory.live import (
    HIDING_PLACES,
    JSON,
    PATH,
    SECRET,
    TOKEN,
    TRACES,
    VALUE,
    an_exchange,
)

SCRUBBER = Scrubber([TOKEN])


NEEDLES = [needle.encode() for needle in TOKEN.needles()]


URL = "https://bundles.example.test/a.zip"


def redacted(value: object) -> tuple[Any, str | None, dict[str, int]]:
    return redact_body(json.dumps(value).encode(), SCRUBBER)[:3]


def recorded(body: bytes, header: str = "") -> Exchange:
    headers = JSON | {"etag": SCRUBBER.scrub(header)}
    return an_exchange(headers=headers, **redact_body(body, SCRUBBER)._asdict())


def test_sensitive_fields_are_redacted_wherever_they_stand() -> None:
    """Passwords, users, bundles and the like are blanked in any depth and casing, and counted."""
    bundles = {"secureBundleUrl": URL, "secureBundleInternalUrl": URL, "SecureBundleURL": URL}
    deep = [{"info": {"user": "me", "Password": ["x"], "datacenters": [bundles]}}]
    value, text, redactions = redacted([{"token": {"a": 1}, "credentials": 1, "id": "a"}, *deep])
    hidden = dict.fromkeys(bundles, "(hidden)")
    info = {"user": "(hidden)", "Password": "(hidden)", "datacenters": [hidden]}
    values = {"token": "(hidden)", "credentials": "(hidden)", "id": "a"}
    assert value == [values, {"info": info}]
    assert text is None
    fields = ("Password", "SecureBundleURL", "credentials", "secureBundleInternalUrl")
    assert redactions == dict.fromkeys((*fields, "secureBundleUrl", "token", "user"), 1)


def test_empty_fields_are_not_redacted() -> None:
    """An empty sensitive field hides nothing, and stays visible as empty."""
    value: dict[str, Any] = {"password": "", "user": None, "secret": []}
    assert redacted(value) == (value, None, {})


def test_fields_with_similar_names_stay() -> None:
    """Names that only resemble sensitive ones are left alone."""
    value = {"users": 1, "secureBundle": "x", "bundleUrl": "x", "tokens": "x", "graphqlUrl": URL}
    assert redacted(value) == (value, None, {})


def test_tokens_are_blanked_in_names_and_values() -> None:
    """A token is blanked wherever it is in a body, and that is counted."""
    body = {f"x{VALUE}": [{"message": f"asked with {VALUE}", "n": 1}]}
    fields = {"x(hidden)": [{"message": "asked with (hidden)", "n": 1}]}
    assert redacted(body) == (fields, None, {"(secrets in texts)": 1})


MALFORMED = {
    "nothing": b"",
    "cut": b'[{"id": "a"',
    "twice": b'{"id": 1, "id": 2}',
    "twice inside": b'[{"a": {"id": 1, "id": 2}}]',
    "NaN": b"[NaN]",
    "infinity": b"[-Infinity]",
    "infinite": b"[1e999]",
    "endless number": b"1" * 5_000,
    "byte order mark": b"\xef\xbb\xbf[]",
    "other charset": "[]".encode("utf-16"),
    "junk": b'["\xff\xfe"]',
    "deep": b"[" * 100_000 + b"]" * 100_000,
    "deeper than is read again": b"[" * 101 + b"]" * 101,
    "deep objects": b'{"a":' * 101 + b"1" + b"}" * 101,
    "page": b"<html></html>",
    "two": b"[] []",
}


@pytest.mark.parametrize("body", MALFORMED.values(), ids=MALFORMED)
def test_what_is_no_json_is_text(body: bytes) -> None:
    """A body that is no whole JSON with each key once is kept as text of at most 20,000 letters."""
    value, text, redactions, _ = redact_body(body, SCRUBBER)
    assert value is None
    assert redactions == {}
    assert text == body.decode("utf-8", "backslashreplace")[:20_000]


def test_deepest_json_is_read_again() -> None:
    """The deepest body that is taken for JSON can be rendered and read again."""
    body = b"[" * 100 + b"]" * 100
    value, text, _, _ = redact_body(body, SCRUBBER)
    assert text is None
    exchange = an_exchange(value)
    assert parse_line(PATH, 1, render_line(exchange))._replace(body="") == exchange


@pytest.mark.parametrize(
    ("text", "shown", "redactions"),
    [
        ('{"password": "hush", "id": "a"', '{"password": "(hidden)", "id": "a"', {"password": 1}),
        ('{"a":{"User":"me"},"x":NaN}', '{"a":{"User": "(hidden)"},"x":NaN}', {"User": 1}),
        (r'{"secret":"a\"b\\","x"', r'{"secret": "(hidden)","x"', {"secret": 1}),
        ('[{"token" : "half of i', '[{"token": "(hidden)"', {"token": 1}),
        ('{"credentials":{"a":"hush"},"b', '{"credentials": "(hidden)"', {"credentials": 1}),
        ('{"password":12345,"id":', '{"password": "(hidden)","id":', {"password": 1}),
        (
            f'[{{"secureBundleInternalUrl":"{URL}"}},{{"secureBundleUrl":"{URL}"}},',
            '[{"secureBundleInternalUrl": "(hidden)"},{"secureBundleUrl": "(hidden)"},',
            {"secureBundleInternalUrl": 1, "secureBundleUrl": 1},
        ),
    ],
)
def test_sensitive_fields_in_broken_json(text: str, shown: str, redactions: dict[str, int]) -> None:
    """Sensitive fields are blanked and counted also where a body is no JSON, as it was cut off."""
    assert redact_body(text.encode(), SCRUBBER)[:3] == (None, shown, redactions)


@pytest.mark.parametrize("form", HIDING_PLACES.values(), ids=HIDING_PLACES)
def test_tokens_are_blanked_in_text(form: str) -> None:
    """A token is blanked in a body that is no JSON, also where the body is cut."""
    for before in range(19_960, 20_000, 7):
        raw = render_line(recorded(b"x" * before + b" " + form.encode()))
        assert not holds_secret(raw, NEEDLES)
        assert SECRET[:12] not in raw.decode()


TEXTS = st.text(st.characters(exclude_categories=()), max_size=12)


FORMS = st.sampled_from(sorted(HIDING_PLACES.values()))


PLANTED = st.builds(lambda before, form, after: before + form + after, TEXTS, FORMS, TEXTS)


NUMBERS = st.integers() | st.floats(allow_nan=False, allow_infinity=False)


SCALARS = st.none() | st.booleans() | NUMBERS | TEXTS | PLANTED


def nested(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    names = TEXTS | PLANTED | st.sampled_from(["user", "secureBundleUrl", "message", "errors"])
    return st.lists(inner, max_size=4) | st.dictionaries(names, inner, max_size=4)


BODIES = st.recursive(SCALARS, nested, max_leaves=12)


@given(BODIES, st.booleans())
def test_no_json_carries_a_token_into_a_record(body: object, ascii_only: bool) -> None:  # noqa: FBT001
    """Whatever JSON a token is in, its record holds nothing of it, and is read back alike."""
    spelled = json.dumps(body, ensure_ascii=ascii_only).encode("utf-8", "surrogatepass")
    exchange = recorded(spelled)
    raw = render_line(exchange)
    assert not holds_secret(raw, NEEDLES)
    for layer in (raw.decode(), unquote(raw.decode()), raw.decode("unicode_escape")):
        assert not any(trace in layer for trace in TRACES)
    assert parse_line(PATH, 1, raw) == exchange
    assert render_line(parse_line(PATH, 1, raw)) == raw


@given(st.binary(max_size=40), FORMS, st.binary(max_size=40))
@example(b"%0", HIDING_PLACES["percent-encoded"], b"")  # as an escape it takes the first letter
def test_no_bytes_carry_a_token_into_a_record(before: bytes, form: str, after: bytes) -> None:
    """Whatever bytes a token is among, its record holds nothing of it, and is read back."""
    exchange = recorded(before + form.encode() + after, form)
    raw = render_line(exchange)
    assert not holds_secret(raw, NEEDLES)
    assert not any(trace in raw.decode() for trace in TRACES)
    assert parse_line(PATH, 1, raw) == exchange


CLOUD_FIELDS = {
    *("GrantToken", "CiphertextBlob", "Plaintext", "AccessToken", "access_token", "SessionToken"),
    *("SecretAccessKey", "secret_access_key", "private_key", "privateKey", "client_secret"),
    *("client-secret", "refresh_token", "id_token", "assertion"),
}


def test_sensitive_fields_of_clouds_are_redacted() -> None:
    """The fields in which a cloud would return a credential or a plain text are hidden."""
    value, text, redactions = redacted(dict.fromkeys(CLOUD_FIELDS, "hush"))
    assert value == dict.fromkeys(CLOUD_FIELDS, "(hidden)")
    assert text is None
    assert redactions == dict.fromkeys(CLOUD_FIELDS, 1)


@pytest.mark.parametrize("name", sorted(CLOUD_FIELDS))
def test_sensitive_fields_of_clouds_are_redacted_in_text(name: str) -> None:
    """They are hidden also in a body that was cut off."""
    assert redact_body(f'{{"{name}": "hush'.encode(), SCRUBBER)[:3] == (
        *(None, f'{{"{name}": "(hidden)"', {name: 1}),
    )


def test_fields_with_similar_names_in_clouds_stay() -> None:
    """What pages, and the ids of private keys, are called is no secret."""
    value = {"nextPageToken": "a", "NextMarker": "b", "private_key_id": "c", "KeyId": "d"}
    assert redacted(value) == (value, None, {})


def test_key_material_is_redacted_in_keys_only() -> None:
    """Private parts and modulus of a key are hidden, and other fields of these names stay."""
    parts = ("k", "d", "p", "q", "dp", "dq", "qi", "n")
    key = {"kid": "https://acme.vault.azure.net/keys/a/b", "kty": "RSA", "e": "AQAB"}
    point = {"d": 1, "n": 2, "k": "v"}
    value, _, redactions = redacted({"key": key | dict.fromkeys(parts, "x"), "point": point})
    assert value == {"key": key | dict.fromkeys(parts, "(hidden)"), "point": point}
    assert redactions == dict.fromkeys(parts, 1)
    broken = '{"key":{"kty":"RSA","n":"x","d":"y","p":"z'
    assert redact_body(broken.encode(), SCRUBBER)[:3] == (
        None,
        '{"key":{"kty":"RSA","n": "(hidden)","d": "(hidden)","p": "(hidden)"',
        {"d": 1, "n": 1, "p": 1},
    )
    assert redact_body(b'{"d": "y", "n"', SCRUBBER)[:3] == (None, '{"d": "y", "n"', {})


@pytest.mark.parametrize(
    "credential",
    ["AKIAIOSFODNN7EXAMPLE", "ya29.a0-not-a-real-token", "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhIn0ab.c"],
)
def test_credentials_of_clouds_are_redacted(credential: str) -> None:
    """A credential of a cloud is hidden wherever an answer repeats it."""
    value, _, redactions = redacted({"message": f"asked with {credential}"})
    assert value == {"message": "asked with (hidden)"}
    assert redactions == {"(secrets in texts)": 1}


# --- bodies that are kept as they came ------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "kept"),
    [
        ('[{"id":"a"},  {"n": 1.0}]', '[{"id":"a"},  {"n": 1.0}]'),
        ('{"password":"hush",  "user":"me"}', '{"password":"(hidden)",  "user":"(hidden)"}'),
        ('{"password":"hush","user" : "me"}', '{"password":"(hidden)","user":"(hidden)"}'),
        ('[{"Token":"a"},{"Token":""},{"Token":null}]', None),
        ('{"user":{"user":"me"}}', '{"user":"(hidden)"}'),
        ('{"token":7,"tokens":"a"}', '{"token":"(hidden)","tokens":"a"}'),
        ('{"p\\u0061ssword":"hush"}', '{"password":"(hidden)"}'),
        ('{"a":"\\"user\\":\\"me\\""}', '{"a":"\\"user\\":\\"me\\""}'),
        ('{"a":"user","b":"me"}', '{"a":"user","b":"me"}'),
        ('{"a" :\n1}', '{"a":1}'),
        ('{"a":"\x7f"}', '{"a":"\\u007f"}'),
        ('{"a":"\u00fc\u202e"}', '{"a":"\\u00fc\\u202e"}'),
        ('{"kty":"RSA","n":7,"x":{"n":"b"}}', '{"kty":"RSA","n":"(hidden)","x":{"n":"b"}}'),
        ('{"kty":"RSA","n":"b"}', '{"kty":"RSA","n":"(hidden)"}'),
    ],
)
def test_bodies_are_kept_as_they_came_but_for_secrets(body: str, kept: str | None) -> None:
    """Only what is redacted is replaced; what is escaped, or in lines, is rendered again."""
    expected = kept or '[{"Token":"(hidden)"},{"Token":""},{"Token":null}]'
    assert redact_body(body.encode(), SCRUBBER).body == expected


NAMES = st.sampled_from(
    ["id", "user", "User", "pass_word", "secureBundleUrl", "n", "kty", "k", "a b", "b"]
)
WORDS = st.sampled_from(["", "x", "user", "(hidden)", "a:b", ":", "{", "]", "user: me"]) | TEXTS
KEEPABLE = st.recursive(
    st.none() | st.booleans() | NUMBERS | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES | WORDS, inner, max_size=4),
    max_leaves=10,
)
SEPARATORS = st.sampled_from([(",", ":"), (", ", ": "), (" , ", " : ")])


@given(KEEPABLE, SEPARATORS, st.booleans())
def test_keeping_a_body_hides_what_rendering_it_hides(
    value: object,
    separators: tuple[str, str],
    ascii_only: bool,  # noqa: FBT001 (a strategy)
) -> None:
    """A body as it came has the value and redactions of one that is rendered again."""
    text = json.dumps(value, ensure_ascii=ascii_only, separators=separators)
    body = text.encode("utf-8", "surrogatepass")
    redacted_body, rendered = (redact_body(raw, SCRUBBER) for raw in (body, body + b"\n"))
    assert redacted_body[:3] == rendered[:3]
    if redacted_body.text is None:
        assert json.loads(redacted_body.body) == rendered.value
        assert json.loads(rendered.body) == rendered.value
    exchange = an_exchange(**redacted_body._asdict())
    assert parse_line(PATH, 1, render_line(exchange)) == exchange


@given(st.text(st.sampled_from('{}[]",: uernpasswod\\kty1'), max_size=60))
@example('{"a":"b"user":"c"}')
@example('["user":"c"]')
@example('{"user":"c","user":"d"}')
def test_broken_bodies_are_not_kept(text: str) -> None:
    """Whatever a body is made of, one that is kept is JSON, and shows no more than one rendered."""
    body = text.encode()
    redacted_body, rendered = (redact_body(raw, SCRUBBER) for raw in (body, body + b"\n"))
    if rendered.text is None:
        assert redacted_body[:3] == rendered[:3]
        assert json.loads(redacted_body.body) == rendered.value
    else:
        assert redacted_body.text is not None
