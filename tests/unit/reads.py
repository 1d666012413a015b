"""Which names a function's code can come to, found by reading the code instead of running it.

From `app.py` on, a definition counts as reached if something that is reached names it and its class. Two definitions
of one name are not told apart, so more may be found than is ever run, and never less.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from tests.handlers import ROOT

LAYER = ROOT / "layers" / "feedlane"
# Decorators that do not hand the function on to somebody who calls it.
QUIET = {
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
class Waiting:
    """Code that is reached once all of these names are: its own, and those of the classes that it is in."""

    named: set[str]
    definition: ast.FunctionDef


@dataclass
class Reads:
    names: set[str] = field(default_factory=set)
    environment: set[str] = field(default_factory=set)
    """Fields of `environment()`."""


def reads_of(folder: Path) -> Reads:
    """What is reached from the function in this folder."""
    reads, waiting = Reads(), list[Waiting]()
    for path in _imported(folder):
        for node in _parsed(path).body:
            _enter(node, (), reads, waiting)
    while reached := [one for one in waiting if one.named <= reads.names]:
        waiting = [one for one in waiting if not one.named <= reads.names]
        for one in reached:
            _read(one.definition, reads)
    return reads


def _enter(node: ast.AST, classes: tuple[str, ...], reads: Reads, waiting: list[Waiting]) -> None:
    """Reads what an import runs, and lets the definitions wait."""
    match node:
        case ast.FunctionDef() if not _is_called_from_outside(node):
            waiting.append(Waiting({*classes, node.name}, node))
        case ast.FunctionDef(name=name) if classes and name.startswith("__"):
            waiting.append(Waiting({*classes}, node))
        case ast.ClassDef():
            for base in node.bases:
                _read(base, reads)
            for inner in node.body:
                _enter(inner, (*classes, node.name), reads, waiting)
        case _:
            _read(node, reads)


def _is_called_from_outside(node: ast.FunctionDef) -> bool:
    named = {found.id if isinstance(found, ast.Name) else "" for found in map(_function, node.decorator_list)}
    return node.name == "handler" or node.name.startswith("__") or not named <= QUIET


def _function(decorator: ast.expr) -> ast.expr:
    return decorator.func if isinstance(decorator, ast.Call) else decorator


def _read(node: ast.AST, reads: Reads) -> None:
    for found in ast.walk(node):
        match found:
            case ast.Attribute(value=ast.Call(func=ast.Name(id="environment")), attr=name):
                reads.environment.add(name)
            case ast.Attribute(attr=name, ctx=ast.Load()) | ast.Name(id=name, ctx=ast.Load()):
                reads.names.add(name)


def _imported(folder: Path) -> set[Path]:
    """The function's modules, and those of the layer that they import, sooner or later."""
    found, open_paths = set[Path](), [folder / "app.py"]
    while open_paths:
        path = open_paths.pop()
        if path not in found:
            found.add(path)
            open_paths += [
                file
                for name in _imports(_parsed(path))
                for root in (folder, LAYER)
                for file in (root / f"{name.replace('.', '/')}.py", root / name.replace(".", "/") / "__init__.py")
                if file.is_file()
            ]
    return found


def _imports(module: ast.Module) -> Iterator[str]:
    for node in ast.walk(module):
        match node:
            case ast.Import(names=names):
                yield from (alias.name for alias in names)
            case ast.ImportFrom(module=str(parent), names=names):
                yield parent
                yield from (f"{parent}.{alias.name}" for alias in names)


@cache
def _parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text())
