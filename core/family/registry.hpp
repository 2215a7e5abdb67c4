// The list of families. A family is one file of this folder that defines one function returning its FamilyEntry; registry.cpp
// names that function. Python reads the entries through the bindings.
#pragma once
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "family/family.hpp"
#include "family/link.hpp"

namespace tanada {

// What a zero-inflation predictor means for a family.
enum class Zeros {
  mixture,  // P(0) = pi + (1 - pi) f(0)
  hurdle,   // P(0) = pi, the rest is (1 - pi) times a density without zeros
};

struct FamilyRequest {
  Link link;
  std::vector<double> options;
  bool by_hand = true;  // use hand-written derivatives where there are some (false: jets, for the tests)
};

struct FamilyEntry {
  std::string name;
  std::string title;                    // in words, for summaries
  std::vector<std::string> aliases;
  std::vector<Link> links;              // the first is the default
  std::vector<std::string> predictors;  // "location", "log_phi", ... (without the zero-inflation one)
  std::string dispersion;               // what exp(second predictor) is: "standard deviation", ...; empty when there is none
  std::string support;                  // "real", "positive", "count", "positive count", "unit", "closed unit", "nonnegative", "trials", "category"
  Zeros zeros;
  double inside;                        // a response inside the support, for rows whose zero belongs to the hurdle
  std::function<std::unique_ptr<Family>(const FamilyRequest&)> make;
};

const std::vector<FamilyEntry>& family_entries();
// By name or alias; null when unknown.
const FamilyEntry* find_family(const std::string& name);
std::unique_ptr<Family> make_family(const FamilySpec& spec, bool by_hand);

}  // namespace tanada
