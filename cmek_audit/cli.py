"""The command ``cmek-audit``."""

from __future__ import annotations

import signal

import click

from cmek_audit.command_group import CommandGroup, LazyCommand

COMMANDS = {
    "init": LazyCommand(
        "cmek_audit.commands.start.init",
        "Write the first files of an audit, and print what to run next.",
    ),
    "audit": LazyCommand(
        "cmek_audit.commands.audit", "Judge an inventory by all rules and write the reports."
    ),
    "merge": LazyCommand(
        "cmek_audit.commands.merge", "Put the shards of an audit together and write its reports."
    ),
    "collect": LazyCommand(
        "cmek_audit.commands.collect", "Read organizations from Astra and record every answer."
    ),
    "convert": LazyCommand(
        "cmek_audit.commands.convert", "Convert an inventory into NDJSON or Parquet."
    ),
    "verify": LazyCommand(
        "cmek_audit.commands.verify", "Prove evidence and reports: make them again and compare."
    ),
    "prune": LazyCommand(
        "cmek_audit.commands.prune", "Turn old evidence bundles into one summary, and remove them."
    ),
    "keys": LazyCommand(
        "cmek_audit.commands.keys.command",
        "List the keys that are needed, registered, missing and unused.",
    ),
    "portal": LazyCommand(
        "cmek_audit.commands.portal.command", "List what to look at in the Astra portal."
    ),
    "diff": LazyCommand(
        "cmek_audit.commands.diff", "Compare two audits: what is new, reopened, fixed or gone."
    ),
    "render": LazyCommand(
        "cmek_audit.commands.render", "Make a report of any format from the record of an audit."
    ),
    "sample": LazyCommand(
        "cmek_audit.commands.sample", "Draw a sample of an audit, to be performed again by hand."
    ),
    "schema": LazyCommand(
        "cmek_audit.commands.start.schema", "List the JSON Schemas, or print one."
    ),
    "settings": LazyCommand(
        "cmek_audit.commands.settings", "List all settings, with their values and sources."
    ),
    "sign": LazyCommand(
        "cmek_audit.commands.delivery.sign",
        "Sign a report, its result, and the hashes of its sources.",
    ),
    "package": LazyCommand(
        "cmek_audit.commands.delivery.package",
        "Pack a report with its sources for an auditor.",
    ),
    "rules": LazyCommand("cmek_audit.commands.rules", "List the rules, or show one in full."),
    "waive": LazyCommand(
        "cmek_audit.commands.waive", "Print the request for a waiver of one finding that fails."
    ),
}
"""All commands, in the order of the help; a new one is its module and a row here."""


def main() -> None:
    """Run the command. A signal to terminate is handled like Ctrl-C, so that it cleans up, too."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    app(prog_name="cmek-audit")


@click.group("cmek-audit", cls=CommandGroup, lazy=COMMANDS)
def app() -> None:
    """Audit customer-managed encryption keys in DataStax/IBM Astra."""
