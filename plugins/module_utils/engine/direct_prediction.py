# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Check mode of a DirectVolumeMigration: what would be copied, and what would keep it from ending well."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..resources import names, quantity
from ..resources.digest import observed_digest
from ..resources.errors import MtcError
from ..volumes import sizing
from . import quiesce
from .clock import elapsed_clock
from .direct_situation import DirectSituation
from .predict import NOT_CHECKED


def prediction(
    situation: DirectSituation,
    *,
    stored: Mapping[str, Any] | None,
    name: str,
    namespace: str,
    blocking: Sequence[MtcError],
    engine: str,
    started: float,
) -> dict[str, Any]:
    """The module's result in check mode. ``digest`` changes when anything in ``prediction`` does."""
    claims = [(move.source_namespace, move.source_claim) for move in situation.moves]
    used = sizing.usage(situation.source, claims)
    writers = sorted(str(writer) for writer in quiesce.writers(situation.source, claims))
    volumes = [
        {
            "source": f"{move.source_namespace}/{move.source_claim}",
            "target": f"{move.target_namespace}/{move.target_claim}",
            "storage_class": move.storage_class,
            "access_modes": list(move.access_modes),
            "size": quantity.to_text(move.size),
            "used_bytes": getattr(used.get((move.source_namespace, move.source_claim)), "used", None),
            "exists": (move.target_namespace, move.target_claim) in situation.targets,
            "method": "rsync",
        }
        for move in situation.moves
    ]
    told: dict[str, Any] = {
        "volumes": sorted(volumes, key=lambda row: str(row["source"])),
        "writers": writers,
        "blocking": [error.message for error in blocking],
        "not_checked": list(NOT_CHECKED),
    }
    resource = {
        **(stored or {"apiVersion": names.API_VERSION, "kind": names.DIRECT_VOLUME_MIGRATION}),
        "metadata": (stored or {}).get("metadata") or {"name": name, "namespace": namespace},
        "spec": situation.spec,
    }
    return {
        "changed": True,
        "resource": resource,
        "conditions": {},
        "engine": engine,
        "prediction": told,
        "digest": observed_digest({**told, "volumes": [_unmeasured(row) for row in told["volumes"]]}),
        "diff": {"before": "", "after": "\n".join(_lines(told)) + "\n"},
        "duration": round(elapsed_clock() - started, 2),
        **({"failed": True, "msg": " ".join(told["blocking"])} if blocking else {}),
    }


def _unmeasured(row: Mapping[str, Any]) -> dict[str, Any]:
    """A volume as the digest covers it: how full it is changes while the plan is the same."""
    return {field: value for field, value in row.items() if field != "used_bytes"}


def _lines(told: Mapping[str, Any]) -> list[str]:
    lines = []
    for row in told["volumes"]:
        used = "unknown" if row["used_bytes"] is None else f"{row['used_bytes']} bytes"
        lines.append(
            f"volume {row['source']} -> {row['target']}{' (exists)' if row['exists'] else ''}, "
            f"class {row['storage_class']}, {row['size']}, in use {used}, by {row['method']}"
        )
    lines += [f"written to by {writer}" for writer in told["writers"]]
    lines += [f"blocked: {reason}" for reason in told["blocking"]]
    lines += [f"not checked: {what}" for what in told["not_checked"]]
    return lines
