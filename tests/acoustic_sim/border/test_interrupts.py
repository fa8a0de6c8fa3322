"""Ctrl-C and SIGTERM while something must not be interrupted, and as ends."""

import signal
import threading
import time

import pytest

from acoustic_sim.border.interrupts import Terminated, interrupts_held, terminated_by_sigterm


def test_ctrl_c_comes_when_the_block_is_done():
    done = []

    def interrupted():
        with interrupts_held():
            signal.pthread_kill(threading.get_ident(), signal.SIGINT)
            done.append("all of it")

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert done == ["all of it"]


def test_what_was_held_before_stays_held_and_an_error_lets_go():
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [])
    assert signal.SIGINT not in before
    with pytest.raises(ZeroDivisionError), interrupts_held():
        raise ZeroDivisionError
    assert signal.pthread_sigmask(signal.SIG_BLOCK, []) == before
    with interrupts_held():
        with interrupts_held():
            pass
        assert signal.SIGINT in signal.pthread_sigmask(signal.SIG_BLOCK, [])
    assert signal.pthread_sigmask(signal.SIG_BLOCK, []) == before


def test_ctrl_c_that_another_thread_gets_comes_when_the_block_is_done_as_well():
    """A signal goes to any thread that does not hold it; Python's handler then runs in the main one."""
    begun, end = threading.Event(), threading.Event()

    def other():
        begun.set()
        end.wait(10)

    thread = threading.Thread(target=other)
    thread.start()
    begun.wait(10)
    done = []

    def interrupted():
        with interrupts_held(signal.SIGTERM):
            signal.pthread_kill(thread.ident, signal.SIGINT)
            time.sleep(0.05)
            done.append("all of it")
        done.append("not this")

    handler = signal.getsignal(signal.SIGINT)
    try:
        with pytest.raises(KeyboardInterrupt):
            interrupted()
    finally:
        end.set()
        thread.join()
    assert done == ["all of it"]
    assert signal.getsignal(signal.SIGINT) is handler


def twice():
    try:
        signal.raise_signal(signal.SIGTERM)
    finally:
        signal.raise_signal(signal.SIGTERM)  # a second one does not disturb the clean-up


def test_sigterm_unwinds_once_and_is_as_it_was_afterwards():
    with pytest.raises(Terminated), terminated_by_sigterm():
        twice()
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
