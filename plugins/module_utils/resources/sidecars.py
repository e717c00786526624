# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How a pod of a run keeps the proxies of service meshes out: a proxy would outlive what the pod does, and stand in the
way of TLS that both ends verify."""

from __future__ import annotations

from typing import Final

NO_SIDECARS_LABELS: Final = {"sidecar.istio.io/inject": "false", "kuma.io/sidecar-injection": "disabled"}
NO_SIDECARS_ANNOTATIONS: Final = {
    "sidecar.istio.io/inject": "false",
    "linkerd.io/inject": "disabled",
    "consul.hashicorp.com/connect-inject": "false",
}
