"""What environments call runs on float32 tensors and agrees with NumPy in float64 within 1e-5 relative.

The functions are found in the sources of environments, worlds and the core; their cases are in `torch_cases.py`.
"""

import ast
import importlib.util
import inspect
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

import ntn_gym

sys.path.insert(0, str(Path(__file__).parent))
from torch_cases import CASES, SETUP_ONLY

PACKAGE = Path(ntn_gym.__file__).parent


@pytest.mark.parametrize("name", CASES)
def test_float32_tensors_agree_with_numpy(name: str) -> None:
    function, arrays = CASES[name]
    expected = function(*(array.astype(np.float64) for array in arrays))
    got = function(*(torch.from_numpy(array) for array in arrays))
    if not isinstance(expected, tuple):
        expected, got = (expected,), (got,)
    for mine, theirs in zip(got, expected, strict=True):
        assert mine.dtype == torch.float32
        values = mine.numpy().astype(np.float64)
        assert values.shape == theirs.shape
        # Relative to the length of a vector, and to the size of a typical value where values pass through zero.
        size = np.linalg.norm(theirs, axis=-1, keepdims=True) if theirs.shape[-1:] in ((3,), (2,)) else np.abs(theirs)
        size = np.maximum(size, np.abs(theirs).mean() or 1.0)
        assert float((np.abs(values - theirs) / size).max()) < 1e-5


@pytest.mark.parametrize("name", CASES)
def test_float32_arrays_agree_with_float64(name: str) -> None:
    function, arrays = CASES[name]
    single, double = function(*arrays), function(*(array.astype(np.float64) for array in arrays))
    if not isinstance(single, tuple):
        single, double = (single,), (double,)
    for mine, theirs in zip(single, double, strict=True):
        assert mine.dtype == np.float32
        np.testing.assert_allclose(mine, theirs, rtol=1e-5, atol=1e-5 * float(np.abs(theirs).mean()))


def home(name: str) -> str | None:
    """Name of a function by the module that defines it; None for anything else (classes, constants, types)."""
    module, _, function = name.rpartition(".")
    value = getattr(importlib.import_module(f"ntn_gym.physics.{module}"), function, None)
    value = inspect.unwrap(value) if callable(value) else value  # of a cached function
    if not inspect.isfunction(value) or not value.__module__.startswith("ntn_gym.physics."):
        return None
    return f"{value.__module__.removeprefix('ntn_gym.physics.')}.{value.__qualname__}"


def physics_functions_of_environments() -> dict[str, str]:
    """Functions of the physics that environments, worlds and the core name, with one file that does."""
    used: dict[str, str] = {}
    for path in [p for folder in ("envs", "world", "core") for p in sorted((PACKAGE / folder).rglob("*.py"))]:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        modules, found = {}, set()
        for node in ast.walk(tree):
            if not isinstance(node, ast.ImportFrom) or not (node.module or "").startswith("ntn_gym.physics"):
                continue
            package = node.module.removeprefix("ntn_gym.physics").removeprefix(".")
            for alias in node.names:
                name = f"{package}.{alias.name}".removeprefix(".")
                if is_package(package) and importlib.util.find_spec(f"ntn_gym.physics.{name}"):
                    modules[alias.asname or alias.name] = name
                else:
                    found.add(name)
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in modules:
                found.add(f"{modules[node.value.id]}.{node.attr}")
        for name in found:
            if (function := home(name)) is not None:
                used.setdefault(function, path.relative_to(PACKAGE).as_posix())
    return used


def is_package(name: str) -> bool:
    return (PACKAGE / "physics" / Path(*name.split("."))).is_dir() if name else True


def homes(names) -> set[str | None]:
    # Methods are listed by hand ("antennas.ApertureTable.gain"); their classes are no functions.
    return {home(name) for name in names if not name.split(".")[-2][:1].isupper()}


def test_every_function_that_environments_call_is_compared() -> None:
    used = physics_functions_of_environments()
    assert {"geometry.coordinates.geodetic_to_ecef", "pathloss.free_space_path_loss_db", "orbits.hermite"} <= set(used)
    listed = homes(CASES) | homes(name for names in SETUP_ONLY.values() for name in names)
    missing = {name: file for name, file in used.items() if name not in listed}
    assert not missing, (
        "add a case to CASES in tests/physics/torch_cases.py, or, if it only runs while a world is built, the name to "
        "SETUP_ONLY under its reason: " + "; ".join(f"{name} (named in {file})" for name, file in missing.items())
    )


def test_lists_name_functions_that_exist_and_do_not_overlap() -> None:
    setup = [name for names in SETUP_ONLY.values() for name in names]
    assert len(setup) == len(set(setup))
    unknown = [name for name in setup if home(name) is None]
    assert not unknown
    assert not homes(CASES) & homes(setup)
