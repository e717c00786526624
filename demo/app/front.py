# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The web front of the demo's shop: orders in PostgreSQL, an upload beside each order, settings from ConfigMap and
Secret.

It is meant to be believed rather than admired. An order is acknowledged only after its row is committed and its
upload has reached the disk, and the acknowledgement is signed with the key from the Secret: whoever holds
acknowledgements can ask another place later whether it honours each of them. It speaks to PostgreSQL through `psql`,
so the standard library is enough.
"""

from __future__ import annotations

import hashlib
import hmac
import html
import json
import os
import secrets
import signal
import ssl
import subprocess
import threading
import time
import urllib.request
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

GRACE = 0.8
"""Seconds that requests under way get after SIGTERM."""
LARGEST_BODY = 64 * 1024
SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")

TABLES = """
SELECT format('SELECT %L, count(*), coalesce(md5(string_agg(h, '''' ORDER BY h COLLATE "C")), '''') '
              'FROM (SELECT md5(t::text) AS h FROM %I.%I t) AS hashes', relname, nspname, relname)
FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
WHERE relkind = 'r' AND nspname = 'public' ORDER BY relname
\\gexec
"""


class DatabaseError(Exception):
    """PostgreSQL did not answer, or refused; the text is what `psql` said."""


@dataclass(frozen=True)
class Settings:
    """What ConfigMap and Secret say. How to reach PostgreSQL (PGHOST and so on) is left to libpq."""

    title: str
    port: int
    uploads: Path
    session_key: bytes

    @classmethod
    def from_environment(cls) -> Settings:
        """Read the environment; a missing SESSION_KEY or SHOP_UPLOADS is a KeyError at the start, not later."""
        return cls(
            title=os.environ.get("SHOP_TITLE", "Shop"),
            port=int(os.environ.get("SHOP_PORT", "8080")),
            uploads=Path(os.environ["SHOP_UPLOADS"]),
            session_key=os.environ["SESSION_KEY"].encode(),
        )


def query(sql: str, **values: str) -> list[list[str]]:
    """Rows of text. `:'name'` in the statement stands for a quoted value; nothing is pasted into SQL by hand."""
    command = ["psql", "-X", "-q", "-A", "-t", "-F", "\t", "-v", "ON_ERROR_STOP=1"]
    for name, value in values.items():
        command += ["-v", f"{name}={value}"]
    try:
        done = subprocess.run(command, input=sql.encode(), capture_output=True, timeout=30, check=False)
    except subprocess.TimeoutExpired as error:
        raise DatabaseError("no answer within 30 s") from error
    if done.returncode != 0:
        raise DatabaseError(done.stderr.decode(errors="replace").strip())
    return [line.split("\t") for line in done.stdout.decode().splitlines() if line]


class Shop:
    """What the front does, without HTTP."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    def receipt(self, number: int, token: str, digest: str) -> str:
        """The signature under an acknowledgement: equal wherever the same Secret is."""
        text = f"{number}:{token}:{digest}".encode()
        return hmac.new(self.settings.session_key, text, hashlib.sha256).hexdigest()

    def place(self, note: str) -> dict[str, Any]:
        """Write the upload, then the row; return the acknowledgement."""
        token = secrets.token_hex(8)
        content = f"order {token}\n{note}\n".encode()
        digest = hashlib.sha256(content).hexdigest()
        upload = f"orders/{token}.txt"
        with open(self.settings.uploads / upload, "xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        rows = query(
            "INSERT INTO orders (customer, note, token, upload, digest) "
            "SELECT min(id), :'note', :'token', :'upload', :'digest' FROM customers RETURNING id;",
            note=note,
            token=token,
            upload=upload,
            digest=digest,
        )
        return self.acknowledgement(int(rows[0][0]), token, digest)

    def acknowledgement(self, number: int, token: str, digest: str) -> dict[str, Any]:
        """What a client is told about an order, and may ask for again later."""
        return {"id": number, "token": token, "digest": digest, "receipt": self.receipt(number, token, digest)}

    def orders(self, after: int) -> list[dict[str, Any]]:
        """Acknowledgements, made anew from row and upload, of the orders with a greater number."""
        rows = query(
            "SELECT id, token, upload FROM orders WHERE id > :'after'::bigint AND token IS NOT NULL ORDER BY id;",
            after=str(after),
        )
        return [self.acknowledgement(int(number), token, self.digest(upload)) for number, token, upload in rows]

    def digest(self, upload: str) -> str:
        """SHA-256 of an upload as it is on the volume now; empty when it is not there."""
        try:
            return hashlib.sha256((self.settings.uploads / upload).read_bytes()).hexdigest()
        except OSError:
            return ""

    def health(self) -> dict[str, Any]:
        """Whether the database answers (and under which of its names) and the volume can be read."""
        answer: dict[str, Any] = {"database": False, "uploads": os.access(self.settings.uploads / "orders", os.W_OK)}
        try:
            answer["host"] = query("\\echo :HOST\nSELECT 1;")[0][0]
            answer["database"] = True
        except DatabaseError as error:
            answer["error"] = str(error)
        answer["healthy"] = bool(answer["database"] and answer["uploads"])
        return answer

    def rights(self) -> dict[str, Any]:
        """Read the front's ConfigMap with its account: works only where the RoleBinding names the right namespace."""
        try:
            namespace = (SERVICE_ACCOUNT / "namespace").read_text(encoding="utf-8").strip()
            token = (SERVICE_ACCOUNT / "token").read_text(encoding="utf-8").strip()
            server = (
                f"https://{os.environ['KUBERNETES_SERVICE_HOST']}:{os.environ.get('KUBERNETES_SERVICE_PORT', '443')}"
            )
            request = urllib.request.Request(
                f"{server}/api/v1/namespaces/{namespace}/configmaps/front", headers={"Authorization": f"Bearer {token}"}
            )
            context = ssl.create_default_context(cafile=str(SERVICE_ACCOUNT / "ca.crt"))
            with urllib.request.urlopen(request, timeout=5, context=context) as answer:
                return {"namespace": namespace, "rights": answer.status == HTTPStatus.OK}
        except (OSError, KeyError) as error:
            return {"rights": False, "error": str(error)}

    def checksums(self) -> dict[str, Any]:
        """Rows and checksum of every table, and how much of the volume the front can see."""
        files = size = 0
        for folder, _folders, names in os.walk(os.fsencode(self.settings.uploads)):
            for name in names:
                files += 1
                size += os.lstat(os.path.join(folder, name)).st_size
        tables = {name: {"rows": int(rows), "checksum": checksum} for name, rows, checksum in query(TABLES)}
        return {"tables": tables, "files": files, "bytes": size}

    def page(self) -> str:
        """The listing that a person sees."""
        rows = query("SELECT id, created, coalesce(note, '') FROM orders ORDER BY id DESC LIMIT 20;")
        orders = "".join(f"<tr>{''.join(f'<td>{html.escape(cell)}</td>' for cell in row)}</tr>" for row in rows)
        count = query("SELECT count(*) FROM orders;")[0][0]
        title = html.escape(self.settings.title)
        return (
            f"<!doctype html><html lang=en><meta charset=utf-8><title>{title}</title>"
            f"<h1>{title}</h1><p>{count} orders; the last ones:</p><table>{orders}</table></html>"
        )


class Server(ThreadingHTTPServer):
    """Counts the requests under way, so that SIGTERM waits for these and for nothing else."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, shop: Shop) -> None:
        self.shop = shop
        self.active = 0
        self.lock = threading.Lock()
        super().__init__(("", shop.settings.port), Handler)

    def drain(self, seconds: float) -> None:
        """Wait for the requests under way, at most so long."""
        deadline = time.monotonic() + seconds
        while self.active and time.monotonic() < deadline:
            time.sleep(0.01)


class Handler(BaseHTTPRequestHandler):
    """One request."""

    server: Server
    server_version = "shop/1"

    def do_GET(self) -> None:
        self._count(self._get)

    def do_POST(self) -> None:
        self._count(self._post)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: probes every second would bury everything else."""

    def _count(self, serve: Any) -> None:
        with self.server.lock:
            self.server.active += 1
        try:
            serve()
        except DatabaseError as error:
            self._json(HTTPStatus.SERVICE_UNAVAILABLE, {"error": str(error)})
        except OSError as error:
            self._json(HTTPStatus.INTERNAL_SERVER_ERROR, {"error": str(error)})
        finally:
            with self.server.lock:
                self.server.active -= 1

    def _get(self) -> None:
        shop, target = self.server.shop, urlsplit(self.path)
        if target.path == "/alive":
            self._json(HTTPStatus.OK, {"alive": True})
        elif target.path == "/health":
            health = shop.health()
            self._json(HTTPStatus.OK if health["healthy"] else HTTPStatus.SERVICE_UNAVAILABLE, health)
        elif target.path == "/api/rights":
            self._json(HTTPStatus.OK, shop.rights())
        elif target.path == "/api/orders":
            after = parse_qs(target.query).get("after", ["0"])[0]
            self._json(HTTPStatus.OK, shop.orders(int(after) if after.isdecimal() else 0))
        elif target.path == "/api/checksums":
            self._json(HTTPStatus.OK, shop.checksums())
        elif target.path == "/":
            self._answer(HTTPStatus.OK, "text/html; charset=utf-8", shop.page().encode())
        else:
            self._json(HTTPStatus.NOT_FOUND, {"error": "there is no such page"})

    def _post(self) -> None:
        if urlsplit(self.path).path != "/api/orders":
            self._json(HTTPStatus.NOT_FOUND, {"error": "there is no such page"})
            return
        length = self.headers.get("Content-Length") or ""
        if not length.isdecimal() or int(length) > LARGEST_BODY:
            self._json(
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE, {"error": f"a body of at most {LARGEST_BODY} bytes, please"}
            )
            return
        try:
            note = str(json.loads(self.rfile.read(int(length)))["note"]).replace("\0", "")
        except (ValueError, KeyError, TypeError):
            self._json(HTTPStatus.BAD_REQUEST, {"error": 'the body is to be {"note": "..."}'})
            return
        self._json(HTTPStatus.CREATED, self.server.shop.place(note))

    def _json(self, status: HTTPStatus, answer: Any) -> None:
        self._answer(status, "application/json", json.dumps(answer).encode() + b"\n")

    def _answer(self, status: HTTPStatus, kind: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def main() -> None:
    """Serve until SIGTERM or SIGINT, then finish what is under way and leave."""
    server = Server(Shop(Settings.from_environment()))

    def stop(_number: int, _frame: object) -> None:
        # shutdown() waits for the loop that this handler interrupts: it must be called from elsewhere.
        threading.Thread(target=server.shutdown).start()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    server.serve_forever(poll_interval=0.05)
    server.server_close()
    server.drain(GRACE)


if __name__ == "__main__":
    main()
