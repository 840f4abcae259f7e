"""ChannelAllocation in text: the map of the cells, the question, and how it went."""

from __future__ import annotations

from ntn_gym.envs.channel_allocation.story import Story
from ntn_gym.rendering.ansi import paint, sparkline

HISTORY_STEPS = 60


def describe(story: Story) -> str:
    """Return the text picture."""
    task = story.task
    new, blocked, handovers, dropped = story.counts
    lines = [
        f"{paint(story.title, 'bold')}   event {story.step} of {task.episode_steps}   "
        f"t = {story.time_s[-1]:.1f} s   return {story.episode_return:.3f}",
        story.question,
        f"carried {story.carried[-1]} of {int(story.raw['offered'][-1].sum())} offered calls   "
        f"refused {blocked} of {new} new calls, dropped {dropped} of {handovers} hand-overs",
        *_map(story),
        _history(story),
    ]
    happened = [name for name, flags in story.events.items() if len(flags) and flags[-1]]
    if happened:
        lines.append("last event: " + "  ".join(paint(name, "red", "bold") for name in happened))
    return "\n".join(lines) + "\n"


def _map(story: Story) -> list[str]:
    """One line per row of cells: calls and free channels; the cell of the event inverse, those it disturbs bold."""
    cells, topology = story.task.scenario.cells, story.task.plan.topology
    lines = [
        paint("calls/free channels of each cell; brackets: the event, bold: cells within the reuse distance", "dim")
    ]
    near = topology.distance[story.cell] < cells.reuse_distance
    calls = story.uses.sum(axis=1)
    for row in range(cells.rows):
        parts = []
        for i in range(row * cells.columns, (row + 1) * cells.columns):
            text = f"{calls[i]:>3}/{int(story.free[i]):<3}"
            if i == story.cell:
                text = paint(f"[{text.strip()}]".center(8), "inverse")
            else:
                text = paint(f" {text} ", "bold") if near[i] else paint(f" {text} ", "dim")
            parts.append(text)
        # Rows run northwards, as in the picture; every second one is shifted by half a cell.
        lines.insert(1, ("    " if row % 2 else "") + "".join(parts))
    return lines


def _history(story: Story) -> str:
    recent = story.carried[-HISTORY_STEPS:].astype(float)
    low, high = recent.min() - 1, recent.max() + 1
    return f"carried calls {sparkline(recent.tolist(), low, high)} {int(recent[-1])}"
