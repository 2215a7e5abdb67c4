#include "bindings.hpp"

NB_MODULE(_core, m) {
  m.doc() = "The compiled core of tanada. Private: its names and arguments may change at any time.";
  bind_runtime(m);
  bind_optim(m);
  bind_family(m);
  bind_covariance(m);
  bind_laplace(m);
  bind_sem(m);
  bind_gaussian(m);
}
