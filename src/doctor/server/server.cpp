#include "doctor/server/server.hpp"

#include <algorithm>
#include <csignal>
#include <functional>
#include <latch>
#include <sys/resource.h>
#include <vector>

#include "doctor/base/log.hpp"
#include "doctor/server/event_rules.hpp"
#include "doctor/server/http_connection.hpp"
#include "doctor/server/listener.hpp"
#include "doctor/server/metrics.hpp"
#include "doctor/server/mqtt_service.hpp"
#include "doctor/server/rpc_runner.hpp"
#include "doctor/server/stomp_service.hpp"
#include "doctor/server/tls_endpoint.hpp"
#include "doctor/server/upstreams.hpp"

namespace doctor::server {
namespace {

using std::chrono::milliseconds;

// How often deadlines are looked at: about a second, but no coarser than a quarter of the shortest.
milliseconds sweep_interval(const Limits& limits) {
  const milliseconds shortest =
      std::min({limits.tls_handshake_timeout, limits.header_timeout, limits.body_timeout,
                limits.write_timeout, limits.idle_timeout});
  return std::clamp(shortest / 4, milliseconds(20), milliseconds(1000));
}

// How long writing what must be kept of MQTT is tried at the end, if it fails.
constexpr milliseconds last_writes{2'000};

rest::Options options_of(const Configuration& configuration, const std::string& version) {
  return {configuration.cors_origins, configuration.allowed_hosts, version};
}

// Each connection is a file, and so is the rest.
void raise_file_limit(std::size_t connections) {
  rlimit files{};
  if (getrlimit(RLIMIT_NOFILE, &files) != 0) return;
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  if (files.rlim_cur < connections + 100) {
    log::warning("the limit `connections` is above what the system allows this process",
                 {{"connections", std::to_string(connections)},
                  {"open files", std::to_string(files.rlim_cur)}});
  }
}

// Commits are told to each in turn.
class Listeners final : public engine::Listener {
 public:
  explicit Listeners(std::vector<engine::Listener*> all) : all_(std::move(all)) {}
  void committed(std::span<const document::CommitPtr> commits) override {
    for (engine::Listener* listener : all_) listener->committed(commits);
  }

 private:
  std::vector<engine::Listener*> all_;
};

}  // namespace

class Server::Impl {
 public:
  Impl(const Configuration& configuration, std::string version)
      : configuration_(configuration),
        version_(std::move(version)),
        authority_(configuration.secret),
        shared_(configuration.limits, std::max(1u, std::thread::hardware_concurrency())) {}
  ~Impl() { stop(); }

  Result<void> start();
  void reload(const Configuration& configuration);
  void stop();

 private:
  Result<void> read_certificates();
  Result<void> listen(const std::string& address, std::uint16_t port, Listener::Service service);
  Result<void> listen_everywhere();
  Listener::Accepted serve_http(HttpConnection::Role role);
  Listener::Accepted serve_mqtt();
  Listener::Accepted serve_stomp();
  IoThread& stomp_thread() { return *threads_.back(); }
  void reload_certificates();
  void use_service();
  Task<void> tick();
  void on(IoThread& thread, const std::function<void()>& action);
  bool wait_for(milliseconds patience, const std::function<bool()>& done) const;

  Configuration configuration_;
  const std::string version_;
  engine::Authority authority_;
  std::unique_ptr<store::Store> store_;
  Shared shared_;
  // Destroyed from the last to the first: the engine completes what was submitted; with the threads
  // go the coroutines that use the rest.
  std::unique_ptr<MqttService> mqtt_;
  std::unique_ptr<RpcRunner> rpc_;
  std::unique_ptr<StompService> stomp_;
  std::unique_ptr<Listeners> commit_listeners_;
  std::unique_ptr<Metrics> metrics_;
  std::unique_ptr<TlsEndpoint> api_tls_;  // null: that listener is off
  std::unique_ptr<TlsEndpoint> mqtt_tls_;
  std::unique_ptr<TlsEndpoint> stomp_tls_;
  std::unique_ptr<TlsEndpoint> metrics_tls_;
  std::vector<std::unique_ptr<IoThread>> threads_;
  std::vector<std::unique_ptr<Listener>> listeners_;
  std::unique_ptr<engine::Engine> engine_;
  std::unique_ptr<EventRules> event_rules_;
  std::unique_ptr<Upstreams> upstreams_;
  bool stopped_ = false;
};

Result<void> Server::Impl::start() {
  std::signal(SIGPIPE, SIG_IGN);
  raise_file_limit(configuration_.limits.connections);
  if (const Result<void> read = read_certificates(); !read) return read;
  store::Options options;
  options.directory = configuration_.data_dir;
  options.map_size = configuration_.store_map_size;
  options.reserve = configuration_.store_reserve;
  Result<std::unique_ptr<store::Store>> store = store::Store::open(options);
  if (!store) return store.error();
  store_ = std::move(*store);

  const std::size_t cores = std::max(1u, std::thread::hardware_concurrency());
  for (std::size_t i = 0; i < (configuration_.clustered ? cores : 1); ++i) {
    threads_.push_back(std::make_unique<IoThread>(sweep_interval(configuration_.limits)));
  }
  // The brokers are told where they begin before there is an engine, so no commit is missed.
  mqtt_ = std::make_unique<MqttService>(*threads_.front(), shared_, authority_);
  mqtt_->set_revision(store_->revision());
  rpc_ = std::make_unique<RpcRunner>(stomp_thread(), shared_, version_);
  stomp_ = std::make_unique<StompService>(stomp_thread(), shared_, authority_, configuration_.stomp,
                                          version_, *rpc_, !configuration_.events.rules.empty());
  stomp_->set_revision(store_->revision());
  commit_listeners_ =
      std::make_unique<Listeners>(std::vector<engine::Listener*>{mqtt_.get(), stomp_.get()});
  engine_ =
      std::make_unique<engine::Engine>(*store_, configuration_.limits, commit_listeners_.get());
  event_rules_ =
      std::make_unique<EventRules>(configuration_.events.rules, configuration_.limits, *engine_);
  metrics_ = std::make_unique<Metrics>(threads_, shared_, version_);
  shared_.engine = engine_.get();
  shared_.mqtt = mqtt_.get();
  shared_.stomp = stomp_.get();
  shared_.rpc = rpc_.get();
  shared_.event_rules = event_rules_.get();
  shared_.metrics = metrics_.get();
  const Result<void> restored = mqtt_->restore(configuration_.data_dir / store::mqtt_file_name,
                                               configuration_.store_map_size);
  if (!restored) return restored;
  if (const Result<void> listening = listen_everywhere(); !listening) return listening;
  if (!configuration_.events.upstreams.empty()) {
    auto opened =
        Upstreams::open(configuration_.events.upstreams, configuration_.limits, *event_rules_,
                        [this](hub::Event event, std::function<void()> done) {
                          stomp_->publish(std::move(event), std::move(done));
                        });
    if (!opened) return opened.error();
    upstreams_ = std::move(*opened);
    shared_.upstreams = upstreams_.get();
  }

  use_service();
  mqtt_->start(version_);
  stomp_->start();
  asio::co_spawn(threads_.front()->executor(), tick(), asio::detached);
  for (const auto& listener : listeners_) listener->start();
  for (const auto& thread : threads_) thread->start();
  shared_.phase = Phase::serving;
  log::info("serving", {{"version", version_},
                        {"data", configuration_.data_dir.string()},
                        {"revision", std::to_string(store_->revision().value)},
                        {"threads", std::to_string(threads_.size())}});
  return {};
}

Result<void> Server::Impl::read_certificates() {
  const auto open = [this](std::unique_ptr<TlsEndpoint>& endpoint, std::string_view name,
                           TlsProtocol protocol,
                           const Configuration::TlsListener& listener) -> Result<void> {
    if (listener.port == 0) return {};
    auto opened = TlsEndpoint::open(name, protocol, listener.settings);
    if (!opened) return opened.error();
    endpoint = std::move(*opened);
    shared_.tls.push_back(endpoint.get());
    return {};
  };
  Result<void> read = open(api_tls_, "api", TlsProtocol::http, configuration_.api_tls);
  if (read) read = open(mqtt_tls_, "mqtt", TlsProtocol::mqtt, configuration_.mqtt_tls);
  if (read) read = open(stomp_tls_, "stomp", TlsProtocol::stomp, configuration_.stomp_tls);
  if (read) read = open(metrics_tls_, "metrics", TlsProtocol::http, configuration_.metrics_tls);
  return read;
}

Result<void> Server::Impl::listen_everywhere() {
  IoThread* const first = threads_.front().get();
  std::vector<IoThread*> all;
  for (const auto& thread : threads_) all.push_back(thread.get());
  const auto api = serve_http(HttpConnection::Role::api);
  const auto operations = serve_http(HttpConnection::Role::operations);
  const Configuration& c = configuration_;
  Result<void> done = listen(c.listen, c.api_port, {"HTTP", all, nullptr, api});
  if (done) done = listen(c.tls_listen, c.api_tls.port, {"HTTPS", all, api_tls_.get(), api});
  if (done) done = listen(c.listen, c.mqtt_port, {"MQTT", {first}, nullptr, serve_mqtt()});
  // Handshakes are work: all threads share it, and hand over to the broker's.
  if (done) {
    done = listen(c.tls_listen, c.mqtt_tls.port,
                  {"MQTT over TLS", all, mqtt_tls_.get(), serve_mqtt()});
  }
  if (done) {
    done =
        listen(c.stomp.listen, c.stomp_port, {"STOMP", {&stomp_thread()}, nullptr, serve_stomp()});
  }
  if (done) {
    done = listen(c.tls_listen, c.stomp_tls.port,
                  {"STOMP over TLS", all, stomp_tls_.get(), serve_stomp()});
  }
  if (done) {
    done = listen(c.metrics_listen, c.metrics_port, {"metrics", {first}, nullptr, operations});
  }
  if (done) {
    done = listen(c.metrics_listen, c.metrics_tls.port,
                  {"metrics over TLS", {first}, metrics_tls_.get(), operations});
  }
  return done;
}

// Of the two addresses of localhost one is enough: a machine may have no IPv6.
Result<void> Server::Impl::listen(const std::string& address, std::uint16_t port,
                                  Listener::Service service) {
  if (port == 0) return {};
  const auto endpoints = endpoints_of(address, port);
  std::optional<Error> refused;
  std::size_t open = 0;
  for (const auto& endpoint : endpoints) {
    auto listener = Listener::open(endpoint, service, *threads_.front(), shared_);
    if (listener) {
      listeners_.push_back(std::move(*listener));
      ++open;
    } else if (!refused) {
      refused = listener.error();
    }
    // An address in use is never passed over: requests would go to whoever has it.
    if (!listener && endpoint.address().is_v4()) break;
  }
  if (open == endpoints.size()) return {};
  if (open > 0 && endpoints.size() > 1) {
    log::warning(refused->detail);
    return {};
  }
  return refused ? *refused : error(Errc::invalid, "cannot listen on " + address);
}

Listener::Accepted Server::Impl::serve_http(HttpConnection::Role role) {
  return [this, role](IoThread& thread, Stream stream, std::string peer, Share place) {
    std::make_shared<HttpConnection>(thread, shared_, std::move(stream), std::move(peer),
                                     std::move(place), role)
        ->start();
  };
}

Listener::Accepted Server::Impl::serve_mqtt() {
  return [this](IoThread& thread, Stream stream, std::string peer, Share place) {
    constexpr auto carrier = MqttService::Carrier::tcp;
    if (&thread == threads_.front().get()) {
      mqtt_->accept(std::move(stream), carrier, {}, std::move(peer), std::move(place));
    } else {
      mqtt_->adopt(stream.detach(), carrier, {}, std::move(peer), std::move(place));
    }
  };
}

Listener::Accepted Server::Impl::serve_stomp() {
  return [this](IoThread& thread, Stream stream, std::string peer, Share place) {
    if (&thread == &stomp_thread()) {
      stomp_->accept(std::move(stream), std::move(peer), std::move(place));
    } else {
      stomp_->adopt(stream.detach(), std::move(peer), std::move(place));
    }
  };
}

// Each thread has a reference count of its own on the one service: a shared one would be written by
// all threads at every request.
void Server::Impl::use_service() {
  const auto service = std::make_shared<const rest::Service>(
      options_of(configuration_, version_), configuration_.limits, authority_, store_->identity());
  for (const auto& thread : threads_) {
    std::shared_ptr<const rest::Service> own(service.get(), [service](const rest::Service*) {});
    asio::post(thread->context(), [&thread = *thread, own = std::move(own)] { thread.use(own); });
  }
}

Task<void> Server::Impl::tick() {
  Timer timer(threads_.front()->context());
  for (;;) {
    timer.expires_after(std::chrono::seconds(1));
    const auto [failure] = co_await timer.async_wait(as_values);
    if (failure) co_return;
    engine_->tick(wall_clock());
  }
}

// Files may be new under their old names, so they are read again whatever the settings say.
void Server::Impl::reload_certificates() {
  const auto reload = [](TlsEndpoint* endpoint, const Configuration::TlsListener& listener) {
    if (endpoint == nullptr || listener.port == 0) return;
    if (auto read = endpoint->reload(listener.settings); !read) {
      log::error("the TLS certificate was not read again; the one before goes on",
                 {{"for", endpoint->name()}, {"why", read.error().detail}});
    }
  };
  reload(api_tls_.get(), configuration_.api_tls);
  reload(mqtt_tls_.get(), configuration_.mqtt_tls);
  reload(stomp_tls_.get(), configuration_.stomp_tls);
  reload(metrics_tls_.get(), configuration_.metrics_tls);
}

void Server::Impl::reload(const Configuration& configuration) {
  for (const std::string& name : needing_restart(configuration_, configuration)) {
    log::warning("this setting has changed; it needs a restart", {{"setting", name}});
  }
  configuration_.log_level = configuration.log_level;
  configuration_.log_format = configuration.log_format;
  configuration_.allowed_hosts = configuration.allowed_hosts;
  configuration_.cors_origins = configuration.cors_origins;
  configuration_.stomp.connectors = configuration.stomp.connectors;
  configuration_.stomp.check_peer_name = configuration.stomp.check_peer_name;
  configuration_.stomp.document_events = configuration.stomp.document_events;
  for (const auto tls : {&Configuration::api_tls, &Configuration::mqtt_tls,
                         &Configuration::stomp_tls, &Configuration::metrics_tls}) {
    if ((configuration.*tls).port == 0) continue;  // turned off by the file: at the next start
    (configuration_.*tls).settings = (configuration.*tls).settings;
  }
  log::configure(configuration_.log_level, configuration_.log_format);
  reload_certificates();
  stomp_->use(configuration_.stomp);
  use_service();
  log::info("the configuration was read again");
}

// Runs an action on an I/O thread and waits for it.
void Server::Impl::on(IoThread& thread, const std::function<void()>& action) {
  std::latch done(1);
  asio::post(thread.context(), [&] {
    action();
    done.count_down();
  });
  done.wait();
}

bool Server::Impl::wait_for(milliseconds patience, const std::function<bool()>& done) const {
  const auto deadline = Clock::now() + patience;
  while (!done()) {
    if (Clock::now() >= deadline) return false;
    std::this_thread::sleep_for(milliseconds(5));
  }
  return true;
}

void Server::Impl::stop() {
  if (std::exchange(stopped_, true)) return;
  if (shared_.phase.exchange(Phase::stopping) == Phase::serving) {
    IoThread& first = *threads_.front();
    on(first, [this] {
      for (const auto& listener : listeners_) listener->close();
    });
    for (const auto& thread : threads_) {
      on(*thread, [&thread] { thread->deadlines().wind_up(); });
    }
    const bool finished = wait_for(configuration_.limits.shutdown_grace, [this] {
      return shared_.http_connections == 0 && rpc_->under_way() == 0;
    });
    if (!finished) log::warning("some requests did not finish within shutdown_grace");
    // After the requests: what they wrote is announced before the clients are told to go.
    on(first, [this] { mqtt_->shut_down(); });
    on(stomp_thread(), [this] { stomp_->shut_down(); });
    wait_for(milliseconds(1000), [this] {
      return shared_.mqtt_tcp_connections + shared_.mqtt_websocket_connections +
                 shared_.stomp_connections ==
             0;
    });
    for (const auto& thread : threads_) {
      on(*thread, [&thread] { thread->deadlines().abort(); });
    }
    wait_for(milliseconds(500), [this] { return shared_.connections.used() == 0; });
  }
  for (const auto& thread : threads_) thread->stop();
  if (mqtt_) mqtt_->finish(last_writes);
  shared_.readers.stop();
  upstreams_.reset();
  event_rules_.reset();
  engine_.reset();
  listeners_.clear();
  threads_.clear();
  stomp_.reset();
  rpc_.reset();
  mqtt_.reset();
  store_.reset();
}

Server::Server(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Server::~Server() = default;

Result<std::unique_ptr<Server>> Server::start(const Configuration& configuration,
                                              std::string version) {
  auto impl = std::make_unique<Impl>(configuration, std::move(version));
  if (const Result<void> started = impl->start(); !started) return started.error();
  return std::unique_ptr<Server>(new Server(std::move(impl)));
}

void Server::reload(const Configuration& configuration) {
  impl_->reload(configuration);
}

void Server::stop() {
  impl_->stop();
}

}  // namespace doctor::server
