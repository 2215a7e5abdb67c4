"""Gradients of constraints and defined parameters against differences."""

from __future__ import annotations

import numpy as np
import pytest

from tanada.errors import ModelSyntaxError
from tanada.partable.build import build_table
from tanada.partable.evaluate import Functions
from tanada.partable.options import TableOptions
from tanada.syntax.parse import parse_model


def functions(text: str) -> Functions:
    return Functions.of(build_table(parse_model("y ~ a*x + b*z + c*w\n" + text), TableOptions()))


@pytest.mark.parametrize(
    "expression", ["a*b", "a/b - c", "(a + 2)^b", "exp(a)*log(b)", "sqrt(b)/(1 + a^2)", "-a^2", "max(a, b)*c", "pnorm(a) + qnorm(0.2*b)", "atan(a) + tanh(c)", "abs(c)*sin(a)*cos(b)"]
)
def test_gradient(expression: str) -> None:
    f = functions(f"d := {expression}")
    x = np.array([0.7, 1.9, -0.4, 1.0])
    d = f.names(x)["d"]
    for k in range(3):
        h = 1e-6
        up, down = x.copy(), x.copy()
        up[k] += h
        down[k] -= h
        assert d.gradient[k] == pytest.approx((f.names(up)["d"].value - f.names(down)["d"].value) / (2 * h), abs=1e-7)


def test_defined_parameters_may_stand_in_any_order() -> None:
    f = functions("total := ind + c\nind := a*b")
    assert f.names(np.array([2.0, 3.0, 1.0, 1.0]))["total"].value == 7.0


def test_a_circle_is_an_error() -> None:
    with pytest.raises(ModelSyntaxError, match="defined by itself"):
        functions("d := 2*e\ne := d")


def test_linear_and_other_equalities() -> None:
    A, b = functions("a == 2*b + 1").linear_equalities(np.ones(4))
    assert A[0].tolist() == [1.0, -2.0, 0.0, 0.0] and b == pytest.approx([1.0])
    assert functions("a == b*c").linear_equalities(np.ones(4)) is None
