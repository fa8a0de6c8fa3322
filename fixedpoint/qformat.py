"""Qm.n number formats: real numbers to integers and back, at the borders of the fixed-point code."""

import re
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fixedpoint.errors import ConfigError


@dataclass(frozen=True)
class QFormat:
    """Two's complement format of m integer bits, the sign among them, and n fractional bits.

    Parameters
    ----------
    m : int >= 1
    n : int >= 0; m + n must be 8, 16, 32 or 64

    Raises
    ------
    ConfigError
        Another width, m < 1 or n < 0.
    """

    m: int
    n: int

    def __post_init__(self) -> None:
        if self.m < 1 or self.n < 0 or self.m + self.n not in (8, 16, 32, 64):
            raise ConfigError(f"Q{self.m}.{self.n}: needs m >= 1, n >= 0 and m + n of 8, 16, 32 or 64 bits")

    def __str__(self) -> str:
        return f"Q{self.m}.{self.n}"

    @property
    def bits(self) -> int:
        """Width, sign included."""
        return self.m + self.n

    @property
    def dtype(self) -> np.dtype:
        """NumPy integer type that holds the format."""
        return np.dtype(f"int{self.bits}")

    @property
    def lsb(self) -> float:
        """Value of one LSB, 2**-n."""
        return 2.0**-self.n

    @property
    def min_int(self) -> int:
        """Lowest integer."""
        return -(1 << (self.bits - 1))

    @property
    def max_int(self) -> int:
        """Highest integer."""
        return (1 << (self.bits - 1)) - 1

    @property
    def min(self) -> float:
        """Lowest value, -2**(m-1)."""
        return self.min_int * self.lsb

    @property
    def max(self) -> float:
        """Highest value, 2**(m-1) - 2**-n (rounded to double at 64 bits)."""
        return self.max_int * self.lsb

    def quantise(self, x: npt.ArrayLike) -> np.ndarray:
        """Integers of real numbers: floor(x * 2**n + 1/2), RND, SAT.

        Parameters
        ----------
        x : array of float, any shape, finite

        Returns
        -------
        array of ``dtype``, same shape; 0-d for a scalar

        Raises
        ------
        ConfigError
            A value that is not finite.

        Notes
        -----
        Exact for every double: x * 2**n is a power-of-two scaling, and the fraction is compared with
        1/2 instead of adding 1/2, a sum that could itself round up.
        """
        x = np.asarray(x, dtype=np.float64)
        finite = np.isfinite(x)
        if not finite.all():
            index = tuple(int(i) for i in np.argwhere(~finite)[0])
            raise ConfigError(f"x[{', '.join(map(str, index))}]={x[index]}: {self} holds finite numbers only")
        scaled = np.ldexp(x, self.n)
        whole = np.floor(scaled)
        # floor(v + 1/2) without the sum: 1/2 - 2**-54 must round to 0.
        whole = np.where(scaled - whole >= 0.5, whole + 1, whole)
        # Comparisons in double; 2**63 - 1 is not a double, so the top is set by mask.
        top = whole >= 2.0 ** (self.bits - 1)
        bottom = whole < self.min_int
        y = np.where(top | bottom, 0.0, whole).astype(np.int64)
        y = np.where(top, self.max_int, np.where(bottom, self.min_int, y))
        return y.astype(self.dtype)

    def to_float(self, x: npt.ArrayLike) -> np.ndarray:
        """Values of integers in this format, x * 2**-n; exact up to 53 significant bits."""
        return np.ldexp(np.asarray(x, dtype=np.float64), -self.n)


def parse(text: str) -> QFormat:
    """QFormat of a name such as "Q1.15".

    Raises
    ------
    ConfigError
        Text of another form, or a width that is not 8, 16, 32 or 64.
    """
    match = re.fullmatch(r"[Qq](\d{1,2})\.(\d{1,2})", text)
    if match is None:
        raise ConfigError(f"format {text!r}: must read like Q1.15, sign bit counted before the point")
    return QFormat(int(match[1]), int(match[2]))


Q7 = QFormat(1, 7)
Q15 = QFormat(1, 15)
Q8_8 = QFormat(8, 8)
Q31 = QFormat(1, 31)
Q2_30 = QFormat(2, 30)
Q3_29 = QFormat(3, 29)
Q4_28 = QFormat(4, 28)
Q6_26 = QFormat(6, 26)
Q8_24 = QFormat(8, 24)
Q16_16 = QFormat(16, 16)
