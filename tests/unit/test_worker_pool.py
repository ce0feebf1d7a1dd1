"""Threads that an interruption leaves behind."""

from __future__ import annotations

import subprocess
import sys
import threading
import time

import pytest

from debughost_cli.services.worker_pool import Pending, TimeLimit, WorkerPool


def test_results_come_in_the_order_of_the_items() -> None:
    gates = [threading.Event() for _ in range(3)]

    def work(number: int) -> int:
        if number < 2:
            gates[number + 1].wait(5)
        gates[number].set()
        return number * 10

    with WorkerPool(3) as pool:
        assert pool.map(work, range(3)) == [0, 10, 20]


def test_a_pool_does_more_than_it_has_threads() -> None:
    with WorkerPool(2) as pool:
        assert pool.map(str, range(50)) == [str(n) for n in range(50)]


def test_what_the_work_raises_is_raised() -> None:
    def work(number: int) -> int:
        raise SystemExit(number)

    with WorkerPool(2) as pool, pytest.raises(SystemExit) as caught:
        pool.map(work, [7, 8])
    assert caught.value.code == 7


def test_leaving_does_not_wait_for_what_hangs() -> None:
    hangs = threading.Event()
    began = time.monotonic()
    with WorkerPool(1) as pool:
        pool.start(lambda: hangs.wait(30))
        never = pool.start(lambda: 1)
    assert time.monotonic() - began < 5
    with pytest.raises(TimeoutError):
        never.result(0.05)
    hangs.set()


def test_it_can_be_waited_for_what_is_under_way() -> None:
    done: list[int] = []
    begun, gate = threading.Event(), threading.Event()

    def work() -> None:
        begun.set()
        gate.wait(5)
        done.append(1)

    with WorkerPool(2) as pool:
        pool.start(work)
        assert begun.wait(5)
        threading.Timer(0.05, gate.set).start()
        pool.wait(None)
        assert done == [1]


def test_waiting_has_a_limit() -> None:
    hangs = threading.Event()
    with WorkerPool(1) as pool:
        pool.start(lambda: hangs.wait(30))
        began = time.monotonic()
        pool.wait(0.05)
    assert time.monotonic() - began < 5
    hangs.set()


def test_a_time_limit_is_one_for_all_its_work() -> None:
    hangs = threading.Event()
    limit = TimeLimit(0.1)
    assert limit.run(lambda: 1) == 1
    with pytest.raises(TimeoutError):
        limit.run(lambda: hangs.wait(30))
    with pytest.raises(TimeoutError):
        limit.run(lambda: hangs.wait(30))
    hangs.set()


def test_what_work_raises_within_a_time_limit() -> None:
    with pytest.raises(ZeroDivisionError):
        TimeLimit(5).run(lambda: 1 / 0)


def test_a_result_of_none() -> None:
    pending = Pending(lambda: None)
    pending.run()
    assert pending.result() is None


def test_the_program_ends_while_a_thread_hangs() -> None:
    code = (
        "import time\n"
        "from debughost_cli.services.worker_pool import WorkerPool\n"
        "with WorkerPool(1) as pool:\n"
        "    pool.start(lambda: time.sleep(60))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], timeout=30, check=False)
    assert done.returncode == 0
