"""The store of frozen vectors: NPZ files, and a manifest that says what each one is and why it last changed.

Whatever is read is held against the manifest first, and the manifest against its own digest, so that a file
that was cut, corrupted or edited by hand is named and never compared with.
"""

import hashlib
import io
import json
import zipfile
from collections.abc import Iterable
from functools import cache
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from platform import python_version
from typing import Any, NamedTuple

import numpy as np

from firmware_model.case import Case
from firmware_model.pcm_writer import replace_file
from firmware_model.product import BUILT_IN, LIBRARY, Product, broke, products
from fixedpoint.errors import BittrueError, ConfigError

GOLDENS = "goldens"  # the folder of a product's package
MANIFEST = "manifest.json"
_TOOLS = ("bittrue", "numpy", "numba", "scipy")
_REMEDY = "restore it, or remove it and freeze again with bittrue freeze --product {} --reason ..."


class GoldenError(BittrueError):
    """A file of the store that is missing, corrupted or edited by hand."""


class Frozen(NamedTuple):
    """A golden as it is written.

    name : kind and name: "stimulus:bursts-48k", "kernel:fixedpoint.arith.sat16", "node:mbdp-headset:bus"
    file : the NPZ file that holds it
    arrays : by their names in that file; of a long node only a part is kept, see `signatures`
    facts : sha256, shape, dtype, format, configuration; JSON values
    """

    name: str
    file: str
    arrays: dict[str, np.ndarray]
    facts: dict[str, Any]


class Store:
    """A folder with NPZ files and a manifest.

    Parameters
    ----------
    folder : Path
    product : name, for what a message advises

    Raises
    ------
    GoldenError
        The manifest is missing, no JSON, or not as it was written.
    """

    def __init__(self, folder: Path, product: str = LIBRARY.name) -> None:
        self.folder, self._remedy = folder, _REMEDY.format(product)
        manifest = _read_manifest(folder / MANIFEST, self._remedy)
        self.entries: dict[str, dict[str, Any]] = manifest["entries"]
        self.files: dict[str, str] = manifest["files"]
        self._arrays: dict[str, dict[str, np.ndarray]] = {}

    def entry(self, name: str) -> dict[str, Any]:
        """What the manifest says of a golden.

        Raises
        ------
        ConfigError
        """
        return entry_of(self.entries, name)

    def array(self, name: str, part: str = "") -> np.ndarray:
        """The frozen array of a golden, or a part of it: "head", "sums".

        Raises
        ------
        ConfigError
            No golden of this name.
        GoldenError
            Its file is missing, or not as it was written.
        """
        file = self.entry(name)["file"]
        if file not in self._arrays:
            self._arrays[file] = self._read(file)
        array = self._arrays[file][f"{name}:{part}" if part else name]
        array.setflags(write=False)
        return array

    def verify(self) -> list[str]:
        """One line for each file that is not as it was written, or that the manifest does not know."""
        found = []
        for file in self.files:
            try:
                self._read(file)
            except GoldenError as error:
                found.append(str(error))
        unknown = {path.name for path in self.folder.iterdir()} - set(self.files) - {MANIFEST}
        return found + [f"{name}: is not in {MANIFEST}; remove it" for name in sorted(unknown)]

    def _read(self, file: str) -> dict[str, np.ndarray]:
        try:
            content = (self.folder / file).read_bytes()
        except OSError as error:
            raise GoldenError(f"{file}: {error.strerror or error}; {self._remedy}") from error
        found, wanted = hashlib.sha256(content).hexdigest(), self.files[file]
        if found != wanted:
            raise GoldenError(
                f"{file}: corrupted, its sha256 is {found[:12]}, {MANIFEST} says {wanted[:12]}; "
                f"{self._remedy}"
            )
        return _arrays_in(content)


def entry_of(entries: dict[str, dict[str, Any]], name: str) -> dict[str, Any]:
    """The entry of a name; ConfigError names those that there are."""
    if name not in entries:
        kind = name.partition(":")[0] + ":"
        known = ", ".join(key.removeprefix(kind) for key in entries if key.startswith(kind))
        raise ConfigError(f"{kind[:-1]} {name.removeprefix(kind)!r}: must be one of {known}")
    return entries[name]


class Shipped:
    """The goldens of the library and of all products, each in the folder of its own package.

    Attributes
    ----------
    entries : the manifests' facts by name; of two of one name the first product's
    """

    def __init__(self) -> None:
        self.entries: dict[str, dict[str, Any]] = {}
        self._owner: dict[str, Store] = {}
        self._stores: list[Store] = []
        for product in (LIBRARY, *products()):
            try:
                store = store_of(product)
            except GoldenError as error:
                if product in (LIBRARY, *BUILT_IN):
                    raise
                broke(product.wrong(GOLDENS, str(error)))  # the others go on working
                continue
            if store:
                self._add(store)

    def _add(self, store: Store) -> None:
        self._stores.append(store)
        for name, entry in store.entries.items():
            self.entries.setdefault(name, entry)
            self._owner.setdefault(name, store)

    def entry(self, name: str) -> dict[str, Any]:
        """See `Store.entry`."""
        return self.entries[name] if name in self.entries else entry_of(self.entries, name)

    def array(self, name: str, part: str = "") -> np.ndarray:
        """See `Store.array`."""
        self.entry(name)
        return self._owner[name].array(name, part)

    def verify(self) -> list[str]:
        """See `Store.verify`."""
        return [line for store in self._stores for line in store.verify()]


def goldens_folder(product: Product) -> Path:
    """Where a product's goldens are, there or not.

    Raises
    ------
    ConfigError
        Its package is not in a folder: a zip file, say.
    """
    spec = find_spec(product.package)
    places = list(spec.submodule_search_locations or ()) if spec else []
    if not places:
        raise ConfigError(f"{product.package}: no folder of modules; goldens need a package in a folder")
    return Path(places[0]) / GOLDENS


@cache
def store_of(product: Product) -> Store | None:
    """A product's goldens; None of an installed package that has not frozen any yet.

    Raises
    ------
    GoldenError
    """
    folder = goldens_folder(product)
    if product not in (LIBRARY, *BUILT_IN) and not (folder / MANIFEST).exists():
        return None
    return Store(folder, product.name)


@cache
def shipped() -> Shipped:
    """All goldens that come with bittrue and with installed products."""
    return Shipped()


def verify() -> list[str]:
    """One line for each file of the shipped stores that is not as it was written."""
    return shipped().verify()


def load_stimulus(case: Case) -> np.ndarray:
    """(channels, n) int16, Q1.15; see `stimuli.load`."""
    return _of(case).array(f"stimulus:{case.stimulus}")


def golden(case: Case) -> np.ndarray:
    """(rows, steps) integers: the frozen output of a case.

    Raises
    ------
    ConfigError, GoldenError
    """
    return _of(case).array(f"output:{case.name}")


def _of(case: Case) -> Store:
    product = case.product
    assert product is not None, f"{case.name}: of no product"
    store = store_of(product)
    if store is None:
        freeze = f"bittrue freeze --product {product.name} --reason ..."
        raise GoldenError(f"{case.name}: not frozen yet; {freeze}")
    return store


def forget() -> None:
    """Read the stores again: they were written."""
    store_of.cache_clear()
    shipped.cache_clear()


def digest(values: np.ndarray) -> str:
    """SHA-256 of an integer array's little-endian bytes in C order, hex."""
    little = np.ascontiguousarray(values, values.dtype.newbyteorder("<"))
    return hashlib.sha256(little.tobytes()).hexdigest()


def facts_of(values: np.ndarray, fmt: str, configuration: Any) -> dict[str, Any]:
    """The manifest's facts of an array."""
    shape = list(values.shape)
    named = {"shape": shape, "dtype": values.dtype.name, "format": fmt, "configuration": configuration}
    return {"sha256": digest(values), **named}


def check_reason(reason: str) -> str:
    """The reason on one line.

    Raises
    ------
    ConfigError
        There is none.
    """
    words = " ".join(reason.split())
    if not words:
        raise ConfigError(f"REASON={reason!r}: a line is needed that says why the goldens change")
    return words


class Changes(NamedTuple):
    """Names of goldens, by what writing did to them."""

    new: list[str]
    changed: list[str]
    removed: list[str]

    def __bool__(self) -> bool:
        return bool(self.new or self.changed or self.removed)


def write(goldens: Iterable[Frozen], reason: str, folder: Path, product: str = LIBRARY.name) -> Changes:
    """Freeze these goldens, all that there are; entries and files that do not change stay as they are.

    Parameters
    ----------
    reason : one line, why they change: kept with the entries that change
    folder : made if there is none;  product : its name, for messages

    Raises
    ------
    ConfigError
        No reason.
    GoldenError
        The manifest that is there was edited by hand.
    """
    reason = check_reason(reason)
    goldens = list(goldens)
    old = _old_manifest(folder, _REMEDY.format(product))
    entries: dict[str, dict[str, Any]] = {}
    new: list[str] = []
    changed: list[str] = []
    for golden in goldens:
        before = old["entries"].get(golden.name)
        if before is not None and golden.facts.items() <= before.items() and before["file"] == golden.file:
            entries[golden.name] = before
            continue
        (new if before is None else changed).append(golden.name)
        entries[golden.name] = _entry(golden, reason)
    removed = [name for name in old["entries"] if name not in entries]
    contents = {}
    for file in dict.fromkeys(golden.file for golden in goldens):
        arrays: dict[str, np.ndarray] = {}
        for golden in goldens:
            arrays |= golden.arrays if golden.file == file else {}
        contents[file] = _content(folder / file, arrays, old["files"].get(file))
    files = {file: hashlib.sha256(content).hexdigest() for file, content in contents.items()}
    folder.mkdir(parents=True, exist_ok=True)
    for file, content in contents.items():  # all is made by now: what is killed leaves the old ones
        if not (folder / file).is_file() or (folder / file).read_bytes() != content:
            replace_file(folder / file, content)
    replace_file(folder / MANIFEST, _manifest_bytes(entries, files))
    for file in set(old["files"]) - set(files):
        (folder / file).unlink(missing_ok=True)
    forget()
    return Changes(new, changed, removed)


def _entry(golden: Frozen, reason: str) -> dict[str, Any]:
    versions = {"python": python_version(), **{tool: version(tool) for tool in _TOOLS}}
    return {"file": golden.file, **golden.facts, "versions": versions, "reason": reason}


def _content(path: Path, arrays: dict[str, np.ndarray], known: str | None) -> bytes:
    """A file of arrays: the one that is there if it is known and holds the same."""
    if known and path.is_file():
        content = path.read_bytes()
        if hashlib.sha256(content).hexdigest() == known and _same(_arrays_in(content), arrays):
            return content
    return _npz_bytes(arrays)


def _arrays_in(content: bytes) -> dict[str, np.ndarray]:
    with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
        return dict(arrays)


def _same(a: dict[str, np.ndarray], b: dict[str, np.ndarray]) -> bool:
    return a.keys() == b.keys() and all(
        a[key].dtype == b[key].dtype and np.array_equal(a[key], b[key]) for key in a
    )


def _npz_bytes(arrays: dict[str, np.ndarray]) -> bytes:
    """An NPZ file: the same bytes for the same arrays."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, values in arrays.items():
            member = io.BytesIO()
            np.lib.format.write_array(member, np.ascontiguousarray(values), allow_pickle=False)
            info = zipfile.ZipInfo(f"{name}.npy")  # dated 1980
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, member.getvalue())
    return buffer.getvalue()


def _digest_of(entries: Any, files: Any) -> str:
    text = json.dumps({"entries": entries, "files": files}, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _manifest_bytes(entries: Any, files: Any) -> bytes:
    manifest = {
        "about": "Frozen goldens; written by make golden-write, not to be edited: sha256 is of all below.",
        "sha256": _digest_of(entries, files),
        "files": files,
        "entries": entries,
    }
    return (json.dumps(manifest, indent=1, ensure_ascii=False) + "\n").encode()


def _old_manifest(folder: Path, remedy: str) -> dict[str, Any]:
    if not (folder / MANIFEST).exists():
        return {"entries": {}, "files": {}}
    return _read_manifest(folder / MANIFEST, remedy)


def _read_manifest(path: Path, remedy: str) -> dict[str, Any]:
    try:
        manifest = json.loads(path.read_bytes())
        stated, entries, files = manifest["sha256"], manifest["entries"], manifest["files"]
    except OSError as error:
        raise GoldenError(f"{path.name}: {error.strerror or error}; {remedy}") from error
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise GoldenError(f"{path.name}: is no manifest of goldens; {remedy}") from error
    if stated != _digest_of(entries, files):
        raise GoldenError(f"{path.name}: was edited by hand, its entries do not have its sha256; {remedy}")
    return manifest
