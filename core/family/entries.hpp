// One function a family; registry.cpp lists them.
#pragma once
#include "family/registry.hpp"

namespace tanada {

FamilyEntry gaussian_family();
FamilyEntry binomial_family();
FamilyEntry poisson_family();
FamilyEntry nbinom2_family();

}  // namespace tanada
