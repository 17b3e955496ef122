#include "doctor/client/client.hpp"

#include <condition_variable>
#include <csignal>
#include <filesystem>
#include <mutex>
#include <random>
#include <set>
#include <thread>
#include <unistd.h>

#include <gtest/gtest.h>

#include "doctor/client/test_vdsm.hpp"
#include "doctor/net/test_certificate.hpp"

namespace doctor::client {
namespace {

using namespace std::chrono_literals;

// What a subscriber on another thread hears, to wait for.
class Listener final : public EventSubscriber {
 public:
  explicit Listener(std::int64_t first = 0) : first_(first) {}

  void on_subscribe(std::shared_ptr<Subscription> given) override {
    subscription = std::move(given);
    if (first_ > 0) subscription->request(first_);
  }
  void on_next(const Event& event) override { note("next " + std::string(event.unique_id())); }
  void on_error(const Error& failure) override { note("error " + failure.message); }
  void on_complete() override { note("complete"); }
  void on_disconnect(const Error& reason) override { note("disconnected " + reason.message); }
  void on_reconnect(const Gap&) override { note("reconnected"); }
  void on_dropped(std::uint64_t count) override { note("dropped " + std::to_string(count)); }

  /// Waits until so many signals have come, and gives them all.
  std::vector<std::string> wait_for(std::size_t count) {
    std::unique_lock lock(mutex_);
    came_.wait_for(lock, 20s, [&] { return heard_.size() >= count; });
    return heard_;
  }

  std::shared_ptr<Subscription> subscription;
  std::function<void(const std::string&)> then;  // set it before subscribing

 private:
  void note(std::string signal) {
    {
      const std::scoped_lock lock(mutex_);
      heard_.push_back(signal);
    }
    came_.notify_all();
    if (then) then(signal);
  }
  const std::int64_t first_;
  std::mutex mutex_;
  std::condition_variable came_;
  std::vector<std::string> heard_;
};

using Signals = std::vector<std::string>;

class AtAHost : public testing::Test {
 protected:
  Options options() const {
    Options options;
    options.host = "127.0.0.1";
    options.port = host.port();
    options.peer = Peer::vdsm;
    options.back_off_first = 10ms;
    return options;
  }
  Client open() { return open(options()); }
  static Client open(Options options) { return std::move(*Client::open(std::move(options))); }
  static std::shared_ptr<Listener> listen(Client& client, const std::string& id, std::int64_t first,
                                          SubscriptionOptions how = {}) {
    auto listener = std::make_shared<Listener>(first);
    (*client.events({id}, how))->subscribe(listener);
    return listener;
  }
  static Expected<std::string> wait(std::future<Expected<std::string>> answer) {
    if (answer.wait_for(20s) != std::future_status::ready) {
      return client::error(Code::internal, "nothing came");
    }
    return answer.get();
  }
  void tell(int first, int last) {
    for (int i = first; i <= last; ++i) host.tell("|virt|VM_status|" + std::to_string(i), "{}");
  }

  TestVdsm host;
};

TEST_F(AtAHost, ARequestIsAnswered) {
  Client client = open();
  EXPECT_EQ(*wait(client.call("Host.ping")), "true");
  const auto wrong = wait(client.call("Nobody.knows", R"({"a": [1, 2]})"));
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().code, -32'601);
  EXPECT_EQ(wrong.error().message, "no such method");
  EXPECT_TRUE(client.figures().connected);
  EXPECT_EQ(host.dislikes(), Signals());
}

TEST_F(AtAHost, AnErrorOfTheHostIsWarnedOfAndNotTheEnd) {
  Options with = options();
  std::promise<std::string> warned;
  with.on_warning = [&](std::string_view text) { warned.set_value(std::string(text)); };
  Client client = open(with);
  EXPECT_EQ(*wait(client.call("Host.fault")), "true");
  EXPECT_EQ(warned.get_future().get(), "the peer sent an ERROR: Subscription not available");
  EXPECT_EQ(*wait(client.call("Host.ping")), "true");
  EXPECT_EQ(client.figures().connections, 1u);
}

TEST_F(AtAHost, EventsComeInOrderAndNoMoreThanWereRequested) {
  Client client = open();
  const auto listener = listen(client, "127.0.0.1|virt|VM_status|*", 3);
  ASSERT_TRUE(wait(client.call("Host.ping")));
  host.tell("|net|host_conn|no_id", "{}");
  tell(1, 5);
  EXPECT_EQ(listener->wait_for(3), (Signals{"next 1", "next 2", "next 3"}));
  listener->subscription->request(2);
  EXPECT_EQ(listener->wait_for(5).back(), "next 5");
  EXPECT_EQ(host.dislikes(), Signals());
}

TEST_F(AtAHost, SaysWhatAVdsmUnderstandsOctetForOctet) {
  {
    Client client = open();
    const auto listener = listen(client, "*|virt|*|*", 1);
    CallOptions call;
    call.flow_id = "a:b";
    EXPECT_TRUE(wait(client.call("Host.ping", "{}", call)));
  }
  std::string seen = host.seen();
  const std::size_t at = seen.find("replies-");
  const std::string unique = seen.substr(at + 8, 32);
  for (std::size_t i; (i = seen.find(unique)) != seen.npos;) seen.replace(i, 32, "U");
  // What was asked for before there was a connection is said once there is one.
  EXPECT_EQ(seen,
            "CONNECT\naccept-version:1.2\nhost:127.0.0.1\nheart-beat:15000,15000\n\n^"
            "SUBSCRIBE\nid:1\ndestination:replies-U\nack:auto\n\n^"
            "SUBSCRIBE\nid:2\ndestination:jms.queue.events\nack:auto\n\n^"
            "SEND\ndestination:jms.topic.vdsm_requests\nreply-to:replies-U\n"
            "content-type:application/json\novirtCorrelationId:a\\cb\ncontent-length:92\n\n"
            R"({"jsonrpc":"2.0","id":"U-1","method":"Host.ping","params":{}})"
            "^DISCONNECT\nreceipt:goodbye\n\n^");
  EXPECT_EQ(host.dislikes(), Signals());
}

TEST_F(AtAHost, ALostConnectionIsMadeAgainWithItsSubscriptions) {
  Client client = open();
  const auto listener = listen(client, "*|virt|*|*", 10);
  ASSERT_TRUE(wait(client.call("Host.ping")));
  tell(1, 1);
  listener->wait_for(1);
  auto lost = client.call("Host.hang");
  while (host.seen().find("Host.hang") == std::string::npos) std::this_thread::sleep_for(1ms);
  host.cut();
  const auto answer = wait(std::move(lost));
  ASSERT_FALSE(answer);
  EXPECT_TRUE(answer.error().is(Code::communication));
  listener->wait_for(3);
  tell(2, 2);
  const Signals heard = listener->wait_for(4);
  ASSERT_EQ(heard.size(), 4u);
  EXPECT_EQ(heard[1].substr(0, 12), "disconnected");
  EXPECT_EQ(heard[2], "reconnected");
  EXPECT_EQ(heard[3], "next 2");
  EXPECT_EQ(client.figures().connections, 2u);
}

TEST_F(AtAHost, AHostThatHangsIsGivenUpByTheTimeOutOfTheRequest) {
  Client client = open();
  ASSERT_TRUE(wait(client.call("Host.ping")));
  host.hang();
  CallOptions soon;
  soon.timeout = 50ms;
  soon.retries = 1;
  const auto answer = wait(client.call("Host.ping", {}, soon));
  ASSERT_FALSE(answer);
  EXPECT_TRUE(answer.error().is(Code::communication));
  EXPECT_TRUE(client.figures().connected);
}

TEST_F(AtAHost, WhoPausesLosesNothingHoweverMuchComes) {
  constexpr int count = 20'000;
  SubscriptionOptions options;
  options.max_events = 50;
  options.overflow = Overflow::pause;
  const auto listener = std::make_shared<Listener>();
  std::atomic<bool> more{false};
  listener->then = [&](const std::string&) {
    if (more) listener->subscription->request(1);
  };
  Client client = open();
  (*client.events({"*|virt|*|*"}, options))->subscribe(listener);
  tell(1, count);
  listener->subscription->request(1);
  listener->wait_for(1);
  std::this_thread::sleep_for(100ms);
  EXPECT_LE(client.figures().events, 51u);
  more = true;
  listener->subscription->request(1);
  const Signals heard = listener->wait_for(count);
  ASSERT_EQ(heard.size(), static_cast<std::size_t>(count));
  for (int i = 0; i < count; ++i) {
    ASSERT_EQ(heard[static_cast<std::size_t>(i)], "next " + std::to_string(i + 1));
  }
}

TEST_F(AtAHost, WhoCancelsFreesThePausedSocket) {
  Client client = open();
  SubscriptionOptions options;
  options.max_events = 5;
  options.overflow = Overflow::pause;
  const auto listener = listen(client, "*|virt|*|*", 1, options);
  tell(1, 1'000);
  listener->wait_for(1);
  listener->subscription->cancel();
  EXPECT_TRUE(wait(client.call("Host.ping")));
  EXPECT_EQ(listener->wait_for(2).back(), "complete");
}

TEST_F(AtAHost, NobodyIsListenedToOnceTheLastSubscriberHasGone) {
  Client client = open();
  const auto listener = listen(client, "*|virt|*|*", 1);
  listener->subscription->cancel();
  listener->wait_for(1);
  EXPECT_TRUE(wait(client.call("Host.ping")));
  EXPECT_TRUE(wait(client.call("Host.ping")));
  const std::string seen = host.seen();
  EXPECT_EQ(seen.find("SUBSCRIBE\nid:2") != seen.npos, seen.find("UNSUBSCRIBE\nid:2") != seen.npos);
}

TEST_F(AtAHost, ClosingCompletesSubscribersAndFailsRequests) {
  Client client = open();
  const auto listener = listen(client, "*|virt|*|*", 1);
  ASSERT_TRUE(wait(client.call("Host.ping")));
  auto waiting = client.call("Host.hang");
  client.close();
  EXPECT_EQ(listener->wait_for(1), Signals{"complete"});
  EXPECT_FALSE(wait(std::move(waiting)));
  EXPECT_FALSE(wait(client.call("Host.ping")));
  const auto late = listen(client, "*|virt|*|*", 1);
  EXPECT_EQ(late->wait_for(1), Signals{"complete"});
}

TEST_F(AtAHost, APublisherOutlivesItsClient) {
  std::shared_ptr<Publisher> publisher;
  {
    Client client = open();
    publisher = *client.events({"*|virt|*|*"});
  }
  const auto listener = std::make_shared<Listener>(1);
  publisher->subscribe(listener);
  EXPECT_EQ(listener->wait_for(1), Signals{"complete"});
}

TEST_F(AtAHost, AClientMayEndInsideACallback) {
  auto client = std::make_unique<Client>(open());
  std::promise<void> gone;
  client->call("Host.ping", "", [&](const Expected<std::string>&) {
    client.reset();
    gone.set_value();
  });
  EXPECT_EQ(gone.get_future().wait_for(20s), std::future_status::ready);
}

TEST_F(AtAHost, WhatACallbackThrowsIsCounted) {
  Client client = open();
  client.call("Host.ping", "",
              [](const Expected<std::string>&) { throw std::runtime_error("no"); });
  EXPECT_TRUE(wait(client.call("Host.ping")));
  EXPECT_EQ(client.figures().threw, 1u);
}

TEST_F(AtAHost, WhatCannotBeAskedIsRefused) {
  Client client = open();
  EXPECT_FALSE(client.events({}));
  EXPECT_FALSE(client.events({"*|*|*|*"}));
  EXPECT_FALSE(client.events({"a|b|c"}));
  SubscriptionOptions none;
  none.max_events = 0;
  EXPECT_FALSE(client.events({"a|b|c|d"}, none));
  EXPECT_FALSE(client.publish("virt", "x", "y", "{}"));  // not to a vdsm
  for (const char* params : {"1", "{", "\"a\"", "{} {}"}) {
    const auto answer = wait(client.call("Host.ping", params));
    ASSERT_FALSE(answer);
    EXPECT_TRUE(answer.error().is(Code::invalid_argument)) << params;
  }
}

TEST(WithoutAHost, WhoSubscribesDuringAnOutageIsToldOfIt) {
  Options options;
  options.host = "127.0.0.1";
  options.port = TestVdsm().port();  // nobody is there any more
  Client client = std::move(*Client::open(options));
  const auto first = std::make_shared<Listener>();
  (*client.events({"*|a|*|*"}))->subscribe(std::shared_ptr<EventSubscriber>(first));
  EXPECT_EQ(first->wait_for(1).front().substr(0, 12), "disconnected");
  const auto second = std::make_shared<Listener>();
  (*client.events({"127.0.0.1|a|*|*"}))->subscribe(std::shared_ptr<EventSubscriber>(second));
  EXPECT_EQ(second->wait_for(1).front().substr(0, 12), "disconnected");
  const auto other = std::make_shared<Listener>();
  (*client.events({"elsewhere|a|*|*"}))->subscribe(std::shared_ptr<EventSubscriber>(other));
  client.close();
  EXPECT_EQ(other->wait_for(1), Signals{"complete"});
}

TEST(WithoutAHost, TheOnlyAttemptThatIsAllowedIsTheEnd) {
  Options options;
  options.host = "127.0.0.1";
  options.port = TestVdsm().port();  // nobody is there any more
  options.attempts = 1;
  Client client = std::move(*Client::open(options));
  auto answer = client.call("Host.ping");
  ASSERT_EQ(answer.wait_for(20s), std::future_status::ready);
  const auto result = answer.get();
  ASSERT_FALSE(result);
  EXPECT_NE(result.error().message.find("127.0.0.1 port"), std::string::npos);
}

TEST(WithoutAHost, WhoSubscribesAfterTheLastAttemptFails) {
  Options options;
  options.host = "127.0.0.1";
  options.port = TestVdsm().port();
  options.attempts = 1;
  Client client = std::move(*Client::open(options));
  EXPECT_FALSE(client.call("Host.ping").get());
  const auto listener = std::make_shared<Listener>();
  (*client.events({"*|a|*|*"}))->subscribe(std::shared_ptr<EventSubscriber>(listener));
  EXPECT_EQ(listener->wait_for(1).front().substr(0, 21), "error 127.0.0.1 port ");
  const auto told = client.publish("a", "b", "c", "{}");
  ASSERT_FALSE(told);
  EXPECT_TRUE(told.error().is(Code::communication)) << "nobody will ever hear it";
}

class OverTls : public testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(net::write_test_certificate(path)); }
  void TearDown() override { std::filesystem::remove(path); }
  Expected<std::string> ask(const TlsOptions& tls, bool wants_certificate = false) const {
    TestVdsm host(path, wants_certificate);
    Options options;
    options.host = "127.0.0.1";
    options.port = host.port();
    options.peer = Peer::vdsm;
    options.attempts = 1;
    options.tls = tls;
    auto client = Client::open(options);
    if (!client) return client.error();
    auto answer = client->call("Host.ping");
    if (answer.wait_for(20s) != std::future_status::ready) {
      return client::error(Code::internal, "nothing came");
    }
    return answer.get();
  }
  TlsOptions trusting() const {
    TlsOptions tls;
    tls.ca = path;
    tls.name = "localhost";
    return tls;
  }
  const std::string path =
      testing::TempDir() + "doctor-client-" + std::to_string(getpid()) + ".pem";
};

TEST_F(OverTls, ACertificateThatIsTrustedAndForTheNameIsGood) {
  EXPECT_EQ(*ask(trusting()), "true");
}

TEST_F(OverTls, OneForAnotherNameIsNot) {
  TlsOptions tls = trusting();
  tls.name = "elsewhere";
  const auto refused = ask(tls);
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("certificate: hostname mismatch"), std::string::npos)
      << refused.error().message;
  tls.check_name = false;
  EXPECT_EQ(*ask(tls), "true");
}

TEST_F(OverTls, NorIsOneThatIsNotTrusted) {
  TlsOptions tls = trusting();
  tls.ca.clear();
  const auto refused = ask(tls);
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("certificate: self-signed"), std::string::npos)
      << refused.error().message;
}

TEST_F(OverTls, OursIsShownWhereItIsWanted) {
  EXPECT_FALSE(ask(trusting(), true));
  TlsOptions tls = trusting();
  tls.certificate = path;
  EXPECT_EQ(*ask(tls, true), "true");
}

TEST_F(OverTls, AFileThatCannotBeUsedIsToldAtOnce) {
  TlsOptions tls = trusting();
  tls.ca = "/nowhere.pem";
  const auto refused = ask(tls);
  ASSERT_FALSE(refused);
  EXPECT_TRUE(refused.error().is(Code::invalid_argument));
  EXPECT_NE(refused.error().message.find("/nowhere.pem cannot be read"), std::string::npos);
}

// Many threads that do whatever they may, while the host cuts: nothing is answered twice or never,
// no event comes unasked or out of order.
TEST_F(AtAHost, AStorm) {
  const char* given = std::getenv("DOCTOR_SEED");
  const auto seed =
      given != nullptr ? static_cast<unsigned>(std::stoul(given)) : std::random_device()();
  SCOPED_TRACE("DOCTOR_SEED=" + std::to_string(seed));
  class Demanding final : public EventSubscriber {
   public:
    void on_subscribe(std::shared_ptr<Subscription> given) override {
      const std::scoped_lock lock(mutex_);
      subscription_ = std::move(given);
    }
    void on_next(const Event& event) override {
      const int number = std::stoi(std::string(event.unique_id()));
      EXPECT_GT(number, last_);
      last_ = number;
      EXPECT_GE(--allowed_, 0);
      EXPECT_FALSE(ended_);
      if (number % 3 == 0) request(1);
    }
    void on_error(const Error&) override { EXPECT_FALSE(std::exchange(ended_, true)); }
    void on_complete() override { EXPECT_FALSE(std::exchange(ended_, true)); }
    void on_disconnect(const Error&) override {}
    void on_reconnect(const Gap&) override {}
    void on_dropped(std::uint64_t) override {}
    void request(int n) {
      allowed_ += n;
      subscription()->request(n);
    }
    void cancel() { subscription()->cancel(); }

   private:
    std::shared_ptr<Subscription> subscription() {
      const std::scoped_lock lock(mutex_);
      return subscription_;
    }
    std::mutex mutex_;
    std::shared_ptr<Subscription> subscription_;
    std::atomic<int> allowed_{0};
    int last_ = 0;
    bool ended_ = false;
  };

  std::atomic<int> asked{0};
  std::atomic<int> answered{0};
  {
    const auto runtime = Runtime::make(2);
    Client client = std::move(*Client::open(options(), runtime));
    std::atomic<bool> over{false};
    std::vector<std::thread> threads;
    for (unsigned t = 0; t < 3; ++t) {
      threads.emplace_back([&, t] {
        std::mt19937 random(seed + t);
        std::vector<std::shared_ptr<Demanding>> mine;
        for (int step = 0; step < 400; ++step) {
          const auto one = [&] { return mine[random() % mine.size()]; };
          switch (random() % 8) {
            case 0: {
              SubscriptionOptions how;
              how.max_events = 1 + random() % 20;
              how.overflow = random() % 2 == 0 ? Overflow::pause : Overflow::drop_oldest;
              mine.push_back(std::make_shared<Demanding>());
              (*client.events({"*|virt|VM_status|*", "127.0.0.1|*|*|*"}, how))
                  ->subscribe(mine.back());
              break;
            }
            case 1:
              if (!mine.empty()) one()->cancel();
              break;
            case 2: {
              CallOptions how;
              how.idempotent = random() % 2 == 0;
              how.timeout = std::chrono::milliseconds(50 + random() % 200);
              ++asked;
              client.call(
                  random() % 4 == 0 ? "Host.hang" : "Host.ping", "",
                  [&](const Expected<std::string>&) { ++answered; }, how);
              break;
            }
            default:
              if (!mine.empty()) one()->request(1 + static_cast<int>(random() % 50));
          }
          if (step % 16 == 0) std::this_thread::sleep_for(1ms);
        }
      });
    }
    threads.emplace_back([&] {
      for (int i = 0; !over; i += 5) {
        tell(i + 1, i + 5);
        std::this_thread::sleep_for(500us);
        if (i % 500 == 0) host.cut();
      }
    });
    for (std::size_t i = 0; i < 3; ++i) threads[i].join();
    over = true;
    threads[3].join();
  }
  EXPECT_EQ(asked, answered);
  EXPECT_EQ(host.dislikes(), Signals());
}

}  // namespace
}  // namespace doctor::client
