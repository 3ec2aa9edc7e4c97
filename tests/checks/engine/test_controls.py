from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.engine.controls import (
    DEFAULT,
    Control,
    Framework,
    find_frameworks,
    read_controls,
)
from inventory.errors import ControlsError
from tests.builders import write_json, write_text, write_yaml
from tests.hypothesis_profile import examples

if TYPE_CHECKING:
    from pathlib import Path

FRAMEWORKS = {
    "NIST SP 800-53 r5",
    "ISO/IEC 27001:2022",
    "SOC 2",
    "PCI DSS 4.0.1",
    "CSA CCM 4",
    "HIPAA 45 CFR",
}


def controls_data(*controls: dict[str, Any]) -> dict[str, Any]:
    rules = {"CMEK-01": list(controls) or [{"id": "X-1", "strength": "direct"}]}
    return {"cmek-controls": 1, "frameworks": [{"name": "Acme", "rules": rules}]}


def test_the_bundled_frameworks_are_six() -> None:
    """The bundled control ids are those of six frameworks, with their editions."""
    assert {framework.name for framework in read_controls().frameworks} == FRAMEWORKS


@pytest.mark.parametrize(
    ("rule", "controls"),
    [
        (
            "CMEK-05",
            [
                ("NIST SP 800-53 r5", "CM-3", "direct"),
                ("NIST SP 800-53 r5", "CM-4", "direct"),
                ("NIST SP 800-53 r5", "SC-12", "supporting"),
                ("ISO/IEC 27001:2022", "A.8.32", "direct"),
                ("ISO/IEC 27001:2022", "A.8.24", "supporting"),
                ("SOC 2", "CC8.1", "direct"),
                ("PCI DSS 4.0.1", "3.6.1", "supporting"),
                ("CSA CCM 4", "CEK-15", "direct"),
                ("CSA CCM 4", "CEK-05", "supporting"),
                ("HIPAA 45 CFR", "164.312(a)(2)(iv)", "supporting"),
            ],
        ),
        (
            "CMEK-08",
            [
                ("NIST SP 800-53 r5", "SA-9", "context"),
                ("ISO/IEC 27001:2022", "A.5.23", "context"),
            ],
        ),
        ("CMEK-99", []),
    ],
)
def test_a_rule_has_its_controls(rule: str, controls: list[tuple[str, str, str]]) -> None:
    """The controls of a rule come with framework and strength, and an unknown rule has none."""
    found = [(name, each.id, each.strength) for name, each in read_controls().of(rule)]
    assert found == controls


def test_every_bundled_control_is_described() -> None:
    """Each control that a rule names has a title, and what the evidence leaves open of it."""
    for framework in read_controls().frameworks:
        assert framework.not_shown
        assert framework.controls.keys() == set(framework.ids)
        for words in framework.controls.values():
            assert words.title
            assert "not " in words.not_shown
            assert re.search(r"(Examine|Compare|Take|Ask) .+\.$", words.not_shown)


def test_no_bundled_word_says_that_a_control_is_satisfied() -> None:
    """No text about a framework says that a control is met, satisfied or complied with."""
    text = DEFAULT.read_text("utf-8").partition("cmek-controls:")[2]
    assert re.findall(r"(?i)\b(met|satisf\w+|complian\w+|complies)\b", text) == []


def test_controls_come_in_natural_order() -> None:
    """Numbers inside of an id count by their value, however long they are."""
    long = "1" * 50
    ids = ["A.10", "A.9.2", "A.9", "B", "", f"A.{long}", "1"]
    rules = {"CMEK-01": tuple(Control(id=each, strength="direct") for each in (*ids, "B"))}
    found = Framework(name="Acme", rules=rules).ids
    assert found == ["", "A.9", "A.9.2", "A.10", f"A.{long}", "B", "1"]


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("SOC 2", ["SOC 2"]),
        ("soc 2", ["SOC 2"]),
        ("NIST 800-53", ["NIST SP 800-53 r5"]),
        ("iso 27001", ["ISO/IEC 27001:2022"]),
        ("PCI", ["PCI DSS 4.0.1"]),
        ("ccm", ["CSA CCM 4"]),
        ("hipaa", ["HIPAA 45 CFR"]),
        ("4", ["PCI DSS 4.0.1", "CSA CCM 4"]),
        ("2 soc", []),
        ("soc soc", []),
        ("soc2", []),
        ("-", []),
        ("", []),
    ],
)
def test_a_framework_is_found_by_words_of_its_name(words: str, found: list[str]) -> None:
    """Some words of the name, in their order and in any case, are enough; no word finds none."""
    names = [framework.name for framework in read_controls().frameworks]
    assert find_frameworks(words, names) == found


@examples(100)
@given(st.lists(st.text(max_size=8), max_size=5), st.text(max_size=8))
def test_a_whole_name_always_finds_its_framework(names: list[str], name: str) -> None:
    """A name as it is written finds itself alone, even if others have all its words."""
    assert find_frameworks(name, [*names, name, f"{name} 2", name]) == [name]


def test_own_controls_replace_the_bundled_ones(tmp_path: Path) -> None:
    """A file of one's own, in YAML or JSON, is read instead."""
    write_yaml(tmp_path / "c.yaml", controls_data())
    write_json(tmp_path / "c.json", controls_data())
    for name in ("c.yaml", "c.json"):
        (found,) = read_controls(tmp_path / name).of("CMEK-01")
        assert (found[0], found[1].id, found[1].strength) == ("Acme", "X-1", "direct")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (controls_data({"id": "X-1", "strength": "weak"}), "strength: found 'weak', expected"),
        (controls_data({"id": "X-1"}), "strength: found nothing, expected a value"),
        (controls_data({"id": "X-1", "strength": "direct", "by": 1}), "by: found an unknown field"),
        (controls_data() | {"cmek-controls": 2}, "cmek-controls: found 2, expected 1"),
        ({"cmek-controls": 1}, "frameworks: found nothing, expected a value"),
        ([], "found an empty list"),
    ],
)
def test_a_file_that_is_not_as_documented_is_refused(
    tmp_path: Path, data: object, message: str
) -> None:
    """Control ids of another shape are refused, with field, finding and expectation."""
    write_yaml(tmp_path / "c.yaml", data)
    with pytest.raises(ControlsError) as raised:
        read_controls(tmp_path / "c.yaml")
    assert message in str(raised.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("frameworks: [\n", "expected YAML"),
        ("cmek-controls: 1\ncmek-controls: 1\nframeworks: []\n", "c.yaml:2: cmek-controls: found"),
    ],
)
def test_a_file_that_is_no_document_is_refused(tmp_path: Path, text: str, message: str) -> None:
    """A file that cannot be read as YAML, or says a thing twice, is refused with its line."""
    write_text(tmp_path / "c.yaml", text)
    with pytest.raises(ControlsError) as raised:
        read_controls(tmp_path / "c.yaml")
    assert message in str(raised.value)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    """A file that is not there is told by its path."""
    with pytest.raises(ControlsError, match=r"none\.yaml: found No such file or directory"):
        read_controls(tmp_path / "none.yaml")


def test_a_rule_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    """Control ids of a rule that does not exist are refused, with the rule's line."""
    text = "cmek-controls: 1\nframeworks:\n  - name: X\n    rules:\n      CMEK-99: []\n"
    write_text(tmp_path / "c.yaml", text)
    with pytest.raises(ControlsError) as raised:
        read_controls(tmp_path / "c.yaml", {"CMEK-01"})
    assert "c.yaml:5: frameworks[0].rules.CMEK-99: found 'CMEK-99', expected" in str(raised.value)
    assert read_controls(tmp_path / "c.yaml", {"CMEK-99"}).frameworks[0].rules == {"CMEK-99": ()}


def test_words_for_a_control_that_no_rule_names_are_refused(tmp_path: Path) -> None:
    """A mistyped id among the descriptions is refused, with its line and the id that is meant."""
    text = (
        "cmek-controls: 1\nframeworks:\n  - name: X\n    controls:\n      AC-11: {}\n"
        "    rules: {CMEK-01: [{id: AC-1, strength: direct}]}\n"
    )
    write_text(tmp_path / "c.yaml", text)
    with pytest.raises(ControlsError) as raised:
        read_controls(tmp_path / "c.yaml")
    assert str(raised.value).endswith(
        "c.yaml:5: frameworks[0].controls.AC-11: found 'AC-11', expected a control that a rule "
        "names; did you mean 'AC-1'?"
    )


def test_descriptions_are_optional(tmp_path: Path) -> None:
    """A file of one's own may leave out what a framework and its controls leave open."""
    write_yaml(tmp_path / "c.yaml", controls_data())
    [framework] = read_controls(tmp_path / "c.yaml").frameworks
    assert (framework.not_shown, framework.controls) == ("", {})
