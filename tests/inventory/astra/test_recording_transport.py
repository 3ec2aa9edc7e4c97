"""The transport of a live audit lets nothing harmful through, and records every answer."""

from __future__ import annotations

import asyncio
import gzip
import json
import math
import ssl
import time
from contextlib import suppress
from typing import TYPE_CHECKING

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory.astra import recording_transport
from inventory.astra.replay_transport import EXCHANGE
from inventory.errors import ForbiddenRequestError, UnansweredError
from inventory.evidence.exchange import TOO_LATE, Exchange, Failure, retry_after
from inventory.evidence.redaction import Redacted, redact_body
from tests.inventory.live import (
    HIDING_PLACES,
    HOST,
    KMS,
    SECRET,
    TRACES,
    Recorder,
    a_request,
    an_exchange,
    answer,
    answering,
    raw_answer,
    send,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from inventory.text.secrets import Scrubber


def recorded(reply: httpx.Response | Exception, **limits: float) -> Exchange:
    """Return what is recorded of a request that gets ``reply``."""
    recorder = Recorder(**limits)  # type: ignore[arg-type]
    with answering(reply) as route, suppress(UnansweredError):
        send(recorder, a_request())
    assert route.call_count == 1
    (exchange,) = recorder.exchanges
    return exchange


def failure(reply: httpx.Response | Exception, **limits: float) -> Failure | None:
    return recorded(reply, **limits).failure


# --- what passes ----------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "GETS"])
def test_only_get_passes(method: str) -> None:
    """Every request but GET is refused, and nothing of it is sent or recorded."""
    recorder = Recorder()
    with answering(answer([])) as route:
        with pytest.raises(ForbiddenRequestError, match=f"^{method}: an audit only reads$"):
            send(recorder, a_request(method))
        assert (route.call_count, recorder.exchanges) == (0, [])


@pytest.mark.parametrize(
    "url",
    [
        "https://other.example.test/v2/kms",
        "https://astra.example.test.other.test/v2/kms",
        "https://sub.astra.example.test/v2/kms",
        "http://astra.example.test/v2/kms",
        "https://astra.example.test:8443/v2/kms",
        "https://astra.example.test@other.test/v2/kms",
        "https://xn--stra-loa.example.test/v2/kms",
    ],
)
def test_only_the_configured_host_is_asked(url: str) -> None:
    """A request to another host, port or scheme is refused, and nothing of it is sent."""
    recorder = Recorder()
    with answering(answer([])) as route:
        with pytest.raises(ForbiddenRequestError, match=r"to astra\.example\.test only$"):
            send(recorder, a_request(url=url))
        assert (route.call_count, recorder.exchanges) == (0, [])


@pytest.mark.parametrize("url", [f"{HOST}:443/v2/kms", "HTTPS://ASTRA.example.test/v2/kms"])
def test_other_spellings_of_the_host_pass(url: str) -> None:
    """The configured host passes in every spelling of the same address."""
    recorder = Recorder()
    with answering(answer([])):
        send(recorder, a_request(url=url))
    assert [exchange.address for exchange in recorder.exchanges] == ["/v2/kms"]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_not_followed(status: int) -> None:
    """A redirect is an answer like any other: it is recorded, and nobody goes there."""
    recorder = Recorder()
    away = httpx.Response(status, headers={"location": "https://other.example.test/v2/kms"})
    with answering(away, answer([])) as route:
        (response,) = send(recorder, a_request())
        assert (response.status_code, route.call_count) == (status, 1)
    assert [exchange.status for exchange in recorder.exchanges] == [status]


def test_cookies_are_never_sent_back() -> None:
    """A cookie that an answer sets is neither kept, nor sent with a later request."""
    recorder = Recorder()
    cookie = {"set-cookie": "visitor=1; Path=/"}
    replies = [httpx.Response(200, json=[], headers=cookie) for _ in range(2)]
    with answering(*replies) as route:
        responses = send(recorder, a_request(), a_request())
        sent = [set(call.request.headers) for call in route.calls]
    assert sent == [{"host"}] * 2
    assert {name for response in responses for name in response.headers} == {"content-type"}
    assert {name for exchange in recorder.exchanges for name in exchange.headers} == {
        "content-type"
    }


# --- what is recorded -----------------------------------------------------------------------------


def test_only_listed_headers_are_recorded() -> None:
    """Of an answer's headers those that are listed are recorded, and no other."""
    listed = {"content-type": "application/json", "date": "now", "etag": "e", "location": "l"}
    listed |= {"retry-after": "1", "x-request-id": "r"}
    others = {"set-cookie": "a=b", "x-debug": "x", "server": "s", "www-authenticate": "w"}
    reply = httpx.Response(200, content=b"[]", headers=listed | others)
    assert recorded(reply).headers == listed


@pytest.mark.parametrize("form", HIDING_PLACES.values(), ids=HIDING_PLACES)
def test_headers_hold_no_token(form: str) -> None:
    """A token that comes back in a header is not recorded, also where the header is cut."""
    for before in (0, 470, 499):
        exchange = recorded(answer([], x_request_id=f"{'x' * before} {form}", location=form))
        spelled = " ".join(exchange.headers.values())
        assert SECRET[:12] not in spelled
        assert not any(trace in spelled for trace in TRACES)


def test_headers_are_ascii_and_short() -> None:
    """A header is recorded in ASCII, and cut at 500 characters."""
    reply = httpx.Response(200, content=b"[]", headers=[(b"etag", b"\xc3\xbc" + b"x" * 600)])
    assert recorded(reply).headers == {"etag": "\\xfc" + "x" * 496}


def test_exchange_tells_address_and_times() -> None:
    """An exchange tells path and parameters that were asked, and times in order."""
    recorder = Recorder()
    with answering(answer([{"id": 1}]), answer([], status=503)):
        send(recorder, a_request(url=f"{KMS}?a=%20b&c=d"), a_request())
    first, second = recorder.exchanges
    assert (first.address, second.address) == ("/v2/kms?a=%20b&c=d", "/v2/kms")
    assert (first.status, second.status) == (200, 503)
    assert first.started <= first.ended <= second.started <= second.ended
    assert (first.place, second.place) == (
        "exchanges/0001.ndjson.gz:1",
        "exchanges/0001.ndjson.gz:2",
    )


def test_response_carries_its_exchange() -> None:
    """The client is given what was recorded, and not the body that was not."""
    recorder = Recorder()
    with answering(answer([{"password": "hush"}])):
        (response,) = send(recorder, a_request())
    assert response.extensions[EXCHANGE] == recorder.exchanges[0]
    assert recorder.exchanges[0].value == [{"password": "(hidden)"}]
    assert asyncio.run(response.aread()) == b""


@pytest.mark.parametrize("again", [True, False])
def test_no_answer_is_recorded(again: bool) -> None:  # noqa: FBT001
    """A connection that fails is recorded as no answer, with whether it may be tried again."""
    error = UnansweredError("unavailable", "no answer: refused", again=again)
    expected = Failure(reason="unavailable", detail="no answer: refused", again=again)
    assert failure(error) == expected


# --- bodies ---------------------------------------------------------------------------------------


def test_largest_body() -> None:
    """A body of the largest size is taken, and one that is larger by a byte is not."""
    body = b"[" + b" " * 998 + b"]"
    assert recorded(raw_answer(body), body=1_000).value == []
    detail = "more than 999 bytes in one answer: the limit is largest_answer_bytes"
    expected = Failure(reason="too-large", detail=detail)
    assert failure(raw_answer(body), body=999) == expected


def test_packed_bodies_count_as_unpacked() -> None:
    """A small body that unpacks to a large one is not taken."""
    packed = gzip.compress(b" " * 1_000_000 + b"[]")
    assert len(packed) < 2_000
    reply = raw_answer(packed, content_encoding="gzip")
    detail = "more than 100,000 bytes in one answer: the limit is largest_answer_bytes"
    expected = Failure(reason="too-large", detail=detail)
    assert failure(reply, body=100_000) == expected


def packed(*encodings: str, body: bytes = b"[]") -> httpx.Response:
    headers = [("content-type", "application/json")]
    headers += [("content-encoding", encoding) for encoding in encodings]
    return httpx.Response(200, headers=headers, stream=Stream(body))


class Stream(httpx.AsyncByteStream):
    """A body as it comes from a connection, piece by piece; it notes when it is closed."""

    def __init__(self, *pieces: bytes) -> None:
        self.pieces = pieces
        self.closed = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self.pieces:
            yield piece

    async def aclose(self) -> None:
        self.closed = True


class Inner(httpx.AsyncBaseTransport):
    """A transport that gives one response, or never any."""

    def __init__(self, response: httpx.Response | None = None) -> None:
        self.response = response
        self.requests: list[httpx.Request] = []
        self.closed = False

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        if self.response is None:
            await asyncio.Event().wait()
        assert self.response is not None
        return self.response

    async def aclose(self) -> None:
        self.closed = True


def through(inner: Inner, **limits: float) -> Exchange:
    recorder = Recorder(inner=inner, **limits)  # type: ignore[arg-type]
    with suppress(UnansweredError):
        send(recorder, a_request())
    (exchange,) = recorder.exchanges
    return exchange


def test_bodies_are_unpacked() -> None:
    """A body packed once is unpacked."""
    assert through(Inner(packed("gzip", body=gzip.compress(b'["a"]')))).value == ["a"]


def test_bodies_packed_twice_are_not_taken() -> None:
    """A body packed more than once is not unpacked, as it could grow beyond all bounds."""
    twice = gzip.compress(gzip.compress(b"[]"))
    expected = Failure(reason="malformed", detail="the body is compressed more than once")
    assert through(Inner(packed("gzip", "gzip", body=twice))).failure == expected
    assert through(Inner(packed("gzip, gzip", body=twice))).failure == expected


def test_bodies_that_cannot_be_unpacked() -> None:
    """A body that is not packed as it says is malformed."""
    half = gzip.compress(b"[]" * 1_000)[:-9]
    two = gzip.compress(b"[]") + gzip.compress(b'["lost"]')
    for body, detail in (
        (b"[]", "the body cannot be decompressed"),
        (half, "the compressed body ends early"),
        (two, "data follows the compressed body"),
    ):
        exchange = through(Inner(packed("gzip", body=body))).failure
        assert exchange == Failure(reason="malformed", detail=detail)


def test_bodies_packed_in_an_unknown_way() -> None:
    """A body packed otherwise than was asked for is recorded as text, as no JSON."""
    assert through(Inner(packed("br"))).value == []
    assert through(Inner(packed("br", body=b"\x8b\x00"))).text == "\\x8b\x00"


def test_broken_bodies_are_recorded_as_text() -> None:
    """A body that is no JSON is recorded as text, with its status and headers."""
    exchange = recorded(raw_answer(b"[\xff", etag="e"))
    assert (exchange.status, exchange.value, exchange.text) == (200, None, "[\\xff")
    assert set(exchange.headers) == {"content-type", "etag"}


@pytest.mark.parametrize("most", [1, 100])
def test_answers_are_closed(most: int) -> None:
    """An answer is closed when it was read, and also when it was too large."""
    stream = Stream(b"[", b"]")
    through(Inner(httpx.Response(200, stream=stream)), body=most)
    assert stream.closed


def test_transport_closes_the_one_inside() -> None:
    """Closing the transport closes the connections."""
    inner = Inner()
    asyncio.run(Recorder(inner=inner).aclose())
    assert inner.closed


# --- limits of an organization --------------------------------------------------------------------


def too_large(found: str, setting: str) -> Failure:
    return Failure(reason="too-large", detail=f"{found}: the limit is {setting}")


class Each(httpx.AsyncBaseTransport):
    """A transport that answers every request by the same body, and counts them."""

    def __init__(self, body: bytes) -> None:
        self.body = body
        self.count = 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.count += 1
        return httpx.Response(200, stream=Stream(self.body))


def asked(body: bytes, times: int, **limits: float) -> tuple[int, list[Failure | None]]:
    """Return how many requests were sent of those that were made, and what came of each."""
    inner = Each(body)
    recorder = Recorder(inner=inner, **limits)  # type: ignore[arg-type]
    for _ in range(times):
        with suppress(UnansweredError):
            send(recorder, a_request())
    return inner.count, [exchange.failure for exchange in recorder.exchanges]


def test_most_requests() -> None:
    """No more requests are sent than there may be; that of those beyond is recorded."""
    failure = too_large("more than 2 requests", "most_requests")
    assert asked(b"[]", 4, requests=2) == (2, [None, None, failure, failure])


def test_most_bytes_of_answers() -> None:
    """Answers are taken up to so many bytes in all, and then nothing is asked any more."""
    failure = too_large("more than 5 bytes in all answers", "most_answer_bytes")
    assert asked(b"[1]", 4, answers=5) == (2, [None, failure, failure, failure])
    assert asked(b"[1]", 2, answers=6) == (2, [None, None])


def test_longest_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """An answer whose line could not be read again is not recorded, but that it was too large."""
    monkeypatch.setattr(recording_transport, "LONGEST_BODY", 5)
    failure = too_large("more than 5 bytes of evidence of one answer", "largest_answer_bytes")
    assert asked(b"[1,2]", 1) == (1, [None])
    assert asked('["ü"]'.encode(), 1) == (1, [failure])


def test_lists_that_are_the_same_are_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the last few bodies each is redacted once, and recorded as often as it came."""
    redacted: list[bytes] = []

    def noted(body: bytes, scrubber: Scrubber) -> Redacted:
        redacted.append(body)
        return redact_body(body, scrubber)

    monkeypatch.setattr(recording_transport, "redact_body", noted)
    bodies = [b"[%d]" % (number % 9) for number in range(18)] + [b"[8]", b"[7]"]
    large = b" " * 1_048_577 + b"[]"
    left = [*bodies, large, large]
    recorder = Recorder(inner=httpx.MockTransport(lambda _: raw_answer(left.pop(0))))
    send(recorder, *[a_request() for _ in left])
    assert redacted == [*bodies[:18], large, large]
    assert [exchange.value for exchange in recorder.exchanges] == [*map(json.loads, bodies), [], []]


def test_most_bytes_of_evidence() -> None:
    """So many bytes are written of an organization, and then nothing is asked any more."""
    failure = too_large("more than 9 bytes of evidence", "most_evidence_bytes")
    assert asked(b"[1,2]", 3, evidence=9) == (2, [None, failure, failure])


@pytest.mark.parametrize("body", [b"[1,2,3]", b'[{"a":[]}]', b"[[[]]]", b'[",,"]'])
def test_most_values_of_an_answer(body: bytes) -> None:
    """An answer with more values than it may have is not even read."""
    failure = too_large("more than 2 values in one answer", "largest_answer_values")
    assert asked(body, 2, values=2) == (2, [failure, failure])
    assert asked(body, 1, values=3) == (1, [None])


# --- time -----------------------------------------------------------------------------------------


def test_no_request_is_sent_when_time_is_over() -> None:
    """When the time is over, nothing is sent, and that is recorded."""
    for recorder, request in (
        (Recorder(deadline=-math.inf), a_request()),
        (Recorder(), a_request(late=True)),
    ):
        with answering(answer([])) as route:
            with pytest.raises(UnansweredError, match=r"^timed-out: the time limit of the "):
                send(recorder, request)
            assert route.call_count == 0
        assert [exchange.failure for exchange in recorder.exchanges] == [TOO_LATE]
        assert not TOO_LATE.again


def test_silent_server() -> None:
    """A server that never answers is given up after the time of one request."""
    expected = Failure(reason="timed-out", detail="no complete answer within 0.01 s", again=True)
    assert through(Inner(), seconds=0.01).failure == expected


class Drip(Stream):
    """A body that comes for ever, a byte at a time."""

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while True:
            yield b" "
            await asyncio.sleep(0)


def test_dripping_server() -> None:
    """A body that comes for ever, if slowly, is given up after the time of one request."""
    stream = Drip()
    exchange = through(Inner(httpx.Response(200, stream=stream)), seconds=0.01, body=10**9)
    assert exchange.failure == Failure(
        reason="timed-out", detail="no complete answer within 0.01 s", again=True
    )
    assert stream.closed


def test_deadline_in_the_middle_of_a_request() -> None:
    """A request that is in progress when the time is over is given up, and not to be made again."""

    async def run() -> Recorder:
        deadline = asyncio.get_running_loop().time() + 0.01
        recorder = Recorder(inner=Inner(), deadline=deadline)
        with pytest.raises(UnansweredError):
            await recorder.handle_async_request(a_request())
        return recorder

    assert [exchange.failure for exchange in asyncio.run(run()).exchanges] == [TOO_LATE]


@pytest.mark.parametrize("body", [b"[" + b"1," * 500 + b"1]", b'["' + b"x" * 5_000 + b'"]'])
def test_no_time_to_understand_an_answer(body: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """An answer that there may be no time to understand is recorded as one that came too late."""

    def understands(*_: object) -> None:
        raise AssertionError

    monkeypatch.setattr(recording_transport, "_SECONDS_A_BYTE", 0.01)
    monkeypatch.setattr(recording_transport, "_SECONDS_A_VALUE", 0.1)
    monkeypatch.setattr(recording_transport, "redact_body", understands)
    assert in_time(body, 20.0) == [TOO_LATE]


def test_time_that_understanding_takes() -> None:
    """What was answered has to be understood, too: the time for that is not spent on asking."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(recording_transport, "_SECONDS_A_VALUE", 5.0)
        assert in_time(b"[1]", 12.0, times=4) == [None, None, TOO_LATE, TOO_LATE]
    assert in_time(b"[1]", 12.0, times=4) == [None] * 4


def test_understanding_that_takes_too_long(monkeypatch: pytest.MonkeyPatch) -> None:
    """An answer whose reading took longer than thought is recorded as one that came too late."""

    def slowly(body: bytes, scrubber: Scrubber) -> Redacted:
        time.sleep(0.2)
        return redact_body(body, scrubber)

    monkeypatch.setattr(recording_transport, "redact_body", slowly)
    assert in_time(b"[1]", 0.1) == [TOO_LATE]


def in_time(body: bytes, seconds: float, times: int = 1) -> list[Failure | None]:
    """Return what came of requests for which there are so many seconds in all."""

    async def run() -> Recorder:
        deadline = asyncio.get_running_loop().time() + seconds
        recorder = Recorder(inner=Each(body), deadline=deadline)
        for _ in range(times):
            with suppress(UnansweredError):
                await recorder.handle_async_request(a_request())
        return recorder

    return [exchange.failure for exchange in asyncio.run(run()).exchanges]


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("0", 0.0),
        ("7", 7.0),
        (" 7 ", 7.0),
        ("99999999999999999999", 999_999_999.0),
        ("Fri, 20 Nov 2026 02:00:10 GMT", 9.25),
        ("Fri, 20 Nov 2026 02:00:10 -0000", 9.25),
        ("Fri, 20 Nov 2026 01:00:00 GMT", 0.0),
        ("Fri, 20 Nov 99999999999999999999 02:00:00 GMT", None),
        ("-1", None),
        ("1.5", None),
        ("\u0663", None),
        ("soon", None),
        ("", None),
    ],
)
def test_wait_that_is_asked_for(header: str, seconds: float | None) -> None:
    """``Retry-After`` is understood in seconds and as a date; anything else says nothing."""
    assert retry_after(an_exchange([], headers={"retry-after": header})) == seconds


def test_no_wait_is_asked_for() -> None:
    """An answer without ``Retry-After`` asks for no wait."""
    assert retry_after(an_exchange([])) is None


@given(st.text(max_size=40))
def test_waits_never_break_it(header: str) -> None:
    """Whatever is given for ``Retry-After``, the wait is a number that is not negative, or none."""
    seconds = retry_after(an_exchange([], headers={"retry-after": header}))
    assert seconds is None or 0 <= seconds < math.inf


# --- saying it again ------------------------------------------------------------------------------


def test_errors_of_the_machine_are_not_swallowed() -> None:
    """An error that has nothing to do with the answer is not recorded as one."""
    with answering(ssl.SSLError("broken")), pytest.raises(ssl.SSLError):
        send(Recorder(), a_request())
