"""The user's firmware for a Cortex-M, linked to addresses, on the emulated core."""

import numpy as np

from firmware_model.device.core.elf import Firmware, Section, load_elf
from firmware_model.device.core.emulator import MOST_INSTRUCTIONS, Core, Fault, Region
from firmware_model.device.core.toolchain import toolchain
from firmware_model.device.own.foreign import Cost, CrashError, call_in_words
from firmware_model.device.own.memory_map import RESULT, WHICH, MemoryMap
from firmware_model.device.own.placement import GUARD, Placement, Span, place
from firmware_model.golden.dumps.dump import INPUT
from fixedpoint.errors import ConfigError

_PAINT = 0xA5
_MOST_STACK_GUARD = 1024  # bytes: a heap may come close to the stack, and rightly


class ElfTarget:
    """Firmware in an ELF file; a `foreign.Target`.

    Parameters
    ----------
    path : of the ELF;  symbol : function to call, as `given` says;  cpu : name of a core

    Raises
    ------
    ConfigError
        No ELF for a Cortex-M, a symbol that is missing or too small, a map that it does not fit.
    CrashError
        The init function, or a call, faults, or writes beyond a buffer.
    """

    def __init__(self, path: str, symbol: str, given: MemoryMap, cpu: str) -> None:
        toolchain()
        self._path, self._symbol, self._map = path, symbol, given
        firmware = load_elf(path)
        self._sections = firmware.sections
        self._process = _function(firmware, symbol)
        init = _function(firmware, given.call.init) if given.call.init else None
        segments = [
            Span("segment of the ELF", part.address, part.size, fixed=not part.writable)
            for part in firmware.segments
        ]
        try:
            self._placement = place(given, segments, lambda name: _place_of(firmware, name))
        except ConfigError as error:
            raise given.refused(str(error)) from error
        stack = self._placement.stack
        regions = [Region(*region) for region in given.regions]
        guard = _stack_guard(given, self._placement, segments)
        self._core = Core(cpu, regions, (stack.address, stack.size), guard)
        self._core.load(firmware)
        self._paint_guards()
        self._calls, self._worst = -1, 0
        words: dict[str, int] = dict(self._placement.buffers)
        if init is not None:
            words[RESULT] = self._run(init, _words(firmware, given.call.init_arguments, words))
            self._require_guards(str(given.call.init))
        self._arguments = [
            _words(firmware, given.call.arguments, _in_turn(given, words, call))
            for call in range(given.period)
        ]
        self._begun, self._before = self._core.instructions, self._core.executed()

    def call(self, content: bytes) -> dict[str, bytes]:
        """See `foreign.Target`."""
        self._calls += 1
        begun = self._core.instructions
        place = self._map.at_call(INPUT, self._calls)
        self._core.write(self._placement.buffers[place], np.frombuffer(content, np.uint8))
        self._run(self._process, self._arguments[self._calls % len(self._arguments)])
        self._worst = max(self._worst, self._core.instructions - begun)
        self._require_guards(self._symbol)
        return {
            name: self._core.read(
                self._placement.buffers[self._map.at_call(name, self._calls)], np.uint8, signal.size
            ).tobytes()
            for name, signal in self._map.read.items()
        }

    def _run(self, address: int, arguments: list[int]) -> int:
        try:
            return self._core.call(address, arguments, MOST_INSTRUCTIONS)
        except Fault as fault:
            raise CrashError(f"{self._path}: {call_in_words(self._calls, self._map)}: {fault}") from fault

    def cost(self) -> Cost:
        """Of the calls so far."""
        return Cost(
            self._core.cpu.name,
            self._calls + 1,
            self._core.instructions - self._begun,
            self._worst,
            self._core.by_function(self._before),
            sum(section.size for section in self._sections if section.stored),
            _bytes_apart(self._sections, self._placement.stack),
            self._core.stack_bytes(),
        )

    def _guards(self, name: str) -> tuple[tuple[str, int], tuple[str, int]]:
        """Where the guards of a buffer lie that was placed in free memory."""
        address = self._placement.buffers[name]
        return ("before", address - GUARD), ("behind", address + self._map.room(name))

    def _paint_guards(self) -> None:
        for name in self._placement.placed:
            for _, address in self._guards(name):
                self._core.write(address, np.full(GUARD, _PAINT, np.uint8))

    def _require_guards(self, function: str) -> None:
        for name in self._placement.placed:
            for where, address in self._guards(name):
                if (self._core.read(address, np.uint8, GUARD) != _PAINT).any():
                    raise CrashError(
                        f"{self._path}: {call_in_words(self._calls, self._map)}: {function} wrote {where} "
                        f"{name}, which has {self._map.room(name)} bytes"
                    )


def _function(firmware: Firmware, name: str) -> int:
    """Address of a function."""
    symbol = firmware.symbol(name)
    if not firmware.is_code(symbol):
        raise ConfigError(f"{firmware.path}: {name}: is data; the name of a function needed")
    return symbol.address


def _place_of(firmware: Firmware, name: str) -> tuple[int, int]:
    """(address, bytes) of a buffer's symbol."""
    symbol = firmware.symbol(name)
    if firmware.is_code(symbol):
        raise ConfigError(f"{firmware.path}: {name}: is code; the name of a variable in RAM needed")
    return symbol.address, firmware.extent(symbol)


def _in_turn(given: MemoryMap, words: dict[str, int], call: int) -> dict[str, int]:
    """Addresses by name, as they are in a call."""
    return words | {name: words[given.at_call(name, call)] for name in given.buffers} | {WHICH: call}


def _bytes_apart(sections: tuple[Section, ...], stack: Span) -> int:
    """Bytes of variables; what a linker script sets aside for the stack is counted where it is used."""
    return sum(
        section.size
        - max(0, min(section.address + section.size, stack.stop) - max(section.address, stack.address))
        for section in sections
        if section.writable
    )


def _words(firmware: Firmware, arguments: tuple[int | str, ...], known: dict[str, int]) -> list[int]:
    """Arguments as the core's registers take them; a function's address with the Thumb bit."""
    words = []
    for argument in arguments:
        if isinstance(argument, int):
            words.append(argument)
        elif argument.startswith("&"):
            symbol = firmware.symbol(argument[1:])
            words.append(symbol.address | (symbol in firmware.functions))
        else:
            words.append(known[argument])
    return words


def _stack_guard(given: MemoryMap, placement: Placement, segments: list[Span]) -> int:
    """Bytes below the stack that are nobody's."""
    stack = placement.stack.address
    ends = [span.stop for span in segments] + [region.address for region in given.regions]
    ends += [address + given.room(name) + GUARD for name, address in placement.buffers.items()]
    return min(_MOST_STACK_GUARD, stack - max(end for end in ends if end <= stack))
