"""Runs a product's C with one mistake after the other; `python -m` this, in a process of its own.

A pickled `Job` comes on stdin, and one verdict for each mistake goes out as JSON. Each mistake runs in a
child, which may write where it should not.
"""

import ctypes
import json
import os
import pickle
import signal
import sys
from typing import Any, NamedTuple

import numpy as np

LONGEST_S = 20  # of a mistake that no longer ends
OUTPUT, STATE, FAULT, SAME = "output", "state", "fault", ""
_CODES = (SAME, OUTPUT, STATE)


class Change(NamedTuple):
    """A mistake: at a site, with a constant's value or a sum's bits; or in an element of a table.

    site : index, or -1 for an element;  value : of the constant, or of the element;  bits : of the sum, or 0
    table : name, or "";  element : flat index
    """

    site: int
    value: int
    bits: int = 0
    table: str = ""
    element: int = 0


class Job(NamedTuple):
    """A product's library, its input, and the mistakes to make.

    frame : samples of a call;  samples : whether it gives samples, else fields that begin with "output."
    init, process, memory : names of functions;  memory_dtype : of what the last points to
    tables : NumPy type of each table that a mistake may change
    """

    library: str
    instance: str
    init: str
    process: str
    memory: str
    memory_dtype: np.dtype
    tables: dict[str, str]
    x_q15: np.ndarray
    frame: int
    samples: bool
    changes: tuple[Change, ...]


class _Host:
    """The library, and what it gives without a mistake."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self.library: Any = ctypes.CDLL(job.library)
        getattr(self.library, job.memory).restype = ctypes.c_void_p
        self.instance = ctypes.addressof(ctypes.c_char.in_dll(self.library, job.instance))
        self.frames = [
            np.ascontiguousarray(job.x_q15[:, i : i + job.frame])
            for i in range(0, job.x_q15.shape[1], job.frame)
        ]
        self.outputs: list[bytes] = []
        self.state = b""
        self.run(record=True)

    def run(self, record: bool = False) -> int:
        """Index of the verdict."""
        job, library = self.job, self.library
        library.planted_configure()
        getattr(library, job.init)(ctypes.c_void_p(self.instance))
        for i, x_q15 in enumerate(self.frames):
            output = self._frame(x_q15)
            if record:
                self.outputs.append(output)
            elif output != self.outputs[i]:
                return 1
        state = self._memory("state_")
        if record:
            self.state = state
        return 0 if state == self.state else 2

    def _frame(self, x_q15: np.ndarray) -> bytes:
        instance, process = ctypes.c_void_p(self.instance), getattr(self.library, self.job.process)
        x = ctypes.c_void_p(x_q15.ctypes.data)
        if not self.job.samples:
            process(instance, x)
            return self._memory("output_")
        y_q15 = np.zeros_like(x_q15)
        process(instance, x, ctypes.c_int32(x_q15.shape[1]), ctypes.c_void_p(y_q15.ctypes.data))
        return y_q15.tobytes()

    def _memory(self, prefix: str) -> bytes:
        """Arrays of the instance whose names begin so."""
        kind = self.job.memory_dtype
        held = np.frombuffer(ctypes.string_at(getattr(self.library, self.job.memory)(), kind.itemsize), kind)[
            0
        ]
        return b"".join(held[name].tobytes() for name in kind.names or () if name.startswith(prefix))

    def make(self, change: Change) -> None:
        """Make the mistake."""
        if change.table:
            width = np.dtype(self.job.tables[change.table])
            ctype = np.ctypeslib.as_ctypes_type(width)
            table = ctypes.addressof(ctypes.c_char.in_dll(self.library, change.table))
            ctype.from_address(table + change.element * width.itemsize).value = change.value
            return
        ctypes.c_int32.in_dll(self.library, "planted_at").value = change.site
        ctypes.c_int64.in_dll(self.library, "planted_value").value = change.value
        ctypes.c_int32.in_dll(self.library, "planted_bits").value = change.bits or 64

    def verdict(self, change: Change) -> str:
        """In a child, which ends."""
        child = os.fork()
        if child == 0:
            code = 3
            try:
                signal.alarm(LONGEST_S)
                self.make(change)
                code = self.run()
            finally:
                os._exit(code)
        _, status = os.waitpid(child, 0)
        code = os.waitstatus_to_exitcode(status)
        return _CODES[code] if 0 <= code < len(_CODES) else FAULT


def main() -> None:
    """One line of JSON: a verdict for each mistake."""
    host = _Host(pickle.load(sys.stdin.buffer))
    output = [np.frombuffer(each, np.uint8) for each in host.outputs]
    np.save(f"{host.job.library}.npy", np.concatenate(output))
    sys.stdout.write(json.dumps([host.verdict(change) for change in host.job.changes]))


if __name__ == "__main__":
    main()
