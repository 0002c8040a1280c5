"""``make figures``: how the code is built, in numbers beside their aims; a report, so its exit code is always 0.

Needs the standard library only; the two figures about a PUT start the local Azure ML and need ``.venv``. A folder as
argument is measured instead of this project: ``git archive <commit> | tar -x -C <folder>`` gives an older state.
"""

from __future__ import annotations

import ast
import io
import re
import statistics
import sys
import tokenize
from collections.abc import Callable, Iterable
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
TOPS = ("dags", "plugins", "include")
IMPORT_ROOTS = ("dags", "plugins", "include", ".")
WHOLE_SERVICE = re.compile(r"\b(Service|ServiceDep|Local|LocalDep)\b")


class Source:
    """A Python file and what is counted in it."""

    def __init__(self, path: Path) -> None:
        self.path, self.text = path, path.read_text()
        self.lines = self.text.splitlines()
        self.tree = ast.parse(self.text)

    @property
    def has_code(self) -> bool:
        """Whether there is more than a docstring."""
        return any(not isinstance(statement, ast.Expr) for statement in self.tree.body)

    @cached_property
    def functions(self) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
        """All functions, methods and inner ones too."""
        nodes = ast.walk(self.tree)
        return [node for node in nodes if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]

    def docstring_lines(self) -> int:
        """Lines of strings that stand alone: docstrings, and those below a constant."""
        alone = (
            node.value
            for node in ast.walk(self.tree)
            if isinstance(node, ast.Expr)
            and isinstance(node.value, ast.Constant)
            and isinstance(node.value.value, str)
        )
        return sum((string.end_lineno or string.lineno) - string.lineno + 1 for string in alone)

    def comment_lines(self) -> int:
        """Lines with a comment, behind code or alone."""
        tokens = tokenize.generate_tokens(io.StringIO(self.text).readline)
        return sum(token.type == tokenize.COMMENT for token in tokens)

    def imported(self) -> Iterable[str]:
        """Every dotted name that may be an imported module, those under TYPE_CHECKING and in functions too."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                yield from (alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
                yield from (f"{node.module}.{alias.name}" for alias in node.names)


class Figure(NamedTuple):
    """A row of the table."""

    name: str
    aim: str
    today: str


def sources(root: Path) -> list[Source]:
    """The project's own Python files."""
    paths = (path for top in TOPS for path in sorted((root / top).rglob("*.py")))
    return [Source(path) for path in paths if "__pycache__" not in path.parts]


def module_of(path: Path, root: Path) -> str:
    """The name by which a file is imported."""
    folders = [root / top for top in IMPORT_ROOTS]
    if root / "include" / "azureml_local" not in path.parents:
        folders.remove(root / "include")
    inside = next(path.relative_to(folder) for folder in folders if path.is_relative_to(folder))
    return ".".join(inside.with_suffix("").parts).removesuffix(".__init__")


def in_cycles(files: Iterable[Source], root: Path) -> set[str]:
    """Modules that import themselves by way of others."""
    by_name = {module_of(file.path, root): file for file in files}

    def resolve(name: str) -> str:
        name = name.removeprefix("include.") if name.startswith("include.azureml_local") else name
        return name if name in by_name else name.rpartition(".")[0]

    edges = {
        name: {resolve(other) for other in file.imported()} & set(by_name) for name, file in by_name.items()
    }

    def reached(start: str) -> set[str]:
        seen: set[str] = set()
        ahead = [*edges[start]]
        while ahead:
            if (name := ahead.pop()) not in seen:
                seen.add(name)
                ahead += edges[name]
        return seen

    return {name for name in by_name if name in reached(name)}


def whole_service_parameters(files: Iterable[Source]) -> int:
    """Parameters that pass the service with all its parts."""
    parameters = (
        parameter
        for file in files
        for function in ast.walk(file.tree)
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        for parameter in (*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs)
    )
    return sum(
        parameter.arg in ("local", "service")
        or bool(parameter.annotation and WHOLE_SERVICE.search(ast.unparse(parameter.annotation)))
        for parameter in parameters
    )


def length(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines from ``def`` to the end, the docstring among them."""
    return (function.end_lineno or function.lineno) - function.lineno + 1


def percentile(numbers: Iterable[int], share: float) -> int:
    """The number below which this share of them lies."""
    ordered = sorted(numbers)
    return ordered[int(len(ordered) * share)]


def figures(root: Path) -> list[Figure]:
    """All that the text of the code says."""
    files = sources(root)
    service = [file for file in files if "azureml_local" in file.path.parts]
    plugins = [file for file in files if (root / "plugins") in file.path.parents]
    sizes = [len(file.lines) for file in files if file.has_code]
    lengths = [length(function) for file in files for function in file.functions]
    code = sum(bool(line.strip()) for file in files for line in file.lines)
    documented, commented = (
        sum(map(count, files)) for count in (Source.docstring_lines, Source.comment_lines)
    )
    with_any = sum(bool(re.search(r"\bAny\b", line)) for file in plugins for line in file.lines)
    dag = (root / "dags" / "finetune_chat_completion.py").read_text().splitlines()
    beside_folders = [path for path in (root / "include" / "azureml_local").iterdir() if path.is_file()]
    return [
        Figure(
            "files at the root of include/azureml_local, beside its folders", "<= 8", f"{len(beside_folders)}"
        ),
        Figure(
            "lines of a file, median (of those with code)",
            "<= 120",
            f"{statistics.median(sizes):g}",
        ),
        Figure("files above 250 lines", "0", f"{sum(size > 250 for size in sizes)}"),
        Figure("files of 231 to 250 lines", "< 3", f"{sum(230 < size <= 250 for size in sizes)}"),
        Figure("lines of a function with its docstring, median", "<= 8", f"{statistics.median(lengths):g}"),
        Figure(
            "lines of a function with its docstring, 90th percentile", "<= 22", f"{percentile(lengths, 0.9)}"
        ),
        Figure(
            "modules in a cycle of imports, typing imports among them", "0", f"{len(in_cycles(files, root))}"
        ),
        Figure("parameters that pass the whole service", "<= 15", f"{whole_service_parameters(service)}"),
        Figure("lines of the Dag", "<= 110", f"{len(dag)}"),
        Figure("lines with Any in plugins", "<= 60", f"{with_any}"),
        Figure(
            "lines with a comment, % of the lines that are not blank",
            "2 to 4",
            f"{100 * commented / code:.1f}",
        ),
        Figure(
            "docstring lines, % of the lines that are not blank", "<= 14", f"{100 * documented / code:.1f}"
        ),
    ]


def validations() -> list[Figure]:
    """How often a body is validated on its way; says so where the local Azure ML cannot be started."""
    try:
        from tests.bench.validations import count

        job, deployment = map(str, count())
    except ImportError:
        job = deployment = "needs .venv"
    except (AssertionError, RuntimeError) as error:
        print(f"A PUT was refused, or the local Azure ML did not start: {error}", file=sys.stderr)
        job = deployment = "failed"
    return [
        Figure("times that a job's PUT is validated", "1", job),
        Figure("times that a deployment's PUT is validated", "1", deployment),
    ]


def main(arguments: list[str], write: Callable[[str], object] = print) -> int:
    """Print the table."""
    root = Path(arguments[0]).resolve() if arguments else ROOT
    rows = [Figure("figure", "aim", "today"), *figures(root), *([] if arguments else validations())]
    widths = [max(len(row[column]) for row in rows) for column in range(2)]
    for row in rows:
        write(f"{row.name:{widths[0]}}  {row.aim:>{widths[1]}}  {row.today:>6}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
