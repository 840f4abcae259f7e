"""DataRelay in text: stations with sky and buffer, satellites with what is on board and where they point."""

from __future__ import annotations

import numpy as np

from ntn_gym.envs.data_relay.story import Story
from ntn_gym.rendering.ansi import bar, paint, table


def describe(story: Story) -> str:
    """Return the text picture."""
    scenario, raw = story.task.scenario, story.raw
    now_h = story.time_h[-1]
    head = paint(story.title, "bold")
    lines = [
        f"{head}   t = {now_h:.2f} h of {scenario.horizon_h:g} h   return {story.episode_return:.3f}",
        f"on the ground {story.delivered_share[-1]:.1%} of the episode's data, "
        f"generated {story.generated_share[-1]:.1%}   refusals {story.refused}",
        "",
    ]
    last = story.pointed[-1] if len(story.pointed) else np.full(scenario.satellites.count, -1)
    rows = []
    for g, name in enumerate(story.station_names):
        clear = bool(raw["clear"][-1, g])
        sky = paint("clear", "green") if clear else paint("cloud", "dim")
        said = "clear" if raw["forecast_clear"][-1, g] else "cloud"
        wait = "" if clear else f"{raw['site_wait_s'][-1, g] / 3600:.1f}"
        seen = [str(s) for s in range(scenario.satellites.count) if (raw["receiver"][-1, s] == g).any()]
        served = [str(s) for s in range(scenario.satellites.count) if last[s] == g]
        store = ""
        if name in scenario.stations.hags:
            fill = float(story.hags_share[-1, scenario.stations.hags.index(name)])
            store = f"{bar(fill, 0.0, 1.0, 10)} {fill:4.0%}"
        rows.append([name, sky, said, wait, store, " ".join(seen), " ".join(served)])
    header = ["station", "sky", "forecast", "clear in h", "HAGS buffer", "in view", "served"]
    lines.append(table(header, rows, "lllrlll"))
    lines.append("")
    rows = []
    for s in range(scenario.satellites.count):
        gap = raw["next_gap_s"][-1, s, 0] / 60
        coming = int(raw["next_station"][-1, s, 0])
        onward = "-" if coming < 0 else f"{story.receiver_name(coming)} in {gap:.0f} min"
        chance = "" if coming < 0 else f"{float(raw['next_clear'][-1, s, 0]):.0%}"
        rows.append(
            [
                str(s),
                f"{story.onboard_tbit[-1, s]:.2f} {bar(story.onboard_tbit[-1, s], 0.0, 10.0, 10)}",
                story.receiver_name(int(last[s])),
                onward,
                chance,
                f"{raw['decline_wait_s'][-1, s] / 3600:.1f}",
            ]
        )
    header = ["satellite", "on board Tbit" + " " * 8, "pointed to", "next pass", "clear", "wait if declined h"]
    lines.append(table(header, rows, "rrllrr"))
    return "\n".join(lines) + "\n"
