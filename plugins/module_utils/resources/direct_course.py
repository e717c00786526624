# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Where a direct migration of MTC's controller stands.

It has ended when its phase is Completed, or when it has failed: a failed one may stay in MigrationFailed for ever. Its
condition Failed may be of any category, and a DirectImageMigration whose streams failed may call itself succeeded.
Source: MTC pkg/controller/directimagemigration, directimagestreammigration and directvolumemigration.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from .condition_names import MigrationCondition
from .conditions import blockers, is_true

COMPLETED = "Completed"
MIGRATION_FAILED = "MigrationFailed"


@dataclass(frozen=True, kw_only=True)
class Standing:
    """One look. ``fact`` is half a sentence for people; ``failed`` means anything only at the end."""

    state: Literal["new", "blocked", "running", "ended"]
    fact: str
    failed: bool = False


def standing(resource: Mapping[str, Any]) -> Standing:
    """From the status alone."""
    status = resource.get("status") or {}
    phase = str(status.get("phase") or "")
    failed = is_true(resource, MigrationCondition.FAILED) or bool(errors_of(resource))
    if phase == COMPLETED or is_true(resource, MigrationCondition.FAILED):
        return Standing(state="ended", fact=f"{phase}, {'failed' if failed else 'succeeded'}", failed=failed)
    if found := blockers(resource):
        told = "; ".join(f"{item['type']}: {item.get('message', '')}".rstrip(". ") for item in found)
        return Standing(state="blocked", fact=told)
    if phase or is_true(resource, MigrationCondition.RUNNING):
        return Standing(state="running", fact=phase or "begun")
    return Standing(state="new", fact="the controller has not begun")


def errors_of(resource: Mapping[str, Any]) -> list[str]:
    """What is told to have gone wrong, of the whole and of each image stream; a stream that failed without a word,
    or was deleted while it was copied, is told too."""
    status = resource.get("status") or {}
    told = [str(error) for error in status.get("errors") or []]
    for name, word in (("failedISs", "was not copied"), ("deletedISs", "was deleted while it was copied")):
        for item in status.get(name) or []:
            why = "; ".join(str(error) for error in item.get("errors") or [])
            stream = f"image stream {item.get('namespace', '')}/{item.get('name', '')} {word}"
            told.append(f"{stream}: {why}" if why else stream)
    return told
