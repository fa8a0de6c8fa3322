"""Runs products with wrong roundings and saturations: a script for a process that imports the altered copy.

Pickled Requests on stdin, each answered on stdout by a pickled result: ("done", value) or ("failed", why).
"""

import contextlib
import os
import pickle
import sys
from functools import lru_cache
from typing import Any, NamedTuple


class Request(NamedTuple):
    """product : "watermark" or "dynamics";  sites, mode : which calls are wrong, and how
    arguments : of `detect`, or samples (channels, n) int16 in whole blocks and a DynamicsConfig."""

    product: str
    sites: tuple[int, ...]
    mode: int
    arguments: tuple[Any, ...]


def answer(request: tuple[Any, ...], fault: Any) -> Any:
    """The product's result with the faults of a request; `fault` is the copy's array of modes."""
    product, sites, mode, arguments = request
    fault[:] = 0
    fault[list(sites)] = mode
    if product == "watermark":
        from firmware_model.watermark.detector import detect

        return detect(*arguments)
    from firmware_model.dynamics import processor
    from firmware_model.dynamics.state import init_state
    from firmware_model.dynamics.tuning import quantise

    x_q15, config = arguments
    params, y_q15 = quantise(config), x_q15.copy()
    kernel: Any = processor.process_frame  # the copy's has one more argument
    kernel(params, init_state(params), x_q15, y_q15, None, fault)
    return y_q15


def main() -> None:
    """Serve until stdin ends."""
    from fixedpoint.fault import FAULT  # only the copy has it

    from firmware_model.watermark.key import Key

    # Deriving a key's signs takes longer than using them.
    Key.signs = lru_cache(maxsize=1024)(Key.signs)  # type: ignore[method-assign]
    replies = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # whatever prints must not spoil the replies
    with contextlib.suppress(EOFError):
        while True:
            request = pickle.load(sys.stdin.buffer)
            try:
                reply = "done", answer(request, FAULT)
            except Exception as error:  # any of the product's; the next request is served all the same
                reply = "failed", f"{type(error).__name__}: {error}"
            pickle.dump(reply, replies)
            replies.flush()


if __name__ == "__main__":
    main()
