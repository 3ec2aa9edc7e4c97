"""``verify`` of a part of a folder, of a summary, and by several processes."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

import pytest

from cmek_audit.commands import verify
from cmek_audit.commands.verify import check_one_bundle, parse_since
from inventory.errors import SettingError
from inventory.evidence.manifest import read_head
from inventory.pruning import prune
from tests.builders import moment
from tests.cmek_audit.helpers import bundles, command, printed_json

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def two(chain: Path) -> Path:
    """Return a folder with two bundles."""
    shutil.rmtree(bundles(chain)[-1])
    return chain


def test_the_chain_only(two: Path) -> None:
    """By the chain only, no file is checked but the manifests, and that is stated."""
    older, newer = bundles(two)
    (older / "inventory.ndjson").write_bytes(b"")
    done = command("verify", two, "--chain-only")
    what = (
        f"the files of 2 bundles, '{older.name}' to '{newer.name}': "
        "only their manifests and their order were"
    )
    assert done.exit_code == 0
    assert done.stdout.splitlines() == [
        f"{two}: proven",
        "  chain: 2 bundles, each with the name and the root of the one before",
        f"  not checked: {what}",
        "What was not checked:",
        f"  {what}",
        "proven, as far as it was checked",
    ]
    value = printed_json(command("verify", two, "--chain-only", "--json"))
    assert (value["status"], value["complete"]) == ("proven", False)
    assert value["checked"][0]["unchecked"] == [what]
    assert command("verify", two).exit_code == 1


def test_a_broken_chain_is_found(two: Path) -> None:
    """A manifest that is damaged is found by the chain only, too."""
    older, _ = bundles(two)
    manifest = older / "manifest.json"
    manifest.write_bytes(manifest.read_bytes().replace(b'"requests": ', b'"requests":  '))
    done = command("verify", two, "--chain-only")
    assert done.exit_code == 1
    assert "a root that does not match its content" in done.stdout


def test_since(two: Path) -> None:
    """Bundles from a time on are checked as a whole, older ones by the chain only."""
    older, newer = bundles(two)
    (older / "inventory.ndjson").write_bytes(b"")
    since = read_head(str(newer)).started.isoformat()
    done = command("verify", two, "--since", since)
    assert done.exit_code == 0
    assert f"{newer}: proven" in done.stdout
    assert f"not checked: the files of 1 bundle, '{older.name}'" in done.stdout
    assert command("verify", two, "--since", "2010-01-02").exit_code == 1


@pytest.mark.parametrize(
    ("value", "at"),
    [
        ("2026-11-20", "2026-11-20T00:00:00Z"),
        ("2026-11-20T02:00:00+02:00", "2026-11-20T00:00:00Z"),
    ],
)
def test_days_and_times(value: str, at: str) -> None:
    """A day begins at midnight, in UTC."""
    assert parse_since(value) == moment(at)


@pytest.mark.parametrize("value", ["yesterday", "2026-11-20T02:00:00", "2026-13-01"])
def test_other_dates(value: str) -> None:
    """Anything else is refused."""
    with pytest.raises(SettingError, match="expected a day, such as"):
        parse_since(value)


def test_since_with_the_chain_only(two: Path) -> None:
    """Two answers to the same question are refused."""
    done = command("verify", two, "--since", "2026-01-01", "--chain-only")
    assert done.exit_code == 4
    assert "--since: found --chain-only beside it, expected one of the two" in done.stderr


def test_several_processes(two: Path) -> None:
    """Several processes find the same as one, in the same order."""
    (bundles(two)[0] / "inventory.ndjson").write_bytes(b"")
    by_one, by_two = command("verify", two), command("verify", two, "--jobs", 2)
    assert (by_two.exit_code, by_two.stdout) == (by_one.exit_code, by_one.stdout)
    assert by_one.exit_code == 1


def test_a_process_that_ends(two: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A bundle whose process was killed is not proven."""
    monkeypatch.setattr(verify, "check_one_bundle", _end)
    done = command("verify", two, "--jobs", 2)
    assert done.exit_code == 5
    older, newer = bundles(two)
    for bundle in (older, newer):
        assert f"  {bundle}: the process that checked it ended" in done.stdout


def _end(_: str) -> None:
    os._exit(1)


def test_an_error_of_a_process(two: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A mistake of the program is no result."""
    monkeypatch.setattr(verify, "_check_bundle", None)
    with pytest.raises(TypeError):
        check_one_bundle(str(bundles(two)[0]))
    assert command("verify", two).exit_code == 3


# --- summaries ------------------------------------------------------------------------------------


def test_a_summary(two: Path) -> None:
    """A summary is proven to be whole and part of the chain; what is not checked is listed."""
    older, newer = bundles(two)
    done = prune(two, 1, "cmek-audit 0", lambda _: None)
    verified = command("verify", two)
    answers = "the answers of 1 bundle, which are not here any more: whether they showed this"
    assert verified.exit_code == 0
    lines = verified.stdout.splitlines()
    begin = lines.index(f"{done.summary}: proven")
    assert lines[begin + 1] == f"  summed up: 1 bundle, '{older.name}' to '{older.name}'"
    assert lines[begin + 2].startswith("  root: ")
    assert lines[begin + 3 : begin + 5] == ["  bundle before: none", f"  not checked: {answers}"]
    assert lines[-1] == "proven, as far as it was checked"
    assert f"{newer}: proven" in lines


def test_a_damaged_summary(two: Path) -> None:
    """A summary that was changed differs."""
    summary = prune(two, 1, "cmek-audit 0", lambda _: None).summary
    assert summary is not None
    summary.write_bytes(summary.read_bytes().replace(b'"name":"acme', b'"name":"bcme'))
    done = command("verify", two)
    assert done.exit_code == 1
    assert "a root that does not match its content" in done.stdout


def test_a_summary_of_another_chain(two: Path, tmp_path: Path) -> None:
    """Bundles that do not continue the summary beside them differ."""
    shutil.copytree(two, tmp_path / "kept")
    older, newer = bundles(two)
    summary = prune(two, 1, "cmek-audit 0", lambda _: None).summary
    assert summary is not None
    shutil.rmtree(newer)
    shutil.copytree(bundles(tmp_path / "kept")[0], two / "another")
    done = command("verify", two)
    assert done.exit_code == 1
    assert f"{older.name}' with the root" in done.stdout


def test_what_is_left_over(two: Path, tmp_path: Path) -> None:
    """Covered bundles and an older summary that an interruption left are named."""
    older, _ = bundles(two)
    shutil.copytree(older, tmp_path / "kept" / older.name)
    shutil.rmtree(older / "exchanges")
    summary = prune(two, 1, "cmek-audit 0", lambda _: None).summary
    assert summary is not None
    shutil.copytree(tmp_path / "kept" / older.name, older)
    (two / "summary-older.ndjson").write_bytes(summary.read_bytes())
    done = command("verify", two)
    assert f"  summed up, and still here: '{older.name}'" in done.stdout
    assert "  part of this summary, and still here: " in done.stdout
    assert "  not checked: of 1 bundle the answers had not been checked either" in done.stdout
