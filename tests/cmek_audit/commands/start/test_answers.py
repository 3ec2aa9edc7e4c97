"""What ``init`` has to know: options, defaults, and names of organizations that can be used."""

from __future__ import annotations

import re

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from cmek_audit.commands.start.answers import (
    PIPELINES,
    SOURCES,
    Answers,
    Given,
    OrganizationEntry,
    answers,
)
from inventory.errors import SettingError


def entries(*names: str) -> tuple[OrganizationEntry, ...]:
    return answers(Given(organizations=names), may_ask=False).organizations


def test_defaults() -> None:
    """Without options and without a terminal there are defaults for everything."""
    only = OrganizationEntry("my-organization", "ASTRA_TOKEN_MY_ORGANIZATION")
    assert answers(Given(), may_ask=False) == Answers(
        is_live=False, organizations=(only,), pipeline="none"
    )


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("pipeline", PIPELINES)
def test_options(source: str, pipeline: str) -> None:
    """What the options say is what counts; nothing is asked where nothing is open."""
    given_options = Given(source, ("acme",), pipeline)
    assert answers(given_options, may_ask=True) == Answers(
        is_live=source == "live",
        organizations=(OrganizationEntry("acme", "ASTRA_TOKEN_ACME"),),
        pipeline=pipeline,
    )


def test_questions() -> None:
    """What no option says is asked, in this order; an unknown choice is asked again."""
    with CliRunner().isolation("nothing\nlive\n acme-prod,acme-test \ngithub\n") as (_, err, _):
        found = answers(Given(), may_ask=True)
        asked = err.getvalue().decode()
    names = [entry.name for entry in found.organizations]
    assert (found.is_live, names, found.pipeline) == (True, ["acme-prod", "acme-test"], "github")
    assert asked.count("Source: ") == 2
    assert asked.index("Names of the organizations") < asked.index("Pipeline that runs the audit")


def test_variables_are_unique() -> None:
    """Names that differ only by what a variable cannot hold have variables with numbers."""
    names = ("acme-prod", "Acme Prod", "acme prod 2", "ACME.PROD", "日本", "中国")
    assert [entry.variable for entry in entries(*names)] == [
        "ASTRA_TOKEN_ACME_PROD",
        "ASTRA_TOKEN_ACME_PROD_2",
        "ASTRA_TOKEN_ACME_PROD_2_2",
        "ASTRA_TOKEN_ACME_PROD_3",
        "ASTRA_TOKEN",
        "ASTRA_TOKEN_2",
    ]


@given(st.lists(st.text("aB-_. 1é", min_size=1), min_size=1, max_size=6, unique=True))
def test_any_names_have_variables(names: list[str]) -> None:
    """Whatever the names are, each has a variable of its own, which a shell can set."""
    visible = [name for name in names if name.strip()]
    if not visible:
        return
    variables = [entry.variable for entry in entries(*visible)]
    assert len(set(variables)) == len(variables)
    assert all(re.fullmatch("[A-Z][A-Z0-9_]{0,100}", variable) for variable in variables)


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (("acme", "acme"), "--organization: found 'acme' twice, expected it once"),
        (("",), "--organization: found '', expected a name with a visible character"),
        (("\u200b",), "expected a name with a visible character"),
        (("AstraCS:" + "a" * 24,), "found what looks like a token, expected a name"),
    ],
)
def test_unusable_names(names: tuple[str, ...], message: str) -> None:
    """A name that is given twice, is not visible or is a token is refused, and never repeated."""
    with pytest.raises(SettingError) as caught:
        entries(*names)
    assert message in str(caught.value)
    assert "AstraCS:" not in str(caught.value)
