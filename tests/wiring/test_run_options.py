"""Options on the command line, their twins in the ini file, and what they do to a run."""

from __future__ import annotations

import re
import tomllib
from typing import TYPE_CHECKING

import pytest

from cmek_audit.run.options import OPTIONS
from tests.builders import ORGANIZATION, database_data, uuid, write_json, write_text
from tests.wiring.runs import (
    AS_OF,
    DEFAULT_FILES,
    HTML,
    RECORD,
    ROOT,
    Run,
    advisory,
    audit,
    compliant,
    run,
    saved,
    unpaid,
    unsettled,
    violating,
    waiver_data,
    waivers,
)

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow

EXAMPLE = "inventory/examples/compliant.yaml"


def _ini(**values: object) -> list[str]:
    return [f"-ocmek_{name}={value}" for name, value in values.items()]


# --- ini twins ------------------------------------------------------------------------------------


def test_every_option_has_its_twin(tmp_path: Path) -> None:
    """Each option of the suite can be set in the ini file too, and is not set by default."""
    listed = re.findall(r"^ +(cmek_[a-z_]+) \(", run("--help", folder=tmp_path).out, re.MULTILINE)
    assert sorted(listed) == sorted(option.ini for option in OPTIONS)
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["pytest"]
    assert {name for name in settings if name.startswith("cmek_")} == set()


def test_options_can_stand_in_the_ini_file(tmp_path: Path) -> None:
    """What stands in the ini file does the same as on the command line."""
    found = run(
        *_ini(
            inventory=saved(tmp_path, unsettled()),
            as_of=AS_OF,
            max_age="60d",
            fail_on="advisory",
            allow_inconclusive="true",
            report_dir=tmp_path / "r",
            formats="json",
            group="rule",
            kms="none",
            rotation_days="90",
        ),
        folder=tmp_path / "r",
    )
    settings = found.head["settings"]
    assert (found.code, found.left) == (0, RECORD)
    assert settings == {
        "as_of": AS_OF,
        "max_age_seconds": 60 * 24 * 60 * 60,
        "kms": "none",
        "rotation_days": 90,
        "fail_on": "advisory",
        "allow_inconclusive": True,
        "grouping": "rule",
        "mode": "recorded",
        "example": False,
        "default_example": False,
        "left_out": "",
        "waiver_files": [],
        "controls_file": None,
        "no_waivers": False,
        "fail_on_new": False,
        "baseline_file": None,
        "frameworks": [],
        "history_files": [],
        "terraform_organizations": [],
        "terraform_source": None,
        "terraform_files": [],
    }


def test_the_command_line_wins_over_the_ini_file(tmp_path: Path) -> None:
    """What stands in both counts as it was given on the command line."""
    found = audit(
        tmp_path,
        advisory(),
        *_ini(
            inventory="acme-is-not-there.yaml",
            fail_on="advisory",
            as_of="2020-01-01T00:00:00Z",
            report_dir=tmp_path / "elsewhere",
            formats="html",
        ),
        "--cmek-fail-on=low",
    )
    assert (found.code, found.left, (tmp_path / "elsewhere").exists()) == (0, RECORD, False)
    assert found.head["settings"]["as_of"] == AS_OF
    [source] = found.head["population"]["sources"]
    assert source["path"] == str(tmp_path / "inventory.yaml")


def test_a_flag_in_the_ini_file_can_be_off(tmp_path: Path) -> None:
    """A flag that the ini file sets to false is not set."""
    found = audit(tmp_path, unsettled(), *_ini(allow_inconclusive="false"))
    assert (found.code, found.head["settings"]["allow_inconclusive"]) == (1, False)


def test_a_mistake_in_the_ini_file_is_refused(tmp_path: Path) -> None:
    """An unusable value in the ini file ends the run with 4."""
    found = audit(tmp_path, compliant(), *_ini(max_age="soon"))
    assert (found.code, found.left) == (4, set())
    assert "--cmek-max-age: found 'soon'" in found.out


def test_a_path_in_the_ini_file_starts_at_the_root(tmp_path: Path) -> None:
    """From wherever a run is started, relative paths of the ini file start where that is."""
    place, elsewhere = tmp_path / "project", tmp_path / "elsewhere"
    place.mkdir()
    elsewhere.mkdir()
    saved(place, compliant())
    settings = (
        "[pytest]\npython_files = check_*.py\npython_functions = check_*\n"
        "cmek_inventory = inventory.yaml\ncmek_report_dir = r\ncmek_formats = json\n"
        f"cmek_as_of = {AS_OF}\n"
    )
    ini = write_text(place / "pytest.ini", settings)
    found = run("-c", ini, str(ROOT / "checks"), folder=place / "r", cwd=elsewhere)
    [source] = found.head["population"]["sources"]
    assert (found.code, source["path"]) == (0, str(place / "inventory.yaml"))
    assert list(elsewhere.iterdir()) == []


def test_an_ini_twin_on_the_command_line_starts_where_one_is(tmp_path: Path) -> None:
    """Relative paths told by ``-o`` mean files of the folder in which the run is started."""
    saved(tmp_path, compliant())
    shown = _ini(inventory="inventory.yaml", report_dir="r", formats="json", as_of=AS_OF)
    found = run(str(ROOT / "checks"), *shown, folder=tmp_path / "r", cwd=tmp_path)
    [source] = found.head["population"]["sources"]
    assert (found.code, source["path"]) == (0, "inventory.yaml")


def test_a_path_on_the_command_line_starts_where_one_is(tmp_path: Path) -> None:
    """Relative paths of the command line mean files of the folder in which the run is started."""
    saved(tmp_path, compliant())
    found = run(
        str(ROOT / "checks"),
        "--cmek-inventory=inventory.yaml",
        "--cmek-report-dir=r",
        "--cmek-formats=json",
        f"--cmek-as-of={AS_OF}",
        folder=tmp_path / "r",
        cwd=tmp_path,
    )
    assert (found.code, found.left) == (0, RECORD)


# --- formats --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("formats", "names"),
    [
        ("json", set()),
        ("html", {"audit.html"}),
        ("sarif markdown", {"audit.sarif", "summary.md"}),
        ("junit,results", {"junit.xml", "results.html"}),
        ("", DEFAULT_FILES),
    ],
    ids=["json", "html", "rendered", "two", "default"],
)
def test_only_the_asked_for_formats_are_written(
    tmp_path: Path, formats: str, names: set[str]
) -> None:
    """The record is always written, and beside it what was asked for; all if nothing was."""
    found = audit(tmp_path, compliant(), formats=formats, plugins=HTML)
    assert (found.code, found.left) == (0, RECORD | names)


def test_reports_of_ones_own_are_left_alone(tmp_path: Path) -> None:
    """Where pytest was reported where to write its own reports, they are written there."""
    found = audit(tmp_path, compliant(), f"--junit-xml={tmp_path / 'own.xml'}", formats="junit")
    assert (found.left, (tmp_path / "own.xml").exists()) == (RECORD, True)


# --- waivers --------------------------------------------------------------------------------------


def _waiver_states(run: Run) -> list[str]:
    return [waiver["state"] for waiver in run.head["waivers"]]


def test_an_unpaid_plan_fails(tmp_path: Path) -> None:
    """The failure that the following tests waive stops as long as it is not waived."""
    assert audit(tmp_path, unpaid()).code == 1


def test_a_waived_failure_does_not_stop(tmp_path: Path) -> None:
    """A failure that a valid waiver covers is shown as waived, and the run ends with 0."""
    found = audit(tmp_path, unpaid(), waivers(tmp_path), "-v")
    assert (found.code, found.word, _waiver_states(found)) == (0, "compliant", ["active"])
    assert (found.head["counts"]["waived"], found.out.count("WAIVED")) == (1, 1)
    [waived] = [finding for finding in found.findings if finding["status"] == "waived"]
    assert (waived["rule"], waived["waiver"]) == ("CMEK-08", "W-1")


def test_waivers_can_be_left_aside(tmp_path: Path) -> None:
    """Told to judge without waivers, the run ends as if there were none, and lists none."""
    found = audit(tmp_path, unpaid(), waivers(tmp_path), "--cmek-no-waivers")
    assert (found.code, found.word, _waiver_states(found)) == (1, "not compliant", [])


@pytest.mark.parametrize(
    ("over", "code", "state"),
    [
        ({"expires_on": "2026-11-20"}, 1, "expired"),
        ({"expires_on": "2026-11-21"}, 0, "expiring"),
        ({"approved_on": "2026-11-22"}, 1, "not-yet-valid"),
        ({"rule": "CMEK-14"}, 1, "unused"),
        ({"subject": "acme-prod"}, 1, "unmatched"),
    ],
    ids=lambda value: str(value) if isinstance(value, str) else "",
)
def test_a_waiver_covers_its_finding_in_its_time(
    tmp_path: Path, over: dict[str, str], code: int, state: str
) -> None:
    """A waiver that is over, too early, or for something else waives nothing, and says so."""
    found = audit(tmp_path, unpaid(), waivers(tmp_path, **over))
    assert (found.code, _waiver_states(found)) == (code, [state])


def test_a_request_covers_nothing_and_is_reported(tmp_path: Path) -> None:
    """A waiver that nobody has approved leaves the failure, and the terminal says that it waits."""
    asked = waiver_data()
    del asked["approved_by"], asked["approved_on"]
    path = saved(tmp_path, {"cmek-waivers": 1, "waivers": [asked]}, "waivers")
    found = audit(tmp_path, unpaid(), f"--cmek-waivers={path}")
    assert (found.code, found.word, _waiver_states(found)) == (1, "not compliant", ["requested"])
    _, _, shown = found.out.partition(" waivers that need attention ")
    due = "has awaited approval since 2026-11-01 and covers nothing"
    assert shown.splitlines()[1] == f"Waiver W-1 {due}: CMEK-08 {ORGANIZATION}"


def test_a_waiver_that_ends_soon_is_reported_and_does_not_stop(tmp_path: Path) -> None:
    """The terminal says in how many days a waiver ends, and the run still ends with 0."""
    found = audit(tmp_path, unpaid(), waivers(tmp_path, expires_on="2026-12-08"))
    assert found.code == 0
    assert "Waiver W-1 expires in 17 days, on 2026-12-08: CMEK-08 " in found.out


def test_of_many_waivers_to_see_to_the_first_are_reported(tmp_path: Path) -> None:
    """Of very many waivers the terminal names the most urgent, without what could steer it."""
    asked = [
        waiver_data(id=f"W-{number:02}", subject=f"acme-{number:02}", expires_on="2026-11-10")
        for number in range(20)
    ]
    path = saved(tmp_path, {"cmek-waivers": 1, "waivers": asked}, "waivers")
    found = audit(tmp_path, unpaid(), f"--cmek-waivers={path}")
    _, _, shown = found.out.partition(" waivers that need attention ")
    assert shown.count("expired 11 days ago, on 2026-11-10: CMEK-08 acme-") == 12
    assert "… and 8 more waivers in the report" in shown


# --- earlier records ------------------------------------------------------------------------------


def _earlier(folder: Path, at: str, **over: object) -> str:
    """Write an earlier record, and return the option that takes it."""
    path = saved(folder, compliant(**over) | {"captured_at": at}, f"at-{at[:10]}")
    return f"--cmek-history={path}"


def _order(run: Run) -> list[tuple[str, str]]:
    """Return what was found about the order of key and database."""
    given = [finding for finding in run.findings if finding["rule"] == "CMEK-05"]
    return [(finding["status"], finding.get("reason", "")) for finding in given]


def test_a_key_seen_before_the_database_protects_it(tmp_path: Path) -> None:
    """An earlier record that has the key, older than the database, proves the order."""
    history = _earlier(tmp_path, "2026-05-15T00:00:00Z", databases=[])
    found = audit(tmp_path, unsettled(), history)
    assert (found.code, _order(found)) == (0, [("pass", "")])


def test_a_key_missing_after_the_database_came_too_late(tmp_path: Path) -> None:
    """An earlier record that lacks the key, younger than the database, proves the contrary."""
    history = _earlier(tmp_path, "2026-07-01T00:00:00Z", keys=[])
    found = audit(tmp_path, unsettled(), history)
    assert (found.code, _order(found)) == (1, [("fail", "")])


def test_a_database_between_two_records_is_not_settled(tmp_path: Path) -> None:
    """If the key came between two records, and so did the database, their order is not known."""
    history = _earlier(tmp_path, "2026-05-15T00:00:00Z", keys=[], databases=[])
    later = _earlier(tmp_path, "2026-07-01T00:00:00Z")
    found = audit(tmp_path, unsettled(), history, later)
    assert (found.code, _order(found)) == (1, [("inconclusive", "registration-time-unknown")])
    roles = [source["role"] for source in found.head["population"]["sources"]]
    assert roles == ["inventory", "history", "history"]


def test_a_database_that_vanished_is_missed(tmp_path: Path) -> None:
    """A database that an earlier record knew, and this one does not, makes the run fail."""
    history = _earlier(tmp_path, "2026-07-01T00:00:00Z")
    found = audit(tmp_path, compliant(databases=[]), history)
    [complete] = [finding for finding in found.findings if finding["rule"] == "CMEK-14"]
    assert (found.code, complete["status"]) == (1, "fail")


@pytest.mark.parametrize("at", ["2026-11-20T02:00:00Z", "2026-11-20T02:00:01Z"])
def test_history_has_to_be_older(tmp_path: Path, at: str) -> None:
    """A record that is not older than the inventory is no history, and ends the run with 4."""
    found = audit(tmp_path, compliant(), _earlier(tmp_path, at))
    assert (found.code, found.left) == (4, set())
    assert "a time before 2026-11-20T02:00:00Z" in found.out


# --- the bundled examples -------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["plan", "state", "history"])
def test_the_example_is_judged_with_no_file_of_another(tmp_path: Path, name: str) -> None:
    """A plan, a state or a history without an inventory is refused: the example has its own."""
    file = f"inventory/examples/acme-{name}.yaml"
    found = run(
        f"--cmek-{name}={file}", f"--cmek-report-dir={tmp_path / 'r'}", folder=tmp_path / "r"
    )
    assert (found.code, found.left) == (4, set())
    expected = "found no inventory beside it, expected --cmek-inventory or --cmek-live, as well"
    assert f"--cmek-{name}: {expected}" in found.out


def test_without_an_inventory_the_example_is_audited(tmp_path: Path) -> None:
    """A run that is given nothing audits the bundled example, says so, and ends with 1."""
    found = run(f"--cmek-report-dir={tmp_path / 'r'}", folder=tmp_path / "r", plugins=HTML)
    head = found.head
    assert (found.code, found.left) == (1, DEFAULT_FILES)
    assert (head["settings"]["example"], head["settings"]["default_example"]) == (True, True)
    paths = [source["path"] for source in head["population"]["sources"]]
    assert {path for path in paths if not path.startswith("inventory/examples/")} == set()
    assert "audit: inventory/examples/acme.yaml" in found.out
    assert found.out.splitlines()[-2:] == [
        "Exit code 1: not compliant.",
        f"Report: {tmp_path}/r/audit.html",
    ]
    banner = (
        "EXAMPLE, NOT AUDIT EVIDENCE: no inventory was given, so a bundled example was audited."
    )
    pages = [found.out, *(re.sub(r"\s+", " ", found.text(name)) for name in DEFAULT_FILES - RECORD)]
    assert [banner in page for page in pages] == [True] * len(pages)


def test_the_example_is_found_from_everywhere(tmp_path: Path) -> None:
    """Started elsewhere, a run that is given nothing takes the bundled example all the same."""
    found = run(str(ROOT / "checks"), "--collect-only", folder=tmp_path, cwd=tmp_path)
    assert (found.code, found.left) == (0, set())
    assert f"audit: {ROOT}/inventory/examples/acme.yaml" in found.out


def test_the_example_is_judged_as_of_its_own_time(tmp_path: Path) -> None:
    """The bundled examples do not age: whenever they are audited, the record is the same."""
    given = f"--cmek-report-dir={tmp_path / 'r'}"
    found = run(given, "--cmek-formats=json", folder=tmp_path / "r")
    sources = found.head["population"]["sources"]
    [inventory] = [source for source in sources if source["role"] == "inventory"]
    assert found.head["settings"]["as_of"] == inventory["captured_at"]


def test_the_example_shows_every_status(tmp_path: Path) -> None:
    """The bundled example has findings of every status that a sound suite can give."""
    given = f"--cmek-report-dir={tmp_path / 'r'}"
    found = run(given, "--cmek-formats=json", "--cmek-group=rule", folder=tmp_path / "r")
    assert {status for status, count in found.head["counts"].items() if not count} == {"error"}


def test_the_compliant_example_complies(tmp_path: Path) -> None:
    """The compliant example ends with 0, and says that it is an example."""
    found = run(
        f"--cmek-inventory={EXAMPLE}", f"--cmek-report-dir={tmp_path / 'r'}", folder=tmp_path / "r"
    )
    assert (found.code, found.word) == (0, "compliant")
    assert "EXAMPLE, NOT AUDIT EVIDENCE: what was audited is marked as an example." in found.out


def test_an_example_beside_an_inventory_is_no_example(tmp_path: Path) -> None:
    """An audit that holds anything but bundled examples is judged as of now, without banner."""
    found = audit(tmp_path, violating(), f"--cmek-inventory={EXAMPLE}")
    assert (found.head["settings"]["example"], "EXAMPLE" in found.out) == (False, False)


def test_what_steers_a_terminal_is_shown_by_number(tmp_path: Path) -> None:
    """The name of a file that cannot be used is printed without what could steer the terminal."""
    found = run(
        "--cmek-inventory=acme\x1b[31m.yaml",
        f"--cmek-report-dir={tmp_path / 'r'}",
        folder=tmp_path / "r",
    )
    assert (found.code, "\x1b[31m.yaml" in found.out, "[31m.yaml" in found.out) == (4, False, True)


def test_very_many_items_are_announced(tmp_path: Path) -> None:
    """A grouping that makes thousands of items is announced before they are made; it goes on."""
    databases = [database_data(id=uuid(number)) for number in range(3_100)]
    inventory = write_json(tmp_path / "inventory.json", compliant(databases=databases))
    fine, auto = (
        audit(tmp_path, inventory, "--collect-only", "-q", f"--cmek-group={group}")
        for group in ("subject", "auto")
    )
    warning = re.search(
        "^--cmek-group=subject makes ([0-9,]+) test items.*$", fine.out, re.MULTILINE
    )
    assert warning
    assert fine.out.index(warning[0]) < fine.out.index("check_")
    assert f"{warning[1].replace(',', '')} tests collected" in fine.out
    assert (fine.code, auto.code, "test items." in auto.out) == (0, 0, False)
