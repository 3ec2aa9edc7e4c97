"""Who ran an audit, with which versions and from where: what differs from run to run."""

from __future__ import annotations

import getpass
import os
import platform
import re
import shutil
import subprocess
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, TypedDict

import pytest

from cmek_audit import install_location
from cmek_audit.run.pytest_options import used_settings
from inventory.text.secrets import without_secrets

if TYPE_CHECKING:
    from cmek_audit.settings.given import Given
    from reports.model.head import Head, Provenance, SettingSource

ROOT = install_location.folder()
COMMAND = pytest.StashKey[tuple[str, ...]]()
"""The command line as the user gave it, where that was not one of pytest."""


class Published(TypedDict):
    """What a run has published: the report folder, and the head of the record."""

    folder: str
    head: Head


PUBLISHED = pytest.StashKey[Published]()
"""What the run has published; nothing is there without an audit."""

PACKAGES = ("cmek-audit", "pytest", "pytest-html", "pydantic", "PyYAML", "Jinja2")

_CI = (
    ("GITHUB_ACTIONS", "GitHub Actions", "GITHUB_ACTOR", "GITHUB_EVENT_NAME"),
    ("GITLAB_CI", "GitLab CI", "GITLAB_USER_LOGIN", "CI_PIPELINE_SOURCE"),
    ("JENKINS_URL", "Jenkins", "BUILD_USER", "BUILD_CAUSE"),
    ("CI", "CI", "", ""),
)


def describe_run(config: pytest.Config, exit_code: int) -> Provenance:
    """Return actor, trigger, command line, versions and outcome of the run."""
    plain = ("pytest", *map(str, config.invocation_params.args))
    commit, dirty = checkout()
    return {
        **_actor(),
        "command": [without_secrets(word) for word in config.stash.get(COMMAND, plain)],
        "exit_code": exit_code,
        "python": platform.python_version(),
        "platform": platform.platform(),
        "packages": {name: version_of(name) for name in PACKAGES},
        "commit": commit,
        "dirty": dirty,
        "settings": [_setting(given) for given in used_settings(config)],
    }


def _setting(given: Given) -> SettingSource:
    """Return an option that nobody typed, with its source."""
    value = given.spelled
    shown: str | bool | list[str]
    if isinstance(value, bool):
        shown = value
    elif isinstance(value, str):
        shown = without_secrets(value)
    else:
        shown = [without_secrets(text) for text in value]
    return {"option": given.option.name, "value": shown, "source": without_secrets(given.source)}


class _Actor(TypedDict):
    actor: str
    trigger: str
    link: str


def _actor() -> _Actor:
    for flag, name, actor, trigger in _CI:
        if os.environ.get(flag):
            return {
                "actor": os.environ.get(actor, "") or "unknown",
                "trigger": f"{name} {os.environ.get(trigger, '')}".strip(),
                "link": _link(),
            }
    try:
        return {"actor": getpass.getuser(), "trigger": "by hand or by a scheduler", "link": ""}
    except (ImportError, KeyError, OSError):  # an ImportError on Windows, before Python 3.13
        return {"actor": "unknown", "trigger": "by hand or by a scheduler", "link": ""}


def _link() -> str:
    server, repository, run = (
        os.environ.get(f"GITHUB_{name}", "") for name in ("SERVER_URL", "REPOSITORY", "RUN_ID")
    )
    if server and repository and run:
        return f"{server}/{repository}/actions/runs/{run}"
    return os.environ.get("CI_JOB_URL", "") or os.environ.get("BUILD_URL", "")


def version_of(name: str) -> str:
    """Return the version of an installed package, or that it is not installed."""
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"


def checkout() -> tuple[str, bool | None]:
    """Return the suite's own commit and whether its files were changed, as far as git knows."""
    git = shutil.which("git")
    if git is None or not (ROOT / ".git").exists():
        return "", None
    # Without optional locks, git does not write to a checkout that somebody else works in.
    words = ("--no-optional-locks", "status", "--porcelain=v2", "--branch", "--untracked-files=no")
    command = [git, "-C", str(ROOT), *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 (no shell, fixed words)
    commit = re.search(r"^# branch\.oid ([0-9a-f]{40,})$", done.stdout, re.MULTILINE)
    if commit is None:
        return "", None
    return commit[1], any(not line.startswith("#") for line in done.stdout.splitlines())
