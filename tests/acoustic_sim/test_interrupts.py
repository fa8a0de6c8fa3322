"""Ctrl-C while something must not be interrupted."""

import signal
import threading

import pytest

from acoustic_sim.interrupts import interrupts_held


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
