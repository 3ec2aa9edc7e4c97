"""Being told to end interrupts, while something unfinished has to be removed."""

from __future__ import annotations

import os
import signal
import threading

import pytest

from inventory.termination import termination_interrupts

BOTH = [signal.SIGTERM, signal.SIGHUP]


@pytest.mark.parametrize("sent", BOTH)
def test_being_told_to_end_interrupts(sent: signal.Signals) -> None:
    """Within, SIGTERM and SIGHUP interrupt; afterwards they end the process as before."""

    def end() -> None:
        with termination_interrupts():
            os.kill(os.getpid(), sent)

    with pytest.raises(KeyboardInterrupt):
        end()
    assert [signal.getsignal(each) for each in BOTH] == [signal.SIG_DFL] * 2


@pytest.mark.parametrize("sent", BOTH)
def test_signals_of_others_stay_with_them(sent: signal.Signals) -> None:
    """A signal that somebody else handles or ignores is left alone, within and afterwards."""
    seen: list[int] = []

    def handle(number: int, _: object) -> None:
        seen.append(number)

    before = signal.signal(sent, handle)
    try:
        with termination_interrupts():
            os.kill(os.getpid(), sent)
        assert (seen, signal.getsignal(sent)) == ([sent], handle)
        signal.signal(sent, signal.SIG_IGN)
        with termination_interrupts():
            os.kill(os.getpid(), sent)
        assert signal.getsignal(sent) == signal.SIG_IGN
    finally:
        signal.signal(sent, before)


def test_other_threads_change_nothing() -> None:
    """In another thread nothing is changed, as only the main one may."""
    seen: list[object] = []

    def look() -> None:
        with termination_interrupts():
            seen.append(signal.getsignal(signal.SIGTERM))

    thread = threading.Thread(target=look)
    thread.start()
    thread.join()
    assert seen == [signal.SIG_DFL]
