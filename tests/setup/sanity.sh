#!/usr/bin/env bash
# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
#
# ansible-test sanity: all its tests, no ignore file, no container, on a copy of the whole checkout.
# Arguments are handed on: `tests/setup/sanity.sh --test validate-modules plugins/modules/mig_plan.py`.

set -euo pipefail
cd "$(dirname "$0")/../.."
bin=$PWD/.venv/bin

tree=$(tests/setup/tree.sh copy)
HOME=$PWD/.build/sanity-home
"$bin/python" tests/setup/sanity_home.py "$HOME"
export HOME PATH="$bin:$PATH" LC_ALL=C.UTF-8

# ansible-test would skip its test of shell scripts with no more than a warning.
command -v shellcheck >/dev/null

cd "$tree"
exec ansible-test sanity --local --python "$("$bin/python" -c 'import sys; print("{}.{}".format(*sys.version_info))')" \
    --color no "$@"
