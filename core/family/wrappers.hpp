// Families made from other families, on their packed derivatives: zero inflation, hurdles, truncation at zero.
#pragma once
#include <memory>

#include "family/registry.hpp"

namespace tanada {

// A last predictor z = logit(pi), pi the probability of a structural zero: P(0) = pi + (1 - pi) f(0).
std::unique_ptr<Family> zero_inflated(std::unique_ptr<Family> parent);
// A last predictor z = logit(pi), pi the probability of a zero; other responses have (1 - pi) times the parent's density. `inside` is a
// response in the parent's support.
std::unique_ptr<Family> hurdle(std::unique_ptr<Family> parent);
// f(y) / (1 - f(0)) for y > 0; a zero has log-density minus infinity.
std::unique_ptr<Family> zero_truncated(std::unique_ptr<Family> parent);

}  // namespace tanada
