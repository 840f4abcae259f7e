"""``ntn-gym trace``: save drawn worlds, look into a trace file, check one that was brought from outside."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import tyro
from rich.console import Console
from rich.table import Table

from ntn_gym import __version__
from ntn_gym.cli.drawing import require_drawing
from ntn_gym.core.registry import find_entry, make_task
from ntn_gym.core.seeding import WorldKey, seed_purpose
from ntn_gym.core.task import FieldSpec, Task
from ntn_gym.core.trace import Trace, draw_trace, validate_arrays

BLOCK_WORLDS = 32


@dataclass(frozen=True)
class Save:
    """Draw worlds and write them to a file.

    Attributes:
        environment: Name or id.
        seeds: First and last seed, "2000000-2000003", or one seed.
        out: File to write (.npz).
        preset: Name of a preset; the default one if not given.
    """

    environment: Annotated[str, tyro.conf.Positional, tyro.conf.arg(metavar="ENV")]
    seeds: Annotated[str, tyro.conf.arg(metavar="FIRST-LAST")]
    out: Path
    preset: str | None = None


@dataclass(frozen=True)
class Show:
    """Print what is in a trace file: arrays with units, shapes and ranges of values.

    Attributes:
        file: Trace file.
        plot: Also draw the arrays of one world over time into this picture (.png).
        world: Which world to draw.
    """

    file: Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="FILE")]
    plot: Path | None = None
    world: int = 0


@dataclass(frozen=True)
class Validate:
    """Check a trace file against the scenario that it names.

    Attributes:
        file: Trace file.
    """

    file: Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="FILE")]


Command = (
    Annotated[Save, tyro.conf.subcommand("save", prefix_name=False)]
    | Annotated[Show, tyro.conf.subcommand("show", prefix_name=False)]
    | Annotated[Validate, tyro.conf.subcommand("validate", prefix_name=False)]
)


@tyro.conf.configure(tyro.conf.OmitArgPrefixes)
def run(command: Command) -> None:
    """Save, show or validate traces of worlds."""
    if isinstance(command, Save):
        save(command)
    elif isinstance(command, Show):
        show(command)
    else:
        validate(command)


def parse_seeds(text: str) -> range:
    """Read "5" or "5-9" (both ends included).

    Raises:
        ValueError: If it cannot be read, is empty, or a seed is in no range.
    """
    first, dash, last = text.partition("-")
    try:
        seeds = range(int(first), int(last if dash else first) + 1)
    except ValueError:
        raise ValueError(f'--seeds {text!r}: give one seed or first-last, such as "2000000-2000003"') from None
    if not seeds:
        raise ValueError(f"--seeds {text!r}: the last seed is below the first one")
    for seed in (seeds[0], seeds[-1]):
        seed_purpose(seed)
    return seeds


def save(command: Save) -> None:
    """Draw the worlds, block by block, and write them as one trace."""
    entry = find_entry(command.environment)
    seeds = parse_seeds(command.seeds)
    preset = command.preset or entry.default_preset
    scenario = importlib.import_module(entry.scenarios).load_preset(preset)
    task: Task = make_task(entry.name, scenario=scenario)
    world = task.make_world()
    values = scenario.model_dump(mode="json")
    parts = [
        draw_trace(
            world,
            [WorldKey(seed) for seed in seeds[first : first + BLOCK_WORLDS]],
            task.episode_steps + 1,
            entry.name,
            values,
        )
        for first in range(0, len(seeds), BLOCK_WORLDS)
    ]
    trace = Trace(
        arrays={name: np.concatenate([part.arrays[name] for part in parts]) for name in parts[0].arrays},
        environment=entry.name,
        scenario=values,
        keys=tuple(key for part in parts for key in part.keys or ()),
        notes={"preset": preset, "ntn_gym": __version__},
    )
    path = trace.save(command.out)
    print(f"{path}: {trace.n_worlds} worlds x {trace.n_slices} slices of {entry.id}, preset {preset}")


def _task_of(trace: Trace) -> Task:
    task: Task = make_task(trace.environment, scenario=trace.scenario)
    return task


def show(command: Show) -> None:
    """Print the arrays of a trace file."""
    trace = Trace.load(command.file)
    if not 0 <= command.world < trace.n_worlds:
        raise ValueError(f"--world {command.world}: the trace has worlds 0 to {trace.n_worlds - 1}")
    task = _task_of(trace)
    fields = task.make_world().fields
    console = Console()
    if not console.is_terminal:
        console = Console(width=140)
    source = "brought from outside" if trace.keys is None else f"seeds {_seed_words(trace)}"
    notes = "".join(f", {name} {value}" for name, value in trace.notes.items())
    console.print(
        f"{trace.environment}, {trace.n_worlds} worlds x {trace.n_slices} slices of {task.dt_s:g} s, {source}{notes}",
        highlight=False,
    )
    rows = Table("array", "shape", "type", "unit", "smallest", "mean", "largest", "meaning", box=None)
    for name, array in trace.arrays.items():
        rows.add_row(name, *_row(array, fields.get(name)))
    console.print(rows)
    for name in sorted(set(fields) - set(trace.arrays)):
        console.print(f"missing: {name} ({fields[name].unit}), {fields[name].description}", highlight=False)
    if command.plot is not None:
        require_drawing("--plot")
        from ntn_gym.cli.trace_plot import plot_trace

        plot_trace(trace, fields, command.world, task.dt_s, command.plot)
        console.print(str(command.plot), highlight=False)


def _seed_words(trace: Trace) -> str:
    seeds = [key.seed for key in trace.keys or ()]
    return str(seeds[0]) if len(seeds) == 1 else f"{seeds[0]} to {seeds[-1]}"


def _row(array: np.ndarray[Any, Any], spec: FieldSpec | None) -> list[str]:
    shape = " x ".join(map(str, array.shape))
    unit, meaning = ("?", "not an array of this environment") if spec is None else (spec.unit, spec.description)
    if not array.size:
        return [shape, str(array.dtype), unit, "-", "-", "-", meaning]
    values = array.astype(np.float64)
    return [shape, str(array.dtype), unit, *(f"{v:.5g}" for v in (values.min(), values.mean(), values.max())), meaning]


def validate(command: Validate) -> None:
    """Check names, shapes, types, finiteness and ranges of all arrays.

    Raises:
        ValueError: Listing all that is wrong.
    """
    trace = Trace.load(command.file)
    task = _task_of(trace)
    n_slices = task.episode_steps + 1
    validate_arrays(trace.arrays, task.make_world().fields, n_slices)
    print(f"{command.file}: valid; {trace.n_worlds} worlds x {n_slices} slices of {trace.environment}")
