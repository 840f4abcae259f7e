"""Pictures of HAPSPlacement: map, demand, charge and flight over time (``rgb_array``), or a table (``ansi``)."""

from __future__ import annotations

import threading
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ntn_gym.core.frame import Frame, RenderMode
from ntn_gym.envs.haps_placement.scenario import Scenario
from ntn_gym.envs.haps_placement.story import tell
from ntn_gym.envs.haps_placement.text import describe

if TYPE_CHECKING:
    from ntn_gym.envs.haps_placement.task import HAPSPlacementTask

_DRAWING = threading.Lock()


def render(task: HAPSPlacementTask, frame: Frame, mode: RenderMode) -> NDArray[np.uint8] | str:
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
    try:
        _prepared(task.scenario)
    except ModuleNotFoundError as error:
        raise ImportError(
            f'pictures need {error.name}: pip install "ntn-gym[render]", or use render_mode="ansi"'
        ) from error
    # The prepared picture is shared by all environments of a scenario, so only one may draw at a time.
    with _DRAWING:
        picture: NDArray[np.uint8] = _prepared(task.scenario).draw(story)
        return picture


@lru_cache(maxsize=4)
def _prepared(scenario: Scenario) -> Any:
    # Text needs no drawing library, so it is imported for pictures only.
    from ntn_gym.envs.haps_placement.picture import Picture

    return Picture(scenario)
