// Jets: numbers that carry all partial derivatives up to order K <= 3 in M variables (forward mode, truncated Taylor).
//
// v is the value, g the M first derivatives, h and t the second and third ones, packed: h over (a <= b), t over
// (a <= b <= c), lexicographic. Products follow Leibniz' rule, functions of one variable Faa di Bruno's formula. A log-density
// written once for a scalar type T is evaluated with T = double (value only), Jet<M, 2> or Jet<M, 3>.
#pragma once
#include <array>
#include <cmath>
#include <type_traits>
#include <utility>

namespace tanada {

constexpr int pairs(int m) { return m * (m + 1) / 2; }
constexpr int triples(int m) { return m * (m + 1) * (m + 2) / 6; }

template <int M, int K> struct Jet {
  static constexpr int variables = M, order = K;
  double v = 0.0;
  std::array<double, M> g{};
  std::array<double, (K >= 2 ? pairs(M) : 0)> h{};
  std::array<double, (K >= 3 ? triples(M) : 0)> t{};

  Jet() = default;
  Jet(double value) : v(value) {}
  static Jet variable(double value, int index) {
    Jet x(value);
    x.g[index] = 1.0;
    return x;
  }

  Jet& operator+=(const Jet& o) {
    v += o.v;
    for (int i = 0; i < M; ++i) g[i] += o.g[i];
    for (std::size_t i = 0; i < h.size(); ++i) h[i] += o.h[i];
    for (std::size_t i = 0; i < t.size(); ++i) t[i] += o.t[i];
    return *this;
  }
  Jet& operator*=(double c) {
    v *= c;
    for (int i = 0; i < M; ++i) g[i] *= c;
    for (std::size_t i = 0; i < h.size(); ++i) h[i] *= c;
    for (std::size_t i = 0; i < t.size(); ++i) t[i] *= c;
    return *this;
  }
};

// Position of (a <= b) in the packed second derivatives.
template <int M> constexpr int pair_index(int a, int b) { return a * M - a * (a - 1) / 2 + (b - a); }

// The packed third derivatives: variables a <= b <= c of each, and the positions of its three pairs.
struct Triple {
  int a, b, c, ab, ac, bc;
};
template <int M> constexpr std::array<Triple, triples(M)> make_triples() {
  std::array<Triple, triples(M)> out{};
  for (int a = 0, i = 0; a < M; ++a)
    for (int b = a; b < M; ++b)
      for (int c = b; c < M; ++c, ++i) out[i] = {a, b, c, pair_index<M>(a, b), pair_index<M>(a, c), pair_index<M>(b, c)};
  return out;
}
template <int M> inline constexpr auto kTriples = make_triples<M>();

// Calls body(std::integral_constant<int, i>) for i = 0..N-1: loops over packed derivatives whose indices are constants.
template <class F, int... I> inline void unrolled(F&& body, std::integer_sequence<int, I...>) {
  (body(std::integral_constant<int, I>{}), ...);
}
template <int N, class F> inline void unrolled(F&& body) { unrolled(body, std::make_integer_sequence<int, N>{}); }

// f(x) for a function of one variable whose derivatives at x.v are f[0..K].
template <int M, int K> inline Jet<M, K> compose(const Jet<M, K>& x, const double* f) {
  Jet<M, K> r(f[0]);
  for (int a = 0; a < M; ++a) r.g[a] = f[1] * x.g[a];
  if constexpr (K >= 2)
    for (int a = 0, i = 0; a < M; ++a)
      for (int b = a; b < M; ++b, ++i) r.h[i] = f[2] * x.g[a] * x.g[b] + f[1] * x.h[i];
  if constexpr (K >= 3)
    unrolled<triples(M)>([&](auto i) {
      constexpr Triple p = kTriples<M>[i];
      r.t[i] = f[3] * x.g[p.a] * x.g[p.b] * x.g[p.c] + f[1] * x.t[i] +
               f[2] * (x.h[p.ab] * x.g[p.c] + x.h[p.ac] * x.g[p.b] + x.h[p.bc] * x.g[p.a]);
    });
  return r;
}

// F(x, y) for a function of two variables given by its own jet in (x, y) at (x.v, y.v).
template <int M, int K> inline Jet<M, K> compose(const Jet<2, K>& f, const Jet<M, K>& x, const Jet<M, K>& y) {
  Jet<M, K> r(f.v);
  const Jet<M, K>* in[2] = {&x, &y};
  for (int a = 0; a < M; ++a) r.g[a] = f.g[0] * x.g[a] + f.g[1] * y.g[a];
  auto second = [&](int p, int q) { return f.h[p + q]; };  // (0,0), (0,1), (1,1)
  if constexpr (K >= 2)
    for (int a = 0, i = 0; a < M; ++a)
      for (int b = a; b < M; ++b, ++i) {
        r.h[i] = f.g[0] * x.h[i] + f.g[1] * y.h[i];
        for (int p = 0; p < 2; ++p)
          for (int q = 0; q < 2; ++q) r.h[i] += second(p, q) * in[p]->g[a] * in[q]->g[b];
      }
  if constexpr (K >= 3)
    unrolled<triples(M)>([&](auto i) {
      constexpr Triple at = kTriples<M>[i];
      double s = f.g[0] * x.t[i] + f.g[1] * y.t[i];
      for (int p = 0; p < 2; ++p)
        for (int q = 0; q < 2; ++q) {
          s += second(p, q) * (in[p]->h[at.ab] * in[q]->g[at.c] + in[p]->h[at.ac] * in[q]->g[at.b] + in[p]->h[at.bc] * in[q]->g[at.a]);
          for (int u = 0; u < 2; ++u) s += f.t[p + q + u] * in[p]->g[at.a] * in[q]->g[at.b] * in[u]->g[at.c];
        }
      r.t[i] = s;
    });
  return r;
}

template <int M, int K> inline Jet<M, K> operator*(const Jet<M, K>& x, const Jet<M, K>& y) {
  Jet<M, K> r(x.v * y.v);
  for (int a = 0; a < M; ++a) r.g[a] = x.v * y.g[a] + x.g[a] * y.v;
  if constexpr (K >= 2)
    for (int a = 0, i = 0; a < M; ++a)
      for (int b = a; b < M; ++b, ++i) r.h[i] = x.v * y.h[i] + x.g[a] * y.g[b] + x.g[b] * y.g[a] + x.h[i] * y.v;
  if constexpr (K >= 3)
    unrolled<triples(M)>([&](auto i) {
      constexpr Triple p = kTriples<M>[i];
      r.t[i] = x.v * y.t[i] + x.g[p.a] * y.h[p.bc] + x.g[p.b] * y.h[p.ac] + x.g[p.c] * y.h[p.ab] + x.h[p.ab] * y.g[p.c] +
               x.h[p.ac] * y.g[p.b] + x.h[p.bc] * y.g[p.a] + x.t[i] * y.v;
    });
  return r;
}
template <int M, int K> inline Jet<M, K> operator+(Jet<M, K> x, const Jet<M, K>& y) { return x += y; }
template <int M, int K> inline Jet<M, K> operator-(Jet<M, K> x) { return x *= -1.0; }
template <int M, int K> inline Jet<M, K> operator-(const Jet<M, K>& x, const Jet<M, K>& y) { return x + (-y); }
template <int M, int K> inline Jet<M, K> operator+(Jet<M, K> x, double c) { return x.v += c, x; }
template <int M, int K> inline Jet<M, K> operator+(double c, Jet<M, K> x) { return x.v += c, x; }
template <int M, int K> inline Jet<M, K> operator-(Jet<M, K> x, double c) { return x.v -= c, x; }
template <int M, int K> inline Jet<M, K> operator-(double c, const Jet<M, K>& x) { return (-x) + c; }
template <int M, int K> inline Jet<M, K> operator*(Jet<M, K> x, double c) { return x *= c; }
template <int M, int K> inline Jet<M, K> operator*(double c, Jet<M, K> x) { return x *= c; }
template <int M, int K> inline Jet<M, K> operator/(Jet<M, K> x, double c) { return x *= 1.0 / c; }

// A jet that depends on its first two variables only, as a jet in these, and back: parts of a density in fewer variables cost less.
inline double first_two(double x) { return x; }
template <int M, int K> inline Jet<2, K> first_two(const Jet<M, K>& x) {
  Jet<2, K> r(x.v);
  for (int a = 0; a < 2; ++a) r.g[a] = x.g[a];
  if constexpr (K >= 2) r.h = {x.h[0], x.h[1], x.h[pair_index<M>(1, 1)]};
  if constexpr (K >= 3)
    for (int i = 0, j = 0; i < triples(M); ++i)
      if (kTriples<M>[i].c < 2) r.t[j++] = x.t[i];
  return r;
}
template <class T> inline T from_two(double x) { return x; }
template <class T, int K> inline T from_two(const Jet<2, K>& x) {
  constexpr int M = T::variables;
  T r(x.v);
  for (int a = 0; a < 2; ++a) r.g[a] = x.g[a];
  if constexpr (K >= 2) r.h[0] = x.h[0], r.h[1] = x.h[1], r.h[pair_index<M>(1, 1)] = x.h[2];
  if constexpr (K >= 3)
    for (int i = 0, j = 0; i < triples(M); ++i)
      if (kTriples<M>[i].c < 2) r.t[i] = x.t[j++];
  return r;
}

// chain(x, F): F(value, order, f) writes f(value) and its derivatives up to `order` (0 for doubles) into f[0..order].
template <class F> inline double chain(double x, F&& function) {
  double f[4];
  function(x, 0, f);
  return f[0];
}
template <int M, int K, class F> inline Jet<M, K> chain(const Jet<M, K>& x, F&& function) {
  double f[4];
  function(x.v, K, f);
  return compose(x, f);
}

inline double value_of(double x) { return x; }
template <int M, int K> inline double value_of(const Jet<M, K>& x) { return x.v; }

template <int M, int K> inline Jet<M, K> exp(const Jet<M, K>& x) {
  const double e = std::exp(x.v), f[4] = {e, e, e, e};
  return compose(x, f);
}
// Functions of a power type are composed with x / x.v, so that neither a large nor a tiny x overflows in 1 / x^3.
template <int M, int K> inline Jet<M, K> relative(const Jet<M, K>& x) {
  Jet<M, K> r = x;
  return r *= 1.0 / x.v;
}
template <int M, int K> inline Jet<M, K> log(const Jet<M, K>& x) {
  const double f[4] = {std::log(x.v), 1.0, -1.0, 2.0};
  return compose(relative(x), f);
}
template <int M, int K> inline Jet<M, K> log1p(const Jet<M, K>& x) {
  const double i = 1.0 / (1.0 + x.v), f[4] = {std::log1p(x.v), i, -i * i, 2.0 * i * i * i};
  return compose(x, f);
}
template <int M, int K> inline Jet<M, K> expm1(const Jet<M, K>& x) {
  const double e = std::exp(x.v), f[4] = {std::expm1(x.v), e, e, e};
  return compose(x, f);
}
inline double reciprocal(double x) { return 1.0 / x; }
template <int M, int K> inline Jet<M, K> reciprocal(const Jet<M, K>& x) {
  const double i = 1.0 / x.v, f[4] = {i, -i, 2.0 * i, -6.0 * i};
  return compose(relative(x), f);
}
template <int M, int K> inline Jet<M, K> operator/(const Jet<M, K>& x, const Jet<M, K>& y) { return x * reciprocal(y); }
template <int M, int K> inline Jet<M, K> operator/(double c, const Jet<M, K>& y) { return reciprocal(y) * c; }
inline double power(double x, double a) { return std::pow(x, a); }
template <int M, int K> inline Jet<M, K> power(const Jet<M, K>& x, double a) {
  const double p = std::pow(x.v, a), f[4] = {p, a * p, a * (a - 1.0) * p, a * (a - 1.0) * (a - 2.0) * p};
  return compose(relative(x), f);
}
template <int M, int K> inline Jet<M, K> sqrt(const Jet<M, K>& x) { return power(x, 0.5); }

}  // namespace tanada
