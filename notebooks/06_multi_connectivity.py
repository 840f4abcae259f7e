# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Multi-connectivity: who is served by whom
#
# `NTN/MultiConnectivity-v0`: every user names the set of satellites and base stations that shall serve it. This
# notebook
#
# 1. looks at one world and at what a user may choose;
# 2. compares one link with two, on separate bands and in one band;
# 3. shows where joint transmission fits into the cyclic prefix;
# 4. lets users herd, and stops them;
# 5. scores the rules, those that know one user apart from those that know all.
#
# It needs `pip install "ntn-gym[render]"` and runs in less than a minute.

# %%
import gymnasium as gym
import matplotlib.pyplot as plt
import numpy as np

import ntn_gym  # noqa: F401 - registers the environments
from ntn_gym.core.engine import Engine
from ntn_gym.core.registry import make_task
from ntn_gym.core.seeding import WorldKey
from ntn_gym.envs.multi_connectivity.bound import bound
from ntn_gym.envs.multi_connectivity.heuristics import HEURISTICS
from ntn_gym.evaluation.rollout import evaluate
from ntn_gym.evaluation.uniform import UniformPolicy
from ntn_gym.rendering import style

plt.rcParams.update(style.RC)
plt.rcParams["figure.dpi"] = 100

# %% [markdown]
# ## 1. One world
#
# The default preset: 24 users in 50 x 50 km, 15 stations, three satellites at a time. An action is the number of a
# *candidate set*; the present set means to stay. The central face is `MultiDiscrete`, one entry per user; the
# parallel face (`ntn_gym.interfaces.parallel`) gives every user its own observation and reward.

# %%
env = gym.make("NTN/MultiConnectivity-v0", render_mode="rgb_array")
observation, info = env.reset(seed=3)
task = env.unwrapped.task
rule = HEURISTICS["best_response"].factory(task, {})
rule.reset(1)
first = np.ones(1, dtype=bool)
for _ in range(60):
    mask = np.array(info["action_mask"], dtype=bool)[None]
    action = rule.act(observation.reshape(1, task.n_agents, -1), mask, first)[0]
    observation, reward, _, _, info = env.step(action)
    first[:] = False

plt.figure(figsize=(9.6, 6.0))
plt.imshow(env.render())
plt.axis("off")
plt.show()

# %% [markdown]
# Which sets exist follows from the architecture (Li and Shang, section II): SS-SBS has the modes 1 (both), 2
# (satellite),
# 3 (station) and 4 (none); MS clusters satellites under one in control; MS-MBS knows both.

# %%
for preset in ("sparse", "ms-ocean", "rural", "ms-mbs"):
    sets = make_task("MultiConnectivity", preset).sets
    kinds = {
        "none": sets.size == 0,
        "sky": (sets.size > 0) & (sets.n_sky == sets.size),
        "stations": (sets.size > 0) & (sets.n_sky == 0),
        "both": (sets.n_sky > 0) & (sets.n_sky < sets.size),
    }
    counts = ", ".join(f"{int(flags.sum())} {name}" for name, flags in kinds.items())
    print(f"{preset:10s} {sets.n_sets:3d} sets: {counts}; {int(sets.controlled.sum())} need a satellite in control")

# %% [markdown]
# ## 2. One link or two
#
# The case study of the paper, one user per world and no other traffic. With maximum-ratio combining on separate bands
# two links cover at least what the better one covers, at every threshold. Put everybody into *one* band without
# beams, let the two nodes of a user send together, and the ordering is lost: what was another band is interference
# now. "Multi-connectivity is better" is a statement about a combining rule, so every scenario names its own.


# %%
def rates(changes: dict, n_worlds: int = 60, n_steps: int = 20) -> dict[str, np.ndarray]:
    """Rates with the first satellite, the first station, and both, where they are in sight."""
    one_user = {
        "steps": n_steps,
        "users": {"count": 1},
        "load": {"mean_logit": 1.0, "spread_logit": 0.0},
    }
    task = make_task("MultiConnectivity", "paper-case-study", {**one_user, **changes})
    sets = task.sets
    engine = Engine(task, n_worlds)
    result = {}
    for name, size, sky in (("satellite", 1, 1), ("station", 1, 0), ("both", 2, 1)):
        engine.reset(seeds=range(n_worlds))
        chosen = int(np.flatnonzero((sets.size == size) & (sets.n_sky == sky))[0])
        singles = [int(sets.of_bits[1 << port]) for port in np.flatnonzero(sets.members[chosen])]
        drawn = []
        for _ in range(n_steps):
            mask = engine.action_mask()
            action = np.zeros(mask.shape[:2], dtype=int)
            for option in (*singles[::-1], chosen):
                action = np.where(mask[..., option], option, action)
            drawn.append(engine.step(action).outcome.kpis[..., 0].ravel())
        result[name] = np.concatenate(drawn[1:])
    return result


in_one_band = {
    "combining": {"rule": "noncoherent", "beamforming": False, "compensation": "user"},
    "spectrum": {"kind": "shared", "shared_bandwidth_hz": 2.5e6},
}
separate, together = rates({}), rates(in_one_band)
thresholds = np.linspace(0.01, 2.5, 60)
figure, axes = plt.subplots(1, 2, figsize=(9.6, 3.4), sharey=True, layout="constrained")
for panel, (title, found) in zip(
    axes,
    (("separate bands, maximum-ratio combining", separate), ("one band, joint transmission", together)),
    strict=True,
):
    for index, (name, rate) in enumerate(found.items()):
        panel.plot(thresholds, [(rate >= x).mean() for x in thresholds], color=style.colour(index), label=name)
    if found is together:
        best = [max((separate[k] >= x).mean() for k in ("satellite", "station")) for x in thresholds]
        panel.plot(thresholds, best, color=style.MUTED, ls="--", label="better single link, separate bands")
    panel.set_title(title)
    panel.set_xlabel("rate threshold in Mbit/s")
    panel.legend()
axes[0].set_ylabel("coverage")
plt.show()

# %% [markdown]
# ## 3. The cyclic prefix
#
# Joint transmission needs all signals within the cyclic prefix of each other. If delays are aligned for the middle of
# the region only, that holds near the middle: less far the lower the satellites and the wider the subcarriers.

# %%
figure, axes = plt.subplots(1, 2, figsize=(9.6, 3.8), layout="constrained")
for panel, subcarrier_khz in zip(axes, (15, 60), strict=True):
    joint = make_task(
        "MultiConnectivity",
        "joint-transmission",
        {"steps": 30, "combining": {"subcarrier_hz": subcarrier_khz * 1e3}, "users": {"count": 60}},
    )
    world = joint.make_world()
    raw = world.advance(world.begin([WorldKey(seed) for seed in range(4)]), 31)[1]
    packed = joint.compile(None, raw)[1]
    pairs = (joint.sets.size == 2) & (joint.sets.n_sky == 2)
    possible = packed["legal"][..., pairs]
    works = (packed["aligned"][..., pairs] & possible).sum(axis=-1) / np.maximum(possible.sum(axis=-1), 1)
    place = raw["user_m"] / 1e3 - joint.scenario.side_m / 2e3
    seen = possible.any(axis=-1)
    points = panel.scatter(*place[seen].T, c=works[seen], s=4, cmap=style.SEQUENTIAL, vmin=0, vmax=1)
    prefix_us = joint.scenario.combining.cyclic_prefix_s * 1e6
    panel.set_title(f"{subcarrier_khz} kHz: prefix {prefix_us:.2f} us")
    panel.set_xlabel("east of the middle in km")
    panel.set_aspect("equal")
axes[0].set_ylabel("north of the middle in km")
figure.colorbar(points, ax=axes, label="share of satellite pairs that may send jointly")
plt.show()

# %% [markdown]
# ## 4. Herding
#
# All users answer the same broadcast, five seconds old. If everyone moves at once to the node that looked empty, it
# is full at the next broadcast, and everyone moves back. A chance to wait and some hysteresis stop that; this is why
# `best_response` has both, and why a fair comparison tunes them.

# %%
figure, panel = plt.subplots(figsize=(9.6, 3.2), layout="constrained")
for index, (name, parameters) in enumerate(
    {
        "all at once": {"move_probability": 1.0, "hysteresis": 0.0, "change_weight": 1.0},
        "by chance, with hysteresis": {"move_probability": 0.3, "hysteresis": 0.03, "change_weight": 2.0},
    }.items()
):
    policy = HEURISTICS["best_response"].factory(task, parameters)
    policy.reset(1)
    engine = Engine(task, 1)
    engine.reset(seeds=[11])
    first = np.ones(1, dtype=bool)
    users, total = [], 0.0
    for _ in range(120):
        result = engine.step(policy.act(engine.observe(), engine.action_mask(), first))
        users.append(engine.state.count[0, 0])
        total += result.reward.mean()
        first[:] = False
    panel.plot(users, color=style.colour(index), label=f"{name}: mean reward {total / 120:.3f}")
panel.set_xlabel("time in s")
panel.set_ylabel("users of satellite slot 0")
panel.legend()
plt.show()

# %% [markdown]
# ## 5. Rules
#
# *Distributed* rules know what one user knows; *central* ones know what all users report. Score 0 is random play, 1
# the bound, which knows the future. (`ntn-gym benchmark configs/benchmark/multi-connectivity.yaml` does this in full,
# with tuned parameters, more worlds and trained agents.)

# %%
seeds = range(2_000_000, 2_000_008)
short = make_task("MultiConnectivity", "rural", {"steps": 120})
world = short.make_world()
raw = world.advance(world.begin([WorldKey(seed) for seed in seeds]), short.episode_steps + 1)[1]
highest = bound(short, short.compile(None, raw)[1]).value.mean()
lowest = evaluate(short, UniformPolicy(short), seeds=seeds).returns.mean()
print(f"{'rule':20s} {'score':>6s} {'Mbit/s':>7s} {'outage':>7s} {'changes/min':>12s}")
for name, spec in HEURISTICS.items():
    found = evaluate(short, spec.factory(short, {}), seeds=seeds)
    score = (found.returns.mean() - lowest) / (highest - lowest)
    kpis = {key: float(np.mean(values)) for key, values in found.kpis.items()}
    print(f"{name:20s} {score:6.3f} {kpis['rate_mbit_s']:7.2f} {kpis['outage']:7.3f} {kpis['changes']:12.2f}")

# %% [markdown]
# Rules that look at signals alone fill the satellites and leave the stations empty. What is left above the load-aware
# rules is foresight: who will be blocked, which satellite will be empty, who had better not move.
