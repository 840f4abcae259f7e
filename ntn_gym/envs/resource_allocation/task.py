"""The decision problem: which beams are on, with how much power, and how fast the battery may be spent."""

from __future__ import annotations

from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from ntn_gym.core.task import Arrays, Now, Outcome
from ntn_gym.envs.resource_allocation.accounts import JOULE_PER_KWH, Accounts
from ntn_gym.envs.resource_allocation.observation import GROUPS, Observer, bounds
from ntn_gym.envs.resource_allocation.offered import class_of_user, mean_arrival_mbit, mean_offered_mbit
from ntn_gym.envs.resource_allocation.packing import Memory, Packer
from ntn_gym.envs.resource_allocation.planner import Planner
from ntn_gym.envs.resource_allocation.scenario import Scenario
from ntn_gym.envs.resource_allocation.scheduler import UserScheduler
from ntn_gym.envs.resource_allocation.service import Radio, feeder_mbit
from ntn_gym.envs.resource_allocation.state import State
from ntn_gym.envs.resource_allocation.transmitters import power_of_action, transmitters
from ntn_gym.envs.resource_allocation.world import ResourceWorld
from ntn_gym.physics.battery import Battery


class ResourceAllocationTask:
    """Which beams of a near-space platform are on, how much power, how fast the battery may be spent.

    ## Description

    A solar platform at 20 km serves users through several beams on one frequency, and is fed by an optical link. Every
    step each transmitter - a beam, in `uav-relays` also a relay, in `feeder-under-cloud` also the laser of the feeder -
    is switched off or to a power. Bits arrive in queues, each with a deadline; a classical scheduler inside the task
    divides the band of a beam among its users. A beam that is on pays for being on, heats its amplifier and disturbs
    its neighbours, so which beams sleep matters more than how loud the others are.

    There are two families of one task. In `beams` and its relatives a step is a second: queues and interference decide,
    energy has a price. In `day` and `feeder-under-cloud` a step is five minutes and an episode a day from noon to noon:
    energy comes from the sun and a battery, the engines take what the wind wants, and what is spent in the evening is
    missed before sunrise.

    ## Action Space

    `Discrete(L + 1)` per transmitter, all actions are always legal; the central face is `MultiDiscrete`. With
    `action.kind = box` it is `Box(-1, 1, (1,))`: up to -0.5 sleep, above it the power rises linearly in dB from the
    lowest to the highest level.

    | action | meaning |
    |---|---|
    | 0 | sleep (laser: off) |
    | l + 1 | power l of the L powers of the transmitter (`levels_w`), from the lowest |

    If the beams together exceed `platform.total_power_w` all are scaled down alike. A battery below its lower limit
    switches the payload off whatever is asked.

    ## Observation Space

    `Box` of 49 + 4 R numbers per transmitter, with R beams and relays. Users are summed up in G = 4 groups per
    transmitter, from the edge (group 0) to the centre, by their spectral efficiency with everybody at full power (0.8,
    1.5, 2.5 bit/s/Hz). b is bits over the band of a beam and the step in bit/s/Hz, n the share of the band that they
    need with everybody at full power. Channel qualities and queues are those reported for this step; what arrives later
    is not known. Sums over neighbours weigh them by the coupling (below).

    | index | meaning | unit | min | max |
    |---|---|---|---|---|
    | 0 | this transmitter is a relay | 0/1 | 0 | 1 |
    | 1 | it is the laser of the feeder (its entries 3 to 36 are zero) | 0/1 | 0 | 1 |
    | 2 | power in the last step over the highest | share | 0 | 1 |
    | 3 | spectral efficiency of its waiting bits with everybody at full power | bit/s/Hz | 0 | 10 |
    | 4 | log(1 + 4 n) of the bits that must be served now or never | 1 | 0 | 8 |
    | 5 | log(1 + 4 n) of the other bits | 1 | 0 | 8 |
    | 5g + 6 | log(1 + 4 b) of the bits of group g that must be served now or never | 1 | 0 | 8 |
    | 5g + 7 | log(1 + 4 b) of its other bits | 1 | 0 | 8 |
    | 5g + 8 | mean value of the former | value | 0 | 10 |
    | 5g + 9 | mean value of the latter | value | 0 | 10 |
    | 5g + 10 | mean gain over noise for 1 W | 30 dB | -3 | 3 |
    | 26 | mean over all of entry 4 | 1 | 0 | 40 |
    | 27 | mean over all of entry 5 | 1 | 0 | 40 |
    | 28 | mean over all of entry 2 | 1 | 0 | 40 |
    | 29 | those who disturb its users: half the sum of their entries 4 | 1 | 0 | 40 |
    | 30 | the same of their entries 5 | 1 | 0 | 40 |
    | 31 | the same of their entries 2 | 1 | 0 | 40 |
    | 32 | half the sum of the couplings | 1 | 0 | 40 |
    | 33 | those whose users it disturbs: half the sum of their entries 4 | 1 | 0 | 40 |
    | 34 | the same of their entries 5 | 1 | 0 | 40 |
    | 35 | the same of their entries 2 | 1 | 0 | 40 |
    | 36 | half the sum of the couplings | 1 | 0 | 40 |
    | 37 | price of the reference supply power, clipped | 3 | 0 | 4 |
    | 38 | remaining steps, clipped | 20 | 0 | 1 |
    | 39 | battery, 2 E/Emax - 1 (0 without one) | 1 | -1 | 1 |
    | 40 | the payload is switched off by the battery | 0/1 | 0 | 1 |
    | 41 | payload power that the day-ahead forecast sustains now (sun known, mean wind) | kW | 0 | 4 |
    | 42 | power of the panels | 3 kW | 0 | 4 |
    | 43 | power of the engines | kW | 0 | 4 |
    | 44 | sine of the hour | 1 | -1 | 1 |
    | 45 | cosine of the hour | 1 | -1 | 1 |
    | 46 | daily profile of the traffic less its mean | 1 | -1 | 2 |
    | 47 | a thick cloud blocks the optical feeder | 0/1 | 0 | 1 |
    | 48 | loss of the feeder by thin cloud and scintillation, clipped | 30 dB | 0 | 2 |
    | 49 to 48 + 4R | coupling: for each group and transmitter j, the root of j's gain over the own one at the users of the group (0 for j itself) | 1 | 0 | 4 |

    ## Rewards

    The team's reward of a step, in the value of the mean offered traffic of a step: `served` (value of the bits served:
    1, 3 and 2 for broadband, urgent and machine traffic) - 0.25 `dropped` (value of the bits whose deadline passed) -
    `energy` (price of the world times the supply power over `energy.reference_w`; 0 in the day family) + 0.5 `pending`
    (value of the bits that are alive after the last step). With a battery also - 0.2 `depleted` (step with less than a
    tenth of the battery) - 60 `unmet` (kWh that hotel and engines missed) - 30 `final_charge` (kWh below 55 % at the
    end, so that an empty battery in the morning does not pay). All transmitters get the same; with `reward.local_share`
    a part is their own contribution, with the same mean over the agents.

    ## Starting State

    Empty queues, everybody asleep, users at random places about random hotspots, all processes in their stationary
    distribution. A day begins at noon with 70 % in the battery.

    ## Episode End

    Never terminated; truncated after `steps` steps (200 or 288). The last step settles pending bits and final charge.

    ## Arguments

    | argument | meaning |
    |---|---|
    | preset | name of a preset, `beams` by default; `ntn-gym list` shows all |
    | scenario | mapping of values that replace those of the preset, e.g. `{"traffic": {"load": 0.3}}` |
    | n_worlds | draw episodes from so many training worlds instead of an endless stream |
    | trace | a saved or own trace to replay |
    | vector_reward | reward is the vector of reward terms |

    ## Physics and References

    Beams are the sectors of the ITU-R HIBS study model (ITU-R M.2101 arrays) or equal apertures on hexagonal cells (3GPP
    TR 38.811 clause 6.4.1); the platform rolls, pitches and yaws. Path loss is free space with the line of sight,
    shadowing and clutter loss of TR 38.811 clause 6.6; all beams share the path, so that interference over signal is pure
    geometry. Relays follow Al-Hourani et al. 2014. Rates are attenuated and capped Shannon (TR 36.942 Annex A.2).
    Interference is load-coupled (Siomina and Yuan 2012): a beam disturbs in the share of the band that it fills.
    Amplifiers follow the EARTH model (Auer et al. 2011), P0 + slope P when on. Users move by Gauss-Markov mobility
    (Liang and Haas 1999). Files arrive as a compound Poisson process modulated by two-state surges of the hotspots;
    machines come in storms (TR 37.868). The optical feeder is photon limited with geometric, pointing (Farid and
    Hranilovic 2007), haze (Kim 2001) and scintillation losses (Andrews and Phillips) under thick on/off and thin cloud;
    ground and platform use the same laser level, for traffic that is taken as symmetric. Sun: VSOP87, clear stratosphere; battery with charging
    losses; airship drag times airspeed.

    Approximations: bits are a fluid; one SINR per step (small-scale fading is averaged by link adaptation); the band of
    a beam is divided at will; the ground is flat; the best-received beam serves, without handover cost.

    ## Heuristics

    equal, demand-proportional, water-filling, state-of-charge, proportional-fair, max-weight, m-lwdf, exp, wmmse,
    load-target (Yates), greedy coordinate search (the rule to beat), and, fed with a forecast, day-ahead and
    greedy-planned; `ntn_gym.envs.resource_allocation.heuristics` has definitions and sources. Bound: every bit at its
    cheapest moment within its deadline, without interference; with a battery under a price on energy.

    ## Version History

    - v0: first version.
    """

    agent_name = "transmitter"

    def __init__(self, scenario: Scenario) -> None:
        """Prepare a scenario; worlds are drawn by `make_world`."""
        self.scenario = scenario
        self.constants = constants = transmitters(scenario)
        self.n_agents = constants.n_agents
        self.n_radios = constants.n_radios
        self.page_symbols = {"R": self.n_radios, "L": constants.n_levels - 1, "G": GROUPS}
        self.episode_steps = scenario.steps
        self.dt_s = scenario.dt_s
        self.mbit_per_bit_s_hz = scenario.beam_bandwidth_hz * scenario.dt_s * 1e-6
        of_class = class_of_user(scenario)
        self.value = np.array([one.value for one in scenario.traffic.classes])[of_class]
        self.mean_mbit = mean_arrival_mbit(scenario)
        self.offered_mbit = mean_offered_mbit(scenario)
        deadline = np.array(scenario.deadline_steps(), dtype=np.float64)[of_class]
        self.scheduler = UserScheduler(scenario, self.value, self.mean_mbit, deadline, self.n_radios)
        self.battery = None
        if scenario.energy.battery is not None:
            storage = scenario.energy.battery
            self.battery = Battery(
                storage.capacity_kwh * JOULE_PER_KWH, 0.0, storage.charge_efficiency, storage.discharge_efficiency
            )
            self.planner = Planner(scenario)
        low, high = bounds(self.n_radios)
        self.agent_observation_space = spaces.Box(low, high, dtype=np.float32)
        self.agent_action_space: spaces.Space[Any] = (
            spaces.Discrete(constants.n_levels)
            if scenario.action.kind == "levels"
            else spaces.Box(-1.0, 1.0, (1,), dtype=np.float32)
        )
        self._accounts = Accounts(self)
        self.reward_terms, self.kpis = self._accounts.reward_terms, self._accounts.kpis
        self._radio = Radio(self)
        self._observer = Observer(self)
        self._packer = Packer(scenario)
        self._fixed_laser_w = 0.0
        if scenario.feeder is not None:
            self._fixed_laser_w = scenario.feeder.laser.levels_w[scenario.feeder.laser.fixed_level]
        self._first_level = np.arange(self.n_agents) * constants.n_levels

    # ------------------------------------------------------------------ world

    def make_world(self) -> ResourceWorld:
        """Return the generator of traces for this scenario."""
        return ResourceWorld(self.scenario)

    def compile(self, carry: Memory | None, raw: Arrays) -> tuple[Memory, Arrays]:
        """Pack a raw trace, see `packing`."""
        return self._packer.compile(carry, raw)

    # ------------------------------------------------------------------ decisions

    def initial(self, now: Now) -> State:
        """Empty queues, everybody asleep, the battery as the scenario says."""
        n_worlds, n_users = now["serving"].shape
        storage = self.scenario.energy.battery
        start_j = 0.0 if storage is None else storage.start_share * storage.capacity_kwh * JOULE_PER_KWH
        return State(
            departed_mbit=np.zeros((n_worlds, n_users)),
            rate_mbit=np.broadcast_to(self.mean_mbit, (n_worlds, n_users)).copy(),
            power_w=np.zeros((n_worlds, self.n_agents), dtype=np.float32),
            energy_j=np.full(n_worlds, start_j),
            dead=np.zeros(n_worlds, dtype=bool),
        )

    def powers(self, state: State, action: NDArray[Any]) -> NDArray[np.float32]:
        """Return the power of each agent in W, [B, A]: what the actions ask for, within the platform's total."""
        if self.scenario.action.kind == "levels":
            power = self.constants.levels_w.ravel().take(action + self._first_level)
        else:
            power = power_of_action(self.constants, action[..., 0])
        n_beams = self.constants.n_beams
        total = power[:, :n_beams].sum(axis=1)
        limit = np.float32(self.scenario.platform.total_power_w)
        power[:, :n_beams] *= (limit / np.maximum(total, limit))[:, None]
        if self.battery is not None:
            power *= ~state.dead[:, None]
        return power

    def step(self, state: State, action: NDArray[Any], now: Now) -> tuple[State, Outcome]:
        """Apply one action per transmitter: serve, drop what is too late, pay for the energy."""
        power = self.powers(state, action)
        radios, scalars, cumulative = self.n_radios, now["scalars"], now["cumulative"]
        laser_w = power[:, radios].astype(np.float64) if self.constants.has_laser else self._fixed_laser_w
        radio_w = power[:, :radios]
        service = self._radio.serve(state, radio_w, feeder_mbit(self, laser_w, now), now)
        served = service.served_mbit
        departed = state.departed_mbit + served
        dropped = np.maximum(cumulative[:, 1] - departed, 0.0)
        departed += dropped
        bits = (served, dropped, cumulative[:, 0] - departed)
        ledger = self._accounts.open(bits, radio_w, laser_w, service, scalars)
        energy_j, dead = state.energy_j, state.dead
        if self.battery is not None:
            energy_j, dead = self._accounts.charge(ledger, energy_j, dead, scalars)
        terms = self._accounts.share_out(ledger, scalars, now["serving"])
        rate = state.rate_mbit
        if self.scheduler.remembers:
            rate = rate + self.scheduler.memory * (served - rate)
        kpis = np.repeat(ledger.kpis[:, None], self.n_agents, axis=1)
        new_state = State(departed, rate, power, energy_j, dead)
        return new_state, Outcome(terms, kpis, np.zeros(len(served), dtype=bool))

    def supply_w(self, power_w: NDArray[Any], used: NDArray[np.float64]) -> NDArray[np.float64]:
        """Supply power of each radio in W, [B, R]: P0 + slope P used when it is on, otherwise that of sleep.

        Source: G. Auer et al., IEEE Wireless Communications 18(5), 2011, as in `physics.payload`.
        """
        on = self.constants.slope * power_w
        on *= used
        on += self.constants.idle_w
        result: NDArray[np.float64] = np.where(power_w > 0, on, self.constants.sleep_w)
        return result

    def observe(self, state: State, now: Now) -> NDArray[np.float32]:
        """What each transmitter sees, see the page."""
        return self._observer.observe(state, now)

    def action_mask(self, state: State, now: Now) -> None:
        """All actions are always legal."""
        return None
