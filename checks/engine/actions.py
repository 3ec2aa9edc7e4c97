"""Actions: what resolves a finding, as data from which its sentence is made."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from checks.engine.identity import cached_escape


class ActionKind(NamedTuple):
    """A kind of step.

    Attributes:
        code: what is done, ``register-key``.
        sentence: what is done, for people and without a full stop; values are in braces.
        sentence_for_all: the same for all databases of an action together, whose number, names and
            pronoun are ``databases``, ``names`` and ``their``; empty if the first sentence serves.
    """

    code: str
    sentence: str
    sentence_for_all: str = ""

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
