"""Mixed models as scikit-learn estimators. scikit-learn is used when it is installed and is not needed otherwise."""

from __future__ import annotations

from inspect import signature
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tanada.errors import DataError, ModelError
from tanada.frame import Frame, read_frame
from tanada.results.mixed_result import MixedResult

try:
    from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
except ImportError:

    class BaseEstimator:  # type: ignore[no-redef]
        """Parameters of an estimator, as scikit-learn's base class keeps them."""

        def get_params(self, deep: bool = True) -> dict[str, Any]:
            return {name: getattr(self, name) for name in signature(type(self).__init__).parameters if name != "self"}

        def set_params(self, **params: Any) -> Any:
            known = self.get_params()
            for name, value in params.items():
                if name not in known:
                    raise ValueError(f"Invalid parameter {name!r} for estimator {type(self).__name__}.")
                setattr(self, name, value)
            return self

    class RegressorMixin:  # type: ignore[no-redef]
        """R squared as score."""

        def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
            y = np.asarray(y, float)
            error = y - self.predict(X)  # type: ignore[attr-defined]
            w = np.ones(len(y)) if sample_weight is None else np.asarray(sample_weight, float)
            return 1.0 - float(np.sum(w * error**2) / np.sum(w * (y - np.average(y, weights=w)) ** 2))

    class ClassifierMixin:  # type: ignore[no-redef]
        """Accuracy as score."""

        def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
            return float(np.average(np.asarray(y) == self.predict(X), weights=sample_weight))  # type: ignore[attr-defined]


GROUP = "group_"


class InputError(DataError, ValueError):
    """Data that an estimator cannot use: a `DataError` of ours and a `ValueError` as scikit-learn expects."""


class _Mixed(BaseEstimator):
    """What regressor and classifier share; see `MixedRegressor`."""

    def __init__(self, formula: str | None = None, random: str = "1", family: str = "gaussian", reml: bool = False, conditional: bool = True) -> None:
        self.formula = formula
        self.random = random
        self.family = family
        self.reml = reml
        self.conditional = conditional

    def _fit(self, X: Any, y: NDArray[Any], groups: Any, sample_weight: Any) -> None:
        from tanada.api.mixed_models import mixed

        frame, names = _columns(X)
        self.n_features_in_ = len(names)
        if _has_names(X):
            self.feature_names_in_ = np.array(names, dtype=object)
        if frame.n != len(y):
            raise InputError(f"X has {frame.n} rows and y has {len(y)}.")
        formula = self.formula
        data = {n: frame.column(n).labels() for n in names}
        if formula is None:
            terms = " + ".join(_quoted(n) for n in names) or "1"
            formula = f"y_ ~ {terms}" + ("" if groups is None else f" + ({self.random} | {GROUP})")
        response = formula.partition("~")[0].strip() or "y_"
        if formula.strip().startswith("~"):
            formula = f"{response} {formula.strip()}"
        data[response.strip("`")] = y
        if groups is not None:
            data[GROUP] = _labels(groups, frame.n)
        self.formula_ = formula
        weights = None if sample_weight is None else np.asarray(sample_weight, float)
        family = self.family
        self.result_: MixedResult = mixed(formula, data, family=family, reml=self.reml, weights=weights, quiet=True)
        self.coef_ = np.asarray(self.result_.fit.beta["cond"], float)
        self.coef_names_ = list(self.result_.fit.data.components[0].names)

    def __getstate__(self) -> dict[str, Any]:
        """The fit as the bytes of `MixedResult.save`, since engines cannot be pickled."""
        state = dict(self.__dict__)
        if "result_" in state:
            with TemporaryDirectory() as folder:
                path = Path(folder) / "fit.tanada"
                state.pop("result_").save(path)
                state["saved_"] = path.read_bytes()
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        from tanada.results.storage import load_mixed

        state = dict(state)
        saved = state.pop("saved_", None)
        self.__dict__.update(state)
        if saved is not None:
            with TemporaryDirectory() as folder:
                path = Path(folder) / "fit.tanada"
                path.write_bytes(saved)
                self.result_ = load_mixed(path)

    def _mean(self, X: Any, groups: Any) -> NDArray[np.float64]:
        if not hasattr(self, "result_"):
            raise _not_fitted(self)
        frame, names = _columns(X)
        if len(names) != self.n_features_in_:
            raise InputError(f"X has {len(names)} features, but {type(self).__name__} is expecting {self.n_features_in_} features as input.")
        data = {n: frame.column(n).labels() for n in names}
        if groups is not None:
            data[GROUP] = _labels(groups, frame.n)
        own = [v for c in self.result_.design.spec.components for v in self.result_.design.spec.parsed(c.name).group_variables()]
        conditional = self.conditional and all(v in data for v in own)
        found = self.result_.predict(data, re=conditional, std_error=False)
        return np.asarray(found["estimate"], float)


class MixedRegressor(RegressorMixin, _Mixed):
    """A mixed model as a scikit-learn regressor.

    Parameters
    ----------
    formula : str, optional
        Mixed-model formula over the columns of X, "y ~ x + (x | school)" or "~ x + (1 | school)"; default all columns, with "(random | groups)" when `fit` is given groups.
    random : str
        Random effects of `groups` when there is no formula: "1", "x", ...
    family : str
        Response family of `tn.mixed`.
    reml : bool
    conditional : bool
        Whether predictions use the random effects of groups that were in the fit; new groups are predicted at zero.

    Attributes
    ----------
    result_ : MixedResult
    coef_, coef_names_ : fixed effects and their names
    n_features_in_ : int

    Examples
    --------
    >>> import tanada as tn
    >>> from tanada.sklearn import MixedRegressor
    >>> d = tn.load_dataset("school_survey")
    >>> r = MixedRegressor().fit(d[["escs"]], d["read_score"], groups=d["school_id"])
    >>> r.predict(d[["escs"]]).shape
    (5766,)
    """

    def fit(self, X: Any, y: Any, groups: Any = None, sample_weight: Any = None) -> MixedRegressor:
        """Fit the model.

        Parameters
        ----------
        X : data frame or array (n, p)
        y : array (n,)
        groups : array (n,), optional
        sample_weight : array (n,), optional

        Returns
        -------
        MixedRegressor
        """
        self._fit(X, _numbers(y), groups, sample_weight)
        return self

    def predict(self, X: Any, groups: Any = None) -> NDArray[np.float64]:
        """Means of the rows of X.

        Parameters
        ----------
        X : data frame or array (n, p)
        groups : array (n,), optional
            Groups of the rows; without them the prediction is at random effects of zero.

        Returns
        -------
        array (n,)
        """
        return self._mean(X, groups)


class MixedClassifier(ClassifierMixin, _Mixed):
    """A logistic (or probit, ...) mixed model as a scikit-learn classifier of two classes; parameters as `MixedRegressor`.

    Attributes
    ----------
    classes_ : array (2,)
    result_ : MixedResult

    Examples
    --------
    >>> import tanada as tn
    >>> from tanada.sklearn import MixedClassifier
    >>> d = tn.load_dataset("school_survey")
    >>> c = MixedClassifier().fit(d[["escs"]], d["wants_univ"], groups=d["school_id"])
    >>> c.predict_proba(d[["escs"]]).shape
    (5766, 2)
    """

    def __init__(self, formula: str | None = None, random: str = "1", family: str = "binomial", reml: bool = False, conditional: bool = True) -> None:
        super().__init__(formula, random, family, reml, conditional)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_class = False
        return tags

    def fit(self, X: Any, y: Any, groups: Any = None, sample_weight: Any = None) -> MixedClassifier:
        """Fit the model; see `MixedRegressor.fit`.

        Parameters
        ----------
        X : data frame or array (n, p)
        y : array (n,)
            Two classes.
        groups : array (n,), optional
        sample_weight : array (n,), optional

        Returns
        -------
        MixedClassifier

        Raises
        ------
        DataError
            When y does not hold two classes.
        """
        if y is None:
            raise InputError("this estimator requires y to be passed, but the target y is None.")
        labels = np.asarray(y.to_numpy() if hasattr(y, "to_numpy") else y).ravel()
        if labels.dtype.kind == "f" and not np.isfinite(labels).all():
            raise InputError("y contains NaN or infinity.")
        self.classes_, codes = np.unique(labels, return_inverse=True)
        if len(self.classes_) != 2:
            word = "one class" if len(self.classes_) == 1 else f"{len(self.classes_)} classes"
            raise InputError(f"Only binary classification is supported; y holds {word}.")
        self._fit(X, codes.astype(float), groups, sample_weight)
        return self

    def predict_proba(self, X: Any, groups: Any = None) -> NDArray[np.float64]:
        """Probabilities of the two classes.

        Parameters
        ----------
        X : data frame or array (n, p)
        groups : array (n,), optional

        Returns
        -------
        array (n, 2)
        """
        p = self._mean(X, groups)
        return np.column_stack([1 - p, p])

    def predict(self, X: Any, groups: Any = None) -> NDArray[Any]:
        """The more probable class of each row.

        Parameters
        ----------
        X : data frame or array (n, p)
        groups : array (n,), optional

        Returns
        -------
        array (n,)
        """
        classes: NDArray[Any] = self.classes_[(self._mean(X, groups) > 0.5).astype(int)] if hasattr(self, "classes_") else self._mean(X, groups)
        return classes


def _has_names(X: Any) -> bool:
    return hasattr(X, "columns") or isinstance(X, dict)


def _columns(X: Any) -> tuple[Frame, list[str]]:
    """The data as a frame; columns of arrays are called x0, x1, ..."""
    if hasattr(X, "toarray"):
        raise TypeError("sparse input is not supported; a dense array or a data frame is accepted.")
    if _has_names(X):
        frame = read_frame(X)
        return frame, list(frame.names)
    values = np.asarray(X)
    if values.ndim != 2:
        raise InputError(f"Expected 2D array, got {values.ndim}D array instead. Reshape your data with X.reshape(-1, 1).")
    if values.dtype.kind == "c":
        raise InputError("Complex data not supported.")
    for what, size in (("sample(s)", values.shape[0]), ("feature(s)", values.shape[1])):
        if size == 0:
            raise InputError(f"Found array with 0 {what} (shape={values.shape}) while a minimum of 1 is required.")
    values = np.asarray(values, float)
    if not np.isfinite(values).all():
        raise InputError("Input X contains NaN or infinity.")
    names = [f"x{j}" for j in range(values.shape[1])]
    return read_frame({n: values[:, j] for j, n in enumerate(names)}), names


def _quoted(name: str) -> str:
    return name if name.isidentifier() else f"`{name}`"


def _numbers(y: Any) -> NDArray[np.float64]:
    if y is None:
        raise InputError("this estimator requires y to be passed, but the target y is None.")
    values = np.asarray(y.to_numpy() if hasattr(y, "to_numpy") else y, float)
    values = values[:, 0] if values.ndim == 2 and values.shape[1] == 1 else values
    if values.ndim != 1 or not np.isfinite(values).all():
        raise InputError("y must be a vector of finite numbers; it contains NaN, infinity or several columns.")
    return values


def _labels(groups: Any, n: int) -> NDArray[Any]:
    values = np.asarray(groups.to_numpy() if hasattr(groups, "to_numpy") else groups).ravel()
    if len(values) != n:
        raise InputError(f"groups has {len(values)} values for {n} rows.")
    return values.astype(object) if values.dtype.kind in "OUS" else values


def _not_fitted(estimator: Any) -> Exception:
    try:
        from sklearn.exceptions import NotFittedError
    except ImportError:
        return ModelError(f"this {type(estimator).__name__} is not fitted yet; call fit first.")
    return NotFittedError(f"This {type(estimator).__name__} instance is not fitted yet; call 'fit' first.")
