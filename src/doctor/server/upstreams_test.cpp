#include "doctor/server/upstreams.hpp"

#include <algorithm>
#include <array>
#include <fcntl.h>
#include <iostream>
#include <thread>
#include <unistd.h>

#include <gtest/gtest.h>

#include "doctor/client/test_vdsm.hpp"
#include "doctor/json/random_json.hpp"
#include "doctor/store/test_store.hpp"

namespace doctor::server {
namespace {

using namespace std::chrono_literals;

rules::Rule refreshed_by(const std::string& method) {
  return {.events = events::SubscriptionId::parse("*|virt|" + method + "|*").value(),
          .collection = "vm",
          .id = rules::IdSource::parse("{receiver}").value(),
          .take = {},
          .refresh = rules::Refresh{"Host." + method, "", rules::Path(),
                                    rules::IdSource::parse_of_item("vmId").value()}};
}

UpstreamSettings upstream(const std::string& name, std::uint16_t port) {
  UpstreamSettings settings;
  settings.name = name;
  settings.host = "127.0.0.1";
  settings.port = port;
  settings.republish = true;
  return settings;
}

// Standard error is a pipe that is full: whoever logs waits until this goes.
class StuckLog {
 public:
  StuckLog() : before_(dup(STDERR_FILENO)) {
    EXPECT_EQ(pipe2(ends_.data(), O_NONBLOCK), 0);
    while (write(ends_[1], "-", 1) == 1) {
    }
    fcntl(ends_[1], F_SETFL, 0);
    dup2(ends_[1], STDERR_FILENO);
  }
  ~StuckLog() {
    dup2(before_, STDERR_FILENO);
    fcntl(ends_[0], F_SETFL, 0);
    close(ends_[1]);
    std::array<char, 4096> lines{};
    while (read(ends_[0], lines.data(), lines.size()) > 0) {  // until nobody writes any more
    }
    close(ends_[0]);
    close(before_);
  }

 private:
  const int before_;
  std::array<int, 2> ends_{};
};

// Each host is asked two things: one it answers, and one of which nothing is heard until its
// connection is lost.
class UpstreamsTest : public testing::Test {
 protected:
  UpstreamsTest() {
    std::cout << "DOCTOR_SEED=" << seed_ << "\n";
    for (std::unique_ptr<client::TestVdsm>& host : hosts_) {
      host = std::make_unique<client::TestVdsm>();
    }
  }

  std::unique_ptr<Upstreams> open(std::vector<UpstreamSettings> more = {}) {
    std::vector<UpstreamSettings> settings = std::move(more);
    for (std::size_t i = 0; i < hosts_.size(); ++i) {
      settings.push_back(upstream("host" + std::to_string(i), hosts_[i]->port()));
    }
    return Upstreams::open(settings, limits_, rules_,
                           [](const hub::Event&, const std::function<void()>& done) { done(); })
        .value();
  }

  // Until one of them has come about so many times.
  static void wait_for_connections(const Upstreams& upstreams, std::uint64_t count,
                                   std::size_t of_hosts) {
    for (const auto end = Clock::now() + 20s; Clock::now() < end;) {
      const auto figures = upstreams.figures();
      const auto has = [count](const auto& host) { return host.connections >= count; };
      if (static_cast<std::size_t>(std::count_if(figures.begin(), figures.end(), has)) >=
          of_hosts) {
        return;
      }
    }
    FAIL() << "in vain";
  }
  std::chrono::microseconds up_to(std::chrono::microseconds most) {
    return std::chrono::microseconds(dice_() % static_cast<std::uint64_t>(most.count()));
  }

  const std::uint64_t seed_ = json::test_seed();
  json::Dice dice_{seed_};
  store::TestDirectory directory_;
  Limits limits_;
  std::unique_ptr<store::Store> store_ =
      store::Store::open({directory_.path(), 1u << 28, 0}).value();
  engine::Engine engine_{*store_, limits_, nullptr};
  EventRules rules_{{refreshed_by("answers"), refreshed_by("hang")}, limits_, engine_};
  std::array<std::unique_ptr<client::TestVdsm>, 3> hosts_;
};

TEST_F(UpstreamsTest, TheyEndWhateverTheHostsAreDoing) {
  client::TestVdsm hanging;
  hanging.hang();
  const std::uint16_t refused = std::make_unique<client::TestVdsm>()->port();
  {
    const auto upstreams = open({upstream("hanging", hanging.port())});
    wait_for_connections(*upstreams, 1, hosts_.size() + 1);
  }
  for (int i = json::test_runs(200); i > 0; --i) {
    hosts_.front()->tell("|virt|VM_status|u1", R"({"u1":{"status":"Up"}})");
    const auto upstreams = open({upstream("refusing", refused)});
    std::this_thread::sleep_for(up_to(10ms));
    hosts_.back()->cut();
    std::this_thread::sleep_for(up_to(1ms));
  }
}

// A signal about a gap that is under way while all end.
TEST_F(UpstreamsTest, OneThatIsClosedIsAskedForNothingMore) {
  auto upstreams = open();
  wait_for_connections(*upstreams, 1, hosts_.size());
  hosts_.back()->cut();
  std::this_thread::sleep_for(200ms);  // that it was lost has been logged; it is tried after 400
  auto log = std::make_unique<StuckLog>();
  wait_for_connections(*upstreams, 2, 1);
  std::this_thread::sleep_for(50ms);  // until its end is to be logged
  std::thread later([&log] {
    std::this_thread::sleep_for(100ms);
    log.reset();
  });
  upstreams.reset();
  later.join();
}

}  // namespace
}  // namespace doctor::server
