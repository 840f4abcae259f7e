"""Hexagonal layouts of beams and cells, and their colours."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray


def hexagonal_axial(n_rings: int) -> NDArray[np.int64]:
    """Return the axial coordinates (q, r) of a hexagonal layout, centre first and then ring by ring.

    The cell (q, r) lies at q (1, 0) + r (1/2, sqrt(3)/2) spacings. Each ring starts on the u axis and runs
    counter-clockwise.

    Source: V. H. MacDonald, "The cellular concept", Bell System Technical Journal 58 (1), 1979 (oblique
    coordinates of cells at 60 deg); 3GPP TR 38.821 clause 6.1.1.1 (rings of beams).

    Args:
        n_rings: Number of rings around the centre, >= 0.

    Returns:
        Integer coordinates, [1 + 3 n (n + 1), 2].

    Raises:
        ValueError: When the number of rings is negative.
    """
    if n_rings < 0:
        raise ValueError(f"hexagonal_axial: n_rings={n_rings} must be >= 0")
    steps = ((-1, 1), (-1, 0), (0, -1), (1, -1), (1, 0), (0, 1))
    cells = [(0, 0)]
    for ring in range(1, n_rings + 1):
        q, r = ring, 0
        for dq, dr in steps:
            for _ in range(ring):
                cells.append((q, r))
                q, r = q + dq, r + dr
    return np.array(cells, dtype=np.int64)


def hexagonal_beams_uv(n_rings: int, spacing: float) -> NDArray[np.float64]:
    """Return the centres of hexagonally packed beams.

    Source: 3GPP TR 38.821 clause 6.1.1.1 (19 beams with 2 rings, 37 with 3, 61 with 4).

    Args:
        n_rings: Number of rings around the central beam, >= 0.
        spacing: Distance of neighbours, `beam_spacing_uv` for the UV plane (any other unit works as well).
            Centres with u^2 + v^2 >= 1 are no directions: drop them where the layout is that wide.

    Returns:
        Centres (u, v), [1 + 3 n (n + 1), 2], in the order of `hexagonal_axial`.

    Raises:
        ValueError: When the number of rings is negative or the spacing is not positive.
    """
    if not spacing > 0.0:
        raise ValueError(f"hexagonal_beams_uv: spacing={spacing} must be positive")
    basis = np.array([[1.0, 0.0], [0.5, math.sqrt(3.0) / 2.0]])
    centres: NDArray[np.float64] = spacing * (hexagonal_axial(n_rings) @ basis)
    return centres


def hexagonal_colours(n_rings: int, n_colours: int) -> NDArray[np.int64]:
    """Return the colour (frequency or polarisation) of each beam of a hexagonal layout.

    Cells of one colour form the lattice of reuse distance sqrt(3 N) cell radii: (q - r) mod 3, (q mod 2) + 2
    (r mod 2), (q + 3 r) mod 7. Neighbours never share a colour for N = 3, 4 or 7.

    Source: V. H. MacDonald, "The cellular concept", Bell System Technical Journal 58 (1), 1979 (N = i^2 + i j
    + j^2); 3GPP TR 38.821 clause 6.1.1.1 uses N = 1 and 3, and 2 frequencies with 2 polarisations as N = 4.

    Args:
        n_rings: Number of rings around the central beam.
        n_colours: Reuse factor N: 1, 3, 4 or 7.

    Returns:
        Colour 0..N - 1, [n_beams], in the order of `hexagonal_axial`.

    Raises:
        ValueError: When the reuse factor is not 1, 3, 4 or 7.
    """
    q, r = hexagonal_axial(n_rings).T
    colours: dict[int, NDArray[np.int64]] = {
        1: np.zeros_like(q),
        3: (q - r) % 3,
        4: q % 2 + 2 * (r % 2),
        7: (q + 3 * r) % 7,
    }
    if n_colours not in colours:
        raise ValueError(f"hexagonal_colours: n_colours={n_colours} must be 1, 3, 4 or 7")
    return colours[n_colours]
