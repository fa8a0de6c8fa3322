"""Format proposals: the smallest word that keeps a node's range and its signal to quantisation noise."""

from typing import NamedTuple

import numpy as np

from firmware_model.golden.ranges.measured import NodeRange, requantise, width

WORDS = (8, 16, 24, 32, 40, 48, 64)  # that memories and DSPs have
LOSS_DB = 1.0  # where a node itself does not reach what is asked for, the proposal loses no more than this


class Proposal(NamedTuple):
    """A format for a node, no larger than its own.

    m, n : integer bits, the sign among them, and fractional bits
    derived : whether m holds the derived worst case; else it holds what was observed, and the margin, or is
        the node's own, beyond which no value lies
    row : index of the row with the least SQNR
    sqnr_db : in that row, of the node requantised to this format against the float64 node
    reached : whether every row keeps the SQNR asked for; else those that have less lose at most LOSS_DB
    """

    m: int
    n: int
    derived: bool
    row: int
    sqnr_db: float
    reached: bool

    def __str__(self) -> str:
        return f"Q{self.m}.{self.n}"

    @property
    def bits(self) -> int:
        """Width, sign included."""
        return self.m + self.n

    @property
    def word(self) -> int:
        """Bits of the smallest word that holds it."""
        return next(word for word in WORDS if self.bits <= word)


def propose(
    found: NodeRange, sqnr_db: float, margin_bits: int, peak_gain: np.ndarray | None = None
) -> Proposal | None:
    """The smallest format, or None where the float64 node is silent and so has no SQNR.

    Parameters
    ----------
    found : with an excerpt compared
    sqnr_db : wanted in every row
    margin_bits : of headroom over what was observed; a derived range needs none, since no input exceeds it
    peak_gain : (rows,) from `worst_case.peak_gains`, finite; None goes by what was observed

    Notes
    -----
    n is the least for which each row keeps `sqnr_db`, or its own SQNR - LOSS_DB where that is less than
    `sqnr_db`, when the node is requantised, RND, which `NodeRange.compare` has done for every n. m then holds
    the extremes as rounded, but is never more than the node's own: what rounds up to its full scale
    saturates, in `compare` too. So the SQNR stated is that of the proposed format.
    """
    present = found.sqnr_db()
    heard = ~np.isnan(present)
    if not heard.any():
        return None
    wanted = np.where(present[heard] >= sqnr_db, sqnr_db, present[heard] - LOSS_DB)
    n = found.node.fmt.n
    while n > 0 and (found.sqnr_db(n - 1)[heard] >= wanted).all():
        n -= 1
    shift = found.node.fmt.n - n
    observed = width(requantise(int(found.low.min()), shift), requantise(int(found.high.max()), shift)) - n
    bound = 1 if peak_gain is None else _integer_bits(float(peak_gain.max()))
    needed = max(bound, observed + (margin_bits if peak_gain is None else 0))
    m = min(needed, found.node.fmt.m)
    sqnr = found.sqnr_db(n)
    row = int(np.nanargmin(sqnr))
    reached = bool((sqnr[heard] >= sqnr_db).all())
    return Proposal(m, n, peak_gain is not None and m >= bound, row, float(sqnr[row]), reached)


def _integer_bits(peak: float) -> int:
    """Least m, the sign among its bits, with peak < 2^(m - 1)."""
    return max(1, 1 + int(np.frexp(peak)[1]))
