"""``ntn-gym play``: decide yourself, step by step, or watch a policy; at the end, see how you did."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import tyro

from ntn_gym.cli.drawing import require_drawing
from ntn_gym.cli.match import Match, open_match
from ntn_gym.cli.play_input import HELP, Choice, Quit, read_choice
from ntn_gym.cli.play_score import compare, print_scores
from ntn_gym.core.policy import Policy
from ntn_gym.evaluation.problem import Problem, find_candidate, load_agent, load_problem
from ntn_gym.rendering import ansi

if TYPE_CHECKING:
    from ntn_gym.cli.pictures import Reel

CLEAR = "\x1b[H\x1b[2J"
GIF_FRAMES = 100


def run(
    environment: Annotated[str, tyro.conf.Positional, tyro.conf.arg(metavar="ENV")] = "Handover",
    preset: str | None = None,
    policy: str | None = None,
    seed: int = 0,
    steps: int | None = None,
    render: Literal["ansi", "human", "none"] | None = None,
    gif: Path | None = None,
    gif_every: int | None = None,
    picture: Path | None = None,
    fps: float = 10.0,
) -> None:
    """Play an environment in the terminal, or watch a policy play it.

    Without ``--policy`` you decide: type the number of an action, or just Enter to stay. With it, the policy decides
    and you watch. Either way the score at the end stands beside those of the rules in the same world.

    Args:
        environment: Name or id.
        preset: Name of a preset; the default one if not given.
        policy: A rule (see ``ntn-gym list``), ``random``, or the path of a trained agent.
        seed: Which world.
        steps: Stop after so many steps; the whole episode if not given.
        render: ``ansi`` shows text, ``human`` opens a window, ``none`` shows the result only. By default text, and
            nothing where a policy is only recorded.
        gif: Record an animated GIF into this file.
        gif_every: Steps between two pictures of the GIF; by default such that there are about 100 of them.
        picture: Write a picture of the last moment into this file (.png).
        fps: Pictures per second in a terminal and in the GIF.

    Raises:
        ValueError: If an argument is out of range, or the environment cannot be played by hand.
    """
    if fps <= 0:
        raise ValueError(f"--fps {fps:g}: must be above 0 pictures per second")
    problem = load_problem(environment, preset)
    if picture is not None and picture.suffix.lower() != ".png":
        raise ValueError(f"--picture {picture}: the name must end in .png")
    for option, wanted in (("--gif", gif), ("--picture", picture), ("--render human", render == "human" or None)):
        if wanted is not None:
            require_drawing(option)
    quiet = policy is not None and (gif is not None or picture is not None)
    shown = render or ("none" if quiet else "ansi")
    match = open_match(problem, seed, steps, window=shown == "human")
    reel: Reel | None = None
    if gif is not None:
        from ntn_gym.cli.pictures import Reel

        every = gif_every or max(1, round(match.n_steps / GIF_FRAMES))
        reel = Reel(gif, fps, every)
    screen = _Screen(match, shown, fps)
    try:
        if policy is None:
            if shown == "none":
                raise ValueError(f"--render {shown} shows nothing to decide on; name a --policy, or use --render ansi")
            name = "you"
            _by_hand(match, screen, reel)
        else:
            name, decider = _decider(problem, policy)
            _watch(match, decider, screen, reel)
    finally:
        match.close()
    if reel is not None and match.steps_played:
        print(reel.save())
    if picture is not None:
        from ntn_gym.cli.pictures import write_png

        print(write_png(picture, match.picture()))
    if match.steps_played:
        print_scores(match, name, compare(problem, match, without=name))


def _decider(problem: Problem, name: str) -> tuple[str, Policy]:
    """A rule by its name, or a trained agent by its path."""
    if name != "random" and name not in problem.heuristics and Path(name).exists():
        return Path(name).stem, load_agent(Path(name))
    return name, find_candidate(problem, name).build()


class _Screen:
    """Shows the match as text or in a window."""

    def __init__(self, match: Match, mode: str, fps: float) -> None:
        self._match = match
        self._mode = mode
        self._fps = fps
        self.terminal = sys.stdout.isatty()

    def show(self) -> None:
        """Show the present moment."""
        if self._mode == "human":
            self._match.show_window()
        elif self._mode == "ansi":
            text = self._match.text()
            print(CLEAR + text if self.terminal else ansi.plain(text), flush=True)

    def wait(self) -> None:
        """Give the eye time; a pipe has none."""
        if self._mode == "ansi" and self.terminal:
            time.sleep(1.0 / self._fps)


def _watch(match: Match, policy: Policy, screen: _Screen, reel: Reel | None) -> None:
    match.begin(policy)
    while True:
        screen.show()
        if reel is not None:
            reel.take(match)
        if match.over:
            return
        screen.wait()
        match.step(policy)


def _by_hand(match: Match, screen: _Screen, reel: Reel | None) -> None:
    match.require_playable()
    match.begin(None)
    introduction = f"{match.invitation()}\n\n{HELP}\n"
    print(CLEAR + introduction if screen.terminal else introduction)
    if screen.terminal and sys.stdin.isatty():
        input("Enter begins > ")
    pending: Choice | None = None
    while True:
        if pending is None or match.over:
            screen.show()
        if reel is not None:
            reel.take(match)
        if match.over:
            return
        if pending is None:
            asked = read_choice(match)
            if isinstance(asked, Quit):
                return
            pending = asked
        match.decide(pending.action)
        rest = pending.repeat - 1
        # Holding ends where the player should look: something happened, or the held action is not legal any more.
        if rest < 1 or match.something_happened() or not match.legal(pending.action):
            pending = None
        else:
            pending = Choice(pending.action, rest)
