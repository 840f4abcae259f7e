"""The best sets of all users in one step, exactly: equal shares, node limits, no price of changes.

A mixed-integer program whose variables name, for a user, its set *and* how many users each of its nodes then has. It is
exact and small for a few users; larger problems are what `bound` is for.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csr_array

from ntn_gym.envs.multi_connectivity.sets import SetTable

Floats = NDArray[Any]


def best_snapshot(
    rate: Floats,
    resource: NDArray[np.int64],
    legal: NDArray[np.bool_],
    limit: NDArray[np.int64],
    sets: SetTable,
    utility: Callable[[float], float],
    set_price: Floats,
) -> tuple[float, NDArray[np.intp]]:
    """Maximise the sum over users of utility(sum of rate / users of the node) - price of the set.

    Args:
        rate: Rate alone of each port, [U, P].
        resource: Node (and band) of each port, [U, P].
        legal: Sets that a user may hold, [U, S].
        limit: Users a node can serve, [R].
        sets: The candidate sets.
        utility: Utility of a rate; -inf is allowed (an infeasible choice).
        set_price: Price of each set, [S].

    Returns:
        Best value, and a set for each user that attains it.

    Raises:
        RuntimeError: If the solver finds no solution.
    """
    n_users = len(rate)
    choices: list[tuple[int, int]] = []  # user and set of each variable
    gains: list[float] = []
    entries: list[tuple[int, int, float]] = []  # row, column, value of the balance rows
    most = np.minimum(limit, n_users)
    first_count = np.concatenate([[0], np.cumsum(most)])
    for user in range(n_users):
        for chosen in np.flatnonzero(legal[user]).tolist():
            ports = np.flatnonzero(sets.members[chosen])
            nodes = resource[user, ports]
            for counts in product(*[range(1, int(most[node]) + 1) for node in nodes]):
                gain = utility(float((rate[user, ports] / np.array(counts)).sum())) - float(set_price[chosen])
                if not np.isfinite(gain):
                    continue
                column = len(choices)
                choices.append((user, chosen))
                gains.append(gain)
                for node, count in zip(nodes.tolist(), counts, strict=True):
                    entries.append((n_users + int(first_count[node]) + count - 1, column, 1.0))
                entries.append((user, column, 1.0))
    n_choices, n_counts = len(choices), int(first_count[-1])
    owner = np.repeat(np.arange(len(limit)), most)
    number = np.concatenate([np.arange(1, m + 1) for m in most.tolist()]) if n_counts else np.empty(0)
    for k in range(n_counts):  # users that count on n at a node are n times "it has n"
        entries.append((n_users + k, n_choices + k, -float(number[k])))
        entries.append((n_users + n_counts + int(owner[k]), n_choices + k, 1.0))
    rows, columns, values = zip(*entries, strict=True)
    n_rows = n_users + n_counts + len(limit)
    matrix = csr_array((values, (rows, columns)), shape=(n_rows, n_choices + n_counts))
    low = np.concatenate([np.ones(n_users), np.zeros(n_counts), np.zeros(len(limit))])
    high = np.concatenate([np.ones(n_users), np.zeros(n_counts), np.ones(len(limit))])
    answer = milp(
        -np.concatenate([gains, np.zeros(n_counts)]),
        constraints=LinearConstraint(matrix, low, high),
        integrality=np.ones(n_choices + n_counts),
        bounds=Bounds(0, 1),
        options={"mip_rel_gap": 0.0},
    )
    if answer.x is None:
        raise RuntimeError(f"the mixed-integer program has no solution: {answer.message}")
    result = np.zeros(n_users, dtype=np.intp)
    for column in np.flatnonzero(answer.x[:n_choices] > 0.5).tolist():
        user, chosen = choices[column]
        result[user] = chosen
    return float(-answer.fun), result


def snapshot_bound(task: Any, arrays: dict[str, NDArray[Any]], world: int) -> float:
    """Bound the mean over users of one world's return by the best snapshot of every step (no set-up, no changes).

    For split bearers on separate bands; exact where changes cost nothing and links carry at once.
    """
    scenario, sets = task.scenario, task.sets
    scale = 1.0 / np.log1p(scenario.reward.rate_span)
    price = scenario.reward.link_utility * sets.size + scenario.reward.coordination_utility * sets.controlled
    limit = task.limits

    def utility(rate_mbit_s: float) -> float:
        return float(scale * np.log1p(rate_mbit_s / scenario.reward.reference_rate_mbit_s))

    total = 0.0
    for t in range(task.episode_steps):
        rate = arrays["rate"][world, t].astype(np.float64)
        resource = np.minimum(arrays["resource"][world, t].astype(np.int64), len(limit) - 1)
        total += best_snapshot(rate, resource, arrays["legal"][world, t], limit, sets, utility, price)[0]
    return total / task.n_agents
