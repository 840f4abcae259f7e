"""``ntn-gym docs``: pages and README say what is registered."""

import re
from pathlib import Path
from typing import Annotated, Literal

import pytest
from pydantic import BaseModel, Field

from ntn_gym.cli import docs_results, main
from ntn_gym.cli.catalogue import catalogue
from ntn_gym.cli.docs_pages import END, START, environment_page, example, readme_with_table
from ntn_gym.cli.docs_settings import MISSING, differences, settings_rows, unit_of, with_unit
from ntn_gym.core.page import SECTIONS
from ntn_gym.core.registry import entries
from ntn_gym.evaluation.provenance import environment_folder
from ntn_gym.evaluation.report.export import COLUMNS
from ntn_gym.evaluation.tuned import read_tuned

README = Path(__file__).parents[2] / "README.md"
LISTED = catalogue()
RESULTS = f"{docs_results.START}\n{docs_results.END}"


def test_the_readme_lists_what_is_registered():
    text = README.read_text(encoding="utf-8")
    assert readme_with_table(text, LISTED, "README.md") == text, "run `ntn-gym docs --readme README.md`"
    between = text.split(START)[1].split(END)[0]
    for entry in entries().values():
        assert f"`{entry.id}`" in between


def test_check_fails_on_an_old_table_and_changes_nothing(tmp_path, capsys):
    readme = tmp_path / "README.md"
    readme.write_text(f"# title\n{START}\nold\n{END}\n{RESULTS}\nrest\n", encoding="utf-8")
    assert main(["docs", "--readme", str(readme), "--check"]) == 1
    assert "out of date; run `ntn-gym docs --readme" in capsys.readouterr().err
    assert "old" in readme.read_text(encoding="utf-8")
    assert main(["docs", "--readme", str(readme)]) == 0
    text = readme.read_text(encoding="utf-8")
    assert text.startswith("# title\n") and text.endswith("\nrest\n")
    assert "old" not in text and "`NTN/Handover-v0`" in text
    assert main(["docs", "--readme", str(readme), "--check"]) == 0


def test_the_readme_shows_the_published_scores(tmp_path):
    text = README.read_text(encoding="utf-8")
    assert docs_results.readme_with_results(text, README.parent, "README.md") == text, "run `ntn-gym docs --readme`"
    zoo = tmp_path / "agents" / "zoo" / "Made"
    zoo.mkdir(parents=True)
    (zoo / "scores.csv").write_text(
        ",".join(COLUMNS) + "\nNTN/Made-v0,easy,ppo,agent,3,200,5,0.9,0.89,0.91,0.0512,0.04,0.06,,,,-0.01,-0.02,0\n"
        "NTN/Made-v0,easy,near,single,,200,4,0.8488,0.84,0.85,,,,,,,,,\n"
        "NTN/Made-v0,easy,plan,forecast,,200,4,0.91,0.9,0.92,,,,,,,,,\n"
        "NTN/Made-v0,hard,near,single,,200,4,0.5,0.4,0.6,,,,,,,,,\n",
        encoding="utf-8",
    )
    made = docs_results.readme_with_results(RESULTS, tmp_path, "my.md")
    assert "**NTN/Made-v0**, 200 reporting worlds per preset; 3 trainings each" in made
    assert "([all numbers](agents/zoo/Made/results.md))" in made
    assert (
        "| easy | near 0.849 | plan 0.910 | ppo 0.900 | **+0.051 [+0.040, +0.060]** | -0.010 [-0.020, +0.000] |" in made
    )
    assert "| hard | near 0.500 | – | – | – | – |" in made


@pytest.mark.parametrize("text", ["no marks", START, END, f"{END}\n{START}", f"{START}{START}{END}"])
def test_a_readme_without_a_place_for_the_table_is_refused(text):
    with pytest.raises(ValueError, match=r"my\.md: needs one line <!-- environments:start -->"):
        readme_with_table(text, LISTED, "my.md")


@pytest.mark.parametrize(
    ("arguments", "message"), [([], "nothing to do"), (["--out", "x", "--check"], "give --readme FILE")]
)
def test_arguments_that_make_no_sense(arguments, message, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["docs", *arguments]) == 1
    assert message in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_one_page_for_each_environment_and_an_index(tmp_path):
    assert main(["docs", "--out", str(tmp_path)]) == 0
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {"index.md", *(f"{name}.md" for name in entries())}
    index = (tmp_path / "index.md").read_text(encoding="utf-8")
    for name in entries():
        assert f"[{name}]({name}.md)" in index


@pytest.mark.parametrize("one", LISTED, ids=lambda one: one.entry.name)
def test_a_page_is_complete(one):
    page = environment_page(one)
    headings = re.findall(r"^## (.*)$", page, flags=re.MULTILINE)
    assert [title for title in headings if title in SECTIONS] == list(SECTIONS)
    assert {"Presets", "Key Performance Indicators", "Bring Your Own Trace"} <= set(headings)
    for term in one.default.task.reward_terms:
        assert f"| `{term.name}` | {term.description} | {term.unit} | {term.weight:g} |" in page
    for kpi in one.default.task.kpis:
        assert f"| `{kpi.name}` | {kpi.description} | {kpi.unit} |" in page
    for name, spec in one.heuristics.items():
        assert f"| `{name}` | {spec.family} |" in page
        assert spec.source, f"{name} has no source"
        assert spec.source.replace("|", "\\|") in page
    for name in one.entry.trivial_presets:
        (row,) = re.findall(rf"^\| `{name}` \| .*$", page, flags=re.MULTILINE)
        assert "trivial" in row
    for spec in one.default.task.make_world().fields.values():
        assert f"| `{spec.name}` | [worlds, slices" in page


@pytest.mark.parametrize("one", LISTED, ids=lambda one: one.entry.name)
def test_a_page_tells_all_differences_of_every_preset(one):
    page = environment_page(one)
    base = one.default.scenario
    for preset in one.presets[1:]:
        section = page.split(f"\n### `{preset.name}`\n")[1].split("\n#")[0]
        rows = dict(re.findall(r"^\| `([\w.]+)` \| (.*?) \|", section, flags=re.MULTILINE))
        changed = {path: new for path, _, new in differences(base, preset.scenario)} | {}
        assert set(rows) == set(changed) - {"name", "description"}
        for path, text in rows.items():
            assert text == with_unit(path, changed[path])


@pytest.mark.parametrize("one", LISTED, ids=lambda one: one.entry.name)
def test_a_page_gives_the_tuned_parameters(one):
    page = environment_page(one)
    for preset in one.presets:
        for name, tuned in read_tuned(environment_folder(one.entry), preset.name).items():
            if tuned.params:
                parameter = next(iter(tuned.params))
                section = page.split(f"#### `{preset.name}`\n")[1].split("\n#")[0]
                (row,) = re.findall(rf"^\| `{name}` \| .*$", section, flags=re.MULTILINE)
                assert f"{parameter} = " in row
                assert f"| {tuned.mean_return:.2f} |" in row


@pytest.mark.parametrize("one", LISTED, ids=lambda one: one.entry.name)
def test_the_example_of_a_page_runs(one, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code = example(one)
    assert code in environment_page(one)
    names: dict = {}
    exec(compile(code, "page", "exec"), names)
    assert names["env"].observation_space.contains(names["observation"])
    assert main(["trace", "validate", "mine.npz"]) == 0


@pytest.mark.parametrize(
    ("name", "unit"),
    [
        ("link.freq_hz", "Hz"),
        ("users.speed_m_s", "m/s"),
        ("sky.altitude_m", "m"),
        ("dt_s", "s"),
        ("link.eirp_density_dbw_mhz", "dBW/MHz"),
        ("link.terminal_gt_db_k", "dB/K"),
        ("link.efficiency_cap_bit_s_hz", "bit/s/Hz"),
        ("reward.reference_rate_bit_s", "bit/s"),
        ("reward.handover_utility_s", "s of full utility"),
        ("users.count", ""),
        ("slots.rings", ""),
    ],
)
def test_the_end_of_a_name_is_its_unit(name, unit):
    assert unit_of(name) == unit


class Round(BaseModel):
    kind: Literal["round"] = "round"
    radius_m: float = Field(2.0, gt=0, le=5)


class Square(BaseModel):
    kind: Literal["square"] = "square"
    side_m: float = 3.0


class Thing(BaseModel):
    shape: Annotated[Round | Square, Field(discriminator="kind")] = Round()
    mass_g: float | None = Field(None, ge=1, description="None: light.")


def test_settings_of_all_kinds_are_listed_with_range_and_default():
    assert settings_rows(Thing) == [
        ["`shape = round: kind`", "round", "", "`round`", ""],
        ["`shape = round: radius_m`", "2", "m", "> 0, ≤ 5", ""],
        ["`shape = square: kind`", "square", "", "`square`", ""],
        ["`shape = square: side_m`", "3", "m", "", ""],
        ["`mass_g`", "none", "", "≥ 1", "None: light."],
    ]


def test_differences_between_kinds():
    assert differences(Thing(), Thing(shape=Square(), mass_g=4)) == [
        ("shape.kind", "round", "square"),
        ("shape.side_m", MISSING, 3.0),
        ("mass_g", None, 4.0),
    ]
    assert with_unit("shape.side_m", MISSING) == "-"
