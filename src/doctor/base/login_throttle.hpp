#pragma once

#include <chrono>
#include <cstddef>
#include <list>
#include <string>
#include <string_view>
#include <unordered_map>

#include "doctor/base/time.hpp"

namespace doctor {

/// Slows down guessing: a failed login delays the answer to the next failed one from the same
/// address, doubling from 250 ms up to `delay_max`; a quiet minute forgets. A good login is never
/// delayed. Pure: time is an argument. Not thread-safe. Remembers a bounded number of addresses;
/// when it is full, the ones that have been quiet longest are forgotten first.
class LoginThrottle {
 public:
  explicit LoginThrottle(std::chrono::milliseconds delay_max, std::size_t addresses_max = 10'000)
      : delay_max_(delay_max), addresses_max_(addresses_max) {}

  struct Failure {
    std::chrono::milliseconds delay;  ///< how long its answer must wait
    bool tell;  ///< it is to be logged: the last one of this address that was is a minute ago
  };
  /// Notes a failed login.
  Failure failed(std::string_view address, Clock::time_point now);

 private:
  struct Record {
    std::string address;
    std::chrono::milliseconds next;
    Clock::time_point last;
    Clock::time_point told;
  };
  std::chrono::milliseconds delay_max_;
  std::size_t addresses_max_;
  std::list<Record> records_;  // the one that failed last at the front
  std::unordered_map<std::string_view, std::list<Record>::iterator> by_address_;
};

}  // namespace doctor
