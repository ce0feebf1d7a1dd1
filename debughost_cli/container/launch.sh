#!/bin/sh
# The project's first process under the container's init. It installs the project's dependencies,
# runs the command, and reports its status in the target of one symbolic link, /.debughost/run/state,
# which an engine reads in 2 ms where a file takes 60. The target is a phase, followed by flags that
# are separated by "+":
#   starting, workspace_changed, installing, install_failed, volume_not_writable, command_not_found,
#   after_install, after_install_failed, before_start, before_start_failed or running
#   ready         something listens on the project's port, on an address that is not the loopback;
#                 without a port (0): the command has run for 3 s
#   accepts       while ready: it has accepted a connection
#   ipv6          while ready: all that listens are IPv6 sockets, which may or may not accept IPv4
#   queued        in place of ready: it listens, but leaves connections waiting to be accepted
#   loopback      something listens on the port, but only on the loopback address
#   listens-PORT  while not ready: something listens on another port
#   loopback-PORT while not ready: the same, but only on the loopback address
#   oom           while not ready: a process was killed because the memory limit was reached, and
#                 nothing has begun to listen since
#   term          a SIGTERM was received: the exit that follows was requested
#   ended         the command exited; missing where the whole container was killed
#   old-oom       with "ended": the last process that was killed for memory was killed long before
#   full-shm      with "ended", after a failure: /dev/shm has no room left
#   full-disk     the same of the container's disk or the workspace's
#   deps-HEX      the fingerprint of the installed dependencies
# POSIX shell with cat, ln, mv, rm, sha256sum, sleep and stat, so that it runs in any image with a shell;
# where there is no setsid, a SIGTERM goes to all processes at once.
# The project's user cannot write to $control, only to $run.
# Usage: launch PORT COMMAND [ARGUMENT...]

control=/.debughost
run=$control/run
outer=

# Docker's init sends a SIGTERM to the process group, Podman's to this process alone, which takes no
# note of it while it waits for the command. There an outer launcher does nothing but pass it on to
# the group. Its port has a sign, by which the inner one knows that it is one. No program is looked
# for in PATH, which may begin with a folder of the workspace.
read -r init </proc/1/comm
case $1:$init in
-*) outer=$PPID ;;
*:docker-init | *:tini*) ;;
*)
    trap 'trap "" TERM; kill -TERM 0' TERM
    # In the background 0 is /dev/null, also for a redirection.
    exec 4<&0
    /bin/sh "$0" "-$@" <&4 4<&- &
    while :; do
        wait "$!"
        code=$?
        # It ended, or only the waiting did.
        kill -0 "$!" 2>/dev/null || exit "$code"
    done
    ;;
esac
port=$(printf '%04X' "${1#-}")
shift

# The shell's own messages about a child's exit ("Terminated") are not output of the project.
exec 3>&2 2>/dev/null

report() { echo "debughost: $*" >&3; }

# Replaced by a rename, so that a reader never finds it missing. The watcher may be killed in
# between: its temporary link has a name of its own, and the next one overwrites it.
me=launch
set_state() {
    ln -sf "$1" "$run/state.$me" && mv -f "$run/state.$me" "$run/state"
    # A shell's own read tells that it changed, without a program for each look.
    echo "$1" >"$run/news"
}

# Sets $sockets to the number of TCP sockets of the container. This is cheap; for the tables, the
# kernel iterates over the connections of the whole host, which takes 12 ms of CPU each time.
count_sockets() {
    sockets=
    for table in /proc/net/sockstat /proc/net/sockstat6; do
        while read -r name _ count _; do
            case $name in TCP: | TCP6:) sockets=$sockets,$count ;; esac
        done <"$table"
    done
}

# From the kernel's tables, in which "address:port remote:0000 0A queues" is a listener and 01 in place
# of 0A a connection, sets
#   $found   to no, loopback or all; $family to ipv6 where no listener is of IPv4
#   $queue   to the number of connections that wait to be accepted; $met where there is one at all
#   $others  to the flags of at most eight other listeners
# Read with cat, because a shell's own read takes one system call per byte.
find_listeners() {
    found=no family=ipv6 queue=0 met= others= count=0 local= remote= own=
    for word in $(cat /proc/net/tcp /proc/net/tcp6); do
        [ -z "$own" ] || queue=$((queue + 0x${word#*:})) own=
        case $remote:$word in
        *:0000:0A) add_listener "${local%:*}" "${local#*:}" ;;
        *:01) case $local in *:$port) met=yes ;; esac ;;
        esac
        local=$remote remote=$word
    done
}

# add_listener ADDRESS PORT, as the kernel writes them: 127.0.0.1 is 0100007F. The engine's own name
# server listens on 127.0.0.11.
add_listener() {
    case $1 in
    0B00007F) return ;;
    ??????7F | *FFFF0000??????7F | 00000000000000000000000001000000) where=loopback ;;
    *) where=all ;;
    esac
    if [ "$2" = "$port" ]; then
        [ "$found" = all ] || found=$where
        case $1 in ???????? | *FFFF0000????????) family= ;; esac
        own=yes
    elif [ "$count" -lt 8 ]; then
        count=$((count + 1))
        case $where in
        all) others=$others+listens-$((0x$2)) ;;
        loopback) others=$others+loopback-$((0x$2)) ;;
        esac
    fi
}

# Sets $ooms to the number of processes that were killed because the memory limit was reached.
count_ooms() {
    ooms=0
    for table in /sys/fs/cgroup/memory.events /sys/fs/cgroup/memory/memory.oom_control; do
        while read -r name count; do
            case $name in oom_kill) ooms=$count ;; esac
        done <"$table"
    done
}

# Notes that number in $run/ooms when it has been the same for 10 s: those are not the reason of an
# end that comes later. Sets $killed when the number grows, and forgets it where the program listens on.
watch_ooms() {
    count_ooms
    read -r now _ </proc/uptime
    now=${now%%.*}
    if [ "$ooms" != "$last_ooms" ]; then
        last_ooms=$ooms changed=$now killed=+oom before=none
    elif [ "$ooms" != "$old_ooms" ] && [ $((now - changed)) -ge 10 ]; then
        old_ooms=$ooms
        echo "$ooms" >"$run/ooms"
        [ "$found" != all ] || killed=
    fi
}

# Sets $found to queued where connections wait to be accepted: at once for a program that has accepted
# none yet, such as a reloader whose worker has not started. Later on they may wait for a moment, so
# only where they have not become fewer in three readings.
judge_queue() {
    if [ "$queue" = 0 ]; then
        stuck=0
        [ -z "$met" ] || accepts=+accepts
    elif [ "$queue" -ge "$waiting" ]; then
        stuck=$((stuck + 1))
    else
        stuck=1
    fi
    waiting=$queue
    [ "$queue" = 0 ] || { [ -n "$accepts" ] && [ "$stuck" -lt 4 ]; } || found=queued
}

# Updates the state when a program begins or ceases to listen. Until then, and for the first second
# of listening, it polls often: the number of sockets each time, the tables when that number changed,
# while connections wait, and every 30th time in any case.
watch_port() {
    seen=no before=none tries=0 pause=0.05 queue=0 waiting=0 stuck=0 accepts=
    while :; do
        count_sockets
        watch_ooms
        if [ "$sockets" != "$before" ] || [ "$queue" != 0 ] || [ $((tries % 30)) = 0 ]; then
            find_listeners
            before=$sockets
            [ "$found" != all ] || judge_queue
            case $found in
            all) next=$phase+ready$accepts${family:+"+$family"} ;;
            queued) next=$phase+queued$others$killed ;;
            loopback) next=$phase+loopback$others$killed ;;
            no) next=$phase$others$killed accepts= ;;
            esac
        fi
        if [ "$next" != "$state" ]; then
            state=$next
            set_state "$state"
        fi
        if [ "$found" != "$seen" ]; then
            seen=$found tries=0
            case $seen in all) pause=0.05 killed= ;; *) pause=0.1 ;; esac
        fi
        # A program that never listens or accepts must not cost CPU for long.
        tries=$((tries + 1))
        case $seen:$tries in
        all:20 | queued:300) pause=2 ;;
        queued:50) pause=0.5 ;;
        no:40) pause=0.1 ;;
        no:600 | loopback:600) pause=0.25 ;;
        no:1500 | loopback:1500) pause=1 ;;
        esac
        sleep "$pause" || sleep 1
    done
}

# Sets $parent and $group to those of a process that is alive.
find_parent() {
    IFS= read -r line <"/proc/$1/stat" || return 1
    set -- ${line##*) }
    [ "$1" != Z ] && parent=$2 group=$3
}

# The process that Django's and Werkzeug's reloaders start: they kill it when they receive a SIGTERM,
# but end themselves when it does.
is_reloaded() {
    case $(cat "/proc/$1/environ") in *RUN_MAIN=true*) ;; *) return 1 ;; esac
    case $(cat "/proc/$parent/environ") in *RUN_MAIN=true*) return 1 ;; esac
}

# pnpm passes a signal on to its script and the script's process group, but does not wait for them.
is_pnpm() { case $(cat "/proc/$1/cmdline") in pnpm* | *bin/pnpm*) ;; *) return 1 ;; esac; }

# Sets $first to the processes that have nobody above them but the launcher and the init: the
# command itself, and what is left of those that have ended.
find_first() {
    first=
    for entry in /proc/[0-9]*; do
        pid=${entry#/proc/}
        case $pid in "$$" | "$mine" | "$outer") continue ;; esac
        find_parent "$pid" || continue
        case $parent in 1 | "$$") first="$first $pid" ;; esac
    done
}

# Sends SIGTERM to the program once. npm, watchers and the like pass on what they receive, and many
# programs take a second one as the order to end at once: so it goes to those below only when those
# above have ended.
pass_on() {
    read -r mine _ </proc/self/stat
    sent=' '
    for entry in /proc/[0-9]*; do
        pid=${entry#/proc/}
        find_parent "$pid" || continue
        is_reloaded "$pid" && kill -TERM "$pid" && while find_parent "$pid"; do sleep 0.02; done
        is_pnpm "$parent" || { find_parent "$group" && is_pnpm "$parent"; } && sent="$sent$pid "
    done
    while :; do
        find_first
        for pid in $first; do
            case $sent in *" $pid "*) ;; *) sent="$sent$pid " && kill -TERM "$pid" ;; esac
        done
        sleep 0.02 || sleep 1
    done
}

# A program without a port, such as a worker, is ready when it has run for 3 s.
watch_run() {
    sleep 3
    state=$phase+ready
    set_state "$state"
    while watch_ooms; do sleep 2; done
}

# watch PHASE: runs beside the installation, then beside the command. The init sends a SIGTERM to
# the process group of the launcher, so this records it at once, however long the others take to
# exit, and passes it on to the command where that has a session of its own.
watch() {
    trap 'trap "" TERM; set_state "$state+term"; [ -z "$apart" ] || pass_on; exit 0' TERM
    trap '' HUP INT
    count_ooms
    me=watch phase=$1 state=$1 apart=$2 last_ooms=$ooms old_ooms=0 changed=0 killed= found=
    set_state "$state"
    case $phase:$port in
    running*:0000) watch_run ;;
    running*) watch_port ;;
    esac
    while :; do sleep 86400; done
}

start_watch() {
    watch "$@" 3>&- &
    watcher=$!
}

stop_watch() {
    [ -z "$watcher" ] || kill -KILL "$watcher"
    watcher=
}

# Sets $full to the flags of what has less room left than 1 MiB, and than half its size.
find_full() {
    full=
    for place in shm:/dev/shm disk:/ disk:/app; do
        set -- $(stat -f -c '%a %S %b' "${place#*:}" || echo 1 1048576 1)
        [ $(($1 * $2)) -ge 1048576 ] || [ $(($1 * 2)) -ge "$3" ] || full=$full+full-${place%:*}
    done
}

# end CODE PHASE: writes the last state and exits with the container's exit code.
end() {
    stop_watch
    [ "$1" = 0 ] || [ -n "$stopping" ] || find_full
    set -- "$1" "$2${stopping:+"+term"}$full"
    count_ooms
    [ "$ooms" = 0 ] || [ "$ooms" != "$(cat "$run/ooms")" ] || set -- "$1" "$2+old-oom"
    set_state "$2+ended"
    exit "$1"
}

# Nothing of the project runs before this: what is at /app must be the folder that was checked, not
# another one to which its path has led since.
check_workspace() {
    # Sets device, inode and boot.
    . "$control/workspace"
    read -r now </proc/sys/kernel/random/boot_id
    found=$(stat -c '%d %i' /app)
    # Device numbers may change when the machine starts.
    [ "$now" = "$boot" ] || device=${found% *}
    if [ "$found" != "$device $inode" ]; then
        report "another folder is in the place of the workspace: nothing is started"
        end 1 workspace_changed
    fi
}

fingerprint() {
    { echo "$identity"; for file in $files; do [ -f "$file" ] && sha256sum "$file"; done; } |
        sha256sum | { read -r sum _; printf '%s' "$sum"; }
}

# run_hook NAME: what the project itself wants to have run. Where it fails, nothing else is started.
run_hook() {
    [ -f "$control/$1" ] || return 0
    [ -z "$stopping" ] || end 143 "$1$installed"
    start_watch "$1$installed"
    report "running the hook $1"
    sh "$control/$1" </dev/null 2>&3 3>&-
    failed=$?
    [ -z "$stopping" ] || end 143 "$1$installed"
    if [ "$failed" != 0 ]; then
        report "the hook $1 ended with exit code $failed"
        end "$failed" "$1_failed$installed"
    fi
    stop_watch
}

# Sets $installed to the flag for the installed dependencies.
install_dependencies() {
    # Sets manager, folder, files and identity.
    . "$control/dependencies"
    if [ ! -w "$folder" ]; then
        report "$folder is not writable for user $(id -u)"
        end 1 volume_not_writable
    fi
    expected=$(fingerprint)
    if [ "$(cat "$folder/.debughost")" != "$expected" ]; then
        start_watch installing
        report "installing dependencies with $manager"
        rm -f "$folder/.debughost"
        # Else pip and its like keep what they print until it is 8 KB.
        PYTHONUNBUFFERED=1 sh "$control/install" </dev/null 2>&3 3>&-
        failed=$?
        [ -z "$stopping" ] || end 143 installing
        if [ "$failed" != 0 ]; then
            report "$manager ended with exit code $failed"
            end "$failed" install_failed
        fi
        stop_watch
        run_hook after_install
        # The install may have updated a lock file: its current content counts.
        expected=$(fingerprint)
        printf '%s' "$expected" >"$folder/.debughost"
    fi
    installed=+deps-$expected
}

# After a SIGTERM the command's own children (of sh -c, npm run) may still be shutting down when the
# command itself has exited. The container lives until they have exited, or until the stop timeout.
others_running() {
    mine=$watcher
    find_first
    [ -n "$first" ]
}

stopping= installed= watcher= full=
trap 'stopping=1' TERM

# The project's own PATH may begin with a folder of the workspace.
path=$PATH
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
apart=$(command -v setsid)
set_state starting
rm -f "$run/ooms"
[ ! -f "$control/workspace" ] || check_workspace
# What is gone from an uploaded workspace, as its last upload left it.
[ ! -f "$control/uploaded" ] || [ ! -f /app/.debughost/deleted ] || sh /app/.debughost/deleted
PATH=$path

[ ! -f "$control/dependencies" ] || install_dependencies
run_hook before_start
if ! command -v "$1" >/dev/null; then
    report "$1: command not found"
    end 127 command_not_found
fi
[ -z "$stopping" ] || end 143 "running$installed"
start_watch "running$installed" "$apart"

# npm's news of its own version would be the last words of a program that fails.
export npm_config_update_notifier="${npm_config_update_notifier-false}"
${apart:+"$apart"} "$@" 2>&3 3>&-
code=$?

while [ -n "$stopping" ] && others_running; do sleep 0.02; done
end "$code" "running$installed"
