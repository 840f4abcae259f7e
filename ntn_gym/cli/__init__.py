"""The ``ntn-gym`` command: one module per subcommand, imported only when it is called."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence

COMMANDS = {
    "list": ("ntn_gym.cli.list_command", "environments, presets, heuristics"),
    "docs": ("ntn_gym.cli.docs", "write the documentation pages"),
    "play": ("ntn_gym.cli.play", "step an environment yourself or watch a policy"),
    "trace": ("ntn_gym.cli.trace", "save, show and validate traces"),
    "train": ("ntn_gym.cli.train", "train a Stable-Baselines3 agent"),
    "evaluate": ("ntn_gym.cli.evaluate", "evaluate one policy on given seeds"),
    "benchmark": ("ntn_gym.cli.benchmark", "run an environment x policy x seed table, resumable"),
    "report": ("ntn_gym.cli.report", "turn benchmark records into HTML and Markdown"),
    "link-budget": ("ntn_gym.cli.link_budget", "a link budget line by line, or the table of 3GPP TR 38.821"),
    "visibility": ("ntn_gym.cli.visibility", "passes and visible counts of satellites over a place"),
    "tune-heuristics": ("ntn_gym.cli.tune", "tune heuristics on validation seeds"),
}


def usage() -> str:
    """Return the overview of all commands."""
    width = max(len(name) for name in COMMANDS)
    lines = [f"  {name:<{width}}  {summary}" for name, (_, summary) in COMMANDS.items()]
    return (
        "usage: ntn-gym COMMAND ...\n\ncommands:\n"
        + "\n".join(lines)
        + "\n\n`ntn-gym COMMAND --help` explains one of them.\n"
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit status."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    if not words or words[0] in ("-h", "--help"):
        print(usage(), end="")
        return 0
    if words[0] == "--version":
        from ntn_gym import __version__

        print(__version__)
        return 0
    if words[0] not in COMMANDS:
        print(f"ntn-gym: unknown command {words[0]!r}\n\n{usage()}", end="", file=sys.stderr)
        return 2
    import tyro

    module = importlib.import_module(COMMANDS[words[0]][0])
    try:
        tyro.cli(module.run, args=words[1:], prog=f"ntn-gym {words[0]}")
    except (ValueError, OSError) as error:
        # Wrong input is the user's to mend: the message says what to do, a traceback would hide it.
        print(f"ntn-gym {words[0]}: {error}", file=sys.stderr)
        return 1
    return 0
