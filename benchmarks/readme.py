"""Put the benchmarks' Markdown tables into README.md and the pages of docs/, or check that they are there.

Between `<!-- benchmark NAME -->` and `<!-- end -->` stands benchmarks/results/NAME.readme.md, nothing else;
for the name `summary`, the table of benchmarks/summary.py.
"""

import argparse
import re
import sys

from benchmarks.harness.report import RESULTS, ROOT, progress_console, run
from benchmarks.summary import summary
from fixedpoint.errors import ConfigError

PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))
_SECTION = re.compile(r"(<!-- benchmark (?P<name>[a-z_]+) -->\n).*?(<!-- end -->)", re.DOTALL)


def filled(text: str) -> str:
    """A page with every section replaced by its table.

    Raises
    ------
    ConfigError
        A section whose benchmark has no results.
    """
    return _SECTION.sub(lambda match: f"{match[1]}{_table(match['name'])}{match[3]}", text)


def main() -> None:
    """Write the pages, or with --check say which are not up to date."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 where it would change")
    options = parser.parse_args()
    texts = {path: path.read_text("utf-8") for path in PAGES}
    changed = {path: after for path, before in texts.items() if (after := filled(before)) != before}
    if options.check:
        shown = [f"{path.relative_to(ROOT)}: tables are out of date" for path in changed]
        progress_console.print("\n".join(shown) or "README.md and docs are up to date", highlight=False)
        sys.exit(bool(changed))
    for path, after in changed.items():
        path.write_text(after, "utf-8")


def _table(name: str) -> str:
    if name == "summary":
        return summary(RESULTS)
    path = RESULTS / f"{name}.readme.md"
    if not path.is_file():
        raise ConfigError(f"benchmark {name}: no {path.name} in benchmarks/results, run it first")
    return path.read_text("utf-8")


if __name__ == "__main__":
    run(main)
