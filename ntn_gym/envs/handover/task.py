"""The decision problem: which slot serves each user."""

from __future__ import annotations

from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from ntn_gym.core.slots import SlotLayout
from ntn_gym.core.task import Arrays, KpiSpec, Now, Outcome, TermSpec
from ntn_gym.envs.handover.many import ManyUsers
from ntn_gym.envs.handover.measurement import Memory
from ntn_gym.envs.handover.observation import SLOT, SLOT_SIZE, USER_SIZE, bounds
from ntn_gym.envs.handover.packing import Packer
from ntn_gym.envs.handover.rules import Rules, tabulate
from ntn_gym.envs.handover.scenario import Scenario
from ntn_gym.envs.handover.single import SingleUser
from ntn_gym.envs.handover.state import NEVER_STEPS, PING_PONG_S, State
from ntn_gym.envs.handover.world import HandoverWorld


class HandoverTask:
    """Keep users served while satellites and their beams rush by.

    ## Description

    A user on the ground sees K *slots*. A slot holds one pass: of an Earth-moving satellite beam (about ten seconds in
    low orbit), of a satellite that steers its beam (minutes), or a cell of a platform that swings in the wind. Every
    step each user names the slot that shall serve it. Naming the serving slot means to stay.

    Staying too long ends in a radio link failure, because a pass sets and blockage comes without notice. Leaving costs
    an interruption. A handover command must be heard on the serving link (`protocol.needs_serving_link`), so a user who
    waits for the signal to fail cannot leave any more. Cells are loaded by others, and the users of one scenario share
    what is left: the strongest beam is often not the best one. Nobody knows the truth of the present step: measurements
    are noisy, filtered and one step old, and load is known as last broadcast. What the ephemeris predicts is known.

    ## Action Space

    `Discrete(K)` for one user; the central face of several users is `MultiDiscrete`, one entry per user. Slots that hold
    no pass are masked out.

    | action | meaning |
    |---|---|
    | k | slot k shall serve (the serving slot: stay) |

    An empty slot is an illegal choice while another holds a pass: the user stays as it is, and `illegal_actions` counts it. Whether a command will
    be heard or a target is blocked is not in the mask, because it is not known.

    ## Observation Space

    `Box` of 15 K + 7 numbers per user: 15 per slot, slot after slot (all zero where a slot is empty), then 7 of the user.
    Everything called predicted follows from ephemeris and planned course.

    | index | meaning | unit | min | max |
    |---|---|---|---|---|
    | 15k | a pass occupies slot k | 0/1 | 0 | 1 |
    | 15k + 1 | this slot serves the user | 0/1 | 0 | 1 |
    | 15k + 2 | predicted elevation | 90 deg | 0 | 1 |
    | 15k + 3 | predicted rate of the elevation | 0.5 deg/s | -1 | 1 |
    | 15k + 4 | filtered measured SINR, (SINR - 2 dB)/12 dB; clear-sky SNR before the first measurement | 12 dB | -1.3 | 2 |
    | 15k + 5 | age of that measurement; 1 also means never measured | 8 s | 0 | 1 |
    | 15k + 6 | utility expected from it and from the broadcast load; negative below Qout | 1 | -0.2 | 1 |
    | 15k + 7 | predicted time until the pass sets | remaining_horizon_s | 0 | 1 |
    | 15k + 8 | the same on a short scale | 30 s | 0 | 1 |
    | 15k + 9 | load of the cell as last broadcast | share | 0 | 1 |
    | 15k + 10 | slowly filtered SINR, scaled as SINR | 12 dB | -1.3 | 2 |
    | 15k + 11 | sine of the predicted azimuth, relative to the user's course (twice the angle in a street) | 1 | -1 | 1 |
    | 15k + 12 | cosine of the same | 1 | -1 | 1 |
    | 15k + 13 | predicted clear-sky SNR, scaled as SINR | 12 dB | -1.3 | 4 |
    | 15k + 14 | share of the scenario's users that the slot carried in the last step (0 for one user) | share | 0 | 1 |
    | 15K | a slot serves the user | 0/1 | 0 | 1 |
    | 15K + 1 | what is left of the re-establishment | share | 0 | 1 |
    | 15K + 2 | out-of-sync steps over the T310 limit | share | 0 | 1 |
    | 15K + 3 | time since the last handover or connection, clipped | 20 s | 0 | 1 |
    | 15K + 4 | the same on a short scale | 5 s | 0 | 1 |
    | 15K + 5 | running average of the service utility (weight 0.2) | 1 | -1 | 1 |
    | 15K + 6 | the user is idle: the named slot is connected to | 0/1 | 0 | 1 |

    ## Rewards

    Per user and step, in utility: `service - (0.15 s/dt) handover - (0.5 s/dt) failure`, averaged over users in the
    central face. `service` is u(R) (1 - interruption/dt) with u = log(1 + R/R0)/log(1 + Rmax/R0); R is the attenuated
    Shannon rate of the user's equal share of the cell. Prices are in seconds of full utility, so another `dt_s` is the
    same problem. The real price of a failure is the time without service, not its weight. Ping-pong is a KPI only.

    ## Starting State

    All users are idle at a random place, time and load; blockage, shadowing and load start in their stationary
    distribution. The first step connects.

    ## Episode End

    Never terminated; truncated after `steps` steps (300 by default). Bootstrap the value at the end.

    ## Arguments

    | argument | meaning |
    |---|---|
    | preset | name of a preset, `beams` by default; `ntn-gym list` shows all |
    | scenario | mapping of values that replace those of the preset, e.g. `{"users": {"count": 4}}` |
    | n_worlds | draw episodes from so many training worlds instead of an endless stream |
    | trace | a saved or own trace to replay |
    | vector_reward | reward is the vector of reward terms |

    ## Physics and References

    Satellites move on J2-drifting Walker orbits or by SGP4 from real elements; a state is interpolated by cubic Hermite
    polynomials between columns of 60 s. Path loss, LoS probability, shadowing and clutter loss follow 3GPP TR 38.811
    clause 6.6 (tables interpolated linearly in elevation); LoS is a threshold on a random skyline and shadowing a random
    field in direction, so that neighbours in the sky are blocked together, both persist, and the marginals stay those of
    the document. Above 10 GHz gas is that of TR 38.811 clause 6.6.4. With `link.rain` users stand at real sites, and rain
    has the long-run statistics of ITU-R P.618 there and the memory of Maseng and Bakken's model; the predicted SNR knows
    the gas, but not the rain. Beams are TR 38.811 aperture patterns in the UV layout of TR 38.821 clause 6.1.1.1. Interference is the
    loaded power of the other slots behind `inter_slot_isolation_db` plus co-channel beams of the same node behind
    `intra_satellite_isolation_db`. Rates are those of TR 36.942 Annex A.2. Timers are those of TS 38.331, counted once a
    step (N310 = N311 = 1). The interruption is a fixed part plus round trips to the target (four-step random access).

    Approximations: one SINR per step (a step is many coherence times; small-scale fading is averaged by link adaptation);
    Doppler is pre-compensated and only reported in the trace; interference of satellites outside the slots is left out;
    random access never collides; all users of a region share azimuth and list of slots.

    ## Heuristics

    sticky, strongest, elevation, longest visibility, serving capacity, A3, A4/A5, conditional handover (D1, T1), load
    aware, hybrid, predicted RSS, adaptive threshold, the weighted sum `composite`, and the forecast-fed `planner`, the
    rule to beat; `ntn_gym.envs.handover.heuristics` has definitions and sources. Bound: exact dynamic programming with
    perfect foresight for one user, a price relaxation for many.

    ## Version History

    - v0: first version.
    """

    agent_name = "user"

    def __init__(self, scenario: Scenario) -> None:
        """Prepare a scenario; worlds are drawn by `make_world`."""
        self.scenario = scenario
        self.n_agents = scenario.users.count
        self.n_slots = scenario.slots.count
        self.page_symbols = {"K": self.n_slots}
        self.episode_steps = scenario.steps
        self.dt_s = scenario.dt_s
        low, high = bounds(self.n_slots)
        self.agent_action_space = spaces.Discrete(self.n_slots)
        self.agent_observation_space = spaces.Box(low, high, dtype=np.float32)
        self.slot_layout = SlotLayout(self.n_slots, SLOT_SIZE, USER_SIZE, SLOT["valid"], SLOT["serving"])
        self.rules = Rules(scenario.t310_steps, scenario.reestablishment_steps, scenario.protocol.needs_serving_link)
        self.table = tabulate(self.rules)
        prices = scenario.reward
        self.reward_terms = (
            TermSpec("service", "utility", 1.0, "utility of the rate, less the interruption"),
            TermSpec("handover", "count", -prices.handover_utility_s / scenario.dt_s, "handovers"),
            TermSpec(
                "failure",
                "count",
                -prices.failure_utility_s / scenario.dt_s,
                "radio link and handover failures",
            ),
        )
        self.kpis = (
            KpiSpec("rate_mbit_s", "Mbit/s", "mean", "higher", "rate of a user"),
            KpiSpec("rate_p5_mbit_s", "Mbit/s", "p5", "higher", "5th percentile of the rate over users and steps"),
            KpiSpec("outage", "share", "mean", "lower", "share of time without service"),
            KpiSpec("handovers", "1/min", "per_minute", "lower", "handovers"),
            KpiSpec("ping_pongs", "1/min", "per_minute", "lower", "handovers back within 5 s"),
            KpiSpec("link_failures", "1/min", "per_minute", "lower", "radio link failures"),
            KpiSpec("failed_handovers", "1/min", "per_minute", "lower", "handovers into a dead link"),
            KpiSpec("lost_commands", "1/min", "per_minute", "lower", "handover commands lost on a dead link"),
            KpiSpec("illegal_actions", "1/min", "per_minute", "lower", "choices of an empty slot"),
        )
        self.ping_pong_steps = int(PING_PONG_S / scenario.dt_s + 1e-9)
        self._single = SingleUser(self)
        self._many = ManyUsers(self)
        self._packer = Packer(scenario)

    # ------------------------------------------------------------------ world

    def make_world(self) -> HandoverWorld:
        """Return the generator of traces for this scenario."""
        return HandoverWorld(self.scenario)

    def compile(self, carry: Memory | None, raw: Arrays) -> tuple[Memory, Arrays]:
        """Pack a raw trace, see `packing`."""
        return self._packer.compile(carry, raw)

    # ------------------------------------------------------------------ decisions

    def initial(self, now: Now) -> State:
        """Every user is idle."""
        n_worlds = len(now.rows)
        users = np.empty((n_worlds, 4, self.n_agents), dtype=np.int64)
        users[:] = np.array([-1, self.rules.idle, NEVER_STEPS, -1])[:, None]
        return State(
            users=users,
            average=np.zeros((n_worlds, self.n_agents)),
            attached=np.zeros((n_worlds, self.n_slots), dtype=np.float32),
        )

    def step(self, state: State, action: NDArray[Any], now: Now) -> tuple[State, Outcome]:
        """Apply one choice per user; see `rules.transition` for what it does."""
        if action.size == 1:
            return self._single.step(state, int(action[0, 0]), now["link"][0, 0])
        return self._many.step(state, action, now)

    def observe(self, state: State, now: Now) -> NDArray[np.float32]:
        """Complete the packed features by what depends on decisions."""
        if state.average.size == 1:
            measured = now["measured"][0, 0] if "measured" in now else None
            return self._single.observe(state, now.copy("observation"), now["link"][0, 0], measured)
        return self._many.observe(state, now)

    def action_mask(self, state: State, now: Now) -> NDArray[np.bool_]:
        """Slots that hold a pass are legal, and so is naming the serving slot; where no slot holds a pass, all are.

        Whether a command will be heard or a target is blocked is not known at the time of the decision, so it is not
        in the mask.
        """
        legal = now["legal"]
        if state.average.size == 1:
            return self._single.action_mask(state, legal)
        return self._many.action_mask(state, legal)
