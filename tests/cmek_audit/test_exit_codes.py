"""Exit codes: what they mean, and which one each end of a command has."""

from __future__ import annotations

import click
import pytest

from cmek_audit.exit_codes import ExitCode, exit_code_of, interruptible
from inventory.errors import SettingError


def ended(error: BaseException) -> int:
    def run() -> object:
        raise error

    return exit_code_of(run)


def test_exit_codes_mean_what_those_of_pytest_mean() -> None:
    """Done, not done, interrupted, broken and unusable have pytest's numbers.

    So has what is not proven: to pytest, its number means that nothing was tested.
    """
    pytest_codes = (
        pytest.ExitCode.OK,
        pytest.ExitCode.TESTS_FAILED,
        pytest.ExitCode.INTERRUPTED,
        pytest.ExitCode.INTERNAL_ERROR,
        pytest.ExitCode.USAGE_ERROR,
        pytest.ExitCode.NO_TESTS_COLLECTED,
    )
    assert [int(code) for code in ExitCode] == [int(code) for code in pytest_codes]


@pytest.mark.parametrize("code", sorted(ExitCode))
def test_commands_return_their_exit_code(code: ExitCode) -> None:
    """What a command returns is its exit code."""
    assert exit_code_of(lambda: code) == code


def test_a_command_without_a_code_is_broken() -> None:
    """A command that returns no exit code has not succeeded."""
    assert exit_code_of(lambda: None) == 3


def test_internal_errors_hide_their_messages(capsys: pytest.CaptureFixture[str]) -> None:
    """A mistake of the program ends with 3, and shows where and what, but no values."""
    assert ended(ZeroDivisionError("a value")) == 3
    out, err = capsys.readouterr()
    assert out == ""
    assert "test_exit_codes.py" in err
    assert "Internal error: ZeroDivisionError, a mistake of cmek-audit" in err
    assert "a value" not in err


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (PermissionError(13, "Permission denied", "a.yaml"), "a.yaml: Permission denied\n"),
        (OSError(28, "No space left on device"), "The system: No space left on device\n"),
        (SettingError("a.yaml: found nothing"), "a.yaml: found nothing\n"),
        (click.UsageError("No such option: -q"), "Error: No such option: -q\n"),
    ],
    ids=["a file", "the system", "the suite", "the arguments"],
)
def test_unusable_input(error: Exception, message: str, capsys: pytest.CaptureFixture[str]) -> None:
    """What the user or the system has to correct ends with 4, and is named on stderr."""
    assert (ended(error), capsys.readouterr()) == (4, ("", message))


@pytest.mark.parametrize("error", [KeyboardInterrupt(), click.Abort()])
def test_an_interruption_that_no_command_explains(
    error: BaseException, capsys: pytest.CaptureFixture[str]
) -> None:
    """An interruption where no command says what that means ends with 2 all the same."""
    assert (ended(error), capsys.readouterr()) == (2, ("", "Interrupted.\n"))


def test_an_interruption_that_a_command_explains(capsys: pytest.CaptureFixture[str]) -> None:
    """A command ends with 2, and prints what the interruption means."""

    @interruptible("nothing was changed")
    def run() -> None:
        raise KeyboardInterrupt

    with pytest.raises(click.exceptions.Exit) as exit_request:
        run()
    assert exit_request.value.exit_code == 2
    assert capsys.readouterr() == ("", "Interrupted: nothing was changed.\n")


def test_a_command_that_is_not_interrupted_goes_on() -> None:
    """Whatever else a command returns or raises is left alone."""
    with interruptible("nothing was changed"):
        pass
    with pytest.raises(ValueError, match="a value"), interruptible("nothing was changed"):
        raise ValueError("a value")
