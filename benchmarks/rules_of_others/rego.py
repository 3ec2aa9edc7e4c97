"""Two rules in Rego, by regorus: ``python rego.py INPUT OUT``."""

from __future__ import annotations

import sys
from pathlib import Path

import regorus


def main(given: str, out: str) -> None:
    """Evaluate the rules for all databases, and write the findings."""
    engine = regorus.Engine()
    engine.add_policy_from_file(str(Path(__file__).with_name("rules.rego")))
    engine.set_input_json(Path(given).read_text("ascii"))
    Path(out).write_text(engine.eval_rule_as_json("data.fleet.findings"), "utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
