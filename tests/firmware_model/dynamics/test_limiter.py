"""Look-ahead limiter: no sample above the threshold, whatever enters, and nothing changed without need."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware_model.dynamics.limiter import advance, attenuation_for, ceil_shift, limit_block
from firmware_model.dynamics.settings.params import BandConfig, DynamicsConfig, LimiterConfig
from firmware_model.dynamics.settings.tuning import quantise, threshold_to_q15
from firmware_model.dynamics.state import init_state
from firmware_model.reference.limiter import limit
from tests.firmware_model.dynamics.twin import Q31, RATES, flat, model_of, run

ONE = 1 << 31
RAILS = (-(1 << 31), (1 << 31) - 1)


class Limiter:
    """One limiter by itself, fed with control blocks in Q5.27."""

    def __init__(self, threshold_q27, blocks, shift=2, channels=1, release_q31=1 << 24):
        params = quantise(DynamicsConfig(channels=channels))._replace(control_shift=shift)
        self.params = params.limiter._replace(
            blocks=blocks,
            inverse_q31=-(-ONE // blocks),
            threshold_q27=np.array([threshold_q27], np.int32),
            release_q31=np.array([release_q31], np.int32),
        )
        self.state = init_state(params._replace(limiter=self.params)).limiter
        self.shift, self.channels = shift, channels
        self.latency = blocks << shift

    def process(self, x_q27):
        """(channels, n) and back, and the attenuation of every block."""
        y = np.atleast_2d(x_q27).astype(np.int32)
        attenuation = []
        for start in range(0, y.shape[1], 1 << self.shift):
            block = np.ascontiguousarray(y[:, start : start + (1 << self.shift)])
            loudest = np.int64(peak(block))
            attenuation.append(
                limit_block(self.params, self.state, 0, 1 << 32 - self.shift, self.channels, loudest, block)
            )
            advance(self.params, self.state)
            y[:, start : start + (1 << self.shift)] = block
        return y, np.array(attenuation)


def peak(y):
    return int(np.abs(y.astype(np.int64)).max())


# --- the attenuation of a peak ---------------------------------------------------------------


def test_ceil_shift_by_hand():
    assert [int(ceil_shift(np.int64(x), 2)) for x in (0, 1, 3, 4, 5)] == [0, 1, 1, 1, 2]
    assert ceil_shift(np.int64(1 << 62), 31) == 1 << 31


def test_attenuation_by_hand():
    # Peak at twice the threshold: 1/2, 2**30; the quotient 2**30 is lowered by 2**-28 of itself, 4, and by 1.
    assert attenuation_for(np.int64(1 << 26), np.int64(1 << 27)) == (1 << 30) + 5
    assert attenuation_for(np.int64(1), np.int64(1 << 31)) == ONE - 1  # 1 - 2**-31, the most there is
    for quiet in (0, 1, (1 << 26) - 1, 1 << 26):
        assert attenuation_for(np.int64(1 << 26), np.int64(quiet)) == 0


def check_attenuation(threshold, loud):
    """Enough, and at most 2**-27 too much; how much too much, in LSB of Q1.31."""
    a = int(attenuation_for(np.int64(threshold), np.int64(loud)))
    assert 0 <= a < ONE
    assert loud * (ONE - a) <= threshold * ONE
    least = max(0, ONE - threshold * ONE // loud) if loud else 0
    assert least <= a <= least + 16
    return a - least


@settings(max_examples=2000)
@given(st.integers(1, 1 << 27), st.integers(0, 1 << 31))
def test_attenuation_is_enough_and_tight(threshold, loud):
    check_attenuation(threshold, loud)


def test_attenuation_near_the_threshold_and_at_the_rails():
    rng = np.random.default_rng(4)
    thresholds = [1, 2, 3, 1000, 134218, (1 << 27) - 4096, (1 << 27) - 1, 1 << 27]
    thresholds += rng.integers(1, 1 << 27, 100).tolist()
    excess = 0
    for t in thresholds:
        near = [max(t + d, 0) for d in range(-2, 20)] + [1 << 31, (1 << 31) - 1, 2 * t, 3 * t]
        log_uniform = np.floor(2 ** rng.uniform(np.log2(t), 31, 50)).astype(np.int64).tolist()
        excess = max(excess, *(check_attenuation(t, p) for p in near + log_uniform))
    assert 8 <= excess <= 14, f"measured {excess} of the 16 that are stated"


@pytest.mark.parametrize("threshold", [1, 5, 300])
def test_attenuation_of_every_peak_of_a_small_threshold(threshold):
    for loud in range(4000):
        check_attenuation(threshold, loud)


# --- |y| <= threshold, the limiter by itself -------------------------------------------------


def rails(rng, channels, n):
    return rng.choice([*RAILS, 0, 1, -1], (channels, n))


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("shift", [2, 3, 4])
def test_rails_of_the_bus_at_every_look_ahead(shift, channels, rng):
    for blocks in range(1, 61):
        threshold_q27 = int(rng.choice([1, 32 << 12, 1 << 26, 32767 << 12, rng.integers(1, 1 << 27)]))
        release_q31 = int(rng.choice([71582, 1 << 24, (1 << 31) - 1]))
        limiter = Limiter(threshold_q27, blocks, shift, channels, release_q31)
        y, _ = limiter.process(rails(rng, channels, (3 * blocks + 5) << shift))
        assert peak(y) <= threshold_q27, f"{blocks} blocks"
        assert limiter.state.sum_q31[0] == limiter.state.released_q31.sum(dtype=np.int64)


@pytest.mark.parametrize("blocks", [1, 2, 7, 60])
def test_an_impulse_at_every_position(blocks):
    for position in range(2 * blocks * 4 + 8):
        x = np.zeros((3 * blocks + 4) * 4)
        x[position] = RAILS[position % 2]
        y, _ = Limiter(1 << 20, blocks).process(x)
        assert peak(y) <= 1 << 20
        # It leaves as large as it may, but for 2**-27 too much and for 1/blocks and the mean rounded upwards.
        assert (1 << 20) - peak(y) <= 16 + 1 + blocks or position + blocks * 4 >= len(x), position


PIECES = st.lists(
    st.tuples(
        st.sampled_from(["constant", "alternating", "noise", "impulse", "square"]),
        st.integers(1, 40),
        st.integers(-(1 << 31), (1 << 31) - 1) | st.sampled_from(RAILS),
    ),
    min_size=1,
    max_size=12,
)


def piece(kind, n, value):
    rng = np.random.default_rng(n)
    shapes = {
        "constant": np.ones(n),
        "alternating": (-1.0) ** np.arange(n),
        "noise": rng.uniform(-1, 1, n),
        "impulse": np.eye(1, n, n // 2)[0],
        "square": np.where(np.arange(n) // 3 % 2, 1.0, -1.0),
    }
    return np.clip(np.round(value * shapes[kind]), *RAILS)


@settings(max_examples=400)
@given(
    PIECES,
    st.integers(1, 1 << 27) | st.integers(32, 32767).map(lambda q15: q15 << 12),
    st.integers(1, 60),
    st.integers(2, 4),
    st.integers(70000, (1 << 31) - 1),
)
def test_any_signal_at_any_setting(pieces, threshold_q27, blocks, shift, release_q31):
    limiter = Limiter(threshold_q27, blocks, shift, release_q31=release_q31)
    x = np.concatenate([piece(*each) for each in pieces])
    x = np.pad(x, (0, -len(x) % (1 << shift) + limiter.latency))
    y, _ = limiter.process(x)
    assert peak(y) <= threshold_q27
    if peak(x) <= threshold_q27:
        np.testing.assert_array_equal(y[0, limiter.latency :], x[: len(x) - limiter.latency])


@pytest.mark.parametrize(("blocks", "shift"), [(1, 2), (6, 3), (9, 3), (60, 4)])
def test_nothing_changes_until_the_look_ahead_meets_an_excess(blocks, shift, rng):
    limiter = Limiter(1 << 26, blocks, shift)
    n, late = (40 + blocks) << shift, limiter.latency
    x = rng.integers(-(1 << 26), (1 << 26) + 1, 3 * n + 2 * late)
    x[n] = (1 << 26) + 1
    y, attenuation = limiter.process(x)
    first = np.argmax(attenuation > 0)
    assert first == n >> shift
    np.testing.assert_array_equal(y[0, late:n], x[: n - late])
    assert peak(y) <= 1 << 26


def test_release_ends_in_the_untouched_signal(rng):
    limiter = Limiter(1 << 26, 6, release_q31=1 << 28)
    limiter.process(rails(rng, 1, 400))
    _, attenuation = limiter.process(np.zeros(4000))
    assert attenuation[-1] == 0
    assert limiter.state.released_q62[0] == 0
    x = rng.integers(-(1 << 26), 1 << 26, 4 * 100)
    y, _ = limiter.process(x)
    np.testing.assert_array_equal(y[0, limiter.latency :], x[: -limiter.latency])


def test_attenuation_against_float64(rng):
    blocks, shift, threshold = 6, 3, 0.5
    envelope = np.repeat(rng.uniform(0, 4, 400), 1 << shift)
    x = np.round(envelope * rng.uniform(-1, 1, len(envelope)) * 2**27)
    y, attenuation = Limiter(1 << 26, blocks, shift, release_q31=1 << 26).process(x)
    exact = limit(x[None] / 2**27, threshold, blocks, 2.0**-5, 1 << shift)
    error = np.abs(attenuation / Q31 - exact.attenuation).max()
    assert error < 6e-9, f"attenuation: {error:.2g}, was 3.4e-9"
    error = np.abs(y / 2**27 - exact.y).max() * 2**27
    assert error < 6, f"output: {error:.2f} LSB of Q5.27, was 3.77"


# --- |y| <= threshold, the whole processor ---------------------------------------------------


def adversarial(n, rng):
    """Full-scale signals of 16 bits."""
    i = np.arange(n)
    yield "INT16_MIN", np.full(n, -32768)
    yield "alternating", np.where(i % 2, 32767, -32768)
    yield "noise", rng.choice([-32768, 32767], n)
    yield "white", rng.integers(-32768, 32768, n)
    yield "step", np.where(i < n // 2, 0, -32768)
    yield "steps", np.where(i // 97 % 3 == 0, 0, np.where(i // 97 % 3 == 1, 32767, -32768))
    yield "runs", np.where(rng.random(n) < 0.02, 1, 0).cumsum() % 2 * -32768
    yield "impulses", np.where(i % 53 == 0, -32768, 0)


def limiting(fs_hz, dbfs, look_ahead_ms, release_ms, loud=True, **other):
    """Three bands that lift what enters by 24 dB, so that the bus goes to its rails."""
    band = BandConfig(makeup_db=24.0 if loud else 0.0)
    limiter = LimiterConfig(dbfs, look_ahead_ms, release_ms)
    return DynamicsConfig(fs_hz=fs_hz, edges_hz=(300, 3000), bands=(band,) * 3, limiter=limiter, **other)


@pytest.mark.parametrize("fs_hz", RATES)
@pytest.mark.parametrize("dbfs", [-60, -20.3, -1, 0])
def test_adversarial_signals(fs_hz, dbfs, rng):
    for look_ahead_ms, release_ms in ((0.1, 1), (1.5, 60), (10, 5000)):
        for loud in (True, False):
            for name, x in adversarial(1600, rng):
                config = limiting(fs_hz, dbfs, look_ahead_ms, release_ms, loud)
                y = run(config, x.astype(np.int16)).y_q15
                assert peak(y) <= threshold_to_q15(dbfs), name


@pytest.mark.parametrize(("fs_hz", "look_ahead_ms"), [(16000, 0.25), (16000, 3), (48000, 1.5)])
def test_squares_of_every_period(fs_hz, look_ahead_ms):
    config = limiting(fs_hz, -6.0, look_ahead_ms, 5, loud=False)
    one_band = DynamicsConfig(fs_hz=fs_hz, limiter=config.limiter)
    look_ahead = config.latency_samples
    for period in range(1, 2 * look_ahead + 1):
        x = np.where(np.arange(6 * look_ahead + 64) // period % 2, 32767, -32768).astype(np.int16)
        assert peak(run(config, x).y_q15) <= threshold_to_q15(-6.0), f"half period {period}"
        assert peak(run(one_band, x).y_q15) == threshold_to_q15(-6.0), f"half period {period}"


def test_impulses_at_every_position_of_the_processor():
    config = limiting(16000, -3.0, 1.0, 5)
    for position in range(2 * config.latency_samples + 4):
        x = np.zeros(8 * config.latency_samples, np.int16)
        x[position] = -32768
        assert peak(run(config, x).y_q15) <= threshold_to_q15(-3.0)


@pytest.mark.parametrize("fs_hz", RATES)
def test_linked_stereo(fs_hz, rng):
    config = limiting(fs_hz, -1.0, 1.5, 60, channels=2)
    for (_, left), (_, right) in zip(adversarial(1600, rng), list(adversarial(1600, rng))[::-1], strict=True):
        x = np.stack([left, right // 3]).astype(np.int16)
        assert peak(run(config, x).y_q15) <= threshold_to_q15(-1.0)


@pytest.mark.parametrize("fs_hz", RATES)
def test_band_limiters_hold_their_bands(fs_hz, rng):
    bands = tuple(
        BandConfig(makeup_db=24, limiter_threshold_dbfs=dbfs, limiter_release_ms=release_ms)
        for dbfs, release_ms in ((-60, 1), (-20, 60), (0, 5000))
    )
    config = DynamicsConfig(fs_hz=fs_hz, edges_hz=(300, 3000), bands=bands, band_look_ahead_ms=0.5)
    thresholds = quantise(config).band_limiter.threshold_q27
    for name, x in adversarial(1600, rng):
        limited = run(config, x.astype(np.int16)).nodes.limited_q27
        assert (np.abs(limited.astype(np.int64)).max(axis=1) <= thresholds).all(), name


@pytest.mark.parametrize("fs_hz", RATES)
def test_processor_leaves_quiet_signals_alone(fs_hz, rng):
    config = DynamicsConfig(fs_hz=fs_hz, limiter=LimiterConfig(-6))
    t, late = threshold_to_q15(-6), config.latency_samples
    x = rng.integers(-t, t + 1, 1600).astype(np.int16)
    np.testing.assert_array_equal(run(config, x).y_q15[0, late:], x[: 1600 - late])


def test_the_least_value_of_16_bits_is_limited_by_one_lsb():
    config = flat(48000, [])
    x = np.full(400, -32768, np.int16)
    assert (run(config, x).y_q15[0, config.latency_samples :] == -32767).all()
    assert model_of(config).limiter.threshold == 32767 / 32768
