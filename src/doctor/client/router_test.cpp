#include "doctor/client/router.hpp"

#include <gtest/gtest.h>

#include "doctor/client/test_flow.hpp"

namespace doctor::client {
namespace {

events::SubscriptionId id(std::string_view text) {
  return *events::SubscriptionId::parse(text);
}

class Routing : public testing::Test {
 protected:
  std::shared_ptr<TestFlow> add(std::vector<events::SubscriptionId> ids,
                                Overflow overflow = Overflow::drop_oldest) {
    SubscriptionOptions options;
    options.max_events = 2;
    options.overflow = overflow;
    const auto flow = std::make_shared<TestFlow>(options);
    flow->start();
    flow->request(100);
    flow->heard();
    router.add(flow->flow, std::move(ids));
    return flow;
  }
  void deliver(std::string_view receiver, std::string_view method) {
    router.deliver(Event(receiver, method, "{}", TestFlow().deliveries->now()));
    router.flush();
  }
  Router router;
};

TEST_F(Routing, AnEventGoesToAllThatItMatchesOnce) {
  const auto a = add({id("*|virt|*|*"), id("*|*|VM_status|*")});
  const auto b = add({id("*|*|*|u1")});
  const auto c = add({id("other|*|*|u1")});
  deliver("host", "|virt|VM_status|u1");
  EXPECT_EQ(a->heard(), Signals{"next u1"});
  EXPECT_EQ(b->heard(), Signals{"next u1"});
  EXPECT_EQ(c->heard(), Signals());
}

TEST_F(Routing, WhoIsTakenOutGetsNothingAndTheOthersAsBefore) {
  const auto a = add({id("*|*|*|u1")});
  const auto b = add({id("*|*|*|u1")});
  router.deliver(Event("host", "|virt|VM_status|u1", "{}", {}));
  router.remove(a->flow.get());
  router.remove(a->flow.get());
  router.flush();
  deliver("host", "|virt|VM_status|u1");
  EXPECT_EQ(a->heard(), Signals());
  EXPECT_EQ(b->heard().size(), 2u);
  EXPECT_FALSE(router.empty());
  router.remove(b->flow.get());
  EXPECT_TRUE(router.empty());
}

TEST_F(Routing, ALossIsToldToThoseOfThatReceiverOrAny) {
  const auto any = add({id("*|*|*|u1")});
  const auto same = add({id("host|virt|*|*")});
  const auto other = add({id("elsewhere|virt|*|*")});
  router.disconnected("host", error(Code::communication, "gone"));
  router.reconnected("host", Gap{std::chrono::milliseconds(7)});
  const Signals told = {"disconnected gone", "reconnected 7"};
  EXPECT_EQ(any->heard(), told);
  EXPECT_EQ(same->heard(), told);
  EXPECT_EQ(other->heard(), Signals());
}

TEST_F(Routing, AllAreFullOnlyIfEachIs) {
  EXPECT_FALSE(router.all_full());
  const auto a = add({id("*|a|*|*")}, Overflow::pause);
  const auto b = add({id("*|b|*|*")}, Overflow::pause);
  const auto fill = [&](const char* component) {
    for (int i = 0; i < 2; ++i) {
      router.deliver(Event("h", "|" + std::string(component) + "|o|u", "", Clock::now()));
    }
  };
  fill("a");
  EXPECT_FALSE(router.all_full());
  fill("b");
  EXPECT_TRUE(router.all_full());
  const auto c = add({id("*|c|*|*")});
  fill("c");
  EXPECT_FALSE(router.all_full());
  router.remove(c->flow.get());
  EXPECT_TRUE(router.all_full());
  b->cancel();
  EXPECT_FALSE(router.all_full());
}

TEST_F(Routing, TheEndIsForAll) {
  const auto a = add({id("*|a|*|*")});
  const auto b = add({id("*|b|*|*")});
  router.complete();
  EXPECT_EQ(a->heard(), Signals{"complete"});
  EXPECT_EQ(b->heard(), Signals{"complete"});
}

}  // namespace
}  // namespace doctor::client
