#include <gtest/gtest.h>

#include "doctor/client/connection.hpp"
#include "doctor/client/test_connection.hpp"

namespace doctor::client {
namespace {

using Texts = TestConnection::Texts;

TEST(Events, GetTheNameOfThePeerForTheirReceiver) {
  Options options;
  options.receiver = "host1";
  TestConnection test(options);
  test.come_up();
  test.hear_message(R"({"jsonrpc": "2.0", "method": "|virt|VM_status|u1", "params": {"a": 1}})");
  test.hear_message(R"({"jsonrpc":"2.0","method":"host2|virt|VM_status|u|1"})");
  EXPECT_EQ(test.occurred(),
            (Texts{R"(event host1|virt|VM_status|u1 {"a":1})", "event host2|virt|VM_status|u|1 "}));
}

TEST(Events, WhatIsNoneIsCounted) {
  TestConnection test;
  test.come_up();
  test.hear_message(R"({"jsonrpc":"2.0","method":"Host.ping","id":1})");
  test.hear_message(R"({"jsonrpc":"2.0","method":"|a|b"})");
  test.hear_message("{");
  EXPECT_EQ(test.occurred().size(), 1u);  // a warning: no JSON
  EXPECT_EQ(test.connection.unmatched(), 3u);
}

TEST(Events, MayComeManyTogether) {
  TestConnection test;
  test.come_up();
  std::string many = R"([{"jsonrpc":"2.0","method":"|a|b|c"})";
  for (int i = 0; i < 2'000; ++i) many += R"(,{"jsonrpc":"2.0","method":"|a|b|c"})";
  test.hear_message(many + "]");
  EXPECT_EQ(test.occurred().size(), 2'001u);
}

TEST(Events, AreListenedToOnlyWhileWanted) {
  TestConnection test;
  test.come_up();
  test.connection.listen(true, test.now);
  test.connection.listen(true, test.now);
  test.connection.listen(false, test.now);
  EXPECT_EQ(test.said(),
            "SUBSCRIBE\nid:2\ndestination:jms.queue.events\nack:auto\n\n^UNSUBSCRIBE\nid:2\n\n^");
}

TEST(Events, ArePublishedOnceThereIsAConnection) {
  TestConnection test;
  EXPECT_TRUE(test.connection.publish("|a|b|c", "{}", test.now));
  test.connection.start(test.now);
  test.connection.opened(test.now);
  test.said();
  test.hear("CONNECTED\nversion:1.2\n\n^");
  test.occurred();
  EXPECT_TRUE(test.said().ends_with(
      "SEND\ndestination:jms.queue.events\ncontent-type:application/json\ncontent-length:47\n\n"
      R"({"jsonrpc":"2.0","method":"|a|b|c","params":{}})"
      "^"));
}

}  // namespace
}  // namespace doctor::client
