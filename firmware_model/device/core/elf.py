"""Firmware in an ELF file: what is loaded where, and the names of its functions and data."""

import bisect
import re
from pathlib import Path
from typing import Any, NamedTuple

from fixedpoint.errors import ConfigError, names_like

_NEAR = 3  # names suggested for one that is not there
_ADDRESS = re.compile(r"0[xX][0-9a-fA-F]{1,8}")


class Symbol(NamedTuple):
    """A function or an object.

    address : without the Thumb bit;  size : bytes, 0 where it is not known
    file : source file of a static one, "" of a global one
    """

    name: str
    address: int
    size: int
    file: str = ""


class Segment(NamedTuple):
    """What is loaded.

    address : where the program finds it;  load_address : where it lies in flash
    content : bytes of the file;  size : in memory, what is beyond the content is zeros
    writable, executable : as the linker says
    """

    address: int
    load_address: int
    content: bytes
    size: int
    writable: bool
    executable: bool


class Section(NamedTuple):
    """A section that occupies memory. allocated : bytes of flash if stored, and of RAM if writable"""

    name: str
    address: int
    size: int
    writable: bool
    executable: bool
    stored: bool


class Firmware(NamedTuple):
    """An ELF file for a Cortex-M.

    functions, objects : by address
    labels : names of no type, of assembler and linker scripts, by address; a label of code has no Thumb bit
    """

    path: str
    segments: tuple[Segment, ...]
    sections: tuple[Section, ...]
    functions: tuple[Symbol, ...]
    objects: tuple[Symbol, ...]
    labels: tuple[Symbol, ...] = ()

    def symbol(self, name: str) -> Symbol:
        """The function, object or label of a name, of "file.c:name", or what lies at "0x20000100".

        Raises
        ------
        ConfigError
            There is none: names like it; or several of the name, at other addresses.
        """
        if _ADDRESS.fullmatch(name):
            return self._at(name, int(name, 16))
        file, _, bare = name.rpartition(":")
        every = (*self.functions, *self.objects, *self.labels)
        found = [s for s in every if s.name == bare and (not file or _is_of_file(s.file, file))]
        places: dict[int, Symbol] = {}
        for symbol in found:
            places.setdefault(symbol.address, symbol)
        if len(places) == 1:
            return found[0]
        if places:
            raise ConfigError(f"{self.path}: symbol {name!r}: {_several(list(places.values()))}")
        names = {symbol.name for symbol in every}
        files = {symbol.file for symbol in every if symbol.name == bare}
        near = [f"{of}:{bare}" if of else bare for of in sorted(files)] or names_like(bare, names, _NEAR)
        says = f"; there is {', '.join(near[:_NEAR])}" if near else ""
        if not names:
            says = "; its symbol table is empty, link without --strip-all"
        raise ConfigError(f"{self.path}: symbol {name!r} not found{says}")

    def _at(self, name: str, address: int) -> Symbol:
        """What lies at an address: its size is what is left of the object or function there."""
        for symbol in (*self.functions, *self.objects):
            if symbol.address <= address < symbol.address + symbol.size:
                inside = symbol in self.functions and address & 1
                return Symbol(name, address - inside, symbol.address + symbol.size - address + inside)
        code = any(s.address <= address < s.address + s.size for s in self.sections if s.executable)
        return Symbol(name, address & ~1 if code else address, 0)

    def extent(self, symbol: Symbol) -> int:
        """Bytes of a symbol; of one without a size those up to the next object, 0 where there is none."""
        if symbol.size:
            return symbol.size
        behind = [other.address for other in self.objects if other.address > symbol.address]
        ends = (s.address + s.size for s in self.segments if s.address <= symbol.address < s.address + s.size)
        end = next(ends, 0)
        return min(behind) - symbol.address if behind and min(behind) < end else 0

    def is_code(self, symbol: Symbol) -> bool:
        """Whether it is a function, or a label or an address in an executable section."""
        inside = (s.address <= symbol.address < s.address + s.size for s in self.sections if s.executable)
        return symbol in self.functions or (symbol not in self.objects and any(inside))

    def function_at(self, address: int) -> Symbol | None:
        """The function that an address lies in."""
        i = bisect.bisect_right(self.functions, address, key=lambda symbol: symbol.address) - 1
        if i < 0:
            return None
        found = self.functions[i]
        ends = found.address + found.size if found.size else self._end_of_code(found.address)
        return found if address < ends else None

    def place(self, address: int) -> str:
        """ "limit_block+0x12", or "no function" for an address outside of all."""
        found = self.function_at(address)
        return f"{found.name}+{address - found.address:#x}" if found else "no function"

    def _end_of_code(self, address: int) -> int:
        ends = (s.address + s.size for s in self.segments if s.address <= address < s.address + s.size)
        return next(ends, 0)


def _is_of_file(found: str, asked: str) -> bool:
    """Whether a symbol's source file is the one that is asked for, with or without folders in front."""
    return found == asked or Path(found).name == asked or found.endswith(f"/{asked}")


def _several(symbols: list[Symbol]) -> str:
    """Symbols of one name: where each lies, and how to say which."""
    shown = " and ".join(f"{s.address:#010x} ({s.file or 'global'})" for s in symbols[:_NEAR])
    more = f" and {len(symbols) - _NEAR} more" if len(symbols) > _NEAR else ""
    static = next((s for s in symbols if s.file), symbols[0])
    way = f"{Path(static.file).name}:{static.name}" if static.file else f"{static.address:#x}"
    return f"{len(symbols)} found, at {shown}{more}; one of them needed, such as {way} or its address"


def load_elf(path: str | Path) -> Firmware:
    """Read an ELF file for a Cortex-M.

    Raises
    ------
    ConfigError
        No file, no ELF, for another machine, big-endian, or not linked to fixed addresses.
    OSError
        Unreadable.
    """
    from elftools.common.exceptions import ELFError
    from elftools.elf.elffile import ELFFile

    if Path(path).is_dir() or not Path(path).exists():
        found = "a folder" if Path(path).is_dir() else "no such file"
        raise ConfigError(f"{path}: {found}; an ELF file needed, firmware linked for a Cortex-M")
    with open(path, "rb") as file:
        if file.read(4) != b"\x7fELF":
            raise ConfigError(f"{path}: not an ELF file; firmware linked for a Cortex-M needed")
        file.seek(0)
        try:
            elf = ELFFile(file)
            _require_cortex_m(str(path), elf)
            symbols = _symbols(elf)
            segments = tuple(_segment(part) for part in elf.iter_segments() if _is_loaded(part))
            sections = tuple(_section(part) for part in elf.iter_sections() if part["sh_flags"] & 2)
        except (ELFError, ValueError, KeyError, AttributeError, IndexError, OverflowError) as error:
            if isinstance(error, ConfigError):
                raise
            raise ConfigError(f"{path}: damaged ELF file: {error or type(error).__name__}") from error
    if not segments:
        raise ConfigError(f"{path}: nothing to load; a linked program needed")
    return Firmware(str(path), segments, sections, *symbols)


def _require_cortex_m(path: str, elf: Any) -> None:
    machine = elf.header["e_machine"]
    if machine != "EM_ARM" or elf.elfclass != 32:
        found = f"{elf.get_machine_arch()} ({elf.elfclass} bit)"
        raise ConfigError(f"{path}: built for {found}; 32-bit ARM needed, for a Cortex-M")
    if not elf.little_endian:
        raise ConfigError(f"{path}: big-endian; little-endian needed")
    kind = elf.header["e_type"]
    if kind == "ET_REL":
        raise ConfigError(
            f"{path}: an object file, not linked; link it to addresses first, such as "
            "arm-none-eabi-gcc -nostdlib -T memory.ld -o fw.elf"
        )
    if kind != "ET_EXEC":
        found = kind if isinstance(kind, str) else f"e_type {kind}"  # a number that has no name
        raise ConfigError(f"{path}: {found} found; a program linked to fixed addresses (ET_EXEC) needed")
    profile = _profile(elf)
    if profile not in ("", "M"):
        raise ConfigError(f"{path}: built for the {profile} profile of ARM; the M profile needed, a Cortex-M")


def _profile(elf: Any) -> str:
    """ "A", "R" or "M" of ARM's build attributes; "" where they do not say."""
    section = elf.get_section_by_name(".ARM.attributes")
    if section is None:
        return ""
    for part in section.subsections:
        for attributes in part.subsubsections:
            for attribute in attributes.iter_attributes("TAG_CPU_ARCH_PROFILE"):
                return chr(attribute.value) if attribute.value else ""
    return ""


def _symbols(elf: Any) -> tuple[tuple[Symbol, ...], ...]:
    """Functions, objects and labels, by address."""
    table = elf.get_section_by_name(".symtab")
    file = ""
    found: dict[str, set[Symbol]] = {"STT_FUNC": set(), "STT_OBJECT": set(), "STT_NOTYPE": set()}
    for symbol in table.iter_symbols() if table else ():
        kind = symbol["st_info"]["type"]
        marks_code_or_data = symbol.name.startswith("$")  # $t, $d: of ARM's ELF, for disassemblers
        if kind == "STT_FILE":  # of the local symbols that follow
            file = symbol.name
        if kind in found and symbol.name and symbol["st_shndx"] != "SHN_UNDEF" and not marks_code_or_data:
            address = symbol["st_value"] & (~1 if kind == "STT_FUNC" else ~0)
            local = symbol["st_info"]["bind"] == "STB_LOCAL"
            found[kind].add(Symbol(symbol.name, address, symbol["st_size"], file if local else ""))
    return tuple(
        tuple(sorted(symbols, key=lambda s: (s.address, s.size, s.name))) for symbols in found.values()
    )


def _is_loaded(part: Any) -> bool:
    return part["p_type"] == "PT_LOAD" and part["p_memsz"] > 0


def _segment(part: Any) -> Segment:
    content = part.data()
    if len(content) != part["p_filesz"] or part["p_memsz"] < part["p_filesz"]:
        raise ValueError("a segment is cut off")
    flags = part["p_flags"]
    return Segment(
        part["p_vaddr"], part["p_paddr"], content, part["p_memsz"], bool(flags & 2), bool(flags & 1)
    )


def _section(part: Any) -> Section:
    flags = part["sh_flags"]
    stored = part["sh_type"] != "SHT_NOBITS"
    return Section(part.name, part["sh_addr"], part["sh_size"], bool(flags & 1), bool(flags & 4), stored)
