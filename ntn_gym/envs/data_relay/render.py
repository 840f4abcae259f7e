"""Pictures of DataRelay: contact time line with clouds and buffers (``rgb_array``), or tables in text (``ansi``)."""

from __future__ import annotations

import threading
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ntn_gym.core.frame import Frame, RenderMode
from ntn_gym.envs.data_relay.scenario import Scenario
from ntn_gym.envs.data_relay.story import tell
from ntn_gym.envs.data_relay.text import describe

if TYPE_CHECKING:
    from ntn_gym.envs.data_relay.task import DataRelayTask

_DRAWING = threading.Lock()


def render(task: DataRelayTask, frame: Frame, mode: RenderMode) -> NDArray[np.uint8] | str:
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
        from ntn_gym.envs.data_relay.picture import Picture
    except ModuleNotFoundError as error:
        raise ImportError(
            f'pictures need {error.name}: pip install "ntn-gym[render]", or use render_mode="ansi"'
        ) from error
    # The prepared picture is shared by all environments of a scenario, so only one may draw at a time.
    with _DRAWING:
        picture: NDArray[np.uint8] = _prepared(Picture, task.scenario).draw(story)
        return picture


@lru_cache(maxsize=4)
def _prepared(picture: type[Any], scenario: Scenario) -> Any:
    return picture(scenario)
