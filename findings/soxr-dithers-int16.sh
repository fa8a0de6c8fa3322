#!/bin/sh
# soxr adds noise to 16-bit output, even to silence, and other noise for each size of block.
#
# Package
#   soxr 1.1.0 (libsoxr), numpy 2.4.6
# Behaviour
#   Resampling int16 gives int16, and libsoxr dithers it: digital silence comes back with samples of
#   -1 and 1. The noise is the same from run to run, and differs between channels and with the size
#   of the blocks that ResampleStream is given: the same signal in blocks of 480 or 4800 samples
#   differs from the whole at over a third of its samples. With float32, float64 and int32 silence
#   stays silence, and float32 has the same bits in these blocks as in one piece.
# Output
#   silence as int16:   values -1 0 1
#   silence as int32:   values 0
#   silence as float32: values 0
#   int16 in blocks of 480 and 4800 against the whole: equal False False
#   float32 in blocks of 480 and 4800 against the whole: equal True True
# Why it matters here
#   A recording that is read as int16 and resampled in blocks has bits that depend on the block's
#   size, so a golden would depend on it too, and a pause is no longer zero, which a detector's
#   pause logic may look for. Here all resampling is in floating point, rounded once, afterwards.
# Date
#   2026-12-01
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
trap 'exit 130' INT TERM
"${PYTHON:-python3}" -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check \
    soxr==1.1.0 numpy==2.4.6
cd "$folder"
venv/bin/python - <<'END'
import numpy as np
import soxr

SECOND = 48000


def in_blocks(x, size):
    stream = soxr.ResampleStream(48000, 16000, 1, dtype=x.dtype)
    starts = range(0, len(x), size)
    return np.concatenate([stream.resample_chunk(x[i : i + size], last=i + size >= len(x)) for i in starts])


silence = {}
for dtype in ("int16", "int32", "float32"):
    silence[dtype] = np.unique(soxr.resample(np.zeros(SECOND, dtype), 48000, 16000)).astype(int).tolist()
    print(f"silence as {dtype + ':':8} values", *silence[dtype])
noise = (3000 * np.random.default_rng(0).normal(size=SECOND)).astype(np.int16)
equal = {}
for x in (noise, noise.astype(np.float32)):
    whole = soxr.resample(x, 48000, 16000)
    assert np.array_equal(whole, soxr.resample(x, 48000, 16000)), "changed: not the same twice"
    equal[x.dtype.name] = [np.array_equal(whole, in_blocks(x, size)) for size in (480, 4800)]
    print(f"{x.dtype.name} in blocks of 480 and 4800 against the whole: equal", *equal[x.dtype.name])
assert silence == {"int16": [-1, 0, 1], "int32": [0], "float32": [0]}, "changed"
assert equal == {"int16": [False, False], "float32": [True, True]}, "changed"
END
