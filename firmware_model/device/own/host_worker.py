"""The process that holds the user's host library: what crashes here does not take bittrue with it.

Run as `python -m firmware_model.device.own.host_worker DESCRIPTOR`, with one end of a pipe. It is sent a
`Job`, says ("ready", ""), and answers the bytes of each call's input with ("done", bytes of the buffers
that are read). With ("error", why) or ("crash", why) it ends.
"""

import ctypes
import signal
import sys
from multiprocessing.connection import Connection
from typing import Any, NamedTuple

GUARD, PAINT = 64, 0xA5  # bytes on both sides of a buffer, and what they hold


class Memory(NamedTuple):
    """A buffer: a symbol of the library and an offset from it, fresh memory, or where another buffer is.

    size : bytes to read;  room : bytes that it may fill
    """

    size: int
    room: int
    symbol: str | None
    offset: int
    buffer: str | None


class Job(NamedTuple):
    """A library and how to call it.

    arguments, init_arguments : integers, names of `memory`, "&symbol", `result`
    read : names of the buffers to send after each call;  given : of the one to fill before;  result : word
    for what the init function returned
    turns : by call, over and over, the buffer that stands for each;  which : word for the number of the turn
    """

    library: str
    symbol: str
    arguments: tuple[int | str, ...]
    init: str | None
    init_arguments: tuple[int | str, ...]
    memory: dict[str, Memory]
    given: str
    read: tuple[str, ...]
    result: str
    turns: tuple[dict[str, str], ...]
    which: str


class Wrong(Exception):
    """Why the job cannot begin."""


class Overrun(Exception):
    """Where the library wrote beyond a buffer."""


class Worker:
    """A library, loaded, with its buffers."""

    def __init__(self, job: Job) -> None:
        self.job = job
        try:
            self.library = ctypes.CDLL(job.library)
        except OSError as error:
            raise Wrong(f"cannot be loaded: {error}") from error
        self.guarded: dict[str, ctypes.Array] = {}
        self.addresses = {name: self._placed(name, memory) for name, memory in job.memory.items()}
        for name, memory in job.memory.items():
            if memory.buffer:
                self.addresses[name] = self.addresses[memory.buffer]
        process = self._function(job.symbol)
        if job.init is not None:
            init = self._function(job.init)
            init.restype = ctypes.c_void_p
            returned = init(*self._arguments(job.init_arguments))
            self.addresses[job.result] = returned or 0
            self._require_guards(job.init)
        self.process, self.calls = process, 0
        self.arguments = [
            self._arguments(
                job.arguments, {name: self.addresses[now] for name, now in turn.items()} | {job.which: call}
            )
            for call, turn in enumerate(job.turns)
        ]

    def call(self, content: bytes) -> list[bytes]:
        """Buffers that are read, after one call with this input."""
        phase = self.calls % len(self.job.turns)
        self.calls += 1
        turn = self.job.turns[phase]
        ctypes.memmove(self.addresses[turn[self.job.given]], content, len(content))
        self.process(*self.arguments[phase])
        self._require_guards(self.job.symbol)
        return [
            ctypes.string_at(self.addresses[turn[name]], self.job.memory[name].size) for name in self.job.read
        ]

    def _placed(self, name: str, memory: Memory) -> int:
        if memory.buffer:
            return 0
        if memory.symbol is not None:
            return self._address(memory.symbol) + memory.offset
        fresh = (ctypes.c_uint8 * (memory.room + 2 * GUARD + 16))()
        ctypes.memset(fresh, PAINT, len(fresh))
        address = (ctypes.addressof(fresh) + GUARD + 15) & ~15
        ctypes.memset(address, 0, memory.room)
        self.guarded[name] = fresh
        return address

    def _require_guards(self, function: str) -> None:
        for name, fresh in self.guarded.items():
            content = bytes(fresh)
            first = self.addresses[name] - ctypes.addressof(fresh)
            room = self.job.memory[name].room
            outside = content[:first], content[first + room :]
            for where, part in zip(("before", "behind"), outside, strict=True):
                if part.strip(bytes([PAINT])):
                    raise Overrun(f"{function} wrote {where} {name}, which has {room} bytes")

    def _function(self, name: str) -> Any:
        try:
            return getattr(self.library, name)
        except AttributeError as error:
            raise Wrong(f"{name}: no such symbol") from error

    def _address(self, symbol: str) -> int:
        try:
            return ctypes.addressof(ctypes.c_char.in_dll(self.library, symbol))
        except ValueError as error:
            raise Wrong(f"{symbol}: no such symbol") from error

    def _arguments(
        self, arguments: tuple[int | str, ...], now: dict[str, int] | None = None
    ) -> list[ctypes.c_int64]:
        """now : addresses and words as they are in a call, where they differ from `addresses`."""
        known = self.addresses | (now or {})
        values = []
        for argument in arguments:
            if isinstance(argument, int):
                values.append(argument)
            elif argument.startswith("&"):
                values.append(self._address(argument[1:]))
            else:
                values.append(known[argument])
        return [ctypes.c_int64(value) for value in values]


def serve(connection: Connection) -> None:
    """Do the job that comes through a pipe, until the other end closes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the other end gets it too, and ends this process
    try:
        worker = Worker(connection.recv())
        connection.send(("ready", ""))
        while True:
            connection.send(("done", worker.call(connection.recv_bytes())))
    except Wrong as error:
        connection.send(("error", str(error)))
    except Overrun as error:
        connection.send(("crash", str(error)))
    except EOFError:
        pass


if __name__ == "__main__":
    serve(Connection(int(sys.argv[1])))
