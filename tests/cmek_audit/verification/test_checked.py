"""The result of one check."""

from __future__ import annotations

from cmek_audit.verification.checked import Checked, differences, stopping
from cmek_audit.verification.proof import Proof, unprovable
from inventory.errors import EvidenceError, Problem, RecordError

DIFFERS = Proof("audit.json", "differs", "changed")
UNPROVEN = Proof("audit.html", "not-proven", "missing")


def test_the_worst_decides() -> None:
    """What differs is worse than what is not proven, and that is worse than what is."""
    assert Checked("r", [], ["x"], ["y"]).status == "differs"
    assert Checked("r", [], [], ["y"]).status == "not-proven"
    assert Checked("r", [], []).status == "proven"


def test_an_error_names_the_path_once() -> None:
    """A problem begins with the path of what was checked, whether the error names it or not."""
    assert differences("r", RecordError("r/audit.json: changed")) == ["r/audit.json: changed"]
    assert differences("r", RecordError("changed")) == ["r: changed"]


def test_many_problems_of_a_file_are_counted() -> None:
    """Of very many problems the first are listed, and the others are a number."""
    problems = [Problem("r/f", line, "", "a", "b") for line in range(1, 61)]
    listed = differences("r", EvidenceError(problems))
    assert (len(listed), listed[0], listed[-1]) == (
        51,
        "r/f:1: found a, expected b",
        "r: 10 more",
    )


def test_what_cannot_be_proven_does_not_stop() -> None:
    """Only what stops is listed, by its status."""
    proofs = [DIFFERS, UNPROVEN, unprovable("run", "only the record says so")]
    assert [*stopping("r", proofs, "differs")] == ["r: audit.json: differs (changed)"]
    assert [*stopping("r", proofs, "not-proven")] == ["r: audit.html: not proven (missing)"]
