#!/usr/bin/env bash
# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
#
# Ansible wants a collection below .../ansible_collections/openmig/mtc, wherever the checkout is. Two ways to give it that:
#
#   tree.sh live   .build/live: a link to the checkout; for pytest, mypy, import-linter and ansible-playbook
#   tree.sh copy   .build/copy: what git would keep of the checkout, copied; for tools that resolve links or write beside
#                  what they read (ansible-test, ansible-lint, antsibull-docs)

set -euo pipefail
cd "$(dirname "$0")/../.."

live() {
    local root=.build/live/ansible_collections
    mkdir -p "$root/openmig"
    # The package `ansible` installs a package of this name, too. Both stay importable.
    local merge='__path__ = __import__("pkgutil").extend_path(__path__, __name__)'
    if [[ ! -f $root/__init__.py || $(<"$root/__init__.py") != "$merge" ]]; then
        echo "$merge" >"$root/__init__.py"
    fi
    if [[ ! -L $root/openmig/mtc ]]; then
        ln -sfn ../../../.. "$root/openmig/mtc"
    fi
}

copy() {
    local target=.build/copy/ansible_collections/openmig/mtc
    rm -rf "$target"
    mkdir -p "$target"
    # Files that are tracked, or new and not ignored, and that exist: a file removed but not yet committed is still listed.
    git -c safe.directory="$PWD" ls-files -z --cached --others --exclude-standard --deduplicate |
        while IFS= read -r -d '' file; do
            if [[ -e $file || -L $file ]]; then printf '%s\0' "$file"; fi
        done |
        tar --create --null --files-from=- | tar --extract --directory="$target"
    # ansible-test and ansible-lint ask git what belongs to the collection.
    git -C "$target" init --quiet
    git -C "$target" add --all
    echo "$target"
}

case ${1:-} in
live | copy) "$1" ;;
*)
    echo "usage: tree.sh live|copy" >&2
    exit 2
    ;;
esac
