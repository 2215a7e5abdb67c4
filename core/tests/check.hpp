// A very small test harness: TEST(name) { CHECK(condition); CHECK_NEAR(a, b, tolerance); }, run by main.cpp.
#pragma once
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <functional>
#include <string>
#include <vector>

namespace check {

struct Case {
  std::string name;
  std::function<void()> body;
};
inline std::vector<Case>& cases() {
  static std::vector<Case> all;
  return all;
}
inline int& failures() {
  static int n = 0;
  return n;
}
inline void report(const char* file, int line, const std::string& what) {
  std::printf("%s:%d: %s\n", file, line, what.c_str());
  ++failures();
}
struct Register {
  Register(const char* name, std::function<void()> body) { cases().push_back({name, std::move(body)}); }
};

}  // namespace check

#define TEST(name)                                               \
  static void test_##name();                                     \
  static const check::Register register_##name(#name, test_##name); \
  static void test_##name()
#define CHECK(condition) \
  if (!(condition)) check::report(__FILE__, __LINE__, "CHECK failed: " #condition)
#define CHECK_NEAR(a, b, tolerance)                                                                    \
  do {                                                                                                 \
    const double check_a = (a), check_b = (b);                                                         \
    if (!(std::abs(check_a - check_b) <= (tolerance) * std::max(1.0, std::abs(check_b))))              \
      check::report(__FILE__, __LINE__, #a " = " + std::to_string(check_a) + ", not " + std::to_string(check_b)); \
  } while (false)
