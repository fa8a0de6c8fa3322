"""A product of a user's own: from installed wheels, not from the sources, it gets what built-in ones get."""

import os
import re
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
import soundfile

from firmware_model.device.export.build import link
from fixedpoint.c99.host import compiler
from tests.firmware_model.warm import Warm, warm

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "examples/own_product"
CASE = "dcgate"

needs_cc = pytest.mark.skipif(
    shutil.which("cc") is None or shutil.which("make") is None, reason="no cc, or no make"
)


class Installed(NamedTuple):
    """An environment with bittrue's wheel and the example's; folder : to work in;  serving : its bittrue."""

    python: Path
    folder: Path
    serving: Warm | None = None

    def __call__(self, *arguments, status=0):
        run = self.serving(self.folder, *arguments)
        assert run.status == status, run.out + run.err
        return run

    def install(self, *wheels):
        pip = [sys.executable, "-m", "pip", "--python", self.python, "install", "--no-deps", "--no-index"]
        subprocess.run([*pip, "--quiet", "--disable-pip-version-check", *wheels], check=True, timeout=300)


def wheel(sources: Path, into: Path) -> Path:
    """The wheel of a folder of sources, which stays as it is."""
    copy, dist = into / "sources", into / "dist"
    leave = shutil.ignore_patterns(".*", "build", "demo", "*.egg-info", "__pycache__", "tests")
    shutil.copytree(sources, copy, ignore=leave)
    pip = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "--quiet"]
    subprocess.run([*pip, "--disable-pip-version-check", "-w", dist, copy], check=True, timeout=300)
    (found,) = dist.glob("*.whl")
    return found


@pytest.fixture(scope="module")
def bittrue(tmp_path_factory):
    """A fresh environment that has its libraries from this one, but for bittrue itself."""
    folder = tmp_path_factory.mktemp("installed")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder / "env"], check=True, timeout=120)
    python = folder / "env/bin/python"
    ask = "import sysconfig; print(sysconfig.get_path('purelib'))"
    site = Path(
        subprocess.run([python, "-c", ask], capture_output=True, text=True, check=True).stdout.strip()
    )
    (site / "libraries.pth").write_text(sysconfig.get_path("purelib") + "\n")
    (folder / "work").mkdir()
    installed = Installed(python, folder / "work")
    installed.install(wheel(ROOT, folder / "ours"), wheel(EXAMPLE, folder / "example"))
    ask = [python, "-c", "import fixedpoint; print(fixedpoint.__file__)"]
    where = subprocess.run(ask, cwd=installed.folder, capture_output=True, text=True)
    assert where.stdout.startswith(str(site)), where  # not the sources
    with warm(python, folder) as serving:
        yield installed._replace(serving=serving)


@pytest.fixture(scope="module")
def exported(bittrue):
    """The C of the example's product, its vectors tried."""
    bittrue("export", "out", "--product", CASE)
    return bittrue.folder / "out"


def test_check_knows_its_cases_references_and_kernels(bittrue):
    found = bittrue("check", "--product", CASE, "--json").json
    kinds = [row["item"].partition(":")[0] for row in found["cases"]]
    assert (found["failed"], found["skipped"]) == (0, 0)
    assert {kind: kinds.count(kind) for kind in set(kinds)} == {
        "case": 2,
        "reference": 2,
        "kernel": 5,
        "subset": 5,
    }


def test_a_product_that_is_not_there_is_status_2_and_the_nearest_is_named(bittrue):
    script = [bittrue.python.with_name("bittrue"), "check", "--product", "dcgat"]
    run = subprocess.run(script, cwd=bittrue.folder, capture_output=True, text=True, timeout=300)
    assert (run.returncode, run.stdout) == (2, "")
    assert run.stderr == "product 'dcgat': must be one of watermark, mbdp, dcgate; did you mean dcgate?\n"


def test_its_goldens_are_frozen_into_its_own_package(bittrue):
    run = bittrue("freeze", "--reason", "to see that nothing changed", "--json")
    (found,) = run.json["products"]
    assert (found["product"], found["new"], found["changed"], found["removed"]) == (CASE, [], [], [])
    assert found["folder"].endswith("site-packages/dcgate/goldens")


def test_its_ranges_have_every_node_with_its_headroom(bittrue):
    (case,) = bittrue("ranges", CASE, "--json").json["cases"]
    assert [node["node"] for node in case["nodes"]] == ["blocked", "level", "gain", "output"]


@needs_cc
def test_its_exported_c_gives_the_bits(bittrue, exported):
    made = subprocess.run(["make", "-C", exported, "test"], capture_output=True, text=True, timeout=300)
    assert "dcgate: equal: 48000 values of output" in made.stdout, made.stderr


@needs_cc
def test_a_planted_rounding_in_its_c_is_named_with_kernel_and_line(bittrue, exported):
    """Its example program runs the case's vectors; its dump is compared, and the cause is searched for."""
    broken = bittrue.folder / "broken"
    shutil.copytree(exported, broken)
    source = broken / "bittrue_dcgate.c"
    text = source.read_text()
    assert text.count("sat16(rnd_shift(v * gain, 43))") == 1
    source.write_text(text.replace("sat16(rnd_shift(v * gain, 43))", "sat16(trn_shift(v * gain, 43))"))
    subprocess.run(["make", "-s", "-C", broken, "build/main"], check=True, capture_output=True, timeout=300)
    bittrue("vectors", "vec", CASE)
    given = (bittrue.folder / "vec" / CASE / "input.bin").read_bytes()
    dump = subprocess.run([broken / "build/main"], input=given, capture_output=True, check=True).stdout
    (bittrue.folder / "dump.bin").write_bytes(dump)
    found = bittrue("compare", CASE, "dump.bin", status=1)
    assert "first wrong node of the dump: output, right, sample 0" in found.out
    lines = (EXAMPLE / "dcgate/kernels.py").read_text().splitlines()
    (line,) = [i for i, each in enumerate(lines, 1) if "rnd_shift(v * gain, 43)" in each]
    assert (
        f"likely cause: truncation for rounding: at dcgate/kernels.py:{line}, rnd_shift in apply_gain"
        in found.out
    )
    equal = bittrue("compare", CASE, f"vec/{CASE}/output.bin")
    assert "equal, bit for bit" in equal.out


def test_it_is_bit_exact_on_every_emulated_core_at_its_cost(bittrue):
    found = bittrue("device", CASE, "--cpu", "all", "--json").json
    assert found["bit_exact"]
    assert len(found["cores"]) == 5
    assert all(0 < core["instructions_per_sample"] < 400 for core in found["cores"])


OWN = """
#include "bittrue_dcgate.h"
enum { SAMPLES = 48 };
static bittrue_dcgate mine;
void *my_init(void) { bittrue_dcgate_init(&mine); return &mine; }
void my_process(bittrue_dcgate *self, const int16_t *x, int16_t *y, int32_t n)
{
    int16_t block[2 * SAMPLES];
    for (int32_t i = 0; i < 2 * n; i++) block[i % 2 * n + i / 2] = x[i];
    bittrue_dcgate_process(self, block, n, block);
    for (int32_t i = 0; i < 2 * n; i++) y[i] = block[i % 2 * n + i / 2];
}
"""
MAP = """
[memory]
flash = {address = 0x08000000, size = "64K", writable = false}
ram = {address = 0x20000000, size = "64K"}
[call]
samples = 48
arguments = ["init", "input", "output", "samples"]
init = "my_init"
stack = {region = "ram", size = "8K"}
[buffers]
input = {type = "int16", layout = "interleaved"}
output = {type = "int16", layout = "interleaved"}
"""


@needs_cc
def test_a_users_own_firmware_of_it_runs_as_host_library_and_as_elf(bittrue, exported):
    folder = bittrue.folder
    (folder / "map.toml").write_text(MAP)
    files = {name: (exported / name).read_text() for name in ("bittrue_dcgate.h", "bittrue_dcgate.c")}
    files["own.c"] = OWN
    for name, text in files.items():
        (folder / name).write_text(text)
    sources = ["bittrue_dcgate.c", "own.c"]
    subprocess.run(
        [compiler(), "-shared", "-fPIC", *sources, "-o", "own.so"], cwd=folder, check=True, timeout=120
    )
    entries = ["my_init", "my_process"]
    elf = link(files, entries, "cortex-m4", folder / "elf", ("-O2",))
    common = ("device", CASE, "--symbol", "my_process", "--map", "map.toml")
    assert bittrue(*common, "--host-lib", "own.so", "--json").json["bit_exact"]
    assert bittrue(*common, "--elf", elf, "--json").json["bit_exact"]


def test_a_file_streams_through_it_and_stays_within_an_lsb_of_float(bittrue):
    t = np.arange(48000) / 48000
    x = np.stack([0.5 * np.sin(2 * np.pi * 440 * t), 0.1 * np.sin(2 * np.pi * 2000 * t)], 1) + 0.1
    soundfile.write(bittrue.folder / "in.wav", x, 48000, "PCM_16")
    found = bittrue("stream", "in.wav", "out.wav", "--case", CASE, "--arith", "both", "--json").json
    assert found["max_error_lsb"] <= 1
    y, fs_hz = soundfile.read(bittrue.folder / "out.wav")
    assert (fs_hz, y.shape) == (48000, (48000, 2))
    assert np.abs(y[-24000:].mean(axis=0)).max() < 1e-3  # the offset is gone
    mono = bittrue.folder / "mono.wav"
    soundfile.write(mono, x[:, 0], 48000)
    assert (
        "1 channel found, 2 needed by dcgate"
        in bittrue("stream", mono, "o.wav", "--case", CASE, status=2).err
    )


def test_a_sweep_has_its_own_axes_and_measures_and_its_report_shows_them(bittrue):
    shutil.copy(EXAMPLE / "plan.toml", bittrue.folder)
    swept = bittrue("sweep", "plan.toml", "--out", "swept", "--json").json
    assert (swept["rows"], swept["errors"]) == (24, [])
    told = bittrue("report", "swept", "--no-spectrograms", "--json").json
    assert any(line.startswith("Open at ") for line in told["findings"]), told["findings"]
    page = (bittrue.folder / "swept/report/report.html").read_text()
    assert "time for which the gate is more than half open" in page
    unknown = (bittrue.folder / "plan.toml").read_text().replace("open_dbfs", "distance_m")
    (bittrue.folder / "wrong.toml").write_text(unknown)
    run = bittrue("sweep", "wrong.toml", "--dry-run", status=2)
    assert "axes.distance_m: an axis of watermark; dcgate has open_dbfs, volume_db, arithmetic" in run.err


def test_a_new_product_passes_at_once(bittrue, tmp_path):
    told = bittrue("new", "gate", tmp_path / "mygate")
    assert f"install it: pip install {tmp_path / 'mygate'}" in told.out
    bittrue.install(
        wheel(tmp_path / "mygate", tmp_path / "dist") if (tmp_path / "dist").mkdir() is None else ""
    )
    found = bittrue("check", "--product", "gate", "--json").json
    assert (found["failed"], found["passed"]) == (0, 6)
    assert bittrue("device", "gate", "--cpu", "cortex-m4", "--json").json["bit_exact"]
    assert "stream" in bittrue("--help").out
    again = bittrue("new", "gate", tmp_path / "other", status=2)
    assert again.err == "NAME 'gate': is a product already; another name needed\n"


BROKEN = {
    "missing": ("nowhere_at_all:PRODUCT", "ModuleNotFoundError: No module named 'nowhere_at_all'"),
    "wrong": ("json:dumps", "function found, a firmware_model.product.Product needed"),
    "twice": ("dcgate.product:PRODUCT", "name 'dcgate': bittrue-dcgate has a product of this name"),
}


def test_a_broken_plug_in_is_one_line_that_names_its_package_and_leaves_the_others(bittrue):
    (site,) = (bittrue.folder.parent / "env/lib").glob("python*/site-packages")
    infos = [site / f"zz_{name}-1.0.dist-info" for name in BROKEN]
    for info, (name, (point, _)) in zip(infos, BROKEN.items(), strict=True):
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: zz-{name}\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(f"[bittrue.products]\nzz{name} = {point}\n")
    lines = [f"zz-{n}: product 'zz{n}' cannot be used: {says}" for n, (_, says) in BROKEN.items()]
    try:
        run = bittrue("check", "--product", CASE, "--filter", "level_of")
        assert sorted(run.err.splitlines()) == sorted(lines)
        assert "2 passed" in run.out
        assert sorted(bittrue("check", "--filter", "sat16").err.splitlines()) == sorted(lines)
    finally:
        for info in infos:
            shutil.rmtree(info)


def test_the_compile_cache_goes_by_its_kernels_sources(bittrue):
    """An edit in a constant that a kernel uses, in another file of the package, changes what is computed."""
    (site,) = (bittrue.folder.parent / "env/lib").glob("python*/site-packages")
    params = site / "dcgate/params.py"
    text = params.read_text()
    params.write_text(text.replace("round(2**31 / BLOCK)", "round(2**30 / BLOCK)"))
    os.utime(params, (1, 1))  # Python tells files of one size by their second
    try:
        assert (
            bittrue("check", "--product", CASE, "--filter", "apply_gain", "--json", status=1).json["failed"]
            >= 1
        )
    finally:
        params.write_text(text)
    assert bittrue("check", "--product", CASE, "--filter", "apply_gain", "--json").json["failed"] == 0


# A magnitude differs by one of 4096 parts of an LSB, and rounding takes it away; |v| is below 2**30.
# The last is not equivalent: no argument of the golden has one block of the hold left and a level between
# the two thresholds.
MISSED = {
    "dcgate.kernels.level_of, dcgate/kernels.py: 0 -> 1",
    "dcgate.kernels.level_of, dcgate/kernels.py: np.int64(0) - v -> 32 bits",
    "dcgate.kernels.next_gain, dcgate/kernels.py: 0 -> 1",
}


def test_its_kernels_are_audited_and_mutated_by_bittrues_own_helpers(bittrue):
    code = """
from dcgate.product import PRODUCT
from firmware_model.golden.proofs import audit, mutation
assert audit.differences(PRODUCT) == []
found = mutation.missed(PRODUCT, every=7)
print(len(found.tried), *found.missed, sep="\\n")
"""
    ran = subprocess.run(
        [bittrue.python, "-c", code], cwd=bittrue.folder, capture_output=True, text=True, timeout=300
    )
    assert ran.returncode == 0, ran.stderr
    tried, *missed = ran.stdout.split("\n")[:-1]
    assert int(tried) >= 10
    assert {re.sub(r":\d+", "", each) for each in missed} == MISSED


@needs_cc
def test_a_product_that_gives_fields_of_two_channels_and_has_a_verb(bittrue, tmp_path):
    """It is not frozen yet: that is said, its goldens are made, and all the rest works."""
    bittrue.install(wheel(Path(__file__).with_name("meter_product"), tmp_path / "built"))
    assert "the largest magnitude" in bittrue("peak").out
    assert "  peak " in bittrue("--help").out
    missing = bittrue("check", "--product", "meter", "--json", status=1).json
    says = [row["says"] for row in missing["cases"] if row["item"] == "case:meter"]
    assert says == ["has no golden; freeze it with bittrue freeze --product meter --reason ..."]
    bittrue("freeze", "--product", "meter", "--reason", "the first")
    assert bittrue("check", "--product", "meter", "--json").json["failed"] == 0
    out = tmp_path / "out"
    bittrue("export", out, "--product", "meter")
    made = subprocess.run(["make", "-C", out, "test"], capture_output=True, text=True, timeout=300)
    assert "meter: equal: 300 values of output" in made.stdout, made.stdout + made.stderr
    assert bittrue("device", "meter", "--cpu", "cortex-m4", "--json").json["bit_exact"]
    x = np.random.default_rng(1).normal(0, 0.1, (16000, 2))
    soundfile.write(tmp_path / "in.wav", x, 16000, "PCM_16")
    found = bittrue(
        "stream", tmp_path / "in.wav", tmp_path / "out.npz", "--case", "meter", "--arith", "both", "--json"
    )
    assert found.json["max_error_lsb"] <= 8  # roundings of a hundred blocks add up
    assert np.load(tmp_path / "out.npz")["peak"].shape == (2, 500)
    run = bittrue("stream", tmp_path / "in.wav", "-", "--case", "meter", status=2)
    assert run.err == "-: peak of meter is no sound; a name that ends in .npz needed\n"
