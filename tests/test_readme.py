"""The README's Python runs as it stands, only with less training, and its claims about files are true."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)


def test_there_is_python_to_run() -> None:
    assert len(BLOCKS) == 2


@pytest.mark.parametrize("block", BLOCKS)
def test_python_runs(block: str) -> None:
    short = (
        block.replace("total_timesteps=500_000, progress_bar=True", "total_timesteps=1024")
        .replace("n_envs=128", "n_envs=32")
        .replace("n_eval_episodes=128", "n_eval_episodes=8")
        .replace("num_envs=256", "num_envs=4")
    )
    exec(compile(short, "README.md", "exec"), {})


def test_links_and_pictures_exist() -> None:
    targets = re.findall(r"\]\(([^)#:]+)\)", README)
    assert targets
    missing = [target for target in targets if not (ROOT / target).exists()]
    assert missing == []


def test_the_commands_of_make_exist() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^(?:`|)make ([a-z-]+)|`make ([a-z-]+)`", README, flags=re.MULTILINE))
    assert {"run", "test"} <= {name for pair in targets for name in pair}
    for name in {name for pair in targets for name in pair if name}:
        assert re.search(rf"^{name}:", makefile, flags=re.MULTILINE), name
