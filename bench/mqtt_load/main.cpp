// Loads an MQTT broker from one thread and says what came of it, one figure a line.
//
//   mqtt_load PORT PID MODE [name=number ...]
//
// PID is the broker's process, whose CPU time and memory are read. The modes, each in a file of its
// own, are told in modes.hpp.

#include <cstdio>
#include <map>
#include <string_view>

#include "mqtt_load/modes.hpp"

int main(int argc, char** argv) {
  using namespace bench::mqtt;
  const std::map<std::string_view, void (*)(const Options&)> modes = {
      {"stream", stream}, {"idle", idle}, {"retained", retained}, {"hear", hear}};
  const auto mode = argc < 4 ? modes.end() : modes.find(argv[3]);
  if (mode == modes.end()) {
    std::fprintf(stderr, "usage: mqtt_load PORT PID MODE [name=number ...]\n");
    return 2;
  }
  bench::load::prepare_process();
  mode->second(bench::load::parse_options(argc, argv));
}
