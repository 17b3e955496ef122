/* Preloaded into the server by test_failed_flush.py: while the file that FAILING_FLUSH names exists, a flush of the store
   fails as it does on a broken disk. */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static int is_store(int file) {
  char link[64], path[4096];
  snprintf(link, sizeof link, "/proc/self/fd/%d", file);
  const ssize_t size = readlink(link, path, sizeof path - 1);
  if (size < 0) return 0;
  path[size] = 0;
  const char* const name = strrchr(path, '/');
  return name != NULL && strcmp(name, "/store.mdb") == 0;
}

int fdatasync(int file) {
  const char* const switch_file = getenv("FAILING_FLUSH");
  if (switch_file != NULL && access(switch_file, F_OK) == 0 && is_store(file)) {
    errno = EIO;
    return -1;
  }
  return (int)syscall(SYS_fdatasync, file);
}
