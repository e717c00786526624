#!/usr/bin/env bash
# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
#
# Writes lock.txt: one version for everything that requirements.txt asks for and that those pull in, for every Python from
# 3.11 on. What is locked already stays as it is where it can; `lock.sh --upgrade` takes the newest.

set -euo pipefail
cd "$(dirname "$0")/../.."

uv=.build/uv
if [[ ! -x $uv/bin/uv ]]; then
    "${PYTHON:-python3}" -m venv "$uv"
    "$uv/bin/pip" install --quiet --disable-pip-version-check uv==0.13.9
fi

lock=tests/setup/lock.txt
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
grep -v '^#' "$lock" >"$work/lock.txt" || true
"$uv/bin/uv" pip compile --quiet --universal --python-version 3.11 --no-annotate --no-header "$@" \
    --output-file "$work/lock.txt" tests/setup/requirements.txt
{
    sed -n '1,/^$/{/^#/p}' "$lock"
    cat "$work/lock.txt"
} >"$work/whole.txt"
cp "$work/whole.txt" "$lock"
git --no-pager diff --stat -- "$lock"
