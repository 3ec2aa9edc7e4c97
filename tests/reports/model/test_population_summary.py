"""The blocks on what was audited, as the models have it."""

from __future__ import annotations

from inventory.evidence.reader import IndexedExchange
from inventory.model.gaps import Gap, ListPass, Reading, TerminatedCount
from inventory.model.sources import Evidence, Source
from reports.model.population_summary import (
    BundleManifest,
    ExchangeEntry,
    GapEntry,
    PassEntry,
    ReadingEntry,
    SourceEntry,
    TerminatedEntry,
)


def test_entries_have_the_fields_of_the_models() -> None:
    """Sources, bundles, exchanges, gaps and readings are stated with all that is known of them."""
    fields = {
        SourceEntry: Source.model_fields,
        BundleManifest: Evidence.model_fields,
        GapEntry: Gap.model_fields,
        ReadingEntry: Reading.model_fields,
        PassEntry: ListPass.model_fields,
        TerminatedEntry: TerminatedCount.model_fields,
        ExchangeEntry: IndexedExchange._fields,
    }
    assert {entry: list(entry.__annotations__) for entry in fields} == {
        entry: list(names) for entry, names in fields.items()
    }
