# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a CustomResourceDefinition accepts and shows, as a flat table of facts without its texts.

The file upstream_crd_facts.json beside this one is such a table of MTC's own definitions (project
migtools/mig-controller, commit 3acf3578). ``python crd_facts.py <directory>`` prints one of other definitions.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

_STRUCTURE = ("properties", "items", "additionalProperties", "description")


def facts(definition: Mapping[str, Any]) -> dict[str, Any]:
    """One definition: its names, and per version what is served, printed and accepted at every path."""
    spec = definition["spec"]
    return {
        "group": spec["group"],
        "scope": spec["scope"],
        "names": {**spec["names"], "shortNames": sorted(spec["names"].get("shortNames", []))},
        "versions": {version["name"]: _version(version) for version in spec["versions"]},
    }


def table(definitions: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """All definitions by name."""
    return {definition["metadata"]["name"]: facts(definition) for definition in definitions}


def _version(version: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "served": version["served"],
        "storage": version["storage"],
        "subresources": version.get("subresources") or {},
        "columns": [
            {name: value for name, value in column.items() if name != "description"}
            for column in version.get("additionalPrinterColumns", [])
        ],
        "fields": dict(_fields(version["schema"]["openAPIV3Schema"], "")),
    }


def _fields(schema: Mapping[str, Any], path: str) -> Iterator[tuple[str, dict[str, Any]]]:
    keywords = {name: value for name, value in schema.items() if name not in _STRUCTURE}
    if "required" in keywords:
        keywords["required"] = sorted(keywords["required"])
    if schema.get("additionalProperties") in (True, False):
        keywords["additionalProperties"] = schema["additionalProperties"]
    yield path or ".", keywords
    for name, value in sorted(schema.get("properties", {}).items()):
        yield from _fields(value, f"{path}.{name}")
    if "items" in schema:
        yield from _fields(schema["items"], f"{path}[]")
    if isinstance(schema.get("additionalProperties"), Mapping):
        yield from _fields(schema["additionalProperties"], f"{path}{{}}")


if __name__ == "__main__":
    import yaml

    files = sorted(Path(sys.argv[1]).glob("*.yaml"))
    print(json.dumps(table(yaml.safe_load(file.read_text()) for file in files), indent=1, sort_keys=True))
