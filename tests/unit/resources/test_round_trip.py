# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Nothing that a user can write into a resource is out of reach of its module, and nothing that he says to it is lost:
every field of a spec's schema, from an option, with the option's value."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from ansible_collections.openmig.mtc.plugins.module_utils import module_specs
from ansible_collections.openmig.mtc.plugins.module_utils.resources import (
    argument_specs as specs,
    directimage,
    directimagestream,
    directvolume,
    miganalytic,
    migcluster,
    mighook,
    migmigration,
    migplan,
    migstorage,
    names,
    plan_selections,
)
from ansible_collections.openmig.mtc.plugins.module_utils.resources.crds import crd_manifests

Options = dict[str, Any]
VOLUME = {
    "name": "pv-1",
    "pvc": {"name": "data", "namespace": "shop", "accessModes": ["ReadWriteOnce"]},
    "selection": {},
    "supported": {"actions": ["copy"], "copyMethods": ["filesystem"]},
}
"""A volume as discovery has listed it; the user chooses in it."""


def _plan(params: Options) -> dict[str, Any]:
    """The spec's fields, and what the choices have changed in the list of volumes."""
    spec = migplan.build_spec(params)
    about = {"pvc": "shop/data", "pv": None, "size": "7Gi"}
    rules = [{**rule, **about} for rule in params.get("persistent_volumes") or []]
    mapping = dict.fromkeys(["standard"], "mapped") if params.get("storage_class_mapping") else None
    chosen = plan_selections.selections({"persistent_volumes": rules, "storage_class_mapping": mapping})
    if chosen:
        (entry,) = plan_selections.apply([{**VOLUME, "storageClass": "standard"}], chosen).entries
        before = dict(_leaves(VOLUME))
        after = {path: value for path, value in _leaves(entry) if path != ".storageClass"}
        spec["persistentVolumes"] = [_tree({path: now for path, now in after.items() if before.get(path) != now})]
    return spec


def _tree(leaves: Mapping[str, Any]) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for path, value in leaves.items():
        *above, last = path.lstrip(".").split(".")
        part = made
        for key in above:
            part = part.setdefault(key, {})
        part[last] = value
    return made


@dataclass(frozen=True)
class Kind:
    """How a kind's options become its spec. ``owned``: fields that no option sets, with the reason. ``elsewhere``:
    options that set none by themselves, with the reason."""

    options: Callable[[], Options]
    build: Callable[[Options], dict[str, Any]]
    owned: Mapping[str, str] = field(default_factory=dict)
    elsewhere: Mapping[str, str] = field(default_factory=dict)


ASKED = {".refresh": "an option of the module that asks for an act; engines take it back"}
DISCOVERED = "discovery's: a fact about the source"
KINDS = {
    names.MIG_CLUSTER: Kind(specs.cluster_spec, migcluster.build_spec, ASKED),
    names.MIG_STORAGE: Kind(specs.storage_spec, migstorage.build_spec, ASKED),
    names.MIG_HOOK: Kind(
        specs.hook_spec, mighook.build_spec, elsewhere={"playbook_file": "is read into playbook_base64 before"}
    ),
    names.MIG_PLAN: Kind(
        specs.plan_spec,
        _plan,
        {
            **ASKED,
            ".persistentVolumes[].name": DISCOVERED,
            ".persistentVolumes[].capacity": DISCOVERED,
            ".persistentVolumes[].storageClass": DISCOVERED,
            ".persistentVolumes[].supported": DISCOVERED,
            ".persistentVolumes[].pvc.accessModes": DISCOVERED,
            ".persistentVolumes[].pvc.hasReference": DISCOVERED,
            ".persistentVolumes[].pvc.namespace": DISCOVERED,
            ".persistentVolumes[].pvc.ownerType": DISCOVERED,
            ".persistentVolumes[].pvc.volumeMode": DISCOVERED,
        },
        {
            "close": "another word for closed",
            "excluded_resources": "added to MTC's list, which is among its settings",
            "namespace_limit": "a limit of the check, which MTC has among its settings",
            "pod_limit": "a limit of the check, which MTC has among its settings",
            "pv_limit": "a limit of the check, which MTC has among its settings",
        },
    ),
    names.MIG_ANALYTIC: Kind(specs.analytic_spec, miganalytic.build_spec, ASKED),
    names.MIG_MIGRATION: Kind(specs.migration_spec, migmigration.build_spec),
    names.DIRECT_VOLUME_MIGRATION: Kind(
        specs.direct_volume_spec,
        directvolume.build_spec,
        {
            f".persistentVolumeClaims[].{name}": "part of a reference that says nothing about a claim"
            for name in ("apiVersion", "fieldPath", "kind", "resourceVersion", "uid")
        },
    ),
    names.DIRECT_IMAGE_MIGRATION: Kind(specs.direct_image_spec, directimage.build_spec),
    names.DIRECT_IMAGE_STREAM_MIGRATION: Kind(specs.direct_image_stream_spec, directimagestream.build_spec),
}
WITHOUT_MODULE = {names.DIRECT_VOLUME_MIGRATION_PROGRESS: "an engine makes it for its DirectVolumeMigration"}
REFERENCE = frozenset({"apiVersion", "fieldPath", "kind", "name", "namespace", "resourceVersion", "uid"})


MODULES: Mapping[str, Callable[[], Options]] = {
    names.MIG_CLUSTER: module_specs.mig_cluster_spec,
    names.MIG_STORAGE: module_specs.mig_storage_spec,
    names.MIG_HOOK: module_specs.mig_hook_spec,
    names.MIG_PLAN: module_specs.mig_plan_spec,
    names.MIG_ANALYTIC: module_specs.mig_analytic_spec,
    names.MIG_MIGRATION: module_specs.mig_migration_spec,
    names.DIRECT_VOLUME_MIGRATION: module_specs.direct_volume_migration_spec,
    names.DIRECT_IMAGE_MIGRATION: module_specs.direct_image_migration_spec,
    names.DIRECT_IMAGE_STREAM_MIGRATION: module_specs.direct_image_stream_migration_spec,
}
"""What the modules really take."""
SAID_OTHERWISE: Mapping[tuple[str, str], tuple[str, str]] = {
    (names.MIG_MIGRATION, "mig_plan_ref"): ("plan", "a plan lies beside its migrations, so its name says all"),
    (names.MIG_MIGRATION, "canceled"): ("cancel", "an act, which is awaited; the field is written by it"),
}
"""Options of a resource that its module does not have, the option with which it is said there, and why."""


def test_every_kind_is_looked_at() -> None:
    assert set(KINDS) | set(WITHOUT_MODULE) == set(names.KINDS)


def _schema_fields(schema: Mapping[str, Any], path: str = "") -> Iterator[str]:
    """The paths of the schema's leaves. Of a reference only what refers: its name and its namespace."""
    fields = schema.get("properties")
    if fields and set(fields) == REFERENCE:
        yield from (f"{path}.name", f"{path}.namespace")
    elif fields:
        for name, inner in fields.items():
            yield from _schema_fields(inner, f"{path}.{name}")
    elif "items" in schema:
        yield from _schema_fields(schema["items"], f"{path}[]")
    else:
        yield path


def spec_fields_of(kind: str) -> set[str]:
    for manifest in crd_manifests():
        if manifest["spec"]["names"]["kind"] == kind:
            schema = manifest["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
            return set(_schema_fields(schema["properties"]["spec"]))
    raise AssertionError(kind)


def _leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """A spec's values by the schema's paths. What stands in a map of free keys belongs to the map."""
    if isinstance(value, dict) and path.rpartition(".")[2] != "matchLabels":
        for name, inner in value.items():
            yield from _leaves(inner, f"{path}.{name}")
    elif isinstance(value, list):
        for inner in value:
            yield from _leaves(inner, f"{path}[]")
    else:
        yield path, value


def sample(option: Mapping[str, Any], numbers: Iterator[int]) -> Any:
    """A value of the option's type like no other's."""
    inner = option.get("options")
    if option.get("type") == "list":
        single = {"type": option.get("elements", "str"), "options": inner, "choices": option.get("choices")}
        return [sample({key: value for key, value in single.items() if value}, numbers)]
    if inner:
        return {name: sample(each, numbers) for name, each in inner.items()}
    if option.get("choices"):
        return option["choices"][0]
    number = next(numbers)
    return {"bool": True, "int": number, "dict": {"key": f"v{number}"}}.get(option.get("type", "str"), f"v{number}")


def sampled(options: Options) -> Options:
    numbers = itertools.count(1)
    return {"namespace": "elsewhere", **{name: sample(option, numbers) for name, option in options.items()}}


def _reached(fields: set[str], owned: Mapping[str, str]) -> set[str]:
    return {
        path for path in fields if not any(path == name or path.startswith((f"{name}.", f"{name}[")) for name in owned)
    }


@pytest.mark.parametrize("kind", list(KINDS))
def test_every_field_is_reached_and_no_other_is_written(kind: str) -> None:
    row = KINDS[kind]
    written = {path for path, _value in _leaves(row.build(sampled(row.options())))}
    assert written == _reached(spec_fields_of(kind), row.owned)


@pytest.mark.parametrize("kind", list(KINDS))
def test_fields_that_nobody_sets_exist_and_have_a_reason(kind: str) -> None:
    fields = spec_fields_of(kind)
    for path, reason in KINDS[kind].owned.items():
        assert reason
        assert _reached(fields, {path: reason}) != fields, path


@pytest.mark.parametrize("kind", list(KINDS))
def test_the_module_has_every_option_of_its_resource_as_it_is(kind: str) -> None:
    real = MODULES[kind]()
    absent = {name for name, option in KINDS[kind].options().items() if real.get(name) != option}
    assert absent == {name for row, name in SAID_OTHERWISE if row == kind}
    asked = {path.lstrip(".") for path in KINDS[kind].owned if path in ASKED}
    said = {option for (row, _name), (option, _why) in SAID_OTHERWISE.items() if row == kind}
    assert asked | said <= set(real)


OPTIONS = [(kind, name) for kind, row in KINDS.items() for name in row.options()]


@pytest.mark.parametrize(("kind", "option"), OPTIONS)
def test_every_option_is_written_with_its_value(kind: str, option: str) -> None:
    row = KINDS[kind]
    value = sample(row.options()[option], itertools.count(1))
    written = row.build({"namespace": "elsewhere", option: value})
    assert (written == {}) == (option in row.elsewhere)
    if written and isinstance(value, (bool, int)):
        assert [found for _path, found in _leaves(written)] == [value]


@pytest.mark.parametrize("kind", list(KINDS))
def test_what_is_not_named_is_not_written(kind: str) -> None:
    row = KINDS[kind]
    assert row.build({"namespace": "elsewhere", **dict.fromkeys(row.options())}) == {}


@pytest.mark.parametrize("kind", list(KINDS))
def test_what_others_have_written_stays(kind: str) -> None:
    """A task that names one field leaves all others as they are, those that the module does not know included."""
    room = {
        names.MIG_CLUSTER: migcluster,
        names.MIG_STORAGE: migstorage,
        names.MIG_HOOK: mighook,
        names.MIG_PLAN: migplan,
        names.MIG_ANALYTIC: miganalytic,
        names.MIG_MIGRATION: migmigration,
        names.DIRECT_VOLUME_MIGRATION: directvolume,
        names.DIRECT_IMAGE_MIGRATION: directimage,
        names.DIRECT_IMAGE_STREAM_MIGRATION: directimagestream,
    }[kind]
    row = KINDS[kind]
    stored = {**row.build(sampled(row.options())), "ofTomorrow": {"answer": 42}}
    merge: Callable[..., dict[str, Any]] = room.merge_spec
    assert merge(stored, {}) == stored
