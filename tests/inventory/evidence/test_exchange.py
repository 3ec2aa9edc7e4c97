"""An exchange says what came of a request; in version 1 it is read back from a file of its own."""

from __future__ import annotations

import hashlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory.errors import EvidenceError
from inventory.evidence.exchange import Exchange, Failure, parse_exchange, render_exchange
from inventory.text.canonical_json import compact_json
from tests.builders import moment
from tests.inventory import live

PATH = "exchanges/0001/0001.json"

FAILURE = Failure(reason="timed-out", detail="no complete answer within 60 s", again=True)


def an_exchange(value: object = None, **over: object) -> Exchange:
    """Return an exchange as evidence of version 1 has it: in a file of its own."""
    return live.an_exchange(value, **{"path": PATH, "line": 0} | over)


EXCHANGES = {
    "list": an_exchange([{"id": "a"}, {"id": "b"}]),
    "list of one": an_exchange([1]),
    "empty list": an_exchange([]),
    "null": an_exchange(None),
    "object": an_exchange({"id": "ü\ud800\u2028", "n": [1, 2.5, True, None]}),
    "number": an_exchange(1.5),
    "JSON that is text": an_exchange("text"),
    "text": an_exchange(None, status=502, text="<html>\n</html>", headers={}),
    "empty text": an_exchange(None, status=503, text=""),
    "odd status": an_exchange({}, status=999),
    "redactions": an_exchange({"user": "(hidden)"}, redactions={"user": 1}),
    "failure": an_exchange(None, status=None, headers={}, failure=FAILURE),
}


everything = pytest.mark.parametrize("exchange", EXCHANGES.values(), ids=EXCHANGES)


# --- what an exchange says ------------------------------------------------------------------------


def test_outcome() -> None:
    """The outcome of a request is the status of its answer, or why there is none."""
    assert an_exchange([], status=503).outcome == "503"
    assert EXCHANGES["failure"].outcome == "timed-out"


def test_failure_becomes_the_error_that_the_client_knows() -> None:
    """A recorded failure is raised as what it was: reason, detail, and whether to ask again."""
    error = FAILURE.error()
    assert (error.reason, error.detail, error.again) == (FAILURE.reason, FAILURE.detail, True)
    assert error.wait is None


@pytest.mark.parametrize("count", [1, 3])
def test_places_of_entries(count: int) -> None:
    """Each entry of a list is in a line of its own, at the location that is reported."""
    exchange = an_exchange([{"id": number} for number in range(count)])
    lines = render_exchange(exchange).decode().splitlines()
    for number in range(count):
        file, _, line = exchange.location(number).partition(":")
        assert file == PATH
        assert lines[int(line) - 1].rstrip(",") == compact_json({"id": number})


def test_place_of_a_line() -> None:
    """An exchange on a line is at that line, whatever entry of it is meant."""
    exchange = live.an_exchange([1, 2], line=7)
    assert {exchange.location(), exchange.location(0), exchange.location(1)} == {exchange.place}
    assert exchange.place == "exchanges/0001.ndjson.gz:7"
    assert EXCHANGES["list"].place == PATH


def test_place_of_a_body() -> None:
    """A body that is no list is at the location that is reported."""
    exchange = an_exchange({"id": 1})
    line = int(exchange.location().partition(":")[2])
    assert render_exchange(exchange).decode().splitlines()[line - 1] == '"body": {"id":1}'


@pytest.mark.parametrize(
    ("date", "seconds"),
    [
        ("Fri, 20 Nov 2026 02:00:00 GMT", 0.0),
        ("Fri, 20 Nov 2026 01:59:59 GMT", -1.2),
        ("Fri, 20 Nov 2026 02:00:10 GMT", 9.2),
        ("Fri, 20 Nov 2026 01:00:00 GMT", -3600.2),
        ("Fri, 20 Nov 2026 04:00:00 +0200", 0.0),
        ("Fri, 20 Nov 2026 02:00:00 -0000", 0.0),
        ("yesterday", None),
        ("", None),
        ("Fri, 20 Nov 99999999999999999999 02:00:00 GMT", None),
        ("Fri, 20 Nov 2026 02:00:00 +99999999999999999999", None),
        ("Fri, 31 Dec 9999 23:59:59 -2359", 251607247138.2),
        ("Mon, 01 Jan 01 00:00:00 +2359", -816919140.2),
        ("Fri, 20 Nov -2026 02:00:00 GMT", None),
        ("Fri, 99 Nov 2026 25:61:61 +9999", None),
    ],
)
def test_clock_difference(date: str, seconds: float | None) -> None:
    """The server's clock is ahead by what remains beyond whole seconds and the request's time."""
    assert an_exchange([], headers={"date": date}).clock_difference() == seconds


def test_no_clock() -> None:
    """An answer without a date tells nothing about the server's clock."""
    assert an_exchange([]).clock_difference() is None


@given(
    st.text(max_size=40)
    | st.from_regex(
        r"(Fri, )?-?[0-9]{1,5} (Nov|Feb) -?[0-9]{1,6} [0-9]{1,3}(:[0-9]{1,3}){2} [-+]?[0-9]{1,6}",
        fullmatch=True,
    )
)
def test_dates_never_break_it(date: str) -> None:
    """Whatever is given for a date, the difference of clocks is a number or is unknown."""
    assert isinstance(an_exchange([], headers={"date": date}).clock_difference(), float | None)


# --- files ----------------------------------------------------------------------------------------


@everything
def test_what_is_rendered_is_read_back(exchange: Exchange) -> None:
    """An exchange is read back from its file as it was, and renders to the same bytes."""
    raw = render_exchange(exchange)
    assert parse_exchange(PATH, raw) == exchange
    assert render_exchange(parse_exchange(PATH, raw)) == raw


@everything
def test_files_are_json_in_ascii(exchange: Exchange) -> None:
    """An exchange's file is JSON in ASCII; the hash in it is that of the body, as it is."""
    raw = render_exchange(exchange)
    fields = json.loads(raw.decode("ascii"))
    body = raw.partition(b'\n"body": ')[2].removesuffix(b"\n}\n")
    assert fields["method"] == "GET"
    assert fields["sha256"] == hashlib.sha256(body).hexdigest()
    assert set(fields) == {
        *("cmek-exchange", "method", "address", "started", "ended", "status", "failure"),
        *("headers", "redactions", "json", "sha256", "body"),
    }


def test_no_change_of_a_file_goes_unseen() -> None:
    """A file of which a byte was changed, removed or added is refused, or tells something else."""
    raw = render_exchange(EXCHANGES["list"])
    changed = {raw[:place] + b"9" + raw[place + 1 :] for place in range(len(raw))} - {raw}
    changed |= {raw[:place] + raw[place + 1 :] for place in range(len(raw))}
    changed |= {raw[:place] + b" " + raw[place:] for place in range(len(raw) + 1)}
    taken = []
    for raw in changed:
        try:
            taken.append(parse_exchange(PATH, raw))
        except EvidenceError:
            continue
    assert {exchange.value == EXCHANGES["list"].value for exchange in taken} == {True}
    assert EXCHANGES["list"] not in taken


def changed(**over: object) -> bytes:
    """Return an exchange's file with other fields, in the same form."""
    fields = json.loads(render_exchange(EXCHANGES["object"])) | over
    lines = ",\n".join(f'"{name}": {compact_json(value)}' for name, value in fields.items())
    return f"{{\n{lines}\n}}\n".encode()


NOT_ITS_OWN = ("changed content", "an unchanged exchange")


NO_JSON = ("no JSON", "a recorded exchange")


@pytest.mark.parametrize(
    ("raw", "problem"),
    [
        (b"", ("", *NO_JSON)),
        (b"{", ("", *NO_JSON)),
        (b"\xff", ("", *NO_JSON)),
        (b"[" * 100_000, ("", *NO_JSON)),
        (b"[]", ("", "an empty list", "a mapping")),
        (changed(method="POST"), ("method", "'POST'", "'GET'")),
        (changed(status=99), ("status", "99", "greater than or equal to 100")),
        (changed(more=1), ("more", "an unknown field", "only the documented fields")),
        (changed(body={}), ("", *NOT_ITS_OWN)),
        (changed(sha256="0"), ("", *NOT_ITS_OWN)),
        (changed(json=False), ("", *NOT_ITS_OWN)),
        (changed(json=False, body=None), ("", *NOT_ITS_OWN)),
        (changed(json=False, body=[]), ("", *NOT_ITS_OWN)),
        (render_exchange(EXCHANGES["object"]) + b"\n", ("", *NOT_ITS_OWN)),
    ],
)
def test_other_files_are_refused(raw: bytes, problem: tuple[str, str, str]) -> None:
    """A file that is not exactly as an exchange is written is refused, and why is reported."""
    with pytest.raises(EvidenceError) as caught:
        parse_exchange(PATH, raw)
    assert {
        (problem.field, problem.found, problem.expected) for problem in caught.value.problems
    } == {problem}
    assert {problem.file for problem in caught.value.problems} == {PATH}


def test_nesting_that_can_be_read_but_not_written_is_refused() -> None:
    """A file whose body is nested nearly too deep to be read is refused, wherever it breaks."""
    for depth in range(300, 1_000, 7):
        raw = changed(body=0).replace(b'"body": 0', b'"body": ' + b"[" * depth + b"]" * depth)
        with pytest.raises(EvidenceError):
            parse_exchange(PATH, raw)


def test_times_are_kept_to_the_microsecond() -> None:
    """The times of an exchange are recorded and read back to the microsecond."""
    started = moment("2026-11-20T02:00:00.000001Z")
    assert (
        parse_exchange(PATH, render_exchange(an_exchange([], started=started))).started == started
    )
