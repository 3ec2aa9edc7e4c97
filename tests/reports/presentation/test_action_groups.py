"""Actions in groups: one entry for what is done in the same way in one organization."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from checks.engine.actions import code_of
from reports.presentation.action_groups import (
    ActionGroup,
    by_owner,
    effect,
    first,
    group_actions,
)

if TYPE_CHECKING:
    from reports.model.head import ActionEntry
    from reports.model.population_summary import OrganizationEntry

ORGANIZATIONS = cast(
    "list[OrganizationEntry]",
    [{"id": "one", "owner": "Platform"}, {"id": "two", "owner": "data@acme.example"}],
)


def an_action(action_id: str, **over: Any) -> ActionEntry:  # noqa: ANN401 (fields of any type)
    """Make an action of the organization ``one``."""
    entry = {
        "id": action_id,
        "text": "Do it",
        "purpose": "repair",
        "who": "we",
        "steps": ["Do it."],
        "organization": "one",
        "name": "acme-one",
        "severity": "high",
        "resolves": 1,
        "databases": 1,
        "group_databases": 1,
        "names": [],
        "statuses": {"fail": 1},
        "rules": ["CMEK-01"],
        "findings": ["f0"],
    }
    return cast("ActionEntry", entry | over)


def grouped(*actions: ActionEntry) -> list[ActionGroup]:
    """Group ``actions`` of the organizations of this file."""
    return group_actions(actions, ORGANIZATIONS)


def test_a_group_adds_up_its_actions() -> None:
    """The worst severity, the findings and the names of all are those of the group."""
    one = an_action(
        "register-key:one/serverless/aws/us-west-2",
        names=["orders"],
        group_databases=2,
        statuses={"fail": 2, "inconclusive": 1},
        findings=["f1", "f2"],
    )
    two = an_action(
        "register-key:one/serverless/aws/eu-west-1",
        names=["catalog", "orders"],
        group_databases=2,
        severity="critical",
        statuses={"fail": 1},
        findings=["f2", "f3"],
    )
    [group] = grouped(one, two)
    assert group == ActionGroup(
        purpose="repair",
        code="register-key",
        organization="one",
        owner="Platform",
        severity="critical",
        who="we",
        title="Register 2 keys for acme-one: Serverless on AWS, eu-west-1 and us-west-2",
        name="acme-one",
        databases=2,
        names=("catalog", "orders"),
        closes={"fail": 3, "inconclusive": 1},
        steps=("Do it.",),
        actions=(one, two),
    )
    assert group.findings == ("f1", "f2", "f3")


def test_kind_purpose_and_organization_part_groups() -> None:
    """Actions that differ in one of the three are groups of their own."""
    groups = grouped(
        an_action("attest-plan:one"),
        an_action("attest-plan:two", organization="two"),
        an_action("attest-plan:one", purpose="prove"),
        an_action("attest-usable:one/k"),
    )
    assert [(group.code, group.organization, group.purpose) for group in groups] == [
        ("attest-plan", "one", "repair"),
        ("attest-plan", "two", "repair"),
        ("attest-plan", "one", "prove"),
        ("attest-usable", "one", "repair"),
    ]


def test_one_action_keeps_its_words() -> None:
    """A group of one has the sentence of the record as its title."""
    assert [group.title for group in grouped(an_action("register-key:one/a/b/c"))] == ["Do it"]


def test_databases_to_recreate_are_counted_and_named() -> None:
    """The title for several key scopes counts different databases, and names the first of them."""
    [group] = grouped(
        *(
            an_action(
                f"recreate-older-than-key:one/serverless/aws/r{number}",
                names=[f"db{number}", "orders"],
                databases=2,
                group_databases=5,
            )
            for number in range(4)
        )
    )
    assert group.databases == 5
    assert group.title == (
        "Recreate 5 databases deployed before their key (db0, db1, db2 and 2 more) "
        "and migrate their data"
    )


def test_a_title_names_few_of_many_key_scopes() -> None:
    """Regions and combinations beyond the first are counted."""
    many = [
        an_action(f"attest-registration:one/{kind}/{provider}/r{number}")
        for kind, provider in (
            ("serverless", "aws"),
            ("serverless", "azure"),
            ("managed-clusters", "gcp"),
            ("unknown", "other"),
        )
        for number in range(8 if provider == "azure" else 1)
    ]
    [group] = grouped(*many)
    assert group.title == (
        "Attest when 11 keys were registered, or give dated earlier records: "
        "Managed Clusters on Google Cloud, r0; Serverless on AWS, r0; "
        "Serverless on Azure, r0, r1, r2, r3, r4, r5 and 2 more; and 1 more"
    )


def test_several_steps_without_words_for_several_are_counted() -> None:
    """A kind that nobody described gets the first action's words, and the number of the others."""
    [group] = grouped(an_action("other:one/1"), an_action("other:one/2"), an_action("other:one/3"))
    assert group.title == "Do it, and 2 further steps of this kind"


def test_texts_are_left_as_they_are() -> None:
    """Braces and markup in a name come through, for the renderer to escape."""
    name = "{number}<b>"
    [group] = grouped(
        an_action("register-key:one/serverless/aws/r.3cb.3e", name=name),
        an_action("register-key:one/serverless/aws/r2", name=name),
    )
    assert group.title == "Register 2 keys for {number}<b>: Serverless on AWS, r2 and r<b>"


def test_a_key_is_registered_before_its_databases_are_recreated() -> None:
    """The step that others wait for comes before them, as urgent as they are."""
    groups = grouped(
        an_action("register-key:one/serverless/aws/r1", purpose="prevent"),
        an_action("recreate-without-key:one/serverless/aws/r1"),
        an_action("attest-plan:one", purpose="prove"),
        an_action("register-key:one/serverless/aws/r2"),
        an_action("register-key:two/serverless/aws/r2", organization="two"),
    )
    assert [(group.code, group.purpose, group.organization) for group in groups] == [
        ("register-key", "prevent", "one"),
        ("register-key", "repair", "one"),
        ("recreate-without-key", "repair", "one"),
        ("attest-plan", "prove", "one"),
        ("register-key", "repair", "two"),
    ]


def test_the_first_are_the_most_urgent_by_purpose() -> None:
    """The first groups are chosen by urgency, and shown as prevent, repair, prove."""
    groups = grouped(
        an_action("attest-plan:one", purpose="prove", severity="critical"),
        an_action("make-key-usable:one/k"),
        an_action("remove-planned-key:one/a/b/c", purpose="prevent"),
        an_action("attest-usable:one/k", purpose="prove"),
    )
    assert [group.code for group in first(groups, 3)] == [
        "remove-planned-key",
        "make-key-usable",
        "attest-plan",
    ]


def test_owners_have_their_groups() -> None:
    """Groups come by owner, and last those of organizations whose owner nobody states."""
    groups = grouped(
        an_action("attest-plan:three", organization="three"),
        an_action("attest-plan:one"),
        an_action("attest-plan:two", organization="two"),
        an_action("attest-usable:one/k"),
        an_action("separate-organizations:./k", organization=""),
    )
    assert [
        (owner, [code_of(group.actions[0]["id"]) for group in owned])
        for owner, owned in by_owner(groups)
    ] == [
        ("data@acme.example", ["attest-plan"]),
        ("Platform", ["attest-plan", "attest-usable"]),
        ("", ["attest-plan", "separate-organizations"]),
    ]


def test_an_effect_never_says_more_than_it_does() -> None:
    """Failures are closed; what is inconclusive can only be judged then."""
    assert effect({"fail": 2, "inconclusive": 1}) == (
        "closes 2 failures and lets 1 inconclusive finding be judged"
    )
    assert effect({"inconclusive": 1_200}) == "lets 1,200 inconclusive findings be judged"
    assert effect({"fail": 1}) == "closes 1 failure"
    assert effect({"error": 1}) == "is needed for 1 broken check"
