"""One request and its answer as one line of a file: its fields first, the body last."""

from __future__ import annotations

import hashlib
import json
from typing import Annotated, Literal

from pydantic import Field

from inventory.evidence.exchange import Exchange, ExchangeFields, read_back, render_exchange
from inventory.evidence.redaction import parse_body
from inventory.text.canonical_json import compact_json, format_timestamp

_VERSION = 2
_BODY = b',"body":'
"""What is between the fields and the body. Within a text of a field its quotes are escaped."""

_END = b"}\n"


class LineHead(ExchangeFields):
    """The fields of an exchange's line, without the body."""

    format: Annotated[Literal[2], Field(alias="cmek-exchange")]


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

    def build() -> Exchange:
        head = parse_head(raw)
        body = raw.partition(_BODY)[2].removesuffix(_END).decode("ascii")
        value, text = (parse_body(body), None) if head.json_ else (None, _parse_text(body))
        return head.exchange(path, value, text, body=body, line=line)

    return read_back(path, raw, build, render_line, line)


def parse_head(raw: bytes) -> LineHead:
    """Return the fields of a line; raise ValueError if it is not an exchange. No body is parsed."""
    return LineHead.model_validate(json.loads(raw.partition(_BODY)[0] + b"}"))


def _parse_text(body: str) -> str:
    text = json.loads(body)
    if not isinstance(text, str) or compact_json(text) != body:
        raise ValueError
    return text


def hash_of(exchange: Exchange) -> str:
    """Return the SHA-256 of the line, or of the file, in which an exchange is recorded."""
    raw = render_line(exchange) if exchange.line else render_exchange(exchange)
    return hashlib.sha256(raw).hexdigest()
