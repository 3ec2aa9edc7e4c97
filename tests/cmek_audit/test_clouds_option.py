"""Which clouds are asked: by a word, by a list, or as the organizations file says."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cmek_audit.clouds_option import (
    clouds_to_ask,
    complete_clouds,
    parse_clouds,
    require_libraries,
    split_words,
    with_clouds,
)
from inventory.astra.config import Organizations
from inventory.clouds.registry import CLOUDS
from inventory.errors import SettingError

if TYPE_CHECKING:
    from inventory.model.vocabulary import Provider

MISSING = "{} needs no_such_module, which is missing: cmek-audit[{}]"
ALL = ("aws", "gcp", "azure")


def organizations(*ask: str) -> Organizations:
    bare = {"id": "a", "name": "a"}
    data = {"cmek-organizations": 1, "organizations": [bare], "clouds": {"ask": ask}}
    return Organizations.model_validate(data)


def without_library(monkeypatch: pytest.MonkeyPatch, *clouds: Provider) -> None:
    """Let the libraries of ``clouds`` be missing."""
    for cloud in clouds:
        row = CLOUDS[cloud]._replace(libraries=("no_such_module",))
        monkeypatch.setitem(CLOUDS, cloud, row)


@pytest.mark.parametrize(
    ("text", "words", "clouds"),
    [
        ("auto", ("auto",), ALL),
        ("none", ("none",), ()),
        ("azure", ("azure",), ("azure",)),
        (" gcp aws, gcp", ("aws", "gcp"), ("aws", "gcp")),
    ],
)
def test_words_name_clouds(text: str, words: tuple[str, ...], clouds: tuple[str, ...]) -> None:
    """A list names clouds in any order, each once; auto names all, none names none."""
    assert parse_clouds(text, "--kms") == words
    assert clouds_to_ask(words) == clouds


@pytest.mark.parametrize("text", ["", ",", "all", "recorded", "auto,aws", "none,aws", "AWS"])
def test_other_words_are_refused(text: str) -> None:
    """Whatever names no clouds is refused with what is expected."""
    with pytest.raises(SettingError) as raised:
        parse_clouds(text, "--kms")
    expected = "auto, none, or a list of aws, gcp, azure"
    assert str(raised.value) == f"--kms: found {text!r}, expected {expected}"


def test_words_that_were_split_are_left_as_they_are() -> None:
    """What is made in memory needs no reading."""
    assert split_words(("aws",)) == ("aws",)


@pytest.mark.parametrize(
    ("incomplete", "offered"),
    [
        ("", ["auto", "none", *ALL]),
        ("a", ["auto", "aws", "azure"]),
        ("aws,", ["aws,aws", "aws,gcp", "aws,azure"]),
        ("aws,g", ["aws,gcp"]),
        ("x", []),
    ],
)
def test_values_are_completed(incomplete: str, offered: list[str]) -> None:
    """A word is offered whole, of a list its last item."""
    assert complete_clouds(incomplete) == offered


def test_option_replaces_what_the_file_says() -> None:
    """Without the option the file's clouds are asked; with it those that it names, or none."""
    given = organizations("azure")
    asked = {words: with_clouds(given, words, "--kms").clouds.ask for words in ((), ("none",))}
    assert asked == {(): ("azure",), ("none",): ()}
    assert with_clouds(given, ("aws", "gcp"), "--kms").clouds.ask == ("aws", "gcp")
    assert with_clouds(given, ("auto",), "--kms").clouds.ask == ALL


def test_missing_library_is_refused_for_named_clouds_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who names a cloud gets the command that installs its library; auto goes on without it."""
    without_library(monkeypatch, "aws", "azure")
    assert with_clouds(organizations(), ("auto",), "--kms").clouds.ask == ALL
    assert with_clouds(organizations("aws"), ("none",), "--kms").clouds.ask == ()
    require_libraries(["gcp"], "--kms")
    with pytest.raises(SettingError) as by_option:
        with_clouds(organizations(), ("aws", "azure"), "--kms")
    assert str(by_option.value).splitlines() == [
        f"--kms: {MISSING.format('AWS', 'aws')}; {MISSING.format('Azure', 'azure')}",
        "pip install 'cmek-audit[aws,azure]'",
    ]
    with pytest.raises(SettingError, match=r"^clouds\.ask of the organizations file: AWS needs"):
        with_clouds(organizations("aws"), (), "--kms")
