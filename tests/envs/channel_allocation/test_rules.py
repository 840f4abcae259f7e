"""Rules in plain situations, and scores of channels against afterstates that are worked out in full."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from ntn_gym.core.engine import Engine
from ntn_gym.envs.channel_allocation.packing import EVENT
from ntn_gym.world.calls import Kind

from .helpers import Player, by_hand, draw, line_task, play, rule, task_of
from .plain_borrowing import happenings


def arrivals(cells: list[int]) -> list[tuple[float, Kind, int, int]]:
    return [(1.0, Kind.NEW, cell, 0) for cell in cells]


def test_borrowing_by_hand() -> None:
    """A cell of the benchmark fills its ten own channels from below, borrows the highest of a neighbour, returns it."""
    cell = 24
    events = [*arrivals([cell] * 12), (1.0, Kind.END, cell, 3), (1.0, Kind.END, cell, 0)]
    task = task_of(steps=len(events))
    player, bdcl = Player(task, by_hand(task, events)), rule(task, "bdcl")
    topology = task.plan.topology
    own = np.flatnonzero(task.plan.nominal[cell]).tolist()
    taken = []
    for _ in range(12):
        taken.append(player.ask(bdcl))
        player.step(taken[-1])
    assert taken[:10] == own == list(range(own[0], own[0] + 10))
    borrowed = taken[10:]
    # All neighbours have all of their channels, so that the highest channel of all shares is borrowed, then the next.
    lenders = [j for j in topology.adjacent[cell].tolist() if j >= 0]
    shares = sorted(c for j in lenders for c in np.flatnonzero(task.plan.nominal[j]))
    assert borrowed[0] == shares[-1]
    # That neighbour has one less now: the highest channel of the others.
    first_lender = next(j for j in lenders if task.plan.nominal[j, borrowed[0]])
    assert borrowed[1] == max(c for c in shares if not task.plan.nominal[first_lender, c])
    # The fourth own channel falls free: the call on the lowest borrowed channel comes home.
    assert player.ask(bdcl) == min(borrowed)
    player.step(min(borrowed))
    assert not player.state.used[0, min(borrowed)]
    # Rank 0 holds the lowest own channel; it ends, and the other borrowed call comes home.
    assert player.ask(bdcl) == max(borrowed)
    player.step(max(borrowed))
    mine = np.flatnonzero(player.state.used[0] & topology.own_bit[cell]).tolist()
    assert mine == own


def test_borrowing_keeps_own_calls_low() -> None:
    """Without borrowed channels the call on the highest own channel moves down, unless the freed one is the highest."""
    events = [*arrivals([24] * 4), (1.0, Kind.END, 24, 1), (1.0, Kind.END, 24, 1)]
    task = task_of(steps=len(events))
    player, bdcl = Player(task, by_hand(task, events)), rule(task, "bdcl")
    own = np.flatnonzero(task.plan.nominal[24]).tolist()
    for _ in range(4):
        player.step(player.ask(bdcl))
    assert player.ask(bdcl) == own[3]  # own[1] has fallen free
    player.step(own[3])
    # The call of rank 1 is now the last one, which holds own[1]; own[0] and own[2] stay, and own[2] comes down.
    assert player.ask(bdcl) == own[2]


def test_fixed_assignment_refuses_what_others_carry() -> None:
    task = task_of(steps=11)
    for name, carried in (("fixed", 10), ("first-free", 11), ("nominal-first", 11), ("maxavail", 11)):
        player, policy = Player(task, by_hand(task, arrivals([24] * 11))), rule(task, name)
        for _ in range(11):
            player.step(player.ask(policy))
        assert player.state.carried[0] == carried, name


def test_most_reused_packs_at_the_reuse_distance() -> None:
    task = task_of(steps=2)
    distance = task.plan.topology.distance
    # Channel 5 is used three steps away, where it does no harm: the next call takes it, first free takes channel 0.
    far = int(np.flatnonzero(distance[24] == 3)[0])
    for name, expected in (("most-reused", 5), ("maxavail", 5), ("scarcity", 5), ("first-free", 0)):
        player = Player(task, by_hand(task, arrivals([far, 24])))
        player.step(5)
        assert player.ask(rule(task, name)) == expected, name


def test_guard_channels_are_kept_for_hand_overs() -> None:
    """Two cells that reuse everything, three channels: with one guard channel the third call is let in by hand-over."""
    events = [
        (1.0, Kind.NEW, 0, 0),
        (1.0, Kind.NEW, 0, 0),
        (1.0, Kind.NEW, 0, 0),
        (1.0, Kind.NEW, 1, 0),
        (1.0, Kind.LEAVE, 1, 0),
        (0.0, Kind.HANDOVER, 0, 0),
    ]
    task = line_task(2, 3, 1.0, steps=len(events), reuse_distance=1)
    player, guard = Player(task, by_hand(task, events)), rule(task, "guard", channels=1)
    happened = []
    for _ in events:
        happened.append(player.step(player.ask(guard)))
    assert [int(step["blocking"]) for step in happened] == [0, 0, 1, 0, 0, 0]
    assert [int(step["handovers"]) for step in happened] == [0, 0, 0, 0, 0, 1]
    assert happened[-1]["dropping"] == 0
    assert player.state.carried[0] == 3


def potential(free: np.ndarray, base: float | None) -> np.ndarray:
    """What all free channels of cells are worth, [B]: their number, or for each cell 1 + b + ... + b^(f - 1)."""
    return (free if base is None else (1 - base**free) / (1 - base)).sum(axis=1)


@pytest.mark.parametrize(
    ("name", "base"), [("maxavail-r", None), ("scarcity-r", 0.2), ("scarcity-r", 0.5), ("scarcity-r", 0.7)]
)
def test_rules_choose_the_best_afterstate(name: str, base: float | None) -> None:
    """On arrivals and departures, against all afterstates counted anew."""
    parameters: dict[str, Any] = {} if base is None else {"base": base}
    task, seeds = task_of(steps=400), [3, 4]
    engine, policy = Engine(task, len(seeds)), rule(task, name, **parameters)
    engine.reset(seeds=seeds)
    bits = task.plan.topology.own_bit
    near = task.plan.topology.distance < 3
    compared = 0
    for step in range(task.episode_steps):
        mask = engine.action_mask()[:, 0, :-1]
        action = policy.act(engine.observe(), None, np.zeros(2, bool))[:, 0]
        for b in range(len(seeds)) if step % 5 == 0 else ():
            cell = int(engine.now["event"][b, EVENT["cell"]])
            uses = (engine.state.used[b] & bits[:, None]) != 0
            departs = engine.now["event"][b, EVENT["kind"]] >= Kind.END
            if departs:
                rank = engine.now["event"][b, EVENT["rank"]]
                freed = int(engine.state.channel[b, cell, rank])
                uses[cell, freed] &= freed < 0
            after = []
            named = np.flatnonzero(mask[b]).tolist()
            for channel in [*named, None] if departs else named:
                then = uses.copy()
                if channel is not None:
                    then[cell, channel] = not departs
                    if departs:
                        then[cell, freed] = True
                after.append((near.astype(int) @ then == 0).sum(axis=1))
            if not named:
                assert action[b] == task.n_channels
                continue
            worth = potential(np.array(after, dtype=float), base)
            chosen = [*named, task.n_channels].index(action[b])
            assert worth[chosen] == pytest.approx(worth.max(), abs=2e-5)
            compared += 1
        engine.step(action[:, None])
    assert compared > 50


def test_order_of_the_rules() -> None:
    """What is known of them on the benchmark: fixed blocks more than borrowing, borrowing more than scarcity-R."""
    task = task_of(steps=1500)
    engine = Engine(task, 16)
    blocking = [
        play(task, rule(task, name), range(16), 600, engine).blocking for name in ("fixed", "bdcl", "scarcity-r")
    ]
    assert blocking == sorted(blocking, reverse=True)
    assert blocking[0] > 5 * blocking[-1]


@pytest.mark.parametrize(("erlang", "share"), [(7.5, 0.15), (17.5, 0.0)])
def test_borrowing_call_by_call(erlang: float, share: float) -> None:
    """Against a second program in plain Python; the cascade of the original scheme hardly matters."""
    load = {"offered_erlang": erlang, "handover_share": share}
    task, seeds = task_of(steps=700, load=load), range(8)
    counts, packed = play(task, rule(task, "bdcl"), seeds, warm_steps=0), draw(task, seeds)
    plain = happenings(task, packed, cascade=False)
    assert counts.blocked.sum(axis=1).tolist() == (plain == 2).sum(axis=1).tolist()
    assert counts.dropped.sum(axis=1).tolist() == (plain == 4).sum(axis=1).tolist()
    assert counts.blocking > 0.03
    original = happenings(task, packed, cascade=True)
    assert abs((original == 2).sum() - (plain == 2).sum()) < 0.05 * (plain == 2).sum()
