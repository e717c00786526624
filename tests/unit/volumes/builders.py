# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Moves, runs and outcomes for tests."""

from __future__ import annotations

import base64
from typing import Any

from ansible_collections.openmig.mtc.plugins.module_utils.volumes import facts
from ansible_collections.openmig.mtc.plugins.module_utils.volumes.layout import Layout
from ansible_collections.openmig.mtc.plugins.module_utils.volumes.model import (
    RunIdentity,
    TransferOptions,
    VolumeMove,
)

IDENTITY = RunIdentity(
    migration="move",
    uid="0a1b2c3d-0000-4000-8000-000000000001",
    plan_uid="11111111-0000-4000-8000-000000000002",
    namespace="openmig",
    generation=3,
    deadline_seconds=3600,
)
OPTIONS = TransferOptions(source_image="mover:1", destination_image="mover:2")


def move(claim: str = "data", *, source: str = "shop", target: str = "shop-new", **fields: Any) -> VolumeMove:
    made: dict[str, Any] = {
        "source_namespace": source,
        "source_claim": claim,
        "target_namespace": target,
        "target_claim": claim,
        "storage_class": "fast",
        "access_modes": ("ReadWriteOnce",),
        "volume_mode": "Filesystem",
        "size": 1 << 30,
        **fields,
    }
    return VolumeMove(**made)


def layout(*moves: VolumeMove) -> Layout:
    return Layout(identity=IDENTITY, moves=moves or (move(),))


def coded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def outcome(exit_code: int = 0, *, kind: str = "copy", errors: str = "", **fields: Any) -> facts.Outcome:
    """What a pod tells at the end of a pass; text fields are encoded here."""
    fact: dict[str, Any] = {
        "fact": "done",
        "pass": "final",
        "kind": kind,
        "generation": 1,
        "exit": exit_code,
        "attempts": 1,
        "milliseconds": 1500,
        "errors": coded(errors),
        "error_lines": errors.count("\n"),
    }
    fact.update({name: coded(value) if isinstance(value, str) else value for name, value in fields.items()})
    return facts.outcome(fact)
