"""A chain of evidence bundles, one a night, for tests of many nights."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from inventory.evidence.manifest import Previous, read_head
from inventory.evidence.writer import BundleInfo, BundleWriter, JobWriter
from tests.builders import an_organization, moment
from tests.inventory.live import HOST

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime
    from pathlib import Path

    from inventory.model.organization import Organization

START = moment("2026-01-01T02:00:00Z")


def night_at(number: int) -> datetime:
    """Return when a night was recorded."""
    return START + timedelta(days=number)


def name_of(number: int) -> str:
    """Return the name of a night's bundle."""
    return night_at(number).strftime("%Y-%m-%dT%H-%M-%SZ")


def write_nights(
    folder: Path,
    nights: Iterable[Mapping[str, object] | tuple[Organization, ...]],
    *,
    hosts: Mapping[int, str] | None = None,
    first: int = 0,
) -> list[Path]:
    """Write a bundle for each night, each naming the one before; no request is recorded.

    A night is what its only organization holds, or its organizations. ``hosts`` are those asked, by
    night, where it is another one.
    """
    folder.mkdir(exist_ok=True)
    written = sorted(path for path in folder.iterdir() if (path / "manifest.json").is_file())
    for number, shown in enumerate(nights, first):
        organizations = shown if isinstance(shown, tuple) else (an_organization(**shown),)
        info = BundleInfo(
            "cmek-audit 0", (hosts or {}).get(number, HOST), night_at(number), _previous(written)
        )
        path = folder / name_of(number)
        _write(path, info, organizations)
        written.append(path)
    return written


def _previous(written: list[Path]) -> Previous | None:
    if not written:
        return None
    return Previous(name=written[-1].name, root=read_head(str(written[-1])).root)


def _write(path: Path, info: BundleInfo, organizations: tuple[Organization, ...]) -> None:
    bundle = BundleWriter(path, info, b"{}")
    job = JobWriter(bundle.staging)
    for number, organization in enumerate(organizations, 1):
        dated = organization.model_copy(update={"captured_at": info.started})
        job.end(number, dated, job.begin(number, None))
    job.close()
    bundle.tally.merge(job.tally)
    bundle.finish(info.started, [])
