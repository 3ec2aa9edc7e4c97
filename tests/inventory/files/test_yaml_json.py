"""Recorded inventories in YAML and JSON."""

from __future__ import annotations

import functools
import hashlib
import operator
from pathlib import Path
from typing import Any, get_args

import pytest

from inventory.errors import InventoryError, Problem
from inventory.files import yaml_json
from inventory.files.yaml_json import LARGE, LISTS, format_of, read_recorded
from inventory.model.base import NEWER_HINT
from inventory.model.gaps import Fact, GapReason
from inventory.model.sources import Source
from inventory.opening import read_file
from tests.builders import (
    CAPTURED_AT,
    DATABASE,
    ORGANIZATION,
    OTHER_ORGANIZATION,
    cloud_key_data,
    database_data,
    document_data,
    gcp_key_id,
    key_data,
    organization_data,
    planned_data,
    write_json,
    write_text,
    write_yaml,
)

FACTS = get_args(Fact)
REASONS = get_args(GapReason)


def problems(file: str) -> list[Problem]:
    """Return the problems for which a file is refused."""
    with pytest.raises(InventoryError) as caught:
        read_recorded(file)
    assert list(caught.value.problems) == sorted(caught.value.problems)
    return list(caught.value.problems)


# --- what is read ---------------------------------------------------------------------------------


def full() -> dict[str, Any]:
    """Return an organization that states everything that can be stated."""
    said = {"by": "acme-security", "on": "2026-11-01", "due": "2027-02-01", "note": "by mail"}
    place = {"type": "serverless", "provider": "aws", "region": "us-east-1"}
    key = key_data(
        registered={"at": "2026-05-01T00:00:00Z", "by": "acme-ops", "on": "2026-11-01"},
        rotation=said | {"automatic": True},
        usable=said | {"usable": True},
        kms={"observed_at": "2026-11-20T01:00:00Z", "enabled": True, "region": "us-east-1"},
    )
    database = database_data(
        tier="serverless",
        encryption="astra-provided",
        reason="holds public data only",
        data="stringent",
        application_encryption=said | {"encrypted": True, "method": "column encryption"},
    )
    return organization_data(
        owner="platform@acme.example",
        plan=said | {"paid": True},
        azure_preview=said | {"granted": False},
        keys=[key],
        databases=[database, planned_data()],
        region_views=[key_data(), place | {"region": "us-east-2", "key_id": None}],
        vendor_accounts=[place | {"account": "444455556666"}],
        cloud_keys=[cloud_key_data()],
        support_cases=[place | {"ticket": "TS1", "by": "acme-ops", "on": "2026-11-01"}],
        readings=[{"fact": "identity", "address": "/v2/currentOrg", "requests": 1, "answers": {}}],
        no_databases=said,
        gaps=[{"fact": "region-views", "reason": "refused", "detail": "HTTP 403"}],
        captured_at="2026-11-19T02:00:00Z",
        policy={
            "default": {"encryption": "customer-managed"},
            "types": {"serverless": {"encryption": "astra-provided", "reason": "a trial"}},
        },
    )


def test_yaml_and_json_tell_the_same(tmp_path: Path) -> None:
    """An inventory that states everything is read alike from YAML and JSON."""
    in_yaml = read_recorded(write_yaml(tmp_path / "a.yaml", document_data(full())))
    in_json = read_recorded(write_json(tmp_path / "a.json", document_data(full())))
    assert in_yaml.organizations == in_json.organizations
    (organization,) = in_yaml.organizations
    stated = set(organization.model_fields_set)
    assert stated == set(type(organization).model_fields)


def test_lines_of_entries(tmp_path: Path) -> None:
    """Every organization, and every entry of its lists, has the file and line it is from."""
    file = write_json(tmp_path / "a.json", document_data(full()))
    lines = Path(file).read_text(encoding="utf-8").splitlines()
    (organization,) = read_recorded(file).organizations
    found = {}
    for name in LISTS:
        entries = getattr(organization, name)
        assert {entry.file for entry in entries} == {file}
        found[name] = [entry.line for entry in entries]
    starts = [number for number, line in enumerate(lines, 1) if line == "        {"]
    assert organization.line == lines.index("    {") + 1
    assert functools.reduce(operator.iadd, found.values(), []) == starts[:9]


def test_source(tmp_path: Path) -> None:
    """A file is described by its path, size, hash, time and numbers."""
    file = write_yaml(tmp_path / "a.yml", document_data(full(), example=True))
    raw = Path(file).read_bytes()
    assert read_recorded(file, "history").source == Source(
        path=file,
        role="history",
        format="yaml",
        size=len(raw),
        sha256=hashlib.sha256(raw).hexdigest(),
        captured_at=CAPTURED_AT,
        complete=True,
        example=True,
        organizations=1,
        keys=1,
        databases=2,
    )


def test_lists_that_were_not_recorded(tmp_path: Path) -> None:
    """A list that is absent or empty in YAML's way was not recorded; [] says that there is none."""
    text = "cmek-inventory: 1\norganizations:\n- {id: a, name: a, keys: , databases: []}\n"
    (organization,) = read_recorded(write_text(tmp_path / "a.yaml", text)).organizations
    assert organization.keys is None
    assert organization.databases == ()
    assert organization.region_views is None
    assert {gap.fact for gap in organization.missing()} == {
        "serverless-keys",
        "managed-clusters-keys",
    }


# --- files that cannot be used --------------------------------------------------------------------


@pytest.mark.parametrize("name", ["a.txt", "yaml", "a.yaml.bak", ".yaml", "a"])
def test_unknown_ending(tmp_path: Path, name: str) -> None:
    """A file of another ending is refused by that, even if it holds an inventory."""
    file = write_text(tmp_path / name, ACME)
    expected = "a file ending in .yaml, .yml, .json or .ndjson"
    ending = repr(Path(file).suffix)
    assert problems(file) == [Problem(file, 0, "", f"the ending {ending}", expected)]


@pytest.mark.parametrize(
    ("name", "shown"),
    [("a.yaml", "yaml"), ("a.YML", "yaml"), ("a.b.Json", "json"), ("a.ndjson", "ndjson")],
)
def test_endings(name: str, shown: str) -> None:
    """The ending of a file tells its format, in any case."""
    assert format_of(name) == shown


def test_missing_file(tmp_path: Path) -> None:
    """A file that is missing is refused."""
    file = str(tmp_path / "a.yaml")
    assert problems(file) == [Problem(file, 0, "", "No such file or directory", "a readable file")]


def test_a_name_that_no_file_can_have(tmp_path: Path) -> None:
    """A name that is too long for a file is refused as one that is missing."""
    file = str(tmp_path / f"{'a' * 5_000}.yaml")
    assert problems(file) == [Problem(file, 0, "", "File name too long", "a readable file")]
    with pytest.raises(InventoryError, match="File name too long"):
        read_file(file)


def test_folder(tmp_path: Path) -> None:
    """A folder is refused even if it is named like a file."""
    (tmp_path / "a.yaml").mkdir()
    file = str(tmp_path / "a.yaml")
    assert problems(file) == [Problem(file, 0, "", "a folder", "an inventory")]


@pytest.mark.parametrize("text", ["", " \n\t\n", "\ufeff"])
def test_empty_file(tmp_path: Path, text: str) -> None:
    """An empty file is refused."""
    file = write_text(tmp_path / "a.yaml", text)
    assert problems(file) == [Problem(file, 0, "", "an empty file", "an inventory")]


@pytest.mark.parametrize("text", ["# nothing\n", "~"])
def test_no_content(tmp_path: Path, text: str) -> None:
    """A file without content is refused."""
    file = write_text(tmp_path / "a.yaml", text)
    assert problems(file) == [Problem(file, 1, "", "nothing", "a mapping")]


# --- every kind of mistake ------------------------------------------------------------------------

HEAD = "cmek-inventory: 1\norganizations:\n"
ACME = HEAD + "- id: acme\n  name: acme\n"
KEYS = ACME + "  keys:\n"
DATABASES = ACME + "  databases:\n"
KEY = "type: serverless, provider: aws, region: us-east-1, key_id: acme-key"
DB = "id: a, name: a, type: serverless, provider: aws, regions: [{name: us-east-1}]"
SAID = "by: acme, on: 2026-11-01"
VISIBLE = "visible ASCII characters without spaces"
ZONED = "a time with its zone, as text, such as 2026-11-20T02:00:00Z"
ORG = "organizations[0]"
FIELDS = "only the documented fields"

BROKEN: dict[str, tuple[str, set[tuple[int, str, str, str]]]] = {
    "another document": (
        "version: 1\n",
        {
            (1, "cmek-inventory", "nothing", "a value"),
            (1, "organizations", "nothing", "a value"),
            (1, "version", "an unknown field", "only the documented fields"),
        },
    ),
    "a list": ("- a\n", {(1, "", "a list of 1", "a mapping")}),
    "a text": ("acme\n", {(1, "", "'acme'", "a mapping")}),
    "another version": (
        "cmek-inventory: 2\norganizations: [{id: a, name: a}]\n",
        {(1, "cmek-inventory", "2", f"1; {NEWER_HINT}")},
    ),
    "a version as text": (
        "cmek-inventory: '1'\norganizations: [{id: a, name: a}]\n",
        {(1, "cmek-inventory", "'1'", "1, as a whole number without quotes")},
    ),
    "the version by another name": (
        "format: 1\norganizations: [{id: a, name: a}]\n",
        {
            (1, "cmek-inventory", "nothing", "a value"),
            (1, "format", "an unknown field", "only the documented fields"),
        },
    ),
    "no organizations": (
        "cmek-inventory: 1\norganizations: []\n",
        {(2, "organizations", "an empty list", "at least one")},
    ),
    "organizations by name": (
        "cmek-inventory: 1\norganizations:\n  acme: {id: a}\n",
        {(2, "organizations", "a mapping of 1", "a list")},
    ),
    "empty entry": (HEAD + "-\n", {(3, ORG, "nothing", "a mapping")}),
    "example as text": (
        "example: yes\n" + ACME,
        {(1, "example", "'yes'", "true or false; did you mean true?")},
    ),
    "no name": (HEAD + "- id: acme\n", {(3, f"{ORG}.name", "nothing", "a value")}),
    "number as name": (
        HEAD + "- {id: a,\n   name: 7}\n",
        {(4, f"{ORG}.name", "7", "text, in quotes")},
    ),
    "blank id": (HEAD + "- {id: 'a b', name: a}\n", {(3, f"{ORG}.id", "'a b'", VISIBLE)}),
    "misspelled field": (
        ACME + "  database: []\n",
        {(5, f"{ORG}.database", "an unknown field", f"{FIELDS}; did you mean 'databases'?")},
    ),
    "misspelled head": (
        "cmek_inventory: 1\n" + ACME,
        {(1, "cmek_inventory", "an unknown field", f"{FIELDS}; did you mean 'cmek-inventory'?")},
    ),
    "secret as field": (
        ACME + "  AstraCS:secret: 1\n",
        {(5, "", "what looks like a token", "a file without secrets")},
    ),
    "secret as value": (
        HEAD + "- id: acme\n  name: acme\n  plan: AstraCS:secret\n",
        {(5, "", "what looks like a token", "a file without secrets")},
    ),
    "mapping of keys": (
        KEYS + "    acme: {}\n",
        {(5, f"{ORG}.keys", "a mapping of 1", "a list")},
    ),
    "key without anything": (
        KEYS + "  - {}\n",
        {
            (6, f"{ORG}.keys[0].{field}", "nothing", "a value")
            for field in ("type", "provider", "region", "key_id")
        },
    ),
    "empty values": (
        KEYS + f"  - {{{KEY.replace('us-east-1', '')}}}\n",
        {(6, f"{ORG}.keys[0].region", "nothing", "text")},
    ),
    "attestation by nobody": (
        KEYS + f"  - {{{KEY}, rotation: {{automatic: true, by: ' ', on: 2026-11-01}}}}\n",
        {(6, f"{ORG}.keys[0].rotation.by", "' '", "text, not blank")},
    ),
    "attestation without a clear word": (
        KEYS + f"  - {{{KEY}, rotation: {{automatic: yes, {SAID}}}}}\n",
        {(6, f"{ORG}.keys[0].rotation.automatic", "'yes'", "true or false; did you mean true?")},
    ),
    "attestation on a time": (
        KEYS + f"  - {{{KEY}, usable: {{usable: true, by: acme, on: 2026-11-01T00:00:00Z}}}}\n",
        {
            (
                6,
                f"{ORG}.keys[0].usable.on",
                "'2026-11-01T00:00:00Z', a time instead of a day",
                "a day, as text, such as 2026-11-20",
            )
        },
    ),
    "registration after its statement": (
        KEYS + f"  - {{{KEY}, registered: {{at: 2026-11-02T00:00:00Z, {SAID}}}}}\n",
        {
            (
                6,
                f"{ORG}.keys[0].registered",
                "a mapping of 3",
                "a time no later than the day of the statement",
            )
        },
    ),
    "times": (
        DATABASES
        + f"  - {{{DB}, created_at: 2026-11-01}}\n"
        + f"  - {{{DB.replace('id: a', 'id: b')},\n     created_at: 1795140000}}\n"
        + f"  - {{{DB.replace('id: a', 'id: c')}, created_at: 2009-01-01T00:00:00Z}}\n",
        {
            (6, f"{ORG}.databases[0].created_at", "'2026-11-01', a day without a time", ZONED),
            (8, f"{ORG}.databases[1].created_at", "1795140000", ZONED),
            (
                9,
                f"{ORG}.databases[2].created_at",
                "'2009-01-01T00:00:00Z'",
                "a time after 2010, as Astra did not exist before",
            ),
        },
    ),
    "databases": (
        DATABASES
        + f"  - {{{DB.replace('id: a, ', '')}}}\n"
        + f"  - {{{DB}, encryption: astra-provided}}\n"
        + f"  - {{{DB}, encryption: none}}\n"
        + f"  - {{{DB.replace('type: serverless, ', '')}}}\n"
        + f"  - {{{DB}, tier: C10}}\n"
        + f"  - {{{DB}, state: terminated}}\n"
        + f"  - {{{DB.replace('[{name: us-east-1}]', '[]')}}}\n"
        + f"  - {{{DB.replace('[{name: us-east-1}]', '[us-east-1]')}}}\n"
        + f"  - {{{DB.replace('}]', '}, {name: us-east-1}]')}}}\n",
        {
            (6, f"{ORG}.databases[0]", "a mapping of 4", "an id, or state: planned"),
            (
                7,
                f"{ORG}.databases[1]",
                "a mapping of 6",
                "a reason with encryption: astra-provided",
            ),
            (
                8,
                f"{ORG}.databases[2].encryption",
                "'none'",
                "'customer-managed' or 'astra-provided'",
            ),
            (9, f"{ORG}.databases[3]", "a mapping of 4", "a type, or the tier that Astra reported"),
            (
                10,
                f"{ORG}.databases[4]",
                "a mapping of 6",
                "no type that contradicts the tier",
            ),
            (11, f"{ORG}.databases[5].state", "'terminated'", "'existing' or 'planned'"),
            (12, f"{ORG}.databases[6].regions", "an empty list", "at least one"),
            (13, f"{ORG}.databases[7].regions[0]", "'us-east-1'", "a mapping"),
            (14, f"{ORG}.databases[8]", "a mapping of 5", "each region at most once"),
        },
    ),
    "policy in two spellings": (
        ACME
        + "  policy:\n    types:\n      classic: {encryption: customer-managed}\n"
        + "      managed clusters: {encryption: customer-managed}\n",
        {(6, f"{ORG}.policy.types", "a mapping of 2", "each database type at most once")},
    ),
    "policy without reason": (
        ACME + "  policy:\n    default: {encryption: astra-provided}\n",
        {
            (
                6,
                f"{ORG}.policy.default",
                "a mapping of 1",
                "a reason with encryption: astra-provided",
            )
        },
    ),
    "gap of no known kind": (
        ACME + "  gaps:\n  - {fact: keys, reason: 403}\n",
        {
            (
                6,
                f"{ORG}.gaps[0].fact",
                "'keys'",
                f"{', '.join(map(repr, FACTS[:-1]))} or {FACTS[-1]!r}",
            ),
            (
                6,
                f"{ORG}.gaps[0].reason",
                "403",
                f"{', '.join(map(repr, REASONS[:-1]))} or {REASONS[-1]!r}",
            ),
        },
    ),
    "twins": (
        KEYS
        + f"  - {{{KEY}}}\n  - {{{KEY.replace('serverless', 'Astra DB Serverless')}}}\n"
        + f"  databases:\n  - {{{DB}}}\n  - {{{DB.replace('name: a', 'name: b')}}}\n"
        + f"  region_views:\n  - {{{KEY}}}\n  - {{{KEY.replace('acme-key', 'other')}}}\n"
        + "- id: acme\n  name: other\n",
        {
            (
                7,
                "",
                "a duplicate key 'serverless aws us-east-1 acme-key'",
                "each key once, first on line 6",
            ),
            (10, "", "a duplicate database 'a'", "each database once, first on line 9"),
            (
                13,
                "",
                "a duplicate region view 'serverless aws us-east-1'",
                "each region view once, first on line 12",
            ),
            (14, "", "a duplicate organization 'acme'", "each organization once"),
        },
    ),
    "planned twins": (
        DATABASES
        + "  - &a {name: a, tier: classic, provider: aws, regions: [{name: a}], state: planned}\n"
        + "  - *a\n",
        {
            (
                6,
                "",
                "a duplicate database 'planned a'",
                "each database once, first on line 6",
            )
        },
    ),
    "mistakes in text and content": (
        ACME + "  name: acme\n  plan: !!str yes\n  keys: 1\n",
        {
            (5, f"{ORG}.name", "a duplicate key", "each key once"),
            (
                6,
                f"{ORG}.plan",
                "the tag 'tag:yaml.org,2002:str'",
                "a plain value without a tag",
            ),
            (6, f"{ORG}.plan", "'yes'", "a mapping"),
            (7, f"{ORG}.keys", "1", "a list"),
        },
    ),
    "a second key alone": (
        ACME + "  name: acme\n",
        {(5, f"{ORG}.name", "a duplicate key", "each key once")},
    ),
}


@pytest.mark.parametrize("case", BROKEN)
def test_mistakes(tmp_path: Path, case: str) -> None:
    """Every mistake of a file is reported at once, with its line and what is expected."""
    text, expected = BROKEN[case]
    file = write_text(tmp_path / "a.yaml", text)
    found = [tuple(problem)[1:] for problem in problems(file)]
    assert set(found) == expected
    assert len(found) == len(expected)


def test_same_database_in_two_organizations(tmp_path: Path) -> None:
    """What stands in two organizations stands there once each."""
    one, two = organization_data(), organization_data(id=OTHER_ORGANIZATION)
    recorded = read_recorded(write_yaml(tmp_path / "a.yaml", document_data(one, two)))
    assert [organization.id for organization in recorded.organizations] == [
        ORGANIZATION,
        OTHER_ORGANIZATION,
    ]
    assert {
        organization.databases[0].id
        for organization in recorded.organizations
        if organization.databases
    } == {DATABASE}


def test_two_versions_of_one_key(tmp_path: Path) -> None:
    """A key that a file lists under two versions stays two entries, and is no repetition."""
    ids = [gcp_key_id(version=1), gcp_key_id(version=2)]
    keys = [key_data(provider="gcp", region="us-east1", key_id=key_id) for key_id in ids]
    file = write_yaml(tmp_path / "a.yaml", document_data(organization_data(keys=keys)))
    (organization,) = read_recorded(file).organizations
    assert [key.key_id for key in organization.keys or ()] == ids


def test_a_large_document_points_to_streams(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file with more entries than people write by hand has a note on faster formats."""
    file = write_json(tmp_path / "a.json", document_data(organization_data()))
    assert read_recorded(file).source.notes == ()
    monkeypatch.setattr(yaml_json, "MOST_AS_DOCUMENT", 1)
    assert read_recorded(file).source.notes == (LARGE,)
    assert "cmek-audit convert" in LARGE
