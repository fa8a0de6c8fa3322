"""What `new` does: the template with a name put in, and the goldens of what came of it."""

import keyword
import os
import re
import shutil
import subprocess
import sys
import tempfile
from importlib.metadata import PackageNotFoundError, distribution
from importlib.util import find_spec
from pathlib import Path

from firmware_model.product import LIBRARY, products
from fixedpoint.errors import BittrueError, ConfigError

_TEMPLATE = Path(__file__).with_name("template")
_SUFFIX = ".txt"  # of the template's files, so that no tool takes them for code
_PACKAGE = "package"  # the folder that gets the product's name
_NAME = re.compile(r"[a-z][a-z0-9_]*")
_MOST_LETTERS = 30
_RESERVED = {
    "tests": "is the folder of the package's tests",
    "conftest": "is a file of pytest's",
    "both": "is what `bittrue export` calls the products that come with it",
}
_SECONDS = 120
_FREEZE = """
import sys
from firmware_model.golden import freeze, store
from firmware_model.product import Product
product = Product(sys.argv[1], sys.argv[1], sys.argv[1])
store.write(freeze.goldens(product), "as bittrue new wrote it", store.goldens_folder(product), product.name)
"""


def check_name(name: str) -> None:
    """Refuse a name that the package, the C or another product cannot share.

    Raises
    ------
    ConfigError
    """
    if not _NAME.fullmatch(name) or keyword.iskeyword(name) or len(name) > _MOST_LETTERS:
        accepted = (
            f"small letters, digits and _, the first a letter, up to {_MOST_LETTERS}, no word of Python"
        )
        raise ConfigError(f"NAME {name!r}: must be {accepted}")
    taken = [*(product.name for product in products()), LIBRARY.name]
    if name in taken:
        raise ConfigError(f"NAME {name!r}: is a product already; another name needed")
    if name in _RESERVED or _is_distribution(name):
        what = _RESERVED.get(name, "a package of this name is installed")
        raise ConfigError(f"NAME {name!r}: {what}; another name needed")
    if find_spec(name) is not None:
        raise ConfigError(f"NAME {name!r}: a module of this name is installed; another name needed")


def _is_distribution(name: str) -> bool:
    """Whether `pip install` of the new package would take the place of another."""
    try:
        return bool(distribution(name))
    except PackageNotFoundError:
        return False


def create(name: str, folder: str) -> list[str]:
    """Write the package; all of it or nothing. Returns the files' paths.

    Raises
    ------
    ConfigError
        A name that is taken, a folder that is not new.
    BittrueError
        It cannot be written, or does not pass.
    """
    check_name(name)
    target = Path(folder)
    if not folder or (target.exists() and (not target.is_dir() or any(target.iterdir()))):
        raise ConfigError(f"DIR {folder!r}: is there already; a new or an empty folder needed")
    if not target.absolute().parent.is_dir():
        raise ConfigError(f"DIR {folder!r}: no such folder: {target.parent}")
    try:
        stage = Path(tempfile.mkdtemp(prefix=f".{name}-", dir=target.absolute().parent))
    except OSError as error:
        raise BittrueError(f"{folder}: cannot be written: {error.strerror or error}") from error
    try:
        _write(name, stage)
        _freeze(name, stage)
        stage.chmod(0o755)  # mkdtemp's is its owner's alone
        if target.exists():
            target.rmdir()
        os.replace(stage, target)
    except OSError as error:
        raise BittrueError(f"{folder}: cannot be written: {error.strerror or error}") from error
    finally:
        shutil.rmtree(stage, ignore_errors=True)
    return sorted(str(path) for path in target.rglob("*") if path.is_file())


def _write(name: str, folder: Path) -> None:
    for path in sorted(_TEMPLATE.rglob(f"*{_SUFFIX}")):
        parts = [part.replace(_PACKAGE, name) for part in path.relative_to(_TEMPLATE).parts]
        out = folder.joinpath(*parts).with_suffix("")
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(path.read_text("utf-8").replace("@NAME@", name), "utf-8")


def _freeze(name: str, folder: Path) -> None:
    """The goldens of the new package, in a process that knows it; interpreted, nothing has to be compiled."""
    env = {**os.environ, "PYTHONPATH": str(folder), "NUMBA_DISABLE_JIT": "1", "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-c", _FREEZE, name]
    try:
        ran = subprocess.run(command, env=env, capture_output=True, text=True, timeout=_SECONDS, check=False)
    except subprocess.TimeoutExpired as error:
        raise BittrueError(f"{name}: freezing took longer than {_SECONDS} s") from error
    if ran.returncode != 0:
        raise BittrueError(f"{name}: cannot be frozen: {' '.join(ran.stderr.splitlines()[-1:])}")


def in_words(name: str, folder: str, files: list[str]) -> str:
    """What was written, and what to do with it."""
    where = folder if os.path.isabs(folder) or folder.startswith(".") else f"./{folder}"
    return (
        f"{folder}: {len(files)} files; a product with one kernel, its float64 twin, a case and its goldens\n"
        f"install it: pip install {where}\n"
        f"try it:     bittrue check --product {name} && bittrue device {name} --cpu cortex-m4\n"
        f"then read {folder}/README.md"
    )
