"""The graph of a SEM: nodes, edges and where they stand, block by block; and the same as Graphviz source."""

from __future__ import annotations

from dataclasses import dataclass, field

from tanada.engine.sem_fit import SemFit
from tanada.errors import ModelError
from tanada.partable.table import Block
from tanada.post.sem_standardized import standardized

VALUES = ("std_all", "std_lv", "estimate", "none")


@dataclass(frozen=True)
class Edge:
    """`kind` is "loading", "path", "covariance"; `value` is shown beside it unless it is None."""

    source: str
    target: str
    kind: str
    value: float | None
    fixed: bool = False


@dataclass
class Graph:
    """One panel: positions by name (latent and observed), edges, side on which a latent variable's indicators stand."""

    title: str
    latent: tuple[str, ...]
    observed: tuple[str, ...]
    edges: tuple[Edge, ...]
    position: dict[str, tuple[float, float]] = field(default_factory=dict)


def graphs(fit: SemFit, loadings: str = "std_all", paths: str = "std_all", level: int | None = None) -> list[Graph]:
    """One graph a block, laid out.

    Parameters
    ----------
    loadings, paths : "std_all", "std_lv", "estimate" or "none"
        Which values stand at loadings, and at paths and covariances.
    level : 1 or 2, optional
    """
    for name, v in (("loadings", loadings), ("paths", paths)):
        if v not in VALUES:
            raise ModelError(f"plot: {name} = {v!r}; it takes one of {', '.join(VALUES)}.")
    std_lv, std_all = standardized(fit)
    columns = {"std_lv": std_lv, "std_all": std_all, "estimate": fit.estimates}
    out = []
    for b in fit.table.blocks:
        if level is None or b.level == level:
            out.append(_graph(fit, b, columns, loadings, paths))
    if not out:
        raise ModelError(f"plot: the model has no level {level}.")
    return out


def _graph(fit: SemFit, b: Block, columns: dict, loadings: str, paths: str) -> Graph:
    edges = []
    for i, r in enumerate(fit.table.rows):
        if r.block != b.number or r.op not in ("=~", "~", "~~", "<~") or (r.op == "~~" and (r.lhs == r.rhs or (not r.free and not r.exo))):
            continue
        kind = {"=~": "loading", "~": "path", "~~": "covariance", "<~": "path"}[r.op]
        which = loadings if kind == "loading" else paths
        value = None if which == "none" else float(columns[which][i])
        source, target = (r.lhs, r.rhs) if r.op in ("=~", "~~") else (r.rhs, r.lhs)
        edges.append(Edge(source, target, kind, value, not r.free))
    title = []
    if fit.table.n_groups > 1:
        title.append(f"group {b.group_label}")
    if fit.table.n_levels > 1:
        title.append(f"level {b.level} ({'within' if b.level == 1 else 'between'})")
    g = Graph(", ".join(title), b.roles.lv, b.roles.ov, tuple(edges))
    g.position = _layout(g)
    return g


def _layout(g: Graph) -> dict[str, tuple[float, float]]:
    owner: dict[str, str] = {}
    in_path = {v for e in g.edges if e.kind == "path" for v in (e.source, e.target)}
    for e in g.edges:
        if e.kind == "loading" and e.target not in g.latent and e.target not in in_path:
            owner.setdefault(e.target, e.source)
    upper = [v for v in (*g.latent, *g.observed) if v not in owner]
    depth = _depths(upper, [e for e in g.edges if e.source in upper and e.target in upper and e.kind != "covariance"])
    indicators = {f: [v for v, o in owner.items() if o == f] for f in upper}
    if max(depth.values(), default=0) == 0:
        return _rows(upper, indicators)
    return _columns(g, upper, depth, indicators)


def _depths(nodes: list[str], edges: list[Edge]) -> dict[str, int]:
    """Longest path to each node; cycles stop growing after as many rounds as there are nodes."""
    depth = dict.fromkeys(nodes, 0)
    for _ in range(len(nodes)):
        changed = False
        for e in edges:
            if depth[e.target] < depth[e.source] + 1 <= len(nodes):
                depth[e.target] = depth[e.source] + 1
                changed = True
        if not changed:
            break
    used = {d: i for i, d in enumerate(sorted(set(depth.values())))}
    return {v: used[d] for v, d in depth.items()}


def _rows(upper: list[str], indicators: dict[str, list[str]]) -> dict[str, tuple[float, float]]:
    """Latent variables in a row, their indicators below."""
    out: dict[str, tuple[float, float]] = {}
    x = 0.0
    for f in upper:
        width = max(len(indicators[f]), 1)
        out[f] = (x + (width - 1) / 2, 1.6)
        for k, v in enumerate(indicators[f]):
            out[v] = (x + k, 0.0)
        x += width + 0.4
    return out


def _columns(g: Graph, upper: list[str], depth: dict[str, int], indicators: dict[str, list[str]]) -> dict[str, tuple[float, float]]:
    """Structural variables in columns from cause to effect; indicators outside: left of the first column, right of the last, above or below others."""
    out: dict[str, tuple[float, float]] = {}
    last = max(depth.values())
    jumps = {e.source for e in g.edges if e.kind == "path" and depth.get(e.target, 0) - depth.get(e.source, 0) > 1}
    size = max([len(v) for v in indicators.values()], default=0)
    gap = max(2.6, 0.5 * size + 1.2)
    for d in range(last + 1):
        nodes = sorted((v for v in upper if depth[v] == d), key=lambda v: v not in jumps)
        step = max([1.8, *(0.62 * len(indicators[v]) + 0.3 for v in nodes)]) if d in (0, last) else 2.4
        shift = -1.0 if len(nodes) == 1 and 0 < d < last and jumps else 0.0
        for k, v in enumerate(nodes):
            y = ((len(nodes) - 1) / 2 - k) * step + shift
            out[v] = (d * gap, y)
            _place_indicators(out, indicators[v], (d * gap, y), d, last)
    return out


def _place_indicators(out: dict[str, tuple[float, float]], names: list[str], at: tuple[float, float], d: int, last: int) -> None:
    n = len(names)
    for k, v in enumerate(names):
        offset = k - (n - 1) / 2
        if d == 0:
            out[v] = (at[0] - 1.9, at[1] - 0.62 * offset)
        elif d == last:
            out[v] = (at[0] + 1.9, at[1] - 0.62 * offset)
        else:
            out[v] = (at[0] + 1.0 * offset, at[1] + (1.6 if at[1] > 0 else -1.6))


def graphviz(fit: SemFit, loadings: str, paths: str, digits: int) -> str:
    """The path diagram as a DOT file, one cluster a block."""
    lines = ["digraph sem {", "  rankdir=LR;", '  node [fontname="sans-serif"];', '  edge [fontname="sans-serif", fontsize=10];']
    for k, g in enumerate(graphs(fit, loadings, paths), 1):
        names = {v: f"b{k}_{i}" for i, v in enumerate((*g.latent, *g.observed))}
        lines += [f"  subgraph cluster_{k} {{", f'    label="{_quote(g.title)}";']
        lines += [f'    {names[v]} [label="{_quote(v)}", shape={"ellipse" if v in g.latent else "box"}];' for v in names]
        for e in g.edges:
            label = "" if e.value is None else f'label="{e.value:.{digits}f}"'
            extra = "dir=both, constraint=false, style=dashed" if e.kind == "covariance" else "color=steelblue" if e.kind == "loading" else "color=darkorange"
            lines.append(f"    {names[e.source]} -> {names[e.target]} [{', '.join(t for t in (label, extra) if t)}];")
        lines.append("  }")
    return "\n".join([*lines, "}"]) + "\n"


def _quote(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')
