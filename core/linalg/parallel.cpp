#include "linalg/parallel.hpp"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

namespace tanada {
namespace {

std::atomic<int> g_threads{0};
thread_local bool t_inside = false;

int default_threads() { return std::max(1, std::min(static_cast<int>(std::thread::hardware_concurrency()), kMaxChunks)); }

// One job at a time; workers take chunk numbers from an atomic counter.
class Pool {
 public:
  static Pool& get() {
    static Pool* pool = new Pool;  // never destroyed: threads may outlive static destruction order
    return *pool;
  }

  void run(int chunks, int threads, const std::function<void(int)>& job) {
    std::unique_lock<std::mutex> only(one_job_, std::try_to_lock);
    if (!only.owns_lock()) {  // another caller is using the pool
      for (int c = 0; c < chunks; ++c) job(c);
      return;
    }
    grow(threads - 1);
    {
      std::lock_guard<std::mutex> lock(mutex_);
      job_ = &job;
      chunks_ = chunks;
      next_ = 0;
      helpers_ = std::min(threads - 1, static_cast<int>(workers_.size()));
      active_ = 0;
      error_ = nullptr;
      ++ticket_;
    }
    wake_.notify_all();
    work();
    std::unique_lock<std::mutex> lock(mutex_);
    helpers_ = 0;  // late wakers find nothing to do
    done_.wait(lock, [this] { return active_ == 0; });
    job_ = nullptr;
    if (error_) std::rethrow_exception(error_);
  }

 private:
  void grow(int n) {
    while (static_cast<int>(workers_.size()) < n) {
      workers_.emplace_back([this] { loop(); });
      workers_.back().detach();
    }
  }

  void loop() {
    t_inside = true;
    unsigned long seen = 0;
    for (;;) {
      std::unique_lock<std::mutex> lock(mutex_);
      wake_.wait(lock, [&] { return ticket_ != seen; });
      seen = ticket_;
      if (helpers_ <= 0) continue;
      --helpers_;
      ++active_;
      lock.unlock();
      work();
      lock.lock();
      if (--active_ == 0) done_.notify_all();
    }
  }

  void work() {
    const bool before = t_inside;
    t_inside = true;
    for (;;) {
      const int c = next_.fetch_add(1);
      if (c >= chunks_) break;
      try {
        (*job_)(c);
      } catch (...) {
        std::lock_guard<std::mutex> lock(mutex_);
        if (!error_) error_ = std::current_exception();
      }
    }
    t_inside = before;
  }

  std::mutex one_job_, mutex_;
  std::condition_variable wake_, done_;
  std::vector<std::thread> workers_;
  const std::function<void(int)>* job_ = nullptr;
  int chunks_ = 0, helpers_ = 0, active_ = 0;
  unsigned long ticket_ = 0;
  std::atomic<int> next_{0};
  std::exception_ptr error_;
};

}  // namespace

int thread_count() {
  const int n = g_threads.load();
  return n > 0 ? n : default_threads();
}

void set_thread_count(int n) { g_threads = std::max(0, std::min(n, kMaxChunks)); }

int chunk_count(std::size_t n, std::size_t grain) {
  if (n == 0) return 0;
  const std::size_t c = n / std::max<std::size_t>(grain, 1);
  return static_cast<int>(std::clamp<std::size_t>(c, 1, kMaxChunks));
}

void parallel_chunks(std::size_t n, std::size_t grain, const std::function<void(int, std::size_t, std::size_t)>& body) {
  const int chunks = chunk_count(n, grain);
  auto job = [&](int c) { body(c, n * c / chunks, n * (c + 1) / chunks); };
  const int threads = std::min(thread_count(), chunks);
  if (threads <= 1 || t_inside) {
    for (int c = 0; c < chunks; ++c) job(c);
    return;
  }
  Pool::get().run(chunks, threads, job);
}

}  // namespace tanada
