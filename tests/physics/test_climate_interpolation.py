"""Interpolated climates against the sites themselves, each left out in turn, and against hand computation."""

import dataclasses
import math

import numpy as np
import pytest

from ntn_gym.physics import climate, rain
from ntn_gym.physics.climate_interpolation import interpolated_site_climate

SITES = [climate.site_climate(name) for name in climate.site_names()]
FIELDS = [f.name for f in dataclasses.fields(climate.SiteClimate) if f.name not in ("name", "lat_rad", "lon_rad")]


def distances_m() -> np.ndarray:
    """Angles between unit vectors, not the haversine of the code."""
    lat, lon = (np.array([getattr(site, field) for site in SITES]) for field in ("lat_rad", "lon_rad"))
    unit = np.stack((np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)), axis=-1)
    return 6371e3 * np.arccos(np.clip(unit @ unit.T, -1, 1))


@pytest.fixture(scope="module")
def left_out() -> list[tuple[climate.SiteClimate, climate.SiteClimate]]:
    """Each site beside what the others say of its place, where one of them is within 500 km."""
    pairs = []
    for site, row in zip(SITES, distances_m(), strict=True):
        close = tuple(other.name for other, distance in zip(SITES, row, strict=True) if distance < 25e3)
        if min(d for d in row if d >= 25e3) < 500e3:
            guess = interpolated_site_climate(site.lat_rad, site.lon_rad, site.alt_m, left_out=close)
            pairs.append((site, guess))
    return pairs


@pytest.mark.oracle("each site left out in turn, ln of the rain rate", tolerance="rms 0.22; as stated")
def test_leave_one_out_error_of_the_rain_rate_is_as_stated(left_out):
    assert len(left_out) == 236
    error = np.array([math.log(guess.rain_rate_001_mm_h / site.rain_rate_001_mm_h) for site, guess in left_out])
    print(f"ln R0.01: rms {np.sqrt(np.mean(error**2)):.3f}, nine tenths {np.quantile(abs(error), 0.9):.3f}")
    assert 0.15 < np.sqrt(np.mean(error**2)) < 0.22
    assert np.quantile(np.abs(error), 0.9) < 0.23
    assert abs(error.mean()) < 0.03
    assert np.exp(np.abs(error).max()) < 3.65


def test_leave_one_out_error_of_the_attenuation_is_as_stated(left_out):
    elev, freq_hz = math.radians(30.0), 20e9
    error = np.array(
        [
            float(rain.rain_attenuation_db(0.01, elev, freq_hz, guess))
            / float(rain.rain_attenuation_db(0.01, elev, freq_hz, site))
            - 1
            for site, guess in left_out
        ]
    )
    assert np.median(np.abs(error)) < 0.04
    assert np.quantile(np.abs(error), 0.9) < 0.19


def test_leave_one_out_error_of_the_other_constants(left_out):
    limits = {
        "rain_height_m": 200.0,
        "temperature_k": 1.7,
        "vapour_density_g_m3": 1.2,
        "vapour_1pct_kg_m2": 4.0,
        "cloud_liquid_1pct_kg_m2": 0.25,
        "wet_refractivity": 10.0,
        "rain_probability_pct": 1.4,
    }
    for field, limit in limits.items():
        error = [getattr(guess, field) - getattr(site, field) for site, guess in left_out]
        assert np.sqrt(np.mean(np.square(error))) < limit, field


def test_a_site_has_its_own_climate():
    apart = distances_m()
    for index in (0, 50, 200):
        site = SITES[index]
        if np.sort(apart[index])[1] < 100:
            continue  # two names for one place
        here = interpolated_site_climate(site.lat_rad, site.lon_rad, site.alt_m)
        for field in FIELDS:
            assert getattr(here, field) == pytest.approx(getattr(site, field), rel=1e-6), field


def test_weights_by_hand():
    # Four neighbours and a fifth at known distances: the weights of Franke and Nielson written out.
    lat, lon = math.radians(48.0), math.radians(9.0)
    guess = interpolated_site_climate(lat, lon, 400.0)
    angle = [
        math.acos(math.sin(lat) * math.sin(s.lat_rad) + math.cos(lat) * math.cos(s.lat_rad) * math.cos(s.lon_rad - lon))
        for s in SITES
    ]
    near = sorted(range(len(SITES)), key=lambda i: angle[i])[:5]
    weight = [(1 / angle[i] - 1 / angle[near[4]]) ** 2 for i in near[:4]]
    log_rate = sum(w * math.log(SITES[i].rain_rate_001_mm_h) for w, i in zip(weight, near[:4], strict=True))
    height = sum(w * SITES[i].rain_height_m for w, i in zip(weight, near[:4], strict=True))
    assert guess.rain_rate_001_mm_h == pytest.approx(math.exp(log_rate / sum(weight)), rel=1e-9)
    assert guess.rain_height_m == pytest.approx(height / sum(weight), rel=1e-9)


def test_climate_is_continuous_and_between_its_neighbours():
    rates = [
        interpolated_site_climate(math.radians(50.0), math.radians(lon), 100.0).rain_rate_001_mm_h
        for lon in np.linspace(2.0, 12.0, 1001)
    ]
    assert np.abs(np.diff(np.log(rates))).max() < 0.02
    every = [site.rain_rate_001_mm_h for site in SITES]
    assert min(every) < min(rates) < max(rates) < max(every)


def test_higher_places_are_drier():
    low, high = (interpolated_site_climate(math.radians(47.0), math.radians(10.0), alt) for alt in (500.0, 2500.0))
    assert high.vapour_density_g_m3 == pytest.approx(low.vapour_density_g_m3 * math.exp(-2 / 3), rel=1e-9)


@pytest.mark.parametrize(
    ("place", "message"),
    [
        ((math.radians(-48.9), math.radians(-123.4), 0.0), r"km away; the limit is 500 km"),  # Point Nemo
        ((2.0, 0.0, 0.0), "lat_rad"),
        ((math.nan, 0.0, 0.0), "lat_rad"),
        ((0.9, 0.1, 12e3), r"alt_m.*m"),
    ],
)
def test_places_without_a_climate_are_refused(place, message):
    with pytest.raises(ValueError, match=message):
        interpolated_site_climate(*place)
