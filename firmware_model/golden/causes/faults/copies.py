"""Where altered copies of the kernels are kept, compiled."""

import os
import shutil
import tempfile
import time
from pathlib import Path

_STALE_S = 30 * 24 * 3600  # copies unused for 30 days are removed, as compiled kernels are


def user_cache() -> Path:
    """Folder of what is compiled."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "bittrue"


def writable(base: Path, scratch: Path) -> Path:
    """`base` if copies can be kept there, else the scratch folder."""
    try:
        base.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=base):
            pass
    except OSError:
        return scratch
    for old in base.glob("suspects-*"):
        if time.time() - old.stat().st_mtime > _STALE_S:
            shutil.rmtree(old, ignore_errors=True)
    return base
