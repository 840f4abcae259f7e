"""``ntn-gym evaluate``: one policy on given worlds, beside random play and the bound."""

from __future__ import annotations

from typing import Annotated

import tyro
from rich.console import Console

from ntn_gym.evaluation.pool import Purpose


def run(
    environment: tyro.conf.Positional[str],
    policy: str,
    preset: str | None = None,
    worlds: int = 100,
    seed: int = 2_000_000,
    purpose: Purpose = "reporting",
    params: Annotated[str | None, tyro.conf.arg(metavar="JSON")] = None,
) -> None:
    """Evaluate one policy and print return, score, reward terms and KPIs with 95 % intervals.

    Args:
        environment: Name or id, e.g. Handover.
        policy: random, a rule of the environment (`ntn-gym list`), or the path of a trained agent.
        preset: Scenario; by default that of the environment.
        worlds: Number of worlds; episode 0 of consecutive seeds.
        seed: First seed: 2000000 and above to report, 1000000 and above to tune.
        purpose: What the seeds are for; seeds of another range are refused.
        params: Parameters of a rule, e.g. '{"hysteresis_db": 3}', instead of the tuned ones.
    """
    from ntn_gym.evaluation.single import evaluate_named, result_table

    result = evaluate_named(environment, policy, preset, range(seed, seed + worlds), purpose=purpose, params=params)
    console = Console()
    console.print(result_table(result))
    if result.params_from:
        given = f"parameters {dict(result.params)}, " if result.params else ""
        console.print(f"{result.policy}: {given}{result.params_from}", soft_wrap=True, highlight=False, markup=False)
