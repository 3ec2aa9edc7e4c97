"""Reads documents of OSCAL back: by NIST's schemas, and by what no schema finds."""

from __future__ import annotations

import json
import re
from collections import Counter
from functools import cache, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jsonschema import Draft7Validator, ValidationError
from jsonschema.validators import extend
from regress import Regex

from inventory.text.deceptive_text import deceptive_positions

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from jsonschema.protocols import Validator

    Json = dict[str, Any]

SCHEMAS = Path(__file__).parent / "schemas"
RISK_STATUSES = {"open", "deviation-requested", "deviation-approved"}
"""Those of OSCAL that an audit gives; the schema takes any word."""

METHODS = {"EXAMINE", "INTERVIEW", "TEST"}
TYPES = {"control-objective", "discovery", "finding", "historic", "mitigation"}
TIMES = {"collected", "deadline", "end", "expires", "last-modified", "start"}
MARKUP = {"description", "remarks", "statement", "title"}
_UNSAFE = re.compile(r"[<>\[\]*_@#|\\~$&{}=+]|://|www\.")
_CODE = re.compile(r"`[^`]*`|(?m:^)[0-9]+\\[.)]")
"""What is safe: code, and a number that begins no list."""


@cache
def _regex(pattern: str) -> Regex:
    return Regex(pattern, "u")


@lru_cache(maxsize=100_000)  # the same UUIDs and words come again and again
def _matches(pattern: str, text: str) -> bool:
    return _regex(pattern).find(text) is not None


def _pattern(
    checked: Validator, pattern: str, instance: object, schema: Json
) -> Iterator[ValidationError]:
    """Check a pattern as JavaScript does: Python has no classes of characters such as letters."""
    if isinstance(instance, str) and not _matches(pattern, instance):
        yield ValidationError(f"{instance!r} does not match {pattern!r}")


@cache
def validator(name: str) -> Validator:
    """Return the validator of a document, ``assessment-results`` or ``poam``."""
    schema = json.loads((SCHEMAS / f"oscal-{name}-1.2.3.json").read_bytes())
    made: Validator = extend(Draft7Validator, {"pattern": _pattern})(schema)  # type: ignore[no-untyped-call]
    return made


def read_results(text: str) -> Json:
    """Return the assessment results in ``text``, which must be valid and sound."""
    return _read(text, "assessment-results", "assessment-results")


def read_result(text: str) -> Json:
    """Return the one result of the assessment results in ``text``."""
    (result,) = read_results(text)["results"]
    return dict(result)


def read_plan(text: str) -> Json:
    """Return the plan of action and milestones in ``text``, which must be valid and sound."""
    return _read(text, "poam", "plan-of-action-and-milestones")


def _read(text: str, schema: str, root: str) -> Json:
    data = json.loads(text)
    assert text.isascii()
    errors = [error.message for error in validator(schema).iter_errors(data)]
    assert not errors, errors
    document = dict(data[root])
    found = problems(document)
    assert not found, found
    return document


def objects(data: object) -> Iterator[Json]:
    """Yield every object in ``data``, at any depth."""
    if isinstance(data, dict):
        yield data
        for member in data.values():
            yield from objects(member)
    elif isinstance(data, list):
        for item in data:
            yield from objects(item)


def problems(document: Json) -> list[str]:
    """Return what is wrong in a document that a schema takes."""
    return [*_identities(document), *_words(document), *_texts(document)]


def _identities(document: Json) -> Iterator[str]:
    everything = list(objects(document))
    declared = Counter(item["uuid"] for item in everything if "uuid" in item)
    yield from (f"{uuid} twice" for uuid, count in declared.items() if count > 1)
    roles = {role["id"] for role in document["metadata"].get("roles", [])}
    for item in everything:
        for name, field in item.items():
            if name.endswith("-uuid") and field not in declared:
                yield f"{name} is dangling"
            if name == "href" and field[:1] == "#" and field[1:] not in declared:
                yield f"{name} is dangling"
            if name == "role-id" and field not in roles:
                yield f"no role {field}"


def _words(document: Json) -> Iterator[str]:
    for item in objects(document):
        if {"statement", "status"} <= item.keys() and item["status"] not in RISK_STATUSES:
            yield f"risk {item['status']}"
        yield from (f"method {word}" for word in {*item.get("methods", ())} - METHODS)
        yield from (f"type {word}" for word in {*item.get("types", ())} - TYPES)
        if item.get("status-change", "open") not in RISK_STATUSES:
            yield f"change {item['status-change']}"


def _texts(document: Json) -> Iterator[str]:
    for item in objects(document):
        for name, field in item.items():
            if field in ("", [], {}, None):
                yield f"{name} is empty"
            if name in TIMES and not field.endswith("Z"):
                yield f"{name} has no zone"
            if isinstance(field, str):
                yield from _text(name, field)


def _text(name: str, text: str) -> Iterator[str]:
    allowed = {position for position, sign in enumerate(text) if sign == "\n"}
    if set(deceptive_positions(text)) - (allowed if name in MARKUP - {"title"} else set()):
        yield f"{name} deceives"
    if name in MARKUP and _UNSAFE.search(_CODE.sub("", text)):
        yield f"{name} is markup: {text}"


def property_of(item: Json, name: str) -> str | None:
    """Return the value of the property ``name``; None if it is missing."""
    values = [prop["value"] for prop in item.get("props", ()) if prop["name"] == name]
    return str(values[0]) if values else None


def by_finding(items: Iterable[Json]) -> dict[str, Json]:
    """Return those of ``items`` that are about a finding, by its id."""
    named = ((property_of(item, "finding"), item) for item in items)
    return {finding: item for finding, item in named if finding}


def without_twins(findings: bytes) -> list[bytes]:
    """Return the lines of ``findings``, each finding once: made-up records may repeat one."""
    lines = findings.splitlines(keepends=True)
    return list({json.loads(line)["id"]: line for line in lines}.values())
