#!/bin/sh
# The project's first process under the container's init. It installs what the project depends on,
# runs the command, and tells the outside how things stand in the target of one symbolic link,
# /.debughost/state, which an engine reads in 2 ms where a file takes 60. The target is a list of
# words between "+":
#   starting, installing, install_failed, volume_not_writable, command_not_found or running
#   ready         something listens on the project's port for others than the container itself
#   loopback      something listens on it, but for the container alone
#   term          a SIGTERM came: the end that follows was asked for
#   ended         it ended in here; what went down with its machine has no such word
#   deps-HEX      the fingerprint of what is installed
# POSIX shell with cat, ln, mv, sleep and sha256sum, so that it runs in any image with a shell.
# Usage: launch PORT COMMAND [ARGUMENT...]

control=/.debughost
port=$(printf '%04X' "$1")
shift

# The shell's own remarks on a child's end ("Terminated") are no output of the project.
exec 3>&2 2>/dev/null

say() { echo "debughost: $*" >&3; }

# Renamed into its place, so that a reader never finds it missing. The watcher may be killed in the
# middle of it: it has a name of its own, and what is left over is overwritten.
me=launch
tell() { ln -sf "$1" "$control/state.$me" && mv -f "$control/state.$me" "$control/state"; }

# Sets $sockets to how many TCP sockets the container has. Cheap, where reading the tables makes the
# kernel go through the connections of the whole machine, 12 ms of CPU a look.
count_sockets() {
    sockets=
    for table in /proc/net/sockstat /proc/net/sockstat6; do
        while read -r name _ count _; do
            case $name in TCP: | TCP6:) sockets=$sockets,$count ;; esac
        done <"$table"
    done
}

# Sets $found to no, loopback or all, from the kernel's tables: "address:port remote:0000 0A" is a
# listener. Read at once, for a shell takes a system call a byte.
find_listener() {
    table=$(cat /proc/net/tcp /proc/net/tcp6)
    any4=00000000 any6=00000000000000000000000000000000
    case $table in
    *" $any4:$port $any4:0000 0A "* | *" $any6:$port $any6:0000 0A "*) found=all ;;
    *" 0100007F:$port $any4:0000 0A "* | *"01000000:$port $any6:0000 0A "*) found=loopback ;;
    *":$port $any4:0000 0A "* | *":$port $any6:0000 0A "*) found=all ;;
    *) found=no ;;
    esac
}

# Tells when somebody begins or ceases to listen. Looks closely while nobody does: at the sockets'
# number each time, and at the tables when it changed, or once in a while all the same.
watch_port() {
    seen=no before=none tries=0 pause=0.1
    while :; do
        count_sockets
        if [ "$sockets" != "$before" ] || [ $((tries % 30)) = 0 ]; then
            find_listener
            before=$sockets
        fi
        if [ "$found" != "$seen" ]; then
            case $found in
            all) told=$words+ready ;;
            loopback) told=$words+loopback ;;
            no) told=$words ;;
            esac
            tell "$told"
            seen=$found tries=0
            case $seen in all) pause=2 ;; *) pause=0.1 ;; esac
        fi
        # A start is watched closely; a program that never listens must cost next to nothing.
        tries=$((tries + 1))
        case $seen:$tries in no:600) pause=0.25 ;; no:1500) pause=1 ;; esac
        sleep "$pause" || sleep 1
    done
}

# Runs beside the installation and then beside the command, whose words it is given. The init sends
# a SIGTERM to the whole process group, so this notices it at once, however long they take to end.
watch() {
    trap 'tell "$told+term"; exit 0' TERM
    trap '' HUP INT
    me=watch words=$1 told=$1
    tell "$told"
    case $words in running*) watch_port ;; esac
    while :; do sleep 86400; done
}

start_watch() {
    watch "$1" 3>&- &
    watcher=$!
}

stop_watch() {
    [ -z "$watcher" ] || kill -KILL "$watcher"
    watcher=
}

# end CODE WORDS: the last words, then the container's exit code.
end() {
    stop_watch
    [ -z "$stopping" ] || set -- "$1" "$2+term"
    tell "$2+ended"
    exit "$1"
}

fingerprint() {
    { echo "$identity"; for file in $files; do [ -f "$file" ] && sha256sum "$file"; done; } |
        sha256sum | { read -r sum _; printf '%s' "$sum"; }
}

# Sets $installed to the word for what is installed.
install_dependencies() {
    # Sets manager, folder, files and identity.
    . "$control/dependencies"
    if [ ! -w "$folder" ]; then
        say "$folder is not writable for user $(id -u)"
        end 1 volume_not_writable
    fi
    wanted=$(fingerprint)
    if [ "$(cat "$folder/.debughost")" != "$wanted" ]; then
        start_watch installing
        say "installing dependencies with $manager"
        rm -f "$folder/.debughost"
        sh "$control/install" 2>&3 3>&-
        failed=$?
        [ -z "$stopping" ] || end 143 installing
        if [ "$failed" != 0 ]; then
            say "$manager ended with exit code $failed"
            end "$failed" install_failed
        fi
        # The install may have brought a lock file up to date: what counts is what is there now.
        wanted=$(fingerprint)
        printf '%s' "$wanted" >"$folder/.debughost"
        stop_watch
    fi
    installed=+deps-$wanted
}

# After a SIGTERM the command's own children (sh -c, npm run) may still be saying goodbye when it
# has ended itself. The container lives until they are done, or until the engine's grace is over.
others_running() {
    for entry in /proc/[0-9]*; do
        IFS= read -r line <"$entry/stat" || continue
        pid=${line%% *}
        set -- ${line##*) }
        [ "$3" = "$$" ] && [ "$1" != Z ] && [ "$pid" != "$$" ] && return 0
    done
    return 1
}

stopping= installed= watcher=
trap 'stopping=1' TERM
tell starting

[ ! -f "$control/dependencies" ] || install_dependencies
if ! command -v "$1" >/dev/null; then
    say "$1: command not found"
    end 127 command_not_found
fi
[ -z "$stopping" ] || end 143 "running$installed"
start_watch "running$installed"

"$@" 2>&3 3>&-
code=$?

while [ -n "$stopping" ] && others_running; do sleep 0.02; done
end "$code" "running$installed"
