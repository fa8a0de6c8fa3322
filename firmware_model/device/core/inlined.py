"""Which function of the source an instruction is of, though the compiler put it into a caller.

From debugging information (DWARF 4, as `build.compile_firmware` asks for): a function's own addresses, and
within them those of each function that was inlined, and within those again.
"""

from collections.abc import Iterator, Set
from typing import Any


def functions_by_address(path: str, folded: Set[str] = frozenset()) -> dict[int, str]:
    """The innermost function of each address.

    Parameters
    ----------
    path : of an ELF file
    folded : functions that count as a part of the one they are inlined into, such as arithmetic

    Returns
    -------
    dict : by address of a halfword; empty where the file has no debugging information
    """
    from elftools.elf.elffile import ELFFile

    found: dict[int, str] = {}
    with open(path, "rb") as file:
        elf = ELFFile(file)
        if not elf.has_dwarf_info():
            return found
        dwarf = elf.get_dwarf_info()
        for unit in dwarf.iter_CUs():
            _note(unit.get_top_DIE(), "", folded, dwarf.range_lists(), found)
    return found


def _note(entry: Any, outer: str, folded: Set[str], lists: Any, found: dict[int, str]) -> None:
    """Addresses of an entry, then of those within it."""
    inlined = entry.tag == "DW_TAG_inlined_subroutine"
    name = outer
    if inlined or entry.tag == "DW_TAG_subprogram":
        own = _name(entry)
        name = outer if inlined and own in folded else own
        for start, stop in _ranges(entry, lists):
            found.update(dict.fromkeys(range(start, stop, 2), name))
    for within in entry.iter_children():
        _note(within, name, folded, lists, found)


def _name(entry: Any) -> str:
    """An inlined function's name stands where the function does."""
    while "DW_AT_name" not in entry.attributes and "DW_AT_abstract_origin" in entry.attributes:
        entry = entry.get_DIE_from_attribute("DW_AT_abstract_origin")
    name = entry.attributes.get("DW_AT_name")
    return name.value.decode() if name else ""


def _ranges(entry: Any, lists: Any) -> Iterator[tuple[int, int]]:
    """(first address, the one behind the last)."""
    low, high = (entry.attributes.get(f"DW_AT_{end}_pc") for end in ("low", "high"))
    if low is not None and high is not None:
        yield low.value, high.value if high.form == "DW_FORM_addr" else low.value + high.value
    elif "DW_AT_ranges" in entry.attributes:
        base = entry.cu.get_top_DIE().attributes["DW_AT_low_pc"].value
        for each in lists.get_range_list_at_offset(entry.attributes["DW_AT_ranges"].value, entry.cu):
            if hasattr(each, "base_address"):
                base = each.base_address
            else:
                yield base + each.begin_offset, base + each.end_offset
