"""The decision problem: where each platform flies."""

from __future__ import annotations

from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from ntn_gym.core.task import Arrays, KpiSpec, Now, Outcome, TermSpec
from ntn_gym.envs.haps_placement.motion import Mover
from ntn_gym.envs.haps_placement.observation import (
    DEMAND_SCALE,
    HORIZONS,
    OFFSET_SCALE_M,
    PROBES,
    WIND_SCALE_M_S,
    Layout,
    probe_offsets_m,
)
from ntn_gym.envs.haps_placement.packing import Packer
from ntn_gym.envs.haps_placement.scenario import Scenario
from ntn_gym.envs.haps_placement.service import Reach, Server, jain
from ntn_gym.envs.haps_placement.state import State
from ntn_gym.envs.haps_placement.world import PlacementWorld, mean_demand_mbit_s

FloatArray = NDArray[Any]


class HAPSPlacementTask:
    """Move platforms to where the demand is, against wind and night.

    ## Description

    M platforms in the stratosphere, each one an agent, serve a square region on the ground for a day, from the
    afternoon to the next one. Towns ask for traffic by the hour, each with its own rhythm; a hotspot moves through the
    region, and surprises come and go. A platform serves what it sees well: the share of users in sight of it, and what
    its bandwidth carries to them, fall with the distance, and platforms on one carrier disturb each other.

    Flying costs energy, as the cube of the airspeed, and the wind blows even when nobody wants to move. The sun shines
    for half of the day. A platform whose battery runs empty carries nothing until the sun has charged it again, so
    speed in the evening is paid for in the morning. Two platforms in one place serve hardly more than one: agents must
    share the work. Traffic counts only if the platform has a way to a gateway.

    ## Action Space

    `Box(-1, 1)` per platform; the central face has the numbers of all platforms side by side. Airships and aircraft
    choose their velocity over the ground (H = 2), and where there are several pressure levels also the climb (V = 1).
    Balloons drift (H = 0) and only climb. All actions are legal.

    | index | meaning | unit | min | max |
    |---|---|---|---|---|
    | h | velocity over the ground, east and north | full airspeed | -1 | 1 |
    | v + H | climb (up is positive) | `climb_levels` per step; a balloon: what its pump moves in a step | -1 | 1 |

    The autopilot turns the velocity into an airspeed by cancelling the wind of the place; zero means to hold station.
    The airspeed is limited to what the drive can do and to what battery and sun can pay, and is then scaled down, so a
    platform in a strong wind drifts. It does not leave the geofence on purpose: a velocity that leads outside is
    shortened to reach the fence. To save energy, ask for the wind's own velocity. A battery that has run empty gives
    nothing for flight until `on_above`: then only the sun drives.

    ## Observation Space

    `Box` of 13 + 2 L + 4 O + 3 P + 6 G numbers per platform, with L levels, O other platforms, P = 25 probes and G groups
    of points (towns, movers, surprises, in this order). Demand and wind are those of the last step. *Ahead* means the
    forecast for 1.5 h and 3 h: usual demand at that hour times the present deviation from the usual (0.5 to 2).

    | index | meaning | unit | min | max |
    |---|---|---|---|---|
    | 0 to 1 | place east and north of the centre | half width | -2 | 2 |
    | 2 | state of charge | share | 0 | 1 |
    | 3 | the radio works (neither failed nor the battery empty) | 0/1 | 0 | 1 |
    | 4 | asked of the platform over its capacity in the last step | share | 0 | 3 |
    | 5 | had a way to a gateway in the last step | 0/1 | 0 | 1 |
    | 6 to 7 | nearest gateway, relative | 100 km | -4 | 4 |
    | 8 to 9 | sine and cosine of the local solar hour | 1 | -1 | 1 |
    | 10 | sunlight on a horizontal square metre | 1400 W/m2 | 0 | 1 |
    | 11 | hours of this or the next night that lie ahead | 12 h | 0 | 2 |
    | 12 | level, 0 the lowest | highest | 0 | 1 |
    | 2l + 13 | wind east at level l | 20 m/s | -3 | 3 |
    | 2l + 14 | wind north at level l | 20 m/s | -3 | 3 |
    | 4o + 2L + 13 | other platform, the nearest first: east of this one | 100 km | -4 | 4 |
    | 4o + 2L + 14 | north of this one | 100 km | -4 | 4 |
    | 4o + 2L + 15 | its state of charge | share | 0 | 1 |
    | 4o + 2L + 16 | its radio works | 0/1 | 0 | 1 |
    | 3p + 4O + 2L + 13 | probe: demand gained there over the best other platform, now | 3 mean towns | 0 | 3 |
    | 3p + 4O + 2L + 14 | the same, 1.5 h ahead | 3 mean towns | 0 | 3 |
    | 3p + 4O + 2L + 15 | the same, 3 h ahead | 3 mean towns | 0 | 3 |
    | 6g + 3P + 4O + 2L + 13 | group: centre east | half width | -1.5 | 1.5 |
    | 6g + 3P + 4O + 2L + 14 | centre north | half width | -1.5 | 1.5 |
    | 6g + 3P + 4O + 2L + 15 | usual demand, mean over the day | 3 mean towns | 0 | 4 |
    | 6g + 3P + 4O + 2L + 16 | demand in the last step | 3 mean towns | 0 | 4 |
    | 6g + 3P + 4O + 2L + 17 | demand 1.5 h ahead | 3 mean towns | 0 | 4 |
    | 6g + 3P + 4O + 2L + 18 | demand 3 h ahead | 3 mean towns | 0 | 4 |

    Probe 0 is the platform's own place; eight follow at 15 km, clockwise from north, then eight at 40 and at 90 km. A
    probe values a group by the spectral efficiency there, smoothed over the spread of the group, over that at the nadir; it knows no
    interference and no capacity.

    ## Rewards

    Per platform and step: `service - 0.02 propulsion - 0.2 outside + w fairness`, each a share times dt in hours, and at
    the end `- 2 h shortfall`. `service` is carried traffic over the mean demand of all towns, so a return counts hours
    of full service. One platform gets (1 - c) times the traffic of all plus c M times its own, c = 0.5: the mean over
    platforms is the traffic of all. `propulsion` is the power of flight and climb over that at full speed, `outside` is
    being outside the geofence, where nothing is served. `fairness` (weight 0 unless the preset says so) is Jain's index
    of the served shares of the groups times the carried share, 0 when nobody is served. `shortfall` is charged in the
    last step for the charge that is missing against the start: the day after begins with this battery.

    ## Starting State

    Platforms anywhere in the inner part of the region, batteries at 90 %; 14 h local solar time.

    ## Episode End

    Never terminated; truncated after `steps` steps (144 of 10 min: one day). Bootstrap the value at the end.

    ## Arguments

    | argument | meaning |
    |---|---|
    | preset | name of a preset, `airships` by default; `ntn-gym list` shows all |
    | scenario | mapping of values that replace those of the preset, e.g. `{"fleet": {"count": 6}}` |
    | n_worlds | draw episodes from so many training worlds instead of an endless stream |
    | trace | a saved or own trace to replay |
    | vector_reward | reward is the vector of reward terms |

    ## Physics and References

    *Flight.* Airship: drag rho v^2 V^(2/3) C_DV / 2 (Khoury and Gillett 1999) over the efficiency of the drive; to sink, a
    ballonet is pumped up (adiabatic work). Aircraft: drag polar (Anderson 1999); it circles at its slowest speed to hold
    station and pays m g h to climb. Balloon: pump and valve of the Balloon Learning Environment. Air is the U.S. Standard
    Atmosphere 1976. *Energy.* Direct sunlight on horizontal cells with the transmittance at the pressure level, the
    horizon of a platform lying 4.4 deg below the horizontal; battery with charge and discharge losses.
    *Wind.* Fields sampled from the Balloon Learning Environment's model of ERA5 (tropical Pacific, 50 to 140 hPa, 6-hourly),
    shifted and mirrored; training, validation and reporting seeds draw from different fields. Mid-latitude winter is
    windier: see `wind.scale`. *Radio.* Seven beams of an ITU-R HIBS array (M.2101 elements) that take turns; free space,
    probability of sight and clutter loss of 3GPP TR 38.811 clause 6.6; SINR with the mean of the other platforms' beams;
    attenuated Shannon rate (TR 36.942 annex A.2); spherical Earth. *Backhaul.* A gateway in view above an elevation, or a
    chain of platforms within `link_range_m`. Jain, Chiu and Hawe 1984 for fairness.

    Approximations: the wind of a step is that where the step began (6-hourly fields on 100 km change by less than a
    tenth in 10 min); service is that of the middle of the way; places are rounded to cells of 1 km on the maps of the
    radio; the antenna keeps its heading; an empty aircraft glides and is not lost; sun and time are those of the centre;
    a balloon keeps one pressure ratio while pumping and lets out air as fast; levels between two are linear in pressure.

    ## Heuristics

    stay, hexagonal grid, best static sites, Lloyd, greedy maximum coverage with Hungarian assignment, local swarm forces and
    particle swarm optimisation; the last four also fed with the forecast, and all with a budget of energy for the night:
    `ntn_gym.envs.haps_placement.heuristics`. Bound: Lagrangian relaxation of a coverage problem in which platforms jump
    every hour, without wind, energy, interference and backhaul, with perfect fairness where that is rewarded. It is loose:
    jumping platforms that are placed greedily, with interference (`reference.greedy_jump`, a reference and no bound), reach
    0.85 of it in `airships`, 0.75 in `balloons`, 0.7 in `disaster` and `cities`; how much of the rest a platform that must
    fly can reach is not known.

    ## Version History

    - v0: first version.
    """

    agent_name = "platform"

    def __init__(self, scenario: Scenario) -> None:
        """Prepare a scenario; worlds are drawn by `make_world`."""
        self.scenario = scenario
        self.n_agents = scenario.fleet.count
        self.episode_steps = scenario.steps
        self.dt_s = scenario.dt_s
        self.layout = Layout(scenario)
        vertical, horizontal = int(scenario.climbs), 2 * int(scenario.flies)
        self.page_symbols = {**self.layout.symbols, "H": horizontal, "V": vertical}
        low, high = self.layout.bounds()
        self.agent_action_space = spaces.Box(-1.0, 1.0, (horizontal + vertical,), dtype=np.float32)
        self.agent_observation_space = spaces.Box(low, high, dtype=np.float32)
        prices, hours = scenario.reward, scenario.dt_s / 3600.0
        self.reward_terms = (
            TermSpec("service", "share", hours, "carried traffic over the mean demand of the towns"),
            TermSpec("propulsion", "share", -prices.propulsion * hours, "power of flight over that at full speed"),
            TermSpec("outside", "share", -prices.outside * hours, "platforms outside the geofence"),
            TermSpec("fairness", "share", prices.fairness * hours, "Jain index of the groups times carried share"),
            TermSpec("shortfall", "share", -prices.shortfall_h, "charge missing at the end, against the start"),
        )
        self.kpis = (
            KpiSpec("served_share", "share", "mean", "higher", "carried traffic over the present demand"),
            KpiSpec("carried_mbit_s", "Mbit/s", "mean", "higher", "traffic that a platform carries"),
            KpiSpec("fairness", "1", "mean", "higher", "Jain index of the served shares of the groups that ask"),
            KpiSpec("load", "share", "mean", "neither", "asked of a platform over its capacity"),
            KpiSpec("charge", "share", "mean", "higher", "state of charge"),
            KpiSpec("depleted", "share", "mean", "lower", "share of time with an empty battery"),
            KpiSpec("outside", "share", "mean", "lower", "share of time outside the geofence"),
            KpiSpec("cut_off", "share", "mean", "lower", "share of time without a way to a gateway"),
            KpiSpec("airspeed_m_s", "m/s", "mean", "neither", "speed through the air"),
            KpiSpec("flight_kw", "kW", "mean", "lower", "power of propulsion and climb"),
        )
        vehicle = scenario.fleet.vehicle
        self._full_j = vehicle.battery_j
        self._start_charge = vehicle.start_charge
        self._off_j, self._on_j = vehicle.off_below * vehicle.battery_j, vehicle.on_above * vehicle.battery_j
        self._climbs = scenario.climbs
        self._half_m = scenario.region.half_width_m
        self.per_demand = 1.0 / mean_demand_mbit_s(scenario)
        self._own = prices.own_share * self.n_agents
        self._team = 1.0 - prices.own_share
        self._mover = Mover(scenario)
        self._server = Server(scenario)
        self._reach = Reach(scenario)
        self._packer = Packer(scenario)
        self.columns = self._packer.columns
        self._probes = probe_offsets_m()
        self._agents = np.arange(self.n_agents)[None]
        self._others = np.array([[j for j in range(self.n_agents) if j != i] for i in range(self.n_agents)], np.intp)

    # ------------------------------------------------------------------ world

    def make_world(self) -> PlacementWorld:
        """Return the generator of traces for this scenario."""
        return PlacementWorld(self.scenario)

    def compile(self, carry: Any, raw: Arrays) -> tuple[Any, Arrays]:
        """Pack a raw trace, see `packing`."""
        return self._packer.compile(carry, raw)

    # ------------------------------------------------------------------ decisions

    def initial(self, now: Now) -> State:
        """Platforms stand where the trace says, charged."""
        start = now["start"].astype(np.float64)
        shape = start.shape[:2]
        failed = now["drive"][:, self.columns["failed"]] > 0.5
        return State(
            place_m=start[..., :2].copy(),
            level=start[..., 2].copy(),
            energy_j=np.full(shape, self._start_charge * self._full_j),
            down=np.zeros(shape, dtype=bool),
            failed=failed,
            reached=np.ones(shape, dtype=bool),
            load=np.zeros(shape, dtype=np.float32),
            wind_m_s=self._mover.wind(now["wind"], start[..., :2]),
        )

    def step(self, state: State, action: NDArray[Any], now: Now) -> tuple[State, Outcome]:
        """Fly for one step, serve from its middle, and charge the battery."""
        drive, columns = now["drive"], self.columns
        n_worlds = len(drive)
        failed = drive[:, columns["failed"]] > 0.5
        works = ~(state.down | failed)
        moved = self._mover.step(
            state.place_m,
            state.level,
            state.energy_j,
            state.down,
            action,
            now["wind"],
            drive[:, columns["sun"]],
            works,
        )
        outside = np.maximum.reduce(abs(moved.middle_m), axis=-1) > self._half_m
        able = works & ~outside
        gateways = drive[:, columns["gateways"]].reshape(n_worlds, -1, 2)
        reached = self._reach.reached(moved.middle_m, able, gateways)
        demand = drive[:, columns["demand"]]
        level = np.rint(moved.level).astype(np.intp) if self._climbs else None
        served = self._server.serve(
            moved.middle_m.astype(np.float32),
            level,
            (able & reached).astype(np.float32),
            drive[:, columns["points"]].reshape(n_worlds, -1, 2),
            drive[:, columns["asked"]],
        )
        down = moved.energy_j < np.where(state.down, self._on_j, self._off_j)
        carried = served.carried_mbit_s * self.per_demand
        total = np.add.reduce(carried, axis=1, keepdims=True)
        fair = jain(served.group_mbit_s / np.maximum(demand, 1e-9), demand > 0)[:, None]
        terms = np.empty((n_worlds, self.n_agents, 5))
        terms[..., 0] = carried * self._own + total * self._team
        terms[..., 1] = moved.flight_w * (1.0 / self._mover.flight.reference_w)
        terms[..., 2] = outside
        terms[..., 3] = fair * total
        charge = moved.energy_j * (1.0 / self._full_j)
        last = drive[:, columns["last"]]
        terms[..., 4] = np.maximum(self._start_charge - charge, 0.0) * last if last.any() else 0.0
        kpis = np.empty((n_worlds, self.n_agents, 10))
        asked = np.add.reduce(demand, axis=1, keepdims=True) * self.per_demand
        kpis[..., 0] = total / np.maximum(asked, 1e-9)
        kpis[..., 1] = served.carried_mbit_s
        kpis[..., 2] = fair
        kpis[..., 3] = served.load
        kpis[..., 4] = charge
        kpis[..., 5] = down
        kpis[..., 6] = outside
        kpis[..., 7] = able & ~reached
        kpis[..., 8] = moved.airspeed_m_s
        kpis[..., 9] = moved.flight_w * 1e-3
        after = State(
            place_m=moved.place_m,
            level=moved.level,
            energy_j=moved.energy_j,
            down=down,
            failed=failed,
            reached=reached | ~able,
            load=served.load,
            wind_m_s=moved.wind_m_s,
        )
        return after, Outcome(terms, kpis, np.zeros(n_worlds, dtype=bool))

    def observe(self, state: State, now: Now) -> NDArray[np.float32]:
        """Write what each platform knows, see `observation`."""
        layout, n_worlds, n_agents = self.layout, len(state.level), self.n_agents
        o = np.empty((n_worlds, n_agents, layout.size), dtype=np.float32)
        place = state.place_m.astype(np.float32)
        works = ~(state.down | state.failed)
        charge = state.energy_j * (1.0 / self._full_j)
        where = place * np.float32(1.0 / self._half_m)
        np.maximum(where, -2, out=where)
        np.minimum(where, 2, out=o[..., 0:2])
        o[..., 2] = charge
        o[..., 3] = works
        np.minimum(state.load, 3, out=o[..., 4])
        o[..., 5] = state.reached
        o[..., 6:8] = self._nearest_gateway(place, now)
        o[..., 8:12] = now["clock"][:, None]
        o[..., 12] = state.level * (1.0 / (layout.levels - 1)) if self._climbs else 0.0
        wind = state.wind_m_s.reshape(n_worlds, n_agents, -1) * np.float32(1.0 / WIND_SCALE_M_S)
        np.maximum(wind, -3, out=wind)
        np.minimum(wind, 3, out=o[..., layout.wind])
        if layout.others:
            o[..., layout.other] = self._other_platforms(place, charge, works)
        o[..., layout.probe] = self._probe_gains(state, place, works, now)
        o[..., layout.group] = now["groups"][:, None]
        return o

    def _nearest_gateway(self, place: FloatArray, now: Now) -> FloatArray:
        gateways = now["drive"][:, self.columns["gateways"]].reshape(len(place), 1, -1, 2)
        gap = gateways - place[:, :, None]
        away = gap[..., 0] * gap[..., 0] + gap[..., 1] * gap[..., 1]
        worlds, agents = self._index(len(place))
        nearest = gap[worlds, agents, away.argmin(axis=-1)]
        nearest *= np.float32(1.0 / OFFSET_SCALE_M)
        return np.asarray(np.minimum(np.maximum(nearest, -4), 4))

    def _index(self, n_worlds: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Indices of worlds [B, 1] and platforms [1, M], for picking along a third axis."""
        return np.arange(n_worlds)[:, None], self._agents

    def _other_platforms(self, place: FloatArray, charge: FloatArray, works: NDArray[np.bool_]) -> FloatArray:
        """Offset, charge and radio of the other platforms, the nearest first, [B, M, 4 O]."""
        n_worlds, n_agents = place.shape[:2]
        about = np.empty((n_worlds, n_agents, n_agents - 1, 4), dtype=np.float32)
        about[..., :2] = place[:, self._others] - place[:, :, None]
        about[..., 2] = charge[:, self._others]
        about[..., 3] = works[:, self._others]
        gap = about[..., :2]
        away = gap[..., 0] * gap[..., 0] + gap[..., 1] * gap[..., 1]
        gap *= np.float32(1.0 / OFFSET_SCALE_M)
        np.maximum(gap, -4, out=gap)
        np.minimum(gap, 4, out=gap)
        worlds, agents = self._index(n_worlds)
        order = away.argsort(axis=-1, kind="stable")
        return np.asarray(about[worlds[..., None], agents[..., None], order].reshape(n_worlds, n_agents, -1))

    def _probe_gains(self, state: State, place: FloatArray, works: NDArray[np.bool_], now: Now) -> FloatArray:
        """Demand that the platform could serve at each probe better than all others, [B, M, P x horizons]."""
        n_worlds, n_agents = place.shape[:2]
        maps = self._server.maps
        probes = place[:, :, None] + self._probes
        level = np.rint(state.level).astype(np.intp)[..., None, None] if self._climbs else None
        quality = maps.quality.take(maps.cells(now["centre"][:, None, None] - probes[:, :, :, None], level))
        if n_agents > 1:
            here = quality[:, :, 0] * works[..., None]
            best = np.maximum.reduce(here[:, self._others], axis=2)
            quality = quality - best[:, :, None]
            np.maximum(quality, 0, out=quality)
        gains = quality.reshape(n_worlds, n_agents * PROBES, -1) @ now["asked"]
        return np.asarray(np.minimum(gains.reshape(n_worlds, n_agents, PROBES * HORIZONS), DEMAND_SCALE))

    def action_mask(self, state: State, now: Now) -> None:
        """All actions are always legal."""
        return None
