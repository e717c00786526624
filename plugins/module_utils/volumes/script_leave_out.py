# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a pod that backs a volume up does where parts of it are left out.

What is left out is said in rsync's patterns, and only rsync knows what those mean: it is asked for the names that it
would carry. restic is told of the topmost of the others by name, and the lists that prove a volume hold what is left.
Should restic not understand a name as it was meant, the lists differ, and the volume is not called good.
"""

from __future__ import annotations

from typing import Final

from .script_facts import NAMES

MOST_PATTERNS: Final = 10_000
"""restic compares every name with every pattern."""

LEAVING_OUT: Final = (
    NAMES
    + r"""
separator=$(printf '\1')
newline=$(printf '\2')

# leave_out DIRECTORY: into patterns what restic has to pass over, into included what is carried.
leave_out() {
    mkdir -p "$work/empty"
    (
        cd "$1" && find . -mindepth 1 -path ./lost+found -prune -o \
            -fprintf "$work/all" '%p\0' -type f -fprintf "$work/files" '%p\0'
    ) 2>"$work/unread"
    rsync --dry-run --recursive --links --devices --specials --ignore-times --out-format=%n \
        --exclude-from="$OPENMIG_CONFIG/excludes" "$1/" "$work/empty/" >"$work/names" 2>"$errors" || {
        # Files that go while an application runs do not matter yet.
        [ $? = 24 ] && [ "$OPENMIG_FINAL" = no ] || return 1
    }
    raw_names <"$work/names" | sort -z >"$work/included"
    sort -z -o "$work/all" "$work/all"
    sort -z -o "$work/files" "$work/files"
    comm -z -12 "$work/all" "$work/included" | cut -z -c3- >"$work/carried"
    comm -z -23 "$work/files" "$work/included" >"$work/excluded"
    # With the lowest byte for a slash, a folder is followed by what is in it.
    comm -z -23 "$work/all" "$work/included" | tr '/' '\1' | sort -z | tr '\1\0\n' '/\n\2' | topmost "$1" \
        >"$work/patterns"
}

# topmost DIRECTORY: reads ./names, one in each line; writes patterns of those that are below none of the others.
topmost() {
    top=
    while IFS= read -r name; do
        case $name in "$top"/*) continue ;; esac
        top=$name
        printf '%s' "$1"
        case $name in
        *[[:space:]]) pattern "${name%?}"; printf '[%s]\n' "${name#"${name%?}"}" ;;
        *) pattern "$name"; echo ;;
        esac
    done
}

# pattern NAME: as restic reads lines of patterns, with the wildcards and the variables that it would find taken away.
# The end of a line cannot be said.
pattern() {
    rest=${1#.}
    while :; do
        case $rest in
        *[\\*?\[\$$newline]*)
            before=${rest%%[\\*?\[\$$newline]*}
            rest=${rest#"$before"}
            printf '%s' "$before"
            case $rest in
            '$'*) printf '$$' ;;
            "$newline"*) printf '?' ;;
            *) printf '\\%s' "${rest%"${rest#?}"}" ;;
            esac
            rest=${rest#?}
            ;;
        *) break ;;
        esac
    done
    printf '%s' "$rest"
}
# As entries and sums, of what is included. A file has as many links as are carried.
included_entries() {
    (
        cd "$1" || exit 1
        find -files0-from "$work/carried" -maxdepth 0 -type f -printf '%i\001f %m %U %G\001%s %T@ %p\0' \
            2>>"$errors" | sort -z >"$work/inodes"
        cut -z -d"$separator" -f1 "$work/inodes" | uniq -zc | tr -s ' ' '\1' |
            join -z -t "$separator" -1 3 -2 1 -o 2.2,1.2,2.3 - "$work/inodes" | tr '\1' ' ' >"$work/entries"
        find -files0-from "$work/carried" -maxdepth 0 -type d -printf 'd %m %U %G - - %T@ %p\0' -o \
            -type l -printf 'l - %U %G - - %T@ %p -> %l\0' -o -type p -printf 'p %m %U %G - - %T@ %p\0' \
            2>>"$errors" >>"$work/entries"
    ) || return 1
    sort -z "$work/entries"
}
included_devices() {
    (cd "$1" && find -files0-from "$work/carried" -maxdepth 0 \( -type b -o -type c \) -print -quit 2>/dev/null)
}
included_sums() {
    (
        cd "$1" && comm -z -12 "$work/files" "$work/included" | xargs -0 -r sha256sum -z -- 2>>"$errors" >"$work/sums"
    ) || return 1
    sort -z "$work/sums"
}
"""
)
