# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""HTTP to one API server: kept-alive connections, JSON, retries until a deadline, typed errors.

Everything that goes over the wire passes here (a command's WebSocket asks ``admit`` itself), so this is where the fence
is asked, requests are counted and the user agent is set.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from ..resources.errors import MtcError, PermanentError, TransientError
from .backoff import Backoff, retry_after
from .credentials import Credentials, Login
from .failures import (
    RETRYABLE,
    Failure,
    error_of_answer,
    failure_of,
    not_kubernetes,
    plain_answer,
    status_document,
)
from .libraries import require_urllib3
from .pools import Pools, make_pools

CONNECT_SECONDS = 5.0
FIRST_CONTACT_SECONDS = 10.0
"""A server that has never answered is given up after this long: a typing error must not cost a minute."""
READ_SECONDS = 65.0
"""Longer than an API server's own limit of 60 s for a request that is no stream."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Call:
    """One request, and what to say when it fails."""

    method: str
    path: str
    subject: str
    attempt: str
    query: Mapping[str, Any] = field(default_factory=dict)
    body: bytes | None = None
    content_type: str = "application/json"
    accept: str = "application/json"
    answers: frozenset[int] = frozenset()
    """Statuses that the caller wants to see instead of an error."""
    deadline: float | None = None
    """Seconds for all tries together; the transport's own when absent."""
    repeatable: bool = True
    """``False``: not sent again when the server may have carried it out."""
    secrets: tuple[str, ...] = ()
    bare: bool = False
    """The answer is a document of no kind (/version)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """What the server said: a success, or one of the call's ``answers``."""

    status: int
    document: Any
    body: bytes = b""
    repeated: bool = False
    """An earlier try of this call may have been carried out: an "exists already" may speak of our own doing."""


class Transport:
    """Thread-safe. ``deadline``: seconds for all tries of one request together."""

    def __init__(
        self,
        credentials: Credentials,
        *,
        name: str,
        user_agent: str,
        fence: Callable[[], None] | None = None,
        deadline: float = 60.0,
    ) -> None:
        self.name = name
        self.user_agent = user_agent
        self.fence = fence
        self.deadline = deadline
        self.requests = 0
        self.contacted = False
        self._credentials = credentials
        self._lock = threading.Lock()
        self._pools: Pools | None = None

    @property
    def login(self) -> Login:
        return self._credentials.login

    @property
    def subject(self) -> str:
        """How errors about the cluster itself call it."""
        return f"Cluster {self.name} ({self.login.server})"

    def admit(self) -> None:
        """Called before anything is sent: asks the fence (which may raise) and counts."""
        if self.fence is not None:
            self.fence()
        with self._lock:
            self.requests += 1

    def renew(self, rejected: Login) -> bool:
        """After a 401: whether there are other credentials to try."""
        return self._credentials.renew(rejected)

    def send(self, call: Call) -> Answer:
        """The answer of a request; raises the typed error of everything but 2xx and ``call.answers``."""
        response, repeated = self._exchange(call, silence=None)
        status: int = response.status
        body: bytes = response.data
        if not 200 <= status < 300:
            return Answer(status=status, document=status_document(body), body=body, repeated=repeated)
        try:
            document = json.loads(body)
        except ValueError:
            document = None
        if not isinstance(document, dict) or not (call.bare or "kind" in document):
            raise not_kubernetes(cluster=self.subject, attempt=call.attempt, status=status, body=body)
        return Answer(status=status, document=document, body=body, repeated=repeated)

    def open(self, call: Call, *, silence: float) -> Any:
        """A streamed answer as urllib3's response, headers read; ``silence`` seconds without a byte end it.

        The caller reads it through ``stream_failure`` and must ``close()`` it.
        """
        return self._exchange(call, silence=silence)[0]

    def refused(self, call: Call, answer: Answer) -> PermanentError:
        """The error of an answer that the caller wanted to see first."""
        return error_of_answer(
            status=answer.status,
            body=answer.body,
            subject=call.subject,
            attempt=self._attempt(call),
            cluster=self.subject,
            secrets=call.secrets,
        )

    def failed(self, failure: Failure) -> MtcError:
        """The error of a connection that could not be made or kept."""
        kind = PermanentError if self._hopeless(failure) else TransientError
        return kind(subject=self.subject, attempt=failure.what, reason=failure.reason, mend=failure.mend)

    def close(self) -> None:
        with self._lock:
            pools, self._pools = self._pools, None
        if pools is not None:
            pools.close()

    def _exchange(self, call: Call, *, silence: float | None) -> tuple[Any, bool]:
        """The first response that settles the call, and whether an earlier try may have been carried out."""
        library = require_urllib3()
        tries = _Tries(backoff=Backoff(self.deadline if call.deadline is None else call.deadline))
        while True:
            self.admit()
            login = self.login
            try:
                response = self._try(library, call, login, silence or tries.seconds(), stream=silence is not None)
            except library.exceptions.HTTPError as error:
                self._after_failure(call, tries, failure_of(error, proxied=login.proxy is not None), error)
                continue
            self.contacted = True
            if 200 <= response.status < 300:
                return response, tries.repeated
            if silence is not None:
                response.read(cache_content=True)
            if self._again(call, tries, login, response):
                continue
            if response.status in call.answers:
                return response, tries.repeated
            raise self.refused(call, Answer(status=response.status, document=None, body=response.data))

    def _after_failure(self, call: Call, tries: _Tries, failure: Failure, error: Exception) -> None:
        """Waits for another try, or raises."""
        if failure.executed and not call.repeatable:
            raise self._doubtful(call, failure.reason) from error
        tries.repeated = tries.repeated or failure.executed
        within = None if self.contacted else FIRST_CONTACT_SECONDS
        hopeless = failure.permanent or (failure.settled_by_contact and not failure.passing and not self.contacted)
        if hopeless or not tries.backoff.pause(within=within):
            raise self.failed(failure) from error

    def _again(self, call: Call, tries: _Tries, login: Login, response: Any) -> bool:
        """Whether an answer that is no success calls for another try, for which the time has then come."""
        status: int = response.status
        if status == 401 and not tries.renewed:
            tries.renewed = True
            return self.renew(login)
        if status not in RETRYABLE or status in call.answers:
            return False
        if status != 429:  # which is said before anything is done
            if not call.repeatable:
                raise self._doubtful(call, f"HTTP {status}")
            tries.repeated = True
        if tries.backoff.pause(retry_after=retry_after(response.headers.get("Retry-After"))):
            return True
        raise self._exhausted(call, response)

    def _try(self, library: Any, call: Call, login: Login, seconds: float, *, stream: bool) -> Any:
        pools = self._pools_of(login)
        url = f"{pools.prefix}{call.path}?{urlencode(call.query)}" if call.query else pools.prefix + call.path
        headers = library.HTTPHeaderDict(pools.headers)
        headers["Accept"] = call.accept
        if call.body is not None:
            headers["Content-Type"] = call.content_type
        authorization = login.authorization()
        if authorization:
            headers["Authorization"] = authorization
        return (pools.streams if stream else pools.short).request(
            call.method,
            url,
            body=call.body,
            headers=headers,
            retries=False,
            redirect=False,
            timeout=library.Timeout(connect=CONNECT_SECONDS, read=seconds),
            preload_content=not stream,
        )

    def _pools_of(self, login: Login) -> Pools:
        with self._lock:
            if self._pools is None or self._pools.login is not login:
                self._pools = make_pools(login, self.user_agent)
            return self._pools

    def _attempt(self, call: Call) -> str:
        return f"{call.attempt} on cluster {self.name}"

    def _hopeless(self, failure: Failure) -> bool:
        return failure.permanent or (failure.settled_by_contact and not self.contacted)

    def _doubtful(self, call: Call, reason: str) -> TransientError:
        return TransientError(
            subject=call.subject,
            attempt=self._attempt(call),
            reason=f"no answer, so it may or may not have been carried out ({reason})",
            mend="Look at the object, then run the task again",
        )

    def _exhausted(self, call: Call, response: Any) -> MtcError:
        told = error_of_answer(
            status=response.status,
            body=response.data,
            subject=call.subject,
            attempt=self._attempt(call),
            cluster=self.subject,
            secrets=call.secrets,
        )
        reason = (
            told.reason if status_document(response.data) or plain_answer(response.data) else f"HTTP {response.status}"
        )
        seconds = self.deadline if call.deadline is None else call.deadline
        return TransientError(
            subject=call.subject,
            attempt=self._attempt(call),
            reason=f"the API server {self.login.server} kept failing for {seconds:.0f} s: {reason}",
            mend="Check the API server's health and load, then run the task again",
        )


@dataclass(slots=True)
class _Tries:
    """What has happened to one call so far."""

    backoff: Backoff
    repeated: bool = False
    renewed: bool = False

    def seconds(self) -> float:
        """How long the next try may wait for its answer."""
        return max(1.0, min(READ_SECONDS, self.backoff.remaining))
