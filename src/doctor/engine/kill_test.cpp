#include <future>
#include <map>
#include <random>
#include <signal.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

#include <gtest/gtest.h>

#include "doctor/engine/engine.hpp"
#include "doctor/store/test_store.hpp"

// A process that writes is killed at random moments; what it had acknowledged is there, and each
// commit is there whole or not at all. Its n-th command makes revision n, so that the revision
// alone tells what the store must hold.

namespace doctor::engine {
namespace {

using Contents = std::map<std::string, std::string, std::less<>>;  // id -> text

constexpr Timestamp noon{1'800'000'000'000};

std::string text_of(std::uint64_t id, std::uint64_t n) {
  return R"({"id":")" + std::to_string(id) + R"(","n":)" + std::to_string(n) + R"(,"v":")" +
         std::string(n * 7919 % 3'000, 'v') + R"("})";
}

/// The n-th command, which always changes something, and what it makes of the contents.
Command command_of(std::uint64_t n, Contents& contents) {
  decltype(Command::operation) operation;
  if (n % 50 == 0) {
    contents.clear();
    std::vector<document::Document> documents;
    for (std::uint64_t id = 0; id < 20; ++id) {
      const std::string text = text_of(id, n);
      documents.push_back(document::Document::of_checked(text));
      contents[std::to_string(id)] = text;
    }
    operation = ReplaceAll{std::move(documents)};
  } else if (n % 5 == 0) {
    const std::string id = contents.begin()->first;
    contents.erase(id);
    operation = Remove{id, {}};
  } else {
    const std::uint64_t id = n * 31 % 40;
    const std::string text = text_of(id, n);
    contents[std::to_string(id)] = text;
    operation = Put{document::Document::of_checked(text), {}};
  }
  return {"vm", noon, std::move(operation)};
}

Contents contents_at(std::uint64_t revision) {
  Contents contents;
  for (std::uint64_t n = 1; n <= revision; ++n) command_of(n, contents);
  return contents;
}

/// Writes without end, and says of each revision that was acknowledged that it was.
[[noreturn]] void write_until_killed(const std::filesystem::path& directory, int acknowledged) {
  auto store = store::Store::open({directory, 1u << 28, 0});
  if (!store) ::_exit(1);
  Engine engine(**store, Limits{}, nullptr);
  std::uint64_t n = engine.revision().value;
  Contents contents = contents_at(n);
  for (;;) {
    auto last = std::make_shared<std::promise<void>>();
    for (int i = 1; i <= 8; ++i) {
      engine.submit(command_of(++n, contents), [=](const Result<Outcome>& outcome) {
        if (!outcome) ::_exit(2);
        if (::write(acknowledged, &outcome->revision.value, sizeof(std::uint64_t)) < 0) ::_exit(3);
        if (i == 8) last->set_value();
      });
    }
    last->get_future().wait();
  }
}

TEST(KillTest, NothingAcknowledgedIsMissingAndNoCommitIsHalfThere) {
  const auto seed = std::random_device{}();
  std::printf("seed %u\n", seed);
  std::mt19937 random(seed);
  const store::TestDirectory directory;
  std::uint64_t total = 0;
  for (int round = 0; round < 25; ++round) {
    int pipe[2];
    ASSERT_EQ(::pipe(pipe), 0);
    const pid_t child = ::fork();
    if (child == 0) write_until_killed(directory.path(), pipe[1]);
    ::close(pipe[1]);
    std::this_thread::sleep_for(std::chrono::microseconds(random() % 60'000));
    ::kill(child, SIGKILL);
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status)) << "it ended by itself: " << WEXITSTATUS(status);

    std::uint64_t acknowledged = 0;
    while (::read(pipe[0], &acknowledged, sizeof acknowledged) > 0) ++total;
    ::close(pipe[0]);
    if (!std::filesystem::exists(directory.file())) {
      EXPECT_EQ(acknowledged, 0u);
      continue;
    }
    ASSERT_EQ(store::faults_of(directory.path()), store::no_faults) << "round " << round;
    const auto store = store::Store::open({directory.path(), 1u << 28, 0, true});
    ASSERT_TRUE(store) << store.error().detail;
    const std::uint64_t revision = (*store)->revision().value;
    EXPECT_GE(revision, acknowledged);
    Contents contents;
    const auto snapshot = (*store)->snapshot();
    if (const auto vm = snapshot->collection("vm")) {
      const auto walk = snapshot->walk(*vm);
      while (const auto entry = walk->next()) {
        contents.emplace(entry->document.id(), entry->document.text());
      }
    }
    EXPECT_EQ(contents, contents_at(revision)) << "revision " << revision;
  }
  EXPECT_GT(total, 10u);
}

}  // namespace
}  // namespace doctor::engine
