"""The decision problem: which channel carries which call."""

from __future__ import annotations

from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from ntn_gym.core.slots import SlotLayout
from ntn_gym.core.task import Arrays, KpiSpec, Now, Outcome, TermSpec
from ntn_gym.envs.channel_allocation.observation import CELL_SIZE, SLOT, SLOT_SIZE, Observer, bounds
from ntn_gym.envs.channel_allocation.packing import EVENT, Packer
from ntn_gym.envs.channel_allocation.plan import make_plan
from ntn_gym.envs.channel_allocation.rules import Situation, legal_channels, situation, transition
from ntn_gym.envs.channel_allocation.scenario import Scenario
from ntn_gym.envs.channel_allocation.single import Look, SingleWorld
from ntn_gym.envs.channel_allocation.state import State, fixed_assignment
from ntn_gym.envs.channel_allocation.world import CallsWorld
from ntn_gym.world.calls import Kind

_NEW, _END, _LEAVE = int(Kind.NEW), int(Kind.END), int(Kind.LEAVE)


class ChannelAllocationTask:
    """Give each call a channel that no cell nearby uses.

    ## Description

    A platform serves N cells with C channels. A channel may be used in two cells if they are `cells.reuse_distance`
    steps or more apart. Calls begin, hand over to a neighbouring cell and end; each of these events is a step. A call
    that begins or arrives takes a channel or is refused. When a call ends or leaves, one other call of its cell may
    move to the channel that has fallen free (`moves: one`), which is how channels that lie badly are given back.

    A channel that is free in a cell is lost to up to 18 cells around it once it is taken, and they will need it more or
    less soon. So it matters *which* of the free channels a call gets, and sometimes a call is better refused: hand-overs
    that are dropped cost more than calls that never began, and one call can stand in the way of two.

    The events are those of all *offered* calls, whether they are carried or not, so that every policy meets the same
    ones. The end of a lost call is a step with nothing to decide.

    ## Action Space

    `Discrete(C + 1)`. Of the channels the mask allows, on an arrival, those that are free in the cell, on a departure
    those that the other calls of the cell use. The last action is always allowed.

    | action | meaning |
    |---|---|
    | c | on an arrival: take channel c; on a departure: the call on channel c moves to the channel that has fallen free |
    | C | on an arrival: refuse the call; on a departure: move nothing |

    A forbidden channel has the effect of the last action, and `illegal_actions` counts it.

    ## Observation Space

    `Box` of 14 C + 21 numbers: 14 per channel (all zero where it may not be named), then 21 of the cell and the event.
    The first describe what naming the channel changes against action C, in the cell itself and the cells closer than the
    reuse distance (up to 19 in all): a cell with f free channels loses b^(f - 1) with one of them and gains b^f with one
    more, for b = 0.2, 0.35, 0.5, 0.7. So they are negative on an arrival; on a departure they compare the channel that
    would be given back with the one that has fallen free.

    | index | meaning | unit | min | max |
    |---|---|---|---|---|
    | 14c | channel k may be named | 0/1 | 0 | 1 |
    | 14c + 1 | it is the cell's own by plan; on a departure the freed channel is, less this one | 1 | -1 | 1 |
    | 14c + 2 | cells at the reuse distance that use it; on a departure those of the freed one less its own | share of 18 | -1 | 1 |
    | 14c + 3 | the same one step further out | share of the most possible | -1 | 1 |
    | 14c + 4 | change of the number of channels that are free in cells around | share of 19 | -1 | 1 |
    | 14c + 5 | change of their value with b = 0.2 | 19 channels | -1 | 1 |
    | 14c + 6 | the same with b = 0.35 | 19 channels | -1 | 1 |
    | 14c + 7 | the same with b = 0.5 | 19 channels | -1 | 1 |
    | 14c + 8 | the same with b = 0.7 | 19 channels | -1 | 1 |
    | 14c + 9 | change of their value with b = 0.2, each cell weighted with its predicted load over the largest one | 19 channels | -1 | 1 |
    | 14c + 10 | the same with b = 0.35 | 19 channels | -1 | 1 |
    | 14c + 11 | the same with b = 0.5 | 19 channels | -1 | 1 |
    | 14c + 12 | the same with b = 0.7 | 19 channels | -1 | 1 |
    | 14c + 13 | on an arrival: own channels still free in the adjacent cell whose own it is (or in this one), and 1; 0 if there is no such cell | share of its own channels and 1 | 0 | 1 |
    | 14C | a call begins | 0/1 | 0 | 1 |
    | 14C + 1 | a call hands over and waits for a channel | 0/1 | 0 | 1 |
    | 14C + 2 | a channel has fallen free | 0/1 | 0 | 1 |
    | 14C + 3 | because its call hands over to a neighbouring cell | 0/1 | 0 | 1 |
    | 14C + 4 | time since the event before, clipped | 5 mean intervals | 0 | 1 |
    | 14C + 5 | free channels of the cell | share of C | 0 | 1 |
    | 14C + 6 | free channels of the cells closer than the reuse distance, mean | share of C | 0 | 1 |
    | 14C + 7 | the least of them | share of C | 0 | 1 |
    | 14C + 8 | calls of the cell | share of C | 0 | 1 |
    | 14C + 9 | calls carried in all cells, clipped | mean offered calls | 0 | 3 |
    | 14C + 10 | calls that were refused and would still go on, clipped; no decision depends on them, but the reward does | mean offered calls | 0 | 3 |
    | 14C + 11 | mean of b^f over all cells after action C, b = 0.2 | 1 | 0 | 1 |
    | 14C + 12 | the same with b = 0.35 | 1 | 0 | 1 |
    | 14C + 13 | the same with b = 0.5 | 1 | 0 | 1 |
    | 14C + 14 | the same with b = 0.7 | 1 | 0 | 1 |
    | 14C + 15 | predicted load of the cell, from the known profile of the day, clipped | own channels per cell | 0 | 5 |
    | 14C + 16 | mean of the same over the cells closer than the reuse distance | own channels per cell | 0 | 5 |
    | 14C + 17 | predicted load of the cell half a mean holding time ahead | own channels per cell | 0 | 5 |
    | 14C + 18 | speed at which the platform drifts, clipped | 10 m/s | 0 | 5 |
    | 14C + 19 | number of the freed channel plus 1; 0 without one | C | 0 | 1 |
    | 14C + 20 | the freed channel is the cell's own by plan | 0/1 | 0 | 1 |

    ## Rewards

    In calls of mean holding time: `carried - offered - w dropped`. `carried` and `offered` are numbers of calls,
    integrated over the time since the event before and divided by the mean holding time; w is
    `reward.dropped_handover_calls`. The offered calls are the same for every policy, so that subtracting them changes no
    comparison, but takes the luck of busy and quiet times out of the return: a refused call costs the time it would have
    lasted. With `reward.form: lump` it costs 1 at once, counted by `blocked` and `dropped`; the expectation is the same,
    because a call that has begun lasts one more mean holding time, however old it is. Rewards are sums over steps of
    different length: discount with a factor near 1, or by the time since the event before, never by the number of events in a busy hour.

    ## Starting State

    At a random time of the day, with the offered calls in their stationary distribution (Poisson in each cell); each
    cell carries as many of them as it has channels by plan, as a platform with fixed assignment would.

    ## Episode End

    Never terminated; truncated after `steps` events (2000 by default, about 2.7 mean holding times in the default
    preset). Bootstrap the value at the end.

    ## Arguments

    | argument | meaning |
    |---|---|
    | preset | name of a preset, `hex-49` by default; `ntn-gym list` shows all |
    | scenario | mapping of values that replace those of the preset, e.g. `{"load": {"offered_erlang": 9}}` |
    | n_worlds | draw episodes from so many training worlds instead of an endless stream |
    | trace | a saved or own trace to replay |
    | vector_reward | reward is the vector of reward terms |

    ## Physics and References

    Arrivals are Poisson and times exponential, so that fixed assignment meets the Erlang B formula in every cell; own
    channels are those of the 7-cell cluster of the cellular concept (Mac Donald, Bell System Technical Journal 58(1),
    1979). The default is the problem of S. Singh and D. Bertsekas, "Reinforcement Learning for Dynamic Channel
    Allocation in Cellular Telephone Systems", NIPS 1996: 7 x 7 cells, 70 channels, reuse at three steps, calls of three
    minutes, 150 per hour and cell. A hand-over by movement goes to each neighbour with equal probability. When the
    platform drifts with velocity v, users of a cell with corner radius R cross its side with outward normal n at the
    rate 2 max(0, -v n)/(3 sqrt(3) R), which hands over 0.74 v/R of the calls per second, all in one direction; calls
    enter over the edge of the grid at the rate at which they would leave it. Wind is the excess over the platform's
    airspeed of recorded winds and Gauss-Markov gusts.

    Approximations: interference is the reuse distance and nothing finer; users of a cell are spread evenly and mix at
    once; callers who are refused do not try again; the platform does not come back within an episode.

    ## Heuristics

    fixed assignment, random, first free, most reused, nominal first, guard channels, MAXAVAIL and MAXAVAIL-R (with a
    move per departure), borrowing with directional locking, scarcity and scarcity-R, the rule to beat, and scarcity-R
    with cells weighted by their load; `ntn_gym.envs.channel_allocation.heuristics` has definitions and sources. Bound:
    a linear programme over cliques that knows all calls in advance. Packing with unlimited moves is printed beside it
    (`clique_packing`); it is no bound: refusing a call that would fit can be better.

    ## Version History

    - v0: first version.
    """

    agent_name = "platform"
    n_agents = 1

    def __init__(self, scenario: Scenario) -> None:
        """Prepare a scenario; worlds are drawn by `make_world`."""
        self.scenario = scenario
        self.plan = make_plan(scenario.cells)
        self.packer = Packer(scenario)
        self.n_channels = scenario.cells.channels
        self.moves = scenario.moves == "one"
        self.page_symbols = {"C": self.n_channels}
        self.episode_steps = scenario.steps
        self.dt_s = 1 / self.packer.events_per_s
        low, high = bounds(self.n_channels)
        self.agent_action_space = spaces.Discrete(self.n_channels + 1)
        self.agent_observation_space = spaces.Box(low, high, dtype=np.float32)
        self.slot_layout = SlotLayout(
            self.n_channels, SLOT_SIZE, CELL_SIZE, SLOT["valid"], None, n_extra_actions=1, first_slot_action=0
        )
        price = scenario.reward.dropped_handover_calls
        integral = scenario.reward.form == "integral"
        self.reward_terms = (
            TermSpec("carried", "calls", float(integral), "carried calls, in mean holding times"),
            TermSpec("offered", "calls", -float(integral), "offered calls, the same for every policy"),
            TermSpec("blocked", "calls", -float(not integral), "new calls refused"),
            TermSpec("dropped", "calls", -(price + float(not integral)), "hand-overs dropped"),
        )
        self.kpis = (
            KpiSpec("interval_s", "s", "mean", "neither", "time since the event before"),
            KpiSpec("blocking", "share", "mean", "lower", "refused new calls over new calls", per="new_calls"),
            KpiSpec("dropping", "share", "mean", "lower", "dropped hand-overs over hand-overs", per="handovers"),
            KpiSpec("new_calls", "calls", "sum", "neither", "calls that begin"),
            KpiSpec("handovers", "calls", "sum", "neither", "carried calls that ask for a channel in another cell"),
            KpiSpec("carried_calls", "calls", "mean", "higher", "calls carried, mean over events"),
            KpiSpec("moves", "calls", "sum", "neither", "calls moved to another channel"),
            KpiSpec("illegal_actions", "count", "sum", "lower", "forbidden channels named"),
        )
        self._observer = Observer(self.plan, self.packer)
        self._single = SingleWorld(self.plan, self._observer, self.moves, scenario.load.holding_s)
        self._one: tuple[State, Now, Look] | None = None
        self._seen: tuple[State, Now, Situation, NDArray[np.bool_]] | None = None

    # ------------------------------------------------------------------ world

    def make_world(self) -> CallsWorld:
        """Return the generator of traces for this scenario."""
        return CallsWorld(self.scenario)

    def compile(self, carry: None, raw: Arrays) -> tuple[None, Arrays]:
        """Pack a raw trace, see `packing`; it needs no memory."""
        return None, self.packer.compile(raw)

    # ------------------------------------------------------------------ decisions

    def initial(self, now: Now) -> State:
        """Fixed assignment has been at work."""
        return fixed_assignment(self.plan, now["offered"], self.scenario.calls_per_cell)

    def step(self, state: State, action: NDArray[Any], now: Now) -> tuple[State, Outcome]:
        """Apply one action per world; see `rules.transition` for what it does."""
        if len(action) == 1:
            return self._single.step(state, self._look_at_one(state, now), int(action[0, 0]), float(now["dt_s"][0]))
        event, dt_s = now["event"], now["dt_s"].astype(np.float64)
        s, _ = self._look(state, now)
        new_state, effect = transition(self.plan, state, s, event, action[:, 0], self.moves)
        new = s.kind == _NEW
        asks = s.live & ~s.departs & ~new
        blocked, dropped = new & ~effect.accepted, asks & ~effect.accepted
        share = dt_s / self.scenario.load.holding_s
        terms = (state.carried * share, event[:, EVENT["total"]] * share, blocked, dropped)
        kpis = (dt_s, blocked, dropped, new, asks, new_state.carried, effect.moved, effect.illegal)
        both = np.empty((len(event), 1, len(terms) + len(kpis)))
        for k, value in enumerate((*terms, *kpis)):
            both[:, 0, k] = value
        never = np.zeros(len(event), dtype=bool)
        return new_state, Outcome(both[..., : len(terms)], both[..., len(terms) :], never, both)

    def observe(self, state: State, now: Now) -> NDArray[np.float32]:
        """Describe every channel, the event and its cell, see `observation`."""
        if len(state.used) == 1:
            return self._single.observe(state, self._look_at_one(state, now), now["context"][0])[:, None]
        s, legal = self._look(state, now)
        return self._observer.observe(state, s, legal, now["event"], now["context"])[:, None]

    def action_mask(self, state: State, now: Now) -> NDArray[np.bool_]:
        """Return the channels that may be named; the last action always may."""
        mask = np.ones((len(state.used), 1, self.n_channels + 1), dtype=bool)
        single = len(state.used) == 1
        mask[:, 0, :-1] = self._look_at_one(state, now).legal if single else self._look(state, now)[1]
        return mask

    def _look(self, state: State, now: Now) -> tuple[Situation, NDArray[np.bool_]]:
        """Return what is to be decided and the channels that may be named; observation, mask and step share it.

        Neither a state nor a slice ever changes, so that what was found for them stays true.
        """
        seen = self._seen
        if seen is not None and seen[0] is state and seen[1] is now:
            return seen[2], seen[3]
        s = situation(self.plan, state, now["event"])
        legal = legal_channels(s, state.used, self.moves)
        self._seen = (state, now, s, legal)
        return s, legal

    def _look_at_one(self, state: State, now: Now) -> Look:
        """Return the same for one world."""
        seen = self._one
        if seen is not None and seen[0] is state and seen[1] is now:
            return seen[2]
        one = self._single.look(state, now["event"][0])
        self._one = (state, now, one)
        return one
