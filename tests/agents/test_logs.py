"""The tables of a training continue where it resumes, and KPIs mean the same in all of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from ntn_gym.core.registry import make_task
from ntn_gym.core.task import KpiSpec
from ntn_gym.evaluation.rollout import reduce_kpi
from ntn_gym_agents.callbacks import window_kpi
from ntn_gym_agents.logs import CsvLog, training_logger


def test_a_table_takes_new_columns_at_any_time(tmp_path: Path) -> None:
    log = CsvLog(tmp_path / "a.csv")
    log.append({"steps": 1, "b": 2.5})
    log.append({"steps": 2, "b": 3.5, "a": -1})
    log.append({"steps": 3, "a": 0})
    assert (tmp_path / "a.csv").read_text() == "steps,b,a\n1,2.5,\n2,3.5,-1\n3,,0\n"


def test_a_table_continues_after_a_checkpoint_and_drops_what_came_later(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    # The last row is what a killed process had begun to write.
    path.write_text("steps,x\n10,1\n20,2\n30,3\n4")
    log = CsvLog(path, keep_until=20)
    log.append({"steps": 30, "x": 33})
    assert path.read_text() == "steps,x\n10,1\n20,2\n30,33\n"
    assert [row["x"] for row in log.rows] == ["1", "2", "33"]


def test_the_logger_writes_both_and_hides_what_came_after_the_checkpoint(tmp_path: Path) -> None:
    for first, keep in ((10, 0), (20, 10)):
        logger = training_logger(tmp_path, keep)
        for step in (first, first + 10):
            logger.record("kpi/x", step + keep / 1000)
            logger.dump(step)
        logger.close()
    assert (tmp_path / "progress.csv").read_text() == ("time/total_timesteps,kpi/x\n10,10.0\n20,20.01\n30,30.01\n")
    events = EventAccumulator(str(tmp_path / "tensorboard"))
    events.Reload()
    assert [(event.step, pytest.approx(event.value)) for event in events.Scalars("kpi/x")] == [
        (10, 10.0),
        (20, 20.01),
        (30, 30.01),
    ]


@pytest.mark.parametrize("reduction", ["mean", "sum", "per_minute", "p5", "p95", "max"])
def test_a_window_of_whole_episodes_says_what_the_evaluation_says(reduction: str) -> None:
    """Over complete episodes of equal length both ways of summarising must agree (percentiles and maximum: of one)."""
    task = make_task("Handover", "tiny", {"users": {"count": 2}})
    spec = KpiSpec("x", "1", reduction, "higher", "made up")
    n_worlds = 1 if reduction in ("p5", "p95", "max") else 3
    values = np.random.default_rng(0).random((n_worlds, task.episode_steps, 2))
    duration_s = np.full(n_worlds, task.episode_steps * task.dt_s)
    expected = reduce_kpi(spec, values, duration_s).mean()
    assert window_kpi(spec, values.ravel(), task) == pytest.approx(expected, rel=1e-12)
