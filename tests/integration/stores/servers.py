# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Real servers that speak the providers' languages, each in a process of its own on the loopback address.

S3 is SeaweedFS, as in the lab, here with keys of several rights. Google Cloud Storage and Azure Blob are the emulators
that their communities test with; what an emulator does not check (Google's tokens), a test here does not claim.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import botocore.config
import botocore.exceptions
from azure.storage.blob import ContainerClient

HERE = Path(__file__).parent
STARTS_WITHIN = 60


@dataclass(frozen=True)
class Keys:
    """An access key pair of the S3 server."""

    access: str
    secret: str


ADMIN = Keys("admin-access", "admin-secret-planted")
READER = Keys("reader-access", "reader-secret-planted")
WRITER = Keys("writer-access", "writer-secret-planted")
"""May write and read, and neither list nor delete."""
BUCKET = "backups"
AZURE_ACCOUNT = "openmigtest"
AZURE_KEY = "cGxhbnRlZC1henVyZS1hY2Nlc3Mta2V5LW9mLXRoZS10ZXN0cw=="
AZURE_CONTAINER = "velero"


def free_ports(count: int) -> list[int]:
    """Held all at once, for a port that was just let go may be given again."""
    with contextlib.ExitStack() as stack:
        found = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _number in range(count)]
        return [int(each.getsockname()[1]) for each in found]


def free_port() -> int:
    (port,) = free_ports(1)
    return port


def program(name: str) -> str:
    """The program beside this Python, else one on PATH."""
    beside = Path(sys.executable).with_name(name)
    found = str(beside) if beside.exists() else shutil.which(name)
    assert found, f"{name} is missing: install tests/setup/lock.txt in the virtual environment that runs the tests"
    return found


@contextlib.contextmanager
def running(folder: Path, words: Sequence[str], *, port: int, env: dict[str, str] | None = None) -> Iterator[None]:
    """A process until the end of the block, from the moment when it accepts connections on ``port``."""
    log = folder / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            list(words),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd=folder,
            start_new_session=True,
            env={**os.environ, **(env or {})},
        )
    try:
        until = time.monotonic() + STARTS_WITHIN
        while not listens(port):
            assert process.poll() is None, f"{words[0]} has ended:\n{log.read_text(errors='replace')[-4000:]}"
            assert time.monotonic() < until, f"{words[0]} does not listen:\n{log.read_text(errors='replace')[-4000:]}"
            time.sleep(0.05)
        yield
    finally:
        # Nothing is to be kept, so nobody waits for an orderly end. A group: some programs are begun by a script.
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def listens(port: int) -> bool:
    with contextlib.suppress(OSError):
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
        return True
    return False


@contextlib.contextmanager
def seaweed(folder: Path, *, encrypting: bool = True) -> Iterator[int]:
    """The port of an S3 server that takes buckets in paths and, below AWS's names, in host names.

    ``encrypting``: it makes every key to encrypt with that it is asked for.
    """
    every = ["Admin", "Read", "Write", "List", "Tagging"]
    rights = {ADMIN: every, READER: ["Read", "List"], WRITER: [f"Write:{BUCKET}/*", f"Read:{BUCKET}/*"]}
    identities = [
        {"name": keys.access, "credentials": [{"accessKey": keys.access, "secretKey": keys.secret}], "actions": actions}
        for keys, actions in rights.items()
    ]
    kms = {"default_provider": "local", "providers": {"local": {"type": "local", "enableOnDemandCreate": True}}}
    found = {"identities": identities, **({"kms": kms} if encrypting else {})}
    (folder / "identities.json").write_text(json.dumps(found))
    (folder / "data").mkdir()
    names = ("s3", "master", "filer", "volume")
    ports = dict(zip([*names, *(f"{name}.port.grpc" for name in names)], free_ports(2 * len(names)), strict=True))
    words = [
        program("weed"),
        "server",
        f"-dir={folder / 'data'}",
        "-ip=127.0.0.1",
        "-ip.bind=127.0.0.1",
        "-filer",
        "-s3",
        "-s3.iam=false",
        "-s3.autoCreateBucket=false",
        "-s3.port.iceberg=0",
        "-s3.port.lance=0",
        f"-s3.config={folder / 'identities.json'}",
        "-s3.domainName=s3.amazonaws.com,s3.us-east-1.amazonaws.com,s3.eu-west-1.amazonaws.com",
        "-master.volumeSizeLimitMB=64",
        "-volume.max=20",
        *(f"-{name if name.endswith('.grpc') else f'{name}.port'}={port}" for name, port in ports.items()),
    ]
    with running(folder, words, port=ports["s3"]):
        yield ports["s3"]


@contextlib.contextmanager
def google(folder: Path) -> Iterator[int]:
    """The port of a Google Cloud Storage emulator with the bucket."""
    port = free_port()
    words = [program("gcp-storage-emulator"), "start", "--host=127.0.0.1", f"--port={port}", "--in-memory"]
    with running(folder, [*words, f"--default-bucket={BUCKET}"], port=port):
        yield port


@contextlib.contextmanager
def azurite(folder: Path) -> Iterator[int]:
    """The port of an Azure Blob emulator with one account."""
    port = free_port()
    words = [
        program("node"),
        str(_azurite_installed() / "node_modules/azurite/dist/src/blob/main.js"),
        "--blobHost=127.0.0.1",
        f"--blobPort={port}",
        "--inMemoryPersistence",
        "--skipApiVersionCheck",
        "--disableTelemetry",
        "--silent",
    ]
    with running(folder, words, port=port, env={"AZURITE_ACCOUNTS": f"{AZURE_ACCOUNT}:{AZURE_KEY}"}):
        yield port


def _azurite_installed() -> Path:
    """Azurite as its lock file pins it, installed once for each state of that file."""
    pinned = HERE / "azurite"
    digest = hashlib.sha256((pinned / "package-lock.json").read_bytes()).hexdigest()[:16]
    folder = HERE.parents[2] / ".build" / "azurite" / digest
    if not (folder / "installed").exists():
        folder.mkdir(parents=True, exist_ok=True)
        for name in ("package.json", "package-lock.json"):
            shutil.copy(pinned / name, folder)
        subprocess.run(
            [program("npm"), "ci", "--ignore-scripts", "--no-audit", "--no-fund"],
            cwd=folder,
            check=True,
            stdin=subprocess.DEVNULL,
            timeout=600,
        )
        (folder / "installed").touch()
    return folder


def make_bucket(port: int) -> None:
    """Make the bucket, once the server has found its own parts."""
    client = s3_client(port)
    until = time.monotonic() + STARTS_WITHIN
    while True:
        try:
            client.create_bucket(Bucket=BUCKET)
            client.put_object(Bucket=BUCKET, Key="first", Body=b"x")
            client.delete_object(Bucket=BUCKET, Key="first")
        except (botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError):
            if time.monotonic() > until:
                raise
            time.sleep(0.1)
        else:
            return


def s3_client(port: int) -> Any:
    """The administrator's own way to the S3 server, which owes nothing to the code under test."""
    return boto3.client(
        "s3",
        endpoint_url=f"http://127.0.0.1:{port}",
        aws_access_key_id=ADMIN.access,
        aws_secret_access_key=ADMIN.secret,
        region_name="us-east-1",
        config=botocore.config.Config(s3={"addressing_style": "path"}, retries={"max_attempts": 0}),
    )


def s3_keys(port: int) -> list[str]:
    """All that the bucket holds."""
    return [item["Key"] for item in s3_client(port).list_objects_v2(Bucket=BUCKET).get("Contents") or ()]


def container() -> ContainerClient:
    """The container, by the account's public name: the proxy of the environment leads there."""
    return ContainerClient(
        f"https://{AZURE_ACCOUNT}.blob.core.windows.net",
        AZURE_CONTAINER,
        credential={"account_name": AZURE_ACCOUNT, "account_key": AZURE_KEY},
        retry_total=0,
    )


def make_container() -> None:
    with container() as made:
        if not made.exists():
            made.create_container()


def google_keys(port: int) -> list[str]:
    """All that the emulator's bucket holds, by its plain address."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/storage/v1/b/{BUCKET}/o", timeout=10) as answer:
        return [item["name"] for item in json.load(answer).get("items") or ()]
