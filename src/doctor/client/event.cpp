#include "doctor/client/event.hpp"

#include <algorithm>
#include <new>
#include <type_traits>
#include <utility>

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
  // One block of memory holds the handles' count, the data and the text.
  const std::size_t text_size = receiver.size() + method.size() + params.size();
  using Unit = decltype(Data::text_size);
  static_assert(alignof(Unit) == alignof(Data) && std::is_trivially_destructible_v<Data>);
  auto block =
      std::make_shared_for_overwrite<Unit[]>((sizeof(Data) + text_size) / sizeof(Unit) + 1);
  auto* const data = new (block.get()) Data{text_size, {}, arrived};
  for (std::size_t i = 0; i < 3; ++i) data->ends[i] = receiver.size() + bars[i];
  data->ends[3] = receiver.size() + method.size();
  char* text = reinterpret_cast<char*>(data + 1);
  for (const std::string_view part : {receiver, method, params}) {
    text = std::copy(part.begin(), part.end(), text);
  }
  data_ = std::shared_ptr<const Data>(std::move(block), data);
}

}  // namespace doctor::client
