"""A finished record, read back by whatever makes something of it."""

from __future__ import annotations

import hashlib
import os
import shutil
from typing import TYPE_CHECKING

import pytest
from jinja2 import UndefinedError

from inventory.errors import RecordError
from reports.record import reader
from reports.record.reader import measure, read_record, relying_on
from tests.reports.samples import COMPLIANT, Report, audit

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture
def report(tmp_path: Path) -> Report:
    """Audit a file in which all is well."""
    return audit(tmp_path, COMPLIANT)


@pytest.mark.parametrize("name", ["", "audit.json"], ids=["folder", "file"])
def test_a_record_is_read_back(report: Report, name: str) -> None:
    """A record is what the audit wrote, by its folder or by its head."""
    record = read_record(report.folder / name)
    assert (record.head, list(record.lines())) == (report.head, report.lines)
    assert record.path == report.folder / "audit.json"
    assert record.findings == report.folder / "findings.ndjson"
    assert record.sha256 == hashlib.sha256(record.path.read_bytes()).hexdigest()


def test_a_record_may_be_called_otherwise(report: Report, tmp_path: Path) -> None:
    """A head that was kept under another name is read with the findings beside it."""
    kept = tmp_path / "kept"
    shutil.copytree(report.folder, kept)
    (kept / "audit.json").rename(kept / "last-night.json")
    assert read_record(str(kept / "last-night.json")).head == report.head


@pytest.mark.parametrize("name", ["", "audit.json"], ids=["folder", "file"])
def test_a_folder_without_a_record_is_refused(tmp_path: Path, name: str) -> None:
    """Where no record is, that is said, and where it was looked for."""
    with pytest.raises(RecordError, match=r"audit\.json: found No such file .* expected a record$"):
        read_record(tmp_path / name)


def test_a_changed_record_is_refused(report: Report) -> None:
    """A record that was changed is none; the tests of verifying know every way to change one."""
    findings = report.folder / "findings.ndjson"
    findings.write_bytes(findings.read_bytes().replace(b'"pass"', b'"fail"', 1))
    with pytest.raises(RecordError, match=r"findings\.ndjson: changed since: SHA-256 "):
        read_record(report.folder)


@pytest.mark.parametrize("name", ["audit.json", "findings.ndjson"])
@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir], ids=["pipe", "folder"])
def test_only_regular_files_are_read(
    report: Report, name: str, make: Callable[[Path], None]
) -> None:
    """A pipe or a folder in the place of a file is refused: reading it may never end."""
    (report.folder / name).unlink()
    make(report.folder / name)
    with pytest.raises(RecordError, match=rf"{name}: found (no regular file|Is a directory), exp"):
        read_record(report.folder)


def test_a_device_is_no_regular_file() -> None:
    """A device that never ends is not read."""
    with pytest.raises(OSError, match="no regular file"):
        measure("/dev/zero")


def test_a_head_of_any_size_is_not_read(report: Report, monkeypatch: pytest.MonkeyPatch) -> None:
    """A head that is larger than any audit writes is refused before it is parsed."""
    monkeypatch.setattr(reader, "MOST_BYTES", 1_000)
    with pytest.raises(RecordError, match=r"audit\.json: found more than 1,000 bytes, expected a"):
        read_record(report.folder)


def test_no_more_is_hashed_than_there_should_be(tmp_path: Path) -> None:
    """A file that is larger than it should be is read no further than it takes to see that."""
    file = tmp_path / "file"
    with file.open("wb") as opened:
        opened.truncate(10_000_000)
    whole = hashlib.sha256(bytes(10_000_000)).hexdigest(), 10_000_000, 0
    assert measure(file) == measure(file, 10_000_000) == whole
    assert measure(file, 1_500_000)[1] == 2_097_152


@pytest.mark.parametrize(
    "error",
    [
        KeyError("x"),
        TypeError(),
        ValueError(),
        AttributeError(),
        UndefinedError(),
        OverflowError(),
        RecursionError(),
    ],
)
def test_what_no_audit_writes_is_no_crash(report: Report, error: Exception) -> None:
    """A record whose hashes are right and whose content is not is an error that names it."""
    record = read_record(report.folder)
    words = (
        rf"audit\.json: holds what no audit writes \({type(error).__name__}\), expected a record"
    )
    with pytest.raises(RecordError, match=words), relying_on(record):
        raise error
    with pytest.raises(OSError, match="full"), relying_on(record):
        raise OSError("full")
