"""The errors' texts."""

from __future__ import annotations

import pytest

from inventory.errors import (
    MOST_SHOWN,
    CmekAuditError,
    InputError,
    InventoryError,
    Problem,
    WaiverError,
)


@pytest.mark.parametrize(
    ("problem", "text"),
    [
        (Problem("a.yaml", 3, "b[0].c", "1", "text"), "a.yaml:3: b[0].c: found 1, expected text"),
        (Problem("a.yaml", 3, "", "1", "text"), "a.yaml:3: found 1, expected text"),
        (Problem("a.yaml", 0, "b", "1", "text"), "a.yaml: b: found 1, expected text"),
    ],
)
def test_problem(problem: Problem, text: str) -> None:
    """A problem reads as one line with its file, line and field, as far as they are known."""
    assert str(problem) == text


def test_one_problem() -> None:
    """The text of an error with one problem says so, and that nothing was done."""
    problem = Problem("a.yaml", 3, "b", "1", "text")
    assert str(InventoryError([problem])) == (
        "1 problem, so nothing was done:\n  a.yaml:3: b: found 1, expected text"
    )


def test_many_problems() -> None:
    """An error keeps all its problems, shows the first of them, and counts the rest."""
    problems = [Problem("a.yaml", line, "", "1", "text") for line in range(1, MOST_SHOWN + 3)]
    error = InventoryError(problems)
    assert error.problems == tuple(problems)
    assert error.total == MOST_SHOWN + 2
    lines = str(error).splitlines()
    assert lines[0] == "52 problems, so nothing was done:"
    assert lines[1:-1] == [f"  {problem}" for problem in problems[:MOST_SHOWN]]
    assert lines[-1] == "  … and 2 more"


def test_problems_that_were_not_kept() -> None:
    """An error counts the problems that were found beyond those that it keeps."""
    error = WaiverError([Problem("a.yaml", 1, "", "1", "text")], total=7)
    assert error.total == 7
    assert str(error).splitlines()[-1] == "  … and 6 more"


def test_tree() -> None:
    """Every unusable file is one kind of error, below the root of all."""
    assert issubclass(InventoryError, InputError)
    assert issubclass(InputError, CmekAuditError)
