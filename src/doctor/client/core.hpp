#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "doctor/client/client.hpp"
#include "doctor/client/connection.hpp"
#include "doctor/client/deliveries.hpp"
#include "doctor/client/link.hpp"
#include "doctor/client/router.hpp"
#include "doctor/net/asio.hpp"

namespace doctor::client {

/// A client, whoever still knows it: brings together the protocol, the sockets and the
/// subscriptions. What is public is for any thread, all else for that of the sockets.
class Client::Core final : public Link::Owner, public std::enable_shared_from_this<Core> {
 public:
  Core(Options options, std::shared_ptr<net::asio::io_context> sockets,
       std::shared_ptr<Deliveries> deliveries);

  void start();
  void close();
  void subscribe(std::shared_ptr<EventSubscriber> subscriber,
                 std::vector<events::SubscriptionId> ids, const SubscriptionOptions& options);
  void call(std::string method, std::string params, Callback answered, CallOptions options);
  /// Answers without having asked.
  void refuse(Callback answered, Error why);
  Expected<void> publish(std::string method, std::string params);
  const Options& options() const { return options_; }
  Figures figures() const;

 private:
  struct Counts {
    std::atomic<bool> connected{false};
    std::atomic<std::uint64_t> connections{0};
    std::atomic<std::uint64_t> events{0};
    std::atomic<std::uint64_t> unheard{0};
    std::atomic<std::uint64_t> unmatched{0};
    std::atomic<std::uint64_t> threw{0};
  };

  void opened() override;
  void received(std::string_view octets) override;
  void written() override;
  void closed(Error reason) override;

  void pump();
  void perform(Connect&);
  void perform(Disconnect&);
  void perform(Up& up);
  void perform(Down& down);
  void perform(Ended& ended);
  void perform(Event& event);
  void perform(Answer& answer);
  void perform(Warning& warning);

  void add(std::shared_ptr<Flow> flow, std::vector<events::SubscriptionId> ids,
           std::chrono::milliseconds max_age);
  void remove(const Flow* flow);
  void read_on_if_room();
  void arm();
  void arm_purge();
  void answer(Callback answered, Expected<std::string> result);
  template <class Act>
  void post(Act act);

  const Options options_;
  const std::string receiver_;
  const std::shared_ptr<Deliveries> deliveries_;
  const std::shared_ptr<net::asio::io_context> sockets_;
  const std::shared_ptr<Counts> counts_ = std::make_shared<Counts>();
  std::atomic<std::uint64_t> last_call_{0};
  std::atomic<std::size_t> calls_waiting_{0};
  std::atomic<std::size_t> octets_posted_{0};  // of publications that are on their way here
  std::atomic<std::size_t> octets_unsent_{0};
  std::atomic<bool> closing_{false};
  std::atomic<bool> over_{false};  // closed, or given up

  Connection connection_;
  Router router_;
  std::shared_ptr<Link> link_;
  net::Timer timer_;
  net::Timer purge_timer_;
  Clock::duration purge_every_ = std::chrono::seconds(60);  // or oftener
  bool purging_ = false;
  bool pumping_ = false;
  std::unordered_map<CallId, Callback> callbacks_;
  std::optional<Error> down_;   // what Down told, until there is a connection
  std::optional<Error> ended_;  // none: not yet
};

}  // namespace doctor::client
