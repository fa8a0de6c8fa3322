#!/bin/sh
# soundfile writes floats to 16-bit WAV by flooring and to 16-bit FLAC by rounding.
#
# Package
#   soundfile 0.14.0 (its own libsndfile), numpy 2.4.6
# Behaviour
#   soundfile has libsndfile clip, and its clipping path to WAV, AIFF or CAF scales to 32 bits and
#   drops the lower 16: 0.75 LSB becomes 0 and -0.25 LSB becomes -1, half an LSB too low in the
#   mean. The FLAC writer rounds the same floats, ties to even. A test with floats that came from
#   16-bit samples passes in both.
# Output
#   LSB     -1.50 -0.75 -0.50 -0.25  0.25  0.50  0.75  1.50
#   WAV        -2    -1    -1    -1     0     0     0     1
#   AIFF       -2    -1    -1    -1     0     0     0     1
#   FLAC       -2    -1     0     0     0     0     1     2
#   mean error of uniform noise, LSB: WAV -0.50, FLAC 0.00
# Why it matters here
#   The same audio kept once as WAV and once as FLAC differs by 1 LSB at half of its samples, and
#   the WAV has a DC offset that the float model has not: a bit-exact comparison blames the
#   arithmetic. Here integers are made first, by one rounding rule, and written as integers.
# Date
#   2026-12-01
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
trap 'exit 130' INT TERM
"${PYTHON:-python3}" -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check \
    soundfile==0.14.0 numpy==2.4.6
cd "$folder"
venv/bin/python - <<'END'
import numpy as np
import soundfile

VALUES = np.array([-1.5, -0.75, -0.5, -0.25, 0.25, 0.5, 0.75, 1.5])


def written(lsb, form):
    """The 16-bit samples in a file that was written from floats."""
    soundfile.write("out", lsb / 32768, 16000, format=form, subtype="PCM_16")
    return soundfile.read("out", dtype="int16")[0]


print("LSB  ", *(f"{value:5.2f}" for value in VALUES))
for form in ("WAV", "AIFF", "FLAC"):
    found = written(VALUES, form)
    print(f"{form:5}", *(f"{value:5d}" for value in found))
    expected = np.rint(VALUES) if form == "FLAC" else np.floor(VALUES)
    assert np.array_equal(found, expected), "changed"
noise = np.random.default_rng(0).uniform(-10000, 10000, 200000)
error = {form: np.mean(written(noise, form) - noise) for form in ("WAV", "FLAC")}
print(f"mean error of uniform noise, LSB: WAV {error['WAV']:.2f}, FLAC {abs(error['FLAC']):.2f}")
assert abs(error["WAV"] + 0.5) < 0.01 and abs(error["FLAC"]) < 0.01, "changed"
exact = np.arange(-32768, 32768)
for form in ("WAV", "AIFF", "FLAC"):
    assert np.array_equal(written(exact.astype(float), form), exact), "changed"
END
