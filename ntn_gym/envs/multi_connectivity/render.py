"""Pictures of MultiConnectivity: map, sky, nodes and time series (``rgb_array``), or tables in text (``ansi``)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ntn_gym.core.frame import Frame, RenderMode
from ntn_gym.envs.multi_connectivity.story import tell
from ntn_gym.envs.multi_connectivity.text import describe
from ntn_gym.rendering.prepared import draw_prepared

if TYPE_CHECKING:
    from ntn_gym.envs.multi_connectivity.task import MultiConnectivityTask


def render(task: MultiConnectivityTask, frame: Frame, mode: RenderMode) -> NDArray[np.uint8] | str:
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
    return draw_prepared("ntn_gym.envs.multi_connectivity.picture:Picture", task.scenario, story)
