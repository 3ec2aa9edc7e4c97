"""Organizations, their policies and their gaps."""

from __future__ import annotations

from inventory.model.database import Database
from inventory.model.gaps import Gap, Reading
from inventory.model.organization import Expectation, Organization, Policy
from tests.builders import (
    AS_OF,
    CAPTURED_AT,
    a_planned_database,
    an_organization,
)
from tests.inventory.model.refusals import DATABASE, refusal


def test_astra_provided_without_reason() -> None:
    """Astra's own keys are meant only with a reason, for a database and in a policy."""
    meant = {"encryption": "astra-provided"}
    text = "a reason with encryption: astra-provided"
    assert refusal(Database, DATABASE | meant) == ((), text)
    assert refusal(Expectation, meant) == ((), text)
    assert refusal(Expectation, meant | {"reason": " "})[0] == ("reason",)
    reason = meant | {"reason": "holds public data only"}
    assert Database.model_validate(DATABASE | reason).reason == "holds public data only"
    assert Expectation.model_validate(reason).reason == "holds public data only"


def test_default_policy() -> None:
    """Customer keys are expected of every database unless the policy says otherwise."""
    policy = an_organization().policy
    assert policy == Policy()
    assert policy.default == Expectation(encryption="customer-managed")
    assert policy.types == {}


def test_policy_in_two_spellings() -> None:
    """A policy speaks of each database type at most once, whatever it is called."""
    wanted = {"encryption": "customer-managed"}
    twice = {"types": {"classic": wanted, "Managed Clusters": wanted}}
    assert refusal(Policy, twice) == (("types",), "each database type at most once")
    assert refusal(Policy, {"types": ["classic"]})[0] == ("types",)
    assert set(Policy.model_validate({"types": {"Classic": wanted}}).types) == {"managed-clusters"}


def test_missing_lists() -> None:
    """A list that was not recorded is a gap, and an empty one is none."""
    bare = Organization.model_validate({"id": "acme", "name": "acme"})
    assert [(gap.fact, gap.reason) for gap in bare.missing()] == [
        ("serverless-keys", "not-recorded"),
        ("managed-clusters-keys", "not-recorded"),
        ("databases", "not-recorded"),
    ]
    assert an_organization(keys=[], databases=[]).missing() == ()
    refused = Gap(fact="region-views", reason="refused", detail="HTTP 403")
    assert an_organization(gaps=[refused], keys=None).missing()[0] == refused


def test_builders() -> None:
    """The organization that the tests build on is whole, fresh, and at a paid plan."""
    organization = an_organization()
    assert organization.missing() == ()
    assert organization.captured_at == CAPTURED_AT < AS_OF
    assert organization.plan is not None
    assert organization.plan.paid
    assert organization.plan.is_current(AS_OF)
    assert a_planned_database().is_planned


def test_readings_of_clouds_are_none_of_astra() -> None:
    """Whether Astra was asked does not follow from what was read from a cloud."""
    readings = [
        Reading(fact=fact, address="/", requests=1, answers={})
        for fact in ("identity", "aws-keys", "databases", "gcp-keys", "azure-keys")
    ]
    whole = an_organization(readings=readings)
    assert [reading.fact for reading in whole.readings_of_astra] == ["identity", "databases"]
    assert an_organization(readings=readings[1:2]).readings_of_astra == ()
