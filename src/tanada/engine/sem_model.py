"""From model text and data to a fitted SEM: the steps, in order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from tanada.engine.sem_base import Sample
from tanada.engine.sem_fit import SemFit, fit_sem
from tanada.engine.sem_single import FimlSample, MomentSample
from tanada.engine.sem_twolevel import TwoLevelFimlSample, TwoLevelSample
from tanada.engine.sem_wls import LeastSquaresSample
from tanada.errors import DataError, ModelError, did_you_mean
from tanada.partable.build import build_table
from tanada.partable.options import TableOptions
from tanada.partable.roles import roles
from tanada.partable.table import ParameterTable
from tanada.semmodel.data import Request, SemData, from_moments, read_data
from tanada.semmodel.options import SemOptions
from tanada.syntax.messages import syntax_error
from tanada.syntax.parse import parse_model
from tanada.syntax.statements import ModelText

LEAST_SQUARES = ("GLS", "ULS", "WLS", "DWLS", "WLSM", "WLSMV", "ULSM", "ULSMV")


def observed_names(model: ModelText) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Observed variables of all blocks in order of appearance, and the predictors (candidates for fixed x)."""
    names: dict[str, None] = {}
    x: dict[str, None] = {}
    latent = {t.lhs for s in model.sections for t in s.terms if t.op in ("=~", "<~")}
    for key in dict.fromkeys((s.group, s.level) for s in model.sections):
        r = roles([t for s in model.sections if (s.group, s.level) == key for t in s.terms])
        names.update(dict.fromkeys(v for v in r.ov if v not in latent))
        x.update(dict.fromkeys(r.x))
        for v in r.ov:
            if v in latent:
                raise syntax_error(model.text, 0, f"'{v}' is a latent variable of another block; latent variables belong to one block.")
    return tuple(names), tuple(x)


def fit_model(text: str, options: SemOptions, data: Any = None, cluster: str | None = None, group: str | None = None, ordered: Sequence[str] = (), weights: str | None = None,
              sample: tuple[Any, Any, Any] | None = None) -> SemFit:  # fmt: skip
    """Parse, read, tabulate, fit."""
    model = parse_model(text)
    names, x = observed_names(model)
    _check_factors(model, names)
    fiml = options.missing in ("fiml", "ml")
    if ordered:
        options, ordered = _ordered_options(options, ordered, names, x, model)
    elif any(t.op == "|" for s in model.sections for t in s.terms):
        options, ordered = _ordered_options(options, sorted({t.lhs for s in model.sections for t in s.terms if t.op == "|"}), names, x, model)
    if (data is None) == (sample is None):
        raise DataError("give either data= or sample_cov= with sample_nobs=.")
    if model.levels and cluster is None:
        raise ModelError("the model has 'level:' blocks; say which column holds the clusters with cluster=.")
    if data is None:
        assert sample is not None
        if model.levels or cluster is not None:
            raise ModelError("a two-level model needs raw data; sample_cov= serves models of one level.")
        read = from_moments(names, *sample)
    else:
        keep_x = x if options.fixed_x and not model.levels else ()
        read = read_data(data, Request(names, cluster, group, tuple(ordered), fiml, keep_x, weights, model.groups))
    table = build_table(model, table_options(model, options, read, sample), [g.label for g in read.groups], {v: len(c) - 1 for v, c in read.ordered.items()})
    view = make_sample(read, table, options)
    return fit_sem(view, _with_notes(table, read, coverage_note(view)), options)


def _ordered_options(o: SemOptions, ordered: Any, names: Sequence[str], x: Sequence[str], model: ModelText) -> tuple[SemOptions, tuple[str, ...]]:
    """Estimator of models with ordered variables, and which variables they are."""
    if model.levels:
        raise ModelError("ordered variables in a two-level model are not supported; tn.mixed fits two-level models of one ordered or binary outcome.")
    chosen = tuple(v for v in names if v not in x) if ordered is True else tuple(ordered)
    for v in chosen:
        if v not in names:
            raise ModelError(f"ordered: '{v}' is not an observed variable of the model.{did_you_mean(v, names)}")
    estimator = "WLSMV" if o.estimator == "ML" else o.estimator
    if estimator not in LEAST_SQUARES or estimator == "GLS":
        raise ModelError(f"estimator='{estimator}' is for continuous variables; ordered variables take 'WLSMV' (the default), 'DWLS', 'ULSMV', 'ULS' or 'WLS'.")
    return replace(o, estimator=estimator, fixed_x=False), chosen


def _with_notes(table: ParameterTable, data: SemData, more: tuple[str, ...]) -> ParameterTable:
    """Notes of the data, and of level 2 having more parameters than clusters."""
    notes = [*table.notes, *data.notes, *more]
    if table.n_levels > 1:
        for b in table.blocks[1::2]:
            k = len({r.free for r in table.rows if r.block == b.number and r.free})
            clusters = len(data.groups[b.group - 1].clusters)
            if clusters < k:
                notes.append(f"{clusters} clusters for {k} parameters at level 2{f' of group {b.group_label}' if b.group_label else ''}: estimates and tests of that level cannot be trusted; simplify it.")
    return replace(table, notes=tuple(notes)) if notes else table


def coverage_note(sample: Sample) -> tuple[str, ...]:
    """A note when some pair of variables is never observed together: the unrestricted model, and with it chi-square, is undefined."""
    if isinstance(sample, FimlSample) and not sample.covered:
        return ("Some pairs of variables are never observed together, so that there is no unrestricted model to test against: chi-square and fit indices are missing.",)
    return ()


def table_options(model: ModelText, o: SemOptions, data: SemData, sample: Any) -> TableOptions:
    """lavaan's defaults for this kind of model and data."""
    growth = o.kind == "growth"
    means = o.meanstructure
    if means is None:
        given = sample is not None and sample[1] is not None
        means = bool(
            growth or model.levels or data.missing or data.cluster_name is not None or o.missing in ("fiml", "ml") or len(data.groups) > 1 or data.ordered or given
            or any(t.op == "~1" for s in model.sections for t in s.terms)
        )  # fmt: skip
    elif not means and (model.levels or o.missing in ("fiml", "ml")):
        raise ModelError("meanstructure=False: a two-level model and missing='fiml' need the means.")
    fixed_x = o.fixed_x and not (model.levels and data.missing and _shared_x(model))
    return TableOptions(
        meanstructure=bool(means), std_lv=o.std_lv, fixed_x=fixed_x, orthogonal=o.orthogonal,
        int_ov_free=(not growth) if o.int_ov_free is None else o.int_ov_free, int_lv_free=growth if o.int_lv_free is None else o.int_lv_free,
        auto_fix_first=o.auto_fix_first, auto_var=o.auto_var, auto_cov_lv_x=o.auto_cov_lv_x, auto_cov_y=o.auto_cov_y,
        effect_coding=o.effect_coding, parameterization=o.parameterization, group_equal=o.group_equal, group_partial=o.group_partial,
    )  # fmt: skip


def _shared_x(model: ModelText) -> bool:
    """A predictor at both levels: with missing values its moments are estimated (as lavaan does), since they have no closed form."""
    by_level = [roles([t for s in model.sections if s.level == lev for t in s.terms]) for lev in model.levels]
    return len(by_level) == 2 and any(v in by_level[1].ov for v in by_level[0].x) or any(v in by_level[0].ov for v in by_level[1].x)


def _check_combination(data: SemData, table: ParameterTable, o: SemOptions, fiml: bool) -> None:
    """Options that do not go together, before anything is fitted."""
    two, least_squares = table.n_levels > 1, o.estimator in LEAST_SQUARES
    if two and least_squares:
        raise ModelError(f"estimator='{o.estimator}' is for models of one level; a two-level model takes 'ML' or 'MLR'.")
    if o.estimator in ("MLM", "MLMV", "MLMVS") and (two or fiml):
        raise ModelError(f"estimator='{o.estimator}' needs complete data of one level; 'MLR' is the robust estimator of {'two-level models' if two else 'incomplete data'}.")
    if any(g.weights is not None for g in data.groups) and (two or fiml or data.ordered):
        raise ModelError("weights= serves complete continuous data of one level" + (" (not two-level models)." if two else " (not missing='fiml' or ordered variables)."))
    if o.likelihood == "wishart" and (two or fiml or least_squares):
        raise ModelError("likelihood='wishart' serves maximum likelihood on complete data of one level.")
    if o.se == "cluster" and data.cluster_name is None:
        raise ModelError("se='cluster' needs cluster=, the column of the clusters.")
    if o.test is not None and o.test.startswith("yuan") and least_squares:
        raise ModelError(f"test='{o.test}' needs a likelihood; least-squares estimators take 'satorra.bentler', 'mean.var.adjusted' or 'scaled.shifted'.")


def make_sample(data: SemData, table: ParameterTable, options: SemOptions) -> Sample:
    """The engine's view of the data."""
    fiml = options.missing in ("fiml", "ml")
    _check_combination(data, table, options, fiml)
    if table.n_levels > 1:
        return TwoLevelFimlSample(data, table) if data.missing else TwoLevelSample(data, table)
    if data.ordered or options.estimator in LEAST_SQUARES:
        if fiml:
            raise ModelError("missing='fiml' is maximum likelihood; least-squares estimators and ordered variables take missing='listwise'.")
        return LeastSquaresSample(data, table, options.estimator, options.parameterization == "theta")
    if fiml:
        return FimlSample(data, table)
    return MomentSample(data, table, options.likelihood == "wishart")


def _check_factors(model: ModelText, names: Sequence[str]) -> None:
    """A latent variable has to be defined: names that only look latent are reported when the data are read."""
    if not names:
        raise syntax_error(model.text, 0, "the model has no observed variable.")


__all__ = ["DataError", "did_you_mean", "fit_model"]
