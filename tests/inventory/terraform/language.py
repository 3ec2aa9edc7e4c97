"""Configurations made up at random in Terraform's own language, and where Terraform reads them."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path
    from random import Random

TERRAFORM = shutil.which("terraform")
KIND = "terraform_data"
BLOCK = f'resource "{KIND}" "orders" {{\n}}\n'
_DECLARED = re.compile(r"was already declared at \S+?:(\d+),")
_HEADS = (
    BLOCK,
    f"resource {KIND} orders {{}}\n",
    f'resource "{KIND}" orders {{\n  input = "${{1}}"\n}}\n',
    f'resource/**/"{KIND}"/*\n*/"orders"{{\n}}\n',
    f'\tresource "{KIND}" "orders" {{ # x\r\n}}\n',
)
_GAPS = ("", "\n\n", '# " {\n', "// <<E\n", '/* " \n { */', "#é\r\n", "/**/")
_ENDS = ("\n", ' # "\n', " // {\n", "/* } */\r\n")
_SIGNS = ("$", "$$", "$${", "%", "%%", "%%{", "}", "~}", "{", "a", " ", "~", "#", "//", "/*", "([")
_QUOTED = (*_SIGNS, '\\"', "\\\\", "\\n", "é", "<<E")
_RAW = (*_SIGNS, '"', "\\", "E", "\t", "\xa0", BLOCK.strip())
_PLAIN = (
    "1",
    "a.b",
    "!!true",
    "1.5e3",
    "core::max(1, 2) / 2 <= 3",
    'a /* " */ + 1',
    "f(/* ) */ 1)",
)


def write_configuration(random: Random) -> str:
    """Write a text with ``terraform_data.orders``, most of the time a valid configuration."""
    blocks = [_block(random, name) for name in random.choice(("", "a", "ab", "abc"))]
    blocks.insert(random.randrange(len(blocks) + 1), random.choice(_HEADS))
    text = "".join(random.choice(_GAPS) + block for block in blocks)
    if random.random() < 0.1:
        at = random.randrange(len(text))
        text = text[:at] + random.choice(_RAW) + text[at:]
    return text


def _block(random: Random, name: str) -> str:
    end = random.choice(_ENDS)
    return f"locals {{\n  {name} = {_value(random, 3)}{end}}}{random.choice(_ENDS)}"


def _value(random: Random, depth: int) -> str:
    kind = random.choice(["plain", "quoted", "quoted", "heredoc", "heredoc", "brackets"])
    if kind == "plain" or depth == 0:
        return random.choice(_PLAIN)
    if kind == "quoted":
        return f'"{_template(random, _QUOTED, depth)}"'
    if kind == "heredoc":
        return _heredoc(random, depth)
    begin, end = random.choice((("(", ")"), ("[\n", "\n]"), ("[", ", ]"), ("{ x = ", "\n}")))
    return f"{begin}{_value(random, depth - 1)}{end}"


def _template(random: Random, signs: Sequence[str], depth: int) -> str:
    parts = random.choices(signs, k=random.randrange(5))
    for _ in range(random.randrange(2)):
        inner, strip = _value(random, depth - 1), random.choice((" ", "~ "))
        part = random.choice((f"${{{strip}{inner}{strip.strip()}}}", "%{ if true ~}x%{ endif }"))
        parts.insert(random.randrange(len(parts) + 1), part)
    return "".join(parts)


def _heredoc(random: Random, depth: int) -> str:
    marker, newline = random.choice(("E", "EOT", "é-1")), random.choice(("\n", "\n", "\r\n"))
    signs = (*_RAW, marker, f"{marker} ", f" {marker}")
    lines = [_template(random, signs, depth) for _ in range(random.randrange(4))]
    ends = random.choice(("", " ", "\t")), random.choice(("", " ", "\xa0"))
    return newline.join((f"<<{random.choice(('', '-'))}{marker}", *lines, marker.join(ends), ""))


def ask_terraform(folder: Path, texts: Sequence[str]) -> list[int | None]:
    """Return the line of ``terraform_data.orders`` in each of ``texts``; None if it is refused.

    Terraform says of a resource that is there twice where it was first.
    """
    modules, calls = [{"Key": "", "Source": "", "Dir": "."}], ""
    for number, text in enumerate(texts):
        name = f"m{number}"
        (folder / name).mkdir()
        (folder / name / "a.tf").write_bytes(text.encode())
        (folder / name / "b.tf").write_text(BLOCK, "utf-8")
        modules.append({"Key": name, "Source": f"./{name}", "Dir": name})
        calls += f'module "{name}" {{\n  source = "./{name}"\n}}\n'
    (folder / "main.tf").write_text(calls, "utf-8")
    (folder / ".terraform/modules").mkdir(parents=True)
    (folder / ".terraform/modules/modules.json").write_text(json.dumps({"Modules": modules}))
    lines: list[int | None] = [None] * len(texts)
    refused: set[int] = set()
    for problem in _problems(folder):
        number = int(problem["range"]["filename"].partition("/")[0][1:])
        declared = _DECLARED.search(problem["detail"])
        if declared:
            lines[number] = int(declared[1])
        else:
            refused.add(number)
    return [None if number in refused else line for number, line in enumerate(lines)]


def _problems(folder: Path) -> list[dict[str, Any]]:
    (folder / "empty.rc").touch()
    own = {"TF_CLI_CONFIG_FILE": str(folder / "empty.rc"), "CHECKPOINT_DISABLE": "1"}
    shown = {name: text for name, text in os.environ.items() if not name.startswith("TF_")} | own
    command = [str(TERRAFORM), "validate", "-json"]
    done = subprocess.run(
        command, cwd=folder, env=shown, capture_output=True, text=True, check=False, timeout=120
    )
    problems: list[dict[str, Any]] = json.loads(done.stdout)["diagnostics"]
    return problems
