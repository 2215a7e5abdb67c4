// A response family: the log-density of one observation as a function of its linear predictors.
//
// Predictors come in the order: location (0), dispersion (where the family has one), shape(s), zero inflation last. Ordinal
// families have location, lower threshold, upper threshold. A family evaluates a batch of rows: one virtual call, no call per row.
#pragma once
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "linalg/lapack.hpp"

namespace tanada {

struct Rows {
  const double* y;        // (n)
  const double* trials;   // (n) binomial trials, ones otherwise
  const double* weights;  // (n) multiply the log-density
  const double* eta;      // (n, m) row-major: linear predictors
};

// Filled up to the order asked for; null where not wanted. Layouts per row i: d1[i*m + a]; d2[i*m2 + index of (a<=b)];
// d3[i*m3 + index of (a<=b<=c)], indices in lexicographic order, m2 = m(m+1)/2, m3 = m(m+1)(m+2)/6.
struct Derivatives {
  double* value = nullptr;
  double* d1 = nullptr;
  double* d2 = nullptr;
  double* d3 = nullptr;
};

class Family {
 public:
  virtual ~Family() = default;
  virtual int predictors() const = 0;  // m
  // order 0: value; 1: + d1; 2: + d2; 3: + d3. Rows [begin, end). Overflow shows as a value that is not finite.
  virtual void evaluate(int order, std::size_t begin, std::size_t end, const Rows& rows, const Derivatives& out) const = 0;
  // E[-d2] for the location predictor, a positive weight for the fallback step of the inner Newton; default: none.
  virtual bool expected_weight(std::size_t, std::size_t, const Rows&, double* /*(n)*/) const { return false; }
};

struct FamilySpec {
  std::string name;             // "binomial", "nbinom2", "truncated_poisson", ...
  std::string link = "";        // empty: the family's default
  bool zero_inflated = false;   // adds a last predictor, logit of the probability of a structural zero
  std::vector<double> options;  // family-specific constants (fixed df of t, ...)
};
// Throws std::invalid_argument for an unknown family or link.
std::unique_ptr<Family> make_family(const FamilySpec& spec);

}  // namespace tanada
