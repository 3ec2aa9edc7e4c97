"""Actions: what resolves a finding, as data from which its sentence is made."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple

from checks.engine.identity import cached_escape, unescape

KindPurpose = Literal["repair", "prove"]
"""Whether a step changes what does not comply, or brings a fact that is missing."""

Purpose = Literal["prevent", "repair", "prove"]
"""The same of one action: a repair in time, before a database or a key exists, prevents."""

PURPOSES: tuple[Purpose, ...] = ("prevent", "repair", "prove")
"""All purposes, in the order in which actions of one severity are listed."""

Who = Literal["we", "cloud administrators", "IBM Support"]
"""Who must act: the team that owns the organization and its Terraform, or somebody else."""


class ActionKind(NamedTuple):
    """A kind of step.

    Attributes:
        code: what is done, ``register-key``.
        sentence: what is done, for people and without a full stop; values are in braces.
        purpose: whether it repairs or proves.
        who: who must act.
        steps: what exactly to do, in the order in which it is done.
        sentence_for_all: the same for all databases of an action together, whose number, names and
            pronoun are ``databases``, ``names`` and ``their``; empty if the first sentence serves.
        sentence_for_several: the same for several actions of one organization, whose number and
            key scopes are ``number`` and ``scopes``, and whose organization is ``name``; empty if
            there is only one or if ``sentence_for_all`` serves.
        after: the code of what has to be done first in the same key scope; empty if nothing.
    """

    code: str
    sentence: str
    purpose: KindPurpose
    who: Who
    steps: tuple[str, ...]
    sentence_for_all: str = ""
    sentence_for_several: str = ""
    after: str = ""

    def on(self, *target: str, **values: str) -> Action:
        """Return the step for ``target``, with the ``values`` that its sentence shows."""
        return Action(self, target, values)


class Action(NamedTuple):
    """One step; findings with the same step are resolved together.

    Attributes:
        kind: what is done.
        target: what it is done to, part by part and without the organization.
        values: what the sentence shows; they are no part of the identity.
    """

    kind: ActionKind
    target: tuple[str, ...]
    values: Mapping[str, str]

    def id_in(self, organization: str) -> str:
        """Return the id of the step in ``organization``, or across all if that is empty.

        It is the code with a path: ``register-key:acme-prod/serverless/aws/us-east-2``.
        """
        # Many findings ask for a step in the same few organizations and regions.
        owner = cached_escape(organization) or "."
        return f"{self.kind.code}:{'/'.join([owner, *map(cached_escape, self.target)])}"

    @property
    def sentence(self) -> str:
        """Return what to do, in words."""
        return self.kind.sentence.format_map(self.values)


def code_of(action_id: str) -> str:
    """Return what is done by the action with that id."""
    return action_id.partition(":")[0]


def target_of(action_id: str) -> tuple[str, ...]:
    """Return what the action with that id is done to, part by part, without the organization."""
    _, *target = action_id.partition(":")[2].split("/")
    return tuple(map(unescape, target))
