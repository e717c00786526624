# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""One call of ``mig_cluster``: adopt the cluster if a way to it is given, store the MigCluster, make its status
true."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

from ..cluster.api import Cluster
from ..resources import direct_course, migcluster, names, wait_condition
from ..resources.condition_names import ClusterCondition
from ..resources.conditions import by_type, condition, warnings
from ..resources.engines import CONTROLLER, NAMESPACES, secrets_namespace
from ..resources.errors import (
    InvalidInput,
    NotFound,
    NotReady,
    Problem,
    Refused,
    subject_of,
)
from ..resources.spec_fields import alike, refers_to
from . import adoption, call, choice, cluster_reconciler, condition_waits, controlled_cluster
from .call import Call
from .clock import elapsed_clock

Manifest = dict[str, Any]
REFERENCES = ("srcMigClusterRef", "destMigClusterRef")
SHORTEST_TOKEN = 600
"""Seconds; the API server refuses shorter lives."""


def validate(params: Mapping[str, Any]) -> list[Problem]:
    """What can be known from the task alone."""
    problems = [*migcluster.validate(params), *wait_condition.problems(params, names.MIG_CLUSTER)]
    if params["state"] == "absent":
        return problems
    if params.get("remote") and params.get("is_host_cluster"):
        fault = "cannot be combined with is_host_cluster: the control cluster needs no adoption"
        problems.append(Problem(path="remote", fault=fault, mend="Drop one of them"))
    for option in ("service_account_secret", "service_account_secret_ref"):
        if params.get("remote") and params.get(option):
            fault = "cannot be combined with remote: adopting makes an account, and the secret with its token"
            problems.append(Problem(path=option, fault=fault, mend=f"Drop {option}, or remote to use that secret"))
    if params["token_lifetime"] < SHORTEST_TOKEN:
        fault = f"must be at least {SHORTEST_TOKEN} seconds"
        problems.append(Problem(path="token_lifetime", fault=fault, mend="Choose a longer life"))
    return problems


def ensure(this: Call) -> dict[str, Any]:
    """The module's result. Raises when the cluster is not ready at the end, naming every blocking condition."""
    started = elapsed_clock()
    params = this.params
    if problems := validate(params):
        raise InvalidInput(subject=f"{names.MIG_CLUSTER} {params['name']}", problems=problems)
    control = this.reach.control()
    this = choice.settle(this, control)
    subject = subject_of(names.MIG_CLUSTER, params["name"], this.namespace)
    call.require_resources(control, check=this.check)
    secret_namespace, secret_name = _secret(this)
    existing, stored = control.map(
        lambda key: control.get(*key),
        [
            (names.API_VERSION, names.MIG_CLUSTER, params["name"], this.namespace),
            ("v1", "Secret", secret_name, secret_namespace),
        ],
    )
    if params["state"] == "absent":
        return _remove(this, control, existing, stored, started=started)
    remote = this.reach.given("remote", name=params["name"])
    wanted = _wanted(this, remote)
    spec = migcluster.merge_spec((existing or {}).get("spec"), wanted)
    # What somebody else has stored and this task leaves as it is, is judged by its conditions.
    if (existing is None or not alike(existing["spec"], spec)) and (missing := migcluster.incomplete(spec)):
        raise InvalidInput(subject=subject, problems=missing)
    changes: list[str] = []
    if remote is not None:
        _adopt(this, control, remote, stored, changes)
    look = controlled_cluster.Look if this.engine == CONTROLLER else _Look
    looked = look(this, control, remote=remote, spec=spec, existing=existing)
    if remote is not None and not this.check and looked.token_is_rejected():
        _adopt(this, control, remote, stored, changes, rejected=True)
        looked = look(this, control, remote=remote, spec=spec, existing=existing)
    resource = looked.store(changes)
    if this.engine != CONTROLLER:
        resource = _held(this, control, remote, resource, changes)
    result = {
        "changed": bool(changes),
        "changes": condition_waits.named_once(changes),
        "resource": resource,
        "conditions": by_type(resource),
        "warnings_to_show": [f"{item['type']}: {item.get('message', '')}" for item in warnings(resource)],
        "engine": this.engine,
        "duration": round(elapsed_clock() - started, 2),
        "diff": migcluster.drift((existing or {}).get("spec"), wanted) or {"before": {}, "after": {}},
    }
    if not condition_waits.settled(this, resource) and not (this.check and this.engine == CONTROLLER):
        raise NotReady(subject=subject, resource=resource, changes=condition_waits.named_once(changes))
    return result


def _held(this: Call, control: Cluster, remote: Cluster | None, resource: Manifest, changes: list[str]) -> Manifest:
    """The judged cluster; with ``wait_condition`` judged again, as it then lies there, until that holds."""
    metadata = resource["metadata"]
    subject = subject_of(names.MIG_CLUSTER, metadata["name"], metadata["namespace"])

    def look() -> Manifest:
        stored = condition_waits.read_again(control, resource, kind=names.MIG_CLUSTER, subject=subject)
        return _Look(this, control, remote=remote, spec=stored["spec"], existing=stored).store(changes)

    try:
        return condition_waits.until_it_holds(this, resource, subject=subject, look=look)
    except NotReady as error:
        raise error.after(condition_waits.named_once(changes)) from error


def _wanted(this: Call, remote: Cluster | None) -> dict[str, Any]:
    """The spec that the options ask for, with what the connection to the remote cluster tells added to it."""
    namespace, secret_name = _secret(this)
    wanted = migcluster.build_spec({**this.params, "namespace": namespace})
    if remote is None:
        return wanted
    wanted.setdefault("url", remote.server)
    wanted.setdefault("serviceAccountSecretRef", {"name": secret_name, "namespace": namespace})
    authorities = remote.authorities()
    if not remote.verified:
        wanted.setdefault("insecure", True)
    elif authorities:
        wanted.setdefault("caBundle", base64.b64encode(authorities).decode("ascii"))
    return wanted


def _secret(this: Call) -> tuple[str, str]:
    """(namespace, name) of the secret in which adopting stores the token."""
    return secrets_namespace(this.engine, this.namespace), f"{this.params['name']}-token"


def _account(this: Call) -> tuple[str, str]:
    """(namespace, rights) of the account on the remote cluster. MTC's controller wants its own name and all rights."""
    controlled = this.engine == CONTROLLER
    rights = adoption.CONTROLLER_RIGHTS if controlled else str(this.params["rights"])
    return this.params.get("service_account_namespace") or NAMESPACES[this.engine], rights


def _adopt(
    this: Call,
    control: Cluster,
    remote: Cluster,
    stored: Manifest | None,
    changes: list[str],
    *,
    rejected: bool = False,
) -> None:
    account_namespace, rights = _account(this)
    found = adoption.adopt(
        remote,
        namespace=account_namespace,
        rights=rights,
        lifetime=this.params["token_lifetime"],
        stored=stored,
        rejected=rejected,
        check=this.check,
    )
    changes += found.changes
    if found.token is None:
        return
    namespace, name = _secret(this)
    secret = adoption.token_secret(name=name, namespace=namespace, token=found.token, expires=found.expires or "")
    changes.append(f"{subject_of('Secret', name, namespace)} {'changed' if stored else 'created'}")
    if stored:
        control.replace(secret, dry_run=this.check)
    else:
        _create(this, control, secret)


def _create(this: Call, control: Cluster, manifest: Manifest) -> Manifest:
    """In check mode judged by the server where it knows kind and namespace: an earlier task would have made these."""
    try:
        return control.create(manifest, dry_run=this.check)
    except NotFound:
        if not this.check:
            raise
        return manifest


class _Look:
    """What is true of the cluster, seen by the builtin engine itself."""

    def __init__(
        self, this: Call, control: Cluster, *, remote: Cluster | None, spec: dict[str, Any], existing: Manifest | None
    ) -> None:
        self._call, self._control, self._spec, self._existing = this, control, spec, existing
        self._status = _status(this, control, remote, spec, existing)

    def token_is_rejected(self) -> bool:
        found = condition({"status": self._status}, ClusterCondition.CONNECT_FAILED)
        return found is not None and "401" in found.get("message", "")

    def store(self, changes: list[str]) -> Manifest:
        """Spec and status together; the resource as it then is."""
        return _store(
            self._call,
            self._control,
            existing=self._existing,
            spec=self._spec,
            status=self._status,
            changes=changes,
        )


def _status(
    this: Call, control: Cluster, remote: Cluster | None, spec: Mapping[str, Any], existing: Manifest | None
) -> dict[str, Any]:
    def secret() -> Mapping[str, str] | None:
        if this.check and remote is not None:
            return {names.SERVICE_ACCOUNT_TOKEN_KEY: base64.b64encode(adoption.FORETOLD.encode()).decode("ascii")}
        reference = spec["serviceAccountSecretRef"]
        found = control.get("v1", "Secret", reference["name"], reference["namespace"])
        return None if found is None else found.get("data") or {}

    def connect(described: Mapping[str, Any], token: str) -> Cluster:
        if described.get("isHostCluster"):
            return control
        # Before the account exists, the connection that would make it is the only one that can be tested.
        if this.check and remote is not None:
            return remote
        return this.reach.with_token(described, token=token, name=this.params["name"])

    return cluster_reconciler.check_cluster(
        spec=spec, status=(existing or {}).get("status") or {}, secret=secret, connect=connect
    )


def _store(
    this: Call,
    control: Cluster,
    *,
    existing: Manifest | None,
    spec: dict[str, Any],
    status: dict[str, Any],
    changes: list[str],
) -> Manifest:
    subject = subject_of(names.MIG_CLUSTER, this.params["name"], this.namespace)
    if existing is None:
        changes.append(f"{subject} created")
        manifest = {
            "apiVersion": names.API_VERSION,
            "kind": names.MIG_CLUSTER,
            "metadata": {"name": this.params["name"], "namespace": this.namespace},
            "spec": spec,
            "status": status,
        }
        created = _create(this, control, manifest)
        return manifest if this.check else created
    wanted = {**existing, "spec": spec, "status": status}
    if wanted == existing and not spec.get("refresh"):
        return existing
    changes.append(f"{subject} {'changed' if existing['spec'] != spec else 'has a new status'}")
    if this.check:
        control.replace(wanted, dry_run=True)
        return wanted
    return cluster_reconciler.write_status(control, {**existing, "spec": spec}, status)


def _users(this: Call, control: Cluster) -> list[str]:
    """The plans that refer to the cluster, and the copies without a plan that are under way with it."""
    me = (this.namespace, str(this.params["name"]))
    kinds = (
        names.MIG_PLAN,
        names.DIRECT_VOLUME_MIGRATION,
        names.DIRECT_IMAGE_MIGRATION,
        names.DIRECT_IMAGE_STREAM_MIGRATION,
    )

    def using(kind: str) -> list[str]:
        return [
            subject_of(kind, item["metadata"]["name"], item["metadata"]["namespace"])
            for item in control.list(names.API_VERSION, kind, this.namespace)
            if me in [refers_to((item.get("spec") or {}).get(field)) for field in REFERENCES]
            and (kind == names.MIG_PLAN or (_alone(item) and direct_course.standing(item).state == "running"))
        ]

    return sorted(user for users in control.map(using, kinds) for user in users)


def _alone(copy: Mapping[str, Any]) -> bool:
    """Whether it belongs to no migration and no other copy: those of a migration are its plan's matter."""
    return not any(owner.get("kind") in names.KINDS for owner in copy["metadata"].get("ownerReferences") or ())


def _remove(
    this: Call, control: Cluster, existing: Manifest | None, stored: Manifest | None, *, started: float
) -> dict[str, Any]:
    """Remove the MigCluster and the token that adopting stored; with ``remote`` also account and rights there."""
    subject = subject_of(names.MIG_CLUSTER, this.params["name"], this.namespace)
    changes: list[str] = []
    if existing is not None:
        if users := _users(this, control):
            raise Refused(
                subject=subject,
                attempt="it is not removed",
                reason=f"it is used by {', '.join(users)}",
                mend="Remove plans first, and let copies end or remove them",
            )
        changes.append(f"{subject} removed")
        control.delete(names.API_VERSION, names.MIG_CLUSTER, this.params["name"], this.namespace, dry_run=this.check)
    if stored is not None and (stored["metadata"].get("labels") or {}).get(names.MANAGED_BY_LABEL) == names.MANAGED_BY:
        namespace, name = _secret(this)
        changes.append(f"{subject_of('Secret', name, namespace)} removed")
        if not this.check:
            control.delete("v1", "Secret", name, namespace)
    remote = this.reach.given("remote", name=this.params["name"])
    if remote is not None:
        account_namespace, _rights = _account(this)
        changes += adoption.release(remote, namespace=account_namespace, check=this.check)
    return {
        "changed": bool(changes),
        "changes": changes,
        "resource": {},
        "conditions": {},
        "engine": this.engine,
        "duration": round(elapsed_clock() - started, 2),
        "diff": {"before": (existing or {}).get("spec") or {}, "after": {}},
    }
