#include "family/registry.hpp"

#include <stdexcept>

#include "family/entries.hpp"
#include "family/wrappers.hpp"

namespace tanada {

const std::vector<FamilyEntry>& family_entries() {
  static const std::vector<FamilyEntry> entries = [] {
    std::vector<FamilyEntry> all = {gaussian_family(),     binomial_family(), poisson_family(),          nbinom1_family(),
                                    nbinom2_family(),      gamma_family(),    inverse_gaussian_family(), beta_family(),
                                    ordered_beta_family(), betabinomial_family(), student_family(),      lognormal_family(),
                                    skew_normal_family(),  genpois_family(),  bell_family(),             tweedie_family(),
                                    compois_family(),      cumulative_family()};
    for (FamilyEntry& e : truncated_families()) all.push_back(std::move(e));
    return all;
  }();
  return entries;
}

const FamilyEntry* find_family(const std::string& name) {
  for (const FamilyEntry& e : family_entries()) {
    if (e.name == name) return &e;
    for (const std::string& alias : e.aliases)
      if (alias == name) return &e;
  }
  return nullptr;
}

std::unique_ptr<Family> make_family(const FamilySpec& spec, bool by_hand) {
  const FamilyEntry* entry = find_family(spec.name);
  if (!entry) throw std::invalid_argument("unknown family '" + spec.name + "'");
  const Link* link = nullptr;
  for (const Link& l : entry->links)
    if (spec.link.empty() || spec.link == link_name(l)) {
      link = &l;
      break;
    }
  if (!link) throw std::invalid_argument("family '" + entry->name + "' has no link '" + spec.link + "'");
  std::unique_ptr<Family> family = entry->make({*link, spec.options, by_hand});
  if (!spec.zero_inflated) return family;
  return entry->zeros == Zeros::hurdle ? hurdle(std::move(family)) : zero_inflated(std::move(family));
}

std::unique_ptr<Family> make_family(const FamilySpec& spec) { return make_family(spec, true); }

}  // namespace tanada
