"""Say what to install before a command needs it."""

from __future__ import annotations

import importlib.util

DRAWING_LIBRARIES = ("matplotlib", "PIL")


def require_drawing(option: str) -> None:
    """Check that pictures can be drawn.

    Raises:
        ValueError: If a library is missing, saying which option needs it and how to install it.
    """
    missing = [name for name in DRAWING_LIBRARIES if importlib.util.find_spec(name) is None]
    if missing:
        raise ValueError(f'{option} draws pictures and needs {", ".join(missing)}: pip install "ntn-gym[render]"')
