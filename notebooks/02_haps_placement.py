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
# # Platforms that fly to where people are
#
# `NTN/HAPSPlacement-v0`: solar airships, aircraft or balloons in the stratosphere serve a region for a day. Demand
# wanders from town to town, wind blows, and at night there is only the battery. Each platform is an agent. This
# notebook shows
#
# 1. what a platform serves, and what flying costs it;
# 2. one day of four airships;
# 3. what wind, night and forecast are worth to rules, world by world;
# 4. how far the best rule is from what nobody can beat;
# 5. the agents apart, and how to train them.
#
# It needs `pip install "ntn-gym[render]"` and runs in less than a minute.

# %%
import math

import gymnasium as gym
import matplotlib.pyplot as plt
import numpy as np
import pettingzoo

import ntn_gym  # noqa: F401  (registers the environments)
from ntn_gym.core.registry import make_task
from ntn_gym.core.seeding import WorldKey
from ntn_gym.envs.haps_placement.bound import bound
from ntn_gym.envs.haps_placement.flight import flight
from ntn_gym.envs.haps_placement.heuristics import HEURISTICS
from ntn_gym.envs.haps_placement.radio import radio_maps
from ntn_gym.envs.haps_placement.reference import greedy_jump
from ntn_gym.evaluation.rollout import evaluate
from ntn_gym.evaluation.uniform import UniformPolicy
from ntn_gym.rendering import style

plt.rcParams.update(style.RC)
plt.rcParams["figure.dpi"] = 100
task = make_task("HAPSPlacement", "airships")

# %% [markdown]
# ## 1. What a platform serves, and what flying costs
#
# The radio of a platform is an ITU-R HIBS array: one beam at the nadir and six around it, which take turns. The share
# of users in sight falls with the elevation (TR 38.811), so a platform that serves two towns from the middle serves
# both badly. Propulsion grows as the cube of the airspeed: an airship that holds station in 7 m/s lasts the night, in
# 14 m/s it does not.

# %%
maps, fly = radio_maps(task.scenario), flight(task.scenario)
reach_km = maps.width // 2
quality = maps.quality.reshape(maps.width, maps.width)
speed = np.linspace(0.0, 16.0, 100)
hours = fly.battery.capacity_j / 3600.0 * fly.battery.discharge_efficiency / (fly.power_w(speed) + 3500.0)

figure, (left, right) = plt.subplots(1, 2, figsize=(10, 3.8), layout="constrained")
image = left.imshow(quality, origin="lower", extent=[-reach_km, reach_km] * 2, cmap=style.SEQUENTIAL, vmin=0)
figure.colorbar(image, ax=left, label="efficiency over that at the nadir")
left.set(title="What a town of 10 km gets", xlabel="east of the platform in km", ylabel="north in km")
left.grid(False)
right.plot(speed, hours, color=style.BLUE)
night_h = 2 * math.degrees(math.acos(math.sin(math.radians(4.5)) / math.cos(math.radians(30)))) / 15
right.axhline(night_h, color=style.VERMILLION, ls="--")
right.annotate("night at the equinox, 30 deg", (16, night_h), ha="right", va="bottom", color=style.VERMILLION)
right.set(title="How long a full battery lasts", xlabel="airspeed in m/s", ylabel="hours", ylim=(0, None))
plt.show()

# %% [markdown]
# ## 2. One day of four airships
#
# Greedy coverage of the demand that is forecast for the next hours, flown with a budget of energy for the night. The
# day begins at 14 h, when the batteries are nearly full.

# %%
env = gym.make("NTN/HAPSPlacement-v0", preset="airships", render_mode="rgb_array")
rule = HEURISTICS["greedy_forecast"].factory(task, {})
rule.reset(1)
observation, _ = env.reset(seed=1_000_003)
restarted = np.ones(1, dtype=bool)
done = False
while not done:
    action = rule.act(observation.reshape(1, task.n_agents, -1), None, restarted)
    restarted = np.zeros(1, dtype=bool)
    observation, reward, _, done, info = env.step(action.ravel())
figure, axes = plt.subplots(figsize=(9.6, 6.0))
axes.imshow(env.render())
axes.set_axis_off()
figure.subplots_adjust(0, 0, 1, 1)
plt.show()

# %% [markdown]
# ## 3. What forecast and night budget are worth
#
# Every rule comes with and without a forecast, and with any budget for the night, because a learned policy has both.
# All meet the same worlds, so differences are taken world by world; the interval is 95 %.

# %%
SEEDS = range(1_000_200, 1_000_224)
variants = {
    "stay": ("stay", {}),
    "best static sites": ("best_static", {}),
    "swarm forces": ("swarm", {}),
    "greedy, no budget": ("greedy", {"budget": 0.0}),
    "greedy": ("greedy", {"budget": 1.0}),
    "greedy, forecast": ("greedy_forecast", {"budget": 1.0, "lead_h": 1.5}),
}
returns = {"random": evaluate(task, UniformPolicy(task), SEEDS, purpose="validation").returns}
for name, (key, parameters) in variants.items():
    returns[name] = evaluate(task, HEURISTICS[key].factory(task, parameters), SEEDS, purpose="validation").returns


def difference(one: str, other: str) -> str:
    """Mean paired difference of two rules with its interval."""
    gap = returns[one] - returns[other]
    return f"{gap.mean():+.2f} +- {1.96 * gap.std(ddof=1) / math.sqrt(len(gap)):.2f} hours of full service"


for name, values in returns.items():
    print(f"{name:20} {values.mean():6.2f}")
print("budget for the night:", difference("greedy", "greedy, no budget"))
print("forecast:            ", difference("greedy, forecast", "greedy"))

# %% [markdown]
# ## 4. How far from what nobody can beat
#
# The bound lets platforms jump every hour, knows the future, and forgets wind, energy and interference; a Lagrangian
# relaxation with branch and bound over the plane makes it valid. Jumping platforms that are placed greedily, with
# interference, come closer to it than any that must fly: most of the gap is way, wind and night, a part is looseness.

# %%
world = task.make_world()
_, raw = world.advance(world.begin([WorldKey(seed) for seed in SEEDS[:4]]), task.episode_steps + 1)
arrays = task.compile(None, raw)[1]
limit = bound(task, arrays).value
jump = greedy_jump(task, {"drive": arrays["drive"][:1]})
low = returns["random"][:4].mean()
print(f"bound {limit.mean():.2f}, jumping platforms (one world) {jump[0]:.2f} of {limit[0]:.2f}")
for name in ("best static sites", "greedy", "greedy, forecast"):
    print(f"{name:20} score {(returns[name][:4].mean() - low) / (limit.mean() - low):.2f} of 1")

# %% [markdown]
# ## 5. Agents apart
#
# PettingZoo's parallel environment gives every platform its own observation, action and reward. To train one policy
# that all platforms share:
#
# ```
# ntn-gym train HAPSPlacement --algo ppo
# ntn-gym train HAPSPlacement --algo ppo-imitate   # begins with greedy_forecast
# ntn-gym train HAPSPlacement --algo ppo-central   # one controller for all
# ntn-gym benchmark configs/benchmark/haps-placement.yaml
# ```

# %%
parallel = pettingzoo.make("parallel", "NTN/HAPSPlacement-v0", preset="airships")
observations, infos = parallel.reset(seed=1)
print(parallel.agents, observations["platform_0"].shape)
observations, rewards, *_ = parallel.step({agent: np.zeros(2, np.float32) for agent in parallel.agents})
print({agent: round(value, 4) for agent, value in rewards.items()})
