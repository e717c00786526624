#!/usr/bin/env bash
# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
#
# Builds the archive that users install, installs it into an empty place, and lets ansible-doc read every plugin of it there.

set -euo pipefail
cd "$(dirname "$0")/../.."
checkout=$PWD
export PATH="$PWD/.venv/bin:$PATH"

copy=$(tests/setup/tree.sh copy)
ansible-galaxy collection build --force --output-path "$checkout" "$copy" >/dev/null
archive=$(find . -maxdepth 1 -name 'openmig-mtc-*.tar.gz' -printf '%T@ %f\n' | sort -n | tail -n 1 | cut -d ' ' -f 2)

place=$checkout/.build/installed
rm -rf "$place"
# Nothing but this place: the checkout would count as installed already.
export ANSIBLE_COLLECTIONS_PATH=$place
ansible-galaxy collection install --offline --no-deps --collections-path "$place" "$archive" >/dev/null
cd "$place/ansible_collections/openmig/mtc"
read_all() { # type, then the files or folders that are one each
    local type=$1 path name complaint
    shift
    for path in "$@"; do
        name=openmig.mtc.$(basename "$path" .py)
        complaint=$(ansible-doc --type "$type" "$name" 2>&1 >/dev/null) || true
        if [[ -n $complaint ]]; then
            echo "build: ansible-doc --type $type $name: $complaint" >&2
            exit 1
        fi
    done
}
shopt -s nullglob
read_all module plugins/modules/*.py
read_all callback plugins/callback/*.py
read_all role roles/*/
echo "$archive: $(stat --format %s "$checkout/$archive") bytes, $(find . -type f | wc -l) files; its documentation reads"
