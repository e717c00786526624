# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Keep the Go modules at the version of Kubernetes that `versions` names."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

from lab import build, versions
from lab.command import LabError
from lab.paths import GO_MODULE, VELERO_MODULE, Paths


def write(paths: Paths) -> None:
    """Set every version in go.mod that follows from Kubernetes', then tidy up; needs the module proxy."""
    go, env = str(build.go()), {**build.environment(paths), "GOFLAGS": "-mod=mod"}

    def call(*words: str, module: Path = GO_MODULE) -> str:
        done = subprocess.run([go, *words], cwd=module, env=env, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise LabError(f"go {' '.join(words)}: {done.stderr.strip()}")
        return done.stdout

    found = json.loads(call("mod", "download", "-json", f"k8s.io/kubernetes@v{versions.KUBERNETES}"))
    with open(found["GoMod"], encoding="utf-8") as stream:
        upstream = stream.read()
    edits = [f"-require=k8s.io/kubernetes@v{versions.KUBERNETES}"]
    edits += [f"-replace={module}={module}@v{versions.staging()}" for module in staging_modules(upstream)]
    edits.append(f"-require=go.etcd.io/etcd/server/v3@{etcd_version(upstream)}")
    call("mod", "edit", *edits)
    call("mod", "tidy")
    named = libraries((VELERO_MODULE / "go.mod").read_text(encoding="utf-8"))
    edits = [f"-require={module}@v{versions.staging()}" for module in named]
    call("mod", "edit", *edits, module=VELERO_MODULE)
    call("mod", "tidy", module=VELERO_MODULE)


def libraries(text: str) -> dict[str, str]:
    """Return Kubernetes' libraries that a go.mod names, with their versions: those that carry Kubernetes' own."""
    return dict(re.findall(r"^\t(k8s\.io/\S+) v(0\.[1-9]\d*\.\d+)\b", text, re.MULTILINE))


def staging_modules(upstream: str) -> list[str]:
    """Return the modules that Kubernetes' own go.mod takes from its tree."""
    return re.findall(r"^\s*(k8s\.io/\S+) => \./staging/", upstream, re.MULTILINE)


def etcd_version(upstream: str) -> str:
    """Return the version of etcd that Kubernetes' own go.mod is tested with."""
    match = re.search(r"^\s*go\.etcd\.io/etcd/client/v3 (v\S+)", upstream, re.MULTILINE)
    if match is None:
        raise LabError("Kubernetes' go.mod names no etcd client")
    return match[1]
