"""The masking model: published curves by hand, what noise and tones mask, and what time does."""

import numpy as np
import pytest

from firmware_model.watermark.embedding.masking import (
    FORWARD_DECAY_DB_PER_S,
    NOISE_OFFSET_DB,
    TONE_OFFSET_DB,
    analyse,
    band_energies,
    bark,
    init_masking,
    masked_threshold,
    masking_offset_db,
    spread_over_bins,
    spreading_db,
    synthesise,
    temporal_dip,
    tonality,
)

FS_HZ = 16000
FRAME = 2048
MEASURED_SYNTHESIS_ERROR = 6.7e-16  # white noise of 0.1 RMS


@pytest.fixture(scope="module")
def model():
    return init_masking(FS_HZ, FRAME)


def test_bark_by_hand():
    # 1 kHz: 13 atan(0.76) + 3.5 atan(0.01778) = 13 * 0.64991 + 3.5 * 0.01778 = 8.449 + 0.062
    assert bark(np.array([0.0, 1000.0])) == pytest.approx([0.0, 8.511], abs=5e-4)


def test_spreading_by_hand():
    # At the masker u = 0.474: 15.81 + 3.555 - 17.5 * 1.10666 = -0.0015 dB. Far off the root is |u|, and the
    # slopes are 7.5 + 17.5 = 25 dB/Bark below and 7.5 - 17.5 = -10 dB/Bark above.
    assert spreading_db(np.array([0.0]))[0] == pytest.approx(-0.0015, abs=5e-4)
    below, above = (
        np.diff(spreading_db(np.array([-20.0, -19.0]))),
        np.diff(spreading_db(np.array([19.0, 20.0]))),
    )
    assert below[0] == pytest.approx(25, abs=0.03)
    assert above[0] == pytest.approx(-10, abs=0.03)


def test_offset_by_hand():
    # Half way between -3 dB (noise) and -15 dB (tone) is -9 dB: a = 1/2; at z = 10: (24.5 + 5.5)/2 = 15.
    assert tonality(np.array([0.0, -3.0, -9.0, -15.0, -60.0])).tolist() == [0, 0, 0.5, 1, 1]
    assert masking_offset_db(np.array([0.0, 0.5, 1.0]), np.array(10.0)).tolist() == [5.5, 15.0, 24.5]


def test_every_bin_belongs_to_one_band(model):
    assert model.first_bin[0] == 0
    assert model.first_bin[-1] == FRAME // 2 + 1
    power = np.arange(1.0, FRAME // 2 + 2)[None, :]
    energy = band_energies(power, model.first_bin)
    assert energy.sum() == power.sum()
    # 500 Hz is bin 64 and z = 4.74: band 9, from 4.5 to 5 Bark.
    assert model.first_bin[9] <= 64 < model.first_bin[10]
    assert spread_over_bins(model, energy).sum() == pytest.approx(power.sum(), rel=1e-14)


def test_a_band_without_bins_has_no_energy():
    assert band_energies(np.ones((1, 4)), np.array([0, 2, 2, 4])).tolist() == [[2.0, 0.0, 2.0]]


def test_synthesis_undoes_analysis(model, rng):
    x = 0.1 * rng.standard_normal(16 * FRAME)
    y = synthesise(model, analyse(model, x), len(x))
    error = np.abs(y - x)[FRAME:-FRAME].max()
    assert error <= 2 * MEASURED_SYNTHESIS_ERROR, f"measured {error:.2e}"


def test_white_noise_masks_5_5_db_below_itself(model, rng):
    x = 0.1 * rng.standard_normal(FS_HZ * 20)
    spectrum = analyse(model, x)
    threshold = masked_threshold(model, spectrum)
    spread = band_energies(np.abs(spectrum) ** 2, model.first_bin) @ model.spreading.T
    # Flatness scatters about -2.5 dB in bands of few bins, hence the small share of tonal offset.
    offset_db = 10 * np.log10(spread.mean(axis=0) / threshold.mean(axis=0))[16:]  # bands of 10 bins or more
    assert offset_db.min() >= NOISE_OFFSET_DB - 0.01
    assert offset_db.max() <= NOISE_OFFSET_DB + 2 * 0.45, f"measured {offset_db.max():.2f}"


def test_a_tone_masks_14_5_db_plus_z_below_itself(model):
    x = 0.5 * np.sin(2 * np.pi * 3001.0 / FS_HZ * np.arange(4 * FRAME))
    spectrum = analyse(model, x)
    z = float(bark(np.array([3001.0]))[0])
    band = int(z / 0.5)
    energy = band_energies(np.abs(spectrum) ** 2, model.first_bin)[:, band]
    drop_db = 10 * np.log10(energy / masked_threshold(model, spectrum)[:, band])
    spread_db = -10 * np.log10(model.spreading[band, band])
    np.testing.assert_allclose(drop_db, TONE_OFFSET_DB + model.bark[band] + spread_db, atol=0.01)


def test_threshold_follows_level(model, rng):
    x = 0.1 * rng.standard_normal(8 * FRAME)
    full = masked_threshold(model, analyse(model, x), temporal_dip(model, x))
    half = masked_threshold(model, analyse(model, x / 2), temporal_dip(model, x / 2))
    np.testing.assert_allclose(half, full / 4, rtol=1e-6)


def test_silence_has_a_finite_threshold(model):
    x = np.zeros(4 * FRAME)
    threshold = masked_threshold(model, analyse(model, x), temporal_dip(model, x))
    assert np.isfinite(threshold).all()
    assert (threshold > 0).all()
    assert threshold.max() < 1e-9


def test_a_steady_band_has_no_dip(model, rng):
    dip = temporal_dip(model, 0.1 * rng.standard_normal(FS_HZ * 5))
    assert dip.max() <= 1.0
    assert np.median(dip[:, 20:]) > 0.85


def test_frames_before_an_onset_lose_their_masking_and_frames_after_an_end_keep_it(model, rng):
    n = 8 * FRAME
    x = np.zeros(n)
    x[4 * FRAME :] = 0.1 * rng.standard_normal(n - 4 * FRAME)
    half = 4 * FRAME // model.hop - 2  # the frame whose second half sounds
    onset = temporal_dip(model, x)[half]
    end = temporal_dip(model, x[::-1].copy())[-1 - half]
    assert 10 * np.log10(onset[20]) < -40
    # Its first half sounds, and then forward masking falls by 3 dB in 8 ms: 24 dB in the other half.
    assert -20 < 10 * np.log10(end[20]) < -3


def test_forward_masking_is_the_recursion(model, rng):
    # e(i) = max(E(i), k e(i-1)), k = -3 dB per short hop of 128 samples, step by step
    assert model.decay_db == FORWARD_DECAY_DB_PER_S * 128 / FS_HZ == 3.0
    x = 0.1 * rng.standard_normal(6 * FRAME) * (np.arange(6 * FRAME) % 3000 < 600)
    short = np.array([np.fft.rfft(x[i : i + 512] * model.short_window) for i in range(0, len(x) - 511, 128)])
    held = band_energies(np.abs(short) ** 2, model.short_first_bin)
    for i in range(1, len(held)):
        held[i] = np.maximum(held[i], 10**-0.3 * held[i - 1])
    held += 1e-9
    dip = np.array(
        [
            np.mean(h**-0.5, axis=0) ** -2 / np.mean(h, axis=0)
            for h in (held[4 * t : 4 * t + 13] for t in range(21))
        ]
    )
    dip[:, np.diff(model.short_first_bin) == 0] = 1.0
    np.testing.assert_allclose(temporal_dip(model, x), dip, rtol=2e-9)


def test_threshold_does_not_look_past_its_frame(model, rng):
    x = 0.1 * rng.standard_normal(8 * FRAME)
    changed = x.copy()
    changed[5 * FRAME :] = 0
    past = (4 * FRAME) // model.hop + 1  # frames that end by then
    before = masked_threshold(model, analyse(model, x), temporal_dip(model, x))[:past]
    after = masked_threshold(model, analyse(model, changed), temporal_dip(model, changed))[:past]
    np.testing.assert_array_equal(before, after)


def test_too_short_for_a_frame(model):
    x = np.zeros(FRAME - 1)
    assert analyse(model, x).shape == (0, FRAME // 2 + 1)
    assert temporal_dip(model, x).shape == (0, len(model.bark))
