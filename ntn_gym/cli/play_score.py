"""The score of a match, beside those of the rules in the same world."""

from __future__ import annotations

from dataclasses import dataclass

from rich.console import Console
from rich.table import Table

from ntn_gym.cli.match import Match, open_match
from ntn_gym.core.task import KpiSpec
from ntn_gym.evaluation.problem import Problem, candidate_names, find_candidate

NAME_COLUMNS, KPI_COLUMNS = 32, 11


@dataclass(frozen=True)
class Score:
    """What somebody reached."""

    name: str
    episode_return: float
    kpis: dict[str, float]


def compare(problem: Problem, match: Match, without: str) -> list[Score]:
    """Let random play and all rules play the same steps of the same world."""
    scores = []
    for name in candidate_names(problem):
        if name == without:
            continue
        policy = find_candidate(problem, name).build()
        other = open_match(problem, match.seed, match.steps_played, pictures=False)
        other.begin(policy)
        while not other.over:
            other.step(policy)
        scores.append(Score(name, other.episode_return, other.kpis()))
    return scores


def print_scores(match: Match, name: str, others: list[Score]) -> None:
    """Print a table, best first, and the upper bound if the episode was played to its end."""
    mine = Score(name, match.episode_return, match.kpis())
    ranked = sorted([mine, *others], key=lambda score: -score.episode_return)
    # Columns in which all are zero say nothing.
    kpis = [spec for spec in match.problem.task.kpis if any(score.kpis[spec.name] for score in ranked)]
    console = Console()
    if not console.is_terminal:
        console = Console(width=150)
    title = f"{match.steps_played} steps of world {match.seed}, {match.problem.entry.id} {match.problem.preset}"
    table = Table(title=title, title_justify="left", box=None, pad_edge=False)
    # The environment names its most telling indicators first; a narrow terminal shows as many as fit.
    fitting = max(1, (console.width - NAME_COLUMNS) // KPI_COLUMNS)
    left_out = kpis[fitting:]
    kpis = kpis[:fitting]
    table.add_column("", no_wrap=True)
    table.add_column("return", justify="right")
    for spec in kpis:
        table.add_column(f"{_heading(spec)}\nin {spec.unit}", justify="right")
    bound = match.bound()
    if bound is not None:
        table.add_row("upper bound", f"{bound:.2f}", *[""] * len(kpis), style="dim")
    for score in ranked:
        marked = score is mine
        values = [_short(score.kpis[spec.name]) for spec in kpis]
        table.add_row(
            f"> {score.name}" if marked else f"  {score.name}",
            f"{score.episode_return:.2f}",
            *values,
            style="bold green" if marked else None,
        )
    console.print(table)
    if left_out:
        console.print(
            f"[dim]A wider terminal also shows {', '.join(spec.name for spec in left_out)}.[/dim]", highlight=False
        )
    beaten = sum(mine.episode_return > score.episode_return for score in others)
    if name == "you":
        console.print(f"You beat {beaten} of {len(others)} rules.", highlight=False)


def _heading(spec: KpiSpec) -> str:
    """Name of a KPI in short words; its unit stands below it."""
    ending = "_" + spec.unit.lower().replace("/", "_")
    return spec.name.removesuffix(ending).replace("_", " ")


def _short(value: float) -> str:
    return f"{value:.3g}" if abs(value) < 100 else f"{value:.0f}"
