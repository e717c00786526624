# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Taking back what a run, or all runs of a plan, have created on the destination: exactly what carries the label."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from ..cluster.api import Cluster
from ..resources import names
from ..resources.errors import InvalidInput, Problem
from .collect import movable_types
from .exclusions import excluded_object
from .inventory import reference
from .manifest import POD_SPECS, Manifest, group_kind, group_of, name_of, namespace_of
from .transforms_metadata import is_platform_service_account
from .transforms_names import BUILT_IN_GROUPS

_COPIES: Final = frozenset({("", "Endpoints"), ("discovery.k8s.io", "EndpointSlice")})


def _makes_pods(obj: Manifest) -> bool:
    """Whether pods may depend on it, directly or through an operator: it must be there until they are gone."""
    return group_of(obj) not in BUILT_IN_GROUPS or (group_kind(obj) in POD_SPECS and obj["kind"] != "Pod")


def created(
    destination: Cluster,
    uid: str,
    namespaces: Sequence[str],
    *,
    label: str = names.MIGRATED_BY_MIGMIGRATION_LABEL,
    concurrency: int = 16,
) -> Iterator[Manifest]:
    """What carries the label with that UID in these namespaces and would be removed. Raises InvalidInput for an empty
    UID: a selector without a value would name what others have made."""
    if not uid or not namespaces:
        fault = Problem(path="migmigration_uid" if not uid else "namespaces", fault="is empty")
        raise InvalidInput(subject="Removal of created objects", problems=[fault])
    listed = destination.list_types(
        movable_types(destination), namespaces, label_selector=f"{label}={uid}", concurrency=concurrency
    )
    for _kind, _namespace, obj in listed:
        # Controllers copy a Service's labels to the endpoints that they make for it.
        copy = group_kind(obj) in _COPIES and excluded_object(obj) is not None
        if not copy and not is_platform_service_account(obj):
            yield obj


def remove_created(
    destination: Cluster,
    uid: str,
    namespaces: Sequence[str],
    *,
    label: str = names.MIGRATED_BY_MIGMIGRATION_LABEL,
    concurrency: int = 16,
) -> tuple[str, ...]:
    """Delete what carries the run's label (or the plan's) in these namespaces; call again until nothing is returned.

    Returns the references of what was there, sorted: asked to go by this call, or on its way since an earlier one (then
    it waits for its pods or its finalizers). Nothing returned means that nothing of the run is there or runs any more.
    Claims and namespaces stay, the platform's ServiceAccounts as well (D27); what a controller made for such an object
    goes with it. Raises InvalidInput as created() does.
    """

    def remove(obj: Manifest) -> str:
        if "deletionTimestamp" not in obj["metadata"]:
            metadata = obj["metadata"]
            destination.delete(
                obj["apiVersion"],
                obj["kind"],
                name_of(obj),
                namespace_of(obj) or None,
                uid=metadata["uid"],
                propagation="Foreground" if _makes_pods(obj) else "Background",
            )
        return reference(obj)

    found = created(destination, uid, namespaces, label=label, concurrency=concurrency)
    return tuple(sorted(destination.map(remove, found, concurrency=concurrency)))
