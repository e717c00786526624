# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The command line: `python -m lab COMMAND`."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from lab import build, gomod, lifecycle, peers, status
from lab.command import LabError
from lab.paths import Paths
from lab.topology import CLUSTERS, cluster


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="lab", description="Two Kubernetes clusters on this machine.")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("up", help="build what is missing and start; does nothing if all is up")
    commands.add_parser("down", help="stop everything and remove all state but for the cache")
    commands.add_parser("status", help="say what runs and how much memory it takes")
    commands.add_parser("images", help="build the images, and load them into clusters that run")
    commands.add_parser("velero", help="build the Velero that tests hold against what the collection writes")
    commands.add_parser("gomod", help="write the version of Kubernetes into the Go modules")
    kubeconfig = commands.add_parser("kubeconfig", help="print the path of a cluster's kubeconfig")
    kubeconfig.add_argument("name", choices=list(CLUSTERS))
    kubeconfig.add_argument("--proxied", action="store_true", help="the one that goes through the fault proxy")
    kubectl = commands.add_parser("kubectl", help="run kubectl against a cluster")
    kubectl.add_argument("name", choices=list(CLUSTERS))
    kubectl.add_argument("arguments", nargs=argparse.REMAINDER)
    logs = commands.add_parser("logs", help="print the log of a component")
    logs.add_argument("name", choices=[*CLUSTERS, "host"])
    logs.add_argument("component")
    return parser


def main(words: Sequence[str] | None = None) -> int:
    """Run one command and return the exit status."""
    chosen = _parser().parse_args(words)
    paths = Paths.from_environment()
    try:
        return _run(chosen, paths)
    except LabError as error:
        print(f"lab: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("lab: interrupted; `down` removes what is there", file=sys.stderr)
        return 130


def _run(chosen: argparse.Namespace, paths: Paths) -> int:
    match chosen.command:
        case "up":
            lifecycle.up(paths)
        case "down":
            lifecycle.down(paths)
        case "images":
            lifecycle.build_images(paths)
        case "velero":
            with lifecycle.locked(paths):
                print(build.programs(paths, peers.VELERO).directory)
        case "gomod":
            gomod.write(paths)
        case "status":
            return status.show(paths)
        case "kubeconfig":
            file = paths.kubeconfig(cluster(chosen.name), proxied=chosen.proxied)
            if not file.exists():
                raise LabError(f"there is no {file}; `up` makes it")
            print(file)
        case "kubectl":
            status.kubectl(paths, cluster(chosen.name), chosen.arguments)
        case "logs":
            file = paths.log(chosen.name, chosen.component)
            if not file.exists():
                there = sorted(each.name for each in file.parent.glob(f"{chosen.name}-*.log"))
                raise LabError(f"there is no {file}; there are: {', '.join(there) or 'none'}")
            os.execvp("cat", ["cat", str(file)])
    return 0
