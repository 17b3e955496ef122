#pragma once

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>
#include <sys/resource.h>

namespace bench::load {

inline std::int64_t now_ns() {
  return std::chrono::steady_clock::now().time_since_epoch().count();
}

inline void print(const char* name, double value) {
  std::printf("%s %.3f\n", name, value);
}

/// CPU nanoseconds of all threads of the broker.
inline double broker_cpu(int pid) {
  double total = 0;
  for (const auto& task :
       std::filesystem::directory_iterator("/proc/" + std::to_string(pid) + "/task")) {
    double spent = 0;
    std::ifstream(task.path() / "schedstat") >> spent;
    total += spent;
  }
  return total;
}

inline double broker_memory_kib(int pid) {
  std::ifstream status("/proc/" + std::to_string(pid) + "/status");
  for (std::string name; status >> name;) {
    if (name != "VmRSS:") continue;
    double kib = 0;
    status >> kib;
    return kib;
  }
  return 0;
}

inline double own_cpu() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto ns = [](const timeval& t) {
    return 1e9 * static_cast<double>(t.tv_sec) + 1e3 * static_cast<double>(t.tv_usec);
  };
  return ns(usage.ru_utime) + ns(usage.ru_stime);
}

/// What a stretch of the run cost both sides. A load generator that is busy all the time measures
/// itself: its share is printed, so that one can see.
class Stretch {
 public:
  explicit Stretch(int pid)
      : pid_(pid), began_(now_ns()), broker_(broker_cpu(pid)), own_(own_cpu()) {}

  std::int64_t began() const { return began_; }
  void print_until(std::int64_t end, double count) const {
    const auto ns = static_cast<double>(end - began_);
    const double broker = broker_cpu(pid_) - broker_;
    print("per_second", count * 1e9 / ns);
    print("per_cpu_second", broker > 0 ? count * 1e9 / broker : 0);
    print("broker_share", broker / ns);
    print("load_share", (own_cpu() - own_) / ns);
  }

 private:
  int pid_;
  std::int64_t began_;
  double broker_;
  double own_;
};

}  // namespace bench::load
