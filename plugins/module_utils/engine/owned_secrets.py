# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Secrets that are made from a module's options, so that nobody has to lay them down by hand.

They bear our label. A secret of that name that does not is somebody else's: it is neither overwritten nor removed.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..cluster.api import Cluster
from ..resources import names
from ..resources.errors import NotFound, Refused, subject_of

MADE_FOR_ANNOTATION = "openmig.io/made-for"
"""Names the resource whose options filled the secret: one that has a name of the user's choice tells it nowhere
else."""


@dataclass(frozen=True, kw_only=True)
class OwnedSecret:
    """A secret and the place in its resource's spec that refers to it, as the path of keys to the reference."""

    name: str
    namespace: str
    reference: tuple[str, ...]
    made_for: str
    """The subject of the resource."""
    data: Mapping[str, str] = field(repr=False)
    """In clear; never part of a result, an error or a diff."""

    @property
    def encoded(self) -> dict[str, str]:
        return {key: base64.b64encode(value.encode("utf-8")).decode("ascii") for key, value in self.data.items()}


def store(control: Cluster, secret: OwnedSecret, *, check: bool) -> list[str]:
    """Create the secret or bring it up to date; gives what was changed, a line or none. Raises Refused when a secret
    of that name is not ours, or was made for another resource."""
    subject = subject_of("Secret", secret.name, secret.namespace)
    found = control.get("v1", "Secret", secret.name, secret.namespace)
    if found is not None:
        if _made_for(found) != secret.made_for:
            raise _belongs_to_others(found, subject)
        if found.get("data") == secret.encoded:
            return []
        control.replace({**found, "data": secret.encoded}, dry_run=check)
        return [f"{subject} changed"]
    manifest = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {
            "name": secret.name,
            "namespace": secret.namespace,
            "labels": {names.MANAGED_BY_LABEL: names.MANAGED_BY},
            "annotations": {MADE_FOR_ANNOTATION: secret.made_for},
        },
        "type": "Opaque",
        "data": secret.encoded,
    }
    try:
        control.create(manifest, dry_run=check)
    except NotFound:
        if not check:
            raise
        # Only predicted: an earlier task would have made the namespace.
    return [f"{subject} created"]


def remove(control: Cluster, *, name: str, namespace: str, made_for: str, check: bool) -> list[str]:
    """Remove the secret if it was made for that resource; gives what was changed, a line or none."""
    found = control.get("v1", "Secret", name, namespace)
    if found is None or _made_for(found) != made_for:
        return []
    if not check:
        control.delete("v1", "Secret", name, namespace, uid=found["metadata"]["uid"])
    return [f"{subject_of('Secret', name, namespace)} removed"]


def _made_for(secret: Mapping[str, Any]) -> str | None:
    """The subject of the resource whose options filled the secret; None of every other secret. The label alone does not
    say it: tokens and the passwords of repositories bear it, too."""
    metadata = secret["metadata"]
    if (metadata.get("labels") or {}).get(names.MANAGED_BY_LABEL) != names.MANAGED_BY:
        return None
    found: str | None = (metadata.get("annotations") or {}).get(MADE_FOR_ANNOTATION)
    return found


def _belongs_to_others(secret: Mapping[str, Any], subject: str) -> Refused:
    made_for = _made_for(secret)
    return Refused(
        subject=subject,
        attempt="it is not overwritten",
        reason=f"it holds the credentials of {made_for}" if made_for else "it was not made from a task's credentials",
        mend="Name another secret, or refer to it without giving credentials",
    )
