"""The organizations file says what to read live, and is refused with every mistake in it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from inventory.astra.config import OrganizationConfig, Organizations, read_organizations, token_of
from inventory.errors import OrganizationsError
from inventory.system.hosts import ADDRESS
from inventory.system.request_policy import RequestPolicy
from tests.astra.fleet import healthy_fleet, organizations_data
from tests.builders import (
    ORGANIZATION,
    OTHER_ORGANIZATION,
    aws_key_id,
    key_data,
    write_json,
    write_text,
    write_yaml,
)
from tests.inventory.live import LETTERED, SECRET, VALUE, VARIABLE, configured

SAID = {"by": "Ada Example", "on": "2026-10-01"}


def organization(**over: object) -> dict[str, Any]:
    return {"id": ORGANIZATION, "name": "acme-prod", "token": VARIABLE} | over


def file_data(*organizations: object, **over: object) -> dict[str, Any]:
    return {
        "cmek-organizations": 1,
        "organizations": list(organizations or [organization()]),
    } | over


def problems(file: str) -> set[tuple[int, str, str, str]]:
    """Return line, field, what was found and what was expected, of all problems of a file."""
    with pytest.raises(OrganizationsError) as caught:
        read_organizations(file)
    assert {problem.file for problem in caught.value.problems} == {file}
    assert list(caught.value.problems) == sorted(caught.value.problems)
    return {
        (problem.line, problem.field, problem.found, problem.expected)
        for problem in caught.value.problems
    }


# --- what is read ---------------------------------------------------------------------------------


def test_least_that_must_be_said(tmp_path: Path) -> None:
    """An organization needs an id and a name; everything else has a default."""
    bare = {"id": ORGANIZATION, "name": "acme-prod"}
    configuration = read_organizations(write_yaml(tmp_path / "a.yaml", file_data(bare)))
    (own,) = configuration.organizations
    assert (own.id, own.name, own.token) == (ORGANIZATION, "acme-prod", "ASTRA_API_TOKEN")
    assert (configuration.address, configuration.requests) == (
        "https://api.astra.datastax.com",
        RequestPolicy(),
    )


def test_most_that_can_be_said(tmp_path: Path) -> None:
    """Requests, attestations and statements are read alike from YAML and JSON."""
    full = organization(
        owner="Platform team",
        plan={"paid": True} | SAID,
        azure_preview={"granted": False} | SAID,
        no_databases=SAID,
        policy={"default": {"encryption": "customer-managed"}},
        support_cases=[key_data(ticket="TS1", **SAID)],
        keys=[key_data(rotation={"automatic": True} | SAID)],
        databases=[
            {
                "id": "a",
                "encryption": "astra-provided",
                "reason": "a trial",
                "regions": [{"name": "us-east-1", "portal": {"key": "astra"} | SAID}],
            }
        ],
        cloud_keys=[aws_key_id("us-east-2")],
        planned_scopes=[{"type": "Serverless", "provider": "AWS", "region": "us-east-2"}],
    )
    full["support_cases"][0].pop("key_id")
    requests = {"connections": 8, "first_wait_seconds": 0, "deadline_seconds": 10}
    data = file_data(full, requests=requests, description="Acme", address="http://localhost:1")
    in_yaml = read_organizations(write_yaml(tmp_path / "a.yaml", data))
    in_json = read_organizations(write_json(tmp_path / "a.json", data))
    assert in_yaml == in_json
    assert set(in_yaml.organizations[0].model_fields_set) == set(OrganizationConfig.model_fields)
    assert in_yaml.requests == RequestPolicy(
        connections=8, first_wait_seconds=0, deadline_seconds=10
    )


def test_fleets_of_the_tests(tmp_path: Path) -> None:
    """A file of many organizations is read, in their order."""
    fleet = healthy_fleet()
    data = organizations_data(fleet, "http://127.0.0.1:8080")
    configuration = read_organizations(write_yaml(tmp_path / "a.yml", data))
    assert [organization.token for organization in configuration.organizations] == list(
        fleet.environment
    )


def test_places(tmp_path: Path) -> None:
    """Organizations, keys and databases know the file and line in which they stand."""
    data = file_data(organization(), organization(id="b", token="B", databases=[{"id": "c"}]))
    data["organizations"][0]["keys"] = [key_data(), key_data(region="us-east-2")]
    file = write_json(tmp_path / "a.json", data)
    lines = ["", *Path(file).read_text(encoding="utf-8").splitlines()]
    first, second = read_organizations(file).organizations
    entries = [first, *first.keys, second, *second.databases]
    assert {entry.file for entry in entries} == {file}
    assert [lines[entry.line].strip() for entry in entries] == ["{"] * 5
    assert sorted(entry.line for entry in entries) == [entry.line for entry in entries]
    assert '"us-east-2"' in lines[first.keys[1].line + 4]


def test_what_stands_for_a_file() -> None:
    """``env`` is given for the organization of the one token in the environment."""
    configuration = read_organizations("env")
    (own,) = configuration.organizations
    assert (own.id, own.name, own.token) == (None, "ASTRA_API_TOKEN", "ASTRA_API_TOKEN")
    assert configuration.address == ADDRESS


def test_what_is_read_can_be_recorded(tmp_path: Path) -> None:
    """What was read is the same when it is read back from a bundle's JSON."""
    files = ["env", write_yaml(tmp_path / "a.yaml", file_data())]
    for file in files:
        configuration = read_organizations(file)
        dump = configuration.model_dump_json(by_alias=True, exclude_defaults=True)
        assert Organizations.model_validate_json(dump).model_dump() == configuration.model_dump()


# --- mistakes -------------------------------------------------------------------------------------

ORGS = "organizations"
TEXT = """cmek-organizations: 1
organizations:
  - id: a
    name: acme-prod
    token: {token}
{more}"""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", {(0, "")}),
        ("[]", {(1, "")}),
        ("a: [", {(2, "")}),
        ("\tcmek", {(1, "")}),
        ("cmek-organizations: 2\norganizations: []", {(1, "cmek-organizations")}),
        ("cmek-inventory: 1", {(1, "")}),
    ],
)
def test_files_that_are_none(tmp_path: Path, text: str, expected: set[tuple[int, str]]) -> None:
    """A file that is empty, broken or of another kind is refused."""
    found = problems(write_text(tmp_path / "a.yaml", text))
    assert {problem[:2] for problem in found} == expected


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("a.txt", "No such file or directory"),
        ("a.yaml", "No such file or directory"),
        (f"{'a' * 5_000}.yaml", "File name too long"),
        (f"{'a' * 5_000}.txt", "File name too long"),
    ],
)
def test_files_that_are_not_there(tmp_path: Path, name: str, found: str) -> None:
    """A file that is missing, or cannot be there, is refused by its name."""
    assert problems(str(tmp_path / name)) == {(0, "", found, "a readable file")}


def test_a_file_of_another_ending(tmp_path: Path) -> None:
    """An organizations file that is called otherwise is refused by its ending."""
    found = problems(write_text(tmp_path / "a.txt", "cmek-organizations: 1\n"))
    assert found == {(0, "", "the ending '.txt'", "a file ending in .yaml, .yml or .json")}


ORG = "organizations[0]"
POSITIVE = "greater than 0"
REGION = "{name: b, portal: {key: astra, by: acme, 'on': 2026-11-01}}"


@pytest.mark.parametrize(
    ("token", "more", "expected"),
    [
        ("A", "    tokens: B\n", (6, f"{ORG}.tokens", "an unknown field", None)),
        ("two words", "", (5, f"{ORG}.token", "'two words'", None)),
        ("1A", "", (5, f"{ORG}.token", "'1A'", None)),
        ("''", "", (5, f"{ORG}.token", "''", None)),
        ("A", "    owner: ''\n", (6, f"{ORG}.owner", "''", None)),
        ("A", f"    owner: {'x' * 201}\n", (6, f"{ORG}.owner", None, None)),
        ("A", "    plan: {paid: true}\n", (6, f"{ORG}.plan.by", "nothing", "a value")),
        ("A", "    name: twice\n", (6, f"{ORG}.name", "a duplicate key", None)),
        ("A", "    keys: [{type: serverless}]\n", (6, f"{ORG}.keys[0].provider", "nothing", None)),
        (
            "A",
            "    databases: [{id: a, encryption: astra-provided}]\n",
            (6, f"{ORG}.databases[0]", None, "a reason with encryption: astra-provided"),
        ),
        (
            "A",
            "    databases: [{id: a, regions: [{name: b}]}]\n",
            (6, f"{ORG}.databases[0].regions[0].portal", "nothing", "a value"),
        ),
        (
            "A",
            f"    databases: [{{id: a, regions: [{REGION}, {REGION}]}}]\n",
            (6, f"{ORG}.databases[0]", None, "each region at most once"),
        ),
        ("A", "requests: {attempts: 0}\n", (6, "requests.attempts", "0", None)),
        ("A", "requests: {attempts: 2.0}\n", (6, "requests.attempts", "2.0", None)),
        ("A", "requests: {attempts: true}\n", (6, "requests.attempts", "true", None)),
        ("A", "requests: {timeout_seconds: true}\n", (6, "requests.timeout_seconds", "true", None)),
        ("A", "requests: {connections: 1.0}\n", (6, "requests.connections", "1.0", None)),
        ("A", "requests: {connections: 1025}\n", (6, "requests.connections", "1025", None)),
        ("A", "requests: {timeout_seconds: 0}\n", (6, "requests.timeout_seconds", "0", POSITIVE)),
        ("A", "requests: {timeout: 1}\n", (6, "requests.timeout", "an unknown field", None)),
        ("A", "adress: x\n", (6, "adress", "an unknown field", None)),
    ],
)
def test_mistakes(
    tmp_path: Path, token: str, more: str, expected: tuple[int, str, str | None, str | None]
) -> None:
    """Every mistake is reported with file, line, field, what was found and what was expected."""
    found = problems(write_text(tmp_path / "a.yaml", TEXT.format(token=token, more=more)))
    near = {problem for problem in found if problem[:2] == expected[:2]}
    assert len(near) == 1
    ((_, _, found_text, expected_text),) = near
    assert found_text == (expected[2] or found_text)
    assert expected_text == (expected[3] or expected_text)


def test_all_mistakes_are_reported_at_once(tmp_path: Path) -> None:
    """Not only the first mistake is reported, but all of them."""
    data = file_data(
        {"id": "a b"}, organization(token="a-b"), address="x", requests={"attempts": 0}
    )
    found = problems(write_yaml(tmp_path / "a.yaml", data))
    assert {field for _, field, _, _ in found} == {
        *("organizations[0].id", "organizations[0].name", "organizations[1].token"),
        *("address", "requests.attempts"),
    }


def test_no_organization(tmp_path: Path) -> None:
    """A file without an organization is refused."""
    file = write_yaml(tmp_path / "a.yaml", {"cmek-organizations": 1, "organizations": []})
    assert problems(file) == {(2, "organizations", "an empty list", "at least one")}


def test_organization_needs_its_id(tmp_path: Path) -> None:
    """In a file each organization needs its id: only so can a wrong token be found out."""
    for given_id in ({}, {"id": None}):
        bare = {"name": "acme"} | given_id
        file = write_yaml(tmp_path / "a.yaml", file_data(bare))
        assert {field for _, field, _, _ in problems(file)} == {"organizations[0].id"}


@pytest.mark.parametrize("field", ["token", "name", "owner", "id", "description"])
def test_token_in_the_file(tmp_path: Path, field: str) -> None:
    """A token that is in the file, wherever, is refused by its line, and not repeated."""
    data = file_data(organization())
    place = data if field == "description" else data["organizations"][0]
    place[field] = VALUE
    file = write_json(tmp_path / "a.json", data)
    lines = Path(file).read_text(encoding="utf-8").splitlines()
    (line,) = [number for number, text in enumerate(lines, 1) if SECRET in text]
    assert problems(file) == {(line, "", "what looks like a token", "a file without secrets")}
    with pytest.raises(OrganizationsError) as caught:
        read_organizations(file)
    assert SECRET not in str(caught.value)


# --- twins ----------------------------------------------------------------------------------------

ONCE = "each organization once, with a token of its own"


def test_organization_twice(tmp_path: Path) -> None:
    """An organization is there once, in whatever casing its id is spelled."""
    twins = [organization(id=LETTERED), organization(id=LETTERED.upper(), token="B")]
    file = write_yaml(tmp_path / "a.yaml", file_data(*twins))
    assert problems(file) == {(6, "id", f"'{LETTERED}' a second time", ONCE)}


def test_token_twice(tmp_path: Path) -> None:
    """No two organizations have one token, be it only by the default."""
    other = organization(id=OTHER_ORGANIZATION)
    file = write_yaml(tmp_path / "a.yaml", file_data(organization(), other))
    assert problems(file) == {(6, "token", f"'{VARIABLE}' a second time", ONCE)}
    bare = [{"id": identity, "name": "acme"} for identity in "ab"]
    file = write_yaml(tmp_path / "b.yaml", file_data(*bare))
    assert problems(file) == {(5, "token", "'ASTRA_API_TOKEN' a second time", ONCE)}


def test_names_of_variables_have_a_casing(tmp_path: Path) -> None:
    """Variables whose names differ in casing are different variables."""
    two = [organization(token="a"), organization(id="b", token="A")]
    assert len(read_organizations(write_yaml(tmp_path / "a.yaml", file_data(*two))).organizations)


def test_statement_twice(tmp_path: Path) -> None:
    """A key or a database of an organization is spoken of once."""
    key = key_data()
    same = key | {"provider": "AWS", "type": "Serverless"}
    data = organization(keys=[key, same], databases=[{"id": "a"}, {"id": "b"}, {"id": "a"}])
    file = write_json(tmp_path / "a.json", file_data(data))
    found = problems(file)
    named = f"'serverless aws us-east-1 {key['key_id']}' a second time"
    assert {(field, expected) for _, field, _, expected in found} == {
        ("keys", "each key once"),
        ("databases", "each database once"),
    }
    assert {found_text[:60] for _, _, found_text, _ in found} == {named[:60], "'a' a second time"}
    assert all(line > 10 for line, _, _, _ in found)


def test_statements_of_several_organizations(tmp_path: Path) -> None:
    """Two organizations may speak of keys and databases of one name: a rule judges that."""
    said = {"keys": [key_data()], "databases": [{"id": "a"}]}
    two = [organization(**said), organization(id="b", token="B", **said)]
    configuration = read_organizations(write_yaml(tmp_path / "a.yaml", file_data(*two)))
    assert [len(organization.keys) for organization in configuration.organizations] == [1, 1]


# --- addresses ------------------------------------------------------------------------------------


def test_clouds_are_asked_about_keys_by_their_ids(tmp_path: Path) -> None:
    """An alias, an unknown id and a second version of a key are refused in the list of keys."""
    key_id = "projects/acme/locations/us-east1/keyRings/r/cryptoKeys/k"
    alias = "arn:aws:kms:us-east-2:111122223333:alias/acme"
    expected = "the ARN, resource name or identifier of a key, not of an alias"
    file = write_yaml(tmp_path / "a.yaml", file_data(organization(cloud_keys=[alias, "acme"])))
    assert {(found, hint) for _, _, found, hint in problems(file)} == {
        (f"{alias!r}", expected),
        ("'acme'", expected),
    }
    twice = organization(cloud_keys=[key_id, f"{key_id}/cryptoKeyVersions/2"])
    ((_, field, _, hint),) = problems(write_yaml(tmp_path / "b.yaml", file_data(twice)))
    assert (field, hint) == ("cloud_keys", "each key once")


def test_clouds_to_ask_can_be_replaced() -> None:
    """An option replaces the clouds to ask, and leaves how they are asked."""
    clouds = {"ask": ["aws"], "gcp": {"address": "http://127.0.0.1:1"}}
    data = file_data(organization(), clouds=clouds)
    given = Organizations.model_validate(data)
    assert given.asking(("gcp",)).clouds.addresses == ("http://127.0.0.1:1",)
    assert (given.clouds.addresses, given.asked_address) == ((), ADDRESS)
    assert Organizations.model_validate(data | {"astra": False}).asked_address == ""


ADDRESSES: TypeAdapter[Any] = TypeAdapter(
    Organizations.__pydantic_fields__["address"].rebuild_annotation()
)


@pytest.mark.parametrize(
    ("address", "kept"),
    [
        ("https://api.astra.datastax.com", None),
        ("https://api.astra.datastax.com/", "https://api.astra.datastax.com"),
        ("https://astra.example.test:8443", None),
        ("HTTPS://ASTRA.example.test", None),
        ("https://127.0.0.2", None),
        ("http://127.0.0.1:8080", None),
        ("http://localhost", None),
        ("http://LOCALHOST:1", None),
        ("http://[::1]:8080/", "http://[::1]:8080"),
        ("https://10.1.2.3", None),
    ],
)
def test_addresses(address: str, kept: str | None) -> None:
    """An address is a host, by https; by http on loopback only, where nobody reads along."""
    assert ADDRESSES.validate_python(address) == (kept or address)


@pytest.mark.parametrize(
    "address",
    [
        "",
        "api.astra.datastax.com",
        "ftp://astra.example.test",
        "http://astra.example.test",
        "http://10.0.0.1",
        "http://127.0.0.1.example.test",
        "http://localhost.example.test",
        "http://127.0.0.2",
        "https://",
        "https:///v2",
        "https://astra.example.test/v2",
        "https://astra.example.test?",
        "https://astra.example.test/?a=b",
        "https://astra.example.test#",
        "https://me@astra.example.test",
        "https://@astra.example.test",
        "https://me:hush@astra.example.test",
        "https://astra.example.test:",
        "https://astra.example.test:x",
        "https://astra.example.test:65536",
        "https://astra.example.test:99999",
        "https://astra.example.test:\u0664\u0664\u0663",
        "https://astra..test",
        "https://.astra.test",
        "https://-astra.test",
        "https://astra_.test",
        f"https://{'a' * 64}.test",
        "https://two words.test",
        "https://astra.test\n",
        "https://as\ntra.test",
        "https://1.2.3",
        "https://256.1.1.1",
        "https://1.2.3.4.5",
        "https://[::1",
        "https://[zz]",
        "https://xn--a",
        "https://\u0430stra.test",
        "https://a\u017f.test",
        "//astra.example.test",
        " https://astra.example.test",
    ],
)
def test_addresses_that_are_none(address: str) -> None:
    """Whatever is more or less than the address of a host is refused."""
    with pytest.raises(ValidationError) as caught:
        ADDRESSES.validate_python(address)
    assert [error["msg"] for error in caught.value.errors()] == [
        "the address of a host, such as https://api.astra.datastax.com, and nothing after it"
    ]


HOSTS = st.text("aA1-.:/[]@?#% \u00e9_x", max_size=12)


@given(st.sampled_from(["https://", "http://", "https://[::1]", "http://127.0.0.1"]), HOSTS)
def test_every_address_that_is_taken_can_be_asked(scheme: str, rest: str) -> None:
    """Each address that is taken makes an address for requests, of the same host."""
    try:
        address = ADDRESSES.validate_python(scheme + rest)
    except ValidationError:
        return
    url = httpx.URL(f"{address}/v2/kms")
    assert (url.path, url.query, url.userinfo) == ("/v2/kms", b"", b"")
    assert url.host
    assert url.host in address.lower()


# --- tokens ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("value", [VALUE, f" {VALUE}\n", "abcdefghijkl", "aA1._~+/=:-xyz"])
def test_tokens(value: str) -> None:
    """The token is what the variable holds, without the blanks around it."""
    token = token_of(configured(), {VARIABLE: value, "OTHER": "x"})
    assert token
    assert token.authorization() == f"Bearer {value.strip()}"
    assert repr(token) == f"Token({VARIABLE})"


@pytest.mark.parametrize(
    "value",
    ["", " ", "short", "two words of it", "a\nb" * 6, "a\x00bcdefghijkl", "\u00e9" * 12, "a" * 11],
)
def test_tokens_that_are_none(value: str) -> None:
    """A variable that is empty, or holds what cannot be sent or kept secret, holds no token."""
    assert token_of(configured(), {VARIABLE: value}) is None
    assert token_of(configured(), {}) is None
