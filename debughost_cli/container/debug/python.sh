# Runs the program given as arguments with attach.py in each Python process under it.
# Before this: port, on which the debugger listens, and program_port, 0 for a program without one.
# The environment of the project and its lock file stay as they are: where it has no debugpy, that is
# put into the package cache, once for each version of Python.
python=$(command -v python || command -v python3)
version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
place=/var/cache/debughost/debugpy/$version
if [ ! -d "$place" ] && ! "$python" -c 'import debugpy' 2>/dev/null; then
    echo "debughost: installing debugpy" >&2
    rm -rf "$place.new"
    if command -v uv >/dev/null; then
        uv pip install -q --python "$python" --target "$place.new" 'debugpy>=1.6,<2' >&2
    else
        "$python" -m pip install -q --target "$place.new" 'debugpy>=1.6,<2' >&2
    fi && mv "$place.new" "$place" ||
        echo "debughost: debugpy could not be installed: nothing can be debugged" >&2
fi
export DEBUGHOST_DEBUG="$port $program_port $place"
export PYTHONPATH="/.debughost/debug${PYTHONPATH:+:$PYTHONPATH}"
command -v "$1" >/dev/null || { echo "debughost: $1: command not found" >&2; exit 127; }
exec "$@"
