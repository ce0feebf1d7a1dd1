# Runs the program given as arguments with attach.cjs in each Node.js process under it.
# Before this: port, on which the debugger listens, and program_port, 0 for a program without one.
export DEBUGHOST_DEBUG="$port $program_port"
export NODE_OPTIONS="--require=/.debughost/debug/attach.cjs${NODE_OPTIONS:+ $NODE_OPTIONS}"
command -v "$1" >/dev/null || { echo "debughost: $1: command not found" >&2; exit 127; }
exec "$@"
