"""What an operator can expect: waits that follow from ephemeris, climatology, forecast and the sky seen now.

No number here knows the true sky of the future. Satellite and station operators know their passes; the chance that a
station is clear during one is the climatological belief, corrected by the forecast (Bayes' rule). Declining a pass
means to wait for the next one, which may be cloudy, too: expected waits follow by recursion from the last pass back.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ntn_gym.envs.data_relay.scenario import Scenario
from ntn_gym.envs.data_relay.schedule import PassList
from ntn_gym.world.cloud_forecast import SkyForecast, clear_belief, combine, skill_after_check

Floats = NDArray[np.float64]
NEXT_PASSES = 3
"""So many coming passes are in the observation."""


@dataclass(frozen=True)
class Outlook:
    """Expectations of one world at the start of every epoch.

    Attributes:
        site_wait_s: Expected time until a station is clear, [T, G].
        site_plan_s: Time until it is clear if the forecast is taken at its word, [T, G].
        decline_wait_s: Expected time until data that is not sent now reaches the ground, [T, S].
        decline_plan_s: The same if the forecast is taken at its word, [T, S].
        next_station: Stations of the next passes, -1 if there is none, [T, S, N].
        next_gap_s: Time until they begin; the rest of the episode if there is none, [T, S, N].
        next_duration_s: How long they last, [T, S, N].
        next_clear: Probability that their station is clear, [T, S, N].
    """

    site_wait_s: Floats
    site_plan_s: Floats
    decline_wait_s: Floats
    decline_plan_s: Floats
    next_station: NDArray[np.int64]
    next_gap_s: Floats
    next_duration_s: Floats
    next_clear: Floats


def look_ahead(
    scenario: Scenario, passes: PassList, forecast: SkyForecast, time_s: Floats, clear: NDArray[np.bool_]
) -> Outlook:
    """Compute the expectations of one world.

    Args:
        scenario: The scenario.
        passes: Its contact plan.
        forecast: Its weather forecast.
        time_s: Starts of the epochs, [T].
        clear: Sky over the stations at these times, [T, G].

    Returns:
        The expectations.
    """
    horizon_s = scenario.horizon_ms / 1000.0
    times = scenario.clouds.times
    share = float(times.clear_probability)
    has_hags = np.array([name in scenario.stations.hags for name in scenario.stations.names])
    n_times = len(clear)
    n_satellites = len(passes.first) - 1
    left_s = horizon_s - time_s

    # --- stations: is the forecast informed now, and when is the sky clear next?
    says = np.stack([path.clear_at(time_s) for path in forecast.paths], axis=1)
    says_next = np.stack([path.next_clear_s(time_s, horizon_s) for path in forecast.paths], axis=1)
    informed = skill_after_check(says == clear, forecast.skill, np.where(clear, share, 1.0 - share))
    block = np.floor(time_s / forecast.block_s)
    same_block = np.floor(says_next / forecast.block_s) == block[:, None]
    plan_s = np.where(clear, 0.0, np.where(says, 0.0, says_next - time_s[:, None]))
    trust = np.where(same_block & ~says, informed, np.where(says, 0.0, forecast.skill))
    cloudy_s = float(np.asarray(times.cloudy_s))
    wait_s = np.where(clear, 0.0, np.minimum(trust * plan_s + (1.0 - trust) * cloudy_s, left_s[:, None]))
    # A perfect forecast says when; an imperfect one that says clear under clouds is wrong until it changes.
    site_plan_s = np.where(clear, 0.0, np.where(says, np.minimum(cloudy_s, left_s[:, None]), plan_s))

    # --- passes, long before: chance of clear sky, and what waiting for them is worth
    station, first = passes.station, passes.first
    start_s, end_s = passes.start_ms / 1e3, passes.end_ms / 1e3
    middle_s = 0.5 * (start_s + end_s)
    said = np.zeros(len(station), dtype=bool)
    said_from_s = np.zeros(len(station))
    for g, path in enumerate(forecast.paths):
        own = station == g
        said[own] = path.clear_at(middle_s[own])
        said_from_s[own] = path.next_clear_s(start_s[own], horizon_s)
    long_lead = combine(np.full(len(station), share), said, forecast.skill, share)
    after_s, plan_after_s = _recursions(
        passes, start_s, end_s, said_from_s, long_lead, has_hags[station], cloudy_s, horizon_s
    )

    # --- the next passes of each satellite at each epoch
    shape = (n_times, n_satellites, NEXT_PASSES)
    next_station = np.full(shape, -1, dtype=np.int64)
    gap_s = np.broadcast_to(left_s[:, None, None], shape).copy()
    duration_s, chance = np.zeros(shape), np.zeros(shape)
    decline_s = np.broadcast_to(left_s[:, None], (n_times, n_satellites)).copy()
    decline_plan_s = decline_s.copy()
    for s in range(n_satellites):
        low, high = int(first[s]), int(first[s + 1])
        coming: NDArray[np.intp] = low + np.searchsorted(start_s[low:high], time_s, side="right")
        for n in range(NEXT_PASSES):
            rows = np.flatnonzero(coming + n < high)
            which = coming[rows] + n
            there = station[which]
            lead_s = middle_s[which] - time_s[rows]
            prior = clear_belief(clear[rows, there], lead_s, times)
            near = np.floor(middle_s[which] / forecast.block_s) == block[rows]
            skill = np.where(near, informed[rows, there], forecast.skill)
            p = combine(prior, said[which], skill, share)
            next_station[rows, s, n] = there
            gap_s[rows, s, n] = start_s[which] - time_s[rows]
            duration_s[rows, s, n] = end_s[which] - start_s[which]
            chance[rows, s, n] = p
            if n == 0:
                decline_s[rows, s] = start_s[which] - time_s[rows] + (1.0 - p) * after_s[which]
                decline_plan_s[rows, s] = plan_after_s[which] - time_s[rows]
    decline_s = np.minimum(decline_s, left_s[:, None])
    return Outlook(wait_s, site_plan_s, decline_s, decline_plan_s, next_station, gap_s, duration_s, chance)


def _recursions(
    passes: PassList,
    start_s: Floats,
    end_s: Floats,
    said_from_s: Floats,
    chance: Floats,
    has_hags: NDArray[np.bool_],
    cloudy_s: float,
    horizon_s: float,
) -> tuple[Floats, Floats]:
    """Return for each pass what waiting costs if it is cloudy, and the earliest arrival from it on by the forecast.

    D_j = gap to pass j + 1 + (1 - p_{j+1}) D_{j+1}, at most the mean wait at a HAGS where pass j has one; the end of
    the episode is the last way out. By the forecast data arrives at the first instant that it calls clear: within a
    pass at a station, at any time after it at a HAGS.
    """
    after_s = np.empty(len(start_s))
    arrival_s = np.empty(len(start_s))
    own_s = np.where(has_hags | (said_from_s < end_s), said_from_s, horizon_s)
    # Lists: the recursion goes pass by pass, and Python numbers are quicker than elements of arrays.
    start, p, hags, own = start_s.tolist(), chance.tolist(), has_hags.tolist(), own_s.tolist()
    for s in range(len(passes.first) - 1):
        following, best = None, horizon_s
        for j in range(int(passes.first[s + 1]) - 1, int(passes.first[s]) - 1, -1):
            if following is None:
                wait = horizon_s - start[j]
            else:
                wait = start[following] - start[j] + (1.0 - p[following]) * after_s[following]
            after_s[j] = min(wait, cloudy_s, horizon_s - start[j]) if hags[j] else wait
            best = min(best, own[j])
            arrival_s[j] = best
            following = j
    return after_s, arrival_s
