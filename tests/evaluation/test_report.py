"""The report: right numbers, honest words, one file that needs no other."""

from __future__ import annotations

import base64
import csv
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats

from ntn_gym.core.task import KpiSpec, TermSpec
from ntn_gym.evaluation import statistics as st
from ntn_gym.evaluation.benchmark import run_benchmark
from ntn_gym.evaluation.records import Identity, make_record, read_record
from ntn_gym.evaluation.report import charts, tables
from ntn_gym.evaluation.report.comparison import compare
from ntn_gym.evaluation.report.document import across_presets
from ntn_gym.evaluation.report.markdown import markdown_table
from ntn_gym.evaluation.report.page import html_table
from ntn_gym.evaluation.report.results import PolicyResult, PresetResult, load_results
from ntn_gym.evaluation.report.sentences import verdicts
from ntn_gym.evaluation.report.style import data_uri
from ntn_gym.evaluation.report.tables import Table
from ntn_gym.evaluation.report.time_lines import time_line_chart
from ntn_gym.evaluation.report.write import write_report
from ntn_gym.evaluation.rollout import EpisodeResults, Recording
from ntn_gym.evaluation.statistics import Interval

from .test_benchmark import TRACKING
from .test_records import spoil

WORLDS = 40
KPIS = (
    KpiSpec("rate", "Mbit/s", "mean", "higher", "rate of a user"),
    KpiSpec("handovers", "1/min", "per_minute", "lower", "handovers"),
)
WEATHER = np.random.default_rng(0).normal(0, 3, WORLDS)
NOISE = np.random.default_rng(1).normal(0, 0.2, (20, WORLDS))


def policy(name: str, family: str, level: float, runs: int = 1, spread: float = 0.0) -> PolicyResult:
    """Returns around a level between 0 (random) and 10 (bound); trainings differ by ``spread``."""
    records = []
    for run in range(runs):
        noise = 0 if family in ("random", "bound") else NOISE[(len(name) + run) % 20]
        returns = WEATHER + level + noise + spread * (run - (runs - 1) / 2)
        kpis = {"rate": returns + 20, "handovers": np.full(WORLDS, 1.0 + len(name))}
        if family == "bound":
            kpis = {}
        identity = Identity(
            environment="NTN/Made-v0", preset="made", scenario="s", code="c", policy=name,
            kind="agent" if family == "agent" else "heuristic", first_seed=2_000_000, n_worlds=WORLDS,
            training_seed=run if family == "agent" else None,
        )  # fmt: skip
        recording = Recording(2_000_000, 1.0, {"slot": [-1, 0, 0, 1, 1, 1]}, [0.0, 1, 1, 1, 0.5, 1], {})
        notes: dict[str, Any] = {}
        if family == "agent":
            curve = {"steps": [0, 100, 200], "return_mean": [0.0, 5.0, 5.0 + run], "random": 0.0, "bound": 10.0}
            training = {"steps": 200, "policy_steps": 100, "seconds": 1.0}
            notes = {"curve": {**curve, "worlds": 8}, "training": training}
        results = EpisodeResults(np.arange(WORLDS), returns, np.full(WORLDS, 6), {}, kpis, recording)
        records.append(make_record(identity, results, family=family, wall_s=1.0, notes=notes))
    return PolicyResult(name, family, tuple(records))


def preset(*policies: PolicyResult, trivial: bool = False) -> PresetResult:
    ends = (policy("random", "random", 0.0), policy("bound", "bound", 10.0))
    return PresetResult("made", "", trivial, KPIS, (TermSpec("x", "1", 1.0, ""),), (*ends, *policies))


RULES = (
    policy("sticky", "single", 2.0),
    policy("load_aware", "single", 7.0),
    policy("composite", "composite", 8.0),
    policy("planner", "forecast", 8.5),
)


def test_the_best_of_each_kind_is_found_and_compared_by_world() -> None:
    agent = policy("ppo", "agent", 7.6, runs=3, spread=0.05)
    found = compare(preset(*RULES, agent), "sticky")
    names = {family: rival.policy.name for family, rival in found.rivals.items()}
    assert names == {"single": "load_aware", "composite": "composite", "forecast": "planner"}
    assert found.rule is not None and found.rule.policy.name == "planner"
    assert [row.policy.name for row in found.rows][:3] == ["bound", "planner", "composite"]
    row = found.row("ppo")
    random, bound = found.preset.random.returns[0], found.preset.bound.returns[0]
    assert row.score == st.normalised_score(agent.returns, random, bound)
    for place, family in ((1, "single"), (2, "composite"), (3, "forecast")):
        assert row.over[family] == st.score_difference(agent.returns, RULES[place].returns, random, bound)
    assert row.gap == st.gap_share(agent.returns, RULES[0].returns, bound)
    assert row.score.value == pytest.approx(0.76, abs=0.02)
    assert row.score.over_runs
    # Worlds differ by 3, policies by 1: only because the comparison is paired is it that sharp.
    over_single = row.over["single"]
    assert over_single is not None and over_single.high - over_single.low < 0.05
    assert found.row("random").over["single"] is None
    assert found.row("load_aware").over["single"] is None


BEATS_SINGLE = "beats the best single-criterion rule load_aware by +"
LOSES_TO_SINGLE = "does not beat the best single-criterion rule load_aware, it is worse: -"
LIKE_SINGLE = "does not beat the best single-criterion rule load_aware: the difference"
BEATS_RULE = "beats the best composite rule composite by +"
LOSES_TO_RULE = "does not beat the best composite rule composite, it is worse: -"


@pytest.mark.parametrize(
    ("level", "expected", "forbidden"),
    [
        (9.2, [BEATS_SINGLE, BEATS_RULE], "does not beat"),
        (7.5, [BEATS_SINGLE, LOSES_TO_RULE], "cannot be told from zero"),
        (7.0, [LIKE_SINGLE, "cannot be told from zero", LOSES_TO_RULE], "It beats"),
        (5.0, [LOSES_TO_SINGLE, LOSES_TO_RULE], "It beats"),
    ],
)
def test_verdicts_follow_the_intervals(level: float, expected: list[str], forbidden: str) -> None:
    sentence, room = verdicts(compare(preset(*RULES, policy("ppo", "agent", level, runs=3))))
    for words in expected:
        assert words in sentence
    assert forbidden not in sentence
    assert room.startswith("Head-room: the bound lies 0.1") and room.endswith("above planner, the best rule.")


def test_without_an_agent_the_best_rule_is_compared() -> None:
    first, _ = verdicts(compare(preset(*RULES)))
    assert first.startswith("No policy was trained here. planner beats the best single-criterion rule load_aware by +")
    first, _ = verdicts(compare(preset(RULES[0])))
    assert first == "No policy was trained here."


def test_one_training_is_called_one_training() -> None:
    sentence, _ = verdicts(compare(preset(*RULES, policy("ppo", "agent", 9.0))))
    assert "ppo (one training)" in sentence
    assert "not about what another training gives" in sentence


def test_trivial_presets_and_beaten_bounds_are_called_so() -> None:
    sentences = verdicts(compare(preset(*RULES, policy("ppo", "agent", 10.5), trivial=True)))
    assert sentences[0].startswith("This preset is trivial")
    assert sentences[-1].startswith("WARNING: ")
    returns = policy("ppo", "agent", 10.5).returns
    assert f"{int((returns > WEATHER + 10 + 1e-6).sum())} returns lie above the bound" in sentences[-1]


def test_tables_hold_the_numbers() -> None:
    found = compare(preset(*RULES, policy("ppo", "agent", 9.5, runs=3)), "sticky")
    (line,) = tables.overview([found]).rows
    for cell, start in zip(line[1:6], ("load_aware 0.7", "composite 0.8", "planner 0.8", "ppo 0.9", "1"), strict=True):
        assert cell.startswith(start)
    assert all(cell.startswith("+0.") for cell in line[6:]) and len(line) == 9
    scores = tables.score_table(found)
    place = [row[0] for row in scores.rows].index("ppo")
    assert scores.rows[place][1] == "agent, 3 runs"
    assert scores.rows[place][2] == tables.interval_text(found.row("ppo").score)
    assert (place, 4) in scores.strong
    assert (place, 5) in scores.strong
    assert not any(row[0] == "sticky" and (i, 4) in scores.strong for i, row in enumerate(scores.rows))
    kpis = tables.kpi_table(found)
    assert kpis.columns == ("policy", "rate [Mbit/s] ↑", "handovers [1/min] ↓")
    assert dict((row[0], row[2]) for row in kpis.rows)["ppo"] == "4.00"
    assert kpis.rows[0] == ("bound", "–", "–")
    # Rates were made from returns. Handovers grow with the length of the name, by which returns rank as below.
    by_hand = stats.spearmanr([9.5, 8.5, 8, 7, 2, 0], [-len(row[0]) for row in kpis.rows[1:-1]]).statistic
    assert kpis.rows[-1] == ("rank agreement", "+1.00", f"{by_hand:+.2f}")
    runs = tables.run_table(found)
    assert runs is not None
    assert [row[:5] for row in runs.rows] == [("ppo", str(seed), "200", "100", "1") for seed in range(3)]


def test_numbers_as_text() -> None:
    interval = Interval(0.91749, 0.9111, 0.9229, 10)
    assert tables.interval_text(interval) == "0.917 [0.911, 0.923]"
    assert tables.interval_text(interval, signed=True) == "+0.917 [+0.911, +0.923]"
    assert tables.interval_text(interval, percent=True) == "92 % [91, 92]"
    assert tables.interval_text(None) == "–"
    texts = {0.0: "0", 32.634: "32.6", 1234.5: "1234", 0.0217: "0.0217", 0.00012: "1.20e-04", -2.5: "-2.50"}
    assert {value: tables.number_text(value) for value in texts} == texts


def test_markdown_tables_line_up() -> None:
    table = Table("T", ("name", "x [1]"), (("a|b", "1"), ("long name", "22")), frozenset({(1, 1)}))
    assert markdown_table(table) == (
        "### T\n\n| name      |  x [1] |\n|:----------|-------:|\n| a\\|b      |      1 |\n| long name | **22** |"
    )


def test_html_is_escaped() -> None:
    text = html_table(Table("<T>", ("a",), (("<script>alert(1)</script>",),), note="x & y"))
    assert "<script>" not in text
    assert "&lt;script&gt;" in text
    assert "x &amp; y" in text


def test_score_chart_shows_the_scores() -> None:
    found = compare(preset(*RULES, policy("ppo", "agent", 7.6, runs=3, spread=0.5)))
    figure = charts.score_chart(found)
    assert figure is not None
    axes = figure.axes[0]
    assert [label.get_text() for label in axes.get_yticklabels()] == [
        "sticky", "load_aware", "ppo", "composite", "planner"
    ]  # fmt: skip
    shown = {(line.get_xdata()[0], line.get_ydata()[0]) for line in axes.lines if len(line.get_xdata()) == 1}
    assert {(found.row(name).score.value, i) for i, name in enumerate(("sticky", "load_aware", "ppo"))} <= shown
    dots = next(line for line in axes.lines if len(line.get_xdata()) == 3)
    assert np.ptp(dots.get_xdata()) == pytest.approx(0.1, abs=0.02)
    assert axes.get_xlim()[0] <= found.row("sticky").score.low


def test_learning_chart_shows_every_training_and_their_mean() -> None:
    figure = charts.learning_chart(compare(preset(*RULES, policy("ppo", "agent", 7.6, runs=3))))
    assert figure is not None
    lines = [np.asarray(line.get_ydata()).tolist() for line in figure.axes[0].lines if len(line.get_xdata()) == 3]
    assert lines == [[0, 0.5, 0.5], [0, 0.5, 0.6], [0, 0.5, 0.7], pytest.approx([0, 0.5, 0.6])]
    assert charts.learning_chart(compare(preset(*RULES))) is None


def test_trade_off_chart_takes_the_named_kpis() -> None:
    found = compare(preset(*RULES))
    for pair in (None, ("handovers", "rate")):
        figure = charts.trade_off_chart(found, pair)
        assert figure is not None
        assert figure.axes[0].get_xlabel() == "handovers [1/min], less is better"
        assert figure.axes[0].get_ylabel() == "rate of a user [Mbit/s], more is better"
        assert sorted(text.get_text() for text in figure.axes[0].texts) == sorted(rule.name for rule in RULES)
    swapped = charts.trade_off_chart(found, ("rate", "handovers"))
    assert swapped is not None
    assert swapped.axes[0].get_ylabel() == "handovers [1/min], less is better"


def test_time_line_has_a_bar_for_every_stay() -> None:
    figure = time_line_chart(compare(preset(*RULES)))
    assert figure is not None
    axes = figure.axes[0]
    assert len(axes.collections) == 2 * (len(RULES) + 2)  # slot 0, slot 1; nothing in the first step
    (box,) = {tuple(axes.collections[i].get_paths()[0].get_extents().intervalx) for i in range(0, 12, 2)}
    assert box == (1.0, 3.0)
    assert axes.get_yticklabels()[0].get_text() == "random  4"


def test_agents_across_presets() -> None:
    one = compare(preset(*RULES, policy("ppo", "agent", 7.0, runs=3, spread=0.2)))
    two = compare(preset(*RULES, policy("ppo", "agent", 9.0, runs=3, spread=0.2)))
    table = across_presets([one, two])
    assert table is not None
    ((name, presets, runs, text),) = table.rows
    assert (name, presets, runs) == ("ppo", "2", "3")
    scores = [c.preset.find("ppo").returns.mean(axis=1) / 10 - WEATHER.mean() / 10 for c in (one, two)]  # type: ignore[union-attr]
    assert float(text.split()[0]) == pytest.approx(st.interquartile_mean(np.transpose(scores)).value, abs=1e-3)
    assert across_presets([one]) is None


# ---------------------------------------------------------------------------------------------- the whole file


class Page(HTMLParser):
    """Collects what a browser would load and whether tags are balanced."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.sources: list[str] = []
        self.tags: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if tag not in ("meta", "img"):
            self.open.append(tag)
        self.sources += [value or "" for name, value in attrs if name in ("src", "href", "srcset")]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_report_of_a_benchmark(tracking: Path, tmp_path: Path) -> None:
    run_benchmark(TRACKING.model_copy(update={"gap_over": "follow"}), tmp_path)
    page_path, text_path, scores_path = write_report(tmp_path, figures=True)
    page = Page()
    html = page_path.read_text()
    page.feed(html)
    assert page.open == []
    assert all(source.startswith(("data:image/svg+xml;base64,", "#")) for source in page.sources)
    assert not {"script", "link", "iframe"} & set(page.tags)
    assert "url(" not in html and "@import" not in html
    pictures = [source for source in page.sources if source.startswith("data:")]
    assert len(pictures) == 4  # scores and time line of two presets; one KPI is not counted per minute
    for picture in pictures:
        assert base64.b64decode(picture.partition(",")[2]).startswith(b"<?xml")
    assert sorted(p.name for p in (tmp_path / "figures").iterdir()) == [
        "pair-scores.png", "pair-time-line.png", "tiny-scores.png", "tiny-time-line.png"
    ]  # fmt: skip

    text = text_path.read_text()
    records = {
        name: np.array(read_record(tmp_path / "records" / f"Tracking-v0__pair__{name}__worlds2000000+12.json").returns)
        for name in ("random", "follow", "bound")
    }
    score = st.normalised_score(records["follow"], records["random"], records["bound"])
    assert re.search(rf"\| follow +\| single +\| {re.escape(tables.interval_text(score))} \|", text)
    with scores_path.open(encoding="utf-8", newline="") as file:
        scores = {(line["preset"], line["policy"]): line for line in csv.DictReader(file)}
    assert len(scores) == 6
    follow = scores["pair", "follow"]
    assert float(follow["score"]) == pytest.approx(score.value, rel=1e-5)
    assert float(follow["score_low"]) == pytest.approx(score.low, rel=1e-5)
    assert float(follow["return_mean"]) == pytest.approx(records["follow"].mean(), rel=1e-5)
    assert (follow["kind"], follow["over_best_single"], follow["trainings"]) == ("single", "", "")
    assert float(scores["pair", "random"]["score"]) == 0
    for fact in ("12 per preset: episode 0 of seeds 2000000 to 2000011", "6 of 6", "NTN/Tracking-v0", "cores"):
        assert fact in text
        assert fact in html
    assert "NOT FINISHED" not in text
    lines = [line for line in text.splitlines() if line.startswith("|")]
    assert lines and all(line.endswith("|") for line in lines)


def test_equal_records_give_an_equal_report(tracking: Path, tmp_path: Path) -> None:
    run_benchmark(TRACKING, tmp_path)
    first, *_ = write_report(tmp_path, tmp_path / "a")
    second, *_ = write_report(tmp_path, tmp_path / "b")
    assert first.read_bytes() == second.read_bytes()


def test_an_unfinished_benchmark_says_so(tracking: Path, tmp_path: Path) -> None:
    run_benchmark(TRACKING, tmp_path)
    spoil(tmp_path / "records" / "Tracking-v0__pair__follow__worlds2000000+12.json", "truncated")
    (tmp_path / "records" / "Tracking-v0__tiny__bound__worlds2000000+12.json").unlink()
    _, text_path, _ = write_report(tmp_path)
    text = text_path.read_text()
    assert "NOT FINISHED: 2 of 6 results are there." in text
    assert "Left out: " in text and "not a whole record" in text
    assert "preset tiny has no result of random play or of the bound yet" in text
    assert "## tiny" not in text
    (tmp_path / "records" / "Tracking-v0__pair__bound__worlds2000000+12.json").unlink()
    with pytest.raises(ValueError, match="holds nothing to report"):
        write_report(tmp_path)


def test_a_folder_without_benchmark_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="run `ntn-gym benchmark` first"):
        load_results(tmp_path)
    (tmp_path / "benchmark.json").write_text("{")
    with pytest.raises(ValueError, match="is damaged"):
        load_results(tmp_path)


def test_pictures_are_the_same_each_time() -> None:
    found = compare(preset(*RULES))
    first, second = charts.score_chart(found), charts.score_chart(found)
    assert first is not None and second is not None
    assert data_uri(first) == data_uri(second)
