"""Live audits through pytest: what is asked, recorded, judged, and never written."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from inventory.astra.replay import replay
from tests.astra.faults import Fault
from tests.astra.matrix import needles, secret_of, small_fleet
from tests.astra.server import serve
from tests.builders import document_data, organization_data, write_text, write_yaml
from tests.evidence_files import contents_below
from tests.wiring.live import (
    bundles,
    gaps,
    live,
    organizations,
    places,
    shown,
)
from tests.wiring.runs import ALL, KEPT, RECORD, Run, plugin, prefill, run, waivers

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.astra.fleet import Fleet
    from tests.astra.server import Running

pytestmark = pytest.mark.slow

FLEET = small_fleet()
FIRST, SECOND = FLEET.organizations


@pytest.fixture(scope="module")
def running() -> Iterator[Running]:
    with serve(FLEET) as running:
        yield running


@pytest.fixture
def server(running: Running) -> Running:
    """Provide the server as if it had just begun, without faults."""
    return running.renewed()


@pytest.fixture(scope="module")
def healthy(running: Running, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Audit the fleet once, in every format."""
    running.faults = ()
    folder = tmp_path_factory.mktemp("healthy")
    return live(folder, FLEET, running, formats=ALL)


def test_a_host_that_is_not_astra_is_named_everywhere(healthy: Run, running: Running) -> None:
    """Whatever answers but Astra itself is no audit evidence, and every file and line says so."""
    words = f"NOT ASTRA, NOT AUDIT EVIDENCE: answers came from {running.address}, not from "
    properties = healthy.junit.findall("properties/property")
    texts = {name: healthy.text(name) for name in ("audit.html", "results.html", "audit.sarif")}
    texts["summary.md"] = healthy.text("summary.md").replace("\\", "").replace("`", "")
    texts["terminal"] = " ".join(healthy.out.split())
    texts["junit.xml"] = " ".join(str(prop.get("value")) for prop in properties)
    assert {name for name, text in texts.items() if words not in text} == set()


def _is_free_of_tokens(fleet: Fleet, *texts: str) -> bool:
    raw = "\n".join(texts).encode()
    return not any(needle in raw for needle in needles(fleet))


# --- what is asked and judged ---------------------------------------------------------------------


def test_a_healthy_fleet_complies(healthy: Run) -> None:
    """An audit that reads everything itself ends with 0, and says that it was live."""
    (bundle,) = bundles(healthy.folder.parent)
    assert (healthy.code, healthy.word, healthy.head["settings"]["mode"]) == (
        0,
        "compliant",
        "live",
    )
    (source,) = healthy.head["population"]["sources"]
    assert (source["format"], source["path"]) == ("bundle", bundle.as_posix())
    assert f"audit: {bundle.as_posix()}" in healthy.out.splitlines()


def test_an_audit_leaves_a_bundle_that_tells_the_same_again(healthy: Run) -> None:
    """What was recorded replays without network, and names the organizations it was read for."""
    (bundle,) = bundles(healthy.folder.parent)
    replayed = replay(bundle.as_posix())
    assert (replayed.manifest.organizations, replayed.manifest.failures) == (2, 0)
    assert replayed.manifest.root == healthy.head["population"]["sources"][0]["evidence"]["root"]


def test_a_refused_organization_is_not_judged_and_the_other_is(
    tmp_path: Path, server: Running, healthy: Run
) -> None:
    """A token without permission makes its own organization inconclusive, and no other."""
    server.faults = [Fault("403-errors", "organization", organization=FIRST.id)]
    found = live(tmp_path, FLEET, server)
    assert (found.code, found.word) == (1, "not established")
    assert gaps(bundles(tmp_path)[0]) == {(FIRST.name, "refused")}
    own = [finding for finding in shown(found) if finding["subject"]["organization"] == SECOND.id]
    assert own == [
        finding for finding in shown(healthy) if finding["subject"]["organization"] == SECOND.id
    ]
    first = [finding for finding in shown(found) if finding["subject"]["organization"] == FIRST.id]
    assert {finding["status"] for finding in first} == {"pass", "inconclusive"}
    assert {finding["rule"] for finding in first if finding["status"] == "pass"} == {"CMEK-08"}


def test_a_token_that_is_missing_is_a_gap(tmp_path: Path, server: Running) -> None:
    """Without its variable an organization is not asked, and not judged."""
    environment = {SECOND.variable: SECOND.token, FIRST.variable: " "}
    found = live(tmp_path, FLEET, server, environment=environment)
    assert (found.code, gaps(bundles(tmp_path)[0])) == (1, {(FIRST.name, "no-token")})
    assert {request.organization for request in server.requests} == {SECOND.id}
    assert FIRST.variable in found.text("findings.ndjson")


def test_a_token_of_another_organization_is_reported(tmp_path: Path, server: Running) -> None:
    """Tokens that were mixed up read nothing of the wrong organization."""
    swapped = {FIRST.variable: SECOND.token, SECOND.variable: FIRST.token}
    found = live(tmp_path, FLEET, server, environment=swapped)
    names = {FIRST.name, SECOND.name}
    assert found.code == 1
    assert gaps(bundles(tmp_path)[0]) == {(name, "wrong-organization") for name in names}
    assert {request.target for request in server.requests} == {"/v2/currentOrg"}


ELSEWHERE = """
from inventory.astra import config as configured

read = configured.read_organizations
configured.read_organizations = lambda file: read(file).model_copy(update={"address": "ADDRESS"})
"""


def test_one_variable_is_enough(tmp_path: Path, server: Running) -> None:
    """With ``env`` the organization of the one token is read, whichever that is."""
    option, found_at = plugin(tmp_path, ELSEWHERE.replace("ADDRESS", server.address))
    environment = found_at | {"ASTRA_API_TOKEN": SECOND.token}
    found = run(
        "--cmek-live=env",
        *places(tmp_path),
        "--cmek-formats=json",
        option,
        folder=tmp_path / "r",
        environment=environment,
    )
    (row,) = found.head["population"]["organizations"]
    assert (found.code, row["id"], row["keys"], row["existing"]) == (1, SECOND.id, 3, 3)
    assert row["gaps"] == []
    statuses = {finding["status"] for finding in found.findings}
    assert statuses == {"pass", "inconclusive", "not-applicable"}, "nobody has attested anything"


def test_the_ini_file_can_ask_for_a_live_audit(tmp_path: Path) -> None:
    """In the ini file ``env`` is that word and no path; without a token nobody is asked."""
    evidence, reports = tmp_path / "ev", tmp_path / "r"
    inis = (f"cmek_evidence_dir={evidence}", f"cmek_report_dir={reports}", "cmek_formats=json")
    environment = {"ASTRA_API_TOKEN": ""}
    options = [f"-o{ini}" for ini in ("cmek_live=env", *inis)]
    found = run(*options, folder=reports, environment=environment)
    assert (found.code, found.left) == (1, RECORD)
    assert gaps(bundles(tmp_path)[0]) == {("ASTRA_API_TOKEN", "no-token")}


def test_looking_asks_no_network(tmp_path: Path, server: Running) -> None:
    """Collecting the items of a live audit is refused before anything is asked or written."""
    found = live(tmp_path, FLEET, server, "--collect-only", "-q")
    assert (found.code, server.requests, bundles(tmp_path), found.left) == (4, [], [], set())
    assert "--cmek-inventory=BUNDLE" in found.out


def test_workers_ask_nothing(tmp_path: Path, server: Running, healthy: Run) -> None:
    """Spread over two processes an audit asks as often as in one, and finds the same."""
    alone = replay(bundles(healthy.folder.parent)[0].as_posix()).manifest.requests
    spread = live(tmp_path, FLEET, server, "-n2")
    assert (spread.code, len(server.requests)) == (0, alone)
    assert shown(spread) == shown(healthy)
    assert len(bundles(tmp_path)) == 1


def test_recorded_inventories_beside_live_ones_have_one_order(
    tmp_path: Path, server: Running
) -> None:
    """Files given beside a live audit are read in the order of their paths, as its bundle is."""
    captured = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    for name, number in (("a", 7), ("z", 8)):
        organization = organization_data(id=f"acme-{number}", name=f"acme-{number}", databases=[])
        write_yaml(tmp_path / f"{name}.yaml", document_data(organization, captured_at=captured))
    runs = []
    for place, names in (("one", "az"), ("two", "za")):
        files = [f"--cmek-inventory={tmp_path / place}/.././{name}.yaml" for name in names]
        runs.append(live(tmp_path / place, FLEET, server, *files))
        sources = [source["path"] for source in runs[-1].head["population"]["sources"]]
        (bundle,) = bundles(tmp_path / place)
        assert sources == [str(tmp_path / "a.yaml"), str(bundle), str(tmp_path / "z.yaml")]
    assert shown(runs[0]) == shown(runs[1])


# --- bundles as inventories -----------------------------------------------------------------------


def test_a_bundle_gives_the_findings_of_its_audit(tmp_path: Path, healthy: Run) -> None:
    """Judged again as of the same time, a bundle gives the very findings, evidence and all."""
    (bundle,) = bundles(healthy.folder.parent)
    again = run(
        f"--cmek-inventory={bundle}",
        f"--cmek-as-of={healthy.head['settings']['as_of']}",
        "--cmek-max-age=24h",
        f"--cmek-report-dir={tmp_path / 'r'}",
        "--cmek-formats=json",
        folder=tmp_path / "r",
    )
    assert (again.code, again.text("findings.ndjson")) == (0, healthy.text("findings.ndjson"))
    for name in ("verdict", "counts", "actions", "population", "findings"):
        assert again.head[name] == healthy.head[name]


@pytest.mark.parametrize(
    "name", ["inventory.ndjson", "organizations.json", "exchanges/0001.ndjson.gz"]
)
def test_a_bundle_that_was_changed_is_refused(tmp_path: Path, healthy: Run, name: str) -> None:
    """A bundle of which one byte differs is no inventory: exit code 4, and the file is named."""
    bundle = tmp_path / "bundle"
    shutil.copytree(bundles(healthy.folder.parent)[0], bundle)
    raw = (bundle / name).read_bytes()
    (bundle / name).write_bytes(raw.replace(b"acme-prod", b"acme-fake", 1) + b" ")
    prefill(tmp_path)
    reports = f"--cmek-report-dir={tmp_path / 'r'}"
    found = run(f"--cmek-inventory={bundle}", reports, folder=tmp_path / "r")
    assert (found.code, found.left) == (4, KEPT)
    assert f"{bundle}/{name}" in found.out


def test_a_changed_bundle_stops_the_next_audit(tmp_path: Path, server: Running) -> None:
    """The chain is looked at before anything is asked."""
    live(tmp_path, FLEET, server)
    (bundle,) = bundles(tmp_path)
    raw = (bundle / "manifest.json").read_text()
    write_text(bundle / "manifest.json", raw.replace('"failures": 0', '"failures": 1'))
    server.requests.clear()
    found = live(tmp_path, FLEET, server)
    assert (found.code, server.requests, bundles(tmp_path)) == (4, [], [bundle])
    assert f"{bundle}/manifest.json" in found.out


# --- tokens ---------------------------------------------------------------------------------------


def test_a_token_on_the_command_line_is_hidden(tmp_path: Path) -> None:
    """A token given as a file's name is neither repeated nor taken for one."""
    found = run(f"--cmek-live={FIRST.token}", *places(tmp_path), folder=tmp_path / "r")
    assert (found.code, found.left, bundles(tmp_path)) == (4, set(), [])
    assert _is_free_of_tokens(FLEET, found.out)


def test_no_log_shows_a_token(tmp_path: Path, server: Running) -> None:
    """Not even the most talkative log repeats a token that Astra echoes."""
    server.faults = [Fault("echo-token", "databases"), Fault("echo-token-401", "accounts")]
    found = live(
        tmp_path,
        FLEET,
        server,
        "--log-cli-level=DEBUG",
        "--log-level=DEBUG",
        f"--log-file={tmp_path / 'log.txt'}",
        formats=ALL,
    )
    assert (found.code, "DEBUG" in found.out) == (1, True)
    written = [content.decode(errors="replace") for content in contents_below(tmp_path).values()]
    assert _is_free_of_tokens(FLEET, found.out, *written)


def test_a_healthy_audit_writes_no_token(healthy: Run) -> None:
    """Neither reports nor evidence nor terminal hold anything of a token."""
    contents = contents_below(healthy.folder.parent)
    assert len(contents) > 12
    written = (content.decode(errors="replace") for content in contents.values())
    assert _is_free_of_tokens(FLEET, healthy.out, *written)


def test_an_organization_named_like_a_secret_is_not_recorded(
    tmp_path: Path, server: Running
) -> None:
    """A secret in the organizations file is found before the bundle is in its place."""
    data = organizations(FLEET, server)
    data["organizations"][1]["name"] = secret_of(SECOND.name)
    found = live(tmp_path, FLEET, server, data=data)
    assert (found.code, found.left, bundles(tmp_path)) == (4, set(), [])
    assert "a secret was written" in found.out
    assert _is_free_of_tokens(FLEET, found.out)


def _waiver_with_secret(folder: Path) -> str:
    return waivers(folder, reason=f"see {secret_of(FIRST.name)}", subject=FIRST.id)


@pytest.mark.parametrize("where", ["in a waiver", "in junit.xml alone"])
def test_a_secret_in_a_report_undoes_the_report(
    tmp_path: Path, server: Running, where: str
) -> None:
    """Reports in which a secret stands after all are removed: exit code 3, and it says so."""
    option = {
        "in a waiver": _waiver_with_secret(tmp_path),
        "in junit.xml alone": f"-ojunit_suite_name={secret_of(SECOND.name)}",
    }[where]
    prefill(tmp_path)
    found = live(tmp_path, FLEET, server, option, formats=ALL)
    assert (found.code, found.left) == (3, KEPT)
    assert "a secret was written" in found.out
    assert "NO AUDIT" in found.out
    assert len(bundles(tmp_path)) == 1


def test_a_live_audit_cannot_be_of_another_time(tmp_path: Path, server: Running) -> None:
    """Facts of now do not count for an earlier time of judgement."""
    found = live(tmp_path, FLEET, server, "--cmek-as-of=2025-08-01T00:00:00Z")
    fresh = [finding for finding in found.findings if finding["rule"] == "CMEK-14"]
    assert (found.code, {finding["reason"] for finding in fresh}) == (1, {"impossible-time"})


def test_evidence_and_reports_have_a_folder_each(tmp_path: Path, server: Running) -> None:
    """A live audit whose evidence would go into the report folder asks nothing and ends with 4."""
    found = live(tmp_path, FLEET, server, f"--cmek-evidence-dir={tmp_path}/./r")
    assert (found.code, server.requests) == (4, [])
    assert (
        f"--cmek-evidence-dir: found {tmp_path / 'r'}, expected another folder than that of the "
        "reports" in found.out
    )


def test_a_folder_of_history_is_looked_at_before_anything_is_asked(
    tmp_path: Path, server: Running
) -> None:
    """A live audit whose history holds something strange asks nothing, and ends with 4."""
    (tmp_path / "old").mkdir()
    (tmp_path / "old" / "notes.txt").write_text("mine")
    found = live(tmp_path, FLEET, server, f"--cmek-history={tmp_path / 'old'}")
    assert (found.code, server.requests) == (4, [])
    assert f"{tmp_path}/old/notes.txt: found a file that is not a record" in found.out
