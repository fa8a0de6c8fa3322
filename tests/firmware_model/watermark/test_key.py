"""A key's signs: by hand, for ever, balanced, unlike one another."""

import hashlib

import numpy as np
import pytest

from firmware_model.watermark.key import Key
from fixedpoint.errors import ConfigError


def test_first_column_drawn_by_hand():
    # Domain, one octet of length, the key: the first octets shuffle pattern 0, band 0, four slots.
    stream = hashlib.shake_256(b"bittrue watermark signs v1\x02\x5e\xed").digest(64)
    column, used = [1, 1, -1, -1], 0
    for i in (3, 2, 1):
        while stream[used] >= 256 - 256 % (i + 1):
            used += 1
        j = stream[used] % (i + 1)
        used += 1
        column[i], column[j] = column[j], column[i]
    assert Key.from_hex("5eed").signs(1, 4, 1)[0, :, 0].tolist() == column


def test_signs_are_the_same_for_ever():
    signs = Key.from_hex("5eed").signs(4, 8, 438)
    assert signs.dtype == np.int8
    digest = hashlib.sha256(signs.tobytes()).hexdigest()
    assert digest == "5c7ed2fe0bf7fabac029156bf547a97c304f18d6df8761ea4bc21df0def030ad"


def test_every_band_of_every_pattern_is_balanced():
    signs = Key.from_hex("00ff").signs(4, 8, 438)
    assert set(np.unique(signs)) == {-1, 1}
    assert not signs.sum(axis=1).any()


def test_more_patterns_leave_the_first_as_they_are():
    key = Key.from_hex("c0ffee00")
    assert np.array_equal(key.signs(1, 8, 438)[0], key.signs(4, 8, 438)[0])


def test_stream_goes_on_beyond_its_first_length():
    # 64 patterns of 438 bands need about 200,000 octets; the first digest has 16,384.
    signs = Key.from_hex("5eed").signs(64, 8, 438)
    assert np.array_equal(signs[:4], Key.from_hex("5eed").signs(4, 8, 438))
    assert not signs.sum(axis=1).any()


def test_all_orders_of_a_column_are_equally_likely():
    # 70 orders of four + and four -; chi-square with 69 degrees of freedom, 99.9 % below 111.1.
    signs = Key.from_hex("5eed").signs(64, 8, 438).transpose(0, 2, 1).reshape(-1, 8)
    code = (signs > 0) @ (1 << np.arange(8))
    counts = np.unique(code, return_counts=True)[1]
    expected = len(code) / 70
    chi_square = ((counts - expected) ** 2 / expected).sum()
    assert len(counts) == 70
    assert chi_square < 111.1, f"chi-square {chi_square:.1f}"


def test_other_keys_have_uncorrelated_signs():
    # Standard deviation of the mean product over 4 * 8 * 438 balanced signs is 0.009.
    a = Key.from_hex("5eed").signs(4, 8, 438).astype(int)
    for other in ("5eee", "005eed", "5eed00"):
        mean = (a * Key.from_hex(other).signs(4, 8, 438)).mean()
        assert abs(mean) < 0.036, f"{other}: {mean:.4f}"


def test_hexadecimal_in_either_case_and_with_prefix():
    assert Key.from_hex("5EED") == Key.from_hex("0x5eed") == Key.from_hex(" 5eed ")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", "0 digits"),
        ("ab", "2 digits"),
        ("5eed5", "5 digits"),
        ("5e…d", "'…'"),
        ("xyzw", "'x'"),
        ("0" * 130, "130 digits"),
    ],
)
def test_bad_key_names_what_was_found_and_what_is_accepted(text, found):
    with pytest.raises(ConfigError, match="4 to 128 hexadecimal digits") as error:
        Key.from_hex(text)
    assert found in str(error.value)
    assert "\n" not in str(error.value)
