"""Memory of the emulated core and the counts of what ran there: one array, which a compiled function sees."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from firmware_model.device.core import instructions as cells
from firmware_model.device.core.instructions import Report

PAGE = 1024  # of Unicorn's M-profile cores
_HOST_PAGE = 4096


class Region(NamedTuple):
    """Memory of the target. address, size : multiples of 1024 bytes;  writable : RAM"""

    name: str
    address: int
    size: int
    writable: bool = True


class Arena:
    """The array for a core, int64, laid out as `instructions` says.

    Parameters
    ----------
    regions : memory, none of which overlap
    report : is called with what `instructions` reports, the instruction's address and another value
    """

    def __init__(self, regions: Sequence[Region], report: Report) -> None:
        self.regions, self.report = tuple(regions), report
        head = cells.WORDS + cells.REGION_WORDS * len(regions)
        begin = _whole_pages(8 * head)
        table = []
        for region in regions:
            table.append([region.address, region.size, begin, 0])
            begin += _whole_pages(region.size)
        words = begin // 8
        for row in table:
            row[3] = words
            words += row[1] // 2
        spare = np.zeros(words + _HOST_PAGE // 8, np.int64)  # pages that nobody touches take no memory
        skip = -spare.ctypes.data % _HOST_PAGE // 8
        self.words = spare[skip : skip + words]
        self.words[cells.REGIONS] = len(regions)
        self.words[cells.CORE] = id(self)
        self.words[cells.WORDS : head] = np.ravel(table)
        octets = self.words.view(np.uint8)
        self.memory = [octets[row[2] : row[2] + row[1]] for row in table]
        self._counts = [self.words[row[3] : row[3] + row[1] // 2] for row in table]
        cells.reporters[id(self)] = self

    def view(self, address: int, size: int) -> np.ndarray | None:
        """(size,) uint8, the memory there; None where it does not lie in one region."""
        for region, memory in zip(self.regions, self.memory, strict=True):
            offset = address - region.address
            if 0 <= offset <= region.size - size:
                return memory[offset : offset + size]
        return None

    def executed(self) -> list[tuple[int, int]]:
        """(address, how often it was executed) of all instructions that were."""
        return [
            (region.address + 2 * int(i), int(counts[i]))
            for region, counts in zip(self.regions, self._counts, strict=True)
            for i in np.flatnonzero(counts)
        ]


def _whole_pages(size: int) -> int:
    return -(-size // _HOST_PAGE) * _HOST_PAGE
