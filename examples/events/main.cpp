// Prints what happens to documents of the collection `vm`, one event at a time: events PORT COUNT
#include <doctor/client/client.hpp>
#include <future>
#include <iostream>

using namespace doctor::client;

struct Printer : Subscriber {
  void on_subscribe(std::shared_ptr<Subscription> given) override {
    subscription = std::move(given);
    subscription->request(1);
  }
  void on_next(const Event& event) override {
    std::cout << event.id() << ' ' << event.params() << std::endl;
    --left == 0 ? subscription->cancel() : subscription->request(1);
  }
  void on_error(const Error& failure) override { std::cerr << failure.message << std::endl; }
  void on_complete() override { done.set_value(); }

  int left = 0;
  std::shared_ptr<Subscription> subscription;
  std::promise<void> done;
};

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  Options options;
  options.port = static_cast<std::uint16_t>(std::stoi(argv[1]));
  auto client = Client::open(options);
  if (!client) return std::cerr << client.error().message << std::endl, 1;
  const auto printer = std::make_shared<Printer>();
  printer->left = std::stoi(argv[2]);
  (*client->events({"*|vm|*|*"}))->subscribe(printer);
  client->call("Host.ping").wait();  // whose answer means that the subscription is in force
  std::cerr << "listening" << std::endl;
  printer->done.get_future().wait();
}
