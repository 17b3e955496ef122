#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "doctor/engine/apply.hpp"
#include "doctor/engine/authority.hpp"
#include "doctor/rest/service.hpp"
#include "doctor/store/store.hpp"

namespace doctor::rest {

struct WorldSetup {
  std::optional<std::string> secret{};
  Options options{};
  Limits limits{};
};

/// A service over a real store, for tests: requests in, answers out, one after another. Time stands
/// still unless a test moves it.
class World {
 public:
  explicit World(WorldSetup setup = {});
  ~World();
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  using Headers = std::vector<std::pair<std::string, std::string>>;
  /// Carries a request through all steps, as the server does. `Host` is localhost unless given.
  Response send(std::string_view method, std::string_view target, const Headers& headers = {},
                std::string_view body = "");

  /// A request from a sender that another transport has let in.
  Response send(DirectRequest request, const document::Principal& sender,
                std::string_view body = "");
  /// What the engine does with a command.
  Result<engine::Outcome> carry_out(engine::Command command);

  Response get(std::string_view target, const Headers& headers = {}) {
    return send("GET", target, headers);
  }

  /// Of the last request: it was a failed login; it was answered before its body was read.
  bool failed_login = false;
  bool answered_by_head = false;

  /// The MQTT broker, to requests about its clients.
  std::function<ClientsReply(const ClientsRequest&)> broker;

  Timestamp now{1'700'000'000'000};
  WorldSetup setup;
  std::filesystem::path directory;
  std::unique_ptr<store::Store> store;
  std::unique_ptr<engine::Authority> authority;
  std::shared_ptr<Service> service;

 private:
  Response answer(Admitted& admitted, std::string_view body);
};

/// The value of a header of an answer; "(none)" if it is not there.
std::string header_of(const Response& response, std::string_view name);

}  // namespace doctor::rest
