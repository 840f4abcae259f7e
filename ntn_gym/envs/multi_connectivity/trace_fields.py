"""What a MultiConnectivity trace holds: names, shapes, units and legal ranges."""

from __future__ import annotations

from ntn_gym.core.task import FieldSpec
from ntn_gym.envs.multi_connectivity.scenario import Scenario


def trace_fields(scenario: Scenario) -> dict[str, FieldSpec]:
    """Names, shapes, units and legal ranges of a MultiConnectivity trace."""
    n_users, sky = scenario.users.count, (scenario.n_sky_slots,)
    links, people = (n_users, scenario.n_slots), (n_users,)
    n_stations = scenario.n_nodes - scenario.n_sky_slots
    rows = [
        (
            "node",
            links,
            "int16",
            "number",
            -1,
            2**15 - 1,
            "node in the slot: its slot in the sky or a station; -1: none",
        ),
        ("new_node", links, "bool", "0/1", 0, 1, "another node than one step before stands in the slot"),
        ("remaining_s", sky, "float32", "s", 0, 1e6, "predicted time until the node sets"),
        ("elevation_deg", sky, "float32", "deg", -90, 90, "elevation of the node from the middle of the region"),
        ("azimuth_deg", sky, "float32", "deg", -360, 360, "azimuth of the node from the middle of the region"),
        ("in_cluster", sky, "bool", "0/1", 0, 1, "the controlling satellite can make the node part of a cluster"),
        ("controller", (1,), "int8", "slot", -1, 127, "slot of the controlling satellite, -1 without one"),
        ("snr_db", links, "float32", "dB", -300, 150, "power over noise with blockage, shadowing and fading"),
        ("sinr_db", links, "float32", "dB", -300, 150, "SINR if each tier has a band of its own"),
        ("predicted_snr_db", links, "float32", "dB", -300, 150, "power over noise from ephemeris, map and mean losses"),
        ("predicted_change_db", links, "float32", "dB", -200, 200, "predicted change of it in 10 s (stations)"),
        ("clear", links, "bool", "0/1", 0, 1, "line of sight (sky), or no blockage (stations)"),
        ("far_power", people, "float32", "noise", 0, 1e12, "mean power of the stations in no slot over noise"),
        ("load", (scenario.n_nodes,), "float32", "share", 0, 1, "share of each node that others occupy"),
        ("measurement_error_db", links, "float32", "dB", -100, 100, "error of this step's measurement"),
        ("user_m", (n_users, 2), "float32", "m", -1e6, 1e6, "users, east and north of the south-west corner"),
        ("speed_m_s", people, "float32", "m/s", 0, 1e3, "speed of the user"),
        ("station_m", (n_stations, 2), "float32", "m", -1e8, 1e8, "stations, as users; 1e7 m: absent"),
    ]
    if scenario.combining.is_joint:
        what = "what the alignment of arrival times leaves at the user"
        rows.append(("delay_us", links, "float32", "us", -1e6, 1e6, what))
    if scenario.channel.fading != "averaged":
        rows.append(("fade_db", links, "float32", "dB", -100, 60, "block fading of this step, part of the two above"))
    return {row[0]: FieldSpec(*row) for row in rows}
