# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The processes with number 1 of the two transfer pods, and the command by which a pass is asked for.

The client's supervisor serialises all requests through one FIFO, so that "at most once for each pass" and "an older
generation is refused" are decided in one place, in the pod, where the copying happens: a process that has lost its
lease cannot start anything, however late its request arrives. Results are files in the pod (asked for again by any
later process) and lines in its log (cheap to wait on).
"""

from __future__ import annotations

from typing import Final

# A pass that a newer generation asks for under the same name is not stopped: it is what that generation wants too.
CLIENT: Final = r"""
. "$OPENMIG_SCRIPTS/facts.sh"

generation=0
running=
wrapper=

stop_pass() {
    kill -TERM "$(cat "$state/passes/$running/pid")" 2>/dev/null
    wait "$wrapper"
    running=
}
leave() {
    [ -z "$running" ] || kill -TERM "$(cat "$state/passes/$running/pid")" 2>/dev/null
    exit 143
}
trap leave TERM INT

mkdir -p "$state/passes" "$state/answers" "$state/empty"
for file in "$OPENMIG_SECRETS"/*; do
    cp -L "$file" "$OPENMIG_PRIVATE/"
done
rm -f "$state/requests"
mkfifo "$state/requests"
exec 3<>"$state/requests"

login() {
    rsync --password-file="$password" --list-only --dirs --exclude='/*' --timeout=15 \
        "$url" >"$state/login" 2>"$state/login.errors" &
    wait $!
}
told=
tries=0
until login; do
    tries=$((tries + 1))
    cause=$(coded "$state/login.errors" 1500)
    short=$(head -n 3 "$state/login.errors" | cut -d' ' -f4- | head -c 600)
    if [ "$short" != "$told" ] || [ $((tries % 20)) = 0 ]; then
        told=$short
        printf '{"fact":"waiting","tries":%d,"errors":"%s"}\n' "$tries" "$cause"
    fi
    if [ "$tries" -lt 40 ]; then pause 0.15; else pause 1; fi
done
printf '{"fact":"ready","tries":%d}\n' "$tries"

answer() {
    printf '%s\n' "$2" >"$state/answers/.$1"
    mv "$state/answers/.$1" "$state/answers/$1"
}

# Is there a pass at work? It is over as soon as its outcome is written.
at_work() { [ -n "$running" ] && [ ! -e "$state/passes/$running/outcome" ]; }

begin() {
    [ -z "$wrapper" ] || wait "$wrapper"
    rm -rf "$state/passes/$1"
    mkdir "$state/passes/$1"
    echo "$generation" >"$state/passes/$1/generation"
    running=$1
    {
        trap - TERM INT
        sh "$OPENMIG_SCRIPTS/pass.sh" "$1" "$2" "$3" "$4" "$generation" 3>&- &
        echo $! >"$state/passes/$1/pid"
        wait $!
        code=$?
        if [ ! -e "$state/passes/$1/outcome" ]; then
            printf '{"fact":"done","pass":"%s","kind":"%s","generation":%d,"exit":%d,"why":"aborted"}\n' \
                "$1" "$2" "$generation" "$code" >"$state/passes/$1/.outcome"
            cat "$state/passes/$1/.outcome"
            mv "$state/passes/$1/.outcome" "$state/passes/$1/outcome"
        fi
    } &
    wrapper=$!
    while [ ! -e "$state/passes/$1/pid" ]; do pause 0.01; done
}

# id generation pass kind limit flags
take() {
    if [ "$2" -lt "$generation" ]; then
        printf '{"fact":"refused","pass":"%s","generation":%d,"current":%d}\n' "$3" "$2" "$generation"
        answer "$1" "refused $generation"
        return
    fi
    if [ "$2" -gt "$generation" ]; then
        if at_work && [ "$running" != "$3" ]; then
            printf '{"fact":"superseded","pass":"%s","generation":%d}\n' "$running" "$2"
            stop_pass
        fi
        generation=$2
    fi
    past=$state/passes/$3
    if at_work; then
        if [ "$running" = "$3" ]; then answer "$1" accepted; else answer "$1" "busy $running"; fi
    elif [ ! -e "$past/outcome" ]; then
        begin "$3" "$4" "$5" "$6"
        answer "$1" accepted
    elif [ ! -e "$past/good" ] && [ "$(cat "$past/generation")" -lt "$generation" ]; then
        begin "$3" "$4" "$5" "$6"
        answer "$1" accepted
    else
        answer "$1" accepted
    fi
}

while :; do
    IFS=' ' read -r id wanted name kind limit flags <&3 || continue
    take "$id" "$wanted" "$name" "$kind" "$limit" "$flags"
done
"""

# request.sh ID GENERATION PASS KIND LIMIT FLAGS TENTHS: hands a request to the supervisor, waits up to TENTHS of a
# second for the end of the pass, prints its outcome (or the newest progress, or nothing yet).
# Exit 3: refused, an older generation; 4: another pass is at work; 5: the supervisor does not answer.
REQUEST: Final = r"""
set -u
state=$OPENMIG_STATE
for word in "$1" "$2" "$3" "$4" "$5" "$6"; do
    case $word in
    "" | .* | *[!a-zA-Z0-9.,=_-]*) echo "not a word: $word" >&2; exit 2 ;;
    esac
done
case $2$5 in
*[!0-9]*) echo "generation and limit are numbers" >&2; exit 2 ;;
esac
[ -p "$state/requests" ] || exit 5
printf '%s %s %s %s %s %s\n' "$1" "$2" "$3" "$4" "$5" "$6" >"$state/requests"
tenths=100
while [ ! -e "$state/answers/$1" ]; do
    [ "$tenths" -gt 0 ] || exit 5
    sleep 0.02
    tenths=$((tenths - 1))
done
IFS= read -r answer <"$state/answers/$1"
rm -f "$state/answers/$1"
case $answer in
refused*) echo "$answer"; exit 3 ;;
busy*) echo "$answer"; exit 4 ;;
esac
turns=$(($7 * 4))
while [ ! -e "$state/passes/$3/outcome" ] && [ "$turns" -gt 0 ]; do
    sleep 0.025
    turns=$((turns - 1))
done
if [ -e "$state/passes/$3/outcome" ]; then
    cat "$state/passes/$3/outcome"
elif [ -e "$state/passes/$3/progress" ]; then
    cat "$state/passes/$3/progress"
fi
"""

# The server's: rsync's daemon on the loopback, stunnel before it. When one ends, the pod ends and is made anew.
SERVER: Final = r"""
set -u
umask 077
LC_ALL=C
export LC_ALL
daemon=
tunnel=
leave() {
    kill -TERM $daemon $tunnel 2>/dev/null
    exit 143
}
trap leave TERM INT
for file in "$OPENMIG_SECRETS"/*; do
    cp -L "$file" "$OPENMIG_PRIVATE/"
done
umask 022
rsync --daemon --no-detach --config="$OPENMIG_CONFIG/rsyncd.conf" &
daemon=$!
"$(command -v stunnel4 || command -v stunnel)" "$OPENMIG_CONFIG/stunnel.conf" &
tunnel=$!
echo '{"fact":"listening"}'
while kill -0 $daemon 2>/dev/null && kill -0 $tunnel 2>/dev/null; do
    sleep 2 &
    wait $!
done
for pid in $daemon $tunnel; do
    kill -0 "$pid" 2>/dev/null && continue
    wait "$pid"
    printf '{"fact":"ended","tunnel":%d,"exit":%d}\n' "$((pid == tunnel))" $?
done
kill -TERM $daemon $tunnel 2>/dev/null
exit 1
"""
