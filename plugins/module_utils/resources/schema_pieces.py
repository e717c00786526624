# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The words in which the schema tables are written: scalars, lists, objects, and the structures that many kinds share.

Every function returns a fresh schema, so that a table may be changed without changing another. Texts are optional: the
spec of a kind explains itself to ``kubectl explain``, the status is explained by the documentation.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Schema = dict[str, Any]

# Of k8s.io/apimachinery's Quantity, as every generated definition has it.
_QUANTITY_PATTERN = (
    r"^(\+|-)?(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))(([KMGTPE]i)|[numkMGTPE]|([eE](\+|-)?(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))))?$"
)
_ATOMIC = {"x-kubernetes-map-type": "atomic"}


def text(about: str = "") -> Schema:
    return _described({"type": "string"}, about)


def flag(about: str = "") -> Schema:
    return _described({"type": "boolean"}, about)


def number(about: str = "", *, bits: int = 0) -> Schema:
    """An integer; ``bits`` 32 or 64 tells clients its range (the API server does not check it)."""
    return _described({"type": "integer", **({"format": f"int{bits}"} if bits else {})}, about)


def moment(about: str = "") -> Schema:
    return _described({"type": "string", "format": "date-time"}, about)


def encoded_bytes(about: str = "") -> Schema:
    return _described({"type": "string", "format": "byte"}, about)


def quantity(about: str = "") -> Schema:
    schema: Schema = {
        "anyOf": [{"type": "integer"}, {"type": "string"}],
        "pattern": _QUANTITY_PATTERN,
        "x-kubernetes-int-or-string": True,
    }
    return _described(schema, about)


def listing(item: Schema, about: str = "") -> Schema:
    return _described({"type": "array", "items": item}, about)


def texts(about: str = "") -> Schema:
    return listing(text(), about)


def text_map(about: str = "") -> Schema:
    return _described({"type": "object", "additionalProperties": text()}, about)


def record(
    fields: Mapping[str, Schema], about: str = "", *, required: Sequence[str] = (), atomic: bool = False
) -> Schema:
    """An object with these fields. ``atomic``: server-side apply replaces it as a whole."""
    schema: Schema = {"type": "object", "properties": dict(fields)}
    if required:
        schema["required"] = sorted(required)
    if atomic:
        schema.update(_ATOMIC)
    return _described(schema, about)


def reference(about: str = "", *, more: Mapping[str, Schema] | None = None, required: Sequence[str] = ()) -> Schema:
    """core/v1 ObjectReference; ``more`` are fields that a kind writes into the same object."""
    own = ("apiVersion", "fieldPath", "kind", "name", "namespace", "resourceVersion", "uid")
    return record({**{name: text() for name in own}, **(more or {})}, about, required=required, atomic=True)


def label_selector(about: str = "") -> Schema:
    """meta/v1 LabelSelector."""
    expression = record({"key": text(), "operator": text(), "values": texts()}, required=("key", "operator"))
    return record({"matchLabels": text_map(), "matchExpressions": listing(expression)}, about, atomic=True)


def conditions() -> Schema:
    """MTC's conditions; see conditions.py for what their fields mean."""
    item = record(
        {
            "category": text(),
            "durable": flag(),
            "lastTransitionTime": moment(),
            "message": text(),
            "reason": text(),
            "status": text(),
            "type": text(),
        },
        required=("category", "lastTransitionTime", "status", "type"),
    )
    return listing(item)


def unhealthy_namespaces() -> Schema:
    """Where a plan's health check or a migration's verification found something."""
    workload = record({"name": text(), "resources": texts()}, required=("name",))
    return listing(record({"name": text(), "workloads": listing(workload)}, required=("name", "workloads")))


def _described(schema: Schema, about: str) -> Schema:
    return {"description": about, **schema} if about else schema
