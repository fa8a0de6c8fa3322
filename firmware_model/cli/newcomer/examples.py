"""What `examples` does: the plans, limits and maps of examples/, written where the user wants them."""

from contextlib import suppress
from importlib.metadata import PackageNotFoundError, PackagePath, distribution
from pathlib import Path

from firmware_model.cli.terminal.output import replace_file
from fixedpoint.errors import BittrueError, ConfigError

_CLONE = Path(__file__).resolve().parents[3]
_INSTALLED = ("share", "bittrue", "examples")  # below the environment's root, as pyproject.toml has it
_SUFFIX = ".toml"


def sources() -> list[Path]:
    """The examples: of the clone that this runs from, else those that came with the installed package.

    Raises
    ------
    BittrueError
        They are in neither place.
    """
    if (_CLONE / "pyproject.toml").is_file():
        found = [*(_CLONE / "examples").glob(f"*{_SUFFIX}")]
    else:
        found = [Path(path.locate()) for path in _files() if path.parts[-4:-1] == _INSTALLED]
    found = [path for path in found if path.is_file()]
    if not found:
        raise BittrueError(
            "the examples did not come with this installation; they are in the sources of bittrue"
        )
    return sorted(found)


def write(folder: str) -> list[str]:
    """Copy them, all or none; returns the files' paths.

    Raises
    ------
    ConfigError
        One of them is there already, or there is no such place.
    BittrueError
        They cannot be written.
    """
    target, files = Path(folder), sources()
    if not folder or not target.absolute().parent.is_dir():
        raise ConfigError(f"DIR {folder!r}: no such folder: {target.parent}")
    if target.exists() and not target.is_dir():
        raise ConfigError(f"DIR {folder!r}: is a file; a folder needed")
    there = [
        path.name for path in files if (target / path.name).exists() or (target / path.name).is_symlink()
    ]
    if there:
        raise ConfigError(f"DIR {folder!r}: {', '.join(there)} there already; another folder needed")
    new, written = not target.exists(), []
    try:
        target.mkdir(exist_ok=True)
        for path in files:
            replace_file(str(target / path.name), path.read_bytes())
            written.append(target / path.name)
    except (OSError, BittrueError) as error:
        for path in written:
            path.unlink(missing_ok=True)
        if new:
            with suppress(OSError):
                target.rmdir()
        if isinstance(error, BittrueError):
            raise
        raise BittrueError(f"{folder}: cannot be written: {error.strerror or error}") from error
    return [str(path) for path in written]


def in_words(folder: str, files: list[str]) -> str:
    """What each is for, by its first line."""
    lines = [f"{folder}: {len(files)} files; each begins with the command that it is for"]
    for path in files:
        first = Path(path).read_text("utf-8").splitlines()[0].lstrip("# ")
        lines.append(f"  {Path(path).name}: {first}")
    return "\n".join(lines)


def _files() -> list[PackagePath]:
    try:
        return list(distribution("bittrue").files or [])
    except PackageNotFoundError:
        return []
