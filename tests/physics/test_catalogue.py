"""The catalogue of platforms against the collected parameters, geometry and the survey's own statements."""

import json
import math
from pathlib import Path

import pytest

from ntn_gym.physics import catalogue as cat
from ntn_gym.physics import geometry

REFERENCE = json.loads((Path(__file__).parents[1] / "reference" / "haps_parameters.json").read_text())["platforms"]
DAY = 86_400.0


def collected(prefix):
    return next(row for row in REFERENCE if prefix in row["name"])


def values(name, quantity):
    return [(claim.low, claim.high) for claim in cat.platform_facts(name).about(quantity)]


def test_the_ten_of_the_table():
    table = [facts for facts in cat.platform_catalogue().values() if facts.in_survey_table]
    assert [facts.name for facts in table] == [
        "Loon", "Elevate", "Jimu-1", "X-station", "Yuanmeng", "Stratobus", "SkyNet", "BH-HAPs", "SunGlider", "Zephyr S",
    ]  # fmt: skip
    kinds = [facts.kind for facts in table]
    assert (kinds.count("airship"), kinds.count("solar aircraft")) == (5, 2)
    for facts in table:
        assert facts.claims and all(claim.source and math.isfinite(claim.low) for claim in facts.claims)


def test_loon_as_its_makers_simulated_it():
    row = collected("Loon")
    assert (row["envelope_volume_m3"],) * 2 in values("Loon", "volume_m3")
    assert (row["envelope_mass_kg"] + row["payload_and_ballast_kg"],) * 2 in values("Loon", "mass_kg")
    assert (row["power_day_W"], row["power_night_W"]) in values("Loon", "payload_power_w")
    assert values("Loon", "battery_j") == [(pytest.approx(row["battery_Wh"] * 3600),) * 2]


@pytest.mark.parametrize(
    ("name", "prefix", "quantity", "key", "scale"),
    [
        ("Zephyr S", "Zephyr", "span_m", "wingspan_m", 1.0),
        ("Zephyr S", "Zephyr", "payload_kg", "payload_kg", 1.0),
        ("SunGlider", "Sunglider", "span_m", "wingspan_m", 1.0),
        ("SunGlider", "Sunglider", "coverage_radius_m", "service_diameter_km", 500.0),
        ("Stratobus", "Stratobus", "airspeed_m_s", "wind_hold_km_h", 1 / 3.6),
        ("Aquila", "Aquila", "span_m", "wingspan_m", 1.0),
        ("Aquila", "Aquila", "mass_kg", "mass_kg", 1.0),
        ("Aquila", "Aquila", "propulsion_power_w", "cruise_power_W", 1.0),
        ("PHASA-35", "PHASA", "payload_kg", "payload_kg", 1.0),
        ("Elektra Two Solar", "Elektra", "solar_area_m2", "solar_m2", 1.0),
        ("Elektra Two Solar", "Elektra", "solar_power_w", "solar_kW", 1000.0),
    ],
)
def test_collected_numbers(name, prefix, quantity, key, scale):
    expected = collected(prefix)[key] * scale
    assert any(low == pytest.approx(expected) for low, _ in values(name, quantity))


def test_contradictions_are_found():
    def quantities(name):
        return {pair[0].quantity for pair in cat.platform_facts(name).contradictions()}

    # 48 days in the table, 48 hours in the text.
    assert quantities("Yuanmeng") == {"endurance_s"}
    ((table, text),) = cat.platform_facts("Yuanmeng").contradictions()
    assert (table.low, text.low) == (48 * DAY, 48 * 3600)
    # 450 kg and 220 m against 200 to 250 kg and 100 to 140 m; 12 kg and 100 days against 5 kg and 64 days.
    assert quantities("Stratobus") == {"payload_kg", "length_m"}
    assert quantities("Zephyr S") == {"payload_kg", "endurance_s"}
    assert quantities("Loon") == {"altitude_m"}
    assert quantities("SunGlider") == set()


def test_coverage_of_the_x_station_needs_the_horizon():
    # The central angle to the horizon from 21 km: acos(R / (R + h)) R = 517 km; 113 km at 10 deg of elevation.
    horizon = 6371e3 * math.acos(6371 / 6392)
    assert (0.0, pytest.approx(horizon, rel=2e-3)) in values("X-station", "coverage_radius_m")
    angle = math.acos(6371 / 6392 * math.cos(math.radians(10))) - math.radians(10)
    assert 6371e3 * angle == pytest.approx(113e3, abs=1e3)
    elev = geometry.elevation_from_central_angle_rad(500e3 / 6371e3, 21e3)
    assert math.degrees(float(elev)) == pytest.approx(0.15, abs=0.02)


def test_altitudes_are_plausible():
    for facts in cat.platform_catalogue().values():
        for claim in facts.about("altitude_m"):
            assert (9e3 if facts.kind == "tethered balloon" else 15e3) <= claim.low <= 27e3
            assert claim.high <= 27e3 or math.isinf(claim.high)


def test_unknown_names_are_refused():
    with pytest.raises(ValueError, match="Zephyr S"):
        cat.platform_facts("Zephyr")
    with pytest.raises(ValueError, match=r"Claim\.quantity"):
        cat.Claim("weight", 1.0, 1.0, "", "stated", "high")
    with pytest.raises(ValueError, match=r"Claim\.low"):
        cat.Claim("mass_kg", 2.0, 1.0, "", "stated", "high")
