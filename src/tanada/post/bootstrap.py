"""Parametric bootstrap: data sets simulated from a fit, refitted by the same engine.

Every replicate has a random stream of its own (spawned from the seed), so results do not depend on the number of workers. Workers are threads, each with
an engine of its own; the core releases the interpreter lock while it fits.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tanada.engine.fit import MixedFit
from tanada.engine.mixed_fit import fit_mixed
from tanada.errors import ConvergenceError, DataError, ModelError
from tanada.inference.components import part_names
from tanada.inference.ddf import FixedTests
from tanada.inference.intervals import Rows, register
from tanada.inference.progress import counted
from tanada.inference.structures import theta_is_relative
from tanada.inference.workspace import Workspace
from tanada.post.simulation import simulate

Array = NDArray[np.float64]
Statistic = Callable[[MixedFit], Array]

KINDS = ("percentile", "basic", "normal")


@dataclass(frozen=True)
class Replicates:
    """Statistics of the refits.

    Attributes
    ----------
    values : array (n - failed, s)
    failed : int
        Refits that gave no estimate.
    unconverged : int
        Refits that are kept although their verdict is not clean (boundary fits are clean).
    reasons : tuple of str
        The first messages of failures, each once.
    """

    values: Array
    failed: int
    unconverged: int
    reasons: tuple[str, ...]

    def remarks(self) -> list[str]:
        """What a reader must know of refits that failed or did not converge."""
        out = []
        if self.failed:
            out.append(f"{self.failed} refits failed and were left out: {self.reasons[0]}")
        if self.unconverged:
            out.append(f"{self.unconverged} refits did not pass the convergence checks; they are kept.")
        return out


def check_replicates(n: Any, workers: Any) -> tuple[int, int]:
    """Numbers of replicates and workers.

    Raises
    ------
    ModelError
        When they are not whole numbers of 1 or more.
    """
    for name, value in (("n", n), ("workers", workers)):
        if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < 1:
            raise ModelError(f"bootstrap: {name} = {value!r}; it takes a whole number of 1 or more.")
    return int(n), int(workers)


def replicate(fits: Sequence[MixedFit], statistic: Callable[..., Array], n: int, seed: int | None, workers: int = 1, label: str = "bootstrap") -> Replicates:
    """Simulate from the first fit, refit all of them, and collect `statistic(*refits)`."""
    streams = np.random.SeedSequence(seed).spawn(n)
    chunks = np.array_split(np.arange(n), min(workers, n))

    def work(engines: list[MixedFit], numbers: NDArray[np.intp]) -> list[tuple[Array | None, bool, str]]:
        steps = counted(numbers, len(numbers), label) if engines is first else numbers
        return [_one(engines, statistic, np.random.default_rng(streams[i])) for i in steps]

    first = list(fits)
    if len(chunks) == 1:
        found = work(first, chunks[0])
    else:
        engines = [first, *([own_engine(f) for f in fits] for _ in chunks[1:])]
        with ThreadPoolExecutor(len(chunks)) as pool:
            found = [r for part in pool.map(work, engines, chunks) for r in part]
    good = [v for v, _, _ in found if v is not None]
    reasons = tuple(dict.fromkeys(reason for v, _, reason in found if v is None))[:3]
    if not good:
        raise ConvergenceError(f"All {n} refits failed. {reasons[0] if reasons else ''}")
    return Replicates(np.array(good), n - len(good), sum(not clean for v, clean, _ in found if v is not None), reasons)


def without_errors(fit: MixedFit) -> MixedFit:
    """The same fit whose refits skip the curvature at the optimum (no standard errors), which takes most of the time of small generalized models."""
    if theta_is_relative(fit):
        return fit
    options = replace(fit.objective.options, control={**fit.objective.options.control, "hessian": False})
    return replace(fit, objective=replace(fit.objective, options=options))  # type: ignore[type-var]


def own_engine(fit: MixedFit) -> MixedFit:
    """The same fit with an engine that no other thread uses."""
    start = np.asarray(fit.values, float)
    again = fit_mixed(fit.data, replace(fit.objective.options, start={"theta": start[fit.params.index("theta")]}))
    return replace(again, values=fit.values, beta=fit.beta, terms=fit.terms, sigma=fit.sigma)


def _one(fits: list[MixedFit], statistic: Callable[..., Array], rng: np.random.Generator) -> tuple[Array | None, bool, str]:
    y = simulate(fits[0], 1, rng, "new")[:, 0]
    try:
        again = [f.objective.refit(y, np.asarray(f.values, float)) for f in fits]
    except (ConvergenceError, DataError) as error:
        return None, False, str(error)
    return np.atleast_1d(np.asarray(statistic(*again), float)), all(f.verdict.converged for f in again), ""


def parameter_names(fit: MixedFit) -> list[str]:
    """Names of standard deviations, correlations, sigma (as in `confint`) and fixed effects."""
    many = len(fit.data.components) > 1
    fixed = [f"{c.name}|{n}" if many and c.name != "cond" else n for c in fit.data.components for n in c.names]
    return [*part_names(fit), *fixed]


def parameter_values(fit: MixedFit) -> Array:
    """The parameters named by `parameter_names`."""
    out: list[Array] = []
    for t in fit.terms:
        sd = np.sqrt(np.maximum(np.diag(t.cov), 0.0))
        r, c = np.tril_indices(len(sd), -1)
        scale = sd[r] * sd[c]
        with np.errstate(divide="ignore", invalid="ignore"):
            out += [sd, np.where(scale > 0, t.cov[r, c] / scale, np.nan)]
    for block in ("sigma", "dispersion"):
        out.append(np.exp(np.asarray(fit.values, float)[fit.params.index(block)]))
    return np.concatenate([*out, *(fit.beta[c.name] for c in fit.data.components)])


def limits(values: Array, estimate: Array, level: float, kind: str) -> tuple[Array, Array]:
    """Confidence limits from replicates (n, s): percentile, basic (2 est - quantile) or normal (bias-corrected).

    Raises
    ------
    ModelError
        When `kind` is unknown.
    """
    if kind not in KINDS:
        raise ModelError(f"interval = {kind!r}; it takes 'percentile', 'basic' or 'normal'.")
    low, high = np.nanquantile(values, [(1 - level) / 2, (1 + level) / 2], axis=0)
    if kind == "percentile":
        return low, high
    if kind == "basic":
        return 2 * estimate - high, 2 * estimate - low
    from scipy.special import ndtri

    centre, sd = 2 * estimate - np.nanmean(values, axis=0), np.nanstd(values, axis=0, ddof=1)
    z = float(ndtri(0.5 + level / 2))
    return centre - z * sd, centre + z * sd


@register("boot")
def boot(
    work: Workspace,
    tests: FixedTests,
    level: float,
    parm: Sequence[str] | str | None = None,
    n: int = 1000,
    seed: int | None = None,
    workers: int = 1,
    interval: str = "percentile",
    **_: Any,
) -> Rows:
    """Bootstrap intervals of all parameters."""
    n, workers = check_replicates(n, workers)
    found = replicate([without_errors(work.fit)], parameter_values, n, seed, workers)
    low, high = limits(found.values, parameter_values(work.fit), level, interval)
    return [(name, float(a), float(b)) for name, a, b in zip(parameter_names(work.fit), low, high, strict=True)]
