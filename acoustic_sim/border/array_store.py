"""Arrays kept on disk by what decides them: room responses, programmes, marked and coded ones, noise.

Written beside and renamed, checked when read, rebuilt when damaged; what was not used for longest goes first.
"""

import contextlib
import hashlib
import io
import os
import re
import tempfile
import time
import zipfile
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from types import ModuleType

import numpy as np
import platformdirs

from fixedpoint.errors import ConfigError

DEFAULT_LIMIT_BYTES = 2_000_000_000
_KEPT_SHARE = 0.9  # of the limit, after an eviction: not every further write has to evict
_DIGEST_BYTES = 32
KINDS = ("coded", "excerpt", "marked", "noise", "rir")  # folders below the root
_SUFFIX = ".arrays"
# What eviction may remove, and nothing else: the root may be a folder in which others keep files as well.
_OURS = re.compile(r"[0-9a-f]+\.arrays")
_HALF_WRITTEN = re.compile(r"[0-9a-f]{1,16}[a-z0-9_]{8}\.tmp")  # as `mkstemp` in `_store` names them
_ABANDONED_S = 3600  # a half-written file of this age has lost its writer
_UNITS = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12}

Arrays = dict[str, np.ndarray]


def cache_root() -> Path:
    """$BITTRUE_CACHE, else the user's cache folder for bittrue."""
    return Path(os.environ.get("BITTRUE_CACHE") or platformdirs.user_cache_dir("bittrue", appauthor=False))


def limit_bytes() -> int:
    """$BITTRUE_CACHE_LIMIT: bytes, or with a unit ("500 MB", "2G", powers of 1000); 2 GB without.

    Raises
    ------
    ConfigError
        Neither.
    """
    text = os.environ.get("BITTRUE_CACHE_LIMIT", "")
    if not text.strip():
        return DEFAULT_LIMIT_BYTES
    found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([kmgt]?)b?\s*", text.lower())
    if found is None:
        raise ConfigError(f"BITTRUE_CACHE_LIMIT={text!r}: must be bytes, or a size such as 500MB or 2GB")
    return int(float(found[1]) * _UNITS[found[2]])


def content_key(*facts: object) -> str:
    """SHA-256 of what decides an array, 64 hex digits; facts are told apart by their repr."""
    return hashlib.sha256(repr(facts).encode()).hexdigest()


@cache
def source_key(*modules: ModuleType) -> str:
    """SHA-256 of the sources of modules, 64 hex digits: with a change of them, what they computed is stale.

    A package stands for all files in its folder.
    """
    digest = hashlib.sha256()
    for module in modules:
        file = Path(str(module.__file__))
        for path in sorted(file.parent.glob("*.py")) if file.name == "__init__.py" else [file]:
            digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def cached(kind: str, key: str, build: Callable[[], Mapping[str, np.ndarray]]) -> Arrays:
    """The arrays stored under `key`, or build()'s, which are then stored.

    Parameters
    ----------
    kind : one of `KINDS`, the folder below the cache's root
    key : hex digits, everything that decides the arrays
    build : () -> arrays by name, numbers, finite

    Raises
    ------
    ConfigError
        $BITTRUE_CACHE_LIMIT cannot be read.

    Notes
    -----
    A file is 32 bytes of SHA-256, then an uncompressed .npz. Writers each use a file of their own and rename
    it: a reader sees a whole file or none, and of two writers the last wins, with the same bits. Its time
    stamp is that of the last use. A folder that cannot be written costs time only, so it is no error.
    """
    if kind not in KINDS:
        raise ValueError(f"kind={kind!r}: must be one of {', '.join(KINDS)}")
    limit = limit_bytes()
    path = cache_root() / kind / f"{key}{_SUFFIX}"
    arrays = _load(path)
    if arrays is None:
        arrays = dict(build())
        with contextlib.suppress(OSError):
            if _store(path, arrays, limit):
                evict(cache_root(), limit)
    return arrays


def evict(root: Path, limit: int) -> None:
    """Where there is more than `limit` bytes, remove what was used longest ago, down to 90 % of it.

    Files of other names and in other folders are neither counted nor touched.
    """
    files = []
    for path in (path for kind in KINDS for path in root.glob(f"{kind}/*")):
        with contextlib.suppress(OSError):  # another process may remove it just now
            facts = path.stat()
            if _HALF_WRITTEN.fullmatch(path.name) and time.time() - facts.st_mtime > _ABANDONED_S:
                path.unlink()
            elif _OURS.fullmatch(path.name):
                files.append((facts.st_mtime_ns, facts.st_size, path))
    total = sum(size for _, size, _ in files)
    if total <= limit:
        return
    for _, size, path in sorted(files):
        if total <= _KEPT_SHARE * limit:
            return
        with contextlib.suppress(OSError):
            path.unlink()
        total -= size


def _load(path: Path) -> Arrays | None:
    try:
        packed = path.read_bytes()
    except OSError:
        return None
    body = memoryview(packed)[_DIGEST_BYTES:]
    if hashlib.sha256(body).digest() != packed[:_DIGEST_BYTES]:
        return None
    with contextlib.suppress(OSError):
        os.utime(path)
    try:
        with np.load(io.BytesIO(body), allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
    except (OSError, ValueError, EOFError, zipfile.BadZipFile):  # a right digest over something else
        return None
    return arrays if all(np.isfinite(array).all() for array in arrays.values()) else None


def _store(path: Path, arrays: Arrays, limit: int) -> bool:
    """Write them, unless they alone are beyond the limit; whether they were written."""
    body = io.BytesIO()
    np.savez(body, allow_pickle=False, **arrays)  # type: ignore[arg-type]  # the names are ours
    if body.tell() + _DIGEST_BYTES > limit:
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, beside = tempfile.mkstemp(prefix=path.stem[:16], suffix=".tmp", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(hashlib.sha256(body.getbuffer()).digest())
            file.write(body.getbuffer())
        os.replace(beside, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(beside)
        raise
    return True
