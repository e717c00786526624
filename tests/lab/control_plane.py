# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

"""etcd, the API server, the controller manager and the scheduler of one cluster."""

from __future__ import annotations

from pathlib import Path

import yaml

from lab import certificates, process
from lab.api import Api, wait_until
from lab.certificates import Authority
from lab.paths import Paths
from lab.programs import Programs
from lab.topology import API_PORT, COMPACTION_SECONDS, DNS_DOMAIN, Cluster

_AUDIT_POLICY = {
    "apiVersion": "audit.k8s.io/v1",
    "kind": "Policy",
    "omitStages": ["RequestReceived", "ResponseStarted", "Panic"],
    "rules": [{"level": "Metadata"}],
}

_CLIENT_LIMITS = ["--kube-api-qps=500", "--kube-api-burst=1000"]


def start(paths: Paths, programs: Programs, cluster: Cluster, authority: Authority) -> Api:
    """Start etcd and the API server and return a client; the server need not answer yet."""
    directory = paths.of(cluster)
    _etcd(paths, programs, cluster, directory)
    start_api_server(paths, programs, cluster, authority, directory)
    return Api(cluster, authority)


def start_controllers(paths: Paths, programs: Programs, cluster: Cluster, authority: Authority) -> None:
    """Start controller manager and scheduler; the API server must be ready, since they give up on one that is not."""
    directory = paths.of(cluster)
    _controller_manager(paths, programs, cluster, authority, directory)
    _scheduler(paths, programs, cluster, authority, directory)


def wait_ready(paths: Paths, api: Api) -> None:
    """Return when the API server calls itself ready."""
    log = paths.log(api.cluster.name, "kube-apiserver")
    wait_until(f"the API server of {api.cluster.name} is ready", api.healthy, seconds=90, log=log)


def component_kubeconfig(directory: Path, authority: Authority, cluster: Cluster, user: str) -> Path:
    """Write a kubeconfig for one of the cluster's own components."""
    file = directory / "kubeconfig" / f"{user.replace(':', '_')}.yaml"
    return certificates.write_kubeconfig(file, authority, cluster, user, cluster.server)


def _start(
    paths: Paths, programs: Programs, cluster: Cluster, component: str, *flags: str, env: dict[str, str] | None = None
) -> None:
    process.start(
        paths,
        f"{cluster.name}-{component}",
        [*programs.component(component), *flags],
        log=paths.log(cluster.name, component),
        namespace=cluster.namespace,
        env=env,
    )


def _etcd(paths: Paths, programs: Programs, cluster: Cluster, directory: Path) -> None:
    _start(
        paths,
        programs,
        cluster,
        "etcd",
        f"--name={cluster.name}",
        f"--data-dir={directory / 'etcd'}",
        "--unsafe-no-fsync",
        "--listen-client-urls=http://127.0.0.1:2379",
        "--advertise-client-urls=http://127.0.0.1:2379",
        "--listen-peer-urls=http://127.0.0.1:2380",
        "--initial-advertise-peer-urls=http://127.0.0.1:2380",
        f"--initial-cluster={cluster.name}=http://127.0.0.1:2380",
        "--snapshot-count=50000",
        "--auto-compaction-retention=0",
        "--log-level=warn",
        "--quota-backend-bytes=4294967296",
    )


def start_api_server(paths: Paths, programs: Programs, cluster: Cluster, authority: Authority, directory: Path) -> None:
    """Start the API server alone; the store of the cluster must run."""
    policy = directory / "audit-policy.yaml"
    policy.write_text(yaml.safe_dump(_AUDIT_POLICY), encoding="utf-8")
    certificate, key = authority.signed("kube-apiserver")
    kubelet_certificate, kubelet_key = authority.signed("apiserver-kubelet-client")
    _start(
        paths,
        programs,
        cluster,
        "kube-apiserver",
        "--etcd-servers=http://127.0.0.1:2379",
        # Old versions are forgotten after a minute instead of ten: what waits for an expired list need not wait long.
        f"--etcd-compaction-interval={COMPACTION_SECONDS}s",
        f"--advertise-address={cluster.ip}",
        f"--secure-port={API_PORT}",
        f"--service-cluster-ip-range={cluster.services}",
        f"--client-ca-file={authority.certificate}",
        f"--tls-cert-file={certificate}",
        f"--tls-private-key-file={key}",
        f"--kubelet-certificate-authority={authority.certificate}",
        f"--kubelet-client-certificate={kubelet_certificate}",
        f"--kubelet-client-key={kubelet_key}",
        # Else exec and logs look the node's name up in a DNS that does not know it.
        "--kubelet-preferred-address-types=InternalIP",
        f"--service-account-issuer=https://kubernetes.default.svc.{DNS_DOMAIN}",
        f"--service-account-signing-key-file={authority.service_account_key}",
        f"--service-account-key-file={authority.service_account_public}",
        "--authorization-mode=Node,RBAC",
        "--enable-admission-plugins=NodeRestriction",
        "--allow-privileged=true",
        "--enable-aggregator-routing=false",
        f"--audit-policy-file={policy}",
        f"--audit-log-path={paths.audit(cluster)}",
        "--audit-log-maxsize=0",
        "--audit-log-mode=blocking",
        "--max-requests-inflight=800",
        "--max-mutating-requests-inflight=400",
        "--watch-cache-sizes=",
        "--v=1",
        # It works for everybody: memory is given for less of its time in collecting garbage.
        env={"GOGC": "200"},
    )


def _controller_manager(
    paths: Paths, programs: Programs, cluster: Cluster, authority: Authority, directory: Path
) -> None:
    kubeconfig = component_kubeconfig(directory, authority, cluster, "system:kube-controller-manager")
    _start(
        paths,
        programs,
        cluster,
        "kube-controller-manager",
        f"--kubeconfig={kubeconfig}",
        f"--authentication-kubeconfig={kubeconfig}",
        f"--authorization-kubeconfig={kubeconfig}",
        f"--service-account-private-key-file={authority.service_account_key}",
        f"--root-ca-file={authority.certificate}",
        "--use-service-account-credentials=true",
        "--leader-elect=false",
        "--bind-address=127.0.0.1",
        "--controllers=*,-node-ipam-controller,-bootstrap-signer-controller,-token-cleaner-controller",
        *_CLIENT_LIMITS,
        "--concurrent-deployment-syncs=10",
        "--concurrent-statefulset-syncs=10",
        "--concurrent-job-syncs=10",
        "--concurrent-gc-syncs=20",
        "--concurrent-namespace-syncs=20",
        "--pvclaimbinder-sync-period=2s",
        "--horizontal-pod-autoscaler-sync-period=60s",
        "--v=1",
        env={"GOGC": "80"},
    )


def _scheduler(paths: Paths, programs: Programs, cluster: Cluster, authority: Authority, directory: Path) -> None:
    kubeconfig = component_kubeconfig(directory, authority, cluster, "system:kube-scheduler")
    _start(
        paths,
        programs,
        cluster,
        "kube-scheduler",
        f"--kubeconfig={kubeconfig}",
        f"--authentication-kubeconfig={kubeconfig}",
        f"--authorization-kubeconfig={kubeconfig}",
        "--leader-elect=false",
        "--bind-address=127.0.0.1",
        *_CLIENT_LIMITS,
        "--v=1",
        env={"GOGC": "80"},
    )
