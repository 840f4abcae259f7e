"""Pictures of Handover: sky, map, ground and time series (``rgb_array``), or a table in text (``ansi``)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ntn_gym.core.frame import Frame, RenderMode
from ntn_gym.envs.handover.story import tell
from ntn_gym.envs.handover.text import describe
from ntn_gym.rendering.prepared import draw_prepared

if TYPE_CHECKING:
    from ntn_gym.envs.handover.task import HandoverTask


def render(task: HandoverTask, frame: Frame, mode: RenderMode) -> NDArray[np.uint8] | str:
    """Draw one world.

    Args:
        task: The decision problem.
        frame: The world up to now.
        mode: ``rgb_array`` or ``ansi``.

    Returns:
        A picture, uint8 [600, 960, 3], or text with escape sequences for highlighting.

    Raises:
        ImportError: If a picture is wanted and matplotlib is not installed.
    """
    story = tell(task, frame)
    if mode == "ansi":
        return describe(story)
    picture = "picture_one:OneUserPicture" if task.n_agents == 1 else "picture_many:ManyUsersPicture"
    return draw_prepared(f"ntn_gym.envs.handover.{picture}", task.scenario, story)
