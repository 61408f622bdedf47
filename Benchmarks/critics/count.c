// Counts blocks that a program allocates and says so when it ends: LD_PRELOAD this.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

static atomic_ulong count;

__attribute__((destructor)) static void report(void) { fprintf(stderr, "%lu\n", atomic_load(&count)); }

#define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

void *malloc(size_t size) {
  static __typeof__(&malloc) next;
  if (!next) next = NEXT(malloc);
  atomic_fetch_add(&count, 1);
  return next(size);
}

void *realloc(void *block, size_t size) {
  static __typeof__(&realloc) next;
  if (!next) next = NEXT(realloc);
  atomic_fetch_add(&count, 1);
  return next(block, size);
}

int posix_memalign(void **block, size_t alignment, size_t size) {
  static __typeof__(&posix_memalign) next;
  if (!next) next = NEXT(posix_memalign);
  atomic_fetch_add(&count, 1);
  return next(block, alignment, size);
}
