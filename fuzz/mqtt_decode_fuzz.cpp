// The first byte chooses the version and how the rest, a stream of packets, is cut. However it is
// cut, the same packets are understood; what is understood can be said again and means the same.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "doctor/mqtt/decode.hpp"
#include "doctor/mqtt/encode.hpp"
#include "require.hpp"

using namespace doctor::mqtt;

namespace {

constexpr std::size_t packet_max = 1 << 16;

// Each packet of the stream as it is encoded again, or the reason why it is refused.
std::vector<std::string> understood(std::string_view stream, std::size_t piece, Version version) {
  std::vector<std::string> all;
  Splitter splitter(packet_max);
  while (!stream.empty()) {
    std::string_view input = stream.substr(0, piece);
    stream.remove_prefix(input.size());
    for (;;) {
      const auto frame = splitter.next(input);
      if (!frame) {
        all.emplace_back(frame.error().detail);
        return all;
      }
      if (!*frame) break;
      const auto packet = decode(**frame, version);
      if (!packet) {
        all.emplace_back(packet.error().detail);
        continue;
      }
      encode(*packet, version, all.emplace_back());

      Splitter again(packet_max + 1024);
      std::string_view bytes = all.back();
      const auto second = again.next(bytes);
      require(second && *second && bytes.empty());
      const auto* connect = std::get_if<Connect>(&*packet);
      const auto decoded = decode(**second, connect != nullptr ? connect->version : version);
      require(decoded && *decoded == *packet);
    }
  }
  return all;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const Version version = (data[0] & 1) != 0 ? Version::v5_0 : Version::v3_1_1;
  const std::size_t piece = 1 + (data[0] >> 1 & 15);
  const std::string_view stream(reinterpret_cast<const char*>(data) + 1, size - 1);
  const auto whole = understood(stream, stream.size() + 1, version);
  require(whole == understood(stream, piece, version));
  return 0;
}
