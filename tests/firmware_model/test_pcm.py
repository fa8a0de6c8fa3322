"""Audio files at the border: what goes through unchanged, and one clear line for each thing that does not."""

import io
import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import soundfile

from firmware_model.pcm import Audio, read_audio, to_mono, to_q15
from firmware_model.pcm_file import open_audio
from firmware_model.pcm_writer import write_audio
from fixedpoint.errors import AudioError, ConfigError

ROOT = Path(__file__).resolve().parents[2]
FS_HZ = 16000
MEASURED_RESAMPLING_ERROR = 4.6e-10  # 997 Hz at half scale, 44.1 to 16 kHz, away from the ends
ALL_INT16 = np.arange(-32768, 32768).astype(np.int16)
# (suffix, subtype, bits): every integer format that both directions take.
INTEGER_FORMATS = [
    (".wav", "PCM_U8", 8),
    (".wav", "PCM_16", 16),
    (".wav", "PCM_24", 24),
    (".wav", "PCM_32", 32),
    (".flac", "PCM_S8", 8),
    (".flac", "PCM_16", 16),
    (".flac", "PCM_24", 24),
]


def full_range(bits: int, rng: np.random.Generator) -> np.ndarray:
    """Codes of a b-bit format: the extremes, the neighbours of 0, and 1000 at random."""
    limit = 1 << (bits - 1)
    return np.concatenate([[-limit, -limit + 1, -1, 0, 1, limit - 1], rng.integers(-limit, limit, 1000)])


def wav_bytes(samples: np.ndarray, subtype: str = "PCM_16", fs_hz: int = FS_HZ, **options) -> bytes:
    buffer = io.BytesIO()
    soundfile.write(buffer, samples, fs_hz, subtype, **{"format": "WAV", **options})
    return buffer.getvalue()


def saved(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


# Values and formats


def test_to_q15_by_hand():
    # 0.5 LSB is a tie and goes up, -0.5 LSB up to 0, -1.5 LSB up to -1; +1.0 saturates.
    lsb = 2.0**-15
    x = np.array([0.0, lsb, 0.5 * lsb, 0.49 * lsb, -0.5 * lsb, -1.5 * lsb, 1.0, -1.0, 1 - lsb])
    np.testing.assert_array_equal(to_q15(x), [0, 1, 1, 0, 0, -1, 32767, -32768, 32767])


@pytest.mark.parametrize("suffix", [".wav", ".flac"])
def test_all_65536_int16_values_pass_through_bit_for_bit(tmp_path, suffix):
    path = tmp_path / f"in{suffix}"
    soundfile.write(path, ALL_INT16, FS_HZ, "PCM_16")
    audio = read_audio(path, fs_hz=FS_HZ)
    np.testing.assert_array_equal(to_q15(to_mono(audio.samples)), ALL_INT16)

    for samples in (audio.samples, ALL_INT16):
        assert write_audio(tmp_path / f"out{suffix}", samples, FS_HZ) == 0
        written, _ = soundfile.read(tmp_path / f"out{suffix}", dtype="int16")
        np.testing.assert_array_equal(written, ALL_INT16)


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize(("suffix", "subtype", "bits"), INTEGER_FORMATS)
def test_integer_formats_round_trip_bit_for_bit(tmp_path, suffix, subtype, bits, channels, rng):
    codes = full_range(bits, rng)
    codes = np.stack([codes, codes[::-1]], axis=1)[:, :channels]
    path = tmp_path / f"x{suffix}"
    assert write_audio(path, codes / 2.0 ** (bits - 1), 44100, subtype) == 0
    audio = read_audio(path)
    assert (audio.subtype, audio.fs_hz, audio.path, audio.clipped) == (subtype, 44100, str(path), 0)
    np.testing.assert_array_equal(audio.samples * 2.0 ** (bits - 1), codes)


@pytest.mark.parametrize("subtype", ["FLOAT", "DOUBLE"])
def test_float_wav_round_trips_with_full_scale_accepted(tmp_path, subtype, rng):
    x = np.concatenate([[1.0, -1.0, 0.0], rng.uniform(-1, 1, 1000)]).astype(np.float32).astype(np.float64)
    write_audio(tmp_path / "x.wav", x, FS_HZ, subtype)
    audio = read_audio(tmp_path / "x.wav")
    assert audio.subtype == subtype
    np.testing.assert_array_equal(audio.samples[:, 0], x)


@pytest.mark.parametrize(("suffix", "subtype", "bits"), INTEGER_FORMATS)
def test_writing_rounds_ties_up_saturates_and_counts(tmp_path, suffix, subtype, bits):
    lsb = 2.0 ** (1 - bits)
    x = np.array([0.5 * lsb, -0.5 * lsb, 0.49 * lsb, 1.0, 3.0, -1.0, -3.0])
    assert write_audio(tmp_path / f"x{suffix}", x, FS_HZ, subtype) == 3  # 1.0, 3.0 and -3.0
    codes = read_audio(tmp_path / f"x{suffix}").samples[:, 0] / lsb
    limit = 1 << (bits - 1)
    np.testing.assert_array_equal(codes, [1, 0, 0, limit - 1, limit - 1, -limit, -limit])


def test_writing_float_samples_clips_and_counts(tmp_path):
    assert write_audio(tmp_path / "x.wav", np.array([0.5, 1.0, -1.5]), FS_HZ, "FLOAT") == 1
    np.testing.assert_array_equal(read_audio(tmp_path / "x.wav").samples[:, 0], [0.5, 1.0, -1.0])


def test_a_subtype_read_in_one_container_can_be_written_in_the_other(tmp_path):
    x = np.array([-1.0, 0.0, 0.5])
    write_audio(tmp_path / "x.flac", x, FS_HZ, "PCM_U8")
    assert read_audio(tmp_path / "x.flac").subtype == "PCM_S8"
    write_audio(tmp_path / "x.wav", x, FS_HZ, read_audio(tmp_path / "x.flac").subtype)
    assert read_audio(tmp_path / "x.wav").subtype == "PCM_U8"


def test_the_same_samples_give_the_same_bytes(tmp_path):
    x = np.array([0.25, -0.25])
    for name in ("a.wav", "b.wav"):
        write_audio(tmp_path / name, x, FS_HZ, "FLOAT")
    content = (tmp_path / "a.wav").read_bytes()
    assert content == (tmp_path / "b.wav").read_bytes()
    # The PEAK chunk holds the time of writing: zero, not the second in which both were written.
    at = content.index(b"PEAK")
    assert content[at + 12 : at + 16] == bytes(4)


@pytest.mark.parametrize("subtype", ["PCM_16", "FLOAT"])
def test_one_sample_and_silence(tmp_path, subtype):
    for x in (np.array([0.5]), np.zeros(100)):
        write_audio(tmp_path / "x.wav", x, FS_HZ, subtype)
        np.testing.assert_array_equal(read_audio(tmp_path / "x.wav", fs_hz=FS_HZ).samples, x[:, np.newaxis])


def test_blocks_leave_no_seam(tmp_path, rng):
    x_q15 = rng.integers(-32768, 32768, 3 * 65536 + 7).astype(np.int16)
    write_audio(tmp_path / "x.flac", x_q15, FS_HZ)
    np.testing.assert_array_equal(to_q15(read_audio(tmp_path / "x.flac").samples)[:, 0], x_q15)


def test_to_mono_is_the_mean_and_exact_for_equal_channels():
    x = ALL_INT16 / 32768
    np.testing.assert_array_equal(to_mono(np.stack([x, x], axis=1)), x)
    np.testing.assert_array_equal(to_mono(np.array([[1.0, 0.5], [-1.0, 1.0]])), [0.75, 0.0])
    np.testing.assert_array_equal(to_mono(x), x)


# Sample rate


def test_another_rate_is_refused_with_the_way_out(tmp_path):
    path = saved(tmp_path / "in.wav", wav_bytes(np.zeros(10), fs_hz=44100))
    with pytest.raises(AudioError, match=r"in\.wav: 44100 Hz found, 16000 Hz needed; add --resample$"):
        read_audio(path, fs_hz=FS_HZ)


def test_resampling_keeps_a_tone(tmp_path):
    n = np.arange(44100)
    path = saved(tmp_path / "in.wav", wav_bytes(0.5 * np.sin(2 * np.pi * 997 / 44100 * n), "DOUBLE", 44100))
    audio = read_audio(path, fs_hz=FS_HZ, resample=True)
    assert (audio.fs_hz, audio.samples.shape, audio.clipped) == (FS_HZ, (FS_HZ, 1), 0)
    y = audio.samples[1000:-1000, 0]
    expected = 0.5 * np.sin(2 * np.pi * 997 / FS_HZ * np.arange(FS_HZ))[1000:-1000]
    error = np.abs(y - expected).max()
    assert error < MEASURED_RESAMPLING_ERROR * 2, f"{error:.3g}, measured {MEASURED_RESAMPLING_ERROR}"


def test_resampling_clips_overshoots_and_counts_them(tmp_path):
    square = np.where(np.arange(4410) // 50 % 2 == 0, 1.0, -1.0)
    path = saved(tmp_path / "in.wav", wav_bytes(square, "FLOAT", 44100))
    audio = read_audio(path, fs_hz=FS_HZ, resample=True)
    assert audio.clipped > 0
    assert np.abs(audio.samples).max() == 1.0


def test_a_file_at_the_wanted_rate_is_not_resampled(tmp_path):
    path = saved(tmp_path / "in.wav", wav_bytes(ALL_INT16))
    np.testing.assert_array_equal(
        to_q15(read_audio(path, fs_hz=FS_HZ, resample=True).samples)[:, 0], ALL_INT16
    )


# Input that cannot be used: one line, with the path, what was found and what is accepted


def bad_inputs() -> dict[str, tuple[bytes, str]]:
    """Content, and the pattern of its message after the path."""
    half = np.full(100, 0.5)
    nan, infinite, stereo_nan = half.copy(), half.copy(), np.full((100, 2), 0.5)
    nan[17], infinite[3], stereo_nan[5, 1] = np.nan, -np.inf, np.nan
    whole = wav_bytes(half)
    flac = wav_bytes(np.sin(np.arange(20000.0)) * 0.5, format="FLAC")
    # STREAMINFO's 36 bits of length: all clear means unknown, all set promises what is not there.
    unknown = flac[:21] + bytes([flac[21] & 0xF0, 0, 0, 0, 0]) + flac[26:]
    lying = flac[:21] + bytes([flac[21] | 0x0F, 255, 255, 255, 255]) + flac[26:]
    not_audio = "not audio, or damaged; a WAV or FLAC file is needed"
    return {
        "text": (b"hello, this is a text and not audio", not_audio),
        "no bytes": (b"", not_audio),
        "WAV header cut": (whole[:30], not_audio),
        "FLAC cut": (flac[: len(flac) // 2], not_audio),
        "FLAC that promises more": (lying, r"cut short: 20000 of 68719476735 frames found"),
        "FLAC of unknown length, cut": (
            unknown[:-9],
            "FLAC without a length in its header found, .* cut short",
        ),
        "WAV cut": (whole[:-50], "cut short: 150 of 200 bytes of audio found"),
        "no samples": (wav_bytes(np.zeros(0)), "no samples found; at least 1 needed"),
        "three channels": (wav_bytes(np.zeros((5, 3))), "3 channels found; mono or stereo needed"),
        "AIFF": (wav_bytes(half, format="AIFF"), "AIFF audio found; WAV or FLAC needed"),
        "1 Hz": (wav_bytes(half, fs_hz=1), "1 Hz found; 2000 to 655350 Hz accepted"),
        "NaN": (wav_bytes(nan, "FLOAT"), "nan found at sample 17, channel 0; finite samples needed"),
        "infinite": (
            wav_bytes(infinite, "DOUBLE"),
            "-inf found at sample 3, channel 0; finite samples needed",
        ),
        "stereo NaN": (wav_bytes(stereo_nan, "FLOAT"), "nan found at sample 5, channel 1; finite .*"),
        "too loud": (
            wav_bytes(half * 3, "FLOAT"),
            r"peak 1\.5 \(\+3\.52 dBFS\) found; at most 1\.0 \(0 dBFS\) accepted; "
            r"a gain of -3\.53 dB fits \(--gain -3\.53\)",
        ),
        "just too loud": (wav_bytes(-half * 2.0000002, "DOUBLE"), r"peak 1\.0000001 .*"),
    }


@pytest.mark.parametrize("case", bad_inputs())
def test_bad_input_is_one_clear_line(tmp_path, case):
    content, message = bad_inputs()[case]
    path = saved(tmp_path / "in.dat", content)
    with pytest.raises(AudioError, match=f"^{re.escape(str(path))}: {message}$") as caught:
        read_audio(path)
    assert "\n" not in str(caught.value)


def test_missing_file_and_directory_say_so(tmp_path):
    with pytest.raises(AudioError, match=r"none\.wav: cannot be read: No such file or directory$"):
        read_audio(tmp_path / "none.wav")
    with pytest.raises(AudioError, match=r"cannot be read: Is a directory$"):
        read_audio(tmp_path)


def test_a_file_too_short_for_the_wanted_rate_is_refused(tmp_path):
    path = saved(tmp_path / "in.wav", wav_bytes(np.zeros(1), fs_hz=192000))
    with pytest.raises(AudioError, match="1 frames at 192000 Hz found; too short for 16000 Hz"):
        read_audio(path, fs_hz=FS_HZ, resample=True)


@pytest.mark.parametrize("suffix", [".raw", ".bin", ".flac", ".mp3", ""])
def test_what_a_file_holds_decides_not_its_name(tmp_path, suffix):
    audio = read_audio(saved(tmp_path / f"in{suffix}", wav_bytes(ALL_INT16[:500])))
    np.testing.assert_array_equal(to_q15(audio.samples)[:, 0], ALL_INT16[:500])
    with pytest.raises(AudioError, match=r"raw: not audio, .*\(samples without a header need one\)$"):
        read_audio(saved(tmp_path / "bare.raw", ALL_INT16.tobytes()))


def test_a_gain_is_offered_for_the_peak_of_the_whole_file_and_fits(tmp_path):
    x = np.full(200_000, 0.5)
    x[10], x[150_000] = 1.5, -4.0  # the louder one lies in a later frame
    path = saved(tmp_path / "in.wav", wav_bytes(x, "FLOAT"))
    with open_audio(path) as file, pytest.raises(AudioError, match=r"peak 4 .*--gain -12\.05"):
        file.read(1000)
    np.testing.assert_allclose(read_audio(path, gain_db=-12.05).samples[:, 0], x * 10 ** (-12.05 / 20))
    with pytest.raises(AudioError, match=r"--gain -12\.05"):
        read_audio(path, gain_db=-12.04)
    with pytest.raises(ConfigError, match=r"gain_db=nan: must be in \[-200, 200\]"):
        read_audio(path, gain_db=np.nan)


@pytest.mark.parametrize("fs_hz", [0, -16000, 1999, 655351, 16000.5])
def test_a_wanted_rate_out_of_range_is_refused(tmp_path, fs_hz):
    path = saved(tmp_path / "in.wav", wav_bytes(np.zeros(5)))
    with pytest.raises(ConfigError, match=r"fs_hz=.*: must be an integer in \[2000, 655350\]"):
        read_audio(path, fs_hz=fs_hz)
    with pytest.raises(ConfigError, match=r"fs_hz=.*: must be an integer in \[2000, 655350\]"):
        write_audio(tmp_path / "out.wav", np.zeros(5), fs_hz)


def test_to_q15_names_the_sample_that_is_not_finite():
    x = np.zeros(70000)
    x[69999] = np.nan
    with pytest.raises(AudioError, match="nan found at sample 69999"):
        to_q15(x)


# Output that cannot be written


@pytest.mark.parametrize(
    ("name", "samples", "subtype", "message"),
    [
        ("x.mp3", np.zeros(5), "PCM_16", r"suffix '\.mp3' found; \.wav or \.flac needed"),
        ("x", np.zeros(5), "PCM_16", r"suffix '' found; \.wav or \.flac needed"),
        ("x.flac", np.zeros(5), "FLOAT", "sample format FLOAT found; FLAC takes PCM_S8, PCM_16, PCM_24"),
        ("x.wav", np.zeros(5), "ULAW", "sample format ULAW found; WAV takes PCM_U8, .*"),
        ("x.wav", np.zeros(0), "PCM_16", r"samples of shape \(0,\); .* needed"),
        ("x.wav", np.zeros((5, 3)), "PCM_16", r"samples of shape \(5, 3\); .* needed"),
        ("x.wav", np.zeros(5, np.int32), "PCM_16", "samples of dtype int32; .* needed"),
        ("x.wav", np.array([0, np.inf]), "FLOAT", "inf found at sample 1, channel 0; finite samples needed"),
        ("none/x.wav", np.zeros(5), "PCM_16", "cannot be written: No such file or directory"),
    ],
)
def test_what_cannot_be_written_is_one_clear_line(tmp_path, name, samples, subtype, message):
    path = tmp_path / name
    with pytest.raises(AudioError, match=f"^{re.escape(str(path))}: {message}$"):
        write_audio(path, samples, FS_HZ, subtype)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_is_not_overwritten(tmp_path):
    (tmp_path / "x.wav").mkdir()
    with pytest.raises(AudioError, match=r"x\.wav: cannot be written: Is a directory"):
        write_audio(tmp_path / "x.wav", np.zeros(5), FS_HZ)
    assert [path.name for path in tmp_path.iterdir()] == ["x.wav"]


def test_a_file_in_the_place_of_the_folder_is_named(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(AudioError, match=r"x\.wav: cannot be written: Not a directory"):
        write_audio(tmp_path / "file" / "x.wav", np.zeros(5), FS_HZ)


def test_a_replaced_file_keeps_its_mode(tmp_path):
    path = tmp_path / "x.wav"
    write_audio(path, np.zeros(8), 48000)
    path.chmod(0o600)
    write_audio(path, np.ones(8) / 2, 48000)
    assert path.stat().st_mode & 0o777 == 0o600
    assert read_audio(path).samples[0, 0] == 0.5


def test_a_pipe_is_written_to_and_stays_a_pipe(tmp_path):
    path = tmp_path / "x.wav"
    os.mkfifo(path)
    with ThreadPoolExecutor() as pool:
        read = pool.submit(path.read_bytes)
        write_audio(path, np.zeros(8), 48000)
        assert read.result(timeout=10)[:4] == b"RIFF"
    assert path.is_fifo()


def test_a_symbolic_link_is_written_through(tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "x.wav").symlink_to(tmp_path / "folder" / "real.wav")
    write_audio(tmp_path / "x.wav", np.zeros(5), FS_HZ)
    assert (tmp_path / "x.wav").is_symlink()
    assert len(read_audio(tmp_path / "folder" / "real.wav").samples) == 5


def test_an_unwritable_folder_is_named(tmp_path):
    folder = tmp_path / "locked"
    folder.mkdir()
    folder.chmod(0o500)
    try:
        (folder / "probe").touch()
        pytest.skip("this user may write everywhere")
    except PermissionError:
        with pytest.raises(AudioError, match=r"x\.wav: cannot be written: Permission denied"):
            write_audio(folder / "x.wav", np.zeros(5), FS_HZ)
    finally:
        folder.chmod(0o700)


def test_a_write_that_fails_half_way_leaves_the_old_file_and_nothing_else(tmp_path):
    resource = pytest.importorskip("resource")  # POSIX: a limit on file size stands for a full disk
    path = tmp_path / "x.wav"
    write_audio(path, ALL_INT16[:100], FS_HZ)
    old = path.read_bytes()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, limits[1]))
    try:
        with pytest.raises(AudioError, match=r"x\.wav: cannot be written: File too large"):
            write_audio(path, ALL_INT16, FS_HZ)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert path.read_bytes() == old
    assert [p.name for p in tmp_path.iterdir()] == ["x.wav"]


def test_an_interrupt_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch):
    path = tmp_path / "x.flac"
    write_audio(path, ALL_INT16[:100], FS_HZ)
    old = path.read_bytes()

    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("firmware_model.pcm_writer.os.replace", interrupt)
    with pytest.raises(KeyboardInterrupt):
        write_audio(path, ALL_INT16, FS_HZ)
    assert path.read_bytes() == old
    assert [p.name for p in tmp_path.iterdir()] == ["x.flac"]


# Standard input and output

PASS_THROUGH = """
from firmware_model.pcm import read_audio
from firmware_model.pcm_writer import write_audio
audio = read_audio("-")
write_audio("-", audio.samples, audio.fs_hz, audio.subtype)
"""


def piped(content: bytes) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-c", PASS_THROUGH], input=content, capture_output=True, timeout=60, cwd=ROOT
    )


def test_standard_input_and_output_carry_audio():
    done = piped(wav_bytes(ALL_INT16[::64], format="FLAC"))
    samples, fs_hz = soundfile.read(io.BytesIO(done.stdout), dtype="int16")
    assert fs_hz == FS_HZ
    np.testing.assert_array_equal(samples, ALL_INT16[::64])


def test_empty_standard_input_is_one_clear_line():
    last_line = piped(b"").stderr.decode().splitlines()[-1]
    assert last_line.endswith("-: not audio, or damaged; a WAV or FLAC file is needed")


def test_a_named_pipe_is_read(tmp_path):
    content = wav_bytes(ALL_INT16[::64])
    code = (
        "import sys; from firmware_model.pcm import *; from firmware_model.pcm_writer import *;"
        "a = read_audio(sys.argv[1]); write_audio('-', a.samples, a.fs_hz)"
    )
    script = f'{sys.executable} -c "{code}" <(cat)'
    done = subprocess.run(["bash", "-c", script], input=content, capture_output=True, timeout=60, cwd=ROOT)
    assert done.stdout == content, done.stderr.decode()


def test_audio_is_a_plain_tuple():
    audio = Audio(np.zeros((3, 1)), FS_HZ, "x.wav", "PCM_16")
    assert audio._fields == ("samples", "fs_hz", "path", "subtype", "clipped")
