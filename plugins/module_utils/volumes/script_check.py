# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The script that proves a volume: what the source holds is what the destination holds, told by rsync itself.

Content: rsync's checksum dry run names what would be sent. Run while the application still works (flag ``prove``) it
covers everything and leaves two lists in the pod: what the source looked like just before (inode, size, mtime, ctime
of each file) and which files it does not vouch for. After the last pass only what is new in the first list, or is in
the second, need be read. Not vouched for are the files that differed and those that had changed just before: two
writes within one clock tick look like one, and a page that is dirty can be written through a mapping without a new
time stamp until the kernel has written it back. On local disks a sync before the look sees to that; elsewhere a minute
must have passed (the kernel takes 30 s by default); in memory it never happens.
Everything else: a metadata dry run over the whole tree must have nothing to do, and both sides count the same files
and bytes. With the flag ``glance`` that is all, and no content is read.
Where all of that is alike and only contents differ, the last pass has taken files for equal by size and time: they are
copied once more with checksums and checked again; the outcome says how many there were.
"""

from __future__ import annotations

from typing import Final

UNSETTLED_SECONDS: Final = 60
TICK_SECONDS: Final = 2

CHECK: Final = r"""
mounted || finish 90 not-mounted
. "$OPENMIG_SCRIPTS/options.sh"
all_readable
links_stay

# Have what was written through mappings on the disk, so that the next write to it sets new times.
settle() {
    case $(stat -f -c %T "$volume") in
    ext2/ext3 | xfs | btrfs | f2fs)
        before=$(date +%s)
        if sync -f "$volume" 2>/dev/null; then since=$((before - __TICK__)); fi
        ;;
    tmpfs | ramfs) since=0 ;;
    esac
}

# What the source looks like now: NUL-terminated "inode size mtime ctime ./name", sorted; and what changed lately.
look() {
    since=$(($(date +%s) - __UNSETTLED__))
    if flagged prove; then settle; fi
    (
        cd "$volume" && find . -path ./lost+found -prune -o -type f \
            -fprintf "$dir/looked" '%i %s %T@ %C@ %p\0' -newerct "@$since" -fprintf "$dir/lately" '%p\0'
    ) 2>"$dir/errors.look" || bad_look=23
    # Folders that are excluded need not be readable; rsync's own look at all others says whether they are.
    if excluding; then bad_look=0; else cat "$dir/errors.look" >>"$dir/errors"; fi
    sort -z "$dir/looked" >"$dir/manifest"
    rm -f "$dir/looked"
    if excluding; then
        included >"$dir/included"
        names <"$dir/manifest" | comm -z -23 - "$dir/included" >"$dir/excluded"
        excluded=$(records "$dir/excluded")
    fi
}
names() { cut -z -d' ' -f5- | sort -z; }
only_included() {
    if [ -e "$dir/included" ]; then comm -z -12 - "$dir/included"; else cat; fi
}

# compare LIST RESULT: the lines of rsync's dry run for files whose content differs (or is missing) over there.
compare() {
    : >"$2"
    [ -s "$1" ] || return 0
    steady "$dir/out" "$dir/errors.content" --dry-run --checksum --itemize-changes --out-format='%i %n' \
        --from0 --files-from="$1" --no-implied-dirs --timeout=0 "$volume/" "$url"
    cat "$dir/errors.content" >>"$dir/errors"
    [ "$code" = 0 ] || bad=$code
    while IFS= read -r line; do
        case $line in "<f"*) printf '%s\n' "${line#????????????}" ;; esac
    done <"$dir/out" >"$2"
}

# Dry run over the whole tree without reading contents: lines for whatever is not alike, then rsync's statistics.
alike() {
    steady "$dir/alike" "$dir/errors.alike" "$@" --dry-run --itemize-changes --delete --out-format='%i %n%L' --stats \
        --no-human-readable --exclude-from="$config/excludes" --timeout=0 "$volume/" "$url"
    cat "$dir/errors.alike" >>"$dir/errors"
    [ "$code" = 0 ] || bad=$code
    while IFS= read -r line; do
        case $line in [\<\>ch.*][fdLDSe]*) printf '%s\n' "$line" ;; esac
    done <"$dir/alike" >"$dir/unlike"
}

# A file system that keeps whole seconds makes the time of every file that has a fraction differ, and nothing else.
only_times() {
    different=0
    while IFS= read -r line; do
        case $line in
        [.\<]f..t......" "*) different=$((different + 1)) ;;
        [.c][dLS]..[tT]......" "*) ;;
        *) return 1 ;;
        esac
    done <"$dir/unlike"
    fractions=$(cut -z -d' ' -f3 "$dir/manifest" | tr '\0' '\n' | {
        count=0
        while IFS= read -r time; do
            case $time in *.0000000000) ;; *) count=$((count + 1)) ;; esac
        done
        echo $count
    })
    [ "$different" -gt 0 ] && [ "$different" = "$fractions" ]
}

# Copies what differs by content alone, then what that has done to the times of folders.
mend() {
    steady "$dir/out" "$dir/errors.mend" "$@" --checksum --from0 --files-from="$dir/differing" --no-implied-dirs \
        --timeout=0 "$volume/" "$url"
    cat "$dir/errors.mend" >>"$dir/errors"
    [ "$code" = 0 ] || bad=$code
    steady "$dir/out" "$dir/errors.mend" "$@" --exclude-from="$config/excludes" --timeout=0 "$volume/" "$url"
    cat "$dir/errors.mend" >>"$dir/errors"
    [ "$code" = 0 ] || bad=$code
}

bad=0 bad_look=0 mended=0 checked=0 total=0 content=0 excluded=0
attempts=1
: >"$dir/unlike"

# The destination's own count, over a second connection, while the source is looked at.
count_there() {
    set -- --dry-run --recursive --links --devices --specials --stats --no-human-readable \
        --exclude-from="$config/excludes" --timeout=0 "$url" "$state/empty/"
    if [ -z "$others" ]; then
        rsync --password-file="$password" "$@" >"$dir/there" 2>/dev/null &
        others=$!
    elif ! wait "$others"; then
        others=
        steady "$dir/there" "$dir/errors.there" "$@"
        cat "$dir/errors.there" >>"$dir/errors"
        [ "$code" = 0 ] || bad=$code
    else
        others=
    fi
}

# Entries by kind and bytes, from rsync's statistics. Devices are listed but never copied.
counts() {
    while IFS= read -r line; do
        case $line in
        "Total file size: "*) echo "$line" ;;
        "Number of files: "*"("*)
            set -- ${line#*\(}
            while [ $# -gt 1 ]; do
                [ "$1" = dev: ] || echo "$1 ${2%[,)]}"
                shift 2
            done
            ;;
        esac
    done <"$1"
}

# Both sides count differently although rsync would do nothing: put down which entries, by listing both.
name_the_difference() {
    [ "$(counts "$dir/stats")" != "$(counts "$dir/there")" ] || return 0
    set -- --list-only --recursive --links --no-human-readable --exclude-from="$config/excludes" --timeout=0
    steady "$dir/out" "$dir/errors.list" "$@" "$url"
    sort "$dir/out" >"$dir/list.there"
    rsync "$@" "$volume/" 2>/dev/null | sort >"$dir/list.here"
    comm -3 "$dir/list.here" "$dir/list.there" | while read -r _ _ _ _ line; do
        printf '%s\n' "${line%% -> *}"
    done | sort -u >"$dir/unlike"
}

flagged prove || count_there
look
if flagged glance; then
    : >"$dir/todo"
elif flagged full || [ ! -e "$state/proven" ]; then
    names <"$dir/manifest" | only_included >"$dir/todo"
else
    names <"$dir/manifest" >"$dir/now"
    {
        comm -z -13 "$state/proven" "$dir/manifest" | names
        comm -z -12 "$state/unproven" "$dir/now"
    } | sort -zu | only_included >"$dir/todo"
fi
checked=$(records "$dir/todo")
total=$(($(records "$dir/manifest") - excluded))

# Errors of a run over what an application works on: that files have gone says nothing of those that are there.
only_gone() {
    while IFS= read -r line; do
        case $line in
        *"No such file or directory (2)" | *"has vanished: "* | "find: "* | "") ;;
        "rsync error: "* | "rsync warning: "*) ;;
        *) return 1 ;;
        esac
    done <"$dir/errors"
}

compare "$dir/todo" "$dir/content"
content=$(lines "$dir/content")
if flagged prove; then
    case $bad in 23 | 24) if only_gone; then bad=0; fi ;; esac
    if [ "$bad" = 0 ]; then
        raw_names <"$dir/content" | cat - "$dir/lately" | sort -zu >"$state/unproven"
        mv "$dir/manifest" "$state/proven"
    fi
else
    call=alike
    options
    if [ "$bad" = 0 ] && [ -s "$dir/unlike" ] && only_times; then
        downgrade fine-times
        options
    fi
    if [ "$content" -gt 0 ] && [ "$bad" = 0 ] && [ ! -s "$dir/unlike" ]; then
        raw_names <"$dir/content" >"$dir/differing"
        call=mend
        options
        if [ "$bad" = 0 ]; then
            mended=$content
            compare "$dir/differing" "$dir/content"
            content=$(lines "$dir/content")
            call=alike
            options
        fi
    fi
    count_there
    [ "$bad_look" = 0 ] || bad=$bad_look
fi
tail -c 2000 "$dir/alike" >"$dir/stats" 2>/dev/null || : >"$dir/stats"
[ -e "$dir/there" ] || : >"$dir/there"
if [ "$bad" = 0 ] && ! flagged prove && [ ! -s "$dir/unlike" ]; then name_the_difference; fi
unlike=$(lines "$dir/unlike")
extra=$(
    printf ',"total":%d,"excluded":%d,"checked":%d,"mended":%d,"content_count":%d,"content":"%s"' \
        "$total" "$excluded" "$checked" "$mended" "$content" "$(coded "$dir/content" 3000)"
    printf ',"unlike_count":%d,"unlike":"%s"' "$unlike" "$(coded "$dir/unlike" 3000)"
    printf ',"stats":"%s","there":"%s"' "$(coded "$dir/stats" 2000)" "$(coded "$dir/there" 2000)"
)
if [ "$bad" = 0 ] && ! flagged prove && [ $((content + unlike)) -gt 0 ]; then bad=93; fi
finish "$bad" checked
""".replace("__UNSETTLED__", str(UNSETTLED_SECONDS)).replace("__TICK__", str(TICK_SECONDS))
