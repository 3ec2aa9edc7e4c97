"""Many nights are read quickly, and not otherwise than by the full reader."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory.errors import InputError
from inventory.opening import read_file
from inventory.past.moments import Moment
from inventory.past.quick_reader import NotQuickError, QuickReader
from inventory.past.snapshots import take_snapshot, time_of
from inventory.text.canonical_json import compact_json
from tests.builders import (
    OTHER_DATABASE,
    OTHER_ORGANIZATION,
    aws_key_id,
    cloud_key_data,
    database_data,
    key_data,
    ndjson_lines,
    organization_data,
    planned_data,
)
from tests.hypothesis_profile import examples
from tests.inventory.live import Astra, configured, listed_database, listed_key, write_bundle

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

READING = {
    "fact": "databases",
    "address": "/v2/databases",
    "requests": 1,
    "answers": {"200": 1},
    "sha256": "0" * 64,
}


ACCOUNT = (
    '{"kind":"vendor-account","type":"serverless","provider":"aws","region":"us-east-1",'
    '"account":"1"}'
)


def text_of(*organizations: dict[str, Any], **head: object) -> bytes:
    """Return a file as the suite writes it: compact, each organization with its time last."""
    return b"".join(
        compact_json(line).encode() + b"\n" for line in ndjson_lines(*organizations, **head)
    )


def full(path: str) -> list[Moment]:
    """Read a file by the full reader."""
    source, organizations, *_ = read_file(path, "history")
    return [
        take_snapshot(time_of(source, organization), organization).moment(organization.id)
        for organization in organizations
    ]


def night(number: int, **over: object) -> dict[str, Any]:
    """Return an organization as the record of one night shows it."""
    fields = {"readings": [READING | {"sha256": f"{number:064x}"}]} | over
    return organization_data(**fields, captured_at=f"2026-03-{number:02}T02:00:01.5Z")


def test_what_a_file_shows(tmp_path: Path) -> None:
    """A file is read quickly to what the full reader finds, with the same source."""
    file = tmp_path / "a.ndjson"
    two = [key_data(), key_data(key_id=aws_key_id(number=9)), key_data(region="us-east-2")]
    every = [
        night(1, keys=two, cloud_keys=[cloud_key_data()], databases=[planned_data()]),
        organization_data(id=OTHER_ORGANIZATION, name="acme-test", keys=[]),
    ]
    file.write_bytes(text_of(*every))
    quick = QuickReader().read(str(file))
    assert quick.moments == full(str(file))
    assert quick.source == read_file(str(file), "history").source


def test_what_a_bundle_shows(tmp_path: Path) -> None:
    """A bundle is read quickly to what the full reader finds: entries are where they were seen."""
    astra = Astra(serverless=[listed_key()], databases=[listed_database(1), listed_database(2)])
    bundle = write_bundle(tmp_path / "b", (configured(), astra))
    quick = QuickReader().read(bundle)
    assert quick.moments == full(bundle)
    assert quick.source == read_file(bundle, "history").source
    assert quick.moments[0].databases[0].place.is_inside


def test_an_organization_twice(tmp_path: Path) -> None:
    """An organization that a file lists twice is left to the full reader, which refuses it."""
    file = tmp_path / "a.ndjson"
    file.write_bytes(text_of(night(1), night(1)))
    with pytest.raises(NotQuickError):
        QuickReader().read(str(file))
    with pytest.raises(InputError, match="a duplicate organization"):
        read_file(str(file), "history")


def test_another_form_of_a_line(tmp_path: Path) -> None:
    """A line that another program has written is read, too, and so is one that is there again."""
    file, reader = tmp_path / "a.ndjson", QuickReader()
    for form in (b'{"kind":"database", ', b'{"kind":"database",  '):
        file.write_bytes(text_of(night(1)).replace(b'{"kind":"database",', form))
        assert reader.read(str(file)).moments == full(str(file))


def test_keys_that_stay_are_kept_once(tmp_path: Path) -> None:
    """Where a database changes and no key does, the keys are the same object."""
    file, reader, shown = tmp_path / "a.ndjson", QuickReader(), []
    for name in ("one", "two"):
        file.write_bytes(text_of(night(1, databases=[database_data(name=name)])))
        shown.append(reader.read(str(file)).moments[0])
    assert shown[0].keys is shown[1].keys
    assert shown[0].databases != shown[1].databases


NIGHTS = st.lists(
    st.fixed_dictionaries(
        {
            "keys": st.lists(
                st.sampled_from([key_data(), key_data(region="us-east-2")]),
                unique_by=lambda key: key["region"],
            ),
            "databases": st.lists(
                st.sampled_from(
                    [
                        database_data(),
                        database_data(id=OTHER_DATABASE, status="TERMINATED"),
                        database_data(id=OTHER_DATABASE, name="renamed"),
                        planned_data(),
                    ]
                ),
                unique_by=lambda database: database.get("id", ""),
            ),
            "gaps": st.sampled_from([[], [{"fact": "serverless-keys", "reason": "refused"}]]),
            "name": st.sampled_from(["acme-prod", "acme-renamed"]),
        }
    ),
    min_size=1,
    max_size=6,
)


@examples(50)
@given(nights=NIGHTS, others=st.lists(st.booleans(), min_size=6, max_size=6))
def test_many_nights(
    tmp_path_factory: pytest.TempPathFactory, nights: list[dict[str, Any]], others: list[bool]
) -> None:
    """Whatever changes from night to night, each is read to what the full reader finds."""
    folder, reader = tmp_path_factory.mktemp("nights"), QuickReader()
    for number, (over, has_other) in enumerate(zip(nights, others, strict=False), 1):
        file = folder / f"{number}.ndjson"
        other = organization_data(id=OTHER_ORGANIZATION, name="acme-test")
        file.write_bytes(text_of(*[other] * has_other, night(number, **over)))
        assert reader.read(str(file)).moments == full(str(file))


def test_equal_nights_share_what_they_show(tmp_path: Path) -> None:
    """What is the same in two nights is kept once."""
    reader, shown = QuickReader(), []
    for number in (1, 2):
        (tmp_path / "a.ndjson").write_bytes(text_of(night(number)))
        shown.append(reader.read(str(tmp_path / "a.ndjson")).moments[0])
    assert shown[0].keys is shown[1].keys
    assert shown[0].databases is shown[1].databases
    assert shown[0].at < shown[1].at


def replaced(old: str, new: str) -> Callable[[bytes], bytes]:
    """Return what replaces a part of a file, which must be there."""

    def change(raw: bytes) -> bytes:
        assert old.encode() in raw
        return raw.replace(old.encode(), new.encode())

    return change


CHANGES: dict[str, Callable[[bytes], bytes]] = {
    "no file": lambda _: b"",
    "cut short": lambda raw: raw[: raw.rfind(b'{"kind":"end"')],
    "cut in a line": lambda raw: raw[:-20],
    "no line break at the end": lambda raw: raw[:-1],
    "head and end only": lambda raw: (
        raw.splitlines(keepends=True)[0]
        + b'{"kind":"end","organizations":0,"keys":0,"databases":0}\n'
    ),
    "clouds only": replaced('"cmek-inventory":1', '"cmek-inventory":1,"clouds_only":true'),
    "newer version": replaced('"cmek-inventory":1', '"cmek-inventory":2'),
    "no time": lambda raw: replaced(',"captured_at":"2026-11-20T02:00:00Z"', "")(
        replaced(',"captured_at":"2026-03-01T02:00:01.5Z"', "")(raw)
    ),
    "a time without zone": replaced("02:00:01.5Z", "02:00:01.5"),
    "two times": replaced('{"kind":"organization",', '{"kind":"organization","captured_at":"x",'),
    "a time inside": replaced(
        ',"captured_at":"2026-03-01T02:00:01.5Z"}', ',"captured_at":{"a":"b"}}'
    ),
    "a list in the line": replaced('{"kind":"organization",', '{"kind":"organization","keys":[],'),
    "a duplicate key": replaced('{"kind":"organization",', '{"kind":"organization","id":"x",'),
    "an unknown field": replaced('{"kind":"key",', '{"kind":"key","unknown":1,'),
    "a duplicate field": replaced('{"kind":"key",', '{"kind":"key","region":"x",'),
    "a wrong database": replaced('"kind":"database",', '"kind":"database","state":"lost",'),
    "an unknown kind": replaced('"kind":"key"', '"kind":"kay"'),
    "a kind that is no text": replaced('"kind":"key"', '"kind":7'),
    "no kind": replaced('"kind":"key",', ""),
    "an entry twice": lambda raw: b"".join(
        line * (2 if b'"kind":"key"' in line else 1) for line in raw.splitlines(keepends=True)
    ),
    "an organization twice": lambda raw: b"".join(
        [*raw.splitlines(keepends=True)[:-1], *raw.splitlines(keepends=True)[1:]]
    ),
    "a wrong count": replaced('"keys":1', '"keys":2'),
    "a wrong count of organizations": replaced('"organizations":1', '"organizations":2'),
    "a wrong reading": replaced('"requests":1', '"requests":-1'),
    "another kind among the readings": replaced(
        '{"kind":"reading"',
        f'{{"kind":"reading",{compact_json(READING)[1:]}\n{ACCOUNT}\n{{"kind":"reading"',
    ),
    "an empty line among the readings": lambda raw: raw.replace(
        b'{"kind":"end"', b'\n{"kind":"end"'
    ),
    "a key before the organization": lambda raw: raw.replace(
        b'{"kind":"organization"', f'{ACCOUNT}\n{{"kind":"organization"'.encode()
    ),
    "a wrong byte": lambda raw: raw.replace(b"acme-prod", b"acme\xffprod"),
    "a token": replaced('"name":"acme-prod"', '"name":"AstraCS:not-a-real-token:0123456789ab"'),
    "an empty line": replaced('{"kind":"key"', '\n{"kind":"key"'),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
@pytest.mark.parametrize("is_known", [False, True], ids=["first", "later"])
def test_left_to_the_full_reader(
    tmp_path: Path, change: Callable[[bytes], bytes], *, is_known: bool
) -> None:
    """A file with any mistake is left to the full reader, which refuses it or sees less in it."""
    file, reader = tmp_path / "a.ndjson", QuickReader()
    raw = text_of(night(1))
    file.write_bytes(raw)
    if is_known:
        reader.read(str(file))
    file.write_bytes(change(raw))
    with pytest.raises(NotQuickError):
        reader.read(str(file))
    file.write_bytes(raw)
    assert reader.read(str(file)).moments == full(str(file))


@examples(300)
@given(position=st.floats(0, 1), byte=st.binary(min_size=0, max_size=2), length=st.integers(0, 3))
def test_any_change(
    tmp_path_factory: pytest.TempPathFactory, position: float, byte: bytes, length: int
) -> None:
    """Whatever bytes change, what is read quickly is what the full reader finds."""
    file, reader = tmp_path_factory.mktemp("any") / "a.ndjson", QuickReader()
    raw = text_of(night(1), organization_data(id=OTHER_ORGANIZATION, name="acme-test"))
    file.write_bytes(raw)
    reader.read(str(file))
    at = int(position * len(raw))
    file.write_bytes(raw[:at] + byte + raw[at + length :])
    try:
        moments = reader.read(str(file)).moments
    except NotQuickError:
        return
    assert moments == full(str(file))


def replace_by_link(bundle: Path) -> None:
    """Leave a link to the inventory in its place."""
    kept = bundle.parent / "kept"
    (bundle / "inventory.ndjson").rename(kept)
    (bundle / "inventory.ndjson").symlink_to(kept)


BUNDLE_CHANGES: dict[str, Callable[[Path], object]] = {
    "no manifest": lambda bundle: (bundle / "manifest.json").unlink(),
    "no inventory": lambda bundle: (bundle / "inventory.ndjson").unlink(),
    "changed inventory": lambda bundle: (bundle / "inventory.ndjson").write_bytes(
        (bundle / "inventory.ndjson").read_bytes().replace(b"acme-prod", b"acme-test")
    ),
    "longer inventory": lambda bundle: (bundle / "inventory.ndjson").write_bytes(b"{}"),
    "a link": replace_by_link,
}


@pytest.mark.parametrize("change", BUNDLE_CHANGES.values(), ids=BUNDLE_CHANGES)
def test_damaged_bundle(tmp_path: Path, change: Callable[[Path], object]) -> None:
    """A damaged bundle is left to the full reader, which refuses it."""
    bundle = write_bundle(tmp_path / "b", (configured(), Astra(serverless=[listed_key()])))
    change(tmp_path / "b")
    with pytest.raises(NotQuickError):
        QuickReader().read(bundle)
    with pytest.raises(InputError):
        read_file(bundle, "history")


def test_every_list_may_be_there(tmp_path: Path) -> None:
    """The kinds of lines that history does not need are checked, too."""
    scope = {"type": "serverless", "provider": "aws", "region": "us-east-1"}
    case = scope | {"ticket": "1", "by": "Ada Example", "on": "2026-01-01"}
    over = {
        "region_views": [scope | {"key_id": aws_key_id()}],
        "vendor_accounts": [scope | {"account": "1"}],
        "support_cases": [case],
    }
    file = tmp_path / "a.ndjson"
    file.write_bytes(text_of(night(1, **over)))
    assert QuickReader().read(str(file)).moments == full(str(file))
