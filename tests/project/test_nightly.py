"""The nightly workflow keeps evidence and report on a branch, whatever the verdict is."""

from __future__ import annotations

import json
import re
import shutil
from typing import TYPE_CHECKING

import pytest

from tests.astra.server import serve
from tests.cmek_audit.helpers import FLEET, command, organizations
from tests.project.pipelines import (
    NIGHTLY,
    PAGE,
    REAL,
    Done,
    Runner,
    git,
    job_steps,
    loaded,
    read,
    shell,
)

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow

BRANCH = "cmek-evidence"


class Night:
    """A workspace with the evidence branch of a repository in it, as the workflow checks it out.

    Attributes:
        origin: the bare repository.
        evidence: the branch's folder.
    """

    def __init__(self, place: Path) -> None:
        self.origin = place / "origin.git"
        git(place, "init", "--quiet", "--bare", "--initial-branch=main", str(self.origin))
        git(self.origin, "config", "uploadpack.allowFilter", "true")
        _begin(place / "first", self.origin)
        self._workspace = place / "workspace"
        self.evidence = self._workspace / "evidence"
        self.check_out(self.evidence)

    def check_out(self, folder: Path) -> Path:
        """Clone the branch alone, without its history, as a runner does."""
        single = ("--depth=1", "--single-branch", f"--branch={BRANCH}", "--quiet")
        git(self.origin.parent, "clone", *single, f"file://{self.origin}", str(folder))
        return folder

    def begin(self) -> None:
        """Check out what the workflow does of the branch as it is now, in another workspace."""
        shutil.rmtree(self.evidence)
        steps = job_steps(NIGHTLY)
        wanted = steps["Check out the evidence"]["with"]
        assert wanted["sparse-checkout-cone-mode"] is False
        single = ("--depth=1", "--single-branch", f"--branch={BRANCH}", "--quiet", "--no-checkout")
        partial = (f"--filter={wanted['filter']}", f"file://{self.origin}", str(self.evidence))
        git(self.origin.parent, "clone", *single, *partial)
        patterns = wanted["sparse-checkout"].split()
        git(self.evidence, "sparse-checkout", "set", "--no-cone", *patterns)
        git(self.evidence, "checkout", "--quiet", BRANCH)
        step = steps["Check out the answers of last night"]
        assert set(step["env"]) == {"GITHUB_TOKEN"}
        assert step["working-directory"] == self.evidence.name
        done = shell(step["run"], self.evidence, {"GITHUB_TOKEN": "sham"})
        assert done.code == 0, done.err

    def report(self, text: str) -> None:
        """Leave a report as an audit does."""
        folder = self._workspace / "out"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        (folder / "audit.json").write_text(text)

    def bundle(self, name: str) -> None:
        """Leave a bundle where a live audit puts it."""
        folder = self.evidence / "bundles" / name
        folder.mkdir(parents=True)
        (folder / "manifest.json").write_text("{}\r\n")

    def keep(self, code: str, verdict: str = "compliant") -> Done:
        """Run the step that keeps what there is."""
        step = job_steps(NIGHTLY)["Keep evidence and report"]
        reported = {"EXIT_CODE": code, "REPORT": f"{self._workspace}/out", "VERDICT": verdict}
        reported |= {"GITHUB_TOKEN": "sham"}
        assert set(step["env"]) == set(reported)
        return shell(step["run"], self._workspace / step["working-directory"], reported)

    def kept(self) -> dict[str, str]:
        """Return every file of the branch in the bare repository."""
        names = git(self.origin, "ls-tree", "-r", "--name-only", BRANCH).splitlines()
        return {name: git(self.origin, "show", f"{BRANCH}:{name}") for name in names}

    def log(self) -> list[str]:
        return git(self.origin, "log", "--format=%s", BRANCH).splitlines()


def _begin(folder: Path, origin: Path) -> None:
    """Make the branch by the commands that the page shows."""
    git(origin.parent, "clone", "--quiet", str(origin), str(folder))
    (shown,) = re.findall(r"^```sh\n(git switch.*?)^```", read(PAGE), re.DOTALL | re.MULTILINE)
    named = ("user.name=acme", "user.email=acme@acme.example")
    for each in named:
        git(folder, "config", *each.split("="))
    done = shell(shown, folder, {})
    assert done.code == 0, done.err


@pytest.fixture
def night(tmp_path: Path) -> Night:
    """Return a night on which nothing has been audited yet."""
    return Night(tmp_path)


@pytest.mark.parametrize(("code", "verdict"), [("0", "compliant"), ("1", "not compliant")])
def test_evidence_and_report_are_kept(night: Night, code: str, verdict: str) -> None:
    """A night's bundle and report are pushed, whether the audit passes or fails, to the byte."""
    night.bundle("one")
    night.report("first")
    assert night.keep(code, verdict).code == 0
    assert night.kept() == {
        ".gitattributes": "* -text",
        "bundles/one/manifest.json": "{}",
        "report/audit.json": "first",
    }
    size = git(night.origin, "cat-file", "-s", f"{BRANCH}:bundles/one/manifest.json")
    assert (night.log()[0], size) == (f"Audit: {verdict}", "4")


def test_the_next_night_follows(night: Night) -> None:
    """The next night adds its bundle, and its report takes the place of the one before."""
    night.bundle("one")
    night.report("first")
    night.keep("0")
    night.bundle("two")
    night.report("second")
    assert night.keep("1", "not compliant").code == 0
    kept = night.kept()
    assert {name for name in kept if name.startswith("bundles/")} == {
        "bundles/one/manifest.json",
        "bundles/two/manifest.json",
    }
    assert (kept["report/audit.json"], len(night.log())) == ("second", 3)


@pytest.mark.parametrize("code", ["2", "3", "4", ""])
def test_without_an_audit_the_last_report_stays(night: Night, code: str) -> None:
    """A night without an audit keeps what evidence there is, and the report of the night before."""
    night.bundle("one")
    night.report("first")
    night.keep("0")
    night.bundle("two")
    night.report("of no audit")
    assert night.keep(code, "" if not code else "no audit").code == 0
    kept = night.kept()
    assert kept["report/audit.json"] == "first"
    assert "bundles/two/manifest.json" in kept
    assert night.log()[0] == "Audit: no audit"


def test_nothing_new_is_no_commit(night: Night) -> None:
    """A night that leaves nothing makes no commit, and is no failure of this step."""
    assert night.keep("4").code == 0
    assert len(night.log()) == 1


def test_what_was_not_finished_is_not_kept(night: Night) -> None:
    """What a collection that was killed left behind stays out of the branch."""
    night.bundle(".collecting-7")
    night.bundle("one")
    night.report("first")
    assert night.keep("0").code == 0
    assert {name.split("/")[1] for name in night.kept() if "/" in name} == {"one", "audit.json"}


def test_nothing_is_overwritten(night: Night, tmp_path: Path) -> None:
    """If somebody else has pushed meanwhile, the step fails, and theirs stays."""
    other = night.check_out(tmp_path / "other")
    (other / "theirs").write_text("x")
    git(other, "add", "--all")
    git(other, "commit", "--quiet", "--message", "theirs")
    git(other, "push", "--quiet", "origin", BRANCH)
    night.bundle("one")
    assert night.keep("4").code != 0
    assert (night.log()[0], set(night.kept())) == ("theirs", {".gitattributes", "theirs"})


def test_a_report_that_is_missing_is_reported(night: Night) -> None:
    """If the audit says that there is a report and there is none, the step fails."""
    night.bundle("one")
    assert night.keep("0").code != 0
    assert len(night.log()) == 1


def test_two_real_nights(tmp_path: Path) -> None:
    """Two nights of the action and the step that keeps make a chain, and a comparison."""
    night = Night(tmp_path)
    runner = Runner(tmp_path, REAL)
    with serve(FLEET) as server:
        file = organizations(tmp_path, server.address)
        given = {"live": file, "evidence-dir": "evidence/bundles", "report-dir": "out"}
        given["history"] = "evidence/bundles"
        first = runner.audit(given, **FLEET.environment)
        assert "History:  0 earlier records" in first.out
        assert night.keep(str(first.code), "first").code == 0
        earlier = {"baseline": "evidence/report/audit.json"}
        second = runner.audit(given | earlier, **FLEET.environment)
        assert "History:  1 earlier record\n" in second.out
        assert night.keep(str(second.code), "second").code == 0
    assert night.log()[:2] == ["Audit: second", "Audit: first"]
    kept = night.check_out(tmp_path / "kept")
    head = json.loads((kept / "report/audit.json").read_text())
    assert head["changes"]["baseline"]["path"] == earlier["baseline"]
    done = command("verify", kept / "bundles")
    assert (done.exit_code, "chain: 2 bundles" in done.stdout) == (0, True)


def test_a_night_checks_out_little(tmp_path: Path) -> None:
    """Of earlier nights only the last one is checked out whole; all of them are the history."""
    night = Night(tmp_path)
    with serve(FLEET) as server:
        file = organizations(tmp_path, server.address)
        given = {"live": file, "evidence-dir": "evidence/bundles", "report-dir": "out"}
        given |= {"history": "evidence/bundles", "keep-bundles": "3"}
        runner = Runner(tmp_path, REAL)
        for number in range(5):
            night.begin()
            bundles = sorted(night.evidence.glob("bundles/2*"))
            whole = [bundle for bundle in bundles if (bundle / "exchanges").exists()]
            assert whole == bundles[-1:]
            assert runner.sum_up(given).code == 0
            done = runner.audit(given, **FLEET.environment)
            assert done.code in {0, 1}
            records = "1 earlier record\n" if number == 1 else f"{number} earlier records\n"
            assert f"History:  {records}" in done.out
            assert night.keep(str(done.code), f"night {number}").code == 0
    kept = night.check_out(tmp_path / "kept")
    names = sorted(path.name for path in (kept / "bundles").iterdir())
    assert [name.startswith("summary-") for name in names] == [False] * 4 + [True]
    verified = command("verify", kept / "bundles")
    assert (verified.exit_code, "chain: 4 bundles" in verified.stdout) == (0, True)


def test_the_workflow_keeps_in_any_case() -> None:
    """The step runs whatever the audit said, never by force; what it cannot push is an artifact."""
    steps = job_steps(NIGHTLY)
    assert steps["Keep evidence and report"]["if"] == "always()"
    last = steps["Keep what could not be pushed"]
    assert last["if"] == "always() && steps.keep.outcome == 'failure'"
    assert last["with"]["path"] == "evidence/bundles"
    assert not re.search(r"--force|\s-f\s|\+HEAD", read(NIGHTLY))


def test_the_workflow_reads_what_it_keeps() -> None:
    """The next night's history and baseline are this night's evidence and report."""
    (job,) = loaded(NIGHTLY)["jobs"].values()
    (audit,) = [step["with"] for step in job["steps"] if step.get("id") == "audit"]
    bundles, report = audit["evidence-dir"], "evidence/report/audit.json"
    assert audit["history"] == bundles, "also if it holds no whole bundle: that must stop it"
    assert audit["baseline"] == f"${{{{ hashFiles('{report}') && '{report}' || '' }}}}"
    assert "report-dir" not in audit


def test_nights_come_one_after_the_other() -> None:
    """Two nights never run at once, none is broken off, and nothing but contents is written."""
    workflow = loaded(NIGHTLY)
    (job,) = workflow["jobs"].values()
    assert workflow["concurrency"]["cancel-in-progress"] is False
    assert (workflow["permissions"], job["permissions"]) == ({}, {"contents": "write"})
