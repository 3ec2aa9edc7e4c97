"""``collect``: what it records, what it says, and how it ends."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, get_args

import pytest
import yaml

from checks.engine.reasons import gap_action
from cmek_audit.commands import collect
from inventory.astra.replay import replay
from inventory.clouds.registry import CLOUDS
from inventory.errors import LeakError
from inventory.evidence.manifest import check_bundle, read_manifest
from inventory.evidence.reader import open_bundle
from inventory.model.gaps import Fact
from inventory.opening import read_file
from tests.astra.faults import ALWAYS, Fault
from tests.astra.fleet import organization_data
from tests.builders import write_yaml
from tests.clouds.gcp_server import GoogleServer, google_server
from tests.clouds.google_keys import find_credentials, google_keys, hold_keys
from tests.cmek_audit.helpers import (
    FIRST,
    FLEET,
    SECOND,
    bundles,
    command,
    organizations,
    printed_json,
    replace,
)
from tests.evidence_files import contents_below

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.astra.server import Running

FACTS = set(get_args(Fact))
CAUSE = "the environment variable {} holds no token"
STEP = "Put the token of {} into its environment variable"


@pytest.fixture
def file(astra: Running, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Write the organizations file, and go to where the evidence is to be written."""
    monkeypatch.chdir(tmp_path)
    return organizations(tmp_path, astra.address)


# --- everything was read --------------------------------------------------------------------------


def test_parquet_is_written_beside_the_bundles(file: str) -> None:
    """With --format parquet the same organizations are in Parquet, too, and no bundle changes."""
    done = command("collect", file, "--format", "parquet")
    assert done.exit_code == 0, done.stderr
    (bundle,) = bundles(Path("audit-evidence"))
    folder = Path("audit-evidence-parquet") / bundle.name
    assert f"Parquet:        {folder.as_posix()}" in done.stdout.splitlines()
    assert read_file(str(folder)).organizations == read_file(str(bundle)).organizations
    check_bundle(str(bundle))


def test_all_is_read(file: str, astra: Running) -> None:
    """A collection without gaps ends with 0, and says where the evidence is and its root."""
    done = command("collect", file)
    (bundle,) = bundles(Path("audit-evidence"))
    manifest = replay(str(bundle)).manifest
    assert done.exit_code == 0
    assert done.stdout.splitlines() == [
        f"Evidence:       {bundle}",
        "Bundle before:  none, this is the first",
        f"Root:           {manifest.root}",
        "Organizations:  2",
        f"Requests:       {len(astra.requests)}, all answered",
        "Gaps:           none, everything was read",
    ]
    assert done.stderr == f"2/2 organizations, {len(astra.requests)} requests\n"


def test_executor_that_is_unknown(file: str, astra: Running) -> None:
    """A place to read organizations at that does not exist ends it with 4, before any request."""
    done = command("collect", file, "--executor=threads")
    expected = "serial, processes, or dask= with the address of a scheduler"
    assert done.exit_code == 4
    assert f"--executor: found 'threads', expected {expected}" in done.stderr
    assert (astra.requests, bundles(Path("audit-evidence"))) == ([], [])


def test_cluster_that_is_not_there(file: str, astra: Running) -> None:
    """A cluster that does not answer ends it with 4, and no other place is taken instead."""
    done = command("collect", file, "--executor=dask=127.0.0.1:1")
    assert done.exit_code == 4
    assert done.stderr.splitlines()[-1].startswith("the Dask cluster: found 127.0.0.1:1, ")
    assert (astra.requests, bundles(Path("audit-evidence"))) == ([], [])


@pytest.mark.parametrize("executor", ["serial", "processes"])
def test_places_on_this_machine(file: str, executor: str) -> None:
    """Wherever organizations are read, all is read."""
    done = command("collect", file, f"--executor={executor}")
    (bundle,) = bundles(Path("audit-evidence"))
    assert (done.exit_code, replay(str(bundle)).manifest.organizations) == (0, 2)


def test_all_is_read_reported_as_json(file: str, astra: Running) -> None:
    """The JSON object of a collection has its counts and no gaps."""
    done = command("collect", file, "--json", "--evidence-dir", "kept/here")
    (bundle,) = bundles(Path("kept/here"))
    assert done.exit_code == 0
    assert printed_json(done) == {
        "bundle": bundle.as_posix(),
        "previous": None,
        "root": read_manifest(str(bundle)).root,
        "organizations": 2,
        "requests": len(astra.requests),
        "failures": 0,
        "gaps": [],
        "clouds": {},
        "cloud_gaps": [],
    }


def test_collections_form_a_chain(file: str) -> None:
    """Each collection adds a bundle, which names the one before."""
    first, second = (printed_json(command("collect", file, "--json")) for _ in range(2))
    previous = {"name": Path(first["bundle"]).name, "root": first["root"]}
    assert (first["previous"], second["previous"]) == (None, previous)
    manifest = read_manifest(second["bundle"])
    assert manifest.previous
    assert (manifest.previous.model_dump(), manifest.root) == (previous, second["root"])


def test_the_bundle_before_is_named(file: str) -> None:
    """A collection says which bundle it follows."""
    before = printed_json(command("collect", file, "--json"))["bundle"]
    lines = command("collect", file).stdout.splitlines()
    assert lines[1] == f"Bundle before:  {Path(before).name}"


def test_what_was_left_unfinished_is_removed(file: str) -> None:
    """What a collection that was killed left is named on stderr, and removed."""
    Path("audit-evidence/.collecting-x-7").mkdir(parents=True)
    done = command("collect", file, "--json")
    assert done.exit_code == 0
    assert done.stderr.splitlines()[0] == (
        "Removing audit-evidence/.collecting-x-7, which a killed collection left unfinished."
    )
    assert [bundle.as_posix() for bundle in bundles(Path("audit-evidence"))] == [
        printed_json(done)["bundle"]
    ]


# --- not everything was read ----------------------------------------------------------------------


def test_a_gap_is_reported_with_what_would_settle_it(file: str, astra: Running) -> None:
    """What was refused is named with its reason and the next step, and the exit code is 1."""
    astra.faults = (Fault("403-errors", "serverless-keys", ALWAYS, FIRST.id),)
    done = command("collect", file, "--json")
    (bundle,) = bundles(Path("audit-evidence"))
    assert done.exit_code == 1
    assert read_manifest(str(bundle)).root == printed_json(done)["root"]
    refused = [gap for gap in printed_json(done)["gaps"] if gap["reason"] == "refused"]
    assert refused == [
        {
            "organization": FIRST.id,
            "name": FIRST.name,
            "fact": "serverless-keys",
            "reason": "refused",
            "detail": "GET /v2/kms: answered 403 ('access denied'): the token lacks a permission, "
            "or an IP access list blocks this machine",
            "action": refused[0]["action"],
        }
    ]
    assert 'org-cmk-read ("Read CMK Key")' in refused[0]["action"]


def test_gaps_with_one_remedy_are_reported_together(file: str, astra: Running) -> None:
    """An organization without a token has one cause and one step for all its facts."""
    tokens = {FIRST.variable: FIRST.token}
    done = command("collect", file, environment=tokens)
    assert done.exit_code == 1
    assert done.stdout.splitlines()[4:] == [
        f"Requests:       {len(astra.requests)}, all answered",
        "Gaps:           5, in 1 organization",
        "",
        SECOND.name,
        f"  no-token: {', '.join(get_args(Fact))}",
        f"    {CAUSE.format(SECOND.variable)}",
        f"    To do: {STEP.format(SECOND.name)}",
        "",
        "Exit code 1: not everything could be read. What was read is kept.",
    ]


def test_failed_requests_are_counted(file: str, astra: Running) -> None:
    """Requests that got no good answer are counted, with those that were made again."""
    astra.faults = (Fault("500", "organization", ALWAYS),)
    done = command("collect", file)
    assert done.exit_code == 1
    assert "Requests:       4, 4 of them failed" in done.stdout.splitlines()
    assert "Gaps:           10, in 2 organizations" in done.stdout.splitlines()


def test_many_causes_are_cut_short_and_counted(
    file: str, astra: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of many causes that one step would settle the first are reported, and the others counted."""
    monkeypatch.setattr(collect, "MOST_DETAILS", 1)
    astra.faults = (Fault("500", "accounts", ALWAYS, FIRST.id),)
    lines = command("collect", file).stdout.splitlines()
    start = lines.index("  unavailable: vendor-accounts")
    assert lines[start + 1].startswith("    GET /v2/kms")
    assert lines[start + 2 : start + 4] == [
        f"    … and {len(FIRST.keys) - 1} more",
        f"    To do: Re-collect {FIRST.name} when Astra answers again",
    ]


def test_many_organizations_are_cut_short_and_counted(
    file: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of many organizations the first are listed; JSON lists all of them."""
    monkeypatch.setattr(collect, "MOST_SHOWN", 1)
    done = command("collect", file, environment={})
    lines = done.stdout.splitlines()
    assert (FIRST.name in lines, SECOND.name in lines) == (True, False)
    assert "… and 1 more organization: --json lists all of them, and so does the bundle" in lines
    gaps = printed_json(command("collect", file, "--json", environment={}))["gaps"]
    assert {(gap["name"], gap["fact"]) for gap in gaps} == {
        (organization.name, fact) for organization in FLEET.organizations for fact in FACTS
    }


def test_steps_are_those_of_the_audit(file: str) -> None:
    """What would settle a gap is said in the words that an audit uses for it."""
    done = command("collect", file, "--json", environment={})
    (bundle,) = bundles(Path("audit-evidence"))
    wanted = {
        (organization.name, gap.fact): gap_action(gap, organization).sentence
        for organization in open_bundle(str(bundle)).organizations()
        for gap in organization.missing()
    }
    actions = {(gap["name"], gap["fact"]): gap["action"] for gap in printed_json(done)["gaps"]}
    assert actions == wanted


def test_without_a_file_one_token_is_all_there_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without an organizations file, the one variable is asked for its organization."""
    monkeypatch.chdir(tmp_path)
    done = command("collect", "--json")
    assert done.exit_code == 1
    assert {gap["detail"] for gap in printed_json(done)["gaps"]} == {
        CAUSE.format("ASTRA_API_TOKEN")
    }


# --- secrets --------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["echo-token", "echo-token-401"])
def test_tokens_are_neither_said_nor_written(
    kind: str, astra: Running, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A token that Astra sends back, anywhere, is neither printed nor recorded."""
    monkeypatch.chdir(tmp_path)
    astra.faults = (Fault(kind, "databases", ALWAYS), Fault(kind, "serverless-keys", ALWAYS))
    done = command("collect", organizations(tmp_path, astra.address))
    texts = [
        done.output,
        *(content.decode() for content in contents_below(Path("audit-evidence")).values()),
    ]
    assert len(texts) > len(FLEET.organizations)
    secrets = [organization.token for organization in FLEET.organizations]
    assert [secret for secret in secrets for text in texts if secret in text] == []


# --- what cannot be done --------------------------------------------------------------------------


def test_unusable_files_are_explained(file: str) -> None:
    """A mistake in the organizations file ends with 4, with file and line, and asks nothing."""
    replace(Path(file), "name: acme-0001", "nmae: acme-0001")
    done = command("collect", file)
    assert (done.exit_code, done.stdout) == (4, "")
    assert f"{file}:" in done.stderr
    assert (
        "found an unknown field, expected only the documented fields; did you mean 'name'?"
        in done.stderr
    )
    assert bundles(Path("audit-evidence")) == []


def test_unusable_folders_are_explained(file: str, astra: Running) -> None:
    """A folder for the evidence that is none ends with 4, and asks nothing."""
    done = command("collect", file, "--evidence-dir", file)
    assert (done.exit_code, done.stdout) == (4, "")
    assert f"found {file} (Not a directory), expected a folder to write to" in done.stderr
    assert astra.requests == []


def test_a_damaged_bundle_before_stops_a_collection(file: str, astra: Running) -> None:
    """Where the chain is damaged nothing is added to it, and nothing is asked."""
    command("collect", file)
    (before,) = bundles(Path("audit-evidence"))
    replace(before / "manifest.json", '"requests": ', '"requests": 1')
    astra.requests.clear()
    done = command("collect", file)
    assert (done.exit_code, done.stdout) == (4, "")
    assert "manifest.json" in done.stderr
    assert (astra.requests, bundles(Path("audit-evidence"))) == ([], [before])


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        (KeyboardInterrupt(), 2, "Interrupted: nothing unfinished is left behind.\n"),
        (LeakError([Path("inventory.ndjson")]), 4, "a secret was written, so these files must "),
    ],
)
def test_other_ends(
    error: BaseException, code: int, message: str, file: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An interruption and a leak end with their codes and a line, and print no result."""

    def collected(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(collect, "collect_bundle", collected)
    done = command("collect", file)
    assert (done.exit_code, done.stdout) == (code, "")
    assert done.stderr.startswith(message)
    assert done.stderr.count("\n") == 1


def test_the_bundle_is_named_before_it_is_looked_into(
    file: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who interrupts when the bundle is whole has been told where it is."""

    def interrupted(_: str) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(collect, "open_bundle", interrupted)
    done = command("collect", file)
    (bundle,) = bundles(Path("audit-evidence"))
    assert (done.exit_code, done.stdout) == (2, f"Evidence:       {bundle}\n")


def test_names_steer_no_terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A name with escapes is printed without them."""
    monkeypatch.chdir(tmp_path)
    listed = [organization_data(FIRST) | {"name": "acme\x1b[2J"}]
    file = write_yaml(tmp_path / "o.yaml", {"cmek-organizations": 1, "organizations": listed})
    done = command("collect", file, environment={})
    assert done.exit_code == 1
    assert "acme?[2J" in done.stdout.splitlines()
    assert "\x1b" not in done.output


def test_json_is_one_object(file: str) -> None:
    """With --json stdout holds one JSON object, and nothing else."""
    for environment in ({}, FLEET.environment):
        done = command("collect", file, "--json", environment=environment)
        value, end = json.JSONDecoder().raw_decode(done.stdout)
        assert (set(value), done.stdout[end:]) == (
            {"bundle", "previous", "root", "organizations", "requests", "failures", "gaps"}
            | {"clouds", "cloud_gaps"},
            "\n",
        )


# --- the clouds -----------------------------------------------------------------------------------


@pytest.fixture
def google(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[GoogleServer]:
    """Run a cloud that holds every key of the fleet in it."""
    with google_server() as server:
        hold_keys(server, google_keys(FLEET))
        find_credentials(monkeypatch, tmp_path / "home", server)
        yield server


@pytest.fixture
def asking(file: str, google: GoogleServer) -> str:
    """Return an organizations file that says where Google Cloud is."""
    data = yaml.safe_load(Path(file).read_text())
    data["clouds"] = {"gcp": {"address": google.address}}
    return write_yaml(Path(file), data)


def test_keys_are_read_from_their_clouds(asking: str, google: GoogleServer) -> None:
    """With --kms each cloud has a line, and the collection is whole if every fact was shown."""
    done = command("collect", asking, "--kms", "gcp")
    assert (done.exit_code, len(google.asked())) == (0, 8)
    assert done.stdout.splitlines()[-2:] == [
        "Google Cloud:   2 keys, all read in full",
        "Gaps:           none, everything was read",
    ]


def test_facts_that_a_cloud_refuses_are_listed(asking: str, google: GoogleServer) -> None:
    """What a cloud refuses is listed with the permission that is missing, and ends with 1."""
    google.permissions.discard("cloudkms.cryptoKeys.getIamPolicy")
    done = command("collect", asking, "--kms=gcp")
    assert done.exit_code == 1
    lines = done.stdout.splitlines()
    assert lines[lines.index("Google Cloud:   2 keys, 0 read in full") :] == [
        "Google Cloud:   2 keys, 0 read in full",
        "Keys:           2 facts could not be read from the clouds",
        "",
        "Google Cloud",
        "  refused: bindings of 2 keys",
        *(line for line in lines if line.startswith("    answered 403")),
        "    To do: Grant the audit's credentials cloudkms.cryptoKeys.getIamPolicy",
        "",
        "Exit code 1: not everything could be read. What was read is kept.",
    ]
    done = command("collect", asking, "--kms=gcp", "--json")
    answer = printed_json(done)
    assert (done.exit_code, answer["gaps"]) == (1, [])
    assert answer["clouds"] == {"gcp": {"keys": 2, "in_full": 0}}
    assert {gap["permission"] for gap in answer["cloud_gaps"]} == {
        "cloudkms.cryptoKeys.getIamPolicy"
    }


def test_file_names_the_clouds(asking: str, google: GoogleServer) -> None:
    """The clouds of the file are asked, unless the option names others, or none."""
    data = yaml.safe_load(Path(asking).read_text())
    data["clouds"]["ask"] = ["gcp"]
    write_yaml(Path(asking), data)
    assert command("collect", asking, "--kms=none").exit_code == 0
    assert google.seen == []
    assert "Google Cloud:   2 keys, all read in full" in command("collect", asking).stdout


def test_clouds_alone_are_collected(asking: str, google: GoogleServer, astra: Running) -> None:
    """By a file without Astra the clouds alone are asked; that Astra was not is no gap."""
    data = yaml.safe_load(Path(asking).read_text())
    first = data["organizations"][0]
    data |= {"astra": False, "organizations": [first | {"cloud_keys": google_keys(FLEET)}]}
    done = command("collect", write_yaml(Path(asking), data), "--kms=gcp")
    assert (done.exit_code, astra.requests) == (0, [])
    assert "Google Cloud:   2 keys, all read in full" in done.stdout
    assert "Gaps:           none, everything was read" in done.stdout


@pytest.mark.parametrize("text", ["all", "aws,none"])
def test_words_that_name_no_cloud_are_refused(file: str, astra: Running, text: str) -> None:
    """A mistyped cloud ends with 4 before anything is asked."""
    done = command("collect", file, "--kms", text)
    assert done.exit_code == 4
    assert f"--kms: found {text!r}, expected auto, none, or a list" in done.stderr
    assert (astra.requests, bundles(Path("audit-evidence"))) == ([], [])


def test_missing_library_is_refused(
    file: str, astra: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A cloud that is named without its library ends with 4 and the command to install it."""
    row = CLOUDS["azure"]._replace(libraries=("no_such_module",))
    monkeypatch.setitem(CLOUDS, "azure", row)
    done = command("collect", file, "--kms=azure")
    assert (done.exit_code, astra.requests) == (4, [])
    assert "pip install 'cmek-audit[azure]'" in done.stderr


def test_a_quiet_collection_prints_only_what_is_missing(file: str) -> None:
    """If everything was read, nothing is printed; else what is missing, and where the rest is."""
    done = command("collect", file, "-q")
    assert (done.exit_code, done.output) == (0, "")
    done = command("collect", file, "-q", environment={})
    bundle = bundles(Path("audit-evidence"))[-1]
    assert done.exit_code == 1
    assert done.stdout.splitlines()[0] == f"Evidence:       {bundle}"
    assert done.stdout.splitlines()[-1].startswith("Exit code 1: not everything could be read.")
