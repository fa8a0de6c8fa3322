#!/bin/sh
# Three readers make three things of a WAV whose sizes were never filled in.
#
# Package
#   soundfile 0.14.0 (its own libsndfile), scipy 1.17.1, av 18.1.0 (FFmpeg), numpy 2.4.6
# Behaviour
#   FFmpeg writes FFFFFFFF for both sizes when its output cannot seek; a recorder that loses power
#   leaves 0, or the last size that it wrote. FFFFFFFF means "to the end" to all three, though SciPy
#   warns and cannot map such a file. 0 means "to the end" to FFmpeg alone: libsndfile says 0 frames
#   and raises nothing, SciPy fails over a variable of its own. A data size that is too large is cut
#   down to what is there: libsndfile and FFmpeg say nothing, so that half a file passes for a whole
#   one.
# Output
#   sizes written                  libsndfile  SciPy                 SciPy, mmap           FFmpeg
#   right                          1000        1000                  1000                  1000
#   FFFFFFFF, by FFmpeg to a pipe  1000        1000, warns           ValueError            1000
#   0 and 0                        0           UnboundLocalError     UnboundLocalError     1000
#   data size 0                    0           0                     0                     1000
#   data size twice too large      1000        1000, warns           ValueError            1000
#   data size half                 500         500                   500                   500
# Why it matters here
#   Boards' captures and pipes come with such headers. What one reader takes for an empty recording
#   is a full one to another; whoever needs all of a stream, or needs to know that some is missing,
#   must read the sizes.
# Date
#   2026-12-01
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
trap 'exit 130' INT TERM
"${PYTHON:-python3}" -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check \
    soundfile==0.14.0 scipy==1.17.1 av==18.1.0 numpy==2.4.6
cd "$folder"
venv/bin/python - <<'END'
import io
import struct
import warnings

import av
import numpy as np
import soundfile
from scipy.io import wavfile

N = 1000
PCM = np.arange(N, dtype="<i2")


class Pipe(io.RawIOBase):
    """What cannot seek."""

    def __init__(self):
        self.held = b""

    def writable(self):
        return True

    def write(self, data):
        self.held += bytes(data)
        return len(data)


def by_ffmpeg():
    pipe = Pipe()
    with av.open(pipe, "w", format="wav") as container:
        stream = container.add_stream("pcm_s16le", rate=16000, layout="mono")
        frame = av.AudioFrame.from_ndarray(PCM[None], format="s16", layout="mono")
        frame.sample_rate = 16000
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    data = pipe.held.index(b"data") + 4
    sizes = pipe.held[4:8] + pipe.held[data : data + 4]
    assert sizes == b"\xff" * 8, "changed: FFmpeg writes other sizes to a pipe"
    return pipe.held


def wav(riff, data):
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, 16000, 32000, 2, 16)
    head = struct.pack("<4sI4s", b"RIFF", riff, b"WAVE") + form
    return head + struct.pack("<4sI", b"data", data) + PCM.tobytes()


def with_scipy(mmap):
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        try:
            n = len(wavfile.read("x.wav", mmap=mmap)[1])
        except Exception as error:
            return type(error).__name__
    return f"{n}, warns" if warned else f"{n}"


def with_ffmpeg():
    with av.open("x.wav") as container:
        return str(sum(frame.samples for frame in container.decode(audio=0)))


FILES = {
    "right": wav(36 + 2 * N, 2 * N),
    "FFFFFFFF, by FFmpeg to a pipe": by_ffmpeg(),
    "0 and 0": wav(0, 0),
    "data size 0": wav(36, 0),
    "data size twice too large": wav(36 + 4 * N, 4 * N),
    "data size half": wav(36 + N, N),
}
EXPECTED = {
    "right": ("1000", "1000", "1000", "1000"),
    "FFFFFFFF, by FFmpeg to a pipe": ("1000", "1000, warns", "ValueError", "1000"),
    "0 and 0": ("0", "UnboundLocalError", "UnboundLocalError", "1000"),
    "data size 0": ("0", "0", "0", "1000"),
    "data size twice too large": ("1000", "1000, warns", "ValueError", "1000"),
    "data size half": ("500", "500", "500", "500"),
}
print(f"{'sizes written':31}{'libsndfile':12}{'SciPy':22}{'SciPy, mmap':22}FFmpeg")
seen = {}
for name, content in FILES.items():
    with open("x.wav", "wb") as file:
        file.write(content)
    libsndfile = str(len(soundfile.read("x.wav", dtype="int16")[0]))
    seen[name] = (libsndfile, with_scipy(False), with_scipy(True), with_ffmpeg())
    a, b, c, d = seen[name]
    print(f"{name:31}{a:12}{b:22}{c:22}{d}")
assert seen == EXPECTED, "changed"
END
