#include <condition_variable>
#include <iostream>
#include <mutex>
#include <optional>

#include "command.hpp"
#include "doctor/json/value.hpp"
#include "stomp_client.hpp"

namespace doctor::app {
namespace {

struct Arguments {
  std::vector<std::string> ids;
  std::int64_t request = 0;  // 0: without end
};

std::string as_json(const client::Event& event) {
  std::string text = "{";
  const auto add = [&](std::string_view name, std::string_view value) {
    text.append("\"").append(name).append("\":");
    json::append_string(text, value);
    text += ',';
  };
  add("receiver", event.receiver());
  add("component", event.component());
  add("operation", event.operation());
  add("unique_id", event.unique_id());
  text += "\"params\":";
  text += event.params().empty() ? "null" : event.params();
  return text + "}";
}

/// Prints events one at a time: it asks for the next one when the last one has gone out.
class Printer final : public client::EventSubscriber {
 public:
  Printer(bool json, std::int64_t count) : json_(json), left_(count) {}

  void on_subscribe(std::shared_ptr<client::Subscription> subscription) override {
    subscription_ = std::move(subscription);
    subscription_->request(1);
  }
  void on_next(const client::Event& event) override {
    if (json_) {
      std::cout << as_json(event) << std::endl;
    } else {
      std::cout << event.id() << ' ' << event.params() << std::endl;
    }
    // Nobody reads any more; or that was all.
    if (!std::cout) return finish(exit_failure);
    if (left_ > 0 && --left_ == 0) return finish(exit_success);
    subscription_->request(1);
  }
  void on_error(const client::Error& failure) override { finish(tell_failure("events", failure)); }
  void on_complete() override {}
  void on_disconnect(const client::Error& reason) override {
    if (!was_connected()) return finish(tell_failure("events", reason));
    complain("events", reason.message + "; trying again");
  }
  void on_reconnect(const client::Gap& gap) override {
    complain("events", "connected again; what happened within " +
                           std::to_string((gap.duration.count() + 999) / 1000) + " s is not known");
  }
  void on_dropped(std::uint64_t count) override {
    complain("events", std::to_string(count) + " events were dropped: they came too fast");
  }

  /// Whether there ever was a connection; set it before subscribing.
  std::function<bool()> was_connected;

  /// Waits for the end; the status to exit with.
  int wait() {
    std::unique_lock lock(mutex_);
    finished_.wait(lock, [&] { return status_.has_value(); });
    return *status_;
  }

 private:
  void finish(int status) {
    {
      const std::scoped_lock lock(mutex_);
      if (!status_) status_ = status;
    }
    finished_.notify_one();
  }

  const bool json_;
  std::int64_t left_;
  std::shared_ptr<client::Subscription> subscription_;
  std::mutex mutex_;
  std::condition_variable finished_;
  std::optional<int> status_;  // guarded by mutex_
};

int print_events(const StompOptions& options, const Arguments& arguments) {
  const auto usage = [](std::string_view why) {
    complain("events", why);
    return exit_usage;
  };
  auto where = stomp_options(options);
  if (!where) return usage(where.error().detail);
  // The server need not send what would not be printed; a comma would divide a filter.
  if (!options.vdsm) where->event_filter = arguments.ids;
  for (const std::string& id : arguments.ids) {
    if (id.find(',') != id.npos) where->event_filter.clear();
  }
  const auto printer = std::make_shared<Printer>(options.json, arguments.request);
  auto client = client::Client::open(std::move(*where));
  if (!client) return usage(client.error().message);
  printer->was_connected = [&client = *client] { return client.figures().connections > 0; };
  client::SubscriptionOptions how;
  how.overflow = client::Overflow::pause;  // whoever reads slowly holds the server up
  const auto publisher = client->events(arguments.ids, how);
  if (!publisher) return usage(publisher.error().message);
  (*publisher)->subscribe(printer);
  return printer->wait();
}

}  // namespace

void add_events(CLI::App& program, Run& run) {
  CLI::App* command = program.add_subcommand("events", "Print events as they come, over STOMP");
  auto options = add_stomp_options(*command);
  command->add_flag("--json", options->json, "one object a line, for scripts");
  auto arguments = std::make_shared<Arguments>();
  command
      ->add_option("SUBSCRIPTION-ID", arguments->ids,
                   "RECEIVER|COMPONENT|OPERATION|UNIQUE-ID; * for any of a part")
      ->required();
  command->add_option("--request", arguments->request, "end after so many events")
      ->check(CLI::PositiveNumber)
      ->type_name("N");
  command->footer(
      "An event that matches several ids is printed once. A lost connection is made again; that, "
      "and\n"
      "what may be missing, is told on standard error.\n"
      "Examples:\n"
      "  doctor events '*|vm|updated|*'\n"
      "  doctor events --json --request 1 '*|virt|VM_status|*' '*|jobs|*|*'");
  command->final_callback([=, &run] { run = [=] { return print_events(*options, *arguments); }; });
}

}  // namespace doctor::app
