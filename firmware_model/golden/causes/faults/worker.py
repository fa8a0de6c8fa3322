"""Runs products with wrong roundings and saturations: a script for a process that imports the altered copy.

Pickled Requests on stdin, each answered on stdout by a pickled result: ("done", value) or ("failed", why).
"""

import contextlib
import importlib
import os
import pickle
import sys
from typing import Any, NamedTuple


class Request(NamedTuple):
    """entry : "module:function" of the product, that is called;  sites, mode : which calls are wrong, and how
    arguments : of that function."""

    entry: str
    sites: tuple[int, ...]
    mode: int
    arguments: tuple[Any, ...]


def answer(request: tuple[Any, ...], fault: Any) -> Any:
    """The product's result with the faults of a request; `fault` is the copy's array of modes."""
    entry, sites, mode, arguments = request
    fault[:] = 0
    fault[0, list(sites)] = mode
    module, _, function = entry.partition(":")
    return getattr(importlib.import_module(module), function)(*arguments)


def main() -> None:
    """Serve until stdin ends."""
    from fixedpoint.fault import FAULT

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
