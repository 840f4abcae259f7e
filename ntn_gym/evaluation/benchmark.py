"""Run a benchmark: every policy on every preset, each result in a file of its own, so that a killed run resumes."""

from __future__ import annotations

import json
import multiprocessing
import os
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import connection
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from ntn_gym.evaluation import provenance
from ntn_gym.evaluation.benchmark_config import BenchmarkConfig
from ntn_gym.evaluation.files import remove_leftovers, write_whole
from ntn_gym.evaluation.problem import load_problem
from ntn_gym.evaluation.work import Done, Work, perform

MANIFEST = "benchmark.json"
THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


class Manifest(BaseModel):
    """What is in the folder of a benchmark: the report is made from this and the records."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    config: BenchmarkConfig
    command: str
    files: tuple[str, ...]
    finished: bool
    wall_s: float
    commit: str
    machine: dict[str, Any]


def plan(config: BenchmarkConfig) -> list[Work]:
    """List all pieces of work: preset by preset, first what is quick."""
    result = []
    for preset in config.presets:
        shared: dict[str, Any] = {
            "environment": config.environment,
            "preset": preset,
            "first_seed": config.seeds.first,
            "n_worlds": config.seeds.count,
        }
        problem = load_problem(config.environment, preset)
        result += [Work(**shared, policy=name, kind="rule") for name in config.rules_of(problem)]
        result.append(Work(**shared, policy="bound", kind="bound"))
        for agent in config.agents_of(preset):
            result += [
                Work(**shared, policy=agent.name, kind="agent", agent=agent, training_seed=seed) for seed in agent.seeds
            ]
    return result


@dataclass(frozen=True)
class Summary:
    """What a run did: records made and found, and why old ones were not used."""

    made: int
    found: int
    notes: tuple[str, ...]
    wall_s: float


def run_benchmark(
    config: BenchmarkConfig, out: Path, *, jobs: int = 1, command: str = "", console: Console | None = None
) -> Summary:
    """Play what is missing in a folder.

    The same call after a crash, a kill or a full disk goes on where it stopped: whole records of exactly this
    configuration, these parameters and this code are kept.

    Args:
        config: What to play.
        out: Folder for ``records/``, ``training/`` and the manifest.
        jobs: Processes.
        command: Command line, for the report.
        console: Where progress is shown; by default the terminal.

    Raises:
        ValueError: If something is wrong with a policy, or the folder holds another benchmark.
        OSError: If the disk is full.
    """
    if jobs < 1:
        raise ValueError(f"jobs = {jobs}: allowed is 1 or more")
    earlier = _earlier_seconds(out, config)
    works = plan(config)
    remove_leftovers(out / "records")
    remove_leftovers(out)
    begun = time.perf_counter()
    made = 0
    notes: list[str] = []
    files: list[str] = []

    def manifest(finished: bool) -> None:
        seconds = earlier + time.perf_counter() - begun
        content = Manifest(
            config=config,
            command=command,
            files=tuple(files),
            finished=finished,
            wall_s=seconds,
            commit=provenance.commit(),
            machine=provenance.machine(),
        )
        write_whole(out / MANIFEST, json.dumps(content.model_dump(mode="json"), indent=1) + "\n")

    manifest(False)
    with _one_thread_each(), _progress(console, len(works)) as bar:
        finished = _in_turn(works, out, bar) if jobs == 1 else _in_processes(works, out, bar, jobs)
        for done in finished:
            made += done.made
            files.append(done.file)
            if done.note:
                notes.append(done.note)
                bar.console.print(f"[yellow]{done.note}[/yellow]", soft_wrap=True)
            bar.step()
            if done.made:
                manifest(False)
    manifest(True)
    return Summary(made, len(works) - made, tuple(notes), time.perf_counter() - begun)


def read_manifest(out: Path) -> Manifest:
    """Read what a folder holds.

    Raises:
        FileNotFoundError: If it is no folder of a benchmark.
        ValueError: If the manifest is damaged.
    """
    path = out / MANIFEST
    if not path.is_file():
        raise FileNotFoundError(f"{out} holds no benchmark ({MANIFEST} is missing); run `ntn-gym benchmark` first")
    try:
        return Manifest.model_validate_json(path.read_bytes())
    except ValidationError as error:
        raise ValueError(f"{path} is damaged ({error.errors()[0]['msg']}); give the benchmark command again") from None


def _earlier_seconds(out: Path, config: BenchmarkConfig) -> float:
    """Time that earlier runs of the same benchmark took.

    Raises:
        ValueError: If the folder holds a benchmark of another environment.
    """
    if not (out / MANIFEST).exists():
        return 0.0
    try:
        before = read_manifest(out)
    except ValueError:
        return 0.0
    if before.config.environment != config.environment:
        raise ValueError(
            f"{out} holds a benchmark of {before.config.environment}, not of {config.environment}: "
            "choose another folder"
        )
    return before.wall_s if before.config == config else 0.0


def _in_turn(works: Sequence[Work], out: Path, bar: _Bar) -> Iterator[Done]:
    for work in works:
        bar.say(work.label)
        trains = work.kind == "agent"
        if trains:
            bar.pause()
        yield perform(work, out, show_training=trains and bar.visible)
        if trains:
            bar.resume()


def _in_processes(works: Sequence[Work], out: Path, bar: _Bar, jobs: int) -> Iterator[Done]:
    # Trainings take longest: they start first.
    ordered = sorted(works, key=lambda work: work.kind != "agent")
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(jobs, mp_context=context, initializer=_die_with_parent) as executor:
        pending = {executor.submit(perform, work, out): work for work in ordered}
        try:
            for future in as_completed(pending):
                bar.say(pending[future].label)
                yield future.result()
        except BaseException:
            executor.shutdown(wait=False, cancel_futures=True)
            raise


def _die_with_parent() -> None:
    """End a worker process when the process that started it is gone: a killed benchmark leaves nothing running."""
    parent = multiprocessing.parent_process()
    assert parent is not None

    def watch() -> None:
        connection.wait([parent.sentinel])
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


@contextmanager
def _one_thread_each() -> Iterator[None]:
    """Let every process that is started meanwhile use one thread for linear algebra."""
    before = {name: os.environ.get(name) for name in THREAD_VARIABLES}
    os.environ.update({name: "1" for name in THREAD_VARIABLES})
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


class _Bar:
    """A progress bar that can step aside for the one of a training."""

    def __init__(self, progress: Progress, total: int) -> None:
        self._progress = progress
        self._task = progress.add_task("", total=total)
        self.console = progress.console
        self.visible = progress.console.is_terminal

    def say(self, label: str) -> None:
        """Show what is being played."""
        self._progress.update(self._task, description=label)

    def step(self) -> None:
        """Count one piece of work."""
        self._progress.advance(self._task)

    def pause(self) -> None:
        """Leave the terminal to somebody else."""
        self._progress.stop()

    def resume(self) -> None:
        """Take it back."""
        self._progress.start()


@contextmanager
def _progress(console: Console | None, total: int) -> Iterator[_Bar]:
    columns = (
        SpinnerColumn(),
        BarColumn(bar_width=30),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.description}"),
    )
    chosen = console or Console(stderr=True)
    with Progress(*columns, console=chosen, disable=not chosen.is_terminal) as progress:
        yield _Bar(progress, total)
