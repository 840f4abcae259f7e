"""What a player may type, and how it is read."""

from __future__ import annotations

import sys
from dataclasses import dataclass

from ntn_gym.cli.match import Match

HELP = """\
  Enter   stay                     +10    stay for 10 steps
  3       action 3                 3 10   action 3 for 10 steps
  h       this help                q      quit
Holding for several steps stops when something happens."""


@dataclass(frozen=True)
class Choice:
    """An action, and for how many steps."""

    action: int
    repeat: int = 1


@dataclass(frozen=True)
class Quit:
    """The player has had enough."""


def parse(line: str, match: Match) -> Choice | Quit | str:
    """Read one line; return text where it is help or an objection."""
    words = line.strip().lower().split()
    if not words:
        return Choice(match.stay())
    if words[0] in ("q", "quit", "exit"):
        return Quit()
    if words[0] in ("h", "help", "?"):
        return HELP
    try:
        if words[0].startswith("+") and len(words) == 1:
            choice = Choice(match.stay(), int(words[0][1:]))
        elif len(words) <= 2:
            choice = Choice(int(words[0]), int(words[1]) if len(words) == 2 else 1)
        else:
            raise ValueError
    except ValueError:
        return f"{line.strip()!r} is no choice; h shows what is"
    if choice.repeat < 1:
        return f"{choice.repeat} steps: must be 1 or more"
    if not 0 <= choice.action < match.n_actions:
        return f"action {choice.action}: there are 0 to {match.n_actions - 1}"
    if not match.legal(choice.action):
        return f"action {choice.action} is not legal now; legal are {', '.join(map(str, match.legal_actions()))}"
    return choice


def read_choice(match: Match) -> Choice | Quit:
    """Ask until there is a choice; the end of the input means quit."""
    while True:
        try:
            line = input(f"your choice (Enter: stay with {match.stay()}) > ")
        except EOFError:
            print()
            return Quit()
        if not sys.stdin.isatty():
            print(line)  # a terminal shows what is typed, a pipe does not
        answer = parse(line, match)
        if not isinstance(answer, str):
            return answer
        print(answer)
