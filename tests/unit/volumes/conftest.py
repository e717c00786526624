# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A transfer without a cluster: the pods' own scripts under dash, with real rsync and stunnel on the loopback.

The source is a bind mount, because the scripts refuse a path that is not a mount point.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.openmig.mtc.plugins.module_utils.volumes import certificates, configuration, scripts
from ansible_collections.openmig.mtc.plugins.module_utils.volumes.model import SettledProfile

RUN_HOST = "abcd1234.transfer.openmig"
MODULE = "v0123456789"
PASSWORD = "p" * 40


def free_ports(count: int) -> list[int]:
    """Held all at once, for a port that was just let go may be given again."""
    with contextlib.ExitStack() as stack:
        probes = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _number in range(count)]
        return [int(probe.getsockname()[1]) for probe in probes]


class Bench:
    """Two "pods" as process groups: ``start()`` both, ``ask()`` for passes as an exec would."""

    def __init__(self, root: Path, profile: SettledProfile = "root", excludes: tuple[str, ...] = ()) -> None:
        self.root = root
        self.profile = profile
        self.source = root / "source"
        self.volume = root / "mounted"
        self.target = root / "target"
        self.excludes = excludes
        self.attempts = 12
        self.user: tuple[str, ...] = ()
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self.authority = certificates.issue(
            name=RUN_HOST, addresses=["127.0.0.1"], servers=["there"], clients=["here"], lifetime_seconds=3600
        )
        self.tunnel_port, self.daemon_port = free_ports(2)
        root.chmod(0o755)
        for path in (self.source, self.volume, self.target):
            path.mkdir()
        for side in ("client", "server"):
            for name in ("scripts", "config", "secrets", "private", "state"):
                (root / side / name).mkdir(parents=True)
        self._write()
        self.mounts: list[Path] = []
        self.mount("--bind", self.source, self.volume)

    def _write(self) -> None:
        client, server = self.root / "client", self.root / "server"
        for name, text in scripts.CLIENT_SCRIPTS.items():
            (client / "scripts" / name).write_text(text)
        for name, text in scripts.SERVER_SCRIPTS.items():
            (server / "scripts" / name).write_text(text)
        self.use_client(self.authority)
        (client / "secrets/password").write_text(PASSWORD)
        (client / "config/options").write_text(configuration.options_file(self.profile))
        (client / "config/excludes").write_text(configuration.excludes_file(self.excludes))
        self.use_host(RUN_HOST)
        pair = self.authority.servers["there"]
        for name, text in (
            ("ca.crt", self.authority.certificate),
            ("tls.crt", pair.certificate),
            ("tls.key", pair.key),
        ):
            (server / "secrets" / name).write_text(text)
        (server / "secrets/rsyncd.secrets").write_text(f"{MODULE}:{PASSWORD}\n")
        private = str(server / "private")
        (server / "config/stunnel.conf").write_text(
            configuration.stunnel_server(port=self.tunnel_port, daemon_port=self.daemon_port, private=private)
        )
        (server / "config/rsyncd.conf").write_text(
            configuration.rsyncd(
                modules={MODULE: str(self.target)},
                profile=self.profile,
                port=self.daemon_port,
                private=private,
                state=str(server / "state"),
            )
        )

    def use_client(self, authority: certificates.Authority) -> None:
        pair = authority.clients["here"]
        folder = self.root / "client/secrets"
        for name, text in (
            ("ca.crt", self.authority.certificate),
            ("tls.crt", pair.certificate),
            ("tls.key", pair.key),
        ):
            (folder / name).write_text(text)

    def use_host(self, name: str) -> None:
        (self.root / "client/config/stunnel.conf").write_text(
            configuration.stunnel_client(
                host="127.0.0.1", port=self.tunnel_port, name=name, private=str(self.root / "client/private")
            )
        )

    def environment(self, side: str) -> dict[str, str]:
        folder = self.root / side
        return {
            "PATH": os.environ["PATH"],
            "OPENMIG_SCRIPTS": str(folder / "scripts"),
            "OPENMIG_CONFIG": str(folder / "config"),
            "OPENMIG_SECRETS": str(folder / "secrets"),
            "OPENMIG_PRIVATE": str(folder / "private"),
            "OPENMIG_STATE": str(folder / "state"),
            "OPENMIG_VOLUME": str(self.volume),
            "OPENMIG_MODULE": MODULE,
            "OPENMIG_ATTEMPTS": str(self.attempts),
            "OPENMIG_PROFILE": self.profile,
        }

    def start(self, *sides: str) -> None:
        for side in sides or ("server", "client"):
            with (self.root / side / "log").open("ab") as log:
                self.processes[side] = subprocess.Popen(
                    [*self.user, "dash", str(self.root / side / "scripts" / f"{side}.sh")],
                    env=self.environment(side),
                    stdout=log,
                    stderr=log,
                    stdin=subprocess.DEVNULL,
                    start_new_session=True,
                )

    def ready(self) -> None:
        self.start()
        self.wait_for("ready")

    def processes_of(self, side: str, program: str) -> list[int]:
        """Processes of one side that run a program (its file's name)."""
        found = []
        for entry in Path("/proc").iterdir():
            try:
                name = (entry / "comm").read_text().strip()
                session = int((entry / "stat").read_text().rsplit(")", 1)[1].split()[3])
            except (OSError, IndexError, ValueError):
                continue
            if name == program and session == self.processes[side].pid:
                found.append(int(entry.name))
        return found

    def stop(self, *sides: str) -> None:
        for side in sides or tuple(self.processes):
            process = self.processes.pop(side)
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def mount(self, *words: str | Path) -> None:
        """Mount a file system, to be unmounted at the end."""
        subprocess.run(["mount", *words], check=True)
        self.mounts.append(Path(words[-1]))

    def own(self, user: int) -> None:
        """From now on both sides run as that user; everything they write is given to it."""
        self.user = ("setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups")
        for side in ("client", "server"):
            for name in ("private", "state"):
                os.chown(self.root / side / name, user, user)
            for path in (self.root / side / "secrets").iterdir():
                path.chmod(0o444)
        os.chown(self.target, user, user)

    def close(self) -> None:
        self.stop()
        for path in reversed(self.mounts):
            subprocess.run(["umount", "--lazy", path], check=True)

    def log(self, side: str = "client") -> str:
        return (self.root / side / "log").read_text(errors="replace")

    def facts(self, kind: str) -> list[dict[str, Any]]:
        lines = [json.loads(line) for line in self.log().splitlines() if line.startswith("{")]
        return [line for line in lines if line["fact"] == kind]

    def wait_for(self, kind: str, seconds: float = 10, count: int = 1) -> dict[str, Any]:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            found = self.facts(kind)
            if len(found) >= count:
                return found[-1]
            time.sleep(0.02)
        raise AssertionError(f"no fact {kind!r}:\n{self.log()}\n--- server\n{self.log('server')}")

    def request(
        self,
        name: str,
        kind: str = "copy",
        *,
        generation: int = 1,
        limit: int = 0,
        flags: str = "none",
        tenths: int = 0,
    ) -> subprocess.CompletedProcess[str]:
        words = [uuid.uuid4().hex[:12], str(generation), name, kind, str(limit), flags, str(tenths)]
        return subprocess.run(
            [*self.user, "dash", str(self.root / "client/scripts/request.sh"), *words],
            env=self.environment("client"),
            capture_output=True,
            text=True,
            check=False,
        )

    def ask(self, name: str, kind: str = "copy", *, seconds: float = 30, **words: Any) -> dict[str, Any]:
        """Ask for a pass and wait for its outcome."""
        answer = self.request(name, kind, tenths=int(seconds * 10), **words)
        assert answer.returncode == 0, (answer, self.log())
        outcome: dict[str, Any] = json.loads(answer.stdout)
        assert outcome["fact"] == "done", (outcome, self.log())
        return outcome


ON_DISK = "/var/tmp"
"""Where a Debian keeps what is temporary on its disk, also when it keeps other such things in memory."""


@pytest.fixture
def make_bench() -> Iterator[Callable[..., Bench]]:
    if os.geteuid() != 0:
        pytest.fail("these tests mount and change users: run them as root")
    made: list[Bench] = []

    def make(**options: Any) -> Bench:
        # Not pytest's folder, which only root may enter; and on a disk, for on tmpfs nothing counts as proven.
        made.append(Bench(Path(tempfile.mkdtemp(prefix="openmig-volumes-", dir=ON_DISK)), **options))
        return made[-1]

    yield make
    for each in made:
        each.close()
        shutil.rmtree(each.root)


@pytest.fixture
def bench(make_bench: Callable[..., Bench]) -> Bench:
    return make_bench()
