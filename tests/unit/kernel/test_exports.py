"""What a package says it exports is there, documented, and nothing by accident."""

import ast
import importlib
import pkgutil
from pathlib import Path
from types import ModuleType

import pytest

import models
import packshot
import tasks
import workers


def modules() -> list[str]:
    found = []
    for package in (packshot, models, tasks, workers):
        found.append(package.__name__)
        found += [
            one.name
            for one in pkgutil.walk_packages(package.__path__, f"{package.__name__}.")
            if "migrations" not in one.name and not one.name.endswith("__main__")
        ]
    return found


def source(name: str) -> ast.Module:
    spec = importlib.util.find_spec(name)
    assert spec is not None
    assert spec.origin is not None
    return ast.parse(Path(spec.origin).read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", modules())
def test_a_module_says_what_it_is_for(name: str) -> None:
    assert ast.get_docstring(source(name))


@pytest.mark.parametrize("name", modules())
def test_a_module_exports_what_it_names(name: str) -> None:
    module: ModuleType = importlib.import_module(name)
    exported = getattr(module, "__all__", ())
    assert [one for one in exported if not hasattr(module, one)] == []
    assert len(set(exported)) == len(exported)


@pytest.mark.parametrize(
    "package", [packshot, models, tasks, workers], ids=lambda one: one.__name__
)
def test_a_package_is_typed(package: ModuleType) -> None:
    assert (Path(package.__path__[0]) / "py.typed").exists()
