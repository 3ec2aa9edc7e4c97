"""The layout of a package for an auditor, which is a ZIP file, and how large it may be."""

from __future__ import annotations

ENDING = ".zip"

README = "README.txt"
INDEX_PAGE = "index.html"
INDEX_TABLE = "index.csv"
WORK_PAPER = "work-paper.csv"
LISTED = "sources.json"
SUMS = "SHA256SUMS"
REPORT = "report"
SOURCES = "sources"
"""The folder of files whose paths are relative: they keep them, so that all is judged again."""

ELSEWHERE = "other-sources"
"""The folder of files with other paths, each under a number."""

MOST_FILES = 200_000
MOST_BYTES = 8 * 1_024**3
MOST_TIMES = 250
"""How many times its size in the package a file may have; long lists of alike lines have 100."""

SMALL = 64 * 1_024**2
"""Up to this size, what is unpacked does no harm, however small it was."""

LONGEST_NAME = 1_000


def describe_excess(files: int, total: int, size: int) -> str:
    """Say why a package is refused; empty if it is not: packing and checking have one limit.

    It has so many files of ``total`` bytes, and ``size`` bytes itself.
    """
    if files > MOST_FILES:
        return f"found {files:,} files, expected at most {MOST_FILES:,}"
    if total > MOST_BYTES:
        return f"found {total:,} bytes in it, expected at most {MOST_BYTES:,}"
    if total > max(SMALL, MOST_TIMES * size):
        return f"found {total:,} bytes in a package of {size:,}, expected fewer"
    return ""
