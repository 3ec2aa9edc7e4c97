"""The files of a history: records, and reports of audits beside them."""

from __future__ import annotations

from itertools import permutations
from pathlib import Path

import pytest

from inventory.errors import InventoryError
from inventory.history_files import check_folders, find_records, find_reports, is_report


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Make a folder with a bundle, an inventory, two reports and one that is being written."""
    (tmp_path / "bundle").mkdir()
    (tmp_path / "bundle/manifest.json").touch()
    (tmp_path / "acme.yaml").touch()
    for night in ("monday", "tuesday"):
        (tmp_path / night).mkdir()
        (tmp_path / night / "audit.json").touch()
    (tmp_path / "wednesday/.writing").mkdir(parents=True)
    return tmp_path


def test_a_folder_holds_records_and_reports(folder: Path) -> None:
    """Of a folder each record and each report is found; an unfinished report is neither."""
    given = [str(folder)]
    check_folders(given)
    assert find_records(given) == (str(folder / "acme.yaml"), str(folder / "bundle"))
    assert find_records(given, [str(folder / "bundle")]) == (str(folder / "acme.yaml"),)
    assert find_reports(given) == (
        str(folder / "monday/audit.json"),
        str(folder / "tuesday/audit.json"),
    )


def test_each_file_is_found_once(folder: Path) -> None:
    """The order of the paths, and a file that is given twice, make no difference."""
    given = [str(folder / name) for name in ("acme.yaml", "bundle", "monday", "monday/audit.json")]
    for order in permutations(given):
        assert find_records(order) == (str(folder / "acme.yaml"), str(folder / "bundle"))
        assert find_reports(order) == (str(folder / "monday/audit.json"),)


def test_a_bundle_is_no_report(folder: Path) -> None:
    """A bundle with a file that is called like the head of a report is still a bundle."""
    (folder / "bundle/audit.json").touch()
    assert [is_report(str(folder / name)) for name in ("bundle", "monday", "acme.yaml")] == [
        False,
        True,
        False,
    ]


def test_the_first_night_of_reports(tmp_path: Path) -> None:
    """A folder with nothing but the report that is being written is no history yet."""
    (tmp_path / "monday/.writing").mkdir(parents=True)
    assert (find_records([str(tmp_path)]), find_reports([str(tmp_path)])) == ((), ())


def test_a_folder_of_another_option_is_refused(tmp_path: Path) -> None:
    """A folder that belongs to another option is refused, and the option is named."""
    (tmp_path / "main.tf").touch()
    with pytest.raises(InventoryError, match="give it as --cmek-terraform-source"):
        find_records([str(tmp_path)])


def test_folders_are_checked_before_anything_is_asked(tmp_path: Path) -> None:
    """What is no record is named without reading any; an empty folder, and a file, may be there."""
    (tmp_path / "empty").mkdir()
    (tmp_path / "strange").mkdir()
    (tmp_path / "strange" / "notes.txt").write_text("mine")
    check_folders([str(tmp_path / "empty"), str(tmp_path / "nothing"), str(tmp_path / "a.yaml")])
    with pytest.raises(
        InventoryError, match=r"strange/notes\.txt: found a file that is not a record"
    ):
        check_folders([str(tmp_path / "strange")])
