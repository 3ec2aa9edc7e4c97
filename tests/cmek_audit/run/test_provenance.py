"""Who ran an audit, with what and from where."""

from __future__ import annotations

import dataclasses
import platform
import re
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from cmek_audit.run import provenance
from cmek_audit.run.provenance import PACKAGES, describe_run

GITHUB = {
    "CI": "true",
    "GITHUB_ACTIONS": "true",
    "GITHUB_ACTOR": "acme-dev",
    "GITHUB_EVENT_NAME": "schedule",
    "GITHUB_SERVER_URL": "https://github.example",
    "GITHUB_REPOSITORY": "acme/keys",
    "GITHUB_RUN_ID": "17",
}
GITLAB = {
    "CI": "true",
    "GITLAB_CI": "true",
    "GITLAB_USER_LOGIN": "acme-dev",
    "CI_PIPELINE_SOURCE": "push",
    "CI_JOB_URL": "https://gitlab.example/acme/keys/-/jobs/17",
}
JENKINS = {
    "JENKINS_URL": "https://jenkins.example",
    "BUILD_USER": "acme-dev",
    "BUILD_CAUSE": "TIMERTRIGGER",
    "BUILD_URL": "https://jenkins.example/job/keys/17/",
}
KNOWN = {*GITHUB, *GITLAB, *JENKINS}


@pytest.fixture(autouse=True)
def _no_ci(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in KNOWN:
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(
    ("variables", "actor", "trigger", "link"),
    [
        (
            GITHUB,
            "acme-dev",
            "GitHub Actions schedule",
            "https://github.example/acme/keys/actions/runs/17",
        ),
        (GITLAB, "acme-dev", "GitLab CI push", "https://gitlab.example/acme/keys/-/jobs/17"),
        (JENKINS, "acme-dev", "Jenkins TIMERTRIGGER", "https://jenkins.example/job/keys/17/"),
        ({"JENKINS_URL": "https://jenkins.example"}, "unknown", "Jenkins", ""),
        ({"GITHUB_ACTIONS": "true", "GITHUB_RUN_ID": "17"}, "unknown", "GitHub Actions", ""),
        ({"CI": "1"}, "unknown", "CI", ""),
    ],
    ids=["github", "gitlab", "jenkins", "jenkins-bare", "github-bare", "other"],
)
def test_a_pipeline_tells_who_runs_it(
    monkeypatch: pytest.MonkeyPatch,
    pytestconfig: pytest.Config,
    variables: dict[str, str],
    actor: str,
    trigger: str,
    link: str,
) -> None:
    """Actor, trigger and link come from the variables of the pipeline, as far as it sets them."""
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    run = describe_run(pytestconfig, 0)
    assert (run["actor"], run["trigger"], run["link"]) == (actor, trigger, link)


def test_a_person_is_reported_by_the_name_of_the_account(
    monkeypatch: pytest.MonkeyPatch, pytestconfig: pytest.Config
) -> None:
    """Outside a pipeline the actor is whoever is logged in, and there is no link."""
    monkeypatch.setenv("LOGNAME", "acme-dev")
    run = describe_run(pytestconfig, 0)
    assert (run["actor"], run["trigger"], run["link"]) == (
        "acme-dev",
        "by hand or by a scheduler",
        "",
    )


def test_an_account_without_a_name_is_not_reported(
    monkeypatch: pytest.MonkeyPatch, pytestconfig: pytest.Config
) -> None:
    """Where the system knows no name for the account, as in some containers, none is made up."""
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("pwd.getpwuid", {}.__getitem__)
    assert describe_run(pytestconfig, 0)["actor"] == "unknown"


def test_the_run_tells_what_it_was_made_with(pytestconfig: pytest.Config) -> None:
    """Command line, exit code, and the versions of Python, platform and packages are reported."""
    run = describe_run(pytestconfig, 1)
    assert run["command"] == ["pytest", *map(str, pytestconfig.invocation_params.args)]
    assert (run["exit_code"], run["python"]) == (1, ".".join(map(str, sys.version_info[:3])))
    assert run["platform"] == platform.platform()
    assert set(run["packages"]) == set(PACKAGES)
    assert run["packages"]["pytest"] == version("pytest")


def test_a_token_on_the_command_line_is_not_recorded(
    pytestconfig: pytest.Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What looks like a token on the command line is blanked in the record."""
    params = pytestconfig.invocation_params
    given = dataclasses.replace(params, args=("-k", "AstraCS:sham-token"))
    monkeypatch.setattr(pytestconfig, "invocation_params", given)
    command = describe_run(pytestconfig, 0)["command"]
    assert command == ["pytest", "-k", "AstraCS:(hidden)"]


def test_a_package_that_is_missing_is_reported_as_missing(
    monkeypatch: pytest.MonkeyPatch, pytestconfig: pytest.Config
) -> None:
    """A package that is not installed has no version, and says so."""
    monkeypatch.setattr(provenance, "PACKAGES", ("acme-no-such-package",))
    assert describe_run(pytestconfig, 0)["packages"] == {"acme-no-such-package": "not installed"}


# --- the suite's own commit -----------------------------------------------------------------------


def _git(folder: Path, *words: str) -> None:
    own = [
        "-c",
        "user.name=acme",
        "-c",
        "user.email=acme@example.com",
        "-c",
        "commit.gpgsign=false",
    ]
    subprocess.run(["git", "-C", str(folder), *own, *words], check=True, capture_output=True)


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a checkout with one commit, and let the suite take it for its own."""
    _git(tmp_path, "init", "--quiet")
    (tmp_path / "rule.py").write_text("strict = True\n")
    _git(tmp_path, "add", "rule.py")
    _git(tmp_path, "commit", "--quiet", "--message", "Begin")
    monkeypatch.setattr(provenance, "ROOT", tmp_path)
    return tmp_path


def test_a_clean_checkout_is_reported_by_its_commit(
    checkout: Path, pytestconfig: pytest.Config
) -> None:
    """The commit of the suite is reported, and that nothing was changed; new files are none."""
    (checkout / "audit-report").write_text("")
    run = describe_run(pytestconfig, 0)
    assert (bool(re.fullmatch("[0-9a-f]{40}", run["commit"])), run["dirty"]) == (True, False)


def test_a_changed_checkout_is_reported_as_changed(
    checkout: Path, pytestconfig: pytest.Config
) -> None:
    """If a file of the suite was changed since the commit, the run says so."""
    (checkout / "rule.py").write_text("strict = False\n")
    assert describe_run(pytestconfig, 0)["dirty"] is True


def test_a_suite_outside_of_a_checkout_has_no_commit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pytestconfig: pytest.Config
) -> None:
    """Where there is no checkout, neither commit nor changes are known."""
    monkeypatch.setattr(provenance, "ROOT", tmp_path)
    run = describe_run(pytestconfig, 0)
    assert (run["commit"], run["dirty"]) == ("", None)


def test_a_checkout_without_commit_has_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pytestconfig: pytest.Config
) -> None:
    """Before the first commit there is none to tell."""
    _git(tmp_path, "init", "--quiet")
    monkeypatch.setattr(provenance, "ROOT", tmp_path)
    run = describe_run(pytestconfig, 0)
    assert (run["commit"], run["dirty"]) == ("", None)


def test_a_machine_without_git_tells_no_commit(
    checkout: Path, monkeypatch: pytest.MonkeyPatch, pytestconfig: pytest.Config
) -> None:
    """Without git, neither commit nor changes are known."""
    monkeypatch.setenv("PATH", str(checkout))
    run = describe_run(pytestconfig, 0)
    assert (run["commit"], run["dirty"]) == ("", None)
