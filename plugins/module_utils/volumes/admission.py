# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Whether a namespace admits a run's pods, and what to do where it does not."""

from __future__ import annotations

import re
from typing import Any, Final

from ..cluster.api import Cluster
from ..resources.errors import AlreadyExists, Forbidden, Refused, subject_of
from .pod_parts import REQUESTS

Manifest = dict[str, Any]
_SECURITY: Final = ("PodSecurity", "security context constraint")
"""How Kubernetes and OpenShift say that a pod asks for more than the namespace allows."""
_LIMIT = re.compile(r" (usage|limit to request ratio) per (Container|Pod|Init container)", re.IGNORECASE)
"""What a LimitRange says: ``minimum cpu usage per Container is 100m, but request is 50m``."""
_QUOTA = re.compile(r"(exceeded|failed|unknown for) quota: ")


def admitted(cluster: Cluster, manifest: Manifest) -> str | None:
    """Why the namespace's security forbids a pod, by a dry run that stores nothing; None when it does not.

    A quota is asked last of all, and by a run that goes on it may be used up by its own pods: the pod itself will show.
    Raises Refused for whatever else forbids it, which no other profile would change.
    """
    metadata = {**manifest["metadata"], "name": f"{manifest['metadata']['name']}-probe"}
    metadata.pop("ownerReferences", None)
    try:
        cluster.create({**manifest, "metadata": metadata}, dry_run=True)
    except Forbidden as error:
        if any(word in error.reason for word in _SECURITY):
            return error.reason
        if _QUOTA.search(error.reason):
            return None
        raise refused_pod(manifest, error) from error
    except AlreadyExists:
        return None
    return None


def refused_pod(manifest: Manifest, error: Forbidden) -> Refused:
    """The sentence for a pod that Pod Security admission, a LimitRange, a quota, a policy of the cluster or the rights
    of the connection forbid."""
    namespace = manifest["metadata"]["namespace"]
    mend = "Mend what forbids it, or let another identity run the migration"
    if "PodSecurity" in error.reason:
        mend = (
            "Label the namespace pod-security.kubernetes.io/enforce=baseline for the time of the migration, or choose "
            "the restricted profile (owners are not kept then)"
        )
    elif _QUOTA.search(error.reason):
        mend = "Raise the quota for the time of the migration"
    elif _LIMIT.search(error.reason):
        asked = " and ".join(f"{amount} of {what}" for what, amount in REQUESTS.items())
        mend = f"The pod requests {asked} and sets no limits: let the LimitRange admit that while the migration runs"
    return Refused(
        subject=subject_of("Namespace", namespace),
        attempt="its transfer pod is not admitted",
        reason=error.reason,
        mend=mend,
    )
