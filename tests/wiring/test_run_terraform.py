"""Whole audits with plans and states of Terraform: at which resource, file and line it fails."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from inventory.files.format_detection import PLAN, STATE
from inventory.inventory import ASSUMED
from inventory.terraform.notes import NOT_COMPARED
from tests.builders import (
    DATABASE,
    ORGANIZATION,
    OTHER_ORGANIZATION,
    aws_key_id,
    document_data,
    organization_data,
    write_json,
    write_text,
)
from tests.cmek_audit.helpers import command, replace
from tests.inventory.terraform.cutting import cut_text
from tests.inventory.terraform.documents import (
    ADDRESS,
    ALIKE,
    attributes,
    change,
    configuration,
    configured,
    existing,
    held,
    is_state,
    key_attributes,
    plan,
    resource,
    state,
)
from tests.inventory.terraform.recordings import ALL as SCENES
from tests.wiring.runs import ALL, RECORD, RENDERED, ROOT, XDIST, Run, audit, compliant
from tests.wiring.runs import run as start

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow

KEY = "astra_customer_key.orders"
SOURCE = "# The shop.\n" + 'resource "astra_database" "orders" {\n}\n'
NAMED = f"acme-prod ({ORGANIZATION}), the only organization in this audit"
OPTION = "--cmek-terraform-organization"
ELSEWHERE = attributes(regions=["us-west-2"])


class Shown(NamedTuple):
    """What a run says by one rule of what Terraform manages."""

    status: str
    severity: str
    message: str
    evidence: list[list[Any]]


def judged(folder: Path, data: object, *arguments: str, **more: Any) -> Run:  # noqa: ANN401 (any)
    """Audit an inventory in which all is well with a plan or a state, or with several."""
    plans = data if isinstance(data, list) else [data]
    files = [write_json(folder / f"plan-{number}.json", plan) for number, plan in enumerate(plans)]
    options = [f"--cmek-{'state' if is_state(file) else 'plan'}={file}" for file in files]
    inventory = more.pop("inventory", compliant())
    return audit(folder, inventory, *options, *arguments, **more)


def reported(run: Run, rule: str, mark: str = ADDRESS) -> list[Shown]:
    """Return the findings of a rule that name ``mark``, without what else stands as evidence."""
    return [
        Shown(
            finding["status"],
            finding["severity"],
            finding["message"],
            [place for place in finding["evidence"] if mark in place],
        )
        for finding in run.findings
        if finding["rule"] == rule and mark in json.dumps(finding)
    ]


def sourced(folder: Path, text: str = SOURCE) -> str:
    """Write a configuration, and return the option that leads to it."""
    write_text(folder / "main.tf", text)
    return f"--cmek-terraform-source={folder}"


# --- what is planned ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def keyless(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Audit a plan for a database without a key, with its source, in every format."""
    folder = tmp_path_factory.mktemp("keyless")
    data = plan(change(after=ELSEWHERE), configuration=configured())
    return judged(folder, data, sourced(folder), formats=ALL)


def test_a_planned_database_with_its_key_passes(tmp_path: Path) -> None:
    """A planned database in a region whose key is registered leaves the audit compliant."""
    run = judged(tmp_path, plan(change()))
    assert (run.code, run.word) == (0, "compliant")
    [finding] = reported(run, "CMEK-05")
    assert (finding.status, finding.severity) == ("pass", "critical")


def test_a_planned_database_without_a_key_fails(tmp_path: Path) -> None:
    """Without a key it fails at its address, on the line where the plan tells of it."""
    run = judged(tmp_path, plan(change(after=ELSEWHERE)))
    assert (run.code, run.word) == (1, "not compliant")
    file = tmp_path / "plan-0.json"
    [place] = {
        json.dumps(finding)
        for rule in ("CMEK-01", "CMEK-05")
        for finding in reported(run, rule)[0].evidence
    }
    path, line, address = json.loads(place)
    assert (path, address) == (str(file), ADDRESS)
    assert json.dumps(ADDRESS) in file.read_text("utf-8").splitlines()[line - 1]


def test_with_the_source_it_fails_at_its_block(keyless: Run) -> None:
    """With the source of the configuration it fails at file and line of the block."""
    place = [[str(keyless.folder.parent / "main.tf"), 2, ADDRESS]]
    assert keyless.code == 1
    assert {(finding.status, finding.severity) for finding in reported(keyless, "CMEK-05")} == {
        ("fail", "critical")
    }
    for rule in ("CMEK-01", "CMEK-05"):
        assert [finding.evidence for finding in reported(keyless, rule)] == [place]


@pytest.mark.parametrize("name", sorted(RENDERED))
def test_every_report_leads_to_the_block(keyless: Run, name: str) -> None:
    """Each report names the resource, or its file and line."""
    text = keyless.text(name)
    assert ADDRESS in text or "main.tf:2" in text or '"startLine": 2' in text


def test_the_record_says_what_was_assumed(keyless: Run) -> None:
    """The record and the page's list of sources say that the organization was assumed."""
    [_, source] = keyless.head["population"]["sources"]
    assert (source["format"], source["notes"], source["databases"]) == (
        "terraform-plan",
        [ASSUMED.format(NAMED)],
        1,
    )
    assert f"Note: {ASSUMED.format(NAMED)}" in keyless.text("audit.html")


LIMITED = plan(
    change(),
    change("astra_vectors.x", after={"x": 1}),
    complete=False,
    applyable=False,
)
LIMITS = (
    "This plan covers only a part of the configuration",
    "Applying this plan would change nothing.",
    "is not judged: 1 astra_vectors.",
    f"Assumed: {NAMED}.",
)


def unfolded(text: str) -> str:
    """Return ``text`` without markup, on one line."""
    return " ".join(re.sub(r"<[^>]+>|[`>]", "", text).split())


def test_everybody_sees_what_limits_a_plan(tmp_path: Path) -> None:
    """Beside the verdict, wherever it is shown, stand the notes; the verdict is as without them."""
    run = judged(tmp_path, LIMITED, formats=ALL)
    assert (run.code, run.word) == (0, "compliant")
    head, _, _ = run.text("audit.html").partition("<nav")
    shown = {
        "terminal": run.out,
        "first screen": head,
        "summary": run.text("summary.md").partition("| error |")[0],
        "results": run.text("results.html"),
        "junit": " ".join(property_.get("value", "") for property_ in run.junit.iter("property")),
        "sarif": run.text("audit.sarif"),
    }
    seen = {name: [limit in unfolded(text) for limit in LIMITS] for name, text in shown.items()}
    assert seen == dict.fromkeys(shown, [True] * len(LIMITS))


@pytest.mark.parametrize("form", ["table", "markdown", "json"])
def test_keys_show_what_limits_a_plan(tmp_path: Path, form: str) -> None:
    """`keys` shows the notes in each of its forms, and its exit code is as without them."""
    paths = ["-i", write_json(tmp_path / "i.json", compliant())]
    paths += ["-p", write_json(tmp_path / "plan.json", LIMITED)]
    asked = command("keys", *paths, f"--format={form}")
    assert asked.exit_code == 0, asked.output
    assert [limit in unfolded(asked.stdout) for limit in LIMITS] == [True] * len(LIMITS)


def test_a_report_with_notes_is_verified(tmp_path: Path) -> None:
    """What was noted is noted again when a report is verified."""
    run = judged(tmp_path, LIMITED, formats=ALL)
    verified = command("verify", run.folder)
    assert verified.exit_code == 0, verified.output


@pytest.mark.parametrize("value", ["no", None])
def test_malformed_limits(tmp_path: Path, value: object) -> None:
    """A plan that says in a wrong form whether it is a part is refused."""
    run = judged(tmp_path, plan(change(), complete=value))
    assert (run.code, run.left) == (4, set())
    assert "complete: found" in run.out
    assert "expected true or false" in run.out


def test_the_record_names_the_files_of_the_configuration(keyless: Run) -> None:
    """The record holds which configuration was looked into, with the hashes of its files."""
    settings = keyless.head["settings"]
    assert settings["terraform_source"] == str(keyless.folder.parent)
    assert [terraform_file["path"] for terraform_file in settings["terraform_files"]] == [
        str(keyless.folder.parent / "main.tf")
    ]


def test_a_configuration_that_cannot_be_parsed(tmp_path: Path) -> None:
    """A broken file costs the line only: the plan is judged, and the reports name the file."""
    data = plan(change(after=ELSEWHERE), configuration=configured())
    run = judged(tmp_path, data, sourced(tmp_path, f"{SOURCE}}}\n"), formats=ALL)
    assert (run.code, run.word) == (1, "not compliant")
    [finding] = reported(run, "CMEK-05")
    assert [place[0] for place in finding.evidence] == [str(tmp_path / "plan-0.json")]
    broken = f"{tmp_path / 'main.tf'}:4 could not be parsed"
    note = f"{broken}; its resources are shown at their location in the plan."
    assert run.head["population"]["sources"][1]["notes"][0] == note
    assert note in run.text("audit.html")
    assert note in " ".join(run.out.split())
    assert command("verify", run.folder).exit_code == 0


def test_a_key_of_the_same_plan_comes_too_late(tmp_path: Path) -> None:
    """A key that the same plan creates helps no database of it, and the finding says why."""
    created = change(KEY, after=key_attributes(region="us-west-2"))
    run = judged(tmp_path, plan(change(after=ELSEWHERE), created))
    why = f"A plan registers a key ({KEY}), but does not show that it does so first."
    assert run.code == 1
    for rule in ("CMEK-01", "CMEK-05"):
        [finding] = reported(run, rule)
        assert (finding.status, finding.message.endswith(why)) == ("fail", True)


def test_a_plan_that_replaces_a_registered_key(tmp_path: Path) -> None:
    """A plan that replaces a registered key stops, is in every report, and is verified."""
    old, new = (key_attributes(key_id=aws_key_id(number=number)) for number in (1, 2))
    run = judged(tmp_path, plan(change(KEY, "delete create", old, new)), formats=ALL)
    assert (run.code, run.word) == (1, "not compliant")
    causes = {(finding["rule"], finding.get("cause", "")) for finding in run.findings}
    assert causes >= {
        ("CMEK-02", f"planned-rival-key:{aws_key_id(number=2)}"),
        ("CMEK-10", f"planned-replacement:{aws_key_id(number=1)}"),
    }
    assert run.head["population"]["totals"]["planned_keys"] == 2
    assert "2 planned keys" in run.text("summary.md")
    assert "which only IBM Support can do" in run.text("audit.html")
    assert command("verify", run.folder).exit_code == 0


@pytest.mark.parametrize(("flags", "code"), [((), 1), (("--cmek-allow-inconclusive",), 0)])
def test_a_place_that_is_known_only_after_apply(
    tmp_path: Path, flags: tuple[str, ...], code: int
) -> None:
    """Where it will lie is not known, so compliance is not established, and the run stops."""
    run = judged(tmp_path, plan(change(after_unknown={"regions": True})), *flags)
    assert (run.code, run.word) == (code, "not established")
    for rule in ("CMEK-01", "CMEK-03", "CMEK-05"):
        [finding] = reported(run, rule)
        assert finding.status == "inconclusive"
        assert finding.message == (
            f"The plan does not show where {ADDRESS} will be deployed: regions known only after "
            f"apply."
        )


def test_a_region_that_is_added(tmp_path: Path) -> None:
    """A region that is added without its key fails, and the database's other one does not."""
    after = existing(DATABASE, regions=["us-east-1", "us-west-2"])
    run = judged(tmp_path, plan(change(ADDRESS, "update", existing(DATABASE), after)))
    assert run.code == 1
    regions = {
        finding["subject"]["region"]: (finding["status"], finding["severity"])
        for finding in run.findings
        if finding["rule"] == "CMEK-05"
    }
    assert regions == {"us-east-1": ("pass", "high"), "us-west-2": ("fail", "critical")}
    [several] = reported(run, "CMEK-03")
    assert several.message == "The region us-west-2 has no key."


# --- what is managed ------------------------------------------------------------------------------


def test_a_hole_in_the_population(tmp_path: Path) -> None:
    """A database in the state that the inventory does not list is a hole, and nothing is sure."""
    held_ones = [held(values=existing(DATABASE)), held("astra_database.lost", existing("lost"))]
    run = judged(tmp_path, state(*held_ones))
    assert (run.code, run.word) == (1, "not compliant")
    [finding] = [line for line in run.findings if line["rule"] == "CMEK-14"]
    assert finding["status"] == "fail"
    assert "orders (lost)" in finding["message"]
    [row] = run.head["population"]["organizations"]
    [compared] = [
        comparison for comparison in row["reconciliation"] if comparison["what"] == "managed"
    ]
    assert (compared["agree"], compared["differences"]) == (
        False,
        ["orders (lost): astra_database.lost is not listed"],
    )


def test_a_state_that_agrees(tmp_path: Path) -> None:
    """A state whose databases are all listed changes no verdict, and every report is written."""
    run = judged(tmp_path, state(held(values=existing(DATABASE))), formats=ALL)
    assert (run.code, run.word) == (0, "compliant")
    sources = [(source["role"], source["format"]) for source in run.head["population"]["sources"]]
    assert sources == [("inventory", "yaml"), ("state", "terraform-state")]
    assert "state of Terraform, terraform-state" in run.text("audit.html")


def test_an_empty_state_betters_nothing(tmp_path: Path) -> None:
    """An empty state changes no finding, and its source says that nothing is compared with it."""
    file = write_json(tmp_path / "state.json", {"format_version": "1.0"})
    alone = audit(tmp_path, compliant())
    before = alone.code, alone.findings
    run = audit(tmp_path, compliant(), f"--cmek-state={file}", formats=ALL)
    assert (run.code, run.findings) == before
    assert [source["notes"] for source in run.head["population"]["sources"]] == [[], [NOT_COMPARED]]
    assert "nothing is compared with it" in run.text("audit.html")


def test_a_state_given_as_a_plan(tmp_path: Path) -> None:
    """A gate that is given the state, as the plan's name was forgotten, ends with 4."""
    file = write_json(tmp_path / "plan.json", state(held(values=existing(DATABASE))))
    run = audit(tmp_path, compliant(), f"--cmek-plan={file}")
    assert (run.code, run.left) == (4, set())
    assert f"{file}:1: found a state, not a plan, expected a plan" in run.out
    assert PLAN.command in run.out
    asked = command("keys", "--plan", file)
    assert asked.exit_code == 4
    assert PLAN.command in asked.stderr


def test_a_plan_given_as_a_state(tmp_path: Path) -> None:
    """A plan that is given as a state ends with 4, and it says what prints a state."""
    file = write_json(tmp_path / "state.json", plan(change()))
    run = audit(tmp_path, compliant(), f"--cmek-state={file}")
    assert (run.code, run.left) == (4, set())
    assert f"{file}:1: found a plan, not a state, expected a state" in run.out
    assert STATE.command in run.out
    asked = command("keys", "--add", "serverless/aws/us-east-2", "--state", file)
    assert asked.exit_code == 4
    assert STATE.command in asked.stderr


def test_a_report_on_a_state_is_verified(tmp_path: Path) -> None:
    """A report on a state comes out the same again, in one process or in two."""
    file = write_json(tmp_path / "state.json", state(held(values=existing("lost"))))
    options = (f"--cmek-state={file}", f"{OPTION}={ORGANIZATION}")
    run = audit(tmp_path, compliant(), *options)
    verified = command("verify", run.folder)
    assert verified.exit_code == 0, verified.output
    assert f"{file}: proven (it has the recorded SHA-256)" in verified.stdout
    spread = audit(tmp_path, compliant(), *options, "-n2", plugins=XDIST)
    assert spread.head["report"] == run.head["report"]


def test_the_organization_of_a_state(tmp_path: Path) -> None:
    """What a state does not say of its organization is said by the option."""
    lost = attributes(id="lost")
    data = state(held(values=lost))
    run = judged(tmp_path, data, inventory=two())
    assert (run.code, run.left) == (4, set())
    assert f"expected {OPTION}=ID, because this audit has several organizations" in run.out
    run = judged(tmp_path, data, f"{OPTION}={OTHER_ORGANIZATION}", inventory=two())
    missed = {
        finding["subject"]["organization"]
        for finding in run.findings
        if finding["rule"] == "CMEK-14" and finding["status"] == "fail"
    }
    assert missed == {OTHER_ORGANIZATION}


def test_a_plan_and_a_state(tmp_path: Path) -> None:
    """The state of one configuration and the plan of another are judged together."""
    both = [plan(change(after=ELSEWHERE)), state(held(values=existing("lost")))]
    run = judged(tmp_path, both, f"{OPTION}={ORGANIZATION}")
    failing = {finding["rule"] for finding in run.findings if finding["status"] == "fail"}
    assert failing == {"CMEK-01", "CMEK-05", "CMEK-14"}


# --- organizations --------------------------------------------------------------------------------


def two() -> dict[str, Any]:
    """Return an inventory of two organizations; only the first has a key."""
    one = compliant()["organizations"][0]
    other = organization_data(id=OTHER_ORGANIZATION, name="acme-test", keys=[], databases=[])
    other |= {"no_databases": {"by": "acme-security", "on": "2026-11-01"}}
    return document_data(one, other)


def test_several_organizations_must_be_reported(tmp_path: Path) -> None:
    """With several organizations the audit does not begin, and the option to use is named."""
    run = judged(tmp_path, plan(change()), inventory=two())
    assert (run.code, run.left) == (4, set())
    assert f"expected {OPTION}=ID, because this audit has several organizations" in run.out


@pytest.mark.parametrize(
    ("identity", "status"), [(ORGANIZATION, "pass"), (OTHER_ORGANIZATION, "fail")]
)
@pytest.mark.parametrize("prefix", ["", "astra="])
def test_the_organization_that_was_reported(
    tmp_path: Path, prefix: str, identity: str, status: str
) -> None:
    """A planned database is judged by the keys of the organization that the user names."""
    data = plan(change(), configuration=configured())
    run = judged(tmp_path, data, f"{OPTION}={prefix}{identity}", inventory=two())
    [finding] = reported(run, "CMEK-05")
    assert finding.status == status
    assert run.head["settings"]["terraform_organizations"] == [f"{prefix}{identity}"]


EU = "astra_database.eu"
TWO = plan(change(), change(EU), configuration=configuration({ADDRESS: "astra", EU: "astra.eu"}))


def asked_for(text: str, option: str) -> list[str]:
    """Return the options that a run asks for, with an id in each."""
    found = re.findall(rf"expected ({option}=\S+=)ID$", text, re.MULTILINE)
    return [f"{flag}{ORGANIZATION}" for flag in found]


def test_two_provider_configurations(tmp_path: Path) -> None:
    """Two configurations are not taken for the only organization: each has to be stated."""
    run = judged(tmp_path, TWO)
    assert (run.code, run.left) == (4, set())
    for key in ("astra", "astra.eu"):
        assert f"found 1 database of the provider configuration '{key}'" in run.out
    options = asked_for(run.out, OPTION)
    assert options == [f"{OPTION}={key}={ORGANIZATION}" for key in ("astra", "astra.eu")]
    assert judged(tmp_path, TWO, *options).code == 0


def test_keys_of_two_provider_configurations(tmp_path: Path) -> None:
    """`keys` asks for the same by its own options, which can be pasted."""
    paths = ["-i", write_json(tmp_path / "i.json", compliant())]
    paths += ["-p", write_json(tmp_path / "plan.json", TWO)]
    refused = command("keys", *paths)
    assert refused.exit_code == 4
    assert "--cmek-" not in refused.stderr
    options = asked_for(refused.stderr, "--terraform-organization")
    assert len(options) == 2
    assert command("keys", *paths, *options).exit_code == 0


# --- the run --------------------------------------------------------------------------------------


def test_several_processes_find_the_same(keyless: Run, tmp_path: Path) -> None:
    """Several processes find the same, at the same places."""
    folder = keyless.folder.parent
    again = audit(
        tmp_path,
        str(folder / "inventory.yaml"),
        f"--cmek-plan={folder / 'plan-0.json'}",
        f"--cmek-terraform-source={folder}",
        "-n2",
        plugins=XDIST,
    )
    assert (again.code, again.findings) == (keyless.code, keyless.findings)


def test_the_report_is_verified(tmp_path: Path) -> None:
    """A report on a plan comes out the same again, until the configuration changes."""
    data = plan(change(after=ELSEWHERE), configuration=configured())
    run = judged(tmp_path, data, sourced(tmp_path), f"{OPTION}=astra={ORGANIZATION}")
    assert command("verify", run.folder).exit_code == 0
    replace(tmp_path / "main.tf", "# The shop.", "# The shop.\n")
    done = command("verify", run.folder)
    assert done.exit_code == 5
    assert f"{tmp_path / 'main.tf'}: not proven (changed since: SHA-256 " in done.stdout


def test_secrets_of_a_plan_reach_no_report(tmp_path: Path) -> None:
    """Secrets that a plan holds in clear text get into nothing that is written or printed."""
    after = attributes(keyspace=ALIKE, name="acme-hidden", regions=["us-east-1", "eu-hidden-1"])
    sensitive = {"name": True, "regions": [False, True]}
    other = {"actions": ["create"], "before": None, "after": {"token": ALIKE}}
    data = plan(
        change(after=after, after_sensitive=sensitive),
        resource("astra_token.x") | {"change": other},
        variables={"token": {"value": ALIKE}},
        configuration={"provider_config": {"astra": {"token": {"constant_value": ALIKE}}}},
    )
    run = judged(tmp_path, data, "-vv", "--tb=long", formats=ALL)
    assert run.code == 1
    assert {finding.status for finding in reported(run, "CMEK-05")} == {"pass", "inconclusive"}
    everything = run.out + "".join(run.text(name) for name in run.left)
    assert {
        secret for secret in (ALIKE, "acme-hidden", "eu-hidden-1") if secret in everything
    } == set()


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (plan(errored=True), "found a plan that ended with an error"),
        ({"format_version": "1.0"}, "found a state, not a plan"),
        (
            state(held(values=existing(ALIKE))),
            "id of 'astra_database.orders': found what looks like",
        ),
    ],
    ids=["failed", "empty", "token"],
)
def test_what_cannot_be_judged(tmp_path: Path, data: object, found: str) -> None:
    """With a file that is no usable plan the audit does not happen, and nothing is written."""
    run = judged(tmp_path, data)
    assert (run.code, run.left) == (4, set())
    assert found in run.out
    assert ALIKE not in run.out


def test_what_terraform_printed(tmp_path: Path) -> None:
    """What Terraform printed of every kind of change is audited as it stands, with its source."""
    grown = next(scene for scene in SCENES if scene.name == "grown")
    options = (
        f"--cmek-plan={grown.recorded()}",
        f"--cmek-terraform-source={grown.source}",
    )
    run = audit(tmp_path, compliant(), *options)
    assert run.code == 1
    main = (grown.source / "main.tf").relative_to(ROOT).as_posix()
    assert [finding.evidence for finding in reported(run, "CMEK-05", "astra_database.orders")] == [
        [[main, 6, "astra_database.orders"]]
    ]
    [finding] = reported(run, "CMEK-05", "astra_database.asking")
    assert (finding.status, finding.evidence) == (
        "inconclusive",
        [[main, 20, "astra_database.asking"]],
    )


def test_a_plan_that_was_cut_down(tmp_path: Path) -> None:
    """A plan without what can be a secret is judged as the whole one, at the same addresses."""
    grown = next(scene for scene in SCENES if scene.name == "grown")
    text = grown.recorded().read_text("utf-8")
    found = []
    for name, data in (("whole", text), ("small", cut_text(text))):
        (tmp_path / name).mkdir()
        file = write_text(tmp_path / name / "plan.json", data)
        run = audit(tmp_path / name, compliant(), f"--cmek-plan={file}")
        findings = run.findings
        for finding in findings:
            finding["evidence"] = [place[2:] for place in finding["evidence"]]
        found.append((run.code, findings))
    assert found[0] == found[1]


HOSTILE = '["<img src=x onerror=alert(1)>|`a`](javascript:x)\\n\u202e\u001b[31m=1+1"]'


def test_hostile_addresses(tmp_path: Path) -> None:
    """A key of for_each that is meant to be run or to turn text around is text in every report."""
    run = judged(tmp_path, plan(change(f"astra_database.x{HOSTILE}", after=ELSEWHERE)), formats=ALL)
    assert run.code == 1
    # A table holds values for programs, and nobody opens it as a text.
    shown = run.left - {"findings.parquet"}
    texts = {name: run.text(name) for name in shown} | {"terminal": run.out}
    for sign in ("\u001b[31m", "\u202e"):
        assert {name for name, text in texts.items() if sign in text} == set()
    marked = {name for name, text in texts.items() if "<img src=x" in text}
    # In none of these is it markup: a value of a record, of a property, or of a cell.
    values = {"audit.sarif", "csv", "findings.ocsf.ndjson", "oscal-assessment-results.json"}
    assert marked <= {*RECORD, *values}


# --- plans with names -----------------------------------------------------------------------------


def planned_in(run: Run) -> set[str]:
    """Return the planned databases of all subjects."""
    databases = {str(finding["subject"].get("database")) for finding in run.findings}
    return {name for name in databases if name.startswith("planned")}


def named(folder: Path, *names: str) -> list[str]:
    """Write a plan for each name, all of one address, and return the options that take them."""
    files = [write_json(folder / f"{name}.json", plan(change(after=ELSEWHERE))) for name in names]
    plans = [f"--cmek-plan={name}={file}" for name, file in zip(names, files, strict=True)]
    return [*plans, f"{OPTION}={ORGANIZATION}"]


def test_plans_of_one_address_without_names(tmp_path: Path) -> None:
    """Plans that share an address end the run with 4; it says which, where, and what to write."""
    run = judged(tmp_path, [plan(change()), plan(change())])
    assert (run.code, run.left) == (4, set())
    assert f"{tmp_path / 'plan-1.json'}:" in run.out
    assert f"found '{ADDRESS}', an address that {tmp_path / 'plan-0.json'}:" in run.out
    assert f"such as --cmek-plan=prod={tmp_path / 'plan-0.json'}" in run.out


def test_named_plans_keep_their_subjects(tmp_path: Path) -> None:
    """A subject has the plan's name, with a second plan or without, and whatever the path is."""
    prod, test, whose = named(tmp_path, "prod", "test")
    moved = write_json(tmp_path / "x.json", plan(change(after=ELSEWHERE)))
    found = []
    for options in ([prod], [f"--cmek-plan=prod={moved}"], [test, prod]):
        run = audit(tmp_path, compliant(), whose, *options)
        found.append((planned_in(run), {finding["id"] for finding in run.findings}))
    (alone, own), (again, same), (both, all_of_them) = found
    assert alone == again == {f"planned prod#{ADDRESS}"}
    assert both == {f"planned {name}#{ADDRESS}" for name in ("prod", "test")}
    assert own == same < all_of_them


def test_a_report_of_named_plans_is_verified(tmp_path: Path) -> None:
    """A report names its plans and their names, by which it is judged again; so do processes."""
    options = named(tmp_path, "prod", "test")
    run = audit(tmp_path, compliant(), *options)
    sources = run.head["population"]["sources"]
    assert [source["name"] for source in sources] == ["", "prod", "test"]
    verified = command("verify", run.folder)
    assert verified.exit_code == 0, verified.output
    spread = audit(tmp_path, compliant(), *options, "-n2", plugins=XDIST)
    assert spread.head["report"] == run.head["report"]


def test_names_of_plans_in_the_ini_file(tmp_path: Path) -> None:
    """In the ini file, too, a name stands in front of a path that starts where that is."""
    write_json(tmp_path / "plan.json", plan(change(after=ELSEWHERE)))
    inventory = write_json(tmp_path / "i.json", compliant())
    lines = ["[pytest]", "python_files = check_*.py", "python_functions = check_*"]
    lines += [f"cmek_inventory = {inventory}", "cmek_plan = prod=plan.json"]
    ini = write_text(tmp_path / "pytest.ini", "\n".join(lines))
    options = (f"--cmek-report-dir={tmp_path / 'r'}", "--cmek-formats=json")
    found = start("-c", ini, str(ROOT / "checks"), *options, folder=tmp_path / "r")
    assert planned_in(found) == {f"planned prod#{ADDRESS}"}


@pytest.mark.parametrize("text", ["a b=plan.json", "=plan.json", "prod="])
def test_what_is_no_name_of_a_plan(tmp_path: Path, text: str) -> None:
    """A name that is none ends the run with 4."""
    run = audit(tmp_path, compliant(), f"--cmek-plan={text}")
    assert (run.code, run.left) == (4, set())
    assert f"--cmek-plan: found '{text}', expected PATH or NAME=PATH" in run.out


def test_keys_of_named_plans(tmp_path: Path) -> None:
    """`keys` takes names as an audit does, and refuses what an audit refuses."""
    options = [option.replace("--cmek-", "--") for option in named(tmp_path, "prod", "test")]
    asked = command("keys", *options, "--format=json")
    assert asked.exit_code == 1, asked.output
    sources = json.loads(asked.stdout)["sources"]["plan"]
    assert sources == [f"{name}={tmp_path / name}.json" for name in ("prod", "test")]
    bare = [option.replace("prod=", "").replace("test=", "") for option in options]
    assert command("keys", *bare).exit_code == 4
