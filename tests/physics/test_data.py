"""The shipped data: complete, readable, in range, and with its origin written down."""

import re
from pathlib import Path

import numpy as np
import pytest

from ntn_gym import data
from ntn_gym.data import loader


def test_every_file_has_its_origin_written_down() -> None:
    provenance = data.read_text("PROVENANCE.md")
    top = [name for name in data.names() if "/" not in name and name != "PROVENANCE.md"]
    assert len(top) >= 16
    assert [name for name in top if f"`{name}`" not in provenance] == []
    for notice in ("Duncan Eddy", "Swin Edge", "Ramiro Gómez", "GeoNames", "CIESIN", "CelesTrak", "Apache License"):
        assert notice in provenance


def test_every_written_origin_belongs_to_a_file() -> None:
    named = set(re.findall(r"`((?:tables/)?[\w.-]+\.(?:csv|npz|json|txt))`\s*\|", data.read_text("PROVENANCE.md")))
    # The section of the tables names its files without their folder.
    assert named - set(data.names()) - {name.removeprefix("tables/") for name in data.names()} == set()


def test_every_table_has_its_origin_written_down() -> None:
    provenance = data.read_text("PROVENANCE.md")
    tables = [name.removeprefix("tables/") for name in data.names() if name.startswith("tables/")]
    assert len(tables) >= 7
    assert [name for name in tables if f"{name}`" not in provenance] == []


@pytest.mark.parametrize("name", [name for name in data.names() if re.fullmatch(r"[^/]+\.csv", name)])
def test_coordinates_are_on_the_earth(name: str) -> None:
    columns = data.read_csv(name)
    lengths = {len(column) for column in columns.values()}
    assert len(lengths) == 1 and lengths.pop() > 100
    lat_deg = columns.get("lat_deg", columns.get("lat_center_deg"))
    lon_deg = columns.get("lon_deg", columns.get("lon_center_deg"))
    assert lat_deg.dtype == lon_deg.dtype == np.float64
    assert np.abs(lat_deg).max() <= 90.0 and np.abs(lon_deg).max() <= 180.0


def test_columns_have_types_and_known_content() -> None:
    stations = data.read_csv("ground_stations.csv")
    assert list(stations) == ["provider", "name", "lat_deg", "lon_deg", "alt_m", "bands"]
    assert len(stations["name"]) == 117
    svalbard = int(np.flatnonzero(stations["name"] == "Svalbard")[0])
    assert stations["lat_deg"][svalbard] == pytest.approx(78.2, abs=0.1)
    cities = data.read_csv("cities_top600.csv")
    assert cities["population"].dtype == np.int64
    assert cities["name"][0] == "Shanghai" and cities["population"][0] == cities["population"].max()
    assert len(data.read_csv("melbourne_cbd_base_stations.csv")["lat_deg"]) == 125
    assert len(data.read_csv("melbourne_cbd_users.csv")["lat_deg"]) == 816
    assert len(data.read_csv("site_rain_climate.csv")["site"]) == 317
    people = data.read_csv("city_population_1deg.csv")["city_population"]
    assert people.sum() == pytest.approx(3.93e9, rel=0.005)


def test_population_grid_is_oriented_as_documented() -> None:
    grid = data.read_npz("gpw_v4_density_2020_1deg.npz")
    density = grid["density_per_km2"]
    assert density.shape == (180, 360) and np.isfinite(density).all() and density.min() >= 0.0

    def at(lat_deg: float, lon_deg: float) -> float:
        return float(density[int(90.0 - lat_deg), int(lon_deg + 180.0)])

    assert at(23.7, 90.4) > 1000.0  # Dhaka
    assert at(0.0, -140.0) == 0.0  # Pacific
    assert at(25.0, 10.0) < 10.0  # Sahara
    assert not grid["land_mask"][int(90.0 - 0.5), int(180.0 - 140.0)]


def test_wind_fields_are_split_and_plausible() -> None:
    fields = data.read_npz("stratospheric_wind_fields_48.npz")
    kinds, counts = np.unique(fields["split"], return_counts=True)
    assert counts.sum() == 48 and sorted(counts.tolist()) == [6, 10, 32] and len(kinds) == 3
    speed_m_s = np.hypot(*np.moveaxis(fields["uv_cm_s"].astype(float) / 100.0, -1, 0))
    at_50_hpa = data.read_json("stratospheric_wind_stats.json")[0]
    assert at_50_hpa["pressure_Pa"] == fields["pressure_Pa"][0]
    # Statistics of 400 other fields: the mean of these 48 lies near.
    assert speed_m_s[..., 0, :].mean() == pytest.approx(at_50_hpa["speed_mean"], rel=0.25)


def test_unknown_files_are_refused_with_the_list() -> None:
    with pytest.raises(FileNotFoundError, match=r"'citys\.csv' does not ship .*cities_top600\.csv"):
        data.read_csv("citys.csv")
    for outside in ("../__init__.py", "/etc/hostname", "tables"):
        with pytest.raises(FileNotFoundError, match="does not ship"):
            data.path(outside)


def test_broken_csv_files_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loader, "_root", lambda: tmp_path)
    (tmp_path / "short.csv").write_text("a,b\n1,2\n3\n")
    (tmp_path / "empty.csv").write_text("")
    (tmp_path / "infinite.csv").write_text("a\n1.5\ninf\n")
    (tmp_path / "gap.csv").write_text("a,b\n1.5,x\n,y\n")
    with pytest.raises(ValueError, match=r"'short\.csv', line 3: 1 cells, but the header has 2"):
        data.read_csv("short.csv")
    with pytest.raises(ValueError, match=r"'empty\.csv' is empty"):
        data.read_csv("empty.csv")
    with pytest.raises(ValueError, match=r"'infinite\.csv', column 'a': numbers must be finite"):
        data.read_csv("infinite.csv")
    assert data.read_csv("gap.csv")["a"].tolist() == ["1.5", ""]


def test_pickled_arrays_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loader, "_root", lambda: tmp_path)
    np.savez(tmp_path / "bad.npz", a=np.array([{"x": 1}], dtype=object))
    with pytest.raises(ValueError, match="allow_pickle=False"):
        data.read_npz("bad.npz")
