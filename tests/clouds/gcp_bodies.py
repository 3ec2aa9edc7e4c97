"""Bodies as Google Cloud KMS documents them: a healthy key, its versions, policies and errors."""

from __future__ import annotations

from typing import Any

PROJECT = "acme-prod"
RING = f"projects/{PROJECT}/locations/us-east1/keyRings/acme-ring"
KEY = f"{RING}/cryptoKeys/acme-key"
ENCRYPTER = "roles/cloudkms.cryptoKeyEncrypterDecrypter"
MEMBER = "serviceAccount:astra@vendor-prod.iam.gserviceaccount.com"
CALLER = "ada@acme.example"
"""Who asks; in messages of errors only, so nobody may find it in what is recorded."""


def version(number: int, key: str = KEY, **over: object) -> dict[str, Any]:
    """Return a version that is enabled; version N was created in month N of 2024."""
    created = f"2024-{number:02}-10T08:00:00.123456789Z"
    body = {
        "name": f"{key}/cryptoKeyVersions/{number}",
        "state": "ENABLED",
        "createTime": created,
        "protectionLevel": "SOFTWARE",
        "algorithm": "GOOGLE_SYMMETRIC_ENCRYPTION",
        "generateTime": created,
    }
    return without_none(body | over)


def key(name: str = KEY, primary: object = 2, **over: object) -> dict[str, Any]:
    """Return a key that rotates every 90 days; ``primary`` is a version, or the number of one."""
    body = {
        "name": name,
        "primary": version(primary, name) if isinstance(primary, int) else primary,
        "purpose": "ENCRYPT_DECRYPT",
        "createTime": "2024-01-10T08:00:00.123456789Z",
        "nextRotationTime": "2027-02-10T08:00:00Z",
        "rotationPeriod": "7776000s",
        "versionTemplate": {
            "protectionLevel": "SOFTWARE",
            "algorithm": "GOOGLE_SYMMETRIC_ENCRYPTION",
        },
        "destroyScheduledDuration": "2592000s",
    }
    return without_none(body | over)


def page(*versions: object, total: int | None = None, **over: object) -> dict[str, Any]:
    """Return a page of versions, by default the only one."""
    count = len(versions) if total is None else total
    return {"cryptoKeyVersions": list(versions), "totalSize": count} | over


def policy(*bindings: object, **over: object) -> dict[str, Any]:
    """Return a policy; one without bindings is the one of a resource that has none."""
    if not bindings:
        return {"etag": "ACAB"} | over
    return {"version": 1, "etag": "BwXhqDVSaMI=", "bindings": list(bindings)} | over


def binding(*members: object, role: object = ENCRYPTER, **over: object) -> dict[str, Any]:
    """Return a binding of ``role``."""
    return {"role": role, "members": list(members)} | over


def error(code: int, status: str, *reasons: str, message: str = "") -> dict[str, Any]:
    """Return an error; its message names who asked."""
    details = [
        {
            "@type": "type.googleapis.com/google.rpc.ErrorInfo",
            "reason": reason,
            "domain": "googleapis.com",
            "metadata": {"consumer": "projects/123456789", "caller": CALLER},
        }
        for reason in reasons
    ]
    text = message or f"Not for {CALLER}."
    body = {"code": code, "message": text, "status": status}
    return {"error": body | ({"details": details} if details else {})}


def denied(permission: str, resource: str) -> dict[str, Any]:
    """Return the refusal of a permission, which is also the answer about a missing project."""
    text = f"{CALLER}: '{permission}' denied on resource '{resource}' (or it may not exist)."
    return error(403, "PERMISSION_DENIED", "IAM_PERMISSION_DENIED", message=text)


def missing(resource: str) -> dict[str, Any]:
    """Return the error about a key that does not exist."""
    return error(404, "NOT_FOUND", message=f"{resource} not found.")


def misrouted(location: str) -> dict[str, Any]:
    """Return the error about a location that the host that was asked does not serve."""
    text = (
        f"The request concerns location '{location}' but was sent to location 'global'. Either "
        f"Cloud KMS is not available in '{location}' or the request was misrouted."
    )
    return error(404, "NOT_FOUND", message=text)


def without_none(body: dict[str, Any]) -> dict[str, Any]:
    """Return ``body`` without what has no value: an omitted member is no null."""
    return {name: value for name, value in body.items() if value is not None}
