"""README.md and docs/ against the repository: links, commands with options, figures, what comes first."""

import ast
import importlib
import os
import re
import shlex
import subprocess
import sys
import sysconfig
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer

from benchmarks import readme
from firmware_model.cli import main

ROOT = Path(__file__).resolve().parents[1]
PAGES = {
    str(path.relative_to(ROOT)): path.read_text("utf-8")
    for path in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))
}


def options_of(name: str) -> set[str]:
    """The options of a command; those of `export` come from the products."""
    group = typer.main.get_command(main.app)
    _, command, _ = group.resolve_command(typer.Context(group), [name])  # type: ignore[attr-defined]
    return {option for each in command.params for option in each.opts} | {"--help"}


COMMANDS = {name: options_of(name) for name in typer.main.get_command(main.app).commands}  # type: ignore[attr-defined]
OF_ALL = {option for each in typer.main.get_command(main.app).params for option in each.opts} | {"--help"}
TARGETS = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
EXTRAS = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["optional-dependencies"]
NEW = ROOT / "firmware_model/cli/newcomer/template/package"  # what `bittrue new gate` writes
SETTING_UP = "make venv && . .venv/bin/activate"
ABSENT = ("board.bin", "mine.toml")  # files of the reader's in what pages show
LONG = ("examples/distance.toml", "tcp://")  # minutes, or in need of other processes

pages = pytest.mark.parametrize("page", PAGES)
docs = pytest.mark.parametrize("page", [page for page in PAGES if page != "README.md"])


def blocks(text: str) -> list[tuple[str, str]]:
    """Language and text of each code block."""
    return re.findall(r"^```(\w*)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def without_blocks(text: str) -> str:
    return re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)


def spans(text: str) -> list[str]:
    """What stands between backticks outside code blocks."""
    return re.findall(r"`([^`\n]+)`", without_blocks(text))


def without_documents(text: str) -> str:
    """A shell block without its here-documents."""
    return re.sub(r" <<'END'\n.*?\nEND$", "", text, flags=re.MULTILINE | re.DOTALL)


def simple_commands(line: str) -> list[list[str]]:
    """Words of each command of a line."""
    parts = re.split(r" (?:&&|\||;) ", re.sub(r"\s+#.*", "", line))
    return [shlex.split(part.replace("…", "")) for part in parts]


def shown(text: str) -> list[list[str]]:
    """Every command of a page: of its blocks, and of the text between backticks."""
    lines = [span for span in spans(text) if re.match(r"(bittrue|make|python|\S+/python|pip) ", span)]
    for language, block in blocks(text):
        if language in ("sh", ""):
            found = without_documents(block).splitlines()
            lines += [line.removeprefix("$ ") for line in found if re.match(r"\$ |bittrue|make |dask", line)]
            lines += [line for line in found if language == "sh" and line not in lines]
    return [words for line in lines for words in simple_commands(line) if words]


def anchors(text: str) -> set[str]:
    """Of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.*)", without_blocks(text), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def table(heading: str, text: str) -> list[str]:
    """First cells of every table whose first heading is given."""
    found = re.findall(rf"^\| {heading} \|.*\n\|[-:|]+\n((?:\|.*\n)+)", text, re.MULTILINE)
    return [row.split(" | ")[0].removeprefix("| ") for rows in found for row in rows.splitlines()]


# --- what there is --------------------------------------------------------------------------------


def test_the_readme_has_less_than_200_lines_and_links_every_page():
    assert len(PAGES["README.md"].splitlines()) < 200
    assert [page for page in PAGES if page != "README.md" and f"]({page})" not in PAGES["README.md"]] == []


@pages
def test_links_pictures_and_anchors_resolve(page):
    links = re.findall(r"\]\(([^)\s]+)\)", without_blocks(PAGES[page]))
    for link in links:
        if "://" in link:
            continue
        name, _, anchor = link.partition("#")
        path = (ROOT / page).parent / name if name else ROOT / page
        assert path.exists(), link
        if anchor:
            assert anchor in anchors(path.read_text("utf-8")), link


@pages
def test_files_that_the_text_names_are_there(page):
    parts = r"(tests|firmware_model|acoustic_sim|fixedpoint|examples|benchmarks|docs)/[\w./-]+"
    named = [span for span in spans(PAGES[page]) if re.fullmatch(parts, span)]
    assert [name for name in named if not (ROOT / name).exists()] == []


def test_the_layout_names_every_package():
    layout = next(block for _, block in blocks(PAGES["README.md"]) if block.startswith("fixedpoint/"))
    for package in ("fixedpoint", "firmware_model", "acoustic_sim"):
        folders = [path.parent.name for path in (ROOT / package).glob("*/__init__.py")]
        inside = layout.split(f"{package}/")[1].split("\n\n")[0]
        assert [folder for folder in folders if f" {folder}/" not in inside and folder != "loudspeaker"] == []


@pages
def test_tables_of_benchmarks_are_those_of_the_results(page):
    assert readme.filled(PAGES[page]) == PAGES[page], "python -m benchmarks.readme puts them in"


def test_every_benchmark_has_its_table():
    everything = "".join(PAGES.values())
    results = {path.name.split(".")[0] for path in readme.RESULTS.glob("*.readme.md")}
    assert results
    assert set(re.findall(r"<!-- benchmark (\w+) -->", everything)) == results | {"summary"}


# --- commands -------------------------------------------------------------------------------------


def test_the_readme_has_a_line_for_every_command():
    rows = table("command", PAGES["README.md"])
    assert {row.strip("`").split()[1] for row in rows} == set(COMMANDS)
    assert len(rows) == len(COMMANDS)


@pages
def test_commands_exist_with_their_options(page):
    for words in shown(PAGES[page]):
        program, *rest = words
        if program.endswith("bittrue"):
            known = COMMANDS.get(rest[0], OF_ALL)
            assert rest[0] in COMMANDS or rest[0].isupper() or rest[0].startswith("-"), words
            given = {word for word in rest if re.match(r"--?[a-z]", word)}
            assert given <= known, words
        elif program == "make" and "-C" not in rest:
            asked = {word for word in rest if "=" not in word}
            assert asked <= TARGETS, words
        elif program.endswith("python") and rest[0] == "-m":
            assert importlib.import_module(rest[1])
        elif program == "pip":
            assert [name for name in re.findall(r"\[(\w+)\]", " ".join(rest)) if name not in EXTRAS] == []


@pages
def test_options_of_tables_and_of_the_text_exist(page):
    for cell in table("option", PAGES[page]):
        verb = cell.strip("`").split()[0]
        verbs = [verb] if verb in COMMANDS else ["simulate", "room"]  # the table of the place, of both
        options = set(re.findall(r"--[a-z][a-z0-9-]+", cell))
        assert all(options <= COMMANDS[each] for each in verbs), cell
    in_text = {word for span in spans(PAGES[page]) for word in re.findall(r"(?<!\S)--[a-z][a-z0-9-]+", span)}
    assert in_text <= OF_ALL.union(*COMMANDS.values()) | {
        "--quick",
        "--check",
        "--minutes",
        "--nworkers",
        "--nthreads",
    }


# --- code -----------------------------------------------------------------------------------------


@pages
def test_python_of_the_pages_imports_what_there_is(page):
    for language, block in blocks(PAGES[page]):
        if language != "python":
            continue
        for node in ast.walk(ast.parse(block)):
            if isinstance(node, ast.ImportFrom):
                module = importlib.import_module(str(node.module))
                assert [each.name for each in node.names if not hasattr(module, each.name)] == []


@docs
def test_lines_of_the_source_that_are_named_are_those(page):
    for name, line, call, kernel in re.findall(r"at (\S+\.py):(\d+), (\w+) in (\w+)", PAGES[page]):
        path = NEW / f"{name.removeprefix('gate/')}.txt" if name.startswith("gate/") else ROOT / name
        source = path.read_text("utf-8").splitlines()[: int(line)]
        assert f"{call}(" in source[-1]
        assert re.findall(r"def (\w+)", "\n".join(source))[-1] == kernel


@docs
def test_a_page_begins_with_its_job_and_a_command_that_runs_in_a_fresh_clone(page):
    title, *rest = PAGES[page].splitlines()
    assert title.startswith("# ")
    assert rest[1].startswith("The job: ")
    language, first = blocks(PAGES[page])[0]
    assert language == "sh"
    lines = first.splitlines()
    assert lines[0] in (SETTING_UP, SETTING_UP.split(" && ")[0])
    made: set[str] = set()
    for words in (words for line in lines[1:] for words in simple_commands(line)):
        paths = [word for word in words[1:] if "/" in word]
        if paths and not {"mkdir", "synthesise"} & set(words):
            assert paths[0] in made or (ROOT / paths[0]).exists(), words
        made |= {f"./{word}" for word in words} if "new" in words else set(paths)


# --- all of it, run -------------------------------------------------------------------------------


def runs(text: str) -> Iterator[tuple[str, str, str]]:
    """Of each block: its language, what a shell or Python runs, and what the page says that it prints."""
    found = blocks(text)
    for (language, block), (after, output) in zip(found, [*found[1:], ("", "$ ")], strict=True):
        if language in ("sh", "python"):
            code = "\n".join(line for line in block.splitlines() if not line.startswith("make venv"))
            yield language, code, "" if after or output.startswith("$ ") else output
        elif block.startswith("$ "):
            for command, printed in re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", block, re.MULTILINE):
                yield "sh", command, printed


def shape(text: str) -> str:
    """A text without its numbers, which depend on the machine, and without the room that they take."""
    return re.sub(r"[\s─]+", " ", re.sub(r"-?\d[\d.,]*", "#", text)).strip()


def environment(folder: Path) -> Path:
    """The Python of one with the libraries and commands of this one, into which a page may install."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True, timeout=120)
    python = folder / "bin/python"
    ask = "import sysconfig; print(sysconfig.get_path('purelib'))"
    site = subprocess.run([python, "-c", ask], capture_output=True, text=True, check=True).stdout.strip()
    # The folder around it, as with an editable install: the processes that bittrue starts find it too.
    (Path(site) / "libraries.pth").write_text(f"{folder.parent}\n{sysconfig.get_path('purelib')}\n")
    for name, call in (
        ("bittrue", "firmware_model.cli.main import main"),
        ("pip", "pip._internal.cli.main import main"),
    ):
        script = python.with_name(name)
        script.write_text(f"#!{python}\nimport sys\nfrom {call}\nsys.exit(main())\n")
        script.chmod(0o755)
    return python


@pytest.mark.slow
@docs
def test_a_page_prints_what_it_shows(page, tmp_path):
    for name in ("examples", "firmware_model", "fixedpoint", "acoustic_sim", "benchmarks"):
        (tmp_path / name).symlink_to(ROOT / name)
    python = environment(tmp_path / ".venv")
    (tmp_path / "build").mkdir()
    path = f"{python.parent}:{os.environ['PATH']}"
    for language, code, says in runs(PAGES[page]):
        if not code.strip() or any(word in code for word in (*ABSENT, *LONG)):
            continue
        words = [str(python), "-c", code] if language == "python" else ["sh", "-c", code]
        done = subprocess.run(
            words, cwd=tmp_path, env={**os.environ, "PATH": path}, capture_output=True, text=True, timeout=600
        )
        assert done.returncode in (0, 1, 2) if says else done.returncode == 0, (code, done.stderr)
        if says:
            assert shape(says) in (shape(done.stdout), shape(done.stderr)), (code, done.stdout, done.stderr)
