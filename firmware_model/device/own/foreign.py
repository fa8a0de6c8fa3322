"""Firmware that the user brings, on a golden case: input goes in call by call, nodes are read after each."""

from collections.abc import Callable
from typing import NamedTuple, Protocol

import numpy as np

from firmware_model.case import Case
from firmware_model.device.own.memory_map import MemoryMap
from firmware_model.golden import stimuli
from fixedpoint.errors import BittrueError

Tell = Callable[[float], None]  # share of the run that is done, 0 to 1


class CrashError(BittrueError):
    """The firmware under test did not return from a call, or wrote where it must not."""


class Cost(NamedTuple):
    """What the calls took, init apart.

    cpu : name of the core;  calls : how many
    instructions : of all calls;  worst : of the one with the most
    by_function : instructions of the calls, those of inlined functions in their callers, most first
    flash_bytes : all that the ELF stores;  static_bytes : its variables
    stack_bytes : deepest, init's too
    """

    cpu: str
    calls: int
    instructions: int
    worst: int
    by_function: dict[str, int]
    flash_bytes: int
    static_bytes: int
    stack_bytes: int

    @property
    def ram_bytes(self) -> int:
        """Variables and stack; not the buffers that are placed for the input and output."""
        return self.static_bytes + self.stack_bytes


class Target(Protocol):
    """Something that runs the firmware. Its init function has been called."""

    def call(self, content: bytes) -> dict[str, bytes]:
        """Contents of all buffers that are read, by name, after one call with this input.

        Raises
        ------
        BittrueError
            The firmware faults.
        """
        ...

    def cost(self) -> Cost | None:
        """Of the calls so far; None where nothing counts."""
        ...


def run(
    case: Case, given: MemoryMap, target: Target, tell: Tell = lambda share: None
) -> dict[str, np.ndarray]:
    """Nodes of the firmware on a case's stimulus.

    Parameters
    ----------
    given : for this case;  target : freshly started;  tell : is told how far it is

    Returns
    -------
    dict : by node, (rows, steps) integers of the node's format, as many as the case has

    Raises
    ------
    BittrueError
        The firmware faults.
    AudioError
        A value of it has no integer in the node's format.
    """
    x_q15 = case.whole_blocks(stimuli.load(case))
    n, samples = x_q15.shape[1], given.call.samples
    parts: dict[str, list[np.ndarray]] = {name: [] for name in given.read}
    for start in range(0, n, samples):
        frame = x_q15[:, start : start + samples]
        missing = samples - frame.shape[1]  # in the last call: zeros
        contents = target.call(given.input.pack(np.pad(frame, ((0, 0), (0, missing)))))
        for name, signal in given.read.items():
            parts[name].append(signal.unpack(contents[name], start // signal.node.step))
        tell(min(1.0, (start + samples) / n))
    return {
        signal.node.name: np.concatenate(parts[name], axis=1)[:, : n // signal.node.step]
        for name, signal in given.read.items()
    }


def call_in_words(call: int, given: MemoryMap) -> str:
    """ "call 2, samples 96 to 143", "init" before the first."""
    if call < 0:
        return f"{given.call.init}, before the first call"
    first = call * given.call.samples
    return f"call {call}, samples {first} to {first + given.call.samples - 1}"
