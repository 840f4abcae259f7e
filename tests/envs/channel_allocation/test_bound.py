"""The bound: instances solved by hand, and no rule beats it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from ntn_gym.core.engine import Engine
from ntn_gym.core.seeding import WorldKey
from ntn_gym.envs.channel_allocation.bound import bound
from ntn_gym.envs.channel_allocation.clique_packing import clique_packing
from ntn_gym.envs.channel_allocation.heuristics import HEURISTICS
from ntn_gym.envs.channel_allocation.topology import cliques
from ntn_gym.evaluation.uniform import UniformPolicy
from ntn_gym.world.calls import Kind

from .helpers import Player, by_hand, draw, line_task, task_of

# Three cells in a row share one channel. The call in the middle (1 to 6) keeps out those beside it (2 to 5, 3 to 7).
MIDDLE = [
    (1.0, Kind.NEW, 1, 0),
    (1.0, Kind.NEW, 0, 0),
    (1.0, Kind.NEW, 2, 0),
    (2.0, Kind.END, 0, 0),
    (1.0, Kind.END, 1, 0),
    (1.0, Kind.END, 2, 0),
]


def test_one_call_stands_in_the_way_of_two() -> None:
    task = line_task(3, 1, 1.0, steps=len(MIDDLE))
    packed = by_hand(task, MIDDLE)
    # Offered: 5 + 3 + 4. Carried: the two outer ones at best, 7; whoever takes all comers carries the middle one, 5.
    assert bound(task, packed).value[0] == pytest.approx(7 - 12, abs=1e-9)
    assert clique_packing(task, packed).value[0] == pytest.approx(5 - 12, abs=1e-9)
    for refuse_first, value in ((True, 7 - 12), (False, 5 - 12)):
        player = Player(task, packed)
        for step in range(len(MIDDLE)):
            player.step(1 if refuse_first and step == 0 else 0)
        assert player.value[0] == pytest.approx(value, abs=1e-9)


def test_a_dropped_hand_over_costs_its_price() -> None:
    """A call begins in cell 0 (1 to 4) and goes on in cell 1 (4 to 6), where another one begins (3 to 8)."""
    events = [
        (1.0, Kind.NEW, 0, 0),
        (2.0, Kind.NEW, 1, 0),
        (1.0, Kind.LEAVE, 0, 0),
        (0.0, Kind.HANDOVER, 1, 0),
        (2.0, Kind.END, 1, 1),
        (2.0, Kind.END, 1, 0),
    ]
    reward = {"dropped_handover_calls": 10.0}
    task = line_task(2, 1, 1.0, steps=len(events), reuse_distance=1, reward=reward)
    packed = by_hand(task, events)
    # Offered: 3 + 2 + 5. Refusing the second call leaves 3 + 2; taking both 3 + 5, less 10.
    assert bound(task, packed).value[0] == pytest.approx(5 - 10, abs=1e-9)
    assert clique_packing(task, packed).value[0] == pytest.approx(8 - 10 - 10, abs=1e-9)
    for refuse_second, value in ((True, 5 - 10), (False, 8 - 10 - 10)):
        player = Player(task, packed)
        for step in range(len(events)):
            kpis = player.step(1 if refuse_second and step == 1 else 0)
            assert kpis["handovers"] == (step == 3)
            assert kpis["dropping"] == (step == 3 and not refuse_second)
        assert player.value[0] == pytest.approx(value, abs=1e-9)


def test_cliques_of_the_benchmark() -> None:
    """Cells closer than three steps: the 7-cell flowers and triangles of side two that no other set contains."""
    topology = task_of().plan.topology
    found = cliques(topology)
    near = topology.distance < 3
    members = [np.flatnonzero([bits >> i & 1 for i in range(49)]) for bits in found]
    assert len(found) == len(set(found)) == 80
    for cells in members:
        assert near[np.ix_(cells, cells)].all()
        # Nobody else is near all of them.
        assert near[:, cells].all(axis=1).sum() == len(cells)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"load": {"offered_erlang": 3.0}, "reward": {"form": "lump"}},
        {"load": {"offered_erlang": 3.0, "handover_share": 0.4}, "reward": {"dropped_handover_calls": 5.0}},
    ],
)
def test_no_rule_beats_the_bound(changes: dict[str, Any]) -> None:
    task, seeds = task_of("tiny", **{"steps": 250, **changes}), range(8)
    packed = draw(task, seeds)
    limit = bound(task, packed).value
    assert (limit >= clique_packing(task, packed).value - 1e-6).all()
    engine = Engine(task, len(seeds))
    policies = {name: spec.factory(task, {}) for name, spec in HEURISTICS.items()}
    best = np.full(len(seeds), -np.inf)
    for name, policy in {**policies, "random": UniformPolicy(task)}.items():
        engine.reset(seeds=list(seeds))
        policy.reset(len(seeds))
        value = np.zeros(len(seeds))
        for _ in range(task.episode_steps):
            value += engine.step(
                policy.act(engine.observe(), engine.action_mask(), np.zeros(len(seeds), bool))
            ).reward.mean(axis=1)
        assert (value <= limit + 1e-6).all(), name
        best = np.maximum(best, value)
    # It says something: offered calls are lost on some worlds.
    assert limit.mean() > best.mean()


def test_bound_needs_whole_episodes() -> None:
    task = task_of("tiny", steps=20)
    world = task.make_world()
    raw = world.advance(world.begin([WorldKey(0)]), 10)[1]
    with pytest.raises(ValueError, match="expected 21"):
        bound(task, task.compile(None, raw)[1])
