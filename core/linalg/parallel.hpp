// A small pool of threads. Work is cut into chunks whose number does not depend on the number of threads, so sums over
// chunks come out the same whatever the limit set by the user.
#pragma once
#include <cstddef>
#include <functional>

namespace tanada {

// Threads in use, including the caller's; 1 runs everything in place.
int thread_count();
void set_thread_count(int n);

// Calls body(chunk, begin, end) for chunks of [0, n). `grain` is the least work worth a chunk. At most kMaxChunks chunks.
// Nested calls run in place. Exceptions from a body reach the caller.
constexpr int kMaxChunks = 16;
int chunk_count(std::size_t n, std::size_t grain);
void parallel_chunks(std::size_t n, std::size_t grain, const std::function<void(int, std::size_t, std::size_t)>& body);

}  // namespace tanada
