# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The rules of Kubernetes' Pod Security Standards that concern these pods, as a list of what a pod breaks.

Source: kubernetes.io, Concepts, Security, Pod Security Standards (version 1.34).
"""

from __future__ import annotations

from typing import Any

BASELINE_CAPABILITIES = {
    "AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "MKNOD", "NET_BIND_SERVICE", "SETFCAP",
    "SETGID", "SETPCAP", "SETUID", "SYS_CHROOT",
}  # fmt: skip
RESTRICTED_VOLUMES = {
    "configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim", "projected", "secret",
}  # fmt: skip


def breaches_of_baseline(pod: dict[str, Any]) -> list[str]:
    spec = pod["spec"]
    found = [name for name in ("hostNetwork", "hostPID", "hostIPC") if spec.get(name)]
    found += [f"volume {volume['name']}" for volume in spec["volumes"] if "hostPath" in volume]
    contexts = [spec.get("securityContext") or {}]
    for container in spec["containers"]:
        context = container.get("securityContext") or {}
        contexts.append(context)
        if context.get("privileged"):
            found.append("privileged")
        added = set((context.get("capabilities") or {}).get("add") or [])
        found += sorted(added - BASELINE_CAPABILITIES)
        found += ["hostPort" for port in container.get("ports") or [] if port.get("hostPort")]
        if context.get("procMount", "Default") != "Default":
            found.append("procMount")
    for context in contexts:
        if (context.get("seccompProfile") or {}).get("type") == "Unconfined":
            found.append("seccomp")
        selinux = context.get("seLinuxOptions") or {}
        if selinux.get("type", "") not in ("", "container_t", "container_init_t", "container_kvm_t"):
            found.append("seLinux type")
        if selinux.get("user") or selinux.get("role"):
            found.append("seLinux user or role")
        if context.get("sysctls"):
            found.append("sysctls")
    return found


def breaches_of_restricted(pod: dict[str, Any]) -> list[str]:
    found = breaches_of_baseline(pod)
    spec = pod["spec"]
    outer = spec.get("securityContext") or {}
    for volume in spec["volumes"]:
        found += sorted(set(volume) - {"name"} - RESTRICTED_VOLUMES)
    for container in spec["containers"]:
        context = container.get("securityContext") or {}
        if context.get("allowPrivilegeEscalation") is not False:
            found.append("allowPrivilegeEscalation")
        if not context.get("runAsNonRoot", outer.get("runAsNonRoot")):
            found.append("runAsNonRoot")
        if context.get("runAsUser", outer.get("runAsUser")) == 0:
            found.append("runAsUser")
        seccomp = (context.get("seccompProfile") or outer.get("seccompProfile") or {}).get("type")
        if seccomp not in ("RuntimeDefault", "Localhost"):
            found.append("seccomp")
        capabilities = context.get("capabilities") or {}
        if "ALL" not in (capabilities.get("drop") or []):
            found.append("capabilities drop")
        found += sorted(set(capabilities.get("add") or []) - {"NET_BIND_SERVICE"})
    return found
