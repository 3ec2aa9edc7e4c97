"""What files look like that are given by mistake."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory.files import file_kinds as kinds

LOOKS = (
    *kinds.BYTE_KINDS,
    *kinds.TEXT_KINDS,
    *kinds.TERRAFORM_KINDS,
    *kinds.OWN_FILES,
    *kinds.FOLDER_KINDS,
)
_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)
_names = st.sampled_from(
    [look.signature.partition("=")[0] for look in (*kinds.TERRAFORM_KINDS, *kinds.OWN_FILES)]
)


@given(st.binary(max_size=40))
def test_any_bytes(raw: bytes) -> None:
    """Whatever bytes a file holds, it is one of the kinds, or none."""
    assert kinds.recognize_bytes(raw) in {*kinds.BYTE_KINDS, kinds.EMPTY, None}


@given(_json | st.dictionaries(_names, _json, max_size=3))
def test_any_data(data: object) -> None:
    """Whatever data a file holds, it is one of the kinds, or none; no value breaks that."""
    look = kinds.recognize_data(data)
    assert look in {*kinds.TERRAFORM_KINDS, *kinds.OWN_FILES, None}


@given(st.text(max_size=40))
def test_any_text(text: str) -> None:
    """Whatever text a file holds, it is one of ours, or none."""
    assert {kinds.recognize_first_line(text), kinds.recognize_head(text)} <= {
        *kinds.OWN_FILES,
        None,
    }


@pytest.mark.parametrize("head", ["cmek-waivers: 1", '"cmek-waivers": 1,', "{cmek-waivers : 1"])
def test_heads_of_texts_that_cannot_be_read(head: str) -> None:
    """A head is found in a text that is no YAML and no JSON; a word that only begins so is none."""
    look = kinds.recognize_head(f"# ours\n\t{head}\nwaivers: [")
    assert look is not None
    assert look.option == "--cmek-waivers"
    assert kinds.recognize_head("cmek-others: 1\n") is None
    assert kinds.recognize_head("is cmek-waivers: 1\n") is None


def test_folders(tmp_path: Path) -> None:
    """A folder is known by what lies in it, whether it exists or not."""
    assert kinds.recognize_folder(tmp_path / "nowhere").found == "a folder"
    assert kinds.recognize_folder(tmp_path).found == "a folder"
    (tmp_path / "main.tf.json").touch()
    assert kinds.recognize_folder(tmp_path).option == "--cmek-terraform-source"
    (tmp_path / "audit.json").touch()
    assert kinds.recognize_folder(tmp_path).option == "--cmek-baseline"


def test_what_is_shown_cannot_be_hostile() -> None:
    """What a look says is plain text on one line, and leads to options that there are."""
    for look in LOOKS:
        assert f"{look.found}{look.hint}{look.give}".isprintable()
        assert look.found.isascii()
        assert look.option == "" or look.option.startswith("--cmek-")
