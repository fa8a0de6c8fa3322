"""The cross compiler: what it leaves out, where it keeps files, what is said where it is not or refuses."""

import re
import subprocess
import sys
from pathlib import Path

import platformdirs
import pytest

from firmware_model.device.core import toolchain
from firmware_model.device.core.elf import load_elf
from firmware_model.device.export import build
from firmware_model.device.export.product import product_of_case
from firmware_model.golden.cases import find_case
from fixedpoint.errors import ConfigError
from tests.firmware_model.device.core import programs

CASES = ("mbdp-headset", "watermark-small")
CPUS = ("cortex-m0plus", "cortex-m4")
# Run-time functions for float and double: __aeabi_fadd, __aeabi_d2iz, __addsf3, __fixdfsi, fmaf, sqrt ...
FLOATING = re.compile(r"__aeabi_(\w*2)?[fd]|__\w*[sd]f|^(fma|sqrt|floor|ceil|sin|cos|exp|log|pow)f?$")


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """Path of a product's ELF file, built once."""
    made = {}

    def of(case, cpu, optimise="3"):
        key = case, cpu, optimise
        if key not in made:
            folder = tmp_path_factory.mktemp("-".join(key))
            made[key] = build.compile_firmware(product_of_case(find_case(case)), cpu, optimise, folder)
        return made[key]

    return of


@pytest.mark.parametrize("cpu", CPUS)
@pytest.mark.parametrize("case", CASES)
def test_no_floating_point_is_linked(case, cpu, built):
    firmware = load_elf(built(case, cpu))
    names = [function.name.rpartition(".")[2] for function in firmware.functions]
    assert [name for name in names if FLOATING.search(name)] == []
    if cpu == "cortex-m0plus":
        assert "__aeabi_lmul" in names  # so that the run-time library's names are those looked for


def test_the_pattern_for_floating_point_finds_it(tmp_path):
    source = "float f(float x, double y) { return x * 1.5f + (float)y; }"
    firmware = load_elf(build.link({"f.c": source}, ["f"], "cortex-m0plus", tmp_path))
    found = {f.name.rpartition(".")[2] for f in firmware.functions}
    assert {name for name in found if FLOATING.search(name)} >= {
        "__aeabi_fmul",
        "__aeabi_fadd",
        "__aeabi_d2f",
    }


def test_a_product_has_no_variables_but_its_instance(built):
    firmware = load_elf(built("mbdp-headset", "cortex-m4"))
    product = product_of_case(find_case("mbdp-headset"))
    writable = [section for section in firmware.sections if section.writable]
    instance = firmware.symbol(build.INSTANCE)
    assert sum(section.size for section in writable) == instance.size
    assert product.memory_dtype.itemsize < instance.size < product.memory_dtype.itemsize + 400  # pointers
    harness = next(section for section in firmware.sections if section.name == build.HARNESS)
    assert 0 < harness.size <= 16


def test_the_same_source_gives_the_same_file(built, tmp_path):
    again = build.compile_firmware(product_of_case(find_case("mbdp-headset")), "cortex-m4", "3", tmp_path)
    assert again.read_bytes() == built("mbdp-headset", "cortex-m4").read_bytes()


def test_optimised_for_size_it_is_smaller(built):
    code = []
    for optimise in ("3", "s"):
        firmware = load_elf(built("mbdp-headset", "cortex-m4", optimise))
        code.append(sum(section.size for section in firmware.sections if section.executable))
    assert code[1] < code[0]


@pytest.mark.parametrize(
    ("missing", "says"),
    [
        (["ziglang"], "bittrue device: ziglang not installed; pip install 'bittrue[device]'"),
        (["unicorn"], "bittrue device: unicorn not installed; pip install 'bittrue[device]'"),
        (
            ["ziglang", "elftools"],
            "bittrue device: ziglang, pyelftools not installed; pip install 'bittrue[device]'",
        ),
    ],
)
def test_what_is_not_installed_is_named(missing, says, monkeypatch, tmp_path):
    find = toolchain.find_spec
    monkeypatch.setattr(toolchain, "find_spec", lambda name: None if name in missing else find(name))
    with pytest.raises(ConfigError) as caught:
        build.link({"f.c": ""}, ["f"], "cortex-m4", tmp_path)
    assert str(caught.value) == says


def test_code_that_the_compiler_does_not_take_is_named_in_one_line(tmp_path):
    with pytest.raises(ConfigError, match=r"^ziglang: bad\.c:1:\d+: error: [^\n]*$"):
        build.link({"bad.c": "int f(void) { return g; }"}, ["f"], "cortex-m4", tmp_path)
    with pytest.raises(ConfigError, match=r"^ziglang: .*error[^\n]*nobody"):
        build.link(
            {"own.c": "int nobody(void); int f(void) { return nobody(); }"}, ["f"], "cortex-m4", tmp_path
        )


def test_another_level_or_core_is_refused(tmp_path):
    product = product_of_case(find_case("mbdp-headset"))
    with pytest.raises(ConfigError, match=r"opt=0: must be one of 3, 2, s"):
        build.compile_firmware(product, "cortex-m4", "0", tmp_path)
    with pytest.raises(ConfigError, match=r"cpu=cortex-m55: must be one of"):
        build.compile_firmware(product, "cortex-m55", "3", tmp_path)


def test_the_compilers_library_is_kept_below_the_users_cache_and_built_where_it_is_needed(
    monkeypatch, tmp_path
):
    monkeypatch.setattr(platformdirs, "user_cache_dir", lambda *_, **__: str(tmp_path / "own"))
    build._cache.cache_clear()
    try:
        build.link({"f.c": "int f(void) { return 1; }"}, ["f"], "cortex-m4", tmp_path)
        assert build._environment(tmp_path)["ZIG_GLOBAL_CACHE_DIR"] == str(tmp_path / "own/zig")
        assert list((tmp_path / "own/zig").iterdir()) == []
    finally:
        build._cache.cache_clear()


def test_without_a_home_that_can_be_written_it_builds_all_the_same(tmp_path):
    """A file stands where the cache would be: nobody, root included, can make a folder there."""
    (tmp_path / "home").write_text("")
    code = (
        "from pathlib import Path; from firmware_model.device.export import build; "
        f"print(build.link({{'f.c': 'int f(void) {{ return 1; }}'}}, ['f'], 'cortex-m4', "
        f"Path({str(tmp_path / 'out')!r})), build._cache())"
    )
    home = str(tmp_path / "home")
    environment = {"PATH": "/usr/bin:/bin", "HOME": home, "XDG_CACHE_HOME": home, "TMPDIR": str(tmp_path)}
    root = Path(__file__).parents[4]
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, cwd=root, capture_output=True, text=True, check=True
    )
    elf, folder = done.stdout.split()
    assert Path(elf).is_file()
    assert folder.startswith(str(tmp_path))
    assert not Path(folder).exists()  # gone with the process


def test_programs_of_the_tests_are_what_they_say(tmp_path):
    """One of them, by its machine code: movs r1, #0; adds r1, #3; subs r0, #1; bne; mov r0, r1; bx lr."""
    firmware = programs.linked(tmp_path)
    loop = firmware.symbol("loop")
    flash = firmware.segments[0]
    code = flash.content[loop.address - flash.address :][: loop.size]
    assert code.hex() == "002103310138fcd108467047"
