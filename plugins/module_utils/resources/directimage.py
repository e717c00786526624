# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""DirectImageMigration: image streams of namespaces, copied from registry to registry; and where one stands.

Source of the rules: MTC pkg/controller/directimagemigration.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from . import migplan, namespaces, option_checks as check, spec_fields
from .errors import Problem
from .spec_fields import Field, ReferenceField

CLUSTER_FIELDS = (
    ReferenceField("source_cluster", "src_mig_cluster_ref", "srcMigClusterRef"),
    ReferenceField("destination_cluster", "dest_mig_cluster_ref", "destMigClusterRef"),
)
FIELDS = (
    *CLUSTER_FIELDS,
    Field("namespaces", "namespaces", list),
    Field("label_selector", "labelSelector", migplan.label_selector),
)
LISTS = {"newISs": "waiting", "successfulISs": "copied", "deletedISs": "deleted", "failedISs": "failed"}
"""Lists of the status, and what the streams in them are."""
SPEC = spec_fields.Spec(FIELDS)
build_spec, merge_spec, drift = SPEC.build, SPEC.merge, SPEC.drift


def validate(params: Mapping[str, Any]) -> list[Problem]:
    """All that is wrong with the options themselves."""
    problems = check.resource_name(params)
    if params.get("state") == "absent":
        return problems
    problems += cluster_problems(params)
    if params.get("namespaces") is not None:
        problems += namespaces.problems(params["namespaces"], "namespaces")
        if not params["namespaces"]:
            problems.append(Problem(path="namespaces", fault="is empty", mend="Name at least one namespace"))
    return problems + migplan.selector_problems(params)


def incomplete(spec: Mapping[str, Any]) -> list[Problem]:
    """What a merged spec still lacks to be usable."""
    problems = missing_clusters(spec)
    if not spec.get("namespaces"):
        problems.append(Problem(path="namespaces", fault="is missing", mend="Name at least one namespace"))
    return problems


def cluster_problems(params: Mapping[str, Any]) -> list[Problem]:
    """Of the options that name the clusters of whatever is copied from registry to registry: they have to differ."""
    problems: list[Problem] = []
    for short, full in (
        ("source_cluster", "src_mig_cluster_ref"),
        ("destination_cluster", "dest_mig_cluster_ref"),
    ):
        problems += check.exclusive(params, (short, full))
        problems += check.dns_subdomain(params.get(short), short)
        problems += check.reference(params.get(full), full)
    named = spec_fields.build(CLUSTER_FIELDS, params)
    source = spec_fields.refers_to(named.get("srcMigClusterRef"))
    if source is not None and source == spec_fields.refers_to(named.get("destMigClusterRef")):
        fault = "is the source cluster, too"
        mend = "Name another cluster; within one, tag the image stream in the other namespace"
        problems.append(Problem(path="destination_cluster", fault=fault, mend=mend))
    return problems


def missing_clusters(spec: Mapping[str, Any]) -> list[Problem]:
    """The clusters that a merged spec does not name."""
    return [
        Problem(path=option, fault="is missing", mend="Name the MigCluster")
        for option, name in (("source_cluster", "srcMigClusterRef"), ("destination_cluster", "destMigClusterRef"))
        if spec_fields.refers_to(spec.get(name)) is None
    ]


def streams(resource: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The image streams of a DirectImageMigration, one row each, sorted."""
    status = resource.get("status") or {}
    rows = [
        {
            "source": f"{item.get('namespace', '')}/{item.get('name', '')}",
            "target": f"{item.get('destNamespace') or item.get('namespace', '')}/{item.get('name', '')}",
            "state": state,
            "errors": list(item.get("errors") or []),
        }
        for name, state in LISTS.items()
        for item in status.get(name) or []
    ]
    return sorted(rows, key=lambda row: str(row["source"]))
