"""The measurement chain and the packed arrays against a plain-Python account of one link at a time."""

import itertools
import math

import numpy as np
import pytest

from ntn_gym.core.seeding import WorldKey
from ntn_gym.envs.handover.observation import SLOT, SLOT_SIZE, USER_SIZE
from ntn_gym.envs.handover.packing import LINK, LINK_COLUMNS, MEASURED_COLUMNS, Packer, Utility
from ntn_gym.envs.handover.presets import load_preset, with_overrides
from ntn_gym.envs.handover.rules import Sync
from ntn_gym.envs.handover.scenario import Scenario
from ntn_gym.envs.handover.world import HandoverWorld, trace_fields

TRUTH = ("sinr_db", "snr_db", "los", "load", "measurement_error_db", "rain_db")
"""What nobody knows of the present step."""


MEASURED = {name: index for index, name in enumerate(MEASURED_COLUMNS)}


def features_of(packed):
    """What is packed of every slot, [B, n, U, K, SLOT_SIZE]; the user's own numbers are left to the task."""
    observation = packed["observation"]
    n_slots = packed["link"].shape[3]
    assert observation.shape[3] == n_slots * SLOT_SIZE + USER_SIZE
    assert not observation[..., n_slots * SLOT_SIZE :].any()
    return observation[..., : n_slots * SLOT_SIZE].reshape(*observation.shape[:3], n_slots, SLOT_SIZE)


def measured_of(packed):
    """What a serving link tells of itself, [B, n, U, K, columns]."""
    if "measured" in packed:
        return packed["measured"]
    return features_of(packed)[..., [SLOT[name] for name in MEASURED_COLUMNS]]


def scenario_of(n_users=2, n_slots=3, **parts) -> Scenario:
    return Scenario(
        users={"count": n_users},
        slots={"kind": "satellite", "count": n_slots},
        steps=60,
        remaining_horizon_s=100.0,
        **parts,
    )


def random_raw(scenario, n_worlds=2, n_steps=60, seed=0) -> dict[str, np.ndarray]:
    """Arrays of the right shapes with passes that come and go."""
    rng = np.random.default_rng(seed)
    raw = {}
    for name, spec in trace_fields(scenario).items():
        shape = (n_worlds, n_steps, *spec.shape)
        if spec.dtype == "bool":
            raw[name] = rng.random(shape) < 0.5
            continue
        low, high = {
            "remaining_s": (0, 150),
            "elevation_deg": (5, 90),
            "elevation_rate_deg_s": (-0.8, 0.8),
            "range_m": (5e5, 2e6),
            "sinr_db": (-20, 35),
            "predicted_snr_db": (-5, 60),
            "load": (0, 1),
            "measurement_error_db": (-3, 3),
            "azimuth_deg": (-180, 180),
            "user_course_deg": (0, 360),
        }.get(name, (-1, 1))
        raw[name] = rng.uniform(low, high, shape).astype(spec.dtype)
    n_slots = scenario.slots.count
    for world in range(n_worlds):
        for slot in range(n_slots):
            number, step = 100 * slot, 0
            while step < n_steps:
                length = int(rng.integers(1, 14))
                raw["pass_id"][world, step : step + length, slot] = number if rng.random() < 0.7 else -1
                number, step = number + 1, step + length
    return raw


class Account:
    """What one user knows of one slot, told step by step: the rules of the documentation in plain Python."""

    def __init__(self, scenario, raw, world, user, slot):
        self.s, self.r, self.at = scenario, raw, (world, user, slot)

    def link(self, name, step):
        world, user, slot = self.at
        return float(self.r[name][world, step, user, slot])

    def slot(self, name, step):
        world, _, slot = self.at
        return float(self.r[name][world, step, slot])

    def rise(self, step):
        """First step of the pass that stands in the slot."""
        while step > 0 and self.slot("pass_id", step - 1) == self.slot("pass_id", step):
            step -= 1
        return step

    def filtered(self, step, weight):
        """F = (1 - w) F + w M from the first sample of the pass up to this step."""
        value = None
        for t in range(self.rise(step), step + 1):
            sample = self.link("sinr_db", t) + self.link("measurement_error_db", t)
            value = sample if value is None else (1 - weight) * value + weight * sample
        return value

    def report(self, step, serving):
        """(SINR in dB, age in s or None, slow SINR, load) at the beginning of a step."""
        rise, predicted = self.rise(step), self.link("predicted_snr_db", step)
        mean_load = 1 / (1 + math.exp(-self.s.load.mean_logit))
        if rise == step:
            return predicted, None, predicted, mean_load
        period = 1 if serving else round(self.s.measurement.neighbour_period_s / self.s.dt_s)
        weight = self.s.measurement.filter_weight
        # The newest sample whose step is a multiple of the period, or the one of the rise.
        sampled = max([t for t in range(rise, step) if t % period == 0] + [rise])
        every = round(self.s.load.broadcast_period_s / self.s.dt_s)
        heard = max([t for t in range(rise, step) if t % every == 0] + [rise])
        return (
            self.filtered(sampled, weight),
            (step - sampled) * self.s.dt_s,
            self.filtered(step - 1, 0.1),
            self.slot("load", heard),
        )

    def utility(self, sinr_db, load):
        link, r0 = self.s.link, self.s.reward.reference_rate_bit_s
        rate = (
            link.bandwidth_hz
            * (1 - load)
            * min(link.efficiency_gap * math.log2(1 + 10 ** (sinr_db / 10)), link.efficiency_cap_bit_s_hz)
        )
        best = link.bandwidth_hz * link.efficiency_cap_bit_s_hz
        return math.log(1 + rate / r0) / math.log(1 + best / r0), rate

    def expected_utility(self, sinr_db, load):
        qout = self.s.protocol.qout_db
        if sinr_db >= qout:
            return min(self.utility(sinr_db, load)[0], 1.0)
        return max((sinr_db - qout) / 20, -0.2)

    def features(self, step):
        clip = lambda x, low, high: min(max(x, low), high)  # noqa: E731
        sinr, age, slow, load = self.report(step, serving=False)
        world, user, _ = self.at
        azimuth = math.radians(self.slot("azimuth_deg", step) - float(self.r["user_course_deg"][world, step, user]))
        if self.s.blockage.street_canyon > 0:
            azimuth *= 2
        remaining = self.slot("remaining_s", step)
        return {
            "valid": 1.0,
            "serving": 0.0,
            "elevation": self.link("elevation_deg", step) / 90,
            "elevation_rate": clip(self.slot("elevation_rate_deg_s", step) / 0.5, -1, 1),
            "sinr": clip((sinr - 2) / 12, -1.3, 2),
            "age": 1.0 if age is None else min(age / 8, 1.0),
            "utility": self.expected_utility(sinr, load),
            "remaining": min(remaining / self.s.remaining_horizon_s, 1),
            "remaining_short": min(remaining / 30, 1),
            "load": load,
            "sinr_slow": clip((slow - 2) / 12, -1.3, 2),
            "azimuth_sin": math.sin(azimuth),
            "azimuth_cos": math.cos(azimuth),
            "predicted_snr": clip((self.link("predicted_snr_db", step) - 2) / 12, -1.3, 4),
            "attached": 0.0,
        }

    def measured(self, step):
        sinr, age, _, load = self.report(step, serving=True)
        return {
            "sinr": min(max((sinr - 2) / 12, -1.3), 2),
            "age": 1.0 if age is None else min(age / 8, 1.0),
            "utility": self.expected_utility(sinr, load),
        }

    def true_link(self, step):
        now = self.link("sinr_db", step)
        protocol = self.s.protocol
        utility, rate = self.utility(now, self.slot("load", step))
        if now < protocol.qout_db:
            sync, utility, rate = Sync.OUT, 0.0, 0.0
        else:
            sync = Sync.IN if now >= protocol.qin_db else Sync.BETWEEN
        round_trip = 2 * self.link("range_m", step) / 299_792_458.0
        pause = protocol.interruption_s + protocol.interruption_round_trips * round_trip
        return {
            "rate": rate,
            "utility": utility,
            "sync": sync,
            "interruption": min(pause / self.s.dt_s, 1.0),
            "pass": self.slot("pass_id", step),
        }


SCENARIOS = {
    "default": scenario_of(),
    "slow neighbours": scenario_of(measurement={"neighbour_period_s": 4.0, "filter_weight": 0.3}),
    "street": scenario_of(blockage={"street_canyon": 0.9}, load={"mean_logit": -1.0, "broadcast_period_s": 3.0}),
    "dt 2 s": scenario_of(
        dt_s=2.0,
        load={"broadcast_period_s": 6.0},
        measurement={"neighbour_period_s": 6.0},
        protocol={"t310_s": 4.0, "reestablishment_s": 4.0, "interruption_s": 3.0},
    ),
}


@pytest.mark.parametrize("name", SCENARIOS)
def test_packed_arrays_are_those_of_the_account(name):
    scenario = SCENARIOS[name]
    raw = random_raw(scenario)
    _, packed = Packer(scenario).compile(None, raw)
    features, link, measured = features_of(packed), packed["link"], measured_of(packed)
    assert features.shape == (2, 60, 2, 3, SLOT_SIZE)
    assert link.shape == (2, 60, 2, 3, len(LINK_COLUMNS))
    checked = 0
    for world, user, slot in itertools.product(range(2), range(2), range(3)):
        account = Account(scenario, raw, world, user, slot)
        for step in range(60):
            mine, table = features[world, step, user, slot], link[world, step, user, slot]
            if raw["pass_id"][world, step, slot] < 0:
                assert not mine.any()
                assert table[LINK["sync"]] == Sync.EMPTY
                assert table[LINK["pass"]] == -1
                assert table[LINK["rate"]] == table[LINK["utility"]] == 0
                continue
            checked += 1
            for entry, value in account.features(step).items():
                assert mine[SLOT[entry]] == pytest.approx(value, abs=3e-6, rel=2e-5), (entry, step)
            for entry, value in account.measured(step).items():
                told = measured[world, step, user, slot, MEASURED[entry]]
                assert told == pytest.approx(value, abs=3e-6, rel=2e-5), (entry, step)
            for entry, value in account.true_link(step).items():
                assert table[LINK[entry]] == pytest.approx(value, abs=3e-6, rel=2e-5), (entry, step)
    assert checked > 300


def one_link(sinr_db, error_db, pass_id, cell_load, **parts):
    """One user and two slots, the second of which stays empty."""
    scenario = scenario_of(1, 2, **parts)
    n_steps = len(sinr_db)
    raw = random_raw(scenario, 1, n_steps)
    raw["pass_id"][:] = -1
    raw["pass_id"][0, :, 0] = pass_id
    raw["sinr_db"][0, :, 0, 0], raw["measurement_error_db"][0, :, 0, 0] = sinr_db, error_db
    raw["load"][0, :, 0] = cell_load
    raw["predicted_snr_db"][:] = 20.0
    _, packed = Packer(scenario).compile(None, raw)
    return features_of(packed)[0, :, 0, 0], packed["link"][0, :, 0, 0], measured_of(packed)[0, :, 0, 0]


def test_filter_age_and_reset_by_hand():
    """Weight 1/2: measurements 10, 6 and 2 dB are reported one step later as 10, 8 and 5 dB."""
    features, *_ = one_link([9.0, 7.0, 1.0, 4.0, 14.0, 8.0], [1.0, -1.0, 1.0, 0.0, 0.0, 0.0], [3, 3, 3, 3, 5, 5], 0.5)
    sinr_db = features[:, SLOT["sinr"]] * 12 + 2
    # Before the first report the clear-sky prediction stands there; the new pass starts afresh.
    np.testing.assert_allclose(sinr_db, [20.0, 10.0, 8.0, 5.0, 20.0, 14.0], atol=1e-4)
    np.testing.assert_allclose(features[:, SLOT["age"]], [1.0, 1 / 8, 1 / 8, 1 / 8, 1.0, 1 / 8], atol=1e-6)
    slow_db = features[:, SLOT["sinr_slow"]] * 12 + 2
    np.testing.assert_allclose(slow_db[:4], [20.0, 10.0, 9.6, 8.84], atol=1e-4)


def test_broadcast_load_by_hand():
    """Every 3 s the load of that second, heard one second later; a new pass is read once at its rise."""
    load = np.arange(9) / 10
    features, *_ = one_link([5.0] * 9, [0.0] * 9, [1, 1, 1, 1, 1, 2, 2, 2, 2], load, load={"broadcast_period_s": 3.0})
    ours = features[:, SLOT["load"]]
    # Steps 0 and 5: never heard, so the long-run mean of one half. Step 6: read at the rise, step 7: as of step 6.
    np.testing.assert_allclose(ours, [0.5, 0.0, 0.0, 0.0, 0.3, 0.5, 0.5, 0.6, 0.6], atol=1e-6)


def test_neighbours_are_measured_now_and_then_but_the_serving_link_always():
    sinr = np.arange(10.0)
    features, _, measured = one_link(
        sinr, [0.0] * 10, [1] * 10, 0.5, measurement={"neighbour_period_s": 4.0, "filter_weight": 1.0}
    )
    np.testing.assert_allclose(features[1:, SLOT["sinr"]] * 12 + 2, [0, 0, 0, 0, 4, 4, 4, 4, 8], atol=1e-5)
    np.testing.assert_allclose(features[1:, SLOT["age"]] * 8, [1, 2, 3, 4, 1, 2, 3, 4, 1], atol=1e-5)
    np.testing.assert_allclose(measured[1:, MEASURED["sinr"]] * 12 + 2, sinr[:-1], atol=1e-5)
    np.testing.assert_allclose(measured[1:, MEASURED["age"]] * 8, 1.0, atol=1e-6)


def test_rate_utility_sync_and_interruption_by_hand():
    """10 dB and load 1/2: 15 MHz x 0.65 log2(11) = 33.7 Mbit/s; log(1 + 33.7/2) / log(1 + 144/2) = 0.672."""
    sinr = [10.0, -6.0, -6.001, -4.0, -4.001, 40.0]
    _, link, _ = one_link(sinr, [0.0] * 6, [1] * 6, [0.5, 0.5, 0.5, 0.5, 0.5, 0.0])
    rate = 15e6 * 0.65 * math.log2(11)
    assert link[0, LINK["rate"]] == pytest.approx(rate, rel=1e-6)
    assert link[0, LINK["utility"]] == pytest.approx(math.log(1 + rate / 2e6) / math.log(73), rel=1e-6)
    assert link[0, LINK["utility"]] == pytest.approx(0.672, abs=5e-4)
    assert link[:, LINK["sync"]].tolist() == [Sync.IN, Sync.BETWEEN, Sync.OUT, Sync.IN, Sync.BETWEEN, Sync.IN]
    assert link[2, LINK["rate"]] == link[2, LINK["utility"]] == 0
    assert link[5, LINK["rate"]] == pytest.approx(30e6 * 4.8)
    assert link[5, LINK["utility"]] == pytest.approx(1.0)
    scenario = scenario_of(1, 2)
    raw = random_raw(scenario, 1, 1)
    raw["pass_id"][:] = 7
    raw["range_m"][:] = 600e3
    _, packed = Packer(scenario).compile(None, raw)
    # 0.15 s and two round trips over 600 km, of 4.003 ms each.
    assert packed["link"][0, 0, 0, 0, LINK["interruption"]] == pytest.approx(0.15 + 2 * 4.003e-3, abs=1e-5)


def test_utility_against_its_definition():
    utility = Utility(Scenario())
    rates = np.array([0.0, 2e6, 144e6], np.float32)
    np.testing.assert_allclose(utility.of_rate(rates), [0.0, math.log(2) / math.log(73), 1.0], atol=1e-6)
    assert utility.rate_bit_s(np.float32(100.0), np.float32(1.0)) == 0


@pytest.mark.parametrize("name", SCENARIOS)
def test_nothing_of_the_present_or_future_is_told(name):
    scenario = SCENARIOS[name]
    raw, packer = random_raw(scenario), Packer(scenario)
    _, before = packer.compile(None, raw)
    for now in (0, 1, 17, 40, 59):
        changed = {key: array.copy() for key, array in raw.items()}
        other = random_raw(scenario, seed=1)
        for key in TRUTH:  # the truth of this step and of all later ones
            changed[key][:, now:] = other[key][:, now:]
        _, after = packer.compile(None, changed)
        assert np.array_equal(after["observation"][:, : now + 1], before["observation"][:, : now + 1])
        assert np.array_equal(measured_of(after)[:, : now + 1], measured_of(before)[:, : now + 1])
        assert np.array_equal(after["link"][:, :now], before["link"][:, :now])
        assert not np.array_equal(after["link"][:, now], before["link"][:, now])
        for key in raw:  # anything at all, from the next step on
            changed[key] = np.concatenate([raw[key][:, : now + 1], other[key][:, now + 1 :]], axis=1)
        _, after = packer.compile(None, changed)
        for key, array in before.items():
            assert np.array_equal(after[key][:, : now + 1], array[:, : now + 1])


@pytest.mark.parametrize("name", SCENARIOS)
def test_chunks_and_worlds_do_not_change_a_bit(name):
    scenario = SCENARIOS[name]
    raw, packer = random_raw(scenario, 3), Packer(scenario)
    _, whole = packer.compile(None, raw)
    memory, parts = None, []
    for first, last in itertools.pairwise([0, 1, 2, 29, 60]):
        memory, packed = packer.compile(memory, {key: array[:, first:last] for key, array in raw.items()})
        parts.append(packed)
    for key, array in whole.items():
        assert np.array_equal(array, np.concatenate([part[key] for part in parts], axis=1))
        _, alone = packer.compile(None, {k: a[1:2] for k, a in raw.items()})
        assert np.array_equal(array[1:2], alone[key])


@pytest.mark.parametrize("preset", ["beams", "vsat-ka", "street", "haps-swing", "benchmark-30x13"])
def test_features_of_a_drawn_world_stay_in_the_bounds_of_the_observation(preset):
    from ntn_gym.envs.handover.observation import SLOT_ENTRIES

    scenario = with_overrides(load_preset(preset), {"steps": 50})
    world = HandoverWorld(scenario)
    _, raw = world.advance(world.begin([WorldKey(seed) for seed in range(3)]), 51)
    _, packed = Packer(scenario).compile(None, raw)
    features = features_of(packed)
    for entry in SLOT_ENTRIES:
        values = features[..., SLOT[entry.name]]
        assert values.min() >= entry.low and values.max() <= entry.high, entry.name
    assert np.isfinite(packed["link"]).all()
    assert ((features[..., SLOT["valid"]] == 1) == (raw["pass_id"] >= 0)[:, :, None]).all()
