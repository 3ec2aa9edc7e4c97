"""The order of files and the spelling of their paths change nothing of an audit."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.builders import (
    DATABASE,
    OTHER_ORGANIZATION,
    database_data,
    document_data,
    key_data,
    organization_data,
    plan_data,
    planned_data,
    write_json,
    write_text,
    write_yaml,
)
from tests.wiring.runs import AS_OF, ROOT, XDIST, Run, run, waiver_data, whole_key

if TYPE_CHECKING:
    from collections.abc import Iterable

pytestmark = pytest.mark.slow

INVENTORIES = ["a.yaml", "b.yaml", "c.yaml"]
FILES = {
    "inventory": INVENTORIES,
    "plan": ["next.yaml", "later.yaml"],
    "state": ["t.json", "s.json"],
    "history": ["june.yaml", "july.yaml"],
    "waivers": ["w.yaml", "v.yaml"],
}


def _organizations() -> Iterable[list[dict[str, Any]]]:
    """Yield what three files hold: two organizations, each entry in two of the files."""
    other = {"id": OTHER_ORGANIZATION, "name": "acme-lab", "keys": [], "databases": []}
    unpaid = {"paid": False, "by": "acme-security", "on": "2026-11-01"}
    databases = [database_data(), database_data(id=f"{DATABASE[:-1]}9", regions=["us-west-2"])]
    own = organization_data(databases=databases, keys=[whole_key()], plan=unpaid)
    west = key_data(region="us-west-2")
    yield [own | {"keys": [], "databases": databases[:1]}, other]
    yield [own | {"databases": databases[1:]}]
    yield [other, own | {"keys": [west], "databases": databases[::-1]}]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write an inventory in three files, and two of each kind of file beside it."""
    folder = tmp_path_factory.mktemp("spelled")
    (folder / "x").mkdir()
    for name, organizations in zip(INVENTORIES, _organizations(), strict=True):
        write_yaml(folder / name, document_data(*organizations))
    for name, planned in zip(FILES["plan"], ("p", "q"), strict=True):
        write_yaml(folder / name, plan_data(planned_data(name=planned)))
    for name in FILES["state"]:
        write_json(folder / name, {"format_version": "1.0"})
    for name, month in zip(FILES["history"], ("06", "07"), strict=True):
        at = f"2026-{month}-20T02:00:00Z"
        write_yaml(folder / name, document_data(organization_data(), captured_at=at))
    for name, over in zip(FILES["waivers"], ({}, {"id": "W-2", "rule": "CMEK-01"}), strict=True):
        write_yaml(folder / name, {"cmek-waivers": 1, "waivers": [waiver_data(**over)]})
    return folder


def audited(folder: Path, name: str, files: dict[str, list[str]], *more: str, **how: Any) -> Run:  # noqa: ANN401
    given = [f"--cmek-{option}={path}" for option, paths in files.items() for path in paths]
    settings = ("-c", str(ROOT / "pyproject.toml"), f"--rootdir={ROOT}", str(ROOT / "checks"))
    reports = (f"--cmek-report-dir={name}", "--cmek-formats=json", f"--cmek-as-of={AS_OF}")
    return run(*settings, *given, *reports, *more, folder=folder / name, cwd=folder, **how)


@pytest.fixture(scope="module")
def plain(folder: Path) -> Run:
    """Audit all files by their plain names."""
    return audited(folder, "plain", FILES)


SPELLINGS: dict[str, dict[str, list[str]]] = {
    "reversed": {option: names[::-1] for option, names in FILES.items()},
    "turned": {option: [*names[1:], *names[:1]] for option, names in FILES.items()},
    "dotted": {option: [f"./x//..//{name}" for name in names] for option, names in FILES.items()},
    "absolute": {option: [f"{{}}/{name}" for name in names] for option, names in FILES.items()},
    "twice": {
        option: [*names, *(f"./{name}" for name in names)] for option, names in FILES.items()
    },
}


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_no_byte_depends_on_how_files_are_given(folder: Path, plain: Run, spelling: str) -> None:
    """In any order, and by any spelling of their paths, files give the same record."""
    files = {
        option: [name.format(folder) for name in names]
        for option, names in SPELLINGS[spelling].items()
    }
    again = audited(folder, spelling, files)
    assert again.text("findings.ndjson") == plain.text("findings.ndjson")
    assert (again.code, again.head["report"]) == (plain.code, plain.head["report"])


def test_other_processes_take_the_same_spellings(folder: Path, plain: Run) -> None:
    """Spread over two processes, the record is the same."""
    again = audited(folder, "spread", SPELLINGS["reversed"], "-n2", plugins=XDIST)
    assert again.head["report"] == plain.head["report"]


def test_the_places_are_those_of_the_plain_names(plain: Run) -> None:
    """Each file is named by its path in the working directory, in the order of these."""
    sources = [(source["role"], source["path"]) for source in plain.head["population"]["sources"]]
    assert sources == [
        *(("inventory", name) for name in INVENTORIES),
        ("plan", "later.yaml"),
        ("plan", "next.yaml"),
        ("state", "s.json"),
        ("state", "t.json"),
        ("history", "july.yaml"),
        ("history", "june.yaml"),
    ]
    waivers = [waiver_file["path"] for waiver_file in plain.head["settings"]["waiver_files"]]
    assert waivers == ["v.yaml", "w.yaml"]


def test_settings_spell_as_the_command_line_does(folder: Path, plain: Run) -> None:
    """Paths of the ini file, which begin where that is, give the same record."""
    lines = [
        line
        for option, names in FILES.items()
        for line in (f"cmek_{option} =", *(f"    ./{name}" for name in names[::-1]))
    ]
    kinds = ["[pytest]", "python_files = check_*.py", "python_functions = check_*"]
    ini = write_text(folder / "pytest.ini", "\n".join([*kinds, *lines]))
    given = (f"--cmek-as-of={AS_OF}", "--cmek-report-dir=ini", "--cmek-formats=json")
    again = run("-c", ini, str(ROOT / "checks"), *given, folder=folder / "ini", cwd=folder)
    assert again.text("findings.ndjson") == plain.text("findings.ndjson")
