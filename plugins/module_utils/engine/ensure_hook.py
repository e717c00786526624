# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""One call of ``mig_hook``: the playbook is read if a file is named, the MigHook is stored, its status made true."""

from __future__ import annotations

import base64
import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..cluster.api import Cluster
from ..resources import mighook, names
from ..resources.errors import InvalidInput, Problem, subject_of
from ..resources.spec_fields import refers_to
from . import awaiting, ensure_resource, hook_reconciler
from .call import Call
from .ensure_resource import Handler, Situation
from .observed import observed


def ensure(this: Call) -> dict[str, Any]:
    """The module's result. Raises NotReady when the hook is not ready at the end, naming every condition."""
    params, problems = with_playbook(this.params)
    if problems:
        problems = [*mighook.validate(this.params), *problems]
        raise InvalidInput(subject=f"{names.MIG_HOOK} {this.params['name']}", problems=problems)
    return ensure_resource.ensure(dataclasses.replace(this, params=params), HANDLER)


def with_playbook(params: Mapping[str, Any]) -> tuple[Mapping[str, Any], list[Problem]]:
    """The parameters with the content of ``playbook_file`` in ``playbook_base64``, and why it cannot be had."""
    path = params.get("playbook_file")
    if path is None or params.get("state") == "absent" or params.get("playbook_base64") is not None:
        return params, []
    try:
        content = Path(path).read_bytes()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        mend = "Name a file on the machine where the module runs"
        return params, [Problem(path="playbook_file", fault=f"{path} cannot be read: {reason}", mend=mend)]
    if not content.strip():
        mend = "Name the playbook that the hook runs"
        return params, [Problem(path="playbook_file", fault=f"{path} is empty", mend=mend)]
    encoded = base64.b64encode(content).decode("ascii")
    return {**params, "playbook_file": None, "playbook_base64": encoded}, []


def _evaluate(situation: Situation) -> dict[str, Any]:
    stored = situation.stored or {}
    status = hook_reconciler.check_hook(spec=situation.spec, status=stored.get("status") or {})
    return observed(situation, status)


def _users(this: Call, control: Cluster) -> list[str]:
    me = (this.namespace, str(this.params["name"]))
    return [
        subject_of(names.MIG_PLAN, plan["metadata"]["name"], plan["metadata"]["namespace"])
        for plan in control.list(names.API_VERSION, names.MIG_PLAN, this.namespace)
        if me in [refers_to(hook.get("reference")) for hook in plan["spec"].get("hooks") or ()]
    ]


HANDLER = Handler(kind=names.MIG_HOOK, room=mighook, evaluate=_evaluate, drive=awaiting.drive, users=_users)
