"""A forger changes one value of a report, makes every hash and id agree, and gains nothing."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, assume, example, given
from hypothesis import strategies as st

from cmek_audit.verification.verify_report import verify_report
from inventory.errors import RecordError
from reports.record.layout import canonical, report_id
from tests.hypothesis_profile import examples
from tests.reports.samples import VIOLATIONS, WAIVERS, Report, audit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Steps = tuple[str | int, ...]

CHOSEN = {"as_of", "max_age_seconds", "rotation_days", "grouping", "fail_on"}
"""Settings by which the same sources may give the same: then that is a record of them, too."""

_slow = examples(60, *HealthCheck)
number = st.integers(0, 10**9)
numbers = st.tuples(number, number)
anything = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-1, 10**6),
    st.floats(allow_nan=False),
    st.text(max_size=20),
    st.sampled_from(["compliant", "pass", "live", "low", "0" * 64, "\ud800\x1b[2J", "/dev/zero"]),
    st.just({}),
    st.just([]),
)


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Report:
    """Audit a file with failures and waivers; not to be changed."""
    return audit(tmp_path_factory.mktemp("forged"), VIOLATIONS, WAIVERS)


def _places(value: object, steps: Steps = ()) -> Iterator[Steps]:
    """Yield where each value stands, lists and objects included, but for the whole."""
    if steps:
        yield steps
    each: Any = value.items() if isinstance(value, dict) else ()
    each = enumerate(value) if isinstance(value, list) else each
    for step, inner in each:
        yield from _places(inner, (*steps, step))


def _pick(numbers: tuple[int, int], head: dict[str, Any], *but: str) -> Steps:
    """Pick where to change ``head``: a block first, as most values stand in few of them.

    Two numbers do it, so that what is drawn does not depend on the head.
    """
    block, place = numbers
    names = [name for name in head if name not in but]
    name = names[block % len(names)]
    places = [*_places(head[name], (name,))]
    return places[place % len(places)]


def _change(value: Any, steps: Steps, new: object) -> None:  # noqa: ANN401 (whatever JSON holds)
    """Put ``new`` where ``steps`` lead; equal bytes are no change."""
    *outer, last = steps
    for step in outer:
        value = value[step]
    assume(canonical(value[last]) != canonical(new))
    value[last] = new


def _write(folder: Path, head: dict[str, Any], findings: bytes, population: bytes) -> None:
    head["report"] = report_id(head)
    (folder / "population.ndjson").write_bytes(population)
    (folder / "audit.json").write_text(canonical(head))
    (folder / "findings.ndjson").write_bytes(findings)


def _population(report: Report) -> bytes:
    return (report.folder / "population.ndjson").read_bytes()


def _found_out(folder: Path) -> bool:
    """Say whether a report is not proven, or refused."""
    try:
        return any(proof.stops for proof in verify_report(str(folder)).proofs)
    except RecordError:
        return True


def _forged(head: dict[str, Any], findings: bytes, population: bytes) -> bool:
    """Say whether a record without any page is found out."""
    with TemporaryDirectory() as folder:
        head["run"]["formats"] = ["json"]
        _write(Path(folder), head, findings, population)
        return _found_out(Path(folder))


def test_an_unchanged_record_is_proven(report: Report) -> None:
    """Without a change the same way of writing a record gives one that is proven."""
    assert not _forged(
        json.loads(canonical(report.head)), b"".join(report.lines), _population(report)
    )


@_slow
@given(numbers, anything)
def test_no_value_of_the_head_can_be_changed(
    report: Report, at: tuple[int, int], new: object
) -> None:
    """Whatever is changed in the head, but in ``run``, it is not proven."""
    head = json.loads(canonical(report.head))
    steps = _pick(at, head, "run", "report")
    _change(head, steps, new)
    is_chosen = steps[0] == "settings" and steps[-1] in CHOSEN
    assert _forged(head, b"".join(report.lines), _population(report)) or is_chosen


def _same_in_python(head: dict[str, Any]) -> list[Steps]:
    """Return where numbers stand that Python takes for equal to others."""
    found = []
    for steps in _places(head):
        value: Any = head
        for step in steps:
            value = value[step]
        if isinstance(value, int) and steps[0] not in {"run", "report"}:
            found.append(steps)
    return found


@_slow
@given(number, st.sampled_from([bool, int, float]))
def test_no_number_can_be_written_otherwise(
    report: Report, at: int, kind: Callable[[int], object]
) -> None:
    """A number that Python takes for equal, such as 1.0 for 1, is another value in the head."""
    head = json.loads(canonical(report.head))
    places = _same_in_python(head)
    steps = places[at % len(places)]
    value: Any = head
    for step in steps:
        value = value[step]
    _change(head, steps, kind(value))
    assert _forged(head, b"".join(report.lines), _population(report))


@_slow
@given(number, numbers, anything)
def test_no_value_of_a_finding_can_be_changed(
    report: Report, line: int, at: tuple[int, int], new: object
) -> None:
    """Whatever is changed in a finding, with the hash in the head, it is not proven."""
    number = line % len(report.lines)
    finding = json.loads(report.lines[number])
    _change(finding, _pick(at, finding), new)
    changed = json.dumps(finding, separators=(",", ":")).encode() + b"\n"
    _assert_findings_found_out(
        report, [*report.lines[:number], changed, *report.lines[number + 1 :]]
    )


@pytest.mark.parametrize(
    "change",
    [lambda lines: lines[1:], lambda lines: [*lines, lines[-1]], lambda lines: lines[::-1]],
    ids=["less", "more", "order"],
)
def test_no_finding_can_be_taken_away(
    report: Report, change: Callable[[list[bytes]], list[bytes]]
) -> None:
    """Findings that are taken away, doubled or put in another order are not proven."""
    _assert_findings_found_out(report, change(report.lines))


def _assert_findings_found_out(report: Report, lines: list[bytes]) -> None:
    head = json.loads(canonical(report.head))
    raw = b"".join(lines)
    shown = {"sha256": hashlib.sha256(raw).hexdigest(), "bytes": len(raw), "count": len(lines)}
    head["findings"].update(shown)
    assert _forged(head, raw, _population(report))


@_slow
@example(at=(-1, 0), new=None)
@example(at=(-1, 0), new={})
@given(numbers, anything)
def test_a_hostile_record_is_no_crash(report: Report, at: tuple[int, int], new: object) -> None:
    """Whatever a record holds, in ``run`` too, verifying ends with a proof or with an error.

    Its pages are those of another record, so they are not proven in any case.
    """
    head = json.loads(canonical(report.head))
    _change(head, _pick(at, head), new)
    with TemporaryDirectory() as place:
        folder = shutil.copytree(report.folder, Path(place) / "report")
        (folder / "junit.xml").write_text("<testsuites><testsuite/></testsuites>")
        (folder / "results.html").write_text('<div class="additional-summary prefix"></div>')
        _write(folder, head, b"".join(report.lines), _population(report))
        assert _found_out(folder)


def test_no_line_of_the_population_can_be_changed(report: Report) -> None:
    """A population in which an entry has another name is not proven, though its hash fits."""
    head = json.loads(canonical(report.head))
    changed = _population(report).replace(b'"name":"', b'"name":"x', 1)
    head["population_file"] |= {
        "sha256": hashlib.sha256(changed).hexdigest(),
        "bytes": len(changed),
    }
    assert _forged(head, b"".join(report.lines), changed)
