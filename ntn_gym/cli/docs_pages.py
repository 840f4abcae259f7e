"""Markdown pages made from the registry: what the task's docstring says, and what its code and presets are."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

from ntn_gym.cli.catalogue import Listed, ListedPreset
from ntn_gym.cli.docs_settings import differences, settings_rows, with_unit
from ntn_gym.core.page import parse_page
from ntn_gym.core.task import KpiSpec
from ntn_gym.evaluation.provenance import environment_folder
from ntn_gym.evaluation.tuned import Tuned, read_tuned

START, END = "<!-- environments:start -->", "<!-- environments:end -->"
_AFTER: Mapping[str, str] = {"Rewards": "terms", "Arguments": "settings", "Heuristics": "rules"}


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table."""
    lines = ["| " + " | ".join(header) + " |", "|" + "---|" * len(header)]
    lines += ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows]
    return "\n".join(lines)


def readme_table(listed: Sequence[Listed]) -> str:
    """Return the table of environments for the README."""
    rows = []
    for one in listed:
        presets = ", ".join(f"`{preset.name}`" for preset in one.presets)
        rows.append([f"`{one.entry.id}`", one.entry.title, one.entry.agents, presets, str(len(one.heuristics))])
    return table(["environment", "the problem", "agent", "presets (default first)", "rules"], rows)


def readme_with_table(text: str, listed: Sequence[Listed], name: str) -> str:
    """Return the README with the table of environments between its two marks.

    Raises:
        ValueError: If the marks are missing, doubled or in the wrong order.
    """
    return between_marks(text, START, END, readme_table(listed), name)


def between_marks(text: str, start: str, end: str, content: str, name: str) -> str:
    """Return a text with what stands between two marks replaced.

    Raises:
        ValueError: If the marks are missing, doubled or in the wrong order.
    """
    if text.count(start) != 1 or text.count(end) != 1 or text.index(start) > text.index(end):
        raise ValueError(f"{name}: needs one line {start} and, below it, one line {end}; the table goes between them")
    head, rest = text.split(start)
    tail = rest.split(end)[1]
    return f"{head}{start}\n{content}\n{end}{tail}"


def index_page(listed: Sequence[Listed]) -> str:
    """Return the page that lists all environments."""
    rows = [[f"[{one.entry.name}]({one.entry.name}.md)", one.entry.title, one.entry.agents] for one in listed]
    return "# Environments\n\n" + table(["environment", "the problem", "agent"], rows) + "\n"


def environment_page(one: Listed) -> str:
    """Return the page of one environment: the docstring of its task, completed by tables from the code.

    Raises:
        ValueError: If the docstring lacks a section.
    """
    page = parse_page(type(one.default.task).__doc__)
    blocks = [f"# {one.entry.name}", page.summary, _title_table(one)]
    added = {"terms": _terms(one), "settings": _settings(one), "rules": _rules(one)}
    for title, text in page.sections.items():
        if title == "Version History":
            blocks += [_presets(one), _kpis(one), _trace(one)]
        blocks += [f"## {title}", text]
        if title in _AFTER:
            blocks.append(added[_AFTER[title]])
    blocks.append("*This page is made by `ntn-gym docs` from the code it describes.*")
    return "\n\n".join(block for block in blocks if block) + "\n"


def _title_table(one: Listed) -> str:
    default = one.default
    rows = [
        ["import", f'`import ntn_gym; gym.make("{one.entry.id}")`'],
        ["reward as a vector", f"`{one.entry.vector_reward_id}`"],
        ["action space of one agent", f"`{default.actions}` in the preset `{default.name}`"],
        [
            "observation space of one agent",
            f"`Box({default.observation_size})`, float32, in the preset `{default.name}`",
        ],
        ["an agent is", f"one {one.entry.agents}"],
        ["episode", f"{default.steps} steps of {default.dt_s:g} s"],
    ]
    return table(["", ""], rows)


def _terms(one: Listed) -> str:
    rows = [
        [f"`{term.name}`", term.description, term.unit, f"{term.weight:g}"] for term in one.default.task.reward_terms
    ]
    header = ["reward term", "meaning", "unit", f"weight in `{one.default.name}`"]
    return '`info["reward_terms"]` has them by name, unweighted.\n\n' + table(header, rows)


def _summary(kpi: KpiSpec) -> str:
    if kpi.per:
        word = {"mean": "mean", "p5": "5th percentile", "p95": "95th percentile", "max": "largest"}[kpi.reduction]
        return f"{word} per `{kpi.per}`"
    return {
        "mean": "mean over steps and agents",
        "sum": "sum",
        "per_minute": "number per agent and minute",
        "p5": "5th percentile over steps and agents",
        "p95": "95th percentile over steps and agents",
        "max": "largest value",
    }[kpi.reduction]


def _kpis(one: Listed) -> str:
    rows = [[f"`{kpi.name}`", kpi.description, kpi.unit, _summary(kpi), kpi.better] for kpi in one.default.task.kpis]
    header = ["name", "meaning", "unit", "in an episode", "better is"]
    return (
        "## Key Performance Indicators\n\nEvery step reports them in `info`, as plain floats (events as 0 or 1).\n\n"
        + table(header, rows)
    )


def _settings(one: Listed) -> str:
    rows = settings_rows(type(one.default.scenario))
    return (
        "### Settings of a scenario\n\nEach is a nested key of the argument `scenario`. "
        "Values outside the range are refused.\n\n" + table(["setting", "default", "unit", "range", "meaning"], rows)
    )


def _presets(one: Listed) -> str:
    blocks = ["## Presets"]
    rows = [
        [
            f"`{preset.name}`",
            preset.description,
            str(preset.n_agents),
            preset.actions,
            f"{preset.steps} x {preset.dt_s:g} s",
            "; ".join(preset.remarks),
        ]
        for preset in one.presets
    ]
    blocks.append(table(["preset", "what it is", "agents", "actions", "steps x dt", "remark"], rows))
    blocks.append(f"All that differs from `{one.default.name}`:")
    for preset in one.presets[1:]:
        blocks += [f"### `{preset.name}`", _difference_table(one.default, preset)]
    return "\n\n".join(blocks)


def _difference_table(default: ListedPreset, preset: ListedPreset) -> str:
    rows = [
        [f"`{path}`", with_unit(path, new), with_unit(path, old)]
        for path, old, new in differences(default.scenario, preset.scenario)
        if path not in ("name", "description")
    ]
    if not rows:
        return "No setting differs."
    return table(["setting", "value", f"in `{default.name}`"], rows)


def _rules(one: Listed) -> str:
    rows = [[f"`{name}`", spec.family, spec.description, spec.source or "-"] for name, spec in one.heuristics.items()]
    blocks = [table(["rule", "family", "what it does", "source"], rows)]
    folder = environment_folder(one.entry)
    tuned = {preset.name: read_tuned(folder, preset.name) for preset in one.presets}
    if any(tuned.values()):
        blocks.append(
            "### Tuned parameters\n\nFound on validation seeds by `ntn-gym tune-heuristics`. Rules without parameters "
            "are not listed."
        )
    for name, rules in tuned.items():
        if rules:
            blocks += [f"#### `{name}`", _tuned_table(rules)]
    return "\n\n".join(blocks)


def _tuned_table(rules: Mapping[str, Tuned]) -> str:
    rows = [
        [
            f"`{name}`",
            ", ".join(f"{key} = {_value(value)}" for key, value in one.params.items()),
            f"{one.mean_return:.2f}",
            f"{one.draws} of {one.grid_size}",
            str(one.episodes),
        ]
        for name, one in rules.items()
        if one.params
    ]
    return table(["rule", "parameters", "validation return", "parameter sets tried", "episodes spent"], rows)


def _value(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _trace(one: Listed) -> str:
    fields = one.default.task.make_world().fields
    symbols = getattr(one.default.task, "page_symbols", {})
    rows = [
        [
            f"`{spec.name}`",
            "[" + ", ".join(["worlds", "slices", *map(str, spec.shape)]) + "]",
            spec.dtype,
            spec.unit,
            f"{spec.low:g} to {spec.high:g}",
            spec.description,
        ]
        for spec in fields.values()
    ]
    letters = ", ".join(f"{letter} = {value}" for letter, value in symbols.items())
    words = f"Shapes are those of the preset `{one.default.name}`" + (f" ({letters})." if letters else ".")
    return "\n\n".join(
        [
            "## Bring Your Own Trace",
            "An episode of n steps needs n + 1 slices: the last observation belongs to the last slice. Names, shapes, "
            "types, ranges and units are checked, and all that is wrong is said at once. "
            f"`ntn-gym trace save {one.entry.name} --seeds 0-3 --out drawn.npz` writes such a file to look at.",
            "```python\n" + example(one) + "```",
            words,
            table(["array", "shape", "type", "unit", "range", "meaning"], rows),
        ]
    )


def example(one: Listed) -> str:
    """Return a program that turns arrays into a trace and plays on it; it runs as it stands (with empty arrays)."""
    preset = min(one.presets, key=lambda item: item.n_agents * item.observation_size * item.steps).name
    return textwrap.dedent(
        f'''\
        import gymnasium as gym
        import numpy as np

        import ntn_gym
        from ntn_gym.core.registry import make_task
        from ntn_gym.core.trace import Trace

        task = make_task("{one.entry.name}", preset="{preset}")
        n_slices = task.episode_steps + 1
        arrays = {{}}
        for name, field in task.make_world().fields.items():
            nothing = np.clip(0, field.low, field.high)  # put your measurements here
            arrays[name] = np.full((1, n_slices, *field.shape), nothing, field.dtype)
        trace = Trace(arrays, environment="{one.entry.name}", scenario=task.scenario.model_dump(mode="json"))
        trace.save("mine.npz")  # check it with: ntn-gym trace validate mine.npz

        env = gym.make("{one.entry.id}", trace="mine.npz")
        observation, info = env.reset(seed=0)  # seed s replays world s of the trace
        '''
    )
