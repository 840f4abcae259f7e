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
# # Power and bandwidth of a near-space platform
#
# `NTN/ResourceAllocation-v0` asks which beams of a platform are on, with how much power, and how fast its battery may
# be spent. This notebook finds the classical results inside it:
#
# 1. water-filling;
# 2. who gets the band within a beam: proportional fair, max-weight, M-LWDF and EXP;
# 3. two beams that disturb each other: why one should sometimes be silent, and what load coupling changes;
# 4. rules, and the bound, on the seven beams of the default preset;
# 5. a night on the battery.
#
# It needs `pip install "ntn-gym[render]"` and runs in less than a minute.

# %%
import gymnasium as gym
import matplotlib.pyplot as plt
import numpy as np

import ntn_gym
from ntn_gym.core.engine import Engine
from ntn_gym.core.registry import make_task
from ntn_gym.envs.resource_allocation.bound import bound
from ntn_gym.envs.resource_allocation.heuristics import HEURISTICS
from ntn_gym.envs.resource_allocation.heuristics.interference import wmmse
from ntn_gym.envs.resource_allocation.heuristics.shares import water_fill
from ntn_gym.rendering import style

plt.rcParams.update(style.RC)
plt.rcParams["figure.dpi"] = 100
print("ntn_gym", ntn_gym.__version__)

# %% [markdown]
# ## 1. Water-filling
#
# Powers that maximise $\sum_b \log(1 + p_b g_b)$ with a given sum are $p_b = \max(0, \mu - 1/g_b)$: water of level
# $\mu$ over a floor of $1/g_b$. With little power only the best channel is wet.

# %%
gain = np.array([4.0, 1.0, 0.25])
totals = np.linspace(0.01, 12, 200)
powers = np.array([water_fill(gain[None], np.array([total]))[0] for total in totals])
figure, axes = plt.subplots(figsize=(6.4, 3.0))
for channel, g in enumerate(gain):
    axes.plot(totals, powers[:, channel], color=style.colour(channel), label=f"gain {g:g}")
axes.set(xlabel="total power", ylabel="power of the channel")
axes.legend()
plt.show()
print("P = 1:", water_fill(gain[None], np.array([1.0]))[0], " P = 6:", water_fill(gain[None], np.array([6.0]))[0])

# %% [markdown]
# ## 2. Within a beam
#
# The task divides the band of a beam with a classical scheduler, `scheduler.rule` in the scenario. Powers are the same
# in all runs below. Rules that know neither deadlines nor values drop urgent bits; the default serves what is due first
# and then by value times spectral efficiency.


# %%
def play(task, rule=None, seeds=range(1_000_000, 1_000_008), levels=None):
    """Mean return per step, and mean KPIs, of a rule or of constant levels."""
    engine = Engine(task, len(seeds))
    engine.reset(seeds=list(seeds))
    total, kpis, restarted = 0.0, 0.0, np.ones(len(seeds), dtype=bool)
    if rule is not None:
        rule.reset(len(seeds))
    for _ in range(task.episode_steps):
        if rule is None:
            action = np.full((len(seeds), task.n_agents), levels)
        else:
            action = np.asarray(rule.act(engine.observe(), None, restarted))
        result = engine.step(action)
        total = total + result.reward.mean(axis=1)
        kpis = kpis + result.outcome.kpis[:, 0]
        restarted = np.zeros(len(seeds), dtype=bool)
    names = [kpi.name for kpi in task.kpis]
    return total / task.episode_steps, dict(zip(names, (kpis / task.episode_steps).mean(axis=0), strict=True))


for name in ("value", "proportional-fair", "max-weight", "m-lwdf", "exp"):
    task = make_task("ResourceAllocation", "beams", {"scheduler": {"rule": name}, "traffic": {"load": 0.6}})
    score, kpis = play(task, levels=2)
    drops = ", ".join(f"{key[8:]} {kpis[key]:5.1%}" for key in kpis if key.startswith("dropped"))
    print(f"{name:18} reward {score.mean():.3f}   dropped: {drops}")

# %% [markdown]
# ## 3. Two beams
#
# Two beams disturb each other. With weak coupling both should send, with strong coupling one should be silent: the
# optimum of the sum rate is at a corner of the box of powers, and WMMSE finds it.

# %%
coupling = np.linspace(0, 1.0, 41)
chosen = []
for c in coupling:
    own, cross = np.array([[10.0, 8.0]]), np.array([[[0.0, 8.0 * c], [10.0 * c, 0.0]]])
    chosen.append(wmmse(own, cross, np.ones((1, 2)), np.array([1.0, 1.0]), 2.0, 100)[0])
figure, axes = plt.subplots(figsize=(6.4, 2.8))
for beam in range(2):
    axes.plot(coupling, np.array(chosen)[:, beam], color=style.colour(beam), label=f"beam {beam}")
axes.set(xlabel="cross gain over own gain", ylabel="power of WMMSE")
axes.legend()
plt.show()

# %% [markdown]
# A beam that has little to send fills little of its band and disturbs little. Counting its full power
# (`load_sweeps = 0`) instead of what it fills understates the others' rates; one sweep of the fixed point is enough.

# %%
for sweeps in (0, 1, 2, 10):
    task = make_task("ResourceAllocation", "beams", {"radio": {"load_sweeps": sweeps}})
    _, kpis = play(task, levels=2)
    print(f"sweeps {sweeps:2}: band in use {kpis['used']:.4f}, served {kpis['throughput_mbit_s']:.3f} Mbit/s")

# %% [markdown]
# ## 4. Rules and the bound
#
# The bound gives every bit its cheapest moment within its deadline, without interference. Nobody reaches it, because
# interference cannot be avoided altogether; nobody passes it, in any world.

# %%
task = make_task("ResourceAllocation", "beams")
engine = Engine(task, 8)
engine.reset(seeds=list(range(1_000_000, 1_000_008)))
ceiling = bound(task, {name: array[:8] for name, array in engine.buffer.arrays.items()}).value / task.episode_steps
scores = {}
for name in ("equal", "water-filling", "wmmse", "load-target", "max-weight", "demand-proportional", "greedy"):
    score, kpis = play(task, HEURISTICS[name].factory(task, {}))
    assert (score < ceiling).all()
    scores[name] = score.mean()
    print(f"{name:20} {score.mean():.3f}  {kpis['power_w']:4.0f} W  {kpis['active']:4.0%} on")
figure, axes = plt.subplots(figsize=(6.4, 2.8))
axes.barh(list(scores), list(scores.values()), color=style.BLUE)
axes.axvline(ceiling.mean(), color=style.VERMILLION, ls="--", label="bound")
axes.set(xlabel="reward per step", xlim=(0.8, 1.35))
axes.legend(loc="lower right")
plt.show()

# %% [markdown]
# ## 5. A night on the battery
#
# In `day` the platform lives on the sun. A rule that spends what the queue asks for is dark before sunrise; one that
# asks a day-ahead forecast how much may be spent keeps serving.

# %%
figure, axes = plt.subplots(figsize=(6.4, 3.0))
for index, name in enumerate(("demand-proportional", "greedy-planned")):
    env = gym.make("NTN/ResourceAllocation-v0", preset="day")
    task = env.unwrapped.task
    engine = Engine(task, 1)
    engine.reset(seeds=[1_000_003])
    rule = HEURISTICS[name].factory(task, {})
    rule.reset(1)
    battery, total = [], 0.0
    for step in range(task.episode_steps):
        action = np.asarray(rule.act(engine.observe(), None, np.array([step == 0])))
        result = engine.step(action)
        total += float(result.reward.mean())
        battery.append(float(engine.state.energy_j[0] / task.battery.capacity_j))
    hours = (np.arange(task.episode_steps) + 1) * task.dt_s / 3600
    axes.plot(hours, 100 * np.array(battery), color=style.colour(index), label=f"{name}: return {total:.0f}")
axes.axhline(10, color=style.VERMILLION, ls="--", lw=1)
axes.set(xlabel="hours since noon", ylabel="battery in %", ylim=(0, 100))
axes.legend()
plt.show()
