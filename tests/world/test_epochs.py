"""Epochs begin at events and never last too long; nothing about the future decides where one begins."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ntn_gym.world.epochs import longest_list, merge

EVENTS = st.lists(st.integers(-50, 1200), max_size=30)


def test_by_hand() -> None:
    edges = merge([np.array([250, 30, 30]), np.array([1000, 0, 990])], 1000, 100)
    assert edges.tolist() == [0, 30, 130, 230, 250, 350, 450, 550, 650, 750, 850, 950, 990, 1000]


@given(EVENTS, st.integers(1, 400))
def test_epochs_cover_the_horizon(events: list[int], longest: int) -> None:
    edges = merge([np.array(events, dtype=np.int64)], 1000, longest)
    assert edges[0] == 0 and edges[-1] == 1000
    lengths = np.diff(edges)
    assert (lengths > 0).all() and lengths.max() <= longest
    inside = {event for event in events if 0 < event < 1000}
    assert inside <= set(edges.tolist())
    assert len(lengths) <= longest_list(len(inside), 1000, longest)


@given(EVENTS, EVENTS, st.integers(1, 999), st.integers(1, 400))
def test_the_past_does_not_depend_on_the_future(first: list[int], second: list[int], now: int, longest: int) -> None:
    past = [event for event in first if event <= now]
    one = merge([np.array(past + [event for event in first if event > now], dtype=np.int64)], 1000, longest)
    other = merge([np.array(past + [event for event in second if event > now], dtype=np.int64)], 1000, longest)
    assert one[one <= now].tolist() == other[other <= now].tolist()


def test_wrong_lengths_are_refused() -> None:
    with pytest.raises(ValueError, match="horizon_ms"):
        merge([], 0, 10)
