"""Finds a resource's file and line in the configuration of Terraform or OpenTofu.

The line is a convenience. If none is found, or a file is broken, the resource keeps its location in
the plan, and the audit goes on. A wrong line would be worse than that of the plan.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path as FilePath
from typing import TYPE_CHECKING, Any, NamedTuple

from inventory.errors import SettingError
from inventory.terraform.addresses import module_names
from inventory.terraform.configuration_folders import (
    Program,
    SourceFile,
    files_of,
    list_folder,
    read_limited,
    read_source,
    unreadable,
)
from inventory.text.display import printable

if TYPE_CHECKING:
    from inventory.terraform.resources import Resource, TerraformDocument

_MANIFEST = ".terraform/modules/modules.json"
_SHOWN = 5
_ONLY_TERRAFORM = frozenset({"applyable", "complete"})
"""Fields of a plan that Terraform has since version 1.8, and OpenTofu has not."""


class _View(NamedTuple):
    """A folder as one program reads it.

    Attributes:
        locations: file and line of each resource, by its type and name.
        problems: what went wrong.
    """

    locations: dict[tuple[str, str], tuple[str, int]]
    problems: tuple[str, ...]


class SourceTree:
    """The folder of a configuration; its files are read on demand.

    Attributes:
        root: the folder.
    """

    def __init__(self, root: str) -> None:
        """Take the folder ``root``; raise SettingError if it is not a folder."""
        self.root = FilePath(root)
        self._files: dict[str, SourceFile] = {}
        self._views: dict[tuple[FilePath, Program], _View] = {}
        self.modules = self._manifest()
        if not os.path.isdir(root):  # noqa: PTH112 (raises nothing)
            expected = "the folder of a Terraform configuration"
            raise SettingError(f"--cmek-terraform-source: found {root!r}, expected {expected}")

    @property
    def files(self) -> dict[str, str]:
        """Return the files that were read, with their SHA-256."""
        return {file.path: file.sha256 for file in self._files.values() if file.sha256}

    def view(self, folder: FilePath, program: Program) -> _View:
        """Return what a folder holds, as ``program`` reads it."""
        if (folder, program) not in self._views:
            self._views[folder, program] = self._read_view(folder, program)
        return self._views[folder, program]

    def _read_view(self, folder: FilePath, program: Program) -> _View:
        try:
            names = files_of(program, list_folder(folder))
        except (FileNotFoundError, NotADirectoryError):
            return _View({}, ())  # a module that is not there, or not yet
        except (OSError, ValueError) as error:
            return _View({}, (unreadable(_plain(folder), error),))
        files = [self._file(folder / name) for name in names]
        locations: dict[tuple[str, str], tuple[str, int]] = {}
        for file in files:
            for resource, line in file.lines.items():
                locations.setdefault(resource, (file.path, line))
        return _View(locations, tuple(file.problem for file in files if file.problem))

    def _file(self, path: FilePath) -> SourceFile:
        file = _plain(path)
        if file not in self._files:
            self._files[file] = read_source(file)
        return self._files[file]

    def _manifest(self) -> dict[str, str]:
        """Return the folder of each installed module, by its dotted names."""
        try:
            data = json.loads(read_limited(str(self.root / _MANIFEST)))
            return {str(module["Key"]): str(module["Dir"]) for module in data["Modules"]}
        except (OSError, ValueError, LookupError, TypeError, RecursionError):
            return {}


class PlanSource:
    """Finds the resources of one plan or state in the configuration."""

    def __init__(
        self, tree: SourceTree, document: TerraformDocument, data: Mapping[str, Any]
    ) -> None:
        """Take the folder, the parsed plan or state, and all its data."""
        self._tree = tree
        self._kind = document.kind
        self._configuration = document.configuration
        self._programs = _programs(document, data)
        self._folders: dict[tuple[str, ...], FilePath | None] = {}
        self._problems: set[str] = set()

    @property
    def note(self) -> str:
        """Describe what has gone wrong so far; empty if nothing has."""
        if not self._problems:
            return ""
        shown = sorted(self._problems)[:_SHOWN]
        more = len(self._problems) - len(shown)
        shown += [f"{more:,} more"] if more else []
        owner = "its" if len(shown) == 1 else "their"
        subject = " and ".join(filter(None, (", ".join(shown[:-1]), shown[-1])))
        return printable(
            f"{subject}; {owner} resources are shown at their location in the {self._kind}."
        )

    def find(self, resource: Resource) -> tuple[str, int] | None:
        """Return file and line of the block of ``resource``; None if it is not found."""
        names = module_names(resource.module)
        folder = None if names is None else self._folder(names)
        if folder is None:
            return None
        views = [self._tree.view(folder, program) for program in self._programs]
        self._problems.update(problem for view in views for problem in view.problems)
        block = resource.type, resource.name
        # A view with problems may have missed the block, so it counts as "not found" (None).
        locations = {
            view.locations.get(block) for view in views if block in view.locations or view.problems
        }
        if len(locations) > 1 and None not in locations:
            self._problems.add(_ambiguity(locations))
        return locations.pop() if len(locations) == 1 else None

    def _folder(self, names: tuple[str, ...]) -> FilePath | None:
        if names not in self._folders:
            self._folders[names] = self._look_up(names)
        return self._folders[names]

    def _look_up(self, names: tuple[str, ...]) -> FilePath | None:
        """Return the folder of a module; None if it is not local."""
        installed = self._tree.modules.get(".".join(names)) if names else None
        if installed is not None:
            return self._tree.root / installed
        folder = self._tree.root
        module = self._configuration.get("root_module")
        for name in names:
            call = _get(_get(module, "module_calls"), name)
            source = _get(call, "source")
            if not isinstance(source, str) or not source.startswith(("./", "../")):
                return None
            folder, module = folder / source, _get(call, "module")
        return folder


def _programs(document: TerraformDocument, data: Mapping[str, Any]) -> tuple[Program, ...]:
    """Return the program that made the plan; both if the plan does not show it.

    OpenTofu looks up providers without a registry in its own one, and writes that down. A registry
    that the configuration states proves nothing, as both programs accept any.
    """
    providers = document.configuration.get("provider_config")
    configured = providers.values() if isinstance(providers, dict) else ()
    names = [resource.provider for resource in document.resources]
    names += [str(_get(provider, "full_name")) for provider in configured]
    is_tofu = any("opentofu" in name.partition("/")[0].split(".") for name in names)
    is_terraform = bool(data.keys() & _ONLY_TERRAFORM)
    if is_tofu == is_terraform:
        return "terraform", "opentofu"
    return ("opentofu",) if is_tofu else ("terraform",)


def _ambiguity(locations: Iterable[tuple[str, int] | None]) -> str:
    files = " and ".join(sorted(location[0] for location in locations if location))
    return f"{files} differ, and the plan does not show which of them it was made from"


def _plain(path: FilePath) -> str:
    """Render a path without ``..`` and ``.``."""
    return FilePath(os.path.normpath(path)).as_posix()


def _get(data: object, name: str) -> object:
    return data.get(name) if isinstance(data, dict) else None
