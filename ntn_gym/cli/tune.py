"""``ntn-gym tune-heuristics``: search the parameters of rules on validation worlds."""

from __future__ import annotations

from pathlib import Path

import tyro


def run(
    environment: tyro.conf.Positional[str],
    presets: tuple[str, ...] = (),
    heuristics: tuple[str, ...] = (),
    draws: int = 48,
    worlds: int = 64,
    finalists: int = 6,
    final_worlds: int = 128,
    out: Path | None = None,
    again: bool = False,
) -> None:
    """Tune rules by random search, as long for each as for any other, and store the best parameters.

    Give the same command again after it was stopped: rules that are finished are passed over.

    Args:
        environment: Name or id, e.g. Handover.
        presets: Presets to tune for; all by default.
        heuristics: Rules to tune; all that have parameters by default.
        draws: Parameter sets tried per rule (fewer where its grid is smaller).
        worlds: Validation worlds that each of them plays.
        finalists: The best of them, which play again.
        final_worlds: Fresh validation worlds that the finalists play.
        out: Folder that gets tuned/PRESET.json; by default that of the environment, where policies read it.
        again: Search again even where the same search is stored already.
    """
    from ntn_gym.evaluation.tuning import Budget, tune_environment

    budget = Budget(draws=draws, worlds=worlds, finalists=finalists, final_worlds=final_worlds)
    tune_environment(environment, presets, heuristics, budget, out=out, again=again)
