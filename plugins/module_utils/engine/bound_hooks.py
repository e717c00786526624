# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A plan's hooks with their MigHooks: which runs in which phase, where, and what can be seen beforehand to keep it from
running."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from ..cluster.api import Cluster
from ..resources import names, spec_fields
from ..resources.errors import MtcError, NotFound, Refused, subject_of
from .predictions import Predictions

Manifest = Mapping[str, Any]
ACCOUNT_OF_EVERY_NAMESPACE = "default"


@dataclass(frozen=True, kw_only=True)
class BoundHook:
    """One hook of a plan."""

    phase: str
    resource: Manifest
    namespace: str
    service_account: str

    @property
    def name(self) -> str:
        return str(self.resource["metadata"]["name"])

    @property
    def subject(self) -> str:
        return subject_of(names.MIG_HOOK, self.name, str(self.resource["metadata"]["namespace"]))

    @property
    def side(self) -> str:
        """``source`` or ``destination``."""
        return str(self.resource["spec"]["targetCluster"])


def bound(control: Cluster, plan: Manifest, phase: str, *, predictions: Predictions | None = None) -> BoundHook | None:
    """The plan's hook for a phase (``PreBackup``); of several the last, as upstream has it. Raises NotFound when its
    MigHook is gone. ``predictions`` holds MigHooks that earlier tasks would have made (check mode)."""
    found = [hook for hook in plan["spec"].get("hooks") or () if hook.get("phase") == phase]
    if not found:
        return None
    binding = found[-1]
    namespace, name = spec_fields.refers_to(binding.get("reference")) or ("", "")
    foretold = predictions.find(names.MIG_HOOK, (namespace, name)) if predictions is not None else None
    resource = foretold or (control.get(names.API_VERSION, names.MIG_HOOK, name, namespace) if name else None)
    if resource is None:
        raise NotFound(
            subject=subject_of(names.MIG_HOOK, name, namespace),
            attempt=f"the plan's hook of phase {phase} is unknown",
            reason="there is no such resource on the control cluster",
            mend="Create it with mig_hook, or take it out of the plan",
            status=404,
        )
    return BoundHook(
        phase=phase,
        resource=resource,
        namespace=str(binding.get("executionNamespace", "")),
        service_account=str(binding.get("serviceAccount", "")),
    )


def bound_hooks(control: Cluster, plan: Manifest, *, predictions: Predictions) -> list[BoundHook]:
    """All of the plan's hooks whose MigHooks exist; the others are the plan's own finding."""
    phases = dict.fromkeys(str(hook.get("phase")) for hook in plan["spec"].get("hooks") or ())

    def look(phase: str) -> BoundHook | None:
        try:
            return bound(control, plan, phase, predictions=predictions)
        except NotFound:
            return None

    return [hook for hook in control.map(look, list(phases)) if hook is not None]


def require_account(cluster: Cluster, hook: BoundHook) -> None:
    """Raises NotFound when the service account of the hook does not exist where it is to run."""
    if cluster.get("v1", "ServiceAccount", hook.service_account, hook.namespace) is None:
        raise NotFound(
            subject=subject_of("ServiceAccount", hook.service_account, hook.namespace),
            attempt=f"the hook {hook.name} of phase {hook.phase} cannot run",
            reason=f"the account does not exist on the {hook.side}",
            mend=f"Create namespace and account on the {hook.side}, with the rights that the hook needs",
            status=404,
        )


def obstacles(cluster: Cluster, hook: BoundHook, *, made_by_run: Collection[str]) -> list[MtcError]:
    """Why the hook could not run on that cluster. ``made_by_run``: namespaces there that the run itself fills, so that
    account and namespace of a hook need not exist beforehand: objects before PostRestore, and before the others the
    account that every namespace has."""
    errors: list[MtcError] = []
    comes_later = hook.namespace in made_by_run and (
        hook.phase == "PostRestore"
        or (hook.phase in ("PostBackup", "PreRestore") and hook.service_account == ACCOUNT_OF_EVERY_NAMESPACE)
    )
    if not comes_later:
        try:
            require_account(cluster, hook)
        except NotFound as error:
            errors.append(error)
    if not cluster.allowed("create", "batch", "jobs", hook.namespace):
        errors.append(
            Refused(
                subject=hook.subject,
                attempt=f"it cannot run in namespace {hook.namespace} of the {hook.side}",
                reason="the account by which the cluster is reached may not create jobs there",
                mend="Let mig_cluster adopt the cluster again, or give the account that right",
            )
        )
    return errors
