"""The layout of a package for an auditor, which is a ZIP file."""

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
