// Count families without zeros: f(y) / (1 - f(0)). With a zero-inflation predictor they are hurdle models.
#include "family/entries.hpp"
#include "family/wrappers.hpp"

namespace tanada {

namespace {

FamilyEntry truncated(FamilyEntry parent) {
  FamilyEntry entry = parent;
  entry.name = "truncated_" + parent.name;
  entry.title = parent.title + ", truncated at zero";
  entry.aliases = {"hurdle_" + parent.name, "ztruncated_" + parent.name};
  entry.support = "positive count";
  entry.zeros = Zeros::hurdle;
  entry.make = [make = parent.make](const FamilyRequest& r) { return zero_truncated(make(r)); };
  return entry;
}

}  // namespace

std::vector<FamilyEntry> truncated_families() {
  return {truncated(poisson_family()), truncated(nbinom1_family()), truncated(nbinom2_family()), truncated(genpois_family()),
          truncated(compois_family())};
}

}  // namespace tanada
