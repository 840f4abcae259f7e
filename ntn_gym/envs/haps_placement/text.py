"""HAPSPlacement in text: the platforms, the groups, and how the day has gone."""

from __future__ import annotations

import numpy as np

from ntn_gym.envs.haps_placement.flight import flight
from ntn_gym.envs.haps_placement.story import Story
from ntn_gym.rendering.ansi import bar, paint, sparkline, table

HISTORY_STEPS = 60


def describe(story: Story) -> str:
    """Return the text picture."""
    raw = story.raw
    sun = float(raw["sun_w_m2"][-1])
    light = f"sun {sun:.0f} W/m²" if sun > 0 else "night"
    lines = [
        f"{paint(story.title, 'bold')}   {story.clock} ({story.time_h[-1]:.1f} h of {story.hours:g} h)   "
        f"return {story.episode_return:.2f}",
        light,
        "",
        _platforms(story),
        "",
        _groups(story),
    ]
    if len(story.time_h) > 1:
        served = story.kpis["served_share"][-HISTORY_STEPS:, 0].tolist()
        mean = float(np.mean(story.kpis["served_share"]))
        charge = story.charge[-HISTORY_STEPS:].min(axis=1).tolist()
        lines += [
            "",
            f"served  {sparkline(served, 0.0, 1.0)}  share of the demand, mean {mean:.0%}",
            f"charge  {sparkline(charge, 0.0, 1.0)}  of the emptiest battery",
        ]
    return "\n".join(lines) + "\n"


def _platforms(story: Story) -> str:
    rows = []
    for i in range(story.task.n_agents):
        east, north = story.place_m[-1, i] / 1e3
        altitude = np.interp(story.level[-1, i], *_altitudes(story)) / 1e3
        load = speed = carried = "-"
        if len(story.time_h) > 1:
            load = f"{story.kpis['load'][-1, i]:.0%}"
            speed = f"{story.kpis['airspeed_m_s'][-1, i]:.1f}"
            carried = f"{story.kpis['carried_mbit_s'][-1, i]:.0f}"
        state = story.condition(i)
        rows.append(
            [
                str(i),
                f"{east:+.0f}",
                f"{north:+.0f}",
                f"{altitude:.1f}",
                speed,
                f"{story.charge[-1, i]:4.0%} {bar(story.charge[-1, i], 0, 1, 8)}",
                load,
                carried,
                state if state == "serves" else paint(state, "red"),
            ]
        )
    header = ["platform", "east km", "north km", "alt km", "air m/s", "charge" + " " * 7, "load", "Mbit/s", "state"]
    return table(header, rows, "rrrrrrrrl")


def _altitudes(story: Story) -> tuple[np.ndarray, np.ndarray]:
    altitude_m = flight(story.task.scenario).altitude_m
    return np.arange(len(altitude_m)), altitude_m


def _groups(story: Story) -> str:
    demand, raw = story.task.scenario.demand, story.raw
    top = max(float(raw["demand_mbit_s"].max()), 1.0)
    rows = []
    for group in range(demand.groups):
        asked = float(raw["demand_mbit_s"][-1, group])
        if asked <= 0:
            continue
        kind = "town" if group < demand.towns else "mover" if group < demand.towns + demand.movers else "surprise"
        east, north = raw["group_m"][-1, group] / 1e3
        rows.append([kind, f"{east:+.0f}", f"{north:+.0f}", f"{asked:.0f}", bar(asked, 0, top, 24)])
    return table(["demand", "east km", "north km", "Mbit/s", ""], rows, "lrrrl")
