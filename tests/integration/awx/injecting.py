# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What AWX does with a credential before a job: files are rendered into the job's directory, then variables that name
them. As in ``CredentialType.inject_credential`` of AWX: Jinja's immutable sandbox, an optional input that was not given
is empty, and a file's name stands in ``tower.filename.<what follows template.>``.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import yaml
from jinja2.sandbox import ImmutableSandboxedEnvironment

from integration.migration.playbooks import ROOT

FILE = ROOT / "extensions" / "awx" / "credential_types.yml"


def credential_type(name: str) -> dict[str, Any]:
    """One of the types that the collection brings."""
    (found,) = [item for item in yaml.safe_load(FILE.read_text())["credential_types"] if item["name"] == name]
    return dict(found)


def inject(kind: Mapping[str, Any], inputs: Mapping[str, str], folder: Path) -> dict[str, str]:
    """The environment that a job gets."""
    fields = {field["id"] for field in kind["inputs"]["fields"]}
    assert set(kind["inputs"]["required"]) <= set(inputs) <= fields
    environment = ImmutableSandboxedEnvironment()
    names = SimpleNamespace()
    for label, template in kind["injectors"]["file"].items():
        path = folder / f"credential-{label}"
        path.write_text(environment.from_string(template).render(**inputs))
        path.chmod(0o600)
        setattr(names, label.removeprefix("template."), str(path))
    tower = SimpleNamespace(filename=names)
    return {
        name: environment.from_string(template).render(tower=tower, **inputs)
        for name, template in kind["injectors"]["env"].items()
    }
