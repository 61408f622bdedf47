#include "allocator.h"

#include <stdlib.h>

#ifdef __GLIBC__
#include <malloc.h>
#endif

void ptoken_reuse_large_blocks(void) {
#ifdef __GLIBC__
  // One heap for all threads: theirs end at 64 MiB. Blocks of up to 32 MiB, the most that glibc takes, lie in it.
  mallopt(M_ARENA_MAX, 1);
  mallopt(M_MMAP_THRESHOLD, 32 << 20);
  mallopt(M_TRIM_THRESHOLD, 256 << 20);
#endif
}
