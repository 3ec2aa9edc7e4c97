"""Two rules in a bare script: reads the NDJSON of a fleet, writes a line a finding.

``python bare.py FLEET OUT``
"""

from __future__ import annotations

import json
import sys
from pathlib import Path


def main(fleet: str, out: str) -> None:
    """Judge whether each region of a database has a key, and had it before the database."""
    owner, keys = "", dict[tuple[str, str, str, str], str]()
    with Path(fleet).open("rb") as lines, Path(out).open("w", encoding="ascii") as findings:
        for line in map(json.loads, lines):
            if line["kind"] == "organization":
                owner = line["id"]
            elif line["kind"] == "key":
                scope = owner, line["type"], line["provider"], line["region"]
                keys[scope] = line["registered"]["at"]
            elif line["kind"] == "database":
                for region in line["regions"]:
                    registered = keys.get((owner, line["type"], line["provider"], region["name"]))
                    before = registered is not None and registered < region["added_at"]
                    for rule, passed in (("key", registered is not None), ("before", before)):
                        finding = {"rule": rule, "database": line["id"], "passed": passed}
                        findings.write(json.dumps(finding) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
