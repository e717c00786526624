# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a ServiceAccount that the platform has made lacks of the source's: added to it, never taken away or replaced.

Source of the rule: Velero merges ServiceAccounts. Its labels of the run are not among what is added, for a rollback
would delete the account by them (D27).
"""

from __future__ import annotations

from typing import Any

from .inventory import OWN_LABELS
from .manifest import Manifest, annotations_of, labels_of


def lacking(sent: Manifest, live: Manifest) -> dict[str, Any]:
    """The merge patch that adds labels, annotations, secrets and pull secrets, and whether a token is mounted if the
    live account does not say; empty when nothing is lacking."""
    patch: dict[str, Any] = {}
    metadata: dict[str, Any] = {}
    for field, wanted, held in (
        ("labels", labels_of(sent), labels_of(live)),
        ("annotations", annotations_of(sent), annotations_of(live)),
    ):
        added = {key: value for key, value in wanted.items() if key not in held and key not in OWN_LABELS}
        if added:
            metadata[field] = added
    if metadata:
        patch["metadata"] = metadata
    for field in ("secrets", "imagePullSecrets"):
        there = live.get(field) or []
        names = {entry.get("name") for entry in there}
        added_entries = [entry for entry in sent.get(field) or () if entry.get("name") not in names]
        if added_entries:
            patch[field] = [*there, *added_entries]
    mounts = "automountServiceAccountToken"
    if mounts in sent and mounts not in live:
        patch[mounts] = sent[mounts]
    return patch
