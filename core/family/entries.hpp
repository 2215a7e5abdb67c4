// One function a family; registry.cpp lists them.
#pragma once
#include "family/registry.hpp"

namespace tanada {

FamilyEntry gaussian_family();
FamilyEntry binomial_family();
FamilyEntry poisson_family();
FamilyEntry nbinom1_family();
FamilyEntry nbinom2_family();
FamilyEntry gamma_family();
FamilyEntry inverse_gaussian_family();
FamilyEntry beta_family();
FamilyEntry ordered_beta_family();
FamilyEntry betabinomial_family();
FamilyEntry student_family();
FamilyEntry lognormal_family();
FamilyEntry skew_normal_family();
FamilyEntry genpois_family();
FamilyEntry bell_family();
FamilyEntry tweedie_family();
FamilyEntry compois_family();
FamilyEntry cumulative_family();
std::vector<FamilyEntry> truncated_families();

}  // namespace tanada
