"""The picture of ResourceAllocation: the ground, and powers, traffic, supply and queue or battery over time."""

from __future__ import annotations

import numpy as np
from matplotlib.ticker import FuncFormatter, MultipleLocator
from numpy.typing import NDArray

from ntn_gym.envs.resource_allocation.antenna import beam_centres_m
from ntn_gym.envs.resource_allocation.scenario import Scenario
from ntn_gym.envs.resource_allocation.story import Story
from ntn_gym.envs.resource_allocation.transmitters import transmitters
from ntn_gym.rendering import style
from ntn_gym.rendering.canvas import Canvas
from ntn_gym.rendering.ground import GroundPlot
from ntn_gym.rendering.strips import TimeStrips, nice_ceiling

WIDTH_PX, HEIGHT_PX = 960, 600


class Picture:
    """Artists of one scenario, drawn again and again."""

    def __init__(self, scenario: Scenario) -> None:
        """Draw what never changes."""
        self.canvas = canvas = Canvas(WIDTH_PX, HEIGHT_PX)
        constants = transmitters(scenario)
        self.n_agents = constants.n_agents
        self.head = canvas.text(16, 12, fontsize=12, fontweight="bold")
        self.clock = canvas.text(16, 34, color=style.MUTED)
        reach_km = scenario.users.radius_m / 1e3 * 1.08
        centres = beam_centres_m(scenario.platform.layout, scenario.platform.altitude_m) / 1e3
        self.centres_km = centres
        spacing = np.linalg.norm(centres - centres[:1], axis=1)
        # Cells of a layout of sectors are only sketched: their hexagons do not tile.
        tiles = scenario.platform.layout.kind == "cells"
        radius_km = float(spacing[spacing > 0].min()) / np.sqrt(3.0) * (1.0 if tiles else 0.8)
        self.ground = GroundPlot(
            canvas,
            (58, 86, 400, 400),
            reach_km,
            n_cells=len(centres),
            cell_radius_km=radius_km,
            title="Beams by power (white: asleep), users by serving radio",
        )
        self.note = canvas.text(58, 530, color=style.MUTED)
        heights = (max(1.4, 0.16 * self.n_agents), 1.2, 1.2, 1.0)
        self.strips = strips = TimeStrips(canvas, (550, 86, 388, 470), scenario.steps * scenario.dt_s, heights)
        axes = strips.axes[0]
        strips.title(0, "Power of each transmitter over its highest")
        axes.grid(False)
        names = [str(i) if i < constants.n_beams else f"relay {i - constants.n_beams}" for i in range(self.n_agents)]
        if constants.has_laser:
            names[-1] = "laser"
        axes.set_yticks(range(self.n_agents), names)
        axes.tick_params(axis="y", labelsize=style.TEXT_PT - (0.5 if self.n_agents < 12 else 2.5))
        self.heat = canvas.moving(
            axes.imshow(
                np.zeros((self.n_agents, 1)),
                aspect="auto",
                cmap="Blues",
                vmin=0,
                vmax=1,
                interpolation="nearest",
                extent=(0, 1, self.n_agents - 0.5, -0.5),
            )
        )
        axes.set_xlim(0, scenario.steps * scenario.dt_s)
        strips.title(1, "Traffic in Mbit/s")
        self.offered = strips.line(1, style.GRID, width=1.2)
        self.served = strips.line(1, style.BLUE)
        strips.key(1, [(self.offered, "offered"), (self.served, "served")])
        strips.title(2, "Supply power of the payload in W")
        self.supply = strips.line(2, style.VERMILLION)
        if scenario.energy.battery is not None:
            self.sun = strips.line(2, style.ORANGE, width=1.2)
            strips.key(2, [(self.supply, "payload"), (self.sun, "sun")])
            strips.title(3, "Battery in %")
            strips.level(3, 100 * scenario.energy.battery.low_share, "payload off", style.VERMILLION)
            for axes in strips.axes:
                axes.xaxis.set_major_locator(MultipleLocator(3 * 3600))
                axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x / 3600:g}"))
            strips.axes[-1].set_xlabel(f"time in h since {scenario.energy.sun.start_hour:g}:00", labelpad=1)
            strips.limits(3, 0.0, 100.0)
        else:
            strips.title(3, "Bits dropped in %, mean of 10 steps")
        self.last = strips.line(3, style.INK)

    def draw(self, story: Story) -> NDArray[np.uint8]:
        """Draw a story, uint8 [600, 960, 3]."""
        task, times = story.task, story.step_time_s
        self.head.set_text(story.title)
        self.clock.set_text(f"{story.clock}     return {story.episode_return:.2f}")
        self._ground(story)
        shares = (story.power_w / task.constants.highest_w).T
        first, last = story.first_s, story.time_s
        self.heat.set_visible(bool(len(times)))
        if len(times):
            self.heat.set_data(shares)
            self.heat.set_extent((first, last, self.n_agents - 0.5, -0.5))
        served, supply = story.kpis["throughput_mbit_s"], story.kpis["power_w"]
        self.offered.set_data(times, story.offered_mbit_s)
        self.served.set_data(times, served)
        self.supply.set_data(times, supply)
        top = max([1.0, *story.offered_mbit_s.tolist(), *served.tolist()])
        self.strips.limits(1, 0.0, nice_ceiling(top))
        if task.battery is not None:
            self.sun.set_data(times, story.raw["solar_w"][:-1])
            highest = max([1.0, *supply.tolist(), *story.raw["solar_w"].tolist()])
            at = story.first_s + np.arange(len(story.battery_share)) * task.dt_s
            self.last.set_data(at, 100 * story.battery_share)
        else:
            highest = max([1.0, *supply.tolist()])
            smooth = _running_mean(100 * story.dropped_share, 10)
            self.last.set_data(times, smooth)
            self.strips.limits(3, 0.0, nice_ceiling(max([1.0, *smooth.tolist()])))
        self.strips.limits(2, 0.0, nice_ceiling(highest))
        self.strips.now(story.time_s)
        return self.canvas.picture()

    def _ground(self, story: Story) -> None:
        constants = story.task.constants
        n_beams = constants.n_beams
        power = story.power_w[-1, :n_beams] if len(story.power_w) else np.zeros(n_beams)
        share = np.clip(power / constants.highest_w[:n_beams], 0, 1)
        # Pale blue to blue; users must stay legible on top.
        tint = np.where(share > 0, 0.25 + 0.6 * np.sqrt(share), 0.0)[:, None]
        face = (1 - tint) * np.array([1.0, 1.0, 1.0]) + tint * np.array([0.34, 0.71, 0.91])
        self.ground.show_cells(
            self.centres_km,
            shown=np.ones(n_beams, dtype=bool),
            face=face,
            hollow=np.zeros(n_beams, dtype=bool),
            chosen=None,
        )
        raw = story.raw
        users = np.stack([raw["east_m"][-1], raw["north_m"][-1]], axis=-1) / 1e3
        relays = np.stack([raw["relay_east_m"][-1], raw["relay_north_m"][-1]], axis=-1) / 1e3
        faces = [style.colour(int(radio)) for radio in story.serving] + [style.INK] * len(relays)
        markers = [style.marker(int(radio)) for radio in story.serving] + ["$R$"] * len(relays)
        self.ground.show_users(np.concatenate([users, relays]), faces, markers, 6.5)
        due = int((story.due_mbit > 0).sum())
        words = f"{len(users)} users, {due} with bits that are due now; {story.waiting_mbit.sum():.0f} Mbit wait"
        if len(relays):
            words += "; R: relay"
        if story.task.scenario.feeder is not None:
            cloud = raw["feeder_cloud"][-1]
            words += "\nfeeder: " + ("under thick cloud" if cloud else f"{raw['feeder_loss_db'][-1]:.1f} dB in the air")
        self.note.set_text(words)


def _running_mean(values: NDArray[np.float64], length: int) -> NDArray[np.float64]:
    total = np.concatenate([[0.0], np.cumsum(values)])
    end = np.arange(1, len(values) + 1)
    begin = np.maximum(end - length, 0)
    return np.asarray((total[end] - total[begin]) / (end - begin))
