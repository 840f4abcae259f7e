"""What rules that plan share: demand to plan for, sites to choose from, and who flies where."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from ntn_gym.envs.haps_placement.observation import View
from ntn_gym.envs.haps_placement.radio import radio_maps
from ntn_gym.envs.haps_placement.scenario import Scenario
from ntn_gym.envs.haps_placement.service import Reach
from ntn_gym.envs.haps_placement.world import FORECAST_H

FloatArray = NDArray[Any]


def expected_demand(view: View, lead_h: float, averaged: bool) -> FloatArray:
    """Return the demand of the groups at a lead time, or its mean up to there, in mean towns, [B, G].

    Linear between the lead times of the forecast; 0 is what was reported last.
    """
    demand = view.demand
    known_h = np.array([0.0, *FORECAST_H])
    if not averaged or lead_h == 0:
        weights = np.array([np.interp(lead_h, known_h, row) for row in np.eye(len(known_h))])
    else:
        times = np.linspace(0.0, lead_h, 13)
        weights = np.array([np.trapezoid(np.interp(times, known_h, row), times) for row in np.eye(len(known_h))])
        weights /= lead_h
    # One product per horizon, added in order: the same bits for every size of the batch.
    total: FloatArray = demand[..., 0] * weights[0]
    for k in range(1, len(weights)):
        total = total + demand[..., k] * weights[k]
    return total


class Sites:
    """A square grid of sites inside the geofence and what they offer to groups of points."""

    def __init__(self, scenario: Scenario, spacing_m: float) -> None:
        """Lay out the grid."""
        half = 0.97 * scenario.region.half_width_m
        axis = np.linspace(-half, half, max(2, int(np.ceil(2 * half / spacing_m)) + 1))
        self.place_m = np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2)
        self._maps = radio_maps(scenario)
        self._count = scenario.fleet.count
        self._direct_m = Reach(scenario).direct_m
        gap = self.place_m[:, None] - self.place_m
        self._linked = (gap * gap).sum(axis=-1) <= (0.9 * scenario.backhaul.link_range_m) ** 2
        self._everywhere = self._direct_m > 2 * math.sqrt(2) * half

    def choose(self, view: View, demand: FloatArray) -> tuple[NDArray[np.intp], FloatArray]:
        """Choose sites greedily, each with a way to a gateway over those chosen before; return them and the quality.

        Of the gateways a platform knows the nearest; together the platforms know several.
        """
        offered = self.quality(view.group_m)
        if self._everywhere:
            return cover_greedily(offered, demand, self._count), offered
        gateway = view.place_m + view.gateway_m
        gap = self.place_m[:, None] - gateway[:, None]
        allowed = ((gap * gap).sum(axis=-1) <= (0.95 * self._direct_m) ** 2).any(axis=-1)
        return cover_greedily(offered, demand, self._count, allowed, self._linked), offered

    def quality(self, group_m: FloatArray) -> FloatArray:
        """Quality of the groups [B, G, 2] at every site, [B, S, G]."""
        return quality(self._maps, self.place_m[None], group_m)


def quality(maps: Any, place_m: FloatArray, group_m: FloatArray) -> FloatArray:
    """Quality of groups [B, G, 2] from places [B or 1, n, 2], [B, n, G]."""
    offset = (group_m[:, None] - place_m[:, :, None]).astype(np.float32)
    return np.asarray(maps.quality.take(maps.cells(offset)))


def cover_greedily(
    offered: FloatArray,
    demand: FloatArray,
    count: int,
    allowed: NDArray[np.bool_] | None = None,
    linked: NDArray[np.bool_] | None = None,
) -> NDArray[np.intp]:
    """Choose sites one after the other, each with the largest gain over those chosen, [B, count].

    Source: G. L. Nemhauser, L. A. Wolsey and M. L. Fisher, Mathematical Programming 14, 1978: at least 1 - 1/e of the
    best choice on these sites.

    Args:
        offered: Quality of the groups at the sites, [B, S, G].
        demand: Demand of the groups, [B, G].
        count: Sites to choose.
        allowed: Sites from which a gateway is in reach, [B, S]; None: all.
        linked: Pairs of sites between which a platform can relay: with one chosen, the other is allowed, [S, S].
    """
    weighted = offered * demand[:, None].astype(np.float32)
    held = np.zeros_like(weighted[:, 0])
    chosen = np.empty((len(offered), count), dtype=np.intp)
    worlds = np.arange(len(offered))
    for k in range(count):
        gain = np.maximum(weighted - held[:, None], 0).sum(axis=-1)
        if allowed is not None:
            gain = np.where(allowed, gain, -1.0)
        chosen[:, k] = gain.argmax(axis=-1)
        if allowed is not None and linked is not None:
            allowed = allowed | linked[chosen[:, k]]
        held = np.maximum(held, weighted[worlds, chosen[:, k]])
    return chosen


def covered(offered: FloatArray, demand: FloatArray) -> FloatArray:
    """Demand met from places with quality [B, n, G], each group from its best, [B]."""
    return np.asarray((offered.max(axis=1) * demand).sum(axis=-1))


def assign(place_m: FloatArray, site_m: FloatArray, works: NDArray[np.bool_] | None = None) -> FloatArray:
    """Give every platform a site so that the sum of squared ways is least, [B, M, 2].

    Source: H. W. Kuhn, Naval Research Logistics Quarterly 2, 1955 (SciPy's solver).

    Args:
        place_m: Platforms, [B, M, 2].
        site_m: Sites, the most wanted first, [B, M, 2].
        works: Platforms whose radio works, [B, M]: the others get the sites that are wanted least. None: all.
    """
    gap = place_m[:, :, None] - site_m[:, None]
    cost = (gap * gap).sum(axis=-1)
    if works is not None:
        rank = np.arange(site_m.shape[1])[::-1]
        cost = cost + np.where(works[..., None], 0.0, 1e13 * rank)
    return np.stack([sites[linear_sum_assignment(one)[1]] for one, sites in zip(cost, site_m, strict=True)])
