# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # The physics of non-terrestrial links
#
# Every environment of `ntn_gym` stands on one core of pure functions, `ntn_gym.physics`. Each function broadcasts over
# leading axes, has its units in its name, and cites the document and equation it implements; `tests/physics/README.md`
# lists what each is checked against. This notebook walks from geometry to a whole link budget:
#
# 1. elevation and loss: distance, gas, rain, blockage;
# 2. the geometry of a pass: elevation, range, Doppler shift and its rate;
# 3. fading: how far the power of a link falls, and how often;
# 4. HAPS, low orbit, geostationary orbit and a terrestrial station in one budget.
#
# It needs `pip install "ntn-gym[render]"` and runs in a few seconds.

# %%
import math

import matplotlib.pyplot as plt
import numpy as np

from ntn_gym.physics import (
    atmosphere,
    doppler,
    eclipse,
    fading,
    gases,
    geometry,
    link,
    orbit_classes,
    pass_prediction,
    pathloss,
    rain,
    terrestrial,
    tr38821,
)
from ntn_gym.physics.climate import site_climate
from ntn_gym.physics.constants import EARTH_EQUATORIAL_RADIUS_M
from ntn_gym.rendering import style
from ntn_gym.world.constellation import named_tle, tle_grid

plt.rcParams.update(style.RC)
plt.rcParams["figure.dpi"] = 100

# %% [markdown]
# ## 1. Elevation and loss
#
# The distance to a platform follows from its height $h$ and its elevation $\alpha$ (3GPP TR 38.811, equation 6.6-3):
# $d = \sqrt{R^2 \sin^2\alpha + h^2 + 2hR} - R \sin\alpha$. The lower the platform, the more the distance depends on the
# elevation: between 10 and 90 degrees a geostationary satellite gains 1.1 dB, a HAPS 15 dB.

# %%
elevation_deg = np.linspace(5.0, 90.0, 341)
elevation = np.radians(elevation_deg)
platforms = {"HAPS, 20 km": 20e3, "LEO, 600 km": 600e3, "MEO, 8062 km": 8062e3, "GEO, 35,786 km": 35_786e3}

figure, (left, right) = plt.subplots(1, 2, figsize=(10, 3.6), layout="constrained")
for index, (name, alt_m) in enumerate(platforms.items()):
    range_m = geometry.slant_range_m(elevation, alt_m)
    loss_db = pathloss.free_space_path_loss_db(range_m, 20e9)
    left.plot(elevation_deg, range_m / 1e3, color=style.colour(index))
    left.text(90.0, range_m[-1] / 1e3 * 1.2, name, ha="right", color=style.colour(index))
    right.plot(elevation_deg, loss_db - loss_db[-1], color=style.colour(index), label=f"{name}: {loss_db[-1]:.0f} dB")
left.set(yscale="log", xlabel="elevation in deg", ylabel="km", title="slant range", ylim=(None, 1e5))
right.set(xlabel="elevation in deg", ylabel="dB", title="free-space loss at 20 GHz over that at the zenith")
right.legend(title="at the zenith")
plt.show()

# %% [markdown]
# The atmosphere adds its part. Gas and clouds are there always, rain is a matter of probability: ITU-R P.618 gives the
# attenuation that is exceeded a share $p$ of an average year, from the climate of the site. In the tropics a Ka-band
# link with 99.99 % availability is hardly to be had; in the desert the gas is most of it.

# %%
figure, (left, right) = plt.subplots(1, 2, figsize=(10, 3.6), layout="constrained")
freq_hz = np.geomspace(1e9, 100e9, 500)
for index, zenith_deg in enumerate((90.0, 30.0, 10.0)):
    gas_db = gases.slant_gas_attenuation_db(gases.zenith_gas_attenuation_db(freq_hz), math.radians(zenith_deg))
    left.plot(freq_hz / 1e9, gas_db, color=style.colour(index), label=f"{zenith_deg:.0f} deg")
left.set(
    xscale="log", yscale="log", xlabel="GHz", ylabel="dB", title="gas on the way to space (P.676)", ylim=(0.02, 500)
)
left.legend(title="elevation")

percent = np.geomspace(0.01, 1.0, 60)
for index, site in enumerate(("city:Singapore", "city:Tokyo", "city:Berlin", "city:Cairo")):
    parts = rain.slant_path_attenuation(percent, math.radians(30.0), 20e9, site_climate(site), 0.6)
    right.plot(percent, parts.total_db, color=style.colour(index), label=site.removeprefix("city:"))
right.set(
    xscale="log", yscale="log", xlabel="% of the year", ylabel="dB", title="exceeded at 20 GHz and 30 deg (P.618)"
)
right.legend()
plt.show()

singapore = rain.slant_path_attenuation(0.01, math.radians(30.0), 20e9, site_climate("city:Singapore"), 0.6)
assert float(singapore.total_db) > 40.0

# %% [markdown]
# In a city, houses decide. TR 38.811 tabulates the probability of line of sight and what is lost without it.

# %%
figure, (left, right) = plt.subplots(1, 2, figsize=(10, 3.4), layout="constrained")
for index, environment in enumerate(("dense_urban", "urban", "rural")):
    words = environment.replace("_", " ")
    left.plot(elevation_deg, pathloss.los_probability(elevation, environment), color=style.colour(index), label=words)
    if environment == "dense_urban":
        continue  # its clutter loss is that of "urban"
    for band, dash in (("S", "-"), ("Ka", "--")):
        clutter_db = pathloss.clutter_loss_db(elevation, environment, band, False, "linear")
        right.plot(elevation_deg, clutter_db, dash, color=style.colour(index), label=f"{words}, {band}")
left.set(xlabel="elevation in deg", ylim=(0, 1.02), title="probability of line of sight")
left.legend()
right.set(xlabel="elevation in deg", ylabel="dB", ylim=(0, None), title="clutter loss without line of sight")
right.legend(ncols=2, loc="lower left")
plt.show()

# %% [markdown]
# ## 2. A pass
#
# Real elements, propagated by SGP4 and turned into Earth-fixed axes. `predict_passes` refines rise, culmination and set
# by bisection, vectorised over stations and satellites; here 80 satellites of Iridium NEXT over Berlin, six hours.

# %%
satellites = named_tle("iridium-next")
grid = tle_grid(satellites, 6 * 3600.0)
berlin = pass_prediction.stations(math.radians(52.52), math.radians(13.41), 40.0)
passes = pass_prediction.predict_passes(
    grid.interpolate, grid.n_satellites, berlin, 0.0, grid.window_s, math.radians(10.0)
)
best = int(np.argmax(passes.max_elev_rad * (passes.rise_seen & passes.set_seen)))
name, top_deg = satellites[passes.satellite[best]].name, math.degrees(passes.max_elev_rad[best])
print(f"{len(passes)} passes; the highest is that of {name}: {top_deg:.1f} deg")
print(f"it lasts {passes.duration_s[best] / 60:.1f} min above 10 deg")

# %% [markdown]
# Doppler shift and its rate come from the analytic velocity and acceleration, not from differences. In a high pass the
# shift at 11.7 GHz swings fastest, by 2.5 kHz each second, at the culmination; in a low one it changes slowly.

# %%
whole = np.flatnonzero(passes.rise_seen & passes.set_seen)
order = whole[np.argsort(passes.max_elev_rad[whole])]
chosen = [order[-1], order[int(0.8 * len(order))], order[len(order) // 3]]
figure, axes = plt.subplots(2, 2, figsize=(10, 5.6), sharex=True, layout="constrained")
for index, one in enumerate(chosen):
    minutes = np.linspace(passes.rise_s[one], passes.set_s[one], 400)
    position, velocity = grid.interpolate(passes.satellite[one], minutes)
    _, elev, range_m = geometry.look_angles(berlin.position_m[0], berlin.lat_rad[0], berlin.lon_rad[0], position)
    line = position - berlin.position_m[0]
    shift_hz = doppler.doppler_hz(geometry.range_rate_m_s(line, velocity), 11.7e9)
    acceleration = doppler.two_body_acceleration_m_s2(position, velocity)
    rate_hz_s = doppler.doppler_rate_hz_s(doppler.range_acceleration_m_s2(line, velocity, acceleration), 11.7e9)
    x = (minutes - passes.culmination_s[one]) / 60.0
    for place, values in zip(
        axes.flat, (np.degrees(elev), range_m / 1e3, shift_hz / 1e3, rate_hz_s / 1e3), strict=True
    ):
        label = f"highest {math.degrees(passes.max_elev_rad[one]):.0f} deg"
        place.plot(x, values, color=style.colour(index), label=label)
for place, words in zip(
    axes.flat,
    ("elevation in deg", "range in km", "Doppler shift at 11.7 GHz in kHz", "rate of the shift in kHz/s"),
    strict=True,
):
    place.set_title(words)
axes[0, 0].legend()
for place in axes[1]:
    place.set_xlabel("minutes from the culmination")
plt.show()

# %% [markdown]
# In the Earth's shadow a satellite lives on its battery. How long depends on the angle $\beta$ between the orbital
# plane and the Sun; from a certain $\beta$ on the Sun never sets. The lower the orbit, the larger the share of shadow.

# %%
beta_deg = np.linspace(0.0, 90.0, 400)
figure, axes = plt.subplots(figsize=(5.5, 3.2), layout="constrained")
for index, alt_m in enumerate((550e3, 1200e3, 8062e3, orbit_classes.GEOSTATIONARY_ALTITUDE_M)):
    share = eclipse.eclipse_share_of_orbit(np.radians(beta_deg), EARTH_EQUATORIAL_RADIUS_M + alt_m)
    axes.plot(beta_deg, 100 * share, color=style.colour(index), label=f"{alt_m / 1e3:,.0f} km")
axes.set(xlabel="angle between orbital plane and Sun in deg", ylabel="%", title="share of the orbit in shadow")
axes.legend()
plt.show()

# %% [markdown]
# ## 3. Fading
#
# Reflections add up with random phases (Rayleigh), beside a constant direct wave (Rice), or beside a direct wave that
# trees shade (shadowed Rice, Abdi et al. 2003). The lower left corner decides: a link that must hold 99.9 % of the time
# needs the margin at $10^{-3}$, and it differs by 20 dB between these laws. Frequent heavy shadowing leaves so little
# of the direct wave that its curve lies on that of Rayleigh.

# %%
power_db = np.linspace(-40.0, 10.0, 501)
power = np.asarray(link.from_db(power_db))
shadowed = {name: fading.shadowed_rician(name) for name in ("infrequent_light", "average", "frequent_heavy")}
laws = {
    "Rayleigh": fading.rayleigh_power_cdf(power),
    "Rice, K = 10 dB": fading.rician_power_cdf(power, 10.0),
    "Nakagami, m = 3": fading.nakagami_power_cdf(power, 3.0),
    **{
        f"shadowed Rice, {name.replace('_', ' ')} shadowing": fading.shadowed_rician_power_cdf(
            power * law.mean_power, law
        )
        for name, law in shadowed.items()
    },
}
figure, axes = plt.subplots(figsize=(6.5, 4.2), layout="constrained")
for index, (name, cdf) in enumerate(laws.items()):
    axes.plot(power_db, cdf, color=style.colour(index), ls="-" if index < 3 else "--", label=name)
axes.set(
    yscale="log",
    ylim=(1e-4, 1.2),
    xlabel="power relative to its mean in dB",
    title="probability that the power is below",
)
axes.legend()
plt.show()
for name, cdf in laws.items():
    margin_db = -np.interp(1e-3, cdf, power_db)
    print(f"{name:32s} margin for 99.9 % of the time: {margin_db:5.1f} dB")

# %% [markdown]
# ## 4. One budget for all
#
# A handheld in S band (2 GHz, 0 dBi, G/T -31.6 dB/K) in a city, 10 MHz: a base station down the street (3GPP TR
# 38.901), a HAPS of the HIBS kind above the city, and the satellites of TR 38.821. Noise only: in a real network the
# interference of the neighbours takes most of the street's margin.

# %%
handheld = tr38821.terminals()["handheld"]
bandwidth_hz, freq_hz = 10e6, 2e9
satellite = {one.orbit: one for one in tr38821.satellite_sets() if (one.param_set, one.band) == ("set1", "S")}
cell = terrestrial.TerrestrialCell("UMa")
columns = {}
for name, alt_m, elev_deg, density_dbw_mhz in (
    ("HAPS 20 km", 20e3, 60.0, 14.0),
    ("LEO 600 km", 600e3, 60.0, satellite["LEO-600"].eirp_density_dbw_mhz),
    ("LEO 1200 km", 1200e3, 60.0, satellite["LEO-1200"].eirp_density_dbw_mhz),
    ("GEO", 35_786e3, 35.0, satellite["GEO"].eirp_density_dbw_mhz),
):
    elev = math.radians(elev_deg)
    columns[name] = {
        "EIRP": density_dbw_mhz + 10 * math.log10(bandwidth_hz / 1e6),
        "path loss": float(pathloss.free_space_path_loss_db(geometry.slant_range_m(elev, alt_m), freq_hz)),
        "gas": float(gases.slant_gas_attenuation_db(gases.zenith_gas_attenuation_db(freq_hz), elev)),
        # A mid-latitude city is outside the belt of the magnetic equator.
        "scintillation": float(atmosphere.ionospheric_scintillation_db(freq_hz, math.radians(50.0))),
        "clutter": float(pathloss.clutter_loss_db(elev, "urban", "S", False)),
    }
for name, distance_m in (("street 100 m", 100.0), ("street 500 m", 500.0)):
    sight_db, shade_db = (float(terrestrial.path_loss_db(cell, distance_m, freq_hz, los)) for los in (True, False))
    columns[name] = {
        "EIRP": 46 - 30 + 17.0,  # 46 dBm and 17 dBi of a macro station
        "path loss": sight_db, "gas": 0.0, "scintillation": 0.0, "clutter": shade_db - sight_db,
    }  # fmt: skip

print(f"{'':14s}{'EIRP dBW':>9s}{'path loss':>11s}{'CNR LoS dB':>12s}{'CNR NLoS dB':>13s}{'Mbit/s LoS':>12s}")
results = {}
for name, one in columns.items():
    loss_db = one["path loss"] + one["gas"] + one["scintillation"]
    clear_db = float(link.cnr_db(one["EIRP"], handheld.gt_db_k, loss_db, bandwidth_hz))
    blocked_db = clear_db - one["clutter"]
    mbit_s = float(link.spectral_efficiency_bit_s_hz(link.from_db(clear_db))) * bandwidth_hz / 1e6
    results[name] = (clear_db, blocked_db)
    print(f"{name:14s}{one['EIRP']:9.1f}{one['path loss']:11.1f}{clear_db:12.1f}{blocked_db:13.1f}{mbit_s:12.1f}")

figure, axes = plt.subplots(figsize=(7.5, 3.4), layout="constrained")
places = np.arange(len(results))
clear_db, blocked_db = np.array(list(results.values())).T
axes.vlines(places, blocked_db, clear_db, color=style.MUTED, lw=1.5)
axes.plot(places, clear_db, "o", ms=8, color=style.BLUE, label="line of sight")
axes.plot(places, blocked_db, "s", ms=8, color=style.VERMILLION, label="blocked")
axes.axhline(-6.0, color=style.MUTED, ls="--", lw=0.9)
axes.text(len(results) - 0.55, -5.0, "lowest rate of NR, about -6 dB", ha="right", color=style.MUTED)
axes.set_xticks(places, list(results))
axes.set(ylabel="dB", title="carrier to noise of a handheld, 2 GHz, 10 MHz")
axes.legend()
plt.show()

# %% [markdown]
# A satellite reaches a handheld in S band with some dB to spare in the open, and not at all behind a house; the street
# has margin to lose, the HAPS some. This is why blockage, not distance, drives handovers in the environments.
#
# ## Calibration
#
# The 60 link budgets of 3GPP TR 38.821 are the common yardstick. All losses are computed here from geometry, P.676 and
# TR 38.811, and then compared with what the document printed (also: `ntn-gym link-budget --table tr38821`).

# %%
rows = tr38821.calibration_rows()
print("case  link orbit       FSPL dB  printed  gas dB  printed  CNR dB  printed")
for row in rows:
    if row.printed_cnr_db is not None:
        print(
            f"{row.case:6s}{row.direction:5s}{row.satellite.orbit:10s}{row.budget.free_space_loss_db:9.2f}"
            f"{row.printed_loss_db['fspl']:9.1f}{row.budget.atmospheric_loss_db:8.2f}{row.printed_loss_db['gas']:9.1f}"
            f"{row.budget.cnr_db:8.2f}{row.printed_cnr_db:9.1f}"
        )
        assert abs(row.budget.cnr_db - row.printed_cnr_db) < 0.15
worst_db = max(abs(row.budget.free_space_loss_db - row.printed_loss_db["fspl"]) for row in rows)
print(f"largest difference of the free-space loss over {len(rows)} rows: {worst_db:.3f} dB")
assert worst_db < 0.1
