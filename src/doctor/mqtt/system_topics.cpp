#include "doctor/mqtt/broker_impl.hpp"

// The figures that brokers publish about themselves, by the names that Mosquitto gave them.
namespace doctor::mqtt {
namespace {

constexpr std::chrono::seconds figures_interval{10};
constexpr Retained::Bounds own_bounds{std::numeric_limits<std::size_t>::max(),
                                      std::numeric_limits<std::size_t>::max()};

}  // namespace

void Broker::Impl::publish_figures(std::string version, Clock::time_point now) {
  now_ = now;
  version_ = std::move(version);
  started_ = now;
  publish_figures();
}

void Broker::Impl::publish_figures() {
  next_figures_ = now_ + figures_interval;
  const Figures now = counted();
  const auto publish = [&](std::string_view name, std::uint64_t value) {
    publish_figure(name, std::to_string(value));
  };
  publish_figure("version", "Doctor " + version_);
  const auto up = std::chrono::duration_cast<std::chrono::seconds>(now_ - started_).count();
  publish_figure("uptime", std::to_string(up) + " seconds");
  const std::uint64_t connected = sessions_.size() - free_numbers_.size() - away_;
  publish("clients/connected", connected);
  publish("clients/disconnected", away_);
  publish("clients/total", connected + away_);
  publish("subscriptions/count", now.subscriptions);
  publish("retained messages/count", now.retained);
  publish("messages/received", now.packets_in);
  publish("publish/messages/received", now.messages_in);
  publish("publish/messages/sent", now.messages_out);
  publish("publish/messages/dropped", now.dropped_queue_full + now.dropped_no_member +
                                          now.dropped_forbidden + now.dropped_packet_size +
                                          now.dropped_expired);
  publish("bytes/received", now.bytes_in);
  publish("bytes/sent", now.bytes_out);
}

void Broker::Impl::publish_figure(std::string_view name, const std::string& value) {
  std::string& told = figures_told_[std::string(name)];
  if (told == value) return;
  told = value;
  const std::string topic = "$SYS/broker/" + std::string(name);
  Publish publish;
  publish.topic = topic;
  publish.payload = value;
  publish.retain = true;
  const PublicationPtr publication = Publication::of_client(publish, now_);
  retained_.keep(publication, own_bounds);
  route(publication, QoS::at_most_once, std::nullopt);
}

}  // namespace doctor::mqtt
