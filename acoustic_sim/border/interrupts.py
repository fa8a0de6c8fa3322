"""Ctrl-C and SIGTERM: held while processes are started, and told apart where they end the program.

A process that is loading its modules would end in the middle of them.
"""

import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

Handler = Callable[[int, Any], Any]


class Terminated(KeyboardInterrupt):
    """SIGTERM, as from `docker stop`; unwinds as Ctrl-C does."""


@contextmanager
def interrupts_held(*also: signal.Signals) -> Iterator[None]:
    """Processes started in the block hold Ctrl-C until they say otherwise; this thread, until its end.

    also : signals that are held as well
    """
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    held = (signal.SIGINT, *also)
    before = signal.pthread_sigmask(signal.SIG_BLOCK, held)
    came: list[int] = []  # by way of another thread, such as one of a library, which holds nothing
    handlers = _replaced(held, lambda number, frame: came.append(number))
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
        for number in came:
            signal.raise_signal(number)  # comes as the mask goes
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _replaced(numbers: Iterable[int], by: Handler) -> dict[int, Handler]:
    """Python's handlers of signals, which run in the main thread alone; those of others stay."""
    if threading.current_thread() is not threading.main_thread():
        return {}
    found = {number: signal.getsignal(number) for number in numbers}
    handlers = {number: handler for number, handler in found.items() if callable(handler)}
    for number in handlers:
        signal.signal(number, by)
    return handlers


@contextmanager
def terminated_by_sigterm() -> Iterator[None]:
    """In the block, SIGTERM raises `Terminated`, unless somebody handles it already."""
    in_main = threading.current_thread() is threading.main_thread()
    if not in_main or signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL:
        yield
        return
    signal.signal(signal.SIGTERM, _terminate)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _terminate(number: int, frame: Any) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # one is enough: what follows is the clean-up
    raise Terminated


@contextmanager
def ends_unwinding() -> Iterator[Callable[[], None]]:
    """In the block, Ctrl-C raises KeyboardInterrupt and SIGTERM `Terminated`, unless somebody handles them.

    Yields a function to call now and then: an end that comes while libsndfile calls back, which would swallow
    the exception, waits for it.
    """
    waiting: list[int] = []

    def end(number: int, frame: Any) -> None:
        if _in_callback(frame):
            waiting.append(number)
        elif number == signal.SIGTERM:
            _terminate(number, frame)
        else:
            raise KeyboardInterrupt

    def check() -> None:
        if waiting:
            end(waiting[0], None)

    # Python's Ctrl-C or the system's, see `cli.main`.
    free = {signal.SIGINT: (signal.SIG_DFL, signal.default_int_handler), signal.SIGTERM: (signal.SIG_DFL,)}
    before: dict[signal.Signals, Any] = {}
    if threading.current_thread() is threading.main_thread():
        before = {number: signal.getsignal(number) for number in free}
        before = {number: handler for number, handler in before.items() if handler in free[number]}
    for number in before:
        signal.signal(number, end)
    try:
        yield check
        check()
    finally:
        for number, handler in before.items():
            # Ctrl-C is Python's from here on: what follows may unwind as well.
            signal.signal(number, signal.default_int_handler if number == signal.SIGINT else handler)


def _in_callback(frame: Any) -> bool:
    while frame is not None:
        code = frame.f_code
        if code.co_name.startswith("vio_") and code.co_filename.endswith("soundfile.py"):
            return True
        frame = frame.f_back
    return False
