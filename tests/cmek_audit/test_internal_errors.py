"""Internal errors are shown by type and place only."""

from __future__ import annotations

import errno

from cmek_audit.internal_errors import describe_error

SECRET = "AstraCS:" + "not-a-real-token:" + "1" * 20


def _raised() -> Exception:
    try:
        int(SECRET)
    except ValueError as error:
        return error
    raise AssertionError


def test_an_error_is_named_by_type_and_place() -> None:
    """The function and the type are shown, the message and the variables are not."""
    text = describe_error(_raised())
    assert "in _raised" in text
    assert text.splitlines()[-2:] == [
        "Internal error: ValueError, a mistake of cmek-audit: please report it.",
        "Its message is left out, as it could hold a secret.",
    ]
    assert SECRET not in text


def test_what_the_system_refuses_is_said_in_its_words() -> None:
    """A full disk is no mistake of the suite, and is named with its file."""
    full = OSError(errno.ENOSPC, "No space left on device", "r/audit.html")
    assert describe_error(full) == "r/audit.html: No space left on device"
    assert describe_error(OSError(errno.ENOSPC, "No space left on device")) == (
        "The system: No space left on device"
    )


def test_a_name_that_holds_a_secret_is_blanked() -> None:
    """A token in the name of a file does not get into the text."""
    assert SECRET not in describe_error(OSError(errno.ENOENT, "No such file", SECRET))
