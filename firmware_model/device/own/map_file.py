"""The map of a firmware: where its memory is, how its function is called, where a case's data go.

A map is a TOML file, such as `examples/firmware_map.toml`:

    [memory]                          # regions of the target; not needed for a host library
    flash = {address = 0x08000000, size = "512K", writable = false}
    ram = {address = 0x20000000, size = "128K"}

    [call]
    samples = 48                      # of each channel in one call: whole blocks of the case
    arguments = ["input", "output", "samples"]
    init = "my_init"                  # called once, before all else
    init_arguments = []
    stack = {region = "ram", size = "8K"}     # at the region's end

    [buffers]
    input = {type = "int16", layout = "interleaved", symbol = "in_buf"}
    output = {type = "int16", layout = "interleaved"}
    work = {size = "4K"}              # any other name: plain memory, zero at the start

    [nodes.band]                      # internal nodes of the case, read after each call
    type = "int32"
    fraction_bits = 27
    symbol = "band_work"

Arguments, in C's order: the name of a buffer or node gives its address, "&symbol" the address of a symbol,
"samples" the samples of a call, "init" what the init function returned, an integer itself.

A buffer or node lies at a `symbol` (and `offset` bytes further), at an `address`, or is placed in free memory
of a `region`, "ram" where none is named; an address is a multiple of the bytes of its type.
Two or more places in turn, call by call, as of ping-pong buffers, are lists: `symbol = ["ping", "pong"]`,
`address = [0x20000000, 0x20000400]`, or one symbol and `offset = [0, 192]`; the argument "turn" is the
number of the place, from 0. A symbol may be "file.c:name", where several files have one of the name, or an
address as text, "0x20000100".
`in_place = true` puts the output where the input is. `type` is one of int8, int16, int32, int64,
int16-be, int32-be, int64-be, that of the node where it is left out;
`layout` is interleaved or planar (row after row); `fraction_bits` is for a device that holds more or fewer
of them than the case: 31 for 16-bit samples in the upper half of 32-bit words. Output is the last node of
the case. After the case's input, zeros fill the last call.

What the ELF puts into RAM is there from the start, as after a reset handler's copying; the reset handler
itself is not run. Registers that the firmware touches, a cycle counter for one, need a region as well; they
are plain memory here. A host library is called with the same map; it has no addresses and no regions.
"""

import tomllib
from pathlib import Path
from typing import Any

from firmware_model.case import Case, Node
from firmware_model.device.own.map_table import MOST_ADDRESS, Table
from firmware_model.device.own.memory_map import (
    RESULT,
    TURN,
    WHICH,
    Buffer,
    Call,
    MemoryMap,
    Place,
    Region,
    require_apart,
)
from firmware_model.device.own.signals import Signal
from firmware_model.golden.dumps.dump import INPUT, input_node
from firmware_model.golden.dumps.dump_values import DTYPES, LAYOUTS, dtype_of
from fixedpoint.errors import ConfigError, meant_or_accepted

OUTPUT = "output"
SAMPLES = "samples"  # word of an argument, as RESULT is
_MOST_MEMORY = 256 << 20  # bytes: the emulator holds them all
_PAGE = 0x400  # bytes of the emulated memory
_MOST_SAMPLES = 1 << 20
_PLACE = ("symbol", "offset", "address", "region")
_IN_TURN = ("symbol", "offset", "address")
_MOST_TURNS = 8
_SIGNAL = ("type", "layout", "fraction_bits", *_PLACE)


def load_map(path: str, case: Case) -> MemoryMap:
    """The map in a file, for a case.

    Raises
    ------
    ConfigError
        Unreadable, or not as this module's docstring says: one line, with the file and the key.
    """
    try:
        return parse_map(Path(path).read_text("utf-8-sig"), case)._replace(path=path)
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: not UTF-8 text; a TOML file is needed") from error
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from error


def parse_map(text: str, case: Case) -> MemoryMap:
    """The map in a TOML file's text, for a case.

    Raises
    ------
    ConfigError
    """
    try:
        entries = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # TOMLDecodeError, or numbers and nesting without end
        raise ConfigError(f"not TOML: {error}") from error
    whole = Table("", entries, ("memory", "call", "buffers", "nodes"))
    regions = _regions(Table("memory", whole.get("memory", dict, {}), None))
    call = Table(
        "call",
        whole.need("call", dict),
        ("samples", "arguments", "init", "init_arguments", "stack"),
    )
    samples = _samples(call, case)
    buffers = _buffers(whole, case, samples)
    names = [name for name in buffers if TURN not in name]
    turns = {
        name: tuple(other for other in buffers if other == name or other.startswith(f"{name}{TURN}"))
        for name in names
    }
    init = call.get("init", str)
    for key in ("init_arguments",) if init is None else ():
        if key in call:
            raise ConfigError(f"{call.path(key)}: init missing; the name of a function needed")
    arguments = _arguments(call, "arguments", [*names, WHICH, *([RESULT] if init else [])], samples)
    stack = Table("call.stack", call.get("stack", dict, {}), ("region", "size"))
    return MemoryMap(
        regions,
        Call(
            samples,
            arguments,
            init,
            _arguments(call, "init_arguments", names, samples),
            stack.get("region", str, "ram"),
            stack.size("size", "8K"),
        ),
        buffers,
        turns={name: places for name, places in turns.items() if len(places) > 1},
    )


def _regions(memory: Table) -> tuple[Region, ...]:
    """Regions, none of which overlap."""
    regions: list[Region] = []
    for name, entries in memory.entries.items():
        table = Table(memory.path(name), entries, ("address", "size", "writable"))
        address = table.address("address")
        if address is None:
            raise ConfigError(f"{table.path('address')}: missing; integer needed")
        region = Region(name, address, table.size("size"), table.get("writable", bool, True))
        for key, value in (("address", address), ("size", region.size)):
            if value % _PAGE:
                raise ConfigError(f"{table.path(key)}={value:#x}: must be a multiple of {_PAGE:#x}")
        if region.stop > MOST_ADDRESS:
            raise ConfigError(
                f"{table.where}: ends at {region.stop:#x}; must end at or below {MOST_ADDRESS:#x}"
            )
        regions.append(region)
    require_apart([(memory.path(region.name), region.address, region.size) for region in regions])
    if (total := sum(region.size for region in regions)) > _MOST_MEMORY:
        raise ConfigError(f"memory: {total} bytes in all; must be at most {_MOST_MEMORY}")
    return tuple(regions)


def _samples(call: Table, case: Case) -> int:
    samples = call.integer("samples", 1, _MOST_SAMPLES)
    if samples % case.block:
        raise ConfigError(
            f"call.samples={samples}: must be a multiple of {case.block}, the block of {case.name}"
        )
    return samples


def _buffers(whole: Table, case: Case, samples: int) -> dict[str, Buffer]:
    """Buffers by name: input, output, plain memory, nodes."""
    table = Table("buffers", whole.need("buffers", dict), None)
    found: dict[str, Buffer] = {}
    if INPUT not in table:
        raise ConfigError(f"buffers.{INPUT}: missing; table needed")
    for name, entries in table.entries.items():
        if name in (SAMPLES, RESULT, WHICH) or TURN in name:
            raise ConfigError(f"buffers.{name}: the word stands for another argument; another name needed")
        node = {INPUT: input_node(case), OUTPUT: case.output}.get(name)
        found |= _buffer(name, table.path(name), entries, node, samples)
    nodes = Table("nodes", whole.get("nodes", dict, {}), tuple(node.name for node in case.nodes))
    for name, entries in nodes.entries.items():
        if name in found or (name == case.output.name and OUTPUT in found):
            raise ConfigError(f"nodes.{name}: is among the buffers already; once is accepted")
        node = next(node for node in case.nodes if node.name == name)
        found |= _buffer(name, nodes.path(name), entries, node, samples)
    if not any(buffer.signal for name, buffer in found.items() if name != INPUT):
        raise ConfigError(f"buffers.{OUTPUT}: missing, and no nodes either; one of them needed")
    return found


def _buffer(name: str, key: str, entries: Any, node: Node | None, samples: int) -> dict[str, Buffer]:
    """The buffer of a name, and those that take its place in turn."""
    if node is None:
        table = Table(key, entries, ("size", *_PLACE))
        size, signal = table.size("size"), None
    else:
        table = Table(key, entries, (*_SIGNAL, "in_place") if name == OUTPUT else _SIGNAL)
        signal = _signal(table, node, samples // node.step)
        size = signal.size
    found = {}
    for turn, place in enumerate(_places(table)):
        mark = f"{TURN}{turn + 1}" if turn else ""
        found[name + mark] = Buffer(name + mark, key + mark, place, size, signal)
    return found


def _signal(table: Table, node: Node, steps: int) -> Signal:
    kind = table.choice("type", DTYPES, node.fmt.dtype.name)
    dtype = dtype_of(kind)
    planar = table.choice("layout", LAYOUTS, LAYOUTS[0]) == "planar"
    low, high = 0 if node.name != INPUT else node.fmt.n, 8 * dtype.itemsize - 1
    if low > high:
        raise ConfigError(f"{table.path('type')}={kind!r}: must hold the {node.fmt.bits} bits of the input")
    given = "" if "fraction_bits" in table else f" (of {node.fmt}, the node's format)"
    bits = table.get("fraction_bits", int, node.fmt.n)
    if not low <= bits <= high:
        raise ConfigError(
            f"{table.path('fraction_bits')}={bits}{given}: must be in [{low}, {high}] for {kind}"
        )
    return Signal(node, dtype, planar, bits, steps)


def _places(table: Table) -> list[Place]:
    """One place, or one for each turn."""
    lists = {key: table.entries[key] for key in _IN_TURN if isinstance(table.entries.get(key), list)}
    counts = {len(given) for given in lists.values()}
    if len(counts) > 1 or not counts <= set(range(2, _MOST_TURNS + 1)):
        found = " and ".join(f"{key} with {len(given)}" for key, given in lists.items())
        raise ConfigError(
            f"{table.where}: {found} found; lists of one length from 2 to {_MOST_TURNS} accepted"
        )
    return [
        _place(Table(table.where, {**table.entries, **{key: each[k] for key, each in lists.items()}}, None))
        for k in range(max(counts, default=1))
    ]


def _place(table: Table) -> Place:
    """At most one of the ways to say where; an offset from a symbol alone."""
    in_place = table.get("in_place", bool, False)
    ways = [key for key in ("symbol", "address", "region") if key in table] + ["in_place"] * in_place
    if len(ways) > 1:
        raise ConfigError(f"{table.where}: {' and '.join(ways)} found; one of them accepted")
    if "offset" in table and "symbol" not in table:
        raise ConfigError(f"{table.path('offset')}: symbol missing; an offset is from a symbol")
    return Place(
        table.get("symbol", str),
        table.integer("offset", 0, MOST_ADDRESS - 1, 0),
        table.address("address"),
        table.get("region", str),
        INPUT if in_place else None,
    )


def _arguments(call: Table, key: str, names: list[str], samples: int) -> tuple[int | str, ...]:
    arguments = call.get(key, list, [])
    for i, argument in enumerate(arguments):
        where = f"{call.path(key)}[{i}]={argument!r}"
        if isinstance(argument, str):
            if not argument.startswith("&") and argument not in (*names, SAMPLES):
                meant = meant_or_accepted(argument, [*names, SAMPLES])
                raise ConfigError(f'{where}: no such buffer; {meant}; "&symbol" is an address')
        elif isinstance(argument, bool) or not isinstance(argument, int):
            raise ConfigError(f"{where}: must be a buffer's name, &symbol or an integer")
        elif not -(1 << 31) <= argument < 1 << 32:
            raise ConfigError(f"{where}: must be an integer of 32 bits")
    return tuple(samples if argument == SAMPLES else argument for argument in arguments)
