"""What a cloud shows of a key."""

from __future__ import annotations

from inventory.model.kms import KmsFacts, KmsGap
from tests.builders import kms_facts
from tests.inventory.model.refusals import refusal


def test_first_gap_of_a_fact_counts() -> None:
    """Of several facts, the first that could not be read is named, with its first reason."""
    refused = KmsGap(fact="policy", reason="refused", permission="kms:GetKeyPolicy")
    late = KmsGap(fact="policy", reason="timed-out")
    grants = KmsGap(fact="grants", reason="malformed")
    facts = kms_facts(unread=(grants, refused, late))
    assert facts.gap("key", "policy", "grants") == refused
    assert facts.gap("grants", "policy") == grants
    assert facts.gap("key") is None


def test_location_of_a_fact_is_kept() -> None:
    """A fact has the location of its answer; it takes no part in equality."""
    facts = kms_facts()
    assert facts.where("key", "rotation") == ()
    placed = facts.model_copy().located({"key": ("a", 1), "rotation": ("a", 1), "policy": ("b", 2)})
    assert placed.where("rotation", "key", "policy", "grants") == (("a", 1), ("b", 2))
    assert placed == facts


def test_a_key_that_was_never_used_has_no_last_use() -> None:
    """Facts that exclude each other are refused."""
    used = {"observed_at": "2026-11-20T01:00:00Z", "last_used_at": "2026-11-19T01:00:00Z"}
    expected = "no last_used_at with never_used: true"
    assert refusal(KmsFacts, used | {"never_used": True}) == ((), expected)
    assert KmsFacts.model_validate(used | {"never_used": False}).last_used_at is not None
