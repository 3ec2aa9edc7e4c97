"""One organization is read from Astra whole, or what is missing of it is reported."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory.astra.fetch import FACTS, fetch_organization
from inventory.astra.parsing import FetchedOrganization
from inventory.astra.replay import replay
from inventory.astra.replay_transport import ReplayingTransport
from inventory.evidence.reader import open_bundle
from inventory.model.gaps import Gap
from tests.builders import (
    ORGANIZATION,
    OTHER_ORGANIZATION,
    aws_key_id,
    azure_key_id,
    gcp_key_id,
)
from tests.hypothesis_profile import examples
from tests.inventory.live import (
    FIRST_PAGE,
    HIDING_PLACES,
    LETTERED,
    SECRET,
    TRACES,
    VALUE,
    VARIABLE,
    Astra,
    Recorder,
    a_client,
    answer,
    configured,
    datacenter,
    fleet,
    gaps,
    listed_database,
    listed_key,
    names,
    no_answer,
    raw_answer,
    read,
    reasons,
    single,
    write_bundle,
)

if TYPE_CHECKING:
    from pathlib import Path

OWN = "/v2/currentOrg"
VIEW = "/v2/kms/provider/aws/region/us-east-1"


# --- the whole ------------------------------------------------------------------------------------


def test_whole_organization() -> None:
    """Keys, databases, views and accounts are read, and nothing is missing."""
    astra = Astra(serverless=[listed_key()], databases=fleet(2))
    organization, fetched = read(astra)
    assert (organization.id, organization.name) == (ORGANIZATION, "acme-prod")
    assert [key.key_id for key in organization.keys or ()] == [aws_key_id()]
    assert names(organization) == ["orders-1", "orders-2"]
    assert [view.key_id for view in organization.region_views or ()] == [aws_key_id()]
    assert [vendor_account.account for vendor_account in organization.vendor_accounts or ()] == [
        "vendor"
    ]
    assert organization.gaps == ()
    assert set(fetched) == set(FACTS)


def test_every_entry_knows_its_answer() -> None:
    """Every entry names the file and line in which it was recorded."""
    recorder = Recorder()
    organization, _ = read(Astra(serverless=[listed_key()], databases=fleet(1)), recorder=recorder)
    addresses = {exchange.place: exchange.address for exchange in recorder.exchanges}
    entries: list[Any] = [
        *(organization.keys or ()),
        *(organization.databases or ()),
        *(organization.region_views or ()),
        *(organization.vendor_accounts or ()),
    ]
    asked = [addresses[str(entry.seen)].partition("?")[0] for entry in entries]
    assert asked == ["/v2/kms", "/v2/databases", VIEW, f"{VIEW}/accounts"]


def test_nothing_is_changed() -> None:
    """Every request that is sent only reads."""
    methods = []

    class Noting(Astra):
        def answer(self, request: httpx.Request) -> httpx.Response:
            methods.append(request.method)
            return super().answer(request)

    read(Noting(serverless=[listed_key()], databases=fleet(1)))
    assert set(methods) == {"GET"}


def test_attestations_are_taken_over() -> None:
    """What people attest about the organization is in what was read of it."""
    said = {"by": "Ada Example", "on": "2026-10-01"}
    case = {"type": "serverless", "provider": "aws", "region": "a", "ticket": "TS1"} | said
    config = configured(
        owner="platform@acme.example",
        plan={"paid": True} | said,
        azure_preview={"granted": True} | said,
        no_databases=said,
        support_cases=[case],
        policy={"default": {"encryption": "astra-provided", "reason": "a trial"}},
    )
    organization = read(Astra(), config).organization
    for name in ("owner", "plan", "azure_preview", "no_databases", "support_cases", "policy"):
        assert getattr(organization, name) == getattr(config, name)


def test_statements_of_keys_and_databases_are_laid_over() -> None:
    """What people attest about keys and databases is beside what Astra lists."""
    said = {"by": "Ada Example", "on": "2026-10-01"}
    place = {"type": "serverless", "provider": "aws", "region": "us-east-1"}
    named = place | {"key_id": aws_key_id()}
    database_id = listed_database()["id"]
    config = configured(
        keys=[named | {"rotation": {"automatic": True} | said}],
        databases=[{"id": database_id, "data": "stringent"}],
    )
    organization = read(Astra(serverless=[listed_key()], databases=fleet(1)), config).organization
    assert [key.rotation and key.rotation.automatic for key in organization.keys or ()] == [True]
    assert [database.data for database in organization.databases or ()] == ["stringent"]
    assert organization.gaps == ()


def test_statements_that_meet_nothing() -> None:
    """A statement about what Astra does not list is a gap of the list that should hold it."""
    place = {"provider": "aws", "region": "us-east-1", "key_id": "gone"}
    config = configured(keys=[{"type": "managed-clusters"} | place], databases=[{"id": "gone-too"}])
    values = "{} is in the organizations file, but Astra does not list it"
    assert gaps(read(Astra(), config)) == {
        ("managed-clusters-keys", "not-visible", values.format("gone")),
        ("databases", "not-visible", values.format("gone-too")),
    }


def test_statements_about_a_list_that_was_not_read() -> None:
    """If a list could not be read, that is reported, and not the statements that match nothing."""
    place = {"type": "serverless", "provider": "aws", "region": "us-east-1", "key_id": "gone"}
    astra = Astra(other={"/v2/kms": answer({}, 403)})
    assert reasons(read(astra, configured(keys=[place]))) == {("serverless-keys", "refused")}


# --- identity -------------------------------------------------------------------------------------


@pytest.mark.parametrize("own", [LETTERED, LETTERED.upper()])
@pytest.mark.parametrize("config_id", [LETTERED, LETTERED.upper()])
def test_organization_in_every_casing(own: str, config_id: str) -> None:
    """The token's organization is compared without case, and keeps the id that was configured."""
    fetched = read(Astra(other={OWN: answer({"id": own})}), configured(id=config_id))
    assert (fetched.organization.id, fetched.organization.gaps) == (config_id, ())


def test_token_of_another_organization() -> None:
    """If the token is another organization's, nothing of it is read, and all is missing."""
    astra = Astra(serverless=[listed_key()], other={OWN: answer({"id": OTHER_ORGANIZATION})})
    fetched = read(astra)
    detail = f"the token in {VARIABLE} belongs to organization '{OTHER_ORGANIZATION}'"
    assert gaps(fetched) == {(fact, "wrong-organization", detail) for fact in FACTS}
    assert (fetched.organization.keys, fetched.organization.databases, fetched.lists) == (
        (),
        (),
        {},
    )
    assert astra.asked == [OWN]


def test_organization_that_nobody_configured() -> None:
    """If no id is configured, the token's organization is read under the id that it tells."""
    fetched = read(Astra(databases=fleet(1)), configured(id=None))
    assert (fetched.organization.id, reasons(fetched)) == (ORGANIZATION, set())
    assert names(fetched.organization) == ["orders-1"]


@pytest.mark.parametrize(
    ("own", "reason", "detail"),
    [
        (answer({}, 401), "refused", "answered 401: the token is invalid or lacks a permission"),
        (answer({"id": "two words"}), "malformed", "found a mapping of 1, expected an object with"),
        (answer(None), "malformed", "found nothing, expected an object with an id"),
        (httpx.Response(404, text="404"), "wrong-address", "answered 404: there is nothing at"),
        (no_answer(), "unavailable", "no answer: refused"),
    ],
)
@pytest.mark.parametrize("configured_id", [ORGANIZATION, None])
def test_organization_that_cannot_be_reported(
    own: object, reason: str, detail: str, configured_id: str | None
) -> None:
    """If the token's organization is unknown, nothing else is asked, and all is missing."""
    astra = Astra(other={OWN: own}, databases=fleet(1))
    fetched = read(astra, configured(id=configured_id), attempts=2)
    assert reasons(fetched) == {(fact, reason) for fact in FACTS}
    assert {gap[:4] for _, _, gap in gaps(fetched)} == {"GET "}
    assert all(detail in missing for _, _, missing in gaps(fetched))
    assert fetched.organization.id == (configured_id or f"unknown-{VARIABLE}")
    assert set(astra.asked) == {OWN}


# --- keys -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("value", [None, []])
def test_no_keys(value: object) -> None:
    """An empty list of keys is no gap; ``null`` is one too, and that is noted."""
    fetched = read(Astra(serverless=value, classic=value))
    assert (fetched.organization.keys, reasons(fetched)) == ((), set())
    assert bool(fetched.lists["serverless-keys"].note) == (value is None)


@pytest.mark.parametrize(
    ("address", "fact"),
    [("/v2/kms", "serverless-keys"), ("/v2/kms/classic", "managed-clusters-keys")],
)
@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (answer({}, 403), "refused"),
        (httpx.Response(404, text="404 page not found"), "wrong-address"),
        (answer({}), "malformed"),
        (answer({}, 500), "unavailable"),
        (raw_answer(b"[{"), "malformed"),
        (answer({}, 429), "rate-limited"),
        (TimeoutError(), "timed-out"),
        (no_answer("cut-short", "the answer ended early"), "cut-short"),
    ],
)
def test_list_of_keys_that_cannot_be_read(
    address: str, fact: str, reply: object, reason: str
) -> None:
    """If one list of keys cannot be read, that list is missing, and all else is read."""
    fetched = read(Astra(databases=fleet(1), other={address: reply}), attempts=2)
    assert reasons(fetched) == {(fact, reason)}
    assert names(fetched.organization) == ["orders-1"]


def test_key_of_another_organization() -> None:
    """An entry of another organization among the keys is a gap, and its place is not asked."""
    foreign = listed_key("us-east-2", OrganizationID=OTHER_ORGANIZATION)
    astra = Astra(serverless=[listed_key(), foreign])
    fetched = read(astra)
    assert reasons(fetched) == {("serverless-keys", "wrong-organization")}
    assert single(astra) == {"aws us-east-1", "aws us-east-1/accounts"}


# --- views and accounts ---------------------------------------------------------------------------


def placed(number: int, tier: str, *places: tuple[str, str], **over: Any) -> dict[str, Any]:  # noqa: ANN401
    centers = [datacenter(region, cloudProvider=provider) for provider, region in places]
    info = {"tier": tier, "cloudProvider": places[0][0], "region": places[0][1]}
    centers = [center | {"tier": tier} for center in centers]
    return listed_database(number, info=info | {"datacenters": centers}, **over)


def test_views_of_every_place() -> None:
    """Every place that has a key or a living database is asked for its view, and no other."""
    databases = [
        placed(1, "serverless", ("AWS", "a"), ("AWS", "b")),
        placed(2, "C10", ("GCP", "c")),
        placed(3, "developer", ("AWS", "d")),
        placed(4, "serverless", ("AZURE", "e")),
        placed(5, "C10", ("AZURE", "f")),
        placed(6, "serverless", ("AWS", "g"), status="TERMINATED"),
        placed(7, "developer", ("AZURE", "h")),
    ]
    keys = [listed_key("k"), listed_key("a")]
    classic = [listed_key("l", CloudProvider="azure", KeyID=azure_key_id())]
    classic += [listed_key("m", CloudProvider="GCP", KeyID=gcp_key_id())]
    astra = Astra(serverless=keys, classic=classic, databases=databases)
    fetched = read(astra)
    assert {address for address in single(astra) if not address.endswith("/accounts")} == {
        *("aws a", "aws b", "/classic gcp c", "aws d", "/classic aws d", "azure e"),
        *("azure h", "aws k", "/classic gcp m"),
    }
    assert {address for address in single(astra) if address.endswith("/accounts")} == {
        *("aws a/accounts", "aws k/accounts", "/classic gcp m/accounts"),
    }
    assert reasons(fetched) == set()


def test_accounts_of_planned_scopes() -> None:
    """Astra is asked for the accounts that a planned key needs, once each, and for no view."""
    planned = [
        {"type": "serverless", "provider": "aws", "region": "k"},
        {"type": "managed-clusters", "provider": "gcp", "region": "n"},
        {"type": "managed-clusters", "provider": "azure", "region": "o"},
    ]
    astra = Astra(serverless=[listed_key("k")])
    fetched = read(astra, configured(planned_scopes=planned))
    assert single(astra) == {"aws k", "aws k/accounts", "/classic gcp n/accounts"}
    assert [
        (one.type, one.provider, one.region) for one in fetched.organization.vendor_accounts or ()
    ] == [("managed-clusters", "gcp", "n"), ("serverless", "aws", "k")]


@pytest.mark.parametrize(
    "view",
    [
        answer({}),
        answer(None),
        answer([]),
        answer({"errors": [{"message": "none"}]}, 404),
        answer({"orgId": ORGANIZATION}),
    ],
)
def test_place_without_a_key(view: httpx.Response) -> None:
    """A place for which no key is shown is known to have none, in each way to say so."""
    fetched = read(Astra(databases=fleet(1), other={VIEW: view}))
    assert [region_view.key_id for region_view in fetched.organization.region_views or ()] == [None]
    assert reasons(fetched) == set()


@pytest.mark.parametrize(
    ("view", "reason"),
    [
        (httpx.Response(404, text="404 page not found"), "wrong-address"),
        (answer({}, 403), "refused"),
        (answer({"aws": {"keyID": "x", "region": "us-east-2"}}), "malformed"),
        (answer({"gcp": {"keyID": "x", "region": "us-east-1"}}), "malformed"),
        (answer({"oracle": {"keyID": "x", "region": "us-east-1"}}), "unknown-value"),
        (answer({"errors": []}), "malformed"),
        (answer({}, 503), "unavailable"),
    ],
)
def test_view_that_cannot_be_relied_on(view: httpx.Response, reason: str) -> None:
    """A view that is refused, misdirected or of something else is missing, and is not "no key"."""
    fetched = read(Astra(databases=fleet(1), other={VIEW: view}), attempts=2)
    assert fetched.organization.region_views == ()
    assert reasons(fetched) == {("region-views", reason)}


@pytest.mark.parametrize(
    ("accounts", "reason"),
    [
        (answer([]), "not-visible"),
        (answer(None), "not-visible"),
        (answer({"errors": []}, 404), "wrong-address"),
        (answer({}, 403), "refused"),
    ],
)
def test_accounts_that_cannot_be_reported(accounts: httpx.Response, reason: str) -> None:
    """If no account is named, or none can be asked for, that is missing."""
    fetched = read(Astra(serverless=[listed_key()], other={f"{VIEW}/accounts": accounts}))
    assert fetched.organization.vendor_accounts == ()
    assert reasons(fetched) == {("vendor-accounts", reason)}


def test_many_views_that_are_refused() -> None:
    """Of many gaps of one kind the first are reported, and how many more there are."""
    regions = [f"r{number:02}" for number in range(30)]
    databases = [
        placed(number, "serverless", ("AWS", region)) for number, region in enumerate(regions)
    ]
    other = {f"/v2/kms/provider/aws/region/{region}": answer({}, 403) for region in regions}
    fetched = read(Astra(databases=databases, other=other))
    assert len(fetched.organization.gaps) == 21
    assert fetched.organization.gaps[-1].detail == "10 more in this list"


def in_many_regions(count: int, refused: int) -> Astra:
    """Return an Astra with databases in so many regions, of which the last are refused."""
    regions = [f"r{number:03}" for number in range(count)]
    databases = [
        placed(number, "serverless", ("AWS", region)) for number, region in enumerate(regions)
    ]
    paths = [f"/v2/kms/provider/aws/region/{region}" for region in regions[count - refused :]]
    return Astra(databases=databases, other={path: answer({}, 403) for path in paths})


def test_no_view_is_reported_any_more(tmp_path: Path) -> None:
    """If none of a hundred key scopes tells anything, the others are not asked for in vain."""
    astra = in_many_regions(250, 150)
    fetched = read(astra)
    detail = "50 more key scopes were not requested: none of the 100 before returned an entry"
    assert fetched.organization.gaps[0] == Gap(fact="region-views", reason="refused", detail=detail)
    assert len([address for address in astra.asked if "/region/" in address]) == 200
    assert len(fetched.organization.region_views or ()) == 100
    bundle = write_bundle(tmp_path / "bundle", (configured(), in_many_regions(250, 150)))
    (organization,) = open_bundle(bundle).organizations()
    assert organization.gaps[0].detail == detail
    assert replay(bundle).manifest.organizations == 1


def test_views_of_many_places() -> None:
    """As long as any of a hundred key scopes is reported, the next hundred is asked for."""
    astra = in_many_regions(250, 149)
    assert len(read(astra).organization.gaps) == 21
    assert len([address for address in astra.asked if "/region/" in address]) == 250


@pytest.mark.parametrize(
    "region", ["a/b", "a?b", "a#b", ".", "..", ".../", "a%2Fb", "a&b=c", "/" * 2048]
)
def test_regions_that_steer_addresses(region: str) -> None:
    """A region's name cannot lead a request to another place than one below the keys."""
    astra = Astra(serverless=[listed_key(region, KeyID=aws_key_id())])
    read(astra)
    odd = [
        address
        for address in astra.asked
        if not re.match(r"/v2/(kms|databases|currentOrg)", address)
    ]
    assert odd == []
    assert len([address for address in astra.asked if "/provider/aws/" in address]) == 2


def test_width_is_kept() -> None:
    """No more single answers are asked for at once than policy allow for one organization."""
    now, most = 0, 0

    class Slow(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            nonlocal now, most
            now += 1
            most = max(most, now)
            for _ in range(5):
                await asyncio.sleep(0)
            now -= 1
            return astra.answer(request)

    keys = [listed_key(f"r{number:02}") for number in range(20)]
    astra = Astra(serverless=keys)
    recorder = Recorder(inner=Slow())
    client = a_client(recorder, policy={"connections_per_organization": 5})
    collected = asyncio.run(fetch_organization(client, configured()))
    assert (most, reasons(collected)) == (5, set())
    assert [view.region for view in collected.organization.region_views or ()] == [
        f"r{number:02}" for number in range(20)
    ]


# --- time, secrets, replay ------------------------------------------------------------------------


def test_time_that_is_over() -> None:
    """If there is no time for a wait that Astra asks for, that list is reported as missing."""
    busy = answer({}, 429, retry_after="3600")
    fetched = read(Astra(other={"/v2/kms": busy}, databases=fleet(1)), left=lambda: 60.0)
    detail = "answered 429: too many requests; no time was left for another attempt"
    assert gaps(fetched) == {("serverless-keys", "rate-limited", f"GET /v2/kms: {detail}")}


@pytest.mark.parametrize("form", HIDING_PLACES.values(), ids=HIDING_PLACES)
def test_token_that_comes_back(form: str) -> None:
    """A token that comes back in names, ids, places or errors is nowhere in what was read."""
    database = listed_database(2, info={"name": form}, id=form, message=form)
    astra = Astra(
        serverless=[listed_key(form), listed_key(KeyID=form), listed_key("c", CloudProvider=form)],
        databases=[database, listed_database(3, info={"tier": form, "cloudProvider": form})],
        other={"/v2/kms/classic": answer({"errors": [{"message": form}]}, 401)},
    )
    recorder = Recorder()
    fetched = read(astra, recorder=recorder)
    written = fetched.organization.model_dump_json() + str(recorder.exchanges)
    assert not any(trace in written for trace in (VALUE, *TRACES))
    assert SECRET not in " ".join(astra.asked)


CASES: dict[str, Any] = {
    "whole": {"serverless": [listed_key()], "databases": fleet(120)},
    "growth": {"readings": [fleet(2), fleet(3)]},
    "retries": {
        "other": {"/v2/kms": [answer({}, 503), no_answer(), answer([listed_key()])]},
        "databases": fleet(1),
    },
    "late": {"other": {"/v2/kms": answer({}, 429, retry_after="3600")}, "databases": fleet(1)},
    "refused": {"other": {OWN: answer({}, 401)}},
    "broken": {"other": {"/v2/kms": raw_answer(b"[NaN]"), VIEW: answer({"errors": []}, 404)}},
    "secrets": {"databases": [listed_database(1, info={"name": VALUE, "password": "hush"})]},
}


def replayed(recorder: Recorder) -> FetchedOrganization:
    transport = ReplayingTransport(recorder.exchanges)
    client = a_client(transport, policy={"attempts": 3})
    collected = asyncio.run(fetch_organization(client, configured()))
    transport.require_all_used()
    return collected


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_replay_reads_the_same(case: dict[str, Any]) -> None:
    """What was recorded gives the same organization, gaps included, without token or clock."""
    recorder = Recorder()
    fetched = read(Astra(**case), recorder=recorder, left=lambda: 60.0, attempts=3)
    assert replayed(recorder) == fetched


WORDS = st.sampled_from(["aws", "AWS", "us-east-1", "", ORGANIZATION, "serverless", "a b", None, 7])
FIELDS: st.SearchStrategy[Any] = st.dictionaries(
    st.sampled_from(["id", "orgId", "info", "name", "region", "tier", "cloudProvider", "status"]),
    st.deferred(lambda: WORDS | FIELDS | st.lists(FIELDS, max_size=2)),
    max_size=5,
)


@examples(50)
@given(st.lists(FIELDS | WORDS, max_size=3), st.lists(FIELDS | WORDS, max_size=3), FIELDS | WORDS)
def test_no_answer_breaks_it(keys: list[Any], databases: list[Any], view: object) -> None:
    """Whatever the answers hold, an organization is read, and a replay reads the same."""
    other = {FIRST_PAGE: answer(databases), VIEW: answer(view)}
    astra = Astra(serverless=[*keys, listed_key()], other=other)
    recorder = Recorder(inner=httpx.MockTransport(astra.answer))
    assert read(astra, recorder=recorder, attempts=3) == replayed(recorder)
