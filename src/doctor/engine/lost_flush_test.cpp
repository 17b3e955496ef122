#include <algorithm>
#include <fstream>
#include <map>
#include <mutex>
#include <random>
#include <thread>

#include <gtest/gtest.h>

#include "doctor/engine/engine.hpp"
#include "doctor/store/disk_shim.hpp"
#include "doctor/store/test_store.hpp"

// What a power failure leaves of the file: all that was flushed, and of the rest any part. Every
// write of the file is recorded while the engine works; the file is then made anew as it may have
// been at random moments, and opened.

namespace doctor::engine {
namespace {

using document::Revision;
using store::DiskAnswer;
using store::DiskCall;
using store::DiskShim;
using store::TestDirectory;

constexpr Timestamp noon{1'800'000'000'000};
constexpr std::size_t sector = 512;  // a disk writes one whole or not at all

using Contents = std::map<std::string, std::string, std::less<>>;  // id -> text

struct Event {
  enum class Kind : std::uint8_t { pages, meta, flush, acknowledgement };
  Kind kind;
  std::uint64_t offset = 0;
  std::string bytes;
  std::uint64_t revision = 0;  // of an acknowledgement
};

/// What was written and acknowledged, in its order, and what each revision held.
struct Recording {
  std::string first_image;
  std::vector<Event> events;
  std::vector<Contents> history;  // by revision
};

std::string read_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::string text_of(int id, unsigned value, std::size_t size) {
  return R"({"id":")" + std::to_string(id) + R"(","n":)" + std::to_string(value) + R"(,"v":")" +
         std::string(size, 'v') + R"("})";
}

class LostFlushTest : public testing::Test {
 protected:
  LostFlushTest() : seed_(std::random_device{}()), random_(seed_) {
    std::printf("seed %u\n", seed_);
  }

  /// A random command, and what it makes of the contents.
  Command random_command(Contents& contents) {
    const int id = static_cast<int>(random_() % 60);
    const std::size_t size = random_() % 8 == 0 ? random_() % 30'000 : random_() % 300;
    const auto make = [&](decltype(Command::operation) operation) {
      return Command{"vm", noon, std::move(operation)};
    };
    switch (random_() % 16) {
      case 0: {
        contents.clear();
        std::vector<document::Document> documents;
        for (int i = 0; i < 30; ++i) {
          const std::string text = text_of(i, random_(), size % 900);
          documents.push_back(document::Document::of_checked(text));
          contents[std::to_string(i)] = text;
        }
        return make(ReplaceAll{std::move(documents)});
      }
      case 1:
      case 2:
      case 3:
        contents.erase(std::to_string(id));
        return make(Remove{std::to_string(id), {}});
      default: {
        const std::string text = text_of(id, random_(), size);
        contents[std::to_string(id)] = text;
        return make(Put{document::Document::of_checked(text), {}});
      }
    }
  }

  Recording record(int commands) {
    Recording recording;
    TestDirectory directory;
    auto store = store::Store::open({directory.path(), 1u << 28, 0}).value();
    recording.first_image = read_file(directory.file());
    recording.history.emplace_back();
    std::mutex mutex;  // guards the recording
    const DiskShim shim([&](const DiskCall& call) {
      const std::lock_guard lock(mutex);
      recording.events.push_back(
          {static_cast<Event::Kind>(call.kind), call.offset, std::string(call.bytes), 0});
      return DiskAnswer{};
    });
    Contents contents;
    auto engine = std::make_unique<Engine>(*store, Limits{}, nullptr);
    for (int i = 0; i < commands; ++i) {
      Command command = random_command(contents);
      engine->submit(std::move(command), [&, contents](const Result<Outcome>& outcome) {
        if (!outcome || outcome->commit == nullptr) return;
        const std::lock_guard lock(mutex);
        EXPECT_EQ(outcome->revision.value, recording.history.size());
        recording.history.push_back(contents);
        recording.events.push_back({Event::Kind::acknowledgement, 0, {}, outcome->revision.value});
      });
      if (random_() % 4 == 0)
        std::this_thread::sleep_for(std::chrono::microseconds(random_() % 400));
    }
    engine = nullptr;  // once all is answered
    return recording;
  }

  static void write(std::string& image, std::uint64_t offset, std::string_view bytes) {
    if (image.size() < offset + bytes.size()) image.resize(offset + bytes.size());
    image.replace(offset, bytes.size(), bytes);
  }
  /// Of these bytes, each sector with this chance.
  void write_torn(std::string& image, const Event& event, double chance) {
    std::bernoulli_distribution written(chance);
    for (std::uint64_t at = event.offset; at < event.offset + event.bytes.size();) {
      const std::uint64_t next =
          std::min<std::uint64_t>((at / sector + 1) * sector, event.offset + event.bytes.size());
      if (written(random_)) {
        write(image, at, std::string_view(event.bytes).substr(at - event.offset, next - at));
      }
      at = next;
    }
  }
  /// The file after a power failure that came when `moment` events were over and the next under
  /// way. A disk that is not honest says it flushes pages, and does not.
  std::string image_at(const Recording& recording, std::size_t moment, bool honest = true) {
    std::string image = recording.first_image;
    std::vector<const Event*> pending;
    for (std::size_t i = 0; i < moment; ++i) {
      const Event& event = recording.events[i];
      if (event.kind == Event::Kind::pages) pending.push_back(&event);
      if (event.kind == Event::Kind::meta) write(image, event.offset, event.bytes);
      if (event.kind == Event::Kind::flush && honest) {
        for (const Event* write_call : pending) {
          write(image, write_call->offset, write_call->bytes);
        }
        pending.clear();
      }
    }
    if (moment < recording.events.size() && !recording.events[moment].bytes.empty()) {
      pending.push_back(&recording.events[moment]);
    }
    const double chances[] = {0.0, 0.1, 0.5, 0.9, 1.0};
    const double chance = chances[random_() % std::size(chances)];
    for (const Event* event : pending) write_torn(image, *event, chance);
    return image;
  }
  static std::uint64_t acknowledged_at(const Recording& recording, std::size_t moment) {
    std::uint64_t revision = 0;
    for (std::size_t i = 0; i < moment; ++i) {
      revision = std::max(revision, recording.events[i].revision);
    }
    return revision;
  }

  static Contents contents_of(const store::Store& store) {
    Contents contents;
    const auto snapshot = store.snapshot();
    const auto vm = snapshot->collection("vm");
    if (!vm) return contents;
    const auto walk = snapshot->walk(*vm);
    while (const auto entry = walk->next()) {
      contents.emplace(entry->document.id(), entry->document.text());
    }
    return contents;
  }

  unsigned seed_;
  std::mt19937 random_;
};

TEST_F(LostFlushTest, NothingAcknowledgedIsMissingAndNoCommitIsHalfThere) {
  const Recording recording = record(400);
  TestDirectory directory;
  for (int round = 0; round < 150; ++round) {
    const std::size_t moment = random_() % (recording.events.size() + 1);
    const std::string image = image_at(recording, moment);
    std::ofstream(directory.file(), std::ios::binary) << image;
    ASSERT_EQ(store::faults_of(directory.path()), store::no_faults) << "event " << moment;

    auto store = store::Store::open({directory.path(), 1u << 28, 0});
    ASSERT_TRUE(store) << store.error().detail << ", event " << moment;
    const std::uint64_t revision = (*store)->revision().value;
    EXPECT_GE(revision, acknowledged_at(recording, moment));
    ASSERT_LT(revision, recording.history.size());
    EXPECT_EQ(contents_of(**store), recording.history[revision]) << "revision " << revision;
  }
}

// Else the test above would prove nothing.
TEST_F(LostFlushTest, ADiskThatDoesNotFlushIsNoticed) {
  const Recording recording = record(100);
  TestDirectory directory;
  int noticed = 0;
  for (int round = 0; round < 30; ++round) {
    const std::size_t moment = random_() % (recording.events.size() + 1);
    std::ofstream(directory.file(), std::ios::binary) << image_at(recording, moment, false);
    if (store::faults_of(directory.path()) != store::no_faults) ++noticed;
  }
  EXPECT_GT(noticed, 5);
}

}  // namespace
}  // namespace doctor::engine
