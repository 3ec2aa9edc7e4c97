"""The summary of pruned bundles is read as it was written, or refused."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory.errors import EvidenceError, InputError, InventoryError
from inventory.history import read_history
from inventory.opening import read_file
from inventory.past.chains import hash_roots
from inventory.past.summary import Summary, read_summary
from inventory.pruning import prune
from inventory.system.hosts import strange_hosts
from inventory.text.canonical_json import compact_json
from tests.builders import ORGANIZATION, document_data, moment, organization_data, write_yaml
from tests.hypothesis_profile import examples
from tests.inventory.past.nights import name_of, night_at, write_nights
from tests.inventory.past.test_moments import SCOPE

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

Lines = list[dict[str, Any]]


def a_summary(folder: Path, *nights: Mapping[str, object], **named: Any) -> Path:  # noqa: ANN401
    """Write nights and prune all but the last; return the path of the summary."""
    write_nights(folder, nights or [{}, {"keys": ()}, {}], **named)
    done = prune(folder, 1, "cmek-audit 0", lambda _: None)
    assert done.summary is not None
    return done.summary


def lines_of(path: Path) -> Lines:
    """Return the lines of a file."""
    return [json.loads(line) for line in path.read_bytes().splitlines()]


def write_lines(path: Path, lines: Lines) -> None:
    """Write lines with the root that they have."""
    above = "".join(f"{compact_json(line)}\n" for line in lines[:-1])
    root = {"root": hashlib.sha256(above.encode()).hexdigest()}
    path.write_text(above + compact_json(lines[-1] | root) + "\n", encoding="utf-8")


def test_what_a_summary_holds(tmp_path: Path) -> None:
    """A summary names what it covers, and what its bundles showed."""
    path = a_summary(tmp_path)
    summary = read_summary(str(path))
    assert list(summary.covered) == [name_of(0), name_of(1)]
    assert summary.head.previous is None
    assert summary.last.name == name_of(1)
    assert summary.last.root == summary.bundles[1].root
    (timeline,) = summary.timelines
    assert [len(segment.times) for segment in timeline.segments] == [1, 1]
    lines = [line["kind"] for line in lines_of(path)]
    periods = ["period", "period", "database"]
    assert lines == ["summary", "bundle", "bundle", "organization", *periods, "end"]


def test_as_a_source(tmp_path: Path) -> None:
    """A summary is a source like a bundle: its size and hash, and the numbers of what it covers."""
    path = a_summary(tmp_path)
    summary = read_summary(str(path))
    source, raw = summary.source, path.read_bytes()
    assert (source.path, source.role, source.format) == (str(path), "history", "summary")
    assert (source.size, source.sha256) == (len(raw), hashlib.sha256(raw).hexdigest())
    assert source.captured_at == night_at(0)
    assert (source.organizations, source.keys, source.databases) == (1, 0, 1)
    assert source.chain is not None
    assert source.chain.first == str(tmp_path / name_of(0))
    assert source.chain.records == 2
    assert source.chain.sha256 == hash_roots(summary.covered.values())
    assert source.evidence is not None
    assert (source.evidence.root, source.evidence.previous) == (summary.root, None)
    assert (source.evidence.started, source.evidence.ended) == (night_at(0), night_at(1))


@pytest.mark.parametrize("hosts", [{0: "https://a.test"}, {1: "https://a.test"}])
def test_a_strange_host_stays_visible(tmp_path: Path, hosts: dict[int, str]) -> None:
    """Another host that was asked one night is named, however many nights there are."""
    own = dict.fromkeys(range(4), "https://api.astra.datastax.com")
    path = a_summary(tmp_path, {}, {}, {}, {}, hosts=own | hosts | {2: "https://b.test"})
    evidence = read_summary(str(path)).source.evidence
    assert evidence is not None
    assert strange_hosts([evidence]) == ["https://a.test", "https://b.test"]


def test_where_facts_are(tmp_path: Path) -> None:
    """What a summary shows has its line there."""
    path = a_summary(tmp_path)
    history = read_history([str(path)])
    seen = [(one.key_ids != (), one.line) for one in history.observations(SCOPE)]
    assert seen == [(True, 5), (False, 6)]
    (known,) = history.databases(ORGANIZATION).values()
    assert (known.file, known.line) == (str(path), 7)
    assert history.latest_file(ORGANIZATION) == (str(path), 6)


def test_beside_a_record_of_the_same_moment(tmp_path: Path) -> None:
    """A file of a moment that a summary covers is merged with it, or refused, as with a bundle."""
    path = a_summary(tmp_path / "ev")
    at = night_at(0).isoformat()
    same = write_yaml(tmp_path / "a.yaml", document_data(organization_data(), captured_at=at))
    history = read_history([str(path), same])
    assert len(list(history.times())) == 2
    other = organization_data(keys=[{**organization_data()["keys"][0], "key_id": "other"}])
    rival = write_yaml(tmp_path / "b.yaml", document_data(other, captured_at=at))
    with pytest.raises(InventoryError, match=r"summary-.+ says"):
        read_history([str(path), rival])


def test_between_the_moments_of_a_summary(tmp_path: Path) -> None:
    """A record of another time than the covered ones takes its place among them."""
    path = a_summary(tmp_path / "ev", *[{}] * 4)
    late = write_yaml(
        tmp_path / "a.yaml",
        document_data(organization_data(keys=[]), captured_at="2026-01-02T12:00:00Z"),
    )
    seen = read_history([str(path), late]).observations(SCOPE)
    assert [(one.at, bool(one.key_ids)) for one in seen] == [
        (night_at(0), True),
        (night_at(1), True),
        (moment("2026-01-02T12:00:00Z"), False),
        (night_at(2), True),
    ]


def test_a_summary_is_no_inventory(tmp_path: Path) -> None:
    """A summary given as the present is refused by what it is."""
    path = a_summary(tmp_path)
    with pytest.raises(InventoryError, match="a summary of pruned bundles"):
        read_file(str(path))


# --- what is refused ------------------------------------------------------------------------------


def without(number: int) -> Callable[[Lines], Lines]:
    """Return what leaves out a line."""
    return lambda lines: [line for index, line in enumerate(lines) if index != number % len(lines)]


def altered(number: int, **over: object) -> Callable[[Lines], Lines]:
    """Return what changes a line."""

    def alter(lines: Lines) -> Lines:
        lines[number] |= over
        return lines

    return alter


def moved(one: int, two: int) -> Callable[[Lines], Lines]:
    """Return what exchanges two lines."""

    def move(lines: Lines) -> Lines:
        lines[one], lines[two] = lines[two], lines[one]
        return lines

    return move


CHANGES: list[tuple[Callable[[Lines], Lines], str]] = [
    (without(0), "another kind of line"),
    (without(1), "other numbers of lines"),
    (without(-1), "root"),
    (without(6), "other numbers of lines"),
    (without(3), "lines in another order"),
    (moved(1, 3), "lines in another order"),
    (moved(4, 5), "times in another order"),
    (lambda lines: [lines[0], *lines[3:]], "no bundle, or one twice"),
    (altered(2, name=name_of(0)), "no bundle, or one twice"),
    (lambda lines: [*lines[:4], *lines[3:-1], lines[-1] | {"organizations": 2}], "twice"),
    (altered(1, root="x"), "'x'"),
    (altered(1, name="../x"), "'../x'"),
    (altered(4, kind="perod"), "an unknown kind of line"),
    (altered(4, kind=4), "an unknown kind of line"),
    (altered(4, times=[]), "times"),
    (altered(0, **{"cmek-summary": 2}), "2"),
    (altered(-1, periods=3), "other numbers of lines"),
    (altered(3, name="AstraCS:not-a-real-token:0123456789ab"), "what looks like a token"),
]


@pytest.mark.parametrize(("change", "found"), CHANGES, ids=map(str, range(len(CHANGES))))
def test_changed_summary(tmp_path: Path, change: Callable[[Lines], Lines], found: str) -> None:
    """A summary with any flaw is refused, even if somebody has computed its root again."""
    path = a_summary(tmp_path)
    write_lines(path, change(lines_of(path)))
    with pytest.raises(EvidenceError) as caught:
        read_summary(str(path))
    assert found in str(caught.value)


def test_a_summary_that_cannot_be_parsed(tmp_path: Path) -> None:
    """A broken line, a missing end and a missing file are refused."""
    path = a_summary(tmp_path)
    raw = path.read_bytes()
    without_end = raw[: raw.rfind(b'{"kind":"end"')]
    for changed in (
        without_end,
        raw[:-1],
        raw.replace(b'{"kind":"period"', b'{"kind":"period'),
        b"",
    ):
        path.write_bytes(changed)
        with pytest.raises(EvidenceError):
            read_summary(str(path))
    path.unlink()
    with pytest.raises(InventoryError):
        read_summary(str(path))


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a summary that nobody changes."""
    return a_summary(tmp_path_factory.mktemp("any"))


@examples(200)
@given(position=st.floats(0, 1), byte=st.binary(max_size=2), length=st.integers(0, 2))
def test_any_change_is_found(whole: Path, position: float, byte: bytes, length: int) -> None:
    """Whatever bytes of a summary change, it is refused."""
    raw = whole.read_bytes()
    path = whole.with_name("summary-changed.ndjson")
    at = int(position * len(raw))
    changed = raw[:at] + byte + raw[at + length :]
    path.write_bytes(changed)
    if changed == raw:
        assert isinstance(read_summary(str(path)), Summary)
        return
    with pytest.raises(InputError):
        read_summary(str(path))
