"""Measures the code itself: its size, names used twice, `Any`, long parameter lists.

    .venv/bin/python -m bench.house [CHECKOUT] [--names]

CHECKOUT is the folder of any checkout, also of an older one; left out, it is this one.
``--names`` lists what was counted.  The code is parsed, never imported.
"""

from __future__ import annotations

import ast
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

GRAPH_LAYER = "ffmpeg/graph.py"  # it wraps a package without types, so it may say Any
MANY = 5  # from this number of parameters on, a record is due

_Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass
class CodeFigures:
    """What was counted in the package of a checkout; places are ``folder/module.py:line``."""

    lines: Counter[str] = field(default_factory=Counter)
    modules: Counter[str] = field(default_factory=Counter)
    classes: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    loose: list[str] = field(default_factory=list)
    long_lists: list[str] = field(default_factory=list)

    @property
    def twice(self) -> dict[str, list[str]]:
        """Public classes that have their name from more than one module."""
        return {name: where for name, where in self.classes.items() if len(where) > 1}


def figures(checkout: Path) -> CodeFigures:
    """Count everything in *checkout*."""
    package = checkout / "pipeline"
    counted = CodeFigures()
    for path in sorted(package.rglob("*.py")):
        inside = path.relative_to(package)
        folder = f"{inside.parts[0]}/" if len(inside.parts) > 1 else "(top)"
        text = path.read_text("utf-8")
        counted.lines[folder] += text.count("\n")
        counted.modules[folder] += 1
        tree = ast.parse(text)
        for node in ast.walk(tree):
            place = f"{inside}:{getattr(node, 'lineno', 0)}"
            if isinstance(node, ast.Name) and node.id == "Any" and str(inside) != GRAPH_LAYER:
                counted.loose.append(place)
        for function, is_method in _functions(tree):
            number = _parameters(function, is_method=is_method)
            if number >= MANY:
                counted.long_lists.append(f"{inside}:{function.lineno} {function.name} ({number})")
        for statement in tree.body:
            if isinstance(statement, ast.ClassDef) and not statement.name.startswith("_"):
                counted.classes[statement.name].append(f"{inside}:{statement.lineno}")
    return counted


def _functions(tree: ast.AST, *, in_class: bool = False) -> Iterator[tuple[_Function, bool]]:
    """Every function, also nested ones, and whether it is a method."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, _Function):
            static = any(
                isinstance(d, ast.Name) and d.id == "staticmethod" for d in node.decorator_list
            )
            yield node, in_class and not static
        yield from _functions(node, in_class=isinstance(node, ast.ClassDef))


def _parameters(function: _Function, *, is_method: bool) -> int:
    """How many parameters a caller may give; ``self`` and ``cls`` are not given by callers."""
    spec = function.args
    stars = sum(star is not None for star in (spec.vararg, spec.kwarg))
    return len(spec.posonlyargs) + len(spec.args) + len(spec.kwonlyargs) + stars - is_method


def main() -> None:
    arguments = [each for each in sys.argv[1:] if each != "--names"]
    counted = figures(Path(arguments[0]) if arguments else Path(__file__).parents[1])
    print(f"{'folder':12} {'lines':>7} {'modules':>8}")
    for folder in sorted(counted.lines):
        print(f"{folder:12} {counted.lines[folder]:7} {counted.modules[folder]:8}")
    print(f"{'all':12} {counted.lines.total():7} {counted.modules.total():8}\n")
    lists = {
        "public class names used twice": [
            f"{name}: {', '.join(where)}" for name, where in sorted(counted.twice.items())
        ],
        f"`Any` outside {GRAPH_LAYER}": counted.loose,
        f"functions with {MANY} or more parameters": counted.long_lists,
    }
    for title, items in lists.items():
        print(f"{title}: {len(items)}")
        if "--names" in sys.argv:
            print("".join(f"  {item}\n" for item in items), end="")


if __name__ == "__main__":
    main()
