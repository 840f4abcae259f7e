"""Modulation and coding schemes of 5G NR: tables of TS 38.214, link adaptation and an approximate threshold."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Literal, get_args

import array_api_compat
import numpy as np
from numpy.typing import NDArray

from ntn_gym.data import read_json
from ntn_gym.physics.arrays import Array, ArrayLike, promote

McsTableName = Literal["64qam", "256qam"]
_KEYS = {"64qam": "table1", "256qam": "table2"}


@dataclass(frozen=True)
class McsTable:
    """One MCS table; read-only arrays over the index I_MCS.

    Attributes:
        modulation_order: Bits per symbol Q_m, [M].
        code_rate: Target code rate R, [M].
        efficiency_bit_s_hz: Spectral efficiency as printed in the document, [M].
        threshold_db: SINR for a block error rate of 10 % in dB: an approximation, see `mcs_table`, [M].
    """

    modulation_order: NDArray[np.int64]
    code_rate: NDArray[np.float64]
    efficiency_bit_s_hz: NDArray[np.float64]
    threshold_db: NDArray[np.float64]


@cache
def mcs_table(name: McsTableName = "64qam") -> McsTable:
    """Return an MCS table of the downlink shared channel (loaded once, immutable).

    Source: 3GPP TS 38.214 V17.4.0, Table 5.1.3.1-1 ("64qam") or 5.1.3.1-2 ("256qam"). The document has no SINR
    thresholds. Those here are the normal approximation of Y. Polyanskiy, H. V. Poor and S. Verdu, IEEE Trans. Inf.
    Theory 56 (5), 2010, for 2000 information bits of bit-interleaved Gray QAM in white noise, plus 0.6 dB for the
    LDPC code. They are within 0.6 dB of the published link simulations of Sionna 1.2; fading, estimation errors and
    short blocks need more.

    Args:
        name: "64qam" (29 schemes) or "256qam" (28 schemes).

    Returns:
        The table.

    Raises:
        ValueError: If the name is unknown.
    """
    if name not in get_args(McsTableName):
        raise ValueError(f"name: got {name!r}; must be one of {', '.join(get_args(McsTableName))}")
    columns = np.array(read_json("tables/ts38214_mcs.json")[_KEYS[name]], dtype=np.float64).T
    order, rate, efficiency, threshold = columns[0].astype(np.int64), columns[1] / 1024.0, columns[2], columns[3]
    for column in (order, rate, efficiency, threshold):
        column.setflags(write=False)
    return McsTable(order, rate, efficiency, threshold)


@cache
def _useful(name: McsTableName) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:
    """Return the schemes in order of threshold that carry more than every easier one: index, threshold, efficiency.

    Where the modulation changes, two neighbours have (nearly) the same efficiency, and the higher index needs the
    higher SINR or carries less: nobody would choose it.
    """
    table = mcs_table(name)
    order = np.argsort(table.threshold_db, kind="stable")
    best = np.maximum.accumulate(table.efficiency_bit_s_hz[order])
    keep = np.concatenate(([True], table.efficiency_bit_s_hz[order][1:] > best[:-1]))
    index = order[keep]
    return index, table.threshold_db[index], table.efficiency_bit_s_hz[index]


def best_mcs(sinr_db: ArrayLike, name: McsTableName = "64qam", margin_db: float = 0.0) -> Array:
    """Return the scheme of highest efficiency whose threshold is met, -1 where none is.

    Source: link adaptation to a block error rate of 10 % (the target of the channel quality indicator in TS 38.214
    clause 5.2.2.1), with the thresholds of `mcs_table`.

    Args:
        sinr_db: SINR in dB, [...].
        name: "64qam" or "256qam".
        margin_db: SINR kept in reserve in dB.

    Returns:
        Index I_MCS, int64, [...].

    Raises:
        ValueError: If the name is unknown.
    """
    xp, sinr = promote(sinr_db)
    index, threshold, _ = _useful(name)
    device = array_api_compat.device(sinr)
    steps = xp.asarray(threshold + margin_db, dtype=sinr.dtype, device=device)
    met = xp.sum(xp.astype(sinr[..., None] >= steps, xp.int64), axis=-1)
    return xp.asarray(np.concatenate(([-1], index)), device=device)[met]


def mcs_efficiency_bit_s_hz(sinr_db: ArrayLike, name: McsTableName = "64qam", margin_db: float = 0.0) -> Array:
    """Return the spectral efficiency of `best_mcs`, zero where no scheme is possible.

    Source: as `best_mcs`. The throughput is about 0.9 of it (block error rate 10 %) before overhead.

    Args:
        sinr_db: SINR in dB, [...].
        name: "64qam" or "256qam".
        margin_db: SINR kept in reserve in dB.

    Returns:
        Spectral efficiency in bit/s/Hz, of the type of `sinr_db`, [...].

    Raises:
        ValueError: If the name is unknown.
    """
    xp, sinr = promote(sinr_db)
    _, threshold, efficiency = _useful(name)
    device = array_api_compat.device(sinr)
    steps = xp.asarray(threshold + margin_db, dtype=sinr.dtype, device=device)
    met = xp.sum(xp.astype(sinr[..., None] >= steps, xp.int64), axis=-1)
    return xp.asarray(np.concatenate(([0.0], efficiency)), dtype=sinr.dtype, device=device)[met]
