"""The package `waypost`: its names are there when they are used, and only then."""

import ast
import importlib
import inspect
import subprocess
import sys
from pathlib import Path

import pytest

import waypost


def loaded_by(statement: str) -> set[str]:
    """The modules of a fresh Python after one statement."""
    script = f"{statement}\nimport sys; print(*sys.modules)"
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return set(run.stdout.split())


def imported_names() -> dict[str, str]:
    """Those that a type checker sees imported, with the module that has each."""
    tree = ast.parse(Path(inspect.getfile(waypost)).read_text(encoding="utf-8"))
    return {
        alias.name: str(each.module)
        for each in ast.walk(tree)
        if isinstance(each, ast.ImportFrom) and str(each.module).startswith("waypost.")
        for alias in each.names
    }


def test_the_stubs_do_not_bring_the_client() -> None:
    """Nor gRPC: whoever needs messages alone does not wait for it."""
    loaded = loaded_by("from waypost.v1 import message_pb2")
    assert "waypost.v1.message_pb2" in loaded
    assert set() == loaded & {"waypost.client", "waypost.connection", "waypost.messages", "grpc"}


def test_the_client_comes_with_its_name() -> None:
    """Whichever way it is imported."""
    assert "waypost.client" in loaded_by("from waypost import Client")
    assert "waypost.client" in loaded_by("import waypost; waypost.Client")


def test_every_public_name_is_what_a_type_checker_takes_it_for() -> None:
    """The same names in `__all__`, and each from the same module."""
    names = imported_names()
    assert sorted(names) == sorted(waypost.__all__)
    for name, module in names.items():
        assert getattr(importlib.import_module(module), name) is getattr(waypost, name)


def test_a_star_brings_every_public_name() -> None:
    """And `dir` lists them."""
    space: dict[str, object] = {}
    exec("from waypost import *", space)
    assert set() == set(waypost.__all__) - set(space)
    assert set() == set(waypost.__all__) - set(dir(waypost))


def test_another_name_is_no_attribute() -> None:
    """Said in Python's own words."""
    with pytest.raises(AttributeError, match="module 'waypost' has no attribute 'Clinet'"):
        _ = waypost.Clinet
    with pytest.raises(ImportError, match="cannot import name 'Clinet'"):
        exec("from waypost import Clinet")
