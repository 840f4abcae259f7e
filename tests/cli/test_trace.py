"""``ntn-gym trace``."""

import gymnasium as gym
import numpy as np
import pytest
from PIL import Image

import ntn_gym  # noqa: F401
from ntn_gym.cli import main, trace
from ntn_gym.core.seeding import WorldKey
from ntn_gym.core.trace import Trace


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    path = tmp_path_factory.mktemp("traces") / "drawn.npz"
    assert (
        main(["trace", "save", "Handover", "--preset", "tiny", "--seeds", "1000000-1000002", "--out", str(path)]) == 0
    )
    return path


def broken(saved, tmp_path, **changes):
    """A copy of the trace with some arrays replaced, or left out where the change is None."""
    whole = Trace.load(saved)
    arrays = {**whole.arrays, **changes}
    arrays = {name: array for name, array in arrays.items() if array is not None}
    return str(Trace(arrays, whole.environment, whole.scenario, whole.keys).save(tmp_path / "broken.npz"))


def test_a_saved_trace_is_the_worlds_that_an_environment_draws(saved):
    whole = Trace.load(saved)
    assert (whole.environment, whole.n_worlds, whole.n_slices) == ("Handover", 3, 301)
    assert whole.keys == tuple(WorldKey(seed) for seed in (1000000, 1000001, 1000002))
    assert whole.notes["preset"] == "tiny"
    drawn = gym.make("NTN/Handover-v0", preset="tiny")
    replayed = gym.make("NTN/Handover-v0", trace=str(saved))
    for world in range(3):
        one, _ = drawn.reset(seed=1000000 + world)
        two, _ = replayed.reset(seed=world)
        assert (one == two).all()
        for step in range(30):
            one, reward_one, *_ = drawn.step(step % 4)
            two, reward_two, *_ = replayed.step(step % 4)
            assert (one == two).all() and reward_one == reward_two


def test_blocks_change_nothing(saved, tmp_path, monkeypatch):
    monkeypatch.setattr(trace, "BLOCK_WORLDS", 2)
    path = tmp_path / "blocks.npz"
    main(["trace", "save", "Handover", "--preset", "tiny", "--seeds", "1000000-1000002", "--out", str(path)])
    one, two = Trace.load(saved), Trace.load(path)
    assert one.keys == two.keys
    for name, array in one.arrays.items():
        assert (array == two.arrays[name]).all(), name


def test_show_prints_units_shapes_and_ranges(saved, capsys):
    assert main(["trace", "show", str(saved)]) == 0
    text = capsys.readouterr().out
    assert "Handover, 3 worlds x 301 slices of 1 s, seeds 1000000 to 1000002, preset tiny" in text
    (row,) = [line.split() for line in text.split("\n") if line.strip().startswith("sinr_db ")]
    values = Trace.load(saved).arrays["sinr_db"].astype(float)
    assert " ".join(row[1:8]) == "3 x 301 x 1 x 4"
    assert row[8:10] == ["float32", "dB"]
    assert row[10:13] == [f"{v:.5g}" for v in (values.min(), values.mean(), values.max())]


def test_show_draws_a_picture(saved, tmp_path, capsys):
    target = tmp_path / "plots" / "trace.png"
    assert main(["trace", "show", str(saved), "--plot", str(target), "--world", "2"]) == 0
    with Image.open(target) as picture:
        assert picture.format == "PNG"
        pixels = np.asarray(picture)
    assert pixels.std() > 10
    other = tmp_path / "other.png"
    main(["trace", "show", str(saved), "--plot", str(other), "--world", "0"])
    with Image.open(other) as picture:
        assert not (np.asarray(picture) == pixels).all()


def test_show_also_shows_what_is_wrong(saved, tmp_path, capsys):
    path = broken(saved, tmp_path, load=None, moon=np.zeros((3, 301)))
    assert main(["trace", "show", path]) == 0
    text = capsys.readouterr().out
    assert "missing: load (share)" in text
    assert "not an array of this environment" in text


def test_show_refuses_a_world_that_is_not_there(saved, capsys):
    assert main(["trace", "show", str(saved), "--world", "3"]) == 1
    assert "--world 3: the trace has worlds 0 to 2" in capsys.readouterr().err


def test_a_drawn_trace_is_valid(saved, capsys):
    assert main(["trace", "validate", str(saved)]) == 0
    assert "valid; 3 worlds x 301 slices of Handover" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"load": None}, "missing arrays: load"),
        ({"moon": np.zeros((3, 301))}, "unknown arrays: moon"),
        ({"load": np.zeros((3, 301, 5), np.float32)}, "load: shape [3, 301, 5], expected [worlds, 301, 4]"),
        ({"load": np.full((3, 301, 4), 1.5, np.float32)}, "load: values from 1.5 to 1.5 share, allowed 0 to 1 share"),
        ({"sinr_db": np.full((3, 301, 1, 4), np.nan, np.float32)}, "sinr_db: not finite"),
    ],
)
def test_an_invalid_trace_is_refused_with_the_reason(saved, tmp_path, changes, message, capsys):
    path = broken(saved, tmp_path, **changes)
    assert main(["trace", "validate", path]) == 1
    assert message in capsys.readouterr().err


def test_all_that_is_wrong_is_said_at_once(saved, tmp_path, capsys):
    path = broken(saved, tmp_path, load=None, sinr_db=np.full((3, 301, 1, 4), 999.0, np.float32))
    main(["trace", "validate", path])
    text = capsys.readouterr().err
    assert "missing arrays: load" in text and "sinr_db: values from 999 to 999 dB" in text


def test_a_file_that_is_no_trace(tmp_path, capsys):
    path = tmp_path / "no.npz"
    path.write_bytes(b"not a zip file")
    assert main(["trace", "validate", str(path)]) == 1
    assert "not a readable trace file" in capsys.readouterr().err
    assert main(["trace", "show", str(tmp_path / "absent.npz")]) == 1
    assert "absent.npz" in capsys.readouterr().err


# NumPy opens the file itself and, when it is cut, leaves closing it to the garbage collector.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_truncated_file(saved, tmp_path, capsys):
    path = tmp_path / "cut.npz"
    path.write_bytes(saved.read_bytes()[:2000])
    assert main(["trace", "validate", str(path)]) == 1
    assert "not a readable trace file" in capsys.readouterr().err


@pytest.mark.parametrize(("text", "seeds"), [("5", range(5, 6)), ("2000000-2000003", range(2000000, 2000004))])
def test_seeds_are_read(text, seeds):
    assert trace.parse_seeds(text) == seeds


@pytest.mark.parametrize(
    ("text", "message"),
    [("a-b", "give one seed or first-last"), ("9-3", "below the first"), ("2999999-3000000", "is in no range")],
)
def test_wrong_seeds_are_refused(text, message, tmp_path, capsys):
    target = tmp_path / "never.npz"
    assert main(["trace", "save", "Handover", "--seeds", text, "--out", str(target)]) == 1
    assert message in capsys.readouterr().err
    assert not target.exists()
