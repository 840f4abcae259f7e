"""The drawing toolkit: what is drawn is where it should be, in pixels."""

import math
import subprocess
import sys

import numpy as np
import pytest
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize, to_rgb

from ntn_gym.rendering import ansi, style
from ntn_gym.rendering.canvas import Canvas
from ntn_gym.rendering.ground import GroundPlot
from ntn_gym.rendering.map import FRAMES_DEG, MapPlot, wrap_deg
from ntn_gym.rendering.sky import SkyPlot, fan_out
from ntn_gym.rendering.strips import EventStyle, Lanes, TimeStrips, nice_ceiling, runs


def rgb(colour):
    return np.round(np.array(to_rgb(colour)) * 255)


def pixel(canvas, axes, x, y):
    """Row and column of a data point."""
    across, up = axes.transData.transform((x, y))
    return round(canvas.height_px - up), round(across)


def test_canvas_draws_still_parts_once_and_moving_parts_every_time():
    canvas = Canvas(200, 100)
    axes = canvas.axes((20, 10, 160, 70))
    axes.set_xlim(0, 10)
    axes.set_ylim(0, 1)
    (dot,) = axes.plot([2], [0.5], "o", color=style.BLUE, ms=8)
    canvas.moving(dot)
    first = canvas.picture()
    assert first.shape == (100, 200, 3)
    assert first.dtype == np.uint8
    assert (first[pixel(canvas, axes, 2, 0.5)] == rgb(style.BLUE)).all()
    dot.set_data([8], [0.5])
    second = canvas.picture()
    assert (second[pixel(canvas, axes, 8, 0.5)] == rgb(style.BLUE)).all()
    assert not (second[pixel(canvas, axes, 2, 0.5)] == rgb(style.BLUE)).all(), "the old place is clean"
    assert (first[pixel(canvas, axes, 2, 0.5)] == rgb(style.BLUE)).all(), "an earlier picture is not touched"
    dot.set_data([2], [0.5])
    assert (canvas.picture() == first).all()


def test_canvas_shows_a_changed_limit_after_invalidate():
    canvas = Canvas(200, 100)
    axes = canvas.axes((40, 10, 150, 60))
    before = canvas.picture()
    axes.set_ylim(0, 50)
    assert (canvas.picture() == before).all()
    canvas.invalidate()
    assert not (canvas.picture() == before).all()


def test_canvas_refuses_a_tiny_picture():
    with pytest.raises(ValueError, match="8 x 100 pixels: allowed is 16 x 16"):
        Canvas(8, 100)


def sky_with(canvas, **show):
    sky = SkyPlot(
        canvas,
        (10, 10, 380, 380),
        4,
        lowest_elevation_deg=5.0,
        value_label="value",
        scale=ScalarMappable(Normalize(0, 1), cmap=style.SEQUENTIAL),
    )
    arguments = {
        "azimuth_deg": np.array([90.0, 0.0, 180.0, 270.0]),
        "elevation_deg": np.array([45.0, 45.0, 45.0, 45.0]),
        "values": np.array([0.0, 1.0, 0.0, 0.0]),
        "shown": np.array([True, True, True, False]),
        "hollow": np.array([False, False, True, False]),
        "chosen": 0,
    }
    sky.show(**{**arguments, **show})
    return sky


def test_sky_puts_east_right_north_up_and_the_zenith_in_the_middle():
    canvas = Canvas(400, 400)
    sky = sky_with(canvas)
    picture = canvas.picture()
    low, high = (np.array(sky._scale.to_rgba(v)[:3]) * 255 for v in (0.0, 1.0))
    # Radius is 90 degrees minus elevation.
    assert np.allclose(picture[pixel(canvas, sky.axes, 45, 0)], low, atol=1.5)
    assert np.allclose(picture[pixel(canvas, sky.axes, 0, 45)], high, atol=1.5)
    assert (picture[pixel(canvas, sky.axes, 0, -45)] == 255).all(), "blocked: hollow"
    assert (picture[pixel(canvas, sky.axes, -45, 0)] > 200).all(), "not there: only the grid"
    row, column = pixel(canvas, sky.axes, 0, -45)
    edge = picture[row - 8 : row + 9, column - 8 : column + 9].reshape(-1, 3)
    assert (np.abs(edge - rgb(style.VERMILLION)) < 12).all(axis=1).any(), "and has a red edge"
    assert (picture[pixel(canvas, sky.axes, 20, 0)] == rgb(style.INK)).all(), "the link is a line from the middle"


def test_sky_draws_no_link_where_nothing_is_chosen():
    canvas = Canvas(400, 400)
    sky = sky_with(canvas, chosen=None)
    assert not (canvas.picture()[pixel(canvas, sky.axes, 20, 0)] == rgb(style.INK)).all()


def test_coinciding_points_are_spread_and_others_left_alone():
    x, y = np.array([1.0, 1.0, 5.0, 1.0]), np.zeros(4)
    shown = np.array([True, True, True, False])
    new_x, new_y, moved = fan_out(x, y, shown, reach=0.5, near=0.1)
    assert moved.tolist() == [True, True, False, False]
    assert (new_x[2], new_y[2]) == (5.0, 0.0)
    assert math.hypot(new_x[0] - new_x[1], new_y[0] - new_y[1]) > 0.1
    # The direction belongs to the index: a third one joining moves neither of the first two.
    joined_x, joined_y, _ = fan_out(x, y, np.ones(4, dtype=bool), reach=0.5, near=0.1)
    assert (joined_x[:2] == new_x[:2]).all() and (joined_y[:2] == new_y[:2]).all()


def test_map_has_land_where_there_is_land():
    canvas = Canvas(400, 300)
    plot = MapPlot(canvas, (50, 30, 340, 240), 1)
    plot.look_at(48.0, 0.0, 12.0)
    picture = canvas.picture()
    assert (picture[pixel(canvas, plot.axes, 2.3, 47.2)] == rgb(style.LAND)).all(), "France"
    assert (picture[pixel(canvas, plot.axes, -8.3, 46.2)] == rgb(style.SEA)).all(), "Bay of Biscay"


def test_map_crosses_the_date_line():
    assert wrap_deg(np.array([-179.0, 179.0]), 178.0).tolist() == [181.0, 179.0]
    assert wrap_deg(np.array([190.0]), 0.0).tolist() == [-170.0]
    canvas = Canvas(400, 300)
    plot = MapPlot(canvas, (50, 30, 340, 240), 2)
    plot.look_at(-17.0, 179.0, 8.0)
    plot.show_nodes(
        np.array([-17.0, -17.0]), np.array([-178.0, 176.0]), shown=np.ones(2, dtype=bool), face=["#000000"] * 2
    )
    picture = canvas.picture()
    assert (picture[pixel(canvas, plot.axes, 182.0, -17.0)] < 60).all()
    assert (picture[pixel(canvas, plot.axes, 176.0, -17.0)] < 60).all()
    assert {"180°", "175°E", "175°W"} <= {label.get_text() for label in plot.axes.get_xticklabels()}


@pytest.mark.parametrize(("reach_deg", "frame"), [(0.5, 2.0), (2.5, 3.0), (11.0, 12.0), (84.0, 85.0)])
def test_map_takes_the_smallest_frame_that_holds_all_points(reach_deg, frame):
    canvas = Canvas(300, 300)
    plot = MapPlot(canvas, (50, 30, 240, 240), 1)
    plot.frame(10.0, 20.0, np.array([10.0 + min(reach_deg, 79.9)]), np.array([20.0]))
    low, high = plot.axes.get_ylim()
    assert (high - low) / 2 == pytest.approx(frame)
    assert frame in FRAMES_DEG


def test_map_is_true_to_shape_in_its_middle():
    canvas = Canvas(400, 300)
    plot = MapPlot(canvas, (50, 30, 340, 240), 1)
    plot.look_at(60.0, 10.0, 5.0)
    left, right = plot.axes.get_xlim()
    low, high = plot.axes.get_ylim()
    km_per_pixel = (right - left) * math.cos(math.radians(60.0)) / 340, (high - low) / 240
    assert km_per_pixel[0] == pytest.approx(km_per_pixel[1])


def test_ground_marks_the_chosen_and_the_blocked_cell():
    canvas = Canvas(300, 300)
    plot = GroundPlot(canvas, (50, 20, 230, 230), 10.0, n_cells=3, cell_radius_km=2.0)
    plot.show_cells(
        np.array([[-5.0, 0.0], [5.0, 0.0], [0.0, 5.0]]),
        shown=np.array([True, True, False]),
        face=[style.GREEN] * 3,
        hollow=np.array([False, True, False]),
        chosen=0,
    )
    plot.show_users(np.array([[5.0, -8.0]]), [style.ORANGE], ["o"])
    picture = canvas.picture()
    assert (picture[pixel(canvas, plot.axes, -5.0, 1.3)] == rgb(style.GREEN)).all()
    assert (picture[pixel(canvas, plot.axes, 5.0, 1.3)] == 255).all()
    assert (picture[pixel(canvas, plot.axes, 5.0, -8.0)] == rgb(style.ORANGE)).all()
    # A hexagon with a corner in the north reaches 2 km there and 1.73 km in the east.
    assert (picture[pixel(canvas, plot.axes, -6.73, 0.0)] == rgb(style.ORANGE)).all(), "thick edge"
    plot.show_users(np.array([[-8.0, -8.0]]), [style.ORANGE], ["o"])
    moved = canvas.picture()
    assert not (moved[pixel(canvas, plot.axes, 5.0, -8.0)] == rgb(style.ORANGE)).all()


def test_strips_share_time_and_mark_events():
    canvas = Canvas(400, 300)
    strips = TimeStrips(canvas, (50, 40, 340, 220), 100.0, (2, 1))
    line = strips.line(0, style.BLUE)
    strips.limits(0, 0.0, 10.0)
    line.set_data([0.0, 100.0], [5.0, 5.0])
    kinds = [EventStyle("jump", "s", style.VERMILLION), EventStyle("stop", "o", style.GREEN)]
    marks = strips.events(0, kinds, height=0.9)
    strips.set_events(marks, {"jump": np.array([25.0]), "stop": np.array([])})
    lanes = Lanes(canvas, strips.axes[1], 2)
    there = np.zeros((100, 2), dtype=bool)
    there[10:40, 1] = True
    used = there.copy()
    used[:20] = False
    lanes.show(there, used, 1.0)
    picture = canvas.picture()
    assert (picture[pixel(canvas, strips.axes[0], 60, 5.0)] == rgb(style.BLUE)).all()
    assert (picture[pixel(canvas, strips.axes[0], 25, 9.0)] == rgb(style.VERMILLION)).all()
    assert (picture[pixel(canvas, strips.axes[1], 30, 1)] == rgb(style.BLUE)).all(), "in use"
    assert (picture[pixel(canvas, strips.axes[1], 15, 1)] == rgb(style.GRID)).all(), "there, not in use"
    assert (picture[pixel(canvas, strips.axes[1], 60, 1)] == 255).all(), "gone"
    assert strips.axes[0].get_xlim() == strips.axes[1].get_xlim() == (0.0, 100.0)


@pytest.mark.parametrize(
    ("value", "ceiling"), [(0.0, 1.0), (1.0, 1.0), (1.2, 1.5), (2.5, 3.0), (61.0, 80.0), (81.0, 100.0), (0.3, 0.3)]
)
def test_nice_ceiling(value, ceiling):
    assert nice_ceiling(value) == pytest.approx(ceiling)


def test_runs():
    assert runs(np.array([1, 1, 0, 1], dtype=bool)) == [(0, 2), (3, 4)]
    assert runs(np.zeros(3, dtype=bool)) == []


def test_bars_and_sparklines_have_fixed_width():
    assert ansi.bar(0.5, 0.0, 1.0, 4) == "██  "
    assert ansi.bar(0.53125, 0.0, 1.0, 4) == "██▏ "
    assert ansi.bar(7.0, 0.0, 1.0, 4) == "████"
    assert ansi.bar(math.nan, 0.0, 1.0, 4) == "    "
    assert ansi.sparkline([0.0, 0.5, 1.0, math.nan, -3.0], 0.0, 1.0) == "▁▅█ ▁"


def test_tables_align_in_spite_of_escape_sequences():
    text = ansi.table(["a", "name"], [[ansi.paint("1", "bold"), "x"], ["22", "yy"]], "rl")
    assert ansi.plain(text).split("\n") == [" a  name", " 1  x", "22  yy"]
    assert "\x1b[1m1\x1b[0m" in text


def test_colours_and_markers_together_tell_sixteen_things_apart():
    looks = {(style.colour(i), style.marker(i)) for i in range(16)}
    assert len(looks) == 16


def test_importing_the_toolkit_or_its_text_part_imports_no_drawing_library():
    code = (
        "import sys, ntn_gym, ntn_gym.rendering, ntn_gym.rendering.ansi, ntn_gym.envs.handover.render; "
        "print([name for name in ('matplotlib', 'pygame', 'PIL') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
