"""What signals do while a command runs in a container."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator

import pytest

from debughost_cli.cli import signals
from debughost_cli.cli.exec_signals import Background, ExecSignals, forwarded_signals
from debughost_cli.errors import EngineError, Interrupted

NUMBERS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)


class Command:
    """Notes what it is sent."""

    def __init__(self, *, is_begun: bool = True) -> None:
        self.is_begun = is_begun
        self.got: list[str] = []

    def signal(self, *names: str) -> None:
        self.got += names


class Immediate(Background):
    """Runs each job at once."""

    def run(self, job: Callable[[], None]) -> None:
        job()


@pytest.fixture(autouse=True)
def handlers() -> Iterator[None]:
    """This process keeps its own; for the test none is ignored, as nohup has it."""
    before = {n: signal.getsignal(n) for n in NUMBERS}
    for number in NUMBERS:
        signal.signal(number, lambda *_: None)
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture
def background() -> Iterator[Background]:
    made = Immediate()
    yield made
    made.close()


def attached(background: Background, command: Command, *, tty: bool = False) -> ExecSignals:
    made = ExecSignals(background, tty=tty)
    made.attach(command)
    return made


@pytest.mark.parametrize(
    ("number", "name"), [*zip(NUMBERS, ["INT", "TERM", "HUP", "QUIT"], strict=True)]
)
def test_the_command_gets_each_signal(background: Background, number: int, name: str) -> None:
    command = Command()
    attached(background, command)(number, None)
    assert command.got == [name]


def test_the_third_one_kills_the_command_and_the_fourth_leaves_it(background: Background) -> None:
    command = Command()
    handler = attached(background, command)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGINT):
        handler(number, None)
    assert command.got == ["INT", "TERM", "KILL"]
    with pytest.raises(Interrupted) as caught:
        handler(signal.SIGTERM, None)
    assert caught.value.status == 143
    assert all(signal.getsignal(n) is signal.SIG_IGN for n in NUMBERS)


def test_other_signals_may_come_as_often_as_they_like(background: Background) -> None:
    command = Command()
    handler = attached(background, command)
    for _ in range(5):
        handler(signal.SIGHUP, None)
    assert command.got == ["HUP"] * 5


def test_a_command_that_does_not_begin_is_left_with_the_second(background: Background) -> None:
    command = Command(is_begun=False)
    handler = attached(background, command)
    handler(signal.SIGINT, None)
    with pytest.raises(Interrupted):
        handler(signal.SIGINT, None)
    assert command.got == ["INT"]


def test_a_signal_before_the_command_is_there_is_kept_for_it(background: Background) -> None:
    handler, command = ExecSignals(background, tty=False), Command()
    handler(signal.SIGTERM, None)
    handler.attach(command)
    assert command.got == ["TERM"]


def test_a_second_signal_before_the_command_is_there_ends_the_program(
    background: Background,
) -> None:
    handler = ExecSignals(background, tty=False)
    handler(signal.SIGTERM, None)
    with pytest.raises(Interrupted) as caught:
        handler(signal.SIGINT, None)
    assert caught.value.status == 130


def test_with_a_terminal_a_signal_ends_the_program_which_hangs_up(background: Background) -> None:
    with pytest.raises(Interrupted):
        attached(background, Command(), tty=True)(signal.SIGTERM, None)


def test_with_a_terminal_a_command_that_does_not_begin_is_hung_up_first(
    background: Background,
) -> None:
    command = Command(is_begun=False)
    handler = attached(background, command, tty=True)
    handler(signal.SIGTERM, None)
    assert command.got == ["HUP", "TERM"]
    with pytest.raises(Interrupted):
        handler(signal.SIGTERM, None)


def test_handlers_are_as_before_at_the_end(background: Background) -> None:
    before = [signal.getsignal(n) for n in NUMBERS]
    command = Command()
    with forwarded_signals(background, tty=False) as handler:
        handler.attach(command)
        signal.raise_signal(signal.SIGHUP)
    assert command.got == ["HUP"]
    assert [signal.getsignal(n) for n in NUMBERS] == before


def test_after_an_interruption_signals_stay_ignored(background: Background) -> None:
    def interrupted() -> None:
        with forwarded_signals(background, tty=True) as handler:
            handler.attach(Command())
            signal.raise_signal(signal.SIGTERM)

    with pytest.raises(Interrupted):
        interrupted()
    assert all(signal.getsignal(n) is signal.SIG_IGN for n in NUMBERS)


def test_a_signal_that_is_ignored_stays_ignored(background: Background) -> None:
    """As under nohup."""
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    command = Command()
    with forwarded_signals(background, tty=False) as handler:
        handler.attach(command)
        signal.raise_signal(signal.SIGHUP)
    assert command.got == []
    assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN


def test_other_threads_leave_the_handlers_alone() -> None:
    before = [signal.getsignal(n) for n in NUMBERS]
    found: list[object] = []

    def work() -> None:
        with signals.handled_by(lambda number, frame: None, ("SIGINT",)):
            found.extend(signal.getsignal(n) for n in NUMBERS)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert found == before


def test_work_in_the_background_goes_on_after_a_failure_of_the_engine() -> None:
    background = Background()
    done = threading.Event()

    def fail() -> None:
        raise EngineError("no")

    background.run(fail)
    background.run(done.set)
    assert done.wait(10)
    background.close()
