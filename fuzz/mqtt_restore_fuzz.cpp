// The state that another process left, as any records: a broker takes it up or says what is wrong,
// and then serves the clients that it names; nothing that it writes as state in turn is refused.
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "doctor/mqtt/broker.hpp"
#include "doctor/mqtt/encode.hpp"
#include "doctor/mqtt/records.hpp"
#include "doctor/mqtt/wire.hpp"

using namespace doctor;
using namespace doctor::mqtt;

namespace {

constexpr std::uint64_t newest = 20;
const Clock::time_point start{std::chrono::hours(1)};
const Timestamp wall{1'700'000'000'000};

std::optional<LoggedIn> login(const Credentials& credentials) {
  using document::Principal;
  if (!credentials.user_name) return LoggedIn{{}, document::Revision(newest)};
  if (*credentials.user_name == "connector") {
    return LoggedIn{{Principal::Kind::connector, nullptr}, document::Revision(newest)};
  }
  auto session = std::make_shared<document::Session>();
  session->id = credentials.password.value_or("");
  session->permissions = document::Permissions::parse(R"({"vm":["1"]})").value();
  return LoggedIn{{Principal::Kind::session, session}, document::Revision(newest)};
}

std::optional<document::CommitPart> read_log(document::Revision revision, std::uint64_t from,
                                             std::size_t) {
  if (revision.value < 5 || revision.value > newest) return std::nullopt;
  if (from > 0) return document::CommitPart{{}, 0, true};
  return document::CommitPart{{{document::ChangeKind::created, "vm", "1", {}}}, 0, true};
}

std::unique_ptr<Broker> make_broker() {
  auto broker = std::make_unique<Broker>(
      Limits{}, login, [](std::string_view, Clock::time_point) { return std::chrono::seconds(0); },
      [](ConnectionId) { return false; }, read_log, [](std::string_view) {});
  broker->set_revision(document::Revision(newest));
  return broker;
}

// Records one after another: key, length:16, value.
std::vector<StateRecord> records_in(std::string_view input) {
  std::vector<StateRecord> records;
  Reader reader(input);
  while (!reader.at_end()) {
    std::string key(reader.take(RecordKey::size));
    std::string value(reader.binary());
    if (reader.failed()) break;
    records.push_back({std::move(key), std::move(value)});
  }
  return records;
}

void serve(Broker& broker, std::string_view key, std::map<std::string, std::string>& state) {
  Connect connect;
  connect.clean_start = false;
  const std::string principal(key.substr(0, key.find('\0')));
  if (principal.size() + 1 > key.size()) return;
  connect.client_id = key.substr(principal.size() + 1);
  connect.properties.add(PropertyId::session_expiry_interval, 100);
  if (principal == "c") connect.user_name = "connector";
  if (principal.starts_with('s')) {
    connect.user_name = "session";
    connect.password = std::string_view(principal).substr(1);
  }
  std::string bytes;
  encode(connect, Version::v5_0, bytes);
  const ConnectionId id = broker.accept("fuzz", start, wall);
  broker.receive(id, bytes, start, wall);
  std::string out;
  for (int turn = 0; turn < 1000; ++turn) {
    const std::size_t before = out.size();
    broker.output(id, 1000, out, start);
    const auto batch = broker.take_state();
    if (!batch && out.size() == before) break;
    if (!batch) continue;
    for (const StateRecord& record : batch->records) {
      if (record.value) {
        state[record.key] = *record.value;
      } else {
        state.erase(record.key);
      }
    }
    broker.persisted(batch->number, start);
  }
  broker.closed(id, start);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const auto records = records_in(input);
  const auto made = make_broker();
  Broker& broker = *made;
  if (!broker.restore(records, start, wall)) return 0;

  std::map<std::string, std::string> state;
  for (const StateRecord& record : records) state[record.key] = *record.value;
  for (const StateRecord& record : records) {
    if (!record.key.starts_with('S')) continue;
    if (const auto session = SessionRecord::decode(*record.value)) {
      serve(broker, session->key, state);
    }
  }
  broker.tick(start + std::chrono::seconds(1), wall);
  broker.shut_down();

  std::vector<StateRecord> again;
  for (const auto& [key, value] : state) again.push_back({key, value});
  if (const auto restored = make_broker()->restore(again, start, wall); !restored) {
    // What counts on from the largest number that there may be.
    if (restored.error().detail == "a number that was never given") return 0;
    std::fprintf(stderr, "refused: %s\n", restored.error().detail.c_str());
    std::abort();
  }
  return 0;
}
