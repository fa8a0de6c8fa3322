"""The directions of the design, held by reading the sources: who may import whom, and who may print.

Only the syntax tree is read, so imports inside functions and under TYPE_CHECKING count as well.
"""

import ast
import re
import sys
from collections.abc import Iterator
from fnmatch import fnmatch
from functools import cache
from pathlib import Path, PurePosixPath
from typing import NamedTuple

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("fixedpoint", "firmware_model", "acoustic_sim")
COMMANDS = ("firmware_model/cli/*", "firmware_model/*/commands/*")
PRODUCTS = ("watermark", "dynamics")

# Files that match the first may import the third parties named, and nothing but the standard library besides.
ONLY_THIRD_PARTIES = (
    ("fixedpoint/*", ("numpy", "numba")),
    ("firmware_model/reference/*", ("numpy", "scipy")),
)
# Files that match the first may import, of the three packages, only modules at or below those named.
ONLY_OWN_PACKAGES = (
    ("fixedpoint/*", ("fixedpoint",)),
    ("firmware_model/reference/*", ("firmware_model.reference",)),
)
_OF_PRODUCTS = tuple(f"firmware_model.{name}" for name in PRODUCTS)
# Files that match the first must not import modules at or below those named.
NEVER = (
    ("acoustic_sim/*", ("firmware_model",)),
    (
        "firmware_model/golden/*",
        ("acoustic_sim", "firmware_model.cli", "firmware_model.report", *_OF_PRODUCTS),
    ),
    (
        "firmware_model/device/*",
        ("acoustic_sim", "firmware_model.cli", "firmware_model.report", *_OF_PRODUCTS),
    ),
    ("firmware_model/report/*", _OF_PRODUCTS),
    ("firmware_model/cli/*", _OF_PRODUCTS),
    (
        "firmware_model/cli/terminal/*",
        ("firmware_model.golden", "firmware_model.device", "firmware_model.report"),
    ),
    ("firmware_model/watermark/*", ("firmware_model.dynamics",)),
    ("firmware_model/dynamics/*", ("firmware_model.watermark",)),
)
# Files directly in one of these folders: kernels and what stands at their border.
OF_KERNELS = tuple(f"firmware_model/{name}" for name in PRODUCTS)
NEVER_OF_KERNELS = ("acoustic_sim", "firmware_model.reference", "firmware_model.cli", "firmware_model.report")
# The module, and the only files that may import it.
ONLY_IN = {
    "numba": ("fixedpoint/_jit.py",),
    "pyroomacoustics": ("acoustic_sim/room.py",),
    "matplotlib": ("*/report/*.py", "*/*plot*.py"),
    "rich": ("*/cli/*.py", "*/cli/*/*.py"),
    "typer": ("*/cli/*.py", "*/cli/*/*.py", "*/commands/*.py"),
    "jinja2": ("firmware_model/report/page.py",),
    "av": ("acoustic_sim/codec.py",),
    "threadpoolctl": ("acoustic_sim/border/one_thread.py",),
    "joblib": ("acoustic_sim/sweep/pools.py",),
    "distributed": ("acoustic_sim/sweep/pools.py",),
    "unicorn": ("firmware_model/device/core/emulator.py", "firmware_model/device/core/instructions.py"),
    "elftools": (
        "firmware_model/device/core/elf.py",
        "firmware_model/device/core/inlined.py",
        "firmware_model/device/own/host_library.py",
    ),
    "ziglang": ("firmware_model/device/export/build.py",),  # which runs it, as a program of its own
}


class Source(NamedTuple):
    """One file: path relative to the root, dotted module name, text and tree."""

    path: str
    module: str
    text: str
    tree: ast.Module

    @property
    def is_package(self) -> bool:
        return self.path.endswith("/__init__.py")


@cache
def parse(text: str) -> ast.Module:
    """The syntax tree, which every test here needs of the same files."""
    return ast.parse(text)


def read_sources(root: Path) -> dict[str, Source]:
    """Every .py file of the three packages, by module name."""
    sources = {}
    for package in PACKAGES:
        for path in sorted((root / package).rglob("*.py")):
            relative = path.relative_to(root)
            parts = relative.with_suffix("").parts
            module = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
            text = path.read_text("utf-8")
            sources[module] = Source(relative.as_posix(), module, text, parse(text))
    return sources


def imported(source: Source, modules: frozenset[str] = frozenset()) -> Iterator[tuple[str, int]]:
    """(dotted name, line) of each import; `from a import b` is a.b where that is a module, else a."""
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                package = source.module.split(".")
                package = package[: len(package) - node.level + source.is_package]
                base = ".".join([*package, *([base] if base else [])])
            for alias in node.names:
                name = f"{base}.{alias.name}"
                yield (name if name in modules else base), node.lineno
        elif isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
            # importlib.import_module("x") and __import__("x")
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if called in ("import_module", "__import__") and isinstance(node.args[0].value, str):
                yield node.args[0].value, node.lineno


def lies_in(module: str, parents: tuple[str, ...]) -> bool:
    return any(module == parent or module.startswith(f"{parent}.") for parent in parents)


def is_file(path: str, *patterns: str) -> bool:
    """Folder by folder: unlike fnmatch's, this * stops at a slash."""
    return any(PurePosixPath(path).match(pattern) for pattern in patterns)


def forbidden_imports(root: Path) -> list[str]:
    """One line for each import against the rules above."""
    sources = read_sources(root)
    modules = frozenset(sources)
    found = []
    for source in sources.values():
        path = source.path
        for name, line in imported(source, modules):
            top = name.split(".")[0]
            where = f"{path}:{line} imports {name}"
            if top in PACKAGES:
                for pattern, allowed in ONLY_OWN_PACKAGES:
                    if fnmatch(path, pattern) and not lies_in(name, allowed):
                        found.append(f"{where}: {pattern} keeps to {', '.join(allowed)}")
                for pattern, barred in NEVER:
                    if fnmatch(path, pattern) and lies_in(name, barred):
                        found.append(f"{where}: {pattern} must not")
                if PurePosixPath(path).parent.as_posix() in OF_KERNELS and lies_in(name, NEVER_OF_KERNELS):
                    found.append(f"{where}: kernels must not")
            elif top not in PACKAGES and top not in sys.stdlib_module_names:
                for pattern, allowed in ONLY_THIRD_PARTIES:
                    if fnmatch(path, pattern) and top not in allowed:
                        found.append(f"{where}: {pattern} keeps to {', '.join(allowed)}")
            if top in ONLY_IN and not is_file(path, *ONLY_IN[top]):
                found.append(f"{where}: only {', '.join(ONLY_IN[top])} may")
    return found


def prints(root: Path) -> list[str]:
    """One line for each use of print outside the command line."""
    return [
        f"{source.path}:{node.lineno} prints: only the command line may"
        for source in read_sources(root).values()
        if not any(fnmatch(source.path, pattern) for pattern in COMMANDS)
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Name) and node.id == "print"
    ]


def import_cycle(root: Path) -> list[str]:
    """Modules of one import cycle, first and last the same; empty where there is none."""
    sources = read_sources(root)
    modules = frozenset(sources)
    # A package that names its own submodules (`from fixedpoint import arith`) depends on them, not on itself.
    graph = {
        name: sorted({target for target, _ in imported(source, modules) if target in modules} - {name})
        for name, source in sources.items()
    }
    done: set[str] = set()

    def visit(module: str, trail: list[str]) -> list[str]:
        if module in trail:
            return [*trail[trail.index(module) :], module]
        if module in done:
            return []
        for target in graph[module]:
            cycle = visit(target, [*trail, module])
            if cycle:
                return cycle
        done.add(module)
        return []

    for module in graph:
        cycle = visit(module, [])
        if cycle:
            return cycle
    return []


def undocumented(root: Path) -> list[str]:
    """Files without a docstring."""
    sources = read_sources(root).values()
    return [f"{source.path}: no docstring" for source in sources if not ast.get_docstring(source.tree)]


def test_imports_follow_the_design():
    assert forbidden_imports(ROOT) == []


def test_files_named_as_the_only_ones_have_what_they_may():
    sources = read_sources(ROOT).values()
    for module, patterns in ONLY_IN.items():
        for pattern in patterns:
            texts = [source.text for source in sources if is_file(source.path, pattern)]
            if pattern.startswith("*/"):  # files that there may be
                continue
            assert any(re.search(rf"\b{module}\b", text) for text in texts), f"{module}: {pattern}"


def test_only_the_command_line_prints():
    assert prints(ROOT) == []


def test_there_is_no_import_cycle():
    assert import_cycle(ROOT) == []


def test_every_file_says_what_it_is_for():
    assert undocumented(ROOT) == []


# The checks above can fail: each rule meets a planted offender


def planted(root: Path, files: dict[str, str]) -> Path:
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(f'"""A planted file."""\n{text}\n', "utf-8")
    return root


@pytest.mark.parametrize(
    ("path", "statement", "says"),
    [
        ("fixedpoint/fft.py", "import scipy.signal", "fixedpoint/* keeps to numpy, numba"),
        ("fixedpoint/fft.py", "import firmware_model.pcm", "fixedpoint/* keeps to fixedpoint"),
        ("fixedpoint/fft.py", "from numba import njit", "only fixedpoint/_jit.py may"),
        ("fixedpoint/deep/_jit.py", "import numba", "only fixedpoint/_jit.py may"),
        ("firmware_model/reference/level.py", "import soundfile", "keeps to numpy, scipy"),
        (
            "firmware_model/reference/level.py",
            "from ..watermark import key",
            "keeps to firmware_model.reference",
        ),
        (
            "firmware_model/reference/level.py",
            "from fixedpoint import arith",
            "keeps to firmware_model.reference",
        ),
        ("acoustic_sim/sweep.py", "from firmware_model.watermark import key", "acoustic_sim/* must not"),
        ("firmware_model/golden/deep/check.py", "from acoustic_sim import scene", "golden/* must not"),
        ("firmware_model/golden/check.py", "import firmware_model.watermark.key", "golden/* must not"),
        ("firmware_model/device/build.py", "from firmware_model.dynamics import level", "device/* must not"),
        ("firmware_model/device/build.py", "import firmware_model.cli.main", "device/* must not"),
        ("firmware_model/report/page.py", "from firmware_model.dynamics import report", "report/* must not"),
        ("firmware_model/cli/main.py", "import firmware_model.watermark.commands", "cli/* must not"),
        ("firmware_model/cli/terminal/output.py", "import firmware_model.report", "terminal/* must not"),
        ("firmware_model/watermark/key.py", "from ..dynamics import level", "watermark/* must not"),
        (
            "firmware_model/watermark/study/row.py",
            "import firmware_model.dynamics.level",
            "watermark/* must not",
        ),
        ("firmware_model/watermark/key.py", "import firmware_model.reference.level", "kernels must not"),
        ("firmware_model/dynamics/level.py", "from firmware_model import reference", "kernels must not"),
        ("firmware_model/dynamics/level.py", "import acoustic_sim.scene", "kernels must not"),
        (
            "firmware_model/dynamics/level.py",
            "from firmware_model.watermark import key",
            "dynamics/* must not",
        ),
        ("acoustic_sim/scene.py", "import pyroomacoustics as pra", "only acoustic_sim/room.py may"),
        ("firmware_model/metrics.py", "from matplotlib import pyplot", "only */report/*.py"),
        ("firmware_model/client/metrics.py", "import rich", "only */cli/*.py"),
        ("firmware_model/metrics.py", "import rich.console", "only */cli/*.py"),
        ("firmware_model/metrics.py", "def f():\n    import typer", "only */cli/*.py"),
        (
            "firmware_model/metrics.py",
            "import importlib\nimportlib.import_module('numba')",
            "only fixedpoint/_jit",
        ),
        ("firmware_model/metrics.py", "x = __import__('numba')", "only fixedpoint/_jit"),
        ("acoustic_sim/sweep/codec.py", "import av", "only acoustic_sim/codec.py may"),
        (
            "acoustic_sim/room.py",
            "from threadpoolctl import threadpool_limits",
            "only acoustic_sim/border/one_thread",
        ),
        ("acoustic_sim/sweep/run.py", "from joblib import Parallel", "only acoustic_sim/sweep/pools.py may"),
        ("acoustic_sim/sweep/worker.py", "import distributed", "only acoustic_sim/sweep/pools.py may"),
        (
            "firmware_model/device/harness.py",
            "import unicorn",
            "only firmware_model/device/core/emulator.py, ",
        ),
        (
            "firmware_model/device/build.py",
            "import elftools.elf.elffile",
            "only firmware_model/device/core/elf",
        ),
        ("fixedpoint/c99/host.py", "import ziglang", "only firmware_model/device/export/build.py may"),
        ("firmware_model/report/plot.py", "import jinja2", "only firmware_model/report/page"),
    ],
)
def test_a_planted_import_is_found(tmp_path, path, statement, says):
    common = {"fixedpoint/arith.py": "import numpy", "firmware_model/reference/__init__.py": ""}
    assert forbidden_imports(planted(tmp_path, common)) == []
    found = forbidden_imports(planted(tmp_path, {path: statement}))
    assert found
    assert any(line.startswith(f"{path}:") and says in line for line in found), found


def test_permitted_imports_are_not_found(tmp_path):
    files = {
        "fixedpoint/_jit.py": "import math\nimport numba\nimport numpy as np",
        "fixedpoint/arith.py": "from fixedpoint._jit import kernel\nfrom . import _jit",
        "firmware_model/cli/__init__.py": "",
        "firmware_model/cli/main.py": "import typer, rich, acoustic_sim.room, firmware_model.reference.level",
        "firmware_model/report/style.py": "import matplotlib.pyplot as plt",
        "firmware_model/watermark/study/row.py": "import acoustic_sim.room, firmware_model.reference.level",
        "firmware_model/reference/__init__.py": "",
        "firmware_model/reference/level.py": "import numpy\nfrom scipy import signal",
        "firmware_model/reference/limiter.py": "from . import level\nimport firmware_model.reference.level",
        "firmware_model/watermark/key.py": "from fixedpoint import arith\nfrom .params import p",
        "firmware_model/watermark/params.py": "import numpy",
        "acoustic_sim/room.py": "import pyroomacoustics\nfrom fixedpoint.errors import ConfigError",
    }
    assert forbidden_imports(planted(tmp_path, files)) == []
    assert import_cycle(tmp_path) == []


def test_a_planted_print_is_found(tmp_path):
    files = {
        "firmware_model/cli/deep/main.py": "print(1)",
        "firmware_model/watermark/commands/verbs.py": "print(1)",
        "firmware_model/pcm.py": "def f(say=print):\n    say(1)",
    }
    assert [line.split(" ")[0] for line in prints(planted(tmp_path, files))] == ["firmware_model/pcm.py:2"]


@pytest.mark.parametrize(
    "statement", ["from . import {}", "from fixedpoint.{} import x", "import fixedpoint.{}"]
)
def test_a_planted_cycle_is_found(tmp_path, statement):
    files = {"fixedpoint/__init__.py": "from fixedpoint import a"}
    for here, there in (("a", "b"), ("b", "c"), ("c", "a")):
        files[f"fixedpoint/{here}.py"] = "def f():\n    " + statement.format(there)
    cycle = import_cycle(planted(tmp_path, files))
    assert cycle == ["fixedpoint.a", "fixedpoint.b", "fixedpoint.c", "fixedpoint.a"]


def test_a_missing_docstring_is_found(tmp_path):
    planted(tmp_path, {"fixedpoint/fine.py": "x = 1"})
    (tmp_path / "fixedpoint/bare.py").write_text("x = 1\n")
    assert undocumented(tmp_path) == ["fixedpoint/bare.py: no docstring"]
