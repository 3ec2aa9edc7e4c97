"""The layout of evidence bundles, and where they are."""

from __future__ import annotations

from pathlib import Path

MANIFEST = "manifest.json"
INVENTORY = "inventory.ndjson"
ORGANIZATIONS = "organizations.json"


def is_bundle(path: str) -> bool:
    """Say whether ``path`` is a folder that holds a manifest."""
    return (Path(path) / MANIFEST).is_file()


def bundles_in(folder: Path) -> list[Path]:
    """Return the bundles that ``folder`` holds, by name; those in the making are none."""
    if not folder.is_dir():
        return []
    return sorted(
        each for each in folder.iterdir() if not each.name.startswith(".") and is_bundle(str(each))
    )
