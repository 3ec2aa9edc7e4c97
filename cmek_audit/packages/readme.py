"""The README of a package, for somebody who has none of the tools."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cmek_audit.packages import layout
from cmek_audit.packages.layout import ELSEWHERE, REPORT, SOURCES, SUMS
from cmek_audit.signing.statement import PAYLOAD_TYPE
from inventory.text.display import pluralize, printable
from inventory.text.secrets import without_secrets
from reports.formats.registry import PAGE
from reports.presentation.banners import banners
from reports.record.layout import FINDINGS, HEAD, POPULATION, SIGNATURE
from reports.record.reader import relying_on

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cmek_audit.packages.contents import Contents

SIGNED_SUMS = (
    "sed 's/{\"name\"/\\n&/g' payload.json |\n"
    '  sed -n \'s/^{"name":"\\([^"]*\\)","digest":'
    '{"sha256":"\\([0-9a-f]*\\)"}}.*/\\2  \\1/p\' > signed.sums'
)
VERIFY = f"""\
sed -n 's/^ "payload": "\\(.*\\)",$/\\1/p' {REPORT}/{SIGNATURE} | base64 -d > payload.json
sed -n 's/^ *"sig": "\\(.*\\)"$/\\1/p' {REPORT}/{SIGNATURE} | base64 -d > signature.bin
printf 'DSSEv1 {len(PAYLOAD_TYPE)} {PAYLOAD_TYPE} %d ' "$(wc -c < payload.json)" > signed.bin
cat payload.json >> signed.bin
openssl pkeyutl -verify -pubin -inkey PUBLIC.pem -rawin -in signed.bin -sigfile signature.bin
{SIGNED_SUMS}
(cd {REPORT} && sha256sum --check ../signed.sums)
wc -l < signed.sums; find {REPORT} ! -type d ! -path {REPORT}/{SIGNATURE} | wc -l"""
"""The commands that check the signature with nothing but a shell and OpenSSL."""

_WHAT = {
    f"{REPORT}/{PAGE}": "the report: open it in a browser",
    f"{REPORT}/{HEAD}": "the record of the audit, as data: what was read, by what was judged",
    f"{REPORT}/{FINDINGS}": "every finding, one a line, in JSON",
    f"{REPORT}/{POPULATION}": "every organization, key and database that was judged, one a line",
    f"{REPORT}/{SIGNATURE}": "the signature of the report",
}
_FIRST = {
    layout.INDEX_PAGE: "the evidence by framework and control, and the sources",
    layout.INDEX_TABLE: "the same by framework and control, for a spreadsheet",
    layout.WORK_PAPER: "a sample of databases to perform again by hand, with empty columns",
    layout.LISTED: "every source that the record names, and where it is in this package",
    SUMS: "the SHA-256 of each file",
}


def guide(contents: Contents) -> tuple[tuple[str, str], ...]:
    """Return the files to begin with, each with what it is."""
    there = {name: what for name, what in _WHAT.items() if name in contents.files}
    return tuple((_FIRST | there).items())


def render_readme(contents: Contents) -> bytes:
    """Render the README; raise RecordError if the record holds what no audit writes."""
    with relying_on(contents.record):
        lines = [printable(without_secrets(line)) for line in _lines(contents)]
    return ("\n".join(lines) + "\n").encode("utf-8", "backslashreplace")


def _lines(contents: Contents) -> Iterator[str]:
    head = contents.record.head
    yield from ("Package for an auditor", "======================", "")
    yield from (*banners(head), f"{head['title']}, judged as of {head['settings']['as_of']}.")
    yield from (f"Verdict: {' '.join(head['verdict']['text'].split())}", "")
    yield from (f"Report: {head['report']}", "", "What is here", "------------", "")
    for name, what in guide(contents):
        yield from (f"{name}", f"    {what}")
    yield from (f"{SOURCES}/", "    files that the audit read, under the paths in the record")
    if any(source.place.startswith(ELSEWHERE) for source in contents.sources):
        yield from (f"{ELSEWHERE}/", f"    files with other paths: {layout.LISTED} names each")
    yield from ("", *_missing(contents), *_how_to_read(), *_hashes())
    yield from _signature() if contents.is_signed else _unsigned()
    yield from _with_tool()


def _missing(contents: Contents) -> Iterator[str]:
    yield from ("What is not here", "----------------", "")
    if not contents.missing:
        yield "Every source that the record names is here."
    else:
        yield f"{pluralize(len(contents.missing), 'source')} that the record names:"
    for source in contents.missing:
        yield f"- {source.path} ({source.role}): {source.note}"
    if contents.others:
        yield f"Also in the folder of the report, and not packed: {', '.join(contents.others)}"
    yield ""


def _how_to_read() -> tuple[str, ...]:
    return (
        *("How to read it", "--------------", ""),
        "Begin with index.html. It shows which evidence each control has.",
        "A control asks for more than this evidence can show. Read what each one does not show.",
        '"Inconclusive" means that something could not be judged. It never counts as passed.',
        "",
    )


def _hashes() -> tuple[str, ...]:
    return (
        *("Are the files whole?", "--------------------", ""),
        'This prints "whole". It shows that no file was damaged on its way, and not who made it:',
        "whoever can change a file can change the list, too.",
        *("", f"sha256sum --check --strict --quiet {SUMS} && echo whole", ""),
    )


def _signature() -> tuple[str, ...]:
    return (
        *("Who signed it?", "--------------", ""),
        "You need OpenSSL 3, and the public key of those who made the report, as PUBLIC.pem. Get",
        "the key by another way than this package. These commands must print",
        '"Signature Verified Successfully", and OK for each file of the report. The two numbers at',
        "the end must be equal: then no file was added.",
        *("", *VERIFY.splitlines(), ""),
        f"The signature is of the files in {REPORT}/ alone. It is not of this file, nor of others",
        "beside that folder: cmek-audit makes those again from the report.",
        "",
        "The file payload.json then is what was signed. It lists the hash of each file of the",
        'report, the hash of each source ("configuration"), and the result.',
        "",
    )


def _unsigned() -> tuple[str, ...]:
    return (
        *("Who made it?", "------------", ""),
        "The report is not signed: nothing here shows who made it.",
        "",
    )


def _with_tool() -> tuple[str, ...]:
    return (
        *("With cmek-audit", "---------------", ""),
        "This checks all of the above, judges the sources again, and compares the results:",
        *("", "cmek-audit verify --key PUBLIC.pem audit-package.zip"),
    )
