# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The script of one pass in the client pod: copying, with what must be looked at before anything is written.

It judges only what must be judged on the spot and whoever is (not) watching: an unmounted or emptied source, files
that this user cannot read, connections that break (tried again with back-off for as long as bytes get through), and
attributes that the destination's file system does not have. What the outcome means is decided in passes.py.
Exit codes are rsync's; from 90 on they are ours (passes.py names them).
"""

from __future__ import annotations

from typing import Final

# pass.sh PASS KIND LIMIT FLAGS GENERATION
PASS: Final = r"""
. "$OPENMIG_SCRIPTS/facts.sh"
name=$1 kind=$2 limit=$3 flags=,$4, generation=$5
dir=$state/passes/$name
child= others=
attempts=0
began=$(now)
extra=
: >"$dir/out"
: >"$dir/errors"

flagged() { case $flags in *",$1,"*) return 0 ;; esac; return 1; }

finish() {
    code=$1 why=$2
    trap '' TERM INT
    [ -z "$others" ] || kill $others 2>/dev/null
    if [ "$code" = 0 ] || { [ "$code" = 24 ] && ! flagged final; }; then : >"$dir/good"; fi
    head -n 20 "$dir/errors" >&2
    {
        printf '{"fact":"done","pass":"%s","kind":"%s","generation":%d' "$name" "$kind" "$generation"
        printf ',"exit":%d,"why":"%s","attempts":%d,"began":%s' "$code" "$why" "$attempts" "$began"
        printf ',"milliseconds":%s' "$(($(now) - began))"
        printf ',"downgrades":"%s"' "$(coded "$state/downgrades" 200)"
        printf ',"error_lines":%d,"errors":"%s"' "$(lines "$dir/errors")" "$(coded "$dir/errors" 5000)"
        printf '%s}\n' "$extra"
    } >"$dir/.outcome"
    cat "$dir/.outcome"
    mv "$dir/.outcome" "$dir/outcome"
    exit 0
}
stopped() {
    [ -z "$child" ] || kill "$child" 2>/dev/null
    finish 20 stopped
}
trap stopped TERM INT

# send OUTPUT ERRORS ARGUMENTS...: rsync to the destination; sets code.
send() {
    out=$1 errors=$2
    shift 2
    rsync --password-file="$password" "$@" >"$out" 2>"$errors.all" &
    child=$!
    wait "$child"
    code=$?
    child=
    clear_errors "$errors"
}

# The same, for dry runs: a broken connection is tried again for half a minute.
steady() {
    for delay in 1 2 4 8 16 0; do
        send "$@"
        case $code in 5 | 10 | 12 | 30 | 35) ;; *) return 0 ;; esac
        [ "$delay" = 0 ] || pause "$delay"
    done
}

# stunnel closes at once on purpose and says so each time; that is no error.
clear_errors() {
    : >"$1"
    while IFS= read -r line; do
        case $line in
        *" LOG"?"["*"TIMEOUTclose exceeded"*) ;;
        *) printf '%s\n' "$line" >>"$1" ;;
        esac
    done <"$1.all"
    rm -f "$1.all"
}

mounted() {
    while read -r _ _ _ _ where _; do
        [ "$where" != "$volume" ] || return 0
    done </proc/self/mountinfo
    return 1
}

downgraded() {
    while IFS= read -r word; do
        [ "$word" != "$1" ] || return 0
    done <"$state/downgrades"
    return 1
}
downgrade() { downgraded "$1" || echo "$1" >>"$state/downgrades"; }

# True when all that failed is attributes that the destination's file system (or this pod) cannot have.
attributes_only() {
    lost=
    while IFS= read -r line; do
        case $line in
        "" | "rsync error: "* | "rsync warning: "* | "2"*" LOG"*) ;;
        *"xattr("*"security."*"Operation not permitted (1)") lost="$lost security-xattrs" ;;
        *xattr*"Operation not supported (95)") lost="$lost xattrs" ;;
        *acl*"Operation not supported (95)" | *ACL*"Operation not supported (95)") lost="$lost acls" ;;
        *) return 1 ;;
        esac
    done <"$1"
    [ -n "$lost" ]
}

[ -e "$state/downgrades" ] || : >"$state/downgrades"
case $kind in
copy) . "$OPENMIG_SCRIPTS/copy.sh" ;;
check) . "$OPENMIG_SCRIPTS/check.sh" ;;
*) finish 1 unknown-kind ;;
esac
"""

# What copying and checking share: whether this user can copy everything as it is, and the arguments that say what is
# copied and how: the profile's options, one in each line of a file, less what was found out to be impossible here.
OPTIONS: Final = r"""
# Whether anything in the list of what is in the way would be copied; the list then holds just that.
any_included() {
    [ -s "$dir/unreadable" ] || return 1
    if excluding; then
        included >"$dir/included"
        sort -z "$dir/unreadable" | comm -z -12 - "$dir/included" >"$dir/unreadable.kept"
        mv "$dir/unreadable.kept" "$dir/unreadable"
    fi
    cut -z -b3- "$dir/unreadable" >"$dir/unreadable.names"
    mv "$dir/unreadable.names" "$dir/unreadable"
    [ -s "$dir/unreadable" ]
}

# Files that a user without root cannot read, NUL-terminated: better known before the first byte than after the last.
# rsync's checksum of such a file is no error but a zero, which could equal another zero.
all_readable() {
    [ "$OPENMIG_PROFILE" != root ] || return 0
    find "$volume" -path "$volume/lost+found" -prune -o \
        \( ! -type l ! -readable -o -type d ! -executable \) -printf './%P\0' >"$dir/unreadable" 2>/dev/null
    any_included || return 0
    extra=$(printf ',"unreadable_count":%d,"unreadable":"%s"' \
        "$(records "$dir/unreadable")" "$(head -c 4000 "$dir/unreadable" | base64 -w0)")
    finish 91 unreadable
}

# A daemon that cannot change its root rewrites links: it cuts what leads out of the volume (a slash in front, more ".."
# than there are folders) and tidies the rest. It would do so to both sides of a comparison, so only this look tells.
links_stay() {
    [ "$OPENMIG_PROFILE" != root ] || return 0
    find "$volume" -path "$volume/lost+found" -prune -o -type l -printf '%d\0%l\0%P\0' 2>/dev/null |
        tr '\n\0' '?\n' | while IFS= read -r depth && IFS= read -r target && IFS= read -r path; do
        while :; do
            case $target in
            ..) depth=$((depth - 1)) target=x ;;
            ../?*) depth=$((depth - 1)) target=${target#../} ;;
            *) break ;;
            esac
        done
        case $target in
        /* | *//* | ./* | */./* | */. | */ | */../* | */..) printf './%s\0' "$path" ;;
        *) [ "$depth" -ge 1 ] || printf './%s\0' "$path" ;;
        esac
    done >"$dir/unreadable"
    any_included || return 0
    extra=$(printf ',"unreadable_count":%d,"unreadable":"%s"' \
        "$(records "$dir/unreadable")" "$(head -c 4000 "$dir/unreadable" | base64 -w0)")
    finish 94 links
}

options() {
    set --
    while IFS= read -r option; do
        set -- "$@" "$option"
    done <"$config/options"
    while IFS= read -r word; do
        case $word in
        acls | xattrs) set -- "$@" "--no-$word" ;;
        fine-times) set -- "$@" --modify-window=0 ;;
        security-xattrs) set -- "$@" "--filter=-x security.*" ;;
        esac
    done <"$state/downgrades"
    if [ -e "$state/sparse" ]; then set -- "$@" --sparse; fi
    "$call" "$@"
}
"""

COPY: Final = r"""
mounted || finish 90 not-mounted
. "$OPENMIG_SCRIPTS/options.sh"

all_readable
links_stay

# An empty source and a filled destination: an unmounted source, unless somebody has emptied it on purpose.
if [ -z "$(find "$volume" -mindepth 1 -maxdepth 1 ! -name lost+found -print -quit)" ]; then
    steady "$dir/out" "$dir/errors" --list-only --dirs --exclude='/lost+found' --timeout=60 "$url"
    [ "$code" = 0 ] || finish "$code" transport
    [ "$(lines "$dir/out")" -le 1 ] || finish 92 empty-source
fi

# Holes and devices change rarely: looked for once in the life of a pod.
if [ ! -e "$state/looked" ]; then
    rm -f "$state/sparse"
    find "$volume" -path "$volume/lost+found" -prune -o -type f -size +127k -printf '%S\n' -o \
        \( -type b -o -type c \) -printf 'device\n' 2>/dev/null |
        while read -r share; do
            case $share in
            device) : >"$state/devices" ;;
            0 | 0.[0-8]* | *e-*) : >"$state/sparse" ;;
            esac
        done
    if [ -e "$state/devices" ]; then downgrade devices; fi
    : >"$state/looked"
fi

# One line of progress every second, for as long as it changes.
watch_progress() {
    trap - TERM INT
    seen=
    while :; do
        sleep 1
        line=$(tail -c 400 "$dir/out" | tr '\r' '\n' | tail -n 1)
        [ "$line" != "$seen" ] || continue
        case $line in
        *[!0-9A-Za-z%./:\#,=\(\)\ -]*) continue ;;
        *%*) ;;
        *) continue ;;
        esac
        seen=$line
        printf '{"fact":"progress","pass":"%s","generation":%d,"attempt":%d,"at":%s,"line":"%s"}\n' \
            "$name" "$generation" "$attempts" "$(now)" "$line" >"$dir/.progress"
        cat "$dir/.progress"
        mv "$dir/.progress" "$dir/progress"
    done
}

push() {
    send "$dir/out" "$dir/errors" "$@" --bwlimit="$limit" --exclude-from="$config/excludes" --timeout=600 \
        --partial $removal --info=progress2,stats2,name0,flist0 --no-human-readable --outbuf=L "$volume/" "$url"
}
full_disk() {
    while IFS= read -r line; do
        case $line in *"(28)" | *"(122)") return 0 ;; esac
    done <"$dir/errors"
    return 1
}
# Bytes that the last attempt got through: the first number of its progress.
got_through() { tail -c 4000 "$dir/out" | tr '\r' '\n' | tail -n 1 | { read -r bytes _ || :; echo "${bytes:-0}"; }; }

printf '{"fact":"began","pass":"%s","generation":%d,"at":%s}\n' "$name" "$generation" "$began"
watch_progress &
others=$!
call=push
budget=$OPENMIG_ATTEMPTS wait=1 logins=3
removal=--delete-delay
while :; do
    attempts=$((attempts + 1))
    options
    # Once more with what is superfluous removed first and nothing written beside: what a failed pass has left may be
    # all that takes the room. Trying a third time would end alike.
    if [ "$code" != 0 ] && full_disk; then
        code=11
        [ "$removal" = --delete-delay ] || break
        removal="--delete-before --inplace"
        continue
    fi
    case $code in
    0 | 24) break ;;
    23)
        attributes_only "$dir/errors" || break
        before=$(lines "$state/downgrades")
        for word in $lost; do downgrade "$word"; done
        [ "$before" -lt "$(lines "$state/downgrades")" ] || break
        continue
        ;;
    5) logins=$((logins - 1)); [ "$logins" -gt 0 ] || break ;;
    10 | 12 | 30 | 35) ;;
    *) break ;;
    esac
    case $(got_through) in
    0 | *[!0-9]*) budget=$((budget - 1)) ;;
    *) budget=$OPENMIG_ATTEMPTS wait=1 logins=3 ;;
    esac
    [ "$budget" -gt 0 ] || break
    printf '{"fact":"retry","pass":"%s","generation":%d,"attempt":%d,"exit":%d,"wait":%d,"errors":"%s"}\n' \
        "$name" "$generation" "$attempts" "$code" "$wait" "$(coded "$dir/errors" 1500)"
    pause "$wait"
    wait=$((wait * 2))
    [ "$wait" -le 30 ] || wait=30
done
tail -c 3000 "$dir/out" >"$dir/stats"
extra=$(printf ',"stats":"%s"' "$(coded "$dir/stats" 3000)")
if [ "$code" = 11 ]; then
    rsync --dry-run --recursive --links --exclude-from="$config/excludes" --stats \
        "$volume/" "$state/empty/" >"$dir/size" 2>/dev/null
    extra="$extra$(printf ',"size":"%s"' "$(coded "$dir/size" 2000)")"
fi
finish "$code" rsync
"""
