"""Small random models for the tests of the Laplace engine, and a dense version of it in plain NumPy."""

import numpy as np

from tanada import _core


class Case:
    """A model in the core's terms.

    `predictors`: list of (X, offset, first); `terms`: list of dicts (predictor, codes, levels, Z, kind).
    """

    def __init__(
        self,
        family,
        y,
        predictors,
        terms,
        *,
        link="",
        zero_inflated=False,
        options=(),
        trials=None,
        weights=None,
        priors=(),
    ):
        n = len(y)
        self.family, self.link, self.zero_inflated, self.options = family, link, zero_inflated, list(options)
        self.y = np.asarray(y, float)
        self.trials = np.ones(n) if trials is None else np.asarray(trials, float)
        self.weights = np.ones(n) if weights is None else np.asarray(weights, float)
        self.predictors = [(np.ascontiguousarray(X, float), np.asarray(o, float), f) for X, o, f in predictors]
        self.terms = [dict(t, Z=np.ascontiguousarray(t["Z"], float), flat=t.get("flat", False)) for t in terms]
        self.p = max((f + X.shape[1] for X, _, f in self.predictors), default=0)
        self.priors = list(priors)

    def engine(self):
        return _core.LaplaceEngine(
            self.family,
            self.link,
            self.zero_inflated,
            self.options,
            self.y,
            self.trials,
            self.weights,
            self.p,
            self.predictors,
            self.terms,
            self.priors,
        )

    def factor(self, theta):
        """Dense Lambda (all levels) and Z by predictor: (q, q), list of (n, q)."""
        n, m = len(self.y), len(self.predictors)
        blocks, Zs, at = [], [[] for _ in range(m)], 0
        for t in self.terms:
            k, levels = t["Z"].shape[1], t["levels"]
            L = np.zeros((k, k))
            if t["flat"]:
                L = np.eye(k)
            elif t["kind"] == "us":
                for c in range(k):
                    for r in range(c, k):
                        L[r, c] = theta[at]
                        at += 1
            else:
                for c in range(k):
                    L[c, c] = theta[at]
                    at += 1
            D = np.zeros((n, levels * k))
            for i in range(n):
                D[i, t["codes"][i] * k : t["codes"][i] * k + k] = t["Z"][i]
            for a in range(m):
                Zs[a].append(D if a == t["predictor"] else np.zeros_like(D))
            blocks += [L] * levels
        q = sum(len(b) for b in blocks)
        Lambda, at = np.zeros((q, q)), 0
        for b in blocks:
            Lambda[at : at + len(b), at : at + len(b)] = b
            at += len(b)
        return Lambda, [np.hstack(z) for z in Zs]

    def derivatives(self, eta, order):
        return _core.family_evaluate(
            self.family,
            self.link,
            self.zero_inflated,
            self.options,
            self.y,
            self.trials,
            self.weights,
            np.ascontiguousarray(eta),
            order,
        )

    def fixed(self, beta):
        return np.column_stack([o + X @ beta[f : f + X.shape[1]] for X, o, f in self.predictors])

    def joint(self, psi, u):
        Lambda, Zs = self.factor(psi[self.p :])
        eta = self.fixed(psi[: self.p]) + np.column_stack([Z @ (Lambda @ u) for Z in Zs])
        return float(np.sum(self.derivatives(eta, 0)[0]) - 0.5 * u @ u)

    def laplace(self, psi):
        """Deviance from dense matrices: Newton on u, log-determinant of the full Hessian."""
        m = len(self.predictors)
        Lambda, Zs = self.factor(psi[self.p :])
        fixed = self.fixed(psi[: self.p])
        V = [Z @ Lambda for Z in Zs]
        u = np.zeros(Lambda.shape[0])
        pairs = [(a, b) for a in range(m) for b in range(a, m)]
        for _ in range(100):
            eta = fixed + np.column_stack([v @ u for v in V])
            value, d1, d2, _ = self.derivatives(eta, 2)
            g = sum(V[a].T @ d1[:, a] for a in range(m)) - u
            H = np.eye(len(u))
            for (a, b), at in zip(pairs, range(len(pairs))):
                S = V[a].T @ (d2[:, at][:, None] * V[b])
                H -= S if a == b else S + S.T
            step = np.linalg.solve(H, g)
            here, t = value.sum() - 0.5 * u @ u, 1.0
            while t > 1e-8 and self.joint(psi, u + t * step) < here:
                t *= 0.5
            u = u + t * step
            if g @ step < 1e-20:
                break
        return -2 * (value.sum() - 0.5 * u @ u - 0.5 * np.linalg.slogdet(H)[1])


def numeric_gradient(f, x, h=1e-5):
    out = np.zeros(len(x))
    for j in range(len(x)):
        a, b = x.copy(), x.copy()
        a[j] += h
        b[j] -= h
        out[j] = (f(a) - f(b)) / (2 * h)
    return out


def grouping(rng, n, levels):
    codes = rng.integers(0, levels, n).astype(np.int32)
    codes[:levels] = np.arange(levels)
    return codes


def build(kind, seed=1, n=60):
    """Named cases: families, crossed factors, random effects in the zero-inflation part, vector effects."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=n)
    X = np.column_stack([np.ones(n), x])
    one, zero = np.ones((n, 1)), np.zeros(n)
    g, h = grouping(rng, n, 7), grouping(rng, n, 5)
    eta = 0.3 + 0.5 * x + 0.7 * rng.normal(size=7)[g]
    intercept = {"predictor": 0, "codes": g, "levels": 7, "Z": one, "kind": "us"}
    slope = {"predictor": 0, "codes": g, "levels": 7, "Z": X, "kind": "us"}
    crossed = {"predictor": 0, "codes": h, "levels": 5, "Z": one, "kind": "us"}
    binary = (rng.random(n) < 1 / (1 + np.exp(-eta))).astype(float)
    count = rng.poisson(np.exp(eta)).astype(float)
    if kind == "logit slope":
        return Case("binomial", binary, [(X, zero, 0)], [slope]), np.array([0.2, 0.4, 0.8, 0.2, 0.5])
    if kind == "probit crossed":
        return Case("binomial", binary, [(X, zero, 0)], [intercept, crossed], link="probit"), np.array(
            [0.2, 0.4, 0.6, 0.5]
        )
    if kind == "poisson crossed slope":
        return Case("poisson", count, [(X, 0.1 * x, 0)], [slope, crossed]), np.array([0.2, 0.4, 0.6, -0.3, 0.4, 0.5])
    if kind == "poisson nested":
        inner = (g * 2 + rng.integers(0, 2, n)).astype(np.int32)
        terms = [{"predictor": 0, "codes": inner, "levels": 14, "Z": one, "kind": "us"}, intercept]
        return Case("poisson", count, [(X, zero, 0)], terms), np.array([0.2, 0.4, 0.4, 0.5])
    if kind == "nbinom2":
        return Case("nbinom2", count, [(X, zero, 0), (one, zero, 2)], [slope]), np.array([0.2, 0.4, 0.8, 0.5, 0.2, 0.5])
    if kind == "nbinom2 dispersion model":
        return Case(
            "nbinom2", count, [(X, zero, 0), (X, zero, 2)], [intercept], weights=rng.uniform(0.5, 2, n)
        ), np.array([0.2, 0.4, 0.8, 0.1, 0.5])
    if kind == "zip random zi":
        y = count * (rng.random(n) < 0.7)
        terms = [
            intercept,
            {"predictor": 1, "codes": g, "levels": 7, "Z": one, "kind": "us"},
            {"predictor": 1, "codes": h, "levels": 5, "Z": one, "kind": "us"},
        ]
        return Case("poisson", y, [(X, zero, 0), (X, zero, 2)], terms, zero_inflated=True), np.array(
            [0.4, 0.4, -0.8, 0.1, 0.6, 0.5, 0.4]
        )
    if kind == "gaussian dispersion effects":
        y = eta + rng.normal(size=n)
        terms = [slope, {"predictor": 1, "codes": g, "levels": 7, "Z": one, "kind": "us"}]
        return Case("gaussian", y, [(X, zero, 0), (X, zero, 2)], terms), np.array(
            [0.4, 0.4, 0.1, 0.1, 0.6, 0.2, 0.4, 0.3]
        )
    raise KeyError(kind)


NAMES = [
    "logit slope",
    "probit crossed",
    "poisson crossed slope",
    "poisson nested",
    "nbinom2",
    "nbinom2 dispersion model",
    "zip random zi",
    "gaussian dispersion effects",
]
