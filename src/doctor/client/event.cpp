#include "doctor/client/event.hpp"

namespace doctor::client {

Event::Event(std::string_view receiver, std::string_view method, std::string_view params,
             std::chrono::steady_clock::time_point arrived) {
  std::size_t bars[3];
  std::size_t at = 0;
  for (std::size_t& bar : bars) {
    bar = method.find('|', at);
    if (bar == method.npos) return;
    at = bar + 1;
  }
  if (bars[0] != 0) receiver = {};
  auto data = std::make_shared<Data>();
  data->arrived = arrived;
  data->text.reserve(receiver.size() + method.size() + params.size());
  data->text.append(receiver).append(method).append(params);
  for (std::size_t i = 0; i < 3; ++i) data->ends[i] = receiver.size() + bars[i];
  data->ends[3] = receiver.size() + method.size();
  data_ = std::move(data);
}

}  // namespace doctor::client
