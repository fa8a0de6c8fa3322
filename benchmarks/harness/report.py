"""Tables on the terminal, in Markdown and in JSON; errors as one line."""

import argparse
import json
import math
import platform
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table as RichTable

from fixedpoint.errors import BittrueError

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / "benchmarks" / "results"
TRIALS = ROOT / "build" / "benchmarks"  # results of a part, or with other settings than what ships
EXPLORING = ("strength", "threshold", "hosts", "keys", "only")  # options that make a run a trial
MISUSE = 2

# A table that is piped into a file has room for its columns.
console = Console(width=None if sys.stdout.isatty() else 180)
progress_console = Console(stderr=True)


def rounded(value: float | None, digits: int = 2) -> float | None:
    """For JSON; None, and what is not finite, is None."""
    return None if value is None or not math.isfinite(value) else round(float(value), digits)


def verdict(value: float, target: float | None, at_least: bool = True) -> str:
    """The target beside what was measured: "≥ 99 yes", "≤ 1 NO", or "-" where there is none."""
    if target is None:
        return "-"
    met = value >= target if at_least else value <= target
    return f"{'≥' if at_least else '≤'} {target:g} {'yes' if met else '**NO**'}"


@dataclass
class Table:
    """Rows of text under a title; the note says what the numbers are."""

    title: str
    columns: list[str]
    note: str = ""
    rows: list[list[str]] = field(default_factory=list)

    def add(self, *cells: object) -> None:
        """Append a row."""
        self.rows.append([str(cell) for cell in cells])

    def rich(self) -> RichTable:
        """For the terminal; what falls short is bold and red."""
        table = RichTable(title=self.title, caption=self.note or None, title_justify="left")
        for index, column in enumerate(self.columns):
            table.add_column(column, justify="right" if index else "left", overflow="fold", no_wrap=not index)
        for row in self.rows:
            table.add_row(*(escape(c).replace("**NO**", "[bold red]NO[/]") for c in row))
        return table

    def markdown(self) -> str:
        """A pipe table under its title in bold."""
        lines = [f"**{self.title}**", ""]
        lines += [f"{self.note}", ""] if self.note else []
        lines.append("| " + " | ".join(self.columns) + " |")
        lines.append("|" + "|".join("---" if i == 0 else "---:" for i in range(len(self.columns))) + "|")
        lines += ["| " + " | ".join(row) + " |" for row in self.rows]
        return "\n".join(lines) + "\n"


def publish(
    name: str, folder: Path, tables: list[Table], data: dict[str, Any], *, in_readme: int | None = None
) -> None:
    """Print the tables; write NAME.json, NAME.md, and NAME.readme.md with the first `in_readme` of them."""
    for table in tables:
        console.print(table.rich())
        console.print()
    folder.mkdir(parents=True, exist_ok=True)
    everything = {"benchmark": name, "made_with": provenance(), **data}
    everything["tables"] = [{"title": t.title, "columns": t.columns, "rows": t.rows} for t in tables]
    text = json.dumps(everything, indent=1, ensure_ascii=False, allow_nan=False)
    (folder / f"{name}.json").write_text(text + "\n", "utf-8")
    (folder / f"{name}.md").write_text("\n".join(table.markdown() for table in tables), "utf-8")
    fragment = "\n".join(table.markdown() for table in tables[:in_readme])
    (folder / f"{name}.readme.md").write_text(fragment, "utf-8")
    shown = folder.relative_to(ROOT) if folder.is_relative_to(ROOT) else folder
    progress_console.print(f"written: {shown}/{name}.json, .md, .readme.md", highlight=False)


def provenance() -> dict[str, str]:
    """What the figures depend on: commit, versions, processor."""
    packages = ("bittrue", "numpy", "numba", "scipy", "soxr", "pyroomacoustics")
    return {
        "command": "python -m " + " ".join([_module(), *sys.argv[1:]]),
        "commit": _git("rev-parse", "--short=12", "HEAD")
        + ("+" if _git("status", "--porcelain", "-uno") else ""),
        "python": platform.python_version(),
        "cpu": _cpu(),
        **{package: version(package) for package in packages},
    }


def arguments(
    doc: str | None, add: Callable[[argparse.ArgumentParser], None] | None = None
) -> argparse.Namespace:
    """Command line of a benchmark: --quick, --jobs, --out and what `add` adds.

    `folder` of the result is where results go: those of trials do not replace the committed ones.
    """
    parser = argparse.ArgumentParser(description=(doc or "").splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a small part, as a trial")
    parser.add_argument("--jobs", type=int, default=2, help="processes (default 2)")
    parser.add_argument(
        "--out",
        type=Path,
        help="folder for the results (default benchmarks/results; of a trial, build/benchmarks)",
    )
    if add:
        add(parser)
    parsed = parser.parse_args()
    trial = parsed.quick or any(getattr(parsed, name, None) is not None for name in EXPLORING)
    parsed.folder = (parsed.out or (TRIALS if trial else RESULTS)).resolve()
    return parsed


def run(main: Callable[[], None]) -> None:
    """Call a benchmark; what it cannot work with is one line and exit status 2."""
    try:
        main()
    except (BittrueError, ModuleNotFoundError) as error:
        hint = "; `make bench` installs it" if isinstance(error, ModuleNotFoundError) else ""
        text = f"{error}{hint}"
        progress_console.print(text, style="red", markup=False, highlight=False, soft_wrap=True)
        sys.exit(MISUSE)


def _module() -> str:
    spec = getattr(sys.modules["__main__"], "__spec__", None)
    return spec.name.removesuffix(".__main__") if spec else "benchmarks"


def _git(*words: str) -> str:
    done = subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout.strip()


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    return next(
        (line.split(": ", 1)[1] for line in lines if line.startswith("model name")), platform.machine()
    )
