"""What to look at, printed for people."""

from __future__ import annotations

from typing import Any

from cmek_audit.commands.portal.text import render

LOOK: dict[str, Any] = {
    "kind": "region",
    "where": ["the database", "Regions", "More", "Details"],
    "organization": "one",
    "organization_name": "acme-prod",
    "type": "serverless",
    "provider": "aws",
    "region": "us-east-1",
    "key_id": "",
    "database": "d1",
    "database_name": "orders",
    "databases": 1,
    "shows_use": False,
    "is_only_one": False,
    "only_if_in_use": False,
    "is_younger": False,
}
KEY = LOOK | {
    "kind": "key",
    "where": ["Settings", "Security", "Key Encryption"],
    "key_id": "k1",
    "database": "",
    "database_name": "",
    "databases": 3,
}


def rendered(*entries: dict[str, Any], **over: object) -> list[str]:
    found = {"as_of": "2026-11-20T02:00:00Z", "example": False, "looks": entries, "left": []} | over
    return render(found).splitlines()


def test_keys_come_before_regions_each_with_its_place() -> None:
    """Each kind of look has its title with the clicks, and each look what it resolves."""
    lines = rendered(KEY, LOOK | {"only_if_in_use": True}, example=True)
    assert lines[:11] == [
        "Looks at the Astra portal as of 2026-11-20T02:00:00Z, the time of an example",
        "",
        "Look at these keys: Settings → Security → Key Encryption",
        "  acme-prod, serverless/aws/us-east-1: k1",
        "    Available resolves 3 databases; In-Use leaves the regions below.",
        "",
        "Look at these regions only if their key is shown In-Use: the database → Regions",
        "→ More → Details",
        "  acme-prod, serverless/aws/us-east-1: orders (d1)",
        "",
        "To record what you see, print a form with --form, fill it in, and give it to the",
    ]
    assert lines[-1] == "Exit code 1: there is something to look at."


def test_each_effect_is_named() -> None:
    """A look says what it resolves, and when it is too early."""
    lines = rendered(
        KEY | {"databases": 1, "is_only_one": True, "shows_use": True},
        KEY | {"databases": 0, "shows_use": True},
        LOOK | {"is_younger": True},
    )
    for expected in (
        "    Whatever it shows resolves 1 database.",
        "    It resolves whether the key is in use.",
        "    The database is of today: look on a later day.",
    ):
        assert expected in lines


def test_what_no_look_resolves_is_explained() -> None:
    """Reasons are explained with their meaning, and an unknown one is named all the same."""
    left = [{"reason": "unknown-type", "findings": 2}, {"reason": "odd", "findings": 1}]
    lines = rendered(left=left)
    assert lines[2:] == [
        "No look resolves",
        "  2 findings, unknown-type: The tier does not identify the database type.",
        "  1 finding, odd",
        "",
        "Exit code 1: something is inconclusive that no look resolves.",
    ]


def test_nothing_to_look_at() -> None:
    """Where nothing is open, that is all that is said."""
    assert rendered()[-1] == "Exit code 0: there is nothing to look at."


def test_long_lists_are_cut_and_counted() -> None:
    """Of very many looks the first are printed, and where all of them are."""
    lines = rendered(*[LOOK] * 1_042)
    assert "  … and 1,002 more: --json and --form list all of them" in lines
    assert len(lines) < 60


def test_names_do_no_harm() -> None:
    """Control characters and reversed text in names are not printed."""
    lines = rendered(LOOK | {"database_name": "\x1b[31m\u202egpj.exe", "organization_name": "\x07"})
    assert "?[31m?gpj.exe (d1)" in "\n".join(lines)
    assert not set("\x1b\x07\u202e") & set("".join(lines))
