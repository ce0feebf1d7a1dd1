"""``python -m debughost_cli``, and the console script."""

import gc
import os
import sys

from debughost_cli import __version__


def script() -> None:
    """Runs the program."""
    if sys.argv[1:] == ["--version"] and _has_shown_version():
        return
    if sys.argv[1:2] == ["__complete"]:
        # For the completion scripts: somebody waits for it at each Tab.
        from debughost_cli.completion.answer import main

        main(sys.argv[2:])
        return
    if "_DEBUGHOST_COMPLETE" in os.environ:
        # A completion script of 0.1.0, which takes what is printed for words.
        return
    _run()


def _has_shown_version() -> bool:
    """Answers before anything is loaded. Where that fails, the whole program can say why."""
    if sys.stdout is None or os.environ.get("DEBUGHOST_OUTPUT"):
        return False
    try:
        os.write(sys.stdout.fileno(), f"debughost {__version__}{os.linesep}".encode())
    except OSError:
        return False
    return True


def _run() -> None:
    """Loading takes a moment: a signal in that time waits for its end."""
    import signal

    # What is loaded stays. Collected at Python's own pace, it would be a tenth of each start; a
    # command makes 50,000 objects that count.
    gc.set_threshold(100_000)
    if hasattr(sys, "set_lazy_imports"):
        # Since Python 3.15: each module is loaded where it is first used, also those of others.
        sys.set_lazy_imports("all")

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
    # The process ends: searching for garbage once more would be a fifth of a command's time.
    gc.freeze()
    sys.exit(code)


if __name__ == "__main__":
    script()
