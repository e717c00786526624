# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What can go wrong, as types, so that a runner decides by class and a reader by sentence.

    MtcError                    every error that this collection raises on purpose
    +-- TransientError          worth another try: connection, 429, 5xx, timeouts (raised once a deadline is used up)
    +-- PermanentError          trying again changes nothing until somebody changes something
        +-- InvalidInput        options that contradict each other or a rule; carries every problem found
        +-- Refused             allowed by the API, refused by us: it would lose or harm something
        +-- NotReady            a resource that is stored and not ready; carries its conditions
        +-- DeadlineExceeded    a wait that used up the time that the user gave it
        +-- LeaseLost           another process has taken this run over, or this one could not renew in time
        +-- VolumeFailed        a volume whose copy or proof failed; names the files
        +-- ApiError            the API server said no
            +-- NotFound, Unauthorized, Forbidden, Conflict, AlreadyExists, Invalid, Gone

Every sentence has the same form: ``<Kind> <namespace>/<name>: <what failed>: <reason>. <What to do>.``
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from .condition_names import BLOCKING


def subject_of(kind: str, name: str, namespace: str | None = None) -> str:
    """``MigPlan openmig/shop``, or ``Namespace shop`` for what lives in no namespace."""
    return f"{kind} {namespace}/{name}" if namespace else f"{kind} {name}"


def sentence(subject: str, attempt: str, reason: str, mend: str) -> str:
    """The one form in which an error is told. Empty parts are left out; the mend is a sentence of its own."""
    told = ": ".join(part.strip().rstrip(".") for part in (subject, attempt, reason) if part.strip())
    mend = mend.strip().rstrip(".")
    return f"{told}. {mend}." if mend else f"{told}."


class MtcError(Exception):
    """An error that names its object, what was attempted, why it failed and how to mend it."""

    def __init__(self, *, subject: str, attempt: str, reason: str = "", mend: str = "") -> None:
        self.subject = subject
        self.attempt = attempt
        self.reason = reason
        self.mend = mend
        self.came_to: dict[str, Any] = {}
        super().__init__(self.message)

    @property
    def message(self) -> str:
        return sentence(self.subject, self.attempt, self.reason, self.mend)

    def having(self, result: Mapping[str, Any]) -> None:
        """What a module would have returned at this point: it is told with the error. What is known from nearer to the
        error counts."""
        self.came_to = {**result, **self.came_to}

    def as_result(self) -> dict[str, Any]:
        """What ``fail_json`` gets: the sentence and its parts, and what was done and seen before."""
        return {
            **self.came_to,
            "msg": self.message,
            "error": {
                "type": type(self).__name__,
                "subject": self.subject,
                "attempt": self.attempt,
                "reason": self.reason,
                "mend": self.mend,
            },
        }


class TransientError(MtcError):
    """May succeed when tried again; raised only after the back-off used up its deadline."""


class PermanentError(MtcError):
    """Stays until somebody changes something."""


@dataclass(frozen=True, kw_only=True)
class Problem:
    """One fault in the user's input: the option's path, what is wrong with it and how to mend it."""

    path: str
    fault: str
    mend: str = ""

    def __str__(self) -> str:
        return sentence(self.path, self.fault, "", self.mend)

    def within(self, option: str) -> Problem:
        """The same of a suboption."""
        return replace(self, path=f"{option}.{self.path}")


class InvalidInput(PermanentError):
    """The options cannot be carried out as they stand. All problems are told at once."""

    def __init__(self, *, subject: str, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__(
            subject=subject, attempt="invalid options", reason=" ".join(str(item) for item in self.problems)
        )

    def as_result(self) -> dict[str, Any]:
        result = super().as_result()
        result["problems"] = [{"path": item.path, "fault": item.fault, "mend": item.mend} for item in self.problems]
        return result


@contextmanager
def suboptions_of(option: str) -> Iterator[None]:
    """What is found to be invalid inside was said in suboptions of that option."""
    try:
        yield
    except InvalidInput as error:
        problems = [problem.within(option) for problem in error.problems]
        raise InvalidInput(subject=error.subject, problems=problems) from error


class Refused(PermanentError):
    """Not done, on purpose, because it would lose or harm something or cannot end well."""


class NotReady(PermanentError):
    """The resource is stored and is not ready; its conditions say why. ``changes``: what was written all the same.
    ``attempt``: what was waited for instead of Ready."""

    def __init__(
        self,
        *,
        subject: str,
        resource: Mapping[str, Any],
        where: str = "",
        changes: Sequence[str] = (),
        attempt: str = "it is not ready",
    ) -> None:
        self.resource = resource
        self.changes = tuple(changes)
        status = resource.get("status") or {}
        self.conditions = {str(item["type"]): dict(item) for item in status.get("conditions") or []}
        blocking = [
            f"{item['type']}: {item.get('message', '')}".rstrip(". ")
            for item in self.conditions.values()
            if item.get("category") in BLOCKING and item.get("status") == "True"
        ]
        there = f"its conditions are {', '.join(self.conditions)}" if self.conditions else "it has no conditions"
        super().__init__(
            subject=subject,
            attempt=attempt,
            reason="; ".join(blocking) or there,
            mend=where or "Mend what the conditions say and run the task again",
        )

    def after(self, changes: Sequence[str]) -> NotReady:
        """The same, said by somebody who knows what was written before."""
        return NotReady(
            subject=self.subject, resource=self.resource, where=self.mend, changes=changes, attempt=self.attempt
        )

    def as_result(self) -> dict[str, Any]:
        return {
            **super().as_result(),
            "changed": bool(self.changes or self.came_to.get("changed")),
            "changes": list(self.changes),
            "resource": dict(self.resource),
            "conditions": self.conditions,
        }


class DeadlineExceeded(PermanentError):
    """The time that the user allowed is used up."""


class LeaseLost(PermanentError):
    """This process may not touch any cluster any more: its lease is gone or could not be renewed in time."""


class VolumeFailed(PermanentError):
    """A volume's copy or proof failed. ``files`` names what could not be read, written or proven (may be empty)."""

    def __init__(
        self, *, subject: str, attempt: str, reason: str = "", mend: str = "", files: Sequence[str] = ()
    ) -> None:
        self.files = tuple(files)
        super().__init__(subject=subject, attempt=attempt, reason=reason, mend=mend)

    def as_result(self) -> dict[str, Any]:
        return {**super().as_result(), "files": list(self.files)}


class ApiError(PermanentError):
    """The API server refused. ``status`` is the HTTP status, ``api_reason`` the ``reason`` of its Status object."""

    def __init__(
        self, *, subject: str, attempt: str, reason: str = "", mend: str = "", status: int = 0, api_reason: str = ""
    ) -> None:
        self.status = status
        self.api_reason = api_reason
        super().__init__(subject=subject, attempt=attempt, reason=reason, mend=mend)


class NotFound(ApiError):
    """404."""


class Unauthorized(ApiError):
    """401."""


class Forbidden(ApiError):
    """403: rights, Pod Security admission or a quota."""


class Conflict(ApiError):
    """409 for a write against an older resourceVersion."""


class AlreadyExists(ApiError):
    """409 for the creation of what exists."""


class Invalid(ApiError):
    """400 or 422: the server finds the object wrong."""


class Gone(ApiError):
    """410: a list's continuation or a watch's start has expired."""
