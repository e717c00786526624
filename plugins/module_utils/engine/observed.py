# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""``status.observedGeneration``, by which MigHook and MigAnalytic say that their status is about the present spec.

Their definitions have no status subresource, so a status cannot be written without raising ``metadata.generation``:
what is stored has to be the generation that the write itself will make.
"""

from __future__ import annotations

from typing import Any

from .ensure_resource import Situation

FIELD = "observedGeneration"
FIRST = 1
"""The generation of a resource that has just been created."""


def observed(situation: Situation, status: dict[str, Any]) -> dict[str, Any]:
    """The status with the mark that is right once it is stored; unchanged when there is nothing to store."""
    stored = situation.stored
    if stored is None:
        return {**status, FIELD: FIRST}
    generation = int(stored["metadata"].get("generation") or 0)
    if is_observed(stored) and stored["spec"] == situation.spec and stored["status"] == {**status, FIELD: generation}:
        return {**status, FIELD: generation}
    return {**status, FIELD: generation + 1}


def is_observed(stored: dict[str, Any]) -> bool:
    """Whether the status is about the spec as it is stored."""
    generation = stored["metadata"].get("generation")
    return generation is not None and (stored.get("status") or {}).get(FIELD) == generation
