#include "distance.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "clones.h"

typedef float lanes __attribute__((vector_size(4 * PTOKEN_BLOCK), aligned(4)));
typedef bool flags __attribute__((ext_vector_type(PTOKEN_BLOCK)));

enum { group = 4, tile = 8, part = 64 };

// Blocks of a tile stay in the nearest cache while all queries pass over them; four queries share each load, and two
// blocks each broadcast.
#define ROW(step, a, b, place)                                                                                     \
  do {                                                                                                             \
    float own = p[place];                                                                                          \
    step(a, one - own);                                                                                            \
    step(b, other - own);                                                                                          \
  } while (0)

#define DISTANCES(name, step)                                                                                      \
  WIDE_CLONES void name(const float *blocks, size_t count, size_t width, const float *points, size_t queries,           \
                   float *result, size_t stride) {                                                                 \
    for (size_t first = 0; first < count; first += tile) {                                                         \
      size_t end = first + tile < count ? first + tile : count;                                                    \
      for (size_t query = 0; query < queries; query += group) {                                                    \
        const float *p = points + query * width;                                                                   \
        for (size_t block = first; block < end; block += 2) {                                                      \
          /* The last block of an odd number is its own second. */                                                 \
          size_t next = block + 1 < end ? block + 1 : block;                                                       \
          const float *source = blocks + block * width * PTOKEN_BLOCK;                                             \
          const float *second = blocks + next * width * PTOKEN_BLOCK;                                              \
          lanes a = {0}, b = {0}, c = {0}, d = {0}, e = {0}, f = {0}, g = {0}, h = {0};                            \
          for (size_t k = 0; k < width; k++) {                                                                     \
            lanes one = *(const lanes *)(source + k * PTOKEN_BLOCK);                                               \
            lanes other = *(const lanes *)(second + k * PTOKEN_BLOCK);                                             \
            ROW(step, a, b, k);                                                                                    \
            ROW(step, c, d, width + k);                                                                            \
            ROW(step, e, f, 2 * width + k);                                                                        \
            ROW(step, g, h, 3 * width + k);                                                                        \
          }                                                                                                        \
          float *target = result + query * stride + block * PTOKEN_BLOCK;                                          \
          float *beside = result + query * stride + next * PTOKEN_BLOCK;                                           \
          *(lanes *)target = a;                                                                                    \
          *(lanes *)beside = b;                                                                                    \
          *(lanes *)(target + stride) = c;                                                                         \
          *(lanes *)(beside + stride) = d;                                                                         \
          *(lanes *)(target + 2 * stride) = e;                                                                     \
          *(lanes *)(beside + 2 * stride) = f;                                                                     \
          *(lanes *)(target + 3 * stride) = g;                                                                     \
          *(lanes *)(beside + 3 * stride) = h;                                                                     \
        }                                                                                                          \
      }                                                                                                            \
    }                                                                                                              \
  }

#define LARGER(sum, difference) sum = __builtin_elementwise_max(sum, __builtin_elementwise_abs(difference))
#define SQUARE(sum, difference)                                                                                    \
  do {                                                                                                             \
    lanes gap = difference;                                                                                        \
    sum += gap * gap;                                                                                              \
  } while (0)

DISTANCES(ptoken_maximum_distances, LARGER)
DISTANCES(ptoken_squared_distances, SQUARE)

#define LOAD(source) (*(const lanes *)(source))

// A bit for each number of a block for which the test holds.
#define TEST(values, test, limit)                                                                                  \
  ({                                                                                                               \
    flags each = __builtin_convertvector(LOAD(values) test(limit), flags);                                         \
    uint16_t whole;                                                                                                \
    memcpy(&whole, &each, sizeof whole);                                                                           \
    (uint64_t) whole;                                                                                              \
  })
// The same of four blocks, or of the `count` numbers that there are; the last block is full.
#define TEST_PART(result, values, count, test, limit)                                                              \
  uint64_t result = 0;                                                                                             \
  if (count >= part)                                                                                               \
    result = TEST(values, test, limit) | TEST((values) + 16, test, limit) << 16 |                                  \
             TEST((values) + 32, test, limit) << 32 | TEST((values) + 48, test, limit) << 48;                      \
  else {                                                                                                           \
    for (size_t block = 0; block < count; block += PTOKEN_BLOCK) result |= TEST((values) + block, test, limit) << block; \
    result &= (1ull << count) - 1;                                                                                 \
  }

WIDE_CLONES size_t ptoken_nearest(const float *restrict a, const float *restrict b, size_t n, float *restrict nearest,
                                  size_t k, float slack, uint32_t *restrict indices) {
  for (size_t i = 0; i < k; i++) nearest[i] = INFINITY;
  float bound = INFINITY, limit = INFINITY;
  size_t noted = 0;
  for (size_t first = 0; first < n; first += part) {
    size_t count = n - first;
    // The larger of two sides is near where both are.
    TEST_PART(one, a + first, count, <, limit);
    TEST_PART(other, b + first, count, <, limit);
    for (uint64_t near = one & other; near; near &= near - 1) {
      size_t i = first + (size_t)__builtin_ctzll(near);
      float distance = a[i] > b[i] ? a[i] : b[i];
      indices[noted++] = (uint32_t)i;
      if (!(distance < bound)) continue;
      size_t place = k - 1;
      while (place > 0 && nearest[place - 1] > distance) {
        nearest[place] = nearest[place - 1];
        place--;
      }
      nearest[place] = distance;
      bound = nearest[k - 1];
      limit = bound * slack;
    }
  }
  return noted;
}

WIDE_CLONES size_t ptoken_within(const float *restrict a, const float *restrict b, size_t n, float limit,
                                 uint32_t *restrict indices) {
  size_t found = 0;
  for (size_t first = 0; first < n; first += part) {
    size_t count = n - first;
    TEST_PART(one, a + first, count, <=, limit);
    TEST_PART(other, b + first, count, <=, limit);
    for (uint64_t near = one & other; near; near &= near - 1)
      indices[found++] = (uint32_t)(first + (size_t)__builtin_ctzll(near));
  }
  return found;
}

WIDE_CLONES size_t ptoken_count_below(const float *restrict values, size_t n, float low, float high,
                                      uint32_t *restrict between, size_t *restrict between_count) {
  size_t below = 0, listed = 0;
  for (size_t first = 0; first < n; first += part) {
    size_t count = n - first;
    TEST_PART(sure, values + first, count, <, low);
    TEST_PART(near, values + first, count, <=, high);
    below += (size_t)__builtin_popcountll(sure);
    for (uint64_t doubtful = near & ~sure; doubtful; doubtful &= doubtful - 1)
      between[listed++] = (uint32_t)(first + (size_t)__builtin_ctzll(doubtful));
  }
  *between_count = listed;
  return below;
}

// The same bits as any other order of loops gives: no product is fused with a sum.
static inline __attribute__((always_inline)) void leaf(const double *restrict columns, size_t stride, size_t width,
                                                       size_t start, size_t count, const double *restrict point,
                                                       int is_squared, double *restrict result) {
#pragma STDC FP_CONTRACT OFF
  for (size_t i = 0; i < count; i++) result[i] = 0;
  for (size_t k = 0; k < width; k++) {
    const double *values = columns + k * stride + start;
    double own = point[k];
    if (is_squared) {
      for (size_t i = 0; i < count; i++) {
        double difference = values[i] - own;
        double square = difference * difference;
        result[i] += square;
      }
    } else {
      for (size_t i = 0; i < count; i++) {
        double difference = fabs(values[i] - own);
        result[i] = result[i] > difference ? result[i] : difference;
      }
    }
  }
}

WIDE_CLONES double ptoken_leaf_distances(const double *restrict columns, size_t stride, size_t width, size_t start,
                                    size_t count, const double *restrict point, int is_squared,
                                    double *restrict result) {
  leaf(columns, stride, width, start, count, point, is_squared, result);
  double least = INFINITY;
  for (size_t i = 0; i < count; i++) least = result[i] < least ? result[i] : least;
  return least;
}

WIDE_CLONES size_t ptoken_leaf_count(const double *restrict columns, size_t stride, size_t width, size_t start,
                                size_t count, const double *restrict point, int is_squared, double radius,
                                int is_inclusive) {
  double distances[PTOKEN_LEAF];
  leaf(columns, stride, width, start, count, point, is_squared, distances);
  size_t result = 0;
  if (is_inclusive)
    for (size_t i = 0; i < count; i++) result += distances[i] <= radius;
  else
    for (size_t i = 0; i < count; i++) result += distances[i] < radius;
  return result;
}
