"""What one epoch does to the bits: contention, acquisition, transfer, storage, delivery. Vectorised over worlds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ntn_gym.core.task import Now
from ntn_gym.envs.data_relay.flow import drain, sent_integral, split
from ntn_gym.envs.data_relay.scenario import Scenario
from ntn_gym.envs.data_relay.state import State

Floats = NDArray[np.float64]
Bits = NDArray[np.int64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Events:
    """What happened in one epoch, by satellite [B, S] unless said otherwise; integrals are in bit ms.

    Attributes:
        illegal: An empty slot was named.
        refused: The receiver was taken by another satellite.
        turned: The terminal was pointed to another receiver.
        direct: Bits that went to the ground at once.
        delivered: Bits on the ground, those from a HAGS by share.
        overflow: Bits that would have been sent if the buffer had had room.
        waiting: Integral of the bits on board and, by share, in the HAGS.
        priced: The same with the weights of the classes.
        stored: Part of ``waiting`` that was in the HAGS.
        missed: Bits that missed a cut-off.
        highest: Largest content of all HAGS together, [B].
        fullest: Largest fill of a HAGS, [B].
    """

    illegal: Bools
    refused: Bools
    turned: Bools
    direct: Bits
    delivered: Floats
    overflow: Bits
    waiting: Floats
    priced: Floats
    stored: Floats
    missed: Floats
    highest: Bits
    fullest: Floats


class Rules:
    """The rules of a scenario."""

    def __init__(self, scenario: Scenario, hags_of: NDArray[np.int64]) -> None:
        """Turn settings into integers.

        Args:
            scenario: The scenario.
            hags_of: HAGS of each receiver, -1 without one; the last entry is for no receiver.
        """
        self.n_satellites = scenario.satellites.count
        self.n_stations = scenario.n_stations
        self.n_slots = scenario.n_targets
        self.n_classes = scenario.n_classes
        self.n_hags = len(scenario.stations.hags)
        self.buffer_bits = round(scenario.stations.buffer_bytes * 8)
        self.out_bit_ms = int(scenario.links.model.rate_bit_s // 1000)
        self.relays = scenario.n_neighbours > 0
        self._hags_of = hags_of
        names = scenario.stations.names
        self._hags_sites = np.array([names.index(name) for name in scenario.stations.hags], dtype=np.int64)
        self._satellites = np.arange(self.n_satellites)
        weight = scenario.traffic.urgent_weight
        self._weights = np.array([weight, 1.0]) if self.n_classes == 2 else np.ones(1)

    def choose(self, action: NDArray[Any], receiver: NDArray[np.int64]) -> tuple[Bits, Bits, Bools | None, Bools]:
        """Read actions: (chosen receiver or -1, slot, whether routine data goes first, illegal), each [B, S]."""
        waits = action >= self.n_slots * self.n_classes
        slot = np.where(waits, 0, action % self.n_slots)
        flat = slot.reshape(-1) + np.arange(slot.size) * self.n_slots
        named = receiver.reshape(-1).take(flat).reshape(slot.shape)
        illegal = (named < 0) & ~waits
        routine_first = (action >= self.n_slots) if self.n_classes == 2 else None
        return np.where(waits, -1, named), flat, routine_first, illegal

    def contend(self, wanted: Bits, pointed: Bits) -> Bools:
        """Return who is refused: a receiver serves who points to it already, else the first satellite that asks."""
        if self.n_satellites == 1:
            return np.zeros(wanted.shape, dtype=bool)
        rank = self._satellites - self.n_satellites * (wanted == pointed)
        same = (wanted[:, :, None] == wanted[:, None, :]) & (wanted >= 0)[:, :, None]
        refused: Bools = (same & (rank[:, None, :] < rank[:, :, None])).any(axis=2)
        return refused

    def transition(self, state: State, action: NDArray[Any], now: Now) -> tuple[State, Events]:
        """Run one epoch."""
        end = now["duration_ms"][:, None]
        waiting = state.onboard + now["arrival_bits"]
        wanted, flat, routine_first, illegal = self.choose(action, now["receiver"])
        refused = self.contend(wanted, state.pointed)
        target = np.where(refused, -1, wanted)

        # --- acquisition, then transfer at a constant rate
        turned = (target >= 0) & (target != state.pointed)
        left = np.where(turned, now["acquisition_ms"], state.acquiring_ms)
        start = np.minimum(left, end)
        rate = now["rate_bit_ms"].reshape(-1).take(flat).reshape(target.shape)
        hags = self._hags_of[target]
        clear = now["slot_clear"].reshape(-1).take(flat).reshape(target.shape)
        usable = (target >= 0) & (clear | (hags >= 0))
        total = waiting.sum(axis=2)
        free = np.minimum(total, rate * (end - start)) * usable
        sent = free
        level = state.hags.sum(axis=2)
        if self.n_hags:
            room = np.take_along_axis(self.buffer_bits - level, np.maximum(hags, 0), axis=1)
            # A HAGS over clear sky passes on at least as fast as it receives, so that it never fills.
            sent = np.where((hags >= 0) & ~clear, np.minimum(free, room), free)
        parts = split(sent, waiting, routine_first)
        safe_rate = np.maximum(rate, 1)
        length = sent / safe_rate

        # --- where it goes
        onboard = waiting - parts
        over_hags = hags >= 0
        at_ground = (target >= 0) & (target < self.n_stations) & ~over_hags
        if self.relays:
            peer = (target - self.n_stations)[:, :, None] == self._satellites
            onboard = onboard + (peer[..., None] * parts[:, :, None, :]).sum(axis=1)
        direct = sent * at_ground
        on_ground = (parts * at_ground[..., None]).sum(axis=1)

        # --- time integrals on board, by class
        board = total * end - sent_integral(sent, start, length, end)
        priced = board
        if routine_first is not None:
            urgent_length = parts[..., 0] / safe_rate
            urgent_start = start + np.where(routine_first, parts[..., 1] / safe_rate, 0.0)
            urgent = waiting[..., 0] * end - sent_integral(parts[..., 0], urgent_start, urgent_length, end)
            priced = board + (self._weights[0] - 1.0) * urgent

        delivered = direct.astype(np.float64)
        stored = np.zeros(board.shape)
        missed = state.onboard[..., 0].astype(np.float64)
        share, kept = state.share, state.hags
        highest, fullest = np.zeros(len(total), dtype=np.int64), np.zeros(len(total))
        if self.n_hags:
            missed = missed + (share * state.hags[..., :1]).sum(axis=1)
            into = (target[:, :, None] == self._hags_sites) & usable[:, :, None]
            inflow = (into[..., None] * parts[:, :, None, :]).sum(axis=1)
            sum_in = inflow.sum(axis=2)
            begin = (into * start[:, :, None]).sum(axis=1)
            lasting = (into * length[:, :, None]).sum(axis=1)
            speed = (into * rate[:, :, None]).sum(axis=1)
            out = self.out_bit_ms * now["clear"][:, self._hags_sites]
            last, integral = drain(level, begin, lasting, speed, out, end)
            after = np.rint(last).astype(np.int64)
            gone = level + sum_in - after
            mixed = share * level[..., None] + (into * sent[:, :, None]).swapaxes(1, 2)
            content = level + sum_in
            share = mixed / np.maximum(content, 1)[..., None]
            cost = integral
            if routine_first is not None:
                shift = np.where(routine_first, parts[..., 1] / safe_rate, 0.0)
                urgent_begin = begin + (into * shift[:, :, None]).sum(axis=1)
                urgent_lasting = (into * urgent_length[:, :, None]).sum(axis=1)
                urgent_last, urgent_integral = drain(state.hags[..., 0], urgent_begin, urgent_lasting, speed, out, end)
                # Rounding must not invent a bit of either class.
                low = np.maximum(after - (state.hags[..., 1] + inflow[..., 1]), 0)
                high = np.minimum(after, state.hags[..., 0] + inflow[..., 0])
                urgent_after = np.clip(np.rint(urgent_last).astype(np.int64), low, high)
                cost = integral + (self._weights[0] - 1.0) * urgent_integral
                kept = np.stack((urgent_after, after - urgent_after), axis=-1)
            else:
                kept = after[..., None]
            on_ground = on_ground + (state.hags + inflow - kept).sum(axis=1)
            delivered = delivered + (share * gone[..., None]).sum(axis=1)
            stored = (share * integral[..., None]).sum(axis=1)
            priced = priced + (share * cost[..., None]).sum(axis=1)
            # Between the ends of an epoch the content is never above both: it rises, or falls, or both stay.
            most = np.maximum(level, after)
            highest = most.sum(axis=1)
            fullest = (most / max(self.buffer_bits, 1)).max(axis=1)

        return State(
            onboard=onboard,
            hags=kept,
            share=share,
            pointed=target,
            acquiring_ms=np.where(target >= 0, left - start, 0),
            refused=refused,
            delivered=state.delivered + on_ground,
        ), Events(
            illegal=illegal,
            refused=refused,
            turned=turned,
            direct=direct,
            delivered=delivered,
            overflow=free - sent,
            waiting=board + stored,
            priced=priced,
            stored=stored,
            missed=missed * now["cutoff"][:, None],
            highest=highest,
            fullest=fullest,
        )
