"""TaskOffloading in text: targets with their queues, what the devices do, and how it went."""

from __future__ import annotations

from ntn_gym.envs.task_offloading.story import Story
from ntn_gym.rendering.ansi import bar, paint, sparkline, table

HISTORY_STEPS = 60


def describe(story: Story) -> str:
    """Return the text picture."""
    task = story.task
    nodes = ("", *task.scenario.nodes)
    rows = []
    for i, name in enumerate(story.targets):
        wait = story.waits_s[-1, i]
        sending = f"{int(story.sending[i - 1])}" if 1 <= i < len(nodes) else "-"
        rows.append(
            [
                name if story.visible[i] else paint(f"{name} (out of reach)", "dim"),
                str(int(story.on_way[i])),
                sending,
                f"{wait:.2f} s",
                bar(float(wait), 0.0, 4.0, 12),
            ]
        )
    done, late = int(story.completed.sum()), int(story.dropped.sum())
    costs = "  ".join(
        f"{name.replace('_', ' ')} {value[-1] if len(value) else 0.0:.2f}" for name, value in story.costs.items()
    )
    recent = story.waits_s[-HISTORY_STEPS:, 1:].sum(axis=1)
    marks = "".join("-" if to < 0 else story.targets[to][0].upper() for to in story.to)
    lines = [
        f"{paint(story.title, 'bold')}   t = {story.time_s[-1]:.1f} s of {task.episode_steps * task.dt_s:g} s   "
        f"return {story.episode_return:.3f}",
        f"{int(story.new.sum())} of {task.n_agents} devices have a new task",
        table(["target", "tasks", "sending", "queue", ""], rows, "lrrrl"),
        f"newest task of each device went to {marks} (initials; -: none on its way)",
        f"completed {done}, mean delay {story.delay_s:.2f} s; late {late}",
        f"cost per device: {costs}",
        f"queues at the servers {sparkline(recent.tolist(), 0.0, max(float(recent.max()), 1.0))} {recent[-1]:.2f} s",
    ]
    return "\n".join(lines) + "\n"
