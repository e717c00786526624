#!/usr/bin/env bash
# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
#
# Installs what tests, demo and lab need of Debian, and says what and why. Does nothing, at once, when all is there.

set -euo pipefail
export PATH="$PATH:/usr/sbin:/sbin"

# package | what shows that it is there: programs, or files (from /) | why
needs='
ca-certificates            | /etc/ssl/certs/ca-certificates.crt             | checks the package indexes that everything else comes from
git                        | git                                            | knows which files belong to the collection
make                       | make                                           | runs the targets of the Makefile
python3                    | python3                                        | runs Ansible, the tests and the lab
python3-venv               |  /usr/share/doc/python3-venv| makes the virtual environment
openssl                    | openssl                                        | signs the certificates of the lab and of the tests
containerd                 | containerd ctr                                 | runs the pods of the clusters
runc                       | runc                                           | starts their containers
containernetworking-plugins | /usr/lib/cni/bridge /usr/lib/cni/portmap      | connects the pods
iproute2                   | ip                                             | makes the bridge and one network namespace per cluster
iptables                   | iptables                                       | carries services and node ports
util-linux                 | nsenter losetup                                | enters namespaces, makes loop devices
mount                      | mount umount                                   | mounts the volumes
e2fsprogs                  | mkfs.ext4                                      | makes the file systems of the volumes
rsync                      | rsync                                          | is what the movers run; their scripts are tested with it here, too
stunnel4                   | stunnel                                        | the same
buildah                    | buildah                                        | builds images from their Containerfiles
mmdebstrap                 | mmdebstrap                                     | makes the Debian that the images are taken from
'

present() {
    local mark
    for mark in $1; do
        case $mark in
        /*) [[ -e $mark ]] || return 1 ;;
        *) command -v "$mark" >/dev/null || return 1 ;;
        esac
    done
}

missing=()
reasons=()
while read -r package _ marks; do
    why=${marks##*|}
    marks=${marks%|*}
    [[ -n $package ]] || continue
    if ! present "$marks"; then
        missing+=("$package")
        reasons+=("$(printf '  %-27s%s' "$package" "$why")")
    fi
done <<<"$needs"

if ((${#missing[@]} == 0)); then
    exit 0
fi

echo "System packages that are missing here:"
printf '%s\n' "${reasons[@]}"
if ! command -v apt-get >/dev/null; then
    echo "This is no Debian: install what corresponds to them, then go on." >&2
    exit 1
fi
if ((EUID != 0)); then
    echo "Run this as root: apt-get install --no-install-recommends ${missing[*]}" >&2
    exit 1
fi

# Nothing that gets installed here is to be started as a service: the lab starts its own.
policy=/usr/sbin/policy-rc.d
if [[ ! -e $policy ]]; then
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod 755 "$policy"
    trap 'rm -f "$policy"' EXIT
fi
export DEBIAN_FRONTEND=noninteractive
apt-get update -q
apt-get install -q -y --no-install-recommends "${missing[@]}"
