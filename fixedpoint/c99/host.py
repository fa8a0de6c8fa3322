"""Exported C on the host: compiled by the host's compiler, called with the arguments that a kernel takes."""

import ctypes
import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from fixedpoint.c99.translator import Module
from fixedpoint.c99.types import ArrayRef, ArrayType, CFunction, Struct, StructRef, length_suffix
from fixedpoint.errors import ConfigError

WARNINGS = ("-std=c99", "-Wall", "-Wextra", "-Wconversion", "-Wsign-conversion", "-pedantic", "-Werror")
# Calls within the library stay there: glibc has functions named as kernels are, `advance` for one.
_SHARED = ("-fPIC", "-fno-semantic-interposition", "-shared", "-Wl,-Bsymbolic")


def compiler() -> str:
    """The host's C compiler: $CC, or cc.

    Raises
    ------
    ConfigError
        There is none.
    """
    name = os.environ.get("CC", "cc")
    if not shutil.which(name):
        raise ConfigError(f"CC={name}: not found; a C compiler for this host is needed")
    return name


def build(module: Module, name: str, folder: Path, flags: Sequence[str] = ("-O2",)) -> Path:
    """Write NAME.h and NAME.c into a folder and compile them into a shared object, every warning an error.

    Raises
    ------
    ConfigError
        No compiler, or it does not take the code.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.h").write_text(module.header, "utf-8")
    (folder / f"{name}.c").write_text(module.source, "utf-8")
    library = folder / f"lib{name}.so"
    command = [compiler(), *WARNINGS, *flags, *_SHARED, "-o", str(library), str(folder / f"{name}.c")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise ConfigError(f"{command[0]}: {done.stderr.strip().splitlines()[0]}")
    return library


class Prepared(NamedTuple):
    """A call of a C function.

    handle : the function; given : its arguments; outputs : what takes several returned values
    arguments : as they were given; C points into them, so that they must live as long
    """

    handle: Any
    given: list[Any]
    outputs: list[ctypes.c_int64]
    arguments: tuple[Any, ...]

    def run(self) -> int | tuple[int, ...] | None:
        """Call it."""
        returned = self.handle(*self.given)
        return tuple(output.value for output in self.outputs) if self.outputs else returned


class Library:
    """Kernels of a shared object.

    Parameters
    ----------
    path : Path, from `build`
    """

    def __init__(self, path: Path) -> None:
        self._library = ctypes.CDLL(str(path))
        self._layouts: dict[str, type[ctypes.Structure]] = {}

    def prepare(self, function: CFunction, *arguments: Any) -> Prepared:
        """A call with its arguments as C takes them."""
        handle = getattr(self._library, function.name)
        handle.restype = ctypes.c_int64 if function.returns else None
        given: list[Any] = []
        for parameter, value in zip(function.parameters, arguments, strict=True):
            if isinstance(parameter.ref, StructRef):
                given.append(ctypes.byref(self._struct(parameter.ref.struct, value)))
            elif isinstance(parameter.ref, ArrayRef):
                given.append(_pointer(value))
                given += [ctypes.c_int32(value.shape[d]) for d in sorted(parameter.ref.storage.lengths)]
            else:
                given.append(ctypes.c_int64(int(value)))
        outputs = [ctypes.c_int64() for _ in function.outputs]
        return Prepared(handle, given + [ctypes.byref(output) for output in outputs], outputs, arguments)

    def call(self, function: CFunction, *arguments: Any) -> int | tuple[int, ...] | None:
        """Call a kernel; arrays are changed in place.

        Parameters
        ----------
        function : of the module that the library was built from
        arguments : as the kernel takes them, without `probes`
        """
        return self.prepare(function, *arguments).run()

    def _layout(self, struct: Struct) -> type[ctypes.Structure]:
        if struct.name not in self._layouts:
            fields: list[tuple[str, Any]] = []
            for name, kind in struct.fields().items():
                if name in struct.nested:
                    fields.append((name, self._layout(struct.nested[name])))
                elif isinstance(kind, ArrayType):
                    fields.append((name, ctypes.c_void_p))
                    lengths = sorted(struct.storage[name].lengths)
                    fields += [(name + length_suffix(kind, d), ctypes.c_int32) for d in lengths]
                else:
                    fields.append((name, ctypes.c_int64))
            self._layouts[struct.name] = type(struct.name, (ctypes.Structure,), {"_fields_": fields})
        return self._layouts[struct.name]

    def _struct(self, struct: Struct, value: Any) -> ctypes.Structure:
        made = self._layout(struct)()
        for name, kind in struct.fields().items():
            field = getattr(value, name)
            if name in struct.nested:
                setattr(made, name, self._struct(struct.nested[name], field))
            elif isinstance(kind, ArrayType):
                setattr(made, name, _pointer(field))
                for d in struct.storage[name].lengths:
                    setattr(made, name + length_suffix(kind, d), field.shape[d])
            else:
                setattr(made, name, int(field))
        return made


def _pointer(array: np.ndarray) -> ctypes.c_void_p:
    if not array.flags.c_contiguous:
        raise ConfigError(f"array of shape {array.shape}: strided, C takes contiguous ones")
    return ctypes.c_void_p(array.ctypes.data)
