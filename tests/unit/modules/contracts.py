# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What each module makes of its options before it asks a cluster: problems, or specs for the API server.

One row for each module, with the functions that the module itself calls, in its order. ``critical`` looks at a spec as
the builtin engine's reconciler does, on clusters where everything that a spec can refer to exists and is ready: what is
Critical even there, the client could have known.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from types import ModuleType, SimpleNamespace
from typing import Any, cast

from ansible_collections.openmig.mtc.plugins.module_utils.cluster.api import Cluster
from ansible_collections.openmig.mtc.plugins.module_utils.cluster.options import connection_options
from ansible_collections.openmig.mtc.plugins.module_utils.engine import (
    cluster_reconciler,
    ensure_cluster,
    ensure_direct_volume,
    ensure_hook,
    ensure_resource,
    ensure_storage,
    gc,
    hook_reconciler,
    migrate,
)
from ansible_collections.openmig.mtc.plugins.module_utils.engine.call import Call
from ansible_collections.openmig.mtc.plugins.module_utils.engine.direct_options import DirectOptions
from ansible_collections.openmig.mtc.plugins.module_utils.engine.intent import Intent
from ansible_collections.openmig.mtc.plugins.module_utils.module import CONNECTIONS
from ansible_collections.openmig.mtc.plugins.module_utils.resources import (
    directimage,
    directimagestream,
    directvolume,
    directvolume_rules,
    engines,
    info_options,
    miganalytic,
    migcluster,
    mighook,
    migmigration,
    migplan,
    migstorage,
    names,
    namespaces,
    option_types,
    plan_selections,
    spec_fields,
    wait_condition,
)
from ansible_collections.openmig.mtc.plugins.module_utils.resources.condition_names import PlanCondition
from ansible_collections.openmig.mtc.plugins.module_utils.resources.conditions import Conditions
from ansible_collections.openmig.mtc.plugins.module_utils.resources.errors import InvalidInput, Problem, suboptions_of
from ansible_collections.openmig.mtc.plugins.module_utils.resources.plan_checks import SelectionFacts, check_selections
from ansible_collections.openmig.mtc.plugins.module_utils.resources.plan_facts import ClusterFacts, PlanFacts
from ansible_collections.openmig.mtc.plugins.module_utils.resources.plan_validation import validate_plan
from ansible_collections.openmig.mtc.plugins.module_utils.resources.storage_providers import PROVIDERS
from unit.modules import documents

Params = Mapping[str, Any]
Spec = dict[str, Any]
READY = {"conditions": [{"type": "Ready", "status": "True", "category": "Required"}]}


def nothing(_params: Params) -> list[tuple[str, Spec]]:
    """Of a module that makes no resource."""
    return []


@dataclass(frozen=True, kw_only=True)
class Contract:
    """A module's way from options to specs. ``specs`` gives (kind, spec) and raises InvalidInput for what is left."""

    validate: Callable[[Params], list[Problem]]
    specs: Callable[[Params], list[tuple[str, Spec]]] = nothing
    critical: Callable[[str, Spec], list[str]] = lambda _kind, _spec: []
    room: ModuleType | None = None
    """For the second run: what was written is no drift."""


def namespace_of(params: Params) -> str:
    """As choice.settle() would have it on a cluster without MTC."""
    return str(params.get("namespace") or engines.NAMESPACES[engines.BUILTIN])


def begin(module: str, params: Params) -> None:
    """What module.run() does with every module's options first; raises InvalidInput."""
    given = {"": params, **{name: params[name] for name in CONNECTIONS if params.get(name)}}
    for within, each in given.items():
        options = connection_options(each, {}, within=within)
        options.secrets()
        options.harmless()
    if problems := option_types.problems(documents.spec(module), params):
        raise InvalidInput(subject=module, problems=problems)


def _built(room: ModuleType, kind: str, params: Params) -> list[tuple[str, Spec]]:
    if params.get("state") == "absent":
        return []
    spec = room.merge_spec(None, room.build_spec({**params, "namespace": namespace_of(params)}))
    return [(kind, _complete(room, kind, spec))]


def _judged(room: ModuleType, kind: str) -> Callable[[Params], list[Problem]]:
    """As ensure() of a kind that is judged by looking at it has the options checked."""
    return lambda params: [*room.validate(params), *wait_condition.problems(params, kind)]


def _complete(room: ModuleType, kind: str, spec: Spec) -> Spec:
    if missing := room.incomplete(spec):
        raise InvalidInput(subject=kind, problems=missing)
    return spec


# -- MigCluster ----------------------------------------------------------------------------------------------------


class Answering:
    """Plays a cluster that is reached and lets the account do everything."""

    def capabilities(self, *, control: bool) -> None:
        pass

    def allowed(self, *_asked: str) -> bool:
        return True


def _cluster_specs(params: Params) -> list[tuple[str, Spec]]:
    if params["state"] == "absent":
        return []
    wanted = migcluster.build_spec({**params, "namespace": namespace_of(params)})
    if params.get("remote"):
        wanted.setdefault("url", "https://remote:6443")
        wanted.setdefault("serviceAccountSecretRef", {"name": "token", "namespace": namespace_of(params)})
    return [(names.MIG_CLUSTER, _complete(migcluster, names.MIG_CLUSTER, migcluster.merge_spec(None, wanted)))]


def _cluster_critical(_kind: str, spec: Spec) -> list[str]:
    status = cluster_reconciler.check_cluster(
        spec=spec,
        status={},
        secret=lambda: {"saToken": "dG9rZW4="},
        connect=lambda _spec, _token: cast(Cluster, Answering()),
    )
    return [item["type"] for item in status["conditions"] if item["category"] == "Critical"]


# -- MigPlan -------------------------------------------------------------------------------------------------------


def _plan_specs(params: Params) -> list[tuple[str, Spec]]:
    built = _built(migplan, names.MIG_PLAN, params)
    chosen = plan_selections.selections(params)
    for _kind, spec in built:
        found = [_volume(source, claim) for source in namespaces.sources(spec["namespaces"]) for claim in CLAIMS]
        spec["persistentVolumes"] = plan_selections.apply(found, chosen).entries
    return built


CLAIMS = ("data", "app-cache")


def _volume(namespace: str, claim: str) -> Spec:
    actions, methods = ["skip", "copy", "move"], ["filesystem", "block", "snapshot"]
    return {
        "name": f"pv-{namespace}-{claim}",
        "capacity": "1Gi",
        "storageClass": "slow",
        "supported": {"actions": actions, "copyMethods": methods},
        "selection": {"action": "copy", "copyMethod": "filesystem", "storageClass": "fast"},
        "pvc": {"namespace": namespace, "name": claim, "accessModes": ["ReadWriteOnce"], "volumeMode": "Filesystem"},
        "proposedCapacity": "0",
    }


def _plan_critical(_kind: str, spec: Spec) -> list[str]:
    pairs = namespaces.pairs(spec["namespaces"])
    source, destination = (_side(spec[field]) for field in ("srcMigClusterRef", "destMigClusterRef"))
    plan = {"metadata": {"name": "plan", "namespace": "openmig"}, "spec": spec}
    facts = PlanFacts(
        plan=plan,
        source=ClusterFacts(resource=source, namespaces={pair.source: {} for pair in pairs}),
        destination=ClusterFacts(resource=destination, namespaces={pair.destination: {} for pair in pairs}),
        storage={"status": READY},
        hooks={target: {"status": READY} for hook in spec.get("hooks") or [] if (target := _target(hook))},
        source_pods=[],
    )
    conditions = Conditions({})
    conditions.begin()
    validate_plan(facts, conditions)
    classes = [{"name": entry["selection"].get("storageClass")} for entry in spec["persistentVolumes"]]
    check_selections(SelectionFacts(entries=spec["persistentVolumes"], destination_classes=classes), conditions)
    conditions.delete(PlanCondition.NAMESPACE_LIMIT_EXCEEDED)  # the limit may stand on the plan that is stored
    return [
        name for name in conditions._entries if (conditions.find(name) or {}).get("category") in ("Critical", "Error")
    ]


def _side(reference: Mapping[str, Any]) -> dict[str, Any]:
    name = ".".join(spec_fields.refers_to(reference) or ())
    return {"metadata": {"name": name}, "spec": {"url": f"https://{name}.example.com"}, "status": READY}


def _target(hook: Mapping[str, Any]) -> tuple[str, str] | None:
    return spec_fields.refers_to(hook["reference"])


# -- MigMigration --------------------------------------------------------------------------------------------------


def _migration_specs(params: Params) -> list[tuple[str, Spec]]:
    definition = params.get("plan_definition") or {}
    plan = str(params.get("plan") or definition["name"])
    Intent.from_params(params).to_record()
    wanted = {**params, "plan": plan, "namespace": namespace_of(params)}
    built = _built(migmigration, names.MIG_MIGRATION, wanted)
    if definition:
        with suboptions_of("plan_definition"):
            built += _plan_specs({**definition, "namespace": namespace_of(params)})
    return built


def _migration_critical(kind: str, spec: Spec) -> list[str]:
    if kind == names.MIG_PLAN:
        return _plan_critical(kind, spec)
    return ["InvalidSpec"] if sum(bool(spec.get(name)) for name in ("stage", "migrateState", "rollback")) > 1 else []


# -- MigHook -------------------------------------------------------------------------------------------------------


def _hook_problems(params: Params) -> list[Problem]:
    return [*_judged(mighook, names.MIG_HOOK)(params), *ensure_hook.with_playbook(params)[1]]


def _hook_specs(params: Params) -> list[tuple[str, Spec]]:
    return _built(mighook, names.MIG_HOOK, ensure_hook.with_playbook(params)[0])


def _hook_critical(_kind: str, spec: Spec) -> list[str]:
    return [found for found, _message in hook_reconciler.findings(spec)]


# -- the others ----------------------------------------------------------------------------------------------------


def _analytic_critical(_kind: str, spec: Spec) -> list[str]:
    return [] if spec_fields.refers_to(spec["migPlanRef"]) else ["InvalidPlanRef"]


def _direct_volume_specs(params: Params) -> list[tuple[str, Spec]]:
    if params["state"] == "absent":
        return []
    call = cast(Call, SimpleNamespace(params=params, namespace=namespace_of(params)))
    DirectOptions.from_params(params)
    spec = ensure_direct_volume._spec(call, None, "it")
    for claim in spec["persistentVolumeClaims"]:
        # What the task leaves out is taken from the source's claims before the resource is stored.
        claim.setdefault("targetStorageClass", "fast")
        claim.setdefault("targetAccessModes", ["ReadWriteOnce"])
    return [(names.DIRECT_VOLUME_MIGRATION, spec)]


def _direct_volume_critical(_kind: str, spec: Spec) -> list[str]:
    """The clusters may be given as connections, so that a missing reference is no fault."""
    conditions = Conditions({})
    conditions.begin()
    side = directvolume_rules.Side(given=True)
    directvolume_rules.validate_references(conditions, spec, source=side, destination=side)
    return list(conditions._entries)


# -- MigStorage ----------------------------------------------------------------------------------------------------


def _storage_specs(params: Params) -> list[tuple[str, Spec]]:
    if params["state"] == "absent":
        return []
    call = cast(Call, SimpleNamespace(params=params, namespace=namespace_of(params), engine=engines.BUILTIN))
    secrets = ensure_storage._secrets(call)
    wanted = ensure_resource._wanted(call, ensure_storage.HANDLER, secrets)
    spec = _complete(migstorage, names.MIG_STORAGE, migstorage.merge_spec(None, wanted))
    providers = [spec["backupStorageProvider"], spec.get("volumeSnapshotProvider") or spec["backupStorageProvider"]]
    for secret in secrets:
        provider = providers[secret.reference[0] == migstorage.GROUPS[migstorage.SNAPSHOT].name]
        assert PROVIDERS[provider].read(secret.encoded).items == (), "the credentials that the options give"
    return [(names.MIG_STORAGE, spec)]


def _storage_critical(_kind: str, spec: Spec) -> list[str]:
    """As the reconciler judges without asking the store."""
    config = spec["backupStorageConfig"]
    found = [*PROVIDERS[spec["backupStorageProvider"]].backup_items(config)]
    if spec.get("volumeSnapshotProvider"):
        found += PROVIDERS[spec["volumeSnapshotProvider"]].snapshot_items(spec["volumeSnapshotConfig"])
    return found if spec_fields.refers_to(config["credsSecretRef"]) else [*found, "credsSecretRef"]


# -- the table -----------------------------------------------------------------------------------------------------

CONTRACTS: Mapping[str, Contract] = {
    "mig_cluster": Contract(
        validate=ensure_cluster.validate, specs=_cluster_specs, critical=_cluster_critical, room=migcluster
    ),
    "mig_plan": Contract(validate=_judged(migplan, names.MIG_PLAN), specs=_plan_specs, critical=_plan_critical),
    "mig_migration": Contract(validate=migrate.validate, specs=_migration_specs, critical=_migration_critical),
    "mig_analytic": Contract(
        validate=_judged(miganalytic, names.MIG_ANALYTIC),
        specs=partial(_built, miganalytic, names.MIG_ANALYTIC),
        critical=_analytic_critical,
        room=miganalytic,
    ),
    "direct_volume_migration": Contract(
        validate=ensure_direct_volume.validate,
        specs=_direct_volume_specs,
        critical=_direct_volume_critical,
        room=directvolume,
    ),
    "direct_image_migration": Contract(
        validate=_judged(directimage, names.DIRECT_IMAGE_MIGRATION),
        specs=partial(_built, directimage, names.DIRECT_IMAGE_MIGRATION),
        room=directimage,
    ),
    "direct_image_stream_migration": Contract(
        validate=_judged(directimagestream, names.DIRECT_IMAGE_STREAM_MIGRATION),
        specs=partial(_built, directimagestream, names.DIRECT_IMAGE_STREAM_MIGRATION),
        room=directimagestream,
    ),
    "mig_storage": Contract(
        validate=_judged(migstorage, names.MIG_STORAGE), specs=_storage_specs, critical=_storage_critical
    ),
    "mig_hook": Contract(validate=_hook_problems, specs=_hook_specs, critical=_hook_critical, room=mighook),
    "mig_gc": Contract(validate=gc.validate),
    **{module: Contract(validate=info_options.validate) for module in documents.MODULES if module.endswith("_info")},
}
