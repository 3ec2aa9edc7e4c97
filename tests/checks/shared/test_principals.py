"""Who may use a key, compared with the vendor's account: no name makes a grant by itself."""

from __future__ import annotations

from string import ascii_letters, ascii_lowercase, digits
from typing import TYPE_CHECKING

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from checks.shared.principals import Comparison, compare, compare_all, grant_of, open_to_anybody

if TYPE_CHECKING:
    from checks.shared.principals import Grant

VENDOR = "999988887777"
OWN = "111122223333"
ROOT = f"arn:aws:iam::{VENDOR}:root"
ROLE = f"arn:aws:iam::{VENDOR}:role/astra"
OWN_ROLE = f"arn:aws:iam::{OWN}:role/astra"
USER = f"arn:aws:iam::{VENDOR}:user/astra"
SESSION = f"arn:aws:sts::{VENDOR}:assumed-role/astra/session"


def aws(principal: str, account: str = VENDOR, partition: str | None = "aws") -> Grant:
    return grant_of(principal, account, "aws", partition)


@pytest.mark.parametrize("account", [VENDOR, ROOT])
@pytest.mark.parametrize(
    ("principal", "expected"),
    [
        ("*", "granted"),
        (VENDOR, "granted"),
        (ROOT, "granted"),
        # One role, user or session may be the one that Astra uses, or another.
        (ROLE, "undecidable"),
        (USER, "undecidable"),
        (SESSION, "undecidable"),
        (f"arn:aws:sts::{VENDOR}:federated-user/astra", "undecidable"),
        (f"arn:aws:iam::{VENDOR}:group/astra", "undecidable"),
        (f"arn:aws:sts::{VENDOR}:root", "undecidable"),
        # Somebody else, whatever the name.
        (OWN, "not-granted"),
        (f"arn:aws:iam::{OWN}:root", "not-granted"),
        (f"arn:aws:iam::{OWN}:role/{VENDOR}", "not-granted"),
        (f"arn:aws:iam::{OWN}:role/{VENDOR}/root", "not-granted"),
        (f"arn:aws:iam::{OWN}:role/x@{VENDOR}", "not-granted"),
        (f"arn:aws:iam::{OWN}:user/{VENDOR}", "not-granted"),
        (f"arn:aws:sts::{OWN}:assumed-role/x/{VENDOR}", "not-granted"),
        (f"arn:aws:iam::{VENDOR}0:root", "not-granted"),
        (f"arn:aws:iam::{VENDOR[:-1]}:root", "not-granted"),
        (f"arn:aws-cn:iam::{VENDOR}:root", "not-granted"),
        (f"arn:aws-us-gov:iam::{VENDOR}:role/astra", "not-granted"),
        # Services, identity providers, and what was deleted.
        ("ec2.amazonaws.com", "not-granted"),
        (f"{VENDOR}.us-east-1.amazonaws.com", "not-granted"),
        ("ec2.amazonaws.com.cn", "not-granted"),
        ("accounts.google.com", "not-granted"),
        (f"arn:aws:iam::{VENDOR}:saml-provider/astra", "not-granted"),
        (f"arn:aws:iam::{VENDOR}:oidc-provider/example.com", "not-granted"),
        ("AROAEXAMPLEEXAMPLE123", "not-granted"),
        ("AIDAEXAMPLEEXAMPLE123", "not-granted"),
        # Nothing of AWS's.
        (f"x{ROOT}", "undecidable"),
        (f" {ROOT}", "undecidable"),
        (f"{ROOT} ", "undecidable"),
        (f"{ROOT}:x", "undecidable"),
        ("ec2.amazonaws.com:x", "undecidable"),
        ("x:ec2.amazonaws.com", "undecidable"),
        (f"arn:aws:iam:us-east-1:{VENDOR}:root", "undecidable"),
        (f"arn:aws:kms::{VENDOR}:root", "undecidable"),
        (f"arn:other:iam::{VENDOR}:root", "undecidable"),
        (f"ARN:AWS:IAM::{VENDOR}:ROOT", "undecidable"),
        (f"arn:aws:iam::{VENDOR}:role/*", "undecidable"),
        (f"arn:aws:iam::{VENDOR}:*", "undecidable"),
        ("arn:aws:iam::*:root", "undecidable"),
        ("arn:aws:iam:::root", "undecidable"),
        (f"{VENDOR}:root", "undecidable"),
        (f"{VENDOR},{OWN}", "undecidable"),
        (f"{VENDOR}0", "undecidable"),
        ("99998888777", "undecidable"),
        ("**", "undecidable"),
        ("AROA", "undecidable"),
        ("allUsers", "undecidable"),
        ("serviceAccount:astra@vendor-prod.iam.gserviceaccount.com", "undecidable"),
        ("", "undecidable"),
    ],
)
def test_an_account_of_aws_is_granted_as_a_whole(
    account: str, principal: str, expected: Grant
) -> None:
    """An account is granted by its number or its root, in the key's partition; a part is open."""
    assert aws(principal, account) == expected


@pytest.mark.parametrize(
    ("account", "principal", "expected"),
    [
        (ROLE, ROLE, "granted"),
        (ROLE, ROOT, "granted"),
        (ROLE, VENDOR, "granted"),
        (ROLE, "*", "granted"),
        (ROLE, f"{ROLE}-two", "not-granted"),
        (ROLE, USER, "not-granted"),
        (ROLE, f"arn:aws:iam::{OWN}:role/astra", "not-granted"),
        (ROLE, f"arn:aws-cn:iam::{VENDOR}:role/astra", "not-granted"),
        # No two roles differ by case alone; a session's ARN leaves the role's path out.
        (ROLE, f"arn:aws:iam::{VENDOR}:role/ASTRA", "undecidable"),
        (f"arn:aws:iam::{VENDOR}:role/ASTRA", ROLE, "undecidable"),
        (f"arn:aws:iam::{VENDOR}:role/ASTRA", f"arn:aws:iam::{VENDOR}:role/Astra", "undecidable"),
        # Only the service of identities has roles and users.
        (ROLE, f"arn:aws:sts::{VENDOR}:role/other", "undecidable"),
        (ROLE, SESSION, "undecidable"),
        (ROLE, f"arn:aws:iam::{VENDOR}:group/astra", "undecidable"),
        (USER, USER, "granted"),
        (USER, ROLE, "not-granted"),
        (SESSION, SESSION, "granted"),
        (SESSION, ROOT, "granted"),
        (SESSION, ROLE, "undecidable"),
    ],
)
def test_a_role_that_astra_names_is_granted_by_itself_or_its_account(
    account: str, principal: str, expected: Grant
) -> None:
    """If Astra names a role or a user, it counts, and so does the account that it belongs to."""
    assert aws(principal, account) == expected


@pytest.mark.parametrize("account", ["vendor", "", "99998888777", f"arn:aws:iam::{VENDOR}0:root"])
@pytest.mark.parametrize("principal", [VENDOR, ROOT, "vendor", "", "AROAEXAMPLEEXAMPLE123"])
def test_what_astra_names_unlike_an_account_is_never_compared(account: str, principal: str) -> None:
    """Where Astra's own word has no form of AWS, nobody can say who it is."""
    assert aws(principal, account) == "undecidable"


@pytest.mark.parametrize(
    ("partition", "account", "principal", "expected"),
    [
        ("aws-cn", VENDOR, VENDOR, "granted"),
        ("aws-cn", VENDOR, f"arn:aws-cn:iam::{VENDOR}:root", "granted"),
        ("aws-cn", VENDOR, ROOT, "not-granted"),
        # Astra names an account where the key is not.
        ("aws-cn", ROOT, VENDOR, "undecidable"),
        ("aws-cn", ROOT, f"arn:aws-cn:iam::{VENDOR}:root", "undecidable"),
        ("aws-cn", ROOT, ROOT, "not-granted"),
        # The key's id says no partition.
        (None, VENDOR, VENDOR, "granted"),
        (None, VENDOR, ROOT, "undecidable"),
        (None, ROOT, ROOT, "granted"),
        (None, ROOT, VENDOR, "undecidable"),
        (None, ROOT, f"arn:aws:iam::{OWN}:root", "not-granted"),
    ],
)
def test_a_grant_counts_in_the_partition_of_the_key(
    partition: str | None, account: str, principal: str, expected: Grant
) -> None:
    """The same number in two partitions is two accounts."""
    assert aws(principal, account, partition) == expected


# --- Google Cloud ---------------------------------------------------------------------------------

ACCOUNT = "serviceAccount:astra@vendor-prod.iam.gserviceaccount.com"
AGENT = "serviceAccount:service-123456789@compute-system.iam.gserviceaccount.com"
DEFAULT = "serviceAccount:123456789-compute@developer.gserviceaccount.com"
ALL_OF = "principalSet://cloudresourcemanager.googleapis.com/projects"


def google(principal: str, account: str = "vendor-prod") -> Grant:
    return grant_of(principal, account, "gcp", None)


@pytest.mark.parametrize("account", ["vendor-prod", "projects/vendor-prod"])
@pytest.mark.parametrize(
    ("principal", "expected"),
    [
        ("allUsers", "granted"),
        ("allAuthenticatedUsers", "granted"),
        (ACCOUNT, "granted"),
        ("astra@vendor-prod.iam.gserviceaccount.com", "granted"),
        ("serviceAccount:service-1@vendor-prod.iam.gserviceaccount.com", "granted"),
        ("vendor-prod", "granted"),
        ("projects/vendor-prod", "granted"),
        # Somebody else, whatever the name.
        ("user:vendor-prod@example.com", "not-granted"),
        ("group:a@vendor-prod.example.com", "not-granted"),
        ("domain:vendor-prod.example.com", "not-granted"),
        ("serviceAccount:vendor-prod@other.iam.gserviceaccount.com", "not-granted"),
        ("serviceAccount:astra@vendor-prod.example.com.iam.gserviceaccount.com", "not-granted"),
        (
            "serviceAccount:a@vendor-prod.iam.gserviceaccount.com.iam.gserviceaccount.com",
            "not-granted",
        ),
        ("serviceAccount:astra@vendor-prod2.iam.gserviceaccount.com", "not-granted"),
        ("other-project", "not-granted"),
        ("allusers", "not-granted"),
        ("projects/other-project", "not-granted"),
        ("example.com:vendor-prod", "not-granted"),
        (f"deleted:{ACCOUNT}?uid=123", "not-granted"),
        ("deleted:user:vendor-prod@example.com?uid=123", "not-granted"),
        # A number, of which nothing says which project has it.
        (AGENT, "undecidable"),
        ("serviceAccount:123456789-compute@developer.gserviceaccount.com", "undecidable"),
        ("serviceAccount:123456789@cloudservices.gserviceaccount.com", "undecidable"),
        (f"{ALL_OF}/123456789/type/ServiceAccount", "undecidable"),
        ("projects/123456789", "undecidable"),
        ("serviceAccount:service-123456789@other.iam.gserviceaccount.com", "undecidable"),
        ("serviceAccount:p123-x@gcp-sa-cloud-sql.iam.gserviceaccount.com", "undecidable"),
        # Who knows.
        (f"x {ACCOUNT}", "undecidable"),
        (f"{ACCOUNT} ", "undecidable"),
        (f"{ACCOUNT}.example.com", "undecidable"),
        ("xuser:vendor-prod@example.com", "undecidable"),
        ("user:vendor-prod@example.com:x", "undecidable"),
        ("serviceAccount:vendor-prod@appspot.gserviceaccount.com", "undecidable"),
        ("projectOwner:vendor-prod", "undecidable"),
        ("serviceaccount:astra@vendor-prod.iam.gserviceaccount.com", "undecidable"),
        ("serviceAccount:astra@VENDOR-PROD.iam.gserviceaccount.com", "undecidable"),
        ("serviceAccount:astra@x@vendor-prod.iam.gserviceaccount.com", "undecidable"),
        ("serviceAccount:vendor-prod", "undecidable"),
        ("VENDOR-PROD", "undecidable"),
        ("AllUsers", "undecidable"),
        ("*", "undecidable"),
        ("", "undecidable"),
        (f"{ALL_OF.replace('projects', 'folders')}/1/type/ServiceAccount", "undecidable"),
        (f"{ALL_OF}/123456789", "undecidable"),
        (f"{ALL_OF}/123456789/x", "undecidable"),
    ],
)
def test_a_project_of_google_is_granted_by_its_service_accounts(
    account: str, principal: str, expected: Grant
) -> None:
    """A project's id is all that stands between ``@`` and ``.iam``; nobody else is a project."""
    assert google(principal, account) == expected


@pytest.mark.parametrize("account", ["123456789", "projects/123456789"])
@pytest.mark.parametrize(
    ("principal", "expected"),
    [
        (AGENT, "granted"),
        (AGENT.removeprefix("serviceAccount:"), "granted"),
        ("serviceAccount:bq-123456789@bigquery-encryption.iam.gserviceaccount.com", "granted"),
        ("serviceAccount:123456789-compute@developer.gserviceaccount.com", "granted"),
        ("serviceAccount:123456789@cloudbuild.gserviceaccount.com", "granted"),
        (f"{ALL_OF}/123456789/type/ServiceAccount", "granted"),
        (f"{ALL_OF}/123456789/type/ServiceAgent", "granted"),
        ("123456789", "granted"),
        ("projects/123456789", "granted"),
        ("serviceAccount:service-1@compute-system.iam.gserviceaccount.com", "not-granted"),
        ("serviceAccount:1-compute@developer.gserviceaccount.com", "not-granted"),
        (f"{ALL_OF}/1234567890/type/ServiceAccount", "not-granted"),
        ("user:123456789@example.com", "not-granted"),
        # Anybody can give a service account such a name.
        ("serviceAccount:service-123456789@other.iam.gserviceaccount.com", "undecidable"),
        ("serviceAccount:service-123456789@gcp-sa-x.iam.gserviceaccount.com", "undecidable"),
        (ACCOUNT, "undecidable"),
        ("vendor-prod", "undecidable"),
        (f"{ALL_OF}/123456789/x", "undecidable"),
        (f"{ALL_OF}/123456789", "undecidable"),
        ("123456789/type/ServiceAccount", "undecidable"),
        ("principalSet://iam.googleapis.com/projects/123456789/x", "undecidable"),
        ("serviceAccount:123456789@developer.gserviceaccount.com", "undecidable"),
        ("x serviceAccount:123456789-compute@developer.gserviceaccount.com", "undecidable"),
        ("serviceAccount:123456789-compute@developer.gserviceaccount.com.x", "undecidable"),
        (
            "serviceAccount:service-123456789-x@compute-system.iam.gserviceaccount.com",
            "undecidable",
        ),
        (
            "serviceAccount:x-service-123456789@compute-system.iam.gserviceaccount.com",
            "undecidable",
        ),
        ("serviceAccount:astra@compute-system.iam.gserviceaccount.com", "undecidable"),
    ],
)
def test_a_number_of_google_is_compared_with_numbers(
    account: str, principal: str, expected: Grant
) -> None:
    """A project's number is told by the accounts that Google makes, and by sets of principals."""
    assert google(principal, account) == expected


@pytest.mark.parametrize(
    ("account", "principal", "expected"),
    [
        ("example.com:p", "serviceAccount:a@p.example.com.iam.gserviceaccount.com", "granted"),
        ("example.com:p", "example.com:p", "granted"),
        ("example.com:p", "serviceAccount:a@p.iam.gserviceaccount.com", "not-granted"),
        ("example.com:p", "serviceAccount:p@example.com.iam.gserviceaccount.com", "not-granted"),
        ("example.com:p", "domain:example.com", "not-granted"),
        ("example.com:p", "user:p@example.com", "not-granted"),
        (ACCOUNT, ACCOUNT, "granted"),
        (ACCOUNT, ACCOUNT.removeprefix("serviceAccount:"), "granted"),
        (ACCOUNT.removeprefix("serviceAccount:"), ACCOUNT, "granted"),
        (ACCOUNT, "allUsers", "granted"),
        (ACCOUNT, "serviceAccount:b@vendor-prod.iam.gserviceaccount.com", "not-granted"),
        (ACCOUNT, "user:astra@vendor-prod.iam.gserviceaccount.com", "not-granted"),
        (ACCOUNT, f"deleted:{ACCOUNT}?uid=123", "not-granted"),
        (ACCOUNT, "vendor-prod", "undecidable"),
        (ACCOUNT, f"{ALL_OF}/123456789/type/ServiceAccount", "undecidable"),
        (AGENT, AGENT, "granted"),
        (AGENT, "serviceAccount:service-1@compute-system.iam.gserviceaccount.com", "not-granted"),
        (DEFAULT, DEFAULT, "granted"),
        (DEFAULT, "serviceAccount:123456789@cloudbuild.gserviceaccount.com", "not-granted"),
        (DEFAULT, AGENT, "not-granted"),
        (AGENT, DEFAULT, "not-granted"),
        (DEFAULT, "123456789", "undecidable"),
        ("group:astra@example.com", "group:astra@example.com", "granted"),
        ("group:astra@example.com", "user:astra@example.com", "not-granted"),
        ("group:astra@example.com", "group:Astra@example.com", "not-granted"),
        ("group:astra@example.com", ACCOUNT, "undecidable"),
        ("", "", "undecidable"),
        ("x", "x", "undecidable"),
        ("999988887777:root", "999988887777", "undecidable"),
    ],
)
def test_what_astra_names_on_google_may_be_more_than_a_project(
    account: str, principal: str, expected: Grant
) -> None:
    """A project of a domain, a service account or a group is compared as what it is."""
    assert google(principal, account) == expected


# --- Azure ----------------------------------------------------------------------------------------

GUID = "00000000-0000-4000-8000-0000000000aa"


@pytest.mark.parametrize(
    ("account", "principal", "expected"),
    [
        (GUID, GUID, "granted"),
        (GUID, GUID.upper(), "granted"),
        ("astra", "astra", "granted"),
        ("astra", "Astra", "undecidable"),
        # In our tenant the vendor's application has an object id of its own.
        (GUID, GUID.replace("aa", "bb"), "undecidable"),
        (GUID, f"{{{GUID}}}", "undecidable"),
        # Only whole GUIDs are the same in any case.
        (f"{GUID}-astra", f"{GUID}-Astra", "undecidable"),
        (f"astra-{GUID}", f"Astra-{GUID}", "undecidable"),
        (GUID, "*", "undecidable"),
        (GUID, "", "undecidable"),
    ],
)
def test_an_id_of_azure_is_granted_by_itself_only(
    account: str, principal: str, expected: Grant
) -> None:
    """Equal ids are one; two different ones may still mean one application."""
    assert grant_of(principal, account, "azure", None) == expected


# --- all of them ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("principals", "expected"),
    [
        ([], Comparison("not-granted", VENDOR)),
        ([OWN], Comparison("not-granted", VENDOR)),
        ([OWN, ROLE, USER], Comparison("undecidable", VENDOR, ROLE)),
        ([OWN, ROLE, ROOT, "*"], Comparison("granted", VENDOR, ROOT)),
    ],
)
def test_one_grant_is_enough(principals: list[str], expected: Comparison) -> None:
    """The best of the grants counts, and the principal that decides it is named."""
    assert compare(principals, VENDOR, "aws", "aws") == expected


@pytest.mark.parametrize(
    ("principals", "expected"),
    [
        ([VENDOR, OWN], Comparison("granted", VENDOR, VENDOR)),
        ([OWN, VENDOR], Comparison("granted", VENDOR, VENDOR)),
        ([VENDOR, OWN_ROLE], Comparison("undecidable", OWN, OWN_ROLE)),
        ([VENDOR], Comparison("not-granted", OWN)),
        ([ROLE], Comparison("not-granted", OWN)),
        ([], Comparison("not-granted", VENDOR)),
    ],
)
def test_every_account_is_needed(principals: list[str], expected: Comparison) -> None:
    """The worst of the accounts counts, and is named."""
    assert compare_all(iter(principals), [VENDOR, OWN], "aws", "aws") == expected


def test_nothing_is_granted_to_no_account() -> None:
    """Where Astra names no account there is none that could use the key."""
    assert compare_all(["*"], [], "aws") == Comparison("not-granted")


def test_everybody_is_named() -> None:
    """Each cloud has its own word for everybody, and Azure none."""
    everybody = [VENDOR, "*", "allUsers", "allAuthenticatedUsers"]
    found = [
        open_to_anybody(everybody, "aws"),
        open_to_anybody(everybody, "gcp"),
        open_to_anybody(everybody, "azure"),
    ]
    assert found == ["*", "allUsers", ""]


# --- properties -----------------------------------------------------------------------------------

PIECES = st.sampled_from([VENDOR, "vendor-prod", "root", "role", "iam", "arn:aws:iam:", ROOT])
NAMES = st.lists(
    PIECES | st.text(f"{ascii_letters}{digits}_+=,.@-", min_size=1, max_size=8),
    min_size=1,
    max_size=4,
).flatmap(lambda parts: st.sampled_from(["/", ".", "@", "-"]).map(lambda glue: glue.join(parts)))
AWS_ACCOUNTS = st.text(digits, min_size=12, max_size=12)
KINDS = st.sampled_from(["iam::{}:role/", "iam::{}:user/", "sts::{}:assumed-role/"])
PROJECTS = st.text(f"{ascii_lowercase}{digits}-", min_size=4, max_size=10).map("p{}x".format)
TEXTS = st.sampled_from([ROOT, VENDOR, ROLE, ACCOUNT, "vendor-prod", AGENT, GUID])


@given(owner=AWS_ACCOUNTS, kind=KINDS, name=NAMES)
def test_a_principal_of_another_account_is_never_granted(owner: str, kind: str, name: str) -> None:
    """Whatever a role, a user or a session of another account is called, it is not the vendor's."""
    assume(owner != VENDOR)
    for account in (VENDOR, ROOT, ROLE):
        assert aws(f"arn:aws:{kind.format(owner)}{name}", account) != "granted"


@given(project=PROJECTS, name=NAMES, prefix=st.sampled_from(["user:", "group:", "domain:", ""]))
def test_a_member_of_another_project_is_never_granted(project: str, name: str, prefix: str) -> None:
    """Whatever a service account of another project, or a person, is called, it is none of it."""
    assume(project != "vendor-prod")
    for account in ("vendor-prod", "123456789", "example.com:vendor-prod"):
        for local in (name, "service-123456789", "123456789-compute", "vendor-prod"):
            member = f"serviceAccount:{local}@{project}.iam.gserviceaccount.com"
            assert google(member, account) != "granted"
            assert google(f"{prefix}{local}@{project}.example.com", account) != "granted"


@given(text=TEXTS, data=st.data())
def test_neither_parts_nor_case_make_a_grant(text: str, data: st.DataObject) -> None:
    """What is cut off, put before or after, or written in other letters, is not what was granted.

    Left out are whole principals, and other service accounts of the vendor's project.
    """
    cut = data.draw(st.integers(1, len(text) - 1))
    other = data.draw(st.text(f"{ascii_letters}{digits}:/@.-", min_size=1, max_size=6))
    accounts = {"aws": (VENDOR, ROLE), "gcp": ("vendor-prod", ACCOUNT)}
    whole = {VENDOR, ROOT, ROLE, ACCOUNT, ACCOUNT.partition(":")[2], "vendor-prod"}
    variants = {text[:cut], text[cut:], text + other, other + text, text.swapcase()} - whole
    granted = {
        variant
        for variant in variants
        for account in accounts["aws"]
        if grant_of(variant, account, "aws", "aws") == "granted"
    } | {
        variant
        for variant in variants
        for account in accounts["gcp"]
        if google(variant, account) == "granted"
    }
    assert {name for name in granted if not name.endswith(ACCOUNT.partition("@")[2])} == set()


@given(account=TEXTS, principal=st.text(max_size=40))
def test_no_text_is_too_odd(account: str, principal: str) -> None:
    """Every text has an answer for every cloud."""
    answers = {grant_of(principal, account, name, "aws") for name in ("aws", "gcp", "azure")}
    assert answers <= {"granted", "undecidable", "not-granted"}
