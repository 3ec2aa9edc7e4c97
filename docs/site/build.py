"""Builds the documentation site of the pages as they are: ``python docs/site/build.py``.

The site has the tree of the repository: its front page is ``README.md``, and a link between pages,
or to a file of the code, leads to the same place in both. A broken link ends the build.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[2]
CONFIG = Path("docs/site/zensical.toml")
STYLE = Path("docs/site/extra.css")
_LINK = re.compile(r"\]\(([^()\s]+)\)")
_ELSEWHERE = re.compile(r"[a-z]+:|#")


def main(words: list[str]) -> int:
    """Build the site into the folder that ``words`` name; return the exit code."""
    parser = argparse.ArgumentParser(description="Build the documentation site.")
    parser.add_argument("output", nargs="?", default="site", type=Path, help="default: site")
    output = parser.parse_args(words).output.resolve()
    with tempfile.TemporaryDirectory(prefix="cmek-audit-site-") as folder:
        stage(Path(folder))
        done = subprocess.run(
            [sys.executable, "-m", "zensical", "build", "--strict"],
            cwd=folder,
            env=os.environ | {"NO_COLOR": "1"},
            check=False,
        )
        if done.returncode == 0:
            shutil.rmtree(output, ignore_errors=True)
            shutil.copytree(Path(folder) / "site", output)
    return done.returncode


def stage(folder: Path) -> None:
    """Copy the configuration, the pages, and the files that they lead to, into ``folder``."""
    shutil.copyfile(ROOT / CONFIG, folder / CONFIG.name)
    for path in sorted({*pages(), *linked_files(), STYLE}):
        place = folder / "pages" / path
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / path, place)


def pages() -> list[Path]:
    """Return the pages of the site, relative to the repository, as its navigation has them."""
    config = tomllib.loads((ROOT / CONFIG).read_text("utf-8"))
    sections = chain.from_iterable(section.values() for section in config["project"]["nav"])
    return [Path(page) for page in chain.from_iterable(sections)]


def linked_files() -> set[Path]:
    """Return the files that pages lead to, or show, and that are no pages."""
    links = chain.from_iterable(map(links_of, pages()))
    return {path for path in links if (ROOT / path).is_file()} - set(pages())


def links_of(page: Path) -> Iterator[Path]:
    """Yield where each link of a page leads, relative to the repository."""
    for link in _LINK.findall((ROOT / page).read_text("utf-8")):
        if not _ELSEWHERE.match(link):
            target = page.parent / unquote(link.partition("#")[0])
            yield Path(os.path.normpath(target))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
