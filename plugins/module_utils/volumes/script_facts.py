# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Shell functions that every script of a transfer pod uses: how a fact is told and how a remote side is called.

The image brings no program of ours: the scripts travel as constants in a ConfigMap. They are POSIX sh (dash) with
coreutils and findutils only. A fact is one JSON line on standard output whose values are numbers, fixed words or
base64, so that no file name can break it; people read the same errors in clear on standard error.
No secret is in an argument or in the environment: rsync reads its password from a file and starts stunnel itself
(RSYNC_CONNECT_PROG), one TLS session for each connection, so that there is no local port that others could use.
"""

from __future__ import annotations

from typing import Final

_FACTS: Final = r"""
set -u
umask 077
LC_ALL=C
export LC_ALL

state=$OPENMIG_STATE
config=$OPENMIG_CONFIG
volume=$OPENMIG_VOLUME
password=$OPENMIG_PRIVATE/password
url="rsync://$OPENMIG_MODULE@destination/$OPENMIG_MODULE/"

stunnel=$(command -v stunnel4 || command -v stunnel)
RSYNC_CONNECT_PROG="exec $stunnel $config/stunnel.conf"
export RSYNC_CONNECT_PROG

# Milliseconds since the epoch.
now() { echo $(($(date +%s%N) / 1000000)); }

# A file's first bytes ($2) as base64; its last ones too when it is longer.
coded() {
    if [ ! -s "$1" ]; then
        return 0
    elif [ "$(wc -c <"$1")" -le "$2" ]; then
        base64 -w0 <"$1"
    else
        { head -c "$2" "$1"; echo; tail -c 600 "$1"; } | base64 -w0
    fi
}

lines() { if [ -e "$1" ]; then wc -l <"$1"; else echo 0; fi; }
records() { tr -dc '\0' <"$1" | wc -c; }

# Everything that is copied, as ./name, sorted: only rsync knows what its own exclude patterns mean.
included() {
    rsync --dry-run --recursive --links --devices --specials --ignore-times --out-format=%n \
        --exclude-from="$config/excludes" "$volume/" "$state/empty/" 2>/dev/null | raw_names | sort -z
}
# Whether anything but the file system's own folder is left out.
excluding() { [ "$(lines "$config/excludes")" -gt 1 ]; }

# Sleep, but hear signals at once.
pause() { sleep "$1" & wait $!; }
"""

NAMES: Final = r"""
# rsync writes a byte that cannot be printed as \#ooo and a slash after a folder's name. Reads such names, one a line,
# writes ./name NUL-terminated.
raw_names() {
    while IFS= read -r rest; do
        rest=${rest%/}
        printf './'
        while :; do
            case $rest in
            *\\#[0-3][0-7][0-7]*)
                before=${rest%%\\#[0-3][0-7][0-7]*}
                rest=${rest#"$before"\\#}
                after=${rest#???}
                printf '%s' "$before"
                printf "\\${rest%"$after"}"
                rest=$after
                ;;
            *) break ;;
            esac
        done
        printf '%s\0' "$rest"
    done
}
"""
FACTS: Final = _FACTS + NAMES
