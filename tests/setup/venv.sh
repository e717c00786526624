#!/usr/bin/env bash
# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
#
# Makes the one virtual environment of this checkout, .venv: once. It is brought up to date when a requirement file has
# changed, and made anew when the interpreter or the place of the checkout has (its scripts carry absolute paths).

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

up_to_date() { [[ -f $stamp && $(<"$stamp") == "$base"$'\n'"$content" ]]; }

python=$(find_python)
base=$({ pwd && "$python" -c 'import sys; print(sys.version)'; } | sha256sum)
content=$(cat "${sources[@]}" | sha256sum)

if up_to_date; then
    exit 0
fi

# Two make commands at once must not work on the same environment.
exec 9>.venv.lock
flock 9
trap 'rm -f .venv.lock' EXIT
if up_to_date; then
    exit 0
fi

started=$SECONDS
if [[ -f $stamp && $(head -n 1 "$stamp") == "$base" ]]; then
    echo "venv: bringing $venv up to what the requirement files say now"
else
    echo "venv: making $venv with $python (some 120 packages; a minute or two)"
    rm -f "$stamp"
    "$python" -m venv --clear "$venv"
fi
# Not compiled ahead: most of what the package ansible holds is never loaded here.
"$venv/bin/pip" install --quiet --disable-pip-version-check --no-compile \
    --requirement tests/setup/requirements.txt --constraint tests/setup/lock.txt
"$venv/bin/pip" check --quiet
mapfile -t unpinned < <("$venv/bin/python" tests/setup/pins.py)
if [[ -n ${unpinned[*]} ]]; then
    echo "venv: no longer asked for, or not in lock.txt (\`make lock\`); rm -r $venv starts afresh: ${unpinned[*]}"
fi
printf '%s\n%s\n' "$base" "$content" >"$stamp"
echo "venv: ready after $((SECONDS - started)) s"
