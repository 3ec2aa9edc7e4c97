"""Every fault at every address: an audit says what it could not learn, and loses nothing else."""

from __future__ import annotations

import logging
import shutil
from collections import Counter
from typing import TYPE_CHECKING

import httpx
import pytest

from inventory.astra.replay import replay
from tests.astra.faults import ADDRESSES, KEYS, LISTS, PAGES, VIEWS
from tests.astra.matrix import (
    DEADLINE,
    ENDLESS,
    Cell,
    Outcome,
    Place,
    cells,
    is_paged,
    needles,
    paged_fleet,
    small_fleet,
)
from tests.astra.server import serve
from tests.covering import marked, pairwise
from tests.evidence_files import contents_below

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

SLACK = 1.5
"""How many seconds an audit may take beyond its deadline, to judge and to write."""


def _at(places: Collection[str], *kinds: str, when: str = "always first") -> set[Cell]:
    return {Cell(kind, place, turn) for kind in kinds for place in places for turn in when.split()}


# --- which cells heal, and why --------------------------------------------------------------------

RETRIED = (
    *("429", "429-retry-after", "500", "502-html", "503", "reset-at-once", "reset", "cut-short"),
    *("stall", "stall-headers", "drip", "string", "truncated-json", "wrong-type", "no-type"),
    *("not-utf8", "duplicate-keys", "deep", "sent-twice", "surplus-later"),
)
HEALED: dict[str, set[Cell]] = {
    "the second attempt is answered": {
        *_at(ADDRESSES, *RETRIED, when="first"),
        *_at({"organization"}, "null", "[]", "missing-fields", when="first"),
        *_at(PAGES, "null", when="first"),
        *_at({"organization", *LISTS, "accounts"}, "{}", when="first"),
    },
    "an empty page ends one reading, and the two after it are alike": {
        *_at(PAGES, "[]", when="first"),
    },
    "a page that is not full proves nothing: the next one begins where it ended": {
        *_at(PAGES, "short-page"),
        *_at(PAGES, "cut-list", when="first"),
        *_at({"databases"}, "cut-list", when="always"),
    },
    "nothing is missing yet when the list is asked for the first time, and what is missing later "
    "stands on the next page": {
        *_at(LISTS, "shrinking", when="first"),
        *_at({"databases", *KEYS}, "shrinking", when="always"),
    },
    "providers and organizations are compared without case": {
        *_at(ADDRESSES, "mixed-casing"),
    },
    "a time that cannot be read says nothing of a clock": {
        *_at(ADDRESSES, "no-date", when="always"),
    },
    "the token is blanked, and all else is there": {
        *_at(ADDRESSES, "echo-token"),
    },
}
WITHOUT_NAMES = _at(PAGES, "echo-token", when="always")
"""Healed, but the names in which the token stood are blanked for good."""

# --- what the others leave ------------------------------------------------------------------------

REASONS = {
    "refused": ("401", "403-errors", "403-text", "echo-token-401"),
    "wrong-address": ("404-text", "404-errors", "redirect"),
    "rate-limited": ("429", "429-retry-after", "429-retry-after-long"),
    "unavailable": ("500", "502-html", "503", "reset-at-once", "reset"),
    "timed-out": ("stall", "stall-headers", "drip"),
    "cut-short": ("cut-short", "duplicate-page", "page-loop", "shrinking", "cut-list"),
    "wrong-organization": ("wrong-organization", "foreign-entry"),
    "unknown-value": ("unknown-provider",),
    "malformed": (
        *("truncated-json", "null", "[]", "{}", "string", "wrong-type", "no-type", "not-utf8"),
        *("duplicate-keys", "deep", "missing-fields", "two-gzip-members", "sent-twice"),
        *("unasked-first", "surplus-later", "half-characters"),
    ),
    "clock-differs": ("far-date",),
    "too-large": ("50-mb", "gzip-bomb", "without-end"),
}
"""The reason code of the gap that a kind leaves, but for these:"""

OTHERWISE: dict[str, set[Cell]] = {
    # statements of the organizations file meet nothing; no account is reported
    "not-visible": {*_at(KEYS, "cut-list", "null", "[]"), *_at({"accounts"}, "null", "[]")},
    # further pages that are empty end each reading elsewhere
    "cut-short": {
        *_at({"next-page"}, "[]", when="always"),
        *_at({"next-page"}, "without-end", when="first"),
    },
    # the readings contradict each other about the same databases
    "malformed": _at(PAGES, "wrong-organization", "unknown-provider", when="first"),
}
FOUND: dict[tuple[str, str], set[Cell]] = {
    # "no key here" is an answer, which the list of keys contradicts
    ("CMEK-13", "fail"): _at(VIEWS, "404-errors", "null", "[]", "{}"),
    # "no database" is an answer, which nobody has attested
    ("CMEK-14", "inconclusive"): _at({"databases"}, "[]", when="always"),
}
"""Cells that leave no gap, but a finding of this rule and status."""

FACTS = {
    "organization": {
        *("databases", "serverless-keys", "managed-clusters-keys"),
        *("region-views", "vendor-accounts"),
    },
    "databases": {"databases"},
    "next-page": {"databases"},
    "serverless-keys": {"serverless-keys"},
    "managed-clusters-keys": {"managed-clusters-keys"},
    "serverless-view": {"region-views"},
    "managed-clusters-view": {"region-views"},
    "accounts": {"vendor-accounts"},
}
"""What an address tells, and nothing else is in doubt if it does not."""


def _reason(cell: Cell) -> str:
    for reason, some in OTHERWISE.items():
        if cell in some:
            return reason
    return next(reason for reason, kinds in REASONS.items() if cell.kind in kinds)


def _gaps_of(cell: Cell) -> dict[str, str]:
    reason = _reason(cell)
    # a clock that differs leaves all facts, but the order of the times in them
    facts = {"databases"} if reason == "clock-differs" else FACTS[cell.address]
    return dict.fromkeys(facts, reason)


HEALING = set[Cell]().union(*HEALED.values())
FINDING = {cell: found for found, some in FOUND.items() for cell in some}
GAPS = {cell: _gaps_of(cell) for cell in cells() if cell not in HEALING | FINDING.keys()}


# --- which cells answer for their class -----------------------------------------------------------


def _outcome(cell: Cell) -> object:
    """Return the table that the cell is in, and of a gap its reason."""
    if cell in HEALING:
        return next(why for why, healed in HEALED.items() if cell in healed)
    return FINDING.get(cell) or _reason(cell)


PROMPT = [cell for cell in cells() if cell.kind not in REASONS["timed-out"]]
"""Cells in which nothing is waited for."""
TYPICAL = {
    *pairwise(PROMPT, lambda cell: cell.address, lambda cell: cell.when),
    *pairwise(PROMPT, _outcome),
    *pairwise(cells(), lambda cell: cell.kind),
}
"""Cells that hold each kind, each outcome, and each turn at each address; all others are slow."""


# --- the audits -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Place]]:
    """Serve a small fleet, and one whose databases fill more than a page."""
    fleets = [small_fleet(), paged_fleet()]
    folders = [tmp_path_factory.mktemp("healthy") for _ in fleets]
    context = httpx.create_ssl_context()
    with (
        pytest.MonkeyPatch.context() as patch,
        serve(fleets[0]) as small,
        serve(fleets[1]) as large,
    ):
        for name, token in (fleets[0].environment | fleets[1].environment).items():
            patch.setenv(name, token)
        # made anew, which nobody needs without TLS, it takes a quarter of an audit's time
        patch.setattr(httpx, "create_ssl_context", lambda: context)
        servers = zip([small, large], fleets, folders, strict=True)
        yield [Place(*server) for server in servers]


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """Provide a folder that does not outlast its test: there are hundreds."""
    yield tmp_path
    shutil.rmtree(tmp_path)


def test_the_fleets_comply(places: list[Place]) -> None:
    """Without a fault each audit ends with 0, and the larger fleet has a second page."""
    assert [place.healthy.code for place in places] == [0, 0]
    assert [len(place.fleet.organizations[0].databases) > 100 for place in places] == [False, True]


@pytest.mark.parametrize("cell", marked(cells(), TYPICAL))
def test_no_fault_passes_by_mistake(
    cell: Cell,
    places: list[Place],
    folder: Path,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """A fault heals, or leaves exactly the doubts that it must; and never anything worse."""
    caplog.set_level(logging.DEBUG)
    place = places[is_paged(cell)]
    outcome = place.audit(folder, cell)
    expected = (0, None, {}) if cell in HEALING else (1, FINDING.get(cell), GAPS.get(cell, {}))
    assert (outcome.code, _found(outcome, cell), _first_gaps(outcome)) == expected
    if cell in HEALING:
        named = cell not in WITHOUT_NAMES
        assert outcome.judged(named=named) == place.healthy.judged(named=named)
    assert _other(place, outcome) == _other(place, place.healthy)
    _check_what_is_left(place, outcome)
    assert cell.kind not in ENDLESS or outcome.seconds < DEADLINE + SLACK
    _check_for_tokens(place, folder, caplog.text, *capfd.readouterr())


def _found(outcome: Outcome, cell: Cell) -> tuple[str, str] | None:
    """Return rule and status of the finding that the cell must leave, if that is there."""
    statuses = {(finding["rule"], finding["status"]) for finding in outcome.findings()}
    return next((found for found in statuses if found == FINDING.get(cell)), None)


def _first_gaps(outcome: Outcome) -> dict[str, str]:
    """Return, for each fact, the reason of its first gap, by which the rules go."""
    gaps: dict[str, str] = {}
    for _, fact, reason in outcome.gaps():
        gaps.setdefault(fact, reason)
    return gaps


def _other(place: Place, outcome: Outcome) -> list[object]:
    """Return what was found of the organization whose answers had no fault."""
    own = place.fleet.organizations[1].id
    return [
        finding for finding in outcome.findings() if finding["subject"].get("organization") == own
    ]


def _check_what_is_left(place: Place, outcome: Outcome) -> None:
    """Check that all was recorded, in time, and that the bundle gives the same inventory."""
    assert outcome.left == {
        "r/audit.json",
        "r/findings.ndjson",
        "r/population.ndjson",
        f"ev/{outcome.bundle.name}",
    }
    assert replay(str(outcome.bundle)).manifest.organizations == 2
    for number, organization in enumerate(place.fleet.organizations, 1):
        seen = [
            request for request in place.server.requests if request.organization == organization.id
        ]
        assert Counter(progress.target for progress in seen) <= outcome.recorded(number)
    assert {request.method for request in place.server.requests} == {"GET"}
    assert place.server.visits == []


def _check_for_tokens(place: Place, folder: Path, *printed: str) -> None:
    written = list(contents_below(folder).values())
    everything = b"\n".join([*written, *(text.encode() for text in printed)])
    assert [needle for needle in needles(place.fleet) if needle in everything] == []


# --- the tables -----------------------------------------------------------------------------------


def test_every_cell_stands_in_one_table() -> None:
    """What heals, what leaves a finding and what leaves a gap are apart, and all cells together."""
    tables = [*HEALED.values(), *FOUND.values(), set(GAPS)]
    assert Counter(cell for table in tables for cell in table) == Counter(cells())


def test_every_kind_has_one_reason() -> None:
    """Each kind of fault that can leave a gap has one reason code."""
    kinds = [kind for kinds in REASONS.values() for kind in kinds]
    assert Counter(kinds) == Counter({cell.kind for cell in GAPS})
