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
# # Relaying through clouds
#
# Optical links bring much data from satellites to the ground, and a cloud stops them. A *high-altitude ground station*
# (HAGS, [arXiv:2403.15659](https://arxiv.org/abs/2403.15659)) floats 20 km above a station: it always receives, keeps
# the data, and sends it down when the sky below clears. `NTN/DataRelay-v0` asks a satellite's operator at every pass:
# store the data above clouds now, or keep it for a later pass that may be clear?
#
# 1. the world: real passes, clouds that come and go, a forecast of known skill;
# 2. an episode, event by event;
# 3. rules and the bound;
# 4. what a forecast is worth;
# 5. the figure of the paper: what a HAGS is worth.
#
# It needs `pip install "ntn-gym[render]"` and runs in less than a minute.

# %%
import gymnasium as gym
import matplotlib.pyplot as plt
import numpy as np

import ntn_gym  # registers the environments  # noqa: F401
from ntn_gym.core.registry import make_task
from ntn_gym.core.seeding import WorldKey
from ntn_gym.envs.data_relay.bound import bound
from ntn_gym.envs.data_relay.heuristics import HEURISTICS
from ntn_gym.evaluation.rollout import evaluate
from ntn_gym.evaluation.uniform import UniformPolicy
from ntn_gym.rendering import style

plt.rcParams.update(style.RC)
plt.rcParams["figure.dpi"] = 100
SEEDS = range(1_000_000, 1_000_008)  # validation worlds; reported results use other ones

# %% [markdown]
# ## 1. The world
#
# Four satellites of Iridium NEXT, drawn anew for every world, and ten real stations. A satellite sees a station for
# some ten minutes; a third of the time it sees any. The sky over a station is clear for half an hour on average and
# covered for five, so that nine passes in ten meet clouds. Everything in the trace is drawn before any decision.

# %%
task = make_task("DataRelay", "mixed")
world = task.make_world()
raw = world.advance(world.begin([WorldKey(7)]), task.episode_steps + 1)[1]
n_epochs = int(np.count_nonzero(raw["duration_ms"][0]))
time_h = raw["time_s"][0, : n_epochs + 1] / 3600
lengths_s = raw["duration_ms"][0, :n_epochs] / 1e3
print(f"{n_epochs} events in a day; epochs last {np.median(lengths_s):.0f} s (median), {lengths_s.max():.0f} s at most")

figure, axes = plt.subplots(figsize=(10, 3.2), layout="constrained")
names = task.scenario.stations.names
for lane in range(len(names)):
    cloudy = ~raw["clear"][0, :n_epochs, lane]
    said = raw["forecast_clear"][0, :n_epochs, lane]
    seen = (raw["receiver"][0, :n_epochs] == lane).any(axis=(1, 2))
    for flags, offset, width, colour in (
        (cloudy, 0.0, 7, "#b9c0c7"),
        (said, 0.34, 2, style.ORANGE),
        (seen, 0.0, 2, style.BLUE),
    ):
        axes.hlines(np.full(flags.sum(), lane + offset), time_h[:-1][flags], time_h[1:][flags], colour, lw=width)
hags = task.scenario.stations.hags
axes.set_yticks(range(len(names)), [f"{name} ▲" if name in hags else name for name in names])
axes.set(
    xlabel="time in h", xlim=(0, 24), title="clouds (grey), forecast of clear sky (orange), a satellite in view (blue)"
)
axes.invert_yaxis()
plt.show()

# %% [markdown]
# ## 2. An episode
#
# Decisions are due when something happens: a pass begins or ends, the sky changes, a file appears. The infos say how
# long each epoch lasted (`epoch_s`); rewards are integrals over time, so the return does not depend on how time is cut.
# The rule `belief_assign` compares the expected wait of every choice.

# %%
env = gym.make("NTN/DataRelay-v0", preset="mixed", render_mode="rgb_array")
observation, info = env.reset(seed=7)
rule = HEURISTICS["belief_assign"].factory(env.unwrapped.task, {})
rule.reset(1)
first = np.ones(1, dtype=bool)
elapsed_s, picture, done = 0.0, None, False
while not done:
    action = rule.act(observation.reshape(1, 4, -1), None, first)[0]
    observation, reward, done, _, info = env.step(action)
    elapsed_s += info["epoch_s"]
    if picture is None and elapsed_s > 20 * 3600:
        picture = env.render()
print(f"the episode lasted {elapsed_s / 3600:.1f} h")
figure, axes = plt.subplots(figsize=(9.6, 6.0), layout="constrained")
axes.imshow(picture)
axes.axis("off")
plt.show()
assert abs(elapsed_s - 24 * 3600) < 1e-6

# %% [markdown]
# Every bit is somewhere: generated = on the ground + in buffers + on board, to the bit.

# %%
state = env.unwrapped.get_state().engine.task_state
total = int(state.delivered.sum() + state.hags.sum() + state.onboard.sum())
assert total == task.scenario.total_bits
print(f"{total:,} bits: {state.delivered.sum():,} delivered, {state.hags.sum():,} in buffers")

# %% [markdown]
# ## 3. Rules and the bound
#
# All rules see what an agent sees. The bound is a linear program over the day with the true sky: nobody can deliver
# earlier. Scores are normalised: random play is 0, the bound is 1.


# %%
def scores(preset: str, rules: tuple[str, ...]) -> dict[str, float]:
    """Mean normalised score of rules on the validation worlds."""
    problem = make_task("DataRelay", preset)
    source = problem.make_world()
    drawn = source.advance(source.begin([WorldKey(seed) for seed in SEEDS]), problem.episode_steps + 1)[1]
    best = bound(problem, problem.compile(None, drawn)[1]).value.mean()
    played = {"random": UniformPolicy(problem)}
    played |= {name: HEURISTICS[name].factory(problem, {}) for name in rules}
    returns = {n: evaluate(problem, p, SEEDS, purpose="validation").returns.mean() for n, p in played.items()}
    worst = returns["random"]
    return {name: float((value - worst) / (best - worst)) for name, value in returns.items()}


RULES = ("direct", "first_contact", "max_residual", "cgr_forecast", "belief_assign")
now = scores("mixed", RULES)
for name, score in now.items():
    print(f"{name:16s} {score:5.2f}")
assert now["belief_assign"] > now["direct"]

# %% [markdown]
# ## 4. What a forecast is worth
#
# The forecast of `mixed` has a Peirce skill score of 0.3 (the probability that it says clear when it is clear, less the
# probability that it says clear when it is not), that of `forecast` 0.8. Rules that read the sky only gain nothing.

# %%
good = scores("forecast", RULES)
figure, axes = plt.subplots(figsize=(7, 2.8), layout="constrained")
place = np.arange(len(RULES))
axes.barh(place - 0.2, [now[name] for name in RULES], 0.38, color=style.SKY_BLUE, label="skill 0.3")
axes.barh(place + 0.2, [good[name] for name in RULES], 0.38, color=style.BLUE, label="skill 0.8")
axes.set_yticks(place, RULES)
axes.set(xlabel="score (random = 0, bound = 1)", xlim=(0, 1))
axes.invert_yaxis()
axes.legend(loc="lower right")
plt.show()
assert good["cgr_forecast"] > now["cgr_forecast"]

# %% [markdown]
# ## 5. What a HAGS is worth
#
# The setting of the paper: one satellite, 50 files of 100 GB, one week, one station with and without a HAGS, clouds of
# five hours on average. Without it the delivery ratio falls as clear spells become shorter (a lower mean time to cloud
# cover, TCC); with it everything arrives, as in figure 3 a of the paper.


# %%
def delivered(tcc_h: float, with_hags: bool) -> float:
    """Delivery ratio of first contact over 16 weeks."""
    changes = {
        "stations": {"names": ["Athens"], "hags": ["Athens"] if with_hags else [], "buffer_bytes": 1e15},
        "clouds": {"tcc_h": tcc_h, "tcs_h": 5.0},
        "slots": 1,
    }
    problem = make_task("DataRelay", "paper", changes)
    rule = HEURISTICS["first_contact"].factory(problem, {})
    result = evaluate(problem, rule, range(1_000_000, 1_000_016), purpose="validation")
    return float(result.kpis["delivered_share"].mean())


tcc_h = [0.1, 0.5, 2.0, 5.0, 20.0]
figure, axes = plt.subplots(figsize=(6, 3.2), layout="constrained")
for with_hags, words, colour in ((True, "station with HAGS", style.BLUE), (False, "station alone", style.VERMILLION)):
    ratio = [delivered(tcc, with_hags) for tcc in tcc_h]
    axes.plot(tcc_h, [100 * share for share in ratio], "o-", color=colour, label=words)
    if with_hags:
        assert min(ratio) > 0.99
axes.set(xscale="log", xlabel="mean time to cloud cover in h", ylabel="%", title="delivery ratio", ylim=(0, 105))
axes.legend()
plt.show()
