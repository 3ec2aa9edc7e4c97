"""Who may use a key: the clouds' principals, compared with an account of the vendor.

A principal is compared by the account that it belongs to, never by the parts of its name: names can
be chosen freely, so that a role of our own may be called like the vendor's account.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

    from inventory.model.vocabulary import Provider

Grant = Literal["not-granted", "undecidable", "granted"]


class Comparison(NamedTuple):
    """Whether a key is granted to an account, and by which principal that is so.

    Attributes:
        grant: the answer.
        account: the vendor's account, as Astra names it.
        principal: the principal that decides it, or leaves it open; empty if nobody does.
    """

    grant: Grant
    account: str = ""
    principal: str = ""


_ANYBODY: dict[Provider, frozenset[str]] = {
    "aws": frozenset({"*"}),
    "gcp": frozenset({"allUsers", "allAuthenticatedUsers"}),
    "azure": frozenset(),
}


def compare_all(
    principals: Iterable[str],
    accounts: Iterable[str],
    provider: Provider,
    partition: str | None = None,
) -> Comparison:
    """Compare with all of the ``accounts``: as all are needed, the worst answer counts.

    Without any account there is none to which anything is granted.
    """
    listed = tuple(principals)
    found = [compare(listed, account, provider, partition) for account in accounts]
    order: tuple[Grant, ...] = ("not-granted", "undecidable", "granted")
    none = Comparison("not-granted")
    return min(found, key=lambda comparison: order.index(comparison.grant), default=none)


def compare(
    principals: Iterable[str], account: str, provider: Provider, partition: str | None = None
) -> Comparison:
    """Say whether one of the ``principals`` is the vendor's ``account``.

    ``partition`` is the key's own, which only AWS has.
    """
    open_one = ""
    for principal in principals:
        grant = grant_of(principal, account, provider, partition)
        if grant == "granted":
            return Comparison(grant, account, principal)
        if grant == "undecidable":
            open_one = open_one or principal
    return Comparison("undecidable" if open_one else "not-granted", account, open_one)


def open_to_anybody(principals: Iterable[str], provider: Provider) -> str:
    """Return the principal that stands for everybody; empty if there is none."""
    return next((name for name in principals if name in _ANYBODY[provider]), "")


def grant_of(principal: str, account: str, provider: Provider, partition: str | None) -> Grant:
    """Say whether a grant to ``principal`` is one to the vendor's ``account``."""
    if principal in _ANYBODY[provider]:
        return "granted"
    if provider == "aws":
        return _aws_grant(principal, account, partition)
    if provider == "gcp":
        return _google_grant(principal, account)
    return _azure_grant(principal, account)


def _whether(*, granted: bool) -> Grant:
    return "granted" if granted else "not-granted"


# --- AWS ------------------------------------------------------------------------------------------

_AWS_ACCOUNT = re.compile(r"[0-9]{12}")

_AWS_ARN = re.compile(
    r"arn:(?P<partition>aws(?:-[a-z]+)*):(?P<service>iam|sts)::(?P<account>[0-9]+)"
    r":(?P<name>[A-Za-z0-9_+=,.@/-]+)"
)

_NO_AWS_ACCOUNT = re.compile(
    # The ids of roles and users that were deleted, AWS's services, and identity providers.
    r"A(?:RO|ID)A[A-Z0-9]{12,124}"
    r"|(?:[a-z0-9-]+\.)+amazonaws\.com(?:\.cn)?"
    r"|accounts\.google\.com|graph\.facebook\.com|www\.amazon\.com"
)


class _AwsPrincipal(NamedTuple):
    """A principal of AWS; of an account as a whole, service and name are ``iam`` and ``root``."""

    partition: str | None
    account: str
    service: str
    name: str

    @property
    def is_account(self) -> bool:
        """Say whether it is the account as a whole."""
        return (self.service, self.name) == ("iam", "root")

    @property
    def is_identity(self) -> bool:
        """Say whether it is a role or a user, of which no two differ by case alone."""
        return self.service == "iam" and self.name.startswith(("role/", "user/"))

    @property
    def is_federated(self) -> bool:
        """Say whether it is a provider of identities, which never calls for an account."""
        return self.name.startswith(("saml-provider/", "oidc-provider/"))


def _aws_principal(text: str, partition: str | None) -> _AwsPrincipal | None:
    """Parse an ARN, or a number, which is an account of the key's own ``partition``."""
    if _AWS_ACCOUNT.fullmatch(text):
        return _AwsPrincipal(partition, text, "iam", "root")
    if match := _AWS_ARN.fullmatch(text):
        return _AwsPrincipal(match["partition"], match["account"], match["service"], match["name"])
    return None


@lru_cache(maxsize=4_096)
def aws_account_of(principal: str, partition: str | None) -> str:
    """Return the number of the account that a principal is in; empty if it is in none.

    One of another partition than ``partition`` has that before its number: it is another account.
    """
    held = _aws_principal(principal, partition)
    if held is None or not _AWS_ACCOUNT.fullmatch(held.account) or held.is_federated:
        return ""
    is_foreign = held.partition != partition
    return f"{held.partition}:{held.account}" if is_foreign else held.account


def is_no_aws_account(principal: str) -> bool:
    """Say whether a principal is surely in no account: a service, or a role that was deleted."""
    return _NO_AWS_ACCOUNT.fullmatch(principal) is not None


def _aws_grant(principal: str, account: str, partition: str | None) -> Grant:
    wanted = _aws_principal(account, partition)
    if wanted is None or not _AWS_ACCOUNT.fullmatch(wanted.account):
        return "undecidable"
    if _NO_AWS_ACCOUNT.fullmatch(principal):
        return "not-granted"
    held = _aws_principal(principal, partition)
    if held is None:
        return "undecidable"
    is_foreign = partition is not None and held.partition != partition
    if is_foreign or held.account != wanted.account or held.is_federated:
        return "not-granted"
    return _aws_grant_within_account(held, wanted)


def _aws_grant_within_account(held: _AwsPrincipal, wanted: _AwsPrincipal) -> Grant:
    """Compare two principals of one account, which is one only if their partition is the same.

    A grant to the account covers all in it. One to a single role does not cover the account, though
    that role may be the one that Astra uses.
    """
    if held.partition != wanted.partition:
        # Astra names an account of another partition than the key's, or the key's is not known.
        return "undecidable"
    if held.is_account or held == wanted:
        return "granted"
    different = held.name.casefold() != wanted.name.casefold()
    if held.is_identity and wanted.is_identity and different:
        return "not-granted"
    return "undecidable"


# --- Google Cloud ---------------------------------------------------------------------------------

_GOOGLE_ID = re.compile(
    r"(?:projects/)?(?:(?P<domain>[a-z0-9-]+(?:\.[a-z0-9-]+)+):(?P<scoped>[a-z][a-z0-9-]*)"
    r"|(?P<id>[a-z][a-z0-9-]{4,28}[a-z0-9]))"
)

_GOOGLE_NUMBER = re.compile(
    r"(?:projects/)?(?P<number>[0-9]+)"
    r"|principalSet://cloudresourcemanager\.googleapis\.com/projects/(?P<all_of>[0-9]+)"
    r"/type/Service(?:Account|Agent)"
)

_GOOGLE_ACCOUNT = re.compile(
    r"(?:serviceAccount:)?(?P<email>(?P<local>[a-z0-9-]+)"
    r"@(?P<labels>[a-z0-9.-]+)\.iam\.gserviceaccount\.com)"
)

_GOOGLE_DEFAULT_ACCOUNT = re.compile(
    r"(?:serviceAccount:)?(?P<email>(?P<number>[0-9]+)"
    r"(?:-compute@developer|@cloudservices|@cloudbuild)\.gserviceaccount\.com)"
)

_GOOGLE_AGENT = re.compile(r"(?:service|bq)-(?P<number>[0-9]+)")

_GOOGLE_AGENT_PROJECTS = frozenset(
    {"bigquery-encryption", "compute-system", "container-engine-robot", "gs-project-accounts"}
)
"""Projects known to be Google's own, whose service agents act for the project in their name.

Anybody can name a service account ``service-NUMBER``, so that in no other project it proves a
thing. There are more of Google's: what is not known to be one of them stays undecidable.
"""

_GOOGLE_PEOPLE = re.compile(r"(?:user|group|domain):[^:]+")


class _GoogleMember(NamedTuple):
    """A project of Google Cloud, or a service account in one; what is not known is empty.

    Attributes:
        project: the project's id as e-mail addresses write it: ``example.com:p`` is
            ``p.example.com``.
        number: the project's number.
        email: the service account, if it is one.
        may_be_agent: it may belong to a project of Google's and act for some other project.
    """

    project: str = ""
    number: str = ""
    email: str = ""
    may_be_agent: bool = False


def _google_member(text: str) -> _GoogleMember | None:
    if match := _GOOGLE_ACCOUNT.fullmatch(text):
        return _google_account(match["email"], match["local"], match["labels"])
    if match := _GOOGLE_DEFAULT_ACCOUNT.fullmatch(text):
        return _GoogleMember(number=match["number"], email=match["email"])
    if match := _GOOGLE_ID.fullmatch(text):
        domain = match["domain"]
        return _GoogleMember(f"{match['scoped']}.{domain}" if domain else match["id"])
    if match := _GOOGLE_NUMBER.fullmatch(text):
        return _GoogleMember(number=match["number"] or match["all_of"])
    return None


def _google_account(email: str, local: str, labels: str) -> _GoogleMember:
    agent = _GOOGLE_AGENT.fullmatch(local)
    if agent and labels in _GOOGLE_AGENT_PROJECTS:
        return _GoogleMember(number=agent["number"], email=email)
    may_be_agent = agent is not None or labels.startswith("gcp-sa-")
    return _GoogleMember(labels, email=email, may_be_agent=may_be_agent)


def google_project_of(principal: str) -> str:
    """Return the project of a principal, by its id or its number; empty if it has none."""
    member = _google_member(principal)
    return (member.project or member.number) if member else ""


def _google_grant(principal: str, account: str) -> Grant:
    if principal.startswith("deleted:"):
        return "not-granted"
    if _GOOGLE_PEOPLE.fullmatch(principal):
        # Never a project; but Astra may ask for a group by its name.
        return _whether(granted=principal == account)
    held, wanted = _google_member(principal), _google_member(account)
    if held is None or wanted is None:
        return "undecidable"
    if wanted.email:
        return _whether(granted=held.email == wanted.email) if held.email else "undecidable"
    return _google_grant_by_project(held, wanted)


def _google_grant_by_project(held: _GoogleMember, wanted: _GoogleMember) -> Grant:
    """Compare two projects by id or by number; nothing says which number an id has."""
    if held.project and held.project == wanted.project:
        return "granted"
    if held.may_be_agent:
        return "undecidable"
    if held.project and wanted.project:
        return "not-granted"
    if held.number and wanted.number:
        return _whether(granted=held.number == wanted.number)
    return "undecidable"


# --- Azure ----------------------------------------------------------------------------------------

_GUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE | re.ASCII)


def _azure_grant(principal: str, account: str) -> Grant:
    """Compare two ids, which as GUIDs are the same in any case.

    Two different ids prove nothing: a tenant gives an application of the vendor an object id of its
    own, and grants name that one.
    """
    ids = {text.lower() if _GUID.fullmatch(text) else text for text in (principal, account)}
    return "granted" if len(ids) == 1 else "undecidable"
