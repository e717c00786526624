# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The Job by which a migration runs a hook, and what its status says.

Template, labels and verdict are upstream's (MTC pkg/controller/migmigration, hooks.go), with a name that is known
beforehand instead of a generated one, so that a repeated creation finds the first. A ConfigMap of that name holds the
playbook, if there is one, and owns the Job in any case: who removes it removes everything.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from . import mighook, names
from .sidecars import NO_SIDECARS_ANNOTATIONS, NO_SIDECARS_LABELS

PLAYBOOK_KEY: Final = "playbook.yml"
PLAYBOOK_FOLDER: Final = "/tmp/playbook"  # noqa: S108 - a path in the hook's container, where upstream mounts it
COMMAND: Final = (
    "/bin/entrypoint",
    "ansible-runner",
    "run",
    "/tmp/runner",  # noqa: S108 - the same
    "-p",
    f"{PLAYBOOK_FOLDER}/{PLAYBOOK_KEY}",
)
"""What an image is started with that runs a playbook."""
RETRIES: Final = 6
"""Failed pods, or restarts of a container, after which a hook has failed; also Kubernetes' default for a Job."""
COMPONENT: Final = "hook"
_LONGEST_NAME = 63
_SHORT_UID = 8


@dataclass(frozen=True, kw_only=True)
class HookRun:
    """One hook of one migration: what its Job is made from."""

    plan: Mapping[str, Any]
    migration_uid: str
    phase: str
    namespace: str
    service_account: str
    hook: Mapping[str, Any]
    deadline: str
    """When what is left of it may be removed by anybody (RFC 3339)."""

    @property
    def plan_name(self) -> str:
        return str(self.plan["metadata"]["name"])

    @property
    def stem(self) -> str:
        """``<plan>-<phase>`` as the name of a container."""
        return _dns(f"{self.plan_name}-{self.phase}", _LONGEST_NAME)

    @property
    def name(self) -> str:
        """Of Job and ConfigMap: unique for the migration and the phase."""
        ending = f"-{self.migration_uid[:_SHORT_UID]}"
        return f"{_dns(f'{self.plan_name}-{self.phase}', _LONGEST_NAME - len(ending))}{ending}"

    @property
    def runs_playbook(self) -> bool:
        return not self.hook["spec"].get("custom")

    @property
    def labels(self) -> dict[str, str]:
        return {
            **names.correlation_labels(names.MIG_HOOK, str(self.hook["metadata"]["uid"])),
            names.HOOK_PHASE_LABEL: self.phase,
            names.OWNER_LABEL: self.migration_uid,
            names.RUN_LABEL: self.migration_uid,
            names.COMPONENT_LABEL: COMPONENT,
            names.MANAGED_BY_LABEL: names.MANAGED_BY,
            names.MIGRATED_BY_MIGPLAN_LABEL: str(self.plan["metadata"]["uid"]),
        }


def config_map(run: HookRun) -> dict[str, Any]:
    """The playbook in clear; empty for an image that runs as it is."""
    playbook = mighook.playbook_of(run.hook["spec"]) if run.runs_playbook else None
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": _metadata(run),
        "data": {PLAYBOOK_KEY: playbook.decode(errors="replace")} if playbook else {},
    }


def job(run: HookRun, owner_uid: str) -> dict[str, Any]:
    """The Job, owned by the ConfigMap of that UID."""
    spec = run.hook["spec"]
    container: dict[str, Any] = {"name": run.stem, "image": spec["image"], "env": _environment(run)}
    pod: dict[str, Any] = {
        "containers": [container],
        "restartPolicy": "OnFailure",
        "serviceAccountName": run.service_account,
        "activeDeadlineSeconds": spec.get("activeDeadlineSeconds") or mighook.DEADLINE,
    }
    if run.runs_playbook:
        container["command"] = list(COMMAND)
        container["volumeMounts"] = [{"name": "playbook", "mountPath": PLAYBOOK_FOLDER}]
        pod["volumes"] = [{"name": "playbook", "configMap": {"name": run.name}}]
    owner = {"apiVersion": "v1", "kind": "ConfigMap", "name": run.name, "uid": owner_uid}
    # A mesh's proxy would outlive the hook, and the Job would never end.
    marks = {"labels": {**NO_SIDECARS_LABELS, **run.labels}, "annotations": dict(NO_SIDECARS_ANNOTATIONS)}
    template = {"metadata": marks, "spec": pod}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {**_metadata(run), "ownerReferences": [owner]},
        "spec": {"template": template},
    }


@dataclass(frozen=True)
class Verdict:
    """Where a Job stands. ``reason`` is Kubernetes' own word for a failure."""

    state: Literal["running", "succeeded", "failed"]
    reason: str = ""


def judge(found: Mapping[str, Any]) -> Verdict:
    """What the status of the Job says."""
    status = found.get("status") or {}
    for condition in status.get("conditions") or ():
        if condition.get("type") == "Failed" and condition.get("status") == "True":
            return Verdict("failed", str(condition.get("reason") or "Failed"))
    if int(status.get("failed") or 0) >= RETRIES:
        return Verdict("failed", f"{status['failed']} pods have failed")
    return Verdict("succeeded") if int(status.get("succeeded") or 0) >= 1 else Verdict("running")


def _environment(run: HookRun) -> list[dict[str, str]]:
    """Both spellings: MTC sets the first two, its documents name the others."""
    namespaces = ",".join(run.plan["spec"].get("namespaces") or ())
    values = {
        "MIGRATION_NAMESPACES": namespaces,
        "MIGRATION_PLAN_NAME": run.plan_name,
        "migration_namespaces": namespaces,
        "migplan_name": run.plan_name,
    }
    return [{"name": name, "value": value} for name, value in values.items()]


def _metadata(run: HookRun) -> dict[str, Any]:
    return {
        "name": run.name,
        "namespace": run.namespace,
        "labels": run.labels,
        "annotations": {names.DEADLINE_ANNOTATION: run.deadline},
    }


def _dns(text: str, limit: int) -> str:
    return re.sub(r"[^a-z0-9-]", "-", text.lower())[:limit].strip("-")
