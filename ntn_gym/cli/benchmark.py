"""``ntn-gym benchmark``: every policy of a benchmark file on the same worlds, resumable."""

from __future__ import annotations

import shlex
import sys
from concurrent.futures import BrokenExecutor
from pathlib import Path

import tyro
from rich.console import Console


def run(file: tyro.conf.Positional[Path], out: Path, jobs: int = 1) -> None:
    """Play (and train) what a benchmark file asks for; finished results are kept.

    Give the same command again after a crash, a kill or a full disk: it goes on where it stopped.
    `ntn-gym report OUT` turns the folder into a report.

    Args:
        file: A file like configs/benchmark/quickstart.yaml.
        out: Folder for the results.
        jobs: Processes; 2 trains two seeds at once.
    """
    from ntn_gym.evaluation.benchmark import run_benchmark
    from ntn_gym.evaluation.benchmark_config import load_benchmark

    console = Console(stderr=True)
    config = load_benchmark(file)
    command = shlex.join(["ntn-gym", "benchmark", str(file), "--out", str(out), "--jobs", str(jobs)])
    try:
        summary = run_benchmark(config, out, jobs=jobs, command=command, console=console)
    except KeyboardInterrupt:
        sys.exit(f"stopped; finished results are in {out}, the same command goes on")
    except OSError as error:
        sys.exit(f"ntn-gym benchmark: {error}")
    except BrokenExecutor:
        sys.exit(
            f"ntn-gym benchmark: a process ended without a word (out of memory?); finished results are in {out}, the "
            "same command goes on; use fewer --jobs"
        )
    console.print(
        f"{summary.made} results made, {summary.found} found, in {summary.wall_s:.0f} s. Next: ntn-gym report {out}",
        highlight=False,
        soft_wrap=True,
    )
