#include <atomic>
#include <stdexcept>
#include <vector>

#include "check.hpp"
#include "linalg/parallel.hpp"

using namespace tanada;

TEST(chunks_cover_the_range_once) {
  std::vector<int> hits(10007, 0);
  parallel_chunks(hits.size(), 100, [&](int, std::size_t a, std::size_t b) {
    for (std::size_t i = a; i < b; ++i) ++hits[i];
  });
  bool once = true;
  for (int h : hits) once = once && h == 1;
  CHECK(once);
}

TEST(sums_do_not_depend_on_the_number_of_threads) {
  auto sum = [] {
    double part[kMaxChunks] = {};
    parallel_chunks(100000, 1000, [&](int c, std::size_t a, std::size_t b) {
      for (std::size_t i = a; i < b; ++i) part[c] += 1.0 / (1.0 + static_cast<double>(i));
    });
    double total = 0.0;
    for (double p : part) total += p;
    return total;
  };
  set_thread_count(1);
  const double one = sum();
  set_thread_count(2);
  const double two = sum();
  set_thread_count(0);
  CHECK(one == two);
}

TEST(exceptions_reach_the_caller_and_the_pool_lives_on) {
  bool caught = false;
  try {
    parallel_chunks(1000, 10, [&](int c, std::size_t, std::size_t) {
      if (c == 3) throw std::runtime_error("no");
    });
  } catch (const std::runtime_error&) {
    caught = true;
  }
  CHECK(caught);
  std::atomic<int> n{0};
  parallel_chunks(1000, 10, [&](int, std::size_t a, std::size_t b) { n += static_cast<int>(b - a); });
  CHECK(n == 1000);
}

TEST(nested_calls_run_in_place) {
  std::atomic<int> n{0};
  parallel_chunks(64, 1, [&](int, std::size_t a, std::size_t b) {
    for (std::size_t i = a; i < b; ++i) parallel_chunks(10, 1, [&](int, std::size_t c, std::size_t d) { n += static_cast<int>(d - c); });
  });
  CHECK(n == 640);
}
