"""Block-floating FFT: exact cases, no overflow at the worst inputs, SNR against numpy.fft, CMSIS-DSP."""

import numpy as np
import pytest

from firmware_model.golden.library.kernel_cases.primitives import worst_stage
from fixedpoint.errors import ConfigError
from fixedpoint.filters.fft import FFT_SIZES, init_fft, rfft_bfp, stage_radix4

# Measured: the least SNR over the signals and levels of `signals`, and over impulses.
MEASURED_DB = {256: 149.9, 512: 146.7, 1024: 143.7, 2048: 140.4}
MEASURED_IMPULSE_DB = {256: 149.5, 512: 148.5, 1024: 141.9, 2048: 142.0}
TWICE_THE_ERROR_DB = 6.0


def transform(x):
    """Mantissas and exponent of a frame."""
    n = len(x)
    z = np.empty(n + 2, np.int32)
    exponent = rfft_bfp(init_fft(n), x, z)
    return z[0::2], z[1::2], exponent


def spectrum(x):
    """Complex spectrum of a frame."""
    re, im, exponent = transform(x)
    return (re + 1j * im) * 2.0**exponent


def snr_db(got, reference):
    error = np.sum(np.abs(got - reference) ** 2)
    return np.inf if error == 0 else 10 * np.log10(np.sum(np.abs(reference) ** 2) / error)


def signals(n, dbfs):
    """Tones on and between bins, square waves and white noise, at a peak level, quantised to Q1.15."""
    rng = np.random.default_rng(0)
    i = np.arange(n)
    amplitude = 32767 * 10 ** (dbfs / 20)
    for bin_ in [*rng.uniform(0, n / 2, 40), 1, 17, n / 8, n / 4]:
        for phase in (0, 0.3):
            yield amplitude * np.cos(2 * np.pi * bin_ * i / n + phase)
    for period in (2, 3, 7, 10, 32, 100, 333):
        yield np.where(i % period < period / 2, amplitude, -amplitude)
    for _ in range(20):
        yield amplitude * rng.uniform(-1, 1, n)


# --- by hand ---------------------------------------------------------------------------------


@pytest.mark.parametrize("n", FFT_SIZES)
def test_constant_puts_its_sum_into_bin_zero(n):
    re, im, exponent = transform(np.full(n, -32768, np.int32))
    assert int(re[0]) * 2.0**exponent == -32768 * n
    assert not re[1:].any()
    assert not im.any()


@pytest.mark.parametrize("n", FFT_SIZES)
def test_alternating_rails_put_their_sum_into_the_last_bin(n):
    x = np.where(np.arange(n) % 2 == 0, 1, -1).astype(np.int32)
    assert np.array_equal(spectrum(x), np.fft.rfft(x))


@pytest.mark.parametrize("n", FFT_SIZES)
def test_impulse_at_zero_is_flat(n):
    assert np.array_equal(spectrum(np.eye(1, n, dtype=np.int32)[0]), np.ones(n // 2 + 1))


@pytest.mark.parametrize("n", FFT_SIZES)
def test_silence_is_zero(n):
    re, im, _ = transform(np.zeros(n, np.int32))
    assert not re.any()
    assert not im.any()


@pytest.mark.parametrize("n", [0, 128, 1000, 4096])
def test_other_sizes_are_refused(n):
    with pytest.raises(ConfigError, match=rf"n={n}: must be one of 256, 512, 1024, 2048"):
        init_fft(n)


# --- extremes --------------------------------------------------------------------------------


@pytest.mark.parametrize("n", FFT_SIZES)
@pytest.mark.parametrize("part", ["re", "im"])
def test_stage_at_its_worst_input_stays_below_the_proven_bound(n, part):
    params = init_fft(n)
    m, q = (int(v) for v in params.size)
    offset, largest = 0, 0
    while q < m:
        z = worst_stage(params, q, offset, part)
        stage_radix4(params, z, q, offset, 0)
        largest = max(largest, int(np.abs(z[: 2 * m].astype(np.int64)).max()))
        offset += 6 * q
        q *= 4
    bound = (1 + 3 * 2**0.5) / 2 * (1 << 29) + 2
    # Near the bound (|W b| reaches sqrt 2 only at odd multiples of pi/4, for all three at no j).
    assert 0.85 * bound < largest <= bound, f"{largest / bound:.4f} of the bound"


@pytest.mark.parametrize("n", FFT_SIZES)
def test_rails_in_the_shape_of_any_bin_do_not_overflow(n):
    """The sign of each basis function at full int32 scale gives that bin the largest sum there is."""
    i = np.arange(n)
    for k in [0, 1, 2, 3, 5, n // 16, n // 8, n // 8 + 1, n // 4, n // 3, n // 2 - 1, n // 2]:
        for phase in (0.0, np.pi / 4, 1.0):
            positive = np.cos(2 * np.pi * k * i / n + phase) >= 0
            x = np.where(positive, (1 << 31) - 1, -(1 << 31)).astype(np.int32)
            level = snr_db(spectrum(x), np.fft.rfft(x))
            assert level > MEASURED_DB[n] - TWICE_THE_ERROR_DB, f"bin {k}: {level:.1f} dB"


# --- reference -------------------------------------------------------------------------------


@pytest.mark.parametrize("n", FFT_SIZES)
@pytest.mark.parametrize("dbfs", [0, -12, -40, -90])
def test_snr_against_double_precision(n, dbfs):
    least = np.inf
    for x in signals(n, dbfs):
        x = np.clip(np.floor(x + 0.5), -32768, 32767).astype(np.int32)
        least = min(least, snr_db(spectrum(x), np.fft.rfft(x)))
    floor = MEASURED_DB[n] - TWICE_THE_ERROR_DB
    assert least > floor, f"measured {least:.1f} dB, stated {MEASURED_DB[n]} dB"


@pytest.mark.parametrize("n", FFT_SIZES)
def test_snr_of_full_width_input(n):
    """Windowed frames use all 31 bits; the first shift rounds them to 28."""
    rng = np.random.default_rng(1)
    i = np.arange(n)
    frames = [rng.integers(-(1 << 31), 1 << 31, n) for _ in range(10)]
    frames += [np.floor((2**31 - 1) * np.cos(2 * np.pi * k * i / n)) for k in rng.uniform(0, n / 2, 20)]
    least = min(snr_db(spectrum(x), np.fft.rfft(x)) for x in (f.astype(np.int32) for f in frames))
    assert least > MEASURED_DB[n] - TWICE_THE_ERROR_DB, f"measured {least:.1f} dB"


@pytest.mark.parametrize("n", FFT_SIZES)
def test_snr_of_impulses(n):
    least = np.inf
    for position in (1, 5, n // 2, n - 1):
        for height in (1, 32767, (1 << 31) - 1):
            x = np.eye(1, n, position, dtype=np.int32)[0] * np.int32(height)
            least = min(least, snr_db(spectrum(x), np.fft.rfft(x)))
    floor = MEASURED_IMPULSE_DB[n] - TWICE_THE_ERROR_DB
    assert least > floor, f"measured {least:.1f} dB, stated {MEASURED_IMPULSE_DB[n]} dB"


# --- invariants ------------------------------------------------------------------------------


@pytest.mark.parametrize("n", FFT_SIZES)
def test_power_of_two_gain_changes_the_exponent_alone(n):
    x = np.random.default_rng(2).integers(-(1 << 15), 1 << 15, n).astype(np.int32)
    re, im, exponent = transform(x)
    for shift in (1, 7, 12):
        louder = transform(x << shift)
        assert np.array_equal(re, louder[0])
        assert np.array_equal(im, louder[1])
        assert louder[2] == exponent + shift


def test_int16_and_int32_frames_give_the_same_bits():
    x = np.random.default_rng(3).integers(-(1 << 15), 1 << 15, 512).astype(np.int16)
    for a, b in zip(transform(x), transform(x.astype(np.int32)), strict=True):
        assert np.array_equal(a, b)


def test_input_is_left_unchanged():
    x = np.random.default_rng(4).integers(-(1 << 31), 1 << 31, 256).astype(np.int32)
    before = x.copy()
    transform(x)
    assert np.array_equal(x, before)


# --- CMSIS-DSP -------------------------------------------------------------------------------


@pytest.mark.parametrize("n", FFT_SIZES)
def test_cmsis_rfft_q15_loses_a_hundred_db_on_a_quarter_scale_tone(n):
    """A fact about the alternative, and the reason for this module: 1/n scaling in 16 bits."""
    cmsis = pytest.importorskip("cmsisdsp", reason="cmsisdsp 1.10.1 has no wheel for this Python")
    instance = cmsis.arm_rfft_instance_q15()
    assert cmsis.arm_rfft_init_q15(instance, n, 0, 1) == 0
    theirs, ours = [], []
    for k in [10.0, 17.3, 60.5, *np.random.default_rng(5).uniform(1, n / 2 - 1, 200)]:
        x = np.floor(8192 * np.cos(2 * np.pi * k * np.arange(n) / n) + 0.5).astype(np.int16)
        reference = np.fft.rfft(x)
        out = np.asarray(cmsis.arm_rfft_q15(instance, x), dtype=float).reshape(-1, 2)[: n // 2 + 1]
        theirs.append(snr_db((out[:, 0] + 1j * out[:, 1]) * n, reference))
        ours.append(snr_db(spectrum(x), reference))
    # Measured over the four sizes: 39.1 to 52.2 dB, and ours at least 103.0 dB better.
    assert min(theirs) > 39, f"least {min(theirs):.1f} dB"
    assert max(theirs) < 53, f"largest {max(theirs):.1f} dB"
    gap = min(np.subtract(ours, theirs))
    assert gap > 100, f"least gap {gap:.1f} dB"
