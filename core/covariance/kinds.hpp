// Makers of the structures, one a file; registry.cpp lists them by name.
#pragma once
#include "covariance/correlation.hpp"

namespace tanada {

std::unique_ptr<Structure> make_ar1(const StructureSpec& spec);      // ar1, hetar1
std::unique_ptr<Structure> make_ou(const StructureSpec& spec);
std::unique_ptr<Structure> make_cs(const StructureSpec& spec);       // cs, homcs
std::unique_ptr<Structure> make_toep(const StructureSpec& spec);     // toep, homtoep
std::unique_ptr<Structure> make_spatial(const StructureSpec& spec);  // exp, gau, mat
std::unique_ptr<Structure> make_rr(const StructureSpec& spec);
std::unique_ptr<Structure> make_known(const StructureSpec& spec);    // propto, equalto

// Euclidean distances between the rows of spec.coords; throws when there are not k rows.
Matrix distances(const StructureSpec& spec);
// The mean distance between different points, 1 when there is none.
double typical_distance(const Matrix& distance);

}  // namespace tanada
