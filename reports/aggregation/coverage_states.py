"""The states of key scopes in the coverage, and the rules from whose findings they follow."""

from __future__ import annotations

from checks.engine.catalogue import rule_of, rules_of

NEEDED = rule_of("key-needed")
"""The rule that says whether a key scope needs a key, and whether one is registered."""

UNUSED = rule_of("key-used")
"""The rule that judges every registered key by whether it has a database to encrypt."""

COMPLETE = rule_of("population")
"""The rule that says whether an organization was read in full, and lately."""

ORDER = rule_of("key-first")
"""The rule that says of each database whether its key came first."""

PROOFS = rules_of("proof")
"""The rules that must pass in a scope: its key is there, its own, first, the right one, usable."""

STATES = (
    "missing",
    "shared",
    "failing",
    "undetermined",
    "unproven",
    "waived",
    "covered",
    "unused",
    "unsupported",
    "astra-provided",
    "spare",
    "in-question",
)
"""The states of a cell; where two findings say different ones, the earlier is shown."""

WITH_DATABASES = ("missing", "undetermined", "shared", "failing", "unproven", "waived", "covered")
"""The states of a key scope that needs a key."""
