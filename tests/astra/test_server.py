"""The server of the tests speaks the vendor's interface, and misbehaves on demand."""

from __future__ import annotations

import gzip
import json
import socket
import subprocess
import sys
import time
import zlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from inventory.model.key_ids import parse_key_id
from tests.astra.faults import (
    ADDRESSES,
    FIRST,
    FOREIGN_DATABASE,
    FOREIGN_ORGANIZATION,
    FOREIGN_REGION,
    KINDS,
    LARGE_BODY,
    ONLY_AT,
    Fault,
    applies,
)
from tests.astra.fleet import (
    CMK_READ,
    CREATED_AT,
    DB_VIEW,
    Fleet,
    healthy_fleet,
    large_fleet,
    organizations_data,
)
from tests.astra.server import Running, closed_address, serve

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[2]
FLEET = healthy_fleet()
FULL, SMALL = FLEET.organizations
LAST = sorted(database.id for database in FULL.databases)[99]
PATHS = {
    "organization": "/v2/currentOrg",
    "databases": "/v2/databases?limit=100",
    "next-page": f"/v2/databases?limit=100&starting_after={LAST}",
    "serverless-keys": "/v2/kms",
    "managed-clusters-keys": "/v2/kms/classic",
    "serverless-view": "/v2/kms/provider/aws/region/us-east-2",
    "managed-clusters-view": "/v2/kms/classic/provider/aws/region/us-east-2",
    "accounts": "/v2/kms/provider/aws/region/us-east-2/accounts",
}
TOKEN = {"authorization": f"Bearer {FULL.token}"}
EVERYWHERE = [(kind, address) for kind in KINDS for address in ADDRESSES if applies(kind, address)]


class Asker(httpx.Client):
    """A client of one organization that waits for nothing longer than it must."""

    def __init__(self, running: Running, token: str = FULL.token, timeout: float = 5) -> None:
        headers = {"authorization": f"Bearer {token}"}
        address = running.address
        super().__init__(
            base_url=address, headers=headers, timeout=timeout, trust_env=False, verify=False
        )

    def json(self, path: str) -> Any:  # noqa: ANN401
        return self.get(path).raise_for_status().json()


@pytest.fixture(scope="module")
def shared() -> Iterator[Running]:
    with serve(FLEET) as running:
        yield running


@pytest.fixture
def server(shared: Running) -> Running:
    return shared.renewed()


@pytest.fixture
def asker(server: Running) -> Iterator[Asker]:
    with Asker(server) as client:
        yield client


# --- right answers --------------------------------------------------------------------------------


def test_each_token_belongs_to_one_organization(server: Running) -> None:
    """The token says which organization is meant."""
    for own in FLEET.organizations:
        with Asker(server, own.token) as asker:
            assert asker.json("/v2/currentOrg") == {"id": own.id, "name": own.name}


def test_databases_come_in_pages(asker: Asker) -> None:
    """A page holds 25 databases if nothing is said, 100 at most, and goes on after any id."""
    first = asker.json(PATHS["databases"])
    rest = asker.json(PATHS["next-page"])
    assert [len(first), len(rest), len(asker.json("/v2/databases"))] == [100, 5, 25]
    assert [database["id"] for database in first + rest] == sorted(
        database.id for database in FULL.databases
    )
    assert asker.get("/v2/databases?limit=101").status_code == 400


def test_databases_have_the_vendor_s_shape(asker: Asker) -> None:
    """A database says where it is, since when, and more than anybody should keep."""
    found = {entry["id"]: entry for entry in asker.json(PATHS["databases"])}
    own = next(
        database
        for database in FULL.databases
        if database.id in found and len(database.regions) == 2
    )
    info = found[own.id]["info"]
    assert found[own.id]["orgId"] == FULL.id
    assert found[own.id]["creationTime"] == CREATED_AT
    assert (info["name"], info["tier"], info["cloudProvider"]) == (own.name, own.tier, "AWS")
    places = [
        (datacenter["region"], datacenter["dateCreated"]) for datacenter in info["datacenters"]
    ]
    assert places == list(own.regions)
    assert "X-Amz-Signature=deadbeef" in info["datacenters"][0]["secureBundleUrl"]


def test_databases_can_be_chosen() -> None:
    """Terminated databases are shown if asked for, and those of one provider alone."""
    first, *others = SMALL.databases
    gone = replace(SMALL, databases=(replace(first, status="TERMINATED"), *others))
    with serve(Fleet((gone,))) as running, Asker(running, gone.token) as asker:
        kinds = ["", "?include=all", "?include=terminated", "?provider=GCP", "?provider=ALL"]
        assert [len(asker.json("/v2/databases" + kind)) for kind in kinds] == [2, 3, 1, 1, 2]


def test_keys_are_listed_by_type(asker: Asker) -> None:
    """Each list shows the keys of its own type, and the single call the same ones."""
    for kind, path in (("serverless", "/v2/kms"), ("managed-clusters", "/v2/kms/classic")):
        own = [key for key in FULL.keys if key.type == kind]
        listed = asker.json(path)
        assert [(database["Region"], database["KeyID"]) for database in listed] == [
            (key.region, key.key_id) for key in own
        ]
        for key in own:
            view = asker.json(f"{path}/provider/{key.provider}/region/{key.region}")
            place = {"keyID": key.key_id, "region": key.region}
            assert view == {"orgId": FULL.id, key.provider: place}


def test_no_key_is_an_error_of_the_interface(asker: Asker) -> None:
    """Where there is no key, the single call says so in an errors object."""
    answer = asker.get("/v2/kms/provider/aws/region/ap-south-1")
    assert answer.status_code == 404
    assert "errors" in answer.json()


def test_accounts_name_the_provider(asker: Asker) -> None:
    """The vendor's accounts are shown for both types."""
    for path in ("/v2/kms", "/v2/kms/classic"):
        (account,) = asker.json(f"{path}/provider/gcp/region/us-east1/accounts")
        assert (account["organization_id"], account["provider"]) == (FULL.id, "gcp")


def test_nothing_is_answered_without_a_token(server: Running) -> None:
    """A wrong token is refused, but that there is no such path is reported to everybody."""
    with Asker(server, "wrong") as asker:
        answer = asker.get("/v2/kms")
        assert answer.status_code == 401
        assert answer.json() == {
            "errors": [{"ID": 340002, "message": "no bearer token in request"}]
        }
        lost = asker.get("/v2/kmss")
        assert (lost.status_code, lost.text) == (404, "404 page not found")
        assert lost.headers["content-type"].startswith("text/plain")


@pytest.mark.parametrize(
    ("permission", "refused"),
    [(DB_VIEW, set(ADDRESSES[3:])), (CMK_READ, {"databases", "next-page"})],
)
def test_permissions_are_needed(permission: str, refused: set[str]) -> None:
    """What a token may not read is refused."""
    limited = replace(FULL, permissions=frozenset({permission}))
    with serve(Fleet((limited,))) as running, Asker(running) as asker:
        codes = {name: asker.get(path).status_code for name, path in PATHS.items()}
    assert codes == {name: 403 if name in refused else 200 for name in PATHS}


def test_only_reading_is_possible(server: Running, asker: Asker) -> None:
    """Any other method is refused, and remembered."""
    assert asker.post("/v2/kms", json={}).status_code == 405
    assert [(request.method, request.target) for request in server.requests] == [
        ("POST", "/v2/kms")
    ]


def test_requests_are_remembered(server: Running, asker: Asker) -> None:
    """Of each request the server knows what was asked, when, and whose token came with it."""
    for path in PATHS.values():
        asker.get(path)
    assert [request.target for request in server.requests] == list(PATHS.values())
    assert [request.address for request in server.requests] == list(ADDRESSES)
    assert {request.organization for request in server.requests} == {FULL.id}
    assert "authorization" in server.requests[0].headers
    assert "not-a-real-token" not in repr(server.requests)


def test_answers_carry_what_real_ones_do(asker: Asker) -> None:
    """An answer has a type, a date, an id, and a cookie that nobody should keep."""
    headers = asker.get("/v2/currentOrg").headers
    assert headers["content-type"] == "application/json"
    assert {"date", "x-request-id", "set-cookie"} <= set(headers)


def test_requests_at_once_are_counted() -> None:
    """The server knows how many requests were in progress at once."""
    with serve(FLEET, latency=0.2) as running, Asker(running) as asker:
        with ThreadPoolExecutor(3) as threads:
            list(threads.map(asker.get, ["/v2/kms"] * 3))
        assert running.most_at_once() == 3
        assert running.most_at_once(FULL.id) == 3
        assert running.most_at_once(SMALL.id) == 0


# --- faults ---------------------------------------------------------------------------------------


def hit(server: Running, kind: str, address: str = "serverless-keys") -> httpx.Response:
    """Return the answer that a fault gives."""
    server.faults = (Fault(kind, address),)
    with Asker(server) as asker:
        return asker.get(PATHS[address])


STATUSES = {
    "401": (401, "application/json"),
    "403-errors": (403, "application/json"),
    "403-text": (403, "application/json"),
    "404-text": (404, "text/plain; charset=utf-8"),
    "404-errors": (404, "application/json"),
    "429": (429, "application/json"),
    "429-retry-after": (429, "application/json"),
    "429-retry-after-long": (429, "application/json"),
    "500": (500, "application/json"),
    "502-html": (502, "text/html"),
    "503": (503, "text/plain; charset=utf-8"),
    "redirect": (302, None),
    "echo-token-401": (401, "application/json"),
    "wrong-type": (200, "text/html; charset=utf-8"),
    "no-type": (200, None),
}


@pytest.mark.parametrize("kind", STATUSES)
def test_status_and_type(server: Running, kind: str) -> None:
    """A fault of status or type is seen as such."""
    answer = hit(server, kind)
    assert (answer.status_code, answer.headers.get("content-type")) == STATUSES[kind]


def test_retry_after(server: Running) -> None:
    """How long to wait is reported by the faults that are named for it, and by no other."""
    kinds = ("429", "429-retry-after", "429-retry-after-long")
    values = [hit(server, kind).headers.get("retry-after") for kind in kinds]
    assert values == [None, "0", "3600"]


def test_bodies_of_refusals(server: Running) -> None:
    """A refusal has the body that its kind says."""
    assert "errors" in hit(server, "403-errors").json()
    assert isinstance(hit(server, "403-text").json(), str)
    assert "errors" in hit(server, "404-errors").json()
    assert hit(server, "404-text").text == "404 page not found"


BROKEN: dict[str, type[httpx.TransportError]] = {
    "reset-at-once": httpx.ReadError,
    "reset": httpx.ReadError,
    "cut-short": httpx.RemoteProtocolError,
    "stall": httpx.ReadTimeout,
    "stall-headers": httpx.ReadTimeout,
}
SENT = {"reset", "cut-short", "stall"}


@pytest.mark.parametrize("kind", BROKEN)
def test_broken_connections(server: Running, kind: str) -> None:
    """A broken connection breaks for the client too, after half of the body if there was one."""
    server.faults = (Fault(kind, "databases"),)
    got: list[bytes] = []
    with Asker(server, timeout=0.2) as asker, pytest.raises(BROKEN[kind]):
        receive(asker, PATHS["databases"], got)
    assert bool(got) == (kind in SENT)


def receive(asker: Asker, path: str, got: list[bytes]) -> None:
    """Receive an answer piece by piece, and keep what came before it broke."""
    with asker.stream("GET", path) as answer:
        for piece in answer.iter_raw():
            got.append(piece)  # noqa: PERF402 (what came is kept, also if it then breaks)


def test_a_reset_is_one_of_tcp(server: Running) -> None:
    """A connection is reset by RST, not just closed."""
    server.faults = (Fault("reset-at-once", "organization"),)
    reset = pytest.raises(httpx.ReadError, match="Connection reset by peer")
    with Asker(server) as asker, reset:
        asker.get(PATHS["organization"])


def test_nobody_listens_on_a_closed_address() -> None:
    """A closed address refuses connections."""
    with pytest.raises(httpx.ConnectError):
        httpx.get(closed_address(), trust_env=False)


NO_JSON = ("truncated-json", "not-utf8")


@pytest.mark.parametrize("kind", NO_JSON)
def test_broken_json(server: Running, kind: str) -> None:
    """A body that is no JSON comes whole, with status 200 and the type of JSON."""
    answer = hit(server, kind)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    assert int(answer.headers["content-length"]) == len(answer.content)
    with pytest.raises(ValueError, match=r"decode|Unterminated|delimiter"):
        json.loads(answer.content)


def test_deep_json(server: Running) -> None:
    """A deep body has 100,000 brackets in one another."""
    assert hit(server, "deep").content == b"[" * 100_000 + b"]" * 100_000


EMPTY: dict[str, object] = {"null": None, "[]": [], "{}": {}}


@pytest.mark.parametrize("kind", EMPTY)
def test_empty_answers(server: Running, kind: str) -> None:
    """An answer that says nothing is whole and has status 200."""
    answer = hit(server, kind)
    assert (answer.status_code, answer.json()) == (200, EMPTY[kind])


def test_a_bare_string(server: Running) -> None:
    """An answer can be nothing but a string."""
    assert isinstance(hit(server, "string").json(), str)


@pytest.mark.parametrize("address", ADDRESSES)
def test_duplicate_keys(server: Running, address: str) -> None:
    """An object can name one key twice, and a careless reader sees nothing of it."""
    names: list[list[str]] = []

    def seen(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        names.append([name for name, _ in pairs])
        return dict(pairs)

    json.loads(hit(server, "duplicate-keys", address).content, object_pairs_hook=seen)
    assert any(len(spelled) != len(set(spelled)) for spelled in names)


# --- faults of lists ------------------------------------------------------------------------------


def ids(answer: httpx.Response) -> list[str]:
    return [entry["id"] for entry in answer.json()]


def test_pages_that_come_twice(server: Running, asker: Asker) -> None:
    """A further page can be the one before, or always the first one."""
    three = sorted(database.id for database in FULL.databases)[:3]
    path = f"/v2/databases?limit=1&starting_after={three[1]}"
    assert ids(asker.get(path)) == three[2:]
    server.faults = (Fault("duplicate-page", "next-page"),)
    assert ids(asker.get(path)) == three[1:2]
    server.faults = (Fault("page-loop", "next-page"),)
    assert ids(asker.get(path)) == three[:1]


def test_short_pages_lose_nothing(server: Running, asker: Asker) -> None:
    """A short page is followed by the rest, if one asks for it."""
    server.faults = (Fault("short-page", "databases"), Fault("short-page", "next-page"))
    page = found = ids(asker.get(PATHS["databases"]))
    assert len(page) == 50
    while page := ids(asker.get(f"/v2/databases?limit=100&starting_after={found[-1]}")):
        found = found + page
    assert found == sorted(database.id for database in FULL.databases)


def test_cut_lists_lose_their_end(server: Running) -> None:
    """A cut list lacks its last entries."""
    assert len(hit(server, "cut-list", "databases").json()) == 98
    assert len(hit(server, "cut-list", "serverless-keys").json()) == 2
    assert len(hit(server, "cut-list", "managed-clusters-keys").json()) == 0


def test_shrinking_lists(server: Running, asker: Asker) -> None:
    """Each further request lacks one more entry."""
    for address, whole in (("next-page", 5), ("serverless-keys", 4)):
        server.faults = (Fault("shrinking", address),)
        lengths = [len(asker.json(PATHS[address])) for _ in range(3)]
        assert lengths == [whole, whole - 1, whole - 2]


@pytest.mark.parametrize("address", ADDRESSES)
def test_wrong_organization(server: Running, address: str) -> None:
    """Everything shown can belong to another organization."""
    content = hit(server, "wrong-organization", address).json()
    listed = content if isinstance(content, list) else [content]
    assert listed
    assert all(FOREIGN_ORGANIZATION in database.values() for database in listed)


@pytest.mark.parametrize(
    "address", [address for address in ADDRESSES if applies("foreign-entry", address)]
)
def test_foreign_entry(server: Running, asker: Asker, address: str) -> None:
    """One entry of another organization can stand among the right ones."""
    right = asker.json(PATHS[address])
    first, *others = hit(server, "foreign-entry", address).json()
    assert FOREIGN_ORGANIZATION in first.values()
    assert others == right[: len(others)]
    assert len(others) == min(len(right), 99)
    assert first.get("id", FOREIGN_DATABASE) == FOREIGN_DATABASE
    assert first.get("Region", FOREIGN_REGION) == FOREIGN_REGION


def test_mixed_casing(server: Running) -> None:
    """Providers and organizations can be spelled in another case."""
    listed = hit(server, "mixed-casing").json()
    assert {entry["CloudProvider"] for entry in listed} == {"AWS", "Gcp"}
    assert {database["OrganizationID"] for database in listed} == {FULL.id.upper()} != {FULL.id}
    assert "AWS" in hit(server, "mixed-casing", "serverless-view").json()
    databases = hit(server, "mixed-casing", "databases").json()
    assert {database["info"]["cloudProvider"] for database in databases} == {"aws", "Gcp"}
    assert hit(server, "mixed-casing", "organization").json()["id"] == FULL.id.upper()


def test_unknown_provider(server: Running) -> None:
    """A provider that nobody knows can appear."""
    assert hit(server, "unknown-provider").json()[0]["CloudProvider"] == "oracle"
    assert "oracle" in hit(server, "unknown-provider", "managed-clusters-view").json()
    first, second, *_ = hit(server, "unknown-provider", "databases").json()
    assert first["info"]["datacenters"][0]["cloudProvider"] == "oracle"
    assert second["info"]["cloudProvider"] != "oracle"


def test_missing_fields(server: Running) -> None:
    """What matters most can be missing."""
    assert "KeyID" not in hit(server, "missing-fields").json()[0]
    assert "keyID" not in hit(server, "missing-fields", "serverless-view").json()["aws"]
    assert "id" not in hit(server, "missing-fields", "organization").json()
    assert "provider_id" not in hit(server, "missing-fields", "accounts").json()[0]
    first, *_, last = hit(server, "missing-fields", "databases").json()
    assert "id" not in first
    assert "datacenters" not in last["info"]


# --- faults of size, time and trust ---------------------------------------------------------------


def test_a_large_body_is_streamed(server: Running, asker: Asker) -> None:
    """A large body does not say how large it is, and is right but for blanks."""
    server.faults = (Fault("50-mb", "serverless-keys"),)
    with asker.stream("GET", PATHS["serverless-keys"]) as answer:
        assert "content-length" not in answer.headers
        assert sum(map(len, answer.iter_raw(1_048_576))) > LARGE_BODY


def test_a_gzip_bomb_is_small_on_its_way(server: Running, asker: Asker) -> None:
    """A small body can unpack to a large one."""
    server.faults = (Fault("gzip-bomb", "serverless-keys"),)
    with asker.stream("GET", PATHS["serverless-keys"]) as answer:
        assert int(answer.headers["content-length"]) < 100_000
        assert len(answer.read()) > LARGE_BODY
        assert len(answer.json()) == 4


def test_a_dripping_body_never_pauses_for_long(server: Running) -> None:
    """A dripping body comes byte by byte, faster than any read times out."""
    server.faults = (Fault("drip", "organization"),)
    with Asker(server) as asker, asker.stream("GET", PATHS["organization"]) as answer:
        pieces = answer.iter_raw()
        started = time.monotonic()
        assert [next(pieces) for _ in range(3)] == [b"{", b'"', b"i"]
        assert 0.3 < time.monotonic() - started < 2


def test_a_redirection_leads_to_another_server(server: Running, asker: Asker) -> None:
    """Who follows a redirection is seen where it leads."""
    location = hit(server, "redirect").headers["location"]
    assert location == f"{server.elsewhere}/v2/kms"
    assert server.elsewhere != server.address
    assert server.visits == []
    asker.get(PATHS["serverless-keys"], follow_redirects=True)
    assert [visit.target for visit in server.visits] == ["/v2/kms"]
    server.visits.clear()


@pytest.mark.parametrize("address", ADDRESSES)
def test_echoed_tokens(server: Running, address: str) -> None:
    """The token can come back in a header and in the body, right or refused."""
    for kind, status in (("echo-token", 200), ("echo-token-401", 401)):
        answer = hit(server, kind, address)
        assert answer.status_code == status
        assert FULL.token in answer.headers["x-debug-authorization"]
        assert FULL.token in answer.text


def test_echoed_tokens_in_databases(server: Running) -> None:
    """The token can come back as the name of a database and in a link."""
    info = hit(server, "echo-token", "databases").json()[0]["info"]
    assert info["name"] == FULL.token
    assert FULL.token in info["datacenters"][0]["secureBundleUrl"]


# --- more than one answer -------------------------------------------------------------------------


def on_the_wire(server: Running, kind: str, address: str) -> list[bytes]:
    """Return the body of each answer that comes over the connection of one request."""
    server.faults = (Fault(kind, address),)
    request = f"GET {PATHS[address]} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
    request += f"Authorization: Bearer {FULL.token}\r\n\r\n"
    host, _, port = server.address.removeprefix("http://").partition(":")
    data_value = b""
    with socket.create_connection((host, int(port)), timeout=5) as connection:
        connection.sendall(request.encode())
        while data := connection.recv(65_536):
            data_value += data
    return [answer.partition(b"\r\n\r\n")[2] for answer in data_value.split(b"HTTP/1.1 ")[1:]]


@pytest.mark.parametrize("address", ADDRESSES)
def test_surplus(server: Running, asker: Asker, address: str) -> None:
    """An answer can come twice, later too, or after one that nobody asked for."""
    right = asker.get(PATHS[address]).content
    assert on_the_wire(server, "sent-twice", address) == [right] * 2
    assert on_the_wire(server, "unasked-first", address) == [b"[]", right]
    assert on_the_wire(server, "surplus-later", address) == [right] * 3


def test_two_members(server: Running) -> None:
    """A packed body can have a second member, which only a careful reader sees."""
    (packed,) = on_the_wire(server, "two-gzip-members", "serverless-keys")
    first = zlib.decompressobj(zlib.MAX_WBITS | 16)
    assert isinstance(json.loads(first.decompress(packed)), list)
    assert gzip.decompress(first.unused_data) == b" "


def test_list_without_end(server: Running, asker: Asker) -> None:
    """A list can go on for ever: each page is full, of databases that never were there before."""
    server.faults = (Fault("without-end", "next-page"),)
    pages = [ids(asker.get(PATHS["next-page"])) for _ in range(3)]
    assert [len(listed_page) for listed_page in pages] == [100] * 3
    assert len({database for page in pages for database in page}) == 300


def test_half_characters(server: Running) -> None:
    """A text can end with half a character, but for those by which an entry is refused sooner."""
    (first, *_) = hit(server, "half-characters", "serverless-keys").json()
    odd = {name for name, value in first.items() if value.endswith("\ud800")}
    assert odd == {"KeyID", "Region"}


def test_dates(server: Running) -> None:
    """The date of an answer can be none, or be far away."""
    assert "-0001" in hit(server, "no-date").headers["date"]
    assert "9999" in hit(server, "far-date").headers["date"]


# --- which requests a fault hits ------------------------------------------------------------------

LATER = {"stall", "stall-headers", "drip", "50-mb", "gzip-bomb", "shrinking"}
UNSEEN = {"sent-twice", "unasked-first", "surplus-later", "two-gzip-members", "no-date", "far-date"}
"""What a client that is not careful does not see; each has a test of its own above."""

AT_ONCE = [(kind, address) for kind, address in EVERYWHERE if kind not in LATER | UNSEEN]


@pytest.mark.parametrize("address", ADDRESSES)
def test_every_fault_is_seen_everywhere_it_applies(server: Running, address: str) -> None:
    """A fault gives another answer than the right one, once, and the right one afterwards."""
    with Asker(server) as asker:
        right = seen(asker, address)
        for kind in [kind for kind, hit_address in AT_ONCE if hit_address == address]:
            server.faults = (Fault(kind, address, FIRST),)
            assert seen(asker, address) != right, kind
            assert seen(asker, address) == right, kind


def seen(asker: Asker, address: str) -> tuple[object, ...]:
    """Return what a client sees: status, type and body, or how the connection broke."""
    try:
        answer = asker.get(PATHS[address])
    except httpx.TransportError as error:
        return (type(error),)
    return answer.status_code, answer.headers.get("content-type"), answer.content


def test_faults_can_be_of_one_organization(server: Running) -> None:
    """A fault of one organization leaves the other alone."""
    server.faults = (Fault("500", "serverless-keys", organization=SMALL.id),)
    with Asker(server) as full, Asker(server, SMALL.token) as small:
        codes = [seconds.get("/v2/kms").status_code for seconds in (full, small)]
    assert codes == [200, 500]


def test_requests_are_counted_for_each_organization(server: Running) -> None:
    """The first request is the first one of each organization, until other faults are set."""
    server.faults = (Fault("503", "serverless-keys", {2}),)
    with Asker(server) as full, Asker(server, SMALL.token) as small:
        for asker in (full, small):
            assert [asker.get("/v2/kms").status_code for _ in range(3)] == [200, 503, 200]


@pytest.mark.parametrize(
    ("kind", "address"), [("page-loop", "accounts"), ("no-such", "databases"), ("500", "nowhere")]
)
def test_senseless_faults_are_refused(kind: str, address: str) -> None:
    """A fault that makes no sense where it is asked for cannot be made."""
    with pytest.raises(ValueError, match="no fault"):
        Fault(kind, address)


def test_the_table_of_places_names_kinds_and_addresses_that_exist() -> None:
    """Every kind that does not apply everywhere is reported with its places and its reason."""
    assert set(ONLY_AT) <= set(KINDS)
    for places, reason in ONLY_AT.values():
        assert places < set(ADDRESSES)
        assert reason


# --- running --------------------------------------------------------------------------------------


def stopping(kind: str) -> float:
    """Return how long it takes to stop a server while a faulty answer is in progress."""
    with ThreadPoolExecutor(1) as threads:
        with serve(FLEET, [Fault(kind, "databases")]) as running:
            asked = running.address + PATHS["databases"]
            threads.submit(httpx.get, asked, headers=TOKEN, trust_env=False)
            while not running.requests:
                time.sleep(0.001)
            started = time.monotonic()
        return time.monotonic() - started


@pytest.mark.parametrize("kind", ["stall", "stall-headers", "drip", "50-mb"])
def test_it_stops_at_once(kind: str) -> None:
    """The server stops at once, whatever is in progress."""
    assert stopping(kind) < 0.5


def test_it_runs_as_a_process_of_its_own() -> None:
    """As a process it prints its address first, serves the large fleet, and ends when killed."""
    own = large_fleet(2, 3).organizations[1]
    command = [sys.executable, "-m", "tests.astra.server", "--organizations=2", "--databases=3"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        address = process.stdout.readline().strip()
        headers = {"authorization": f"Bearer {own.token}"}
        answer = httpx.get(f"{address}/v2/databases", headers=headers, trust_env=False)
        process.terminate()
        assert process.wait(timeout=5) in {0, -15}
    assert len(answer.json()) == 3


# --- fleets ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("fleet", [FLEET, large_fleet(3, 12)])
def test_a_fleet_has_a_key_wherever_it_has_databases(fleet: Fleet) -> None:
    """Each region of each database has its own well-formed key, and no key is used elsewhere."""
    for own in fleet.organizations:
        scopes = {
            (database.type, database.provider, region.name)
            for database in own.databases
            for region in database.regions
        }
        assert scopes == {(key.type, key.provider, key.region) for key in own.keys}
    keys = [key for own in fleet.organizations for key in own.keys]
    assert len({key.key_id for key in keys}) == len(keys)
    for key in keys:
        found = parse_key_id(key.key_id)
        assert (found.form, found.provider, found.region) == ("key", key.provider, key.region)


def test_the_organizations_file_names_tokens_and_never_holds_them() -> None:
    """The file names the variables that hold the tokens, and whatever policy are given."""
    data = organizations_data(FLEET, "http://127.0.0.1:1", attempts=2)
    assert data["requests"] == {"attempts": 2}
    assert {organization["token"] for organization in data["organizations"]} == set(
        FLEET.environment
    )
    assert "not-a-real-token" not in json.dumps(data)
    assert "requests" not in organizations_data(FLEET, "http://127.0.0.1:1")
