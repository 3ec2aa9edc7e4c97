"""Where a resource stands in Terraform's configuration: file and line."""

from __future__ import annotations

import hashlib
import itertools
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path as FilePath
from typing import TYPE_CHECKING, Any

from inventory.documents import read_document
from inventory.errors import InventoryError, Problem, SettingError
from inventory.terraform_addresses import module_names

if TYPE_CHECKING:
    from inventory.terraform_documents import Resource

_MANIFEST = ".terraform/modules/modules.json"
_LABELS = 3
_Blocks = dict[tuple[str, str], tuple[str, int]]


class SourceTree:
    """The folder of a configuration; its files are parsed when somebody asks for them.

    Attributes:
        root: the folder.
        files: the files that were parsed, with their SHA-256.
    """

    def __init__(self, root: str) -> None:
        """Take the folder ``root``; raise SettingError if it is none, or nothing can parse it."""
        self.root = FilePath(root)
        self.files: dict[str, str] = {}
        self._blocks: dict[FilePath, _Blocks] = {}
        self._modules = self._manifest()
        if not self.root.is_dir():
            expected = "the folder of a Terraform configuration"
            raise SettingError(f"--cmek-terraform-source: found {root!r}, expected {expected}")

    def find(self, resource: Resource, configuration: Mapping[str, Any]) -> tuple[str, int] | None:
        """Return file and line of the block of ``resource``; None if it is not found.

        Raises InventoryError if a file that should hold it cannot be parsed.
        """
        names = module_names(resource.module)
        folder = None if names is None else self._folder(names, configuration)
        if folder is None:
            return None
        if folder not in self._blocks:
            self._blocks[folder] = self._read(folder)
        return self._blocks[folder].get((resource.type, resource.name))

    def _manifest(self) -> dict[str, str]:
        """Return the folder of each module that Terraform has installed, by its dotted names."""
        try:
            data = json.loads((self.root / _MANIFEST).read_bytes())
            return {str(each["Key"]): str(each["Dir"]) for each in data["Modules"]}
        except (OSError, ValueError, LookupError, TypeError):
            return {}

    def _folder(self, names: tuple[str, ...], configuration: Mapping[str, Any]) -> FilePath | None:
        """Return the folder of a module; None if it is not among the local files."""
        installed = self._modules.get(".".join(names)) if names else None
        if installed is not None:
            return self.root / installed
        folder = self.root
        module = configuration.get("root_module")
        for name in names:
            call = _get(_get(module, "module_calls"), name)
            source = _get(call, "source")
            if not isinstance(source, str) or not source.startswith(("./", "../")):
                return None
            folder, module = folder / source, _get(call, "module")
        return folder

    def _read(self, folder: FilePath) -> _Blocks:
        blocks: _Blocks = {}
        for path in sorted([*folder.glob("[!.]*.tf"), *folder.glob("[!.]*.tf.json")], key=_order):
            file = FilePath(os.path.normpath(path)).as_posix()
            raw = _bytes(file)
            self.files[file] = hashlib.sha256(raw).hexdigest()
            found = _in_json(file, raw) if file.endswith(".json") else _in_hcl(file, raw)
            for kind, name, line in found:
                blocks.setdefault((kind, name), (file, line))
        return blocks


def _order(path: FilePath) -> tuple[bool, str]:
    """Sort by name, what overrides blocks of other files last."""
    stem = path.name.partition(".")[0]
    return stem == "override" or stem.endswith("_override"), path.name


def _bytes(file: str) -> bytes:
    try:
        return FilePath(file).read_bytes()
    except OSError as error:
        found = error.strerror or type(error).__name__
        raise InventoryError([Problem(file, 0, "", found, "a readable file")]) from None


def _in_json(file: str, raw: bytes) -> Iterator[tuple[str, str, int]]:
    document = read_document(file, raw)
    if document.data is None and document.problems:
        raise InventoryError(document.problems)
    for path, line in document.lines.items():
        match tuple(part for part in path if isinstance(part, str)):  # each may stand in a list
            case ("resource", kind, name):
                yield kind, name, line


def _in_hcl(file: str, raw: bytes) -> Iterator[tuple[str, str, int]]:
    """Yield type, name and line of each resource's block."""
    hcl2, lark = _parsers()
    try:
        tree = hcl2.parses_to_tree(raw.decode("utf-8-sig").replace("\r\n", "\n"))
    except (lark.exceptions.LarkError, UnicodeDecodeError, RecursionError) as error:
        line = max(0, getattr(error, "line", 0) or 0)
        expected = "Terraform's configuration language"
        found = "what cannot be parsed"
        raise InventoryError([Problem(file, line, "", found, expected)]) from None
    for block in tree.children[0].children:
        words = _words(block) if getattr(block, "data", "") == "block" else []
        if len(words) == _LABELS and words[0] == "resource":
            yield words[1], words[2], block.meta.line


def _words(block: Any) -> list[str]:  # noqa: ANN401 (lark's)
    """Return a block's type and its labels, without their quotes."""
    heads = itertools.takewhile(lambda each: hasattr(each, "data"), block.children)
    return ["".join(each.scan_values(lambda part: part != '"')) for each in heads]


def _parsers() -> tuple[Any, Any]:
    try:
        import hcl2  # noqa: PLC0415 (an extra, and slow to load)
        import lark  # noqa: PLC0415
    except ImportError:
        needed = "the extra 'terraform': pip install 'cmek-audit[terraform]'"
        raise SettingError(f"--cmek-terraform-source: found no parser, expected {needed}") from None
    return hcl2, lark


def _get(data: object, name: str) -> object:
    return data.get(name) if isinstance(data, dict) else None
