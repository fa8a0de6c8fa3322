"""A host build of the user's firmware, called through ctypes in a process of its own.

Pointers are those of the host; integers are passed as 64 bits, of which C takes what it declared.
"""

import os
import signal
import subprocess
import sys
from multiprocessing import Pipe
from pathlib import Path
from typing import Any, NamedTuple

from firmware_model.device.own.foreign import CrashError, call_in_words
from firmware_model.device.own.host_worker import Job, Memory
from firmware_model.device.own.memory_map import RESULT, WHICH, MemoryMap
from firmware_model.golden.dumps.dump import INPUT
from fixedpoint.errors import ConfigError, meant_or_accepted

MOST_SECONDS = 10.0  # of one call
_MOST_BYTES = 256 << 20


class HostLibrary:
    """A library under test; a `foreign.Target`, to be used in `with`.

    Parameters
    ----------
    path : of a shared object for this host
    symbol : function to call, as `given` says

    Raises
    ------
    ConfigError
        No shared object of this host, a symbol that it does not export or that is too small, a buffer at an
        address.
    CrashError
        The init function, or a call, ends the process, does not return, or writes beyond a buffer.
    """

    def __init__(self, path: str, symbol: str, given: MemoryMap) -> None:
        if not Path(path).is_file():
            raise ConfigError(f"{path}: no such file; a shared object of this host needed")
        self._path, self._symbol, self._map = path, symbol, given
        self._read = tuple(given.read)
        job = self._job()
        self._require_symbols(job)
        self._call = -1
        here, there = Pipe()
        with there:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", "firmware_model.device.own.host_worker", str(there.fileno())],
                stdin=subprocess.DEVNULL,
                stdout=2,  # what the library prints is no result
                pass_fds=(there.fileno(),),
                env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            )
        self._pipe = here
        try:
            self._answer(job)
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> "HostLibrary":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the process."""
        self._pipe.close()
        self._process.kill()
        self._process.wait()

    def call(self, content: bytes) -> dict[str, bytes]:
        """See `foreign.Target`."""
        self._call += 1
        return dict(zip(self._read, self._answer(content), strict=True))

    def cost(self) -> None:
        """See `foreign.Target`: the host's instructions are not the target's."""

    def _job(self) -> Job:
        call = self._map.call
        memory = {}
        for name, buffer in self._map.buffers.items():
            if buffer.place.address is not None:
                raise self._map.refused(
                    f"{buffer.key}.address={buffer.place.address:#x}: a host library has no addresses; "
                    f"symbol accepted, or neither"
                )
            if buffer.size > _MOST_BYTES:
                raise self._map.refused(f"{buffer.key}: {buffer.size} bytes; must be at most {_MOST_BYTES}")
            place, room = buffer.place, self._map.room(name)
            memory[name] = Memory(buffer.size, room, place.symbol, place.offset, place.buffer)
        return Job(
            str(Path(self._path).absolute()),
            self._symbol,
            call.arguments,
            call.init,
            call.init_arguments,
            memory,
            INPUT,
            self._read,
            RESULT,
            tuple(
                {name: self._map.at_call(name, call) for name in self._map.buffers}
                for call in range(self._map.period)
            ),
            WHICH,
        )

    def _require_symbols(self, job: Job) -> None:
        """Refuse what the library does not export, where its symbols can be read."""
        exported = _exported(self._path)
        if exported is None:  # the worker says so, without a suggestion
            return
        functions = [name for name in (job.symbol, job.init) if name is not None]
        arguments = (*job.arguments, *job.init_arguments)
        data = [word[1:] for word in arguments if isinstance(word, str) and word.startswith("&")]
        for name in (*functions, *data, *(m.symbol for m in job.memory.values() if m.symbol)):
            if name not in exported:
                raise ConfigError(
                    f"{self._path}: {name}: no such symbol; {meant_or_accepted(name, exported)}"
                )
        for name in functions:
            if exported[name].is_data:
                raise ConfigError(f"{self._path}: {name}: is data; the name of a function needed")
        for name, memory in job.memory.items():
            size = exported[memory.symbol].size if memory.symbol else 0
            end = memory.offset + memory.room
            if size and end > size:
                key = self._map.buffers[name].key
                raise ConfigError(
                    f"{self._path}: {memory.symbol}: {size} bytes found; {end} needed for {key}"
                )

    def _answer(self, question: Job | bytes) -> Any:
        """What the worker answers."""
        where = call_in_words(self._call, self._map)
        try:
            self._pipe.send_bytes(question) if isinstance(question, bytes) else self._pipe.send(question)
            if not self._pipe.poll(MOST_SECONDS):
                raise CrashError(f"{self._path}: {where}: no return within {MOST_SECONDS:g} s")
            kind, value = self._pipe.recv()
        except (EOFError, ConnectionError) as error:
            raise CrashError(f"{self._path}: {where}: {_end(self._process.wait())}") from error
        if kind == "crash":
            raise CrashError(f"{self._path}: {where}: {value}")
        if kind == "error":
            raise ConfigError(f"{self._path}: {value}")
        return value


def _end(code: int) -> str:
    """How a process ended, in words."""
    if code >= 0:
        return f"the library ended the process with status {code}"
    return f"{signal.strsignal(-code)} ({signal.Signals(-code).name})"


class _Exported(NamedTuple):
    """A dynamic symbol. size : bytes, 0 where it is not known"""

    size: int
    is_data: bool


def _exported(path: str) -> dict[str, _Exported] | None:
    """A library's dynamic symbols by name; None where it is no ELF, or pyelftools is missing."""
    try:
        from elftools.common.exceptions import ELFError
        from elftools.elf.elffile import ELFFile
    except ImportError:
        return None
    try:
        with open(path, "rb") as file:
            table: Any = ELFFile(file).get_section_by_name(".dynsym")
            symbols = table.iter_symbols() if table else ()
            return {
                s.name: _Exported(s["st_size"], s["st_info"]["type"] in ("STT_OBJECT", "STT_TLS"))
                for s in symbols
                if s.name and s["st_shndx"] != "SHN_UNDEF"
            }
    except ELFError:
        return None
