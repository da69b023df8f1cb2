"""Loops: go on after a fault, and end when told."""

import asyncio
import os
import signal

import pytest
import structlog

from mailer.kit.loops import Ending, run_loop


async def test_a_loop_goes_on_while_there_is_more_and_ends_when_told() -> None:
    ending = Ending()
    done: list[int] = []

    async def step() -> bool:
        done.append(len(done))
        if len(done) == 3:
            ending.wish()
        return True

    await run_loop("test", [step], pause=60, ending=ending)
    assert done == [0, 1, 2]


async def test_a_fault_in_one_step_does_not_end_the_loop() -> None:
    ending = Ending()
    tried = 0

    async def step() -> bool:
        nonlocal tried
        tried += 1
        if tried == 1:
            raise ValueError("bo@example.org")
        ending.wish()
        return False

    with structlog.testing.capture_logs() as logs:
        await run_loop("test", [step], pause=0.001, ending=ending)
    assert tried == 2
    assert logs == [
        {
            "event": "step_failed",
            "log_level": "error",
            "loop": "test",
            "fault": "ValueError",
            "rest": 0.001,
        },
    ]
    assert "example.org" not in str(logs)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_is_the_wish_to_end(number: signal.Signals) -> None:
    ending = Ending()
    ending.on_signals()
    os.kill(os.getpid(), number)
    assert await ending.wait(5)
    loop = asyncio.get_running_loop()
    for each in (signal.SIGTERM, signal.SIGINT):
        loop.remove_signal_handler(each)


async def test_waiting_ends_without_a_wish() -> None:
    assert not await Ending().wait(0.001)
