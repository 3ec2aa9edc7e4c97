"""A bundle is read again from its exchanges alone, to the same inventory."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import httpx
import pytest

from inventory.astra.config import Organizations
from inventory.astra.replay import read_configuration, replay
from inventory.errors import EvidenceError, ReplayError
from inventory.evidence.exchange_line import parse_line, render_line
from inventory.evidence.manifest import read_manifest
from inventory.evidence.reader import open_bundle
from inventory.files.ndjson_writer import head_line
from tests.builders import ORGANIZATION, aws_key_id, moment, uuid
from tests.evidence_files import FIRST, lines_of, write_lines
from tests.inventory.live import (
    ENDED,
    Astra,
    answer,
    configured,
    listed_database,
    listed_key,
    no_answer,
    seal,
    write_bundle,
)

KEYS = "/v2/kms"
SAID = {"by": "Ada Example", "on": "2026-10-01"}


def whole() -> Astra:
    return Astra(serverless=[listed_key()], databases=[listed_database(1), listed_database(2)])


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return a whole bundle of two organizations, of which one had no token."""
    place = tmp_path_factory.mktemp("replaying") / "bundle"
    fleet = (configured(), whole()), (configured(id="b", name="b", token="B"), None)
    return write_bundle(place, *fleet)


@pytest.fixture
def bundle(recorded: str, tmp_path: Path) -> str:
    """Return a copy of a whole bundle."""
    return str(shutil.copytree(recorded, tmp_path / "bundle"))


def places_at(folder: str, address: str) -> list[tuple[Path, int]]:
    """Return the file and index of a bundle's lines for ``address``, in their order."""
    return [
        (file, index)
        for file in sorted(Path(folder).glob("exchanges/*"))
        for index, line in enumerate(lines_of(file))
        if json.loads(line)["address"] == address
    ]


def replace_at(folder: str, address: str, *instead: bytes) -> None:
    """Put other lines in the place of the first one for ``address``."""
    file, index = places_at(folder, address)[0]
    lines = lines_of(file)
    write_lines(file, [*lines[:index], *instead, *lines[index + 1 :]])


def line_at(folder: str, address: str) -> bytes:
    """Return the first line for ``address``."""
    file, index = places_at(folder, address)[0]
    return lines_of(file)[index]


def refuses(folder: str, text: str) -> None:
    """See that a bundle whose manifest fits is refused all the same."""
    seal(folder)
    with pytest.raises(ReplayError) as caught:
        replay(folder)
    assert text in str(caught.value)


# --- the same inventory ---------------------------------------------------------------------------


def test_whole_bundle(recorded: str) -> None:
    """The exchanges of a whole bundle give its inventory, line by line, to the byte."""
    replayed = replay(recorded)
    lines = (Path(recorded) / "inventory.ndjson").read_text(encoding="utf-8").splitlines()
    assert replayed.lines == len(lines) - 2
    assert replayed.manifest == read_manifest(recorded)


def test_replay_is_repeatable(recorded: str) -> None:
    """A bundle can be replayed as often as one likes, and stays as it is."""
    assert replay(recorded) == replay(recorded)


CASES = {
    "nothing": Astra(),
    "many": Astra(databases=[listed_database(number) for number in range(1, 151)]),
    "gone": Astra(other={KEYS: answer({}, 403)}),
    "retried": Astra(other={KEYS: [answer({}, 503), answer([listed_key()])]}),
    "given up": Astra(other={KEYS: answer({}, 503)}),
    "no time": Astra(other={KEYS: answer({}, 429, retry_after="3600")}),
    "broken": Astra(other={KEYS: no_answer("cut-short", "the answer ended early")}),
    "page": Astra(other={KEYS: httpx.Response(502, html="<p>")}),
    "odd status": Astra(other={KEYS: answer([], 999)}),
    "growing": Astra(readings=[[], [listed_database(1)], [listed_database(2)]]),
    "refused": Astra(other={"/v2/currentOrg": answer({}, 401)}),
    "names": Astra(databases=[listed_database(1, info={"name": "\u00fc\u2028\x00\U0001f600"})]),
    "half a letter": Astra(databases=[listed_database(1, info={"name": "\ud800"})]),
    "clock": Astra(other={KEYS: answer([], date="Fri, 20 Nov 2020 02:00:00 GMT")}),
    "deep": Astra(other={KEYS: answer(json.loads("[" * 100 + "]" * 100))}),
}


@pytest.mark.parametrize("astra", CASES.values(), ids=CASES)
def test_whatever_was_recorded(astra: Astra, tmp_path: Path) -> None:
    """Whatever went wrong while recording, a replay tells the same."""
    folder = write_bundle(tmp_path / "bundle", (configured(), astra))
    assert replay(folder).lines > 0


def test_organization_that_nobody_configured(tmp_path: Path) -> None:
    """An organization whose id came from its token is replayed under that id."""
    folder = write_bundle(tmp_path / "bundle", (configured(id=None), whole()))
    assert replay(folder).lines > 0
    assert [organization.id for organization in read_configuration(folder).organizations] == [None]


def test_attestations_are_replayed(tmp_path: Path) -> None:
    """What people attested is in the bundle, and in what a replay gives."""
    key = {"type": "serverless", "provider": "aws", "region": "us-east-1", "key_id": aws_key_id()}
    config = configured(
        plan={"paid": True} | SAID, keys=[key | {"rotation": {"automatic": True} | SAID}]
    )
    folder = write_bundle(tmp_path / "bundle", (config, whole()))
    assert replay(folder).lines > 0
    assert read_configuration(folder).organizations == (config,)
    assert isinstance(read_configuration(folder), Organizations)


def test_looks_at_the_portal_are_replayed(tmp_path: Path) -> None:
    """What somebody saw of a region is in the bundle's inventory, and a replay gives it again."""
    regions = [
        {"name": name, "portal": {"key": "customer"} | SAID} for name in ("us-east-1", "us-west-2")
    ]
    config = configured(databases=[{"id": uuid(1), "regions": regions}])
    folder = write_bundle(tmp_path / "bundle", (config, whole()))
    assert replay(folder).lines > 0
    [organization] = open_bundle(folder).organizations()
    seen = [
        (database.id, region.name, region.portal is not None)
        for database in organization.databases or ()
        for region in database.regions
    ]
    assert seen == [(uuid(1), "us-east-1", True), (uuid(2), "us-east-1", False)]
    assert [(gap.fact, gap.reason) for gap in organization.gaps] == [("databases", "not-visible")]


# --- bundles that do not fit their manifest -------------------------------------------------------


def test_changed_file(bundle: str) -> None:
    """A file that is not as the manifest says stops a replay before it begins."""
    replace_at(bundle, KEYS, line_at(bundle, KEYS).replace(b"us-east-1", b"us-east-2"))
    with pytest.raises(EvidenceError, match="found changed content"):
        replay(bundle)


def test_file_that_is_not_listed(bundle: str) -> None:
    """A file that the manifest does not list stops a replay."""
    (Path(bundle) / "exchanges/9999.ndjson.gz").write_text("{}", encoding="utf-8")
    with pytest.raises(EvidenceError, match="expected no file: it is not listed"):
        replay(bundle)


def test_file_that_is_gone(bundle: str) -> None:
    """A file that is gone stops a replay."""
    (Path(bundle) / FIRST).unlink()
    with pytest.raises(EvidenceError, match="found nothing, expected the file that"):
        replay(bundle)


def test_link(bundle: str, tmp_path: Path) -> None:
    """A link stops a replay."""
    file = Path(bundle) / FIRST
    file.symlink_to(file.rename(tmp_path / "other.json"))
    with pytest.raises(EvidenceError, match="found a link, expected a file"):
        replay(bundle)


# --- bundles whose manifest was made to fit -------------------------------------------------------


def test_sealed_bundle(bundle: str) -> None:
    """A bundle whose manifest was written anew, and nothing else, is replayed as before."""
    seal(bundle)
    assert replay(bundle).lines > 0


@pytest.mark.parametrize("address", ["/v2/currentOrg", KEYS, "/v2/kms/classic"])
def test_exchange_that_was_taken_away(bundle: str, address: str) -> None:
    """An exchange that was taken away is missed, also if the manifest was made to fit."""
    replace_at(bundle, address)
    refuses(bundle, f"GET {address}: requested, but not recorded")


def test_all_exchanges_were_taken_away(bundle: str) -> None:
    """If all exchanges of an organization were taken away, it tells something else."""
    (Path(bundle) / FIRST).unlink()
    refuses(bundle, "inventory.ndjson:2: the exchanges give another line")


def test_exchange_that_was_added(bundle: str) -> None:
    """An exchange that nobody asks for is found, also if the manifest was made to fit."""
    (file, index) = places_at(bundle, KEYS)[0]
    line = lines_of(file)[index]
    replace_at(bundle, KEYS, line, line)
    refuses(bundle, f"{FIRST}:{index + 2}: recorded, but not requested: GET /v2/kms")


def test_exchange_that_was_added_to_an_organization_without_token(bundle: str) -> None:
    """An exchange of an organization that was not asked is found."""
    write_lines(Path(bundle) / "exchanges/0002.ndjson.gz", [line_at(bundle, KEYS)])
    refuses(bundle, "GET /v2/currentOrg: requested, but not recorded")


def change(folder: str, address: str, **over: object) -> None:
    """Write an exchange again, as the tool itself would."""
    own = parse_line(FIRST, 1, line_at(folder, address))
    replace_at(folder, address, render_line(own._replace(**{"body": ""} | over)))  # type: ignore[arg-type]


def test_answer_that_was_changed(bundle: str) -> None:
    """An answer that was changed gives another inventory, also if hash and manifest fit."""
    change(bundle, KEYS, value=[listed_key(KeyID=aws_key_id(number=2))])
    refuses(bundle, "inventory.ndjson:3: the exchanges give another line")


def test_time_that_was_changed(bundle: str) -> None:
    """A time that was changed gives another inventory."""
    change(bundle, KEYS, ended=moment("2030-01-01T00:00:00Z"))
    refuses(bundle, "the exchanges give another line")


def test_exchange_that_is_none(bundle: str) -> None:
    """A line that is no exchange is refused by its file and number."""
    (_, index) = places_at(bundle, KEYS)[0]
    replace_at(bundle, KEYS, b"{}\n")
    seal(bundle)
    with pytest.raises(EvidenceError, match=rf"exchanges/0001\.ndjson\.gz:{index + 1}: "):
        replay(bundle)


def test_every_line_of_the_inventory_counts(bundle: str) -> None:
    """An inventory of which an entry's line was changed, doubled or removed does not fit."""
    file = Path(bundle) / "inventory.ndjson"
    lines = file.read_text(encoding="utf-8").splitlines(keepends=True)
    for number in range(1, len(lines) - 1):
        line = lines[number]
        for other in ([line.replace('"id"', '"Id"', 1).replace("0", "1")], [line, line], []):
            text = "".join([*lines[:number], *other, *lines[number + 1 :]])
            file.write_text(text, encoding="utf-8")
            refuses(bundle, "inventory.ndjson:")


def test_first_and_last_line_of_the_inventory_count(bundle: str) -> None:
    """Nothing but the recorded lines is in the inventory, and head and end are their own."""
    file = Path(bundle) / "inventory.ndjson"
    text = file.read_text(encoding="utf-8")
    for other in (
        text.replace("2026-11-20", "2026-11-19", 1),
        text.replace('"kind":"end","organizations":2', '"kind":"end","organizations":3'),
        text + "\n",
        text + '{"kind":"end"}\n',
        text.removesuffix("\n"),
        "",
    ):
        assert other != text
        file.write_text(other, encoding="utf-8")
        refuses(bundle, "inventory.ndjson:")


@pytest.mark.parametrize(
    "name", ["organizations", "requests", "failures", "redactions", "clock_seconds"]
)
def test_counts_of_the_manifest_count(bundle: str, name: str) -> None:
    """A manifest that counts other than the exchanges do does not fit them."""
    seal(bundle, **{name: 77})
    with pytest.raises(ReplayError) as caught:
        replay(bundle)
    assert str(caught.value) == f"{bundle}/manifest.json: the exchanges give a different {name}"


def test_address_of_the_manifest_counts(bundle: str) -> None:
    """A manifest that names another address than the organizations were asked at does not fit."""
    seal(bundle, address="https://api.astra.example")
    with pytest.raises(ReplayError, match="the exchanges give a different address"):
        replay(bundle)


@pytest.mark.parametrize(
    ("name", "time"), [("ended", "2020-01-01T00:00:00Z"), ("started", "2099-01-01T00:00:00Z")]
)
def test_times_of_the_manifest_count(bundle: str, name: str, time: str) -> None:
    """A manifest that ends before an exchange, or starts after one, does not fit."""
    seal(bundle, **{name: time})
    file = Path(bundle) / "inventory.ndjson"
    _, *lines = file.read_text(encoding="utf-8").splitlines(keepends=True)
    head = head_line(read_manifest(bundle).started)
    file.write_text("".join([head, *lines]), encoding="utf-8")
    refuses(bundle, f"the exchanges give a different {name}")


def test_bundle_without_exchanges_ends_after_it_starts(tmp_path: Path) -> None:
    """Where nobody was asked, a manifest that ends before it starts does not fit either."""
    folder = write_bundle(tmp_path / "bundle", (configured(), None))
    assert replay(folder).lines == 1
    seal(folder, ended="2020-01-01T00:00:00Z")
    with pytest.raises(ReplayError, match="the exchanges give a different ended"):
        replay(folder)


def test_exchange_of_no_organization(bundle: str) -> None:
    """An exchange of an organization that was not to be read is found."""
    write_lines(Path(bundle) / "exchanges/0003.ndjson.gz", [line_at(bundle, KEYS)])
    refuses(bundle, "manifest.json: the exchanges give a different files")


def test_organizations_that_were_changed(bundle: str) -> None:
    """What was to be read cannot be changed either, be it an attestation."""
    file = Path(bundle) / "organizations.json"
    fields = json.loads(file.read_bytes())
    for over in ({"name": "other"}, {"plan": {"paid": True} | SAID}, {"id": "other"}):
        changed = fields | {"organizations": [fields["organizations"][0] | over]}
        file.write_text(json.dumps(changed), encoding="utf-8")
        refuses(bundle, "")


@pytest.mark.parametrize("content", ["", "{", "[]", '{"cmek-organizations": 1}'])
def test_organizations_that_are_none(bundle: str, content: str) -> None:
    """If it does not say what was to be read, there is nothing to replay."""
    (Path(bundle) / "organizations.json").write_text(content, encoding="utf-8")
    seal(bundle)
    with pytest.raises(EvidenceError, match=r"organizations\.json"):
        replay(bundle)


def test_manifest_of_another_time(bundle: str) -> None:
    """A replay returns the manifest that it has checked."""
    seal(bundle, ended="2030-01-01T00:00:00.000000Z")
    assert replay(bundle).manifest.ended != ENDED
    assert {organization.id for organization in read_configuration(bundle).organizations} == {
        ORGANIZATION,
        "b",
    }
