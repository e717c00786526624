# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A stand-in for Google's login, which is to be had with an account at Google only.

It grants a token for every signed claim that names a known service account, as Google's documentation of the JWT bearer
grant has it, and refuses the others. It does not verify the signature, and the storage emulator behind it does not
look at tokens: whether Google accepts a key, no test here can show.
"""

from __future__ import annotations

import base64
import contextlib
import http.server
import json
import threading
from collections.abc import Iterator
from urllib.parse import parse_qs

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

TOKEN = "planted-google-token"


def key_file() -> str:
    """A key file as Google makes them, with a key that Google does not know."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
    return json.dumps(
        {
            "type": "service_account",
            "project_id": "openmig-test",
            "private_key_id": "planted-key-id",
            "private_key": pem,
            "client_email": "backup@openmig-test.iam.gserviceaccount.com",
            "token_uri": "https://oauth2.googleapis.com/token",
        }
    )


class _Login(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        given = parse_qs(self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode())
        claim = given["assertion"][0].split(".")[1]
        issuer = json.loads(base64.urlsafe_b64decode(claim + "=" * (-len(claim) % 4)))["iss"]
        if issuer.startswith("backup@"):
            self._answer(200, {"access_token": TOKEN, "token_type": "Bearer", "expires_in": 3599})
        else:
            told = f"Invalid grant: account not found: {issuer}"
            self._answer(400, {"error": "invalid_grant", "error_description": told})

    def _answer(self, status: int, document: object) -> None:
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


@contextlib.contextmanager
def google_login() -> Iterator[int]:
    """The stand-in's port, for plain HTTP."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Login) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1]
        server.shutdown()
