"""bittrue in a process of its own that has imported what every command imports, and forks for each call."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

_SERVE = """
import json, os, sys
import scipy.signal, soundfile
from firmware_model.cli.main import main
from firmware_model.cli.exactness import checking, comparison
from firmware_model.cli.firmware import device_runs, exporting
from firmware_model.golden.conformance import check
from firmware_model.golden import freeze
from firmware_model.watermark import kernel_cases
from firmware_model.dynamics import kernel_cases
for line in sys.stdin:
    folder, path, files, *arguments = json.loads(line)
    child = os.fork()
    if not child:
        os.chdir(folder)
        sys.path[:0] = path
        for name, number in zip(files, (1, 2)):
            os.dup2(os.open(name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)
        sys.argv = ["bittrue", *arguments]
        main()
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""


class Run(NamedTuple):
    """How a command ended, and what it wrote."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


class Warm(NamedTuple):
    """The process;  scratch : a folder for what commands write to their streams."""

    process: subprocess.Popen[str]
    scratch: Path

    def __call__(self, folder: Path, *arguments: object, path: tuple[str, ...] = ()) -> Run:
        """Run a command in a folder; path : put in front of sys.path."""
        assert self.process.stdin
        assert self.process.stdout
        files = [str(self.scratch / name) for name in ("out", "err")]
        self.process.stdin.write(json.dumps([str(folder), path, files, *map(str, arguments)]) + "\n")
        self.process.stdin.flush()
        status = int(self.process.stdout.readline())
        return Run(status, *(Path(file).read_text() for file in files))


@contextmanager
def warm(python: Path | str, scratch: Path, environment: dict[str, str] | None = None) -> Iterator[Warm]:
    """The process, with the bittrue that an interpreter has.

    environment : of the process, None for ours
    """
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    command = [python, "-c", _SERVE]
    with subprocess.Popen(command, env=environment, text=True, cwd=scratch, **pipes) as process:
        yield Warm(process, scratch)
        process.stdin.close()
