"""Reproduces the audit of a report: its sources are judged with the recorded settings."""

from __future__ import annotations

import json
from datetime import timedelta
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, NamedTuple, cast, get_args

from pydantic import ValidationError

from cmek_audit.run.audit import run_audit
from cmek_audit.run.option_values import Options
from cmek_audit.verification.consistency import Checks, checks_of
from cmek_audit.verification.source_files import paths_in_chain
from inventory.errors import RecordError
from inventory.files.named_plans import NamedPlan
from inventory.model.sources import Role
from reports.record.layout import HEAD, canonical
from reports.record.reader import first_problem

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cmek_audit.verification.recorded_head import RecordedHead, RecordedSource
    from reports.model.head import Head, Provenance


class Reproduced(NamedTuple):
    """An audit that was made once more from its sources.

    Attributes:
        head: the head, as it can be read back.
        checks: what pytest would have reported of each check.
    """

    head: Head
    checks: Checks


def reproduce(options: Options) -> Reproduced:
    """Make the audit of ``options``, as ``options_of`` gives them, and leave no file behind.

    Raises CmekAuditError or OSError if that is not possible.
    """
    with TemporaryDirectory() as scratch:
        scratch_options = options.model_copy(update={"report_dir": f"{scratch}/report"})
        judged, head = run_audit(scratch_options, lambda _: cast("Provenance", {}))
        # A record that was read back has lists where this head has tuples.
        return Reproduced(json.loads(canonical(head)), checks_of(judged.all_groups()))


def options_of(head: RecordedHead) -> Options:
    """Return the options by which ``head`` was made; raise RecordError if no audit has such."""
    settings = head.settings
    values: dict[str, Any] = {
        **_files(head),
        "waivers": [file.path for file in settings.waiver_files],
        "no_waivers": settings.no_waivers,
        "as_of": settings.as_of,
        "max_age": timedelta(seconds=settings.max_age_seconds),
        "fail_on": settings.fail_on,
        "allow_inconclusive": settings.allow_inconclusive,
        "kms": settings.kms,
        "rotation_days": settings.rotation_days,
        "group": settings.grouping,
        "controls": settings.controls_file and settings.controls_file.path,
        "framework": settings.frameworks,
        "baseline": settings.baseline_file and settings.baseline_file.path,
        "fail_on_new": settings.fail_on_new,
        "terraform_organization": settings.terraform_organizations,
        "terraform_source": settings.terraform_source,
        "formats": ("json",),
    }
    try:
        options = Options.model_validate(values)
    except ValidationError as error:
        raise RecordError(f"{HEAD}: no settings of an audit: {first_problem(error)}") from None
    # What the clouds showed is among the sources: no cloud is asked again.
    return options.model_copy(update={"kms": (options.judged_kms,)})


def _files(head: RecordedHead) -> dict[str, list[str]]:
    """Return the sources by their role; none for the bundled example, which is taken as such."""
    files: dict[str, list[str]] = {role: [] for role in get_args(Role)}
    if not head.settings.default_example:
        for source in head.population.sources:
            files[source.role] += _paths(source)
        files["history"] += (file.path for file in head.settings.history_files)
    return files


def _paths(source: RecordedSource) -> Sequence[str]:
    """Return the paths by which ``source`` is given: of bundles in a row, those not listed, too."""
    if source.role == "plan":
        return [str(NamedPlan(source.path, source.name))]
    if source.chain is None or source.format != "bundle":
        return [source.path]
    # The first one is a source of its own; a chain that is not there any more was not proven.
    return paths_in_chain(source.path, source.chain)[1:]
