#!/bin/sh
# pyroomacoustics' inverse_sabine(0.5 s) makes rooms that decay in 0.5 to 1.2 s.
#
# Package
#   pyroomacoustics 0.10.1, numpy 2.4.6, scipy 1.17.1
# Behaviour
#   inverse_sabine gives an absorption and an order of images for a wanted RT60. The room built from
#   these has, by Sabine's formula, exactly that RT60; its impulse response has not: T30 (Schroeder,
#   -5 to -35 dB) of five ordinary rooms lies between 5 % below and 149 % above what was asked for.
#   Flat and long rooms are worst, since grazing reflections decay more slowly than a diffuse field
#   would; a cube comes near. The library's own rt60_theory() goes on saying 0.5.
# Output
#   room (m)          absorption  order  rt60_theory  T30 measured
#   5 x 5 x 5              0.269     48        0.500         0.476
#   6 x 5 x 2.8            0.223     70        0.500         0.599
#   7 x 5 x 2.5            0.217     76        0.500         0.674
#   10 x 8 x 3             0.289     61        0.500         0.707
#   12 x 4 x 2.5           0.220     80        0.500         1.243
# Why it matters here
#   A curve of "detection against RT60" drawn with the asked-for value is one against the room's
#   shape as well. Here the absorption is corrected until the measured T30 is the wanted one, and
#   the measured one is reported.
# Date
#   2026-12-01
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
trap 'exit 130' INT TERM
"${PYTHON:-python3}" -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check \
    pyroomacoustics==0.10.1 numpy==2.4.6 scipy==1.17.1
cd "$folder"
venv/bin/python - <<'END'
import numpy as np
import pyroomacoustics as pra

FS, WANTED = 16000, 0.5
ROOMS = ([5, 5, 5], [6, 5, 2.8], [7, 5, 2.5], [10, 8, 3], [12, 4, 2.5])


def t30(h):
    """Seconds for 60 dB, from the decay between -5 and -35 dB of the backward integral."""
    energy = np.cumsum(h[::-1] ** 2)[::-1]
    level = 10 * np.log10(energy / energy[0] + 1e-30)
    first, last = np.argmax(level < -5), np.argmax(level < -35)
    return -60 / np.polyfit(np.arange(first, last) / FS, level[first:last], 1)[0]


print(f"{'room (m)':18}absorption  order  rt60_theory  T30 measured")
seen = []
for size in ROOMS:
    absorption, order = pra.inverse_sabine(WANTED, size)
    room = pra.ShoeBox(size, fs=FS, materials=pra.Material(absorption), max_order=order)
    room.add_source([1, 1, 1.2])
    room.add_microphone([size[0] - 1, size[1] - 1.5, 1.2])
    room.compute_rir()
    seen.append(t30(room.rir[0][0]))
    shape = " x ".join(map(str, size))
    print(f"{shape:18}{absorption:10.3f}{order:7d}{room.rt60_theory():13.3f}{seen[-1]:14.3f}")
    assert abs(room.rt60_theory() - WANTED) < 0.001, "changed"
assert np.allclose(seen, [0.476, 0.599, 0.674, 0.707, 1.243], atol=0.01), "changed"
END
