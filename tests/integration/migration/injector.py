# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A cluster behind a proxy that opens TLS: an admission webhook that tells the pods of a label of the proxy and of its
authority, as administrators of such clusters have them. It also keeps what it was shown: the pods as they were sent."""

from __future__ import annotations

import base64
import contextlib
import http.server
import json
import threading
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ansible_collections.openmig.mtc.plugins.module_utils.cluster.api import Cluster
from integration.stores.front import Authority
from lab.topology import HOST_IP

REGISTRATION = ("admissionregistration.k8s.io/v1", "MutatingWebhookConfiguration")
AUTHORITY = "tests.openmig.io/authority"
FOLDER = "/etc/proxy-authority"


@contextlib.contextmanager
def proxied_pods(
    clusters: Sequence[Cluster],
    namespaces: Sequence[str],
    labels: Mapping[str, str],
    *,
    authority: Authority,
    proxy: str,
) -> Iterator[list[dict[str, Any]]]:
    """While the block runs, pods with these labels in these namespaces reach the world through the proxy; gives the
    pods that were seen so far."""
    seen: list[dict[str, Any]] = []

    class Webhook(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            review = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            seen.append(review["request"]["object"])
            patch = _patch(review["request"]["object"], authority=authority.pem, proxy=proxy)
            answer = {
                "uid": review["request"]["uid"],
                "allowed": True,
                "patchType": "JSONPatch",
                "patch": base64.b64encode(json.dumps(patch).encode()).decode(),
            }
            body = json.dumps({**review, "request": None, "response": answer}).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    with http.server.ThreadingHTTPServer((HOST_IP, 0), Webhook) as server, contextlib.ExitStack() as stack:
        server.daemon_threads = True
        server.socket = authority.context(HOST_IP).wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        stack.callback(server.shutdown)
        manifest = _registration(server.server_address[1], namespaces, labels, authority=authority.pem)
        for cluster in clusters:
            cluster.create(manifest)
            stack.callback(cluster.delete, *REGISTRATION, manifest["metadata"]["name"])
        yield seen


def _registration(port: int, namespaces: Sequence[str], labels: Mapping[str, str], *, authority: str) -> dict[str, Any]:
    chosen = {"key": "kubernetes.io/metadata.name", "operator": "In", "values": list(namespaces)}
    webhook = {
        "name": "proxy.tests.openmig.io",
        "clientConfig": {
            "url": f"https://{HOST_IP}:{port}/",
            "caBundle": base64.b64encode(authority.encode()).decode(),
        },
        "rules": [{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"]}],
        "namespaceSelector": {"matchExpressions": [chosen]},
        "objectSelector": {"matchLabels": dict(labels)},
        "admissionReviewVersions": ["v1"],
        "sideEffects": "None",
        "failurePolicy": "Fail",
        "timeoutSeconds": 5,
    }
    metadata = {"name": f"proxy-{namespaces[0]}"}
    return {"apiVersion": REGISTRATION[0], "kind": REGISTRATION[1], "metadata": metadata, "webhooks": [webhook]}


def _patch(pod: dict[str, Any], *, authority: str, proxy: str) -> list[dict[str, Any]]:
    """The authority travels in an annotation, from which the pod gets a file: no object besides is needed."""
    item = {"path": "ca.pem", "fieldRef": {"fieldPath": f"metadata.annotations['{AUTHORITY}']"}}
    volume = {"name": "proxy-authority", "downwardAPI": {"items": [item]}}
    mount = {"name": "proxy-authority", "mountPath": FOLDER, "readOnly": True}
    variables = [
        {"name": "HTTPS_PROXY", "value": proxy},
        {"name": "SSL_CERT_FILE", "value": f"{FOLDER}/ca.pem"},
    ]
    metadata, container = pod["metadata"], pod["spec"]["containers"][0]
    values = {
        "/metadata/annotations": {**(metadata.get("annotations") or {}), AUTHORITY: authority},
        "/spec/volumes": [*(pod["spec"].get("volumes") or ()), volume],
        "/spec/containers/0/env": [*(container.get("env") or ()), *variables],
        "/spec/containers/0/volumeMounts": [*(container.get("volumeMounts") or ()), mount],
    }
    return [{"op": "add", "path": path, "value": value} for path, value in values.items()]
