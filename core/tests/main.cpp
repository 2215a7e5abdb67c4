#include "check.hpp"

int main() {
  int passed = 0, failed = 0;
  for (const auto& c : check::cases()) {
    const int before = check::failures();
    c.body();
    if (check::failures() > before) {
      ++failed;
      std::printf("FAILED %s\n", c.name.c_str());
    } else {
      ++passed;
    }
  }
  std::printf("%d passed, %d failed\n", passed, failed);
  return failed == 0 && passed > 0 ? 0 : 1;
}
