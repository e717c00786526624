# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What an API server would say to a resource, by the schema of its kind: the few words of OpenAPI that our tables use.

Stricter in one thing: a field that the schema does not know is pruned by a server, and a fault here. That a real server
agrees is shown by the integration tests, which ask one.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from ansible_collections.openmig.mtc.plugins.module_utils.resources import crds

_TYPES: Mapping[str, type | tuple[type, ...]] = {
    "string": str,
    "boolean": bool,
    "integer": int,
    "array": list,
    "object": dict,
}
_BITS = {"int32": 31, "int64": 63}

SPECS: Mapping[str, Mapping[str, Any]] = {
    manifest["spec"]["names"]["kind"]: manifest["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"][
        "spec"
    ]
    for manifest in crds.crd_manifests()
}
"""The schema of each kind's spec."""


def complaints(kind: str, spec: Any) -> list[str]:
    """Every fault of a spec, each with the path of the field."""
    return list(_faults(SPECS[kind], spec, "spec"))


def _faults(schema: Mapping[str, Any], value: Any, path: str) -> Iterator[str]:
    if schema.get("x-kubernetes-int-or-string"):
        if isinstance(value, bool) or not isinstance(value, (int, str)):
            yield f"{path}: {value!r} is neither a number nor a text"
        elif not re.search(schema.get("pattern", ""), str(value)):
            yield f"{path}: {value!r} does not fit the pattern"
        return
    wanted = _TYPES[schema["type"]]
    if not isinstance(value, wanted) or (isinstance(value, bool) and schema["type"] == "integer"):
        yield f"{path}: {value!r} is no {schema['type']}"
    elif isinstance(value, dict):
        yield from _faults_of_object(schema, value, path)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _faults(schema["items"], item, f"{path}[{index}]")
    elif isinstance(value, int) and not isinstance(value, bool):
        limit = 2 ** _BITS.get(schema.get("format", ""), 63)
        if not -limit <= value < limit:
            yield f"{path}: {value} is out of range"
    elif isinstance(value, str):
        yield from _faults_of_text(schema, value, path)


def _faults_of_object(schema: Mapping[str, Any], value: Mapping[str, Any], path: str) -> Iterator[str]:
    yield from (f"{path}.{name}: is missing" for name in schema.get("required", ()) if name not in value)
    properties, others = schema.get("properties", {}), schema.get("additionalProperties")
    for name, item in value.items():
        below = properties.get(name, others)
        if below is None:
            yield f"{path}.{name}: is not a field and would be lost"
        else:
            yield from _faults(below, item, f"{path}.{name}")


def _faults_of_text(schema: Mapping[str, Any], value: str, path: str) -> Iterator[str]:
    try:
        if schema.get("format") == "byte":
            base64.b64decode(value, validate=True)
        elif schema.get("format") == "date-time":
            datetime.fromisoformat(value)
    except (binascii.Error, ValueError):
        yield f"{path}: {value!r} is no {schema['format']}"
