"""The kernel decorator, its compile cache and the overflow audit; the only file that imports numba."""

import ast
import atexit
import hashlib
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, TypeVar

import numba
import numpy as np

from fixedpoint.errors import SubsetError
from fixedpoint.subset.names import KERNELS
from fixedpoint.subset.source import check_source
from fixedpoint.subset.text import parse

_KERNEL_PACKAGES = ("fixedpoint", "firmware_model")
_CHECKER = "fixedpoint.subset"  # refuses kernels, and changes nothing of what they compute
_CHECK_SUBSET = True  # False where kernels are made to err, in the search for a fault
_STALE_CACHE_S = 30 * 24 * 3600  # a cache folder of other sources unused for 30 days is removed

_registry: dict[str, Callable[..., Any]] = {}
_Kernel = TypeVar("_Kernel", bound=Callable[..., Any])


def _imported_modules(source: str) -> Iterator[str]:
    """Dotted names that a module may import: ``from a import b`` yields a and a.b."""
    for node in ast.walk(parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def kernel_sources(root: Path, packages: tuple[str, ...] = _KERNEL_PACKAGES) -> list[Path]:
    """Files that decide what compiled kernels compute: those that hold ``@kernel``, and their imports.

    The imports count because Numba freezes module constants (tables, say) into the compiled code.

    Parameters
    ----------
    root : Path, the folder that holds the packages
    packages : their names; what they import of others is not followed

    Returns
    -------
    list of Path, sorted
    """
    pending = []
    checker = root.joinpath(*_CHECKER.split("."))
    for package in packages:
        files = [*(root / package).rglob("*.py"), *root.glob(f"{package}.py")]
        files = [path for path in files if checker not in path.parents]
        pending += [path for path in files if "@kernel" in path.read_text("utf-8")]
    found: set[Path] = set()
    while pending:
        path = pending.pop()
        if path in found:
            continue
        found.add(path)
        for name in _imported_modules(path.read_text("utf-8")):
            if name.split(".")[0] in packages and not name.startswith(_CHECKER):
                stem = root.joinpath(*name.split("."))
                pending += [p for p in (stem.with_suffix(".py"), stem / "__init__.py") if p.is_file()]
    return sorted(found)


def _source_hash(root: Path, *package: str) -> str:
    """SHA-256 over the names and bytes of the kernel sources and NumPy's version, first 16 hex digits.

    package : of kernels elsewhere, under another root; their hash begins with that of the kernels here
    """
    digest = hashlib.sha256((_OWN_HASH if package else np.__version__).encode())
    for path in kernel_sources(root, package or _KERNEL_PACKAGES):
        digest.update(path.relative_to(root).as_posix().encode() + b"\0")
        digest.update(path.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


def _open_cache(source_hash: str) -> str:
    """Create the cache folder for these sources, remove stale ones, return its path.

    Numba's cache=True compares the time stamp of a kernel's own file and misses an edit in a callee in
    another file: it would go on returning the old result. Hence one folder for each set of sources.
    """
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "bittrue"
    name = f"kernels-{source_hash}"
    try:
        (base / name).mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=base / name):
            pass
        os.utime(base / name)
    except OSError:
        # Read-only home (containers, CI): compile again in each process rather than fail.
        folder = tempfile.mkdtemp(prefix=f"bittrue-{name}-")
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        return folder
    for other in base.glob("kernels-*"):
        try:
            if other.name != name and time.time() - other.stat().st_mtime > _STALE_CACHE_S:
                shutil.rmtree(other, ignore_errors=True)
        except OSError:
            continue  # another process removed it first
    return str(base / name)


# No reference counts (_nrt), which would cost more than the arithmetic where a kernel passes its state on: a
# kernel allocates nothing, and with them off one that tried would not compile. Kernels call small kernels.
# No entry from C (no_cfunc_wrapper), which nothing uses and which took 7 % of the compiling.
_OPTIONS: dict[str, Any] = {
    "nogil": True,
    "fastmath": False,
    "boundscheck": False,
    "_nrt": False,
    "no_cfunc_wrapper": True,
    "forceinline": True,
}

# numba.config fills itself from the environment; it declares no attributes for a type checker.
_numba_config: Any = numba.config
_OWN_HASH = _source_hash(Path(__file__).resolve().parent.parent)
_OWN_CACHE = _numba_config.CACHE_DIR = _open_cache(_OWN_HASH)


@cache
def _cache_of(top: str) -> str:
    """The cache folder for the kernels of a top-level package or module: our own, or one that goes by ours
    and by its sources, since an edit in either changes what is compiled."""
    if top in (*_KERNEL_PACKAGES, "__main__"):
        return _OWN_CACHE
    try:
        spec = find_spec(top)
    except ValueError:  # a module made by hand
        spec = None
    if spec is None or spec.origin is None:
        return _OWN_CACHE
    file = Path(spec.origin).resolve()
    root = file.parent.parent if spec.submodule_search_locations else file.parent
    return _open_cache(_source_hash(root, top))


def kernel(function: _Kernel) -> _Kernel:
    """Register a kernel and compile it with Numba; with NUMBA_DISABLE_JIT=1 it stays interpreted.

    Parameters
    ----------
    function : a function in the kernel subset (see `fixedpoint`)

    Returns
    -------
    the compiled dispatcher; the Python source stays reachable as its ``py_func``

    Raises
    ------
    SubsetError
        Outside the subset: a line for each thing that is.
    """
    findings = check_source(function) if _CHECK_SUBSET else []
    if findings:
        raise SubsetError(findings)
    _numba_config.CACHE_DIR = _cache_of(function.__module__.split(".")[0])
    try:
        compiled: Any = numba.njit(cache=True, **_OPTIONS)(function)
    finally:
        _numba_config.CACHE_DIR = _OWN_CACHE
    _registry[f"{function.__module__}.{function.__name__}"] = compiled
    KERNELS.add(function)
    return compiled


def callback(signature: str) -> Callable[[Callable[..., Any]], Any]:
    """Compile a function that C code is to call, with NUMBA_DISABLE_JIT=1 as well.

    Parameters
    ----------
    signature : in Numba's words: "void(voidptr, uint64, CPointer(int64))"

    Returns
    -------
    a decorator; what it returns has the machine code's ``address``, and must live as long as C may call it
    """
    return numba.cfunc(signature)


def registered_kernels() -> dict[str, Callable[..., Any]]:
    """Kernels registered so far, by qualified name ("fixedpoint.arith.sat16"), callees before callers."""
    return dict(_registry)


def compiled_before(package: str) -> bool:
    """Whether the cache holds a kernel of a package, such as "firmware_model.dynamics"; interpreted: True."""
    kernels: list[Any] = [found for name, found in _registry.items() if name.startswith(f"{package}.")]
    folders = {found.stats.cache_path for found in kernels if hasattr(found, "stats")}
    return not folders or any(any(Path(folder).glob("*.nbi")) for folder in folders)


def llvm_ir(function: Callable[..., Any], *args: Any) -> str:
    """LLVM code, callees included, of a kernel compiled afresh for these arguments, which it may change.

    Afresh because Numba gives no code for a function that it loaded from the cache.
    """
    fresh: Any = numba.njit(**_OPTIONS)(getattr(function, "py_func", function))
    fresh(*args)
    (code,) = fresh.inspect_llvm().values()
    return code


class _CheckedNumpy:
    """Stands for ``np`` inside kernels under audit: conversions that would lose bits raise."""

    def __getattr__(self, name: str) -> Any:
        return getattr(np, name)

    @staticmethod
    def int16(x: Any) -> np.int16:
        return np.int16(int(x))  # a Python int out of range raises OverflowError

    @staticmethod
    def int32(x: Any) -> np.int32:
        return np.int32(int(x))

    @staticmethod
    def int64(x: Any) -> np.int64:
        return np.int64(int(x))


class CheckedArray(np.ndarray):
    """View of an integer array: storing a value that it cannot hold, or at a negative index, raises."""

    def __setitem__(self, index: Any, value: Any) -> None:
        if np.ndim(value) == 0:
            value = int(value)
            limits = np.iinfo(self.dtype)
            if not limits.min <= value <= limits.max:
                raise OverflowError(f"{value} stored at [{index}] of an {self.dtype} array")
        _reject_negative(index)
        super().__setitem__(index, value)

    def __getitem__(self, index: Any) -> Any:
        _reject_negative(index)
        return super().__getitem__(index)


def _reject_negative(index: Any) -> None:
    """Python counts a negative index from the end, C reads before the array."""
    for i in index if isinstance(index, tuple) else (index,):
        if isinstance(i, (int, np.integer)) and i < 0:
            raise IndexError(f"index {i} is before the array")


def checked(argument: Any) -> Any:
    """The same kernel argument with its arrays seen as `CheckedArray`, int scalars as np.int64."""
    if isinstance(argument, np.ndarray):
        return argument.view(CheckedArray)
    if isinstance(argument, tuple):
        fields = [checked(field) for field in argument]
        return type(argument)(*fields) if hasattr(argument, "_fields") else tuple(fields)
    return np.int64(argument) if isinstance(argument, int) else argument


@contextmanager
def audit() -> Iterator[None]:
    """Interpret kernels with integer overflow as an error; needs NUMBA_DISABLE_JIT=1.

    Inside, ``+ - *`` that overflow raise FloatingPointError (so NumPy calls it), ``np.int16/32/64(x)`` that
    would lose bits raise OverflowError, and so does a store into an array passed through `checked`.
    Build the arguments before entering: only kernels may run inside.

    Raises
    ------
    RuntimeError
        Kernels are compiled in this process; compiled integer overflow is silent.
    """
    if not _numba_config.DISABLE_JIT:
        raise RuntimeError("audit: kernels are compiled here, start Python with NUMBA_DISABLE_JIT=1")
    modules = {sys.modules[name.rpartition(".")[0]] for name in _registry}
    patched = [module for module in modules if getattr(module, "np", None) is np]
    for module in patched:
        vars(module)["np"] = _CheckedNumpy()
    try:
        with np.errstate(over="raise"):
            yield
    finally:
        for module in patched:
            vars(module)["np"] = np
