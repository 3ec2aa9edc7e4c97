"""Spellings of types, providers and tiers."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory.errors import InventoryError, Problem
from inventory.files.yaml_json import read_recorded
from inventory.model.vocabulary import (
    PROVIDERS,
    TYPES,
    canonical_provider,
    canonical_type,
    type_of_tier,
)
from tests.builders import write_text
from tests.hypothesis_profile import examples


def in_any_case(text: str) -> list[str]:
    mixed = "".join(random.Random(text).choice([a, a.upper()]) for a in text)
    return [text, text.upper(), text.title(), mixed]


@pytest.mark.parametrize(("spelling", "meant"), TYPES.items())
def test_types(spelling: str, meant: str) -> None:
    """Each spelling of a database type is understood in any case."""
    assert {canonical_type(text) for text in in_any_case(spelling)} == {meant}


@pytest.mark.parametrize(("spelling", "meant"), PROVIDERS.items())
def test_providers(spelling: str, meant: str) -> None:
    """Each spelling of a provider is understood in any case."""
    assert {canonical_provider(text) for text in in_any_case(spelling)} == {meant}


@pytest.mark.parametrize("value", ["", "aws ", "amazon", "astra", "unknown", 1, None, ["aws"]])
def test_other_values(value: object) -> None:
    """A value that spells nothing is left as it is, to be refused by name."""
    assert canonical_type(value) is value
    assert canonical_provider(value) is value


def test_unknown_spellings_in_a_file(tmp_path: Path) -> None:
    """An unknown spelling is an error that names file, line, field, and what would be right."""
    text = """\
cmek-inventory: 1
organizations:
  - id: acme
    name: acme
    policy:
      types:
        astra: {encryption: customer-managed}
    keys:
      - {type: astra, provider: oracle, region: us-east-1, key_id: acme}
    databases:
      - {id: a, name: a, type: vector, provider: AWS , regions: [{name: a}]}
      - {id: b, name: b, type: unknown, provider: aws, regions: [{name: a}]}
"""
    file = write_text(tmp_path / "a.yaml", text)
    with pytest.raises(InventoryError) as caught:
        read_recorded(file)
    types, providers = "'serverless' or 'managed-clusters'", "'aws', 'gcp' or 'azure'"
    shown = "a database type, or the tier that Astra reported"
    where = "organizations[0]."
    assert set(caught.value.problems) == {
        Problem(file, 7, f"{where}policy.types.astra", "'astra'", types),
        Problem(file, 9, f"{where}keys[0].type", "'astra'", types),
        Problem(file, 9, f"{where}keys[0].provider", "'oracle'", providers),
        Problem(file, 11, f"{where}databases[0].type", "'vector'", types),
        Problem(file, 12, f"{where}databases[1].type", "'unknown'", shown),
    }


def test_spellings_in_a_file(tmp_path: Path) -> None:
    """A file may spell types and providers as the documentation does."""
    text = """\
cmek-inventory: 1
organizations:
  - id: acme
    name: acme
    policy:
      types:
        Astra Managed Clusters: {encryption: customer-managed}
    keys:
      - {type: Astra DB Serverless, provider: Google Cloud, region: us-east1, key_id: acme}
    region_views:
      - {type: Classic, provider: Amazon Web Services, region: us-east-1, key_id: }
    support_cases:
      - {type: SERVERLESS, provider: GCP, region: a, ticket: TS1, by: acme, on: 2026-11-20}
    databases:
      - {id: a, name: a, type: Classic, provider: AWS, regions: [{name: a, provider: Azure}]}
"""
    (acme,) = read_recorded(write_text(tmp_path / "a.yaml", text)).organizations
    assert acme.keys is not None
    assert acme.region_views is not None
    assert acme.databases is not None
    lists: list[tuple[Any, ...]] = [acme.keys, acme.region_views, acme.support_cases]
    assert [(entry.type, entry.provider) for (entry,) in [*lists, acme.databases]] == [
        ("serverless", "gcp"),
        ("managed-clusters", "aws"),
        ("serverless", "gcp"),
        ("managed-clusters", "aws"),
    ]
    assert acme.databases[0].regions[0].provider == "azure"
    assert set(acme.policy.types) == {"managed-clusters"}


@pytest.mark.parametrize(
    ("tier", "meant"),
    [
        ("serverless", "serverless"),
        ("Serverless", "serverless"),
        ("classic", "managed-clusters"),
        *(
            (tier, "managed-clusters")
            for tier in ["A5", "A10", "A20", "A40", "C10", "C20", "C40", "D10", "D20", "D40"]
        ),
        ("d40", "managed-clusters"),
        ("E1", "managed-clusters"),
        ("E250", "managed-clusters"),
        ("developer", "unknown"),
        ("cloudnative", "unknown"),
        ("A50", "unknown"),
        ("C5", "unknown"),
        ("D10 ", "unknown"),
        ("xD10", "unknown"),
        ("E", "unknown"),
        ("E1000", "unknown"),
        ("", "unknown"),
    ],
)
def test_tiers(tier: str, meant: str) -> None:
    """A tier tells the database type, or that it is unknown."""
    assert type_of_tier(tier) == meant


@examples(100)
@given(st.text(max_size=12))
def test_any_tier(tier: str) -> None:
    """Any tier at all has a type, if only the unknown one."""
    assert type_of_tier(tier) in {"serverless", "managed-clusters", "unknown"}
