"""Room responses kept on disk: written beside and renamed, checked when read, rebuilt when damaged."""

import contextlib
import hashlib
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import platformdirs

_DIGEST_BYTES = 32


def cache_folder() -> Path:
    """$BITTRUE_CACHE, else the user's cache folder for bittrue; responses live in `rir` below it."""
    root = os.environ.get("BITTRUE_CACHE") or platformdirs.user_cache_dir("bittrue", appauthor=False)
    return Path(root) / "rir"


def cached(key: str, build: Callable[[], np.ndarray]) -> np.ndarray:
    """The response stored under `key`, or build()'s, which is then stored.

    Parameters
    ----------
    key : hex digits, everything that decides the response
    build : () -> (n,) float64, n >= 1, finite

    Notes
    -----
    The file is a 1-D uint8 .npy: 32 bytes of SHA-256, then the samples as little-endian float64. Writers
    each use a file of their own and rename it: a reader sees a whole file or none, and of two writers the
    last wins, with the same bits. A folder that cannot be written costs time only, so it is no error.
    """
    path = cache_folder() / f"{key}.npy"
    h = _load(path)
    if h is None:
        h = build()
        with contextlib.suppress(OSError):
            _store(path, h)
    return h


def _load(path: Path) -> np.ndarray | None:
    try:
        packed = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError):
        return None
    if not isinstance(packed, np.ndarray) or packed.dtype != np.uint8 or packed.ndim != 1:
        return None
    samples = packed[_DIGEST_BYTES:].tobytes()
    if (
        not samples
        or len(samples) % 8
        or hashlib.sha256(samples).digest() != packed[:_DIGEST_BYTES].tobytes()
    ):
        return None
    h = np.frombuffer(samples, "<f8").astype(np.float64)
    return h if np.isfinite(h).all() else None


def _store(path: Path, h: np.ndarray) -> None:
    samples = np.ascontiguousarray(h, "<f8").tobytes()
    packed = np.frombuffer(hashlib.sha256(samples).digest() + samples, np.uint8)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, beside = tempfile.mkstemp(prefix=path.stem[:16], suffix=".tmp", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            np.save(file, packed)
        os.replace(beside, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(beside)
        raise
