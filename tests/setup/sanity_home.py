# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Prepare the home directory, given as argument, in which `ansible-test sanity` runs.

For each test that needs libraries ansible-test makes a small environment below its home, and hands none of pip's
variables on to it. So this home gets two things: pip's settings as they are in force here (an index, a certificate, a
proxy), and in the place of the script that would be fetched to install pip, one that takes Python's own copy.
"""

from __future__ import annotations

import configparser
import os
import re
import subprocess
import sys
from pathlib import Path

from ansible_test._internal.host_configs import NativePythonConfig
from ansible_test._internal.python_requirements import get_venv_packages

INSTALL_PIP = """\
import ensurepip
import os

os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
ensurepip.bootstrap(default_pip=True)
"""


def settings_in_force() -> dict[str, str]:
    """What pip would heed here, from its files and from the environment; the environment wins, as in pip."""
    listed = subprocess.run(
        [sys.executable, "-m", "pip", "config", "list"], check=True, capture_output=True, text=True
    ).stdout
    settings = {"quiet": "1"}
    if proxy := os.environ.get("https_proxy") or os.environ.get("HTTPS_PROXY"):
        settings["proxy"] = proxy
    for source in ("global", "install", ":env:"):
        settings.update(re.findall(rf"^{source}\.([^=]+)='(.*)'$", listed, flags=re.MULTILINE))
    return settings


def main() -> None:
    home = Path(sys.argv[1])

    python = NativePythonConfig(version=f"{sys.version_info.major}.{sys.version_info.minor}", path=sys.executable)
    pip = get_venv_packages(python)["pip"].replace(".", "_")
    cache = home / ".ansible/test/cache"
    cache.mkdir(parents=True, exist_ok=True)
    (cache / f"get_pip_{pip}.py").write_text(INSTALL_PIP)

    config = configparser.RawConfigParser()
    config["global"] = settings_in_force()
    pip_conf = home / ".config/pip/pip.conf"
    pip_conf.parent.mkdir(parents=True, exist_ok=True)
    pip_conf.touch(mode=0o600)
    with pip_conf.open("w") as file:
        config.write(file)


if __name__ == "__main__":
    main()
