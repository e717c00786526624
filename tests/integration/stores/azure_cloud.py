# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A stand-in for Azure's login and resource manager, which are to be had with an account at Azure only.

It plays what lies between a service principal and the access key of a storage account: the discovery of the login's
addresses, the grant of a token for a client's secret, and the listing of an account's keys. Its answers have the form
of Azure's documentation; that Azure still answers so, no test here can show.
"""

from __future__ import annotations

import contextlib
import http.server
import json
import re
import threading
from collections.abc import Iterator
from urllib.parse import parse_qs

from integration.stores.servers import AZURE_ACCOUNT, AZURE_KEY

LOGIN = "login.microsoftonline.com"
MANAGEMENT = "management.azure.com"
TENANT = "11111111-1111-1111-1111-111111111111"
CLIENT = "22222222-2222-2222-2222-222222222222"
SUBSCRIPTION = "33333333-3333-3333-3333-333333333333"
RESOURCE_GROUP = "backups"
CLIENT_SECRET = "planted~client.secret"
TOKEN = "planted-azure-token"


class _Cloud(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        if self.path.endswith("/v2.0/.well-known/openid-configuration"):
            self._answer(
                200,
                {
                    "issuer": f"https://{LOGIN}/{TENANT}/v2.0",
                    "authorization_endpoint": f"https://{LOGIN}/{TENANT}/oauth2/v2.0/authorize",
                    "token_endpoint": f"https://{LOGIN}/{TENANT}/oauth2/v2.0/token",
                },
            )
        elif self.path.startswith("/common/discovery/instance"):
            names = {"preferred_network": LOGIN, "preferred_cache": "login.windows.net", "aliases": [LOGIN]}
            endpoint = f"https://{LOGIN}/{TENANT}/v2.0/.well-known/openid-configuration"
            self._answer(200, {"tenant_discovery_endpoint": endpoint, "api-version": "1.1", "metadata": [names]})
        else:
            self._answer(404, {"error": {"code": "NotFound", "message": self.path}})

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        if self.path == f"/{TENANT}/oauth2/v2.0/token":
            given = {name: values[0] for name, values in parse_qs(body).items()}
            if (given.get("client_id"), given.get("client_secret")) == (CLIENT, CLIENT_SECRET):
                self._answer(200, {"token_type": "Bearer", "expires_in": 3599, "access_token": TOKEN})
            else:
                told = f"AADSTS7000215: Invalid client secret {given.get('client_secret')} for app '{CLIENT}'."
                self._answer(401, {"error": "invalid_client", "error_description": told, "error_codes": [7000215]})
        elif match := re.match(
            r"/subscriptions/([^/]+)/resourceGroups/([^/]+)/providers/Microsoft.Storage/storageAccounts/([^/]+)/listKeys",
            self.path,
        ):
            self._list_keys(match.groups())
        else:
            self._answer(404, {"error": {"code": "NotFound", "message": self.path}})

    def _list_keys(self, asked: tuple[str | None, ...]) -> None:
        if self.headers.get("Authorization") != f"Bearer {TOKEN}":
            self._answer(401, {"error": {"code": "InvalidAuthenticationToken", "message": "The token is invalid."}})
        elif asked != (SUBSCRIPTION, RESOURCE_GROUP, AZURE_ACCOUNT):
            self._answer(404, {"error": {"code": "ResourceGroupNotFound", "message": "Resource group not found."}})
        else:
            keys = [
                {"keyName": "key1", "value": "b25seS1yZWFkaW5n", "permissions": "Read"},
                {"keyName": "key2", "value": AZURE_KEY, "permissions": "FULL"},
            ]
            self._answer(200, {"keys": keys})

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
def azure_cloud() -> Iterator[int]:
    """The stand-in's port, for plain HTTP."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Cloud) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1]
        server.shutdown()
