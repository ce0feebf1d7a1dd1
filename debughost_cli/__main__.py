"""``python -m debughost_cli``, and the console script."""

import sys


def script() -> None:
    """Runs the program; a Ctrl-C while it is still being loaded ends it as quietly as later."""
    try:
        from debughost_cli.cli.app import main
    except KeyboardInterrupt:
        sys.stderr.write("Error: interrupted by SIGINT [INTERRUPTED]\n")
        sys.exit(130)
    sys.exit(main())


if __name__ == "__main__":
    script()
