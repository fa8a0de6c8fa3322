"""Memory of the emulated core and the counts of what ran there, in one array that compiled callbacks see.

Unicorn calls `on_block` at each basic block, `on_access` at each load and store; as Python functions they
would be most of the time that a run takes.

The array, int64: a header of `WORDS` words; four for each region (address, bytes, where its memory begins in
bytes of the array, where its counts begin in words); the regions' memory, each on a page; their counts, two
for each halfword: instructions executed in blocks that begin there; their bytes << 32 | instructions.
"""

import ctypes
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple
from weakref import WeakValueDictionary

import numpy as np

from fixedpoint._jit import callback

CORE, EXECUTED, LIMIT, GUARD_LOW, GUARD_HIGH, REGIONS = range(6)
WORDS, REGION_WORDS = 8, 4
PAGE = 1024  # of Unicorn's M-profile cores
TOO_LONG, UNALIGNED_ACCESS, OVERRUN = range(3)  # what the callbacks report
_HOST_PAGE = 4096
_MEM_WRITE = 17  # UC_MEM_WRITE
_arenas: WeakValueDictionary[int, "Arena"] = WeakValueDictionary()  # by what is in their word CORE


class Region(NamedTuple):
    """Memory of the target. address, size : multiples of 1024 bytes;  writable : RAM"""

    name: str
    address: int
    size: int
    writable: bool = True


@ctypes.CFUNCTYPE(None, ctypes.c_int64, ctypes.c_int64, ctypes.c_int64, ctypes.c_int64)
def _report(core: int, what: int, address: int, size: int) -> None:
    """The callbacks' way back into Python, rarely taken."""
    _arenas[core].report(what, address, size)


@callback("void(voidptr, uint64, uint32, CPointer(int64))")
def on_block(engine: Any, at: Any, size: Any, arena: Any) -> None:
    """Count the instructions of a block; a halfword of 0b11101 or more at the top begins one of 32 bits."""
    address, length = np.int64(at), np.int64(size)
    for region in range(arena[REGIONS]):
        entry = WORDS + REGION_WORDS * region
        offset = address - arena[entry]
        if 0 <= offset < arena[entry + 1]:
            counts = arena[entry + 3] + (offset >> 1) * 2
            if arena[counts + 1] >> 32 != length:
                n, place = 0, arena[entry + 2] + offset
                end = place + length
                while place < end:
                    halfword = (arena[place >> 3] >> ((place & 6) << 3)) & 0xFFFF
                    place += 4 if halfword >= 0xE800 else 2
                    n += 1
                arena[counts + 1] = length << 32 | n
            n = arena[counts + 1] & 0xFFFFFFFF
            arena[counts] += n
            arena[EXECUTED] += n
            break
    if arena[EXECUTED] > arena[LIMIT]:
        _report(arena[CORE], TOO_LONG, address, length)


@callback("void(voidptr, int32, uint64, int32, int64, CPointer(int64))")
def on_access(engine: Any, kind: Any, at: Any, size: Any, value: Any, arena: Any) -> None:
    """Report accesses that are unaligned to a word or to their size, and stores below the stack."""
    address = np.int64(at)
    if address & (size - 1) & 3:
        _report(arena[CORE], UNALIGNED_ACCESS, address, size)
    if kind == _MEM_WRITE and arena[GUARD_LOW] <= address < arena[GUARD_HIGH]:
        _report(arena[CORE], OVERRUN, address, size)


class Arena:
    """The array for a core.

    Parameters
    ----------
    regions : memory, none of which overlap
    report : is called with what a callback reports, an address and a size
    """

    def __init__(self, regions: Sequence[Region], report: Callable[[int, int, int], None]) -> None:
        self.regions = tuple(regions)
        begin = -(-8 * (WORDS + REGION_WORDS * len(regions)) // _HOST_PAGE) * _HOST_PAGE
        table = []
        for region in regions:
            table.append([region.address, region.size, begin, 0])
            begin += -(-region.size // _HOST_PAGE) * _HOST_PAGE
        words = begin // 8
        for row in table:
            row[3] = words
            words += row[1]  # two words for each halfword
        spare = np.zeros(words + _HOST_PAGE // 8, np.int64)  # pages that nobody touches take no memory
        skip = -spare.ctypes.data % _HOST_PAGE // 8
        self.words = spare[skip : skip + words]
        self.words[REGIONS] = len(regions)
        self.words[WORDS : WORDS + REGION_WORDS * len(regions)] = np.ravel(table)
        self.words[CORE] = id(self)
        octets = self.words.view(np.uint8)
        self.memory = [octets[row[2] : row[2] + row[1]] for row in table]
        self._counts = [self.words[row[3] : row[3] + row[1]].reshape(-1, 2) for row in table]
        self.report = report
        _arenas[id(self)] = self

    def view(self, address: int, size: int) -> np.ndarray | None:
        """(size,) uint8, the memory there; None where it does not lie in one region."""
        for region, memory in zip(self.regions, self.memory, strict=True):
            offset = address - region.address
            if 0 <= offset <= region.size - size:
                return memory[offset : offset + size]
        return None

    def executed(self) -> list[tuple[int, int]]:
        """(address, instructions) of all blocks that ran, by address in each region."""
        found = []
        for region, counts in zip(self.regions, self._counts, strict=True):
            for i in np.flatnonzero(counts[:, 0]):
                found.append((region.address + 2 * int(i), int(counts[i, 0])))
        return found
