# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which flags of the itinerary hold, worked out from the plan and the run each time a phase ends (MTC task.go
evaluates them live, too)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..resources.plan_facts import converts_storage
from .itinerary import Flag

VOLUME_RESOURCE = "persistentvolumes"


def _copied(entry: Mapping[str, Any]) -> bool:
    selection = entry.get("selection") or {}
    return selection.get("action") == "copy" and selection.get("copyMethod") in ("filesystem", "block")


def flags_of(
    plan: Mapping[str, Any], *, quiesce: bool, verify: bool, sync_back: bool = False, swaps: bool = False
) -> frozenset[Flag]:
    """The flags of a run with the builtin engine. Velero's are never among them. ``swaps``: it is one of those that
    point workloads to other claims where the plan converts storage in place."""
    spec, status = plan["spec"], plan.get("status") or {}
    volumes = spec.get("persistentVolumes") or []
    indirect = bool(spec.get("indirectVolumeMigration"))
    copied = any(_copied(entry) for entry in volumes)
    through = indirect and copied and VOLUME_RESOURCE not in (status.get("excludedResources") or [])
    hooks = {str(hook.get("phase")) for hook in spec.get("hooks") or ()}
    found = {
        Flag.QUIESCE: quiesce,
        Flag.VERIFY: verify,
        Flag.ROLLBACK_SYNC: sync_back,
        Flag.STORAGE_CONVERSION: swaps and converts_storage(plan),
        Flag.VOLUMES: any((entry.get("selection") or {}).get("action") != "skip" for entry in volumes),
        Flag.VOLUMES_ENABLED: VOLUME_RESOURCE not in (status.get("excludedResources") or []),
        Flag.INDIRECT_VOLUME: indirect,
        Flag.DIRECT_VOLUME: not indirect and copied,
        Flag.STAGE_PODS: through,
        Flag.STAGE_BACKUP: through,
        Flag.DIRECT_IMAGE: not spec.get("indirectImageMigration"),
        Flag.INDIRECT_IMAGE: bool(spec.get("indirectImageMigration")),
        Flag.PRE_BACKUP_HOOKS: "PreBackup" in hooks,
        Flag.POST_BACKUP_HOOKS: "PostBackup" in hooks,
        Flag.PRE_RESTORE_HOOKS: "PreRestore" in hooks,
        Flag.POST_RESTORE_HOOKS: "PostRestore" in hooks,
    }
    return frozenset(flag for flag, holds in found.items() if holds)
