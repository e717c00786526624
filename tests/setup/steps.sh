#!/usr/bin/env bash
# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
#
# Runs make targets one after the other, each argument being one (`"integration MARK=sample"`), keeps what each prints below
# .build/logs, and ends with a table: what was run, how it ended, how long it took, and what pytest had to say.
# A target that fails does not keep the next from running; only without a lab nothing is run on it, and that is a failure.

set -uo pipefail
cd "$(dirname "$0")/../.." || exit

logs=.build/logs
rm -rf "$logs"
mkdir -p "$logs"
table=()
status=0
lab=there

row() { table+=("$(printf '%-12s %-8s %5s  %s' "$@")"); }
clock() { printf '%d:%02d' $(($1 / 60)) $(($1 % 60)); }
closing_line() { grep -E '^=+ .* in [0-9.]+s.* =+$' "$1" | tail -n 1; }

for step in "$@"; do
    read -r -a words <<<"$step"
    name=${words[0]}
    if [[ $name =~ ^(integration|peer-velero|molecule)$ && $lab == missing ]]; then
        row "$name" "NOT RUN" - "the lab did not start"
        continue
    fi
    echo
    echo "=== make $step"
    started=$SECONDS
    "${MAKE:-make}" "${words[@]}" </dev/null 2>&1 | tee "$logs/$name.log"
    ended=${PIPESTATUS[0]}
    took=$(clock $((SECONDS - started)))
    if ((ended == 0)); then
        row "$name" ok "$took" "$(closing_line "$logs/$name.log")"
    else
        status=1
        row "$name" FAILED "$took" "$(closing_line "$logs/$name.log")"
        [[ $name != lab-up ]] || lab=missing
    fi
done

echo
printf '%s\n' "${table[@]}"
printf '%-12s %-8s %5s\n' "all" "$( ((status == 0)) && echo ok || echo FAILED)" "$(clock $SECONDS)"
exit $status
