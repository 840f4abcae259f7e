"""What every decision maker offers: heuristics, trained agents and random play alike."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray


class Policy(Protocol):
    """Decides for B worlds and A agents from what agents may know: their observations and legal actions."""

    def reset(self, n_worlds: int) -> None:
        """Forget everything; B worlds start."""

    def act(
        self, observation: NDArray[np.float32], mask: NDArray[np.bool_] | None, restarted: NDArray[np.bool_]
    ) -> NDArray[Any]:
        """Choose actions.

        Args:
            observation: [B, A, obs].
            mask: Legal discrete actions [B, A, n], or None.
            restarted: [B], true where an episode begins with this observation.

        Returns:
            Actions [B, A] (discrete) or [B, A, n] (continuous).
        """
