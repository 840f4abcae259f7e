"""Pictures that are laid out once for a scenario and drawn many times. Imports no drawing library by itself."""

from __future__ import annotations

import importlib
import threading
from collections.abc import Hashable
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

_DRAWING = threading.Lock()


def draw_prepared(picture: str, scenario: Hashable, story: Any) -> NDArray[np.uint8]:
    """Draw a story with the picture of a scenario.

    Args:
        picture: ``"module:class"`` of the picture. It is imported here, because text needs no drawing library. It is
            called with the scenario; its ``draw(story)`` gives the pixels.
        scenario: What the picture is laid out for.
        story: What to draw.

    Returns:
        Pixels, uint8 [height, width, 3].

    Raises:
        ImportError: If matplotlib is not installed.
    """
    # The prepared picture is shared by all environments of a scenario, so only one may draw at a time.
    with _DRAWING:
        try:
            prepared = _prepared(picture, scenario)
        except ModuleNotFoundError as error:
            raise ImportError(
                f'pictures need {error.name}: pip install "ntn-gym[render]", or use render_mode="ansi"'
            ) from error
        pixels: NDArray[np.uint8] = prepared.draw(story)
        return pixels


@lru_cache(maxsize=16)
def _prepared(picture: str, scenario: Hashable) -> Any:
    module, _, name = picture.partition(":")
    return getattr(importlib.import_module(module), name)(scenario)
