"""How an environment declares the rules people use, so that they can be listed, tuned and run alike."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from ntn_gym.core.policy import Policy
from ntn_gym.core.task import Task


@dataclass(frozen=True, slots=True)
class HeuristicSpec:
    """One rule and its parameters.

    ``entry.heuristics`` names a mapping from the name of a rule to its description.

    Attributes:
        factory: Builds the rule for a task from parameter values. Values that are left out, down to the empty
            mapping, take their recommended ones: those tuned for the task's preset, where there are such.
        grid: Values to try for each parameter when tuning; empty for a rule without parameters.
        family: ``single``: looks at one criterion. ``composite``: weighs several. ``forecast``: also uses
            predictions that the other rules do not have. Reports compare the best of each family.
        description: One sentence: what the rule does.
        source: Document, clause or paper that the rule is from.
        naive: The rule looks at nothing (everything stays local, say) and may be worse than random play; it is
            there because papers compare with it.
    """

    factory: Callable[[Task, Mapping[str, Any]], Policy]
    grid: Mapping[str, Sequence[Any]]
    family: Literal["single", "composite", "forecast"]
    description: str
    source: str
    naive: bool = False
