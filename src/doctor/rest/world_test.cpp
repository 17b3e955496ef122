#include "doctor/rest/world.hpp"

#include <cstdlib>

#include "doctor/base/text.hpp"

namespace doctor::rest {

World::World(WorldSetup with) : setup(std::move(with)) {
  std::string pattern = (std::filesystem::temp_directory_path() / "doctor-rest-XXXXXX").string();
  if (mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("no temporary directory");
  directory = pattern;
  store::Options options;
  options.directory = directory;
  options.map_size = 64u << 20;
  store = store::Store::open(options).value();
  authority = std::make_unique<engine::Authority>(setup.secret);
  service = std::make_shared<Service>(setup.options, setup.limits, *authority, store->identity());
}

World::~World() {
  store.reset();
  std::filesystem::remove_all(directory);
}

Result<engine::Outcome> World::carry_out(engine::Command command) {
  auto transaction = store->begin();
  if (!transaction) return transaction.error();
  auto outcome = engine::apply(**transaction, command, setup.limits);
  if (!outcome || outcome->commit == nullptr) return outcome;
  if (auto done = (*transaction)->commit(); !done) return done.error();
  return outcome;
}

Response World::send(std::string_view method, std::string_view target, const Headers& headers,
                     std::string_view body) {
  std::vector<Header> lines;
  bool has_host = false;
  for (const auto& [name, value] : headers) {
    has_host |= equal_ignoring_case(name, "host");
    lines.push_back({name, value});
  }
  if (!has_host) lines.push_back({"Host", "localhost:3000"});
  const RequestHead head{method, target, lines, "127.0.0.1"};

  failed_login = false;
  answered_by_head = true;
  auto admission = service->admit(head, *store->snapshot(), now);
  if (auto* refused = std::get_if<FailedLogin>(&admission)) {
    failed_login = true;
    return std::move(refused->response);
  }
  if (auto* answer = std::get_if<Response>(&admission)) return std::move(*answer);
  if (const auto* own = std::get_if<Own>(&admission)) {
    Response response;
    response.body = *own == Own::healthz ? "healthz" : *own == Own::readyz ? "readyz" : "metrics";
    return response;
  }

  answered_by_head = false;
  return answer(std::get<Admitted>(admission), body);
}

Response World::send(DirectRequest request, const document::Principal& sender,
                     std::string_view body) {
  auto admission = service->admit(std::move(request), sender, *store->snapshot(), now);
  if (auto* answer = std::get_if<Response>(&admission)) return std::move(*answer);
  return answer(std::get<Admitted>(admission), body);
}

Response World::answer(Admitted& admitted, std::string_view body) {
  auto plan = service->plan(admitted, std::string(admitted.wants_body() ? body : ""), now);
  if (auto* answer = std::get_if<Response>(&plan)) return std::move(*answer);
  if (std::holds_alternative<Read>(plan)) return service->read(admitted, *store->snapshot(), now);
  if (auto* write = std::get_if<Write>(&plan)) {
    return service->written(admitted, carry_out(std::move(write->command)));
  }
  if (const auto* asked = std::get_if<ClientsRequest>(&plan)) {
    return service->told(admitted, broker ? broker(*asked) : ClientsReply{});
  }
  const std::shared_ptr<store::Snapshot> snapshot = store->snapshot();
  Response response = service->export_head(admitted, snapshot->revision());
  Export lines_out(snapshot, std::get<ExportRead>(plan).collections);
  while (lines_out.next(1, response.body)) {
  }
  return response;
}

std::string header_of(const Response& response, std::string_view name) {
  const std::string_view value = response.header(name);
  return value.data() == nullptr ? "(none)" : std::string(value);
}

}  // namespace doctor::rest
