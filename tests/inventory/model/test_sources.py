"""A source describes the file that was read."""

from __future__ import annotations

from inventory.model.sources import FORMATS, Source
from tests.inventory.model.refusals import refusal

FILE = {"path": "a.yaml", "role": "inventory", "format": "yaml", "size": 1, "sha256": "0" * 64}


def test_each_ending_has_a_format() -> None:
    """The endings of a recorded inventory are those of YAML, JSON and NDJSON."""
    assert FORMATS == {".yaml": "yaml", ".yml": "yaml", ".json": "json", ".ndjson": "ndjson"}


def test_defaults_of_a_source() -> None:
    """A file is complete and no example unless it says so, and has no date of its own."""
    source = Source.model_validate(FILE)
    assert (source.complete, source.example, source.captured_at) == (True, False, None)
    assert (source.organizations, source.keys, source.databases) == (0, 0, 0)


def test_an_unknown_role_is_refused() -> None:
    """A file is the present, a plan, a state or an earlier moment, and nothing else."""
    assert refusal(Source, FILE | {"role": "rumour"})[0] == ("role",)
