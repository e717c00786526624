# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Makes a MigHook's status true. All of it can be seen in the spec: no cluster is asked.

Checks, order, types and reasons are upstream's (MTC pkg/controller/mighook/validation.go): every check runs, and each
finding is Critical with the reason NotSet.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from ..resources import mighook
from ..resources.condition_names import Category, HookCondition, Reason
from ..resources.conditions import Conditions
from ..resources.image_reference import is_image_reference
from ..resources.option_checks import shortened


def check_hook(*, spec: Mapping[str, Any], status: Mapping[str, Any]) -> dict[str, Any]:
    """The status that is true now, without ``observedGeneration``: only who writes it knows that."""
    conditions = Conditions(status)
    conditions.begin()
    for type_name, message in findings(spec):
        conditions.set(type_name, Category.CRITICAL, Reason.NOT_SET, message)
    conditions.set_ready(not conditions.has_blocker(), "The hook is ready.")
    return {**copy.deepcopy(dict(status)), "conditions": conditions.end(datetime.now(UTC))}


def findings(spec: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Type and message of each condition that the spec deserves, in upstream's order."""
    image, target = str(spec.get("image") or ""), str(spec.get("targetCluster") or "")
    playbook = mighook.playbook_of(spec)
    has_playbook = bool(spec.get("playbook"))
    found = []
    if not is_image_reference(image):
        found.append((HookCondition.INVALID_IMAGE, f"The `image` {shortened(image)} names no container image."))
    if target not in mighook.TARGETS:
        message = f"The `targetCluster` {shortened(target)} is neither `source` nor `destination`."
        found.append((HookCondition.INVALID_TARGET, message))
    if playbook is None:
        found.append((HookCondition.INVALID_PLAYBOOK, "The `playbook` is not standard base64 with padding."))
    if spec.get("custom") and has_playbook:
        message = "A hook with `custom: true` runs its image as it is; its `playbook` must be empty."
        found.append((HookCondition.INVALID_CUSTOM, message))
    if not spec.get("custom") and not has_playbook:
        message = "A hook with `custom: false` runs a playbook; its `playbook` must not be empty."
        found.append((HookCondition.INVALID_ANSIBLE, message))
    return found
