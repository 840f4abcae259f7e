"""The docstring of a task is its page: complete, and true about the spaces."""

from __future__ import annotations

import inspect

import numpy as np
import pytest
from gymnasium import spaces

from ntn_gym.core.page import indices, parse_page
from ntn_gym.core.registry import resolve

from .cases import Case


def _number(cell: str) -> float:
    return float(cell.replace("−", "-"))


def _compare(rows: list[dict[str, str]], symbols: dict[str, int], space: spaces.Box) -> None:
    described: dict[int, tuple[float, float]] = {}
    for row in rows:
        assert row["meaning"] and row["unit"], row
        for index in indices(row["index"], symbols):
            assert index not in described, f"index {index} is described twice, again by {row}"
            described[index] = (_number(row["min"]), _number(row["max"]))
    assert sorted(described) == list(range(space.shape[0])), "indices of the table and of the space differ"
    limits = np.array([described[i] for i in range(space.shape[0])], dtype=np.float32)
    wrong = np.flatnonzero((limits[:, 0] != space.low) | (limits[:, 1] != space.high))
    assert not len(wrong), f"index {wrong[0]}: page {limits[wrong[0]]}, space {space.low[wrong[0]]} to " + str(
        space.high[wrong[0]]
    )


def test_tables_are_the_spaces(any_case: Case) -> None:
    task = any_case.task()
    page = parse_page(type(task).__doc__)
    symbols = dict(getattr(task, "page_symbols", {}))
    rows = page.table("Observation Space")
    assert list(rows[0]) == ["index", "meaning", "unit", "min", "max"]
    _compare(rows, symbols, task.agent_observation_space)
    rows = page.table("Action Space")
    if isinstance(task.agent_action_space, spaces.Discrete):
        assert list(rows[0]) == ["action", "meaning"]
        described = [index for row in rows for index in indices(row["action"], symbols)]
        assert sorted(described) == list(range(int(task.agent_action_space.n)))
    else:
        _compare(rows, symbols, task.agent_action_space)


def test_page_is_complete(small_case: Case) -> None:
    """Summary and all sections, and every rule and reward term is named."""
    entry = small_case.entry
    page = parse_page(resolve(entry.task).__doc__)
    assert page.summary.splitlines()[0].rstrip(".") == entry.title
    assert all(page.sections.values()), "an empty section"
    for term in small_case.task().reward_terms:
        assert term.name in page.sections["Rewards"], f"the page does not explain the reward term {term.name}"
    assert f"v{entry.version}" in page.sections["Version History"]
    assert not inspect.isabstract(resolve(entry.task))


def test_declarations_speak_the_language_of_the_field(any_case: Case) -> None:
    task = any_case.task()
    for declared in (*task.reward_terms, *task.kpis):
        assert declared.unit and declared.description, declared
    assert task.agent_name.isidentifier() and task.n_agents >= 1
    names = {kpi.name for kpi in task.kpis}
    assert len(names) == len(task.kpis)
    assert {kpi.per for kpi in task.kpis if kpi.per} <= names
    assert any(term.weight != 0 for term in task.reward_terms)
    assert task.dt_s > 0 and task.episode_steps >= 2


@pytest.mark.parametrize("field", ["task", "heuristics", "bound", "renderer"])
def test_what_an_entry_names_exists(small_case: Case, field: str) -> None:
    reference = getattr(small_case.entry, field)
    if reference is None:
        pytest.skip("optional")
    assert resolve(reference) is not None
