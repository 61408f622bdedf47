#include "products.h"

#include <stdlib.h>
#include <string.h>

#if defined(__x86_64__)
#include <immintrin.h>

enum { group = 4, tile = 8, block = 16 };

// As for differences (distance.c): blocks of a tile stay in the nearest cache while all queries pass over them; four
// queries share each load, and two vectors of points each broadcast. `next` vectors stand `apart` from the first.
#define ROW(query, first, second, one, other)                                                                      \
  do {                                                                                                             \
    int32_t pair;                                                                                                  \
    memcpy(&pair, p + 2 * (pairs * query + k), sizeof pair);                                                       \
    first = ADD(first, one, BROADCAST(pair));                                                                      \
    second = ADD(second, other, BROADCAST(pair));                                                                  \
  } while (0)

#define STORE(query, first, second)                                                                                \
  do {                                                                                                             \
    WRITE(target + query * stride, first);                                                                         \
    WRITE(beside + query * stride, second);                                                                        \
  } while (0)

#define START(query, first, second)                                                                                \
  vector first = SUM(BROADCAST(own[q + query]), near), second = SUM(BROADCAST(own[q + query]), far)

#define DISTANCES(blocks, squares, count, pairs, points, own, queries, result, stride)                             \
  for (size_t start = 0; start < count; start += tile) {                                                           \
    size_t end = start + tile < count ? start + tile : count;                                                      \
    for (size_t q = 0; q < queries; q += group) {                                                                  \
      const int16_t *p = points + 2 * pairs * q;                                                                   \
      for (size_t b = start; b < end; b += STEP) {                                                                 \
        const int16_t *source = blocks + b * pairs * 2 * block;                                                    \
        const int16_t *second = source + APART(b, end);                                                            \
        size_t place = b * block, other_place = place + BESIDE(b, end);                                            \
        vector near = READ(squares + place), far = READ(squares + other_place);                                    \
        START(0, a0, b0);                                                                                          \
        START(1, a1, b1);                                                                                          \
        START(2, a2, b2);                                                                                          \
        START(3, a3, b3);                                                                                          \
        for (size_t k = 0; k < pairs; k++) {                                                                       \
          vector one = READ(source + k * 2 * block), other = READ(second + k * 2 * block);                         \
          ROW(0, a0, b0, one, other);                                                                              \
          ROW(1, a1, b1, one, other);                                                                              \
          ROW(2, a2, b2, one, other);                                                                              \
          ROW(3, a3, b3, one, other);                                                                              \
        }                                                                                                          \
        float *target = result + q * stride + place, *beside = result + q * stride + other_place;                  \
        STORE(0, a0, b0);                                                                                          \
        STORE(1, a1, b1);                                                                                          \
        STORE(2, a2, b2);                                                                                          \
        STORE(3, a3, b3);                                                                                          \
      }                                                                                                            \
    }                                                                                                              \
  }

// Two halves of a block side by side.
#define vector __m256i
#define READ(source) _mm256_loadu_si256((const __m256i *)(source))
#define BROADCAST(value) _mm256_set1_epi32(value)
#define SUM(a, b) _mm256_add_epi32(a, b)
#define ADD(sum, a, b) _mm256_add_epi32(sum, _mm256_madd_epi16(a, b))
#define WRITE(target, value) _mm256_storeu_ps(target, _mm256_cvtepi32_ps(value))
#define STEP 1
#define APART(b, end) block
#define BESIDE(b, end) (block / 2)
__attribute__((target("avx2"))) void ptoken_product_distances_avx2(const int16_t *blocks, const int32_t *squares,
                                                                   size_t count, size_t pairs, const int16_t *points,
                                                                   const int32_t *own, size_t queries, float *result,
                                                                   size_t stride) {
  DISTANCES(blocks, squares, count, pairs, points, own, queries, result, stride)
}
#undef vector
#undef READ
#undef BROADCAST
#undef SUM
#undef ADD
#undef WRITE
#undef STEP
#undef APART
#undef BESIDE

// Two blocks side by side; the last of an odd number is its own second.
#define vector __m512i
#define READ(source) _mm512_loadu_si512(source)
#define BROADCAST(value) _mm512_set1_epi32(value)
#define SUM(a, b) _mm512_add_epi32(a, b)
#define ADD(sum, a, b) _mm512_dpwssd_epi32(sum, a, b)
#define WRITE(target, value) _mm512_storeu_ps(target, _mm512_cvtepi32_ps(value))
#define STEP 2
#define APART(b, end) (b + 1 < end ? pairs * 2 * block : 0)
#define BESIDE(b, end) (b + 1 < end ? block : 0)
__attribute__((target("avx512f,avx512vnni"))) static void wide(const int16_t *blocks, const int32_t *squares,
                                                               size_t count, size_t pairs, const int16_t *points,
                                                               const int32_t *own, size_t queries, float *result,
                                                               size_t stride) {
  DISTANCES(blocks, squares, count, pairs, points, own, queries, result, stride)
}

int ptoken_has_products(void) { return __builtin_cpu_supports("avx2"); }

void ptoken_product_distances(const int16_t *blocks, const int32_t *squares, size_t count, size_t pairs,
                              const int16_t *points, const int32_t *own, size_t queries, float *result, size_t stride) {
  if (__builtin_cpu_supports("avx512vnni"))
    wide(blocks, squares, count, pairs, points, own, queries, result, stride);
  else
    ptoken_product_distances_avx2(blocks, squares, count, pairs, points, own, queries, result, stride);
}

#else

int ptoken_has_products(void) { return 0; }

void ptoken_product_distances(const int16_t *blocks, const int32_t *squares, size_t count, size_t pairs,
                              const int16_t *points, const int32_t *own, size_t queries, float *result, size_t stride) {
  abort();
}

void ptoken_product_distances_avx2(const int16_t *blocks, const int32_t *squares, size_t count, size_t pairs,
                                   const int16_t *points, const int32_t *own, size_t queries, float *result,
                                   size_t stride) {
  abort();
}

#endif
