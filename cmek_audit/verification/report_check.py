"""Checks one report: by its sources, and by its signature if there is a key."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from cmek_audit.verification.checked import Checked, differences, stopping
from cmek_audit.verification.proof import BUNDLES
from cmek_audit.verification.signature_proofs import UNCHECKED, prove_signature
from cmek_audit.verification.verify_report import verify_report
from inventory.errors import RecordError
from reports.record.layout import SIGNATURE

if TYPE_CHECKING:
    from securesystemslib.signer import SSlibKey

    from cmek_audit.verification.proof import Proof


def check_report(path: str, key: SSlibKey | None = None, below: Path | None = None) -> Checked:
    """Check the report in the folder ``path``; its signature, too, if there is a ``key``.

    Only sources inside the folder ``below`` are read, if one is given. Raises OSError.
    """
    signature = prove_signature(Path(path), key)
    is_unchecked = any(proof.reason == UNCHECKED for proof in signature)
    unchecked = (f"the signature of {path}: no public key is given (--key)",) * is_unchecked
    try:
        verified = verify_report(path, below)
    except RecordError as error:
        problems = [*differences(path, error), *stopping(path, signature, "differs")]
        return Checked(path, [], problems, files=tuple(signature), unchecked=unchecked)
    proofs = (*_others(verified.proofs, signature), *signature)
    return Checked(
        path,
        lines=verified.lines,
        problems=list(stopping(path, proofs, "differs")),
        unproven=list(stopping(path, proofs, "not-proven")),
        files=proofs,
        note=BUNDLES if verified.rests_on_bundles else "",
        unchecked=unchecked,
    )


def _others(proofs: list[Proof], signature: list[Proof]) -> list[Proof]:
    """Return ``proofs`` without those that only name a file of which the signature says more."""
    named = {proof.name for proof in signature if proof.name != SIGNATURE}
    return [proof for proof in proofs if proof.is_provable or proof.name not in named]
