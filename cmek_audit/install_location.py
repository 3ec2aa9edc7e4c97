"""Where the suite is: inside the package if that is installed, beside it in a checkout."""

from __future__ import annotations

import sys
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent


def folder(package: Path = PACKAGE) -> Path:
    """Return the folder that holds ``inventory``, ``checks`` and ``reports``."""
    inside = package / "suite"
    return inside if inside.is_dir() else package.parent


def version() -> str:
    """Return the version that the suite says it has."""
    import tomllib  # noqa: PLC0415 (nearly no run needs it)

    project = tomllib.loads((folder() / "pyproject.toml").read_text(encoding="utf-8"))
    return str(project["project"]["version"])


def enable() -> None:
    """Let the suite be imported, before anything else that has one of its names."""
    place = str(folder())
    if sys.path[:1] != [place]:
        sys.path.insert(0, place)
