"""One request and its answer as one line of a file: its fields first, the body last."""

from __future__ import annotations

import hashlib
import json
from typing import Annotated, Literal

from pydantic import Field, StrictBool, ValidationError

from inventory.errors import EvidenceError, Problem
from inventory.evidence.exchange import Exchange, Failure, render_exchange
from inventory.evidence.redaction import parse_body
from inventory.files.validation import problems_of
from inventory.model.base import Count, Entry, Moment, WholeNumber
from inventory.text.canonical_json import compact_json, format_timestamp

_VERSION = 2
_BODY = b',"body":'
"""What is between the fields and the body. Within a text of a field its quotes are escaped."""

_END = b"}\n"


class LineHead(Entry):
    """The fields of an exchange's line, without the body."""

    format: Annotated[Literal[2], Field(alias="cmek-exchange")]
    method: Literal["GET"]
    address: Annotated[str, Field(pattern=r"^/[!-~]*$")]
    started: Moment
    ended: Moment
    status: Annotated[WholeNumber, Field(ge=100, le=999)] | None
    failure: Failure | None
    headers: dict[str, str]
    redactions: dict[str, Count]
    json_: Annotated[StrictBool, Field(alias="json")]
    sha256: str


def render_line(exchange: Exchange) -> bytes:
    """Render an exchange as one line of ASCII; the body is on it as it was recorded."""
    body = (exchange.body or _render_body(exchange)).encode("ascii")
    fields = {
        "cmek-exchange": _VERSION,
        "method": "GET",
        "address": exchange.address,
        "started": format_timestamp(exchange.started),
        "ended": format_timestamp(exchange.ended),
        "status": exchange.status,
        "failure": exchange.failure.model_dump() if exchange.failure else None,
        "headers": exchange.headers,
        "redactions": exchange.redactions,
        "json": exchange.text is None,
        "sha256": hashlib.sha256(body).hexdigest(),
    }
    return compact_json(fields).encode("ascii")[:-1] + _BODY + body + _END


def _render_body(exchange: Exchange) -> str:
    return compact_json(exchange.value if exchange.text is None else exchange.text)


def parse_line(path: str, line: int, raw: bytes) -> Exchange:
    """Read back what ``render_line`` has written; raise EvidenceError for anything else.

    ``path`` is the path inside the bundle.
    """
    try:
        exchange = _build_exchange(path, line, raw)
        # A line that renders to the same bytes holds nothing that was not written.
        is_unchanged = render_line(exchange) == raw
    except ValidationError as error:
        raise EvidenceError(problems_of(error, path, {(): line})) from None
    except (ValueError, RecursionError):
        raise EvidenceError([Problem(path, line, "", "no JSON", "a recorded exchange")]) from None
    if not is_unchanged:
        raise EvidenceError([Problem(path, line, "", "changed content", "an unchanged exchange")])
    return exchange


def parse_head(raw: bytes) -> LineHead:
    """Return the fields of a line; raise ValueError if it is not an exchange. No body is parsed."""
    return LineHead.model_validate(json.loads(raw.partition(_BODY)[0] + b"}"))


def _build_exchange(path: str, line: int, raw: bytes) -> Exchange:
    head = parse_head(raw)
    body = raw.partition(_BODY)[2].removesuffix(_END).decode("ascii")
    return Exchange(
        path=path,
        address=head.address,
        started=head.started,
        ended=head.ended,
        status=head.status,
        headers=head.headers,
        value=parse_body(body) if head.json_ else None,
        text=None if head.json_ else _parse_text(body),
        redactions=head.redactions,
        failure=head.failure,
        body=body,
        line=line,
    )


def _parse_text(body: str) -> str:
    text = json.loads(body)
    if not isinstance(text, str) or compact_json(text) != body:
        raise ValueError
    return text


def hash_of(exchange: Exchange) -> str:
    """Return the SHA-256 of the line, or of the file, in which an exchange is recorded."""
    raw = render_line(exchange) if exchange.line else render_exchange(exchange)
    return hashlib.sha256(raw).hexdigest()
