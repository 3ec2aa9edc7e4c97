"""Who may use a key in Google Cloud: bindings of the key and of its key ring."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.access.answers import Outsiders, VendorAccess
from checks.access.google_access import google_outsiders, google_vendor_access, list_of_members
from inventory.model.kms import RoleBinding
from tests.hypothesis_profile import examples

VENDOR = "vendor-prod"
ACCOUNT = "serviceAccount:astra@vendor-prod.iam.gserviceaccount.com"
OTHER = "serviceAccount:other@vendor-prod.iam.gserviceaccount.com"
AGENT = "serviceAccount:service-123456789@compute-system.iam.gserviceaccount.com"
FOREIGN = "serviceAccount:backup@foreign-prod.iam.gserviceaccount.com"
OWN = "serviceAccount:app@acme-prod.iam.gserviceaccount.com"
BOTH = "roles/cloudkms.cryptoKeyEncrypterDecrypter"
ENCRYPTER = "roles/cloudkms.cryptoKeyEncrypter"
DECRYPTER = "roles/cloudkms.cryptoKeyDecrypter"


def binding(role: str, *members: str, on: str = "key", condition: str | None = None) -> RoleBinding:
    """Make a binding on the key, or on its key ring."""
    data = {"on": on, "role": role, "members": members, "condition": condition}
    return RoleBinding.model_validate(data)


ALLOWED = VendorAccess(VENDOR)
INHERITED = VendorAccess(VENDOR, is_inherited=True)


@pytest.mark.parametrize(
    "bindings",
    [
        [binding(BOTH, ACCOUNT)],
        [binding(BOTH, OWN, ACCOUNT, on="key-ring")],
        [binding(f"{BOTH}ViaDelegation", ACCOUNT)],
        [binding(ENCRYPTER, ACCOUNT), binding(DECRYPTER, ACCOUNT, on="key-ring")],
        [binding(ENCRYPTER, ACCOUNT), binding(f"{DECRYPTER}ViaDelegation", ACCOUNT)],
        [binding(BOTH, "allUsers")],
        [binding(ENCRYPTER, "allAuthenticatedUsers"), binding(DECRYPTER, ACCOUNT)],
        [binding(BOTH, AGENT, ACCOUNT), binding("roles/owner", ACCOUNT)],
    ],
)
def test_both_rights_on_the_key_or_its_ring_are_enough(bindings: list[RoleBinding]) -> None:
    """A service account of the project that encrypts and decrypts may use the key."""
    assert google_vendor_access(bindings, VENDOR) == ALLOWED


@pytest.mark.parametrize(
    "bindings",
    [
        [],
        [binding(BOTH, OWN)],
        [binding(BOTH)],
        [binding(ENCRYPTER, ACCOUNT)],
        [binding(DECRYPTER, ACCOUNT)],
        [binding("roles/cloudkms.admin", ACCOUNT), binding("roles/cloudkms.viewer", ACCOUNT)],
        [binding(BOTH, "user:vendor-prod@example.com", "group:astra@vendor-prod.example.com")],
        [binding(BOTH, "serviceAccount:vendor-prod@other-prod.iam.gserviceaccount.com")],
        [binding(BOTH, f"deleted:{ACCOUNT}?uid=1")],
    ],
)
def test_what_is_not_shown_may_be_inherited(bindings: list[RoleBinding]) -> None:
    """A right that neither the key nor its ring gives is not known to be missing."""
    assert google_vendor_access(bindings, VENDOR) == INHERITED


@pytest.mark.parametrize(
    "bindings",
    [
        [binding(BOTH, ACCOUNT, condition="request.time < timestamp('2027-01-01T00:00:00Z')")],
        [binding(BOTH, AGENT)],
        [binding(BOTH, "principalSet://iam.googleapis.com/projects/1/x")],
        [binding("roles/owner", ACCOUNT)],
        [binding("projects/acme-prod/roles/astra", ACCOUNT)],
        [binding(ENCRYPTER, ACCOUNT), binding(DECRYPTER, OTHER)],
        [binding(ENCRYPTER, ACCOUNT), binding("roles/editor", ACCOUNT)],
    ],
)
def test_a_binding_that_may_be_enough_is_quoted(bindings: list[RoleBinding]) -> None:
    """A condition, a number, a role that is not known, or two accounts leave it open."""
    found = google_vendor_access(bindings, VENDOR)
    assert (found.unclear, found.is_inherited) == (("encrypt", "decrypt"), False)
    assert len(found.clauses) == len(bindings)


def test_a_binding_is_quoted_with_place_and_condition() -> None:
    """A binding is quoted by its role, on what it is, its members and its condition."""
    open_one = binding(BOTH, ACCOUNT, on="key-ring", condition="true")
    (clause,) = google_vendor_access([open_one], VENDOR).clauses
    assert (clause.code, clause.quote) == (
        f"key-ring {BOTH}",
        f"the role {BOTH} on the key ring: {ACCOUNT} under the condition true",
    )


MEMBERS = st.sampled_from(
    [ACCOUNT, OTHER, AGENT, FOREIGN, OWN, "allUsers", "user:ada@acme.example"]
)
BINDINGS = st.lists(
    st.builds(
        lambda role, members, condition: binding(role, *members, condition=condition),
        st.sampled_from([BOTH, ENCRYPTER, DECRYPTER, "roles/owner", "roles/cloudkms.viewer", "x"]),
        st.lists(MEMBERS, max_size=3),
        st.none() | st.just("true"),
    ),
    max_size=4,
)


@examples(200)
@given(bindings=BINDINGS, data=st.data())
def test_order_and_conditions(bindings: list[RoleBinding], data: st.DataObject) -> None:
    """The order of bindings makes no difference, and a condition never makes an answer surer."""
    found = google_vendor_access(bindings, VENDOR)
    other = google_vendor_access(data.draw(st.permutations(bindings)), VENDOR)
    assert found._replace(clauses=()) == other._replace(clauses=())
    limited = [one.model_copy(update={"condition": "true"}) for one in bindings]
    assert google_vendor_access(limited, VENDOR) != ALLOWED
    assert found.missing == ()


# --- everybody else -------------------------------------------------------------------------------


def outsiders(*bindings: RoleBinding, vendors: tuple[str, ...] = (VENDOR,)) -> Outsiders:
    """Return who else may use a key of the project acme-prod."""
    return google_outsiders(bindings, "acme-prod", vendors)


@pytest.mark.parametrize(
    "bindings",
    [
        [],
        [binding(BOTH, OWN, ACCOUNT, OTHER)],
        [binding("roles/owner", OWN), binding("roles/cloudkms.admin", OWN)],
        [binding("roles/cloudkms.viewer", FOREIGN, "allUsers", "user:ada@acme.example")],
        [binding("projects/acme-prod/roles/x", OWN, condition="true")],
    ],
)
def test_owner_and_vendor_are_no_outsiders(bindings: list[RoleBinding]) -> None:
    """Accounts of the owner's project and of the vendor's, and whoever only reads, are none."""
    assert outsiders(*bindings) == Outsiders()


@pytest.mark.parametrize(
    ("member", "account"),
    [
        ("allUsers", ""),
        ("allAuthenticatedUsers", ""),
        (FOREIGN, "foreign-prod"),
        ("serviceAccount:x@acme-prod.example.com.iam.gserviceaccount.com", "acme-prod.example.com"),
    ],
)
@pytest.mark.parametrize("role", [BOTH, ENCRYPTER, "roles/cloudkms.admin", "roles/owner"])
def test_everybody_and_other_projects_are_outsiders(member: str, account: str, role: str) -> None:
    """Everybody, and a service account of a third project, may use the key by a binding."""
    found = outsiders(binding(role, OWN, member))
    assert [one.account for one in found.found] == [account]
    assert (found.found[0].clauses[0].code, found.unclear) == (f"key {role} {member}", ())


@pytest.mark.parametrize(
    ("role", "member", "condition"),
    [
        (BOTH, "allUsers", "true"),
        (BOTH, FOREIGN, "true"),
        ("projects/acme-prod/roles/x", FOREIGN, None),
        ("projects/acme-prod/roles/x", "allUsers", None),
        ("roles/editor", FOREIGN, None),
        (BOTH, AGENT, None),
        (BOTH, "user:ada@acme.example", None),
        (BOTH, "group:all@acme.example", None),
        (BOTH, "domain:acme.example", None),
        (BOTH, "principal://iam.googleapis.com/locations/global/x", None),
        (BOTH, "?", None),
    ],
)
def test_what_leaves_it_open_is_quoted(role: str, member: str, condition: str | None) -> None:
    """A member whose project is not shown, a condition or an unknown role leaves it open."""
    found = outsiders(binding(role, member, condition=condition))
    assert (found.found, [clause.code for clause in found.unclear]) == (
        (),
        [f"key {role} {member}"],
    )


def test_deleted_members_are_a_note() -> None:
    """Whoever was deleted uses no key, and is noted once."""
    gone = f"deleted:{FOREIGN}?uid=1"
    found = outsiders(binding(BOTH, gone), binding(ENCRYPTER, gone))
    assert found == Outsiders(notes=(f"It also names deleted members: {gone}.",))


def test_the_vendor_may_be_named_by_an_account() -> None:
    """If Astra names a service account, others of its project are the vendor's as well."""
    found = outsiders(binding(BOTH, OTHER, FOREIGN), vendors=(ACCOUNT,))
    assert [one.account for one in found.found] == ["foreign-prod"]


@examples(200)
@given(bindings=BINDINGS, member=MEMBERS)
def test_a_further_member_never_makes_a_key_exclusive(
    bindings: list[RoleBinding], member: str
) -> None:
    """To let one more member use a key never removes an outsider, or what leaves one open."""
    before = outsiders(*bindings)
    after = outsiders(*bindings, binding(BOTH, member))
    assert {one.account for one in before.found} <= {one.account for one in after.found}
    assert set(before.unclear) <= set(after.unclear)


def test_a_list_of_members_is_a_binding_for_them() -> None:
    """Those who may use a key by a list may encrypt and decrypt, and an empty one has nobody."""
    assert google_vendor_access(list_of_members([OWN, ACCOUNT]), VENDOR) == ALLOWED
    empty: list[Any] = []
    assert list_of_members(empty) == ()
