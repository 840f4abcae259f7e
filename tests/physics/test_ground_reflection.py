"""Ground and sea: complex sums by hand, limits, ray tracing on the sphere, the published permittivity."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize

from ntn_gym.physics import ground_reflection as gr
from ntn_gym.physics import pathloss
from ntn_gym.physics import sea_path as sea

C = 299_792_458.0


def test_distance_exponent():
    # TR 36.814: nothing; by hand: 40 dB at 1 m, n = 3.5: 145 dB at 1 km.
    assert float(gr.distance_exponent_loss_db(1000.0, 3.5, 40.0)) == pytest.approx(145.0)
    free = gr.distance_exponent_loss_db(5000.0, 2.0, pathloss.free_space_path_loss_db(1.0, 2e9))
    assert float(free) == pytest.approx(float(pathloss.free_space_path_loss_db(5000.0, 2e9)), abs=1e-9)
    assert float(gr.distance_exponent_loss_db(100.0, 4.0, 80.0, 10.0)) == pytest.approx(120.0)
    with pytest.raises(ValueError, match="range_m"):
        gr.distance_exponent_loss_db(0.5, 2.0, 40.0)


@pytest.mark.parametrize("reflection", [-1.0, -0.7, 0.3])
def test_two_rays_as_a_complex_sum(reflection):
    rng = np.random.default_rng(61)
    ground, a, b = rng.uniform(10, 5000, 200), rng.uniform(1, 100, 200), rng.uniform(1, 30, 200)
    freq = 2.4e9
    r1, r2 = np.hypot(ground, a - b), np.hypot(ground, a + b)
    k = 2 * math.pi * freq / C
    field = np.abs(1 / r1 + reflection * np.exp(-1j * k * (r2 - r1)) / r2) / (2 * k)
    np.testing.assert_allclose(gr.two_ray_loss_db(ground, a, b, freq, reflection), -20 * np.log10(field), atol=1e-5)


def test_far_field_falls_with_the_fourth_power():
    a, b, freq = 30.0, 1.5, 2e9
    break_point = 4 * a * b * freq / C
    far = np.array([10.0, 30.0, 100.0]) * break_point
    exact = gr.two_ray_loss_db(far, a, b, freq)
    np.testing.assert_allclose(exact, gr.two_ray_far_loss_db(far, a, b), atol=0.1)
    assert float(gr.two_ray_far_loss_db(10e3, 30.0, 1.5)) == pytest.approx(160 - 20 * math.log10(45))
    near = gr.two_ray_loss_db(4 * break_point, a, b, freq)
    assert float(near) == pytest.approx(float(gr.two_ray_far_loss_db(4 * break_point, a, b)), abs=1.0)


def test_without_reflection_there_is_free_space():
    loss = gr.two_ray_loss_db(1000.0, 10.0, 10.0, 2.5e9, 0.0)
    assert float(loss) == pytest.approx(20 * math.log10(4 * math.pi * 1000.0 * 2.5e9 / C), abs=1e-9)
    # 83 m at 2.5 GHz is 79 dB, not 200.
    assert float(gr.two_ray_loss_db(83.0, 10.0, 10.0, 2.5e9, 0.0)) == pytest.approx(78.8, abs=0.1)


@given(st.floats(1.0, 1e5), st.floats(0.5, 300.0), st.floats(0.5, 300.0), st.floats(1e8, 1e11), st.floats(-1.0, 1.0))
@settings(deadline=None)
def test_two_ray_is_reciprocal_and_bounded(ground, a, b, freq, reflection):
    loss = float(gr.two_ray_loss_db(ground, a, b, freq, reflection))
    assert loss == pytest.approx(float(gr.two_ray_loss_db(ground, b, a, freq, reflection)), abs=1e-6)
    direct = 20 * math.log10(4 * math.pi * math.hypot(ground, a - b) * freq / C)
    assert direct - 6.03 <= loss <= 300.0


def meissner_wentz(ghz, t, s):
    """T. Meissner and F. Wentz, IEEE Trans. Geosci. Remote Sens. 42 (9), 2004: another model, from other data."""
    static = (3.70886e4 - 8.2168e1 * t) / (4.21854e2 + t)
    static *= math.exp(-3.56417e-3 * s + 4.74868e-6 * s**2 + 1.15574e-5 * t * s)
    first = 5.7230 + 2.2379e-2 * t - 7.1237e-4 * t**2
    first *= math.exp(-6.28908e-3 * s + 1.76032e-4 * s**2 - 9.22144e-5 * t * s)
    nu1 = (45 + t) / (5.0478 - 7.0315e-2 * t + 6.0059e-4 * t**2)
    nu1 *= 1 + s * (2.39357e-3 - 3.13530e-5 * t + 2.52477e-7 * t**2)
    nu2 = (45 + t) / (1.3652e-1 + 1.4825e-3 * t + 2.4166e-4 * t**2) * (1 + s * (-1.99723e-2 + 1.81176e-4 * t))
    infinite = (3.6143 + 2.8841e-2 * t) * (1 + s * (-2.04265e-3 + 1.57883e-4 * t))
    sigma = 2.903602 + 8.607e-2 * t + 4.738817e-4 * t**2 - 2.991e-6 * t**3 + 4.3047e-9 * t**4  # 35 permille
    debye = (static - first) / (1 + 1j * ghz / nu1) + (first - infinite) / (1 + 1j * ghz / nu2) + infinite
    return debye - 1j * sigma / (2 * math.pi * ghz * 1e9 * 8.854e-12)


@pytest.mark.parametrize("ghz", [0.2, 1.4, 3.0, 10.0, 18.0])
@pytest.mark.parametrize("celsius", [2.0, 20.0, 30.0])
def test_sea_water_against_another_model(ghz, celsius):
    ours = complex(gr.sea_water_permittivity(ghz * 1e9, 273.15 + celsius))
    theirs = meissner_wentz(ghz, celsius, 35.0)
    assert abs(ours - theirs) < 0.04 * abs(theirs)


def test_conductivity_of_sea_water():
    # 20 deg C, 35 permille: 4.8 S/m.
    low = complex(gr.sea_water_permittivity(1e8))
    assert -low.imag * 2 * math.pi * 1e8 * 8.854e-12 == pytest.approx(4.8, abs=0.05)


@pytest.mark.parametrize("polarization", ["horizontal", "vertical"])
def test_fresnel_limits(polarization):
    eps = 70 - 65j
    # Grazing: -1; normal incidence: both (1 - n) / (1 + n) up to the sign convention; magnitude below 1.
    assert complex(gr.fresnel_reflection(0.0, eps, polarization)) == pytest.approx(-1.0)
    n = np.sqrt(eps)
    normal = complex(gr.fresnel_reflection(math.pi / 2, eps, polarization))
    assert abs(normal) == pytest.approx(abs((1 - n) / (1 + n)), rel=1e-12)
    grid = gr.fresnel_reflection(np.linspace(0, math.pi / 2, 400), eps, polarization)
    assert np.abs(grid).max() <= 1 + 1e-12


def test_fresnel_conserves_energy_at_a_lossless_surface():
    # Transmitted power from the boundary conditions: T = 1 + R (horizontal), power sin(g_t) n |T|^2 / sin(g).
    grazing, n = np.linspace(0.05, 1.5, 30), 3.0
    reflection = gr.fresnel_reflection(grazing, n**2, "horizontal")
    inner = np.sqrt(n**2 - np.cos(grazing) ** 2)
    transmitted = inner / np.sin(grazing) * np.abs(1 + reflection) ** 2
    np.testing.assert_allclose(np.abs(reflection) ** 2 + transmitted, 1.0, rtol=1e-12)
    # Brewster: vertical polarisation vanishes at tan(g) = 1 / n.
    brewster = gr.fresnel_reflection(math.atan(1 / n), n**2, "vertical")
    assert abs(complex(brewster)) < 1e-12


def test_rough_surface_by_monte_carlo():
    # Mean of the phase factor over normal heights: exp(-(2 k s sin g)^2 / 2), 5 standard errors of 200,000.
    k = 2 * math.pi * 2e9 / C
    heights = 0.05 * np.random.default_rng(62).standard_normal(200_000)
    phase = np.exp(-2j * k * heights * math.sin(0.1))
    ours = float(gr.rough_surface_factor(0.1, 2e9, 0.05))
    assert ours == pytest.approx(phase.mean().real, abs=5 * phase.real.std() / math.sqrt(200_000))
    assert float(gr.rough_surface_factor(0.1, 2e9, 0.0)) == 1.0


def test_reflection_point_on_a_sphere_by_minimal_path():
    # Fermat: the reflected path is the shortest over the point; found by a search, in Cartesian coordinates.
    radius = sea.EFFECTIVE_RADIUS_M
    for arc, a, b in ((20e3, 30.0, 100.0), (60e3, 50.0, 1000.0), (400e3, 20.0, 20e3)):
        geometry = sea.sphere_reflection(arc, a, b)
        ends = [
            ((radius + a) * np.array([0.0, 1.0])),
            ((radius + b) * np.array([math.sin(arc / radius), math.cos(arc / radius)])),
        ]

        def length(s, ends=ends):
            point = radius * np.array([math.sin(s / radius), math.cos(s / radius)])
            return sum(np.linalg.norm(end - point) for end in ends)

        best = optimize.minimize_scalar(length, bounds=(0, arc), method="bounded", options={"xatol": 1e-3})
        direct = np.linalg.norm(ends[0] - ends[1])
        assert float(geometry.direct_m) == pytest.approx(direct, rel=1e-9)
        assert float(geometry.difference_m) == pytest.approx(best.fun - direct, abs=2e-7 * 1e3)


def test_divergence_by_tracing_rays():
    radius, arc, a, b = sea.EFFECTIVE_RADIUS_M, 30e3, 60.0, 200.0
    geometry = sea.sphere_reflection(arc, a, b)
    start = np.array([0.0, 0.0, radius + a])
    end = (radius + b) * np.array([math.sin(arc / radius), 0.0, math.cos(arc / radius)])

    def landing(tilt, turn):
        """Trace a ray from `start`, mirror it on the sphere, return where it meets the sphere through `end`."""
        angle = -dip + tilt
        d = np.array([math.cos(angle) * math.cos(turn), math.cos(angle) * math.sin(turn), math.sin(angle)])
        along = d @ start
        t = -along - math.sqrt(along**2 - (start @ start - radius**2))
        hit = start + t * d
        normal = hit / radius
        d = d - 2 * (d @ normal) * normal
        return hit, d, t

    # Direction of the specular ray: to the point of reflection.
    def miss(angle):
        nonlocal dip
        dip = angle
        hit, d, _ = landing(0.0, 0.0)
        to_end = end - hit
        return d[0] * to_end[2] - d[2] * to_end[0]

    dip = 0.0
    low, high = math.acos(radius / (radius + a)) * 1.0001, 0.02
    dip = optimize.brentq(miss, low, high, xtol=1e-15)
    hit, d, t = landing(0.0, 0.0)
    rest = np.linalg.norm(end - hit)
    assert math.asin(d @ hit / radius) == pytest.approx(float(geometry.grazing_rad), rel=1e-6)

    def crossing(tilt, turn):
        """Return where a neighbouring ray crosses the plane through `end` normal to the central ray."""
        point, direction, _ = landing(tilt, turn)
        return point + direction * (((end - point) @ d) / (direction @ d))

    step = 1e-7
    in_plane = np.linalg.norm(crossing(step, 0.0) - crossing(-step, 0.0)) / (2 * step)
    across = np.linalg.norm(crossing(0.0, step) - crossing(0.0, -step)) / (2 * step * math.cos(dip))
    expected = math.sqrt((t + rest) ** 2 / (in_plane * across))
    assert float(geometry.divergence) == pytest.approx(expected, rel=1e-3)
    assert 0 < float(geometry.divergence) < 1


def test_radio_horizon():
    # 4.12 (sqrt 50 + sqrt 10) = 42.2 km, the rule of thumb.
    assert float(sea.radio_horizon_m(50.0, 10.0)) == pytest.approx(4.12e3 * (math.sqrt(50) + math.sqrt(10)), rel=0.002)
    with pytest.raises(ValueError, match="radio horizon"):
        sea.sea_path_loss_db(50e3, 50.0, 10.0, 2e9)


def test_short_path_is_the_flat_two_ray_path():
    ground = np.linspace(200.0, 900.0, 15)
    ours = sea.sea_path_loss_db(ground, 20.0, 5.0, 2e9, "horizontal", wave_height_m=0.0)
    flat = gr.two_ray_loss_db(ground, 20.0, 5.0, 2e9)
    free = pathloss.free_space_path_loss_db(np.hypot(ground, 15.0), 2e9)
    # Within 6 % of the field where the ray sum is not in a null.
    good = flat < free + 3
    assert good.sum() > 8
    np.testing.assert_allclose(ours[good], flat[good], atol=0.6)


def test_smooth_sea_against_the_sum_written_out():
    geometry = sea.sphere_reflection(25e3, 40.0, 30.0)
    k = 2 * math.pi * 3e9 / C
    eps = complex(gr.sea_water_permittivity(3e9))
    sine = math.sin(float(geometry.grazing_rad))
    root = np.sqrt(eps - 1 + sine**2)
    mirror = (eps * sine - root) / (eps * sine + root) * math.exp(-2 * (k * 0.25 * sine) ** 2) * geometry.divergence
    total = geometry.direct_m + geometry.difference_m
    field = np.exp(-1j * k * geometry.direct_m) / geometry.direct_m + mirror * np.exp(-1j * k * total) / total
    expected = -20 * math.log10(abs(complex(field)) / (2 * k))
    assert float(sea.sea_path_loss_db(25e3, 40.0, 30.0, 3e9, "vertical", 1.0)) == pytest.approx(expected, abs=1e-5)


@given(st.floats(0.01, 0.99), st.floats(1.0, 2e4), st.floats(1.0, 300.0), st.floats(0.2e9, 15e9), st.floats(0.0, 8.0))
@settings(deadline=None)
def test_sea_path_is_reciprocal_and_bounded(share, a, b, freq, waves):
    arc = share * float(sea.radio_horizon_m(a, b))
    loss = float(sea.sea_path_loss_db(arc, a, b, freq, wave_height_m=waves))
    assert loss == pytest.approx(float(sea.sea_path_loss_db(arc, b, a, freq, wave_height_m=waves)), abs=0.05)
    direct = 20 * math.log10(4 * math.pi * float(sea.sphere_reflection(arc, a, b).direct_m) * freq / C)
    assert direct - 6.03 <= loss <= 300.0


def test_torch_gives_the_same_numbers():
    ground = np.geomspace(10, 1e5, 50)
    theirs = gr.two_ray_loss_db(torch.from_numpy(ground), 20.0, 2.0, 2e9)
    np.testing.assert_allclose(theirs.numpy(), gr.two_ray_loss_db(ground, 20.0, 2.0, 2e9), rtol=1e-10)


@pytest.mark.parametrize(
    ("call", "field"),
    [
        (lambda: gr.fresnel_reflection(0.1, 70, "circular"), "polarization"),
        (lambda: gr.fresnel_reflection(-0.1, 70, "vertical"), "grazing_rad"),
        (lambda: gr.sea_water_permittivity(60e9), "freq_hz"),
        (lambda: sea.sea_path_loss_db(1e3, 10.0, 10.0, 2e9, wave_height_m=-1.0), "wave_height_m"),
        (lambda: gr.distance_exponent_loss_db(10.0, 9.0, 40.0), "exponent"),
    ],
)
def test_wrong_arguments_are_refused(call, field):
    with pytest.raises(ValueError, match=field):
        call()
