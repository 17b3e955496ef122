#include "doctor/engine/engine.hpp"

#include <condition_variable>
#include <future>
#include <thread>

#include <gtest/gtest.h>

#include "doctor/document/names.hpp"
#include "doctor/engine/authority.hpp"
#include "doctor/store/disk_shim.hpp"
#include "doctor/store/lmdb_shim.hpp"
#include "doctor/store/test_store.hpp"

namespace doctor::engine {
namespace {

using document::Document;
using document::Revision;
using store::DiskAnswer;
using store::DiskCall;
using store::DiskShim;
using store::TestDirectory;

constexpr Timestamp noon{1'800'000'000'000};

/// Notes what it was told, with what could be read at that moment.
class Notes : public Listener {
 public:
  void committed(std::span<const document::CommitPtr> commits) override {
    const std::lock_guard lock(mutex_);
    for (const document::CommitPtr& commit : commits) revisions_.push_back(commit->revision.value);
    ++batches_;
  }
  std::vector<std::uint64_t> revisions() const {
    const std::lock_guard lock(mutex_);
    return revisions_;
  }
  std::size_t batches() const {
    const std::lock_guard lock(mutex_);
    return batches_;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<std::uint64_t> revisions_;
  std::size_t batches_ = 0;
};

class EngineTest : public testing::Test {
 protected:
  EngineTest() { open(); }
  ~EngineTest() override {
    engine_ = nullptr;
    store_ = nullptr;
    EXPECT_EQ(store::faults_of(directory_.path()), store::no_faults);
  }
  void open(std::uint64_t map_size = 1u << 28) {
    engine_ = nullptr;
    store_ = nullptr;
    store_ = store::Store::open({directory_.path(), map_size, 1u << 20}).value();
    engine_ = std::make_unique<Engine>(*store_, limits_, &notes_);
  }

  static Command put(std::string_view text, std::string_view collection = "vm") {
    return {std::string(collection), noon, Put{Document::of_checked(text), {}}};
  }
  static Command remove(std::string_view id) { return {"vm", noon, Remove{std::string(id), {}}}; }
  static std::string document(int id, std::size_t size = 1) {
    return R"({"id":")" + std::to_string(id) + R"(","v":")" + std::string(size, 'v') + R"("})";
  }
  std::future<Result<Outcome>> submit(Command command) {
    auto promise = std::make_shared<std::promise<Result<Outcome>>>();
    auto future = promise->get_future();
    engine_->submit(std::move(command),
                    [promise](Result<Outcome> outcome) { promise->set_value(std::move(outcome)); });
    return future;
  }
  Result<Outcome> run(Command command) { return submit(std::move(command)).get(); }

  /// Keeps the writer busy until it is destroyed, so that what is submitted meanwhile is one group.
  class Hold {
   public:
    explicit Hold(Engine& engine) {
      auto held = std::make_shared<std::promise<void>>();
      auto go = std::make_shared<std::shared_future<void>>(go_.get_future());
      engine.submit(put(R"({"id":"hold"})", "other"), [held, go](const Result<Outcome>&) {
        held->set_value();
        go->wait();
      });
      held->get_future().wait();
    }
    ~Hold() { go_.set_value(); }

   private:
    std::promise<void> go_;
  };
  bool has(std::string_view id) const {
    const auto snapshot = engine_->snapshot();
    const auto vm = snapshot->collection("vm");
    return vm && snapshot->find(*vm, id);
  }

  TestDirectory directory_;
  Limits limits_;
  Notes notes_;
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<Engine> engine_;
};

TEST_F(EngineTest, ACommandIsAnsweredWhenItCanBeReadAndHasBeenAnnounced) {
  auto answered = std::make_shared<std::promise<void>>();
  engine_->submit(put(R"({"id":"a"})"), [&, answered](const Result<Outcome>& outcome) {
    EXPECT_EQ(outcome->revision, Revision{1});
    EXPECT_EQ(engine_->revision(), Revision{1});
    EXPECT_TRUE(has("a"));
    EXPECT_EQ(notes_.revisions(), std::vector<std::uint64_t>{1});
    answered->set_value();
  });
  answered->get_future().wait();
}

TEST_F(EngineTest, CommandsThatWaitShareOneFlush) {
  std::vector<std::future<Result<Outcome>>> answers;
  int flushes = 0;
  const DiskShim shim([&](const DiskCall& call) {
    if (call.kind == DiskCall::Kind::flush) ++flushes;
    return DiskAnswer{};
  });
  {
    const Hold hold(*engine_);
    for (int i = 0; i < 50; ++i) answers.push_back(submit(put(document(i))));
    // Nothing is told of them before.
    EXPECT_EQ(engine_->revision(), Revision{1});
  }
  std::uint64_t expected = 2;
  for (auto& answer : answers) EXPECT_EQ(answer.get()->revision, Revision{expected++});
  EXPECT_EQ(flushes, 2);  // one was of the command before
  EXPECT_EQ(engine_->figures().groups, 2u);
  EXPECT_EQ(engine_->figures().commits, 51u);
  EXPECT_EQ(engine_->figures().changes, 51u);
  EXPECT_EQ(notes_.batches(), 2u);
  EXPECT_EQ(notes_.revisions().size(), 51u);
}

TEST_F(EngineTest, OneCommandsErrorIsItsOwn) {
  std::vector<std::future<Result<Outcome>>> answers;
  {
    const Hold hold(*engine_);
    answers.push_back(submit(put(R"({"id":"a"})")));
    answers.push_back(submit(remove("none")));
    answers.push_back(submit(put(R"({"id":"a"})")));  // changes nothing
    answers.push_back(submit(put(R"({"id":"b"})")));
  }
  EXPECT_EQ(answers[0].get()->revision, Revision{2});
  EXPECT_EQ(answers[1].get().error().code, Errc::not_found);
  const auto same = answers[2].get();
  EXPECT_EQ(same->revision, Revision{2});
  EXPECT_EQ(same->commit, nullptr);
  EXPECT_EQ(answers[3].get()->revision, Revision{3});
  EXPECT_EQ(engine_->figures().failed_groups, 0u);
}

TEST_F(EngineTest, ALargeBulkIsAGroupOfItsOwn) {
  std::vector<std::future<Result<Outcome>>> answers;
  {
    const Hold hold(*engine_);
    answers.push_back(submit(put(document(1))));
    answers.push_back(submit(put(document(2, 2u << 20))));
    answers.push_back(submit(put(document(3))));
  }
  for (auto& answer : answers) EXPECT_TRUE(answer.get());
  EXPECT_EQ(engine_->figures().groups, 4u);
}

// What a patch writes is the whole document, which nobody knows before it is applied.
TEST_F(EngineTest, AGroupEndsWhenItsTransactionHasBecomeLarge) {
  constexpr int documents = 6;
  for (int i = 0; i < documents; ++i) ASSERT_TRUE(run(put(document(i, 6u << 20))));
  const auto before = engine_->figures();
  std::vector<std::future<Result<Outcome>>> answers;
  {
    const Hold hold(*engine_);
    for (int i = 0; i < documents; ++i) {
      auto patch = document::Patch::parse(document::PatchKind::shallow, R"({"w":1})", limits_);
      answers.push_back(submit({"vm", noon, Patch{std::to_string(i), std::move(*patch), {}}}));
    }
  }
  std::uint64_t expected = documents + 2;  // behind the one that held
  for (auto& answer : answers) EXPECT_EQ(answer.get()->revision, Revision{expected++});
  EXPECT_EQ(engine_->figures().groups - before.groups, 3u);  // it, and three documents at a time
  EXPECT_EQ(engine_->figures().failed_groups, 0u);
  EXPECT_EQ(notes_.revisions().size(), 2u * documents + 1);
}

TEST_F(EngineTest, AGroupThatTheDiskRefusesIsTriedAgainOneByOne) {
  std::vector<std::future<Result<Outcome>>> answers;
  int flushes = 0;
  const DiskShim shim([&](const DiskCall& call) {
    const bool fails = call.kind == DiskCall::Kind::flush && ++flushes == 2;
    return DiskAnswer{fails ? ENOSPC : 0};
  });
  {
    const Hold hold(*engine_);
    for (int i = 0; i < 3; ++i) answers.push_back(submit(put(document(i))));
  }
  for (auto& answer : answers) EXPECT_TRUE(answer.get());
  EXPECT_EQ(engine_->figures().failed_groups, 1u);
  EXPECT_EQ(engine_->figures().groups, 4u);
  EXPECT_EQ(notes_.revisions(), (std::vector<std::uint64_t>{1, 2, 3, 4}));
}

TEST_F(EngineTest, WhoeverFindsNoRoomFailsAlone) {
  open(2u << 20);
  std::vector<std::future<Result<Outcome>>> answers;
  {
    const Hold hold(*engine_);
    answers.push_back(submit(put(document(1, 100))));
    answers.push_back(submit(put(document(2, 900'000))));
    answers.push_back(submit(put(document(3, 100))));
    answers.push_back(submit(put(document(4, 100))));
  }
  // The large one finds room once; a second does not.
  for (auto& answer : answers) EXPECT_TRUE(answer.get());
  answers.clear();
  {
    const Hold hold(*engine_);
    answers.push_back(submit(put(document(5, 100))));
    answers.push_back(submit(put(document(6, 1'000'000))));
    answers.push_back(submit(put(document(7, 100))));
  }
  EXPECT_TRUE(answers[0].get());
  EXPECT_EQ(answers[1].get().error().code, Errc::out_of_space);
  EXPECT_TRUE(answers[2].get());
  EXPECT_TRUE(has("5"));
  EXPECT_FALSE(has("6"));
  EXPECT_TRUE(has("7"));
  EXPECT_EQ(engine_->figures().failed_groups, 1u);
}

// Memory that is missing for a moment costs a group nothing but a second attempt.
TEST_F(EngineTest, AGroupThatLmdbRefusesIsTriedAgainOneByOne) {
  for (const auto call : {store::LmdbCall::put, store::LmdbCall::commit}) {
    const std::size_t heard = notes_.revisions().size();
    std::optional<store::LmdbShim> shim;
    std::vector<std::future<Result<Outcome>>> answers;
    {
      // The writer is held in the completion of a command; what fails is the group behind it.
      const Hold hold(*engine_);
      shim.emplace(call, store::NoRoom::in_memory);
      for (const char* id : {"a", "b", "c"}) {
        answers.push_back(submit(
            put(R"({"id":")" + std::string(id) + R"(","n":)" + std::to_string(heard) + "}")));
      }
    }
    for (auto& answer : answers) EXPECT_TRUE(answer.get());
    EXPECT_EQ(store::LmdbShim::failed(), 1u);
    EXPECT_GE(notes_.revisions().size(), heard + 3);
  }
  EXPECT_EQ(engine_->figures().failed_groups, 2u);
}

TEST_F(EngineTest, ACommandThatLmdbHasNoRoomForFailsAlone) {
  for (const auto cause :
       {store::NoRoom::in_transaction, store::NoRoom::in_map, store::NoRoom::in_memory}) {
    {
      const store::LmdbShim shim(store::LmdbCall::put, cause);
      const auto refused = run(put(R"({"id":"lost"})"));
      ASSERT_FALSE(refused);
      EXPECT_EQ(refused.error().code, Errc::out_of_space);
    }
    EXPECT_FALSE(has("lost"));
    EXPECT_TRUE(run(put(document(static_cast<int>(cause)))));
  }
  EXPECT_EQ(notes_.revisions(), (std::vector<std::uint64_t>{1, 2, 3}));
}

TEST_F(EngineTest, RemovalsWorkWhenTheStoreIsFullAndThenThereIsRoomAgain) {
  open(2u << 20);
  int fitted = 0;
  while (run(put(document(fitted, 20'000)))) ++fitted;
  ASSERT_GT(fitted, 10);
  EXPECT_EQ(run(put(document(fitted, 20'000))).error().code, Errc::out_of_space);
  for (int i = 0; i < fitted; i += 2) EXPECT_TRUE(run(remove(std::to_string(i))));
  EXPECT_TRUE(run(put(document(fitted, 10'000))));
  EXPECT_TRUE(run({"vm", noon, Drop{}}));
  EXPECT_TRUE(run(put(document(0, 20'000))));
}

TEST_F(EngineTest, AfterABrokenFlushWritesAreRefusedAndReadsGoOn) {
  ASSERT_TRUE(run(put(document(1))));
  {
    const DiskShim shim([](const DiskCall& call) {
      return DiskAnswer{call.kind == DiskCall::Kind::flush ? EIO : 0};
    });
    EXPECT_EQ(run(put(document(2))).error().code, Errc::unavailable);
  }
  EXPECT_EQ(run(put(document(2))).error().code, Errc::unavailable);
  EXPECT_EQ(run(remove("1")).error().code, Errc::unavailable);
  EXPECT_TRUE(has("1"));
  EXPECT_FALSE(has("2"));
  EXPECT_EQ(notes_.revisions().size(), 1u);
  open();
  EXPECT_TRUE(run(put(document(2))));
}

TEST_F(EngineTest, TooManyWaitingCommandsAreRefusedAtOnce) {
  limits_.commands_waiting = 3;
  open();
  std::vector<std::future<Result<Outcome>>> answers;
  {
    const Hold hold(*engine_);
    for (int i = 0; i < 5; ++i) answers.push_back(submit(put(document(i))));
    EXPECT_EQ(engine_->figures().waiting, 3u);
    EXPECT_EQ(answers[3].get().error().code, Errc::unavailable);
    EXPECT_NE(answers[4].get().error().detail.find("`commands_waiting`"), std::string::npos);
  }
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(answers[static_cast<std::size_t>(i)].get());
}

TEST_F(EngineTest, WhatWasSubmittedIsFinishedBeforeTheEngineEnds) {
  std::vector<std::future<Result<Outcome>>> answers;
  for (int i = 0; i < 100; ++i) answers.push_back(submit(put(document(i))));
  engine_ = nullptr;
  for (auto& answer : answers) EXPECT_TRUE(answer.get());
  engine_ = std::make_unique<Engine>(*store_, limits_, &notes_);
  EXPECT_TRUE(has("99"));
}

TEST_F(EngineTest, CommandsFromManyThreadsAreOneSequence) {
  std::vector<std::thread> threads;
  std::mutex mutex;
  std::vector<std::uint64_t> revisions;
  for (int thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&, thread] {
      for (int i = 0; i < 50; ++i) {
        const auto outcome = run(put(document(thread * 1'000 + i)));
        ASSERT_TRUE(outcome);
        EXPECT_GE(engine_->snapshot()->revision(), outcome->revision);
        const std::lock_guard lock(mutex);
        revisions.push_back(outcome->revision.value);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  std::sort(revisions.begin(), revisions.end());
  for (std::size_t i = 0; i < 200; ++i) EXPECT_EQ(revisions[i], i + 1);
  EXPECT_EQ(notes_.revisions(), revisions);
}

// Waiting for a revision.

TEST_F(EngineTest, AWaitEndsWhenItsRevisionIsThere) {
  std::atomic<int> called{0};
  engine_->when_reached(Revision{0}, [&] { ++called; });
  EXPECT_EQ(called, 1);  // it is there already
  engine_->when_reached(Revision{2}, [&] {
    EXPECT_GE(engine_->revision(), Revision{2});
    ++called;
  });
  const auto forgotten = engine_->when_reached(Revision{2}, [&] { called += 100; });
  engine_->forget(forgotten);
  run(put(document(1)));
  run(put(document(2)));
  run(put(document(2)));  // what the writer does after an answer is over now
  EXPECT_EQ(called, 2);
}

// Indexes.

TEST_F(EngineTest, AnIndexThatAQueryWishedForIsBuiltBetweenGroups) {
  std::vector<Document> documents;
  for (int i = 0; i < 2'000; ++i) {
    documents.push_back(Document::of_checked(R"({"id":")" + std::to_string(i) + R"(","host":)" +
                                             std::to_string(i % 10) + "}"));
  }
  run({"vm", noon, ReplaceAll{std::move(documents)}});
  const auto referrers = [&] {
    const auto snapshot = engine_->snapshot();
    return snapshot->referrers(*snapshot->collection("vm"), document::FieldName("host"), "3");
  };
  EXPECT_FALSE(referrers());
  engine_->tick(noon);
  for (int i = 0; i < 10'000 && store_->wants_indexing(); ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  ASSERT_TRUE(referrers());
  EXPECT_EQ(referrers()->size(), 200u);
  EXPECT_EQ(engine_->revision(), Revision{1});
}

// Sessions.

std::string session(std::string_view id, std::int64_t expires_after) {
  return R"({"id":")" + std::string(id) + R"(","permissions":"*","expires":")" +
         document::to_rfc3339(Timestamp{noon.value + expires_after}) + R"("})";
}

TEST_F(EngineTest, ExpiredSessionsAreRemovedByATick) {
  const auto sessions = document::sessions_collection;
  run(put(session("soon", 10'000), sessions));
  run(put(session("late", 20'000), sessions));
  run(put(session("moved", 10'000), sessions));
  run(put(session("moved", 90'000), sessions));
  run(put(R"({"id":"never"})", sessions));
  const auto left = [&] {
    run(put(R"({"id":"x"})"));  // after whatever a tick has queued
    const auto snapshot = engine_->snapshot();
    return snapshot->info(*snapshot->collection(sessions)).count;
  };
  engine_->tick(Timestamp{noon.value + 9'999});
  EXPECT_EQ(left(), 4u);
  engine_->tick(Timestamp{noon.value + 10'000});
  EXPECT_EQ(left(), 3u);
  open();  // what is due is known again after a restart
  engine_->tick(Timestamp{noon.value + 20'000});
  EXPECT_EQ(left(), 2u);
  engine_->tick(Timestamp{noon.value + 20'000});
  engine_->tick(Timestamp{noon.value + 90'000});
  EXPECT_EQ(left(), 1u);
}

TEST_F(EngineTest, TheAuthorityKnowsASessionUntilItExpiresOrIsRemoved) {
  const Authority authority("secret");
  const auto known = [&](std::string_view id, std::int64_t after = 0) {
    return authority.session(*engine_->snapshot(), id, Timestamp{noon.value + after});
  };
  const auto sessions = document::sessions_collection;
  EXPECT_EQ(known("a"), nullptr);
  run(put(session("a", 10'000), sessions));
  ASSERT_NE(known("a"), nullptr);
  EXPECT_EQ(known("a"), known("a"));  // parsed once
  EXPECT_EQ(known("a", 10'000), nullptr);
  EXPECT_EQ(known(""), nullptr);
  EXPECT_EQ(known(std::string(1'000, 'a')), nullptr);
  EXPECT_TRUE(known("a")->permissions.reads_everything());
  run(put(R"({"id":"a"})", sessions));
  EXPECT_FALSE(known("a")->permissions.reads_everything());
  run({std::string(sessions), noon, Remove{"a", {}}});
  EXPECT_EQ(known("a"), nullptr);
}

TEST(AuthorityTest, TheSecretIsComparedWhole) {
  const Authority secured("secret");
  EXPECT_TRUE(secured.secured());
  EXPECT_TRUE(secured.is_secret("secret"));
  EXPECT_FALSE(secured.is_secret("secre"));
  EXPECT_FALSE(secured.is_secret("secret "));
  EXPECT_FALSE(secured.is_secret(""));
  const Authority open(std::nullopt);
  EXPECT_FALSE(open.secured());
  EXPECT_FALSE(open.is_secret(""));
}

}  // namespace
}  // namespace doctor::engine
