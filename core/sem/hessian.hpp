// Exact second derivatives of -2 l of normal vectors, read off Gram matrices.
//
// With V = Sigma^-1, M = S + d d' the mean square about mu (d = ybar - mu), H = V M V, and derivatives Sigma_k = c (a b' + b a'), mu_k = w a:
//   d2(-2l)/dx_k dx_l = n [ 2 tr(V Sigma_k V Sigma_l M V) - tr(V Sigma_k V Sigma_l) + 2 mu_k' V mu_l + 2 mu_k' V Sigma_l V d + 2 mu_l' V Sigma_k V d ]
//                     + sum G_ij d2 Sigma_ij + g' d2 mu,   G = n (V - H), g = -2 n V d.
// The first line needs D'VD, D'HD and D'Vd; the second, linear in G and g, is added once for all patterns or cluster sizes.
#pragma once
#include "sem/model.hpp"

namespace tanada::sem {

// Adds the first line for all pairs of directions.
void add_pair_terms(const Matrix& gram_V, const Matrix& gram_H, const Vector& Vd, const std::vector<Direction>& directions, double n,
                    Matrix& hessian);

// Adds the second line for one block, given the derivatives G, g of -2 l by (Sigma, mu) of the block.
void add_structure_terms(const BlockState& s, const Matrix& G, const Vector& g, Matrix& hessian);

// D' v, p + 2m.
Vector dictionary_products(const BlockState& s, const Vector& v);

}  // namespace tanada::sem
