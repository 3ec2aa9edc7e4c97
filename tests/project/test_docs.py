"""The documentation says what the code does."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, get_args

import pytest

from checks.engine.catalogue import load_rules
from checks.engine.finding import STATUSES
from checks.engine.waivers import State, Waiver, read_waivers
from cmek_audit.docs_pages import (
    WITH_FORMATS,
    options_page,
    rules_page,
    tables_page,
    with_formats,
    write_pages,
)
from cmek_audit.run.options import OPTIONS
from cmek_audit.run.report_folder import WRITTEN
from cmek_audit.settings.given import value_in_toml
from cmek_audit.settings.variables import FILE_VARIABLE
from inventory.files import entry_reader, file_kinds
from inventory.inventory import Inventory
from inventory.model import database, gaps, key, kms, organization
from inventory.model.vocabulary import PROVIDERS, TYPES
from inventory.plans import read_plan
from reports.formats.registry import FORMATS
from reports.model.changes import CLASSES, ChangeReason
from reports.tables.tables import TABLES

if TYPE_CHECKING:
    from pydantic import BaseModel

ROOT = Path(__file__).parents[2]
DOCS = sorted(ROOT.glob("docs/*.md")) + sorted(ROOT.glob("*.md"))


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def fenced(name: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", read(name), re.DOTALL | re.MULTILINE)


def test_pages_made_from_code_are_current(tmp_path: Path) -> None:
    """The pages of rules and options are those that the code makes now."""
    write_pages(tmp_path)
    made = {path.name: path.read_text(encoding="utf-8") for path in tmp_path.iterdir()}
    assert made == {
        "rules.md": rules_page(),
        "options.md": options_page(),
        "tables.md": tables_page(),
    }
    for name, text in made.items():
        assert text == read(f"docs/{name}"), f"docs/{name}: run python -m cmek_audit.docs_pages"


def test_every_kind_of_file_is_explained() -> None:
    """The table of files of other kinds names each of ours, and the option that takes it."""
    _, text = read("docs/inventory.md").split("\n## When a file is something else\n")
    rows = re.findall(r"^\| ([^|`]+) \| ([^|]+) \|", text.partition("\n## ")[0], re.MULTILINE)
    shown = {found: where for row, where in rows for found in row.split("; ")}
    for look in (*file_kinds.OWN_FILES, *file_kinds.FOLDER_KINDS):
        assert (look.option or "no option") in shown[look.found], look.found


def test_every_rule_stands_on_its_page() -> None:
    """The page of rules has a section for each rule, and for nothing else."""
    sections = re.findall(r"^## (CMEK-[0-9]{2})$", rules_page(), re.MULTILINE)
    assert sections == [rule.card.id for rule in load_rules()]


def test_every_option_stands_on_its_page() -> None:
    """The page of options names each option, with its names in file, variable and ini file."""
    page = options_page()
    named = set(re.findall(r"^\| `(--cmek-[a-z-]+)", page, re.MULTILINE))
    assert named == {option.flag for option in OPTIONS}
    others = [f"| `{option.name}` `{option.variable}` `{option.ini}` |" for option in OPTIONS]
    assert [names for names in others if names not in page] == []


def test_the_page_of_settings_shows_every_form() -> None:
    """The example of a settings file is one, and so are the examples of variables."""
    (example,) = [text for text in fenced("docs/settings.md", "toml") if "[tool" not in text]
    table = tomllib.loads(example)
    options = {option.name: option for option in OPTIONS}
    assert {options[name].kind for name in table} == {option.kind for option in OPTIONS}
    assert [value_in_toml(options[name], value) for name, value in table.items()]
    named = set(re.findall(r"\bCMEK_[A-Z_]+", read("docs/settings.md")))
    assert named <= {option.variable for option in OPTIONS} | {FILE_VARIABLE, "CMEK_ACME_TOKEN"}


def test_every_column_stands_on_its_page() -> None:
    """The page of tables has a section for each table, with each of its columns in order."""
    _, *sections = re.split(r"^## .+: `([a-z]+)`$", tables_page(), flags=re.MULTILINE)
    named = {
        name: re.findall(r"^\| `([a-z_]+)` \|", text, re.MULTILINE)
        for name, text in zip(sections[::2], sections[1::2], strict=True)
    }
    assert named == {table.name: table.header for table in TABLES}


def test_options_named_anywhere_exist() -> None:
    """No document speaks of an option that does not exist."""
    named = {
        flag for doc in DOCS for flag in re.findall(r"--cmek-[a-z-]*[a-z]", doc.read_text("utf-8"))
    }
    assert named <= {option.flag for option in OPTIONS}


def test_readme_explains_every_status_and_exit_code() -> None:
    """The README has a line for each status, and speaks of each of pytest's exit codes."""
    text = read("README.md")
    assert set(re.findall(r"^\| `([a-z-]+)` \|", text, re.MULTILINE)) == set(STATUSES)
    codes = set(map(int, re.findall(r"(?:^\| |\()([0-9])(?:\)| \|)", text, re.MULTILINE)))
    assert codes == {
        int(code) for code in pytest.ExitCode if code <= pytest.ExitCode.NO_TESTS_COLLECTED
    }


def test_readme_names_every_report() -> None:
    """The README names each file that an audit writes."""
    assert [name for name in WRITTEN if f"`{name}" not in read("README.md")] == []


@pytest.mark.parametrize("page", WITH_FORMATS)
def test_tables_of_formats_are_current(page: str) -> None:
    """Each page that lists the formats lists those of the registry."""
    text = read(page)
    assert text == with_formats(text, is_in_docs=page.startswith("docs/")), (
        f"{page} lacks a row of reports/formats/registry.py: run python -m cmek_audit.docs_pages"
    )


def test_every_section_on_a_format_is_of_one_that_exists() -> None:
    """The page on formats has no section on a format that nobody registered."""
    sections = re.findall(r"^## .*?`([a-z-]+)`", read("docs/formats.md"), re.MULTILINE)
    assert set(sections) - {row.name for row in FORMATS} == set()


@pytest.mark.parametrize(
    ("model", "heading"),
    [
        (organization.InventoryDocument, "A file"),
        (organization.Organization, "An organization"),
        (key.CustomerKey, "A key"),
        (database.Database, "A database"),
    ],
    ids=["file", "organization", "key", "database"],
)
def test_every_field_of_an_inventory_is_explained(model: type[BaseModel], heading: str) -> None:
    """The page on inventories explains each field of each kind of entry, and invents none."""
    section = read("docs/inventory.md").split(f"# {heading}\n")[1].split("\n#")[0]
    cells = re.findall(r"^\| (`.+?) \|", section, re.MULTILINE)
    named = {name for cell in cells for name in re.findall(r"`([a-z_-]+)`", cell)}
    assert named == {info.alias or name for name, info in model.model_fields.items()}


@pytest.mark.parametrize(
    ("model", "heading", "field"),
    [
        (key.RegionView, "An organization", "region_views"),
        (key.VendorAccount, "An organization", "vendor_accounts"),
        (key.SupportCase, "An organization", "support_cases"),
        (gaps.Gap, "An organization", "gaps"),
        (gaps.Reading, "An organization", "readings"),
        (kms.KmsFacts, "A key", "kms"),
        (kms.CloudKey, "An organization", "cloud_keys"),
        (database.DatabaseRegion, "A database", "regions"),
    ],
    ids=lambda each: each if isinstance(each, str) else each.__name__,
)
def test_every_field_of_an_inner_entry_is_named(
    model: type[BaseModel], heading: str, field: str
) -> None:
    """The line of a field whose entries have fields of their own names each of these."""
    section = read("docs/inventory.md").split(f"# {heading}\n")[1].split("\n#")[0]
    (row,) = re.findall(rf"^\| `{field}` \|(.+)$", section, re.MULTILINE)
    shown = set(re.findall(r"[a-z_0-9]+", " ".join(re.findall(r"`(.+?)`", row))))
    own = set(model.model_fields) - {"seen", "note"}
    assert own - shown == set()


def test_every_fact_and_kind_of_line_is_named() -> None:
    """The page on inventories names each fact that can be missing, and each kind of line."""
    text = read("docs/inventory.md")
    lines = text.split("# NDJSON\n")[1].split("\n#")[0]
    kinds = set(re.findall(r'"kind":"([a-z-]+)"', lines)) | set(re.findall(r"`([a-z-]+)`", lines))
    assert kinds == {"inventory", "end", *entry_reader.KINDS}
    assert {fact for fact in get_args(gaps.Fact) if f"`{fact}`" not in text} == set()


def test_every_spelling_is_listed() -> None:
    """The page on inventories lists each spelling of types and providers."""
    text = read("docs/inventory.md").lower()
    text = " ".join(text.split())
    assert {each for each in {*TYPES, *PROVIDERS} if each not in text} == set()


def test_every_change_is_explained() -> None:
    """The page on changes explains each class, that on the record why a finding ends."""
    rows = re.findall(r"^\| `([a-z]+)` \|", read("docs/changes.md"), re.MULTILINE)
    assert rows == list(CLASSES)
    record = read("docs/record.md")
    assert {
        get_arg for get_arg in get_args(ChangeReason) if get_arg and f"`{get_arg}`" not in record
    } == set()


def test_every_field_and_state_of_a_waiver_is_explained() -> None:
    """The page on waivers shows each field and explains each state."""
    text = read("docs/waivers.md")
    assert all(f"{name}: " in text for name in Waiver.model_fields)
    assert set(re.findall(r"^\| `([a-z-]+)` \|", text, re.MULTILINE)) == set(get_args(State))


def test_examples_in_the_documents_can_be_read(tmp_path: Path) -> None:
    """The inventory, the plan and the waivers shown in the documents are accepted as they stand."""
    inventory, plan, waivers = (tmp_path / name for name in ("i.yaml", "p.yaml", "w.yaml"))
    inventory.write_text(fenced("README.md", "yaml")[0], "utf-8")
    plan.write_text(fenced("docs/inventory.md", "yaml")[1], "utf-8")
    waivers.write_text(fenced("docs/waivers.md", "yaml")[0], "utf-8")
    assert [organization.name for organization in Inventory([str(inventory)]).organizations()] == [
        "acme-prod"
    ]
    assert len(read_plan(str(plan)).organizations) == 1
    assert len(read_waivers([str(waivers)], [rule.card.id for rule in load_rules()])) == 1


@pytest.mark.parametrize("doc", DOCS, ids=lambda doc: doc.name)
def test_links_between_documents_lead_somewhere(doc: Path) -> None:
    """Each relative link and picture of a document exists."""
    links = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", doc.read_text("utf-8"))
    assert [link for link in links if not (doc.parent / link).exists()] == []


@pytest.mark.parametrize("doc", DOCS, ids=lambda doc: doc.name)
def test_links_to_sections_lead_somewhere(doc: Path) -> None:
    """Each link to a section of a document finds a heading there."""
    links = re.findall(r"\]\(([^)#:]*)#([^)]*)\)", doc.read_text("utf-8"))
    missing = {
        (file, anchor)
        for file, anchor in links
        if anchor not in _anchors(doc.parent / file if file else doc)
    }
    assert missing == set()


def _anchors(page: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", page.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^a-z0-9 -]", "", heading.lower()).replace(" ", "-") for heading in headings}
