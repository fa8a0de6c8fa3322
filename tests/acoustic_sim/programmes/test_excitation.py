"""Synthesised programme material: level, repeatability; music is music and a voice a voice, by numbers."""

import numpy as np
import pytest
from scipy.signal import butter, sosfilt, sosfiltfilt

from acoustic_sim.programmes.excitation import KINDS, PROGRAMME_PEAK_DBFS, synthesise
from acoustic_sim.programmes.synth_music import _modes
from acoustic_sim.programmes.synth_voice import _glottal
from fixedpoint.errors import ConfigError

FS_HZ = 16000
PROGRAMMES = ("music", "drums", "voice")
OCTAVE_EDGES_HZ = (63, 125, 250, 500, 1000, 2000, 4000, 8000)


def octave_levels_db(x: np.ndarray, fs_hz: int) -> np.ndarray:
    """Power of each octave between OCTAVE_EDGES_HZ, dB re the whole."""
    power = np.abs(np.fft.rfft(x)) ** 2
    freq_hz = np.fft.rfftfreq(x.size, 1 / fs_hz)
    octaves = np.digitize(freq_hz, OCTAVE_EDGES_HZ)
    parts = [power[octaves == i].sum() for i in range(1, len(OCTAVE_EDGES_HZ))]
    return 10 * np.log10(np.array(parts) / power.sum())


def envelope(x: np.ndarray, fs_hz: int, cutoff_hz: float) -> np.ndarray:
    """Low-passed magnitude at 200 Hz sample rate."""
    sos = butter(2, cutoff_hz, fs=fs_hz, output="sos")
    return sosfiltfilt(sos, np.abs(x))[:: fs_hz // 200]


# Test signals, worked by hand


def test_plain_signals_by_hand():
    np.testing.assert_array_equal(synthesise("silence", 0.001, FS_HZ), np.zeros(16))
    np.testing.assert_array_equal(synthesise("dc", 0.001, FS_HZ), np.ones(16))
    # 100 Hz at 16 kHz: 80 samples up, 80 down.
    square = synthesise("square", 0.02, FS_HZ)
    np.testing.assert_array_equal(square, np.tile(np.repeat([1.0, -1.0], 80), 2))
    # 997 Hz at 997 * 12 Hz: twelve samples a period, the fourth at the top.
    tone = synthesise("tone", 1.0, 997 * 12)
    np.testing.assert_allclose(tone[:7], [0, 0.5, 3**0.5 / 2, 1, 3**0.5 / 2, 0.5, 0], atol=1e-15)


def test_modes_are_the_sum_of_decaying_sines():
    n, rng = 5000, np.random.default_rng(1)
    freq_hz = np.append(rng.uniform(50, 7000, 20), 7900.0)  # the last, above 0.46 fs, is left out
    decay_s, amplitude = rng.uniform(0.01, 1, 21), rng.uniform(0, 1, 21)
    phase = rng.uniform(0, 6, 21)
    t = np.arange(n)[:, np.newaxis] / FS_HZ
    terms = amplitude * np.exp(-t / decay_s) * np.sin(2 * np.pi * freq_hz * t + phase)
    error = np.abs(_modes(n, FS_HZ, freq_hz, decay_s, amplitude, phase) - terms[:, :20].sum(axis=1)).max()
    assert error < 7e-12, f"{error:.2g}, measured 3.5e-12"


def test_glottal_pulse_opens_then_closes_and_leaves_no_dc():
    # The flow returns to zero, so its derivative sums to zero over a cycle.
    pulse = _glottal(np.arange(1000) / 1000)
    assert (pulse[1:400] > 0).all()
    assert (pulse[401:560] < 0).all()
    assert (pulse[561:] == 0).all()
    # What the sum leaves is half the jump at the closing, 0.5 * (pi / 2 / 0.16) / 1000.
    assert pulse.mean() == pytest.approx(np.pi / 0.64 / 1000, rel=0.01)


# What holds for all


@pytest.mark.parametrize("fs_hz", [8000, 16000, 44100, 48000])
@pytest.mark.parametrize("kind", KINDS)
def test_length_dtype_and_peak(kind, fs_hz):
    x = synthesise(kind, 1.5, fs_hz, seed=3)
    assert x.shape == (round(1.5 * fs_hz),)
    assert x.dtype == np.float64
    assert np.isfinite(x).all()
    if kind in PROGRAMMES:
        assert 20 * np.log10(np.abs(x).max()) == pytest.approx(PROGRAMME_PEAK_DBFS, abs=1e-9)
        assert abs(x.mean()) < 0.01
    elif kind != "silence":
        assert np.abs(x).max() == pytest.approx(1.0, abs=1e-3)


@pytest.mark.parametrize("kind", KINDS)
def test_the_shortest_signal_is_one_sample(kind):
    assert synthesise(kind, 1e-5, FS_HZ).shape == (1,)


@pytest.mark.parametrize("kind", PROGRAMMES)
def test_a_seed_gives_the_same_bits_and_another_seed_another_signal(kind):
    x = synthesise(kind, 2, FS_HZ, seed=5)
    np.testing.assert_array_equal(x, synthesise(kind, 2, FS_HZ, seed=5))
    assert not np.array_equal(x, synthesise(kind, 2, FS_HZ, seed=6))


# What makes them music, a beat, a voice


@pytest.mark.parametrize("fs_hz", [16000, 48000])
def test_music_fills_every_octave(fs_hz):
    levels_db = octave_levels_db(synthesise("music", 10, fs_hz, seed=1), fs_hz)
    assert levels_db.min() > -18, f"{np.round(levels_db, 1)}, measured -14.8 dB in the weakest"


def test_music_has_crest_and_no_gaps():
    x = synthesise("music", 10, FS_HZ, seed=1)
    crest_db = 20 * np.log10(np.abs(x).max() / np.sqrt(np.mean(x**2)))
    assert 12 < crest_db < 20, f"{crest_db:.1f} dB, measured 15.3"
    blocks = np.sqrt(np.mean(x[: x.size // 800 * 800].reshape(-1, 800) ** 2, axis=1))  # 50 ms
    quietest_dbfs = 20 * np.log10(blocks.min())
    assert quietest_dbfs > -28, f"{quietest_dbfs:.1f} dBFS, measured -24.8"


def test_music_keeps_the_tempo():
    # Onsets: rises of the high band's envelope. Their autocorrelation peaks at the beat, 60/112 s.
    x = synthesise("music", 20, FS_HZ, seed=2)
    high = sosfilt(butter(4, 3000, "highpass", fs=FS_HZ, output="sos"), x)
    onsets = np.maximum(np.diff(envelope(high, FS_HZ, 30)), 0)
    onsets -= onsets.mean()
    correlation = np.correlate(onsets, onsets, "full")[onsets.size - 1 :]
    lags = np.arange(80, 141)  # 0.4 to 0.7 s at 200 Hz
    beat_s = lags[np.argmax(correlation[lags])] / 200
    assert beat_s == pytest.approx(60 / 112, abs=0.01)


def test_drums_repeat_every_bar_sample_by_sample():
    bar = round(4 * 60 / 112 * FS_HZ)
    x = synthesise("drums", 10, FS_HZ, seed=4)
    np.testing.assert_array_equal(x[bar : 2 * bar], x[2 * bar : 3 * bar])
    # The first bar differs only where later ones hear the last hit of the bar before ring on.
    np.testing.assert_array_equal(x[bar // 2 : bar], x[bar + bar // 2 : 2 * bar])


def test_music_is_not_a_loop():
    bars = 4 * round(4 * 60 / 112 * FS_HZ)  # after four bars the chords come again
    x = synthesise("music", 18, FS_HZ, seed=1)
    likeness = np.corrcoef(x[:bars], x[bars : 2 * bars])[0, 1]
    assert likeness < 0.4, f"{likeness:.2f}, measured 0.21 (the drums and the chords' bass notes)"


def test_voice_has_syllables_pauses_and_a_speaking_pitch():
    x = synthesise("voice", 30, FS_HZ, seed=1)
    level = envelope(x, FS_HZ, 20)
    spectrum = np.abs(np.fft.rfft(level - level.mean())) ** 2
    rate_hz = np.fft.rfftfreq(level.size, 1 / 200)
    syllabic = spectrum[(rate_hz > 2) & (rate_hz < 8)].sum() / spectrum[rate_hz < 20].sum()
    assert syllabic > 0.5, f"{syllabic:.2f} of the modulation lies in 2 to 8 Hz, measured 0.61"
    strongest_hz = rate_hz[np.argmax(spectrum * (rate_hz > 1.5))]
    assert 3 < strongest_hz < 5, f"{strongest_hz:.1f} Hz, measured 4.0"

    quiet = np.mean(level < level.max() / 100)
    assert 0.1 < quiet < 0.5, f"{quiet:.2f} of the time is pause, measured 0.33"

    # Pitch by autocorrelation in voiced frames of 40 ms.
    pitches_hz = []
    for frame in x[: x.size // 640 * 640].reshape(-1, 640):
        if np.sqrt(np.mean(frame**2)) > 0.1:
            correlation = np.correlate(frame, frame, "full")[639:]
            pitches_hz.append(FS_HZ / (60 + np.argmax(correlation[60:220])))
    low_hz, high_hz = np.percentile(pitches_hz, [5, 95])
    assert 75 < low_hz < high_hz < 160, f"{low_hz:.0f} to {high_hz:.0f} Hz, measured 108 to 143"
    assert high_hz - low_hz > 15


def test_voice_has_fricatives_without_low_frequencies():
    x = synthesise("voice", 20, FS_HZ, seed=1)
    high = envelope(sosfilt(butter(4, 4000, "highpass", fs=FS_HZ, output="sos"), x), FS_HZ, 20)
    low = envelope(sosfilt(butter(4, 1000, "lowpass", fs=FS_HZ, output="sos"), x), FS_HZ, 20)
    hissing = np.mean((high > 0.02) & (low < high / 3))
    assert hissing > 0.025, f"{hissing:.3f} of the time, measured 0.05"


# Misuse


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("noise", 1, FS_HZ), "kind='noise': must be one of music, drums, voice"),
        (("music", 0, FS_HZ), "seconds=0: must be in"),
        (("music", float("nan"), FS_HZ), "seconds=nan: must be in"),
        (("music", 3601, FS_HZ), "seconds=3601: must be in"),
        (("music", 1, 4000), "fs_hz=4000: must be an integer in"),
        (("music", 1, 16000.5), "fs_hz=16000.5: must be an integer in"),
        (("music", 1, FS_HZ, -1), "seed=-1: must be an integer in"),
    ],
)
def test_misuse_is_one_clear_line(arguments, message):
    with pytest.raises(ConfigError) as caught:
        synthesise(*arguments)
    assert str(caught.value).startswith(message)
