"""Pictures: one row of pixels per tracker."""

from __future__ import annotations

from typing import Any

import numpy as np

from ntn_gym.core.frame import Frame, RenderMode


def render(task: Any, frame: Frame, mode: RenderMode) -> np.ndarray | str:
    place = frame.state.place_m[0].astype(int) + task.w
    target = frame.raw["target_m"][-1].astype(int) + task.w
    if mode == "ansi":
        rows = []
        for here, there in zip(place, target, strict=True):
            row = ["."] * (2 * task.w + 1)
            row[there], row[here] = "x", "o"
            rows.append("".join(row))
        return f"step {frame.step}, return {frame.episode_return:.1f}\n" + "\n".join(rows)
    picture = np.full((8 * task.n_agents, 8 * (2 * task.w + 1), 3), 255, dtype=np.uint8)
    for agent, (here, there) in enumerate(zip(place, target, strict=True)):
        picture[8 * agent : 8 * agent + 8, 8 * there : 8 * there + 8] = (220, 60, 40)
        picture[8 * agent + 2 : 8 * agent + 6, 8 * here + 2 : 8 * here + 6] = (40, 80, 200)
    return picture
