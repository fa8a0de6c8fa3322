#!/bin/sh
# Opus in FFmpeg leaves a delay of up to 2.5 samples that depends on bit rate and programme.
#
# Package
#   av 18.1.0 (FFmpeg's libopus, encoder and decoder), numpy 2.4.6, scipy 1.17.1
# Behaviour
#   The stream's header says a pre-skip of 312 samples at every rate, and with it taken away the
#   decoded signal is in step, to 0.1 samples, from 56 kbit/s on. Below, it comes early: a voice-
#   like signal by 1.8 to 2.5 samples at 12 to 48 kbit/s, a music-like one by 0.3 at 24 and 48 and
#   by over 2 at 12, coloured noise by 1 to 2. No one number could undo it, as it changes with what
#   is played.
# Output
#   kbit/s  pre-skip  early by (samples): music   voice   noise
#       12       312                       2.57    2.36    1.86
#       24       312                       0.35    2.13    1.54
#       48       312                       0.35    1.91    1.03
#       56       312                       0.04    0.03    0.01
#       96       312                       0.04    0.04    0.00
# Why it matters here
#   Whoever takes the codec's delay for a constant, and subtracts the original to hear the codec's
#   error, measures at low rates mostly this shift: 2 samples at 48 kHz are 15 degrees of phase at 1
#   kHz. Here the delay is measured for each codec and rate, and what is left is reported.
# Date
#   2026-12-01
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
trap 'exit 130' INT TERM
"${PYTHON:-python3}" -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check \
    av==18.1.0 numpy==2.4.6 scipy==1.17.1
cd "$folder"
venv/bin/python - <<'END'
from fractions import Fraction

import av
import numpy as np
from scipy.signal import correlate, lfilter

FS = 48000


def music(t, rng):
    """Notes of 19 partials, twice a second."""
    partials = 220 * np.arange(1, 20) * 1.003 ** np.arange(19)
    decay = np.exp(-4 * (t % 0.5))
    phases = rng.uniform(0, 6, 19)
    tones = [np.sin(2 * np.pi * f * t + p) for f, p in zip(partials, phases)]
    return 0.2 * sum(tone / (i + 1) * decay for i, tone in enumerate(tones))


def voice(t, rng):
    """Pulses of a gliding pitch through four formants, three syllables a second."""
    phase = np.cumsum(110 * 2 ** (0.2 * np.sin(2 * np.pi * 0.7 * t))) / FS
    y = np.diff(np.floor(phase), prepend=0)
    for hz, bandwidth in ((600, 80), (1200, 90), (2500, 120), (3500, 200)):
        r = np.exp(-np.pi * bandwidth / FS)
        y = lfilter([1], [1, -2 * r * np.cos(2 * np.pi * hz / FS), r * r], y)
    y = y * np.clip(np.sin(2 * np.pi * 3 * t), 0, 1)
    return 0.5 * y / np.abs(y).max()


def noise(t, rng):
    y = lfilter([1], [1, -0.9], rng.normal(size=len(t)))
    return 0.3 * y / np.abs(y).max()


def left(frame):
    values = frame.to_ndarray()
    return (values[0] if frame.format.is_planar else values.reshape(-1, 2)[:, 0]).astype(float)


def coded(x, kbps):
    """(decoded, pre-skip)."""
    encoder = av.CodecContext.create("libopus", "w")
    encoder.sample_rate, encoder.layout, encoder.format = FS, "stereo", "flt"
    encoder.bit_rate, encoder.time_base = 1000 * kbps, Fraction(1, FS)
    encoder.open()
    size = encoder.frame_size
    x = np.pad(x, (0, -len(x) % size + 4 * size)).astype(np.float32)
    packets = []
    for start in range(0, len(x), size):
        both = np.repeat(x[start : start + size], 2)[None]
        frame = av.AudioFrame.from_ndarray(both, format="flt", layout="stereo")
        frame.sample_rate, frame.pts, frame.time_base = FS, start, encoder.time_base
        packets += encoder.encode(frame)
    packets += encoder.encode(None)
    header = bytes(encoder.extradata)
    decoder = av.CodecContext.create("libopus", "r")
    decoder.extradata, decoder.sample_rate, decoder.layout = header, FS, "stereo"
    frames = [frame for packet in [*packets, None] for frame in decoder.decode(packet)]
    return np.concatenate([left(frame) for frame in frames]), int.from_bytes(header[10:12], "little")


def delay(x, y):
    """Of y behind x, by the vertex of the correlation's peak."""
    match = correlate(y, x, method="fft")
    k = int(np.argmax(match))
    before, top, after = match[k - 1 : k + 2]
    return k - (len(x) - 1) + 0.5 * (before - after) / (before - 2 * top + after)


t, rng = np.arange(3 * FS) / FS, np.random.default_rng(1)
signals = [make(t, rng) for make in (music, voice, noise)]
print("kbit/s  pre-skip  early by (samples): music   voice   noise")
seen = {}
for kbps in (12, 24, 48, 56, 96):
    pairs = [(x, *coded(x, kbps)) for x in signals]  # FFmpeg's decoder takes the pre-skip away
    seen[kbps] = [-delay(x, y) for x, y, _ in pairs]
    (skip,) = {skip for *_, skip in pairs}
    print(f"{kbps:6d}{skip:10d}{'':19}" + "".join(f"{abs(each):8.2f}" for each in seen[kbps]))
    assert skip == 312, "changed"
assert all(1.5 < seen[kbps][1] < 3 and 0.8 < seen[kbps][2] < 2.5 for kbps in (12, 24, 48)), "changed"
assert seen[12][0] > 1.5 and seen[24][0] < 0.6 and seen[48][0] < 0.6, "changed"
assert all(abs(each) < 0.15 for kbps in (56, 96) for each in seen[kbps]), "changed"
END
