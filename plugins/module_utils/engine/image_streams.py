# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Image streams of a plan's namespaces: their layers lie in the source's registry, which this engine does not copy yet.

So a run over them is refused, stage runs too, long before the night; unless the user says that they stay.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from ..cluster.api import Cluster
from ..objects.collect import Left, is_among, spelled
from ..objects.inventory import reference
from ..resources.errors import MtcError, Refused, subject_of
from ..resources.migplan import namespace_mapping
from ..resources.names import MIG_PLAN
from ..resources.plan_scope import included_kinds, selector_text

GROUP: Final = "image.openshift.io"
KIND: Final = "ImageStream"
SKIP: Final = "skip"
"""Value of the option ``images`` with which image streams stay where they are."""


def of_plan(source: Cluster, plan: Mapping[str, Any]) -> list[str]:
    """References of the image streams that the plan takes in, sorted; nothing is asked where the kind is not served."""
    kind = next((each for each in source.types() if each.group == GROUP and each.kind == KIND), None)
    if kind is None:
        return []
    included = [spelled(name) for name in included_kinds(plan) or ()]
    excluded = [spelled(name) for name in (plan.get("status") or {}).get("excludedResources") or ()]
    if (included and not is_among(kind, included)) or is_among(kind, excluded):
        return []
    selector = selector_text(plan["spec"].get("labelSelector"))
    found = source.list_types([kind], list(namespace_mapping(plan)), label_selector=selector)
    return sorted(reference(obj) for _kind, _namespace, obj in found)


def left(streams: Sequence[str]) -> list[Left]:
    """What is told of those that stay."""
    return [Left(stream, "stays with its images: images is skip") for stream in streams]


def refusal(streams: Sequence[str], plan: Mapping[str, Any]) -> list[MtcError]:
    """Why a run over them cannot be made; [] when there are none."""
    if not streams:
        return []
    metadata = plan["metadata"]
    return [
        Refused(
            subject=subject_of(MIG_PLAN, metadata["name"], metadata["namespace"]),
            attempt="image streams cannot be copied by the builtin engine yet",
            reason=", ".join(streams),
            mend="Copy the images by other means and say images: skip, which leaves the streams where they are",
        )
    ]
