"""``python -m debughost_cli``, and the console script."""

import signal
import sys


def script() -> None:
    """Runs the program. Loading it takes a moment: a signal in that time waits for its end."""
    # Raised while modules are loaded, KeyboardInterrupt could be lost in the import system.
    has_masks = hasattr(signal, "pthread_sigmask")
    if has_masks:
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    from debughost_cli.cli import signals

    signals.install()
    signals.reraise_dropped()
    if has_masks:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    from debughost_cli.cli.app import main

    code = main()
    signals.ignore()
    sys.exit(code)


if __name__ == "__main__":
    script()
