# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Keys and certificates of one cluster, and kubeconfigs made of them."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import yaml

from lab.command import run
from lab.topology import HOST_IP, Cluster

_DAYS = "3650"
_REQUEST = ("openssl", "req", "-new", "-nodes", "-newkey")
_EC_KEY = ("ec", "-pkeyopt", "ec_paramgen_curve:prime256v1")
_RSA_KEY = ("rsa:2048",)
"""Of the authority alone: an API server verifies the client's certificate again with every request, and a signature by
RSA is verified several times faster than one by EC, which took a sixth of the API server's time."""

CLIENTS = {
    "lab-admin": "system:masters",
    "lab-provisioner": "system:masters",
    "apiserver-kubelet-client": "system:masters",
    "system:kube-controller-manager": "",
    "system:kube-scheduler": "",
    "system:kube-proxy": "",
    "lab-dns": "system:masters",
}
"""User name to group of every client certificate; the node's comes on top."""


@dataclass(frozen=True)
class Authority:
    """A directory with a certificate authority and all that it has signed."""

    directory: Path

    @property
    def certificate(self) -> Path:
        """The authority's own certificate."""
        return self.directory / "ca.crt"

    @property
    def service_account_key(self) -> Path:
        """Private key that signs service account tokens."""
        return self.directory / "service-account.key"

    @property
    def service_account_public(self) -> Path:
        """Public key that verifies service account tokens."""
        return self.directory / "service-account.pub"

    def signed(self, user: str) -> tuple[Path, Path]:
        """Return certificate and key of a user or server."""
        name = user.replace(":", "_")
        return self.directory / f"{name}.crt", self.directory / f"{name}.key"


def create(directory: Path, cluster: Cluster) -> Authority:
    """Make the authority of a cluster and sign everything that the cluster needs."""
    directory.mkdir(parents=True, mode=0o700)
    authority = Authority(directory)
    ca_key = directory / "ca.key"
    subject = ["-subj", f"/CN=lab-{cluster.name}", "-addext", "keyUsage=critical,keyCertSign,digitalSignature"]
    run([*_REQUEST, *_RSA_KEY, "-x509", "-keyout", ca_key, "-out", authority.certificate, "-days", _DAYS, *subject])
    run(["openssl", "genrsa", "-out", authority.service_account_key, "2048"])
    run(["openssl", "rsa", "-in", authority.service_account_key, "-pubout", "-out", authority.service_account_public])
    names = [f"DNS:{each}" for each in _server_names()] + [f"IP:{each}" for each in server_addresses(cluster)]
    jobs: list[tuple[str, str, Sequence[str]]] = [
        ("kube-apiserver", "", names),
        (f"system:node:{cluster.node}", "system:nodes", [f"DNS:{cluster.node}", f"IP:{cluster.ip}"]),
        *((user, group, ()) for user, group in CLIENTS.items()),
    ]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda job: _sign(authority, ca_key, *job), jobs))
    return authority


def server_addresses(cluster: Cluster) -> list[str]:
    """Return every address under which the API server is called."""
    return ["127.0.0.1", HOST_IP, cluster.ip, cluster.api_service_ip]


def _server_names() -> list[str]:
    short = ["kubernetes", "kubernetes.default", "kubernetes.default.svc"]
    return ["localhost", *short, "kubernetes.default.svc.cluster.local"]


def _sign(authority: Authority, ca_key: Path, user: str, group: str, names: Sequence[str]) -> None:
    certificate, key = authority.signed(user)
    request = certificate.with_suffix(".csr")
    extensions = certificate.with_suffix(".ext")
    subject = f"/O={group}/CN={user}" if group else f"/CN={user}"
    lines = ["keyUsage=critical,digitalSignature", "extendedKeyUsage=clientAuth,serverAuth"]
    if names:
        lines.append(f"subjectAltName={','.join(names)}")
    extensions.write_text("\n".join(lines) + "\n", encoding="utf-8")
    run([*_REQUEST, *_EC_KEY, "-keyout", key, "-out", request, "-subj", subject])
    signer = ["-CA", str(authority.certificate), "-CAkey", str(ca_key), "-set_serial", f"0x{secrets.token_hex(16)}"]
    what = ["-in", str(request), "-days", _DAYS, "-extfile", str(extensions), "-out", str(certificate)]
    run(["openssl", "x509", "-req", *signer, *what])
    request.unlink()
    extensions.unlink()


def write_kubeconfig(file: Path, authority: Authority, cluster: Cluster, user: str, server: str) -> Path:
    """Write a kubeconfig that holds everything in itself, and return it."""

    def embedded(part: Path) -> str:
        return base64.b64encode(part.read_bytes()).decode()

    certificate, key = authority.signed(user)
    content = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [
            {
                "name": cluster.name,
                "cluster": {"server": server, "certificate-authority-data": embedded(authority.certificate)},
            }
        ],
        "users": [
            {
                "name": user,
                "user": {"client-certificate-data": embedded(certificate), "client-key-data": embedded(key)},
            }
        ],
        "contexts": [{"name": cluster.name, "context": {"cluster": cluster.name, "user": user}}],
        "current-context": cluster.name,
    }
    file.parent.mkdir(parents=True, exist_ok=True)
    file.touch(mode=0o600)
    file.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
    return file
