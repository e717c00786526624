# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The file with the whole of a foretold migration: written in check mode for people to look at and approve, read later
to say in what the present differs from what was approved.

Text, or JSON when the name ends in ``.json``. The same plan gives the same bytes. Only its owner may read it: it holds
no secret, but it names everything that an application is made of.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from typing import Any, Final

from ..resources.errors import PermanentError, Problem, Refused
from . import plan_text

_DIGEST: Final = re.compile(r"sha256:[0-9a-f]{64}")
_JSON: Final = ".json"
_DONE: Final = "done: "
"""How the lines of a text file begin that the digest covers."""


def problems(params: Mapping[str, Any], *, check: bool) -> list[Problem]:
    """What can be known before any cluster is asked."""
    found = []
    digest, path = params.get("plan_digest"), params.get("plan_file")
    if digest is not None and not _DIGEST.fullmatch(digest):
        fault = f"{digest!r} is no digest of a plan"
        found.append(Problem(path="plan_digest", fault=fault, mend="Give the digest of a run with --check as it is"))
    if path and os.path.isdir(path):
        found.append(Problem(path="plan_file", fault=f"{path} is a directory", mend="Name a file in it"))
    elif path and writes(params, check=check) and not os.access(os.path.dirname(path) or ".", os.W_OK | os.X_OK):
        fault = f"no file can be written into {os.path.dirname(path) or '.'}"
        found.append(Problem(path="plan_file", fault=fault, mend="Make the directory, or name another"))
    return found


def writes(params: Mapping[str, Any], *, check: bool) -> bool:
    """Whether this call writes the file: in check mode, unless it is to be compared with."""
    return bool(check and params.get("plan_file") and not params.get("plan_digest"))


def write(path: str, told: Mapping[str, Any], *, title: str) -> None:
    """Write all of it, for its owner alone, in one piece: nobody ever reads half a plan."""
    digest = plan_text.digest_of(told)
    if path.endswith(_JSON):
        document = {"plan": title, "digest": digest, "done": plan_text.done(told), **told}
        text = json.dumps(document, indent=2, sort_keys=True) + "\n"
    else:
        text = "\n".join(
            [
                title,
                f"digest {digest}",
                "",
                *plan_text.lines(told),
                "",
                *(_DONE + line for line in plan_text.done(told)),
            ]
        )
        text += "\n"
    folder, name = os.path.split(os.path.abspath(path))
    beside = os.path.join(folder, f".{name}.{os.getpid()}")
    try:
        handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        os.replace(beside, path)
    except OSError as error:
        raise PermanentError(
            subject=f"File {path}",
            attempt="the plan cannot be written",
            reason=error.strerror or str(error),
            mend="Name another plan_file",
        ) from error


def require(params: Mapping[str, Any], told: Mapping[str, Any], *, subject: str) -> None:
    """Raises Refused when ``plan_digest`` is given and stands for something else than what would be done now; names the
    differences when the file of that plan is at hand."""
    wanted = params.get("plan_digest")
    now = plan_text.digest_of(told)
    if not wanted or wanted == now:
        return
    path = params.get("plan_file")
    approved = _read(path) if path else None
    if approved is None:
        reason = f"its digest is {now}; name the plan's file in plan_file to be told what differs"
    elif approved[0] != wanted:
        reason = f"its digest is {now}; {path} is the file of yet another plan, {approved[0]}"
    else:
        reason = "; ".join(plan_text.differences(approved[1], plan_text.done(told)))
    raise Refused(
        subject=subject,
        attempt="what would be done now is not what plan_digest stands for",
        reason=reason,
        mend="Run it with --check and a new plan_file, look at it again, and give its digest",
    )


def _read(path: str) -> tuple[str, list[str]] | None:
    """The digest and the lines that it covers, of a file that ``write`` wrote; None for any other, or none."""
    try:
        with open(path, encoding="utf-8") as file:
            text = file.read()
        if path.endswith(_JSON):
            document = json.loads(text)
            return str(document["digest"]), [str(line) for line in document["done"]]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    digest = next((line.partition(" ")[2] for line in text.splitlines() if line.startswith("digest ")), "")
    lines = [line.removeprefix(_DONE) for line in text.splitlines() if line.startswith(_DONE)]
    return (digest, lines) if digest and lines else None
