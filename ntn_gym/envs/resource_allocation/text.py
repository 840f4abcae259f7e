"""ResourceAllocation in text: what every radio does and has to do, and how the last steps went."""

from __future__ import annotations

from ntn_gym.envs.resource_allocation.story import Story
from ntn_gym.rendering.ansi import bar, paint, sparkline, table

HISTORY_STEPS = 50
"""With it every line fits into a terminal of 80 columns."""


def describe(story: Story) -> str:
    """Return the text picture."""
    task = story.task
    lines = [f"{paint(story.title, 'bold')}   {story.clock}   return {story.episode_return:.2f}"]
    price = float(story.raw["price"][-1])
    if task.battery is None:
        lines.append(f"price of energy {price:.2f} per {task.scenario.energy.reference_w:g} W and step")
    else:
        battery = story.battery_share[-1]
        lines.append(
            f"battery {battery:.0%} {bar(battery, 0, 1, 12)}  sun {story.raw['solar_w'][-1]:.0f} W  "
            f"engines {story.raw['propulsion_w'][-1]:.0f} W"
        )
    if task.scenario.feeder is not None:
        sky = "thick cloud" if story.raw["feeder_cloud"][-1] else f"loss {story.raw['feeder_loss_db'][-1]:.1f} dB"
        lines.append(f"feeder: {sky}")
    rows = []
    highest = task.constants.highest_w
    for agent in range(task.n_agents):
        power = story.power_w[-1, agent] if len(story.power_w) else 0.0
        shown = paint("asleep", "dim") if power == 0 else f"{power:.2f} {bar(power, 0, highest[agent], 8)}"
        mine = story.serving == agent
        users = str(int(mine.sum())) if agent < task.n_radios else "-"
        due, waiting = story.due_mbit[mine].sum(), story.waiting_mbit[mine].sum()
        rows.append([story.radio_name(agent), shown, users, f"{due:.1f}", f"{waiting:.1f}"])
    lines.append(table(["", "power in W", "users", "due now in Mbit", "waiting in Mbit"], rows, "llrrr"))
    if len(story.power_w):
        recent = slice(-HISTORY_STEPS, None)
        for name, values, unit in (
            ("served", story.kpis["throughput_mbit_s"], "Mbit/s"),
            ("dropped", 100 * story.dropped_share, "%"),
            ("supply", story.kpis["power_w"], "W"),
        ):
            top = max(float(values.max()), 1e-9)
            lines.append(f"{name:8}{sparkline(values[recent].tolist(), 0.0, top)} {values[-1]:.1f} {unit}")
    return "\n".join(lines) + "\n"
