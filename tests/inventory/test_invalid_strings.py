"""No text that Astra may send breaks the audit, in whichever field of which answer it stands."""

from __future__ import annotations

from operator import itemgetter
from typing import TYPE_CHECKING, Any

import pytest

from inventory.astra.replay import replay
from inventory.evidence.reader import open_bundle
from tests.builders import ORGANIZATION
from tests.covering import marked, pairwise
from tests.inventory.live import (
    FIRST_PAGE,
    Astra,
    answer,
    configured,
    listed_database,
    listed_key,
    write_bundle,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    import httpx

    from inventory.model.organization import Organization

REGION = "/v2/kms/provider/aws/region/us-east-1"
BODIES: dict[str, Any] = {
    "/v2/currentOrg": {"id": ORGANIZATION, "name": "Acme"},
    "/v2/kms": [listed_key()],
    "/v2/kms/classic": [listed_key("eu-west-1")],
    FIRST_PAGE: [listed_database(1), listed_database(2)],
    REGION: {"orgId": ORGANIZATION, "aws": {"keyID": "arn:aws:kms:a", "region": "us-east-1"}},
    f"{REGION}/accounts": [
        {"organization_id": ORGANIZATION, "provider_id": "vendor", "provider": "aws"}
    ],
}
HALF, NUL, ESCAPE, TURN = "\ud800", "\0", "\x1b[2J", "\u202e"
ODD = (HALF, f"{NUL}{ESCAPE}{TURN}\n", "\uffff\U0010ffff")


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:  # noqa: ANN401
    """Yield where texts stand in a body; a name of a field is marked by a last ``None``."""
    if isinstance(value, dict):
        for name, part in value.items():
            yield (*path, name, None)
            yield from places(part, (*path, name))
    elif isinstance(value, list):
        for index, part in enumerate(value):
            yield from places(part, (*path, index))
    elif isinstance(value, str):
        yield path


def changed(value: Any, path: tuple[Any, ...], change: Callable[[str], str]) -> Any:  # noqa: ANN401
    """Return ``value`` with the text at ``path`` changed."""
    if not path:
        return change(value)
    first, *rest = path
    if rest == [None]:
        return {change(name) if name == first else name: part for name, part in value.items()}
    inner = changed(value[first], tuple(rest), change)
    if isinstance(value, dict):
        return value | {first: inner}
    return [inner if index == first else part for index, part in enumerate(value)]


def recorded(folder: Path, *others: dict[str, httpx.Response]) -> Iterator[Organization]:
    """Record the organization with each of these ``others`` in its answers, and play it again."""
    for number, other in enumerate(others):
        astra = Astra(
            serverless=BODIES["/v2/kms"],
            classic=BODIES["/v2/kms/classic"],
            databases=BODIES[FIRST_PAGE],
            other=other,
        )
        bundle = write_bundle(folder / f"{number}", (configured(), astra))
        assert replay(bundle).manifest.organizations == 1
        yield from open_bundle(bundle).organizations()


CELLS = [
    (address, place)
    for address, body in BODIES.items()
    for place in places(body)
    if place[0] != 1  # the second entry of a list is like the first one
]
IDENTIFYING = {
    *("id", "KeyID", "Region", "CloudProvider", "OrganizationID", "keyID", "provider_id"),
    *("provider", "orgId", "organization_id"),
}
"""Fields without which there is no fact, but a gap."""
ERRORS = [(address, status) for address in BODIES for status in (200, 400, 404, 503)]
TYPICAL = {
    *pairwise(CELLS, itemgetter(0), lambda cell: cell[1][-1] is None),
    *pairwise(CELLS, lambda cell: cell[1][-1] in IDENTIFYING),
    *pairwise(ERRORS, itemgetter(0)),
    *pairwise(ERRORS, itemgetter(1)),
}
"""A name and a text of each address, and each address and status of errors; others are slow."""


@pytest.mark.parametrize(("address", "place"), marked(CELLS, TYPICAL))
def test_texts_at_every_place(address: str, place: tuple[Any, ...], tmp_path: Path) -> None:
    """An odd text is taken as it is or becomes a gap; no fact has half a character in it."""
    changes: list[Callable[[str], str]] = [
        *(lambda text, odd=odd: text + odd for odd in ODD),
        *(lambda _, odd=odd: odd for odd in ODD),
    ]
    others = [{address: answer(changed(BODIES[address], place, change))} for change in changes]
    for number, organization in enumerate(recorded(tmp_path, *others)):
        facts = organization.model_dump_json(exclude={"gaps", "readings"})
        assert "\\ud" not in facts.lower()
        assert organization.gaps or number % len(ODD) or place[-1] not in IDENTIFYING


@pytest.mark.parametrize(("address", "status"), marked(ERRORS, TYPICAL))
def test_texts_of_errors(address: str, status: int, tmp_path: Path) -> None:
    """An odd text in an error's message, in its fields or in a header is reported visibly."""
    bodies = [
        body
        for odd in ODD
        for body in (
            {"errors": [{"ID": 340002, "message": f"no {odd}"}]},
            {"errors": [{f"message{odd}": odd}], odd: odd},
            *(odd, [odd], {odd: {odd: [odd]}}),
        )
    ]
    others = [{address: answer(body, status, retry_after="0")} for body in bodies]
    for other in others:
        other[address].headers.raw.append((b"x-request-id", b"\xfc\x7f"))
    for organization in recorded(tmp_path, *others):
        shown = "".join(gap.detail for gap in organization.gaps)
        assert shown.isascii()
        assert shown.isprintable()
