"""Put the benchmarks' Markdown tables into README.md, or check that they are there.

Between `<!-- benchmark NAME -->` and `<!-- end -->` stands benchmarks/results/NAME.readme.md, nothing else.
"""

import argparse
import re
import sys

from benchmarks.harness.report import RESULTS, ROOT, progress_console, run
from fixedpoint.errors import ConfigError

_SECTION = re.compile(r"(<!-- benchmark (?P<name>[a-z_]+) -->\n).*?(<!-- end -->)", re.DOTALL)


def filled(text: str) -> str:
    """The README with every section replaced by its fragment.

    Raises
    ------
    ConfigError
        A section whose benchmark has no results.
    """

    def section(match: re.Match[str]) -> str:
        path = RESULTS / f"{match['name']}.readme.md"
        if not path.is_file():
            raise ConfigError(
                f"README.md: benchmark {match['name']}: no {path.relative_to(ROOT)}, run it first"
            )
        return f"{match[1]}{path.read_text('utf-8')}{match[3]}"

    return _SECTION.sub(section, text)


def main() -> None:
    """Write README.md, or with --check say whether it is up to date."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 where it would change")
    options = parser.parse_args()
    path = ROOT / "README.md"
    before = path.read_text("utf-8")
    after = filled(before)
    if options.check:
        progress_console.print(
            "README.md is up to date" if before == after else "README.md: tables are out of date"
        )
        sys.exit(before != after)
    path.write_text(after, "utf-8")


if __name__ == "__main__":
    run(main)
