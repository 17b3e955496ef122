#include "doctor/server/tls_endpoint.hpp"

#include "doctor/base/log.hpp"

namespace doctor::server {
namespace {

constexpr auto soon = std::chrono::days(14);

// Clients will refuse it, or will soon; it is served all the same, since some do not look.
void warn_of_the_end(const std::string& name, const TlsSettings& settings,
                     const TlsContext& context) {
  const auto left = context.expires() - std::chrono::system_clock::now();
  if (left > soon) return;
  const auto days = std::chrono::floor<std::chrono::days>(left).count();
  log::warning(days < 0 ? "the TLS certificate has expired: get a new one, then send SIGHUP"
                        : "the TLS certificate expires soon: get a new one, then send SIGHUP",
               {{"for", name}, {"file", settings.cert}, {"days left", std::to_string(days)}});
}

}  // namespace

Result<std::unique_ptr<TlsEndpoint>> TlsEndpoint::open(std::string_view name, TlsProtocol protocol,
                                                       const TlsSettings& settings) {
  std::unique_ptr<TlsEndpoint> endpoint(new TlsEndpoint(name, protocol));
  if (auto read = endpoint->reload(settings); !read) return read.error();
  return endpoint;
}

Result<void> TlsEndpoint::reload(const TlsSettings& settings) {
  auto loaded = TlsContext::load(settings, protocol_);
  if (!loaded) return loaded.error();
  warn_of_the_end(name_, settings, **loaded);
  const std::scoped_lock lock(mutex_);
  context_ = std::move(*loaded);
  return {};
}

std::shared_ptr<const TlsContext> TlsEndpoint::context() const {
  const std::scoped_lock lock(mutex_);
  return context_;
}

void TlsEndpoint::failed(std::string_view peer, std::string_view why, bool timed_out) {
  auto& count = timed_out ? handshakes_.timed_out : handshakes_.failed;
  count.fetch_add(1, std::memory_order_relaxed);
  if (why.empty()) return;
  const auto unsaid = failures_.due(Clock::now());
  if (!unsaid) return;
  log::warning("a TLS handshake failed; further ones are told once a minute",
               {{"for", name_},
                {"peer", std::string(peer)},
                {"why", std::string(why)},
                {"untold since the last", std::to_string(*unsaid)}});
}

}  // namespace doctor::server
