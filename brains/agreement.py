"""Whether a version of a network still says what the network says: the gate of every version.

Converters may be wrong and say nothing: outputs in another order, weights that are not numbers,
ranges that cut off. So both answer frames that no calibration has seen, and are compared in the
units of the command. Pure arithmetic.
"""

from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

WARN_FROM, REFUSE_FROM = 0.01, 0.1
"""Shares of the variance of the network's answers that may be lost.

Of eight public and own networks the best int8 versions lost 0.01 % to 1.2 %, the poorest that was
right 3 %, those of TFLite's integer converter up to 13 %; what was plainly wrong 17 % to 200 %.
"""
LEAST_DEVIATION = {"v": 0.01, "w": 0.01}
"""Standard deviation in m/s and rad/s below which a network answers a constant."""
MOST_APART = {"v": 0.3, "w": 0.1}
"""How far (rmse, m/s and rad/s) a version may be from a network that answers a constant."""
UNITS = {"v": "m/s", "w": "rad/s"}

Verdict = Literal["agrees", "agrees less", "refused", "unknown"]
Commands = NDArray[np.float64]


class Apart(BaseModel):
    """How far the answers for one of speed and yaw rate are from the network's.

    Attributes:
        rmse: Root of the mean squared difference, m/s or rad/s.
        p99: 99th percentile of the absolute difference.
        share: Mean squared difference / variance of the network's answers; None where these
            hardly vary.
        reason: Why there is no share.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    rmse: float
    p99: float
    share: float | None = None
    reason: str | None = None


class Agreement(BaseModel):
    """How a version's answers compare with those of its network.

    Attributes:
        frames: How many frames both answered.
        v: Speed; None where the version answered what is no number.
        w: Yaw rate, likewise.
        verdict: ``agrees``; ``agrees less`` from 1 % of the variance on; ``refused`` from 10 %
            on; ``unknown`` where the network answers constants.
        detail: The verdict in one line.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    frames: int
    v: Apart | None = None
    w: Apart | None = None
    verdict: Verdict
    detail: str

    @property
    def share(self) -> float | None:
        """The greater share of variance of the two; None where neither has one."""
        shares = [a.share for a in (self.v, self.w) if a is not None and a.share is not None]
        return max(shares, default=None)


def compare(network: Commands, version: Commands) -> Agreement:
    """Compare a version's commands with its network's.

    Args:
        network: Commands of the network as it came, (n, 2): v m/s, w rad/s; all finite.
        version: Those of the version for the same frames.

    Raises:
        ValueError: There are no frames, or the shapes differ.
    """
    if network.shape != version.shape or network.ndim != 2 or len(network) == 0:
        raise ValueError(f"can't compare answers of shapes {network.shape} and {version.shape}")
    frames = len(network)
    bad = int(np.count_nonzero(~np.isfinite(version).all(axis=1)))
    if bad:
        detail = f"answers {bad} of {frames} frames with what is no number"
        return Agreement(frames=frames, verdict="refused", detail=detail)
    parts = {
        name: _apart(name, network[:, column], version[:, column])
        for column, name in enumerate(UNITS)
    }
    verdict, detail = _judged(parts)
    return Agreement(frames=frames, **parts, verdict=verdict, detail=detail)


def _apart(name: str, network: Commands, version: Commands) -> Apart:
    differences = version.astype(np.float64) - network.astype(np.float64)
    mse = float(np.square(differences).mean())
    deviation = float(network.astype(np.float64).std())
    figures = {"rmse": mse**0.5, "p99": float(np.percentile(np.abs(differences), 99))}
    if deviation < LEAST_DEVIATION[name]:
        reason = f"the network answers a constant here: {name} varies by {deviation:.2g}"
        return Apart(**figures, reason=f"{reason} {UNITS[name]}")
    return Apart(**figures, share=mse / deviation**2)


def _judged(parts: dict[str, Apart]) -> tuple[Verdict, str]:
    """The verdict and what it rests on."""
    for name, apart in parts.items():
        if apart.share is None and apart.rmse > MOST_APART[name]:
            far = f"{name} is {apart.rmse:.3g} {UNITS[name]} (rmse) from it"
            return "refused", f"{apart.reason}, and {far}"
    shares = {name: a.share for name, a in parts.items() if a.share is not None}
    if not shares:
        return "unknown", "; ".join(str(apart.reason) for apart in parts.values())
    worst = max(shares, key=lambda name: shares[name])
    share, apart = shares[worst], parts[worst]
    text = f"{worst} differs by {apart.rmse:.2g} {UNITS[worst]} (rmse), {share:.2%} of its variance"
    if share >= REFUSE_FROM:
        return "refused", f"{text}: {REFUSE_FROM:.0%} are refused"
    return ("agrees less" if share >= WARN_FROM else "agrees"), text
