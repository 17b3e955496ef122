#include "doctor/store/disk_shim.hpp"

#include <algorithm>
#include <cerrno>
#include <mutex>
#include <string>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

namespace doctor::store {
namespace {

std::mutex mutex;  // guards hook
DiskHook hook;

bool is_named(int file, std::initializer_list<std::string_view> names) {
  char target[512];
  const std::string link = "/proc/self/fd/" + std::to_string(file);
  const ssize_t size = ::readlink(link.c_str(), target, sizeof target);
  const std::string_view path(target, size > 0 ? static_cast<std::size_t>(size) : 0);
  return std::any_of(names.begin(), names.end(),
                     [&](std::string_view name) { return path.ends_with(name); });
}

DiskAnswer ask(int file, DiskCall::Kind kind, std::uint64_t offset, std::string_view bytes) {
  const std::lock_guard lock(mutex);
  if (!hook) return {};
  const bool asked = kind == DiskCall::Kind::allocate
                         ? is_named(file, {"/reserve"})
                         : is_named(file, {"/store.mdb", "/mqtt.mdb", "/mqtt.mdb.new"});
  if (!asked) return {};
  return hook({kind, offset, bytes});
}

ssize_t fail(int code) {
  errno = code;
  return -1;
}

}  // namespace

DiskShim::DiskShim(DiskHook asked) {
  const std::lock_guard lock(mutex);
  hook = std::move(asked);
}

DiskShim::~DiskShim() {
  const std::lock_guard lock(mutex);
  hook = nullptr;
}

}  // namespace doctor::store

// The linker finds these before the C library's.
extern "C" {

ssize_t pwrite(int file, const void* bytes, size_t size, off_t offset) {
  using namespace doctor::store;
  // A meta page is written from its map size on, which is less than any page.
  const auto kind = size < 512 ? DiskCall::Kind::meta : DiskCall::Kind::pages;
  const DiskAnswer answer =
      ask(file, kind, static_cast<std::uint64_t>(offset), {static_cast<const char*>(bytes), size});
  if (answer.error != 0) return fail(answer.error);
  return ::syscall(SYS_pwrite64, file, bytes, answer.cut_short ? size / 2 : size, offset);
}

ssize_t writev(int file, const struct iovec* parts, int count) {
  using namespace doctor::store;
  std::string bytes;
  for (int i = 0; i < count; ++i) {
    bytes.append(static_cast<const char*>(parts[i].iov_base), parts[i].iov_len);
  }
  const auto offset = static_cast<std::uint64_t>(::lseek(file, 0, SEEK_CUR));
  const DiskAnswer answer = ask(file, DiskCall::Kind::pages, offset, bytes);
  if (answer.error != 0) return fail(answer.error);
  if (answer.cut_short) return ::syscall(SYS_write, file, bytes.data(), bytes.size() / 2);
  return ::syscall(SYS_writev, file, parts, count);
}

int fdatasync(int file) {
  using namespace doctor::store;
  const DiskAnswer answer = ask(file, DiskCall::Kind::flush, 0, {});
  if (answer.error != 0) return static_cast<int>(fail(answer.error));
  return static_cast<int>(::syscall(SYS_fdatasync, file));
}

int posix_fallocate(int file, off_t offset, off_t size) {
  using namespace doctor::store;
  const auto end = static_cast<std::uint64_t>(offset + size);
  const DiskAnswer answer = ask(file, DiskCall::Kind::allocate, end, {});
  if (answer.error != 0) return answer.error;
  return ::syscall(SYS_fallocate, file, 0, offset, size) == 0 ? 0 : errno;
}
}
