"""A finding, read back from its line in ``findings.ndjson``."""

from __future__ import annotations

import json
from operator import attrgetter
from typing import Annotated

from pydantic import ConfigDict, Field, ValidationError

from checks.engine.card import Severity
from checks.engine.finding import Change, Finding, Kind, RestsOn, Status, Subject
from checks.engine.identity import finding_id
from inventory.errors import RecordError
from reports.record.layout import SCHEMA
from reports.record.reader import RecordPart, first_problem

_Time = Annotated[str, Field(pattern=r"^([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]{8,15}Z)?$")]


class _Line(RecordPart):
    model_config = ConfigDict(frozen=True, strict=True)


class _Subject(_Line):
    kind: Kind
    path: str
    organization: str
    type: str = ""
    provider: str = ""
    region: str = ""
    database: str = ""
    key: str = ""


class _Finding(_Line):
    id: str
    status: Status
    rule: str
    severity: Severity
    subject: _Subject
    cause: str = ""
    message: str
    reason: str = ""
    action: str = ""
    action_id: str = ""
    name: str = ""
    databases: int = 0
    existing: int = 0
    waiver: str = ""
    change: Change = ""
    since: _Time = ""
    audits: Annotated[int, Field(ge=0)] = 0
    rests_on: RestsOn = ""


_subject = attrgetter(*Subject._fields)
_before = attrgetter("status", "rule", "severity")
_after = attrgetter(
    "cause", "message", "reason", "action", "action_id", "name", "databases", "existing"
)
_last = attrgetter("waiver", "change", "since", "audits")


def decode_finding(line: bytes, where: str) -> Finding:
    """Return the finding that was written as ``line``, without its evidence.

    Raises RecordError, which names ``where`` the line is, if it is no finding.
    """
    try:
        read = _Finding.model_validate(json.loads(line))
    except ValidationError as error:
        raise _refused(where, first_problem(error)) from None
    except (ValueError, RecursionError):
        raise _refused(where, "found no JSON") from None
    subject = Subject(*_subject(read.subject))
    if finding_id(read.rule, subject.path, read.cause) != read.id:
        raise _refused(where, "id: not the hash of rule, subject and cause")
    end = (*_last(read), (), read.rests_on)
    return Finding._make((*_before(read), subject, *_after(read), (), *end))


def _refused(where: str, why: str) -> RecordError:
    return RecordError(f"{where}: no finding of the format {SCHEMA}: {why}")
