"""Benchmarks are not run by the tests, but what they take from one another is there."""

import ast
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent / "benchmarks"


def defined(tree):
    """Return the names that a module has at its top."""
    found = set()
    for node in tree.body:
        match node:
            case ast.FunctionDef() | ast.ClassDef():
                found.add(node.name)
            case ast.Assign(targets=targets):
                found.update(one.id for one in targets if isinstance(one, ast.Name))
            case ast.AnnAssign(target=ast.Name(id=name)):
                found.add(name)
            case ast.Import(names=names) | ast.ImportFrom(names=names):
                found.update(one.asname or one.name for one in names)
    return found


@pytest.mark.parametrize("path", sorted(FOLDER.glob("bench_*.py")), ids=lambda path: path.stem)
def test_what_a_benchmark_takes_from_another_is_there(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("bench_"):
            other = ast.parse((FOLDER / f"{node.module}.py").read_text())
            assert {one.name for one in node.names} <= defined(other)
