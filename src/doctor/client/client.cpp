#include "doctor/client/client.hpp"

#include <limits>
#include <utility>

#include "doctor/client/core.hpp"
#include "doctor/client/publisher.hpp"
#include "doctor/client/runtime.hpp"
#include "doctor/client/tls.hpp"
#include "doctor/json/scanner.hpp"
#include "doctor/json/value.hpp"

namespace doctor::client {
namespace {

constexpr std::size_t ids_max = 1'000;  // of one subscription

Error invalid_argument(std::string why) {
  return client::error(Code::invalid_argument, std::move(why));
}

// Compact, or why not; without params nothing.
Expected<std::string> checked_params(std::string_view params) {
  if (params.empty()) return std::string();
  auto compact = json::compact(params, json::Scanner::deepest);
  if (!compact) return invalid_argument("the params are not JSON: " + compact.error().detail);
  const json::Kind kind = json::kind(*compact);
  if (kind != json::Kind::object && kind != json::Kind::array) {
    return invalid_argument("the params must be an object or an array");
  }
  return std::move(*compact);
}

// For whom there is no client any more.
class NoSubscription final : public Subscription {
 public:
  void request(std::int64_t) override {}
  void cancel() override {}
};

}  // namespace

Expected<Client> Client::open(Options options, std::shared_ptr<Runtime> runtime) {
  if (auto checked = Connection::check(options); !checked) return checked.error();
  if (options.tls) {
    if (auto loaded = load_tls(*options.tls); !loaded) {
      return invalid_argument(loaded.error().detail);
    }
  }
  if (runtime == nullptr) runtime = Runtime::make();
  auto core = std::make_shared<Core>(std::move(options), runtime->impl_->sockets,
                                     runtime->impl_->deliveries);
  core->start();
  return Client(std::move(runtime), std::move(core));
}

Client::Client(std::shared_ptr<Runtime> runtime, std::shared_ptr<Core> core)
    : runtime_(std::move(runtime)), core_(std::move(core)) {}

Client::Client(Client&&) noexcept = default;

Client& Client::operator=(Client&& other) noexcept {
  if (this == &other) return *this;
  close();
  runtime_ = std::move(other.runtime_);
  core_ = std::move(other.core_);
  return *this;
}

// Callbacks that still run may call us: the core goes last.
Client::~Client() {
  close();
  runtime_.reset();
}

void Client::close() {
  if (core_ != nullptr) core_->close();
}

Expected<std::shared_ptr<Publisher>> Client::events(const std::vector<std::string>& ids,
                                                    const SubscriptionOptions& options) {
  std::vector<events::SubscriptionId> parsed;
  for (const std::string& id : ids) {
    auto one = events::SubscriptionId::parse(id);
    if (!one) return invalid_argument(id + ": " + one.error().detail);
    parsed.push_back(std::move(*one));
  }
  if (ids.empty() || ids.size() > ids_max) {
    return invalid_argument("a subscription has 1 to " + std::to_string(ids_max) + " ids");
  }
  if (options.max_events == 0 || options.max_octets == 0 || options.max_age.count() <= 0) {
    return invalid_argument("a subscription has room for an event");
  }
  return std::shared_ptr<Publisher>(
      std::make_shared<EventPublisher>([core = std::weak_ptr(core_), parsed = std::move(parsed),
                                        options](std::shared_ptr<EventSubscriber> subscriber) {
        if (const auto open = core.lock()) {
          return open->subscribe(std::move(subscriber), parsed, options);
        }
        subscriber->on_subscribe(std::make_shared<NoSubscription>());
        subscriber->on_complete();
      }));
}

void Client::call(std::string_view method, std::string_view params, Callback answered,
                  const CallOptions& options) {
  auto checked = checked_params(params);
  if (!checked) return core_->refuse(std::move(answered), checked.error());
  core_->call(std::string(method), std::move(*checked), std::move(answered), options);
}

std::future<Expected<std::string>> Client::call(std::string_view method, std::string_view params,
                                                const CallOptions& options) {
  const auto promise = std::make_shared<std::promise<Expected<std::string>>>();
  call(
      method, params,
      [promise](Expected<std::string> result) { promise->set_value(std::move(result)); }, options);
  return promise->get_future();
}

Expected<void> Client::publish(std::string_view component, std::string_view operation,
                               std::string_view unique_id, std::string_view params) {
  if (core_->options().peer == Peer::vdsm) {
    return invalid_argument("a vdsm takes no notifications");
  }
  for (const std::string_view part : {component, operation}) {
    if (part.find('|') != part.npos) {
      return invalid_argument("component and operation have no bar");
    }
  }
  auto checked = checked_params(params);
  if (!checked) return checked.error();
  std::string method;
  for (const std::string_view part : {component, operation, unique_id}) {
    method.append("|").append(part);
  }
  return core_->publish(std::move(method), std::move(*checked));
}

Figures Client::figures() const {
  return core_->figures();
}

}  // namespace doctor::client
