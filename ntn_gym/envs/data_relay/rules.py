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
        self._receivers_of_peers = self.n_stations + self._satellites
        self._is_ground = np.append(np.arange(self.n_stations + self.n_satellites) < self.n_stations, False)
        self._is_ground &= hags_of < 0
        weight = scenario.traffic.urgent_weight
        self._weights = np.array([weight, 1.0]) if self.n_classes == 2 else np.ones(1)

    def choose(self, action: NDArray[Any], receiver: NDArray[np.int64]) -> tuple[Bits, Bits, Bools | None, Bools]:
        """Read actions: (chosen receiver or -1, index of the slot, whether routine data goes first, illegal), [B, S].

        The index of the slot counts through all slots of all satellites and worlds.
        """
        n_slots = self.n_slots
        routine_first = None
        if self.n_classes == 2:
            routine_first = action >= n_slots
            waits = action >= 2 * n_slots
            slot = action - n_slots * routine_first
        else:
            waits, slot = action >= n_slots, action
        flat = np.minimum(slot, n_slots - 1)
        flat = flat + np.arange(0, slot.size * n_slots, n_slots).reshape(slot.shape)
        named = receiver.reshape(-1).take(flat)
        illegal = (named < 0) & ~waits
        return np.where(waits, -1, named), flat, routine_first, illegal

    def contend(self, wanted: Bits, pointed: Bits) -> Bools:
        """Return who is refused: a receiver serves who points to it already, else the first satellite that asks."""
        if self.n_satellites == 1:
            return np.zeros(wanted.shape, dtype=bool)
        rank = self._satellites - self.n_satellites * (wanted == pointed)
        # Who wants nothing is made to want something of its own.
        names = np.where(wanted < 0, ~self._satellites - 1, wanted)
        same = names[:, :, None] == names[:, None, :]
        same &= rank[:, None, :] < rank[:, :, None]
        refused: Bools = same.any(axis=2)
        return refused

    def transition(self, state: State, action: NDArray[Any], now: Now) -> tuple[State, Events]:
        """Run one epoch."""
        end = now["duration_ms"][:, None]
        waiting = state.onboard + now["arrival_bits"]
        wanted, flat, routine_first, illegal = self.choose(action, now["receiver"])
        refused = self.contend(wanted, state.pointed)
        target = np.where(refused, -1, wanted)

        # --- acquisition, then transfer at a constant rate
        served = target >= 0
        turned = served & (target != state.pointed)
        left = np.where(turned, now["acquisition_ms"], state.acquiring_ms)
        start = np.minimum(left, end)
        rate = now["rate_bit_ms"].reshape(-1).take(flat)
        hags = self._hags_of.take(target)
        over_hags = hags >= 0
        clear = now["slot_clear"].reshape(-1).take(flat)
        usable = served & (clear | over_hags)
        total = _over_classes(waiting)
        free = np.minimum(total, rate * (end - start)) * usable
        sent = free
        level = _over_classes(state.hags)
        if self.n_hags:
            room = (self.buffer_bits - level).reshape(-1)
            place = np.maximum(hags, 0) + np.arange(0, room.size, self.n_hags)[:, None]
            # A HAGS over clear sky passes on at least as fast as it receives, so that it never fills.
            sent = np.where(over_hags & ~clear, np.minimum(free, room.take(place)), free)
        parts = split(sent, waiting, routine_first)
        safe_rate = np.maximum(rate, 1)
        length = sent / safe_rate

        # --- where it goes
        onboard = waiting - parts
        at_ground = self._is_ground.take(target)
        if self.relays:
            peer = target[:, :, None] == self._receivers_of_peers
            onboard += (peer[..., None] * parts[:, :, None, :]).sum(axis=1)
            # What a neighbour gets in this epoch has not moved towards the ground: it goes on waiting.
            landed = np.where(target >= self.n_stations, 0, sent)
        else:
            landed = sent
        direct = sent * at_ground
        on_ground = (parts * at_ground[..., None]).sum(axis=1)

        # --- time integrals on board, by class
        # In float64: bits times milliseconds leave the range of int64.
        span_ms = end.astype(np.float64)
        board = total * span_ms - sent_integral(landed, start, length, end)
        urgent_start = urgent_length = None
        if routine_first is not None:
            urgent_length = parts[..., 0] / safe_rate
            urgent_start = start + np.where(routine_first, parts[..., 1] / safe_rate, 0.0)
            urgent_landed = parts[..., 0] * (landed > 0)
            urgent = waiting[..., 0] * span_ms - sent_integral(urgent_landed, urgent_start, urgent_length, end)
            priced = board + (self._weights[0] - 1.0) * urgent
        else:
            priced = board

        delivered = direct.astype(np.float64)
        missed = state.onboard[..., 0].astype(np.float64)
        stored = np.zeros(board.shape)
        share, kept = state.share, state.hags
        highest, fullest = np.zeros(len(total), dtype=np.int64), np.zeros(len(total))
        if self.n_hags:
            into = (target[:, :, None] == self._hags_sites) & usable[:, :, None]
            # At most one satellite sends into a HAGS, so that these sums over satellites pick its numbers exactly.
            picks = into.swapaxes(1, 2).astype(np.float64)
            columns = [start, length, rate, *np.moveaxis(parts, -1, 0)]
            if urgent_start is not None and urgent_length is not None:
                columns += [urgent_start, urgent_length]
            flows = picks @ np.stack(columns, axis=-1, dtype=np.float64)
            out = self.out_bit_ms * now["clear"][:, self._hags_sites]
            last, integral = drain(level, flows[..., 0], flows[..., 1], flows[..., 2], out, end)
            after = np.rint(last).astype(np.int64)
            inflow = flows[..., 3 : 3 + self.n_classes].astype(np.int64)
            content = level + _over_classes(inflow)
            before = share[..., None]
            share = share * level[..., None]
            share += picks * sent[:, None, :]
            share /= np.maximum(content, 1)[..., None]
            cost = integral
            if routine_first is not None:
                urgent_last, urgent_integral = drain(
                    state.hags[..., 0], flows[..., 5], flows[..., 6], flows[..., 2], out, end
                )
                # Rounding must not invent a bit of either class.
                low = np.maximum(after - (state.hags[..., 1] + inflow[..., 1]), 0)
                high = np.minimum(after, state.hags[..., 0] + inflow[..., 0])
                urgent_after = np.minimum(np.maximum(np.rint(urgent_last).astype(np.int64), low), high)
                cost = integral + (self._weights[0] - 1.0) * urgent_integral
                kept = np.stack((urgent_after, after - urgent_after), axis=-1)
            else:
                kept = after[..., None]
            on_ground += (state.hags + inflow - kept).sum(axis=1)
            # What belongs to each satellite: columns left the HAGS, integral, cost.
            owned = share.swapaxes(1, 2) @ np.stack((content - after, integral, cost), axis=-1, dtype=np.float64)
            delivered += owned[..., 0]
            stored = owned[..., 1]
            priced = priced + owned[..., 2]
            if now["cutoff"].any():
                missed += (before * state.hags[..., :1, None])[..., 0].sum(axis=1)
            # Between the ends of an epoch the content is never above both: it rises, or falls, or both stay.
            most = np.maximum(level, after)
            highest = most.sum(axis=1)
            fullest = most.max(axis=1) / max(self.buffer_bits, 1)

        return State(
            onboard=onboard,
            hags=kept,
            share=share,
            pointed=target,
            acquiring_ms=(left - start) * served,
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


def _over_classes(bits: Bits) -> Bits:
    """Sum over the last axis, which holds one or two classes."""
    return bits[..., 0] if bits.shape[-1] == 1 else bits[..., 0] + bits[..., 1]
