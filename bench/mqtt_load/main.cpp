// Loads an MQTT broker from one thread and says what came of it, one figure a line.
//
//   mqtt_load PORT PID MODE [name=number ...]
//
// PID is the broker's process, whose CPU time and memory are read. The modes, each in a file of its
// own, are told in modes.hpp.

#include <cstdio>
#include <cstdlib>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "modes.hpp"

int main(int argc, char** argv) {
  using namespace bench::mqtt;
  const std::map<std::string_view, void (*)(const Options&)> modes = {
      {"stream", stream}, {"idle", idle}, {"retained", retained}, {"hear", hear}};
  const auto mode = argc < 4 ? modes.end() : modes.find(argv[3]);
  if (mode == modes.end()) {
    std::fprintf(stderr, "usage: mqtt_load PORT PID MODE [name=number ...]\n");
    return 2;
  }
  Options options{std::atoi(argv[1]), std::atoi(argv[2]), {}};
  for (int i = 4; i < argc; ++i) {
    const std::string_view setting = argv[i];
    const auto name = setting.substr(0, setting.find('='));
    options.numbers[std::string(name)] = std::atol(argv[i] + name.size() + 1);
  }
  // Sleeps end when they should, and every client may have its socket.
  prctl(PR_SET_TIMERSLACK, 1, 0, 0, 0);
  rlimit files{};
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  mode->second(options);
}
