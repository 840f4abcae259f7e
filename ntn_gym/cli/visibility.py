"""``ntn-gym visibility``: when satellites pass over a place, and how many are visible."""

from __future__ import annotations

import csv
import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated

import numpy as np
import tyro
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from ntn_gym import data
from ntn_gym.cli.drawing import require_drawing
from ntn_gym.physics.frames import julian_date, utc_from_julian_date, utc_text
from ntn_gym.physics.pass_prediction import PassTable, Stations, predict_passes, stations, visible_count
from ntn_gym.physics.tle import parse_tle
from ntn_gym.world.constellation import EphemerisGrid, constellation_names, named_grid, tle_grid

COUNT_STEP_S = 60.0
_MAX_HOURS = 14 * 24.0


@dataclass(frozen=True)
class Visibility:
    """Passes and visible counts over one place.

    Attributes:
        title: Satellites, place and mask in words.
        grid: States of the satellites over the window.
        station: The place.
        place: Its name.
        start: First instant of the window.
        passes: The passes.
        time_s: Times of the counts in s since the start, [T].
        count: Satellites above the mask at these times, [T].
    """

    title: str
    grid: EphemerisGrid
    station: Stations
    place: str
    start: datetime
    passes: PassTable
    time_s: NDArray[np.float64]
    count: NDArray[np.int64]

    def utc(self, time_s: float) -> datetime:
        """Return the instant of a time, rounded to a tenth of a second."""
        return self.start + timedelta(seconds=round(time_s, 1))


def run(
    satellites: Annotated[str, tyro.conf.Positional, tyro.conf.arg(metavar="NAME|FILE")],
    place: Annotated[str | None, tyro.conf.arg(metavar="NAME")] = None,
    lat_deg: float | None = None,
    lon_deg: float | None = None,
    alt_m: float = 0.0,
    start: Annotated[str | None, tyro.conf.arg(metavar="UTC")] = None,
    hours: float = 6.0,
    min_elevation_deg: float = 10.0,
    rows: int = 20,
    csv_file: Annotated[Path | None, tyro.conf.arg(name="csv", metavar="FILE")] = None,
    counts: Annotated[Path | None, tyro.conf.arg(metavar="FILE")] = None,
    plot: Annotated[Path | None, tyro.conf.arg(metavar="FILE")] = None,
) -> None:
    """List passes of satellites over a place and count how many are visible.

    Args:
        satellites: Name of a constellation (such as iridium, starlink-53, oneweb) or a file of two-line elements.
        place: A city or ground station of the data, such as "Tokyo"; or give --lat-deg and --lon-deg.
        lat_deg: Latitude of the place in deg.
        lon_deg: Longitude of the place in deg, east positive.
        alt_m: Height of the place above the ellipsoid in m.
        start: Start of the window in UTC, such as 2025-01-24T12:00:00Z; by default noon after the newest elements.
        hours: Length of the window in hours.
        min_elevation_deg: Least usable elevation in deg.
        rows: How many passes to print; the CSV file has all.
        csv_file: Write the passes to this file.
        counts: Write the visible counts, minute by minute, to this file (CSV).
        plot: Draw counts, elevations and a sky map into this picture (.png).
    """
    if plot is not None:
        require_drawing("--plot")
        if plot.suffix.lower() != ".png":
            raise ValueError(f"--plot {plot}: the picture is a PNG file; name it .png")
    if rows < 0:
        raise ValueError(f"--rows: got {rows}; must be 0 or more")
    found = compute(satellites, place, lat_deg, lon_deg, alt_m, start, hours, min_elevation_deg)
    console = Console()
    if not console.is_terminal:
        console = Console(width=160)
    _show(console, found, rows)
    if csv_file is not None:
        _write(csv_file, *_pass_rows(found))
        console.print(f"written: {csv_file}", highlight=False)
    if counts is not None:
        instants = [utc_text(found.utc(at)) for at in found.time_s]
        _write(
            counts,
            ["utc", "time_s", "visible"],
            list(zip(instants, found.time_s.tolist(), found.count.tolist(), strict=True)),
        )
        console.print(f"written: {counts}", highlight=False)
    if plot is not None:
        from ntn_gym.cli.visibility_plot import plot_visibility

        plot_visibility(found, min_elevation_deg, plot)
        console.print(f"written: {plot}", highlight=False)


def compute(
    satellites: str,
    place: str | None,
    lat_deg: float | None,
    lon_deg: float | None,
    alt_m: float,
    start: str | None,
    hours: float,
    min_elevation_deg: float,
) -> Visibility:
    """Predict passes and count visible satellites; the arguments are those of `run`.

    Raises:
        ValueError: When an argument is out of its range, or a name is unknown.
        FileNotFoundError: When the element file does not exist.
    """
    if not 0.0 < hours <= _MAX_HOURS:
        raise ValueError(f"--hours: got {hours:g}; must be above 0 and at most {_MAX_HOURS:g} h")
    if not 0.0 <= min_elevation_deg < 90.0:
        raise ValueError(f"--min-elevation-deg: got {min_elevation_deg:g}; must be 0 to below 90 deg")
    name, lat, lon = find_place(place, lat_deg, lon_deg)
    duration_s = 3600.0 * hours
    grid = _grid(satellites, duration_s, start)
    station = stations(math.radians(lat), math.radians(lon), alt_m)
    mask_rad = math.radians(min_elevation_deg)
    passes = predict_passes(grid.interpolate, grid.n_satellites, station, 0.0, duration_s, mask_rad)
    time_s = np.arange(0.0, duration_s + 1e-6, min(COUNT_STEP_S, duration_s))
    count = visible_count(grid.interpolate, grid.n_satellites, station, time_s, mask_rad)[0]
    title = f"{satellites}: {grid.n_satellites} satellites over {name}, above {min_elevation_deg:g} deg"
    return Visibility(
        title, grid, station, name, utc_from_julian_date(*julian_date(grid.start_utc)), passes, time_s, count
    )


def find_place(place: str | None, lat_deg: float | None, lon_deg: float | None) -> tuple[str, float, float]:
    """Return name, latitude and longitude in deg of a named place or of given coordinates.

    Raises:
        ValueError: When neither or both are given, a name is unknown or has several places, or a coordinate is out of
            its range.
    """
    if (lat_deg is None) != (lon_deg is None):
        raise ValueError("give both --lat-deg and --lon-deg")
    if (place is None) == (lat_deg is None):
        raise ValueError("say where: either --place NAME, or --lat-deg and --lon-deg")
    if lat_deg is not None and lon_deg is not None:
        for option, value, limit in (("--lat-deg", lat_deg, 90.0), ("--lon-deg", lon_deg, 360.0)):
            if not abs(value) <= limit:
                raise ValueError(f"{option}: got {value:g}; must be {-limit:g} to {limit:g} deg")
        return f"{lat_deg:g}, {lon_deg:g} deg", lat_deg, lon_deg
    assert place is not None
    cities, sites = data.read_csv("cities_top600.csv"), data.read_csv("ground_stations.csv")
    known = [
        *zip(cities["name"].tolist(), cities["country"].tolist(), cities["lat_deg"], cities["lon_deg"], strict=True),
        *zip(sites["name"].tolist(), sites["provider"].tolist(), sites["lat_deg"], sites["lon_deg"], strict=True),
    ]
    wanted = place.casefold()
    # "Hyderabad" is a city of two countries: "Hyderabad, IN" says which.
    hits = [row for row in known if wanted in (row[0].casefold(), f"{row[0]}, {row[1]}".casefold())]
    if not hits:
        like = [f"{row[0]}, {row[1]}" for row in known if wanted in row[0].casefold()][:8]
        hint = f"did you mean {'; '.join(like)}?" if like else "give --lat-deg and --lon-deg instead"
        raise ValueError(f"--place: {place!r} is not among {len(known)} cities and ground stations; {hint}")
    first = hits[0]
    if any(abs(row[2] - first[2]) > 0.5 or abs(row[3] - first[3]) > 0.5 for row in hits):
        raise ValueError(f"--place: {place!r} is ambiguous; say {' or '.join(repr(f'{r[0]}, {r[1]}') for r in hits)}")
    return first[0], float(first[2]), float(first[3])


def _grid(satellites: str, duration_s: float, start: str | None) -> EphemerisGrid:
    names = constellation_names()
    if satellites in names["tle"] + names["walker"]:
        return named_grid(satellites, duration_s, start)
    path = Path(satellites)
    if path.is_file():
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            raise ValueError(f"{path} is not a text file; expected two-line elements") from None
        return tle_grid(parse_tle(text, path.name), duration_s, start)
    if path.suffix or "/" in satellites:
        raise FileNotFoundError(f"element file {satellites} does not exist")
    raise ValueError(
        f"no constellation {satellites!r} and no such file; known: {', '.join(names['walker'] + names['tle'])}"
    )


def _show(console: Console, found: Visibility, rows: int) -> None:
    passes, count = found.passes, found.count
    console.print(f"[bold]{found.title}[/bold]", highlight=False)
    console.print(f"from {utc_text(found.start)} for {found.time_s[-1] / 3600.0:g} h", highlight=False)
    console.print(
        f"visible at a time: {count.min()} to {count.max()}, mean {count.mean():.2f}; "
        f"none for {100.0 * (count == 0).mean():.1f} % of the time",
        highlight=False,
    )
    whole = passes.rise_seen & passes.set_seen
    if whole.any():
        console.print(
            f"{len(passes)} passes; whole ones last {passes.duration_s[whole].mean() / 60.0:.1f} min on average, "
            f"{passes.duration_s[whole].max() / 60.0:.1f} min at most",
            highlight=False,
        )
    else:
        console.print(f"{len(passes)} passes, none of them whole", highlight=False)
    order = np.argsort(passes.rise_s, kind="stable")[:rows]
    if len(order):
        shown = Table(box=None, pad_edge=False)
        shown.add_column("satellite")
        for header in ("rise UTC", "culmination", "set", "elevation deg", "azimuth deg", "range km"):
            shown.add_column(header, justify="right")
        for index in order:
            first = found.utc(passes.rise_s[index])
            rise_deg, set_deg = (math.degrees(a[index]) for a in (passes.rise_azimuth_rad, passes.set_azimuth_rad))
            shown.add_row(
                found.grid.names[passes.satellite[index]],
                ("" if passes.rise_seen[index] else "before ") + f"{first:%m-%d %H:%M:%S}",
                f"{found.utc(passes.culmination_s[index]):%H:%M:%S}",
                ("" if passes.set_seen[index] else "after ") + f"{found.utc(passes.set_s[index]):%H:%M:%S}",
                f"{math.degrees(passes.max_elev_rad[index]):.1f}",
                f"{rise_deg:.0f} - {set_deg:.0f}",
                f"{passes.min_range_m[index] / 1e3:.0f}",
            )
        console.print()
        console.print(shown)
    if len(passes) > len(order):
        console.print(f"... and {len(passes) - len(order)} more (--rows, --csv)", highlight=False)


def _pass_rows(found: Visibility) -> tuple[list[str], list[tuple[object, ...]]]:
    header = (
        "satellite,rise_utc,culmination_utc,set_utc,rise_seen,set_seen,duration_s,max_elevation_deg,"
        "rise_azimuth_deg,set_azimuth_deg,min_range_km"
    ).split(",")
    passes = found.passes
    return header, [
        (
            found.grid.names[passes.satellite[index]],
            *(utc_text(found.utc(at[index])) for at in (passes.rise_s, passes.culmination_s, passes.set_s)),
            bool(passes.rise_seen[index]),
            bool(passes.set_seen[index]),
            round(float(passes.duration_s[index]), 1),
            *(
                round(math.degrees(angle[index]), 3)
                for angle in (passes.max_elev_rad, passes.rise_azimuth_rad, passes.set_azimuth_rad)
            ),
            round(float(passes.min_range_m[index]) / 1e3, 3),
        )
        for index in np.argsort(passes.rise_s, kind="stable")
    ]


def _write(path: Path, header: list[str], rows: list[tuple[object, ...]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)
