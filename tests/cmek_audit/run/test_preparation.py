"""The first step of an audit: all that it needs is read, before anything is judged."""

from __future__ import annotations

import hashlib
from datetime import datetime
from pathlib import Path

import pytest

from cmek_audit.run.option_values import Options, parse_options
from cmek_audit.run.preparation import EXAMPLES, prepare, reopen, reproducing_options, terraform_of
from inventory.errors import InventoryError, SettingError
from reports.record.writer import GivenFile
from tests.builders import plan_data
from tests.cmek_audit.run.audits import left_in, options_in
from tests.wiring.runs import ALL_FILES, AS_OF, prefill, saved, waivers


def test_without_an_inventory_the_example_is_audited(tmp_path: Path) -> None:
    """The example comes with its plan, its history and its waivers, as of its own time."""
    setup, inventory = prepare(parse_options({"report_dir": str(tmp_path)}))
    files = {name: getattr(setup.options, name) for name in ("inventory", "plan", "history")}
    assert {name: [Path(file).name for file in files[name]] for name in files} == {
        "inventory": ["acme.yaml"],
        "plan": ["acme-plan.yaml"],
        "history": ["acme-history.yaml"],
    }
    assert (setup.is_example, setup.is_default) == (True, True)
    assert setup.context.as_of == inventory.captured_at


def test_a_named_example_is_not_taken_for_the_default(tmp_path: Path) -> None:
    """Whoever names the example's file audits an example, but has chosen it."""
    path = str(EXAMPLES / "acme.yaml")
    setup, _ = prepare(parse_options({"inventory": (path,), "report_dir": str(tmp_path)}))
    assert (setup.is_example, setup.is_default, setup.options.plan) == (True, False, ())


@pytest.mark.parametrize("name", ["plan", "state", "history"])
def test_a_file_without_an_inventory_is_refused(tmp_path: Path, name: str) -> None:
    """A file of the user's own is never judged beside the organizations of the example."""
    options = parse_options({name: (str(tmp_path / "mine.yaml"),)})
    with pytest.raises(SettingError, match=f"^--cmek-{name}: found no inventory beside it"):
        prepare(options)


def test_the_files_judged_by_are_named_with_their_hashes(tmp_path: Path) -> None:
    """A file of waivers is recorded by the bytes it had; without waivers, none is."""
    path = waivers(tmp_path).partition("=")[2]
    hashed = GivenFile(path, hashlib.sha256(Path(path).read_bytes()).hexdigest())
    setup, _ = prepare(options_in(tmp_path, waivers=(path,)))
    assert (setup.input_files.waivers, len(setup.criteria.waivers)) == ((hashed,), 1)
    setup, _ = prepare(options_in(tmp_path, waivers=(path,), no_waivers=True))
    assert (setup.input_files.waivers, setup.criteria.waivers) == ((), ())


def test_a_record_that_is_not_earlier_is_no_history(tmp_path: Path) -> None:
    """History must be of a time before the present; the file and its line are named."""
    options = options_in(tmp_path)
    with pytest.raises(InventoryError, match=r"captured_at: found .+, expected a time before"):
        prepare(options.model_copy(update={"history": options.inventory}))


def test_preparing_touches_no_report(tmp_path: Path) -> None:
    """Only who writes an audit moves an earlier one; an unreadable inventory changes nothing."""
    prefill(tmp_path)
    options = options_in(tmp_path)
    prepare(options)
    with pytest.raises(InventoryError):
        prepare(options.model_copy(update={"inventory": ("acme-is-not-there.yaml",)}))
    assert left_in(tmp_path) == {*ALL_FILES, "notes.txt"}


def test_what_is_opened_again_is_the_same(tmp_path: Path) -> None:
    """An inventory that is opened once more yields the same organizations."""
    prepared = prepare(options_in(tmp_path))
    again = reopen(prepared.setup)
    assert again.setup == prepared.setup
    assert [*again.inventory.organizations()] == [*prepared.inventory.organizations()]


def test_another_process_judges_as_of_the_same_time(tmp_path: Path) -> None:
    """What depends on when and where a process starts is handed over as it was resolved."""
    options = options_in(tmp_path, as_of=None, max_age="48h")
    setup, _ = prepare(options)
    resolved = {name: value for name, value in reproducing_options(setup).items() if value}
    assert parse_options(resolved) == Options(
        inventory=options.inventory, as_of=setup.context.as_of, max_age=options.max_age
    )
    assert setup.context.as_of == setup.started


def test_another_process_asks_no_server(tmp_path: Path) -> None:
    """A worker audits what the main process recorded."""
    setup, _ = prepare(options_in(tmp_path))
    live = setup._replace(options=setup.options.model_copy(update={"live": "env"}))
    assert reproducing_options(live)["live"] is None
    assert reproducing_options(live)["as_of"] == datetime.fromisoformat(AS_OF).isoformat()


def test_the_source_of_terraform_is_optional(tmp_path: Path) -> None:
    """Without its folder nothing is known of the configuration; with it, its files are read."""
    assert terraform_of(options_in(tmp_path)).source is None
    given = {"terraform_source": str(tmp_path), "plan": ("plan.json",)}
    assert terraform_of(options_in(tmp_path, **given)).source is not None


def test_the_source_of_terraform_needs_a_plan_of_terraform(tmp_path: Path) -> None:
    """Beside planned databases alone, the folder would be ignored, so it is refused."""
    plan = saved(tmp_path, plan_data(), "plan")
    with pytest.raises(SettingError) as caught:
        prepare(options_in(tmp_path, terraform_source=str(tmp_path), plan=(plan,)))
    assert str(caught.value) == (
        "--cmek-terraform-source: found only other plans in --cmek-plan, expected a plan of "
        "Terraform among them, as 'terraform show -json' prints it"
    )


@pytest.mark.parametrize(
    ("given", "chosen"),
    [
        ((), ()),
        (("hipaa", "NIST 800-53", "HIPAA 45 CFR"), ("NIST SP 800-53 r5", "HIPAA 45 CFR")),
    ],
)
def test_frameworks_are_chosen_by_their_names(
    tmp_path: Path, given: tuple[str, ...], chosen: tuple[str, ...]
) -> None:
    """However a framework is named, and how often, it is chosen once, in the order of the file."""
    options = Options(report_dir=str(tmp_path), framework=given)
    assert prepare(options).setup.options.framework == chosen


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (
            "soc2",
            "found 'soc2', expected one of 'NIST SP 800-53 r5', 'ISO/IEC 27001:2022', ",
        ),
        ("soc2", "'HIPAA 45 CFR'; did you mean 'SOC 2'?"),
        ("4", "found '4', expected one of 'PCI DSS 4.0.1', 'CSA CCM 4'"),
    ],
)
def test_a_framework_that_is_not_known_is_refused(tmp_path: Path, name: str, message: str) -> None:
    """An unknown name, and one of several frameworks, are refused with the names to choose from."""
    with pytest.raises(SettingError) as raised:
        prepare(Options(report_dir=str(tmp_path), framework=(name,)))
    assert message in str(raised.value)


def test_a_file_without_frameworks_has_none_to_choose(tmp_path: Path) -> None:
    """If the file of control ids has no framework, the message says so."""
    controls = tmp_path / "controls.yaml"
    controls.write_text("cmek-controls: 1\nframeworks: []\n")
    with pytest.raises(SettingError, match="expected a file of control ids with frameworks"):
        prepare(Options(controls=str(controls), framework=("SOC 2",)))
