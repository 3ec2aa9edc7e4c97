"""What the readers of all clouds share: strict reading, and gaps instead of guesses."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory.clouds.answers import KeyReading, json_object, member
from inventory.clouds.requests import CloudRequest
from inventory.errors import UnansweredError
from inventory.model.kms import KmsGap
from tests.builders import aws_key_id
from tests.inventory.clouds.scripted import ScriptedTransport, a_client, answer
from tests.inventory.live import an_exchange

KEY = CloudRequest("aws", "kms.us-east-1.amazonaws.com", "DescribeKey")


@pytest.mark.parametrize(
    ("over", "detail"),
    [
        ({"status": 204, "value": {}}, "answered 204, expected 200"),
        ({"value": None, "text": "<html>"}, "found no complete JSON, expected a JSON object"),
        ({"value": [1]}, "found a list of 1, expected a JSON object"),
        ({"value": None}, "found nothing, expected a JSON object"),
    ],
)
def test_answer_is_a_json_object(over: dict[str, object], detail: str) -> None:
    """Only a JSON object with status 200 is an answer."""
    with pytest.raises(UnansweredError) as caught:
        json_object(an_exchange(over.pop("value"), **over))
    assert (caught.value.reason, caught.value.detail) == ("malformed", detail)
    assert json_object(an_exchange({"a": 1})) == {"a": 1}


@pytest.mark.parametrize(
    ("value", "kind", "expected"),
    [
        (7, str, "a text"),
        ("true", bool, "true or false"),
        (1, bool, "true or false"),
        (True, int, "a number"),
        (None, list, "a list"),
        ([], dict, "an object"),
    ],
)
def test_member_of_another_type_is_refused(value: object, kind: type, expected: str) -> None:
    """A member of another type than expected is never converted."""
    with pytest.raises(UnansweredError, match=f"a: found .*, expected {expected}"):
        member({"a": value}, "a", kind)


@given(st.one_of(st.text(), st.booleans(), st.integers(), st.lists(st.none()), st.just({})))
def test_member_is_returned_as_it_is(value: object) -> None:
    """A member of the expected type is returned; a missing one is none, not an empty one."""
    assert member({"a": value}, "a", type(value)) is value
    with pytest.raises(UnansweredError, match="b: found nothing, expected"):
        member({"a": value}, "b", type(value))


def test_facts_gaps_and_places_are_gathered() -> None:
    """A key has the facts that were read, where each was read, and what could not be read."""
    transport = ScriptedTransport({"DescribeKey": [answer({})]})
    client = a_client(transport)
    exchange = client.get(KEY, lambda got: got)
    reading = KeyReading(aws_key_id())
    reading.note("key", exchange)
    reading.note("key", exchange._replace(line=9))
    reading.add(enabled=True, region=None)

    def fail() -> None:
        raise UnansweredError("refused", "no")

    assert reading.attempt("policy", "kms:GetKeyPolicy", fail) is False
    assert reading.attempt("grants", "kms:ListGrants", lambda: None) is True
    reading.miss("rotation", UnansweredError("timed-out", "late"), "kms:GetKeyRotationStatus")
    key = reading.finish(client)
    assert (key.key_id, key.requests, key.seen) == (
        aws_key_id(),
        1,
        {"key": "exchanges/0001.ndjson.gz:1"},
    )
    assert key.facts.observed_at == exchange.started
    assert (key.facts.enabled, key.facts.region) == (True, None)
    assert key.facts.unread == (
        KmsGap(fact="policy", reason="refused", detail="no", permission="kms:GetKeyPolicy"),
        KmsGap(fact="rotation", reason="timed-out", detail="late"),
    )


def test_fact_that_cannot_be_one_becomes_a_gap() -> None:
    """A fact of a form that facts cannot have is left out and reported; the others stay."""
    transport = ScriptedTransport({"DescribeKey": [answer({})]})
    client = a_client(transport)
    client.get(KEY, lambda got: got)
    reading = KeyReading(aws_key_id())
    reading.add(enabled=True, region="us east", rotation_days=-1, state=" ")
    facts = reading.finish(client).facts
    assert (facts.enabled, facts.region, facts.rotation_days, facts.state) == (
        True,
        None,
        None,
        None,
    )
    assert {gap.reason for gap in facts.unread} == {"malformed"}
    named = {gap.detail.partition(":")[0] for gap in facts.unread}
    assert named == {"region", "rotation_days", "state"}


def test_fact_that_is_wrong_in_several_parts_is_left_out() -> None:
    """A list of which several entries cannot be is left out whole, with a gap for each of them."""
    transport = ScriptedTransport({"DescribeKey": [answer({})]})
    client = a_client(transport)
    client.get(KEY, lambda got: got)
    reading = KeyReading(aws_key_id())
    reading.add(aliases=("alias/acme", "a b", "c d"))
    facts = reading.finish(client).facts
    assert facts.aliases is None
    named = [gap.detail.partition(":")[0] for gap in facts.unread]
    assert named == ["aliases[1]", "aliases[2]"]
