"""Reason codes, kept as data: what each means, who has to act, and what to do about a gap."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from checks.engine.actions import ActionKind
from checks.engine.identity import cause_of
from inventory.errors import InventoryError
from inventory.files.documents import read_document
from inventory.files.validation import problems_of
from inventory.files.yaml_json import raw_bytes
from inventory.model.base import FormatVersion
from inventory.model.gaps import Fact

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from checks.engine.actions import Action
    from inventory.model.gaps import Gap
    from inventory.model.organization import Organization

DEFAULT = Path(__file__).parents[1] / "reasons.yaml"


class _Data(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class GapStep(_Data):
    """What to do about a gap of one organization.

    Attributes:
        code: the code of the action; reasons with the same code ask for the same step.
        sentence: the step, with ``{name}`` of the organization and maybe ``{permission}``.
        steps: what exactly to do, in the order in which it is done.
    """

    code: str
    sentence: str
    steps: Annotated[tuple[str, ...], Field(min_length=1)]

    @property
    def kind(self) -> ActionKind:
        """Return the kind of step: whoever reads the organization brings a fact that is missing."""
        return ActionKind(self.code, self.sentence, purpose="prove", who="we", steps=self.steps)


class Reason(_Data):
    """What a reason code means.

    Attributes:
        meaning: why a subject was not judged, in a sentence.
        who: who has to act; empty if nobody has to.
        step: what to do, where the gaps of an organization do not say it more precisely.
        action: what to do about a gap with this code; None if a gap cannot have it.
    """

    meaning: str
    who: str = ""
    step: str = ""
    action: GapStep | None = None


class Reasons(_Data):
    """The whole file.

    Attributes:
        version: of the format of the file.
        permissions: the permission that reading each fact takes, as far as is known.
        reasons: what each code means.
    """

    version: Annotated[FormatVersion, Field(alias="cmek-reasons")]
    permissions: dict[Fact, str]
    reasons: dict[str, Reason]


def read_reasons(path: Path = DEFAULT) -> Reasons:
    """Read a file of reason codes; raise InventoryError with all its problems."""
    file = str(path)
    document = read_document(file, raw_bytes(file))
    if document.problems:
        raise InventoryError(document.problems)
    try:
        return Reasons.model_validate(document.data)
    except ValidationError as error:
        raise InventoryError(problems_of(error, file, document.lines, model=Reasons)) from None


@cache
def load_reasons() -> Reasons:
    """Return the bundled reason codes; they are read when the first is asked for."""
    return read_reasons()


def reasons() -> Mapping[str, Reason]:
    """Return what each reason code means."""
    return load_reasons().reasons


def permissions_for(facts: Iterable[Fact]) -> str:
    """Return the permissions that reading ``facts`` takes, each once."""
    known = load_reasons().permissions
    return " and ".join(dict.fromkeys(known[fact] for fact in facts))


def step_for(reason: Reason, name: str, facts: Iterable[Fact]) -> str:
    """Return what to do in the organization ``name``, whose gaps of ``reason`` are in ``facts``."""
    if reason.action is None:
        return reason.step
    return reason.action.sentence.format(name=name, permission=permissions_for(facts))


def recollect_action(organization: Organization) -> Action:
    """Return the step that a new record resolves the finding."""
    return _action("not-recorded", organization)


def cause_of_gap(gap: Gap) -> str:
    """Return the cause of a finding that ``gap`` keeps from being judged: ``refused:databases``."""
    return cause_of(gap.reason, gap.fact)


def gap_action(gap: Gap, organization: Organization) -> Action:
    """Return what resolves ``gap``; the same for all rules, so that it is one action."""
    return _action(gap.reason, organization, gap.fact)


def _action(code: str, organization: Organization, *facts: Fact) -> Action:
    step = reasons()[code].action
    if step is None:
        raise ValueError(f"no gap has the reason {code!r}")
    permission = permissions_for(facts) if "{permission}" in step.sentence else ""
    target = (permission.partition(" ")[0],) if permission else ()
    return step.kind.on(*target, name=organization.name, permission=permission)
