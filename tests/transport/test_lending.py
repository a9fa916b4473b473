"""A loop that one thread lends to another: who runs it when, and that it never stands still for long."""

import asyncio
import threading
import time

import pytest

from jina.transport.lending import LOOK_SECONDS, LOOKS_AT_NOTHING, LoopHost

SECONDS = 10.0


class Guest(threading.Thread):
    """Borrows the loop, does ``work`` with it, and gives it back."""

    def __init__(self, host, loop, work):
        super().__init__(daemon=True)
        self.host, self.loop, self.work = host, loop, work
        self.granted = self.result = None
        self.start()

    def run(self):
        self.granted = self.host.borrow()
        if self.granted:
            self.result = self.work(self)
            self.host.give_back()

    def until(self, future):
        """Run the loop until a future of it is done."""
        future.add_done_callback(lambda _: self.loop.stop())
        while not future.done():
            self.loop.run_forever()

    async def over(self):
        await asyncio.to_thread(self.join)


def hosted(function):
    """Run ``function(host, loop)``, a coroutine, on a loop with a host."""
    host = LoopHost()

    async def main():
        return await asyncio.wait_for(function(host, asyncio.get_running_loop()), SECONDS)

    return host.run(main())


def runner():
    """Who runs the loop: to be asked on it."""
    return threading.current_thread()


def test_the_result_of_the_coroutine_is_that_of_run():
    async def main(host, loop):
        return 5

    assert hosted(main) == 5


def test_what_the_coroutine_raises_run_raises():
    async def main(host, loop):
        raise ValueError('no good')

    with pytest.raises(ValueError, match='no good'):
        hosted(main)


def test_while_it_is_lent_the_guest_runs_the_loop():
    def work(guest):
        ran = []
        future = guest.loop.create_future()
        guest.loop.call_soon(lambda: (ran.append(runner()), future.set_result(None)))
        guest.until(future)
        return ran

    async def main(host, loop):
        guest = Guest(host, loop, work)
        await guest.over()
        return guest, runner()

    guest, after = hosted(main)
    assert guest.granted
    assert guest.result == [guest]
    assert after is threading.current_thread()


def test_the_host_runs_it_while_the_guest_works_for_long():
    """Else what else there is to do would wait for the guest."""
    answered = threading.Event()

    def work(guest):
        guest.host.begin()
        guest.loop.call_soon_threadsafe(answered.set)
        assert answered.wait(SECONDS)
        return guest.host.end(), guest.host.is_lent

    async def main(host, loop):
        guest = Guest(host, loop, work)
        await guest.over()
        return guest

    assert hosted(main).result == (False, False)


def test_short_pieces_of_work_leave_it_with_the_guest():
    def work(guest):
        kept = []
        end = time.monotonic() + 10 * LOOK_SECONDS
        while time.monotonic() < end:
            guest.host.begin()
            kept.append(guest.host.end())
        return kept

    async def main(host, loop):
        guest = Guest(host, loop, work)
        await guest.over()
        return guest

    assert all(hosted(main).result)


def test_a_host_that_sleeps_is_woken_by_work():
    """It does not look for ever at a guest that has nothing to do; but when that has, it looks again."""
    answered = threading.Event()

    def work(guest):
        deadline = time.monotonic() + SECONDS
        while not guest.host._sleeps:
            assert time.monotonic() < deadline
            time.sleep(LOOK_SECONDS)
        guest.host.begin()
        guest.loop.call_soon_threadsafe(answered.set)
        assert answered.wait(SECONDS)
        return guest.host.end()

    async def main(host, loop):
        guest = Guest(host, loop, work)
        await guest.over()
        return guest

    assert LOOKS_AT_NOTHING * LOOK_SECONDS < SECONDS / 10
    assert hosted(main).result is False


def test_one_that_refuses_lends_no_more():
    async def main(host, loop):
        host.refuse()
        guest = Guest(host, loop, lambda guest: None)
        await guest.over()
        return guest

    assert hosted(main).granted is False


def test_a_guest_that_asks_when_all_is_over_is_refused():
    async def main(host, loop):
        return host

    assert hosted(main).borrow() is False


def test_a_guest_that_waits_when_all_is_over_is_refused():
    """Whenever it asks: it never waits for ever."""
    for _ in range(200):
        guests = []

        async def main(host, loop, guests=guests):
            guests.append(Guest(host, loop, lambda guest: None))

        hosted(main)
        guests[0].join(SECONDS)
        assert not guests[0].is_alive()
