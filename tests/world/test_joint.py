"""Processes that share a recursion: each is the Gauss-Markov process that it would be alone."""

import itertools
import math

import numpy as np
import pytest

from ntn_gym.world import processes
from ntn_gym.world.joint import JointProcesses, Process

MEMBERS = {"a": Process((3, 2), 0.05), "b": Process((), 0.5), "c": Process((4,), 0.01)}


def generators(name, n_worlds, first=0):
    return [np.random.Generator(np.random.SFC64([ord(name), first + world])) for world in range(n_worlds)]


def run(members, n_worlds, cuts, fresh=None, first=0):
    joint = JointProcesses(members, 2.0)
    state = joint.start({name: generators(name, n_worlds, first) for name in members})
    parts = []
    for a, b in itertools.pairwise(cuts):
        reset = {} if fresh is None else {"c": fresh[:n_worlds, a:b]}
        state, samples = joint.advance(state, b - a, reset)
        parts.append({name: array.copy() for name, array in samples.items()})
    return {name: np.concatenate([part[name] for part in parts], axis=1) for name in members}


@pytest.mark.parametrize("name", MEMBERS)
def test_a_member_is_the_process_alone(name):
    fresh = np.random.default_rng(0).random((2, 40, 4)) < 0.2
    ours = run(MEMBERS, 2, [0, 40], fresh)[name]
    member, own = MEMBERS[name], generators(name, 2)
    start = processes.start_gauss_markov(own, member.shape)
    innovations = processes.draw_normal(own, 40, member.shape)
    rho = math.exp(-member.rate_per_s * 2.0)
    alone = processes.ar1(start, innovations, rho, fresh if name == "c" else None)
    assert np.array_equal(ours, alone)


def test_the_recursion_by_hand():
    joint = JointProcesses({"x": Process((2,), math.log(2.0))}, 1.0)  # rho = 1/2
    state = joint.start({"x": generators("x", 1)})
    own = generators("x", 1)
    y, w = processes.start_gauss_markov(own, (2,))[0], processes.draw_normal(own, 2, (2,))[0]
    fresh = np.array([[[False, False], [True, False]]])
    _, samples = joint.advance(state, 2, {"x": fresh})
    first = y / 2 + math.sqrt(0.75) * w[0]
    np.testing.assert_allclose(samples["x"][0, 0], first, rtol=1e-5)
    assert samples["x"][0, 1, 0] == w[1, 0]
    assert samples["x"][0, 1, 1] == pytest.approx(first[1] / 2 + math.sqrt(0.75) * w[1, 1], rel=1e-5)


def test_worlds_chunks_and_other_members_do_not_change_a_bit():
    fresh = np.random.default_rng(1).random((5, 30, 4)) < 0.1
    whole = run(MEMBERS, 5, [0, 30], fresh)
    parts = run(MEMBERS, 5, [0, 1, 2, 17, 30], fresh)
    alone = run(MEMBERS, 1, [0, 7, 30], fresh[3:], first=3)
    fewer = run({"c": MEMBERS["c"]}, 5, [0, 30], fresh)
    for name in MEMBERS:
        assert np.array_equal(whole[name], parts[name])
        assert np.array_equal(whole[name][3], alone[name][0])
    assert np.array_equal(whole["c"], fewer["c"])
    assert whole["b"].shape == (5, 30)
    assert all(array.dtype == np.float32 for array in whole.values())


def test_members_are_stationary_and_independent():
    joint = JointProcesses({"a": Process((1,), 0.1), "b": Process((1,), 0.02)}, 1.0)
    n = 20000
    state = joint.start({name: generators(name, n) for name in "ab"})
    _, samples = joint.advance(state, 11)
    a, b = samples["a"][..., 0].astype(float), samples["b"][..., 0].astype(float)
    for x, rate in ((a, 0.1), (b, 0.02)):
        assert np.abs(x.var(axis=0) - 1).max() < 4.5 * math.sqrt(2 / n)
        assert (x[:, 0] * x[:, 10]).mean() == pytest.approx(math.exp(-10 * rate), abs=4.5 * math.sqrt(2 / n))
    assert abs((a * b).mean(axis=0)).max() < 4.5 / math.sqrt(n)
