"""Pictures of TaskOffloading: map, queues, fates of tasks and costs (``rgb_array``), or text (``ansi``)."""

from __future__ import annotations

import threading
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ntn_gym.core.frame import Frame, RenderMode
from ntn_gym.envs.task_offloading.scenario import Scenario
from ntn_gym.envs.task_offloading.story import tell
from ntn_gym.envs.task_offloading.text import describe

if TYPE_CHECKING:
    from ntn_gym.envs.task_offloading.task import TaskOffloadingTask

_DRAWING = threading.Lock()


def render(task: TaskOffloadingTask, frame: Frame, mode: RenderMode) -> NDArray[np.uint8] | str:
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
    # Text needs no drawing library, so it is imported for pictures only.
    try:
        from ntn_gym.envs.task_offloading.picture import Picture
    except ModuleNotFoundError as error:
        raise ImportError(
            f'pictures need {error.name}: pip install "ntn-gym[render]", or use render_mode="ansi"'
        ) from error
    # The prepared picture is shared by all environments of a scenario, so only one may draw at a time.
    with _DRAWING:
        return _prepared(Picture, task.scenario).draw(story)


@lru_cache(maxsize=4)
def _prepared(picture: type[Any], scenario: Scenario) -> Any:
    return picture(scenario)
