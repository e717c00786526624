# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which scripts each transfer pod gets, by file name: what the ConfigMaps carry and the tests run."""

from __future__ import annotations

from typing import Final

from .script_check import CHECK
from .script_facts import FACTS
from .script_pass import COPY, OPTIONS, PASS
from .script_supervisor import CLIENT, REQUEST, SERVER

CLIENT_SCRIPTS: Final[dict[str, str]] = {
    "client.sh": CLIENT.lstrip(),
    "request.sh": REQUEST.lstrip(),
    "facts.sh": FACTS.lstrip(),
    "pass.sh": PASS.lstrip(),
    "options.sh": OPTIONS.lstrip(),
    "copy.sh": COPY.lstrip(),
    "check.sh": CHECK.lstrip(),
}
SERVER_SCRIPTS: Final[dict[str, str]] = {"server.sh": SERVER.lstrip()}
