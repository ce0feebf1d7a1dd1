"""``python -m debughost_cli``, and the console script."""

import sys

from debughost_cli.cli import signals


def script() -> None:
    """Runs the program. Loading it takes a moment: a signal that comes meanwhile waits for it."""
    signals.install()
    signals.reraise_dropped()
    from debughost_cli.cli.app import main

    code = main()
    signals.ignore()
    sys.exit(code)


if __name__ == "__main__":
    script()
