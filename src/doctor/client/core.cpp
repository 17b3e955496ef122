#include "doctor/client/core.hpp"

#include <algorithm>
#include <random>
#include <utility>

#include "doctor/base/crypto.hpp"

namespace doctor::client {
namespace {

namespace asio = net::asio;

constexpr std::chrono::milliseconds purge_at_most_every{10};

std::function<double()> chance() {
  return [] {
    thread_local std::mt19937 generator{std::random_device()()};
    return std::uniform_real_distribution<double>(0, 1)(generator);
  };
}

// A callback of the caller's. What it throws must not end the thread that others share.
class Callbacks final : public Task {
 public:
  Callbacks(std::function<void()> act, std::function<void()> threw)
      : act_(std::move(act)), threw_(std::move(threw)) {}
  void run() override {
    try {
      act_();
    } catch (...) {
      threw_();
    }
  }

 private:
  const std::function<void()> act_;
  const std::function<void()> threw_;
};

}  // namespace

Client::Core::Core(Options options, std::shared_ptr<asio::io_context> sockets,
                   std::shared_ptr<Deliveries> deliveries)
    : options_(std::move(options)),
      receiver_(options_.receiver.empty() ? options_.host : options_.receiver),
      deliveries_(std::move(deliveries)),
      sockets_(std::move(sockets)),
      connection_(options_, hex(random_bytes(16)), chance()),
      timer_(sockets_->get_executor()),
      purge_timer_(sockets_->get_executor()) {}

// Acts on the thread of the sockets, in the order of the calls, and does what follows from it.
// Whoever calls when all is over, and that thread has ended, keeps nothing alive.
template <class Act>
void Client::Core::post(Act act) {
  asio::post(*sockets_, [core = weak_from_this(), act = std::move(act)]() mutable {
    const auto self = core.lock();
    if (self == nullptr) return;
    act(*self);
    self->pump();
  });
}

void Client::Core::start() {
  post([](Core& core) { core.connection_.start(Clock::now()); });
}

void Client::Core::close() {
  if (closing_.exchange(true)) return;
  asio::post(*sockets_, [self = shared_from_this()] {
    self->connection_.stop(Clock::now());
    self->pump();
  });
}

void Client::Core::subscribe(std::shared_ptr<EventSubscriber> subscriber,
                             std::vector<events::SubscriptionId> ids,
                             const SubscriptionOptions& options) {
  // The flow is known to its hooks once it is there.
  const auto known = std::make_shared<std::weak_ptr<Flow>>();
  const auto tell = [core = weak_from_this(), known](void (*what)(Core&, const Flow*)) {
    return [core, known, what] {
      const auto self = core.lock();
      if (self == nullptr) return;
      self->post([flow = known->lock(), what](Core& own) { what(own, flow.get()); });
    };
  };
  Flow::Hooks hooks;
  hooks.ended = tell([](Core& core, const Flow* flow) { core.remove(flow); });
  hooks.room = tell([](Core& core, const Flow*) { core.read_on_if_room(); });
  hooks.threw = [counts = counts_] { counts->threw.fetch_add(1); };
  const auto flow =
      std::make_shared<Flow>(std::move(subscriber), options, deliveries_, std::move(hooks));
  *known = flow;
  post([flow, ids = std::move(ids), max_age = options.max_age](Core& core) mutable {
    core.add(std::move(flow), std::move(ids), max_age);
  });
  flow->start();
}

void Client::Core::call(std::string method, std::string params, Callback answered,
                        CallOptions options) {
  if (calls_waiting_.fetch_add(1) >= options_.calls_max) {
    --calls_waiting_;
    return refuse(std::move(answered),
                  client::error(Code::communication, "too many requests wait already"));
  }
  post([id = CallId(++last_call_), method = std::move(method), params = std::move(params),
        answered = std::move(answered), options = std::move(options)](Core& core) mutable {
    core.callbacks_.emplace(id, std::move(answered));
    core.connection_.call(id, method, params, options, Clock::now());
  });
}

void Client::Core::refuse(Callback answered, Error why) {
  ++calls_waiting_;
  answer(std::move(answered), std::move(why));
}

Expected<void> Client::Core::publish(std::string method, std::string params) {
  if (closing_) return client::error(Code::communication, "the client was closed");
  if (over_) return client::error(Code::communication, "the connection was given up");
  const std::size_t size = method.size() + params.size();
  if (octets_posted_ + octets_unsent_ + size > options_.unsent_max) {
    return client::error(Code::communication, "too much waits to be written already");
  }
  octets_posted_ += size;
  post([method = std::move(method), params = std::move(params), size](Core& core) {
    core.octets_posted_ -= size;
    if (core.connection_.publish(method, params, Clock::now())) return;
    Warning warning{"an event that was published is lost: too much waits to be written"};
    core.perform(warning);
  });
  return {};
}

Figures Client::Core::figures() const {
  return {counts_->connected, counts_->connections, counts_->events,
          counts_->unheard,   counts_->unmatched,   counts_->threw};
}

void Client::Core::opened() {
  connection_.opened(Clock::now());
  pump();
}

void Client::Core::received(std::string_view octets) {
  connection_.received(octets, Clock::now());
  pump();
}

void Client::Core::written() {
  pump();
}

void Client::Core::closed(Error reason) {
  link_.reset();
  connection_.closed(std::move(reason), Clock::now());
  pump();
}

// Does all that the connection asks for.
void Client::Core::pump() {
  if (std::exchange(pumping_, true)) return;
  const Clock::time_point now = Clock::now();
  while (auto occurrence = connection_.next(now)) {
    std::visit([&](auto& which) { perform(which); }, *occurrence);
  }
  router_.flush();
  if (link_ != nullptr && !link_->is_writing() && !connection_.output().empty()) {
    link_->write(std::exchange(connection_.output(), {}));
  }
  octets_unsent_ = connection_.unsent();
  counts_->unmatched = connection_.unmatched();
  arm();
  pumping_ = false;
}

void Client::Core::perform(Connect&) {
  link_ = std::make_shared<Link>(sockets_->get_executor(), options_, shared_from_this());
  link_->open();
}

void Client::Core::perform(Disconnect&) {
  if (const auto link = std::exchange(link_, nullptr)) link->abandon();
}

void Client::Core::perform(Up& up) {
  counts_->connected = true;
  down_.reset();
  ++counts_->connections;
  if (up.gap) router_.reconnected(receiver_, *up.gap);
}

void Client::Core::perform(Down& down) {
  counts_->connected = false;
  router_.disconnected(receiver_, down.reason);
  down_ = std::move(down.reason);
}

void Client::Core::perform(Ended& ended) {
  counts_->connected = false;
  over_ = true;
  ended_ = std::move(ended.reason);
  purge_timer_.cancel();
  if (closing_) {
    router_.complete();
  } else {
    router_.fail(*ended_);
  }
}

void Client::Core::perform(Event& event) {
  ++counts_->events;
  if (!router_.deliver(std::move(event))) ++counts_->unheard;
  if (!router_.all_full()) return;
  connection_.pause(Clock::now());
  if (link_ != nullptr) link_->read_on(false);
}

void Client::Core::perform(Answer& given) {
  const auto found = callbacks_.find(given.call);
  Callback answered = std::move(found->second);
  callbacks_.erase(found);
  answer(std::move(answered), std::move(given.result));
}

void Client::Core::perform(Warning& warning) {
  if (!options_.on_warning) return;
  deliveries_->post(std::make_shared<Callbacks>(
      [say = options_.on_warning, text = std::move(warning.text)] { say(text); },
      [counts = counts_] { counts->threw.fetch_add(1); }));
}

void Client::Core::answer(Callback answered, Expected<std::string> result) {
  --calls_waiting_;
  // Shared, since a std::function copies what it holds.
  const auto given = std::make_shared<Expected<std::string>>(std::move(result));
  deliveries_->post(std::make_shared<Callbacks>(
      [answered = std::move(answered), given] { answered(std::move(*given)); },
      [counts = counts_] { counts->threw.fetch_add(1); }));
}

void Client::Core::add(std::shared_ptr<Flow> flow, std::vector<events::SubscriptionId> ids,
                       std::chrono::milliseconds max_age) {
  if (ended_) return closing_ ? flow->complete() : flow->fail(*ended_);
  const bool concerned = std::any_of(ids.begin(), ids.end(), [&](const auto& id) {
    return id.is_any(0) || id.part(0) == receiver_;
  });
  if (down_ && concerned) flow->disconnected(*down_);
  router_.add(std::move(flow), std::move(ids));
  connection_.listen(true, Clock::now());
  read_on_if_room();
  purge_every_ = std::max<Clock::duration>(std::min<Clock::duration>(purge_every_, max_age / 10),
                                           purge_at_most_every);
  if (!std::exchange(purging_, true)) arm_purge();
}

void Client::Core::remove(const Flow* flow) {
  router_.remove(flow);
  if (router_.empty()) {
    connection_.listen(false, Clock::now());
    purge_timer_.cancel();
  }
  read_on_if_room();
}

void Client::Core::read_on_if_room() {
  if (!connection_.is_paused() || router_.all_full()) return;
  connection_.resume(Clock::now());
  pump();  // what was read already may fill them again
  if (link_ != nullptr && !connection_.is_paused()) link_->read_on(true);
}

void Client::Core::arm() {
  const Clock::time_point due = connection_.deadline();
  timer_.expires_at(due);
  if (due == Clock::time_point::max()) return;
  timer_.async_wait([self = shared_from_this()](net::error_code failure) {
    if (failure) return;
    const Clock::time_point now = Clock::now();
    // If this process was stopped or busy, what came meanwhile waits to be read.
    if (self->link_ != nullptr && self->link_->has_unread()) self->connection_.heard(now);
    self->connection_.tick(now);
    self->pump();
  });
}

void Client::Core::arm_purge() {
  purge_timer_.expires_after(purge_every_);
  purge_timer_.async_wait([self = shared_from_this()](net::error_code) {
    if (self->router_.empty() || self->ended_) {
      self->purging_ = false;
      return;
    }
    self->router_.purge(Clock::now());
    self->arm_purge();
  });
}

}  // namespace doctor::client
