#include "doctor/server/event_rules.hpp"

#include <semaphore>

#include <gtest/gtest.h>

#include "doctor/store/test_store.hpp"

namespace doctor::server {
namespace {

using Unmerged = EventRules::Unmerged;

rules::Rule vm_rule() {
  return {.events = events::SubscriptionId::parse("*|virt|VM_status|*").value(),
          .collection = "vm",
          .id = rules::IdSource::parse("{unique_id}").value(),
          .take = rules::Path::parse_below("params", "params.{unique_id}").value(),
          .refresh = rules::Refresh{"stats", "", rules::Path(),
                                    rules::IdSource::parse_of_item("vmId").value()}};
}

/// Holds up the writer after a commit, until it is let go on.
class Gate : public engine::Listener {
 public:
  void committed(std::span<const document::CommitPtr> commits) override {
    for (const document::CommitPtr& commit : commits) sizes_.push_back(commit->changes.size());
    if (!closed_) return;
    reached_.release();
    passed_.acquire();
  }
  void close() { closed_ = true; }
  void wait() { reached_.acquire(); }
  void open() {
    closed_ = false;
    passed_.release();
  }
  /// How many documents each commit changed; once the writer stands still.
  const std::vector<std::size_t>& sizes() const { return sizes_; }

 private:
  std::atomic<bool> closed_{false};
  std::binary_semaphore reached_{0};
  std::binary_semaphore passed_{0};
  std::vector<std::size_t> sizes_;
};

class EventRulesTest : public testing::Test {
 protected:
  EventRulesTest() { limits_.events_waiting = 100; }

  void start(std::vector<rules::Rule> rules = {vm_rule()}) {
    store_ = store::Store::open({directory_.path(), 1u << 28, 0}).value();
    engine_ = std::make_unique<engine::Engine>(*store_, limits_, &gate_);
    rules_ = std::make_unique<EventRules>(std::move(rules), limits_, *engine_);
  }
  /// Until everything has been done.
  void finish() {
    rules_->finish();
    engine_ = nullptr;
  }
  void put(const std::string& id) {
    std::binary_semaphore done{0};
    auto document = document::Document::of_checked(R"({"id":")" + id + R"("})");
    engine_->submit({"vm", {}, engine::Put{std::move(document), {}}},
                    [&done](const Result<engine::Outcome>&) { done.release(); });
    done.acquire();
  }
  void event(const std::string& id, const std::string& fields) {
    rules_->take("", {{"|virt|VM_status|" + id, R"({")" + id + R"(":)" + fields + "}"}});
  }
  /// The texts of all VMs.
  std::string texts() {
    std::string all;
    const auto snapshot = store_->snapshot();
    const auto collection = snapshot->collection("vm");
    if (!collection) return all;
    const auto walk = snapshot->walk(*collection);
    while (const auto entry = walk->next()) all += entry->document.text();
    return all;
  }
  std::uint64_t unmerged(Unmerged cause) const {
    return rules_->figures().unmerged[static_cast<std::size_t>(cause)];
  }

  store::TestDirectory directory_;
  Limits limits_;
  Gate gate_;
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<engine::Engine> engine_;
  std::unique_ptr<EventRules> rules_;
};

TEST_F(EventRulesTest, EventsAreMergedIntoTheirDocumentsInOrder) {
  start();
  put("a");
  put("b");
  event("a", R"({"status":"up","n":1})");
  event("b", R"({"status":"up"})");
  event("a", R"({"status":"down"})");
  finish();
  EXPECT_EQ(texts(), R"({"id":"a","status":"down","n":1}{"id":"b","status":"up"})");
  EXPECT_EQ(rules_->figures().merged, 3u);
  EXPECT_EQ(rules_->figures().waiting, 0u);
}

TEST_F(EventRulesTest, EventsThatWaitTogetherMakeOneCommit) {
  start();
  for (const char* id : {"a", "b", "c"}) put(id);
  gate_.close();
  event("a", R"({"n":0})");
  gate_.wait();
  for (int n = 1; n <= 10; ++n) {
    for (const char* id : {"a", "b", "c"}) event(id, R"({"n":)" + std::to_string(n) + "}");
  }
  gate_.open();
  finish();
  EXPECT_EQ(gate_.sizes(), (std::vector<std::size_t>{1, 1, 1, 1, 3}));
  EXPECT_EQ(texts(), R"({"id":"a","n":10}{"id":"b","n":10}{"id":"c","n":10})");
}

TEST_F(EventRulesTest, ACommitChangesNoMoreDocumentsThanTheLimitSays) {
  limits_.events_commit_documents = 4;
  rules::Rule creating = vm_rule();
  creating.create = true;
  start({creating});
  gate_.close();
  event("0", "{}");
  gate_.wait();
  for (int n = 1; n <= 10; ++n) event(std::to_string(n), "{}");
  gate_.open();
  finish();
  EXPECT_EQ(gate_.sizes(), (std::vector<std::size_t>{1, 4, 4, 2}));
}

TEST_F(EventRulesTest, TheOldestAreDroppedAndAnAnswerIsNot) {
  limits_.events_waiting = 2;
  start();
  put("a");
  gate_.close();
  event("a", R"({"n":0})");
  gate_.wait();
  const auto call = rules_->rules().refresh_calls("host1").front();
  rules_->take_answer("host1", call, R"([{"vmId":"a","r":0,"old":true}])");
  rules_->take_answer("host1", call, R"([{"vmId":"a","r":1}])");
  for (int n = 1; n <= 5; ++n) event("a", R"({"f)" + std::to_string(n) + R"(":1})");
  gate_.open();
  finish();
  EXPECT_EQ(unmerged(Unmerged::dropped), 3u);
  EXPECT_EQ(texts(), R"({"id":"a","n":0,"vmId":"a","r":1,"f4":1,"f5":1})");
}

TEST_F(EventRulesTest, TheirBytesAreBoundedToo) {
  limits_.events_waiting_bytes = 200;
  start();
  put("a");
  gate_.close();
  event("a", R"({"n":0})");
  gate_.wait();
  event("a", R"({"n":1})");
  event("a", R"({"large":")" + std::string(200, 'x') + R"("})");
  event("a", R"({"n":2})");
  gate_.open();
  finish();
  EXPECT_EQ(unmerged(Unmerged::dropped), 2u);
  EXPECT_EQ(texts(), R"({"id":"a","n":2})");
}

TEST_F(EventRulesTest, WhatCannotBeAppliedIsCountedByItsCauseAndStopsNothing) {
  start();
  put("a");
  event("none", "{}");
  event("a", R"({"_n":1})");
  event("a", "7");
  rules_->take("", {{"|virt|VM_status|a", "{}"}, {"|virt|other|a", "{}"}});
  event("a", R"({"n":1})");
  finish();
  EXPECT_EQ(unmerged(Unmerged::no_document), 1u);
  EXPECT_EQ(unmerged(Unmerged::invalid), 2u);
  EXPECT_EQ(unmerged(Unmerged::not_applicable), 1u);
  EXPECT_EQ(unmerged(Unmerged::dropped), 0u);
  EXPECT_EQ(rules_->figures().merged, 1u);
  EXPECT_EQ(texts(), R"({"id":"a","n":1})");
}

TEST_F(EventRulesTest, WhatTheEngineHasNoRoomForIsTriedAgainAndThenFailed) {
  start();
  put("a");
  limits_.commands_waiting = 0;
  rules_ = nullptr;
  engine_ = std::make_unique<engine::Engine>(*store_, limits_, &gate_);
  rules_ = std::make_unique<EventRules>(std::vector{vm_rule()}, limits_, *engine_);
  event("a", R"({"n":1})");
  finish();
  EXPECT_EQ(unmerged(Unmerged::failed), 1u);
  EXPECT_EQ(texts(), R"({"id":"a"})");
}

TEST_F(EventRulesTest, WithoutRulesNothingWaits) {
  start({});
  event("a", "{}");
  EXPECT_EQ(rules_->figures().waiting, 0u);
  finish();
}

}  // namespace
}  // namespace doctor::server
