# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""MigHook: a container, or an Ansible playbook in one, that a migration runs at a point that the plan names."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from typing import Any

from . import option_checks as check, spec_fields
from .errors import Problem
from .spec_fields import Field

TARGETS = ("source", "destination")
DEADLINE = 1800
"""Seconds that a hook may run when its spec says nothing."""
LARGEST_PLAYBOOK = 1000 * 1000
"""Bytes; the playbook becomes a ConfigMap, which holds 1 MiB with all that belongs to it."""
PLAYBOOK_OPTIONS = ("playbook", "playbook_file", "playbook_base64")
_BASE64 = re.compile(r"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?", re.ASCII)


def _encoded(text: str) -> str:
    # Ansible hands bytes that are no UTF-8 down as surrogates.
    return base64.b64encode(text.encode(errors="surrogateescape")).decode("ascii")


def _unfolded(text: str) -> str:
    return "".join(text.split())


FIELDS = (
    Field("custom", "custom"),
    Field("image", "image"),
    Field("playbook", "playbook", _encoded),
    Field("playbook_base64", "playbook", _unfolded),
    Field("target_cluster", "targetCluster"),
    Field("active_deadline_seconds", "activeDeadlineSeconds"),
)
REQUIRED_DEFAULTS: Mapping[str, Any] = {"custom": False}
"""What the API demands and a new resource gets when the user says nothing."""


def playbook_of(spec: Mapping[str, Any]) -> bytes | None:
    """The playbook in clear; b"" for a hook without one, None when what is stored is not base64.

    Standard base64 with padding; line breaks are ignored and nothing else is (upstream's decoder does the same).
    """
    text = re.sub(r"[\r\n]", "", str(spec.get("playbook") or ""))
    return base64.b64decode(text) if _BASE64.fullmatch(text) else None


def build_spec(params: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of the spec that the user named. A ``playbook_file`` has been read into ``playbook_base64`` before."""
    return spec_fields.build(FIELDS, params)


def merge_spec(existing_spec: Mapping[str, Any] | None, wanted: Mapping[str, Any]) -> dict[str, Any]:
    """The spec to write: the existing one (None or {} for a new resource) with the wanted fields over it.

    A stored playbook that says the same stays as it is, however its base64 is folded.
    """
    existing = existing_spec or {}
    if "playbook" in wanted and "playbook" in existing and playbook_of(existing) == playbook_of(wanted):
        wanted = {**wanted, "playbook": existing["playbook"]}
    return spec_fields.merge({**REQUIRED_DEFAULTS, **existing}, wanted)


def drift(existing_spec: Mapping[str, Any] | None, wanted: Mapping[str, Any]) -> dict[str, Any]:
    """{} when nothing is to be written, else ``before`` and ``after`` of what changes; the playbook in clear."""
    found = spec_fields.differences(existing_spec or {}, merge_spec(existing_spec, wanted))
    return {side: _readable(fields) for side, fields in found.items()}


def validate(params: Mapping[str, Any]) -> list[Problem]:
    """All that is wrong with the options themselves; what the merged spec lacks is incomplete()'s question."""
    problems = check.resource_name(params)
    if params.get("state") == "absent":
        return problems
    problems += check.exclusive(params, PLAYBOOK_OPTIONS)
    problems += check.image(params.get("image"), "image")
    problems += check.one_of(params.get("target_cluster"), TARGETS, "target_cluster")
    deadline = params.get("active_deadline_seconds")
    if deadline is not None and not 0 <= deadline < 2**63:
        fault = f"{deadline} is no time that a hook can have"
        problems.append(Problem(path="active_deadline_seconds", fault=fault, mend="Name seconds, or 0 for 1800"))
    return [*problems, *_playbook_problems(params)]


def incomplete(spec: Mapping[str, Any]) -> list[Problem]:
    """What a merged spec still lacks: upstream has a default for none of these."""
    problems = []
    if not spec.get("image"):
        problems.append(Problem(path="image", fault="is missing", mend="Name the image that runs the hook"))
    if not spec.get("targetCluster"):
        problems.append(Problem(path="target_cluster", fault="is missing", mend="Say source or destination"))
    if not spec.get("custom") and not spec.get("playbook"):
        mend = "Give a playbook, or set custom for an image that runs as it is"
        problems.append(Problem(path="playbook", fault="is missing", mend=mend))
    if spec.get("custom") and spec.get("playbook"):
        mend = "Say playbook: '' to drop the stored one, or custom: false"
        problems.append(Problem(path="playbook", fault="cannot be combined with custom", mend=mend))
    return problems


def _playbook_problems(params: Mapping[str, Any]) -> list[Problem]:
    named = next((option for option in PLAYBOOK_OPTIONS if params.get(option) is not None), None)
    if named is None:
        return []
    value = params[named]
    problems = []
    if named == "playbook_base64" and playbook_of({"playbook": _unfolded(value)}) is None:
        mend = "Give the base64 of the playbook, or its text as playbook"
        problems.append(Problem(path=named, fault="is not standard base64 with padding", mend=mend))
    if named != "playbook_file" and len(build_spec({named: value})["playbook"]) * 3 // 4 > LARGEST_PLAYBOOK:
        fault = f"is larger than {LARGEST_PLAYBOOK} bytes, and a ConfigMap could not hold it"
        problems.append(Problem(path=named, fault=fault, mend="Put what it needs into the image"))
    if value and params.get("custom"):
        mend = "Drop custom to run the playbook, or the playbook to run the image as it is"
        problems.append(Problem(path=named, fault="cannot be combined with custom", mend=mend))
    if not value and params.get("custom") is False:
        problems.append(Problem(path=named, fault="is empty, and custom is false", mend="Give a playbook"))
    return problems


def _readable(fields: Mapping[str, Any]) -> dict[str, Any]:
    playbook = playbook_of(fields)
    if "playbook" not in fields or playbook is None:
        return dict(fields)
    return {**fields, "playbook": playbook.decode(errors="replace")}
