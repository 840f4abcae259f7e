"""Rules beside each other: the reward ranks them as the KPIs do, and traps do not pay."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from scipy.stats import spearmanr

from ntn_gym.core.engine import Engine
from ntn_gym.envs.multi_connectivity.heuristics import HEURISTICS
from ntn_gym.envs.multi_connectivity.observation import View
from ntn_gym.envs.multi_connectivity.packing import ROW
from ntn_gym.envs.multi_connectivity.presets import load_preset, with_overrides
from ntn_gym.envs.multi_connectivity.task import MultiConnectivityTask
from ntn_gym.evaluation.uniform import UniformPolicy

Act = Callable[[View, np.ndarray, int], np.ndarray]
WORLDS = 6


@pytest.fixture(scope="module")
def task() -> MultiConnectivityTask:
    return MultiConnectivityTask(with_overrides(load_preset("rural"), {"steps": 80}))


def _run(task: MultiConnectivityTask, act: Callable[[np.ndarray, np.ndarray, np.ndarray, int], np.ndarray]) -> dict:
    """Mean reward and KPIs of a policy over whole episodes."""
    engine = Engine(task, WORLDS)
    engine.reset(seeds=range(1_000_000, 1_000_000 + WORLDS))
    first = np.ones(WORLDS, dtype=bool)
    reward, kpis = [], []
    for step in range(task.episode_steps):
        result = engine.step(act(engine.observe(), engine.action_mask(), first, step))
        reward.append(result.reward.mean())
        kpis.append(result.outcome.kpis)
        first[:] = False
    names = [kpi.name for kpi in task.kpis]
    values = np.stack(kpis)
    rate = values[..., 0]
    return {
        "reward": float(np.mean(reward)),
        "mean_log_rate": float(np.log1p(rate).mean()),
        "rate": float(rate.mean()),
        "p5": float(np.percentile(rate, 5)),
        "outage": float(values[..., names.index("outage")].mean()),
        "refused": float(values[..., names.index("refused_links")].mean()),
    }


def _of_rule(task: MultiConnectivityTask, name: str) -> dict:
    policy = HEURISTICS[name].factory(task, {})
    policy.reset(WORLDS)
    return _run(task, lambda observation, mask, first, step: policy.act(observation, mask, first))


@pytest.fixture(scope="module")
def results(task: MultiConnectivityTask) -> dict[str, dict]:
    random = UniformPolicy(task)
    random.reset(WORLDS)
    found = {name: _of_rule(task, name) for name in HEURISTICS}
    found["random"] = _run(task, lambda observation, mask, first, step: random.act(observation, mask, first))
    return found


def test_reward_ranks_policies_as_the_kpis_do(results: dict[str, dict]) -> None:
    reward = [result["reward"] for result in results.values()]
    for kpi, sign, least in (("rate", 1, 0.8), ("outage", -1, 0.6), ("mean_log_rate", 1, 0.9)):
        rank = spearmanr(reward, [sign * result[kpi] for result in results.values()]).statistic
        assert rank > least, f"{kpi}: rank correlation {rank:.2f} with the reward"


def test_load_aware_rules_beat_the_rules_that_look_at_signals_only(results: dict[str, dict]) -> None:
    simple = max(
        results[name]["reward"] for name in ("sky_only", "station_only", "best_single", "all_links", "threshold")
    )
    for name in ("best_response", "central_hungarian", "central_dual_price"):
        assert results[name]["reward"] > simple + 0.02, name
    assert results["best_response"]["refused"] < 0.2 * results["sky_only"]["refused"]


def test_traps_do_not_pay(task: MultiConnectivityTask, results: dict[str, dict]) -> None:
    """Scripted exploiters stay below the best honest rule."""
    sets = task.sets
    rng = np.random.default_rng(0)
    current = np.zeros((WORLDS, task.n_agents), dtype=int)

    def nothing(view: View, mask: np.ndarray, step: int) -> np.ndarray:
        """Never pay for a link."""
        return np.zeros_like(current)

    def first_choice(view: View, mask: np.ndarray, step: int) -> np.ndarray:
        """Never pay for a change: keep what was best at first as long as it stands."""
        best = np.argmax(np.where(mask, view.of_set("utility_alone"), -1), axis=-1)
        return np.where(sets.size[view.current] > 0, view.current, best)

    def hoard(view: View, mask: np.ndarray, step: int) -> np.ndarray:
        """As many links as possible, whatever they carry, to take shares away from nobody knows whom."""
        return np.argmax(np.where(mask, sets.size + 0.01 * view.of_set("utility_alone"), -1), axis=-1)

    def churn(view: View, mask: np.ndarray, step: int) -> np.ndarray:
        """Always go where most is to be had now, at any price of changes."""
        return np.argmax(np.where(mask, view.of_set("utility"), -1), axis=-1)

    def blink(view: View, mask: np.ndarray, step: int) -> np.ndarray:
        """Be there every other step only, in the hope that links are cheaper than service is worth."""
        best = np.argmax(np.where(mask, view.of_set("utility"), -1), axis=-1)
        return best if step % 3 else np.zeros_like(best)

    def impossible(view: View, mask: np.ndarray, step: int) -> np.ndarray:
        """Name anything, also what is not there."""
        return rng.integers(task.n_sets, size=mask.shape[:2])

    best = max(result["reward"] for result in results.values())
    for exploit in (nothing, first_choice, hoard, churn, blink, impossible):

        def act(
            observation: np.ndarray, mask: np.ndarray, first: np.ndarray, step: int, exploit: Act = exploit
        ) -> np.ndarray:
            return exploit(View(observation, task.scenario, sets), mask, step)

        found = _run(task, act)["reward"]
        assert found < best - 0.02, f"{exploit.__name__}: {found:.3f} against {best:.3f}"


def test_all_links_are_optimal_where_nothing_costs_anything() -> None:
    """No limits reached, no prices, one user, split bearer: more links are never worse."""
    values = {
        "steps": 60,
        "users": {"count": 1},
        "reward": {"link_utility": 0.0, "change_utility_s": 0.0, "coordination_utility": 0.0},
    }
    task = MultiConnectivityTask(with_overrides(load_preset("rural"), values))
    rewards = {name: _of_rule(task, name)["reward"] for name in ("best_single", "all_links")}
    assert rewards["all_links"] > rewards["best_single"]


def test_dear_changes_freeze_the_sets() -> None:
    values = {"steps": 60, "reward": {"change_utility_s": 50.0}}
    task = MultiConnectivityTask(with_overrides(load_preset("rural"), values))
    policy = HEURISTICS["best_response"].factory(task, {})
    engine = Engine(task, 2)
    engine.reset(seeds=[1, 2])
    policy.reset(2)
    added = 0.0
    for _ in range(60):
        first = np.zeros(2, dtype=bool)
        added += (
            engine.step(policy.act(engine.observe(), engine.action_mask(), first)).outcome.reward_terms[..., 2].sum()
        )
    assert added == 0


def test_view_reads_the_observation_back(task: MultiConnectivityTask) -> None:
    """What rules read is what the packed arrays say."""
    engine = Engine(task, 2, keep_raw=True)
    engine.reset(seeds=[5, 6])
    rng = np.random.default_rng(1)
    for _ in range(15):
        engine.step(rng.integers(task.n_sets, size=(2, task.n_agents)))
    now, state = engine.now, engine.state
    view = View(engine.observe(), task.scenario, task.sets)
    linked = state.linked & now["same"]
    assert np.array_equal(view.linked, linked)
    held = now["resource"] < len(task.limits)
    assert np.array_equal(view.valid, held)
    raw_node = engine.buffer.raw["node"][engine.rows, engine.steps]
    assert np.array_equal(view.node, raw_node)
    expected = np.where(linked, now["reported"][:, 0, ROW["rate"]], now["reported"][:, 1, ROW["rate"]])
    np.testing.assert_allclose(view.rate_alone_mbit_s[held], expected[held], rtol=1e-4, atol=1e-4)
    remaining = engine.buffer.raw["remaining_s"][engine.rows, engine.steps]
    n_sky = task.scenario.n_sky_slots
    shown = np.minimum(np.broadcast_to(remaining[:, None], view.remaining_s[..., :n_sky].shape), 200.0)
    np.testing.assert_allclose(view.remaining_s[..., :n_sky], shown, rtol=1e-3, atol=0.05)


def test_joint_transmission_is_worth_having() -> None:
    """In one band without beams, users who may be served together are in outage less often than with single links."""
    outage = {}
    for links in (1, 3):
        values = {"steps": 60, "architecture": {"max_links": links}}
        task = MultiConnectivityTask(with_overrides(load_preset("joint-transmission"), values))
        outage[links] = _of_rule(task, "best_response")["outage"]
    assert outage[3] < 0.9 * outage[1], outage
