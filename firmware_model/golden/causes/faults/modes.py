"""Which faults there are, in words, and what each of them may befall."""

from firmware_model.golden.causes.faults import primitives as faulty
from firmware_model.golden.causes.faults.rewriting import CONSTANT, ENTRY, LESS, PRODUCT, SHIFT, SUM

_ROUNDINGS = ("rnd_shift", "rnd_shift32", "sum_of_products", "mean")
_WIDE = ("rnd_shift", "trn_shift", "sat16", "sat32", "sum_of_products", "mean")
# Which primitives a mode alters, the likeliest first.
MODES: dict[int, tuple[str, ...]] = {
    faulty.TRUNCATE: _ROUNDINGS,
    faulty.WRAP: ("sat16", "sat32", "clip"),
    faulty.WORD_32: _WIDE,
    faulty.WORD_40: _WIDE,
    faulty.TOWARDS_ZERO: (*_ROUNDINGS, "trn_shift"),
    faulty.EVEN: _ROUNDINGS,
    faulty.AWAY: _ROUNDINGS,
    faulty.ROUND: ("trn_shift",),
}
# What else they may befall in a search.
OPERATORS: dict[int, tuple[str, ...]] = {
    faulty.WORD_32: (SUM,),
    faulty.WORD_40: (SUM,),
    faulty.TOWARDS_ZERO: ("trn_shift32", SHIFT),
    faulty.ROUND: ("trn_shift32",),
    faulty.SATURATED: (SUM,),
    faulty.LOGICAL_32: ("rnd_shift", "trn_shift", "rnd_shift32", "trn_shift32", SHIFT),
    faulty.LOGICAL_64: ("rnd_shift", "trn_shift", SHIFT),
    faulty.NARROW: (PRODUCT,),
    faulty.NEIGHBOUR: (LESS,),
    faulty.ALTERED: (CONSTANT, ENTRY),
}
KINDS = {
    faulty.TRUNCATE: "truncation for rounding",
    faulty.WRAP: "wrap for saturation",
    faulty.WORD_32: "32-bit accumulator",
    faulty.WORD_40: "40-bit accumulator",
    faulty.TOWARDS_ZERO: "rounding towards zero",
    faulty.EVEN: "rounding of halves to even",
    faulty.AWAY: "rounding of halves away from zero",
    faulty.ROUND: "rounding for truncation",
    faulty.SATURATED: "32-bit saturating accumulator",
    faulty.LOGICAL_32: "logical shift of a 32-bit word for arithmetic",
    faulty.LOGICAL_64: "logical shift of a 64-bit word for arithmetic",
    faulty.NARROW: "product of 32 bits",
    faulty.NEIGHBOUR: "comparison off by one",
    faulty.ALTERED: "wrong constant",
}


def befalls(mode: int) -> tuple[str, ...]:
    """What a mode may befall."""
    return (*MODES.get(mode, ()), *OPERATORS.get(mode, ()))
