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
# # Where does a task run?
#
# Fifteen devices get tasks in bursts. Each task runs on the slow processor of its device, on a server aboard a
# platform in the stratosphere, or on one in the satellite that is in service. What is offloaded is transmitted first
# and waits at the server until others have been served. All devices decide at once, on what was broadcast at the end
# of the last slot.
#
# 1. the problem in one picture;
# 2. the queues are those of queueing theory;
# 3. devices that know the same do the same: herding;
# 4. the rules and the bound;
# 5. a short training.
#
# It needs `pip install "ntn-gym[render,agents]"` and runs in less than a minute.

# %%
import tempfile
from itertools import pairwise
from pathlib import Path

import gymnasium as gym
import matplotlib.pyplot as plt
import numpy as np

import ntn_gym  # noqa: F401  (registers the environments)
from ntn_gym.core.engine import Engine
from ntn_gym.core.registry import make_task
from ntn_gym.core.seeding import WorldKey
from ntn_gym.envs.task_offloading.bound import bound
from ntn_gym.envs.task_offloading.heuristics import HEURISTICS, View
from ntn_gym.envs.task_offloading.queues import serve_arrivals
from ntn_gym.evaluation.problem import find_candidate, load_problem
from ntn_gym.evaluation.rollout import evaluate
from ntn_gym.physics.queueing import md1_waiting_time_s, mm1_waiting_time_s
from ntn_gym.rendering import style

plt.rcParams.update(style.RC)
plt.rcParams["figure.dpi"] = 100

# %% [markdown]
# ## 1. The problem
#
# `gym.make` gives the central view: one choice for each of the fifteen devices. Random choices fill the queues.

# %%
env = gym.make("NTN/TaskOffloading-v0", preset="bursty", render_mode="rgb_array")
env.reset(seed=3)
env.action_space.seed(0)
for _ in range(60):
    env.step(env.action_space.sample())
figure, axes = plt.subplots(figsize=(9.6, 6.0))
axes.imshow(env.render())
axes.set_axis_off()
plt.show()

# %% [markdown]
# ## 2. Queues
#
# Servers work first come, first served, exactly to the instant at which an upload ends, however long a slot is. Under
# Poisson load a server is therefore M/M/1 or M/D/1. Here one slot holds 2,000 s of arrivals.

# %%
rng = np.random.default_rng(0)
loads = np.linspace(0.1, 0.8, 8)
waits = {"exponential": [], "constant": []}
for load in loads:
    arrival_s = np.cumsum(rng.exponential(1.0 / load, (200, int(2000 * load))), axis=1)
    for name, service_s in (
        ("exponential", rng.exponential(1.0, arrival_s.shape)),
        ("constant", np.ones(arrival_s.shape)),
    ):
        served = serve_arrivals(service_s, arrival_s, np.ones(200), 1e6)
        waits[name].append((served.end_s - arrival_s - service_s)[:, 50:].mean())
fine = np.linspace(0.05, 0.82, 100)
figure, axes = plt.subplots(figsize=(6.4, 3.2), layout="constrained")
for name, theory, colour in (
    ("exponential", mm1_waiting_time_s(fine, 1.0), style.BLUE),
    ("constant", md1_waiting_time_s(fine, 1.0), style.ORANGE),
):
    axes.plot(fine, theory, color=colour, label=f"theory, {name} service of 1 s")
    axes.plot(loads, waits[name], "o", color=colour)
axes.set(xlabel="load of the server", ylabel="mean wait in s", title="Dots: the queue of the environment")
axes.legend()
plt.show()

# %% [markdown]
# ## 3. Herding
#
# A server that looks idle to one device looks idle to all. Below, every device takes the option with the shortest
# predicted delay. We note what it was told to expect from a server, and how many others had the same idea in the same
# slot.

# %%
task = make_task("TaskOffloading", "bursty")
engine = Engine(task, 64)
engine.reset(seeds=list(range(64)))
rule = HEURISTICS["min_delay"].factory(task, {})
rule.reset(64)
together, waits_s = [], []
for _ in range(task.episode_steps - 10):
    observation, mask = engine.observe(), engine.action_mask()
    action = rule.act(observation, mask, np.zeros(64, dtype=bool))
    to_platform = (action == 1).sum(axis=1)
    before = View(observation)["server_wait"][:, 0, 1]
    engine.step(action)
    after = engine.state.backlog[:, 0] / 8e9
    together.append(to_platform)
    waits_s.append([before, after])
# What is sent in a slot has mostly arrived at the end of the next one.
before, after = np.array(waits_s)[:-1, 0].ravel(), np.array(waits_s)[1:, 1].ravel()
together = np.array(together)[:-1].ravel()
figure, (left, right) = plt.subplots(1, 2, figsize=(10, 3.2), layout="constrained")
edges = np.linspace(0.0, 1.2, 9)
middle = (edges[1:] + edges[:-1]) / 2
inside = [(before >= low) & (before < high) for low, high in pairwise(edges)]
left.bar(middle, [together[i].mean() if i.any() else 0.0 for i in inside], 0.13, color=style.BLUE)
left.set(
    xlabel="broadcast wait at the platform in s",
    ylabel="tasks sent there in the next slot",
    title="An empty queue attracts everybody ...",
)
at_once = range(0, 8)
chosen = [after[together == n] for n in at_once]
right.bar(at_once, [c.mean() if len(c) else 0.0 for c in chosen], color=style.VERMILLION)
right.set(
    xlabel="tasks sent there in one slot",
    ylabel="wait at the end of the next slot in s",
    title="... and does not stay empty",
)
plt.show()

# %% [markdown]
# ## 4. Rules and the bound
#
# All rules see what an agent sees. `join_shortest` blurs the shortest delay with a personal coin; `composite` adds
# prices for load and for sharing the band. The bound is a linear program that knows all tasks, channels and loads to
# come, so part of the distance to it cannot be gained by anybody.

# %%
problem = load_problem("TaskOffloading", "bursty")
seeds = range(1_000_000, 1_000_024)
returns = {}
for name in (
    "random",
    "local",
    "haps_only",
    "min_energy",
    "min_delay",
    "join_shortest",
    "drift_plus_penalty",
    "composite",
):
    policy = find_candidate(problem, name).build()
    returns[name] = evaluate(problem.task, policy, seeds, purpose="validation").returns
world = task.make_world()
raw = world.advance(world.begin([WorldKey(seed) for seed in seeds[:6]]), task.episode_steps + 1)[1]
returns["bound (6 worlds)"] = bound(task, task.compile(None, raw)[1]).value
figure, axes = plt.subplots(figsize=(7, 3.2), layout="constrained")
axes.barh(list(returns), [-values.mean() for values in returns.values()], color=style.BLUE)
axes.invert_yaxis()
axes.set(xlabel="cost per device and minute (less is better)", title="TaskOffloading, bursty")
plt.show()

# %% [markdown]
# ## 5. A short training
#
# Devices share one policy. With `team: 1.0` each learns from the mean reward of all: on its own reward alone it
# ignores that its tasks delay those of the others. Here the small preset learns for some seconds, from random
# weights; the shipped configuration begins by imitating `composite`:
#
# ```
# ntn-gym train TaskOffloading --algo ppo
# ```

# %%
from ntn_gym_agents.jobs import TrainJob
from ntn_gym_agents.training import train
from ntn_gym_agents.zoo import load_policy

tiny = load_problem("TaskOffloading", "tiny")
with tempfile.TemporaryDirectory() as folder:
    job = TrainJob(
        "TaskOffloading", str(Path(folder) / "run"), preset="tiny", algorithm="ppo-scratch", steps=90_000, eval_every=0
    )
    train(job)
    learned = load_policy(Path(folder) / "run")
for name in ("random", "local", "composite"):
    played = evaluate(tiny.task, find_candidate(tiny, name).build(), seeds, purpose="validation")
    print(f"{name:10s} {played.returns.mean():7.2f}")
print(f"{'learned':10s} {evaluate(tiny.task, learned, seeds, purpose='validation').returns.mean():7.2f}")
