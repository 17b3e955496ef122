// Any message with calls is carried out over a small store in memory, as a sender of each kind. The
// input: an octet that says who sends, and the message. Whatever it is, the answer is JSON, and no
// write comes from a session or from nobody where there is a secret.
#include <optional>
#include <string>

#include "doctor/document/memory_view.hpp"
#include "doctor/json/scanner.hpp"
#include "doctor/rpc/service.hpp"
#include "require.hpp"

namespace {

using namespace doctor;
using document::Principal;

constexpr Timestamp now{1'700'000'000'000};

Principal session(std::string id) {
  auto session = std::make_shared<document::Session>();
  session->id = std::move(id);
  session->permissions = document::Permissions::everything();
  return {Principal::Kind::session, session};
}

struct Place {
  explicit Place(std::optional<std::string> secret)
      : authority(std::move(secret)),
        service(std::make_shared<rest::Service>(rest::Options{}, limits(), authority,
                                                store::Identity{"0a1b2c3d", Key{1, 2, 3}}),
                limits(), "1") {
    view.put("vm", R"({"id":"1","name":"vm1","cluster":"c1","disk":["d1"]})");
    view.put("vm", R"({"id":"2","name":"vm2","cluster":"c2"})");
    view.put("cluster", R"({"id":"c1","name":"Default"})");
    view.put("$sessions", R"({"id":"s","permissions":{"vm":"1","cluster":"*"}})");
  }

  static Limits limits() {
    Limits small;
    small.query_documents = 10'000;
    return small;
  }

  document::MemoryView view;
  engine::Authority authority;
  rpc::Service service;
};

rpc::Answer carry_out(const Place& place, const events::RpcRequest& request,
                      const Principal& sender) {
  auto plan = place.service.plan(request, sender, 1u << 16, place.view, now);
  if (auto* answer = std::get_if<rpc::Answer>(&plan)) return std::move(*answer);
  if (const auto* read = std::get_if<rpc::Read>(&plan)) {
    return place.service.read(read->call, place.view, now);
  }
  require(sender.kind == Principal::Kind::connector ||
          (sender.kind == Principal::Kind::anyone && !place.authority.secured()));
  const auto& write = std::get<rpc::Write>(plan);
  engine::Outcome outcome;
  const std::string& collection = write.command.collection;
  outcome.changes = {{document::ChangeKind::created, collection, "a/\"b", {}},
                     {document::ChangeKind::updated, collection, "c", {"x", "\x01"}},
                     {document::ChangeKind::removed, collection, "d", {}}};
  return place.service.written(write.call, outcome, 1u << 16);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const Place unsecured{std::nullopt};
  static const Place secured{"sesame"};
  static const Principal senders[] = {{Principal::Kind::connector, nullptr},
                                      {Principal::Kind::anyone, nullptr},
                                      session("s"),
                                      session("gone")};
  if (size == 0) return 0;
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const auto who = static_cast<unsigned char>(input.front());
  const Place& place = (who & 1) != 0 ? secured : unsecured;
  const Principal& sender = senders[who >> 1 & 3];

  const events::RpcCalls calls = events::parse_calls(input.substr(1), {100, 600});
  for (const auto& call : calls.calls) {
    const auto* request = std::get_if<events::RpcRequest>(&call);
    if (request == nullptr) continue;
    std::string text;
    write(text,
          events::RpcResponse{request->id.value_or("null"), carry_out(place, *request, sender)});
    require(json::compact(text, 1'000).has_value());
  }
  return 0;
}
