// Each file of this folder binds one part of the core; module.cpp calls them in turn.
#pragma once
#include <nanobind/nanobind.h>

namespace nb = nanobind;

void bind_runtime(nb::module_& m);
void bind_optim(nb::module_& m);
void bind_family(nb::module_& m);
void bind_covariance(nb::module_& m);
void bind_laplace(nb::module_& m);
void bind_sem(nb::module_& m);
void bind_gaussian(nb::module_& m);
