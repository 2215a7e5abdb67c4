// Threads, and LAPACK/BLAS pointers from SciPy's capsules.
#include <nanobind/nanobind.h>

#include "bindings.hpp"
#include "linalg/lapack.hpp"
#include "linalg/parallel.hpp"

namespace {

template <class F> void take(nb::dict capi, const char* name, F& target) {
  nb::object capsule = capi[name];
  target = reinterpret_cast<F>(PyCapsule_GetPointer(capsule.ptr(), PyCapsule_GetName(capsule.ptr())));
  if (!target) throw nb::python_error();
}

}  // namespace

void bind_runtime(nb::module_& m) {
  nb::dict lapack_api = nb::cast<nb::dict>(nb::module_::import_("scipy.linalg.cython_lapack").attr("__pyx_capi__"));
  nb::dict blas_api = nb::cast<nb::dict>(nb::module_::import_("scipy.linalg.cython_blas").attr("__pyx_capi__"));
  auto& t = tanada::lapack();
  take(lapack_api, "dpotrf", t.dpotrf);
  take(lapack_api, "dpotri", t.dpotri);
  take(blas_api, "dtrsm", t.dtrsm);
  take(blas_api, "dgemm", t.dgemm);
  take(blas_api, "dsyrk", t.dsyrk);
  m.def("set_threads", &tanada::set_thread_count, nb::arg("n"), "Limit the core's threads; 0 means one per processor.");
  m.def("thread_count", &tanada::thread_count);
}
