"""Tuning: the best of the grid is found, on validation worlds only, at an equal budget, and stored to be resumed."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from ntn_gym.core.seeding import VALIDATION_SEEDS
from ntn_gym.evaluation import tuning
from ntn_gym.evaluation.pool import WorldPool
from ntn_gym.evaluation.problem import find_candidate, load_problem
from ntn_gym.evaluation.rollout import evaluate
from ntn_gym.evaluation.tuned import read_tuned, tuned_path
from ntn_gym.evaluation.tuning import Budget, draw_parameters, tune_environment, tune_preset

SMALL = Budget(draws=3, worlds=16, finalists=2, final_worlds=24)


def test_draws_are_distinct_and_of_the_grid() -> None:
    grid = {"a": [1, 2, 3], "b": ["x", "y"], "c": [0.5]}
    rng = np.random.default_rng(0)
    everything = draw_parameters(grid, 10, rng)
    assert len(everything) == 6
    assert {(p["a"], p["b"], p["c"]) for p in everything} == {(a, b, 0.5) for a in (1, 2, 3) for b in "xy"}
    some = draw_parameters(grid, 4, rng)
    assert len({tuple(p.values()) for p in some}) == 4
    assert all(p in everything for p in some)


def test_the_best_parameters_win(tracking: Path) -> None:
    problem = load_problem("Tracking", "pair")
    found = tune_preset(problem, ["follow"], SMALL, tracking)["follow"]
    middle = VALIDATION_SEEDS.start + SMALL.worlds
    means = {
        threshold: evaluate(
            problem.task,
            problem.heuristics["follow"].factory(problem.task, {"threshold_m": threshold}),
            range(middle, middle + SMALL.final_worlds),
            purpose="validation",
        ).returns.mean()
        for threshold in (0.3, 0.5, 1.0)
    }
    assert len(set(means.values())) > 1  # the parameter matters
    assert found.mean_return == max(means.values())
    assert means[found.params["threshold_m"]] == found.mean_return
    assert found.episodes == 3 * 16 + 2 * 24
    assert (found.draws, found.grid_size, found.finalists) == (3, 3, 2)


def test_only_validation_seeds_are_played(tracking: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    played: list[int] = []

    class Watched(WorldPool):
        def __init__(self, task, seeds, **options) -> None:
            played.extend(seeds)
            super().__init__(task, seeds, **options)

    monkeypatch.setattr(tuning, "WorldPool", Watched)
    tune_preset(load_problem("Tracking", "tiny"), ["follow"], SMALL, tracking)
    assert played
    assert set(played) <= set(VALIDATION_SEEDS)
    assert len(set(played)) == SMALL.worlds + SMALL.final_worlds  # the second stage meets fresh worlds
    with pytest.raises(ValueError, match="for reporting, but these results are for validation"):
        tune_preset(load_problem("Tracking", "tiny"), ["follow"], Budget(first_seed=2_000_000), tracking)


def test_result_is_stored_used_and_not_searched_again(tracking: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    problem = load_problem("Tracking", "pair")
    assert "not tuned" in find_candidate(problem, "follow").params_from
    tune_environment("Tracking", ["pair"], [], SMALL)
    stored = read_tuned(tracking, "pair")["follow"]
    assert json.loads(tuned_path(tracking, "pair").read_text())["heuristics"]["follow"]["params"] == stored.params
    candidate = find_candidate(load_problem("Tracking", "pair"), "follow")
    assert candidate.params == stored.params
    assert candidate.params_from == "tuned: 3 draws on 96 validation episodes"
    begun: list[str] = []

    def tune(**options) -> None:
        tune_preset(problem, ["follow"], started=lambda name, _: begun.append(name), folder=tracking, **options)

    tune(budget=SMALL)
    assert begun == []
    tune(budget=SMALL, again=True)
    assert begun == ["follow"]
    tune(budget=Budget(draws=2, worlds=16, finalists=2, final_worlds=24))
    assert begun == ["follow", "follow"]  # another search


def test_a_changed_preset_is_told(tracking: Path) -> None:
    tune_environment("Tracking", ["pair"], ["follow"], SMALL)
    (tracking / "presets" / "pair.yaml").write_text("trackers: 3\nsteps: 40\n")
    assert "earlier version of this preset" in find_candidate(load_problem("Tracking", "pair"), "follow").params_from


def test_wrong_names_and_files_are_refused(tracking: Path) -> None:
    with pytest.raises(ValueError, match="unknown presets nowhere; known are pair, tiny"):
        tune_environment("Tracking", ["nowhere"], [], SMALL)
    with pytest.raises(ValueError, match="unknown rules best; known are follow"):
        tune_environment("Tracking", ["pair"], ["best"], SMALL)
    with pytest.raises(ValueError, match="draws = 0: allowed is 1 or more"):
        Budget(draws=0)
    path = tuned_path(tracking, "pair")
    path.parent.mkdir()
    path.write_text('{"format": "ntn_gym-tuned-1", "environ')
    with pytest.raises(ValueError, match=r"pair\.json.*tune-heuristics"):
        read_tuned(tracking, "pair")
