"""Two-line elements: strict reading, and propagation by SGP4.

The text is checked in full before any orbit is computed: a wrong digit in an element moves a satellite by
hundreds of kilometres without any other sign. The propagation itself is the library `sgp4`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray
from sgp4.api import SGP4_ERRORS, Satrec, SatrecArray

from ntn_gym.physics.frames import utc_from_julian_date

_LINE_LENGTH = 69

_SIGNED_EXPONENT = r"[ +-]\d{5}[ +-]\d"  # implied leading point and power of ten: " 65843-4" is 0.65843e-4

_FIELDS: tuple[tuple[tuple[str, int, int, str], ...], ...] = (
    # name, first column, last column (counted from 1 as in the format definition), pattern of the text
    (
        ("catalogue number", 3, 7, r" *\d+|[A-HJ-NP-Z]\d{4}"),
        ("epoch year", 19, 20, r"\d\d"),
        ("epoch day", 21, 32, r" *\d+\.\d{8}"),
        ("first derivative of the mean motion", 34, 43, r"[ +-]\.\d{8}"),
        ("second derivative of the mean motion", 45, 52, _SIGNED_EXPONENT),
        ("drag term", 54, 61, _SIGNED_EXPONENT),
    ),
    (
        ("catalogue number", 3, 7, r" *\d+|[A-HJ-NP-Z]\d{4}"),
        ("inclination", 9, 16, r" *\d+\.\d{4}"),
        ("right ascension of the ascending node", 18, 25, r" *\d+\.\d{4}"),
        ("eccentricity", 27, 33, r"\d{7}"),
        ("argument of perigee", 35, 42, r" *\d+\.\d{4}"),
        ("mean anomaly", 44, 51, r" *\d+\.\d{4}"),
        ("mean motion", 53, 63, r" *\d+\.\d{8}"),
        ("revolution number", 64, 68, r" *\d+"),
    ),
)
# Columns that must be blank. SGP4 readers cut the lines there: a digit in a gap silently zeroes its neighbour.
_GAPS = ((2, 9, 18, 33, 44, 53, 62, 64), (2, 8, 17, 26, 34, 43, 52))
_LIMITS = {  # inclusive
    "epoch day": (1.0, 367.0, "day of the year"),
    "inclination": (0.0, 180.0, "deg"),
    "right ascension of the ascending node": (0.0, 360.0, "deg"),
    "argument of perigee": (0.0, 360.0, "deg"),
    "mean anomaly": (0.0, 360.0, "deg"),
    "mean motion": (0.01, 20.0, "rev/day"),
}


class TleError(ValueError):
    """Two-line elements that must not be used; the message says where and why."""


class PropagationError(ValueError):
    """SGP4 refused to propagate a satellite to a requested time."""


@dataclass(frozen=True)
class Tle:
    """One satellite's two-line elements, already checked.

    Attributes:
        name: Name of the satellite.
        line1: First element line, 69 characters.
        line2: Second element line, 69 characters.
    """

    name: str
    line1: str
    line2: str

    @property
    def record(self) -> Satrec:
        """A new SGP4 record (WGS 72 constants, improved mode: the convention of published elements)."""
        return Satrec.twoline2rv(self.line1, self.line2)

    @property
    def epoch_utc(self) -> datetime:
        """Epoch of the elements."""
        return utc_from_julian_date(self.record.jdsatepoch, self.record.jdsatepochF)


def checksum(line: str) -> int:
    """Return the checksum of an element line: digits of columns 1 to 68 added, "-" counts 1, modulo 10.

    Source: CelesTrak, "NORAD Two-Line Element Set Format" (T. S. Kelso).
    """
    return sum(int(char) if char.isdigit() else char == "-" for char in line[: _LINE_LENGTH - 1]) % 10


def _check_line(line: str, number: int, where: str) -> None:
    if len(line) != _LINE_LENGTH:
        raise TleError(
            f"{where}: line {number} of the elements has {len(line)} characters, expected {_LINE_LENGTH}; "
            "it was probably truncated or wrapped: download the file again"
        )
    if not line.isascii() or not line.startswith(f"{number} "):
        raise TleError(
            f'{where}: expected an element line that starts with "{number} ", found {line[:12]!r}; '
            "each satellite needs an optional name line, then line 1, then line 2"
        )
    found = line[_LINE_LENGTH - 1]
    expected = str(checksum(line))
    if found != expected:
        raise TleError(
            f"{where}: line {number} of the elements has checksum {found!r}, but its characters give "
            f"{expected!r}; a character is damaged: download the file again, or remove the satellite"
        )
    for column in _GAPS[number - 1]:
        if line[column - 1] != " ":
            raise TleError(
                f"{where}: column {column} of line {number} is {line[column - 1]!r}, but the format has a blank "
                "there; download the file again"
            )
    for field, first, last, pattern in _FIELDS[number - 1]:
        text = line[first - 1 : last]
        if not re.fullmatch(pattern, text):
            raise TleError(
                f"{where}: {field} in columns {first}-{last} of line {number} is {text!r}, not a "
                "number in the fixed format; download the file again"
            )
        if field in _LIMITS:
            low, high, unit = _LIMITS[field]
            if not low <= float(text) <= high:
                raise TleError(f"{where}: {field} in line {number} is {text.strip()}, allowed {low:g}..{high:g} {unit}")


def parse_tle(text: str, source: str = "text") -> tuple[Tle, ...]:
    """Read two-line elements, with or without name lines, and check every character that matters.

    Checked: line order, length, checksum, format and range of every number, and that both lines of a pair
    carry the same catalogue number.

    Source: CelesTrak, "NORAD Two-Line Element Set Format"; catalogue numbers above 99,999 in the Alpha-5
    scheme.

    Args:
        text: Content of a TLE file; blank lines are skipped, a name line may start with "0 ".
        source: Name of the file for messages.

    Returns:
        The satellites in the order of the text. A satellite without a name line is called by its catalogue
        number.

    Raises:
        TleError: With file, line, satellite, what was found, what was expected, and what to do.
    """
    numbered = [(number, line.rstrip()) for number, line in enumerate(text.splitlines(), start=1) if line.strip()]
    satellites: list[Tle] = []
    cursor = 0
    while cursor < len(numbered):
        line_number, line = numbered[cursor]
        name = ""
        if not re.match(r"[12] [ 0-9A-Z]{5}", line):
            name = line.removeprefix("0 ").strip()
            cursor += 1
        pair = numbered[cursor : cursor + 2]
        label = f", satellite {name!r}" if name else ""
        if len(pair) < 2:
            raise TleError(f"{source}, line {line_number}{label}: the file ends inside a satellite; download it again")
        for number, (at, element_line) in enumerate(pair, start=1):
            _check_line(element_line, number, f"{source}, line {at}{label}")
        (_, line1), (at, line2) = pair
        if line1[2:7] != line2[2:7]:
            raise TleError(
                f"{source}, line {at}{label}: line 2 belongs to catalogue number {line2[2:7].strip()!r}, but "
                f"line 1 to {line1[2:7].strip()!r}; two satellites are mixed: download the file again"
            )
        satellites.append(Tle(name or line1[2:7].strip(), line1, line2))
        cursor += 2
    if not satellites:
        raise TleError(f"{source}: no satellite found; expected two-line elements")
    return tuple(satellites)


def propagate_tle(
    satellites: Sequence[Tle], jd: NDArray[np.float64] | float, fraction: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Propagate satellites by SGP4/SDP4.

    Source: D. A. Vallado et al., "Revisiting Spacetrack Report #3", AIAA 2006-6753, in the library `sgp4`.

    Args:
        satellites: Checked elements, [n_sat].
        jd: Julian date UTC, scalar or [n_time].
        fraction: Further days to add, [n_time].

    Returns:
        Position in m and velocity in m/s in TEME axes, each [n_sat, n_time, 3].

    Raises:
        PropagationError: When SGP4 reports an error for any satellite at any time (decayed, elements out of
            range); no satellite is dropped silently.
    """
    fractions = np.ascontiguousarray(np.atleast_1d(fraction), dtype=np.float64)
    whole = np.ascontiguousarray(np.broadcast_to(np.asarray(jd, dtype=np.float64), fractions.shape))
    errors, position_km, velocity_km_s = SatrecArray([tle.record for tle in satellites]).sgp4(whole, fractions)
    if errors.any():
        bad = np.flatnonzero(errors.any(axis=1))
        first = satellites[int(bad[0])]
        column = int(np.flatnonzero(errors[bad[0]])[0])
        reason = SGP4_ERRORS[int(errors[bad[0], column])]
        when = utc_from_julian_date(float(whole[column]), float(fractions[column]))
        others = ", ".join(satellites[int(row)].name for row in bad[1:10])
        raise PropagationError(
            f"SGP4 cannot propagate satellite {first.name!r} (epoch {first.epoch_utc:%Y-%m-%d %H:%M} UTC) to "
            f"{when:%Y-%m-%d %H:%M} UTC: {reason}. Choose a time near the epoch, or remove the satellite"
            + (f" ({len(bad) - 1} more fail: {others})" if others else "")
        )
    return position_km * 1000.0, velocity_km_s * 1000.0
