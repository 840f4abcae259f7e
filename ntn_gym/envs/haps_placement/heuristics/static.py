"""Rules that choose a place once: where they are, a hexagonal grid, the best sites for the mean demand."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ntn_gym.envs.haps_placement.heuristics.planning import Sites, assign, quality
from ntn_gym.envs.haps_placement.heuristics.rule import BUDGETS, Parameters, TargetRule, specify
from ntn_gym.envs.haps_placement.observation import View
from ntn_gym.envs.haps_placement.radio import radio_maps
from ntn_gym.envs.haps_placement.scenario import Scenario

FloatArray = NDArray[Any]


class Stay(TargetRule):
    """Hold station at the place of the start: what happens if nobody decides."""

    replan_steps = 0

    def targets(self, view: View, before: FloatArray, restarted: NDArray[np.bool_]) -> FloatArray:
        """The present place."""
        return np.where(restarted[:, None, None], view.place_m, before)


def hexagonal_patterns(scenario: Scenario) -> FloatArray:
    """Return pieces of hexagonal lattices inside the geofence, [patterns, M, 2].

    Spacings are sqrt(3) coverage radii, at which discs just cover the plane, and more; each lattice is shifted and
    turned, and the M sites nearest to the centre of the region are kept.
    """
    half, count = 0.97 * scenario.region.half_width_m, scenario.fleet.count
    index = np.arange(-5, 6)
    i, j = (part.ravel() for part in np.meshgrid(index, index))
    unit = np.stack([i + 0.5 * j, np.sqrt(3) / 2 * j], axis=-1)
    shifts = np.linspace(-0.5, 0.5, 6)
    patterns = []
    for spacing in np.sqrt(3) * float(radio_maps(scenario).edge_m[0]) * np.array([0.8, 1.0, 1.25, 1.6, 2.0]):
        for lattice in (unit, unit[:, ::-1]):
            for east in shifts:
                for north in shifts:
                    sites = spacing * (lattice + np.array([east, north]))
                    nearest = sites[np.argsort((sites * sites).sum(axis=-1), kind="stable")[:count]]
                    if np.abs(nearest).max() <= half:
                        patterns.append(nearest)
    return np.array(patterns) if patterns else np.zeros((1, count, 2))


class Hexagonal(TargetRule):
    """Spread over a hexagonal grid, shifted, turned and spaced for the mean demand of the day."""

    replan_steps = 0

    def __init__(self, scenario: Scenario, parameters: Parameters) -> None:
        """Lay out the grids."""
        super().__init__(scenario, parameters)
        self._patterns = hexagonal_patterns(scenario)
        self._maps = radio_maps(scenario)

    def targets(self, view: View, before: FloatArray, restarted: NDArray[np.bool_]) -> FloatArray:
        """Sites of the best grid, the shortest ways in sum of squares."""
        mean = town_demand(self.scenario, view)
        n_patterns, count, _ = self._patterns.shape
        offered = quality(self._maps, self._patterns.reshape(1, -1, 2), view.group_m)
        best = offered.reshape(len(mean), n_patterns, count, -1).max(axis=2)
        chosen = (best * mean[:, None]).sum(axis=-1).argmax(axis=1)
        return assign(view.place_m, self._patterns[chosen])


def town_demand(scenario: Scenario, view: View) -> FloatArray:
    """Mean demand of the towns, [B, G]; movers are anywhere later, only towns have a place for the day."""
    mean = view.mean_demand.copy()
    mean[:, scenario.demand.towns :] = 0.0
    return mean


class BestStatic(TargetRule):
    """Sites for the mean demand of the day by greedy maximum coverage."""

    replan_steps = 0

    def __init__(self, scenario: Scenario, parameters: Parameters) -> None:
        """Lay out candidate sites."""
        super().__init__(scenario, parameters)
        self._sites = Sites(scenario, 10e3)

    def targets(self, view: View, before: FloatArray, restarted: NDArray[np.bool_]) -> FloatArray:
        """The best sites, the shortest ways in sum of squares."""
        chosen, _ = self._sites.choose(view, town_demand(self.scenario, view))
        return assign(view.place_m, self._sites.place_m[chosen])


SPECS = {
    **specify(
        "stay",
        Stay,
        Parameters,
        {"budget": BUDGETS},
        "single",
        "Hold station where the episode began.",
        "Defined here: reference without decisions",
    ),
    **specify(
        "hexagonal",
        Hexagonal,
        Parameters,
        {"budget": BUDGETS},
        "single",
        "A hexagonal grid, shifted, turned and spaced for the mean demand of the day.",
        "R. Kershner, American Journal of Mathematics 61, 1939 (the thinnest covering of the plane by equal discs)",
    ),
    **specify(
        "best_static",
        BestStatic,
        Parameters,
        {"budget": BUDGETS},
        "single",
        "Sites for the mean demand of the day, by greedy maximum coverage.",
        "R. Church and C. ReVelle, Papers of the Regional Science Association 32, 1974 (maximal covering)",
    ),
}
