"""The decision problem: where each satellite's optical terminal points."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from ntn_gym.core.slots import SlotLayout
from ntn_gym.core.task import Arrays, KpiSpec, Now, Outcome, TermSpec
from ntn_gym.envs.data_relay.observation import (
    ACQUISITION_S,
    GAIN_S,
    QUEUE_BITS,
    QUEUE_LOG,
    SLOT,
    SLOT_SIZE,
    USER,
    USER_SIZE,
    VOLUME_BITS,
    WAIT_S,
    bounds,
)
from ntn_gym.envs.data_relay.packing import VOLUME_LIMIT, Packer
from ntn_gym.envs.data_relay.rules import Events, Rules
from ntn_gym.envs.data_relay.scenario import Scenario
from ntn_gym.envs.data_relay.state import State, initial_state
from ntn_gym.envs.data_relay.world import RelayWorld

_MS_PER_H = 3.6e6
_MOST_VOLUME = np.float32(VOLUME_LIMIT)
# Entries of a slot that depend on decisions.
_POINTED, _FILL, _TAKEN, _VOLUME, _PRESSURE, _WAIT, _GAIN = (
    SLOT[name] for name in ("pointed", "fill", "taken", "volume", "pressure", "wait", "gain")
)


class DataRelayTask:
    """Bring the data of satellites to the ground, through clouds.

    ## Description

    Satellites of a real constellation collect files and must bring them down over optical links, which clouds interrupt.
    Some stations have a *HAGS* above them, a platform at 20 km that always receives and keeps the data until the sky
    below is clear, if its buffer has room. A satellite has one terminal, a station or HAGS serves one satellite at a
    time, and turning a terminal to another receiver costs an acquisition of some 30 s.

    Passes are known from the ephemeris; clouds are not: a station is clear for an exponential time (mean TCC), then
    covered for another (mean TCS), and the weather forecast has a stated skill. So the question at every pass is whether
    to store the data above clouds now and wait there, perhaps for hours, or to keep it for a later pass, which may be
    clear; and when satellites meet, whose data goes first.

    Decisions are due at *events*, not at a clock: the start or end of a contact, a change of the sky, a new file, a
    cut-off, and `max_epoch_s` after the last event. An epoch lasts until the next event; nothing exogenous changes within
    it, and bits flow exactly. The return is a sum over bits and time, so that it does not depend on how time is cut.

    ## Action Space

    `Discrete(K + 1)` per satellite; the central face is `MultiDiscrete`, one entry per satellite. K counts the offered
    receivers in view (`slots`), two neighbours in the same plane with `same_plane`, and all of that twice where there are
    urgent files: the second half sends routine data before urgent data.

    | action | meaning |
    |---|---|
    | k | the terminal points to the receiver in slot k |
    | K | wait: the terminal points nowhere |

    Naming an empty slot is illegal: the satellite waits, and `illegal_actions` counts it. A receiver that several
    satellites name serves the one that it served already, else the first by number; the others wait, and `refusals`
    counts them. A station under clouds may be pointed to (the terminal acquires, no bits flow until it clears).

    ## Observation Space

    `Box` of 17 K + 23 numbers per satellite: 17 per slot, slot after slot (all zero where a slot is empty), then 23 of the
    satellite. *Expected* and *chance* follow from ephemeris, climatology, the sky seen now and the forecast.

    | index | meaning | unit | min | max |
    |---|---|---|---|---|
    | 17k | a receiver is in view in slot k | 0/1 | 0 | 1 |
    | 17k + 1 | the terminal points to it | 0/1 | 0 | 1 |
    | 17k + 2 | clear sky below it (1 for a satellite) | 0/1 | 0 | 1 |
    | 17k + 3 | it is a HAGS | 0/1 | 0 | 1 |
    | 17k + 4 | it is a neighbouring satellite | 0/1 | 0 | 1 |
    | 17k + 5 | predicted time until the contact ends, clipped | 600 s | 0 | 1 |
    | 17k + 6 | the same on a short scale, clipped | 120 s | 0 | 1 |
    | 17k + 7 | rate under clear sky over that of the modem | share | 0 | 1 |
    | 17k + 8 | fill of its buffer, 0 without one | share | 0 | 1 |
    | 17k + 9 | another satellite points to it | 0/1 | 0 | 1 |
    | 17k + 10 | bits that the contact can still take, clipped | 4.8 Tbit | 0 | 4 |
    | 17k + 11 | bits on board over that volume, clipped | 3 | 0 | 1 |
    | 17k + 12 | expected time until a bit sent there is on the ground, clipped | 24 h | 0 | 1 |
    | 17k + 13 | expected time won against waiting, clipped | 6 h | -1 | 1 |
    | 17k + 14 | time until the forecast calls it clear, 0 if it is clear, clipped | 24 h | 0 | 1 |
    | 17k + 15 | number of the receiver plus one over the number of receivers | share | 0 | 1 |
    | 17k + 16 | this slot sends routine data first | 0/1 | 0 | 1 |
    | 17K | log(1 + bits on board / 0.8 Tbit) / 6, clipped | log | 0 | 1 |
    | 17K + 1 | urgent share of the bits on board | share | 0 | 1 |
    | 17K + 2 | the terminal points to a receiver in view | 0/1 | 0 | 1 |
    | 17K + 3 | what is left of the acquisition, clipped | 60 s | 0 | 1 |
    | 17K + 4 | the last choice was taken by another satellite | 0/1 | 0 | 1 |
    | 17K + 5 | length of the last epoch over `max_epoch_s` | share | 0 | 1 |
    | 17K + 6 | time left over the episode | share | 0 | 1 |
    | 17K + 7 | time to the next cut-off, clipped; 1 also means none | 6 h | 0 | 1 |
    | 17K + 8 | expected wait of data that is not sent now, clipped | 24 h | 0 | 1 |
    | 17K + 9 | the same if the forecast is taken at its word, clipped | 24 h | 0 | 1 |
    | 17K + 10 | fill of all buffers together | share | 0 | 1 |
    | 17K + 4n + 11 | time until coming pass n begins, clipped | 3600 s | 0 | 1 |
    | 17K + 4n + 12 | how long it lasts, clipped | 600 s | 0 | 1 |
    | 17K + 4n + 13 | chance that it is clear | probability | 0 | 1 |
    | 17K + 4n + 14 | it is over a HAGS | 0/1 | 0 | 1 |

    ## Rewards

    Per satellite and epoch, in hours: `-waiting + delivered_h delivered - price_h missed`. `waiting` is the time
    integral of its bits that are not on the ground yet, on board and in buffers, over the bits that one satellite
    generates; over an episode, averaged over satellites, it is the mean delay of a bit in hours, with undelivered bits
    counted to the end. Urgent bits count `urgent_weight` times. `delivered` is the share of the bits that reach the
    ground, `missed` the share of (urgent) bits that a cut-off finds elsewhere. Bits in a buffer belong to the satellites
    in proportion to what they brought. Rewards add up over bits and time, so that the undiscounted return is the score; a
    discount per epoch near 1 is right for training (a smaller one makes waiting look free).

    ## Starting State

    Random satellites of the constellation, a random time within three days, the sky in its long-run distribution, empty
    buffers; files appear at random times (or all at the start).

    ## Episode End

    Terminated after `horizon_h`: what is undelivered then has been charged. Episodes differ in the number of epochs;
    `epoch_s` in the infos is the length of each, `dt_s` only the length of the horizon over the largest number of epochs.

    ## Arguments

    | argument | meaning |
    |---|---|
    | preset | name of a preset, `mixed` by default; `ntn-gym list` shows all |
    | scenario | mapping of values that replace those of the preset, e.g. `{"clouds": {"tcs_h": 2.0}}` |
    | n_worlds | draw episodes from so many training worlds instead of an endless stream |
    | trace | a saved or own trace to replay |
    | vector_reward | reward is the vector of reward terms |

    ## Physics and References

    The network is that of Madoery et al., "A novel non-terrestrial networks architecture: all optical LEO constellations
    with high-altitude ground stations" (arXiv:2403.15659): Iridium satellites, stations of KSAT, HAGS 20 km above them,
    exponential clouds, files of 100 GB, 8 Gbit/s; the preset `paper` has its literal setting. Orbits are SGP4 on real
    elements, passes above an elevation mask. Links are ideal, or follow an optical budget (Gaussian beam, haze after Kim,
    scintillation in the Hufnagel-Valley atmosphere, photons per bit; preset `optics`). The forecast says clear or cloudy
    for every station and instant; its Peirce skill score is `forecast.skill` at every lead time.

    Approximations: bits are divisible (a file of 100 GB takes 100 s); a rate is that at the start of the epoch; a HAGS
    keeps its station; elevation masks are geometric; a neighbour can pass data on in the next epoch. The order of drain
    of a buffer is urgent before routine; within one class it does not matter to the reward.

    ## What can be learned

    The bound knows the sky, nobody else does; some of the distance to it cannot be had. What can: when to store above
    clouds and when to wait, whose data is worth a telescope, what to keep on board for a clear pass (in `deadlines` the
    tuned rule stores routine data first), when a neighbour is nearer to the ground (`isl`).
    With a known weather plan (`paper`) routing by expected arrival is close to the bound. The preset `polar` is trivial:
    with sky that is often clear over many polar sites, sending to clear stations and waiting otherwise is within a few
    percent of the bound.

    ## Heuristics

    first contact, longest contact, HAGS first, direct, max residual volume, contact-graph routing (earliest arrival)
    without weather and with the forecast as weather plan, expected value by belief, the same with assignment of receivers
    (the rule to beat), and rollout; `ntn_gym.envs.data_relay.heuristics` has definitions and sources. Bound: linear
    program on the time-expanded graph with the true sky, without acquisition.

    ## Version History

    - v0: first version.
    """

    agent_name = "satellite"

    def __init__(self, scenario: Scenario) -> None:
        """Prepare a scenario; worlds are drawn by `make_world`."""
        self.scenario = scenario
        self.n_agents = scenario.satellites.count
        self.n_slots = scenario.n_targets * scenario.n_classes
        self.page_symbols = {"K": self.n_slots, "N": 3}
        low, high = bounds(self.n_slots)
        self.agent_action_space = spaces.Discrete(self.n_slots + 1)
        self.agent_observation_space = spaces.Box(low, high, dtype=np.float32)
        self.slot_layout = SlotLayout(
            self.n_slots, SLOT_SIZE, USER_SIZE, SLOT["valid"], SLOT["pointed"], n_extra_actions=1
        )
        self.reward_terms = (
            TermSpec("waiting", "h", -1.0, "time integral of the bits not on the ground, per generated bit"),
            TermSpec("delivered", "share", scenario.delivered_h, "share of the bits that reach the ground"),
            TermSpec("missed", "share", 0.0 - scenario.cutoffs.price_h, "share of bits that miss a cut-off"),
        )
        self.kpis = (
            KpiSpec("delivered_share", "share", "sum", "higher", "bits on the ground over bits generated"),
            KpiSpec("delay_h", "h", "sum", "lower", "mean delay of a bit; undelivered ones count to the end"),
            KpiSpec("buffer_mean_share", "share", "sum", "neither", "mean content of all HAGS over bits generated"),
            KpiSpec("buffer_max_share", "share", "max", "neither", "largest content of all HAGS over bits generated"),
            KpiSpec("buffer_max_fill", "share", "max", "lower", "largest fill of a HAGS"),
            KpiSpec("direct_share", "share", "sum", "neither", "bits that went to the ground at once"),
            KpiSpec("overflow_share", "share", "sum", "lower", "bits that a full buffer did not take"),
            KpiSpec("missed_share", "share", "sum", "lower", "bits that missed a cut-off, at each"),
            KpiSpec("turns", "count", "sum", "lower", "terminals turned to another receiver"),
            KpiSpec("refusals", "count", "sum", "lower", "choices of a receiver that served another satellite"),
            KpiSpec("epoch_s", "s", "max", "neither", "length of the epoch (an episode: of the longest one)"),
            KpiSpec("illegal_actions", "count", "sum", "lower", "choices of an empty slot"),
        )
        self._packer = Packer(scenario)
        self._rules = Rules(scenario, self._packer.hags_of)
        self._per_bit = scenario.satellites.count / scenario.total_bits
        self._per_buffer = np.float32(1 / max(self._rules.buffer_bits, 1))
        self._per_out = np.float32(1 / (self._rules.out_bit_ms * 1e3))
        share = 1.0 / scenario.total_bits
        hourly, mean = share / _MS_PER_H, share / scenario.horizon_ms
        self._kpi_units = np.array([share, hourly, mean, share, 1.0, share, share, share, 1.0, 1.0, 1e-3, 1.0])

    # ------------------------------------------------------------------ world

    @cached_property
    def _world(self) -> RelayWorld:
        return RelayWorld(self.scenario)

    @cached_property
    def episode_steps(self) -> int:
        """Largest number of epochs of an episode; contacts are predicted to know it."""
        return self._world.n_slices - 1

    @cached_property
    def dt_s(self) -> float:
        """Horizon over the largest number of epochs; the length of an epoch is the KPI ``epoch_s``."""
        return self.scenario.horizon_ms / 1e3 / self.episode_steps

    def make_world(self) -> RelayWorld:
        """Return the generator of traces for this scenario."""
        return self._world

    def compile(self, carry: None, raw: Arrays) -> tuple[None, Arrays]:
        """Pack a raw trace, see `packing`."""
        return self._packer.compile(carry, raw)

    # ------------------------------------------------------------------ decisions

    def initial(self, now: Now) -> State:
        """Nothing on board, nothing stored."""
        rules = self._rules
        return initial_state(len(now.rows), rules.n_satellites, rules.n_hags, rules.n_classes)

    def step(self, state: State, action: NDArray[Any], now: Now) -> tuple[State, Outcome]:
        """Apply one choice per satellite; see `rules.Rules.transition` for what it does."""
        new, events = self._rules.transition(state, np.asarray(action), now)
        return new, self._outcome(events, now)

    def _outcome(self, events: Events, now: Now) -> Outcome:
        per_bit = self._per_bit
        shape = events.waiting.shape
        terms = np.empty((*shape, 3))
        terms[..., 0] = events.priced * (per_bit / _MS_PER_H)
        terms[..., 1] = events.delivered * per_bit
        terms[..., 2] = events.missed * per_bit
        kpis = np.empty((*shape, 12))
        kpis[..., 0] = events.delivered
        kpis[..., 1] = events.waiting
        kpis[..., 2] = events.stored
        kpis[..., 3] = events.highest[:, None]
        kpis[..., 4] = events.fullest[:, None]
        kpis[..., 5] = events.direct
        kpis[..., 6] = events.overflow
        kpis[..., 7] = events.missed
        kpis[..., 8] = events.turned
        kpis[..., 9] = events.refused
        kpis[..., 10] = now["duration_ms"][:, None]
        kpis[..., 11] = events.illegal
        kpis *= self._kpi_units
        return Outcome(terms, kpis, now["ends"].copy())

    def observe(self, state: State, now: Now) -> NDArray[np.float32]:
        """Complete the packed features by what depends on decisions."""
        rules = self._rules
        result: NDArray[np.float32] = now["features"].copy()
        receiver, clear = now["receiver"], now["slot_clear"]
        valid = receiver >= 0
        waiting = state.onboard + now["arrival_bits"]
        queue = waiting[..., 0] if waiting.shape[-1] == 1 else waiting[..., 0] + waiting[..., 1]
        pointed = receiver == state.pointed[..., None]
        pointed &= valid
        # Views of the result: slots [B, S, P, K, entries], satellites [B, S, entries].
        n_packed = self.n_slots * SLOT_SIZE
        slots = result[..., :n_packed].reshape(*receiver.shape[:2], rules.n_classes, rules.n_slots, SLOT_SIZE)
        user = result[..., n_packed:]
        slots[..., _POINTED] = pointed[:, :, None]
        volume, wait_s = now["slot_volume"], now["slot_wait_s"]
        if rules.n_hags:
            level = state.hags[..., 0] if rules.n_classes == 1 else state.hags.sum(axis=2)
            stored = level.astype(np.float32)
            hags = now["hags"]
            held = hags >= 0
            place = np.maximum(hags, 0) + np.arange(0, level.size, rules.n_hags)[:, None, None]
            content = stored.reshape(-1).take(place) * held
            slots[..., _FILL] = (content * self._per_buffer)[:, :, None]
            held &= ~clear
            volume = np.where(held, np.minimum(volume, np.float32(rules.buffer_bits) - content), volume)
            wait_s = wait_s + held * (content * self._per_out)
            user[..., USER["stored"]] = stored.sum(axis=1)[:, None] * np.float32(self._per_buffer / rules.n_hags)
        if self.n_agents > 1:
            others = (receiver[:, :, :, None] == state.pointed[:, None, None, :]).sum(axis=3) > pointed
            others &= valid
            slots[..., _TAKEN] = others[:, :, None]
        slots[..., _VOLUME] = (np.minimum(volume, _MOST_VOLUME) * np.float32(1 / VOLUME_BITS))[:, :, None]
        ratio = queue.astype(np.float32)[..., None] / np.maximum(volume, np.float32(1.0))
        slots[..., _PRESSURE] = (np.minimum(ratio, np.float32(3.0)) * (valid * np.float32(1 / 3)))[:, :, None]
        slots[..., _WAIT] = (np.minimum(wait_s * np.float32(1 / WAIT_S), np.float32(1)) * valid)[:, :, None]
        gain = (now["decline_s"][..., None] - wait_s) * np.float32(1 / GAIN_S)
        gain = np.maximum(np.minimum(gain, np.float32(1)), np.float32(-1)) * valid
        slots[..., _GAIN] = gain[:, :, None]

        user[..., USER["queue"]] = np.minimum(np.log1p(queue * (1 / QUEUE_BITS)) * (1 / QUEUE_LOG), 1.0)
        if rules.n_classes == 2:
            user[..., USER["urgent"]] = waiting[..., 0] / np.maximum(queue, 1)
        user[..., USER["pointing"]] = pointed.any(axis=2)
        user[..., USER["acquiring"]] = np.minimum(state.acquiring_ms * (1e-3 / ACQUISITION_S), 1.0)
        user[..., USER["refused"]] = state.refused
        return result

    def action_mask(self, state: State, now: Now) -> NDArray[np.bool_]:
        """Receivers in view are legal, and waiting always is."""
        receiver = now["receiver"]
        mask = np.empty((*receiver.shape[:2], self.n_slots + 1), dtype=bool)
        for order in range(self.scenario.n_classes):
            first = order * self._rules.n_slots
            mask[..., first : first + self._rules.n_slots] = receiver >= 0
        mask[..., -1] = True
        return mask
