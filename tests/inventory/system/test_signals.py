"""Being told to end interrupts, while something unfinished has to be removed."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from typing import TYPE_CHECKING

import pytest

from inventory.system.signals import termination_interrupts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

BOTH = [signal.SIGTERM, signal.SIGHUP]


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    """Restore every handler that a test sets."""
    every = [*BOTH, signal.SIGINT]
    before = [signal.getsignal(number) for number in every]
    yield
    for number, handler in zip(every, before, strict=True):
        signal.signal(number, handler)


def tell(sent: signal.Signals) -> None:
    """Send a signal to this process, whose handler has run when this returns."""
    os.kill(os.getpid(), sent)


def interrupted(work: Callable[[], object]) -> None:
    """See that ``work`` is interrupted."""

    def within() -> None:
        with termination_interrupts():
            work()

    with pytest.raises(KeyboardInterrupt):
        within()


@pytest.mark.parametrize("sent", BOTH)
@pytest.mark.parametrize("handler", [signal.SIG_DFL, signal.default_int_handler])
def test_being_reported_to_end_interrupts(
    sent: signal.Signals, handler: Callable[[int, object], None]
) -> None:
    """Within, SIGTERM and SIGHUP interrupt; afterwards they are handled as before."""
    signal.signal(sent, handler)
    interrupted(lambda: tell(sent))
    assert signal.getsignal(sent) == handler


def test_interruption_where_ctrl_c_is_ignored() -> None:
    """A job in the background, which ignores Ctrl-C, is interrupted all the same."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    interrupted(lambda: tell(signal.SIGTERM))


def test_whatever_an_interruption_breaks_is_one() -> None:
    """If an interruption turns into another error on its way, it is an interruption."""

    def work() -> None:
        try:
            tell(signal.SIGTERM)
        finally:
            raise RuntimeError

    interrupted(work)


def test_an_interruption_that_somebody_swallows_comes_at_the_end() -> None:
    """An interruption that gets lost on its way comes when the work is done."""
    done: list[str] = []

    def work() -> None:
        with pytest.raises(KeyboardInterrupt):
            tell(signal.SIGTERM)
        done.append("whole")

    interrupted(work)
    assert done == ["whole"]


def test_tasks_are_cancelled_in_order() -> None:
    """While asyncio runs, tasks are cancelled as by Ctrl-C, and can clean up."""
    seen: list[str] = []

    async def task() -> None:
        tell(signal.SIGTERM)
        seen.append("nothing was raised where the signal came")
        try:
            await asyncio.sleep(60)
        finally:
            await asyncio.sleep(0)
            seen.append("cleaned up")

    interrupted(lambda: asyncio.run(task()))
    assert seen == ["nothing was raised where the signal came", "cleaned up"]


def test_other_errors_stay_as_they_are() -> None:
    """Without any signal an error is what it is."""
    with pytest.raises(ZeroDivisionError), termination_interrupts():
        raise ZeroDivisionError
    with termination_interrupts():
        pass


@pytest.mark.parametrize("sent", BOTH)
def test_signals_of_others_stay_with_them(sent: signal.Signals) -> None:
    """A signal that somebody else handles or ignores is left alone, within and afterwards."""
    seen: list[int] = []

    def handle(number: int, _: object) -> None:
        seen.append(number)

    signal.signal(sent, handle)
    with termination_interrupts():
        tell(sent)
    assert (seen, signal.getsignal(sent)) == ([sent], handle)
    signal.signal(sent, signal.SIG_IGN)
    with termination_interrupts():
        tell(sent)
    assert signal.getsignal(sent) == signal.SIG_IGN


def test_other_threads_change_nothing() -> None:
    """In another thread nothing is changed, as only the main one may."""
    before = signal.getsignal(signal.SIGTERM)
    seen: list[object] = []

    def look() -> None:
        with termination_interrupts():
            seen.append(signal.getsignal(signal.SIGTERM))

    thread = threading.Thread(target=look)
    thread.start()
    thread.join()
    assert seen == [before]
