"""Score contributions of independent clusters to the marginal log-likelihood of a Laplace or quadrature fit.

Clusters are independent when every grouping factor is nested in them; the log-likelihood is then a sum over clusters, and the gradient of the same
objective on the rows of one cluster is that cluster's score.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from tanada import _core
from tanada.design.matrices import ComponentDesign, ModelData, RandomDesign
from tanada.engine.fit import MixedFit
from tanada.engine.glmm import GlmmObjective
from tanada.engine.glmm_layout import build_layout
from tanada.errors import ModelError

Array = NDArray[np.float64]


def cluster_scores(fit: MixedFit, clusters: NDArray[np.intp]) -> Array:
    """Gradient of the log-likelihood at the optimum, one row a cluster.

    Parameters
    ----------
    fit : MixedFit
        Of the Laplace engine, without priors.
    clusters : int array (n,)
        Cluster number of each row, from 0.

    Returns
    -------
    array (G, d)
        Columns in the order of ``fit.params``; rows sum to the gradient at the optimum (zero up to convergence).
    """
    objective = fit.objective
    if not isinstance(objective, GlmmObjective):
        raise ModelError("scores by cluster are computed for fits by Laplace's approximation or quadrature.")
    if objective.options.priors:
        raise ModelError("a cluster-robust covariance is for maximum likelihood; this model was fitted with priors.")
    if objective.inputs.flat:
        raise ModelError("a cluster-robust covariance needs a fit by maximum likelihood; refit with reml=False.")
    order = np.argsort(clusters, kind="stable")
    starts = np.searchsorted(clusters[order], np.arange(int(clusters.max()) + 2))
    rows = [_score(objective, fit, np.sort(order[a:b])) for a, b in zip(starts[:-1], starts[1:])]
    return np.array(rows)


def _score(objective: GlmmObjective, fit: MixedFit, rows: NDArray[np.intp]) -> Array:
    whole = objective.inputs
    data = _subset(whole.data, rows)
    part_terms = replace(whole, data=data).core_terms()
    engine = _core.LaplaceEngine(
        whole.info.name,
        whole.info.link,
        whole.zero_inflated,
        list(whole.info.options),
        np.ascontiguousarray(data.y, float),
        np.ascontiguousarray(data.trials, float),
        np.ascontiguousarray(data.weights, float),
        whole.beta_count,
        [(np.ascontiguousarray(p.X[rows]), np.ascontiguousarray(p.offset[rows]), p.first) for p in whole.predictors],
        part_terms,
        [],
    )
    part = GlmmObjective(whole, objective.options, engine, build_layout(whole, engine), 0.0)
    return -0.5 * part.gradient(fit.values)


def _subset(data: ModelData, rows: NDArray[np.intp]) -> ModelData:
    components = tuple(replace(c, X=c.X[rows], offset=c.offset[rows], random=tuple(_terms(c, rows))) for c in data.components)
    return replace(data, y=data.y[rows], weights=data.weights[rows], trials=data.trials[rows], components=components)


def _terms(component: ComponentDesign, rows: NDArray[np.intp]) -> list[RandomDesign]:
    out = []
    for term in component.random:
        seen, codes = np.unique(term.codes[rows], return_inverse=True)
        levels = tuple(term.levels[int(i)] for i in seen)
        out.append(replace(term, codes=codes.astype(np.int32), levels=levels, Z=np.ascontiguousarray(term.Z[rows])))
    return out
