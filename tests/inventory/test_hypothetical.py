"""Databases that might be, as the command line tells them."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory.errors import SettingError
from inventory.hypothetical import (
    HypotheticalDatabase,
    group_by_organization,
    parse_hypothetical_databases,
    with_hypothetical_databases,
)
from inventory.model.organization import Organization
from inventory.model.terraform_managed import ManagedResources, UndeterminedDatabase
from inventory.model.vocabulary import PROVIDERS, TYPES
from tests.builders import ORGANIZATION, OTHER_ORGANIZATION, an_organization
from tests.hypothesis_profile import examples

TOKEN = "Astra" + "CS:" + "not-a-real-token" * 3
NAMES = {ORGANIZATION: "acme-prod", OTHER_ORGANIZATION: "acme-test"}
SHAPE = "[ORGANIZATION/]TYPE/PROVIDER/REGION[,REGION…]"
ONCE = "each region of a database at most once"
EXPECTED_REGION = "a region's name in lower-case letters, digits and dashes"


def _problems(*texts: str) -> list[str]:
    with pytest.raises(SettingError) as caught:
        parse_hypothetical_databases(texts)
    return str(caught.value).splitlines()


# --- reading --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("serverless/aws/us-east-2", HypotheticalDatabase("", "serverless", "aws", ("us-east-2",))),
        (
            "serverless/aws/us-east-2,ap-south-1",
            HypotheticalDatabase("", "serverless", "aws", ("us-east-2", "ap-south-1")),
        ),
        (
            "acme-prod/classic/gcp/us-east1",
            HypotheticalDatabase("acme-prod", "managed-clusters", "gcp", ("us-east1",)),
        ),
        (
            "a/b/c/serverless/azure/eastus",
            HypotheticalDatabase("a/b/c", "serverless", "azure", ("eastus",)),
        ),
        (" x /SERVERLESS/AWS/r", HypotheticalDatabase(" x ", "serverless", "aws", ("r",))),
    ],
)
def test_parts(text: str, shown: HypotheticalDatabase) -> None:
    """The last three parts are type, provider and regions; whatever comes before is the owner."""
    assert parse_hypothetical_databases([text]) == [shown]


@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize("provider", PROVIDERS)
def test_every_spelling_is_taken(kind: str, provider: str) -> None:
    """Types and providers may be spelled as in an inventory, without case."""
    [shown] = parse_hypothetical_databases([f"{kind.title()}/{provider.upper()}/r1"])
    assert (shown.type, shown.provider) == (TYPES[kind], PROVIDERS[provider])


@pytest.mark.parametrize(
    ("text", "found", "expected"),
    [
        ("", "1 of 3 parts", SHAPE),
        ("serverless", "1 of 3 parts", SHAPE),
        ("serverless/aws", "2 of 3 parts", SHAPE),
        ("/serverless/aws/r", "no organization before the first /", SHAPE),
        (
            "serverles/aws/r",
            "the database type 'serverles'",
            "serverless or managed-clusters; did you mean 'serverless'?",
        ),
        ("unknown/aws/r", "the database type 'unknown'", "serverless or managed-clusters"),
        ("serverless/awss/r", "the provider 'awss'", "aws or gcp or azure; did you mean 'aws'?"),
        ("serverless/aws/", "the region ''", EXPECTED_REGION),
        ("serverless/aws/r,", "the region ''", EXPECTED_REGION),
        ("serverless/aws/R-2", "the region 'R-2'", f"{EXPECTED_REGION}; did you mean 'r-2'?"),
        ("serverless/aws/r s", "the region 'r s'", EXPECTED_REGION),
        ("serverless/aws/-r", "the region '-r'", EXPECTED_REGION),
        ("serverless/aws/\u0663", "the region '\\u0663'", EXPECTED_REGION),
        ("serverless/aws/r\n", "the region 'r\\n'", f"{EXPECTED_REGION}; did you mean 'r'?"),
        ("serverless/aws/r,s,r", "a duplicate region", ONCE),
    ],
)  # fmt: skip
def test_mistakes(text: str, found: str, expected: str) -> None:
    """A mistake is reported with what was found, what was expected, and what is near."""
    assert _problems(text) == [f"--add {text!a}: found {found}, expected {expected}"]


def test_every_mistake_is_reported_at_once() -> None:
    """All mistakes of all values are reported, in their order."""
    shown = _problems("s/a/R", "serverless/aws/r", "x")
    assert [line.split(": found ")[0] for line in shown] == ["--add 's/a/R'"] * 3 + ["--add 'x'"]


def test_a_token_is_not_repeated() -> None:
    """A token that slipped in is refused, and not shown."""
    [shown] = _problems(f"{TOKEN}/serverless/aws/r")
    assert shown == f"--add: found what looks like a token, expected {SHAPE}"


@examples(300)
@given(text=st.text() | st.text("/,abcserverless-aw 1\n", max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    """Whatever is reported, it is read as what an inventory can hold, or refused in words."""
    with suppress(SettingError):
        [shown] = parse_hypothetical_databases([text])
        [organization] = with_hypothetical_databases([], group_by_organization([shown], {}))
        [database] = organization.databases or ()
        assert [region.name for region in database.regions] == list(shown.regions)


# --- whose they are -------------------------------------------------------------------------------


def _owners(*texts: str, names: dict[str, str] | None = None) -> dict[str, int]:
    found = group_by_organization(
        parse_hypothetical_databases(texts), NAMES if names is None else names
    )
    return {organization: len(wanted) for organization, wanted in found.items()}


def test_owners_go_by_id_or_name() -> None:
    """An organization is named by its id or its name, and both mean the same one."""
    texts = [f"{name}/serverless/aws/r" for name in ("acme-prod", ORGANIZATION, "acme-test")]
    assert _owners(*texts) == {ORGANIZATION: 2, OTHER_ORGANIZATION: 1}


def test_the_only_organization_needs_no_name() -> None:
    """Where there is one organization, it is meant."""
    assert _owners("serverless/aws/r", names={ORGANIZATION: "acme-prod"}) == {ORGANIZATION: 1}


def test_without_any_organization_one_is_made_up() -> None:
    """Without an inventory, what is not named belongs to one that is made up."""
    texts = ("serverless/aws/r", "classic/aws/r", "acme/classic/aws/r")
    assert _owners(*texts, names={}) == {"what-if": 2, "acme": 1}


@pytest.mark.parametrize(
    ("text", "names", "found", "expected"),
    [
        (
            "acme-prd",
            NAMES,
            "no such organization",
            "an id or a name, such as 'acme-prod', 'acme-test'; did you mean 'acme-prod'?",
        ),
        (
            "zzz",
            {f"o{number}": f"n{number}" for number in range(7)},
            "no such organization",
            "an id or a name, such as 'n0', 'n1', 'n2', 'n3', 'n4' and 2 more",
        ),
        (
            "same",
            {"a": "same", "b": "same", "c": "other"},
            "2 organizations with that id or name",
            "the id of one: 'a', 'b'",
        ),
        (
            "a",
            {"a": "one", "b": "a"},
            "2 organizations with that id or name",
            "the id of one: 'a', 'b'",
        ),
        (
            "two words",
            {},
            "no such organization",
            "an id: visible ASCII without spaces",
        ),
    ],
    ids=["mistyped", "many", "shared name", "name like an id", "no id"],
)
def test_owners_that_cannot_be_reported(
    text: str, names: dict[str, str], found: str, expected: str
) -> None:
    """An organization that is not there, or not the only one of its id or name, is refused."""
    with pytest.raises(SettingError) as caught:
        _owners(f"{text}/serverless/aws/r", names=names)
    assert str(caught.value) == f"--add {text!a}: found {found}, expected {expected}"


def test_one_of_several_has_to_be_named() -> None:
    """Where there are several organizations, none is meant by saying nothing."""
    with pytest.raises(SettingError) as caught:
        _owners("serverless/aws/r")
    expected = "one of 2 organizations: 'acme-prod', 'acme-test'"
    assert str(caught.value) == f"--add: found no organization, expected {expected}"


def test_the_same_mistake_is_reported_once() -> None:
    """Several databases of one unknown organization are one mistake."""
    with pytest.raises(SettingError) as caught:
        _owners("x/serverless/aws/r", "x/serverless/aws/r", "y/serverless/aws/r")
    assert len(str(caught.value).splitlines()) == 2


# --- adding them ----------------------------------------------------------------------------------


def _with(organization: Organization, *texts: str) -> Organization:
    wanted = group_by_organization(
        parse_hypothetical_databases(texts), {organization.id: organization.name}
    )
    [shown] = with_hypothetical_databases([organization], wanted)
    return shown


def test_they_are_planned_databases() -> None:
    """Each is one planned database in all its regions, beside those that were recorded."""
    before = an_organization()
    after = _with(before, "serverless/aws/r1,r2", "classic/gcp/r3")
    added = (after.databases or ())[len(before.databases or ()) :]
    assert [
        (
            database.name,
            database.type,
            database.provider,
            [one.name for one in database.regions],
            database.state,
        )
        for database in added
    ] == [
        ("what-if 1", "serverless", "aws", ["r1", "r2"], "planned"),
        ("what-if 2", "managed-clusters", "gcp", ["r3"], "planned"),
    ]
    assert [database.location for database in added] == [("--add", 1), ("--add", 2)]
    assert after.missing() == before.missing() == ()


def test_who_gets_none_stays_as_recorded() -> None:
    """An organization that was not named is passed on as it is."""
    one, two = an_organization(), an_organization(id=OTHER_ORGANIZATION, name="acme-test")
    wanted = group_by_organization(
        parse_hypothetical_databases(["acme-test/serverless/aws/r"]), NAMES
    )
    assert next(with_hypothetical_databases([one, two], wanted)) is one


def test_what_was_not_recorded_stays_so() -> None:
    """That databases might be there does not make the existing ones known."""
    organization = _with(an_organization(databases=None), "serverless/aws/r")
    [gap] = organization.missing()
    assert (gap.fact, gap.reason) == ("databases", "not-recorded")


def test_of_one_that_is_made_up_nothing_is_known() -> None:
    """Of an organization that no inventory holds, neither keys nor databases are known."""
    [organization] = with_hypothetical_databases(
        [], group_by_organization(parse_hypothetical_databases(["serverless/aws/r"]), {})
    )
    assert (organization.id, organization.name, organization.keys) == ("what-if", "what-if", None)
    assert {gap.fact for gap in organization.missing()} == {
        "databases",
        "serverless-keys",
        "managed-clusters-keys",
    }


def test_what_terraform_tells_is_kept() -> None:
    """What Terraform manages of an organization stays known beside what might be."""
    managed = ManagedResources(
        undetermined=(UndeterminedDatabase(name="later", missing="regions"),)
    )
    assert _with(an_organization().with_managed(managed), "serverless/aws/r").managed == managed
