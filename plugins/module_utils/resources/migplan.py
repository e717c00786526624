# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""MigPlan: which namespaces and volumes go from which cluster to which.

The spec has two owners. What the user names here is written over what is there; ``refresh`` and the list of volumes are
the engine's, except for the choices in that list, which come from plan_selections.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from . import namespaces, option_checks as check, plan_selections, spec_fields
from .errors import Problem
from .names import BUILTIN_NAMESPACE
from .plan_selections import Selections
from .spec_fields import Field, ReferenceField

NAMESPACE_LIMIT = 10
"""MTC's default for the entries of one plan."""
HOOK_PHASES = ("PreBackup", "PostBackup", "PreRestore", "PostRestore")
CONTROLLER_ENGINE = "controller"


def _hooks(items: Any) -> list[dict[str, Any]]:
    return [
        {
            "reference": spec_fields.reference(item["reference"]["name"], item["reference"]["namespace"]),
            "phase": item["phase"],
            "executionNamespace": item["execution_namespace"],
            "serviceAccount": item["service_account"],
        }
        for item in items
    ]


def _label_selector(option: Mapping[str, Any]) -> dict[str, Any]:
    selector: dict[str, Any] = {}
    if option.get("match_labels"):
        selector["matchLabels"] = dict(option["match_labels"])
    if option.get("match_expressions"):
        selector["matchExpressions"] = [
            {name: value for name, value in item.items() if value is not None} for item in option["match_expressions"]
        ]
    return selector


def _included_resources(items: Any) -> list[dict[str, str]]:
    return [{"group": item.get("group") or "", "kind": item["kind"]} for item in items]


FIELDS = (
    ReferenceField("source_cluster", "src_mig_cluster_ref", "srcMigClusterRef"),
    ReferenceField("destination_cluster", "dest_mig_cluster_ref", "destMigClusterRef"),
    ReferenceField("storage", "mig_storage_ref", "migStorageRef"),
    Field("namespaces", "namespaces", list),
    Field("included_resources", "includedResources", _included_resources),
    Field("label_selector", "labelSelector", _label_selector),
    Field("indirect_image_migration", "indirectImageMigration"),
    Field("indirect_volume_migration", "indirectVolumeMigration"),
    Field("live_migrate", "liveMigrate"),
    Field("hooks", "hooks", _hooks),
    Field("closed", "closed"),
)
NO_SELECTIONS = Selections()


def build_spec(params: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of the spec that the user named. Volumes are not among them: see plan_selections.selections()."""
    namespace = params.get("namespace") or BUILTIN_NAMESPACE
    hooks = [
        {**hook, "reference": {**hook["reference"], "namespace": hook["reference"].get("namespace") or namespace}}
        for hook in params.get("hooks") or []
    ]
    return spec_fields.build(FIELDS, params if params.get("hooks") is None else {**params, "hooks": hooks})


def merge_spec(
    existing_spec: Mapping[str, Any] | None, wanted: Mapping[str, Any], chosen: Selections = NO_SELECTIONS
) -> dict[str, Any]:
    """The spec to write: the existing one (None or {} for a new plan) with the wanted fields and choices over it.

    Rules that no known volume matches are passed over: discovery may not have run. plan_selections.apply() tells them.
    """
    merged = spec_fields.merge(existing_spec or {}, wanted)
    if chosen and merged.get("persistentVolumes"):
        merged["persistentVolumes"] = plan_selections.apply(merged["persistentVolumes"], chosen).entries
    return merged


def drift(
    existing_spec: Mapping[str, Any] | None, wanted: Mapping[str, Any], chosen: Selections = NO_SELECTIONS
) -> dict[str, Any]:
    """{} when nothing is to be written, else ``before`` and ``after`` of what changes.

    Of volumes only the user's half is shown, by claim.
    """
    before, after = dict(existing_spec or {}), merge_spec(existing_spec, wanted, chosen)
    for spec in (before, after):
        if spec.get("persistentVolumes"):
            spec["persistentVolumes"] = plan_selections.owned(spec["persistentVolumes"])
    return spec_fields.differences(before, after)


def validate(params: Mapping[str, Any], *, namespace_limit: int = NAMESPACE_LIMIT) -> list[Problem]:
    """All that is wrong with the options themselves, at once. Facts of the clusters are plan_validation's."""
    problems = check.resource_name(params)
    if params.get("state") == "absent":
        return problems
    for short, full in (
        ("source_cluster", "src_mig_cluster_ref"),
        ("destination_cluster", "dest_mig_cluster_ref"),
        ("storage", "mig_storage_ref"),
    ):
        problems += check.exclusive(params, (short, full))
        problems += check.dns_subdomain(params.get(short), short)
        problems += check.reference(params.get(full), full)
    problems += _namespace_problems(params, namespace_limit)
    problems += _overlap_problems(params)
    problems += _hook_problems(params)
    problems += _selector_problems(params)
    problems += plan_selections.problems(params)
    return problems


def incomplete(spec: Mapping[str, Any]) -> list[Problem]:
    """What a merged spec still lacks to be usable."""
    problems = [
        Problem(path=option, fault="is missing", mend="Name the MigCluster")
        for option, name in (("source_cluster", "srcMigClusterRef"), ("destination_cluster", "destMigClusterRef"))
        if spec_fields.refers_to(spec.get(name)) is None
    ]
    if not spec.get("namespaces"):
        problems.append(Problem(path="namespaces", fault="is missing", mend="Name at least one namespace"))
    return problems


def namespace_mapping(plan: Mapping[str, Any]) -> dict[str, str]:
    """Source to destination of a plan resource."""
    return namespaces.mapping((plan.get("spec") or {}).get("namespaces") or [])


def _namespace_problems(params: Mapping[str, Any], limit: int) -> list[Problem]:
    entries = params.get("namespaces")
    if entries is None:
        return []
    problems = namespaces.problems(entries, "namespaces")
    if not entries:
        problems.append(Problem(path="namespaces", fault="is empty", mend="Name at least one namespace"))
    if len(entries) > limit:
        fault = f"{len(entries)} namespaces are more than the {limit} of one plan"
        problems.append(Problem(path="namespaces", fault=fault, mend="Spread them over several plans"))
    return problems


def _overlap_problems(params: Mapping[str, Any]) -> list[Problem]:
    """On one cluster a namespace cannot be source and destination, unless MTC converts storage classes in place."""
    spec = spec_fields.build(FIELDS[:2], params)
    source = spec_fields.refers_to(spec.get("srcMigClusterRef"))
    if source is None or source != spec_fields.refers_to(spec.get("destMigClusterRef")):
        return []
    pairs = namespaces.pairs(params.get("namespaces") or [])
    shared = sorted({pair.source for pair in pairs} & {pair.destination for pair in pairs})
    in_place = params.get("engine") == CONTROLLER_ENGINE and not any(pair.renamed for pair in pairs)
    if not shared or in_place:
        return []
    fault = f"source and destination are the same cluster, and {', '.join(shared)} would be both source and destination"
    mend = "Give every namespace another name (source:destination), or another destination cluster"
    return [Problem(path="namespaces", fault=fault, mend=mend)]


def _hook_problems(params: Mapping[str, Any]) -> list[Problem]:
    problems: list[Problem] = []
    hooks = params.get("hooks") or []
    for index, hook in enumerate(hooks):
        path = f"hooks[{index}]"
        problems += check.reference(hook.get("reference"), f"{path}.reference")
        problems += check.one_of(hook.get("phase"), HOOK_PHASES, f"{path}.phase")
        problems += check.dns_label(hook.get("execution_namespace"), f"{path}.execution_namespace")
        problems += check.dns_subdomain(hook.get("service_account"), f"{path}.service_account")
    for phase in namespaces.repeated(str(hook.get("phase")) for hook in hooks):
        problems.append(Problem(path="hooks", fault=f"two hooks in phase {phase}", mend="Each phase takes one hook"))
    return problems


_WITH_VALUES = ("In", "NotIn")
_WITHOUT_VALUES = ("Exists", "DoesNotExist")


def _selector_problems(params: Mapping[str, Any]) -> list[Problem]:
    problems: list[Problem] = []
    expressions = (params.get("label_selector") or {}).get("match_expressions") or []
    for index, expression in enumerate(expressions):
        path = f"label_selector.match_expressions[{index}]"
        operator = expression.get("operator")
        problems += check.one_of(operator, (*_WITH_VALUES, *_WITHOUT_VALUES), f"{path}.operator")
        if operator in _WITH_VALUES and not expression.get("values"):
            problems.append(Problem(path=f"{path}.values", fault=f"is empty for {operator}", mend="Name values"))
        if operator in _WITHOUT_VALUES and expression.get("values"):
            problems.append(Problem(path=f"{path}.values", fault=f"means nothing for {operator}", mend="Drop it"))
    return problems
