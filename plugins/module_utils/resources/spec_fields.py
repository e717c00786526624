# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""From module options to a resource's spec, and back to the question "does the cluster already say so?".

Each kind has a table of fields. An option that the user did not name is None and is left out everywhere: it is neither
written, nor compared, nor removed. So two tasks may each own a part of one resource, and what an engine or a console
writes into the other fields is no drift.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field as dataclass_field
from typing import Any, TypeAlias

from .names import BUILTIN_NAMESPACE


def unchanged(value: Any) -> Any:
    return value


@dataclass(frozen=True)
class Field:
    """One option and the spec's field that it sets. ``convert`` turns the option's value into the field's."""

    option: str
    name: str
    convert: Callable[[Any], Any] = unchanged


@dataclass(frozen=True)
class ReferenceField:
    """A field that refers to another resource: by name and namespace, or by a name in the resource's own namespace.

    ``home`` is the parameter that holds that namespace: ``secrets_namespace`` for what lives where secrets do.
    """

    name_option: str
    reference_option: str
    name: str
    home: str = "namespace"


@dataclass(frozen=True)
class GroupField:
    """An object within the spec; its fields are the suboptions of one option."""

    option: str
    name: str
    fields: Sequence[Field | ReferenceField]


Fields: TypeAlias = "Sequence[Field | ReferenceField | GroupField]"


def build(fields: Fields, params: Mapping[str, Any]) -> dict[str, Any]:
    """The spec's fields that the user named.

    A reference without a namespace gets ``params["namespace"]`` (or what its ``home`` names), else the builtin
    engine's.
    """
    namespace = params.get("namespace") or BUILTIN_NAMESPACE
    spec: dict[str, Any] = {}
    for field in fields:
        if isinstance(field, ReferenceField):
            reference = _reference(field, params, params.get(field.home) or namespace)
            if reference is not None:
                spec[field.name] = reference
        elif isinstance(field, GroupField):
            if (given := params.get(field.option)) is not None:
                homes = {key: params.get(key) for key in ("namespace", "secrets_namespace")}
                spec[field.name] = build(field.fields, {**given, **homes})
        elif params.get(field.option) is not None:
            spec[field.name] = field.convert(params[field.option])
    return spec


def reference(name: str, namespace: str) -> dict[str, Any]:
    """An object reference as MTC's documents write it."""
    return {"name": name, "namespace": namespace}


def refers_to(reference: Mapping[str, Any] | None) -> tuple[str, str] | None:
    """(namespace, name) of a reference, or None when it is not complete: MTC needs both."""
    found = reference or {}
    name, namespace = found.get("name"), found.get("namespace")
    return (str(namespace), str(name)) if name and namespace else None


def merge(existing: Mapping[str, Any], wanted: Mapping[str, Any]) -> dict[str, Any]:
    """The existing spec with the wanted fields written over it, as a new dict.

    A reference that means the same stays as it is: others may have stored ``kind`` or ``uid`` in it.
    """
    merged: dict[str, Any] = deepcopy(dict(existing))
    for name, value in wanted.items():
        if not _same(merged.get(name), value):
            merged[name] = deepcopy(value)
    return merged


def differences(existing: Mapping[str, Any], merged: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """``{"before": {...}, "after": {...}}`` of the fields that differ; {} when none does."""
    names = [name for name in {**existing, **merged} if not alike(existing.get(name), merged.get(name), name=name)]
    if not names:
        return {}
    return {
        "before": {name: deepcopy(existing[name]) for name in names if name in existing},
        "after": {name: deepcopy(merged[name]) for name in names if name in merged},
    }


@dataclass(frozen=True)
class Spec:
    """A kind's spec: its fields, what the API demands of a new resource when the user says nothing, and how the
    wanted fields come over the stored ones where that is more than field by field."""

    fields: Fields
    defaults: Mapping[str, Any] = dataclass_field(default_factory=dict)
    over: Callable[[Mapping[str, Any], Mapping[str, Any]], dict[str, Any]] = merge

    def build(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """The fields of the spec that the user named."""
        return build(self.fields, params)

    def merge(self, existing_spec: Mapping[str, Any] | None, wanted: Mapping[str, Any]) -> dict[str, Any]:
        """The spec to write: the existing one (None or {} for a new resource) with the wanted fields over it."""
        return self.over({**self.defaults, **(existing_spec or {})}, wanted)

    def drift(self, existing_spec: Mapping[str, Any] | None, wanted: Mapping[str, Any]) -> dict[str, Any]:
        """{} when nothing is to be written, else ``before`` and ``after`` of the fields that change."""
        return differences(existing_spec or {}, self.merge(existing_spec, wanted))


def _reference(field: ReferenceField, params: Mapping[str, Any], namespace: str) -> dict[str, Any] | None:
    full = params.get(field.reference_option)
    if full is not None:
        return reference(full["name"], full.get("namespace") or namespace)
    short = params.get(field.name_option)
    return reference(short, namespace) if short is not None else None


def _same(existing: Any, wanted: Any) -> bool:
    if isinstance(existing, Mapping) and isinstance(wanted, Mapping) and wanted.keys() == {"name", "namespace"}:
        return refers_to(existing) is not None and refers_to(existing) == refers_to(wanted)
    return bool(existing == wanted)


NULLABLE = frozenset({"restartRestic", "liveMigrate", "runAsRoot", "runAsUser", "runAsGroup"})
"""Fields in which MTC tells false or zero from "not said"."""


def alike(one: Any, other: Any, *, name: str = "") -> bool:
    """Whether two values of a field mean the same. MTC drops what is false or empty when it writes a resource."""
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return all(alike(one.get(key), other.get(key), name=key) for key in {**one, **other})
    if name in NULLABLE:
        return bool(one == other)
    return bool(one == other) or (not one and not other)


def merge_patch(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    """The JSON merge patch that makes ``before`` mean what ``after`` says; {} when it does already."""
    patch: dict[str, Any] = {name: None for name in before if name not in after}
    for name, value in after.items():
        old = before.get(name)
        if not alike(old, value, name=name):
            both = isinstance(old, Mapping) and isinstance(value, Mapping)
            patch[name] = merge_patch(old or {}, value) if both else deepcopy(value)
    return patch
