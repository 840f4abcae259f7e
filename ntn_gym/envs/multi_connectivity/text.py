"""MultiConnectivity in text: how full the nodes are, what some users know, and what the last steps brought."""

from __future__ import annotations

import numpy as np

from ntn_gym.envs.multi_connectivity.admission import limits_of_resources
from ntn_gym.envs.multi_connectivity.story import MODES, Story
from ntn_gym.rendering.ansi import bar, paint, sparkline, table

HISTORY_STEPS = 50
USERS_SHOWN = 6
NODES_SHOWN = 10


def node_name(story: Story, node: int) -> str:
    """Name of a node: ``sky 0``, ``BS 3``, or ``-``."""
    n_sky = story.task.scenario.n_sky_slots
    return "-" if node < 0 else f"sky {node}" if node < n_sky else f"BS {node - n_sky}"


def describe(story: Story) -> str:
    """Return the text picture."""
    head = paint(story.title, "bold")
    clock = f"t = {story.time_s:g} s of {story.duration_s:g} s   return {story.episode_return:.2f}"
    lines = [f"{head}   {clock}"]
    if story.first_s > 0:
        lines.append(f"(the record begins at t = {story.first_s:g} s: reports are older than shown)")
    linked = story.now_linked
    n_sky = story.task.scenario.n_sky_slots
    mode = linked[:, :n_sky].any(axis=-1) + 2 * linked[:, n_sky:].any(axis=-1)
    lines.append(", ".join(f"{int((mode == m).sum())} {name}" for m, name in enumerate(MODES)))
    lines += ["", *_nodes(story), "", *_users(story, linked)]
    if len(story.mode):
        rate = story.kpis["rate_mbit_s"]
        mean = rate.mean(axis=1)
        top = max(float(mean.max()), 1.0)
        lines += [
            "",
            f"mean rate  {sparkline(mean[-HISTORY_STEPS:].tolist(), 0.0, top)}  0 to {top:.0f} Mbit/s",
            f"so far: {float(rate.mean()):.2f} Mbit/s   outage {float(story.kpis['outage'].mean()):.1%}   "
            f"links added {int(story.kpis['changes'].sum())}   refused {int(story.kpis['refused_links'].sum())}",
        ]
    return "\n".join(lines) + "\n"


def _nodes(story: Story) -> list[str]:
    scenario = story.task.scenario
    limit, users = limits_of_resources(scenario), story.users_of_node
    n_sky = scenario.n_sky_slots
    stations = n_sky + np.argsort(-users[n_sky:], kind="stable")
    held = story.raw["node"][-1, 0, :n_sky] >= 0
    rows = []
    for node in [*range(n_sky), *stations.tolist()][:NODES_SHOWN]:
        if node < n_sky and not held[node]:
            rows.append([node_name(story, node), *[paint("-", "dim")] * 4, ""])
            continue
        elevation = f"{story.raw['elevation_deg'][-1, node]:.0f}" if node < n_sky else ""
        sets = f"{story.raw['remaining_s'][-1, node]:.0f}" if node < n_sky else ""
        rows.append(
            [
                node_name(story, node),
                elevation,
                sets,
                f"{story.raw['load'][-1, node]:.0%}",
                f"{users[node]}/{limit[node]}",
                bar(float(users[node]), 0, float(limit[node]), 16),
            ]
        )
    return [table(["node", "elevation °", "sets in s", "others' load", "users", ""], rows, "lrrrrl")]


def _users(story: Story, linked: np.ndarray) -> list[str]:
    view, n_slots = story.view, story.task.n_slots
    rate = story.kpis["rate_mbit_s"][-1] if len(story.mode) else np.zeros(story.task.n_agents)
    rows = []
    for user in range(min(USERS_SHOWN, story.task.n_agents)):
        cells = []
        for slot in range(n_slots):
            node = int(story.raw["node"][-1, user, slot])
            words = "-" if node < 0 else f"{node_name(story, node)} {float(view.sinr_db[0, user, slot]):.0f}"
            cells.append(paint(words, "bold", "green") if linked[user, slot] else words)
        rows.append([str(user), f"{rate[user]:.1f}", *cells])
    header = ["user", "Mbit/s", *[f"slot {k}" for k in range(n_slots)]]
    return [table(header, rows), "nodes of the slots with the measured SINR in dB; linked ones stand out"]
