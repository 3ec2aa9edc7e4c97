"""What is recorded of a cloud's answer, and what never is."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory.clouds import recorder as recorder_module
from inventory.clouds.recorder import CloudRecorder, HttpAnswer
from inventory.evidence.exchange import Exchange, Failure
from inventory.evidence.exchange_line import parse_line, render_line
from inventory.system.request_policy import RequestPolicy
from inventory.text.secrets import HIDDEN, Token
from tests.inventory.clouds.scripted import FILE, JSON, answer
from tests.inventory.live import HIDING_PLACES, SECRET, TOKEN

ADDRESS = "/aws/kms.us-east-1.amazonaws.com/DescribeKey"
CALLER = "arn:aws:sts::111122223333:assumed-role/audit/ada@acme.example"


def a_recorder(**over: Any) -> tuple[CloudRecorder, list[Exchange]]:  # noqa: ANN401 (any argument)
    """Return a recorder, and the list in which it records."""
    exchanges: list[Exchange] = []
    fields: dict[str, Any] = {"tokens": (TOKEN,), "policy": RequestPolicy(), "file": FILE}
    return CloudRecorder(exchanges.append, **fields | over), exchanges


def recorded(given_answer: HttpAnswer, **over: Any) -> Exchange:  # noqa: ANN401 (any argument)
    """Return the exchange that is recorded of an answer."""
    recorder, exchanges = a_recorder(**over)
    exchange = recorder.answered(ADDRESS, datetime.now(UTC), given_answer)
    assert exchanges == [exchange]
    assert parse_line(exchange.path, exchange.line, render_line(exchange)).value == exchange.value
    return exchange


def test_answer_is_recorded_with_chosen_headers() -> None:
    """Status, body and a few headers are recorded; no cookie and no challenge is."""
    shown = {"X-Amzn-RequestId": "1", "x-ms-keyvault-region": "eastus", "Date": "now"}
    hidden = {"Set-Cookie": "a=b", "WWW-Authenticate": "Bearer authorization=x", "Via": "proxy"}
    exchange = recorded(HttpAnswer(200, JSON | shown | hidden, b'{"a": [1]}'))
    assert (exchange.status, exchange.value) == (200, {"a": [1]})
    assert exchange.place == f"{FILE}:1"
    assert exchange.headers == {
        "content-type": "application/json",
        "date": "now",
        "x-amzn-requestid": "1",
        "x-ms-keyvault-region": "eastus",
    }


def test_error_is_recorded_by_its_codes() -> None:
    """Of an error the codes are recorded, and not the message, which names the caller."""
    body = {
        "__type": "AccessDeniedException",
        "Message": f"User: {CALLER} is not authorized",
        "error": {"code": 403, "message": CALLER, "details": [{"reason": "NO", "x": CALLER}]},
    }
    exchange = recorded(answer(body, 400))
    assert exchange.value == {
        "__type": "AccessDeniedException",
        "Message": HIDDEN,
        "error": {"code": 403, "message": HIDDEN, "details": [{"reason": "NO", "x": HIDDEN}]},
    }
    assert "ada@" not in render_line(exchange).decode()


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        (
            f"The request concerns location 'us-east1' but was sent by {CALLER}",
            f"{HIDDEN}: The request concerns location",
        ),
        (f"The request of {CALLER} concerns a location", HIDDEN),
    ],
)
def test_of_a_message_only_fixed_words_are_recorded(message: str, shown: str) -> None:
    """A message that says more than the codes is known by fixed words, which name nobody."""
    exchange = recorded(answer({"error": {"code": 404, "message": message}}, 404))
    assert exchange.value == {"error": {"code": 404, "message": shown}}


CODES = (
    "AccessDeniedException",
    "com.amazonaws.kms#NotFoundException",
    "AccessDenied:http://internal.amazon.com/coral/com.amazon.coral.availability/",
    "type.googleapis.com/google.rpc.ErrorInfo",
    "PERMISSION_DENIED",
    "ForbiddenByRbac",
)
NO_CODES = (
    CALLER,
    CALLER.partition("@")[0],
    f"AccessDeniedException: {CALLER}",
    f"AccessDenied:http://internal.amazon.com/{CALLER}",
    "ada@acme.example",
    "Not for Ada",
    "192.0.2.7",
    "A\u0430",
    "C" * 201,
)


@pytest.mark.parametrize("field", ["__type", "@type", "code", "status", "reason", "domain"])
def test_codes_are_recorded_only_if_they_look_like_codes(field: str) -> None:
    """Where an error has its code, it may say anything: what is no code is hidden."""
    body = {field: [*CODES, *NO_CODES], "error": {field: CALLER}}
    expected = {field: [*CODES, *[HIDDEN] * len(NO_CODES)], "error": {field: HIDDEN}}
    assert recorded(answer(body, 403)).value == expected


@pytest.mark.parametrize("text", [*CODES, *NO_CODES])
def test_code_in_a_header_is_recorded_only_if_it_looks_like_one(text: str) -> None:
    """The same holds where AWS has the code in a header."""
    exchange = recorded(HttpAnswer(400, {"x-amzn-ErrorType": text}, b"{}"))
    assert exchange.headers == {"x-amzn-errortype": text if text in CODES else HIDDEN}


@pytest.mark.parametrize("status", [200, 302, 403, 502])
def test_answer_that_is_no_json_is_hidden(status: int) -> None:
    """Of a page nothing is recorded but that there was one: it may greet the caller."""
    exchange = recorded(HttpAnswer(status, {}, f"<html>{CALLER}".encode()))
    assert (exchange.text, exchange.value) == (HIDDEN, None)
    assert "ada@" not in render_line(exchange).decode()


@pytest.mark.parametrize("place", HIDING_PLACES)
def test_token_that_comes_back_is_hidden(place: str) -> None:
    """A token that an answer repeats is recorded nowhere, in whatever form it comes."""
    text = HIDING_PLACES[place]
    headers = JSON | {"x-request-id": text}
    exchange = recorded(HttpAnswer(200, headers, json.dumps({"a": text}).encode()))
    assert SECRET not in render_line(exchange).decode().lower()


def test_credentials_that_are_found_later_are_hidden_too() -> None:
    """What a library finds as its credential is hidden from then on, beside what was before."""
    recorder, _ = a_recorder()
    secret = "not-a-real-secret-of-acme"
    recorder.hide([Token("AWS", secret), Token("AWS", secret)])
    body = json.dumps({"a": secret, "b": SECRET}).encode()
    exchange = recorder.answered(ADDRESS, datetime.now(UTC), HttpAnswer(200, JSON, body))
    assert exchange.value == {"a": HIDDEN, "b": HIDDEN}


def test_free_text_about_a_key_is_hidden() -> None:
    """Tags may hold anything, and the modulus of a key is long: no fact needs them."""
    body = {"key": {"n": "AQAB", "kid": "1"}, "tags": {"owner": "ada"}, "list": [{"n": ""}, 1]}
    exchange = recorded(answer(body))
    assert exchange.value == {
        "key": {"n": HIDDEN, "kid": "1"},
        "tags": HIDDEN,
        "list": [{"n": ""}, 1],
    }
    assert exchange.redactions == {"n": 1, "tags": 1}


@pytest.mark.parametrize(
    ("limits", "setting"),
    [
        ({"largest_answer_bytes": 1_024}, "largest_answer_bytes"),
        ({"most_requests": 1}, "most_requests"),
        ({"most_answer_bytes": 1_024}, "most_answer_bytes"),
    ],
)
def test_what_is_beyond_the_limits_is_a_failure(limits: dict[str, Any], setting: str) -> None:
    """An answer beyond a limit is recorded as too large, with the limit, and without its body."""
    policy = RequestPolicy(**limits)
    recorder, exchanges = a_recorder(policy=policy)
    large = HttpAnswer(200, JSON, json.dumps("x" * 1_100).encode())
    for _ in range(2):
        recorder.answered(ADDRESS, datetime.now(UTC), large)
    last = exchanges[-1]
    assert last.failure is not None
    assert (last.failure.reason, last.failure.again, last.body) == ("too-large", False, "")
    assert setting in last.failure.detail
    assert recorder.largest_body == policy.largest_answer_bytes + 1


def test_failures_are_recorded() -> None:
    """A request without an answer is recorded with the reason, also one that is not sent."""
    recorder, exchanges = a_recorder(count=7)
    failure = Failure(reason="no-credentials", detail="none were found")
    recorder.failed(ADDRESS, datetime.now(UTC), failure)
    recorder.too_late(ADDRESS)
    assert [exchange.outcome for exchange in exchanges] == ["no-credentials", "timed-out"]
    assert [exchange.place for exchange in exchanges] == [f"{FILE}:8", f"{FILE}:9"]


def test_threads_get_files_of_their_own() -> None:
    """However many threads record, each exchange has a file of its own."""
    recorder, exchanges = a_recorder()
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: recorder.too_late(ADDRESS), range(200)))
    assert [exchange.place for exchange in exchanges] == [
        f"{FILE}:{number}" for number in range(1, 201)
    ]


@given(st.binary(max_size=200), st.integers(100, 999))
def test_any_answer_can_be_recorded(body: bytes, status: int) -> None:
    """Whatever a server sends, it is recorded in a form that can be read back unchanged."""
    recorded(HttpAnswer(status, {"content-type": body[:20].decode("latin-1")}, body))


def test_credentials_of_the_environment_are_hidden_from_the_first_answer_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What a cloud repeats of another cloud's credentials is hidden before that one is asked."""
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "not-a-real-secret-of-acme")
    monkeypatch.setenv("AZURE_CLIENT_SECRET", "short")
    recorder, exchanges = a_recorder()
    body = answer({"a": "not-a-real-secret-of-acme", "b": "short"})
    recorder.answered("/gcp/a/b", datetime.now(UTC), body)
    assert exchanges[0].value == {"a": "(hidden)", "b": "short"}


def test_longest_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """An answer whose line could not be read again is not recorded, but that it was too large."""
    monkeypatch.setattr(recorder_module, "LONGEST_BODY", 5)
    exchange = recorded(HttpAnswer(200, JSON, b'{"a":"b"}'))
    assert exchange.failure is not None
    assert exchange.failure.reason == "too-large"
    assert exchange.failure.detail.startswith("more than 5 bytes of evidence of one answer")
