"""The protocol by hand, its table, and the two ways in which the task steps."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from ntn_gym.core.task import Now
from ntn_gym.envs.handover.rules import (
    COLUMN,
    TABLE_COLUMNS,
    Carrier,
    Rules,
    Sync,
    table_index,
    tabulate,
    transition,
)

from .synthetic import User, idle_user, packed_link, small_task, step_user

HARD = Rules(t310_steps=3, reestablishment_steps=2, needs_serving_link=True)
EASY = Rules(t310_steps=3, reestablishment_steps=2, needs_serving_link=False)
EMPTY, OUT, BETWEEN, IN = Sync


def trace(rules: Rules, links: list[Sync], user: User) -> list[int]:
    """Statuses of a user who keeps naming slot 0, whose link takes these states."""
    statuses = []
    for link in links:
        user, *_ = step_user(rules, user, 0, [link])
        statuses.append(user.status)
    return statuses


def test_failure_comes_after_t310_and_lasts_the_reestablishment() -> None:
    # Connect; out of sync for 3 steps: failure in the third; 2 steps of re-establishment; idle; connect.
    links = [IN, OUT, OUT, OUT, IN, IN, IN]
    assert trace(HARD, links, idle_user(HARD)) == [0, 1, 2, HARD.failed, HARD.failed - 1, HARD.idle, 0]


def test_service_is_lost_for_t310_plus_reestablishment() -> None:
    user, carried = idle_user(HARD), []
    for link in [IN, OUT, OUT, OUT, IN, IN, IN, IN]:
        user, carrier, *_ = step_user(HARD, user, 0, [link])
        carried.append(carrier == 0)
    assert carried == [True, False, False, False, False, False, True, True]


def test_between_qout_and_qin_carries_data_and_holds_the_counter() -> None:
    links = [IN, OUT, OUT, BETWEEN, OUT]
    assert trace(HARD, links, idle_user(HARD)) == [0, 1, 2, 2, HARD.failed]
    assert trace(HARD, [IN, OUT, OUT, IN, OUT], idle_user(HARD)) == [0, 1, 2, 0, 1]
    user, carrier, *_ = step_user(HARD, User(2, 0), 0, [BETWEEN])
    assert (user, carrier) == (User(2, 0), 0)


def test_a_handover_resets_the_counter() -> None:
    user, carrier, taken, handovers, failures = step_user(HARD, User(2, 0), 1, [BETWEEN, BETWEEN])
    assert user == User(0, 1)
    assert (carrier, taken, handovers, failures) == (1, True, 1, 0)


def test_a_set_pass_is_lost_at_once() -> None:
    assert trace(HARD, [IN, EMPTY], idle_user(HARD)) == [0, HARD.failed]


def test_a_command_is_lost_on_a_dead_link_where_the_link_is_needed() -> None:
    lost = transition(HARD, 0, same=False, serving=OUT, target=IN)
    assert lost.lost_command and not lost.handover and lost.status == 1 and lost.keeps_serving
    heard = transition(EASY, 0, same=False, serving=OUT, target=IN)
    assert heard.handover and not heard.lost_command and heard.status == 0
    # The last lost command comes with the failure.
    last = transition(HARD, 2, same=False, serving=OUT, target=IN)
    assert last.lost_command and last.link_failure and last.status == HARD.failed


def test_a_handover_into_a_dead_link_fails() -> None:
    for serving in (BETWEEN, IN):
        result = transition(HARD, 0, same=False, serving=serving, target=OUT)
        assert result.failed_handover and not result.handover and not result.link_failure
        assert result.status == HARD.failed and result.carrier == Carrier.NONE


def test_an_idle_user_risks_one_step_only() -> None:
    for target in (EMPTY, OUT):
        result = transition(HARD, HARD.idle, same=False, serving=EMPTY, target=target)
        assert result.status == HARD.idle and not result.failed_handover and result.carrier == Carrier.NONE
    result = transition(HARD, HARD.idle, same=False, serving=EMPTY, target=BETWEEN)
    assert result.connection and not result.handover and result.carrier == Carrier.TARGET


def test_an_empty_slot_is_illegal_and_means_stay() -> None:
    result = transition(HARD, 1, same=False, serving=IN, target=EMPTY)
    assert result.illegal and result.keeps_serving and result.status == 0 and not result.lost_command


@pytest.mark.parametrize("rules", [HARD, EASY, Rules(2, 1, True), Rules(5, 7, False)])
def test_table_holds_every_transition(rules: Rules) -> None:
    table = tabulate(rules)
    assert table.shape == (rules.n_status * 2 * 4 * 4, len(TABLE_COLUMNS))
    for status, same, serving, target in itertools.product(range(rules.n_status), (False, True), Sync, Sync):
        row = table[table_index(status, same, int(serving), int(target))]
        expected = transition(rules, status, same, serving, target)
        for name in TABLE_COLUMNS:
            assert row[COLUMN[name]] == getattr(expected, name), (status, same, serving, target, name)


@pytest.mark.parametrize("rules", [HARD, EASY])
def test_every_transition_is_consistent(rules: Rules) -> None:
    for status, same, serving, target in itertools.product(range(rules.n_status), (False, True), Sync, Sync):
        result = transition(rules, status, same, serving, target)
        assert 0 <= result.status < rules.n_status
        assert not (result.keeps_serving and result.takes_target)
        connected = result.status < rules.idle
        assert connected == (result.keeps_serving or result.takes_target)
        if result.carrier == Carrier.SERVING:
            assert result.keeps_serving and serving in (BETWEEN, IN)
        if result.carrier == Carrier.TARGET:
            assert result.takes_target and target in (BETWEEN, IN)
        assert result.takes_target == (result.handover or result.connection)
        assert (result.status == rules.failed) == (result.link_failure or result.failed_handover)


@pytest.mark.parametrize("hard", [True, False])
@pytest.mark.parametrize("n_users", [1, 3])
def test_task_follows_the_rules(hard: bool, n_users: int) -> None:
    """Random links and actions: the task (one user by numbers, many by table) against `transition` step by step."""
    rng = np.random.default_rng(5)
    n_worlds, n_steps, n_slots = 4, 60, 3
    task = small_task(n_steps, n_slots, n_users=n_users, t310=2, reestablishment=2, hard=hard)
    sync = rng.choice(4, size=(n_worlds, n_steps, n_users, n_slots), p=[0.1, 0.2, 0.2, 0.5])
    carries = sync >= Sync.BETWEEN
    rate = carries * rng.uniform(1e5, 1e8, sync.shape)
    utility = np.log1p(rate / 2e6) / np.log1p(144e6 / 2e6)
    link = packed_link(sync, utility, rng.uniform(0, 0.5, sync.shape), rate)
    actions = rng.integers(n_slots, size=(n_worlds, n_steps, n_users))
    arrays = {"link": link}

    def statuses(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        state = task.initial(Now(arrays, rows, np.zeros(len(rows), dtype=np.intp)))
        history, terms = [], []
        for t in range(n_steps):
            now = Now(arrays, rows, np.full(len(rows), t))
            state, outcome = task.step(state, actions[rows, t], now)
            history.append(np.stack([state.status, state.serving], axis=-1))
            terms.append(outcome.reward_terms)
        return np.stack(history, axis=1), np.stack(terms, axis=1)

    together, reward = statuses(np.arange(n_worlds))
    for world in range(n_worlds):
        alone, reward_alone = statuses(np.array([world]))
        np.testing.assert_array_equal(alone[0], together[world])
        np.testing.assert_allclose(reward_alone[0], reward[world], rtol=0, atol=1e-6)
        users = [idle_user(task.rules) for _ in range(n_users)]
        for t in range(n_steps):
            for u in range(n_users):
                users[u], *_ = step_user(task.rules, users[u], actions[world, t, u], sync[world, t, u])
                assert tuple(together[world, t, u]) == (users[u].status, users[u].serving)
