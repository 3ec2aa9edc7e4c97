"""Databases that pass in the same words."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.check_key_before_deployment import _judge_deployment, _know, judge
from checks.engine.context import Context, utc
from checks.engine.pass_series import PassSeries, one_by_one
from checks.shared.direct_evidence import NOTHING
from inventory.history import History, read_history
from inventory.index.organization_index import index_organization
from tests.builders import (
    AS_OF,
    CAPTURED_AT,
    a_database,
    a_key,
    a_planned_database,
    an_organization,
    aws_key_id,
    document_data,
    moment,
    organization_data,
    uuid,
    write_yaml,
)
from tests.checks.strategies import CASES, KEYS, databases
from tests.hypothesis_profile import examples

BOUNDS = [
    CAPTURED_AT,
    *map(moment, ("2026-03-01T00:00:00Z", "2026-05-01T00:00:00Z", "2026-06-01T00:00:00Z")),
]
TIMES = st.builds(
    lambda bound, seconds: utc(bound + timedelta(seconds=seconds)),
    st.sampled_from(BOUNDS),
    st.integers(-2, 2),
)


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> History:
    """Provide earlier records in which a key comes, goes and is replaced."""
    folder = tmp_path_factory.mktemp("history")
    files = []
    for day, keys in (("2026-03-01", []), ("2026-05-01", [2]), ("2026-06-01", [1])):
        data: Any = organization_data(id=uuid(1))
        place = {"type": "serverless", "provider": "aws", "region": "us-east-1"}
        data["keys"] = [place | {"key_id": aws_key_id(number=number)} for number in keys]
        document = document_data(data, captured_at=f"{day}T00:00:00Z")
        files.append(write_yaml(folder / f"{day}.yaml", document))
    return read_history(files)


def many(times: list[str]) -> list[Any]:
    """Make databases of one key scope, deployed at ``times``; every seventh is only planned."""
    made = []
    for number, time in enumerate(times):
        if number % 7 == 6:
            made.append(a_planned_database(name=f"planned-{number}"))
        else:
            regions = [{"name": "us-east-1", "added_at": time}]
            database = a_database(id=uuid(100 + number), name=f"orders-{number}", regions=regions)
            made.append(database.at("acme.ndjson", number))
    return made


@examples(200)
@given(
    keys=KEYS,
    cases=CASES,
    drawn=databases(),
    times=st.lists(TIMES, max_size=20),
    is_known=st.booleans(),
)
def test_a_database_is_found_the_same_in_a_series_and_on_its_own(
    history: History,
    keys: object,
    cases: object,
    drawn: list[object],
    times: list[str],
    *,
    is_known: bool,
) -> None:
    """Whatever times are compared, sharing a pass changes neither a word nor the order."""
    organization = an_organization(
        id=uuid(1), keys=keys, support_cases=cases, databases=[*drawn, *many(times)]
    )
    context = Context(AS_OF, history=history if is_known else History())
    index = index_organization(organization)
    alone = []
    for scope, deployments in index.scopes.items():
        known = _know(index, context, scope)
        shown = known.direct or [NOTHING] * len(deployments)
        alone += [
            _judge_deployment(index, known, deployment, direct)
            for deployment, direct in zip(deployments, shown, strict=True)
        ]
    assert list(one_by_one(judge(index, context))) == alone


def test_databases_after_their_key_are_one_series() -> None:
    """All databases of a key scope that pass for one reason are found together."""
    registered = {"at": "2026-01-01T00:00:00Z", "by": "acme-security", "on": "2026-01-01"}
    times = ["2026-02-01T00:00:00Z", "2026-03-01T00:00:00Z", "2026-04-01T00:00:00Z"]
    organization = an_organization(keys=[a_key(registered=registered)], databases=many(times))
    (series,) = judge(index_organization(organization), Context(AS_OF))
    assert isinstance(series, PassSeries)
    assert (list(series.ids), list(series.times)) == ([uuid(100), uuid(101), uuid(102)], times)
    assert series.before == (
        "Key registered 2026-01-01T00:00:00Z, attested by acme-security; database deployed "
    )


def test_what_is_no_shared_pass_parts_a_series() -> None:
    """A database that is judged on its own stays in its place between two series."""
    registered = {"at": "2026-02-01T00:00:00Z", "by": "acme-security", "on": "2026-02-01"}
    later = ["2026-03-01T00:00:00Z", "2026-04-01T00:00:00Z"]
    times = [*later, "2026-01-01T00:00:00Z", *later]
    organization = an_organization(keys=[a_key(registered=registered)], databases=many(times))
    found = list(judge(index_organization(organization), Context(AS_OF)))
    assert [isinstance(entry, PassSeries) for entry in found] == [True, False, True]
    statuses = [finding.status for finding in one_by_one(found)]
    assert statuses == ["pass", "pass", "fail", "pass", "pass"]
