"""A key: hexadecimal digits to balanced signs, the same for ever."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from fixedpoint.errors import ConfigError

_DOMAIN = b"bittrue watermark signs v1"


@dataclass(frozen=True)
class Key:
    """The secret that embedder and detector share.

    Parameters
    ----------
    octets : bytes, 2 to 64
    """

    octets: bytes

    @classmethod
    def from_hex(cls, text: str) -> "Key":
        """Key of a string of 4 to 128 hexadecimal digits, an even number, in either case.

        Raises
        ------
        ConfigError
            Another length, or a character that is no hexadecimal digit.
        """
        accepted = "4 to 128 hexadecimal digits, an even number"
        digits = text.strip().removeprefix("0x")
        bad = next((c for c in digits if c not in "0123456789abcdefABCDEF"), None)
        if bad is not None:
            raise ConfigError(f"key {text!r}: {bad!r} is not a hexadecimal digit; needed are {accepted}")
        if len(digits) % 2 or not 4 <= len(digits) <= 128:
            raise ConfigError(f"key {text!r}: {len(digits)} digits found, needed are {accepted}")
        return cls(bytes.fromhex(digits))

    def signs(self, patterns: int, slots: int, bands: int) -> np.ndarray:
        """Signs of the marks, balanced: in every pattern and band as many +1 as -1 over the slots.

        Parameters
        ----------
        patterns : int, 1 or more; consecutive marks use pattern 0, 1, ... in turn
        slots : int, even
        bands : int

        Returns
        -------
        (patterns, slots, bands) int8, +1 or -1

        Notes
        -----
        Fixed for ever; another derivation needs another domain string. The octets of
        SHAKE-256(domain || length of the key as one octet || key) are drawn in order. Pattern by pattern,
        and in it band by band from the lowest, the column starts as +1 for the first half of the slots and
        -1 for the rest, and is shuffled after Fisher and Yates: for i from slots - 1 down to 1, an octet v
        is drawn, and drawn again while v >= 256 - 256 mod (i + 1) (so that all orders are equally likely),
        and entries i and v mod (i + 1) are exchanged.
        A steady sound has the same level in every slot, so that balance takes it out of the score. With
        independent uniform columns the score of any fixed audio has mean 0 and a sub-Gaussian tail. The
        patterns of consecutive marks differ so that this holds for their sum as well: a rhythm that comes
        again with the next mark meets other signs.
        Source: own design; SHAKE-256 is FIPS 202.
        """
        message = _DOMAIN + bytes([len(self.octets)]) + self.octets
        draws = _octets(message)
        half = slots // 2
        columns = np.empty((patterns, bands, slots), dtype=np.int8)
        for column in columns.reshape(-1, slots):
            column[:half], column[half:] = 1, -1
            for i in range(slots - 1, 0, -1):
                limit = 256 - 256 % (i + 1)
                v = next(draws)
                while v >= limit:
                    v = next(draws)
                j = v % (i + 1)
                column[i], column[j] = column[j], column[i]
        return np.ascontiguousarray(columns.transpose(0, 2, 1))


def _octets(message: bytes) -> Iterator[int]:
    """The octets of SHAKE-256(message), without end."""
    length, used = 1 << 14, 0
    while True:
        # hashlib gives a prefix of a wanted length: double it when it runs out.
        yield from hashlib.shake_256(message).digest(length)[used:]
        length, used = 2 * length, length
