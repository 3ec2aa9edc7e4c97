"""Earlier moments, as dated records tell them."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from inventory.errors import EvidenceError, InventoryError, Problem
from inventory.history import History, KnownDatabase, Observation, read_history
from inventory.model.key import KeyScope
from tests.builders import (
    DATABASE,
    ORGANIZATION,
    OTHER_DATABASE,
    OTHER_ORGANIZATION,
    aws_key_id,
    database_data,
    document_data,
    gcp_key_id,
    key_data,
    moment,
    ndjson_lines,
    organization_data,
    planned_data,
    write_ndjson,
    write_yaml,
)
from tests.inventory.live import Astra, configured, listed_key, write_bundle

SCOPE = KeyScope(ORGANIZATION, "serverless", "aws", "us-east-1")
ELSEWHERE = KeyScope(ORGANIZATION, "serverless", "aws", "us-east-2")
MANAGED = KeyScope(ORGANIZATION, "managed-clusters", "aws", "us-east-1")


def record(path: Path, at: str | None, **over: object) -> str:
    """Write a record of one organization at one moment."""
    return write_yaml(path, document_data(organization_data(**over), captured_at=at))


def test_no_history() -> None:
    """Without any record there is nothing to tell."""
    for history in (History(), read_history([])):
        assert history.sources == ()
        assert history.organizations() == {}
        assert history.observations(SCOPE) == []
        assert history.scopes_with_keys(ORGANIZATION) == []
        assert history.databases(ORGANIZATION) == {}


def test_observations(tmp_path: Path) -> None:
    """A record that read the keys tells of each scope which keys it had, if only none."""
    two = [key_data(), key_data(key_id=aws_key_id(number=9)), key_data(region="us-east-2")]
    present = record(tmp_path / "a.yaml", "2026-03-01T00:00:00Z", keys=two)
    absent = record(tmp_path / "b.yaml", "2026-02-01T00:00:00Z", keys=[])
    silent = record(tmp_path / "c.yaml", "2026-04-01T00:00:00Z", keys=None)
    history = read_history([present, absent, silent])
    found = history.observations(SCOPE)
    assert [(observation.at, observation.key_ids, observation.file) for observation in found] == [
        (moment("2026-02-01"), (), absent),
        (moment("2026-03-01"), (aws_key_id(), aws_key_id(number=9)), present),
    ]
    assert history.observations(ELSEWHERE)[1].key_ids == (aws_key_id("us-east-2"),)
    assert [observation.key_ids for observation in history.observations(MANAGED)] == [(), ()]
    assert history.scopes_with_keys(ORGANIZATION) == [SCOPE, ELSEWHERE]
    assert [source.path for source in history.sources] == [present, absent, silent]
    assert {source.role for source in history.sources} == {"history"}


def test_lines_of_observations(tmp_path: Path) -> None:
    """An observation names the line of the key, or that of the organization that had none."""
    file = write_ndjson(tmp_path / "a.ndjson", ndjson_lines())
    history = read_history([file])
    at = moment("2026-11-20T02:00:00Z")
    assert history.observations(SCOPE) == [Observation(at, (aws_key_id(),), file, 3)]
    assert history.observations(ELSEWHERE) == [Observation(at, (), file, 2)]
    assert history.latest_file(ORGANIZATION) == (file, 2)


@pytest.mark.parametrize(
    ("fact", "silent"), [("serverless-keys", SCOPE), ("managed-clusters-keys", MANAGED)]
)
def test_silence_of_a_refused_list(tmp_path: Path, fact: str, silent: KeyScope) -> None:
    """A record whose list of keys was refused is silent on their absence, of that type only."""
    gaps = [{"fact": fact, "reason": "refused"}]
    history = read_history(
        [record(tmp_path / "a.yaml", "2026-03-01T00:00:00Z", keys=[], gaps=gaps)]
    )
    spoken = {scope for scope in (SCOPE, MANAGED) if history.observations(scope)}
    assert spoken == {SCOPE, MANAGED} - {silent}


def test_presence_in_spite_of_a_gap(tmp_path: Path) -> None:
    """A key that was seen was there, whatever else the record could not read."""
    lines = ndjson_lines()[:-1]
    history = read_history([write_ndjson(tmp_path / "a.ndjson", lines)])
    assert [observation.key_ids for observation in history.observations(SCOPE)] == [(aws_key_id(),)]
    assert history.observations(ELSEWHERE) == []


def test_records_in_the_order_of_time(tmp_path: Path) -> None:
    """Records are taken in the order of time, whatever their order on the command line."""
    days = ["2026-03-01", "2026-01-01", "2026-02-01", "2026-02-02"]
    files = [
        record(tmp_path / f"{index}.yaml", f"{day}T00:00:00Z", name=f"acme-{index}")
        for index, day in enumerate(days)
    ]
    history = read_history(files)
    found = [observation.file for observation in history.observations(SCOPE)]
    assert found == [files[1], files[0]]
    assert history.organizations() == {ORGANIZATION: "acme-0"}
    assert history.latest_file(ORGANIZATION)[0] == files[0]


def test_time_of_the_organization(tmp_path: Path) -> None:
    """An organization that has a time of its own was recorded then, whatever its file says."""
    early = record(
        tmp_path / "a.yaml", "2026-03-01T00:00:00Z", captured_at="2026-01-15T00:00:00Z", keys=[]
    )
    alone = record(tmp_path / "b.yaml", None, captured_at="2026-02-15T00:00:00Z")
    history = read_history([early, alone])
    assert [
        (observation.at, observation.key_ids) for observation in history.observations(SCOPE)
    ] == [
        (moment("2026-01-15"), ()),
        (moment("2026-02-15"), (aws_key_id(),)),
    ]
    assert history.databases(ORGANIZATION)[DATABASE].at == moment("2026-02-15")


def test_records_in_a_row(tmp_path: Path) -> None:
    """Of records in a row that show the same, the first and the last are given, with the number."""
    files = [record(tmp_path / f"{day}.yaml", f"2026-03-0{day}T00:00:00Z") for day in range(1, 6)]
    history = read_history(files)
    seen = [(one.file, one.records) for one in history.observations(SCOPE)]
    assert seen == [(files[0], 4), (files[4], 1)]
    between = [moment("2026-03-02T12:00:00Z")]
    seen = [(one.file, one.records) for one in history.observations(SCOPE, between)]
    assert seen == [(files[0], 1), (files[1], 1), (files[2], 2), (files[4], 1)]
    assert history.shows(SCOPE, moment("2026-03-02T00:00:00Z"))
    assert not history.shows(SCOPE, between[0])
    elsewhere = SCOPE._replace(organization=OTHER_ORGANIZATION)
    assert not history.shows(elsewhere, moment("2026-03-02T00:00:00Z"))


def test_a_record_of_clouds_alone(tmp_path: Path) -> None:
    """What clouds show is no earlier record, whether the others are in order or of one moment."""
    lines = ndjson_lines(captured_at="2026-01-01T00:00:00Z", clouds_only=True)
    clouds = write_ndjson(tmp_path / "clouds.ndjson", lines)
    one, two = (write_ndjson(tmp_path / f"{name}.ndjson", ndjson_lines()) for name in ("a", "b"))
    for files in ([clouds, one], [clouds, one, two]):
        history = read_history(files)
        assert [source.path for source in history.sources] == files[1:]
        assert len(list(history.times())) == 1


def test_undated_record(tmp_path: Path) -> None:
    """A record without a time is an error."""
    dated = record(tmp_path / "a.yaml", "2026-03-01T00:00:00Z")
    undated = record(tmp_path / "b.yaml", None)
    streamed = write_ndjson(tmp_path / "c.ndjson", ndjson_lines(captured_at=None))
    expected = "a time: earlier records are ordered by it"
    for file, line in ((undated, 4), (streamed, 2)):
        with pytest.raises(InventoryError) as caught:
            read_history([dated, file])
        problem = Problem(file, line, "captured_at", "nothing", expected)
        assert caught.value.problems == (problem,)


def test_unusable_record(tmp_path: Path) -> None:
    """A record that cannot be read is an error."""
    with pytest.raises(InventoryError):
        read_history([str(tmp_path / "missing.yaml")])


def test_known_databases(tmp_path: Path) -> None:
    """An existing database is known as the latest record that lists it knew it."""
    gone = database_data(id=OTHER_DATABASE, name="acme-gone", status="TERMINATED")
    kept = database_data(name="acme-renamed")
    planned = planned_data(id=DATABASE, name="acme-planned")
    late = record(tmp_path / "a.yaml", "2026-03-01T00:00:00Z", databases=[kept])
    early = record(tmp_path / "b.yaml", "2026-02-01T00:00:00Z", databases=[gone, database_data()])
    latest = record(tmp_path / "c.yaml", "2026-04-01T00:00:00Z", databases=[planned])
    silent = record(tmp_path / "d.yaml", "2026-05-01T00:00:00Z", databases=None)
    history = read_history([late, early, latest, silent])
    known = history.databases(ORGANIZATION)
    assert set(known) == {DATABASE, OTHER_DATABASE}
    assert known[DATABASE] == KnownDatabase(
        DATABASE, "acme-renamed", False, moment("2026-03-01"), late, known[DATABASE].line
    )
    other = known[OTHER_DATABASE]
    assert (other.name, other.is_terminated, other.file) == ("acme-gone", True, early)


def test_history_of_several_organizations(tmp_path: Path) -> None:
    """One record may tell of several organizations, each for itself."""
    two = organization_data(id=OTHER_ORGANIZATION, name="acme-test", keys=[], databases=[])
    file = write_yaml(tmp_path / "a.yaml", document_data(organization_data(), two))
    history = read_history([file])
    assert history.organizations() == {ORGANIZATION: "acme-prod", OTHER_ORGANIZATION: "acme-test"}
    other = SCOPE._replace(organization=OTHER_ORGANIZATION)
    assert [observation.key_ids for observation in history.observations(other)] == [()]
    assert history.databases(OTHER_ORGANIZATION) == {}


def test_times_of_each_record(tmp_path: Path) -> None:
    """Every organization of every record has a time, its own where it states one."""
    own = {**organization_data(), "captured_at": "2026-03-01T00:00:00Z"}
    file = tmp_path / "earlier.json"
    file.write_text(
        json.dumps(document_data(captured_at="2026-01-01T00:00:00Z", organizations=[own]))
    )
    assert [at for at, _, _ in read_history([str(file)]).times()] == [
        moment("2026-03-01T00:00:00Z")
    ]


# --- evidence bundles -----------------------------------------------------------------------------


def test_a_folder_of_bundles_is_every_bundle_in_it(tmp_path: Path) -> None:
    """Of a folder each bundle is history, but the one that is the present, and what is hidden."""
    wanted = configured(), Astra(serverless=[listed_key()])
    older, newer = (write_bundle(tmp_path / name, wanted) for name in ("one", "two"))
    shutil.copytree(older, tmp_path / ".collecting-three-1")
    known = read_history([str(tmp_path)])
    assert [source.path for source in known.sources] == [older, newer]
    assert [source.format for source in known.sources] == ["bundle", "bundle"]
    assert [source.path for source in read_history([str(tmp_path)], [newer]).sources] == [older]
    assert [source.path for source in read_history([newer], [newer]).sources] == [newer]


def test_a_folder_of_files_is_every_file_in_it(tmp_path: Path) -> None:
    """A plain inventory in a folder of history is read, as it may show another key."""
    file = record(tmp_path / "a.yaml", "2026-06-01T00:00:00Z")
    bundle = write_bundle(tmp_path / "b", (configured(), Astra(serverless=[listed_key()])))
    assert [source.path for source in read_history([str(tmp_path)]).sources] == [file, bundle]


@pytest.mark.parametrize(
    ("make", "found"),
    [
        (Path.mkdir, "an empty folder"),
        (Path.touch, "a file that is not a record"),
        (lambda path: path.symlink_to("nothing"), "a broken link"),
        (lambda path: (path / "exchanges").mkdir(parents=True), "an evidence bundle without its "),
        (lambda path: (path / "one").mkdir(parents=True), "a folder without manifest.json"),
    ],
)
def test_what_is_no_record_in_a_folder_is_refused(
    tmp_path: Path, make: Callable[[Path], object], found: str
) -> None:
    """Whatever a folder of history holds is read or refused by its name, never passed over."""
    record(tmp_path / "a.yaml", "2026-06-01T00:00:00Z")
    make(tmp_path / "2026-11-20")
    with pytest.raises(InventoryError) as caught:
        read_history([str(tmp_path)])
    [problem] = caught.value.problems
    assert problem.file == (tmp_path / "2026-11-20").as_posix()
    assert problem.found.startswith(found)
    assert problem.expected.startswith("evidence bundles, and inventories that end in .yaml")


def test_a_bundle_cut_off_inside_is_refused(tmp_path: Path) -> None:
    """A bundle whose manifest or inventory is gone is no history, however it is given."""
    bundle = Path(write_bundle(tmp_path / "ev/b", (configured(), Astra())))
    (bundle / "inventory.ndjson").rename(tmp_path / "inventory.ndjson")
    for given in (bundle, bundle.parent):
        with pytest.raises(EvidenceError, match=r"b/inventory\.ndjson: found nothing"):
            read_history([str(given)])
    (tmp_path / "inventory.ndjson").rename(bundle / "inventory.ndjson")
    (bundle / "manifest.json").unlink()
    with pytest.raises(EvidenceError, match=r"b/manifest\.json: found No such file"):
        read_history([str(bundle)])


def test_a_folder_that_cannot_be_listed_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder that nobody may list is refused: it may hold any record."""

    def barred(_: Path) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "iterdir", barred)
    with pytest.raises(InventoryError, match="found Permission denied, expected a readable folder"):
        read_history([str(tmp_path)])


def test_a_folder_without_records_is_the_wrong_one(tmp_path: Path) -> None:
    """A folder without any record says nothing about the past, and is refused."""
    shutil.copytree(
        write_bundle(tmp_path / "b", (configured(), Astra())), tmp_path / "ev/.collecting-b-1"
    )
    with pytest.raises(InventoryError) as caught:
        read_history([str(tmp_path / "ev")])
    [problem] = caught.value.problems
    assert (problem.found, problem.expected) == (
        "a folder without records",
        "an earlier record; if there is none, leave the option out",
    )


def test_a_folder_with_the_present_alone_is_the_first_night(tmp_path: Path) -> None:
    """A folder that holds nothing but the record of the present is no history yet."""
    bundle = write_bundle(tmp_path / "b", (configured(), Astra()))
    assert read_history([str(tmp_path)], [bundle]).sources == ()


def test_present_that_leads_nowhere_is_none_of_the_records(tmp_path: Path) -> None:
    """A present that is a link to itself is refused where it is read, and changes no history."""
    file = record(tmp_path / "ev.yaml", "2026-06-01T00:00:00Z")
    (tmp_path / "circle.yaml").symlink_to("circle.yaml")
    known = read_history([file], [str(tmp_path / "circle.yaml")])
    assert [source.path for source in known.sources] == [file]


# --- several files of one moment ------------------------------------------------------------------


def moment_of(tmp_path: Path, *organizations: Mapping[str, Any]) -> list[str]:
    """Write a file for each part of what was recorded at one moment, in two zones of time."""
    times = ("2026-06-01T00:00:00Z", "2026-06-01T02:00:00+02:00")
    return [
        record(tmp_path / f"{index}.yaml", times[index % 2], **organization)
        for index, organization in enumerate(organizations)
    ]


def refusals(tmp_path: Path, *organizations: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """Return field, found value and expected value of each contradiction, without the place."""
    files = moment_of(tmp_path, *organizations)
    with pytest.raises(InventoryError) as caught:
        read_history(files)
    assert {problem.file for problem in caught.value.problems} == {files[1]}
    assert all(f", as {files[0]}:" in problem.expected for problem in caught.value.problems)
    return [
        (problem.field, problem.found, problem.expected.partition(", as ")[0])
        for problem in caught.value.problems
    ]


def test_one_moment_in_two_files(tmp_path: Path) -> None:
    """Several files of one time and organization describe one moment, and add to each other."""
    one = {"keys": [key_data()], "databases": None}
    two = {"keys": [key_data(region="us-east-2")], "databases": [database_data()]}
    files = moment_of(tmp_path, one, two, one)
    history = read_history(files)
    at = moment("2026-06-01")
    [seen] = history.observations(SCOPE)
    assert (seen.at, seen.key_ids, seen.file) == (at, (aws_key_id(),), files[0])
    [seen] = history.observations(ELSEWHERE)
    assert (seen.at, seen.key_ids, seen.file) == (at, (aws_key_id("us-east-2"),), files[1])
    assert [known.file for known in history.databases(ORGANIZATION).values()] == [files[1]]
    assert [time[0] for time in history.times()] == [at]
    assert [source.path for source in history.sources] == files


def test_a_list_that_one_file_lacks(tmp_path: Path) -> None:
    """A list of keys that one file lacks is that of the other, and its place is the evidence."""
    lacking: dict[str, Any] = {"keys": None}
    empty: dict[str, Any] = {"keys": []}
    for number, parts in enumerate([(lacking, empty), (empty, lacking)]):
        folder = tmp_path / str(number)
        folder.mkdir()
        files = moment_of(folder, *parts)
        [seen] = read_history(files).observations(SCOPE)
        assert (seen.key_ids, seen.file) == ((), files[parts.index(empty)])
    assert read_history(moment_of(tmp_path, lacking, lacking)).observations(SCOPE) == []


def test_the_gaps_of_both_files_count(tmp_path: Path) -> None:
    """A list that one file could not read in full is not whole because another file has it."""
    gaps = [{"fact": "serverless-keys", "reason": "refused"}]
    history = read_history(moment_of(tmp_path, {"keys": []}, {"keys": None, "gaps": gaps}))
    assert history.observations(SCOPE) == []
    assert [observation.key_ids for observation in history.observations(MANAGED)] == [()]


def test_one_key_in_two_versions(tmp_path: Path) -> None:
    """Two files that name two versions of one key do not contradict each other."""
    ids = [gcp_key_id(version=1), gcp_key_id(version=2)]
    parts = [
        {"keys": [key_data(provider="gcp", region="us-east1", key_id=key_id)]} for key_id in ids
    ]
    [seen] = read_history(moment_of(tmp_path, *parts)).observations(
        KeyScope(ORGANIZATION, "serverless", "gcp", "us-east1")
    )
    assert seen.key_ids == tuple(ids)


@pytest.mark.parametrize(
    ("one", "two", "expected"),
    [
        ({}, {"name": "acme-test"}, ("name", "'acme-test'", "'acme-prod'")),
        (
            {"keys": [key_data(key_id="one")]},
            {"keys": [key_data(key_id="two")]},
            ("key_id", "'two'", "'one'"),
        ),
        (
            {},
            {"databases": [database_data(name="acme-bills")]},
            ("name", "'acme-bills'", "'acme-orders'"),
        ),
        (
            {"databases": [database_data(status="ACTIVE")]},
            {"databases": [database_data(status="TERMINATED")]},
            ("status", "'TERMINATED'", "'ACTIVE'"),
        ),
        (
            {},
            {"databases": [planned_data(id=DATABASE, name="acme-orders")]},
            ("state", "'planned'", "'existing'"),
        ),
    ],
)
def test_contradictions_within_a_moment(
    tmp_path: Path, one: dict[str, Any], two: dict[str, Any], expected: tuple[str, str, str]
) -> None:
    """Two files that state different things of one earlier moment are an error."""
    assert refusals(tmp_path, one, two) == [expected]


@pytest.mark.parametrize("parts", [(0, 1), (1, 0), (1, 1)])
def test_a_status_that_one_file_states(tmp_path: Path, parts: tuple[int, int]) -> None:
    """A database is gone if one file says so and the other states no status."""
    stated = [database_data(), database_data(status="TERMINATED")]
    files = moment_of(tmp_path, *({"databases": [stated[part]]} for part in parts))
    assert read_history(files).databases(ORGANIZATION)[DATABASE].is_terminated


def test_a_status_of_the_second_file_is_kept_for_the_third(tmp_path: Path) -> None:
    """A status that one of three files contradicts is found, also if the first states none."""
    plain = database_data()
    stated = [plain, plain | {"status": "ACTIVE"}, plain | {"status": "TERMINATED"}]
    files = [
        record(tmp_path / f"{place}.yaml", "2026-03-01T00:00:00Z", databases=[database])
        for place, database in enumerate(stated)
    ]
    [known] = read_history(files[:2]).databases(ORGANIZATION).values()
    assert (known.status, known.is_terminated) == ("ACTIVE", False)
    with pytest.raises(InventoryError) as caught:
        read_history(files)
    [problem] = caught.value.problems
    assert (problem.file, problem.field, problem.found) == (files[2], "status", "'TERMINATED'")


def test_keys_of_an_observation_are_in_order(tmp_path: Path) -> None:
    """The order in which a record lists the keys of a scope does not show."""
    ids = [aws_key_id(number=number) for number in (3, 1, 2)]
    keys = [key_data(key_id=key_id) for key_id in ids]
    history = read_history([record(tmp_path / "a.yaml", "2026-03-01T00:00:00Z", keys=keys)])
    [observation] = history.observations(SCOPE)
    assert observation.key_ids == tuple(sorted(ids))


def test_record_of_clouds_alone_is_no_earlier_moment(tmp_path: Path) -> None:
    """What the clouds showed of keys is no record of what was registered, in whatever folder."""
    bare = {"id": ORGANIZATION, "name": "acme-prod"}
    clouds = write_ndjson(tmp_path / "clouds.ndjson", ndjson_lines(bare, clouds_only=True))
    assert read_history([clouds]).sources == ()
    plain = write_ndjson(tmp_path / "plain.ndjson", ndjson_lines())
    history = read_history([str(tmp_path)])
    assert [source.path for source in history.sources] == [plain]
