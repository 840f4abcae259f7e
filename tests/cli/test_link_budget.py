"""``ntn-gym link-budget``: the table of TR 38.821 against its print, single budgets by hand, refusals."""

import csv
import json
import math
from pathlib import Path

import pytest

from ntn_gym.cli import link_budget_lines, main
from ntn_gym.physics.climate import site_climate
from ntn_gym.physics.rain import slant_path_attenuation

REFERENCE = json.loads((Path(__file__).parents[1] / "reference" / "38821_link_budget.json").read_text())
# CNR of the uplink of the first case of each group, from the printed losses, G/T and EIRP.
UPLINK_CNR_DB = {
    "SC1": 0.48, "SC4": -10.96, "SC6": 18.38, "SC9": 2.74, "SC11": 12.98, "SC14": -2.66,
    "SC16": -6.32, "SC19": -15.66, "SC21": 10.38, "SC24": -3.26, "SC26": 4.98, "SC29": -8.66,
}  # fmt: skip
PUBLISHED_DB = {("SC6", "DL"): 8.5, ("SC6", "UL"): 18.4, ("SC9", "DL"): 6.6, ("SC9", "UL"): 2.8}


@pytest.fixture(scope="module")
def rows(tmp_path_factory):
    path = tmp_path_factory.mktemp("budget") / "new" / "table.csv"
    assert main(["link-budget", "--table", "tr38821", "--csv", str(path)]) == 0
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_the_table_has_all_sixty_rows(rows):
    assert {(row["case"], row["direction"]) for row in rows} == {
        (f"SC{number}", direction) for number in range(1, 31) for direction in ("DL", "UL")
    }
    needed = "case,direction,orbit,param_set,band,fspl_db,gas_db,scintillation_db,cnr_db".split(",")
    assert set(needed) <= set(rows[0])


def test_downlinks_are_those_of_the_reference(rows):
    ours = {row["case"]: row for row in rows if row["direction"] == "DL"}
    for printed in REFERENCE["link_budget"]:
        row = ours[printed["case"]]
        assert float(row["fspl_db"]) == pytest.approx(printed["fspl_dB"], abs=0.1)
        assert float(row["gas_db"]) == pytest.approx(printed["atmospheric_dB"], abs=0.1)
        assert float(row["scintillation_db"]) == pytest.approx(printed["scintillation_dB"], abs=0.1)
        assert float(row["shadow_margin_db"]) == printed["shadow_margin_dB"]
        assert float(row["bandwidth_mhz"]) == pytest.approx(printed["bandwidth_MHz"], abs=1e-3)
        assert float(row["eirp_dbw"]) == pytest.approx(printed["eirp_dBW"], abs=0.01)
        assert float(row["cnr_db"]) == pytest.approx(printed["cnr_dB_computed"], abs=0.2)
        assert row["orbit"].replace("-", "") == printed["orbit"]
        assert (row["param_set"], row["band"]) == (printed["param_set"], printed["band"])


def test_uplinks_are_those_of_the_reference(rows):
    ours = {row["case"]: row for row in rows if row["direction"] == "UL"}
    for case, cnr_db in UPLINK_CNR_DB.items():
        assert float(ours[case]["cnr_db"]) == pytest.approx(cnr_db, abs=0.2)
    # The other options of a group differ by their bandwidth only: 400 / 133.3 / 200 MHz, or 0.36 MHz.
    for first, second, third in (("SC1", "SC2", "SC3"), ("SC6", "SC7", "SC8"), ("SC26", "SC27", "SC28")):
        cnr_db = [float(ours[case]["cnr_db"]) for case in (first, second, third)]
        assert cnr_db[1] - cnr_db[0] == pytest.approx(10 * math.log10(3), abs=2e-3)
        assert cnr_db[2] - cnr_db[0] == pytest.approx(10 * math.log10(2), abs=2e-3)
    assert ours["SC4"]["cnr_db"] == ours["SC5"]["cnr_db"]


def test_losses_as_printed_and_published_cnr(rows):
    for row in rows:
        for loss in ("fspl_db", "gas_db", "scintillation_db"):
            assert float(row[loss]) == pytest.approx(float(row[f"printed_{loss}"]), abs=0.1)
    known = {(row["case"], row["direction"]): row for row in rows if row["printed_cnr_db"]}
    assert set(known) == set(PUBLISHED_DB)
    for key, published_db in PUBLISHED_DB.items():
        assert float(known[key]["printed_cnr_db"]) == published_db
        assert float(known[key]["cnr_db"]) == pytest.approx(published_db, abs=0.15)


def test_the_screen_shows_computed_and_printed_values(capsys):
    assert main(["link-budget", "--table", "tr38821"]) == 0
    text = capsys.readouterr().out
    (line,) = [line.split() for line in text.split("\n") if line.startswith("SC6 ") and " UL " in line]
    assert line[-2:] == ["18.40", "(18.4)"]
    assert "over 60 rows; CNR" in text and "over the 4 rows" in text


def lines_of(**choices):
    budget, lines = link_budget_lines.put_together(link_budget_lines.Choices(**choices))
    return budget, {line.name: line.value for line in lines}, lines


def test_the_default_is_sc6_downlink():
    budget, lines, _ = lines_of()
    assert budget.cnr_db == pytest.approx(8.5, abs=0.15)
    assert lines["throughput"] == pytest.approx(400 * 0.65 * math.log2(1 + 10 ** (budget.cnr_db / 10)))


@pytest.mark.parametrize("orbit", ["leo-600", "leo-1200", "meo", "geo", "haps"])
@pytest.mark.parametrize(("band", "direction"), [("S", "dl"), ("S", "ul"), ("Ka", "dl"), ("Ka", "ul")])
@pytest.mark.parametrize("extra", [{}, {"environment": "urban", "sight": "nlos"}, {"site": "city:Tokyo"}])
def test_lines_add_up_to_the_cnr(orbit, band, direction, extra):
    budget, lines, all_lines = lines_of(orbit=orbit, band=band, direction=direction, **extra)
    losses = sum(one.value for one in all_lines if one.unit == "dB" and not one.part and one.name != "CNR")
    by_hand = lines["EIRP"] + lines["G/T"] + 228.599167 - losses - 10 * math.log10(lines["bandwidth"] * 1e6)
    assert lines["CNR"] == pytest.approx(by_hand, abs=1e-6)
    assert budget.cnr_db == lines["CNR"]
    assert all(one.value >= 0.0 for one in all_lines if "loss" in one.name or one.part)


def test_rain_of_a_site_is_that_of_p618():
    _, lines, _ = lines_of(site="city:Singapore", elevation_deg=60.0, availability_percent=99.99)
    parts = slant_path_attenuation(0.01, math.radians(60.0), 20e9, site_climate("city:Singapore"), 0.6)
    assert lines["rain"] == pytest.approx(float(parts.rain_db))
    assert lines["atmosphere"] == pytest.approx(float(parts.total_db))
    # The margin of the tropics is not that of Berlin.
    assert lines["rain"] > 3 * lines_of(site="city:Berlin", elevation_deg=60.0, availability_percent=99.99)[1]["rain"]


def test_surroundings_add_their_table_values():
    # TR 38.811 Table 6.6.2-2 at 30 deg, urban, S band: clutter 29.0 dB, sigma 6 dB; the 90 % quantile is 1.2816.
    _, lines, _ = lines_of(band="S", environment="urban", sight="nlos")
    assert lines["clutter loss"] == pytest.approx(29.0)
    assert lines["shadow margin"] == pytest.approx(1.281552 * 6.0, abs=1e-4)
    _, clear, _ = lines_of(band="S", environment="urban")
    assert clear["clutter loss"] == 0.0
    assert clear["shadow margin"] == pytest.approx(1.281552 * 4.0, abs=1e-4)


def test_a_platform_below_the_ionosphere_does_not_scintillate():
    assert lines_of(orbit="haps", band="S")[1]["scintillation loss"] == 0.0
    assert lines_of(orbit="leo-600", band="S")[1]["scintillation loss"] == pytest.approx(2.2, abs=0.01)
    # A magnetic latitude of 52 deg is outside the belt.
    assert lines_of(orbit="leo-600", band="S", site="city:Berlin")[1]["scintillation loss"] == 0.0


def test_given_values_are_taken():
    budget, lines, _ = lines_of(
        altitude_km=1000.0, elevation_deg=90.0, freq_ghz=12.0, bandwidth_mhz=250.0, eirp_dbw=35.0, gt_db_k=10.0,
        shadow_margin_db=1.5, polarization_loss_db=0.5, additional_loss_db=2.0,
    )  # fmt: skip
    assert (budget.eirp_dbw, budget.gt_db_k, budget.shadow_margin_db) == (35.0, 10.0, 1.5)
    assert lines["slant range"] == pytest.approx(1000.0)
    assert lines["free-space path loss"] == pytest.approx(32.45 + 20 * math.log10(12.0) + 120.0)


def test_one_budget_as_text_and_csv(tmp_path, capsys):
    path = tmp_path / "one.csv"
    words = ["--orbit", "geo", "--elevation-deg", "12.5", "--csv", str(path)]
    assert main(["link-budget", *words]) == 0
    text = capsys.readouterr().out
    (cnr,) = [line.split() for line in text.split("\n") if line.startswith("CNR")]
    with path.open(newline="") as file:
        values = {row["line"]: float(row["value"]) for row in csv.DictReader(file)}
    assert float(cnr[1]) == pytest.approx(values["CNR"], abs=0.005)
    assert values["CNR"] == pytest.approx(11.6, abs=0.2)


def picture_size(path):
    from PIL import Image

    with Image.open(path) as picture:
        # A blank picture has one colour.
        assert len(picture.convert("RGB").getcolors(1 << 20)) > 10
        return picture.size


def test_budgets_as_pictures(tmp_path, capsys):
    one, table = tmp_path / "one.png", tmp_path / "deep" / "table.png"
    assert main(["link-budget", "--band", "S", "--direction", "ul", "--environment", "urban", "--plot", str(one)]) == 0
    assert main(["link-budget", "--table", "tr38821", "--plot", str(table)]) == 0
    assert f"written: {table}" in capsys.readouterr().out.replace("\n", "")
    assert picture_size(one)[0] == 900
    assert picture_size(table) == (1180, 640)


def test_steps_of_the_picture_end_at_the_cnr(monkeypatch, tmp_path):
    from matplotlib.axes import Axes

    from ntn_gym.cli.link_budget_plot import plot_steps

    bars = []
    drawn = Axes.barh
    monkeypatch.setattr(Axes, "barh", lambda self, *a, **k: (bars.append((a, k.get("left"))), drawn(self, *a, **k))[1])
    choices = link_budget_lines.Choices(site="city:Tokyo", environment="urban", sight="nlos", additional_loss_db=1.5)
    budget, lines = link_budget_lines.put_together(choices)
    plot_steps(choices, budget, lines, tmp_path / "steps.png")
    (_, change), left = bars[0]
    assert left[-1] + change[-1] == pytest.approx(budget.cnr_db, abs=1e-9)
    assert bars[1][0][1] == [budget.cnr_db]


def test_a_place_between_the_sites_has_an_interpolated_climate():
    here = {"elevation_deg": 40.0, "availability_percent": 99.9}
    _, berlin, _ = lines_of(site="city:Berlin", **here)
    site = site_climate("city:Berlin")
    at = {"lat_deg": math.degrees(site.lat_rad), "lon_deg": math.degrees(site.lon_rad), "place_alt_m": site.alt_m}
    assert lines_of(**at, **here)[1]["rain"] == pytest.approx(berlin["rain"], rel=1e-6)
    between = lines_of(lat_deg=50.5, lon_deg=12.0, place_alt_m=400.0, **here)[1]["rain"]
    assert 0.5 * berlin["rain"] < between < 2.0 * berlin["rain"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--elevation-deg", "3"], "--elevation-deg: got 3 deg; must be 5 to 90 deg"),
        (["--bandwidth-mhz", "0"], "--bandwidth-mhz: got 0 MHz; must be 0.0001 to 100000 MHz"),
        (["--freq-ghz", "nan"], "--freq-ghz: got nan GHz"),
        (["--freq-ghz", "2"], "--freq-ghz: got 2 GHz with --band Ka"),
        (["--freq-ghz", "80", "--site", "city:Tokyo"], "--freq-ghz: got 80 GHz; must be 1 to 55 GHz"),
        (["--lat-deg", "50"], "--lat-deg and --lon-deg: give both, or --site"),
        (["--lat-deg", "50", "--lon-deg", "8", "--site", "city:Tokyo"], "--site city:Tokyo: leave out --lat-deg"),
        (["--lat-deg", "-48.9", "--lon-deg", "-123.4"], "the limit is 500 km"),
        (["--plot", "a.jpg"], "the picture is a PNG file"),
        (["--sight", "nlos"], "--sight nlos: the clutter loss needs --environment"),
        (["--site", "city:Atlantis"], "site: got 'city:Atlantis'; known are 317 sites"),
        (["--availability-percent", "100"], "--availability-percent: got 100 %; must be 99 to 99.99 %"),
        (["--orbit", "moon"], "leo-600"),
        (["--table", "tr38821", "--band", "S"], "--table tr38821 has its own links"),
    ],
)
def test_bad_input_is_refused(words, message, capsys):
    try:
        status = main(["link-budget", *words])
    except SystemExit as stop:  # the option parser stops by itself
        status = stop.code
    assert status != 0
    # The parser frames its messages and breaks lines.
    shown = " ".join(capsys.readouterr().err.replace("│", " ").split())
    assert message in shown
