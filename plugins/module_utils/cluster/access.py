# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the user of a connection may do, asked of the server itself (a review is not stored)."""

from __future__ import annotations

from .transport import Call, Transport
from .writes import encoded

_GROUP_VERSION = "authorization.k8s.io/v1"


def allowed(
    transport: Transport,
    verb: str,
    group: str,
    resource: str,
    *,
    namespace: str | None = None,
    subresource: str | None = None,
    name: str | None = None,
    user: str | None = None,
) -> bool:
    """SelfSubjectAccessReview, or SubjectAccessReview for another ``user``. No namespace asks for all namespaces, or
    for a cluster-scoped resource."""
    kind = "SubjectAccessReview" if user else "SelfSubjectAccessReview"
    attributes = {
        "verb": verb,
        "group": group,
        "resource": resource,
        "namespace": namespace or "",
        "subresource": subresource or "",
        "name": name or "",
    }
    review = {
        "apiVersion": _GROUP_VERSION,
        "kind": kind,
        "spec": {"resourceAttributes": attributes, **({"user": user} if user else {})},
    }
    call = Call(
        method="POST",
        path=f"/apis/{_GROUP_VERSION}/{kind.lower()}s",
        subject=transport.subject,
        attempt=f"ask for the right to {verb} {resource}",
        body=encoded(review),
    )
    return bool((transport.send(call).document.get("status") or {}).get("allowed"))
