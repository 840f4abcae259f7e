"""Imports go down only, and importing the package stays light."""

from __future__ import annotations

import ast
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

import ntn_gym

PACKAGE = Path(ntn_gym.__file__).parent
ROOT = PACKAGE.parent
# Low to high; those of one row do not import each other.
LAYERS = (
    ("data",),
    ("physics",),
    ("world",),
    ("core", "rendering"),
    ("envs",),
    ("interfaces",),
    ("evaluation",),
    ("papers",),
    ("cli",),
)
LEVEL = {name: level for level, row in enumerate(LAYERS) for name in row}
TOP = len(LAYERS)  # ntn_gym_agents
HEAVY = ("torch", "stable_baselines3", "matplotlib", "pygame", "pandas", "scipy", "pydantic", "yaml", "sgp4")


def _modules() -> Iterator[tuple[Path, tuple[str, ...]]]:
    """Each source file with its dotted name, split."""
    for base in (ROOT, ROOT / "agents"):
        for package in ("ntn_gym", "ntn_gym_agents"):
            for path in sorted((base / package).rglob("*.py")):
                parts = path.relative_to(base).with_suffix("").parts
                yield path, parts[:-1] if parts[-1] == "__init__" else parts


def _imports(path: Path, name: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """Own modules that a file imports anywhere, also inside functions and for type checking."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            found = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        for dotted in found:
            if dotted.split(".")[0] in ("ntn_gym", "ntn_gym_agents"):
                yield tuple(dotted.split("."))


def _level(name: tuple[str, ...]) -> int:
    return TOP if name[0] == "ntn_gym_agents" else LEVEL[name[1]]


def test_every_folder_has_a_layer() -> None:
    folders = {path.name for path in PACKAGE.iterdir() if path.is_dir() and not path.name.startswith("__")}
    assert folders <= set(LEVEL), f"no layer for {folders - set(LEVEL)}"


def test_imports_go_down() -> None:
    problems = []
    count = 0
    for path, name in _modules():
        if name in (("ntn_gym",), ("ntn_gym", "__main__")):
            continue  # the package itself registers the environments
        for target in _imports(path, name):
            count += 1
            if target in (("ntn_gym", "__version__"), ("ntn_gym",)):
                continue
            if name[0] == target[0] == "ntn_gym_agents":
                continue
            same_folder = name[:2] == target[:2]
            if not same_folder and _level(target) >= _level(name):
                problems.append(f"{'.'.join(name)} imports {'.'.join(target)}")
            if name[1:2] == target[1:2] == ("envs",) and name[2:3] != target[2:3]:
                problems.append(f"environment {'.'.join(name)} imports another one: {'.'.join(target)}")
    assert count > 50, "the test reads the imports"
    assert not problems, "\n".join(problems)


def test_learning_libraries_stay_in_their_corner() -> None:
    """Stable-Baselines3 is the adapter's alone; torch may be imported late, by who is handed its tensors."""
    for path, name in _modules():
        if name[0] != "ntn_gym" or name[1:2] in (("evaluation",), ("papers",), ("cli",)):
            continue
        tree = ast.parse(path.read_text(encoding="utf-8"))
        anywhere = {root for node in ast.walk(tree) for root in _roots(node)}
        at_import = {root for node in tree.body for root in _roots(node)}
        assert "torch" not in at_import, path
        if name != ("ntn_gym", "interfaces", "sb3"):
            assert not anywhere & {"stable_baselines3", "sb3_contrib"}, path


def _roots(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name.split(".")[0] for alias in node.names]
    if isinstance(node, ast.ImportFrom) and node.module:
        return [node.module.split(".")[0]]
    return []


def _python(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_import_is_light() -> None:
    code = f"import sys, ntn_gym; print(*[name for name in {list(HEAVY)} if name in sys.modules])"
    assert _python(code) == ""


def test_making_and_stepping_needs_no_learning_or_drawing_library() -> None:
    code = (
        "import sys, gymnasium, ntn_gym\n"
        "from ntn_gym.core.registry import entries\n"
        "for entry in entries().values():\n"
        "    env = gymnasium.make(entry.id); env.reset(seed=1); env.step(env.action_space.sample())\n"
        "print(*[name for name in ('torch', 'matplotlib', 'pygame', 'pandas') if name in sys.modules])"
    )
    assert _python(code) == ""


def test_import_is_fast() -> None:
    """Beside what cannot be avoided, in the same minute on the same machine."""

    def best(code: str) -> float:
        times = []
        for _ in range(4):
            begin = time.perf_counter()
            _python(code)
            times.append(time.perf_counter() - begin)
        return min(times)

    unavoidable = best("import numpy, gymnasium, pettingzoo.env_registry, gymnasium.vector")
    assert best("import ntn_gym") < 1.5 * unavoidable + 0.1


def test_a_prefixed_id_works_in_a_fresh_process() -> None:
    """As spawned workers and remote ones make environments: nothing is imported beforehand."""
    code = (
        "import gymnasium as gym\n"
        "env = gym.make('ntn_gym:NTN/{}-v0')\n"
        "print(env.reset(seed=1)[0].shape == env.observation_space.shape)"
    )
    from ntn_gym.core.registry import entries

    registered = [name for name in entries() if name != "Tracking"]
    if not registered:
        pytest.skip("no environment is registered")
    assert _python(code.format(registered[0])) == "True"
