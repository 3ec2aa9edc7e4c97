"""The samples: each is shown as it is, is what its system takes, and does what its page says."""

from __future__ import annotations

import re
import shlex
import shutil
import stat
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
import yaml

from cmek_audit.docs_pages import with_files
from inventory.system.token_files import read_tokens
from tests.project.pipelines import NIGHTLY, PAGE, ROOT, read
from tests.project.test_live_docs import DOCS, block, parsed

if TYPE_CHECKING:
    from cmek_audit.run.option_values import Options

LIVE = "docs/live-audits.md"
SAMPLES = sorted((ROOT / "docs/samples").iterdir())
STATE = "/var/lib/cmek-audit"
PROGRAM = "/opt/cmek-audit/.venv/bin/cmek-audit"
TOKENS = {
    "ASTRA_TOKEN_ACME_PROD_FILE": "acme-prod",
    "ASTRA_TOKEN_ACME_NEW_FILE": "acme-new",
}
"""The variables of all samples, each with the file of its token."""


def sample(name: str) -> str:
    return read(f"docs/samples/{name}")


def assert_audits(command: list[str]) -> None:
    """The next night finds this night's evidence, and both folders can be written to."""
    name, *arguments = command
    assert name == "audit"
    options: Options = parsed(arguments)
    assert options.live == "/etc/cmek-audit/organizations.yaml"
    assert options.history == (options.evidence_dir,)
    assert options.evidence_dir == f"{STATE}/evidence"
    assert options.report_dir == f"{STATE}/report"


# --- what the pages show --------------------------------------------------------------------------


@pytest.mark.parametrize("page", DOCS, ids=lambda page: page.name)
def test_shown_files_are_current(page: Path) -> None:
    """A page that shows a file shows it as it is: python -m cmek_audit.docs_pages."""
    text = page.read_text("utf-8")
    assert text == with_files(text, ROOT)


def test_every_sample_is_shown() -> None:
    """Each sample is on a page as a whole, and the page leads to those that are to be copied."""
    pages = "".join(page.read_text("utf-8") for page in DOCS)
    shown = re.findall(r"^<!-- file: docs/samples/(\S+) -->$", pages, re.MULTILINE)
    assert sorted(shown) == [path.name for path in SAMPLES]
    assert pages.count("<!-- file: ") == pages.count("<!-- end of file -->")


def test_every_sample_names_its_place() -> None:
    """The first line of a sample, or the one after the program that runs it, is its own path."""
    for path in SAMPLES:
        lines = [line for line in path.read_text("utf-8").splitlines() if line[:2] != "#!"]
        name = lines[0].removeprefix("# ").rpartition("/")[2]
        assert path.name.endswith(name.lstrip(".")) or path.stem == name


def test_variables_are_those_of_the_page() -> None:
    """The samples have a file for the token of each organization that the page shows."""
    data = yaml.safe_load(block("yaml", "cmek-organizations: 1"))
    variables = {f"{organization['token']}_FILE" for organization in data["organizations"]}
    assert variables == set(TOKENS)


def test_the_branch_is_made_by_the_same_commands() -> None:
    """The head of the nightly workflow has the commands that the page has."""
    (shown,) = re.findall(r"^```sh\n(git switch.*?)^```", read(PAGE), re.DOTALL | re.MULTILINE)
    assert "".join(f"#   {line}\n" for line in shown.splitlines()) in read(NIGHTLY)


# --- cron -----------------------------------------------------------------------------------------


def test_cron_line_is_one() -> None:
    """The line for cron has five fields of time, a user and the script, and somebody gets mail."""
    *_, mail, line = sample("cmek-audit.cron").splitlines()
    assert re.fullmatch(r"MAILTO=\S+@acme\.example", mail)
    assert re.fullmatch(r"([0-9*]+ ){5}cmek /opt/cmek-audit/nightly\.sh", line)


def test_nightly_script_audits() -> None:
    """The script runs an audit with usable options."""
    text = sample("nightly.sh").replace("\\\n", " ").replace("$state", STATE)
    (line,) = [line for line in text.splitlines() if line.startswith(PROGRAM)]
    _, *command = shlex.split(line.partition(" > ")[0])
    assert_audits(command)


@pytest.mark.skipif(not shutil.which("shellcheck"), reason="no shellcheck: a package of Debian's")
def test_nightly_script_passes_its_linter() -> None:
    """The script quotes, expands and tests with care."""
    subprocess.run(["shellcheck", "docs/samples/nightly.sh"], cwd=ROOT, check=True)


class Night(NamedTuple):
    """A night by cron: the exit code, what was printed, and the folder of the audits."""

    code: int
    printed: str
    state: Path


def night(folder: Path, audit: str) -> Night:
    """Run the script with ``audit`` in the place of the audit, and with folders of its own."""
    state, program = folder / "state", folder / "program"
    state.mkdir(exist_ok=True)
    program.write_text(f"#!/bin/sh\n{audit}\n")
    program.chmod(0o755)
    text = sample("nightly.sh").replace(STATE, str(state)).replace(PROGRAM, str(program))
    script = folder / "nightly.sh"
    script.write_text(text)
    done = subprocess.run(
        ["sh", str(script)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=60,
    )
    return Night(done.returncode, done.stdout, state)


def test_a_night_that_complies_is_silent(tmp_path: Path) -> None:
    """An audit that ends with 0 prints nothing, so that there is no mail; its output is kept."""
    done = night(tmp_path, "echo compliant; echo note >&2")
    assert (done.code, done.printed) == (0, "")
    assert (done.state / "last.txt").read_text() == "compliant\nnote\n"


@pytest.mark.parametrize("code", [1, 2, 3, 4, 5])
def test_a_night_that_fails_is_reported(tmp_path: Path, code: int) -> None:
    """An audit that ends otherwise prints all that it has to say, with its own exit code."""
    done = night(tmp_path, f"echo not compliant; exit {code}")
    assert (done.code, done.printed) == (code, "not compliant\n")


def test_nobody_else_reads_what_a_night_writes(tmp_path: Path) -> None:
    """Whatever the script and the audit write can be read by their user alone."""
    done = night(tmp_path, "mkdir report; echo > report/audit.json")
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in done.state.rglob("*")}
    assert modes == {"lock": 0o600, "last.txt": 0o600, "report": 0o700, "audit.json": 0o600}


def test_nights_do_not_overlap(tmp_path: Path) -> None:
    """A second run while one is running ends with 75, says why, and leaves the log as it is."""
    again = shlex.quote(str(tmp_path / "nightly.sh"))
    done = night(tmp_path, f"echo first; sh {again} > second 2>&1; echo $? >> second")
    assert (done.code, done.printed) == (0, "")
    assert (done.state / "last.txt").read_text() == "first\n"
    said, code = (done.state / "second").read_text().splitlines()
    assert (code, "still running" in said) == ("75", True)


def test_a_night_after_another_begins(tmp_path: Path) -> None:
    """The lock is free again when a night has ended, whatever came of it."""
    assert night(tmp_path, "exit 1").code == 1
    assert night(tmp_path, "exit 0").code == 0


def test_the_script_names_the_tokens(tmp_path: Path) -> None:
    """The audit finds the variable of each token's file, and no token."""
    done = night(tmp_path, "env | grep ^ASTRA_ | sort > seen")
    named = dict(line.split("=") for line in (done.state / "seen").read_text().splitlines())
    assert named == {name: f"/etc/cmek-audit/tokens/{file}" for name, file in TOKENS.items()}


# --- systemd --------------------------------------------------------------------------------------

MOST_EXPOSED = 2.0
ANALYZE = shutil.which("systemd-analyze")


def unit(name: str) -> dict[str, dict[str, list[str]]]:
    """Return the settings of each section, each with all its values."""
    sections: dict[str, dict[str, list[str]]] = {}
    for line in sample(name).replace("\\\n", " ").splitlines():
        if line.startswith("["):
            section = sections.setdefault(line.strip("[]"), {})
        elif line and not line.startswith("#"):
            key, _, value = line.partition("=")
            section.setdefault(key, []).append(value)
    return sections


def test_systemd_units_fit_together() -> None:
    """The service audits as an own user, in its own folder, and the timer starts it every night."""
    service, timer = unit("cmek-audit.service")["Service"], unit("cmek-audit.timer")
    program, *command = shlex.split(service["ExecStart"][0])
    assert program == PROGRAM
    assert_audits(command)
    wanted = {
        "Type": "oneshot",
        "User": "cmek",
        "StateDirectory": Path(STATE).name,
        "KillSignal": "SIGINT",
        "UMask": "0077",
    }
    assert {name: service[name][0] for name in wanted} == wanted
    assert set(timer) == {"Unit", "Timer", "Install"}
    assert timer["Timer"]["OnCalendar"]


def test_systemd_passes_tokens_as_credentials() -> None:
    """Each variable names a credential that is loaded, and no token is in the environment."""
    service = unit("cmek-audit.service")["Service"]
    loaded = dict(value.split(":", 1) for value in service["LoadCredential"])
    assert loaded == {file: f"/etc/cmek-audit/tokens/{file}" for file in TOKENS.values()}
    environment = dict(value.split("=", 1) for value in service["Environment"])
    assert environment.pop("PYTHONDONTWRITEBYTECODE") == "1"
    assert environment == {name: f"%d/{file}" for name, file in TOKENS.items()}
    assert "EnvironmentFile" not in service


def test_systemd_service_is_hardened() -> None:
    """The service has no capability, writes to its own folder alone, and sees no other's data."""
    service = unit("cmek-audit.service")["Service"]
    strict = {
        "CapabilityBoundingSet": "",
        "NoNewPrivileges": "yes",
        "PrivateDevices": "yes",
        "PrivateTmp": "yes",
        "ProtectHome": "yes",
        "ProtectSystem": "strict",
        "StateDirectoryMode": "0700",
    }
    assert {name: service[name][0] for name in strict} == strict
    assert service["SystemCallFilter"][0] == "@system-service"


@pytest.mark.skipif(ANALYZE is None, reason="no systemd-analyze: a part of systemd")
def test_systemd_rates_the_exposure() -> None:
    """systemd rates the exposure of the service as low as the page says, below 2 of 10."""
    assert ANALYZE is not None
    file = str(ROOT / "docs/samples/cmek-audit.service")
    done = subprocess.run(
        [ANALYZE, "security", "--offline=true", "--no-pager", file],
        capture_output=True,
        text=True,
        check=False,
    )
    found = re.search(r"Overall exposure level for \S+: ([0-9.]+)", done.stdout)
    assert found, done.stderr
    assert float(found[1]) < MOST_EXPOSED
    (shown,) = re.findall(r"the exposure of the service at ([0-9.]+)\.\s", read(LIVE))
    assert float(shown) < MOST_EXPOSED


# --- Kubernetes -----------------------------------------------------------------------------------


class Job(NamedTuple):
    """The parts of the job.

    Attributes:
        spec: of the job that is made every night.
        pod: of its pod.
        container: the one of the pod.
        volumes: of the pod, by name.
    """

    spec: dict[str, Any]
    pod: dict[str, Any]
    container: dict[str, Any]
    volumes: dict[str, dict[str, Any]]


def cron_job() -> Job:
    claim, job = yaml.safe_load_all(sample("cronjob.yaml"))
    assert (claim["kind"], job["kind"]) == ("PersistentVolumeClaim", "CronJob")
    assert (claim["apiVersion"], job["apiVersion"]) == ("v1", "batch/v1")
    pod = job["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    volumes = {volume["name"]: volume for volume in pod["volumes"]}
    assert volumes["evidence"]["persistentVolumeClaim"]["claimName"] == claim["metadata"]["name"]
    return Job(job["spec"], pod, container, volumes)


def test_kubernetes_job_is_one() -> None:
    """The job runs once a night, is not tried again, and audits with usable options."""
    job = cron_job()
    once = job.spec["concurrencyPolicy"], job.spec["jobTemplate"]["spec"]["backoffLimit"]
    assert (*once, job.pod["restartPolicy"]) == ("Forbid", 0, "Never")
    assert "command" not in job.container, "the image has an entry point"
    assert_audits(job.container["args"])


def test_kubernetes_job_has_no_rights() -> None:
    """Neither root nor a capability, no account of the cluster, and the usual system calls."""
    job = cron_job()
    user = job.pod["securityContext"]
    nobody = re.findall(r"^USER (\d+):(\d+)$", read("Dockerfile"), re.MULTILINE)
    assert nobody == [(str(user["runAsUser"]), str(user["runAsGroup"]))]
    assert (user["runAsNonRoot"], user["seccompProfile"]) == (True, {"type": "RuntimeDefault"})
    assert job.pod["automountServiceAccountToken"] is False
    assert job.container["securityContext"] == {
        "readOnlyRootFilesystem": True,
        "allowPrivilegeEscalation": False,
        "privileged": False,
        "capabilities": {"drop": ["ALL"]},
    }


def test_kubernetes_job_writes_to_its_volumes() -> None:
    """Evidence goes to the claim, other files to a scratch folder, and the rest is read only."""
    job = cron_job()
    mounts = {mount["mountPath"]: mount for mount in job.container["volumeMounts"]}
    writable = {path: mount["name"] for path, mount in mounts.items() if "readOnly" not in mount}
    assert writable == {STATE: "evidence", "/tmp": "scratch"}
    assert {mount["name"] for mount in mounts.values()} == set(job.volumes)
    assert job.container["workingDir"] == STATE
    assert set(job.container["resources"]) == {"requests", "limits"}


def test_kubernetes_job_gets_tokens_as_files() -> None:
    """Each variable names a file of the secret, which only the job's group may read."""
    job = cron_job()
    (place,) = [
        mount["mountPath"]
        for mount in job.container["volumeMounts"]
        if mount["name"] == "tokens" and mount["readOnly"]
    ]
    named = {entry["name"]: entry["value"] for entry in job.container["env"]}
    assert named == {name: f"{place}/{file}" for name, file in TOKENS.items()}
    assert job.volumes["tokens"]["secret"]["defaultMode"] == 0o440
    assert "envFrom" not in job.container


def test_kubernetes_job_gets_what_the_commands_make() -> None:
    """Secret and organizations file of the job are those that the commands above it make."""
    job, page = cron_job(), read(LIVE)
    made = re.findall(r"^kubectl create (?:secret )?([a-z]+) ([a-z-]+) (.+)$", page, re.MULTILINE)
    assert {(kind, name) for kind, name, _ in made} == {
        ("configmap", job.volumes["organizations"]["configMap"]["name"]),
        ("generic", job.volumes["tokens"]["secret"]["secretName"]),
    }
    files = {file for *_, given in made for file in re.findall(r"--from-file=(\S+)", given)}
    assert files == {"organizations.yaml", *TOKENS.values()}


def test_files_of_tokens_have_a_mode_that_is_accepted(tmp_path: Path) -> None:
    """A file as the samples mount it is read: the audit accepts the modes that they set."""
    for mode in (0o400, 0o440):
        file = tmp_path / f"{mode:o}"
        file.write_text("not-a-real-token\n")
        file.chmod(mode)
        assert dict(read_tokens(["A"], {"A_FILE": str(file)})) == {"A": "not-a-real-token"}
