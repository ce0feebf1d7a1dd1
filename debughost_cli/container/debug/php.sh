# Runs the program given as arguments with Xdebug, which connects to port of the engine's machine.
php -m 2>/dev/null | grep -qix xdebug ||
    echo "debughost: this image has no Xdebug: nothing can be debugged" >&2
# Off is what commands run by hand, and the install, have.
[ "${XDEBUG_MODE:-off}" != off ] || export XDEBUG_MODE=debug
# By this name, PhpStorm finds where the files are.
export PHP_IDE_CONFIG="serverName=$PROJECT_ID"
# The leading colon, where it was not set: after the places of PHP itself.
export PHP_INI_SCAN_DIR="${PHP_INI_SCAN_DIR-}:/.debughost/debug"
command -v "$1" >/dev/null || { echo "debughost: $1: command not found" >&2; exit 127; }
exec "$@"
