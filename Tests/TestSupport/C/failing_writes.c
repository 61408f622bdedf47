// failing_writes.c: makes the n-th write of a program fail. Preloaded (LD_PRELOAD); Linux.
//
//   PTOKEN_FAIL_PATH   only files whose path contains this text
//   PTOKEN_FAIL_AT     number of the call that fails, from 1
//   PTOKEN_FAIL_KIND   ENOSPC, EIO: that call; ENOSPC+, EIO+: that one and all later ones; SHORT: it writes half
//   PTOKEN_FAIL_COUNT  file that the number of calls is written to at the end
//   PTOKEN_FAIL_ROOM   how much room a nearly full disk has (statvfs) is said late: once others took it, or in 20 ms
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <sys/uio.h>
#include <unistd.h>

static atomic_long calls;

static int is_ours(int descriptor) {
  const char *part = getenv("PTOKEN_FAIL_PATH");
  char link[64], path[4096];
  if (!part) return 0;
  snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
  ssize_t n = readlink(link, path, sizeof path - 1);
  if (n < 0) return 0;
  path[n] = 0;
  return strstr(path, part) != NULL;
}

// 0: go on; 1: fail, errno is set; 2: write half.
static int verdict(void) {
  const char *at = getenv("PTOKEN_FAIL_AT"), *kind = getenv("PTOKEN_FAIL_KIND");
  long number = atomic_fetch_add(&calls, 1) + 1;
  if (!at || !kind) return 0;
  int persists = strchr(kind, '+') != NULL;
  if (number != atol(at) && !(persists && number > atol(at))) return 0;
  if (!strcmp(kind, "SHORT")) return 2;
  errno = !strncmp(kind, "EIO", 3) ? EIO : ENOSPC;
  return 1;
}

__attribute__((destructor)) static void report(void) {
  const char *path = getenv("PTOKEN_FAIL_COUNT");
  FILE *file = path ? fopen(path, "w") : NULL;
  if (!file) return;
  fprintf(file, "%ld\n", atomic_load(&calls));
  fclose(file);
}

#define REAL(name) \
  static __typeof__(name) *real; \
  if (!real) real = (__typeof__(name) *)dlsym(RTLD_NEXT, #name)

#define SINGLE(name, offset_type) \
  ssize_t name(int d, const void *b, size_t n, offset_type o) { \
    REAL(name); \
    int v = is_ours(d) ? verdict() : 0; \
    return v == 1 ? -1 : real(d, b, v == 2 && n > 1 ? n / 2 : n, o); \
  }
SINGLE(pwrite, off_t)
SINGLE(pwrite64, off64_t)

ssize_t write(int d, const void *b, size_t n) {
  REAL(write);
  int v = is_ours(d) ? verdict() : 0;
  return v == 1 ? -1 : real(d, b, v == 2 && n > 1 ? n / 2 : n);
}

// Half of a vector: its first piece, and half of that.
#define VECTOR(name, offset_type) \
  ssize_t name(int d, const struct iovec *p, int n, offset_type o) { \
    REAL(name); \
    int v = is_ours(d) ? verdict() : 0; \
    if (v == 1) return -1; \
    if (v == 2) { \
      struct iovec half = p[0]; \
      if (half.iov_len > 1) half.iov_len /= 2; \
      return real(d, &half, 1, o); \
    } \
    return real(d, p, n, o); \
  }
VECTOR(pwritev, off_t)
VECTOR(pwritev64, off64_t)

#define PLAIN(name) \
  int name(int d) { \
    REAL(name); \
    int v = is_ours(d) ? verdict() : 0; \
    return v == 1 ? -1 : real(d); \
  }
PLAIN(fsync)
PLAIN(fdatasync)

int ftruncate(int d, off_t length) {
  REAL(ftruncate);
  int v = is_ours(d) ? verdict() : 0;
  return v == 1 ? -1 : real(d, length);
}

int ftruncate64(int d, off64_t length) {
  REAL(ftruncate64);
  int v = is_ours(d) ? verdict() : 0;
  return v == 1 ? -1 : real(d, length);
}

int rename(const char *from, const char *to) {
  REAL(rename);
  const char *part = getenv("PTOKEN_FAIL_PATH");
  int v = part && strstr(to, part) ? verdict() : 0;
  return v == 1 ? -1 : real(from, to);
}

int statvfs(const char *path, struct statvfs *room) {
  REAL(statvfs);
  int status = real(path, room);
  const char *part = getenv("PTOKEN_FAIL_PATH");
  if (status || !getenv("PTOKEN_FAIL_ROOM") || !part || !strstr(path, part)) return status;
  struct statvfs later = *room;
  if (room->f_bavail * room->f_frsize > 4 << 20) return 0;
  for (int i = 0; i < 2000 && later.f_bavail * later.f_frsize > 64 << 10; i++) {
    usleep(10);
    if (real(path, &later)) break;
  }
  return 0;
}
