"""The compile cache follows every source that a kernel computes with."""

import os
import subprocess
import sys
import time

import pytest

from fixedpoint import _jit


@pytest.fixture
def sources(tmp_path):
    """A tree of kernel packages: one kernel, its callee's table, one file that no kernel sees."""
    root = tmp_path / "root"
    for package in ("fixedpoint", "firmware_model"):
        (root / package).mkdir(parents=True)
        (root / package / "__init__.py").write_text("")
    (root / "fixedpoint" / "scale.py").write_text(
        "from fixedpoint import table\n@kernel\ndef f(x): return x\n"
    )
    (root / "fixedpoint" / "table.py").write_text("TABLE = (1, 2)\n")
    (root / "firmware_model" / "cli.py").write_text("print\n")
    return root


def test_cache_folder_changes_with_a_kernel_and_with_what_it_imports(sources):
    seen = {_jit._source_hash(sources)}
    for name in ("scale.py", "table.py"):
        path = sources / "fixedpoint" / name
        path.write_text(path.read_text() + "# edited\n")
        seen.add(_jit._source_hash(sources))
    assert len(seen) == 3


def test_cache_folder_stays_when_no_kernel_source_changes(sources):
    before = _jit._source_hash(sources)
    (sources / "firmware_model" / "cli.py").write_text("print()\n")
    assert _jit._source_hash(sources) == before


def test_cache_lies_under_xdg_and_drops_stale_folders(sources, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    stale = tmp_path / "cache" / "bittrue" / "kernels-old"
    recent = tmp_path / "cache" / "bittrue" / "kernels-recent"
    other = tmp_path / "cache" / "bittrue" / "rirs"
    for folder in (stale, recent, other):
        folder.mkdir(parents=True)
    for folder, days in ((stale, 31), (recent, 29), (other, 31)):
        os.utime(folder, (time.time() - days * 86400,) * 2)
    opened = _jit._open_cache(_jit._source_hash(sources))
    assert opened == str(tmp_path / "cache" / "bittrue" / f"kernels-{_jit._source_hash(sources)}")
    assert not stale.exists()
    assert recent.exists()
    assert other.exists()


def test_unwritable_cache_falls_back_to_a_temporary_folder(sources, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    monkeypatch.setattr(_jit.tempfile, "tempdir", str(tmp_path))
    opened = _jit._open_cache(_jit._source_hash(sources))
    assert os.path.isdir(opened)
    assert opened.startswith(str(tmp_path / "bittrue-kernels-"))


PLUGIN = """
from fixedpoint._jit import kernel
from plugin.table import STEP

@kernel
def step(x):
    return x + STEP
"""


def test_kernels_of_another_package_have_a_cache_that_goes_by_their_sources(tmp_path):
    package = tmp_path / "plugin"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "work.py").write_text(PLUGIN)
    env = os.environ | {"XDG_CACHE_HOME": str(tmp_path / "cache"), "PYTHONPATH": str(tmp_path)}
    env["NUMBA_DISABLE_JIT"] = "0"
    code = "from plugin.work import step; import numpy as np; print(step(np.int64(1)), step.stats.cache_path)"
    folders = []
    for value in (5, 7):  # the table is another file than the kernel's
        (package / "table.py").write_text(f"STEP = {value}\n")
        os.utime(package / "table.py", (value, value))  # Python tells files of one size by their second
        ran = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True)
        result, folder = ran.stdout.split()
        assert int(result) == 1 + value, ran.stderr
        folders.append(os.path.dirname(folder))
    assert len(set(folders)) == 2


def test_kernels_of_this_project_are_registered_under_qualified_names():
    from fixedpoint import arith

    assert _jit.registered_kernels()["fixedpoint.arith.sat16"] is arith.sat16


def test_a_kernel_that_allocates_does_not_compile(tmp_path, monkeypatch):
    module = tmp_path / "greedy.py"
    module.write_text("import numpy as np\ndef f(n):\n    return np.zeros(n, np.int32)[0]\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    from greedy import f

    with pytest.raises(Exception, match="Only accept returning of array passed into the function"):
        _jit.llvm_ir(f, 3)


def test_what_the_cache_holds_is_known_before_anything_is_compiled(tmp_path):
    code = """
from fixedpoint import _jit
from firmware_model.watermark import frontend
from fixedpoint import arith
seen = [_jit.compiled_before(p) for p in ("fixedpoint", "firmware_model.watermark", "nothing")]
arith.sat16(70000)
print(*seen, _jit.compiled_before("fixedpoint"))
"""
    cold = os.environ | {"XDG_CACHE_HOME": str(tmp_path), "NUMBA_DISABLE_JIT": "0"}
    command = [sys.executable, "-c", code]
    for env, says in (
        (cold, "False False True True"),
        (cold, "True False True True"),
        (cold | {"NUMBA_DISABLE_JIT": "1"}, "True True True True"),
    ):
        assert subprocess.run(command, env=env, capture_output=True, text=True).stdout.strip() == says
