"""What no policy can beat: the contract of the bound of an environment.

``entry.bound`` names a function ``bound(task, arrays) -> BoundResult``; ``arrays`` are the packed arrays
[B, T + 1, ...] of whole episodes, as `Task.compile` returns them. It knows the whole future, a policy does
not.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ntn_gym.core.task import Arrays, Task


@dataclass(frozen=True, slots=True)
class BoundResult:
    """Upper bounds on the return of B worlds.

    Attributes:
        value: [B], at least the undiscounted sum over an episode of the mean-over-agents reward of any
            policy.
        actions: Actions [B, T, A] (or [B, T, A, m]) that attain ``value`` where it is exact; None where it is
            a relaxation that no actions need attain.
    """

    value: NDArray[np.float64]
    actions: NDArray[Any] | None = None


Bound = Callable[[Task, Arrays], BoundResult]
