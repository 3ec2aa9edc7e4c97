"""``cmek-audit render``: makes a report of any format from the record of an audit."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from cmek_audit.console import write_lines
from cmek_audit.exit_codes import Code
from inventory.errors import LeakError, SettingError
from inventory.text.secrets import holds_secret
from reports.formats.registry import RENDERED, encode
from reports.record.reader import read_record, relying_on

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from reports.model.head import Head
    from reports.record.reader import Record


def run(name: str, report: str, output: str) -> Code:
    """Render the record in ``report`` as ``name``, and write it to ``output``; ``-`` is stdout."""
    record = read_record(report)
    target = None if output == "-" else _target(output, record)
    raw = _render(name, record)
    if target is None:
        sys.stdout.flush()
        sys.stdout.buffer.write(raw)
        return Code.DONE
    try:
        _replace(target, raw)
    except OSError as error:
        raise _refused(output, str(error.strerror)) from None
    write_lines(f"Written: {output}")
    return Code.DONE


def _target(output: str, record: Record) -> Path:
    """Return the file to write; it must not be one of those that are read."""
    path = Path(output)
    if any(path.resolve() == file.resolve() or _is_same(path, file) for file in record.files):
        raise _refused(output, "the record itself")
    if path.is_dir():
        raise _refused(output, "a folder")
    return path


def _is_same(path: Path, other: Path) -> bool:
    """Say whether both are one file, by whatever links."""
    return path.exists() and path.samefile(other)


def _refused(output: str, found: str) -> SettingError:
    return SettingError(f"--output: found {output} ({found}), expected a file to write to")


def _render(name: str, record: Record) -> bytes:
    render = _renderer(name)
    with relying_on(record):
        raw = encode(render(record.head, record.lines()))
    if holds_secret(raw):
        raise LeakError([record.path])
    return raw


def _renderer(name: str) -> Callable[[Head, Iterable[bytes]], str]:
    if name == "annotations":
        from reports.formats import github_annotations  # noqa: PLC0415 (no other format needs the gate)

        return github_annotations.render
    return next(each.render for each in RENDERED if each.format == name)


def _replace(target: Path, raw: bytes) -> None:
    """Write beside and rename when whole, so that nothing unfinished is left behind."""
    beside = target.with_name(f".{target.name}.writing-{os.getpid()}")
    try:
        beside.write_bytes(raw)
        beside.replace(target)
    finally:
        with suppress(OSError):
            beside.unlink(missing_ok=True)
