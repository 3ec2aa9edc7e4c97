"""The first files of an audit: what ``init`` writes, and what it recommends to do next."""

from __future__ import annotations

import re
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING

from cmek_audit import install_location
from cmek_audit.commands.start.editor_schemas import SCHEMAS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from cmek_audit.commands.start.answers import Answers

_TEMPLATES = Path(__file__).with_name("templates")
_SCHEMA_FOLDER = ".cmek-audit"
WAIVERS = "waivers.yaml"

PIPELINE_FILES = {"github": ".github/workflows/cmek-audit.yml", "gitlab": ".gitlab-ci.yml"}
"""Where each system expects its pipeline."""

_SAMPLES = {
    ("github", True): "docs/workflows/nightly.yml",
    ("github", False): "docs/workflows/recorded.yml",
    ("gitlab", True): "docs/samples/gitlab-ci.yml",
    ("gitlab", False): "docs/samples/gitlab-ci.yml",
}
"""The pipeline of each system, for a live audit and for a recorded inventory."""

_LIVE_INPUT, _RECORDED_INPUT = "live: organizations.yaml", "inventory: [inventory.yaml]"
_TOKEN_LINE = re.compile(
    r"^( +)ASTRA_TOKEN_\w+: \$\{\{ secrets\.ASTRA_TOKEN_\w+ \}\}\n", re.MULTILINE
)
_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_.-]*")
_WORDS_OF_YAML = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null"})


def main_file(answers: Answers) -> str:
    """Return the name of the file that says what is audited."""
    return "organizations.yaml" if answers.is_live else "inventory.yaml"


def first_files(answers: Answers, now: datetime) -> dict[str, str]:
    """Return the content of each file by its path in the folder; ``now`` is the time in UTC."""
    main = main_file(answers)
    files = {name: _render(name, answers, now) for name in (main, WAIVERS)}
    if answers.pipeline in PIPELINE_FILES:
        files[PIPELINE_FILES[answers.pipeline]] = _pipeline(answers)
    for name in (main.removesuffix(".yaml"), "waivers"):
        files[_schema_file(name)] = SCHEMAS[name].path.read_text(encoding="utf-8")
    return files


def next_commands(answers: Answers, folder: str) -> list[str]:
    """Return the commands to run next, each as it is typed in a shell."""
    main = main_file(answers)
    what = (
        f"--cmek-live={main} --cmek-history=audit-evidence"
        if answers.is_live
        else f"--cmek-inventory={main}"
    )
    change = [] if Path(folder) == Path() else [f"cd {quote(folder)}"]
    return [*change, f"cmek-audit audit {what} --cmek-waivers={WAIVERS}"]


def notes(answers: Answers) -> Iterator[str]:
    """Yield what the user has to do by hand, in sentences."""
    main = main_file(answers)
    yield f"The audit ends with 1 until you replace every REPLACE-… in {main} with what is true."
    if answers.is_live:
        variables = ", ".join(entry.variable for entry in answers.organizations)
        yield f"Put each token into its variable: {variables}. Without it, Astra is not asked."
    if answers.pipeline in PIPELINE_FILES:
        file = PIPELINE_FILES[answers.pipeline]
        yield f"In {file}, replace OWNER with whoever publishes cmek-audit for you."
    if (answers.pipeline, answers.is_live) == ("github", True):
        yield "Before the first night, make the branch cmek-evidence. The file shows how."


def _schema_file(name: str) -> str:
    return f"{_SCHEMA_FOLDER}/{name}.schema.json"


def _render(name: str, answers: Answers, now: datetime) -> str:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined  # noqa: PLC0415 (help needs none)

    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        undefined=StrictUndefined,
        autoescape=False,  # noqa: S701 (it writes YAML, by a filter of its own)
        trim_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["yaml"] = yaml_text
    return environment.get_template(f"{name}.j2").render(
        schema=_schema_file(name.removesuffix(".yaml")),
        organizations=answers.organizations,
        now=f"{now:%Y-%m-%dT%H:%M:%SZ}",
    )


def yaml_text(text: str) -> str:
    """Return ``text`` as YAML writes it: plain if that is safe, else in double quotes."""
    if _PLAIN.fullmatch(text) and text.lower() not in _WORDS_OF_YAML:
        return text
    return '"' + "".join(map(_in_quotes, text)) + '"'


def _in_quotes(character: str) -> str:
    if character in '"\\':
        return f"\\{character}"
    return character if character.isprintable() else f"\\U{ord(character):08x}"


def _pipeline(answers: Answers) -> str:
    """Return the sample for the pipeline, which the documentation shows, made to fit."""
    sample = install_location.folder() / _SAMPLES[answers.pipeline, answers.is_live]
    text = sample.read_text(encoding="utf-8")
    if not answers.is_live:
        return text.replace(_LIVE_INPUT, _RECORDED_INPUT)
    lines = [
        f"{{indent}}{entry.variable}: ${{{{ secrets.{entry.variable} }}}}\n"
        for entry in answers.organizations
    ]
    return _with_tokens(text, lines)


def _with_tokens(text: str, lines: list[str]) -> str:
    """Replace the sample's tokens by ``lines``."""
    found = [*_TOKEN_LINE.finditer(text)]
    if not found:
        return text
    indent, begin, end = found[0][1], found[0].start(), found[-1].end()
    block = "".join(line.replace("{indent}", indent) for line in lines)
    return f"{text[:begin]}{block}{text[end:]}"
