"""Sentences in Japanese."""

from __future__ import annotations

from collections.abc import Sequence
from math import exp

import tanada as tn
from tanada.documents.english import CORRECTIONS, measures_for
from tanada.documents.model_facts import Effect, MixedFacts, SemFacts
from tanada.documents.numbers import count, degrees, interval, p_words, plain, share

METHODS = {"ML": "最尤法", "REML": "制限付き最尤法", "Laplace": "最尤法（ラプラス近似）"}
TESTS = {
    "satterthwaite": "Satterthwaiteの近似自由度によるt検定",
    "kenward-roger": "Kenward-Rogerの近似自由度によるt検定",
    "residual": "残差自由度によるt検定",
    "z": "Waldのz検定",
}
FAMILIES = {"binomial": "二項分布", "poisson": "ポアソン分布", "gaussian": "正規分布", "gamma": "ガンマ分布", "nbinom2": "負の二項分布", "nbinom1": "負の二項分布", "beta": "ベータ分布"}
LINKS = {"logit": "ロジット", "log": "対数", "identity": "恒等", "probit": "プロビット", "inverse": "逆数"}


def method_words(method: str) -> str:
    if method.startswith("AGQ"):
        return f"最尤法（適応型ガウス・エルミート求積，{method[4:-1]}点）"
    return METHODS.get(method, method)


def mixed_japanese(f: MixedFacts) -> str:
    """The report of a mixed model."""
    return "\n\n".join(p for p in (_model(f), _shares(f), _effects(f), _random(f), _close(f)) if p)


def _model(f: MixedFacts) -> str:
    mixed = "混合" if f.groups else ""
    if f.family == "gaussian" and f.link == "identity":
        kind = f"線形{mixed}モデル"
    else:
        kind = f"一般化線形{mixed}モデル（{FAMILIES.get(f.family, f.family)}，{LINKS.get(f.link, f.link)}リンク）"
    terms = list(dict.fromkeys(e.term for e in f.effects if e.component == "cond" and e.term != "(Intercept)"))
    shown = [t.replace(":", "×") for t in terms]
    predictors = f"{'，'.join(shown)}を説明変数とする" if 0 < len(shown) <= 8 else f"{len(shown)}個の係数をもつ" if shown else "説明変数を含まない"
    groups = "，".join(f"{g}の水準は{count(k)}" for g, k in f.groups.items())
    data = f"分析に用いた観測数は{count(f.nobs)}" + (f"，{groups}" if groups else "") + "であった"
    left = f"（欠測のある{count(f.dropped)}行を除外した）" if f.dropped else ""
    random = "".join(f"変量効果として，{g}ごとの{_random_names(n)}を含めた。" for g, n in f.random)
    trouble = f"注意：{f.trouble}" if f.trouble else ""
    return f"{f.response}を被説明変数，{predictors}{kind}を{method_words(f.method)}によって推定した（モデル式：{f.formula}）。{data}{left}。{random}{trouble}".replace("被説明変数，説明変数を含まない", "被説明変数とし，説明変数を含まない")


def _random_names(names: Sequence[str]) -> str:
    slopes = [n for n in names if n != "(Intercept)"]
    parts = (["切片"] if "(Intercept)" in names else []) + ([f"{'，'.join(slopes)}の傾き"] if slopes else [])
    return "と".join(parts)


def _shares(f: MixedFacts) -> str:
    out = []
    if f.r2 is not None and any(e.term != "(Intercept)" for e in f.effects):
        marginal, conditional = f.r2
        if conditional is None:
            out.append(f"モデルは分散の{100 * marginal:.1f}%を説明した（R² = {share(marginal)}）。")
        else:
            out.append(f"固定効果によって分散の{100 * marginal:.1f}%（周辺R² = {share(marginal)}），変量効果を含めると{100 * conditional:.1f}%（条件付きR² = {share(conditional)}）が説明された{'' if f.link == 'identity' else '（線形予測子の尺度）'}。")
    if f.icc is not None:
        out.append(f"調整済み級内相関係数は{share(f.icc)}であった。")
    return "".join(out)


def _effects(f: MixedFacts) -> str:
    start = []
    for e in f.effects:
        if e.term == "(Intercept)" and e.component == "cond":
            where = "" if f.link == "identity" else f"（{LINKS.get(f.link, f.link)}の尺度）"
            start.append(f"切片{where}は{plain(e.estimate)}（{100 * f.level:g}%信頼区間 {interval(e.conf_low, e.conf_high)}）であった。")
    return "".join(start + [_effect(e, f) for e in f.effects if e.term != "(Intercept)"])


def _effect(e: Effect, f: MixedFacts) -> str:
    part = {"zi": "（ゼロ過剰モデル）", "disp": "（分散モデル）"}.get(e.component, "")
    what = f"{e.term.replace(':', '×')}の交互作用" if ":" in e.term else f"{e.term}の効果"
    sign = "正" if e.estimate > 0 else "負"
    verdict = f"{sign}で，統計的に有意であった" if e.p_value < 1 - f.level else f"{sign}であったが，統計的に有意ではなかった"
    test = f"t({degrees(e.df)})" if f.tests != "z" else "z"
    ratio = ""
    if f.link in ("logit", "log") and e.component == "cond":
        name = "オッズ比" if f.link == "logit" else "比"
        ratio = f"，{name} = {plain(exp(e.estimate))} {interval(exp(e.conf_low), exp(e.conf_high))}"
    numbers = f"b = {plain(e.estimate)}，{100 * f.level:g}%信頼区間 {interval(e.conf_low, e.conf_high)}，{test} = {plain(e.statistic)}，{p_words(e.p_value)}{ratio}"
    return f"{what}{part}は{verdict}（{numbers}）。"


def _random(f: MixedFacts) -> str:
    residual = f"残差の標準偏差は{plain(f.residual)}であった。" if f.residual is not None else ""
    if not f.spread:
        return residual
    parts = [f"{g}間の{'切片' if n == '(Intercept)' else n + 'の傾き'}が{plain(sd)}" for g, n, sd in f.spread]
    out = f"変量効果の標準偏差は，{'，'.join(parts)}であった。"
    for g, a, b, r in f.correlations:
        names = ["切片" if n == "(Intercept)" else f"{n}の傾き" for n in (a, b)]
        out += f"{g}における{names[0]}と{names[1]}の相関は{share(r)}であった。"
    return out + residual


def _close(f: MixedFacts) -> str:
    return f"信頼区間とp値は{TESTS.get(f.tests, f.tests)}に基づく。分析にはPythonのTanada {tn.__version__}を用いた。"


def sem_japanese(f: SemFacts) -> str:
    """The report of a structural equation model."""
    kind = "2レベルの構造方程式モデル" if f.levels > 1 else "構造方程式モデル"
    data = f"観測数{count(f.nobs)}" + (f"，クラスター数{count(f.clusters)}（{f.cluster}）" if f.clusters else "")
    data += f"，{len(f.groups)}群" if len(f.groups) > 1 else ""
    first = f"{kind}を推定した（推定法：{f.estimator}，{data}）。" + (f"注意：{f.trouble}" if f.trouble else "")
    return "\n\n".join(p for p in (first, _sem_fit(f), _sem_loadings(f), _sem_paths(f), f"分析にはPythonのTanada {tn.__version__}を用いた。") if p)


def _sem_fit(f: SemFacts) -> str:
    m = f.measures
    if f.df <= 0:
        return "モデルは飽和しており（自由度0），適合度は検定できない。"
    out = [f"χ²({f.df}) = {plain(f.chisq)}，{p_words(f.p_value)}"]
    if f.scaled is not None:
        kind, stat, df, p = f.scaled
        out = [f"χ²({degrees(df)}) = {plain(stat)}，{p_words(p)}（{CORRECTIONS.get(kind, kind)}補正；補正前はχ²({f.df}) = {plain(f.chisq)}）"]
    srmr = (("srmr_within", "SRMR（個人レベル）"), ("srmr_between", "SRMR（集団レベル）")) if f.levels > 1 else (("srmr", "SRMR"),)
    shown = measures_for(m, ("cfi", "CFI"), ("tli", "TLI"), ("rmsea", "RMSEA"), *srmr)
    out += [f"{'頑健な' if k.endswith('.robust') else ''}{name} = {share(m[k], 3)}" for k, name in shown]
    return "モデルの適合度は，" + "，".join(out) + "であった。"


def _sem_loadings(f: SemFacts) -> str:
    return "".join(f"{f'レベル{level}の' if f.levels > 1 else ''}標準化因子負荷量の絶対値は{share(low)}から{share(high)}であった。" for level, low, high in f.loadings)


def _sem_paths(f: SemFacts) -> str:
    out = []
    for lhs, rhs, level, group, est, se, z, p, beta in f.paths:
        where = (f"レベル{level}" if f.levels > 1 else "") + (f"群{group}" if len(f.groups) > 1 else "")
        word = "有意であった" if p < 0.05 else "有意ではなかった"
        numbers = f"b = {plain(est)}，SE = {plain(se)}，z = {plain(z)}，{p_words(p)}，β = {share(beta)}"
        out.append(f"{where + 'における' if where else ''}{rhs}から{lhs}へのパスは{word}（{numbers}）。")
    return "".join(out)
