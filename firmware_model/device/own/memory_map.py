"""A map of firmware as it was read: the target's memory, the calls, the buffers. `map_file` reads it."""

from itertools import pairwise
from math import lcm
from typing import NamedTuple

from firmware_model.device.own.signals import Signal
from firmware_model.golden.dumps.dump import INPUT
from fixedpoint.errors import ConfigError

TURN = "#"  # in the name of a buffer that takes another one's place in turn
WHICH = "turn"  # word of an argument: number of the place in turn, from 0
RESULT = "init"  # word of an argument: what the init function returned


class Region(NamedTuple):
    """Memory of the target. address, size : multiples of 1024 bytes;  writable : by the firmware"""

    name: str
    address: int
    size: int
    writable: bool = True

    @property
    def stop(self) -> int:
        """First address behind it."""
        return self.address + self.size


class Place(NamedTuple):
    """Where a buffer lies: at a symbol, at an address, with another buffer, or in free memory of a region."""

    symbol: str | None = None
    offset: int = 0
    address: int | None = None
    region: str | None = None
    buffer: str | None = None


class Buffer(NamedTuple):
    """Memory that the firmware works on.

    name : "input", "output", of a node, or of the user's;  key : in the map, "nodes.band"
    size : bytes;  signal : what lies there, None of plain memory
    """

    name: str
    key: str
    place: Place
    size: int
    signal: Signal | None


class Call(NamedTuple):
    """How the firmware is called.

    samples : of each channel in one call
    arguments, init_arguments : integers, names of buffers, "&symbol", RESULT
    stack_region, stack_size : the region at whose end the stack lies, and its bytes
    """

    samples: int
    arguments: tuple[int | str, ...]
    init: str | None
    init_arguments: tuple[int | str, ...]
    stack_region: str
    stack_size: int


class MemoryMap(NamedTuple):
    """A map.

    buffers : by name;  path : of its file, "" of text
    turns : by name, the buffers that are used in its place in turn, call by call, beginning with itself
    """

    regions: tuple[Region, ...]
    call: Call
    buffers: dict[str, Buffer]
    path: str = ""
    turns: dict[str, tuple[str, ...]] = {}  # noqa: RUF012

    def at_call(self, name: str, call: int) -> str:
        """The buffer that stands for another one in a call, counted from 0."""
        name = self.buffers[name].place.buffer or name  # that it lies with
        turns = self.turns.get(name, (name,))
        return turns[max(0, call) % len(turns)]

    @property
    def period(self) -> int:
        """Calls after which all buffers are the same again."""
        return lcm(*(len(turns) for turns in self.turns.values()))

    def refused(self, why: str) -> ConfigError:
        """The error that names the map."""
        return ConfigError(f"{self.path}: {why}" if self.path else why)

    @property
    def input(self) -> Signal:
        """What the input's buffer holds."""
        signal = self.buffers[INPUT].signal
        assert signal is not None
        return signal

    def room(self, name: str) -> int:
        """Bytes of a buffer and of those that lie with it."""
        own = name.partition(TURN)[0]
        with_it = [buffer.size for buffer in self.buffers.values() if buffer.place.buffer == own]
        return max(self.buffers[name].size, *with_it, 0)

    @property
    def read(self) -> dict[str, Signal]:
        """What is read after each call, by buffer."""
        return {
            name: buffer.signal
            for name, buffer in self.buffers.items()
            if buffer.signal and name != INPUT and TURN not in name
        }


def require_apart(ranges: list[tuple[str, int, int]]) -> None:
    """Refuse ranges that overlap: (name, address, bytes) of each.

    Raises
    ------
    ConfigError
    """
    ordered = sorted(ranges, key=lambda each: each[1])
    for (name, address, size), (other, start, length) in pairwise(ordered):
        if start < address + size:
            raise ConfigError(
                f"{name} at {address:#010x}-{address + size - 1:#010x} and "
                f"{other} at {start:#010x}-{start + length - 1:#010x}: overlap; must be apart"
            )
