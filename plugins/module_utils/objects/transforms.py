# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""From the source's object to the form that is sent: one row per change, applied in the table's order.

Every function is pure and gets (object, context); it returns the changed object and notes. The order matters twice:
rows that ask what the source's namespace or the server did come before those that rewrite and drop it, and the labels
of the run come last.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from . import (
    transforms_accounts as accounts,
    transforms_cluster as cluster,
    transforms_metadata as metadata,
    transforms_names as names,
    transforms_network as network,
    transforms_openshift as openshift,
    transforms_quiesce as quiesce,
    transforms_workloads as workloads,
)
from .context import Note, Transform, TransformContext, Transformed
from .inventory import reference
from .manifest import POD_SPECS, GroupKind, Manifest, group_kind, namespace_of

__all__ = ["TRANSFORMS", "Note", "Transform", "TransformContext", "Transformed", "transform"]


def _only(*kinds: GroupKind) -> frozenset[GroupKind]:
    return frozenset(kinds)


_SERVICE = _only(("", "Service"))
_POD_SPECS = frozenset(POD_SPECS)
_INGRESS = _only(("networking.k8s.io", "Ingress"), ("extensions", "Ingress"))
_POLICY = _only(("networking.k8s.io", "NetworkPolicy"), ("extensions", "NetworkPolicy"))

TRANSFORMS: Final = (
    Transform(
        name="undo-quiesce",
        kinds=frozenset(quiesce.RESTORED),
        function=quiesce.undo_quiesce,
        reason="the form is the same before and after the source was stopped, so the workload starts by itself",
    ),
    Transform(
        name="service-addresses",
        kinds=_SERVICE,
        function=network.service_addresses,
        reason="cluster IPs are taken from the destination's range",
    ),
    Transform(
        name="service-node-ports",
        kinds=_SERVICE,
        function=network.service_node_ports,
        reason="an allocated node port may be taken there; one that the user set is part of an agreement",
    ),
    Transform(
        name="service-outside",
        kinds=_SERVICE,
        function=network.service_outside,
        reason="addresses outside the cluster belong to one load balancer or network",
    ),
    Transform(
        name="external-name",
        kinds=_SERVICE,
        function=names.external_name,
        reason="an alias of a Service in a renamed namespace would lead nowhere",
    ),
    Transform(
        name="endpoint-addresses",
        kinds=_only(("", "Endpoints"), ("discovery.k8s.io", "EndpointSlice")),
        function=network.endpoint_addresses,
        reason="hand-made endpoints travel, and somebody must know where they lead",
    ),
    Transform(
        name="ingress-hosts",
        kinds=_INGRESS,
        function=network.ingress_hosts,
        reason="a host name moves with its DNS record, which is not ours",
    ),
    Transform(
        name="route-host",
        kinds=_only(("route.openshift.io", "Route")),
        function=network.route_host,
        reason="a generated host belongs to the source's router",
    ),
    Transform(
        name="network-policy",
        kinds=_POLICY,
        function=network.network_policy,
        reason="a peer that is a namespace by name must be the new one, or the policy shuts the application out",
    ),
    Transform(
        name="pod",
        kinds=_only(("", "Pod")),
        function=workloads.pod,
        reason="the destination schedules and admits the pod and gives it a token of its own",
    ),
    Transform(
        name="job",
        kinds=_only(("batch", "Job")),
        function=workloads.job,
        reason="the generated selector holds a UID that the destination assigns anew",
    ),
    Transform(
        name="pull-secrets",
        kinds=_POD_SPECS,
        function=workloads.pull_secrets,
        reason="generated pull secrets have another name on each cluster",
    ),
    Transform(
        name="internal-images",
        kinds=_POD_SPECS,
        function=openshift.internal_images,
        reason="images of the cluster's own registry lie below their namespace",
    ),
    Transform(
        name="deployment-config",
        kinds=_only(("apps.openshift.io", "DeploymentConfig")),
        function=openshift.deployment_config,
        reason="triggers say which stream of which namespace they watch, and what they saw last",
    ),
    Transform(
        name="build-config",
        kinds=_only(("build.openshift.io", "BuildConfig")),
        function=openshift.build_config,
        reason="builds name images of namespaces and generated secrets",
    ),
    Transform(
        name="autoscaled",
        kinds=_only(("autoscaling", "HorizontalPodAutoscaler")),
        function=openshift.autoscaled,
        reason="the old name of a DeploymentConfig's group is not resolved any more",
    ),
    Transform(
        name="claims",
        kinds=_POD_SPECS,
        function=workloads.claims,
        reason="the plan may give a claim another name",
    ),
    Transform(
        name="claim-templates",
        kinds=_only(("apps", "StatefulSet")),
        function=workloads.claim_templates,
        reason="a StatefulSet finds its claims by the template's name and makes empty ones where it finds none",
    ),
    Transform(
        name="affinity-namespaces",
        kinds=_POD_SPECS,
        function=workloads.affinity_namespaces,
        reason="affinity to pods of a renamed namespace would match nothing",
    ),
    Transform(
        name="service-account",
        kinds=_only(("", "ServiceAccount")),
        function=accounts.service_account,
        reason="references to generated secrets would dangle",
    ),
    Transform(
        name="token-secret",
        kinds=_only(("", "Secret")),
        function=accounts.token_secret,
        reason="a token of the source opens nothing there, and the server refuses another account's UID",
    ),
    Transform(
        name="role-binding",
        kinds=_only(("rbac.authorization.k8s.io", "RoleBinding")),
        function=accounts.role_binding,
        reason="rights must go to the service accounts of the new namespace",
    ),
    Transform(
        name="role",
        kinds=_only(("rbac.authorization.k8s.io", "Role"), ("rbac.authorization.k8s.io", "ClusterRole")),
        function=names.role,
        reason="rights on a namespace by name do not follow it, and somebody must know",
    ),
    Transform(
        name="cluster-role",
        kinds=_only(("rbac.authorization.k8s.io", "ClusterRole")),
        function=cluster.cluster_role,
        reason="the server writes the rules of a role that gathers them from others",
    ),
    Transform(
        name="cluster-role-binding",
        kinds=_only(("rbac.authorization.k8s.io", "ClusterRoleBinding")),
        function=cluster.cluster_role_binding,
        reason="others' accounts are bound by whoever moves them",
    ),
    Transform(
        name="constraints",
        kinds=_only(("security.openshift.io", "SecurityContextConstraints")),
        function=cluster.constraints,
        reason="others' accounts are allowed by whoever moves them",
    ),
    Transform(
        name="definition",
        kinds=_only(("apiextensions.k8s.io", "CustomResourceDefinition")),
        function=cluster.definition,
        reason="the webhook is a Service of the source",
    ),
    Transform(
        name="names-in-pods",
        kinds=_POD_SPECS,
        function=names.pods,
        reason="a cluster DNS name of a renamed namespace would lead nowhere, or back to the source's twin",
    ),
    Transform(
        name="names-in-config",
        kinds=_only(("", "ConfigMap")),
        function=names.config_map,
        reason="the same, in configuration",
    ),
    Transform(
        name="names-in-secrets",
        kinds=_only(("", "Secret")),
        function=names.secret,
        reason="secrets are not rewritten, but somebody must know",
    ),
    Transform(
        name="names-in-annotations",
        kinds=None,
        function=names.in_annotations,
        reason="who reads an annotation, and how, is not known here",
    ),
    Transform(
        name="names-in-custom-resources",
        kinds=None,
        function=names.custom_resource,
        reason="what a field of a custom resource means is not known here",
    ),
    Transform(
        name="last-applied",
        kinds=None,
        function=metadata.last_applied,
        reason="the next kubectl apply compares with it, and its namespace must be the object's",
    ),
    Transform(
        name="generated-annotations",
        kinds=None,
        function=metadata.generated_annotations,
        reason="controllers' own bookkeeping is wrong on another cluster and changes under our hands",
    ),
    Transform(
        name="owners",
        kinds=None,
        function=metadata.owners,
        reason="owner references name UIDs of the source; the garbage collector would remove the object",
    ),
    Transform(
        name="finalizers",
        kinds=None,
        function=metadata.finalizers,
        reason="without the controller that tends a finalizer the object could never be deleted",
    ),
    Transform(
        name="namespace",
        kinds=None,
        function=metadata.namespace,
        reason="the plan's mapping",
    ),
    Transform(
        name="server-owned",
        kinds=None,
        function=metadata.server_owned,
        reason="the destination's server writes its own",
    ),
    Transform(
        name="migrated-by",
        kinds=None,
        function=metadata.migrated_by,
        reason="a rollback finds by these labels what the migration has created",
    ),
)


def transform(obj: Manifest, context: TransformContext) -> Transformed:
    """The form of a source's object that is sent to the destination.

    Pure; the input is not changed (parts of it are shared with the result, so the result must not be mutated). Applying
    it to its own result changes nothing, as long as no destination namespace is itself a renamed source namespace.
    What lives in no namespace was chosen by whoever gives it (related.py).
    ``object`` is None when the object's namespace is not part of the plan. Raises Refused for a StatefulSet whose
    claims are renamed so that it would not find them.
    """
    namespace = namespace_of(obj)
    if namespace and not context.in_plan(namespace):
        note = Note("left", "metadata.namespace", f"{namespace} is not part of the plan", reference(obj))
        return Transformed(None, (note,), obj)
    kind = group_kind(obj)
    sent = obj
    notes: list[Note] = []
    for row in TRANSFORMS:
        if row.kinds is None or kind in row.kinds:
            sent, told = row.function(sent, context)
            notes.extend(told)
    name = reference(obj) if notes else ""
    return Transformed(sent, tuple(replace(note, subject=name) for note in notes), obj)
