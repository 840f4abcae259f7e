"""The decision problem: which set of nodes serves each user."""

from __future__ import annotations

from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from ntn_gym.core.slots import SlotLayout
from ntn_gym.core.task import Arrays, KpiSpec, Now, Outcome, TermSpec
from ntn_gym.envs.multi_connectivity.admission import limits_of_resources, offsets, refused, users_of
from ntn_gym.envs.multi_connectivity.externality import loss_of_others
from ntn_gym.envs.multi_connectivity.measurement import Memory
from ntn_gym.envs.multi_connectivity.observation import AVERAGE_WEIGHT, SET, SET_SIZE, bounds, user_size
from ntn_gym.envs.multi_connectivity.packing import Packer
from ntn_gym.envs.multi_connectivity.rates import Utility
from ntn_gym.envs.multi_connectivity.scenario import Scenario
from ntn_gym.envs.multi_connectivity.service import Service
from ntn_gym.envs.multi_connectivity.sets import set_table
from ntn_gym.envs.multi_connectivity.state import State
from ntn_gym.envs.multi_connectivity.watching import Watcher
from ntn_gym.envs.multi_connectivity.world import MultiConnectivityWorld

NEVER_STEPS = 1_000_000


class MultiConnectivityTask:
    """Choose the satellites and base stations that serve each user together.

    ## Description

    Users on foot, in cars, in a train, in the air or at sea see K *slots*: satellites (and, in some scenarios, a
    high-altitude platform), then the nearest base stations. At every step each user names one *candidate set* of nodes
    that shall serve it: none, one, or several of them. What several links do for a user is the combining rule of the
    scenario (split bearer, duplication, maximum-ratio combining, joint transmission); which sets exist follows from the
    architecture: one satellite and one station (SS-SBS, modes 1 to 4), a cluster of satellites under a controlling
    satellite (MS), or any of both with a controller on either side (MS-MBS).

    Nodes are shared. All users linked to a node get equal shares of what its background traffic leaves, and it serves a
    limited number of users. What is best for one is bad for the others, and when everybody leaves a full node at once,
    the next one is full. A new link carries nothing in its first step, but takes its share. Nobody knows the truth of
    the present step: measurements are noisy and aged, loads are known as last broadcast. What follows from ephemeris
    and map is predicted.

    ## Action Space

    `Discrete(S)` for each user; the central face of several users is `MultiDiscrete`, one entry per user.

    | action | meaning |
    |---|---|
    | s | candidate set s shall serve (the present set: stay); set 0 has no link |

    Sets with an empty slot are masked out, and so are sets that need the controlling satellite and are out of its
    reach. To name one is illegal: the user keeps its present links, and `illegal_actions` counts it. A node that is
    full refuses links: those that exist go first, then those with the higher measured SINR, then the lower number of the
    user. A refused link is not there and costs nothing; `refused_links` counts it. If a node leaves its slot, its
    link is gone.

    ## Observation Space

    `Box` of 19 S + 6 + K numbers per user: 19 for each set (all zero where a set is not possible), then those of the
    user. A set has the worst or the sum of its members, as the table says; the sets of one node show that node alone.

    | index | meaning | unit | min | max |
    |---|---|---|---|---|
    | 19s | the set is possible | 0/1 | 0 | 1 |
    | 19s + 1 | it is the present set | 0/1 | 0 | 1 |
    | 19s + 2 | utility expected from it with the broadcast load | 1 | 0 | 2 |
    | 19s + 3 | the same without other users | 1 | 0 | 2 |
    | 19s + 4 | links that would be new | share of the most links | 0 | 1 |
    | 19s + 5 | links | share of the most links | 0 | 1 |
    | 19s + 6 | links to nodes in the sky | share of the most links | 0 | 1 |
    | 19s + 7 | the links are in the shared band | 0/1 | 0 | 1 |
    | 19s + 8 | joint transmission: the signals arrive within the cyclic prefix | 0/1 | 0 | 1 |
    | 19s + 9 | lowest measured SINR, (SINR - 5 dB)/12 dB (power over noise where all bands are shared) | 12 dB | -2.5 | 4 |
    | 19s + 10 | lowest difference of measured and predicted SINR (is it blocked?) | 12 dB | -2 | 2 |
    | 19s + 11 | highest measured SINR, scaled as the lowest | 12 dB | -2.5 | 4 |
    | 19s + 12 | age of the oldest measurement; 1 also means never measured | 8 s | 0 | 1 |
    | 19s + 13 | shortest predicted remaining time | 30 s | 0 | 1 |
    | 19s + 14 | the same on a long scale | 200 s | 0 | 1 |
    | 19s + 15 | lowest predicted change of a station's mean signal in the next 10 s | 5 dB | -1 | 1 |
    | 19s + 16 | lowest elevation from the middle of the region, 0 for stations | 90 deg | 0 | 1 |
    | 19s + 17 | highest broadcast number of users of a member | 10 users | 0 | 20 |
    | 19s + 18 | a member was refused in the last step | 0/1 | 0 | 1 |
    | 19S | running average of the service utility (weight 0.2) | 1 | -1 | 2 |
    | 19S + 1 | links | share of the most links | 0 | 1 |
    | 19S + 2 | speed | 30 m/s | 0 | 5 |
    | 19S + 3 | a link was refused in the last step | 0/1 | 0 | 1 |
    | 19S + 4 | time since the links last changed, clipped | 20 s | 0 | 1 |
    | 19S + 5 | predicted time until another satellite takes control | 200 s | 0 | 1 |
    | 19S + k + 6 | name of the node in slot k: (number + 1) over the number of nodes; 0: empty | 1 | 0 | 1 |

    ## Rewards

    Per user and step, in utility: `service - 0.02 links - (0.05 s/dt) added - 0.01 coordination`, averaged over users in
    the central face. `service` is u(R) = log2(1 + R/R0)/log2(31) with R0 = 1 Mbit/s by default; `coordination` is 1 for a
    set that needs a controller. With `reward.difference_weight` a user is also charged the utility that its links take
    from the others (term `externality`): meant for training in the parallel face, never for scores.

    ## Starting State

    Nobody is linked. Regions, stations, users, time and load are random; blockage, shadowing and load start in their
    stationary distribution.

    ## Episode End

    Never terminated; truncated after `steps` steps (240 by default). Bootstrap the value at the end.

    ## Arguments

    | argument | meaning |
    |---|---|
    | preset | name of a preset, `rural` by default; `ntn-gym list` shows all |
    | scenario | mapping of values that replace those of the preset, e.g. `{"users": {"count": 12}}` |
    | n_worlds | draw episodes from so many training worlds instead of an endless stream |
    | trace | a saved or own trace to replay |
    | vector_reward | reward is the vector of reward terms |

    ## Physics and References

    Architectures and the case study are those of X. Li and B. Shang, "Advancing Multi-Connectivity in
    Satellite-Terrestrial Integrated Networks". Satellites move on J2-drifting Walker orbits or by SGP4 from real
    elements. Their links follow 3GPP TR 38.811 clause 6.6, with a random skyline around each user, so that blockage has
    the document's marginals and a memory; stations are seen through the same skyline. Station links follow TR 38.901
    Table 7.4.1-1 (RMa, UMa, UMi), with shadowing of 6 dB and a two-state blockage of 12 dB that together have the
    document's 8 dB; users in the air see the line-of-sight sigmoid of Al-Hourani et al. (2014) and down-tilted panels
    (ITU-R M.2101). Beamforming lets a satellite be heard by users it does not serve through its side lobes only; without
    it everybody hears the same lobe. The channel is estimated from pilots (LMMSE, Hassibi and Hochwald 2003): few pilots
    cost SINR, many cost symbols. Rates are those of TR 36.942 Annex A.2. Joint transmission needs all signals within the
    cyclic prefix (TS 38.211 clause 5.3.1), aligned for each user or for the middle of the region only. In shared bands
    a node disturbs all others while it is active. When the controlling satellite sets, clusters carry nothing for one
    step, and one that is out of its reach carries nothing until it is back.

    Approximations: one SINR per step (small-scale fading is averaged by link adaptation unless a scenario draws it);
    equal shares; background traffic does not react; stations in no slot interfere with their mean power; RMa without
    line of sight is used beyond the 5 km to which it was fitted; Doppler is pre-compensated.

    ## Heuristics

    satellite only, station only, best single (A3), all links, threshold add/drop (A4, A2), weak-first, the *distributed*
    load-aware best response (what one user knows), and the *central* ones (what all users know together): greedy with
    externality, dual price, Hungarian. `ntn_gym.envs.multi_connectivity.heuristics` has definitions and sources. Bound:
    Lagrangian prices of the nodes' capacity and exact dynamic programming over sets for each user.

    ## Version History

    - v0: first version.
    """

    agent_name = "user"

    def __init__(self, scenario: Scenario) -> None:
        """Prepare a scenario; worlds are drawn by `make_world`."""
        self.scenario = scenario
        self.sets = set_table(scenario)
        self.n_agents = scenario.users.count
        self.n_sets, self.n_slots = self.sets.n_sets, scenario.n_slots
        self.page_symbols = {"S": self.n_sets, "K": self.n_slots}
        self.episode_steps, self.dt_s = scenario.steps, scenario.dt_s
        low, high = bounds(scenario, self.n_sets)
        self.agent_action_space = spaces.Discrete(self.n_sets)
        self.agent_observation_space = spaces.Box(low, high, dtype=np.float32)
        self.slot_layout = SlotLayout(self.n_sets, SET_SIZE, user_size(scenario), SET["valid"], SET["current"])
        prices = scenario.reward
        terms = [
            TermSpec("service", "utility", 1.0, "utility of the rate"),
            TermSpec("links", "count", -prices.link_utility, "links of the user"),
            TermSpec("added", "count", -prices.change_utility_s / scenario.dt_s, "links that are new in this step"),
            TermSpec("coordination", "count", -prices.coordination_utility, "the set needs a controller"),
        ]
        if prices.difference_weight > 0:
            terms.append(
                TermSpec("externality", "utility", -prices.difference_weight, "utility that the links take from others")
            )
        self.reward_terms = tuple(terms)
        self.kpis = (
            KpiSpec("rate_mbit_s", "Mbit/s", "mean", "higher", "rate of a user"),
            KpiSpec("rate_p5_mbit_s", "Mbit/s", "p5", "higher", "5th percentile of the rate over users and steps"),
            KpiSpec("outage", "share", "mean", "lower", f"time below {prices.outage_rate_mbit_s:g} Mbit/s"),
            KpiSpec("links", "count", "mean", "neither", "links of a user"),
            KpiSpec("changes", "1/min", "per_minute", "lower", "links added"),
            KpiSpec("sky_and_station", "share", "mean", "neither", "time with both (mode 1 of SS-SBS)"),
            KpiSpec("sky_only", "share", "mean", "neither", "time with the sky only (mode 2)"),
            KpiSpec("station_only", "share", "mean", "neither", "time with stations only (mode 3)"),
            KpiSpec("interruptions", "1/min", "per_minute", "lower", "steps in which a cluster is stopped"),
            KpiSpec("refused_links", "1/min", "per_minute", "lower", "links refused by full nodes"),
            KpiSpec("illegal_actions", "1/min", "per_minute", "lower", "choices of an impossible set"),
        )
        self._packer = Packer(scenario, self.sets)
        self.service = Service(scenario, self.sets)
        self._utility = Utility(scenario)
        self._watcher = Watcher(scenario, self.sets, self.service)
        self.limits = limits_of_resources(scenario)
        self._n_resources = len(self.limits)
        # The spare resource (no node) never refuses.
        self._limit = np.append(self.limits, 1 << 40)
        self._broadcast_steps = round(scenario.load.broadcast_period_s / scenario.dt_s)
        self._has_controller = bool(self.sets.controlled.any())

    # ------------------------------------------------------------------ world

    def make_world(self) -> MultiConnectivityWorld:
        """Return the generator of traces for this scenario."""
        return MultiConnectivityWorld(self.scenario)

    def compile(self, carry: Memory | None, raw: Arrays) -> tuple[Memory, Arrays]:
        """Pack a raw trace, see `packing`."""
        return self._packer.compile(carry, raw)

    # ------------------------------------------------------------------ decisions

    def initial(self, now: Now) -> State:
        """Nobody is linked."""
        n_worlds = len(now.rows)
        ports = (n_worlds, self.n_agents, self.sets.n_ports)
        return State(
            linked=np.zeros(ports, dtype=bool),
            refused=np.zeros(ports, dtype=bool),
            turned_away=np.zeros(ports[:2], dtype=bool),
            average=np.zeros((n_worlds, self.n_agents)),
            since=np.full((n_worlds, self.n_agents), NEVER_STEPS),
            count=np.zeros((n_worlds, self._n_resources), dtype=np.float32),
            broadcast=np.zeros((n_worlds, self._n_resources + 1), dtype=np.float32),
            busy=np.zeros((n_worlds, self._n_resources), dtype=bool),
            step=np.zeros(n_worlds, dtype=np.int64),
        )

    def step(self, state: State, action: NDArray[Any], now: Now) -> tuple[State, Outcome]:
        """Apply one choice per user."""
        sets, n_worlds = self.sets, len(action)
        # A link is gone where another node, or none, stands in its slot.
        prior = state.linked & now["same"]
        legal = _of_set(now["legal"], action)
        wanted = sets.members.take(action, axis=0)
        if not legal.all():
            wanted = np.where(legal[..., None], wanted, prior)
        flat = now["resource"] + offsets(n_worlds, self._n_resources)
        count = users_of(flat, wanted, self._n_resources)
        crowded = count > self._limit
        linked, refusals, n_refused = wanted, np.zeros_like(wanted), np.float64(0)
        if crowded.any():
            refusals = refused(wanted, prior, self._watcher.measured(now, prior), flat, self._limit, crowded)
            linked = wanted & ~refusals
            n_refused = np.add.reduce(refusals, axis=-1)
            count = users_of(flat, linked, self._n_resources)

        current = sets.index(linked)
        active = linked & prior
        coordinated = sets.controlled.take(current)
        interrupted = coordinated
        if self._has_controller:
            # A cluster also stops while it is out of reach (nobody can name it then, but it can be kept).
            interrupted = coordinated & ~(now["ordered"] & _of_set(now["legal"], current))
            active &= ~interrupted[..., None]
        users = count.astype(np.float32)
        share = np.float32(1) / np.maximum(users.ravel().take(flat), np.float32(1))
        busy = users_of(flat, active, self._n_resources) > 0 if self.service.shares_band else count > 0
        rate = self.service.rates_mbit_s(now, active, current, share, busy)
        utility = self._utility.of(rate).astype(np.float64)

        n_links, n_sky = sets.size.take(current), sets.n_sky.take(current)
        added = n_links - sets.size.take(sets.index(linked & prior))
        changed = (added > 0) | (n_links < sets.size.take(sets.index(state.linked)))
        in_sky, on_ground = n_sky > 0, n_sky < n_links

        terms = np.empty((*action.shape, len(self.reward_terms)))
        terms[..., 0], terms[..., 1], terms[..., 2], terms[..., 3] = utility, n_links, added, coordinated
        if len(self.reward_terms) > 4:
            terms[..., 4] = loss_of_others(self._utility, now, linked, active, rate, users, flat)
        kpis = np.empty((*action.shape, len(self.kpis)))
        for column, values in enumerate(
            (
                rate,
                rate,
                rate < self.scenario.reward.outage_rate_mbit_s,
                n_links,
                added,
                in_sky & on_ground,
                in_sky & ~on_ground,
                on_ground & ~in_sky,
                interrupted,
                n_refused,
                ~legal,
            )
        ):
            kpis[..., column] = values

        step = state.step + 1
        told = (step - 1) % self._broadcast_steps == 0
        served = users[:, :-1]
        new_state = State(
            linked=linked,
            refused=refusals,
            turned_away=np.broadcast_to(n_refused > 0, current.shape).copy(),
            average=state.average * (1 - AVERAGE_WEIGHT) + utility * AVERAGE_WEIGHT,
            since=np.where(changed, 0, state.since + 1),
            count=served.copy(),
            broadcast=np.where(told[:, None], users, state.broadcast),
            busy=busy[:, :-1].copy(),
            step=step,
        )
        return new_state, Outcome(terms, kpis, np.zeros(n_worlds, dtype=bool))

    def observe(self, state: State, now: Now) -> NDArray[np.float32]:
        """Put together what users know, see `watching`."""
        return self._watcher.observe(state, now)

    def action_mask(self, state: State, now: Now) -> NDArray[np.bool_]:
        """Sets whose nodes are all there (and within reach of the controlling satellite); set 0 always."""
        return np.array(now["legal"])


def _of_set(values: NDArray[Any], chosen: NDArray[Any]) -> NDArray[Any]:
    """Values [B, U, S] of the chosen sets, [B, U]."""
    n_worlds, n_users, n_sets = values.shape
    index = chosen + (np.arange(n_worlds * n_users) * n_sets).reshape(n_worlds, n_users)
    return values.reshape(-1).take(index)
