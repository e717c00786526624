#!/usr/bin/env bash
# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Makes the one virtual environment of this checkout, .venv. It is made once, and anew only when something that it is made
# from has changed: a requirement file, the interpreter, or the place of the checkout (its scripts carry absolute paths).

set -euo pipefail
cd "$(dirname "$0")/../.."

venv=.venv
stamp=$venv/made-from
sources=(tests/setup/requirements.txt tests/setup/lock.txt tests/lab/requirements.txt meta/ee-requirements.txt)

usable() {
    "$1" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null
}

find_python() {
    local candidate
    for candidate in ${PYTHON:-} python3 /usr/bin/python3 python3.13 python3.12 python3.11; do
        if usable "$candidate"; then
            # The interpreter itself: `python3` may be a shim, or this very environment's when make has put it on the path.
            "$candidate" -c 'import os, sys; print(os.path.realpath(sys.executable))'
            return
        fi
    done
    echo "venv: no Python of 3.11 or newer with the modules venv and ensurepip was found (on Debian: apt-get install python3-venv)" >&2
    return 1
}

python=$(find_python)
fingerprint=$({
    pwd
    "$python" -c 'import sys; print(sys.executable, sys.version)'
    sha256sum "${sources[@]}"
} | sha256sum | cut -d ' ' -f 1)

if [[ -f $stamp && $(<"$stamp") == "$fingerprint" ]]; then
    exit 0
fi

# Two make commands at once must not build the same environment.
exec 9>.venv.lock
flock 9
trap 'rm -f .venv.lock' EXIT
if [[ -f $stamp && $(<"$stamp") == "$fingerprint" ]]; then
    exit 0
fi

echo "venv: making $venv with $python (some 120 packages; a minute or two)"
started=$SECONDS
rm -f "$stamp"
"$python" -m venv --clear "$venv"
# Not compiled ahead: most of what the package ansible holds is never loaded here.
"$venv/bin/pip" install --quiet --disable-pip-version-check --no-compile \
    --requirement tests/setup/requirements.txt --constraint tests/setup/lock.txt
"$venv/bin/pip" check --quiet
echo "$fingerprint" >"$stamp"
echo "venv: made in $((SECONDS - started)) s"
