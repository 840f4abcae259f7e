"""``ntn-gym play``: through a pipe, as a player would type, and watching a policy."""

import io
import re
import sys
from itertools import pairwise

import numpy as np
import pytest
from PIL import Image

from ntn_gym.cli import drawing, main
from ntn_gym.cli.match import open_match
from ntn_gym.cli.play_input import Choice, Quit, parse
from ntn_gym.evaluation.problem import candidate_names, find_candidate, load_problem
from ntn_gym.evaluation.rollout import evaluate
from ntn_gym.rendering.ansi import plain

SEED = 1_000_011


@pytest.fixture
def typed(monkeypatch, capsys):
    """Type lines into a game; return status, output and errors."""

    def type_lines(lines, *arguments):
        monkeypatch.setattr(sys, "stdin", io.StringIO("".join(f"{line}\n" for line in lines)))
        status = main(["play", "Handover", "--seed", str(SEED), *arguments])
        captured = capsys.readouterr()
        return status, captured.out, captured.err

    return type_lines


def scores(text):
    """Names and returns of the table at the end."""
    return {
        name: float(value) for name, value in re.findall(r"^[> ] (\w+) +(-?\d+\.\d\d)(?: |$)", text, flags=re.MULTILINE)
    }


def test_playing_shows_the_world_asks_and_scores(typed):
    status, text, _ = typed(["0", "", "q"], "--preset", "tiny")
    assert status == 0
    assert "Keep users served" in text and f"world {SEED} (validation range), 300 steps of 1 s" in text
    assert text.count("your choice (Enter: stay with") == 3
    assert [f"t = {t} s of 300 s" in text for t in range(4)] == [True, True, True, False]
    assert f"2 steps of world {SEED}, NTN/Handover-v0 tiny" in text
    assert set(scores(text)) == {"you", *candidate_names(load_problem("Handover", "tiny"))}
    assert re.search(r"You beat \d+ of 18 rules", text)
    assert "\x1b" not in text, "no escape sequences into a pipe"


def test_the_end_of_the_input_means_quit(typed):
    status, text, _ = typed(["0 3"], "--preset", "tiny")
    assert status == 0
    assert f"3 steps of world {SEED}" in text


def test_quitting_at_once_scores_nothing(typed):
    status, text, _ = typed(["q"], "--preset", "tiny")
    assert status == 0
    assert "steps of world" not in text


def test_a_whole_episode_ends_with_the_bound_on_top(typed):
    status, text, _ = typed(["0"] + ["+300"] * 20, "--preset", "tiny")
    assert status == 0
    assert f"300 steps of world {SEED}" in text
    (bound,) = re.findall(r"^upper bound +(\d+\.\d\d)", text, flags=re.MULTILINE)
    assert all(value <= float(bound) + 0.005 for value in scores(text).values())


def test_wrong_input_is_explained_and_costs_no_step(typed):
    problem = load_problem("Handover", "tiny")
    match = open_match(problem, SEED, None)
    match.begin(None)
    empty = next(slot for slot in range(4) if not match.legal(slot))
    status, text, _ = typed(["two", "9", str(empty), "1 2 3", "+0", "h", "q"], "--preset", "tiny")
    assert status == 0
    assert "'two' is no choice" in text
    assert "action 9: there are 0 to 3" in text
    assert f"action {empty} is not legal now; legal are" in text
    assert "'1 2 3' is no choice" in text
    assert "0 steps: must be 1 or more" in text
    assert "stay for 10 steps" in text
    assert "t = 1 s" not in text


def test_every_kind_of_input():
    match = open_match(load_problem("Handover", "tiny"), SEED, None)
    match.begin(None)
    legal = match.legal_actions()[0]
    assert parse(f"{legal}", match) == Choice(legal)
    assert parse(f" {legal} 12 ", match) == Choice(legal, 12)
    assert isinstance(parse("Q", match), Quit)
    match.decide(legal)
    assert parse("", match) == Choice(legal)
    assert parse("+7", match) == Choice(legal, 7)


def test_staying_names_the_serving_slot_and_survives_a_failure():
    match = open_match(load_problem("Handover", "street"), SEED, None)
    match.begin(None)
    match.decide(match.legal_actions()[0])
    served = 0
    while not match.over:
        words = plain(match.text())
        stay = match.stay()
        assert match.legal(stay)
        marked = re.search(r"^ *▶(\d+) ", words, flags=re.MULTILINE)
        if marked:
            served += 1
            assert stay == int(marked.group(1))
        match.decide(stay)
    assert 50 < served < 300, "served for a while, lost at some time"


def test_holding_stops_when_something_happens(typed):
    """Staying on a satellite until it fails: the hold ends in the step of the failure, not after 300 steps."""
    problem = load_problem("Handover", "street")
    match = open_match(problem, SEED, None)
    match.begin(None)
    first = match.legal_actions()[0]
    match.decide(first)
    while not match.something_happened():
        match.decide(match.stay())
        assert not match.over
    status, text, _ = typed([f"{first}", "+300", "q"], "--preset", "street")
    assert status == 0
    assert f"{match.steps_played} steps of world {SEED}" in text
    assert 1 < match.steps_played < 300


@pytest.mark.parametrize("policy", ["composite", "a3", "random"])
def test_a_match_scores_as_the_evaluator_does(policy):
    problem = load_problem("Handover", "beams")
    expected = evaluate(problem.task, find_candidate(problem, policy).build(), [SEED], purpose="validation")
    match = open_match(problem, SEED, None, pictures=False)
    decider = find_candidate(problem, policy).build()
    match.begin(decider)
    while not match.over:
        match.step(decider)
    assert match.episode_return == pytest.approx(float(expected.returns[0]), rel=1e-12)
    for name, value in match.kpis().items():
        assert value == pytest.approx(float(expected.kpis[name][0]), rel=1e-12), name


def test_the_table_marks_who_played_and_is_sorted(typed):
    status, text, _ = typed([], "--preset", "tiny", "--policy", "a3", "--render", "none", "--steps", "40")
    assert status == 0
    assert len(re.findall(r"^> a3 ", text, flags=re.MULTILINE)) == 1
    returns = list(scores(text).values())
    assert returns == sorted(returns, reverse=True)
    assert "You beat" not in text
    assert "upper bound" not in text, "the bound is one of whole episodes"


def test_watching_in_text_shows_every_step(typed):
    status, text, _ = typed([], "--preset", "benchmark-30x13", "--policy", "sticky", "--steps", "3")
    assert status == 0
    assert all(f"t = {t} s of 300 s" in text for t in range(4))
    assert "30 users" in text


def test_a_gif_of_a_policy(typed, tmp_path):
    target = tmp_path / "new" / "out.gif"
    status, text, _ = typed(
        [], "--preset", "tiny", "--policy", "composite", "--steps", "12", "--gif", str(target), "--gif-every", "5"
    )
    assert status == 0
    assert str(target) in text
    with Image.open(target) as gif:
        assert gif.format == "GIF" and gif.size == (960, 600)
        # Steps 0, 5 and 10, and the last one.
        assert gif.n_frames == 4
        frames = []
        for index in range(4):
            gif.seek(index)
            frames.append(np.asarray(gif.convert("RGB")))
    assert all((one != two).any() for one, two in pairwise(frames))


def test_a_picture_of_the_last_moment(typed, tmp_path):
    target = tmp_path / "last.png"
    status, _, _ = typed([], "--preset", "tiny", "--policy", "sticky", "--steps", "5", "--picture", str(target))
    assert status == 0
    with Image.open(target) as picture:
        assert picture.size == (960, 600)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--preset", "benchmark-30x13"], "has 30 agents, too many to play by hand: watch a policy"),
        (["--preset", "beamz"], "unknown preset 'beamz'"),
        (["--policy", "best"], "unknown policy 'best' of NTN/Handover-v0; known are random"),
        (["--policy", "a3", "--fps", "0"], "--fps 0: must be above 0"),
        (["--policy", "a3", "--steps", "0"], "max_episode_steps = 0: allowed are 1 to 300"),
        (["--policy", "a3", "--gif", "x.mp4"], "--gif x.mp4: the name must end in .gif"),
        (["--policy", "a3", "--gif", "x.gif", "--gif-every", "-1"], "--gif-every -1: must be 1 step or more"),
        (["--policy", "a3", "--picture", "x.jpg"], "--picture x.jpg: the name must end in .png"),
        (["--render", "none"], "shows nothing to decide on"),
    ],
)
def test_wrong_arguments_are_refused(arguments, message, typed):
    status, text, errors = typed([], *arguments)
    assert status == 1
    assert message in errors
    assert "steps of world" not in text


@pytest.mark.parametrize("option", ["--gif x.gif", "--picture x.png", "--render human"])
def test_a_missing_drawing_library_is_told_before_anything_is_played(option, typed, monkeypatch):
    monkeypatch.setattr(drawing, "DRAWING_LIBRARIES", ("matplotlib", "no_such_library"))
    status, text, errors = typed([], "--preset", "tiny", "--policy", "sticky", *option.split())
    assert status == 1
    assert 'needs no_such_library: pip install "ntn-gym[render]"' in errors
    assert "steps of world" not in text


def test_a_seed_outside_all_ranges_is_refused(capsys):
    assert main(["play", "Handover", "--seed", "3000000", "--policy", "a3"]) == 1
    assert "seed 3000000 is in no range" in capsys.readouterr().err


def test_a_window_is_opened_only_for_human_rendering(typed, monkeypatch):
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    status, text, _ = typed([], "--preset", "tiny", "--policy", "sticky", "--steps", "2", "--render", "human")
    assert status == 0
    assert "slot" not in text.split("steps of world")[0]
