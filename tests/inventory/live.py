"""What the tests of the live modules share: a sham token, exchanges, and an Astra in memory."""

from __future__ import annotations

import asyncio
import hashlib
import json
import math
from base64 import b64encode, urlsafe_b64encode
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import parse_qs, quote

import httpx
import respx

from inventory.astra.client import AstraClient, ClientContext
from inventory.astra.config import OrganizationConfig, Organizations
from inventory.astra.fetch import PAGE_SIZES, fetch_organization
from inventory.astra.parsing import FetchedOrganization
from inventory.astra.readings import with_readings
from inventory.astra.recording_transport import RecordingTransport, request_limits
from inventory.astra.worker import organization_without_token
from inventory.errors import UnansweredError
from inventory.evidence.exchange import Exchange
from inventory.evidence.writer import BundleInfo, BundleWriter, ExchangeWriter, JobWriter
from inventory.system.request_policy import RequestPolicy
from inventory.text.secrets import Scrubber, Token
from tests.builders import ORGANIZATION, aws_key_id, moment
from tests.evidence_files import content_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from inventory.evidence.manifest import Previous
    from inventory.model.organization import Organization

SECRET = "0123456789abcdef" * 2
VALUE = f"AstraCS:not-a-real-token:{SECRET}"
VARIABLE = "ASTRA_TOKEN_ACME"
TOKEN = Token(VARIABLE, VALUE)
HOST = "https://astra.example.test"
KMS = f"{HOST}/v2/kms"
LETTERED = "abcdef00-0000-4000-8000-000000000001"
PATH = "exchanges/0001.ndjson.gz"
STARTED = moment("2026-11-20T02:00:00.250000Z")
ENDED = moment("2026-11-20T02:00:00.750000Z")
JSON = {"content-type": "application/json"}


def escaped(text: str) -> str:
    """Write every character as JSON can."""
    return "".join(f"\\u{ord(character):04x}" for character in text)


def percent(text: str) -> str:
    """Write every character as a URL can."""
    return "".join(f"%{ord(character):02X}" for character in text)


def entities(text: str) -> str:
    """Write every character as HTML can."""
    return "".join(f"&#{ord(character)};" for character in text)


HIDING_PLACES = {
    "plain": VALUE,
    "header": f"Bearer {VALUE}",
    "secret part": SECRET,
    "lower case": VALUE.lower(),
    "escaped": escaped(VALUE),
    "escaped in part": VALUE.replace("A", "\\u0041").replace("-", "\\u002d"),
    "escaped secret part": SECRET.replace("c", "\\u0063"),
    "escaped twice": escaped(VALUE).replace("\\", "\\\\"),
    "escaped as in a program": "".join(f"\\x{ord(character):02x}" for character in VALUE),
    "percent-encoded": quote(VALUE, safe=""),
    "percent-encoded all over": percent(VALUE),
    "percent-encoded twice": quote(percent(VALUE), safe=""),
    "percent-encoded secret part": percent(SECRET),
    "HTML": VALUE.replace(":", "&colon;"),
    "HTML by number": entities(VALUE),
    "HTML by hexadecimal number": "".join(f"&#x{ord(character):x};" for character in VALUE),
    "base64": b64encode(VALUE.encode()).decode(),
    "base64 of a header": b64encode(f"Bearer {VALUE}".encode()).decode(),
    "base64 of a pair": b64encode(f"me:{VALUE}".encode()).decode(),
    "base64 for URLs": urlsafe_b64encode(f"?{VALUE}".encode()).decode(),
    "base64 of the secret part": b64encode(SECRET.encode()).decode(),
    "base64 with it in the middle": b64encode(f"{{{SECRET}}}".encode()).decode(),
}
"""A token, and its secret part, as they may come back."""

TRACES = (SECRET, SECRET.encode().hex(), escaped(SECRET), percent(SECRET), entities(SECRET))


# --- exchanges ------------------------------------------------------------------------------------


def an_exchange(value: object = None, **over: object) -> Exchange:
    """Return an exchange that took half a second and got ``value``."""
    fields: dict[str, Any] = {
        "path": PATH,
        "line": 1,
        "address": "/v2/kms",
        "started": STARTED,
        "ended": ENDED,
    }
    fields |= {"status": 200, "headers": JSON, "value": value}
    return Exchange(**fields | over)


def answer(value: object, status: int = 200, **headers: str) -> httpx.Response:
    """Return an answer whose body is ``value`` as JSON."""
    spelled = {name.replace("_", "-"): part for name, part in headers.items()}
    return httpx.Response(status, content=json.dumps(value), headers=JSON | spelled)


def raw_answer(body: bytes, status: int = 200, **headers: str) -> httpx.Response:
    """Return an answer with ``body`` as it is, said to be JSON."""
    spelled = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.Response(status, content=body, headers=JSON | spelled)


def no_answer(reason: str = "unavailable", detail: str = "no answer: refused") -> Exception:
    """Return what a connection raises that fails in a way that may pass."""
    return UnansweredError(reason, detail, again=True)


@contextmanager
def answering(*replies: httpx.Response | Exception) -> Iterator[respx.Route]:
    """Let ``replies`` come one after the other, whatever is asked."""
    with respx.mock(assert_all_called=False) as router:
        yield router.route().mock(side_effect=list(replies))


class Recorder(RecordingTransport):
    """A recording transport without limits, and what it recorded."""

    def __init__(
        self,
        *,
        inner: httpx.AsyncBaseTransport | None = None,
        writer: ExchangeWriter | None = None,
        **limits: float,
    ) -> None:
        self.exchanges: list[Exchange] = []
        self._writer = writer
        inner = inner or httpx.AsyncHTTPTransport(verify=False)
        own = request_limits(RequestPolicy(), math.inf)._replace(**limits)  # type: ignore[arg-type]
        file = PATH if writer is None else writer.path
        super().__init__(inner, httpx.URL(HOST), self.keep, Scrubber([TOKEN]), own, file)

    def keep(self, exchange: Exchange) -> None:
        """Keep ``exchange``, and write it if there is somebody to write it."""
        self.exchanges.append(exchange)
        if self._writer:
            self._writer.write(exchange)


def a_request(method: str = "GET", url: str = KMS, *, late: bool = False) -> httpx.Request:
    """Return a request as the client makes it; ``late`` if there is no time to send it."""
    return httpx.Request(method, url, extensions={"too-late": late})


def send(transport: httpx.AsyncBaseTransport, *requests: httpx.Request) -> list[httpx.Response]:
    """Send ``requests`` one after the other over ``transport``."""

    async def run() -> list[httpx.Response]:
        return [await transport.handle_async_request(request) for request in requests]

    return asyncio.run(run())


def a_client(
    transport: httpx.AsyncBaseTransport,
    *,
    left: Callable[[], float] = lambda: math.inf,
    waits: list[float] | None = None,
    slots: int = 64,
    policy: dict[str, float] | None = None,
) -> AstraClient:
    """Return a line over ``transport`` that only notes in ``waits`` how long it would wait."""
    noted = [] if waits is None else waits

    async def sleep(seconds: float) -> None:
        noted.append(seconds)

    own = RequestPolicy.model_validate(policy or {})
    return AstraClient(ClientContext(transport, HOST, own, asyncio.Semaphore(slots), sleep, left))


# --- an Astra in memory ---------------------------------------------------------------------------


def configured(**over: object) -> OrganizationConfig:
    """Return an organization as it is configured."""
    fields: dict[str, Any] = {"id": ORGANIZATION, "name": "acme-prod", "token": VARIABLE}
    return OrganizationConfig.model_validate(fields | over)


def listed_key(region: str = "us-east-1", **over: object) -> dict[str, Any]:
    """Return a key as the lists show it."""
    fields: dict[str, Any] = {
        "OrganizationID": ORGANIZATION,
        "CloudProvider": "aws",
        "Region": region,
    }
    return fields | {"KeyID": aws_key_id(region)} | over


def datacenter(region: str = "us-east-1", **over: object) -> dict[str, Any]:
    """Return a datacenter as a database shows it."""
    fields: dict[str, Any] = {
        "name": "dc-1",
        "tier": "serverless",
        "cloudProvider": "AWS",
        "region": region,
    }
    return fields | {"dateCreated": "2026-06-01T00:00:00Z", "status": ""} | over


def listed_database(number: int = 1, **over: object) -> dict[str, Any]:
    """Return a database as the list shows it; ``info`` is laid over its own."""
    info: dict[str, Any] = {
        "name": f"orders-{number}",
        "tier": "serverless",
        "cloudProvider": "AWS",
    }
    info |= {"region": "us-east-1", "datacenters": [datacenter()]}
    info |= cast("dict[str, Any]", over.pop("info", {}))
    fields: dict[str, Any] = {
        "id": f"00000000-0000-4000-8000-{number:012x}",
        "orgId": ORGANIZATION,
        "info": info,
    }
    times = {"creationTime": "2026-05-01T00:00:00Z", "terminationTime": "0001-01-01T00:00:00Z"}
    return fields | times | {"status": "ACTIVE"} | over


class Astra:
    """Astra in memory: one organization, and other answers at the addresses in ``other``.

    Attributes:
        asked: every address that was asked, in order.
        other: an answer, or a list of them in turn, by address.
        readings: the databases in each reading of the list; the last one in all that follow.
        gone: the databases that are terminated.
    """

    def __init__(
        self,
        *,
        serverless: object = (),
        classic: object = (),
        databases: list[dict[str, Any]] | None = None,
        other: dict[str, Any] | None = None,
        readings: list[list[dict[str, Any]]] | None = None,
        gone: list[dict[str, Any]] | None = None,
    ) -> None:
        self.gone = gone or []
        self.asked: list[str] = []
        self.other = other or {}
        self.readings = readings or [databases or []]
        self._reading = -1
        self.lists = {"/v2/kms": serverless, "/v2/kms/classic": classic}

    def answer(self, request: httpx.Request) -> httpx.Response:
        """Answer ``request``."""
        address = request.url.raw_path.decode("ascii")
        self.asked.append(address)
        if address in self.other:
            values = self.other[address]
            values = values.pop(0) if isinstance(values, list) else values
        else:
            values = answer(self._right(request.url))
        if isinstance(values, Exception):
            raise values
        return httpx.Response(values.status_code, headers=values.headers, content=values.content)

    def _right(self, url: httpx.URL) -> object:
        if url.path == "/v2/currentOrg":
            return {"id": ORGANIZATION, "name": "Acme"}
        if url.path == "/v2/databases":
            return self._page(
                {name: value[0] for name, value in parse_qs(url.query.decode()).items()}
            )
        if url.path in self.lists:
            return self.lists[url.path]
        if url.path.endswith("/accounts"):
            provider = url.path.split("/")[-4]
            return [
                {"organization_id": ORGANIZATION, "provider_id": "vendor", "provider": provider}
            ]
        return self._view(url.path)

    def _page(self, query: dict[str, str]) -> list[dict[str, Any]]:
        after = query.get("starting_after", "")
        if query["include"] == "terminated":
            return [entry for entry in self.gone if str(entry["id"]) > after][: int(query["limit"])]
        self._reading += not after
        listed = self.readings[min(self._reading, len(self.readings) - 1)]
        return [database for database in listed if str(database["id"]) > after][
            : int(query["limit"])
        ]

    def _view(self, path: str) -> dict[str, Any]:
        keys: Any = self.lists["/v2/kms/classic" if "/classic/" in path else "/v2/kms"]
        for key in keys or ():
            place = f"/provider/{key['CloudProvider'].lower()}/region/{quote(key['Region'])}"
            if path.endswith(place):
                shown = {"keyID": key["KeyID"], "region": key["Region"]}
                return {"orgId": ORGANIZATION, key["CloudProvider"]: shown}
        return {}


def read(
    astra: Astra,
    config: OrganizationConfig | None = None,
    *,
    recorder: Recorder | None = None,
    left: Callable[[], float] = lambda: math.inf,
    **policy: float,
) -> FetchedOrganization:
    """Fetch an organization from ``astra``."""

    async def run() -> FetchedOrganization:
        client = a_client(recorder or Recorder(), left=left, policy=policy)
        return await fetch_organization(client, config or configured())

    with respx.mock(assert_all_called=False) as router:
        router.route().mock(side_effect=astra.answer)
        return asyncio.run(run())


# --- bundles in files -----------------------------------------------------------------------------

TOOL = "cmek-audit of the tests"


def organizations(*configs: OrganizationConfig, **over: float) -> Organizations:
    """Return what an organizations file would say, without any wait."""
    policy = RequestPolicy.model_validate({"first_wait_seconds": 0.0, "attempts": 2, **over})
    fields: dict[str, Any] = {"cmek-organizations": 1, "address": HOST, "requests": policy}
    return Organizations.model_validate(fields | {"organizations": configs})


def write_bundle(
    place: Path,
    *fleet: tuple[OrganizationConfig, Astra | None],
    previous: Previous | None = None,
    **policy: float,
) -> str:
    """Record a bundle of organizations, each read from its Astra, if there is one."""
    configuration = organizations(*(config for config, _ in fleet), **policy)
    dump = configuration.model_dump_json(by_alias=True, exclude_defaults=True).encode()
    bundle = BundleWriter(place, BundleInfo(TOOL, HOST, STARTED, previous), dump)
    job = JobWriter(bundle.staging)
    for number, (config, astra) in enumerate(fleet, 1):
        writer = job.begin(number, TOKEN)
        fetched = _fetch(astra, config, configuration.requests, writer)
        job.end(number, with_readings(fetched, writer.summaries), writer)
    job.close()
    bundle.tally.merge(job.tally)
    bundle.finish(ENDED, [TOKEN])
    return str(place)


def _fetch(
    astra: Astra | None, config: OrganizationConfig, policy: RequestPolicy, writer: ExchangeWriter
) -> FetchedOrganization:
    if astra is None:
        return organization_without_token(config)
    recorder = Recorder(inner=httpx.MockTransport(astra.answer), writer=writer)
    client = a_client(recorder, left=lambda: 60.0, policy=policy.model_dump())
    return asyncio.run(fetch_organization(client, config))


def seal(folder: str, **over: object) -> None:
    """Rewrite a bundle's manifest so that it fits whatever the folder holds now."""
    path = Path(folder) / "manifest.json"
    fields = json.loads(path.read_bytes()) | over
    fields["files"] = over.get("files") or _listed(Path(folder))
    del fields["root"]
    lines = [f'"{name}": {json.dumps(value)},\n' for name, value in fields.items()]
    above = ("{\n" + "".join(lines)).encode()
    path.write_bytes(above + f'"root": "{hashlib.sha256(above).hexdigest()}"\n}}\n'.encode())


def _listed(folder: Path) -> list[dict[str, Any]]:
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return [_listed_file(folder, path) for path in paths if path.name != "manifest.json"]


def _listed_file(folder: Path, file: Path) -> dict[str, Any]:
    size = {"content": len(content_of(file))} if file.suffix == ".gz" else {}
    return {
        "path": file.relative_to(folder).as_posix(),
        "size": file.stat().st_size,
        **size,
        "sha256": hashlib.sha256(file.read_bytes()).hexdigest(),
    }


# --- what was read ------------------------------------------------------------------------------

FIRST_PAGE = f"/v2/databases?include=nonterminated&provider=ALL&limit={PAGE_SIZES[0]}"


def gaps(read: FetchedOrganization) -> set[tuple[str, str, str]]:
    return {(gap.fact, gap.reason, gap.detail) for gap in read.organization.gaps}


def reasons(read: FetchedOrganization) -> set[tuple[str, str]]:
    return {(gap.fact, gap.reason) for gap in read.organization.gaps}


def names(organization: Organization) -> list[str]:
    return [database.name for database in organization.databases or ()]


def fleet(count: int) -> list[dict[str, Any]]:
    return [listed_database(number) for number in range(1, count + 1)]


def single(astra: Astra) -> set[str]:
    """Return the addresses of single regions that were asked, without what they begin with."""
    asked = (address.removeprefix("/v2/kms") for address in astra.asked if "/region/" in address)
    return {
        address.replace("/provider/", " ").replace("/region/", " ").strip() for address in asked
    }
