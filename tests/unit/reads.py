"""Which names a function's code can reach, found by reading the code instead of running it.

From `app.py` on, a definition counts as reached if reached code names it and its class. Definitions with the same name
are not distinguished, so the result may have more than ever runs, but never less.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from tests.handlers import ROOT

LAYER = ROOT / "layers" / "feedlane"
# Decorators that do not pass the function on to code that calls it.
PASSIVE_DECORATORS = {
    "cache",
    "lru_cache",
    "property",
    "cached_property",
    "staticmethod",
    "classmethod",
    "contextmanager",
    "overload",
}


@dataclass
class Unreached:
    """Code that is reached once all of its names are: its own and those of the classes around it."""

    names: set[str]
    definition: ast.FunctionDef


@dataclass
class Reads:
    names: set[str] = field(default_factory=set)
    environment: set[str] = field(default_factory=set)
    """Names of fields of `environment()`."""


def reads_of(folder: Path) -> Reads:
    """What the function in this folder reaches."""
    reads, unreached = Reads(), list[Unreached]()
    for path in _imported(folder):
        for node in _syntax_tree(path).body:
            _collect(node, (), reads, unreached)
    while reached := [code for code in unreached if code.names <= reads.names]:
        unreached = [code for code in unreached if not code.names <= reads.names]
        for code in reached:
            _read(code.definition, reads)
    return reads


def _collect(node: ast.AST, classes: tuple[str, ...], reads: Reads, unreached: list[Unreached]) -> None:
    """Reads the code that an import runs, and keeps the definitions for later."""
    match node:
        case ast.FunctionDef() if not _is_called_from_outside(node):
            unreached.append(Unreached({*classes, node.name}, node))
        case ast.FunctionDef(name=name) if classes and name.startswith("__"):
            unreached.append(Unreached({*classes}, node))
        case ast.ClassDef():
            for base in node.bases:
                _read(base, reads)
            for inner in node.body:
                _collect(inner, (*classes, node.name), reads, unreached)
        case _:
            _read(node, reads)


def _is_called_from_outside(node: ast.FunctionDef) -> bool:
    functions = map(_function, node.decorator_list)
    decorators = {function.id if isinstance(function, ast.Name) else "" for function in functions}
    return node.name == "handler" or node.name.startswith("__") or not decorators <= PASSIVE_DECORATORS


def _function(decorator: ast.expr) -> ast.expr:
    return decorator.func if isinstance(decorator, ast.Call) else decorator


def _read(node: ast.AST, reads: Reads) -> None:
    for inner in ast.walk(node):
        match inner:
            case ast.Attribute(value=ast.Call(func=ast.Name(id="environment")), attr=name):
                reads.environment.add(name)
            case ast.Attribute(attr=name, ctx=ast.Load()) | ast.Name(id=name, ctx=ast.Load()):
                reads.names.add(name)


def _imported(folder: Path) -> set[Path]:
    """The function's modules, and those of the layer that they import, directly or not."""
    modules, open_paths = set[Path](), [folder / "app.py"]
    while open_paths:
        path = open_paths.pop()
        if path not in modules:
            modules.add(path)
            open_paths += [
                file
                for name in _imports(_syntax_tree(path))
                for root in (folder, LAYER)
                for file in (root / f"{name.replace('.', '/')}.py", root / name.replace(".", "/") / "__init__.py")
                if file.is_file()
            ]
    return modules


def _imports(module: ast.Module) -> Iterator[str]:
    for node in ast.walk(module):
        match node:
            case ast.Import(names=names):
                yield from (alias.name for alias in names)
            case ast.ImportFrom(module=str(parent), names=names):
                yield parent
                yield from (f"{parent}.{alias.name}" for alias in names)


@cache
def _syntax_tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text())
