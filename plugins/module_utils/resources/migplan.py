# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""MigPlan: which namespaces and volumes go from which cluster to which.

The spec has two owners. What the user names here is written over what is there; ``refresh`` and the list of volumes are
the engine's, except for the choices in that list, which come from plan_selections.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from . import namespaces, option_checks as check, plan_exclusions, plan_limits, plan_selections, spec_fields
from .engines import AUTO, CONTROLLER
from .errors import Problem
from .names import BUILTIN_NAMESPACE
from .plan_selections import Selections
from .spec_fields import Field, ReferenceField

HOOK_PHASES = ("PreBackup", "PostBackup", "PreRestore", "PostRestore")


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


def label_selector(option: Mapping[str, Any]) -> dict[str, Any]:
    """A LabelSelector from the option of that name."""
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
    Field("label_selector", "labelSelector", label_selector),
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


def validate(params: Mapping[str, Any]) -> list[Problem]:
    """All that is wrong with the options themselves, at once. Facts of the clusters are plan_validation's.

    ``engine`` among them is what the user named, or what was settled; without any it is the builtin one.
    """
    problems = check.resource_name(params) + _repository_problems(params)
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
    problems += plan_limits.problems(params)
    problems += plan_exclusions.problems(params)
    problems += _namespace_problems(params)
    problems += _overlap_problems(params)
    problems += _hook_problems(params)
    problems += selector_problems(params)
    problems += _resource_problems(params)
    problems += plan_selections.problems(params)
    return problems


def _repository_problems(params: Mapping[str, Any]) -> list[Problem]:
    if not params.get("delete_repository"):
        return []
    path, fault, mend = "delete_repository", "deletes backups, and the plan is not removed", "Say state: absent"
    if params.get("engine") == CONTROLLER:
        fault, mend = "is not something that MTC's controller can be told here", "Leave it out"
    elif params.get("state") == "absent":
        return []
    return [Problem(path=path, fault=fault, mend=mend)]


def incomplete(spec: Mapping[str, Any]) -> list[Problem]:
    """What a merged spec still lacks to be usable."""
    problems = [
        Problem(path=option, fault="is missing", mend="Name the MigCluster")
        for option, name in (("source_cluster", "srcMigClusterRef"), ("destination_cluster", "destMigClusterRef"))
        if spec_fields.refers_to(spec.get(name)) is None
    ]
    if not spec.get("namespaces"):
        problems.append(Problem(path="namespaces", fault="is missing", mend="Name at least one namespace"))
    indirect = [option for option, name in _INDIRECT if spec.get(name)]
    if indirect and spec_fields.refers_to(spec.get("migStorageRef")) is None:
        fault = f"is missing, and {' and '.join(indirect)} go through it"
        problems.append(Problem(path="storage", fault=fault, mend="Name the MigStorage, or copy directly"))
    return problems


def needs_storage(spec: Mapping[str, Any]) -> bool:
    """Whether something goes through the replication repository. A plan whose copies are direct needs none."""
    return any(spec.get(name) for _option, name in _INDIRECT)


_INDIRECT = (
    ("indirect_image_migration", "indirectImageMigration"),
    ("indirect_volume_migration", "indirectVolumeMigration"),
)


def namespace_mapping(plan: Mapping[str, Any]) -> dict[str, str]:
    """Source to destination of a plan resource."""
    return namespaces.mapping((plan.get("spec") or {}).get("namespaces") or [])


def _namespace_problems(params: Mapping[str, Any]) -> list[Problem]:
    """Without a limit in the task nobody knows it here: it may stand on the plan, or be a setting of MTC."""
    entries, limit = params.get("namespaces"), params.get("namespace_limit")
    if entries is None:
        return []
    problems = namespaces.problems(entries, "namespaces")
    if not entries:
        problems.append(Problem(path="namespaces", fault="is empty", mend="Name at least one namespace"))
    if limit is not None and len(entries) > limit > 0:
        fault = f"{len(entries)} namespaces are more than the {limit} of one plan"
        mend = "Spread them over several plans, or raise namespace_limit"
        problems.append(Problem(path="namespaces", fault=fault, mend=mend))
    return problems


def _overlap_problems(params: Mapping[str, Any]) -> list[Problem]:
    """On one cluster a namespace cannot be source and destination, unless MTC converts storage classes in place; and
    volumes are copied directly there."""
    spec = spec_fields.build(FIELDS[:2], params)
    source = spec_fields.refers_to(spec.get("srcMigClusterRef"))
    if source is None or source != spec_fields.refers_to(spec.get("destMigClusterRef")):
        return []
    problems = []
    if params.get("indirect_volume_migration"):
        fault = "source and destination are the same cluster, within which volumes are copied directly"
        problems.append(Problem(path="indirect_volume_migration", fault=fault, mend="Leave it out"))
    return problems + _shared_namespaces(params)


def _shared_namespaces(params: Mapping[str, Any]) -> list[Problem]:
    pairs = namespaces.pairs(params.get("namespaces") or [])
    shared = sorted({pair.source for pair in pairs} & {pair.destination for pair in pairs})
    in_place = params.get("engine") in (AUTO, CONTROLLER) and not any(pair.renamed for pair in pairs)
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


def _resource_problems(params: Mapping[str, Any]) -> list[Problem]:
    problems: list[Problem] = []
    items = params.get("included_resources") or []
    for index, item in enumerate(items):
        path = f"included_resources[{index}]"
        if not check.WORD.fullmatch(item.get("kind") or ""):
            fault = f"{item.get('kind')!r} names no kind"
            problems.append(Problem(path=f"{path}.kind", fault=fault, mend="Write it as in kubectl api-resources"))
        problems += check.dns_subdomain(item.get("group") or None, f"{path}.group")
    named = [(str(item.get("group") or ""), str(item.get("kind")).lower()) for item in items]
    for group, kind in namespaces.repeated(named):
        fault = f"{'.'.join(filter(None, (kind, group)))} is named more than once"
        problems.append(Problem(path="included_resources", fault=fault, mend="Name it once"))
    return problems


_WITH_VALUES = ("In", "NotIn")
_WITHOUT_VALUES = ("Exists", "DoesNotExist")


def selector_problems(params: Mapping[str, Any]) -> list[Problem]:
    """What is wrong with the option label_selector."""
    problems: list[Problem] = []
    selector = params.get("label_selector") or {}
    for key, value in (selector.get("match_labels") or {}).items():
        problems += check.label_key(str(key), f"label_selector.match_labels[{key}]")
        problems += check.label_value(value, f"label_selector.match_labels[{key}]")
    for index, expression in enumerate(selector.get("match_expressions") or []):
        path = f"label_selector.match_expressions[{index}]"
        operator = expression.get("operator")
        problems += check.label_key(expression.get("key") or "", f"{path}.key")
        for position, value in enumerate(expression.get("values") or []):
            problems += check.label_value(value, f"{path}.values[{position}]")
        problems += check.one_of(operator, (*_WITH_VALUES, *_WITHOUT_VALUES), f"{path}.operator")
        if operator in _WITH_VALUES and not expression.get("values"):
            problems.append(Problem(path=f"{path}.values", fault=f"is empty for {operator}", mend="Name values"))
        if operator in _WITHOUT_VALUES and expression.get("values"):
            problems.append(Problem(path=f"{path}.values", fault=f"means nothing for {operator}", mend="Drop it"))
    return problems
