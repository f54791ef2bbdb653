"""Asynchronous work on a loop of its own, its items on the caller's thread, and nothing left behind when it is stopped."""

from __future__ import annotations

import asyncio
import threading

import pytest

from jupyter_selfcode.bridge import Bridge


@pytest.fixture
def bridge():
    made = Bridge()
    yield made
    made.close()


async def count(n: int):
    for i in range(n):
        yield i
        await asyncio.sleep(0)


def test_items_come_in_order_on_the_callers_thread(bridge):
    seen = [(i, threading.get_ident()) for i in bridge.iterate(lambda: count(5))]
    assert seen == [(i, threading.get_ident()) for i in range(5)]


def test_what_the_work_raises_is_raised_at_the_caller(bridge):
    async def failing():
        yield 1
        raise ValueError("from within")

    items = bridge.iterate(failing)
    assert next(items) == 1
    with pytest.raises(ValueError, match="from within"):
        next(items)


class Stop(BaseException):
    """Stands for an interrupt: no `except Exception` holds it."""


def test_stopping_early_cancels_the_work_and_waits_for_its_clean_up(bridge):
    cleaned = []

    async def endless():
        try:
            yield 0
            await asyncio.sleep(3600)
        finally:
            await asyncio.sleep(0.05)
            cleaned.append(True)

    def ask():
        for _ in bridge.iterate(endless, tick=interrupt):
            pass

    def interrupt():
        raise Stop

    with pytest.raises(Stop):
        ask()
    assert cleaned == [True]


def test_it_serves_inside_a_running_loop_as_a_kernel_has_one(bridge):
    async def kernel():
        return list(bridge.iterate(lambda: count(3)))

    assert asyncio.run(kernel()) == [0, 1, 2]


def test_two_requests_one_after_the_other_share_the_loop(bridge):
    async def loop_id():
        yield id(asyncio.get_running_loop())

    assert list(bridge.iterate(loop_id)) == list(bridge.iterate(loop_id))
