# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The node of one cluster: kubelet, service proxy and DNS."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from lab import cgroups, process
from lab.api import Api, wait_until
from lab.certificates import Authority
from lab.control_plane import component_kubeconfig
from lab.paths import Paths
from lab.programs import Programs
from lab.topology import DNS_DOMAIN, Cluster

_COREFILE = """\
.:53 {{
  bind {ip}
  errors
  ready 127.0.0.1:8181
  cache 5 {{
    denial 512 1
  }}
  kubernetes {domain} in-addr.arpa {{
    kubeconfig {kubeconfig}
    pods insecure
    ttl 2
  }}
}}
"""


def start(paths: Paths, programs: Programs, cluster: Cluster, authority: Authority, runtime: Path) -> None:
    """Start kubelet, kube-proxy and CoreDNS against a containerd's socket."""
    _kubelet(paths, programs, cluster, authority, runtime)
    _proxy(paths, programs, cluster, authority)
    _dns(paths, programs, cluster, authority)


def wait_ready(paths: Paths, api: Api) -> None:
    """Return when the node is Ready, labelled as a worker, and pods can be created."""
    name = api.cluster.node

    def ready() -> bool:
        status, _body = api.request("GET", f"/api/v1/nodes/{name}")
        if status != 200:
            return False
        conditions = api.get(f"/api/v1/nodes/{name}")["status"].get("conditions", [])
        return any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)

    wait_until(f"node {name} is Ready", ready, seconds=60, log=paths.log(api.cluster.name, "kubelet"))
    # A kubelet may not give itself this label.
    api.merge(f"/api/v1/nodes/{name}", {"metadata": {"labels": {"node-role.kubernetes.io/worker": ""}}})
    account = "/api/v1/namespaces/default/serviceaccounts/default"
    log = paths.log(api.cluster.name, "kube-controller-manager")
    wait_until("service accounts are made", lambda: api.request("GET", account)[0] == 200, seconds=60, log=log)


def kubelet_configuration(cluster: Cluster, authority: Authority, directory: Path, runtime: Path) -> dict[str, Any]:
    """Return the kubelet's configuration: quick about pods, sparing when nothing happens."""
    certificate, key = authority.signed(f"system:node:{cluster.node}")
    return {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "address": cluster.ip,
        "authentication": {"anonymous": {"enabled": False}, "x509": {"clientCAFile": str(authority.certificate)}},
        "authorization": {"mode": "Webhook"},
        "tlsCertFile": str(certificate),
        "tlsPrivateKeyFile": str(key),
        "containerRuntimeEndpoint": f"unix://{runtime}",
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": cluster.cgroup,
        "failCgroupV1": False,
        "enforceNodeAllocatable": ["pods"],
        "failSwapOn": False,
        "clusterDNS": [cluster.ip],
        "clusterDomain": DNS_DOMAIN,
        "resolvConf": "",
        "podLogsDir": str(directory / "pod-logs"),
        "volumePluginDir": str(directory / "volume-plugins"),
        "staticPodPath": "",
        "maxPods": 250,
        "podPidsLimit": 4096,
        "serializeImagePulls": False,
        "registryPullQPS": 0,
        "eventRecordQPS": 100,
        "eventBurst": 200,
        "kubeAPIQPS": 500,
        "kubeAPIBurst": 1000,
        "volumeStatsAggPeriod": "10s",
        "imageGCHighThresholdPercent": 100,
        "imageMinimumGCAge": "24h",
        "evictionHard": {"memory.available": "100Mi", "nodefs.available": "1%", "imagefs.available": "1%"},
        "runtimeRequestTimeout": "2m",
        "shutdownGracePeriod": "0s",
    }


def _write(file: Path, content: dict[str, Any]) -> Path:
    file.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
    return file


def _kubelet(paths: Paths, programs: Programs, cluster: Cluster, authority: Authority, runtime: Path) -> None:
    directory = paths.of(cluster)
    cgroups.create(cluster)
    configuration = _write(directory / "kubelet.yaml", kubelet_configuration(cluster, authority, directory, runtime))
    kubeconfig = component_kubeconfig(directory, authority, cluster, f"system:node:{cluster.node}")
    process.start(
        paths,
        f"{cluster.name}-kubelet",
        [
            *programs.component("kubelet"),
            f"--config={configuration}",
            f"--kubeconfig={kubeconfig}",
            f"--root-dir={directory / 'kubelet'}",
            f"--cert-dir={directory / 'kubelet-pki'}",
            f"--hostname-override={cluster.node}",
            f"--node-ip={cluster.ip}",
            "--v=1",
        ],
        log=paths.log(cluster.name, "kubelet"),
        namespace=cluster.namespace,
        env={"GOGC": "80"},
    )


def _proxy(paths: Paths, programs: Programs, cluster: Cluster, authority: Authority) -> None:
    directory = paths.of(cluster)
    kubeconfig = component_kubeconfig(directory, authority, cluster, "system:kube-proxy")
    configuration = _write(
        directory / "kube-proxy.yaml",
        {
            "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
            "kind": "KubeProxyConfiguration",
            "mode": "iptables",
            "clusterCIDR": cluster.pods,
            "hostnameOverride": cluster.node,
            "clientConnection": {"kubeconfig": str(kubeconfig)},
            # These sysctls cannot be written here; zero leaves them alone.
            "conntrack": {"maxPerCore": 0, "min": 0, "tcpEstablishedTimeout": "0s", "tcpCloseWaitTimeout": "0s"},
            "iptables": {"minSyncPeriod": "100ms", "syncPeriod": "60s", "localhostNodePorts": False},
        },
    )
    process.start(
        paths,
        f"{cluster.name}-kube-proxy",
        [*programs.component("kube-proxy"), f"--config={configuration}"],
        log=paths.log(cluster.name, "kube-proxy"),
        namespace=cluster.namespace,
    )


def _dns(paths: Paths, programs: Programs, cluster: Cluster, authority: Authority) -> None:
    directory = paths.of(cluster)
    kubeconfig = component_kubeconfig(directory, authority, cluster, "lab-dns")
    corefile = directory / "Corefile"
    corefile.write_text(_COREFILE.format(ip=cluster.ip, domain=DNS_DOMAIN, kubeconfig=kubeconfig), encoding="utf-8")
    process.start(
        paths,
        f"{cluster.name}-coredns",
        [programs.path("coredns"), "-conf", corefile],
        log=paths.log(cluster.name, "coredns"),
        namespace=cluster.namespace,
    )
