"""A key: hexadecimal digits to balanced signs, the same for ever."""

import hashlib
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

    def signs(self, slots: int, bands: int) -> np.ndarray:
        """Signs of a mark, balanced: in every band as many +1 as -1.

        Parameters
        ----------
        slots : int, even
        bands : int

        Returns
        -------
        (slots, bands) int8, +1 or -1

        Notes
        -----
        Fixed for ever; another derivation needs another domain string. The octets of
        SHAKE-256(domain || length of the key as one octet || key) are drawn in order. Band by band, from
        the lowest, the column starts as +1 for the first half of the slots and -1 for the rest, and is
        shuffled after Fisher and Yates: for i from slots - 1 down to 1, an octet v is drawn, and drawn
        again while v >= 256 - 256 mod (i + 1) (so that all orders are equally likely), and entries i
        and v mod (i + 1) are exchanged.
        A steady sound has the same level in every slot, so that balance takes it out of the score. With
        independent uniform columns the score of any fixed audio has mean 0 and a sub-Gaussian tail.
        Source: own design; SHAKE-256 is FIPS 202.
        """
        message = _DOMAIN + bytes([len(self.octets)]) + self.octets
        # Rejection wastes less than half of the octets; the stream is extended until it suffices.
        length = 2 * slots * bands
        draws = iter(hashlib.shake_256(message).digest(length))
        half = slots // 2
        columns = np.repeat(np.array([1, -1], dtype=np.int8), half)[:, None].repeat(bands, axis=1)
        used = 0
        for band in range(bands):
            column = columns[:, band]
            for i in range(slots - 1, 0, -1):
                limit = 256 - 256 % (i + 1)
                v = 256
                while v >= limit:
                    if used == length:
                        length *= 2
                        draws = iter(hashlib.shake_256(message).digest(length)[used:])
                    v = next(draws)
                    used += 1
                j = v % (i + 1)
                column[i], column[j] = column[j], column[i]
        return columns
