"""The layout: its numbers by hand, and every refusal."""

import numpy as np
import pytest

from firmware_model.watermark.key import Key
from firmware_model.watermark.params import WatermarkConfig, pack_signs, quantise
from firmware_model.watermark.state import init_state, state_bytes
from fixedpoint.errors import ConfigError


def test_default_layout_by_hand():
    c = WatermarkConfig()
    # bin 20 = 156.25 Hz; bins 20 to 895 in pairs up to 7000 Hz = bin 896
    assert (c.first_bin, c.bands, c.band_bins) == (20, 438, 2)
    assert c.band_edges_hz[[0, -1]].tolist() == [156.25, 7000.0]
    assert (c.slot_samples, c.mark_samples, c.mark_seconds) == (4096, 32768, 2.048)
    assert (c.mark_hops, c.hold_hops, c.lockout_hops) == (64, 16, 32)


def test_integers_by_hand():
    config = WatermarkConfig()
    params = quantise(config, Key.from_hex("5eed").signs(4, 8, 438)[None])
    assert params.threshold_q9 == 2816  # 5.5 * 512
    assert params.slot_scale_q31 == 1 << 26  # 1 / 32
    assert params.slots_log2_q24 == 47099600  # log2(7) * 2**24
    assert params.silence_variance == 7 * 8 * 438 * 9
    assert params.root_q15.tolist() == [32768, 23170, 18919, 16384]
    assert params.signs.shape == (1, 8 * 28 * 2)  # four patterns a row, 16 bands of two patterns a word


@pytest.mark.parametrize(
    ("changes", "keys", "size"),
    [
        ({}, 1, 57428),
        ({}, 4, 63632),
        ({}, 8, 71904),
        ({"max_marks": 1}, 1, 55508),
        ({"hop": 1024}, 1, 57428),
        ({"hop": 1024, "slot_hops": 4}, 1, 38436),
    ],
)
def test_state_bytes_of_each_configuration(changes, keys, size):
    config = WatermarkConfig(**changes)
    signs = np.stack(
        [Key(bytes([k, k])).signs(config.max_marks, config.slots, config.bands) for k in range(keys)]
    )
    assert state_bytes(init_state(quantise(config, signs))) == size


@pytest.mark.parametrize(
    ("name", "value", "accepted"),
    [
        ("fs_hz", 4000, "8000 to 48000"),
        ("fft_size", 1000, "256, 512, 1024, 2048"),
        ("hop", 32, "64 to 2048"),
        ("hop", 4096, "64 to 2048"),
        ("slots", 2, "4 to 32"),
        ("slots", 7, "even"),
        ("slot_hops", 0, "1 to 64"),
        ("band_bins", 3, "1, 2, 4, 8 or 16"),
        ("max_marks", 17, "1 to 16"),
        ("threshold", 0.5, "1 to 60"),
        ("threshold", float("nan"), "1 to 60"),
        ("low_hz", 0.0, "to 8000"),
        ("high_hz", 9000.0, "to 8000"),
        ("high_hz", 300.0, "need 16"),
    ],
)
def test_bad_layout_names_argument_found_and_accepted(name, value, accepted):
    with pytest.raises(ConfigError) as error:
        WatermarkConfig(**{name: value})
    assert f"{name}={value}" in str(error.value)
    assert accepted in str(error.value)


def test_signs_as_bits_by_hand():
    # Three patterns, one slot, 18 bands: +1 in bands 0 and 17 of pattern 0, 15 of pattern 1, 1 of pattern 2.
    signs = np.full((1, 3, 1, 18), -1, np.int8)
    signs[0, [0, 0, 1, 2], 0, [0, 17, 15, 1]] = 1
    assert pack_signs(signs).tolist() == [[0x80000001 - 2**32, 0x2, 0x2, 0x0]]


@pytest.mark.parametrize("max_marks", [1, 2, 3, 4, 5, 16])
def test_signs_as_bits_give_the_signs_back(max_marks):
    signs = np.stack([Key.from_hex(key).signs(max_marks, 6, 35) for key in ("5eed", "00ff")])
    quads = -(-max_marks // 4)
    words = pack_signs(signs).astype(np.int64).reshape(2, quads, 6, 3, 2)
    for (key, pattern, slot, band), sign in np.ndenumerate(signs):
        word = words[key, pattern // 4, slot, band // 16, pattern // 2 % 2]
        assert word >> (band % 16 + 16 * (pattern % 2)) & 1 == (sign > 0)


def test_signs_of_another_layout_are_refused():
    with pytest.raises(ConfigError, match=r"must be \(keys, 4, 8, 438\)"):
        quantise(WatermarkConfig(), Key.from_hex("5eed").signs(2, 8, 438)[None])
