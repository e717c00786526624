# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""One call of ``mig_cluster``: adopt the cluster if a way to it is given, store the MigCluster, make its status
true."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

from ..cluster.api import Cluster
from ..resources import migcluster, names
from ..resources.condition_names import ClusterCondition
from ..resources.conditions import blockers, by_type, condition, is_ready
from ..resources.errors import InvalidInput, MtcError, PermanentError, Problem, Refused, subject_of
from . import adoption, call, choice, cluster_reconciler
from .call import Call
from .choice import builtin_only
from .clock import elapsed_clock
from .reach import read_token

Manifest = dict[str, Any]
SHORTEST_TOKEN = 600
"""Seconds; the API server refuses shorter lives."""


def validate(params: Mapping[str, Any]) -> list[Problem]:
    """What can be known from the task alone."""
    problems = migcluster.validate(params)
    if params["state"] == "absent":
        return problems
    if params.get("remote") and params.get("is_host_cluster"):
        fault = "cannot be combined with is_host_cluster: the control cluster needs no adoption"
        problems.append(Problem(path="remote", fault=fault, mend="Drop one of them"))
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
    this = builtin_only(choice.settle(this, control))
    subject = subject_of(names.MIG_CLUSTER, params["name"], this.namespace)
    call.require_resources(control, check=this.check)
    secret_name = f"{params['name']}-token"
    existing, stored = control.map(
        lambda key: control.get(*key),
        [
            (names.API_VERSION, names.MIG_CLUSTER, params["name"], this.namespace),
            ("v1", "Secret", secret_name, this.namespace),
        ],
    )
    if params["state"] == "absent":
        return _remove(this, control, existing, stored, started=started)
    remote = this.reach.given("remote", name=params["name"])
    wanted = _wanted(this, remote, secret_name)
    spec = migcluster.merge_spec((existing or {}).get("spec"), wanted)
    if missing := migcluster.incomplete(spec):
        raise InvalidInput(subject=subject, problems=missing)
    changes: list[str] = []
    if remote is not None:
        stored = _adopt(
            this,
            control=control,
            remote=remote,
            stored=stored,
            secret_name=secret_name,
            changes=changes,
            rejected=False,
        )
    status = _status(this, control, remote, spec, existing)
    if remote is not None and not this.check and _token_is_rejected(status):
        stored = _adopt(
            this,
            control=control,
            remote=remote,
            stored=stored,
            secret_name=secret_name,
            changes=changes,
            rejected=True,
        )
        status = _status(this, control, remote, spec, existing)
    resource = _store(this, control, existing=existing, spec=spec, status=status, changes=changes)
    result = {
        "changed": bool(changes),
        "changes": changes,
        "resource": resource,
        "conditions": by_type(resource),
        "engine": this.engine,
        "duration": round(elapsed_clock() - started, 2),
        "diff": migcluster.drift((existing or {}).get("spec"), wanted) or {"before": {}, "after": {}},
    }
    if not is_ready(resource):
        raise _not_ready(subject, resource)
    return result


def _wanted(this: Call, remote: Cluster | None, secret_name: str) -> dict[str, Any]:
    """The spec that the options ask for, with what the connection to the remote cluster tells added to it."""
    wanted = migcluster.build_spec({**this.params, "namespace": this.namespace})
    if remote is None:
        return wanted
    wanted.setdefault("url", remote.server)
    wanted.setdefault("serviceAccountSecretRef", {"name": secret_name, "namespace": this.namespace})
    authorities = remote.authorities()
    if not remote.verified:
        wanted.setdefault("insecure", True)
    elif authorities:
        wanted.setdefault("caBundle", base64.b64encode(authorities).decode("ascii"))
    return wanted


def _adopt(
    this: Call,
    *,
    control: Cluster,
    remote: Cluster,
    stored: Manifest | None,
    secret_name: str,
    changes: list[str],
    rejected: bool,
) -> Manifest | None:
    params = this.params
    found = adoption.adopt(
        remote,
        namespace=params["service_account_namespace"],
        rights=params["rights"],
        lifetime=params["token_lifetime"],
        stored=stored,
        rejected=rejected,
        check=this.check,
    )
    changes += found.changes
    if found.token is None:
        return stored
    secret = adoption.token_secret(
        name=secret_name, namespace=this.namespace, token=found.token, expires=found.expires or ""
    )
    changes.append(f"{subject_of('Secret', secret_name, this.namespace)} {'changed' if stored else 'created'}")
    return control.replace(secret) if stored else control.create(secret)


def _status(
    this: Call, control: Cluster, remote: Cluster | None, spec: Mapping[str, Any], existing: Manifest | None
) -> dict[str, Any]:
    def secret() -> str:
        if this.check and remote is not None:
            return ""
        return read_token(control, spec, subject=subject_of(names.MIG_CLUSTER, this.params["name"], this.namespace))

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


def _token_is_rejected(status: Mapping[str, Any]) -> bool:
    found = condition({"status": status}, ClusterCondition.CONNECT_FAILED)
    return found is not None and "401" in found.get("message", "")


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
        return manifest if this.check else control.create(manifest)
    wanted = {**existing, "spec": spec, "status": status}
    if wanted == existing:
        return existing
    changes.append(f"{subject} {'changed' if existing['spec'] != spec else 'has a new status'}")
    return wanted if this.check else cluster_reconciler.write_status(control, {**existing, "spec": spec}, status)


def _not_ready(subject: str, resource: Mapping[str, Any]) -> MtcError:
    found = "; ".join(f"{item['type']}: {item.get('message', '')}" for item in blockers(resource))
    return PermanentError(
        subject=subject,
        attempt="the cluster is not ready",
        reason=found,
        mend="Mend what the conditions say and run the task again",
    )


def _remove(
    this: Call, control: Cluster, existing: Manifest | None, stored: Manifest | None, *, started: float
) -> dict[str, Any]:
    """Remove the MigCluster and the token that adopting stored; with ``remote`` also account and rights there."""
    subject = subject_of(names.MIG_CLUSTER, this.params["name"], this.namespace)
    changes: list[str] = []
    if existing is not None:
        users = [
            plan["metadata"]["name"]
            for plan in control.list(names.API_VERSION, names.MIG_PLAN, this.namespace)
            if this.params["name"]
            in [(plan["spec"].get(key) or {}).get("name") for key in ("srcMigClusterRef", "destMigClusterRef")]
        ]
        if users:
            raise Refused(
                subject=subject,
                attempt="it is not removed",
                reason=f"these plans use it: {', '.join(sorted(users))}",
                mend="Remove the plans first",
            )
        changes.append(f"{subject} removed")
        if not this.check:
            control.delete(names.API_VERSION, names.MIG_CLUSTER, this.params["name"], this.namespace)
    if stored is not None and (stored["metadata"].get("labels") or {}).get(names.MANAGED_BY_LABEL) == names.MANAGED_BY:
        changes.append(f"{subject_of('Secret', stored['metadata']['name'], this.namespace)} removed")
        if not this.check:
            control.delete("v1", "Secret", stored["metadata"]["name"], this.namespace)
    remote = this.reach.given("remote", name=this.params["name"])
    if remote is not None:
        changes += adoption.release(
            remote,
            namespace=this.params["service_account_namespace"],
            rights=this.params["rights"],
            check=this.check,
        )
    return {
        "changed": bool(changes),
        "changes": changes,
        "resource": {},
        "conditions": {},
        "engine": this.engine,
        "duration": round(elapsed_clock() - started, 2),
        "diff": {"before": (existing or {}).get("spec") or {}, "after": {}},
    }
