"""Whole small files of every format that a command reads, the lines that read them, and what came of them.

A case is a number: it decides the file, the damage, the command. Cases run in forked processes, many in each.
"""

import io
import multiprocessing
import os
import shutil
import signal
import sys
import time
import warnings
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import numpy as np
import soundfile
from matplotlib import figure

from firmware_model.cli import main
from firmware_model.golden import store
from tests.firmware_model.cli import sweep_cases
from tests.firmware_model.cli.cases import KEY
from tests.firmware_model.cli.damage import damaged

HANGS_S = 60.0
SAMPLE, ENCODED = "mbdp-smart-speaker", "watermark-small"  # cases whose outputs are samples, and scores


class Input(NamedTuple):
    """name : of the file that is damaged, among the others;  lines : command lines that read it."""

    name: str
    lines: tuple[str, ...]
    weight: float = 1.0


_MONO = (
    f"detect @ --key {KEY}",
    f"detect @ --key {KEY} --resample --arith both",
    "process @ out.wav --resample",
    "process @ out.flac --arith both",
    "room @ out.wav --distance 1 --rt60 0.2",
    "room @ out.wav --distance 1 --rt60 0.2 --snr 10 --noise @",
    f"stream @ out.wav --case {SAMPLE} --resample",
    f"ranges {SAMPLE} --audio @ --seconds 0.1 --resample",
    "calibrate @ --keys 1 --resample",
    f"detect - --key {KEY} --resample --gain -1 <@",
)
_STEREO = (*_MONO[1:3], *_MONO[4:6], _MONO[7], "process @ out.wav --arith both")
_RESPONSE = ("room voice.wav out.wav --rir @", "room voice.wav out.wav --rir @ --snr 20")
_DUMPED = (
    f"compare {SAMPLE} @ --no-cause",
    f"compare {SAMPLE} @ --no-cause --json --dtype int16 --layout planar",
    f"compare {SAMPLE} dump.bin --no-cause --input @",
)
_SWEPT = (
    "report sweep --no-page --csv out.csv",
    "report sweep --no-page --csv out.csv --json",
    "sweep plan.toml --out sweep --dry-run",
    "report sweep --out out.html --no-spectrograms",
    "report sweep --no-page --limits limits.toml",
    "report sweep again --json",
)
_FIRMWARE = f"device {SAMPLE} --symbol f"
INPUTS = (
    *(Input(name, _MONO, 2.0) for name in ("voice.wav", "rf64.wav", "tagged.wav", "voice.flac")),
    *(Input(name, _MONO) for name in ("ulaw.wav", "adpcm.wav", "big.wav")),
    *(Input(name, _STEREO, 2.0) for name in ("stereo.wav", "float.wav", "stereo.flac")),
    *(Input(f"voice.{suffix}", _MONO[4:6], 0.3) for suffix in ("ogg", "aiff", "caf", "w64")),
    Input("mark.wav", (f"embed @ out.wav --key {KEY}", f"embed @ out.flac --key {KEY} --mode live")),
    Input(
        "mark.flac", (f"embed @ out.wav --key {KEY}", f"simulate @ --key {KEY} --distance 1 --rt60 0.2"), 0.3
    ),
    *(Input(f"rir.{suffix}", _RESPONSE) for suffix in ("wav", "flac", "aiff")),
    *(
        Input(f"dump{suffix}", _DUMPED)
        for suffix in (".bin", ".raw", ".s16", ".npy", ".csv", ".txt", ".hex", ".wav", ".flac")
    ),
    Input("dump.npz", (*_DUMPED[:2], f"compare {SAMPLE} @ --no-cause --input @"), 2.0),
    Input("nodes.npy", (f"compare {SAMPLE} @ --no-cause --node level",)),
    Input("scores.npz", (f"compare {ENCODED} @ --no-cause", f"compare {ENCODED} @ --no-cause --json")),
    Input("profile.toml", ("process tone.wav out.wav --profile @", "process tone.wav - --profile @"), 4.0),
    Input("profile.toml", ("export exported --product mbdp --profile @ --force",), 0.3),
    Input("plan.toml", ("sweep @ --out none --dry-run", "sweep - --out sweep --dry-run <@"), 4.0),
    Input("sound_plan.toml", ("sweep @ --out none --dry-run",), 2.0),
    Input("swept.wav", ("sweep sound_plan.toml --out none --dry-run",)),
    Input("sweep/results.sqlite", _SWEPT, 6.0),
    Input(
        "limits.toml", ("report sweep --no-page --limits @", "report sweep --no-page --limits @ --json"), 2.0
    ),
    Input(
        "map.toml", (f"{_FIRMWARE} --elf none.elf --map @", f"{_FIRMWARE} --host-lib none.so --map @"), 3.0
    ),
    Input("firmware.elf", (f"{_FIRMWARE} --elf @ --map map.toml",)),
    *(
        Input(
            f"goldens/{name}",
            (f"compare {SAMPLE} dump.bin --no-cause", f"vectors out {SAMPLE} --force"),
            weight,
        )
        for name, weight in (("manifest.json", 2.0), ("mbdp-smart-speaker.npz", 0.5), ("stimuli.npz", 0.5))
    ),
    Input("goldens/manifest.json", ("check --product mbdp --filter subset",), 0.2),
    Input("out/manifest.json", (f"vectors out {SAMPLE}", f"vectors out {SAMPLE} --force")),
)
# Whole, and refused: too short, another format, no such firmware.
REFUSED = (
    "calibrate",
    "--dry-run",
    "device",
    ".ogg ",
    ".aiff out",
    ".caf",
    ".w64",
    "vectors out",
    "--filter subset",
)
_NUMBERS = ("nan", "inf", "-1", "0", "1e999", "9" * 30, "", " ", "é", "0x1p3", "1_0", "--", "1e-300", "２")
_OPTIONS = (
    "detect voice.wav --key @",
    f"detect voice.wav --key {KEY} --threshold @",
    f"embed mark.wav out.wav --key {KEY} --strength @",
    "room voice.wav out.wav --distance @",
    "room voice.wav out.wav --distance 1 --rt60 @",
    "room voice.wav out.wav --distance 1 --rt60 0.2 --snr @",
    "room voice.wav out.wav --distance 1 --rt60 0.2 --drift @",
    "room voice.wav out.wav --distance 1 --rt60 0.2 --seed @",
    "room voice.wav out.wav --scene @",
    "process tone.wav out.wav --profile @",
    "synthesise tone out.wav --seconds 0.1 --rate @",
    "stream tone.wav out.wav --case @",
    f"compare {SAMPLE} dump.bin --no-cause --dtype @",
    f"compare {SAMPLE} dump.bin --no-cause --node @",
    "compare @ dump.bin --no-cause",
    "report @ --no-page",
    "sweep plan.toml --out none --dry-run --row @",
    "@ voice.wav",
)


def write_inputs(folder: Path) -> None:
    """All of them, whole."""
    rng = np.random.default_rng(5)
    t = np.arange(4000) / 16000
    voice = 0.3 * np.sin(2 * np.pi * 440 * t) + 0.05 * rng.standard_normal(4000)
    stereo = np.stack([voice, 0.5 * voice], 1)

    def sound(name: str, x: np.ndarray, fs_hz: int = 16000, subtype: str | None = None, **more: str) -> None:
        soundfile.write(folder / name, x, fs_hz, subtype, **more)

    sound("voice.wav", voice)
    sound("stereo.wav", stereo, 16000, "PCM_24")
    sound("float.wav", stereo, 16000, "FLOAT")
    sound("rf64.wav", voice, 16000, "PCM_32", format="RF64")
    sound("tagged.wav", voice, 16000, "PCM_U8")
    with open(folder / "tagged.wav", "ab") as file:
        file.write(b"LIST\x1a\0\0\0INFOISFT\x0e\0\0\0test program\0\0id3 \4\0\0\0ID3\0")
    sound("ulaw.wav", voice, 16000, "ULAW")
    sound("adpcm.wav", voice, 16000, "MS_ADPCM")
    sound("big.wav", voice, 16000, "PCM_16", endian="BIG")
    for suffix in ("flac", "ogg", "aiff", "caf", "w64"):
        sound(f"voice.{suffix}", voice)
    sound("stereo.flac", stereo, 16000, "PCM_24")
    sound("tone.wav", np.tile(voice, 2), 48000)
    long = np.tile(voice, 9)
    sound("mark.wav", long)
    sound("mark.flac", np.stack([long, long], 1))
    rir = np.exp(-30 * np.arange(6400) / 16000) * rng.standard_normal(6400)
    rir[0] = 3.0
    for suffix in ("wav", "flac", "aiff"):
        sound(f"rir.{suffix}", rir / 4)
    sound("swept.wav", np.tile(voice, 2))
    shutil.copytree(store.goldens_folder(_product()), folder / "goldens")
    golden = store.Store(folder / "goldens").array(f"output:{SAMPLE}")[0]
    short = golden.astype("<i2")
    for suffix in (".bin", ".raw", ".s16"):
        short.tofile(folder / f"dump{suffix}")
    np.save(folder / "dump.npy", short)
    np.savez(folder / "dump.npz", output=short, input=short)
    np.save(folder / "nodes.npy", np.zeros((4, 6000), "<i4"))
    np.savez_compressed(folder / "scores.npz", integrated=np.zeros((2, 50), "<i4"))
    sound("dump.wav", short, 48000)
    sound("dump.flac", short, 48000)
    (folder / "dump.csv").write_text("output\n" + "".join(f"{value},\n" for value in short))
    (folder / "dump.txt").write_text("".join(f"{value}\n" for value in short))
    from intelhex import IntelHex

    text = IntelHex()
    text.frombytes(short.tobytes())
    text.write_hex_file(str(folder / "dump.hex"))
    root = Path(main.__file__).parents[2]
    shutil.copy(
        root / "firmware_model/dynamics/settings/profiles/smart-speaker.toml", folder / "profile.toml"
    )
    shutil.copy(root / "examples/firmware_map.toml", folder / "map.toml")
    plan = 'product = "watermark"\nseed = 1\nrepeats = 1\n[programme]\nfiles = ["swept.wav"]\nseconds = 3\n'
    plan += (
        '[axes]\nrir = ["rir.wav"]\nsnr_db = [10, 20]\nnoise = ["white", "stereo.wav"]\ncodec = ["none"]\n'
    )
    (folder / "sound_plan.toml").write_text(plan)
    found = sweep_cases.written(folder, sweep_cases.CODECS, sweep_cases.watermark_outcome)
    found.rename(folder / "sweep")
    shutil.copytree(folder / "sweep", folder / "again")
    limits = '[[limit]]\nname = "home"\nmeasure = "missed"\nat_most = 0.5\nwhere = {drift_ppm = "<= 20"}\n'
    limits += '[[limit]]\nname = "late"\nmeasure = "latency_s"\nat_most = 1.5\neach_row = true\n'
    (folder / "limits.toml").write_text(limits)
    (folder / "firmware.elf").write_bytes(_elf())
    shutil.rmtree(folder / "out", ignore_errors=True)
    assert main.run(["vectors", str(folder / "out"), SAMPLE, "--json"]) == 0


def _product():
    from firmware_model.product import find_product

    return find_product("mbdp")


def _elf() -> bytes:
    """A 32-bit Arm file with one section of code, a symbol table and the symbol f."""
    import struct

    code, names = b"\x70\x47" * 8, b"\0f\0"
    shstr = b"\0.text\0.symtab\0.strtab\0.shstrtab\0"
    symbols = bytes(16) + struct.pack("<IIIBBH", 1, 0x8001, 2, 0x12, 0, 1)
    at, offsets = 52 + 32, []
    for part in (code, symbols, names, shstr):
        offsets.append(at)
        at += len(part) + -len(part) % 4
    parts = b"".join(part + bytes(-len(part) % 4) for part in (code, symbols, names, shstr))
    head = b"\x7fELF\1\1\1" + bytes(9)
    head += struct.pack("<HHIIIIIHHHHHH", 2, 40, 1, 0x8001, 52, at, 0x5000400, 52, 32, 1, 40, 5, 4)
    segment = struct.pack("<IIIIIIII", 1, offsets[0], 0x8000, 0x8000, len(code), len(code), 5, 4)
    sections = bytes(40)
    for name, kind, flags, address, i, size, link, info, entry in (
        (1, 1, 6, 0x8000, 0, len(code), 0, 0, 0),
        (7, 2, 0, 0, 1, len(symbols), 3, 1, 16),
        (15, 3, 0, 0, 2, len(names), 0, 0, 0),
        (23, 3, 0, 0, 3, len(shstr), 0, 0, 0),
    ):
        sections += struct.pack(
            "<IIIIIIIIII", name, kind, flags, address, offsets[i], size, link, info, 4, entry
        )
    return head + segment + parts + sections


class Outcome(NamedTuple):
    """What came of a case: its number, command line, exit status, stdout, stderr, seconds."""

    number: int
    line: str
    status: int | str
    out: str
    err: str
    seconds: float

    @property
    def wrong(self) -> str:
        """What is wrong with it; "" if nothing is."""
        if self.status not in (0, 1, 2):
            return f"status {self.status}"
        if "Traceback" in self.err or "cffi" in self.err:
            return "a traceback"
        # A dump of another form has a report, and status 2.
        if self.status == 2 and self.err.count("\n") != (not self.out):
            return f"{self.err.count(chr(10))} lines"
        return f"{self.seconds:.0f} s" if self.seconds > HANGS_S else ""


class _TooLong(BaseException):
    pass


def run_whole(folder: Path) -> list[Outcome]:
    """Each command line once, on whole files; what it loads is there for the cases."""
    lines = dict.fromkeys(line.replace("@", each.name) for each in INPUTS for line in each.lines)
    return [_outcome(-1, line.split(), folder) for line in lines]


def run_case(number: int, whole: Path, folder: Path) -> Outcome:
    """One case, in this process.

    whole : the folder of `write_inputs`;  folder : a copy of it, whose one file that is damaged is put back
    """
    rng = np.random.default_rng([7, number])
    if rng.random() < 0.08:
        line = str(rng.choice(np.array(_OPTIONS, object)))
        word = str(rng.choice(np.array(_NUMBERS, object)))
        if rng.random() < 0.5:
            word = "".join(
                chr(c) for c in rng.choice([*range(32, 127), 0xE9, 0x2028, 0x1F600], rng.integers(1, 20))
            )
        return _outcome(number, [word if part == "@" else part for part in line.split()], folder)
    weights = np.array([each.weight for each in INPUTS])
    chosen = INPUTS[int(rng.choice(len(INPUTS), p=weights / weights.sum()))]
    path = folder / chosen.name
    path.write_bytes(damaged(chosen.name, (whole / chosen.name).read_bytes(), rng))
    line = str(rng.choice(np.array(chosen.lines, object)))
    try:
        return _outcome(number, line.replace("@", chosen.name).split(), folder)
    finally:
        shutil.copy(whole / chosen.name, path)
        for name in ("results.lock", "results.sqlite-wal", "results.sqlite-shm"):
            (folder / "sweep" / name).unlink(missing_ok=True)


def _outcome(number: int, arguments: list[str], folder: Path) -> Outcome:
    streams, begun = (sys.stdin, sys.stdout, sys.stderr), time.monotonic()
    here = os.getcwd()
    os.chdir(folder)
    goldens_folder = store.goldens_folder
    store.goldens_folder = lambda of: folder / "goldens" if of.name == "mbdp" else goldens_folder(of)
    store.forget()
    from_file = arguments[-1] in [f"<{each.name}" for each in INPUTS]
    given = (folder / arguments.pop()[1:]).read_bytes() if from_file else b""
    sys.stdin = io.TextIOWrapper(io.BytesIO(given))
    stdout, stderr = io.TextIOWrapper(io.BytesIO(), encoding="utf-8"), io.StringIO()
    sys.stdout, sys.stderr = stdout, stderr
    status: int | str
    signal.setitimer(signal.ITIMER_REAL, 2 * HANGS_S)
    try:
        status = main.run(arguments)
    except _TooLong:
        status = "hangs"
    except BaseException as error:
        status = repr(error)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        stdout.flush()
        out, err = stdout.buffer.getvalue().decode("utf-8", "replace"), stderr.getvalue()  # type: ignore[attr-defined]
        sys.stdin, sys.stdout, sys.stderr = streams
        store.goldens_folder = goldens_folder
        store.forget()
        os.chdir(here)
    return Outcome(number, " ".join(arguments), status, out, err, time.monotonic() - begun)


def run_cases(numbers: range, whole: Path, processes: int = 1) -> Iterator[Outcome]:
    """Cases in forked processes; one that ends its process is wrong, and the rest goes on in another."""
    context = multiprocessing.get_context("fork")
    shares = [list(numbers[i::processes]) for i in range(processes)]
    running = {}
    for i, share in enumerate(shares):
        running[i] = _started(context, share, whole)
    while running:
        for i, (process, pipe, share) in list(running.items()):
            if not pipe.poll(0.05) and process.is_alive():
                continue
            with suppress(EOFError):
                while pipe.poll():
                    outcome = pipe.recv()
                    share.remove(outcome.number)
                    yield outcome
            if process.is_alive():
                continue
            process.join()
            del running[i]
            if share:
                yield Outcome(share.pop(0), "", f"the process ended with {process.exitcode}", "", "", 0.0)
                if share:
                    running[i] = _started(context, share, whole)


def _started(context, share, whole):
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_work, args=(list(share), whole, theirs))
    process.start()
    theirs.close()
    return process, ours, share


def _work(share, whole, pipe):
    folder = whole.with_name(f"{whole.name}-{os.getpid()}")
    shutil.copytree(whole, folder)

    def ring(*_):
        raise _TooLong

    signal.signal(signal.SIGALRM, ring)
    warnings.simplefilter("ignore")  # as `main` does for the user
    # Drawing takes most of a report's time, and no damage reaches it that the rest does not meet.
    figure.Figure.savefig = lambda _, to, **__: to.write(b"no picture")
    for number in share:
        pipe.send(run_case(number, whole, folder))
    shutil.rmtree(folder)
