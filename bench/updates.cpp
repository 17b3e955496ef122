// Durable single updates: CLIENTS keep-alive connections, each sending one PATCH at a time to a
// document of its own choice and waiting for the answer, which says that it is on disk.
//
//   updates PORT CLIENTS SECONDS DOCUMENTS
//
// The documents are /entities/vm/vm-0 ... Prints updates per second and the p50 and p99 of the time
// to an answer in microseconds: "RATE P50 P99". Any answer but 200 ends it.

#include <algorithm>
#include <atomic>
#include <chrono>
#include <random>
#include <thread>
#include <vector>

#include "socket.hpp"

namespace {

using Clock = std::chrono::steady_clock;

std::string patch(unsigned document, unsigned long value) {
  const std::string body = "{\"memory\":" + std::to_string(value) + "}";
  return "PATCH /entities/vm/vm-" + std::to_string(document) +
         " HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nPrefer: return=minimal"
         "\r\nContent-Length: " +
         std::to_string(body.size()) + "\r\n\r\n" + body;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 5) {
    std::fprintf(stderr, "usage: updates PORT CLIENTS SECONDS DOCUMENTS\n");
    return 2;
  }
  const int port = std::atoi(argv[1]);
  const auto clients = static_cast<unsigned>(std::atoi(argv[2]));
  const auto documents = static_cast<unsigned>(std::atoi(argv[4]));
  const auto start = Clock::now();
  const auto end = start + std::chrono::duration<double>(std::atof(argv[3]));

  std::vector<std::vector<double>> times(clients);
  std::vector<std::thread> threads;
  for (unsigned client = 0; client < clients; ++client) {
    threads.emplace_back([&, client] {
      bench::Socket socket(port);
      std::mt19937 random(client + 1);
      unsigned long value = 1'000'000ul * (client + 1);
      while (Clock::now() < end) {
        const auto sent = Clock::now();
        socket.send(patch(random() % documents, ++value));
        if (const int status = socket.receive_answer(); status != 200) {
          std::fprintf(stderr, "status %d\n", status);
          std::exit(1);
        }
        times[client].push_back(
            std::chrono::duration<double, std::micro>(Clock::now() - sent).count());
      }
    });
  }
  for (auto& thread : threads) thread.join();
  const double elapsed = std::chrono::duration<double>(Clock::now() - start).count();
  std::vector<double> all;
  for (const auto& some : times) all.insert(all.end(), some.begin(), some.end());
  std::sort(all.begin(), all.end());
  std::printf("%.0f %.0f %.0f\n", static_cast<double>(all.size()) / elapsed, all[all.size() / 2],
              all[all.size() * 99 / 100]);
}
