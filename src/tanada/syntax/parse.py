"""lavaan model syntax -> `ModelText`."""

from __future__ import annotations

import re
from functools import lru_cache

from tanada.errors import ModelSyntaxError, did_you_mean
from tanada.syntax.expressions import FUNCTIONS, Binary, Call, Expression, Name, Negative, Number, Text, names_in
from tanada.syntax.grammar import parser
from tanada.syntax.messages import OPERATORS, syntax_error
from tanada.syntax.statements import Constraint, ModelText, Modifier, Section, Term

_COMMENT = re.compile(r"[#!][^\n]*")
_WRONG = re.compile(r"=~~+|~=|=>|<=|>=|<-+>?|->|-->|={3,}|~~~+|(?<![=:<>~])=(?![=~])")
_CONTINUE_AFTER = re.compile(r"(?:=~|~\*~|~~|<~|:=|==|[~|<>+*/^,(-])[ \t\r\u3000]*\n[\s]*")
_CONTINUE_BEFORE = re.compile(r"\n\s*(?=[+*/,)])")
_MODIFIER_FUNCTIONS = ("c", "start", "equal", "label", "fixed", "NA", "lower", "upper")
_HINTS = {"=": "'=~', '~' or '=='", "<-": "'~'", "<--": "'~'", "<->": "'~~'", "->": "'=~' or '~'", "-->": "'=~' or '~'", "=>": "'=~'", "~=": "'=~'", "<=": "'<'", ">=": "'>'"}


def parse_model(model: str) -> ModelText:
    """Read a model in lavaan's syntax.

    Parameters
    ----------
    model : str

    Returns
    -------
    ModelText

    Raises
    ------
    ModelSyntaxError
        With line, column and a caret.
    """
    if not isinstance(model, str):
        raise syntax_error("", 0, f"a model is text in lavaan's syntax, not {type(model).__name__}.")
    return _parse(model)


@lru_cache(maxsize=64)
def _parse(model: str) -> ModelText:
    text = _blank(model)
    if not text.strip(" \t\r\n;\u3000"):
        raise syntax_error(model, 0, "the model is empty; write at least one formula, such as f =~ x1 + x2 + x3.")
    wrong = _WRONG.search(text)
    if wrong:
        hint = _HINTS.get(wrong.group())
        raise syntax_error(model, wrong.start(), f"'{wrong.group()}' is not an operator" + (f"; did you mean {hint}?" if hint else f". Operators: {OPERATORS}."))
    return _assemble(model, text, _tree(model, text))


def _blank(model: str) -> str:
    """Comments and continued line ends as blanks, so that every position still points into the text as written."""
    blanks = lambda m: re.sub(r"\S|\n", " ", m.group())  # noqa: E731
    text = _COMMENT.sub(blanks, model)
    after = lambda m: m.group().replace("\n", " ")  # noqa: E731
    text = _CONTINUE_AFTER.sub(after, text)
    text = _CONTINUE_BEFORE.sub(after, text)
    lead = len(text) - len(text.lstrip(" \t\r\n;\u3000\ufeff"))
    return " " * lead + text[lead:]


def _tree(model: str, text: str) -> list[tuple]:
    from lark.exceptions import UnexpectedCharacters, UnexpectedEOF, UnexpectedToken

    try:
        return parser().parse(text)  # type: ignore[return-value]
    except UnexpectedCharacters as e:
        position = e.pos_in_stream or 0
        c = text[position]
        if c in "\"'":
            raise syntax_error(model, position, f"this quotation mark ({c}) is not closed on its line.") from None
        raise _unexpected(model, text, position, c) from None
    except UnexpectedToken as e:
        at_end = e.token.type in ("$END", "SEP")
        position = len(text.rstrip()) if e.token.type == "$END" else int(e.token.start_pos or 0)
        raise _unexpected(model, text, position, "" if at_end else str(e.token)) from None
    except UnexpectedEOF:
        raise _unexpected(model, text, len(text.rstrip()), "") from None


_OPERATOR_END = re.compile(r"(=~|~\*~|~~|<~|:=|==|[~|<>])\s*$")
_OPERATOR = re.compile(r"=~|~\*~|~~|<~|:=|==|[~|<>]")


def _unexpected(model: str, text: str, position: int, token: str) -> ModelSyntaxError:
    """Say what is wrong where the parser stopped; `token` is empty at the end of a statement."""
    start = max(text.rfind("\n", 0, position), text.rfind(";", 0, position)) + 1
    before = text[start:position]
    operator = _OPERATOR_END.search(before)
    if before.count("(") > before.count(")") and (token == "" or _OPERATOR.fullmatch(token)):
        return syntax_error(model, start + before.rfind("("), "this bracket is not closed; add ')'.")
    if token == ")" and before.count("(") <= before.count(")"):
        return syntax_error(model, position, "this ')' has no opening bracket before it.")
    if re.match(r"\s*(level|group|block)\s*:", before, re.I):
        return syntax_error(model, position, "this heading takes one name or number, such as level: 1 or group: north, and nothing else on its line.")
    if operator and (token == "" or token in "+*/^,|" or _OPERATOR.fullmatch(token)):
        what = f"is followed by '{token}'" if token else "has nothing after it"
        return syntax_error(model, start + operator.start(1), f"'{operator.group(1)}' {what}; write variable names joined by '+' on its right-hand side.")
    if not before.strip() and _OPERATOR.fullmatch(token):
        return syntax_error(model, position, f"'{token}' has nothing before it; write the variable on its left-hand side.")
    last = before.rstrip()[-1:]
    if last in tuple("+*/^-,") and last:
        what = f"is followed by '{token}'" if token else "has nothing after it"
        return syntax_error(model, start + len(before.rstrip()) - 1, f"'{last}' {what}; a name or a number belongs there.")
    if _OPERATOR.fullmatch(token):
        return syntax_error(model, position, f"a second operator '{token}' in one formula; start a new line (or write ';') before it.")
    if token == "" and not _OPERATOR.search(before):
        return syntax_error(model, start + len(before) - len(before.lstrip()), f"this line has no operator. Operators: {OPERATORS}.")
    if token and (token[0].isalpha() or token[0] in "._" or token[0].isdigit() or token[0] in "\"'("):
        if last.isdigit() and re.search(r"(?:^|[\s+*(,])\d+$", before):
            return syntax_error(model, position, f"a name cannot begin with a digit, and a number is joined to a variable by '*' ('{token}' follows a number).")
        return syntax_error(model, position, f"'{token}' follows a name directly; join variables by '+' and modifiers by '*'.")
    if token and not token.isalnum():
        return syntax_error(model, position, f"the character '{token}' has no meaning here. Names are letters, digits, '.' and '_'.")
    return syntax_error(model, position, f"'{token}' is not expected here.")


def _assemble(model: str, text: str, statements: list[tuple]) -> ModelText:
    group = level = ""
    seen: dict[tuple[str, str], int] = {}
    terms: dict[tuple[str, str], list[Term]] = {}
    constraints: list[Constraint] = []
    for s in statements:
        if len(s) == 2:
            kind = str(s[0]).rstrip(": \t").lower()
            value = str(s[1]).strip("\"'")
            if kind == "group":
                group, level = value, ""
            else:
                level = value
            if (group, level) in seen and level:
                raise syntax_error(model, s[0].start_pos, f"a second block '{kind}: {value}'; put its formulas under the first one.")
            seen[(group, level)] = s[0].start_pos
            continue
        left, op, right = s
        if op in (":=", "==", "<", ">"):
            constraints.append(_constraint(model, text, str(op), left, right, op.start_pos))
            continue
        key = (group, level)
        seen.setdefault(key, _start(left))
        for name in _left_names(model, str(op), left):
            terms.setdefault(key, []).extend(_terms(model, name, str(op), right))
    empty = [(k, p) for k, p in seen.items() if k not in terms and not (k[0] and not k[1] and any(t[0] == k[0] for t in terms))]
    if empty:
        (g, lev), p = empty[0]
        raise syntax_error(model, p, f"the block '{'level: ' + lev if lev else 'group: ' + g}' has no formula; write at least one (y ~~ y, say) or remove the heading.")
    if not terms:
        raise syntax_error(model, 0, "the model has constraints but no formula; write at least one, such as f =~ x1 + x2 + x3.")
    sections = tuple(Section(g, lev, tuple(t), seen[(g, lev)]) for (g, lev), t in terms.items())
    return ModelText(model, sections, tuple(constraints))


def _start(e: Expression) -> int:
    while isinstance(e, Binary):
        e = e.left
    return e.position


def _constraint(model: str, text: str, op: str, left: Expression, right: Expression, position: int) -> Constraint:
    if op == ":=" and not isinstance(left, Name):
        raise syntax_error(model, _start(left), "':=' defines one new parameter; its left-hand side must be a single name.")
    for e in (left, right):
        _check_functions(model, e)
    begin = max(text.rfind("\n", 0, position), text.rfind(";", 0, position)) + 1
    end = re.search(r"[;\n]|$", text[position:])
    assert end is not None
    lhs, rhs = text[begin:position], text[position + len(op) : position + end.start()]
    return Constraint(op, left, right, position, re.sub(r"\s", "", lhs), re.sub(r"\s", "", rhs))


def _check_functions(model: str, e: Expression) -> None:
    if isinstance(e, Call):
        if e.function not in FUNCTIONS:
            raise syntax_error(model, e.position, f"unknown function '{e.function}'.{did_you_mean(e.function, FUNCTIONS)}")
        for a in e.arguments:
            _check_functions(model, a)
    elif isinstance(e, Binary):
        _check_functions(model, e.left)
        _check_functions(model, e.right)
    elif isinstance(e, Negative):
        _check_functions(model, e.operand)
    elif isinstance(e, Text):
        raise syntax_error(model, e.position, "a quoted text has no place in an expression; write labels without quotation marks.")


def _left_names(model: str, op: str, e: Expression) -> list[str]:
    if isinstance(e, Name):
        return [e.name]
    if isinstance(e, Binary) and e.op == "+":
        return _left_names(model, op, e.left) + _left_names(model, op, e.right)
    raise syntax_error(model, _start(e), f"the left-hand side of '{op}' takes variable names joined by '+'; numbers, labels and modifiers belong on the right-hand side.")


def _sum(model: str, op: str, e: Expression) -> list[Expression]:
    out: list[Expression] = []
    while isinstance(e, Binary) and e.op in "+-":
        if e.op == "-":
            raise syntax_error(model, e.position, f"'-' between variables has no meaning after '{op}'; write '+', with a negative fixed value as -1*x.")
        out.append(e.right)
        e = e.left
    out.append(e)
    return out[::-1]


def _terms(model: str, lhs: str, op: str, right: Expression) -> list[Term]:
    out = []
    for e in _sum(model, op, right):
        position = _start(e)
        factors: list[Expression] = []
        while isinstance(e, Binary) and e.op == "*":
            factors.append(e.right)
            e = e.left
        factors.append(e)
        target, modifiers = factors[0], factors[:0:-1]
        mods = tuple(_modifier(model, m) for m in modifiers)
        if isinstance(target, Name):
            if op in ("=~", "~", "<~") and target.name == lhs:
                raise syntax_error(model, _start(target), f"'{lhs}' stands on both sides of '{op}'; a variable cannot explain itself.")
            out.append(Term(lhs, op, target.name, mods, position))
        elif isinstance(target, Number) and op == "~" and target.value in (0.0, 1.0):
            if target.value == 0.0:
                mods = (*mods, Modifier("fix", (0.0,), position))
            out.append(Term(lhs, "~1", "", mods, position))
        else:
            raise syntax_error(model, _start(target), f"a variable name belongs here after '{op}'" + (" (or 1, for the intercept)." if op == "~" else "."))
    return out


def _modifier(model: str, e: Expression) -> Modifier:
    position = _start(e)
    if isinstance(e, Call):
        if e.function not in _MODIFIER_FUNCTIONS:
            raise syntax_error(model, e.position, f"unknown modifier '{e.function}()'.{did_you_mean(e.function, _MODIFIER_FUNCTIONS)}")
        if e.function == "c":
            elements = [_element(model, a) for a in e.arguments]
            kinds = {k for k, _ in elements if k != "free"}
            if len(kinds) > 1:
                raise syntax_error(model, e.position, "c() mixes numbers and labels; use one kind, one element per group (NA leaves a parameter free).")
            kind = kinds.pop() if kinds else "free"
            return Modifier(kind, tuple(v for _, v in elements), position)
        inner = e.arguments[0] if len(e.arguments) == 1 else None
        if inner is None:
            raise syntax_error(model, e.position, f"{e.function}() takes one value, or c() with one value per group.")
        kind = {"fixed": "fix"}.get(e.function, e.function)
        items = list(inner.arguments) if isinstance(inner, Call) and inner.function == "c" else [inner]
        return Modifier(kind, tuple(_value(model, kind, a) for a in items), position)
    kind, value = _element(model, e)
    return Modifier(kind, (value,), position)


def _element(model: str, e: Expression) -> tuple[str, float | str | None]:
    if isinstance(e, Name):
        return ("free", None) if e.name == "NA" else ("label", e.name)
    if isinstance(e, Text):
        return ("label", e.value)
    if not names_in(e):
        return ("fix", _constant(model, e))
    raise syntax_error(model, _start(e), "a modifier is a number, a label, NA, start(), equal() or c().")


def _value(model: str, kind: str, e: Expression) -> float | str | None:
    if isinstance(e, Name) and e.name == "NA":
        return None
    if kind in ("label", "equal"):
        if isinstance(e, Name):
            return e.name
        if isinstance(e, Text):
            return re.sub(r"\s", "", e.value)
        raise syntax_error(model, _start(e), f"{kind}() takes a label.")
    if names_in(e) or isinstance(e, Text):
        raise syntax_error(model, _start(e), f"{kind}() takes a number.")
    return _constant(model, e)


def _constant(model: str, e: Expression) -> float:
    if isinstance(e, Number):
        return e.value
    if isinstance(e, Negative):
        return -_constant(model, e.operand)
    if isinstance(e, Binary):
        a, b = _constant(model, e.left), _constant(model, e.right)
        if e.op == "/" and b == 0:
            raise syntax_error(model, e.position, "division by zero.")
        return {"+": lambda: a + b, "-": lambda: a - b, "*": lambda: a * b, "/": lambda: a / b, "^": lambda: a**b}[e.op]()
    raise syntax_error(model, _start(e), "a number belongs here.")
