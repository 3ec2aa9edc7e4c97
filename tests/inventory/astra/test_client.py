"""Astra is asked politely: again where that may help, and never without end."""

from __future__ import annotations

import asyncio
import math
import random
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from inventory.astra.parsing import list_of
from inventory.astra.replay_transport import EXCHANGE, ReplayingTransport
from inventory.errors import UnansweredError
from inventory.evidence.exchange import TOO_LATE, Exchange
from tests.inventory.live import (
    HOST,
    VALUE,
    Recorder,
    a_client,
    an_exchange,
    answer,
    answering,
    no_answer,
    raw_answer,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

KMS = "/v2/kms"
BARRED = "the token lacks a permission, or an IP access list blocks this machine"
BUSY = "answered 429: too many requests"
NO_TIME = "; no time was left for another attempt"


class Asked:
    """What came of asking once: the value or the error, the exchanges, and the waits."""

    def __init__(
        self,
        *replies: httpx.Response | Exception,
        accept: Collection[int] = (),
        left: Callable[[], float] = lambda: math.inf,
        read: Callable[[Exchange], Any] = list_of,
        **policy: float,
    ) -> None:
        self.waits: list[float] = []
        self.policy = policy
        self.error: UnansweredError | None = None
        self.value: Any = None
        recorder = Recorder()
        client = a_client(recorder, left=left, waits=self.waits, policy=policy)
        with answering(*replies) as route:
            try:
                self.value = asyncio.run(client.get(KMS, read, accept))
            except UnansweredError as error:
                self.error = error
            self.requests = [call.request for call in route.calls]
        self.exchanges = recorder.exchanges

    @property
    def said(self) -> tuple[str, str] | None:
        """Return reason and detail of the error, without the address."""
        if self.error is None:
            return None
        return self.error.reason, self.error.detail.removeprefix(f"GET {KMS}: ")

    def again(self) -> tuple[str, str] | None:
        """Return reason and detail of the error of a replay."""
        client = a_client(ReplayingTransport(self.exchanges), policy=self.policy)
        with pytest.raises(UnansweredError) as caught:
            asyncio.run(client.get(KMS, list_of))
        return caught.value.reason, caught.value.detail.removeprefix(f"GET {KMS}: ")


# --- asking ---------------------------------------------------------------------------------------


def test_answer_is_read() -> None:
    """What is returned is what was made of the answer."""
    asked = Asked(answer([1, 2]))
    assert (asked.value, asked.error, asked.waits) == ([1, 2], None, [])


def test_request_says_no_more_than_it_must() -> None:
    """A request is a GET of one address, without the token, which is added where it is sent."""
    (request,) = Asked(answer([])).requests
    assert (request.method, str(request.url), request.content) == ("GET", f"{HOST}{KMS}", b"")
    assert dict(request.headers) == {"accept": "application/json", "host": "astra.example.test"}


def test_width() -> None:
    """A client has as many slots as one organization may have requests in progress."""
    assert a_client(Recorder(), policy={"connections_per_organization": 7}).concurrency == 7


def test_requests_under_way_are_bounded() -> None:
    """No more requests are in progress at once than there are slots."""

    class Counting(httpx.AsyncBaseTransport):
        now = most = 0

        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            self.now += 1
            self.most = max(self.most, self.now)
            await asyncio.sleep(0)
            self.now -= 1
            return httpx.Response(200, extensions={EXCHANGE: an_exchange([])})

    counting = Counting()

    async def run() -> None:
        client = a_client(counting, slots=3)
        await asyncio.gather(*(client.get(KMS, list_of) for _ in range(12)))

    asyncio.run(run())
    assert counting.most == 3


# --- answers that are none ------------------------------------------------------------------------


def error_body(message: object) -> dict[str, Any]:
    return {"errors": [{"ID": 340002, "message": message}]}


HELPLESS = {
    "401": (
        answer(error_body("no bearer token"), 401),
        "refused",
        "answered 401 ('no bearer token'): the token is invalid or lacks a permission",
    ),
    "403": (
        answer("no", 403),
        "refused",
        f"answered 403 ('no'): {BARRED}",
    ),
    "404": (
        httpx.Response(404, text="404 page not found"),
        "wrong-address",
        "answered 404: there is nothing at this address",
    ),
    "204": (httpx.Response(204), "malformed", "answered 204: an undocumented status"),
    "206": (answer([], 206), "malformed", "answered 206: an undocumented status"),
    "400": (answer({}, 400), "malformed", "answered 400: an undocumented status"),
    "418": (answer([], 418), "malformed", "answered 418: an undocumented status"),
    "302": (
        httpx.Response(302, headers={"location": "https://other.example.test"}),
        "wrong-address",
        "answered 302, a redirect; redirects are not followed",
    ),
}


@pytest.mark.parametrize(("reply", "reason", "detail"), HELPLESS.values(), ids=HELPLESS)
def test_what_no_second_attempt_helps(reply: httpx.Response, reason: str, detail: str) -> None:
    """An answer that will be the same again is taken for final, and why it is none is reported."""
    asked = Asked(reply, answer([]))
    assert asked.said == (reason, detail)
    assert asked.error
    assert str(asked.error) == f"{reason}: GET {KMS}: {detail}"
    assert (len(asked.exchanges), asked.waits) == (1, [])


BROKEN = "answered with a body that is not complete JSON, or repeats a key"
PASSING: dict[str, tuple[httpx.Response | Exception, str, str]] = {
    "429": (answer({}, 429), "rate-limited", BUSY),
    "500": (answer(error_body("oops"), 500), "unavailable", "answered 500 ('oops')"),
    "502": (httpx.Response(502, html="<p>"), "unavailable", "answered 502"),
    "599": (httpx.Response(599), "unavailable", "answered 599"),
    "refused": (no_answer(), "unavailable", "no answer: refused"),
    "timeout": (TimeoutError(), "timed-out", "no complete answer within 60 s"),
    "page": (
        httpx.Response(200, html="<p>"),
        "malformed",
        "answered with 'text/html', expected application/json",
    ),
    "no type": (
        httpx.Response(200, content=b"[]"),
        "malformed",
        "answered with no content type, expected application/json",
    ),
    "cut": (raw_answer(b"[1, "), "malformed", BROKEN),
    "empty": (raw_answer(b""), "malformed", BROKEN),
    "charset": (raw_answer(b'["\xff"]'), "malformed", BROKEN),
    "NaN": (raw_answer(b"[NaN]"), "malformed", BROKEN),
    "twice": (raw_answer(b'[{"a": 1, "a": 2}]'), "malformed", BROKEN),
    "deep": (raw_answer(b"[" * 100_000 + b"]" * 100_000), "malformed", BROKEN),
    "no list": (answer({"a": 1}), "malformed", "found a mapping of 1, expected a list"),
}


@pytest.mark.parametrize(("reply", "reason", "detail"), PASSING.values(), ids=PASSING)
def test_what_a_second_attempt_may_help(
    reply: httpx.Response | Exception, reason: str, detail: str
) -> None:
    """What may pass is retried as often as the policy allows; then the last error is reported."""
    asked = Asked(reply, answer(["fine"]))
    assert (asked.value, len(asked.exchanges), len(asked.waits)) == (["fine"], 2, 1)
    never = Asked(*[reply] * 4, attempts=3)
    assert never.said == (reason, detail)
    assert (len(never.exchanges), len(never.waits)) == (3, 2)
    assert never.again() == never.said


def test_one_attempt() -> None:
    """If one attempt is allowed, there is no second."""
    asked = Asked(answer({}, 503), answer([]), attempts=1)
    assert (asked.said, asked.waits) == (("unavailable", "answered 503"), [])


def test_errors_of_attempts_that_differ() -> None:
    """If the attempts fail differently, the last failure is reported, also if it is final."""
    asked = Asked(answer({}, 503), no_answer(), answer({}, 403), answer([]))
    assert asked.error
    assert (asked.error.reason, len(asked.exchanges)) == ("refused", 3)


@pytest.mark.parametrize("kind", ["application/json; charset=utf-8", "Application/Problem+JSON"])
def test_kinds_of_json(kind: str) -> None:
    """JSON is known by its type in every casing, with parameters, and as a kind of its own."""
    assert Asked(httpx.Response(200, json=[1], headers={"content-type": kind})).value == [1]


def test_statuses_that_are_taken_too() -> None:
    """A status that was asked for is read like an answer, whatever its type."""
    asked = Asked(
        httpx.Response(404, text="none"), accept={404}, read=lambda exchange: exchange.status
    )
    assert asked.value == 404


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (error_body("a\nb"), " ('a\\nb')"),
        (error_body(None), " (nothing)"),
        (error_body(f"the token {VALUE} is bad"), " ('the token (hidden) is bad')"),
        (error_body("x" * 1_000), f" ('{'x' * 79}… (1,002 characters))"),
        ("text", " ('text')"),
        ({"errors": "text"}, ""),
        ({"errors": []}, ""),
        ({"errors": [1]}, ""),
        ({"errors": {"0": 1}}, ""),
        ({}, ""),
        (None, ""),
        ([1], ""),
        (7, ""),
    ],
)
def test_what_an_error_says(body: object, said: str) -> None:
    """An error's own message is reported, short and without secrets, if it has one."""
    asked = Asked(answer(body, 503), attempts=1)
    assert asked.said == ("unavailable", f"answered 503{said}")


# --- waiting --------------------------------------------------------------------------------------


def test_waits_grow_and_are_capped(monkeypatch: pytest.MonkeyPatch) -> None:
    """The wait doubles with each attempt up to the longest, and chance takes up to half of it."""
    policy: dict[str, Any] = {"attempts": 7, "first_wait_seconds": 0.5}
    policy["longest_wait_seconds"] = 4.0
    full = [0.5, 1.0, 2.0, 4.0, 4.0, 4.0]
    for chance in (0.5, 0.75, 1.0):
        monkeypatch.setattr(random, "uniform", lambda low, high, fields=chance: fields)
        asked = Asked(*[answer({}, 503)] * 7, **policy)
        assert asked.waits == [chance * seconds for seconds in full]


def test_waits_differ_by_chance() -> None:
    """No two clients wait alike: each wait is between half of its length and the whole."""
    waits = [Asked(answer({}, 503), answer([])).waits[0] for _ in range(20)]
    assert len(set(waits)) > 1
    assert all(0.25 <= wait <= 0.5 for wait in waits)


@pytest.mark.parametrize("status", [429, 503])
def test_wait_that_is_asked_for(status: int) -> None:
    """A wait that Astra asks for is kept, beyond the longest that nobody asked for."""
    asked = Asked(answer({}, status, retry_after="100"), answer([]), longest_wait_seconds=1)
    assert asked.waits == [100.0]


@pytest.mark.parametrize("header", ["0", "soon", "-5", ""])
def test_wait_that_asks_for_nothing(header: str) -> None:
    """A wait of no length, or one that cannot be read, does not shorten the wait of the policy."""
    (wait,) = Asked(answer({}, 429, retry_after=header), answer([])).waits
    assert 0.25 <= wait <= 0.5


def test_wait_until_a_date() -> None:
    """A wait until a date in the past does not shorten the wait of the policy."""
    past = "Fri, 20 Nov 2020 02:00:00 GMT"
    (wait,) = Asked(answer({}, 429, retry_after=past), answer([])).waits
    assert 0.25 <= wait <= 0.5


def test_wait_that_is_asked_for_in_vain() -> None:
    """A refusal that no second attempt helps is final, whatever wait it asks for."""
    asked = Asked(answer({}, 403, retry_after="1"), answer([]))
    assert (len(asked.exchanges), asked.waits) == (1, [])


# --- time -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("header", ["3600", "Fri, 20 Nov 2099 02:00:00 GMT", "60"])
def test_no_time_for_the_wait(header: str) -> None:
    """A wait for which there is no time is not begun: the request ends at once, as rate-limited."""
    asked = Asked(answer({}, 429, retry_after=header), answer([]), left=lambda: 60.0)
    assert asked.said == ("rate-limited", BUSY + NO_TIME)
    assert (asked.waits, len(asked.requests)) == ([], 1)


def test_end_of_time_is_recorded_and_replayed() -> None:
    """That there was no time for another attempt is recorded, and a replay tells the same."""
    asked = Asked(answer({}, 429, retry_after="3600"), left=lambda: 60.0)
    assert [exchange.failure for exchange in asked.exchanges] == [None, TOO_LATE]
    assert asked.again() == asked.said == ("rate-limited", BUSY + NO_TIME)


def test_no_time_for_a_second_attempt() -> None:
    """If time runs out between attempts, the error of the last attempt is reported."""
    left = iter([60.0, 0.1])
    asked = Asked(*[answer({}, 503)] * 3, left=lambda: next(left))
    assert asked.said == ("unavailable", f"answered 503{NO_TIME}")
    assert (len(asked.requests), len(asked.exchanges), len(asked.waits)) == (2, 3, 1)
    assert asked.again() == asked.said


def test_time_over_before_the_first_attempt() -> None:
    """If there is no time even for a first attempt, that is reported, and nothing is sent."""
    recorder = Recorder(deadline=-math.inf)
    with answering(answer([])) as route, pytest.raises(UnansweredError) as caught:
        asyncio.run(a_client(recorder).get(KMS, list_of))
    assert caught.value.reason == "timed-out"
    assert caught.value.detail == f"GET {KMS}: the time limit of the audit was reached"
    assert (route.call_count, [exchange.failure for exchange in recorder.exchanges]) == (
        0,
        [TOO_LATE],
    )


def test_time_over_in_the_second_attempt() -> None:
    """If time is over in the middle of a later attempt, the earlier one's error is reported."""
    exchanges = [an_exchange({}, status=503), an_exchange(None, status=None, failure=TOO_LATE)]
    client = a_client(ReplayingTransport(exchanges))
    with pytest.raises(UnansweredError) as caught:
        asyncio.run(client.get(KMS, list_of))
    found = (caught.value.reason, caught.value.detail)
    assert found == ("unavailable", f"GET {KMS}: answered 503{NO_TIME}")


def test_other_errors_pass_through() -> None:
    """An error that is not about the answer is neither retried nor changed."""

    def read(exchange: Exchange) -> None:
        raise KeyError(exchange.status)

    with pytest.raises(KeyError, match="200"):
        Asked(answer([]), answer([]), read=read)
