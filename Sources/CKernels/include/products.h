// Squared Euclidean distances of small integers by products: two coordinates to each lane of an instruction, and exact.
//
// Points lie in blocks of 16, two coordinates of a point beside each other: [blocks][pairs][16][2].
#pragma once
#include <stddef.h>
#include <stdint.h>

/// Largest coordinate, and largest squared length of a point: no sum overflows below them.
#define PTOKEN_LARGEST_COORDINATE 16383
#define PTOKEN_LARGEST_SQUARE 536870911

/// Whether this processor has the instructions.
int ptoken_has_products(void);

/// Squared distances between each of `queries` points and every point: result[query * stride + point]. `squares` and `own`
/// are squared lengths; `points` [queries][pairs][2] are the queries' coordinates times -2. `queries` is a multiple of 4.
void ptoken_product_distances(const int16_t *blocks, const int32_t *squares, size_t count, size_t pairs,
                              const int16_t *points, const int32_t *own, size_t queries, float *result, size_t stride);

/// The same by AVX2 alone; for tests.
void ptoken_product_distances_avx2(const int16_t *blocks, const int32_t *squares, size_t count, size_t pairs,
                                   const int16_t *points, const int32_t *own, size_t queries, float *result,
                                   size_t stride);
