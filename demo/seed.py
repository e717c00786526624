# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The application comes into being on the source: manifests, a filled database, a filled upload volume.

Done when the namespace is absent. The namespace is marked when the filling is complete, so a seeding that was
interrupted, or a namespace `shop` that is somebody else's, is told apart from the demo's and left alone.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import yaml

from demo.cluster import Cluster, ClusterError, Manifest
from demo.errand import Errand, Mount, run
from demo.settings import DEMO, SEED, SHOP, UPLOADS_CLAIM

MARK = "openmig-demo/seeded"
"""Annotation of the namespace: the seed, once everything is there."""
FILL = """
until pg_isready -q -d postgres; do sleep 0.2; done
psql -X -q -d postgres -v ON_ERROR_STOP=1 -c 'CREATE DATABASE shop'
psql -X -q -v ON_ERROR_STOP=1 -c "$1" -c 'VACUUM (ANALYZE)' -c CHECKPOINT
"""


def manifests() -> list[Manifest]:
    """Everything the application consists of, in the order of the files."""
    found: list[Manifest] = []
    for file in sorted((DEMO / "manifests").glob("*.yaml")):
        document = yaml.safe_load(file.read_text(encoding="utf-8"))
        found += document["items"] if document["kind"] == "List" else [document]
    return found


def is_seeded(source: Cluster) -> bool:
    """Whether the whole application is there. A namespace that is half filled or not the demo's is a ClusterError."""
    namespace = source.get("Namespace", SHOP)
    if namespace is None:
        return False
    if (namespace["metadata"].get("annotations") or {}).get(MARK) != str(SEED):
        raise ClusterError(
            f"{source.name}: Namespace {SHOP}: left alone: the demo has not filled it, or not to the end. "
            "`make demo-clean` removes it if it is the demo's"
        )
    return True


def seed(source: Cluster, say: Callable[[str], None]) -> None:
    """Create and fill the application, and wait until it answers."""
    began = time.monotonic()
    everything = manifests()
    late = {"Deployment"}
    for manifest in everything:
        if manifest["kind"] not in late:
            source.apply(manifest)
    with ThreadPoolExecutor() as pool:
        uploads, database = pool.submit(_fill_uploads, source), pool.submit(_fill_database, source)
        say(f"uploads: {uploads.result()}")
        database.result()
        say("database: filled")
    for manifest in everything:
        if manifest["kind"] in late:
            source.apply(manifest)
    source.wait("Deployment shop/front is available", lambda: available(source, SHOP), seconds=90)
    namespace: dict[str, Any] = next(manifest for manifest in everything if manifest["kind"] == "Namespace")
    metadata = {**namespace["metadata"], "annotations": {MARK: str(SEED)}}
    source.apply({**namespace, "metadata": metadata})
    say(f"seeded in {time.monotonic() - began:.0f} s")


def available(cluster: Cluster, namespace: str) -> bool:
    """Whether every replica of the front that is wanted (at least one) is ready."""
    front = cluster.get("Deployment", "front", namespace)
    if front is None:
        return False
    return bool(0 < front["spec"]["replicas"] <= front.get("status", {}).get("readyReplicas", 0))


def _fill_uploads(source: Cluster) -> str:
    script = (DEMO / "pods" / "uploads.py").read_text(encoding="utf-8")
    errand = Errand(
        name="demo-fill-uploads",
        namespace=SHOP,
        command=["python3", "-c", script, "/uploads", str(SEED)],
        mounts=[Mount(claim=UPLOADS_CLAIM, path="/uploads", writable=True)],
    )
    return run(source, errand)[-1]


def _fill_database(source: Cluster) -> None:
    sql = (DEMO / "pods" / "database.sql").read_text(encoding="utf-8")
    run(source, Errand(name="demo-fill-database", namespace=SHOP, command=["sh", "-euc", FILL, "fill", sql]))
