# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Programs of others, from their own sources, that tests hold against what the collection writes.

They are no part of the lab: nothing but `python -m lab velero` builds them.
"""

from __future__ import annotations

import re

from lab.build import Recipe
from lab.command import LabError
from lab.paths import VELERO_MODULE, Paths
from lab.programs import Programs

_SOURCE = "github.com/vmware-tanzu/velero"
_PLUGIN = "github.com/vmware-tanzu/velero-plugin-for-aws"


def velero_version() -> str:
    """Return the version of Velero that go.mod names, which is the only place where it stands."""
    text = (VELERO_MODULE / "go.mod").read_text(encoding="utf-8")
    match = re.search(rf"^\t{re.escape(_SOURCE)} (v\S+)", text, re.MULTILINE)
    if match is None:
        raise LabError(f"{VELERO_MODULE}/go.mod names no {_SOURCE}")
    return match[1]


VELERO = Recipe(
    module=VELERO_MODULE,
    packages=(f"{_SOURCE}/cmd/velero", f"{_PLUGIN}/velero-plugin-for-aws"),
    names=("velero", "velero-plugin-for-aws"),
    flags=f"-s -w -X {_SOURCE}/pkg/buildinfo.Version={velero_version()}",
    kept_in="velero",
    subject="Velero and its plugin for S3 (5 to 15 minutes the first time)",
)


def velero(paths: Paths | None = None) -> Programs:
    """Return the programs; raises LabError when they are not built."""
    found = VELERO.programs(paths or Paths.from_environment())
    if not found.complete:
        raise LabError("Velero is not built: `make peer-velero` does that, then runs its tests")
    return found
