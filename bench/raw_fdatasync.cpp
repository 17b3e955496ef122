// How often this disk makes a small write durable: what bounds every durable store on it.
//
//   raw_fdatasync DIRECTORY SECONDS [RECORD-BYTES]
//
// Writes records one after another into a preallocated file, each with its own fdatasync, and
// prints how many it made in a second.

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <string>
#include <unistd.h>

int main(int argc, char** argv) {
  if (argc < 3) {
    std::fprintf(stderr, "usage: raw_fdatasync DIRECTORY SECONDS [RECORD-BYTES]\n");
    return 2;
  }
  const std::string path = std::string(argv[1]) + "/raw_fdatasync.tmp";
  const double seconds = std::atof(argv[2]);
  const std::string record(argc > 3 ? static_cast<std::size_t>(std::atoi(argv[3])) : 512, 'x');
  const int file = open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (file < 0) {
    std::perror(path.c_str());
    return 1;
  }
  const std::string zeros(1 << 20, '\0');
  for (int i = 0; i < 64; ++i) {
    if (write(file, zeros.data(), zeros.size()) < 0) return 1;
  }
  fsync(file);

  using Clock = std::chrono::steady_clock;
  const auto start = Clock::now();
  const auto end = start + std::chrono::duration<double>(seconds);
  long count = 0;
  off_t at = 0;
  while (Clock::now() < end) {
    if (pwrite(file, record.data(), record.size(), at) < 0 || fdatasync(file) != 0) {
      std::perror("write");
      return 1;
    }
    at = (at + static_cast<off_t>(record.size())) % (63 << 20);
    ++count;
  }
  const double elapsed = std::chrono::duration<double>(Clock::now() - start).count();
  std::printf("%.0f\n", static_cast<double>(count) / elapsed);
  close(file);
  unlink(path.c_str());
}
