#!/usr/bin/env bash
# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
#
# Everything about form but ansible-test's share: each check by its own tool, none skipped, all of them run before it fails.
# With names as arguments only those: `tests/setup/lint.sh mypy layers`.

set -euo pipefail
cd "$(dirname "$0")/../.."
checkout=$PWD
export PATH="$PWD/.venv/bin:$PATH"
chosen=" $* "
failed=()

check() {
    local name=$1 started=$SECONDS
    shift
    if [[ $chosen != "  " && $chosen != *" $name "* ]]; then
        return
    fi
    echo "--- $name"
    if "$@"; then
        echo "    ok, $((SECONDS - started)) s"
    else
        echo "    FAILED, $((SECONDS - started)) s"
        failed+=("$name")
    fi
}

types_of_plugins() { mypy --package ansible_collections.openmig.mtc.plugins; }
types_of_the_rest() { git -c safe.directory="$PWD" ls-files -z --cached --others --exclude-standard -- 'tests/*.py' 'demo/*.py' | xargs --null mypy; }
layers() { PYTHONPATH=.build/live lint-imports --no-logo --cache-dir .build/import-linter; }
markdown() { git -c safe.directory="$PWD" ls-files -z --cached --others --exclude-standard -- '*.md' | xargs --null --no-run-if-empty pymarkdown scan; }

# These want a collection at its place, with nothing in it that does not belong.
in_copy() { (cd "$copy" && ANSIBLE_COLLECTIONS_PATH=$checkout/.build/copy "$@"); }

tests/setup/tree.sh live
copy=$checkout/$(tests/setup/tree.sh copy)

check ruff ruff check --output-format concise .
check format ruff format --check --output-format concise .
check types types_of_plugins
check types-of-tests types_of_the_rest
check layers layers
check yaml yamllint --strict .
check markdown markdown
check changelog in_copy antsibull-changelog lint
check docs in_copy antsibull-docs lint-collection-docs --plugin-docs --validate-collection-refs self .
check ansible-lint in_copy ansible-lint --nocolor

if ((${#failed[@]})); then
    echo "lint: failed: ${failed[*]}" >&2
    exit 1
fi
