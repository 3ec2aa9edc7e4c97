"""A request and its answer are one line, and read back from it as they were written."""

from __future__ import annotations

import hashlib
import json

import pytest

from inventory.errors import EvidenceError
from inventory.evidence.exchange import Exchange, Failure
from inventory.evidence.exchange_line import hash_of, parse_head, parse_line, render_line
from inventory.text.canonical_json import compact_json
from tests.builders import moment
from tests.inventory.live import PATH, an_exchange

FAILURE = Failure(reason="timed-out", detail="no complete answer within 60 s", again=True)
EXCHANGES = {
    "list": an_exchange([{"id": "a"}, {"id": "b"}]),
    "null": an_exchange(None),
    "object": an_exchange({"id": "ü\ud800\u2028\n", "n": [1, 2.5, True, None]}),
    "as it came": an_exchange({"a": 1.0, "b": "é"}, body='{ "b": "\\u00E9", "a": 1.0 }'),
    "JSON that is text": an_exchange("text"),
    "text": an_exchange(None, status=502, text="<html>\n</html>", headers={}),
    "empty text": an_exchange(None, status=503, text=""),
    "odd status": an_exchange({}, status=999),
    "body in a header": an_exchange({}, headers={"etag": '","body":'}),
    "redactions": an_exchange({"user": "(hidden)"}, redactions={"user": 1}),
    "failure": an_exchange(None, status=None, headers={}, failure=FAILURE),
}
everything = pytest.mark.parametrize("exchange", EXCHANGES.values(), ids=EXCHANGES)


@everything
def test_what_is_rendered_is_read_back(exchange: Exchange) -> None:
    """An exchange is read back from its line as it was, and renders to the same bytes."""
    raw = render_line(exchange)
    read = parse_line(PATH, 1, raw)
    assert read._replace(body=exchange.body) == exchange
    assert render_line(read) == raw
    assert hash_of(read) == hash_of(exchange) == hashlib.sha256(raw).hexdigest()


@everything
def test_lines_are_json_in_ascii(exchange: Exchange) -> None:
    """A line is JSON in ASCII without a line break; the hash in it is that of the body."""
    raw = render_line(exchange)
    fields = json.loads(raw.decode("ascii"))
    body = raw[:-2].split(b',"body":')[-1] if "body" not in str(exchange.headers) else b"{}"
    assert (raw.count(b"\n"), raw[-2:]) == (1, b"}\n")
    assert fields["sha256"] == hashlib.sha256(body).hexdigest()
    assert list(fields) == [
        *("cmek-exchange", "method", "address", "started", "ended", "status", "failure"),
        *("headers", "redactions", "json", "sha256", "body"),
    ]


@everything
def test_the_head_of_a_line_states_what_the_exchange_states(exchange: Exchange) -> None:
    """The fields of a line are known without its body."""
    head = parse_head(render_line(exchange))
    assert (head.address, head.status, head.failure, head.headers) == (
        *(exchange.address, exchange.status, exchange.failure, exchange.headers),
    )
    assert (head.started, head.ended) == (exchange.started, exchange.ended)
    assert head.json_ is (exchange.text is None)


def test_no_change_of_a_line_goes_unseen() -> None:
    """A line of which a byte was changed, removed or added is refused, or says something else."""
    raw = render_line(EXCHANGES["list"])
    changed = {raw[:place] + b"9" + raw[place + 1 :] for place in range(len(raw))} - {raw}
    changed |= {raw[:place] + raw[place + 1 :] for place in range(len(raw))}
    changed |= {raw[:place] + b" " + raw[place:] for place in range(len(raw) + 1)}
    taken = []
    for line in changed:
        try:
            taken.append(parse_line(PATH, 1, line)._replace(body=""))
        except EvidenceError:
            continue
    assert {exchange.value == EXCHANGES["list"].value for exchange in taken} == {True}
    assert EXCHANGES["list"] not in taken


def changed(**over: object) -> bytes:
    """Return an exchange's line with other fields, in the same form."""
    fields = json.loads(render_line(EXCHANGES["list"])) | over
    fields["body"] = fields.pop("body")  # it stays the last
    body = compact_json(fields["body"]).encode()
    fields |= {"sha256": hashlib.sha256(body).hexdigest()} if "sha256" not in over else {}
    return compact_json(fields).encode() + b"\n"


def with_body(body: str) -> bytes:
    """Return an exchange's line with a body, whatever it is, and the hash of it."""
    fields = json.loads(render_line(EXCHANGES["list"]))
    del fields["body"]
    fields["sha256"] = hashlib.sha256(body.encode()).hexdigest()
    return f'{compact_json(fields)[:-1]},"body":{body}}}\n'.encode()


NO_JSON = ("", "no JSON", "a recorded exchange")
CHANGED = ("", "changed content", "an unchanged exchange")


@pytest.mark.parametrize(
    ("raw", "problem"),
    [
        (b"", NO_JSON),
        (b"\n", NO_JSON),
        (b"\xff", NO_JSON),
        (b"[" * 100_000, NO_JSON),
        (changed(method="POST"), ("method", "'POST'", "'GET'")),
        (changed(status=99), ("status", "99", "greater than or equal to 100")),
        (changed(more=1), ("more", "an unknown field", "only the documented fields")),
        (changed(sha256="0"), CHANGED),
        (changed(json=False), NO_JSON),
        (changed(json=False, body=None), NO_JSON),
        (with_body("[1, 1"), NO_JSON),
        (with_body("[1]}"), NO_JSON),
        (with_body('{"a":1,"a":2}'), NO_JSON),
        (with_body("NaN"), NO_JSON),
        (with_body("1e999"), NO_JSON),
        (with_body('"ü"'), NO_JSON),
        (with_body("[" * 101 + "]" * 101), NO_JSON),
        (with_body("[" * 100_000 + "]" * 100_000), NO_JSON),
        (render_line(EXCHANGES["list"]) + b"\n", NO_JSON),
        (render_line(EXCHANGES["list"]).removesuffix(b"\n"), NO_JSON),
    ],
)
def test_other_lines_are_refused(raw: bytes, problem: tuple[str, str, str]) -> None:
    """A line that is not exactly as an exchange is written is refused, with file and line."""
    with pytest.raises(EvidenceError) as caught:
        parse_line(PATH, 7, raw)
    assert {problem[:5] for problem in caught.value.problems} == {(PATH, 7, *problem)}


def test_a_text_is_rendered_in_one_way() -> None:
    """A body that is no JSON is one text, as it is written: another spelling of it is refused."""
    text = render_line(EXCHANGES["text"]).replace(b"<html>", b"\\u003chtml>")
    with pytest.raises(EvidenceError, match="no JSON"):
        parse_line(PATH, 1, text)


def test_times_are_kept_to_the_microsecond() -> None:
    """The times of an exchange are recorded and read back to the microsecond."""
    started = moment("2026-11-20T02:00:00.000001Z")
    assert parse_line(PATH, 1, render_line(an_exchange([], started=started))).started == started
