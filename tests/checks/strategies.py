"""What hypothesis draws for the tests of judges: organizations of any kind."""

from __future__ import annotations

import json
from typing import Any, get_args

from hypothesis import strategies as st

from inventory.model.gaps import Fact, Gap
from inventory.model.kms import KmsFact, KmsGap, RoleBinding
from inventory.model.organization import Organization
from inventory.model.planned_keys import KeyChange, PlannedKey, UndeterminedKey
from inventory.model.terraform_managed import ManagedResources
from inventory.terraform.plan import PLAN_ONLY
from tests.builders import (
    a_database,
    a_key,
    a_planned_database,
    a_support_case,
    a_view,
    an_organization,
    aws_key_id,
    azure_key_id,
    gcp_key_id,
    kms_facts,
    uuid,
)
from tests.checks.judging import of_unknown_type

TYPES = st.sampled_from(["serverless", "managed-clusters"])
PROVIDERS = st.sampled_from(["aws", "gcp", "azure"])
REGIONS = st.sampled_from(["us-east-1", "us-east1"])
TIMES = st.none() | st.sampled_from(
    ["2026-03-01T00:00:00Z", "2026-06-01T00:00:00Z", "2026-11-20T02:00:00Z", "2027-01-01T00:00:00Z"]
)
DAYS = st.sampled_from(["2025-01-01", "2026-11-01", "2026-12-01"])
KEY_IDS = st.sampled_from(
    [
        aws_key_id(),
        aws_key_id(number=2),
        gcp_key_id(),
        gcp_key_id(version=1),
        gcp_key_id(version=2),
        azure_key_id(),
        "arn:aws:kms:us-east-1:111122223333:alias/acme",
        "acme",
    ]
)
BY = {"by": "acme-security"}


def shown(**over: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any] | None]:
    return st.none() | st.fixed_dictionaries({"by": st.just("acme-security"), "on": DAYS} | over)


REGION_LOOKS = shown(key=st.sampled_from(["customer", "astra"]))
FLAG = st.none() | st.booleans()
EVERYTHING = {"Action": "kms:*", "Resource": "*"}
KEY_POLICIES = st.sampled_from(
    [
        "{",
        *(
            json.dumps({"Statement": {"Effect": "Allow", "Principal": {"AWS": name}} | EVERYTHING})
            for name in ("arn:aws:iam::111122223333:root", "999988887777", "*")
        ),
    ]
)
BINDINGS = st.lists(
    st.builds(
        RoleBinding,
        on=st.sampled_from(["key", "key-ring"]),
        role=st.sampled_from(["roles/cloudkms.cryptoKeyEncrypterDecrypter", "roles/owner"]),
        members=st.sampled_from([("allUsers",), ("user:ada@acme.example",), ()]),
    ),
    max_size=2,
)
UNREAD = st.lists(
    st.builds(
        KmsGap,
        fact=st.sampled_from(get_args(KmsFact)),
        reason=st.sampled_from(["refused", "not-requested", "library-missing"]),
    ),
    max_size=2,
)
KMS = st.none() | st.builds(
    kms_facts,
    observed_at=st.sampled_from(["2026-01-01T00:00:00Z", "2026-11-20T02:00:00Z"]),
    enabled=FLAG,
    granted_to_astra=FLAG,
    rotation_enabled=FLAG,
    created_at=TIMES,
    never_used=FLAG,
    owner=st.none() | st.sampled_from(["111122223333", "acme-prod"]),
    deletion_at=st.none() | st.just("2026-12-01T00:00:00Z"),
    policy=st.none() | KEY_POLICIES,
    grants=st.none() | st.just(()),
    bindings=st.none() | BINDINGS,
    unread=UNREAD,
)
REGISTERED = st.none() | st.sampled_from(
    [
        BY | {"at": "2026-05-01T00:00:00Z", "on": "2026-05-01"},
        BY | {"at": "2026-06-01T00:00:00Z", "on": "2026-12-01"},
    ]
)
KEYS = st.lists(
    st.builds(
        a_key,
        type=TYPES,
        provider=PROVIDERS,
        region=REGIONS,
        key_id=KEY_IDS,
        registered=REGISTERED,
        rotation=shown(automatic=st.booleans()),
        usable=shown(usable=st.booleans()),
        portal=shown(status=st.sampled_from(["in-use", "available"])),
        kms=KMS,
    ),
    max_size=4,
    unique_by=lambda key: (key.type, key.provider, key.region, key.key_id),
)


@st.composite
def databases(draw: st.DrawFn) -> list[Any]:
    """Draw existing and planned databases, of known types and of unknown ones."""
    made = []
    for number in range(draw(st.integers(0, 4))):
        regions = draw(st.lists(REGIONS, min_size=1, max_size=2, unique=True))
        shape: dict[str, Any] = {
            "name": "acme",
            "provider": draw(PROVIDERS),
            "regions": [
                {"name": region, "added_at": draw(TIMES), "portal": draw(REGION_LOOKS)}
                for region in regions
            ],
            "created_at": draw(TIMES),
            "data": draw(st.sampled_from(["ordinary", "stringent"])),
            "application_encryption": draw(shown(encrypted=st.booleans())),
        }
        if draw(st.booleans()):
            shape |= {"encryption": "astra-provided", "reason": "public data"}
        gone = {"status": draw(st.sampled_from(["ACTIVE", "TERMINATED"]))}
        kind = draw(st.sampled_from(["known", "unknown", "planned"]))
        if kind == "planned":
            own: dict[str, Any] = {"name": f"acme-{number}", "type": draw(TYPES)}
            own["created_at"] = None
            own["regions"] = [{"name": region} for region in regions]
            made.append(a_planned_database(**(shape | own)))
        elif kind == "known":
            made.append(a_database(**shape, **gone, id=uuid(number), type=draw(TYPES)))
        else:
            made.append(of_unknown_type(**shape, **gone, id=uuid(number)))
    return made


VIEWS = st.none() | st.lists(
    st.builds(a_view, type=TYPES, provider=PROVIDERS, region=REGIONS, key_id=st.none() | KEY_IDS),
    max_size=3,
    unique_by=lambda view: (view.type, view.provider, view.region),
)
GAPS = st.lists(
    st.sampled_from([Gap(fact=fact, reason="refused") for fact in get_args(Fact)]), max_size=2
)
POLICIES = st.sampled_from(
    [{}, {"types": {"classic": {"encryption": "astra-provided", "reason": "public data"}}}]
)
CASES = st.lists(
    st.builds(a_support_case, type=TYPES, on=st.sampled_from(["2026-04-01", "2026-08-01"])),
    max_size=2,
)


@st.composite
def organizations(draw: st.DrawFn, number: int) -> Organization:
    """Draw an organization of any kind, with or without its lists."""
    return an_organization(
        id=uuid(number),
        name="acme",
        keys=draw(st.none() | KEYS),
        databases=draw(st.none() | databases()),
        region_views=draw(VIEWS),
        plan=draw(shown(paid=st.booleans())),
        azure_preview=draw(shown(granted=st.booleans())),
        no_databases=draw(shown()),
        policy=draw(POLICIES),
        support_cases=draw(CASES),
        gaps=draw(GAPS),
        captured_at=draw(TIMES),
    )


inventories = st.tuples(organizations(1), organizations(2))


# --- plans ----------------------------------------------------------------------------------------

ADDRESSES = ("astra_database.a", "astra_database.b", "")
AWAITED = st.frozensets(st.sampled_from(ADDRESSES[:2]))
PLANNED_KEYS = st.builds(
    PlannedKey,
    type=TYPES,
    provider=PROVIDERS,
    region=REGIONS,
    key_id=st.none() | KEY_IDS,
    missing=st.just("known only after apply"),
    change=st.sampled_from(get_args(KeyChange)),
    awaited_by=AWAITED,
)
UNDETERMINED_KEYS = st.builds(
    UndeterminedKey,
    name=st.just("astra_customer_key.z"),
    missing=st.just("region known only after apply"),
    change=st.sampled_from(get_args(KeyChange)),
)


@st.composite
def plans(draw: st.DrawFn, number: int) -> Organization:
    """Draw what a plan holds of an organization: databases with and without address, and keys."""
    databases = [
        a_planned_database(
            name=f"plan-{place}",
            type=draw(TYPES),
            provider=draw(PROVIDERS),
            regions=draw(st.lists(REGIONS, min_size=1, max_size=2, unique=True)),
        ).at("plan.json", place, address)
        for place, address in enumerate(draw(st.lists(st.sampled_from(ADDRESSES), unique=True)), 1)
    ]
    keys = [
        key.model_copy().at("plan.json", 10 + place, f"astra_customer_key.k{place}")
        for place, key in enumerate(draw(st.lists(PLANNED_KEYS, max_size=3)))
    ]
    hidden = [key.model_copy().at("plan.json", 9) for key in draw(st.lists(UNDETERMINED_KEYS))[:1]]
    managed = ManagedResources(planned_keys=tuple(keys), undetermined_keys=tuple(hidden))
    plan = an_organization(
        id=uuid(number), name="acme", keys=None, databases=databases, plan=None, gaps=[PLAN_ONLY]
    )
    return plan.with_managed(managed)
