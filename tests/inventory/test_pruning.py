"""Old bundles are turned into a summary that shows the same, and nothing is lost on the way."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.engine.context import Context
from inventory import pruning
from inventory.errors import EvidenceError, InputError, InventoryError, SettingError
from inventory.evidence.folder import locked_folder
from inventory.history import History, read_history
from inventory.past.summary import Summary, read_summary, render_summary
from inventory.pruning import Pruning, plan_pruning, prune
from inventory.system.folder_lock import LOCK
from tests.builders import (
    OTHER_DATABASE,
    OTHER_ORGANIZATION,
    a_database,
    a_key,
    a_support_case,
    an_organization,
    aws_key_id,
)
from tests.checks.judging import judged
from tests.hypothesis_profile import examples
from tests.inventory.past.nights import name_of, night_at, write_nights

TOOL = "cmek-audit 0"


def pruned(folder: Path, keep: int) -> Pruning:
    """Prune a folder in which nothing unfinished is."""
    notes: list[str] = []
    done = prune(folder, keep, TOOL, notes.append)
    assert notes == []
    return done


def ignore(_: str) -> None:
    """Take no note of what was removed."""


def names_in(folder: Path) -> list[str]:
    """Return what is in a folder, but its lock."""
    return sorted(path.name for path in folder.iterdir())


def known(history: History) -> dict[str, Any]:
    """Return what a history shows, but for where it was read."""
    return {
        "names": history.organizations(),
        "times": [at for at, _, _ in history.times()],
        "databases": {
            identity: [
                known._replace(file="", line=0) for known in history.databases(identity).values()
            ]
            for identity in history.organizations()
        },
        "keys": {
            scope: [
                observation._replace(file="", line=0) for observation in history.observations(scope)
            ]
            for identity in history.organizations()
            for scope in history.scopes_with_keys(identity)
        },
    }


def test_pruning(tmp_path: Path) -> None:
    """The newest bundles stay, and a summary of the older ones is in their place."""
    write_nights(tmp_path, [{}] * 5)
    before = known(read_history([str(tmp_path)]))
    done = pruned(tmp_path, 2)
    summary = f"summary-{name_of(0)}-{name_of(2)}.ndjson"
    assert names_in(tmp_path) == sorted([name_of(3), name_of(4), summary])
    assert done.summary == tmp_path / summary
    assert done.covered == done.removed == tuple(map(name_of, range(3)))
    assert (done.kept, done.unchecked) == ((name_of(3), name_of(4)), ())
    assert done.files == 9
    after = read_history([str(tmp_path)])
    assert known(after) == before
    assert [source.format for source in after.sources] == ["bundle", "bundle", "summary"]


def test_pruning_again_extends_the_summary(tmp_path: Path) -> None:
    """A second pruning makes one summary of the first one and of more bundles."""
    write_nights(tmp_path, [{}, {"keys": ()}, {}, {}])
    pruned(tmp_path, 2)
    write_nights(tmp_path, [{"name": "acme-renamed"}, {}], first=4)
    before = known(read_history([str(tmp_path)]))
    assert pruned(tmp_path, 1).covered == tuple(map(name_of, (2, 3, 4)))
    assert names_in(tmp_path) == [name_of(5), f"summary-{name_of(0)}-{name_of(4)}.ndjson"]
    assert known(read_history([str(tmp_path)])) == before
    assert pruned(tmp_path, 1).removed == ()


def test_a_plan_changes_nothing(tmp_path: Path) -> None:
    """A plan shows what would be done."""
    write_nights(tmp_path, [{}] * 3)
    names = names_in(tmp_path)
    plan = plan_pruning(tmp_path, 1)
    assert names_in(tmp_path) == names
    assert plan == pruned(tmp_path, 1)
    assert plan_pruning(tmp_path, 1)._replace(summary=None) == Pruning(
        summary=None, covered=(), removed=(), kept=(name_of(2),), unchecked=(), files=0, size=0
    )


def test_bundles_without_their_answers(tmp_path: Path) -> None:
    """A sparse checkout has no answers; then only the inventory is checked, and that is stated."""
    written = write_nights(tmp_path, [{}] * 3)
    shutil.rmtree(written[0] / "exchanges")
    done = pruned(tmp_path, 1)
    assert done.unchecked == (name_of(0),)
    content = read_summary_of(tmp_path)
    assert [bundle.answers_checked for bundle in content.bundles] == [False, True]


def read_summary_of(folder: Path) -> Summary:
    """Return the only summary in a folder."""
    (path,) = folder.glob("summary-*.ndjson")
    return read_summary(str(path))


SHOWN = st.fixed_dictionaries(
    {
        "name": st.sampled_from(["acme-prod", "acme-renamed"]),
        "keys": st.lists(
            st.sampled_from(
                [
                    a_key(),
                    a_key(key_id=aws_key_id(number=2)),
                    a_key(region="us-east-2"),
                    a_key(key_id="arn:aws:kms:us-east-1:111122223333:alias/acme"),
                ]
            ),
            unique_by=lambda key: key.key_id,
        ).map(tuple),
        "databases": st.sampled_from(
            [
                (),
                (a_database(),),
                (a_database(name="renamed"),),
                (a_database(), a_database(id=OTHER_DATABASE, status="TERMINATED")),
            ]
        ),
        "gaps": st.sampled_from(
            [
                (),
                ({"fact": "serverless-keys", "reason": "refused"},),
                ({"fact": "databases", "reason": "refused"},),
            ]
        ),
    }
)
CASES = st.sampled_from([(), (a_support_case(on=night_at(2).date()),)])


@examples(60)
@given(nights=st.lists(SHOWN, min_size=2, max_size=6), present=SHOWN, cases=CASES, data=st.data())
def test_the_same_findings_before_and_after(
    tmp_path_factory: pytest.TempPathFactory,
    nights: list[dict[str, Any]],
    present: dict[str, Any],
    cases: tuple[Any, ...],
    data: st.DataObject,
) -> None:
    """Every rule finds the same with a summary as with the bundles, but for where it was read."""
    folder = tmp_path_factory.mktemp("nights") / "ev"
    other = an_organization(id=OTHER_ORGANIZATION, name="acme-test")
    write_nights(folder, [(an_organization(**shown), other) for shown in nights])
    now = night_at(len(nights))
    organization = an_organization(**present, support_cases=cases, captured_at=now)

    def judge() -> list[Any]:
        context = Context(now, history=read_history([str(folder)]))
        findings = [
            judged(rule, organization, context=context)
            for rule in ("CMEK-05", "CMEK-10", "CMEK-16")
        ]
        return [finding._replace(evidence=()) for found in findings for finding in found]

    before = judge(), known(read_history([str(folder)]))
    for keep in data.draw(st.lists(st.integers(1, 5), min_size=1, max_size=2)):
        pruned(folder, keep)
        assert (judge(), known(read_history([str(folder)]))) == before


# --- interruptions --------------------------------------------------------------------------------


class Interrupted(BaseException):
    """What ends a pruning at some point."""


def test_nothing_is_lost_at_any_point(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Wherever a pruning ends, the history is the same, and the next one completes it."""
    write_nights(tmp_path / "ev", [{}, {"keys": ()}, {}, {}, {}])
    pruned(tmp_path / "ev", 4)
    before = known(read_history([str(tmp_path / "ev")]))
    reached = 0
    for point in range(100):
        folder = tmp_path / f"try-{point}"
        shutil.copytree(tmp_path / "ev", folder)
        with monkeypatch.context() as patch:
            _interrupt(patch, folder, point)
            try:
                prune(folder, 1, TOOL, lambda _: None)
            except Interrupted:
                reached += 1
            else:
                break
        assert known(read_history([str(folder)])) == before
        prune(folder, 1, TOOL, lambda _: None)
        assert names_in(folder) == [name_of(4), f"summary-{name_of(0)}-{name_of(3)}.ndjson"]
        assert known(read_history([str(folder)])) == before
    assert reached >= 8


def _interrupt(patch: pytest.MonkeyPatch, folder: Path, point: int) -> None:
    """End the process, as far as it can be seen, at the change of that number."""
    count = 0
    for owner, name in ((Path, "rename"), (Path, "unlink"), (Path, "mkdir"), (shutil, "rmtree")):
        real = getattr(owner, name)

        def change(*given: Any, real: Any = real, **named: Any) -> Any:  # noqa: ANN401
            nonlocal count
            count += given[0] != folder / LOCK
            if count > point and given[0] != folder / LOCK:
                raise Interrupted
            return real(*given, **named)

        patch.setattr(owner, name, change)


def test_several_summaries(tmp_path: Path) -> None:
    """A summary that another one does not continue is refused, as one of them must be wrong."""
    write_nights(tmp_path, [{}] * 4)
    pruned(tmp_path, 3)
    (first,) = tmp_path.glob("summary-*")
    kept = first.read_bytes()
    pruned(tmp_path, 1)
    first.write_bytes(kept)
    assert len(read_history([str(tmp_path)]).sources) == 2
    write_nights(tmp_path / "other", [{"name": "else"}] * 3)
    pruned(tmp_path / "other", 1)
    (rival,) = (tmp_path / "other").glob("summary-*")
    shutil.rmtree(tmp_path / "other" / name_of(2))
    rival.rename(tmp_path / rival.name)
    (tmp_path / "other").rmdir()
    with pytest.raises(EvidenceError, match="a summary of other bundles"):
        read_history([str(tmp_path)])


def test_a_summary_that_shows_something_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is removed if the summary, read back, does not show what its bundles show."""
    write_nights(tmp_path, [{}] * 3)
    monkeypatch.setattr(
        pruning, "render_summary", lambda head, bundles, _: render_summary(head, bundles, ())
    )
    with pytest.raises(EvidenceError, match="another content than was to be written"):
        prune(tmp_path, 1, TOOL, ignore)
    assert names_in(tmp_path) == [name_of(0), name_of(1), name_of(2)]


# --- what is refused ------------------------------------------------------------------------------


def test_a_broken_chain(tmp_path: Path) -> None:
    """Nothing is pruned if a bundle is missing between others."""
    written = write_nights(tmp_path, [{}] * 4)
    shutil.rmtree(written[1])
    with pytest.raises(EvidenceError, match="one chain"):
        prune(tmp_path, 1, TOOL, ignore)
    assert len(names_in(tmp_path)) == 3


def test_a_damaged_bundle(tmp_path: Path) -> None:
    """Nothing is pruned if a bundle that would be removed is damaged: it is evidence of that."""
    written = write_nights(tmp_path, [{}] * 4)
    (written[1] / "organizations.json").write_bytes(b"[]")
    acts: tuple[Callable[[], Pruning], ...] = (
        lambda: plan_pruning(tmp_path, 1),
        lambda: prune(tmp_path, 1, TOOL, ignore),
    )
    for act in acts:
        with pytest.raises(EvidenceError, match="changed content"):
            act()
    assert len(names_in(tmp_path)) == 4


def test_an_unknown_file(tmp_path: Path) -> None:
    """Nothing is pruned in a folder that holds something unknown."""
    write_nights(tmp_path, [{}] * 3)
    (tmp_path / "notes.txt").write_text("mine", encoding="utf-8")
    acts: tuple[Callable[[], Pruning], ...] = (
        lambda: plan_pruning(tmp_path, 1),
        lambda: prune(tmp_path, 1, TOOL, ignore),
    )
    for act in acts:
        with pytest.raises(InventoryError, match="a file that is not a record"):
            act()


def test_while_a_bundle_is_written(tmp_path: Path) -> None:
    """Nothing is pruned while a collection holds the lock."""
    write_nights(tmp_path, [{}] * 3)
    with locked_folder(tmp_path), pytest.raises(SettingError, match="another run is writing to"):
        prune(tmp_path, 1, TOOL, ignore)


def test_a_bundle_that_does_not_continue_the_summary(tmp_path: Path) -> None:
    """A chain that begins after the bundles of a summary, or beside them, is refused."""
    folder = tmp_path / "ev"
    write_nights(folder, [{}] * 4)
    pruned(folder, 2)
    shutil.rmtree(folder / name_of(2))
    with pytest.raises(EvidenceError, match="the last that"):
        prune(folder, 1, TOOL, ignore)
    with pytest.raises(EvidenceError, match="the last that"):
        plan_pruning(folder, 1)


def test_another_bundle_under_a_covered_name(tmp_path: Path) -> None:
    """A bundle that has the name of a covered one must be that one."""
    folder = tmp_path / "ev"
    write_nights(folder, [{}] * 3)
    pruned(folder, 1)
    write_nights(tmp_path / "other", [{"name": "else"}])
    shutil.copytree(tmp_path / "other" / name_of(0), folder / name_of(0))
    with pytest.raises(InputError, match=r"found [0-9a-f]{64}, expected the root"):
        read_history([str(folder)])
