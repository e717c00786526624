# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Who mounts the source's claims: decides where a client pod must run and as whom it may read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from ..resources import names
from ..resources.errors import Refused
from .model import VolumeMove

SHARED_MODES: Final = frozenset({"ReadWriteMany", "ReadOnlyMany"})
EXCLUSIVE_MODE: Final = "ReadWriteOncePod"


@dataclass(frozen=True, kw_only=True)
class Consumer:
    """A pod that has a claim mounted, as far as the transfer must know it."""

    pod: str
    node: str
    user: int | None
    group: int | None
    groups: tuple[int, ...]
    """fsGroup and supplemental groups: memberships that make files readable without remounting anything."""
    file_group: int | None
    selinux_level: str | None


def consumers(pods: Iterable[Mapping[str, Any]]) -> dict[str, Consumer]:
    """Claim name to a live pod that mounts it, from all pods of one namespace; the transfer's own pods do not count."""
    found: dict[str, Consumer] = {}
    for pod in pods:
        labels = pod["metadata"].get("labels") or {}
        spec, phase = pod["spec"], (pod.get("status") or {}).get("phase")
        if names.RUN_LABEL in labels or phase in ("Succeeded", "Failed") or not spec.get("nodeName"):
            continue
        for volume in spec.get("volumes") or []:
            claim = (volume.get("persistentVolumeClaim") or {}).get("claimName")
            if claim:
                found.setdefault(claim, _consumer(pod))
    return found


def _consumer(pod: Mapping[str, Any]) -> Consumer:
    spec = pod["spec"]
    context = spec.get("securityContext") or {}
    own = next((container.get("securityContext") or {} for container in spec.get("containers") or []), {})
    file_group = context.get("fsGroup")
    groups = [*([file_group] if file_group is not None else []), *(context.get("supplementalGroups") or [])]
    return Consumer(
        pod=pod["metadata"]["name"],
        node=spec["nodeName"],
        user=own.get("runAsUser", context.get("runAsUser")),
        group=own.get("runAsGroup", context.get("runAsGroup")),
        groups=tuple(dict.fromkeys(groups)),
        file_group=file_group,
        selinux_level=(own.get("seLinuxOptions") or context.get("seLinuxOptions") or {}).get("level"),
    )


def node_for(move: VolumeMove, claim: Mapping[str, Any], consumer: Consumer | None) -> str | None:
    """The node to which a volume is bound by being attached there; None when any will do.

    Raises Refused for a volume that only its present pod may mount.
    """
    modes = claim["spec"].get("accessModes") or []
    if consumer is None:
        return None
    if EXCLUSIVE_MODE in modes:
        raise Refused(
            subject=move.subject,
            attempt="it cannot be copied while its application runs",
            reason=f"its access mode is {EXCLUSIVE_MODE} and Pod {consumer.pod} has it",
            mend="Migrate without pre-copy, so that it is copied after the application has stopped",
        )
    return None if SHARED_MODES & set(modes) else consumer.node
