#!/bin/sh
# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
#
# Collects a small root file system out of a Debian one.
#
#   collect-rootfs.sh DEFINITION TARGET
#
# DEFINITION is a directory with three lists:
#   packages  Debian packages to install where they are missing
#   files     what to keep: a path or pattern, or @PACKAGE for all programs of
#             a package; a leading "-" takes away
#   accounts  lines of passwd(5)
# The libraries that kept programs and modules link to are kept as well.
set -eu

definition=$1
target=$2

entries() { sed -e 's/#.*//' -e '/^[[:space:]]*$/d' "$definition/$1"; }

missing=
for package in $(entries packages); do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing="$missing $package"
done
if [ -n "$missing" ]; then
    apt-get update -q
    # shellcheck disable=SC2086 # a list of words
    DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends $missing
fi

# A merged /usr: /bin, /sbin and /lib are links, as in Debian itself.
mkdir -p "$target/usr/bin" "$target/usr/sbin" "$target/usr/lib" "$target/etc" "$target/tmp" "$target/run" \
    "$target/proc" "$target/sys" "$target/dev" "$target/var" "$target/home"
chmod 1777 "$target/tmp"
for directory in bin sbin lib lib64; do
    if [ -e "/usr/$directory" ]; then
        mkdir -p "$target/usr/$directory"
        ln -sfn "usr/$directory" "$target/$directory"
    fi
done
ln -sfn ../run "$target/var/run"
ln -sfn ../tmp "$target/var/tmp"

# The path where a file really is when /bin and /lib are links.
placed() {
    case $1 in
    /bin/* | /sbin/* | /lib/* | /lib64/*) printf '/usr%s\n' "$1" ;;
    *) printf '%s\n' "$1" ;;
    esac
}

keep() {
    kept=$(placed "$1")
    [ -e "$target$kept" ] && [ ! -d "$target$kept" ] && return 0
    mkdir -p "$target$(dirname "$kept")"
    cp -a "$kept" "$target$(dirname "$kept")/"
    if [ -L "$kept" ]; then
        keep "$(readlink -f "$kept")"
    fi
}

for entry in $(entries files); do
    case $entry in
    -*) continue ;;
    @*)
        for file in $(dpkg-query -L "${entry#@}" | grep -E '^(/usr)?/s?bin/'); do
            keep "$file"
        done
        ;;
    *)
        for file in $entry; do
            keep "$file"
        done
        ;;
    esac
done
for entry in $(entries files); do
    case $entry in
    -*) for file in "$target"${entry#-}; do rm -rf "$file"; done ;;
    esac
done

find "$target" -type f \( -perm -u+x -o -name '*.so*' \) -exec sh -c '
    for file; do ldd "$file" 2>/dev/null || :; done' sh {} + |
    sed -n -e 's/.*=> \(\/[^ ]*\) .*/\1/p' -e 's/^[[:space:]]*\(\/[^ ]*ld-linux[^ ]*\) .*/\1/p' |
    sort -u |
    while read -r library; do
        keep "$library"
    done

entries accounts > "$target/etc/passwd"
entries accounts | awk -F: '{ print $1 ":x:" $4 ":" }' > "$target/etc/group"
entries accounts | while IFS=: read -r _ _ uid gid _ home _; do
    [ "$uid" = 0 ] && continue
    mkdir -p "$target$home"
    chown "$uid:$gid" "$target$home"
done
du -sh "$target"
