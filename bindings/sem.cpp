// SEM: the model (blocks of LISREL matrices) and what every objective shares.
#include <nanobind/stl/optional.h>
#include <nanobind/stl/shared_ptr.h>

#include "sem_convert.hpp"

using namespace tanada;
using namespace tanada::sem;

namespace {

struct BlockCells {
  int n_ov, n_lv;
  std::vector<Cell> cells;
};

void check_size(const SemObjective& f, const Vector& x) {
  if (x.size() != f.size()) throw std::invalid_argument("the parameter vector has the wrong length");
}

double value_of(const Evaluation& e) { return e.status == Status::ok ? e.value : std::numeric_limits<double>::infinity(); }

BlockState state_of(const Model& model, int block, const Vector& x, bool& ok) {
  if (block < 0 || block >= static_cast<int>(model.blocks.size())) throw std::invalid_argument("no such block");
  if (x.size() != model.n_free) throw std::invalid_argument("the parameter vector has the wrong length");
  BlockState s;
  ok = model.blocks[block].evaluate(x, s);
  return s;
}

Matrix filled(Eigen::Index r, Eigen::Index c) { return Matrix::Constant(r, c, std::numeric_limits<double>::quiet_NaN()); }

void bind_model(nb::module_& m) {
  nb::class_<BlockCells>(m, "SemBlock")
      .def("__init__",
           [](BlockCells* self, int n_ov, int n_lv, nb::ndarray<const std::int8_t, nb::ndim<1>, nb::c_contig, nb::device::cpu> matrix,
              IntColumn row, IntColumn col, IntColumn free, DoubleColumn value) {
             const std::size_t n = matrix.shape(0);
             if (row.shape(0) != n || col.shape(0) != n || free.shape(0) != n || value.shape(0) != n)
               throw std::invalid_argument("the arrays of a block differ in length");
             new (self) BlockCells{n_ov, n_lv, {}};
             for (std::size_t i = 0; i < n; ++i)
               self->cells.push_back({static_cast<Slot>(matrix.data()[i]), row.data()[i], col.data()[i], free.data()[i], value.data()[i]});
           },
           nb::arg("n_ov"), nb::arg("n_lv"), nb::arg("matrix"), nb::arg("row"), nb::arg("col"), nb::arg("free"), nb::arg("value"))
      .def_ro("n_ov", &BlockCells::n_ov)
      .def_ro("n_lv", &BlockCells::n_lv);
  nb::class_<Model>(m, "SemModel")
      .def("__init__",
           [](Model* self, int n_free, const std::vector<BlockCells>& blocks) {
             Model model;
             model.n_free = n_free;
             for (const BlockCells& b : blocks) model.blocks.emplace_back(b.n_ov, b.n_lv, b.cells, n_free);
             new (self) Model(std::move(model));
           },
           nb::arg("n_free"), nb::arg("blocks"))
      .def_ro("n_free", &Model::n_free)
      .def_prop_ro("n_blocks", [](const Model& self) { return self.blocks.size(); })
      .def("implied",
           [](const Model& self, int block, const Vector& x) {
             bool ok;
             BlockState s = state_of(self, block, x, ok);
             const int p = self.blocks[block].p();
             if (!ok) return nb::make_tuple(filled(p, p), Vector(filled(p, 1)));
             return nb::make_tuple(s.sigma, s.mu);
           },
           nb::arg("block"), nb::arg("x"))
      .def("matrices",
           [](const Model& self, int block, const Vector& x) {
             bool ok;
             BlockState s = state_of(self, block, x, ok);
             nb::dict out;
             const int mm = self.blocks[block].m();
             out["lambda"] = s.lambda, out["theta"] = s.theta, out["psi"] = s.psi, out["nu"] = s.nu, out["alpha"] = s.alpha;
             out["inverse"] = ok ? s.A : filled(mm, mm);
             return out;
           },
           nb::arg("block"), nb::arg("x"))
      .def("jacobian",
           [](const Model& self, int block, const Vector& x) {
             bool ok;
             BlockState s = state_of(self, block, x, ok);
             const Block& b = self.blocks[block];
             return ok ? b.jacobian(s, self.n_free) : filled(b.p() * (b.p() + 1) / 2 + b.p(), self.n_free);
           },
           nb::arg("block"), nb::arg("x"));
}

MinimizeOutcome fit(const SemObjective& self, const Vector& start, const Vector& lower, const Vector& upper, int max_iterations,
                    double tol_gradient, double tol_decrease, std::optional<Matrix> basis, std::optional<Vector> offset) {
  const Eigen::Index d = basis ? basis->cols() : self.size();
  if (start.size() != d || lower.size() != d || upper.size() != d)
    throw std::invalid_argument("start, lower and upper must have one value per parameter");
  if (basis && (basis->rows() != self.size() || !offset || offset->size() != self.size()))
    throw std::invalid_argument("basis and offset must have one row per free parameter of the model");
  MinimizeOptions o;
  o.max_iterations = max_iterations, o.tol_gradient = tol_gradient, o.tol_decrease = tol_decrease;
  nb::gil_scoped_release release;
  return self.fit(start, lower, upper, o, basis ? &*basis : nullptr, basis ? &*offset : nullptr);
}

void bind_base(nb::module_& m) {
  nb::class_<SemObjective>(m, "SemObjective")
      .def_prop_ro("n_free", &SemObjective::size)
      .def("value",
           [](const SemObjective& self, const Vector& x) {
             check_size(self, x);
             nb::gil_scoped_release release;
             return value_of(self.evaluate(x, nullptr));
           },
           nb::arg("x"))
      .def("evaluate",
           [](const SemObjective& self, const Vector& x) {
             check_size(self, x);
             Vector gradient(x.size());
             double value;
             {
               nb::gil_scoped_release release;
               value = value_of(self.evaluate(x, &gradient));
             }
             if (!std::isfinite(value)) gradient.setConstant(std::numeric_limits<double>::quiet_NaN());
             return nb::make_tuple(value, gradient);
           },
           nb::arg("x"))
      .def("expected_information",
           [](const SemObjective& self, const Vector& x) {
             check_size(self, x);
             nb::gil_scoped_release release;
             Matrix out;
             if (!self.information(x, out)) out = filled(x.size(), x.size());
             return out;
           },
           nb::arg("x"))
      .def("hessian",
           [](const SemObjective& self, const Vector& x) {
             check_size(self, x);
             nb::gil_scoped_release release;
             return self.hessian(x);
           },
           nb::arg("x"))
      .def("difference_hessian",
           [](const SemObjective& self, const Vector& x) {
             check_size(self, x);
             nb::gil_scoped_release release;
             return self.difference_hessian(x);
           },
           nb::arg("x"))
      .def("fit", &fit, nb::arg("start"), nb::arg("lower"), nb::arg("upper"), nb::arg("max_iterations") = 300,
           nb::arg("tol_gradient") = 1e-6, nb::arg("tol_decrease") = 1e-10, nb::arg("basis") = nb::none(), nb::arg("offset") = nb::none());
}

}  // namespace

void bind_sem(nb::module_& m) {
  bind_model(m);
  bind_base(m);
  bind_sem_objectives(m);
  bind_sem_wls(m);
}
