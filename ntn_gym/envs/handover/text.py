"""Handover in text: what a user knows before deciding, and what the last steps brought."""

from __future__ import annotations

import numpy as np

from ntn_gym.envs.handover.story import Story
from ntn_gym.rendering.ansi import bar, paint, sparkline, table

HISTORY_STEPS = 50
"""With it every line fits into a terminal of 80 columns."""
SINR_BAR_DB = (-10.0, 20.0)


def describe(story: Story) -> str:
    """Return the text picture."""
    head = paint(story.title, "bold")
    clock = f"t = {story.time_s:g} s of {story.duration_s:g} s   return {story.episode_return:.2f}"
    if story.first_s > 0:
        # The filters of the measurement chain remember more than the record: say so rather than show it as exact.
        clock += f"\n(the record begins at t = {story.first_s:g} s: measured values are filtered from there on)"
    body = _one(story) if story.task.n_agents == 1 else _many(story)
    return "\n".join([f"{head}   {clock}", *body]) + "\n"


def _last_events(story: Story) -> str:
    """Name what happened in the last step, and to how many users if there are many."""
    happened = {name: int(flags[-1].sum()) for name, flags in story.events.items() if len(flags) and flags[-1].any()}
    if story.task.n_agents > 1:
        return ", ".join(f"{count} x {name}" for name, count in happened.items())
    return "  ".join(paint(f"{name}!", "red", "bold") for name in happened)


def _one(story: Story) -> list[str]:
    task = story.task
    view = story.view
    mine = int(story.serving[-1, 0])
    lines = [story.condition(0)]
    if len(story.rate_mbit_s):
        load = story.load[-1, 0]
        carried = "" if np.isnan(load) else f"   SINR {story.sinr_db[-1, 0]:.1f} dB   load {load:.0%}"
        lines.append(f"last step: {story.rate_mbit_s[-1, 0]:.1f} Mbit/s{carried}   {_last_events(story)}".rstrip())
    rows = []
    for slot in range(task.n_slots):
        if not view.valid[0, 0, slot]:
            rows.append([f" {slot}", *[paint("-", "dim")] * 6])
            continue
        age = float(view.slot("age")[0, 0, slot])
        sinr = float(view.sinr_db[0, 0, slot])
        stale = "~" if age >= 1.0 and slot != mine else ""
        measured = f"{stale}{sinr:.1f} {bar(sinr, *SINR_BAR_DB, 8)}"
        remaining = float(view.remaining_s[0, 0, slot])
        beyond = ">" if remaining >= task.scenario.remaining_horizon_s else ""
        row = [
            f" {slot}",
            f"{view.elevation_deg[0, 0, slot]:.0f}",
            f"{view.elevation_rate_deg_s[0, 0, slot]:+.2f}",
            measured,
            f"{view.load[0, 0, slot]:.0%}",
            f"{float(view.utility[0, 0, slot]):.2f}",
            f"{beyond}{remaining:.0f}",
        ]
        rows.append([paint(f"▶{slot}", "bold", "green"), *row[1:]] if slot == mine else row)
    header = [
        "slot",
        "elevation °",
        "rate °/s",
        "measured SINR dB" + " " * 8,
        "load",
        "utility",
        "sets in s",
    ]
    lines += ["", table(header, rows), "~ not measured lately (or never: then predicted for a clear sky)", ""]
    recent = slice(-HISTORY_STEPS, None)
    if len(story.rate_mbit_s):
        top = max(float(story.rate_mbit_s.max()), 1.0)
        rates = sparkline(story.rate_mbit_s[recent, 0].tolist(), 0.0, top)
        lines.append(f"rate  {rates}  0 to {top:.0f} Mbit/s")
        lines.append(f"slot  {_slots(story, recent)}  (the last {HISTORY_STEPS} steps)")
        lines.append(_totals(story))
    return lines


def _slots(story: Story, steps: slice) -> str:
    """One character per step: the slot (0-9, a-z, ...) that served the only user, a dot for none."""
    digits = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ+-"
    served = np.where(story.carried[:, 0], story.serving[1:, 0], -1)[steps]
    return "".join("·" if slot < 0 else digits[slot] for slot in served)


def _totals(story: Story) -> str:
    counts = "  ".join(
        f"{name}s {int(flags.sum())}" for name, flags in story.events.items() if name != "illegal choice"
    )
    outage = 1.0 - float(story.carried.mean())
    return f"so far: {float(story.rate_mbit_s.mean()):.1f} Mbit/s   outage {outage:.1%}\n  {counts}"


def _many(story: Story) -> list[str]:
    task = story.task
    view = story.view
    n_users = task.n_agents
    connected = np.where(story.alive, story.serving[-1], -1)
    counts = [int((connected == slot).sum()) for slot in range(task.n_slots)]
    rules = task.rules
    lost = int((story.status > rules.idle).sum())
    idle = int((story.status == rules.idle).sum())
    lines = [
        f"{n_users} users: {sum(counts)} connected, {idle} idle, {lost} re-establishing",
        f"last step: {_last_events(story) or 'no event'}",
    ]
    rows = []
    for slot in range(task.n_slots):
        if not story.valid[slot]:
            rows.append([str(slot), *[paint("-", "dim")] * 5, ""])
            continue
        measured = (view.slot("age")[0, :, slot] < 1.0) | (connected == slot)
        sinr = f"{float(np.median(view.sinr_db[0, measured, slot])):.1f}" if measured.any() else "?"
        rows.append(
            [
                str(slot),
                f"{float(view.elevation_deg[0, :, slot].mean()):.0f}",
                sinr,
                f"{float(view.load[0, 0, slot]):.0%}",
                f"{float(view.remaining_s[0, 0, slot]):.0f}",
                str(counts[slot]),
                bar(counts[slot], 0, n_users, 24),
            ]
        )
    header = ["slot", "elevation °", "median SINR dB", "load", "sets in s", "users", ""]
    lines += ["", table(header, rows, "rrrrrrl"), ""]
    if len(story.rate_mbit_s):
        mean = story.rate_mbit_s.mean(axis=1)
        top = max(float(mean.max()), 1.0)
        rates = sparkline(mean[-HISTORY_STEPS:].tolist(), 0.0, top)
        lines.append(f"mean rate  {rates}  0 to {top:.0f} Mbit/s")
        lines.append(_totals(story))
    return lines
