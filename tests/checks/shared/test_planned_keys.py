"""What the rules say of keys that a plan would register, replace or remove."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from checks.shared.remedies import HIDDEN
from inventory.model.gaps import Gap
from inventory.model.organization import Organization
from inventory.model.planned_keys import PlannedKey, UndeterminedKey
from inventory.model.terraform_managed import ManagedResources
from tests.builders import (
    ORGANIZATION,
    OTHER_ORGANIZATION,
    a_database,
    a_key,
    a_planned_database,
    an_organization,
    aws_key_id,
    azure_key_id,
    gcp_key_id,
)
from tests.checks.judging import RULES, judged, judged_once, statuses

if TYPE_CHECKING:
    from checks.engine.finding import Finding

OLD, NEW, OTHER = (aws_key_id(number=number) for number in (1, 2, 3))
ALIAS = "arn:aws:kms:us-east-1:111122223333:alias/acme"
ADDRESS = "astra_customer_key.orders"
PLACE = ("main.tf", 7, ADDRESS)
UNREAD = [
    Gap(fact=fact, reason="refused", detail="403")
    for fact in ("serverless-keys", "managed-clusters-keys")
]


def planned(key_id: str | None = NEW, **over: object) -> PlannedKey:
    """Make a planned key for serverless/aws/us-east-1."""
    missing = "" if key_id else "known only after apply"
    data = {"type": "serverless", "provider": "aws", "region": "us-east-1", "key_id": key_id}
    return PlannedKey.model_validate(data | {"missing": missing} | over).at(*PLACE)


def planning(*keys: PlannedKey | UndeterminedKey, **over: object) -> Organization:
    """Make an organization with one registered key and one database, and plan ``keys``."""
    managed = ManagedResources(
        planned_keys=tuple(key for key in keys if isinstance(key, PlannedKey)),
        undetermined_keys=tuple(key for key in keys if isinstance(key, UndeterminedKey)),
    )
    return an_organization(**over).with_managed(managed)


def bare(*keys: PlannedKey | UndeterminedKey, **over: object) -> Organization:
    """Make an organization without key or database, and plan ``keys``."""
    return planning(*keys, **{"keys": [], "databases": []} | over)


def of_plan(rule: str, *organizations: Organization) -> list[Finding]:
    """Return the findings of a rule about planned keys."""
    return [
        finding for finding in judged(rule, *organizations) if finding.subject.kind == "planned-key"
    ]


def one(rule: str, *organizations: Organization) -> Finding:
    """Return the only finding of a rule about planned keys."""
    (finding,) = of_plan(rule, *organizations)
    return finding


# --- what all findings about planned keys have in common ------------------------------------------


@pytest.mark.parametrize("rule", ["CMEK-02", "CMEK-07"])
def test_a_planned_key_in_order_passes(rule: str) -> None:
    """A planned key of its own scope, with an id of that place, complies."""
    finding = one(rule, bare(planned()))
    assert (finding.status, finding.cause, finding.name) == ("pass", "", ADDRESS)
    assert finding.evidence == (PLACE,)
    assert finding.subject.path == f"{ORGANIZATION}/key/serverless/aws/us-east-1/{_escaped(NEW)}"


def _escaped(key_id: str) -> str:
    return key_id.replace(":", ".3a").replace("/", ".2f")


def test_a_planned_failure_can_be_prevented() -> None:
    """A failure of a planned key has a cause of its own, and the severity of what is planned."""
    finding = one("CMEK-07", bare(planned(gcp_key_id())))
    assert (finding.status, finding.severity) == ("fail", "critical")
    assert finding.cause == "planned-other-provider"
    assert finding.action == f"Correct the id of the planned key {ADDRESS}"


def test_a_planned_key_is_the_subject_it_will_be() -> None:
    """Once a planned key is registered, its findings are about the same subject."""
    before = one("CMEK-07", bare(planned()))
    after = judged_once("CMEK-07", bare(keys=[a_key(key_id=NEW)]))
    assert (before.id, before.subject.path) == (after.id, after.subject.path)


@pytest.mark.parametrize("rule", sorted(RULES))
def test_a_planned_key_that_is_registered_changes_nothing(rule: str) -> None:
    """A plan that holds what is registered already is judged as no plan."""
    assert judged(rule, planning(planned(OLD))) == judged(rule, an_organization())


@pytest.mark.parametrize("rule", ["CMEK-01", "CMEK-03", "CMEK-05", "CMEK-09", "CMEK-11", "CMEK-12"])
def test_a_planned_key_proves_nothing(rule: str) -> None:
    """A key that is only planned is none for any rule about what is there."""
    databases = [a_database(), a_planned_database()]
    plain = an_organization(keys=[], databases=databases)
    shown = [
        finding.status
        for finding in judged(rule, planning(planned(), keys=[], databases=databases))
    ]
    assert shown == [finding.status for finding in judged(rule, plain)]


def test_databases_of_the_scope_are_concerned() -> None:
    """A finding about a planned key counts the databases of its scope, the planned ones apart."""
    databases = [a_database(), a_planned_database()]
    finding = one("CMEK-07", planning(planned(gcp_key_id()), databases=databases))
    assert (finding.databases, finding.existing) == (2, 1)


@pytest.mark.parametrize("rule", ["CMEK-02", "CMEK-07"])
def test_an_id_that_is_not_shown_is_inconclusive(rule: str) -> None:
    """A planned key whose id is known only after apply cannot be judged before."""
    finding = one(rule, bare(planned(None)))
    assert (finding.status, finding.reason) == ("inconclusive", "key-id-not-determined")
    assert finding.cause == "planned-key-id-not-determined"
    assert finding.message == f"The plan does not show the id of {ADDRESS}: known only after apply."
    assert finding.subject.path.endswith("/us-east-1/planned.20astra_customer_key.2eorders")


@pytest.mark.parametrize("rule", ["CMEK-02", "CMEK-07"])
def test_a_place_that_is_not_shown_is_inconclusive(rule: str) -> None:
    """A planned key whose region is known only after apply may be one for any scope."""
    key = UndeterminedKey(name=ADDRESS, missing="region known only after apply").at(*PLACE)
    finding = one(rule, bare(key))
    assert (finding.status, finding.reason, finding.severity) == (
        "inconclusive",
        "not-determined",
        "critical",
    )
    assert finding.message == (
        f"The plan does not show the key scope of {ADDRESS}: region known only after apply."
    )


@pytest.mark.parametrize(
    "key",
    [
        planned(None, missing="x", is_hidden=True),
        UndeterminedKey(name=ADDRESS, missing="x", is_hidden=True),
    ],
    ids=["id", "region"],
)
def test_what_is_sensitive_has_to_be_shown(key: PlannedKey | UndeterminedKey) -> None:
    """What is marked as sensitive is hidden in every plan, so the step is another one."""
    actions = {finding.action for finding in of_plan("CMEK-07", bare(key))}
    assert actions == {f"{HIDDEN}; then audit a new plan"}
    later = key.model_copy(update={"is_later": True}).at(*PLACE)
    actions = {finding.action for finding in of_plan("CMEK-07", bare(later))}
    assert actions == {f"{HIDDEN}; then audit a plan in which the rest is known, too"}


def test_a_sensitive_id_may_be_that_of_another_organization() -> None:
    """A hidden id is compared with no other organization's key, and the same step shows it."""
    finding = one("CMEK-06", bare(planned(None, is_hidden=True)), other(keys=[a_key()]))
    assert (finding.status, finding.action) == ("inconclusive", f"{HIDDEN}; then audit a new plan")


# --- 02: one key, one scope -----------------------------------------------------------------------


def test_a_second_key_for_a_scope() -> None:
    """A plan that adds a key to a scope that has another one fails, and the registered key not."""
    organization = planning(planned())
    finding = one("CMEK-02", organization)
    assert (finding.status, finding.cause) == ("fail", f"planned-rival-key:{NEW}")
    scope = "acme-prod / serverless / aws / us-east-1"
    assert finding.message == f"The plan registers a second key for {scope}, beside {OLD}."
    assert finding.action == (
        f"Remove the key for {scope} from the plan: only IBM Support can replace a registered key"
    )
    assert len(finding.evidence) == 2
    assert statuses("CMEK-02", organization) == ["fail", "pass"]


def test_two_planned_keys_for_a_scope() -> None:
    """A plan that brings two keys for one scope fails for each of them."""
    found = of_plan("CMEK-02", bare(planned(), planned(OTHER)))
    assert [(finding.status, finding.cause) for finding in found] == [
        ("fail", f"planned-rival-key:{NEW}"),
        ("fail", f"planned-rival-key:{OTHER}"),
    ]
    assert {finding.action for finding in found} == {
        "Remove all but one key for acme-prod / serverless / aws / us-east-1 from the plan"
    }


def test_a_registered_key_for_a_second_scope() -> None:
    """A plan that registers the key of one scope for another fails, for the planned one."""
    second = planned(OLD, region="eu-west-1")
    finding = one("CMEK-02", planning(second))
    assert (finding.status, finding.cause) == ("fail", "planned-serves:serverless/aws/eu-west-1")
    assert finding.message == (
        "The plan registers one key for several scopes; the others: "
        "acme-prod / serverless / aws / us-east-1."
    )


def test_one_planned_key_for_two_scopes() -> None:
    """A plan that registers one key for two scopes fails for both."""
    found = of_plan("CMEK-02", bare(planned(), planned(type="managed-clusters")))
    assert [finding.cause for finding in found] == [
        "planned-serves:serverless/aws/us-east-1",
        "planned-serves:managed-clusters/aws/us-east-1",
    ]


def test_both_faults_of_a_planned_key() -> None:
    """A planned key that is a second one, and another scope's, has two causes."""
    there = a_key(region="eu-west-1", key_id=NEW)
    found = of_plan("CMEK-02", planning(planned(), keys=[a_key(), there]))
    assert [finding.cause.partition(":")[0] for finding in found] == [
        "planned-rival-key",
        "planned-serves",
    ]


def test_a_planned_alias_is_inconclusive() -> None:
    """What an alias points to can change, also before it is registered."""
    finding = one("CMEK-02", bare(planned(ALIAS)))
    assert (finding.status, finding.cause) == ("inconclusive", "planned-alias")


def test_keys_that_were_not_read_may_be_the_planned_one() -> None:
    """A planned key serves one scope alone only as far as the keys are known."""
    finding = one("CMEK-02", bare(planned(), gaps=UNREAD))
    assert (finding.status, finding.cause) == ("inconclusive", "planned-refused:serverless-keys")
    assert finding.message == "Whether the key serves another scope is unknown: refused (403)."


def test_a_planned_google_key_may_have_another_name() -> None:
    """A planned key may be a registered one that names its project by number, and is said to."""
    number = gcp_key_id().replace("acme-prod", "123456789012")
    there = a_key(provider="gcp", region="us-east1", key_id=number, type="classic")
    key = planned(gcp_key_id(), provider="gcp", region="us-east1")
    finding = one("CMEK-02", bare(key, keys=[there]))
    assert finding.status == "pass"
    assert finding.message.endswith(
        "It may be the key that acme-prod / managed-clusters / gcp / us-east1 names by the "
        "project's number."
    )


# --- 04, 07, 08, 16 -------------------------------------------------------------------------------


def test_a_planned_key_where_there_are_none() -> None:
    """A plan that registers a key for ManagedResources Clusters on Azure fails."""
    key = planned(azure_key_id(), type="managed-clusters", provider="azure", region="westeurope")
    finding = one("CMEK-04", bare(key))
    assert (finding.status, finding.cause) == ("fail", "planned-key-registered")
    assert finding.action == f"Remove the key {azure_key_id()} from the plan"
    assert of_plan("CMEK-04", bare(planned())) == []


def test_a_planned_key_of_another_region() -> None:
    """A planned key whose ARN names another region fails, with both regions."""
    finding = one("CMEK-07", bare(planned(aws_key_id("eu-west-1"))))
    assert (finding.status, finding.cause) == ("fail", "planned-other-region")
    assert finding.message == "The id names the region eu-west-1, but the key is for us-east-1."


@pytest.mark.parametrize(
    "key",
    [planned(), planned(change="remove"), UndeterminedKey(name=ADDRESS, missing="region")],
    ids=["planned", "removed", "undetermined"],
)
def test_a_planned_key_asks_for_a_paid_plan(key: PlannedKey | UndeterminedKey) -> None:
    """An organization that is to have a customer key needs a paid plan."""
    unpaid = {"paid": False, "by": "acme-security", "on": "2026-11-01"}
    assert statuses("CMEK-08", bare(key, plan=unpaid)) == ["fail"]


def test_a_planned_key_on_azure_rests_on_the_preview() -> None:
    """A planned key for Serverless on Azure needs the preview that the vendor grants."""
    key = planned(azure_key_id(), provider="azure", region="westeurope")
    finding = one("CMEK-16", bare(key))
    assert (finding.status, finding.cause) == ("inconclusive", "planned-not-attested")
    assert finding.severity == "advisory"
    assert of_plan("CMEK-16", bare(planned())) == []


# --- 06: organizations ----------------------------------------------------------------------------


def other(*keys: PlannedKey, **over: object) -> Organization:
    """Make another organization without databases that plans ``keys``."""
    return bare(*keys, **{"id": OTHER_ORGANIZATION, "name": "acme-test"} | over)


def test_a_planned_key_of_another_organization() -> None:
    """A plan that gives an organization the key of another one is advised against."""
    finding = one("CMEK-06", bare(planned(OLD)), other(keys=[a_key()]))
    assert (finding.status, finding.severity) == ("fail", "advisory")
    assert finding.cause == f"planned-shared-by:{OTHER_ORGANIZATION}"
    assert (
        finding.message == "The plan gives acme-prod a key that acme-test has, or gets from a plan."
    )
    assert finding.subject.organization == ORGANIZATION


def test_two_organizations_plan_one_key() -> None:
    """Two organizations that are to get one key are each advised against it."""
    found = of_plan("CMEK-06", bare(planned()), other(planned()))
    assert [(finding.status, finding.subject.organization) for finding in found] == [
        ("fail", ORGANIZATION),
        ("fail", OTHER_ORGANIZATION),
    ]


@pytest.mark.parametrize(
    ("key", "over", "status", "cause"),
    [
        (planned(), {}, "pass", ""),
        (planned(None), {}, "inconclusive", "planned-key-id-not-determined"),
        (planned(ALIAS), {}, "inconclusive", "planned-disguised-key"),
        (planned(), {"gaps": UNREAD}, "inconclusive", "planned-refused"),
    ],
    ids=["alone", "not-shown", "alias", "unread"],
)
def test_a_planned_key_of_one_organization(
    key: PlannedKey, over: dict[str, object], status: str, cause: str
) -> None:
    """A planned key is its organization's own only as far as ids and keys are known."""
    finding = one("CMEK-06", bare(key), other(**over))
    assert (finding.status, finding.cause, finding.name) == (status, cause, ADDRESS)


def test_a_planned_replica_is_noted() -> None:
    """A planned key that shares its material with another organization's is said to."""
    material = "mrk-00000000000000000000000000000001"
    replicas = [
        f"arn:aws:kms:{region}:111122223333:key/{material}" for region in ("us-east-1", "eu-west-1")
    ]
    there = a_key(region="eu-west-1", key_id=replicas[1])
    finding = one("CMEK-06", bare(planned(replicas[0])), other(keys=[there]))
    assert finding.message.endswith("which share its material, are used by acme-test.")


def test_one_organization_shares_nothing() -> None:
    """A plan for the only organization of an audit shares no key with another."""
    assert of_plan("CMEK-06", bare(planned())) == []


# --- 10: what is registered -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "code", "verb"),
    [("replace", "replacement", "replaces"), ("remove", "removal", "removes")],
)
def test_a_plan_that_changes_a_registered_key(change: str, code: str, verb: str) -> None:
    """A plan that replaces or removes a registered key fails: it cannot do that."""
    finding = one("CMEK-10", planning(planned(OLD, change=change)))
    assert (finding.status, finding.severity) == ("fail", "critical")
    assert finding.cause == f"planned-{code}:{OLD}"
    assert finding.message == (
        f"The plan {verb} the registered key {OLD}, which only IBM Support can do."
    )
    assert finding.action == (
        "Leave the key of acme-prod / serverless / aws / us-east-1 in the plan as it is, or open "
        "a case with IBM Support"
    )


def test_a_change_that_two_plans_hold_is_one() -> None:
    """A removal that two plans hold is one finding."""
    both = planned(OLD, change="remove"), planned(OLD, change="remove")
    assert len(of_plan("CMEK-10", planning(*both))) == 1


def test_a_key_that_is_not_registered_may_go() -> None:
    """A plan that removes a key which Astra does not list changes nothing there."""
    finding = one("CMEK-10", planning(planned(NEW, change="remove")))
    assert (finding.status, finding.message) == (
        "pass",
        "Astra does not list the key that the plan changes.",
    )


def test_a_removed_key_that_was_not_read_is_inconclusive() -> None:
    """Whether a plan changes a registered key is unknown where the keys were not read."""
    finding = one("CMEK-10", bare(planned(change="remove"), gaps=UNREAD))
    assert (finding.status, finding.cause) == ("inconclusive", "planned-refused:serverless-keys")


@pytest.mark.parametrize(("registered", "removed"), [(ALIAS, NEW), (NEW, ALIAS)])
def test_an_alias_may_hide_the_registered_key(registered: str, removed: str) -> None:
    """A plan may change the registered key by another name, if either is an alias."""
    keys = [a_key(key_id=registered)]
    finding = one("CMEK-10", planning(planned(removed, change="remove"), keys=keys))
    assert (finding.status, finding.cause) == ("inconclusive", "planned-alias")


def test_a_removed_key_without_its_id_is_inconclusive() -> None:
    """A plan that removes a key of which it does not show the id may change a registered one."""
    hidden = planned(None, change="remove", missing="marked as sensitive")
    key = UndeterminedKey(name="b", missing="region marked as sensitive", change="replace")
    found = of_plan("CMEK-10", planning(hidden, key))
    assert {finding.status for finding in found} == {"inconclusive"}
    assert len(found) == 2


def test_other_rules_leave_changes_to_the_rule_on_changes() -> None:
    """A key that a plan removes is no planned key for the rules about what it would register."""
    for rule in ("CMEK-02", "CMEK-04", "CMEK-06", "CMEK-07", "CMEK-16"):
        assert of_plan(rule, planning(planned(OLD, change="remove")), other()) == []


# --- order ----------------------------------------------------------------------------------------


def ordered(*waiting: str, **over: object) -> Organization:
    """Plan two databases beside a key, for which those of ``waiting`` wait."""
    databases = [
        a_planned_database(name=name).at("plan.json", 1, f"astra_database.{name}")
        for name in ("a", "b")
    ]
    key = planned(awaited_by=frozenset(f"astra_database.{name}" for name in waiting))
    return bare(key, **{"databases": databases} | over)


@pytest.mark.parametrize("rule", ["CMEK-01", "CMEK-05"])
def test_an_order_that_the_plan_gives_is_inconclusive(rule: str) -> None:
    """Where all planned databases wait for the key of their scope, it may take effect in time."""
    found = judged(rule, ordered("a", "b"))
    assert {(finding.status, finding.reason, finding.severity) for finding in found} == {
        ("inconclusive", "ordered-by-plan", "critical")
    }
    message = (
        f"No key is registered. The plan creates each planned database here after {ADDRESS}, "
        "but the documentation does not say that a new key takes effect at once."
    )
    assert {finding.message for finding in found} == {message}
    assert {finding.action for finding in found} == {
        f"Apply {ADDRESS} alone first, re-collect acme-prod, and plan again"
    }


@pytest.mark.parametrize("rule", ["CMEK-01", "CMEK-05"])
@pytest.mark.parametrize("waiting", [(), ("a",)], ids=["none", "one"])
def test_without_an_order_they_race(rule: str, waiting: tuple[str, ...]) -> None:
    """Where any planned database does not wait for the key, it may be there before: a failure."""
    found = judged(rule, ordered(*waiting))
    assert {(finding.status, finding.severity) for finding in found} == {("fail", "critical")}
    assert {finding.message.partition(". ")[2] for finding in found} <= {
        f"A plan registers a key ({ADDRESS}), but does not show that it does so first.",
    }


def test_a_planned_key_of_our_own_plan_is_named_by_its_id() -> None:
    """A planned key without an address is named by its id."""
    key = planned().at("plan.yaml", 4)
    finding = judged_once("CMEK-01", bare(key, databases=[a_planned_database()]))
    assert finding.message == (
        f"No customer key is registered. A plan registers a key ({NEW}), but does not show that it "
        "does so first."
    )


def test_a_region_of_several_is_ordered_alike() -> None:
    """A planned database of two regions is inconclusive where the plan orders each of its keys."""
    database = a_planned_database(name="a", regions=["us-east-1", "us-west-2"])
    database = database.at("plan.json", 1, "astra_database.a")
    waiting = frozenset({"astra_database.a"})
    west = planned(aws_key_id("us-west-2"), region="us-west-2", awaited_by=waiting)
    found = judged("CMEK-03", bare(planned(awaited_by=waiting), west, databases=[database]))
    assert [(finding.status, finding.cause) for finding in found] == [
        ("inconclusive", "planned-ordered-by-plan:us-east-1"),
        ("inconclusive", "planned-ordered-by-plan:us-west-2"),
    ]
    [failing, waits] = judged("CMEK-03", bare(planned(), west, databases=[database]))
    assert [failing.status, waits.status] == ["fail", "inconclusive"]


def test_an_order_does_not_help_what_exists() -> None:
    """What exists without a key fails, whatever a plan orders beside it."""
    there = a_database()
    organization = ordered("a", "b")
    databases = (*(organization.databases or ()), there)
    organization = organization.model_copy(update={"databases": databases})
    found = {finding.existing: finding.status for finding in judged("CMEK-01", organization)}
    assert found == {1: "fail", 0: "inconclusive"}


def test_keys_that_were_not_read_come_before_any_order() -> None:
    """Where the keys were not read, that is what is said."""
    found = judged("CMEK-05", ordered("a", "b", gaps=UNREAD))
    assert {finding.reason for finding in found} == {"refused"}
