"""``ntn-gym list``: which environments, presets and rules there are."""

from __future__ import annotations

import json
from typing import Annotated, Any

import tyro
from rich.console import Console
from rich.table import Table

from ntn_gym.cli.catalogue import Listed, catalogue


def run(
    environment: Annotated[str | None, tyro.conf.Positional, tyro.conf.arg(metavar="ENV")] = None,
    as_json: Annotated[bool, tyro.conf.arg(name="json")] = False,
) -> None:
    """List environments with their presets and rules.

    Args:
        environment: Name or id; all by default.
        as_json: Print JSON, for programs.
    """
    listed = catalogue(environment)
    if as_json:
        print(json.dumps([_plain(one) for one in listed], indent=2))
        return
    console = Console()
    if not console.is_terminal:
        # A pipe has no width; long descriptions are then better long than cut.
        console = Console(width=160)
    for one in listed:
        _show(console, one)


def _show(console: Console, one: Listed) -> None:
    entry = one.entry
    console.print(f"[bold]{entry.id}[/bold]  {entry.title}", highlight=False)
    words = f"an agent is one {entry.agents}; with the reward as a vector: {entry.vector_reward_id}\n"
    console.print(words, highlight=False)
    presets = Table("preset", "what it is", "agents", "actions", "steps x dt", title_justify="left", box=None)
    for preset in one.presets:
        remark = "".join(f" [dim]({word})[/dim]" for word in preset.remarks)
        presets.add_row(
            f"[cyan]{preset.name}[/cyan]",
            preset.description + remark,
            str(preset.n_agents),
            preset.actions,
            f"{preset.steps} x {preset.dt_s:g} s",
        )
    console.print(presets)
    rules = Table("rule", "family", "what it does", title_justify="left", box=None)
    for name, spec in one.heuristics.items():
        rules.add_row(f"[cyan]{name}[/cyan]", spec.family, spec.description)
    console.print()
    console.print(rules)
    console.print()


def _plain(one: Listed) -> dict[str, Any]:
    entry = one.entry
    return {
        "id": entry.id,
        "vector_reward_id": entry.vector_reward_id,
        "name": entry.name,
        "title": entry.title,
        "agent": entry.agents,
        "default_preset": entry.default_preset,
        "presets": {
            preset.name: {
                "description": preset.description,
                "remarks": list(preset.remarks),
                "agents": preset.n_agents,
                "actions": preset.actions,
                "observation": preset.observation_size,
                "steps": preset.steps,
                "dt_s": preset.dt_s,
            }
            for preset in one.presets
        },
        "heuristics": {
            name: {
                "family": spec.family,
                "description": spec.description,
                "source": spec.source,
                "grid": {parameter: list(values) for parameter, values in spec.grid.items()},
            }
            for name, spec in one.heuristics.items()
        },
    }
