// Student t: location, log scale and log degrees of freedom; or a fixed number of degrees of freedom, given as the family's option.
#include <stdexcept>

#include "family/entries.hpp"
#include "family/jet_family.hpp"

namespace tanada {

namespace {

constexpr double kLog2 = 0.693147180559945309417;

// log Gamma((nu + 1)/2) - log Gamma(nu/2) - log(nu pi)/2 as a function of log nu.
template <class T> T t_constant(const T& log_nu) { return log_rise(0.5, log_nu - kLog2) - kLogSqrt2Pi; }

// Fisher information of the location: (nu + 1) / ((nu + 3) scale^2).
double t_information(Link link, double eta, double log_scale, double nu) {
  const MeanPoint p = mean_point(link, eta);
  return p.slope * p.slope * std::exp(-2.0 * log_scale) * (std::isinf(nu) ? 1.0 : (nu + 1.0) / (nu + 3.0));
}

struct StudentFree {
  static constexpr int m = 3;
  Link link;
  template <class T> struct Shared {
    T constant, precision, inverse_nu, half;  // half: (nu + 1) / 2
  };
  template <class T> Shared<T> shared(const T* eta) const {
    using std::exp;
    return {t_constant(eta[2]) - eta[1], exp(-2.0 * eta[1]), exp(-eta[2]), 0.5 * exp(eta[2]) + 0.5};
  }
  template <class T, class S> T density(double y, double, const T* eta, const S& s) const {
    using std::log1p;
    const T r = y - mean_of(link, eta[0]);
    return s.constant - s.half * log1p(r * r * s.precision * s.inverse_nu);
  }
  double information(double, const double* eta) const { return t_information(link, eta[0], eta[1], std::exp(eta[2])); }
};

struct StudentFixed {
  static constexpr int m = 2;
  Link link;
  double nu;
  template <class T> struct Shared {
    T constant, precision;
  };
  template <class T> Shared<T> shared(const T* eta) const {
    using std::exp;
    return {t_constant(std::log(nu)) - eta[1], exp(-2.0 * eta[1] - std::log(nu))};
  }
  template <class T, class S> T density(double y, double, const T* eta, const S& s) const {
    using std::log1p;
    const T r = y - mean_of(link, eta[0]);
    return s.constant - 0.5 * (nu + 1.0) * log1p(r * r * s.precision);
  }
  double information(double, const double* eta) const { return t_information(link, eta[0], eta[1], nu); }
};

}  // namespace

FamilyEntry student_family() {
  return {"t", "Student t", {"student", "t_family", "student_t", "studentt"}, {Link::identity, Link::log, Link::inverse},
          {"location", "log_scale", "log_nu"}, "scale: variance scale^2 nu / (nu - 2)", "real", Zeros::hurdle, 1.0,
          [](const FamilyRequest& r) -> std::unique_ptr<Family> {
            if (r.options.empty()) return std::make_unique<JetFamily<StudentFree>>(StudentFree{r.link});
            if (!(r.options[0] > 0.0)) throw std::invalid_argument("the degrees of freedom of the t family must be positive");
            return std::make_unique<JetFamily<StudentFixed>>(StudentFixed{r.link, r.options[0]});
          }};
}

}  // namespace tanada
