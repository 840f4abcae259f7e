"""Random search over the grids of heuristics on validation worlds, as long for each rule as for any other.

First stage: a number of parameter sets, drawn without replacement from the grid, on one list of worlds. Second stage:
the best few of them on fresh worlds, because the best of many draws is partly the luckiest. All rules meet the same
worlds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from rich import box
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from ntn_gym.core.heuristic import HeuristicSpec
from ntn_gym.core.seeding import VALIDATION_SEEDS, WorldKey, process_generator
from ntn_gym.evaluation import provenance
from ntn_gym.evaluation.pool import WorldPool
from ntn_gym.evaluation.problem import Problem, load_problem, preset_names
from ntn_gym.evaluation.rollout import evaluate_in
from ntn_gym.evaluation.tuned import Tuned, read_tuned, write_tuned

Params = dict[str, Any]


@dataclass(frozen=True)
class Budget:
    """What is spent on each rule.

    Attributes:
        draws: Parameter sets of the first stage (fewer where the grid is smaller).
        worlds: Worlds of the first stage.
        finalists: Parameter sets of the second stage.
        final_worlds: Worlds of the second stage, fresh ones.
        first_seed: First validation seed.
        search_seed: Seed of the draws from the grid.
    """

    draws: int = 48
    worlds: int = 64
    finalists: int = 6
    final_worlds: int = 128
    first_seed: int = VALIDATION_SEEDS.start
    search_seed: int = 0

    def __post_init__(self) -> None:
        """Check the numbers."""
        for name in ("draws", "worlds", "finalists", "final_worlds"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} = {getattr(self, name)}: allowed is 1 or more")


def draw_parameters(grid: Mapping[str, Sequence[Any]], draws: int, rng: np.random.Generator) -> list[Params]:
    """Draw parameter sets from a grid, each at most once; the whole grid if it is not larger."""
    names = list(grid)
    shape = tuple(len(grid[name]) for name in names)
    size = int(np.prod(shape))
    chosen = np.arange(size) if size <= draws else rng.choice(size, draws, replace=False)
    rows = np.stack(np.unravel_index(chosen, shape), axis=1).tolist()
    return [{name: grid[name][i] for name, i in zip(names, row, strict=True)} for row in rows]


class Tuner:
    """Tunes the rules of one preset on worlds that are drawn once."""

    def __init__(self, problem: Problem, budget: Budget) -> None:
        """Name the worlds; they are drawn with the first rule."""
        self.problem = problem
        self.budget = budget
        middle = budget.first_seed + budget.worlds
        self._first = WorldPool(problem.task, range(budget.first_seed, middle), purpose="validation")
        self._second = WorldPool(problem.task, range(middle, middle + budget.final_worlds), purpose="validation")

    def key(self, name: str) -> str:
        """Hash of everything that decides the search of one rule."""
        spec = self.problem.heuristics[name]
        return provenance.digest(
            {
                "rule": name,
                "grid": {key: list(values) for key, values in spec.grid.items()},
                "budget": vars(self.budget),
                "scenario": self.problem.scenario,
                "code": provenance.code_digest(provenance.environment_folder(self.problem.entry)),
            }
        )

    def steps(self, name: str) -> int:
        """Parameter sets that `tune` will play, both stages."""
        size = int(np.prod([len(values) for values in self.problem.heuristics[name].grid.values()]))
        draws = min(size, self.budget.draws)
        return draws + min(draws, self.budget.finalists)

    def tune(self, name: str, progress: Callable[[], None] = lambda: None) -> Tuned:
        """Search the parameters of one rule; ``progress`` is called after each parameter set."""
        spec, budget = self.problem.heuristics[name], self.budget
        rng = process_generator(WorldKey(budget.search_seed), f"grid of {name}")
        drawn = draw_parameters(spec.grid, budget.draws, rng)
        first = self._mean_returns(spec, drawn, self._first, progress)
        best = np.argsort(-first, kind="stable")[: budget.finalists]
        second = self._mean_returns(spec, [drawn[i] for i in best], self._second, progress)
        winner = int(np.argmax(second))
        return Tuned(
            params=drawn[best[winner]],
            mean_return=float(second[winner]),
            first_stage_return=float(first[best[winner]]),
            draws=len(drawn),
            grid_size=int(np.prod([len(values) for values in spec.grid.values()])),
            finalists=len(best),
            first_seed=budget.first_seed,
            worlds=budget.worlds,
            final_worlds=budget.final_worlds,
            episodes=len(drawn) * budget.worlds + len(best) * budget.final_worlds,
            search_seed=budget.search_seed,
            scenario=self.problem.scenario,
            key=self.key(name),
            commit=provenance.commit(),
            finished=datetime.now(UTC).isoformat(timespec="seconds"),
        )

    def _mean_returns(
        self, spec: HeuristicSpec, drawn: list[Params], pool: WorldPool, progress: Callable[[], None]
    ) -> np.ndarray:
        means = []
        for params in drawn:
            policy = spec.factory(self.problem.task, params)
            means.append(evaluate_in(pool, policy).returns.mean())
            progress()
        return np.array(means)


def tune_preset(
    problem: Problem,
    names: Sequence[str],
    budget: Budget,
    folder: Path,
    *,
    again: bool = False,
    started: Callable[[str, int], None] = lambda name, steps: None,
    progress: Callable[[], None] = lambda: None,
) -> dict[str, Tuned]:
    """Tune rules of one preset and write the result after each of them.

    Args:
        problem: Environment and preset.
        names: Rules to tune; those without parameters are passed over.
        budget: What to spend on each.
        folder: Folder of the environment, or another one to write ``tuned/<preset>.json`` into.
        again: Search again even where the file holds the result of the same search.
        started: Called with the name and the number of parameter sets to play before each rule.
        progress: Called after each parameter set.

    Returns:
        All tuned rules of the preset.
    """
    tuner = Tuner(problem, budget)
    tuned = read_tuned(folder, problem.preset)
    for name in names:
        if not problem.heuristics[name].grid:
            continue
        if not again and name in tuned and tuned[name].key == tuner.key(name):
            continue
        started(name, tuner.steps(name))
        tuned[name] = tuner.tune(name, progress)
        write_tuned(folder, problem.entry.id, problem.preset, tuned)
    return tuned


def tune_environment(
    environment: str,
    presets: Sequence[str],
    heuristics: Sequence[str],
    budget: Budget,
    *,
    out: Path | None = None,
    again: bool = False,
    console: Console | None = None,
) -> None:
    """Tune rules of an environment, preset by preset, with a progress bar and a table at the end of each.

    Args:
        environment: Name or id.
        presets: Presets; empty: all.
        heuristics: Rules; empty: all.
        budget: What to spend on each.
        out: Folder to write into; None: that of the environment.
        again: Search again even where the same search is stored.
        console: Where to write; by default the terminal.

    Raises:
        ValueError: If a name is unknown.
        OSError: If a file cannot be written.
    """
    console = console or Console(stderr=True)
    known = preset_names(environment)
    unknown = [preset for preset in presets if preset not in known]
    if unknown:
        raise ValueError(f"unknown presets {', '.join(unknown)}; known are {', '.join(known)}")
    for preset in presets or known:
        problem = load_problem(environment, preset)
        unknown = [name for name in heuristics if name not in problem.heuristics]
        if unknown:
            raise ValueError(f"unknown rules {', '.join(unknown)}; known are {', '.join(problem.heuristics)}")
        folder = out or provenance.environment_folder(problem.entry)
        with Progress(console=console, disable=not console.is_terminal) as bar:
            task = bar.add_task(preset)
            tuned = tune_preset(
                problem,
                heuristics or list(problem.heuristics),
                budget,
                folder,
                again=again,
                started=lambda name, steps: bar.reset(task, total=steps, description=f"{preset}: {name}"),  # noqa: B023
                progress=lambda: bar.advance(task),  # noqa: B023
            )
        console.print(_table(preset, tuned))


def _table(preset: str, tuned: Mapping[str, Tuned]) -> Table:
    table = Table(title=f"{preset}: mean return on validation worlds", title_justify="left", box=box.SIMPLE_HEAD)
    for name in ("rule", "return", "tried", "parameters"):
        table.add_column(name, justify="left" if name in ("rule", "parameters") else "right")
    for name, found in sorted(tuned.items(), key=lambda item: -item[1].mean_return):
        params = ", ".join(f"{key} {value}" for key, value in found.params.items())
        table.add_row(name, f"{found.mean_return:.2f}", f"{found.draws} of {found.grid_size}", params)
    return table
