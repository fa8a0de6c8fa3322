"""Where everything lies in the target's memory: the ELF's segments, the stack, the buffers of a map."""

from collections.abc import Callable
from typing import NamedTuple

from firmware_model.device.own.memory_map import Buffer, MemoryMap, Region, require_apart
from fixedpoint.errors import ConfigError, meant_or_accepted

GUARD = 64  # bytes kept free on both sides of a buffer that is placed here
_ALIGNMENT = 16


class Span(NamedTuple):
    """Bytes in the target's memory. name : in messages;  fixed : code and constants, not to be changed"""

    name: str
    address: int
    size: int
    fixed: bool = False

    @property
    def stop(self) -> int:
        """First address behind it."""
        return self.address + self.size

    def __str__(self) -> str:
        return f"{self.name} at {self.address:#010x}-{self.stop - 1:#010x}"


class Placement(NamedTuple):
    """Addresses. buffers : by name;  placed : names of those for which the place was chosen here"""

    buffers: dict[str, int]
    placed: tuple[str, ...]
    stack: Span


def place(given: MemoryMap, segments: list[Span], symbol: Callable[[str], tuple[int, int]]) -> Placement:
    """Addresses of all buffers and of the stack.

    Parameters
    ----------
    given : the map
    segments : what the ELF occupies
    symbol : address and bytes (0: unknown) of a symbol; raises ConfigError where there is none

    Raises
    ------
    ConfigError
        No region, a segment or a buffer outside of them, two that overlap, no space.
    """
    if not given.regions:
        raise ConfigError("memory: missing; the regions of the target needed, such as flash and ram")
    for segment in segments:
        _require_within(segment, given.regions)
    region = _region(given, "call.stack.region", given.call.stack_region)
    size = given.call.stack_size
    if size > region.size:
        raise ConfigError(f"call.stack.size={size}: must be at most {region.size}, the size of {region.name}")
    stack = Span("call.stack", region.stop - size, size)
    taken = [stack]
    for buffer in given.buffers.values():
        if buffer.place.symbol is not None or buffer.place.address is not None:
            span = _fixed_place(given, buffer, symbol)
            _require_within(span, given.regions)
            taken.append(span)
    for span in taken:
        for segment in segments:
            if segment.fixed or span is stack:
                require_apart([(each.name, each.address, each.size) for each in (segment, span)])
        _require_writable(span, given.regions)
    require_apart([(span.name, span.address, span.size) for span in taken])
    addresses = {span.name: span.address for span in taken}
    placed = []
    for name, buffer in given.buffers.items():
        if buffer.key not in addresses and buffer.place.buffer is None:
            area = _region(given, f"{buffer.key}.region", buffer.place.region or "ram")
            span = _free(given.room(name), buffer.key, area, [*segments, *taken])
            taken.append(span)
            addresses[buffer.key] = span.address
            placed.append(name)
    for buffer in given.buffers.values():
        _require_aligned(buffer, addresses[given.buffers[buffer.place.buffer or buffer.name].key])
    keys = {name: given.buffers[buffer.place.buffer or name].key for name, buffer in given.buffers.items()}
    return Placement({name: addresses[key] for name, key in keys.items()}, tuple(placed), stack)


def _region(given: MemoryMap, key: str, name: str) -> Region:
    for region in given.regions:
        if region.name == name:
            return region
    names = [region.name for region in given.regions]
    raise ConfigError(f"{key}={name!r}: no such region; {meant_or_accepted(name, names)}")


def _require_within(span: Span, regions: tuple[Region, ...]) -> None:
    if not any(region.address <= span.address and span.stop <= region.stop for region in regions):
        accepted = ", ".join(str(Span(region.name, region.address, region.size)) for region in regions)
        raise ConfigError(f"{span}: not within a region of the map; {accepted} accepted")


def _require_writable(span: Span, regions: tuple[Region, ...]) -> None:
    region = next(each for each in regions if each.address <= span.address < each.stop)
    if not region.writable:
        raise ConfigError(f"{span}: in {region.name}, which is not writable; a place in RAM needed")


def _fixed_place(given: MemoryMap, buffer: Buffer, symbol: Callable[[str], tuple[int, int]]) -> Span:
    room, where = given.room(buffer.name), buffer.place
    if where.symbol is None:
        assert where.address is not None
        return Span(buffer.key, where.address, room)
    address, size = symbol(where.symbol)
    if size and where.offset + room > size:
        raise ConfigError(
            f"{where.symbol}: {size} bytes found; {where.offset + room} needed for {buffer.key}"
        )
    return Span(buffer.key, address + where.offset, room)


def _require_aligned(buffer: Buffer, address: int) -> None:
    """A core without unaligned access would fault, and C's compilers take it for granted."""
    itemsize = 1 if buffer.signal is None else buffer.signal.dtype.itemsize
    if address % itemsize == 0:
        return
    where = buffer.place
    if where.symbol is not None:
        found = f"symbol={where.symbol!r} and offset={where.offset}: at {address:#010x}"
    elif where.buffer is not None:
        found = f"in_place: {where.buffer} is at {address:#010x}"
    else:
        found = f"address={address:#010x}"
    raise ConfigError(f"{buffer.key}.{found}: must be a multiple of {itemsize}, the bytes of its type")


def _free(size: int, key: str, region: Region, taken: list[Span]) -> Span:
    """The lowest free bytes of a region, a guard on both sides."""
    start = region.address
    for span in sorted(taken, key=lambda each: each.address):
        if span.stop <= region.address or span.address >= region.stop:
            continue
        found = _aligned(start + GUARD)
        if found + size + GUARD <= span.address:
            return Span(key, found, size)
        start = max(start, span.stop)
    found = _aligned(start + GUARD)
    if found + size + GUARD > region.stop:
        raise ConfigError(f"{key}: {size} bytes needed; not free in one piece in {region.name}")
    return Span(key, found, size)


def _aligned(address: int) -> int:
    return (address + _ALIGNMENT - 1) // _ALIGNMENT * _ALIGNMENT
