"""Rain and whole slant paths against another implementation of ITU-R P.838-3 and P.618-13, and site constants."""

import dataclasses
import json
import math
from pathlib import Path

import numpy as np
import pytest

from ntn_gym.physics import climate, rain

ITU = json.loads((Path(__file__).parents[1] / "reference" / "itur_points.json").read_text())
POINTS = ITU["slant_path_points"]


def name(row):
    return f"{row['site']}-{row['f_GHz']}GHz-{row['el_deg']}deg-{row['p_percent']}pct"


def site(row) -> climate.SiteClimate:
    """The site with the constants of the reference row itself."""
    return climate.SiteClimate(
        name=row["site"],
        lat_rad=math.radians(row["lat"]),
        lon_rad=math.radians(row["lon"]),
        alt_m=row["hs_km"] * 1e3,
        rain_rate_001_mm_h=row["R001_mm_h"],
        rain_probability_pct=5.0,
        rain_height_m=row["hR_km"] * 1e3,
        temperature_k=row["T_K"],
        vapour_density_g_m3=row["rho_g_m3"],
        vapour_1pct_kg_m2=row["V_exceed_p_kg_m2"],
        cloud_liquid_1pct_kg_m2=row["Lred_p_kg_m2"],
        wet_refractivity=row["Nwet"],
    )


@pytest.mark.parametrize("row", ITU["P838_rain_specific_attenuation"], ids=str)
def test_p838_specific_attenuation(row):
    k, alpha = rain.specific_attenuation_coefficients(
        row["f_GHz"] * 1e9, math.radians(row["el_deg"]), math.radians(row["tau_deg"])
    )
    assert k == pytest.approx(row["k"], rel=1e-4)
    assert alpha == pytest.approx(row["alpha"], rel=1e-5)
    assert k * row["R_mm_h"] ** alpha == pytest.approx(row["gamma_dB_km"], rel=1e-4, abs=6e-7)


@pytest.mark.parametrize("row", POINTS, ids=name)
def test_p618_rain_with_the_constants_of_the_reference(row):
    elev_rad, freq_hz = math.radians(row["el_deg"]), row["f_GHz"] * 1e9
    ours = rain.rain_attenuation_db(row["p_percent"], elev_rad, freq_hz, site(row))
    assert float(ours) == pytest.approx(row["A_rain_dB"], rel=1e-4, abs=6e-6)


SHIPPED = {
    "Singapore_SG": "city:Singapore",
    "Tokyo_JP": "city:Tokyo",
    "SaoPaulo_BR": "city:São Paulo",
    "Svalbard_NO": "gs:ksat:Svalbard",
    "Miami_US": "gs:ksat:Miami",
}


@pytest.mark.parametrize("row", [row for row in POINTS if row["site"] in SHIPPED], ids=name)
def test_whole_slant_paths_with_shipped_constants(row):
    """The nearest shipped site lies up to 25 km away: 2 %."""
    here = climate.site_climate(SHIPPED[row["site"]])
    ours = rain.slant_path_attenuation(
        row["p_percent"], math.radians(row["el_deg"]), row["f_GHz"] * 1e9, here, row["D_m"], row["eta"]
    )
    assert float(ours.total_db) == pytest.approx(row["A_total_dB"], rel=0.02)
    assert float(ours.gas_db) == pytest.approx(row["A_gas_dB"], rel=0.02)


def test_enough_sites_are_compared():
    assert sum(row["site"] in SHIPPED for row in POINTS) >= 6


def test_shapes_and_order():
    here = climate.site_climate("city:Singapore")
    p = np.geomspace(0.01, 5, 60)  # below 0.01 % and 10 deg the fit of P.618 is not monotone
    elev = np.radians([5.0, 20.0, 24.9, 25.0, 60.0, 90.0])[:, None]
    exceeded = rain.rain_attenuation_db(p, elev, 20e9, here)
    assert exceeded.shape == (6, 60)
    assert np.isfinite(rain.rain_attenuation_db(0.001, elev, 20e9, here)).all()
    assert (np.diff(exceeded, axis=1) < 0).all()
    assert (rain.rain_attenuation_db(p, elev, 30e9, here) > exceeded).all()


def test_low_elevation_uses_the_spherical_path():
    here = climate.site_climate("city:Tokyo")
    low = rain.rain_attenuation_001_db(np.radians([0.5, 2.0, 4.9, 5.1]), 20e9, here)
    assert np.isfinite(low).all()
    # Equations 1 and 2 of P.618 meet within a few per cent at 5 deg.
    assert low[3] == pytest.approx(low[2], rel=0.05)


def test_no_rain_where_none_falls():
    dry = dataclasses.replace(climate.site_climate("city:Tokyo"), rain_rate_001_mm_h=0.0)
    high = dataclasses.replace(climate.site_climate("city:Tokyo"), alt_m=5500.0)
    p, elev = np.array([0.01, 0.1, 1.0]), 0.5
    assert not rain.rain_attenuation_db(p, elev, 20e9, dry).any()
    assert not rain.rain_attenuation_db(p, elev, 20e9, high).any()


@pytest.mark.parametrize(
    ("field", "arguments"),
    [
        ("p_percent", (0.0005, 0.5, 20e9)),
        ("p_percent", (5.1, 0.5, 20e9)),
        ("elev_rad", (0.1, 0.0, 20e9)),
        ("elev_rad", (0.1, math.nan, 20e9)),
        ("freq_hz", (0.1, 0.5, 60e9)),
    ],
)
def test_arguments_outside_the_recommendation_are_refused(field, arguments):
    with pytest.raises(ValueError, match=field):
        rain.rain_attenuation_db(*arguments, climate.site_climate("city:Tokyo"))


def test_total_refuses_what_the_constants_cannot_give():
    with pytest.raises(ValueError, match="p_percent"):
        rain.slant_path_attenuation(2.0, 0.5, 20e9, climate.site_climate("city:Tokyo"), 0.6)


def test_sites():
    names = climate.site_names()
    assert len(names) == 317
    tokyo = climate.nearest_site_climate(math.radians(35.7), math.radians(139.7))
    assert math.degrees(tokyo.lat_rad) == pytest.approx(35.7, abs=0.5)
    assert tokyo.rain_rate_001_mm_h == pytest.approx(55.9, rel=0.03)
    across = climate.nearest_site_climate(math.radians(-17.7), math.radians(-180.5), 4000e3)
    assert across.name
    with pytest.raises(ValueError, match="city:Singapore"):
        climate.site_climate("singapore")
    with pytest.raises(ValueError, match="km away"):
        climate.nearest_site_climate(math.radians(-50), math.radians(-130))


def test_a_wrong_climate_is_refused():
    with pytest.raises(ValueError, match=r"SiteClimate\.rain_probability_pct"):
        dataclasses.replace(climate.site_climate("city:Tokyo"), rain_probability_pct=120.0)
