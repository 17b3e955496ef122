#include "doctor/server/input_buffer.hpp"

#include <string>

#include <gtest/gtest.h>

namespace doctor::server {
namespace {

void put(InputBuffer& buffer, std::string_view octets) {
  const auto room = buffer.prepare(octets.size());
  std::copy(octets.begin(), octets.end(), room.begin());
  buffer.commit(octets.size());
}

TEST(InputBuffer, KeepsWhatIsNotConsumedHoweverItGrows) {
  InputBuffer buffer;
  put(buffer, "abc");
  buffer.consume(1);
  const std::string large(100'000, 'x');
  put(buffer, large);
  EXPECT_EQ(buffer.view(), "bc" + large);
}

TEST(InputBuffer, AHeadThatIsSplitOffStaysWhereItIs) {
  InputBuffer buffer;
  put(buffer, "old HEADbody");
  buffer.consume(4);
  const std::string_view head = buffer.view().substr(0, 4);
  const InputBuffer memory = buffer.split(4);
  put(buffer, std::string(100'000, 'x'));
  EXPECT_EQ(head, "HEAD");
  EXPECT_EQ(memory.view().data(), head.data());
  EXPECT_EQ(buffer.view().substr(0, 5), "bodyx");
}

TEST(InputBuffer, AnIdleOneIsSmallAgain) {
  InputBuffer buffer;
  put(buffer, std::string(100'000, 'x'));
  buffer.consume(100'000);
  EXPECT_TRUE(buffer.empty());
  buffer.shrink();
  EXPECT_EQ(buffer.prepare(1).size(), InputBuffer::idle_capacity);
}

}  // namespace
}  // namespace doctor::server
