"""``ntn-gym visibility``: counts of skyfield, passes of skyfield, files, a picture, refusals."""

import csv
import json
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from skyfield.api import EarthSatellite, load, wgs84

from ntn_gym import data
from ntn_gym.cli import main, visibility

ORBITS = json.loads((Path(__file__).parents[1] / "reference" / "orbit_points.json").read_text())
BREMEN = ["--lat-deg", "53.1066", "--lon-deg", "8.8527", "--alt-m", "12"]
NAMES = {
    "tle_globalstar_2025-01-23.txt": "globalstar",
    "tle_iridium_next_2025-01-23.txt": "iridium-next",
    "tle_starlink_53deg_550km_2025-01-23.txt": "starlink-53",
    "tle_oneweb_2025-01-05.txt": "oneweb",
}


def read(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("file", NAMES)
def test_counts_are_those_of_skyfield(file, tmp_path):
    rows = [row for row in ORBITS["visible_counts"] if row["file"] == file and row["site"] == "Bremen"]
    assert rows
    for row in rows:
        for mask in (10, 25, 40):
            path = tmp_path / "counts.csv"
            words = ["--start", row["utc"], "--hours", "0.1", "--min-elevation-deg", str(mask), "--counts", str(path)]
            assert main(["visibility", NAMES[file], *BREMEN, *words]) == 0
            first = read(path)[0]
            assert first["utc"] == row["utc"]
            assert int(first["visible"]) == row[f"n_above_{mask}"]


def test_passes_of_an_element_file_are_those_of_skyfield(tmp_path):
    lines = data.read_text("tle_iridium_next_2025-01-23.txt").splitlines()[:3]
    file = tmp_path / "one.tle"
    file.write_text("\n".join(lines) + "\n")
    path = tmp_path / "passes.csv"
    words = ["--place", "Tokyo", "--start", "2025-01-24T00:00:00Z", "--hours", "24", "--csv", str(path)]
    assert main(["visibility", str(file), *words]) == 0
    passes = read(path)

    cities = data.read_csv("cities_top600.csv")
    (tokyo,) = np.flatnonzero(cities["name"] == "Tokyo")
    place = wgs84.latlon(float(cities["lat_deg"][tokyo]), float(cities["lon_deg"][tokyo]), 0.0)
    timescale = load.timescale(builtin=True)
    start = timescale.utc(2025, 1, 24)
    times, events = EarthSatellite(lines[1], lines[2], lines[0], timescale).find_events(
        place, start, start + timedelta(days=1), altitude_degrees=10.0
    )
    for column, event in (("rise_utc", 0), ("culmination_utc", 1), ("set_utc", 2)):
        expected = [time.utc_datetime() for time in times[events == event]]
        ours = [datetime.fromisoformat(row[column]) for row in passes]
        assert len(ours) == len(expected) >= 4
        assert all(abs((a - b).total_seconds()) < 0.6 for a, b in zip(ours, expected, strict=True))


def test_text_names_the_window_and_the_passes(capsys):
    assert main(["visibility", "iridium", "--place", "Nairobi", "--hours", "3", "--rows", "4"]) == 0
    text = capsys.readouterr().out
    assert "iridium: 66 satellites over Nairobi, above 10 deg" in text
    assert "from 2025-03-20T12:00:00Z for 3 h" in text
    shown = [line for line in text.split("\n") if line.startswith("iridium-")]
    assert len(shown) == 4
    found = visibility.compute("iridium", "Nairobi", None, None, 0.0, None, 3.0, 10.0)
    assert f"... and {len(found.passes) - 4} more" in text
    assert f"mean {found.count.mean():.2f}" in text


def test_no_pass_is_no_error(capsys):
    # Satellites at 53 deg are never seen from the pole.
    words = ["--lat-deg", "89", "--lon-deg", "0", "--hours", "1", "--min-elevation-deg", "30"]
    assert main(["visibility", "starlink-shell1", *words]) == 0
    text = capsys.readouterr().out
    assert "0 passes" in text and "none for 100.0 % of the time" in text


def test_a_picture_is_drawn(tmp_path):
    one, other = tmp_path / "new" / "one.png", tmp_path / "other.png"
    assert main(["visibility", "iridium", "--place", "Berlin", "--hours", "2", "--plot", str(one)]) == 0
    with Image.open(one) as picture:
        assert picture.format == "PNG"
        pixels = np.asarray(picture)
    assert pixels.std() > 10
    assert main(["visibility", "iridium", "--place", "Nairobi", "--hours", "2", "--plot", str(other)]) == 0
    with Image.open(other) as picture:
        assert not (np.asarray(picture) == pixels).all()


def test_places():
    name, lat, lon = visibility.find_place("tokyo", None, None)
    assert (name, round(lat), round(lon)) == ("Tokyo", 36, 140)
    assert visibility.find_place("Prudhoe Bay", None, None)[1:] == (70.2, -148.47)
    assert visibility.find_place(None, -33.9, 151.2)[1:] == (-33.9, 151.2)
    assert visibility.find_place("Hyderabad, IN", None, None)[1:] == pytest.approx((17.4, 78.5), abs=0.2)
    with pytest.raises(ValueError, match=r"'Hyderabad' is ambiguous; say .*Hyderabad, IN.* or .*Hyderabad, PK"):
        visibility.find_place("Hyderabad", None, None)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["iridium"], "say where: either --place NAME, or --lat-deg and --lon-deg"),
        (["iridium", "--place", "Tokyo", "--lat-deg", "1", "--lon-deg", "2"], "say where"),
        (["iridium", "--lat-deg", "1"], "give both --lat-deg and --lon-deg"),
        (["iridium", "--lat-deg", "100", "--lon-deg", "2"], "--lat-deg: got 100; must be -90 to 90 deg"),
        (["iridium", "--lat-deg", "nan", "--lon-deg", "2"], "--lat-deg: got nan"),
        (["iridium", "--place", "Atlantis"], "'Atlantis' is not among"),
        (["iridium", "--place", "Toky"], "did you mean Tokyo, JP"),
        (["iridum", "--place", "Tokyo"], "no constellation 'iridum' and no such file; known: iridium"),
        (["none.tle", "--place", "Tokyo"], "element file none.tle does not exist"),
        (["iridium", "--place", "Tokyo", "--hours", "0"], "--hours: got 0; must be above 0"),
        (["iridium", "--place", "Tokyo", "--hours", "1e9"], "--hours: got 1e+09"),
        (["iridium", "--place", "Tokyo", "--min-elevation-deg", "90"], "--min-elevation-deg: got 90"),
        (["iridium", "--place", "Tokyo", "--start", "tomorrow"], "'tomorrow' is not ISO 8601"),
        (["gps", "--place", "Tokyo", "--start", "2025-01-01T00:00:00Z"], "SGP4 is good for at most 30 days"),
        (["iridium", "--place", "Tokyo", "--plot", "a.jpg"], "the picture is a PNG file"),
        (["iridium", "--place", "Tokyo", "--rows", "-1"], "--rows: got -1"),
        (["iridium", "--place", "Tokyo", "--alt-m", "1e7"], "alt_m: got 1e+07 m"),
    ],
)
def test_bad_input_is_refused(words, message, capsys):
    assert main(["visibility", *words]) == 1
    assert message in capsys.readouterr().err


def test_a_file_that_holds_no_elements(tmp_path, capsys):
    text, binary = tmp_path / "a.tle", tmp_path / "b.tle"
    text.write_text("hello\nworld\n")
    binary.write_bytes(bytes(range(256)))
    assert main(["visibility", str(text), "--place", "Tokyo"]) == 1
    assert "a.tle" in capsys.readouterr().err
    assert main(["visibility", str(binary), "--place", "Tokyo"]) == 1
    assert "is not a text file" in capsys.readouterr().err
