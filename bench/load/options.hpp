#pragma once

#include <cstdlib>
#include <map>
#include <string>
#include <string_view>
#include <sys/prctl.h>
#include <sys/resource.h>

namespace bench::load {

/// What the command line said.
struct Options {
  int port = 0;
  int pid = 0;
  std::map<std::string, long, std::less<>> numbers;

  long get(std::string_view name, long otherwise) const {
    const auto found = numbers.find(name);
    return found == numbers.end() ? otherwise : found->second;
  }
};

/// PORT PID MODE [name=number ...]
inline Options parse_options(int argc, char** argv) {
  Options options{std::atoi(argv[1]), std::atoi(argv[2]), {}};
  for (int i = 4; i < argc; ++i) {
    const std::string_view setting = argv[i];
    const auto name = setting.substr(0, setting.find('='));
    options.numbers[std::string(name)] = std::atol(argv[i] + name.size() + 1);
  }
  return options;
}

/// Sleeps end when they should, and every client may have its socket.
inline void prepare_process() {
  prctl(PR_SET_TIMERSLACK, 1, 0, 0, 0);
  rlimit files{};
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
}

}  // namespace bench::load
