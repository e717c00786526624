# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The progress resources of a DirectVolumeMigration: one for each claim, where MTC puts them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from ..cluster.api import Cluster
from ..resources import directvolume, names
from ..resources.conditions import Conditions
from ..resources.digest import observed_digest
from ..volumes.status import dvmp_status


def store(control: Cluster, direct: Mapping[str, Any], progress: Sequence[Mapping[str, Any]]) -> None:
    """Make or bring up to date the progress resource of each volume."""
    control.map(lambda entry: _store_one(control, direct, entry), progress)


def _store_one(control: Cluster, direct: Mapping[str, Any], entry: Mapping[str, Any]) -> None:
    wanted = directvolume.progress_manifest(direct, namespace=entry["namespace"], claim=entry["claim"])
    conditions = Conditions(None)
    conditions.set_ready(True, "The progress is ready")
    status = {**dvmp_status(entry), "conditions": conditions.end(datetime.now(UTC))}
    status["observedDigest"] = observed_digest(wanted["spec"])
    metadata = wanted["metadata"]
    found = control.get(wanted["apiVersion"], wanted["kind"], metadata["name"], metadata["namespace"])
    if found is None:
        control.create({**wanted, "status": status})
    else:
        control.replace({**found, "status": status})


def remove(control: Cluster, direct: Mapping[str, Any]) -> None:
    """Delete them where they live (upstream looks for them in the source's namespaces, Q6)."""
    metadata = direct["metadata"]
    labels = names.correlation_labels(names.DIRECT_VOLUME_MIGRATION, metadata["uid"])
    selector = ",".join(f"{key}={value}" for key, value in sorted(labels.items()))
    kind = names.DIRECT_VOLUME_MIGRATION_PROGRESS
    for found in list(control.list(names.API_VERSION, kind, metadata["namespace"], label_selector=selector)):
        control.delete(names.API_VERSION, kind, found["metadata"]["name"], metadata["namespace"])
