# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The files of role crds, as they follow from the schema tables: the manifests, and what the role must know about them.

``python tests/unit/resources/crd_files.py`` writes them; a test holds files and tables equal.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

CHECKOUT = Path(__file__).parents[3]
ROLE = CHECKOUT / "roles" / "crds"
_HEADER = """\
# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# Made from plugins/module_utils/resources by tests/unit/resources/crd_files.py: change it there.
---
"""


class _Indented(yaml.SafeDumper):
    """Lists are indented below their key, as yamllint wants them."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002
        super().increase_indent(flow, False)

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002
        return True


def text(document: Any) -> str:
    """The document as one of the role's files."""
    return _HEADER + yaml.dump(document, Dumper=_Indented, sort_keys=False, width=150)


def files(manifests: list[dict[str, Any]]) -> Mapping[Path, str]:
    """Path to content of every file that follows from the tables."""
    digests = {manifest["metadata"]["labels"]["openmig.io/digest"] for manifest in manifests}
    facts = {
        "__crds_digest": digests.pop(),
        "__crds_kinds": {manifest["metadata"]["name"]: manifest["spec"]["names"]["kind"] for manifest in manifests},
    }
    written = {ROLE / "vars" / "main.yml": text(facts)}
    for manifest in manifests:
        written[ROLE / "files" / f"{manifest['metadata']['name']}.yaml"] = text(manifest)
    return written


if __name__ == "__main__":
    sys.path.insert(0, str(CHECKOUT / ".build" / "live"))
    from ansible_collections.openmig.mtc.plugins.module_utils.resources.crds import crd_manifests

    for path, content in files(crd_manifests()).items():
        path.write_text(content)
        print(path.relative_to(CHECKOUT))
