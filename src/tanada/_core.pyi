"""Typed stub of the compiled core; one section per file of bindings/."""

from collections.abc import Callable, Sequence
from typing import Any, TypedDict

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
_Array = Array

# ---- runtime.cpp, optim.cpp

def set_threads(n: int) -> None: ...
def thread_count() -> int: ...

class MinimizeOutcome:
    x: Array
    gradient: Array
    hessian: Array
    value: float
    scaled_gradient: float
    predicted_decrease: float
    iterations: int
    evaluations: int
    converged: bool
    message: str

def minimize(
    fun: Callable[[Array], tuple[float, Array]],
    start: Array,
    lower: Array,
    upper: Array,
    max_iterations: int = 300,
    tol_gradient: float = 1e-6,
    tol_decrease: float = 1e-10,
    curvature: Callable[[Array], Array | None] | None = None,
) -> MinimizeOutcome: ...

# ---- sem.cpp

class SemBlock:
    """Cells of the matrices 0 lambda, 1 theta, 2 psi, 3 beta, 4 nu, 5 alpha; symmetric ones as one triangle; unlisted cells are 0."""

    n_ov: int
    n_lv: int
    def __init__(
        self,
        n_ov: int,
        n_lv: int,
        matrix: NDArray[np.int8],
        row: NDArray[np.int32],
        col: NDArray[np.int32],
        free: NDArray[np.int32],
        value: Array,
    ) -> None: ...

class SemModel:
    """Blocks in the order group 1 (within, between), group 2 (within, between), ...; one block a group for one level."""

    n_free: int
    n_blocks: int
    def __init__(self, n_free: int, blocks: Sequence[SemBlock]) -> None: ...
    def implied(self, block: int, x: Array) -> tuple[Array, Array]: ...
    def matrices(self, block: int, x: Array) -> dict[str, Array]:
        """lambda, theta, psi, nu, alpha and inverse = (I - B)^-1."""
    def jacobian(self, block: int, x: Array) -> Array:
        """d (vech Sigma, mu) / d x; vech runs down the columns of the lower triangle."""

class SemObjective:
    """`value` is -2 log-likelihood (with constants) or a discrepancy. A failed evaluation is (inf, NaN)."""

    n_free: int
    def value(self, x: Array) -> float: ...
    def evaluate(self, x: Array) -> tuple[float, Array]: ...
    def expected_information(self, x: Array) -> Array:
        """Expected information of the log-likelihood: half the expected Hessian of `value`. NaN where moments are impossible."""
    def hessian(self, x: Array) -> Array:
        """Hessian of `value` (twice the observed information): exact for moments, FIML and complete two-level data, else
        `difference_hessian`."""
    def difference_hessian(self, x: Array) -> Array:
        """Central differences of the exact gradient; NaN where a difference fails."""
    def fit(
        self,
        start: Array,
        lower: Array,
        upper: Array,
        max_iterations: int = 300,
        tol_gradient: float = 1e-6,
        tol_decrease: float = 1e-10,
        basis: Array | None = None,
        offset: Array | None = None,
    ) -> MinimizeOutcome:
        """Fisher scoring, then BFGS. With `basis`, x = basis z + offset and start, lower, upper are for z; `outcome.x` is x,
        `outcome.gradient` and `outcome.hessian` are in z."""

# ---- sem_objectives.cpp

class MomentObjective(SemObjective):
    def __init__(self, model: SemModel, groups: Sequence[tuple[float, Array, Array | None]]) -> None:
        """groups: (n, S with divisor n, means or None) per block."""
    def scores(self, x: Array, group: int, Y: Array) -> Array:
        """d l_i / d x of the rows of Y; their sum is -gradient / 2."""

class _ClusterGroup(TypedDict):
    y: Array  # (N, p): variables measured on rows, C order; NaN only for TwoLevelFimlObjective
    code: NDArray[np.int64]  # (N,): cluster of each row, 0 .. J-1, all used
    z: Array | None  # (J, q): between-only variables
    within_index: Sequence[int]  # for each variable of the within block its column of y (each column once)
    between_index: Sequence[int]  # for each variable of the between block: column k of y as k, column k of z as p + k

class TwoLevelObjective(SemObjective):
    def __init__(self, model: SemModel, groups: Sequence[_ClusterGroup]) -> None: ...
    def scores(self, x: Array, group: int = 0) -> Array:
        """d l_j / d x, one row per cluster of the group."""
    def stats(self, group: int = 0) -> dict[str, Any]:
        """n_rows, n_clusters, within_cov (divisor N - J), between_cov (moment estimate), cluster_means, cluster_sizes."""

class FimlObjective(SemObjective):
    def __init__(self, model: SemModel, groups: Sequence[Array]) -> None:
        """groups: (n, p) data with NaN, C order, one per block. Rows with nothing observed hold no information."""
    def scores(self, x: Array, group: int = 0) -> Array:
        """d l_i / d x, one row per row of the group."""
    def patterns(self, group: int = 0) -> list[tuple[list[int], list[int]]]:
        """(observed columns, rows) of each missing pattern."""

def h1_fiml(Y: Array, max_iterations: int = 5000, tol: float = 1e-7) -> dict[str, Any]:
    """Unrestricted moments of rows with missing values: loglik, mean, cov, iterations, converged."""

class TwoLevelFimlObjective(SemObjective):
    """NaN allowed in y and z. `expected_information` is an approximation here: take standard errors from `hessian`."""

    def __init__(self, model: SemModel, groups: Sequence[_ClusterGroup]) -> None: ...
    def scores(self, x: Array, group: int = 0) -> Array:
        """d l_j / d x, one row per cluster of the group."""

class _SlopeGroup(_ClusterGroup):
    x: Array  # (N, R) regressors with slopes that vary, fixed, no NaN
    slope_outcome: Sequence[int]  # for each column of x the within latent variable it acts on; slope r is p + q + r in between_index

class TwoLevelSlopeObjective(SemObjective):
    """Likelihood of y and z given x; NaN allowed in y and z. The between block's mean of a slope is the fixed effect of its regressor, a slope
    without variance a plain regression. `expected_information` is an approximation: take standard errors from `hessian`."""

    def __init__(self, model: SemModel, groups: Sequence[_SlopeGroup]) -> None: ...
    def scores(self, x: Array, group: int = 0) -> Array: ...

# ---- sem_wls.cpp

class _StatsGroup(TypedDict, total=False):
    stats: Array  # (r,) sample statistics
    weight: Array  # (r, r), or (r,) for a diagonal; include n where the discrepancy needs it
    kind: Sequence[int]  # per statistic: 0 covariance (row, col), 1 mean (row), 2 threshold (row = variable, col = position in tau)
    row: Sequence[int]
    col: Sequence[int]
    tau_free: Sequence[int]  # thresholds: free parameter or -1, and the value when fixed
    tau_value: Sequence[float]
    delta_free: Sequence[int]  # scale of each variable (p,); default 1
    delta_value: Sequence[float]
    standardized: Sequence[int]  # 1 where the scale is Sigma_ii^-1/2 (theta parameterisation)

class WlsObjective(SemObjective):
    """F = sum (s - sigma)' W (s - sigma); sigma: d_i d_j Sigma_ij, d_i mu_i or d_i (tau - mu_i). `expected_information` is J' W J."""

    def __init__(self, model: SemModel, groups: Sequence[_StatsGroup]) -> None: ...
    def implied_stats(self, x: Array, group: int = 0) -> Array: ...
    def stats_jacobian(self, x: Array, group: int = 0) -> Array:
        """d sigma / d x, (r, n_free)."""

def polychoric(Y: Array, categories: Sequence[int], gamma: bool = True) -> dict[str, Any]:
    """Two-stage thresholds and polychoric, polyserial, Pearson correlations of (n, p) codes 0 .. k-1 (categories k) or numbers (0); NaN missing.

    thresholds (list), mean, variance, correlation, converged; and as sample statistics of `WlsObjective`: stats, kind, row, col, gamma
    (n times their asymptotic covariance): thresholds and means by variable, variances of continuous ones, covariances by columns of the
    strict lower triangle.
    """

def bivariate_normal_cdf(a: float, b: float, rho: float) -> float: ...
def normal_quantile(p: float) -> float: ...

# ---- family.cpp
def family_registry() -> list[dict[str, Any]]: ...
def family_evaluate(
    name: str, link: str, zero_inflated: bool, options: list[float], y: Array, trials: Array, weights: Array, eta: Array,
    order: int, by_hand: bool = True,
) -> tuple[Array, Array | None, Array | None, Array | None]: ...
def family_expected_weight(
    name: str, link: str, zero_inflated: bool, options: list[float], y: Array, trials: Array, weights: Array, eta: Array
) -> Array | None: ...

# ---- gaussian.cpp

class GaussianSolution(TypedDict):
    deviance: float
    sigma2: float
    r2: float
    beta: Array
    unscaled: Array
    modes: list[Array]

class GaussianModel:
    """Profiled ML/REML deviance of a Gaussian mixed model.

    `factors`: (levels, codes int32 (n,)) each; `terms`: (factor, predictor, Z (n, k), structure, options) each.
    """

    @staticmethod
    def build(
        X: Array, y: Array, weights: Array | None, factors: Sequence[tuple[int, Any]], terms: Sequence[tuple[int, int, Any, str, dict[str, Any]]]
    ) -> GaussianModel: ...
    def theta_info(self) -> list[tuple[str, float, float, float, bool]]: ...
    def theta_start(self, t: int) -> int: ...
    def moment_start(self) -> Array: ...
    def set_response(self, y: Array, X: Array) -> None: ...
    def evaluate(self, theta: Array, reml: bool) -> tuple[float, Array, int]: ...
    def value(self, theta: Array, reml: bool) -> tuple[float, int]: ...
    def evaluate_sigma(self, theta: Array, sigma: float, reml: bool) -> tuple[float, Array, int]: ...
    def solution(self, theta: Array, reml: bool) -> GaussianSolution | None: ...
    def term_factor(self, t: int, theta: Array) -> Array: ...
    def conditional_variances(self, term: int) -> Array: ...
    def unscaled_derivatives(self, theta: Array) -> list[Array]: ...
    def fit(
        self, start: Array, reml: bool, max_iterations: int = 300, tol_gradient: float = 1e-6, tol_decrease: float = 1e-10
    ) -> MinimizeOutcome: ...

# ---- covariance.cpp

def structure_kinds() -> list[str]: ...
def structure_info(
    kind: str, k: int, coords: Array | None = None, known: Array | None = None, rank: int = 0
) -> list[dict[str, Any]]: ...
def structure_factor(
    kind: str, k: int, coords: Array | None, known: Array | None, rank: int, theta: Array
) -> Array | None: ...
def structure_pullback(
    kind: str, k: int, coords: Array | None, known: Array | None, rank: int, theta: Array, dL: Array
) -> Array: ...
# ---- laplace.cpp

class LaplaceEngine:
    def __init__(
        self, family: str, link: str, zero_inflated: bool, options: list[float], y: Array, trials: Array, weights: Array,
        beta_count: int, predictors: list[tuple[Array, Array, int]], terms: list[dict[str, Any]],
        priors: list[tuple[str, int, int, float, float, float]],
    ) -> None: ...
    def fit(
        self, start: Array, nagq: int = 1, max_iterations: int = 300, tol_gradient: float = 1e-6, tol_decrease: float = 1e-9,
        hessian: bool = True, glm_start: bool = True, theta_given: list[bool] = ...,
    ) -> dict[str, Any]: ...
    def evaluate(self, psi: Array, nagq: int = 1) -> tuple[float, Array, str]: ...
    def hessian(self, psi: Array, nagq: int = 1) -> Array: ...
    def log_prior(self, psi: Array) -> float: ...
    def set_response(self, y: Array) -> None: ...
    def effect_derivatives(self, term: int) -> Array: ...
    def term_parameters(self) -> list[tuple[int, int]]: ...
    def predictors(self) -> Array: ...
    def term_effects(self, term: int) -> tuple[Array, Array]: ...
    def term_factor(self, term: int) -> Array: ...
    def theta_info(self) -> list[tuple[str, float, float, float, bool]]: ...
    def bounds(self) -> tuple[Array, Array]: ...
def gauss_hermite(n: int) -> tuple[Array, Array]: ...
