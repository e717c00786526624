# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The scripts of the pods that carry volumes through a replication repository with restic: one pod, one job, one end.

A job begins when its pod does and needs nobody who watches. Its end is one JSON line, the pod's termination message,
so it is read with the pod itself, by whichever process comes next. No secret is in an argument or in the environment
that the pod's manifest shows: restic reads its password and the store's keys from files.

What was carried is proven without restic: the source's pod writes a list of every entry (kind, mode, owner, links,
size, time, target) and the SHA-256 of every file, which travels through the repository beside the volume, and the
destination's pod makes the same list of what it has restored. Sockets are in neither: nobody can use one that was
copied.
"""

from __future__ import annotations

from typing import Final

from .script_leave_out import LEAVING_OUT, MOST_PATTERNS

COMMON: Final = r"""
set -u
umask 077
LC_ALL=C
export LC_ALL

work=$OPENMIG_STATE
errors=$work/errors
extra=
: >"$errors"

now() { echo $(($(date +%s%N) / 1000000)); }
began=$(now)
# A file's first bytes ($2) as base64: no file name can break the line that holds it.
coded() { [ ! -e "$1" ] || head -c "$2" "$1" | base64 -w0; }
# The same of what went wrong: where it began and how it ended.
ends() {
    if [ "$(wc -c <"$1")" -le 900 ]; then
        base64 -w0 <"$1"
    else
        { head -c 450 "$1"; echo; tail -c 450 "$1"; } | base64 -w0
    fi
}
lines() { if [ -e "$1" ]; then wc -l <"$1"; else echo 0; fi; }
records() { tr -dc '\0' <"$1" | wc -c; }
# Sleep, but hear signals at once.
pause() { sleep "$1" & wait $!; }
trap 'exit 143' TERM INT

# What a termination message may hold ends at 4096 bytes.
finish() {
    head -n 20 "$errors" >&2
    {
        printf '{"fact":"done","pass":"%s","kind":"%s","generation":0' "$OPENMIG_PASS" "$kind"
        printf ',"exit":%d,"why":"%s","milliseconds":%s' "$1" "$2" "$(($(now) - began))"
        printf ',"error_lines":%d,"errors":"%s"%s}\n' "$(lines "$errors")" "$(ends "$errors")" "$extra"
    } | tee "${OPENMIG_END:-/dev/termination-log}"
    if [ "$1" = 0 ]; then exit 0; else exit 1; fi
}

mounted() {
    while read -r _ _ _ _ where _; do
        [ "$where" != "$1" ] || return 0
    done </proc/self/mountinfo
    return 1
}

# What restic wants in variables alone is given to it here, for everybody who sees the pod sees the pod's.
for each in $OPENMIG_VARIABLES; do
    export "$each=$(cat "$OPENMIG_SECRETS/$each")"
done
# The words are ours and hold neither blanks nor secrets.
opened() { timeout 60 restic $OPENMIG_OPTIONS cat config --no-lock >/dev/null 2>"$errors"; }
# Runs restic; what it complains of is in $errors. Once it has opened the repository restic waits for a store that is
# away, but not while it opens it: that is waited for here, OPENMIG_PATIENCE seconds. One that answers that there is no
# repository is there.
repository() {
    asked=$(now)
    until restic $OPENMIG_OPTIONS "$@" 2>"$errors"; do
        code=$?
        case $(head -c 2000 "$errors") in
        *"not exist"* | *"n't exist"*) return "$code" ;;
        *"Fatal: unable to open"*) ;;
        *) return "$code" ;;
        esac
        [ $(($(now) - asked)) -lt $((${OPENMIG_PATIENCE:-180} * 1000)) ] || return "$code"
        cat "$errors" >&2
        pause 2
    done
}

# Lines of restic's JSON: the summary into a file, what is under way into the log, without the names of files.
follow() {
    while IFS= read -r line; do
        case $line in
        *'"message_type":"summary"'*) printf '%s\n' "$line" >"$1" ;;
        *',"current_files"'*) printf '%s}\n' "${line%%,\"current_files\"*}" ;;
        *'"message_type":"status"'*) printf '%s\n' "$line" ;;
        esac
    done
}

# entries DIRECTORY: every entry but the root, NUL-terminated, sorted.
entries() {
    find "$1" -mindepth 1 -path "$1/lost+found" -prune -o \
        -type f -printf 'f %m %U %G %n %s %T@ %P\0' -o -type d -printf 'd %m %U %G - - %T@ %P\0' -o \
        -type l -printf 'l - %U %G - - %T@ %P -> %l\0' -o -type p -printf 'p %m %U %G - - %T@ %P\0' \
        2>>"$errors" >"$work/entries" || return 1
    sort -z "$work/entries"
}
# The first device node.
devices() { find "$1" -path "$1/lost+found" -prune -o \( -type b -o -type c \) -print -quit 2>/dev/null; }
root_of() { find "$1" -maxdepth 0 -printf 'd %m %U %G - - %T@ .\0'; }
# sums DIRECTORY: the SHA-256 of every file, as sha256sum has it, NUL-terminated, sorted.
sums() {
    (
        cd "$1" && find . -path ./lost+found -prune -o -type f -print0 | xargs -0 -r sha256sum -z -- 2>>"$errors" \
            >"$work/sums"
    ) || return 1
    sort -z "$work/sums"
}
"""

# Opens the repository, or makes it; nobody else of this plan works with it now, so every lock in it is a dead run's.
# On the destination it only looks: that its pods start and reach the store is better known before the downtime.
REPOSITORY: Final = r"""
kind=repository
. "$OPENMIG_SCRIPTS/restic.sh"
: >"$work/ready"
tries=0
until opened; do
    case $(cat "$errors") in *"wrong password"*) finish 1 password ;; esac
    if [ "$OPENMIG_LOOK" = no ] && timeout 60 restic $OPENMIG_OPTIONS init >/dev/null 2>"$errors"; then break; fi
    tries=$((tries + 1))
    [ "$tries" -lt 4 ] || finish 1 unreachable
    cat "$errors" >&2
    pause 2
done
[ "$OPENMIG_LOOK" = no ] || finish 0 seen
repository unlock --remove-all >/dev/null || finish $? unlock
if [ "$OPENMIG_TIDY" = yes ]; then
    repository forget --group-by host --keep-last 1 --prune --quiet >/dev/null || finish $? forget
fi
finish 0 opened
"""

BACKUP: Final = r"""
kind=backup
. "$OPENMIG_SCRIPTS/restic.sh"
volume=$OPENMIG_VOLUME
mounted "$volume" || finish 90 not-mounted
: >"$work/ready"
set -- --exclude "$volume/lost+found"
if [ "$OPENMIG_EXCLUDING" = yes ]; then
    . "$OPENMIG_SCRIPTS/leave_out.sh"
    leave_out "$volume" || finish 91 unreadable
    [ "$(lines "$work/patterns")" -le __MOST__ ] || finish 97 "$(lines "$work/patterns")"
    set -- "$@" --exclude-file "$work/patterns"
    devices() { included_devices "$1"; }
fi
device=$(devices "$volume")
[ -z "$device" ] || { printf '%s\n' "$device" >"$errors"; finish 95 device; }
if [ "$OPENMIG_FORCE" = yes ]; then set -- "$@" --force; fi
{
    repository backup --json --host "$OPENMIG_HOST" --tag "$OPENMIG_TAG" "$@" "$volume"
    echo $? >"$work/code"
} | follow "$work/summary"
code=$(cat "$work/code")
extra=$(printf ',"summary":"%s"' "$(coded "$work/summary" 600)")
[ "$code" = 0 ] || finish "$code" restic
[ "$OPENMIG_FINAL" = yes ] || finish 0 backed-up

if [ "$OPENMIG_EXCLUDING" = yes ]; then
    included_entries "$volume" >"$work/list" || finish 91 unreadable
    included_sums "$volume" >"$work/hashes" || finish 91 unreadable
    extra="$extra$(printf ',"excluded":%d' "$(records "$work/excluded")")"
else
    entries "$volume" >"$work/list" || finish 91 unreadable
    sums "$volume" >"$work/hashes" || finish 91 unreadable
fi
count=$(records "$work/list")
{ root_of "$volume"; cat "$work/list" "$work/hashes"; } >"$work/manifest"
{
    repository backup --json --host "$OPENMIG_HOST.manifest" --tag "$OPENMIG_TAG" \
        --stdin --stdin-filename manifest <"$work/manifest"
    echo $? >"$work/code"
} | follow "$work/second"
code=$(cat "$work/code")
extra="$extra$(printf ',"entries":%d,"files":%d,"manifest":"%s"' \
    "$count" "$(records "$work/hashes")" "$(coded "$work/second" 600)")"
finish "$code" backed-up
""".replace("__MOST__", str(MOST_PATTERNS))

RESTORE: Final = r"""
kind=restore
. "$OPENMIG_SCRIPTS/restic.sh"
volume=$OPENMIG_VOLUME
mounted "$volume" || finish 90 not-mounted
: >"$work/ready"
# This restic writes every file anew in any case, so what an earlier pass has left only stands in the way.
find "$volume" -mindepth 1 -maxdepth 1 ! -name lost+found -exec rm -rf -- '{}' + 2>"$errors" || finish 96 not-emptied

set -- restore "$OPENMIG_SNAPSHOT" --target "${volume%/volume}"
# Without root the volume's root directory belongs to somebody else.
[ "$OPENMIG_PROFILE" = root ] || set -- "$@" --include '/volume/*'
[ -n "$OPENMIG_MANIFEST" ] || set -- "$@" --verify
repository "$@" >"$work/out" || finish $? restic
[ -n "$OPENMIG_MANIFEST" ] || finish 0 restored

repository dump "$OPENMIG_MANIFEST" /manifest >"$work/manifest" || finish $? manifest
# The first record is the root's, then come the entries, then the sums. Owners are root's to give.
if [ "$OPENMIG_PROFILE" = root ]; then comparable() { cat; }; else comparable() { cut -z -d' ' -f1,2,5- | sort -z; }; fi
names() { if [ "$OPENMIG_PROFILE" = root ]; then cut -z -d' ' -f8-; else cut -z -d' ' -f6-; fi; }
head -z -n $((OPENMIG_ENTRIES + 1)) "$work/manifest" | tail -z -n +2 | comparable >"$work/list.there"
tail -z -n +$((OPENMIG_ENTRIES + 2)) "$work/manifest" >"$work/sums.there"
entries "$volume" | comparable >"$work/list.here"
sums "$volume" >"$work/sums.here" || finish 91 unreadable
if [ "$OPENMIG_PROFILE" = root ]; then
    head -z -n 1 "$work/manifest" >>"$work/list.there"
    root_of "$volume" >>"$work/list.here"
    for side in there here; do
        sort -z -o "$work/list.$side" "$work/list.$side"
    done
fi

unlike() { comm -z -23 "$1.there" "$1.here"; comm -z -13 "$1.there" "$1.here"; }
unlike "$work/list" | names | sort -zu | tr '\0\n' '\n?' >"$work/unlike"
unlike "$work/sums" | cut -z -b69- | sort -zu | tr '\0\n' '\n?' >"$work/content"
extra=$(
    printf ',"content_count":%d,"content":"%s"' "$(lines "$work/content")" "$(coded "$work/content" 700)"
    printf ',"unlike_count":%d,"unlike":"%s"' "$(lines "$work/unlike")" "$(coded "$work/unlike" 700)"
)
[ ! -s "$work/unlike" ] && [ ! -s "$work/content" ] || finish 93 differs
finish 0 proven
"""

RESTIC_SCRIPTS: Final[dict[str, str]] = {
    "restic.sh": COMMON.lstrip(),
    "leave_out.sh": LEAVING_OUT.lstrip(),
    "repository.sh": REPOSITORY.lstrip(),
    "backup.sh": BACKUP.lstrip(),
    "restore.sh": RESTORE.lstrip(),
}
