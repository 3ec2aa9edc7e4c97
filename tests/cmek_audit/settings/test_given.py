"""What a settings file or a variable may give to an option, and how it is shown."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cmek_audit.run.options import OPTIONS, Option
from cmek_audit.settings.given import Given, value_in_toml, value_in_variable
from inventory.errors import SettingError

BY_NAME = {option.name: option for option in OPTIONS}
TEXTS = st.text(min_size=1).filter(lambda text: text.strip() and "\0" not in text)
OTHERS = st.one_of(
    st.none(),
    st.floats(),
    st.just(datetime(2026, 11, 20, tzinfo=UTC)),
    st.dictionaries(st.text(), st.integers(), min_size=1),
    st.sampled_from(["", "  ", "a\0b"]),
)


def _toml(name: str, value: object) -> object:
    return value_in_toml(BY_NAME[name], value)


@pytest.mark.parametrize(
    ("name", "value", "taken"),
    [
        ("inventory", ["a.yaml", "b.yaml"], ("a.yaml", "b.yaml")),
        ("inventory", [], ()),
        ("framework", ["SOC 2"], ("SOC 2",)),
        ("report-dir", "reports", "reports"),
        ("fail-on", "high", "high"),
        ("formats", ["json", "html"], "json,html"),
        ("formats", "json html", "json html"),
        ("rotation-days", 90, "90"),
        ("jobs", "auto", "auto"),
        ("no-waivers", True, True),
        ("no-waivers", False, False),
    ],
)
def test_each_kind_of_option_has_its_form_in_toml(name: str, value: object, taken: object) -> None:
    """A list is an array, a number is a number, and a flag is true or false."""
    assert _toml(name, value) == taken


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        (
            "inventory",
            "a.yaml",
            "found 'a.yaml', expected an array of texts, such as [\"inventory.yaml\"]",
        ),
        ("framework", [3], 'found 3, expected an array of texts, such as ["SOC 2"], each usable'),
        ("fail-on", ["high"], 'found a list of 1, expected a text in quotes, such as "high"'),
        ("shard-dir", True, 'found true, expected a text in quotes, such as "shard-dir"'),
        ("formats", [], 'found an empty list, expected an array of texts, such as ["html"]'),
        ("kms", 3, 'found 3, expected an array of texts, such as ["aws"]'),
        ("jobs", True, "found true, expected a number: N"),
        ("no-waivers", "yes", "found 'yes', expected true or false"),
        ("no-waivers", 1, "found 1, expected true or false"),
    ],
)
def test_another_type_is_refused(name: str, value: object, message: str) -> None:
    """An error shows what was found, and the form that is expected."""
    with pytest.raises(SettingError) as caught:
        _toml(name, value)
    assert str(caught.value) == message


@given(option=st.sampled_from(OPTIONS), value=OTHERS)
def test_nothing_but_a_text_a_number_or_a_flag_is_taken(option: Option, value: object) -> None:
    """No date, no table, no blank text, and no text with NUL becomes a setting."""
    with pytest.raises(SettingError):
        value_in_toml(option, value)
    if option.is_list:
        with pytest.raises(SettingError):
            value_in_toml(option, ["good", value])


@given(st.lists(TEXTS, max_size=4))
def test_an_array_is_taken_as_it_is(texts: list[str]) -> None:
    """No text of an array is changed or left out."""
    assert _toml("inventory", texts) == tuple(texts)


def _variable(name: str, text: str, separator: str = ":") -> object:
    return value_in_variable(BY_NAME[name], text, separator)


@pytest.mark.parametrize(
    ("name", "text", "taken"),
    [
        ("inventory", "a.yaml:b.yaml", ("a.yaml", "b.yaml")),
        ("inventory", "a:1.yaml\nb.yaml\n", ("a:1.yaml", "b.yaml")),
        ("inventory", "a:1.yaml\n", ("a:1.yaml",)),
        ("framework", "ISO/IEC 27001:2022", ("ISO/IEC 27001:2022",)),
        ("framework", "SOC 2\nISO/IEC 27001:2022", ("SOC 2", "ISO/IEC 27001:2022")),
        ("report-dir", " r ", "r"),
        ("formats", "json,html", "json,html"),
        *[("no-waivers", word, True) for word in ("1", "true", "YES", "on")],
        *[("no-waivers", word, False) for word in ("0", "False", "no", "off ")],
    ],
)
def test_each_kind_of_option_has_its_form_in_a_variable(
    name: str, text: str, taken: object
) -> None:
    """Paths are separated as in PATH, or by lines; texts by lines, as they may hold a colon."""
    assert _variable(name, text) == taken


def test_a_flag_that_is_neither_yes_nor_no_is_refused() -> None:
    """A word that is not known must not count as yes, nor as no."""
    with pytest.raises(SettingError) as caught:
        _variable("allow-inconclusive", "maybe")
    expected = "1, true, yes or on, or else 0, false, no or off"
    assert str(caught.value) == f"found 'maybe', expected {expected}"


@given(st.lists(st.text("abc/.-", min_size=1), min_size=1))
def test_paths_come_back_from_a_variable(paths: list[str]) -> None:
    """What is joined by the separator, or by lines, is found again."""
    for separator in (os.pathsep, "\n"):
        joined = separator.join(paths)
        assert _variable("inventory", joined, os.pathsep) == tuple(paths)


def _given(name: str, value: Any, base: str = "/p") -> Given:  # noqa: ANN401 (any value)
    return Given(BY_NAME[name], value, Path(base), "cmek-audit.toml:3", "label")


@pytest.mark.parametrize(
    ("name", "value", "spelled"),
    [
        ("inventory", ("b.yaml", "./a.yaml"), ("/p/a.yaml", "/p/b.yaml")),
        ("plan", ("x=p.json",), ("x=/p/p.json",)),
        ("report-dir", "r", "/p/r"),
        ("live", "env", "env"),
        ("live", "organizations.yaml", "/p/organizations.yaml"),
        ("fail-on", "high", "high"),
        ("no-waivers", True, True),
        ("framework", ("b", "a"), ("b", "a")),
    ],
)
def test_a_relative_path_starts_where_it_is_written(
    name: str, value: object, spelled: object
) -> None:
    """Only what is a path changes, and several paths get their one order."""
    assert _given(name, value).spelled == spelled


@pytest.mark.parametrize(
    ("name", "value", "shown"),
    [
        ("fail-on", "high", "fail-on=high from cmek-audit.toml:3"),
        ("no-waivers", True, "no-waivers from cmek-audit.toml:3"),
        ("no-waivers", False, "no-waivers=false from cmek-audit.toml:3"),
        ("inventory", ("a",), "inventory=a from cmek-audit.toml:3"),
        ("inventory", ("a", "b"), "inventory=(2 values) from cmek-audit.toml:3"),
        ("report-dir", "r" * 20_000, "report-dir=a text of 20,000 characters from cmek-audit.to"),
    ],
)
def test_a_setting_is_shown_with_its_source(name: str, value: object, shown: str) -> None:
    """One line says what is set, and by whom."""
    assert str(_given(name, value)).startswith(shown)
