# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Bring the whole lab up and down."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path

from lab import (
    build,
    certificates,
    cgroups,
    cni,
    command,
    containerd,
    control_plane,
    faults,
    images,
    imagestore,
    network,
    node,
    process,
    s3,
    storage,
    traces,
)
from lab.api import Api, wait_until
from lab.certificates import Authority
from lab.command import LabError
from lab.paths import Paths
from lab.programs import Programs
from lab.report import say, step
from lab.topology import CLUSTERS, Cluster, cluster as find

_PROGRAMS = ("ip", "nsenter", "containerd", "ctr", "runc", "iptables", "mkfs.ext4", "mount", "losetup")
_BUILDERS = ("openssl", "buildah", "mmdebstrap")
_COMPONENTS = (
    "containerd",
    "etcd",
    "kube-apiserver",
    "kube-controller-manager",
    "kube-scheduler",
    "kubelet",
    "kube-proxy",
    "coredns",
    "provisioner",
)


def expected() -> list[str]:
    """Return the names of all processes of a lab that is up."""
    return [f"{name}-{component}" for name in CLUSTERS for component in _COMPONENTS] + ["s3", "toxiproxy"]


@contextmanager
def locked(paths: Paths) -> Iterator[None]:
    """Hold the lab's lock, so that two callers do not build or start at once."""
    paths.root.mkdir(parents=True, exist_ok=True)
    with paths.lock.open("w") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("another lab command is at work; waiting for it")
            fcntl.flock(stream, fcntl.LOCK_EX)
        yield


def running(paths: Paths) -> bool:
    """Whether the lab is complete: the last `up` ended well and every process of it lives."""
    if not paths.record.exists():
        return False
    known = process.recorded(paths)
    return all(name in known and known[name].alive for name in expected())


def up(paths: Paths) -> None:
    """Make the lab run; does nothing if it does, and cleans up first if something is left of an earlier one."""
    if os.geteuid() != 0:
        raise LabError("the lab makes network namespaces, mounts and cgroups: run it as root")
    os.environ["PATH"] = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
    command.require([*_PROGRAMS, *_BUILDERS])
    with locked(paths):
        if running(paths) and _answers(paths):
            _refresh(paths)
            return
        network.refuse_foreign(paths)
        begin = time.monotonic()
        if paths.state.exists() or process.marked(paths):
            with step("cleaning up what an earlier run has left"):
                _clean(paths)
        programs = build.programs(paths)
        archives = images.archives(paths, programs)
        store = imagestore.prepare(paths, archives, keep=None)
        begin_start = time.monotonic()
        try:
            _start(paths, programs, store)
            _write_record(paths, programs, archives, store.parent.name)
        except BaseException:
            say(f"the lab did not start; logs are in {paths.state / 'logs'}, `python -m lab down` removes the rest")
            raise
        end = time.monotonic()
        say(f"up: started in {end - begin_start:.1f}s, {end - begin:.1f}s with all preparations")


def _answers(paths: Paths) -> bool:
    """Whether both API servers are ready; a busy machine gets a while, since the other way is to start all anew."""
    try:
        for cluster in CLUSTERS.values():
            wait_until(f"{cluster.name} answers", _api(paths, cluster).healthy, seconds=45, interval=1)
    except LabError as error:
        say(str(error))
        return False
    return True


def down(paths: Paths) -> None:
    """Stop everything and remove all state; built programs and images stay."""
    with locked(paths), step("stopping the lab"):
        _clean(paths)


def restart_api_server(paths: Paths, name: str) -> None:
    """Kill a cluster's API server and start it again; returns when it is ready."""
    cluster = find(name)
    record = json.loads(paths.record.read_text(encoding="utf-8"))
    programs = Programs(paths.cache / "programs" / record["programs"])
    process.stop([process.recorded(paths)[f"{name}-kube-apiserver"].pid], grace=0)
    control_plane.start_api_server(paths, programs, cluster, _authority(paths, cluster), paths.of(cluster))
    control_plane.wait_ready(paths, _api(paths, cluster))


def build_images(paths: Paths) -> None:
    """Build what is missing of programs and images, and load new images into clusters that run."""
    os.environ["PATH"] = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
    command.require([*_BUILDERS, "containerd", "ctr"])
    with locked(paths):
        if running(paths):
            _refresh(paths)
        else:
            programs = build.programs(paths)
            imagestore.prepare(paths, images.archives(paths, programs), keep=None)
            say("images: ready")


def _refresh(paths: Paths) -> None:
    """Bring a running lab's images up to date."""
    record = json.loads(paths.record.read_text(encoding="utf-8"))
    programs = Programs(paths.cache / "programs" / record["programs"])
    if build.key() != record["programs"]:
        say("the Go sources have changed since this lab was started: `down` and `up` to take them in")
    archives = images.archives(paths, programs)
    loaded = record.get("archives", {})
    changed = {name: archive for name, archive in archives.items() if loaded.get(name) != archive.name}
    if not changed:
        say("up: the lab is up already")
        return
    with step(f"loading into the running clusters: {', '.join(changed)}"):
        for cluster in CLUSTERS.values():
            containerd.import_archives(containerd.socket(paths.of(cluster) / "containerd"), changed)
    imagestore.prepare(paths, archives, keep=record["store"])
    _write_record(paths, programs, archives, record["store"])


def _start(paths: Paths, programs: Programs, store: Path) -> None:
    paths.state.mkdir(parents=True, exist_ok=True)
    network.up(paths)
    faults.start(paths, programs)
    s3.start(paths)
    with ThreadPoolExecutor(4) as pool:
        object_storage = pool.submit(s3.wait_ready, paths)
        clusters = [pool.submit(_start_cluster, paths, programs, cluster, store) for cluster in CLUSTERS.values()]
        for each in [*clusters, object_storage]:
            each.result()
    _require_all(paths)


def _write_record(paths: Paths, programs: Programs, archives: Mapping[str, Path], store: str) -> None:
    """Say that the lab is complete, and what it was started with."""
    loaded = {name: archive.name for name, archive in archives.items()}
    record = {"programs": programs.key, "archives": loaded, "store": store}
    paths.record.write_text(json.dumps(record, indent=1), encoding="utf-8")


def _require_all(paths: Paths) -> None:
    """Raise LabError if a process has ended meanwhile."""
    known = process.recorded(paths)
    dead = [name for name in expected() if name not in known or not known[name].alive]
    if dead:
        raise LabError(f"ended soon after it was started: {', '.join(dead)}")


def _authority(paths: Paths, cluster: Cluster) -> Authority:
    return Authority(paths.of(cluster) / "pki")


def _api(paths: Paths, cluster: Cluster) -> Api:
    return Api(cluster, _authority(paths, cluster))


def _start_cluster(paths: Paths, programs: Programs, cluster: Cluster, store: Path) -> None:
    directory = paths.of(cluster)
    directory.mkdir()
    cni.configure(directory / "containerd", cluster)
    runtime = containerd.start(paths, cluster, store, images.PAUSE)
    authority = certificates.create(_authority(paths, cluster).directory, cluster)
    api = control_plane.start(paths, programs, cluster, authority)
    certificates.write_kubeconfig(paths.kubeconfig(cluster), authority, cluster, "lab-admin", cluster.server)
    certificates.write_kubeconfig(
        paths.kubeconfig(cluster, proxied=True), authority, cluster, "lab-admin", cluster.proxied_server
    )
    containerd.wait_ready(runtime, paths.log(cluster.name, "containerd"))
    control_plane.wait_ready(paths, api)
    say(f"{cluster.name}: the API server answers at {cluster.server}")
    control_plane.start_controllers(paths, programs, cluster, authority)
    node.start(paths, programs, cluster, authority, runtime)
    storage.start(paths, programs, api)
    node.wait_ready(paths, api)
    say(f"{cluster.name}: node {cluster.node} is Ready")


def _clean(paths: Paths) -> None:
    """Remove every trace of a lab of this directory but for its cache, whatever state it is in."""
    known = process.recorded(paths)
    first = [each.pid for name, each in known.items() if each.alive and name.endswith(("-kubelet", "-provisioner"))]
    process.stop(first, grace=0)
    process.stop(process.marked(paths) | {each.pid for each in known.values() if each.alive}, grace=0)
    for cluster in CLUSTERS.values():
        cgroups.remove(cluster)
    _unmount(paths.state)
    storage.release_devices(paths.state)
    network.down()
    traces.remove(paths.state)
    if paths.state.exists():
        shutil.rmtree(paths.state)


def _unmount(below: Path) -> None:
    """Unmount everything below a directory, deepest first."""
    lines = Path("/proc/self/mountinfo").read_text(encoding="utf-8").splitlines()
    points = [line.split()[4].replace("\\040", " ") for line in lines]
    for point in sorted((each for each in points if each.startswith(f"{below}/")), key=len, reverse=True):
        with suppress(LabError):
            command.run(["umount", "-l", point])
