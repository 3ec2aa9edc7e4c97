"""The settings file: where it is found, what is in it, and what cannot be used."""

from __future__ import annotations

import os
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cmek_audit.run.options import OPTIONS, Option
from cmek_audit.settings.file import OWN, PROJECT, find_file, read_file
from cmek_audit.settings.given import Given
from inventory.errors import SettingError
from tests.builders import write_text

TABLE = "[tool.cmek-audit]\n"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in a folder of a repository, three levels below its root."""
    (tmp_path / "root" / ".git").mkdir(parents=True)
    folder = tmp_path / "root" / "a" / "b"
    folder.mkdir(parents=True)
    monkeypatch.chdir(folder)
    return folder


def _wrong(file: Path) -> str:
    with pytest.raises(SettingError) as caught:
        list(read_file(file))
    return str(caught.value)


# --- where it is ----------------------------------------------------------------------------------


@pytest.mark.parametrize("place", [".", "..", "../.."])
def test_the_nearest_file_is_found(here: Path, place: str) -> None:
    """The file is in the folder or above it, up to the root of the repository."""
    assert find_file(here) is None
    folder = (here / place).resolve()
    write_text(folder / PROJECT, f"{TABLE}fail-on = 'high'\n")
    assert find_file(here) == folder / PROJECT
    write_text(here / OWN, "")
    if place != ".":
        assert find_file(here) == here / OWN


def test_nothing_above_a_repository_is_read(here: Path) -> None:
    """What is above the root of the repository belongs to somebody else."""
    write_text(here.parents[2] / OWN, "fail-on = 'high'\n")
    assert find_file(here) is None


def test_without_a_repository_all_folders_above_are_searched(tmp_path: Path) -> None:
    """Outside of a repository, the search ends at the root of the file system."""
    folder = tmp_path / "a" / "b"
    folder.mkdir(parents=True)
    write_text(tmp_path / OWN, "")
    assert find_file(folder) == tmp_path / OWN
    assert find_file(Path("/")) is None


def test_a_project_without_the_table_is_passed_over(here: Path) -> None:
    """A ``pyproject.toml`` of something else is no settings file, even a broken one."""
    write_text(here / PROJECT, "[tool.other]\nx = 1\n")
    write_text(here.parent / PROJECT, "broken")
    write_text(here.parents[1] / PROJECT, '[project]\ndependencies = ["cmek-audit"]\n')
    assert find_file(here) is None


def test_two_files_in_one_folder_are_refused(here: Path) -> None:
    """Which of the two counts is not guessed."""
    write_text(here / OWN, "")
    write_text(here / PROJECT, TABLE)
    with pytest.raises(SettingError) as caught:
        find_file(here)
    assert str(caught.value) == (
        "pyproject.toml: found [tool.cmek-audit] beside cmek-audit.toml, expected one of the two"
    )


@pytest.mark.parametrize(
    ("content", "found"),
    [
        ("# cmek-audit\n[broken\n", "pyproject.toml:2: found no TOML"),
        ("tool.cmek-audit = 3", "pyproject.toml: tool.cmek-audit: found 3, expected a table"),
    ],
)
def test_a_project_that_mentions_the_command_must_be_readable(
    here: Path, content: str, found: str
) -> None:
    """Whether a broken file has settings is unknown, so that it must not be passed over."""
    write_text(here / PROJECT, content)
    with pytest.raises(SettingError) as caught:
        find_file(here)
    assert str(caught.value).startswith(found)


def test_a_file_of_another_user_is_refused(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever may write above a folder must not weaken the audits of others."""
    file = here.parent / OWN
    write_text(file, "")
    real = Path.lstat

    def lstat(path: Path) -> os.stat_result:
        values = list(real(path))
        return os.stat_result([*values[:4], 4711, *values[5:]]) if path == file else real(path)

    monkeypatch.setattr(Path, "lstat", lstat)
    with pytest.raises(SettingError) as caught:
        find_file(here)
    assert str(caught.value) == (
        f"{file}: found a file of another user (4711), expected one of yours; CMEK_SETTINGS={file} "
        "uses it all the same, and CMEK_SETTINGS=none ignores it"
    )


def test_a_system_without_owners_refuses_no_file(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Windows does not show whose a file is, and shows 0 for the owner of each."""
    file = here / OWN
    write_text(file, "")
    real = Path.lstat
    monkeypatch.setattr(
        Path, "lstat", lambda path: os.stat_result([*real(path)[:4], 0, *real(path)[5:]])
    )
    monkeypatch.delattr(os, "getuid")
    assert find_file(here) == file


# --- what is in it --------------------------------------------------------------------------------


@pytest.mark.parametrize("option", OPTIONS, ids=lambda option: option.name)
def test_every_option_has_its_name_in_the_file(option: Option, here: Path) -> None:
    """Each option can be set, and its line is known."""
    texts = {"flag": "true", "number": "3", "paths": '["x"]', "texts": '["x"]', "words": '["x"]'}
    content = f"# settings\n{option.name} = {texts.get(option.kind, repr('x'))}\n"
    write_text(here / OWN, content)
    (found,) = read_file(here / OWN)
    assert isinstance(found, Given)
    assert (found.option, found.base) == (option, here)
    assert (found.source, found.label) == ("cmek-audit.toml:2", f"cmek-audit.toml:2: {option.name}")


def test_a_line_is_that_of_the_entry(here: Path) -> None:
    """Neither a text of several lines nor another table misleads about the line."""
    content = (
        'x = """\nfail-on = "low"\n"""\n[tool.other]\nfail-on = "low"\n[tool.cmek-audit]\n'
        'inventory = [\n"a",\n"b"]\n"fail-on"= "high"\nno-waivers = true # fail-on = "x"\n'
    )
    write_text(here / PROJECT, content)
    places = [found.source for found in read_file(here / PROJECT) if isinstance(found, Given)]
    assert places == [f"pyproject.toml:{line}" for line in (7, 10, 11)]


def test_an_entry_in_another_form_has_no_line(here: Path) -> None:
    """Where the line is not found, the file is named alone."""
    write_text(here / PROJECT, 'tool = {cmek-audit = {fail-on = "high"}}\n')
    (found,) = read_file(here / PROJECT)
    assert isinstance(found, Given)
    assert (found.source, found.value) == ("pyproject.toml", "high")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("fail_on = 'high'", "'fail_on', expected the name of a setting; did you mean 'fail-on'?"),
        ("cmek_plan = []", "'cmek_plan', expected the name of a setting; did you mean 'plan'?"),
        ("xyz = 1", "'xyz', expected the name of a setting"),
        ("audit = {x = 1}", "'audit', expected the name of a setting"),
    ],
)
def test_an_unknown_name_is_refused(here: Path, line: str, message: str) -> None:
    """What nobody reads is a mistake; the nearest name is suggested."""
    write_text(here / OWN, f"jobs = 2\n{line}\n")
    first, error = read_file(here / OWN)
    assert isinstance(first, Given)
    assert str(error) == f"cmek-audit.toml:2: found {message}"


def test_a_wrong_type_is_refused_with_its_line(here: Path) -> None:
    """The error has file, line, name, what was found and what is expected."""
    write_text(here / OWN, "\nfail-on = 3\n")
    (error,) = read_file(here / OWN)
    assert str(error) == (
        'cmek-audit.toml:2: fail-on: found 3, expected a text in quotes, such as "high"'
    )


# --- what cannot be used --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"fail-on = high", "cmek-audit.toml:1: found no TOML ("),
        (b"jobs = 1\njobs = 2\n", "cmek-audit.toml:2: found no TOML ("),
        (b'fail-on = "high', "cmek-audit.toml: found no TOML ("),
        (b"\xff", "cmek-audit.toml: found other than UTF-8, expected TOML"),
        (b"x=" + b"[" * 5_000, "cmek-audit.toml"),
        (b"#" * 1_048_577, "cmek-audit.toml: found more than 1 MiB, expected a file of settings"),
    ],
)
def test_a_broken_file_is_refused(here: Path, content: bytes, message: str) -> None:
    """A file that cannot be read gives nothing, and is no empty one."""
    (here / OWN).write_bytes(content)
    assert _wrong(here / OWN).startswith(message)


def test_what_is_no_file_is_refused(here: Path) -> None:
    """A folder, a missing file, and a link that leads nowhere are mistakes."""
    expected = "expected a file of settings"
    assert _wrong(here / "none.toml") == f"none.toml: found nothing, {expected}"
    (here / OWN).mkdir()
    assert find_file(here) == here / OWN
    assert _wrong(here / OWN) == f"cmek-audit.toml: found a folder or a device, {expected}"
    (here / OWN).rmdir()
    (here / OWN).symlink_to("nowhere")
    assert find_file(here) == here / OWN
    assert _wrong(here / OWN) == f"cmek-audit.toml: found nothing, {expected}"


def test_a_file_that_may_not_be_read_is_refused(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A refusal of the system is shown as it is."""

    def refuse(_: Path) -> bytes:
        raise PermissionError(13, "Permission denied")

    write_text(here / OWN, "")
    monkeypatch.setattr(Path, "read_bytes", refuse)
    assert _wrong(here / OWN) == (
        "cmek-audit.toml: found Permission denied, expected a readable file"
    )


def test_a_project_without_the_table_cannot_be_named(here: Path) -> None:
    """Whoever names a file means that it has settings."""
    write_text(here / PROJECT, "[project]\nname = 'x'\n")
    assert _wrong(here / PROJECT) == (
        "pyproject.toml: found no settings, expected [tool.cmek-audit] in it, as a table"
    )


@given(st.binary(max_size=200))
def test_no_bytes_break_the_reader(content: bytes) -> None:
    """Whatever a file holds, it gives settings or errors."""
    with TemporaryDirectory() as folder:
        file = Path(folder) / OWN
        file.write_bytes(content)
        found = _read_or_refused(file)
        errors = [str(one) for one in found if not isinstance(one, Given)]
        assert [error for error in errors if not error.startswith(str(file))] == []


def _read_or_refused(file: Path) -> list[Given | SettingError]:
    try:
        return list(read_file(file))
    except SettingError as error:
        return [error]
