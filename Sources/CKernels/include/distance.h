// Distances of rows to all others and what nearest-neighbour searches read from them: compiled for AVX2 and AVX-512 beside
// the baseline and chosen when the program starts.
//
// Points in single precision lie in blocks of 16: [blocks][width][16]. Points in double precision lie in columns.
#pragma once
#include <stddef.h>
#include <stdint.h>

/// Points of a block.
#define PTOKEN_BLOCK 16

/// Largest difference of a coordinate between each of `queries` points [queries][width] and every point:
/// result[query * stride + point]. `queries` is a multiple of 4.
void ptoken_maximum_distances(const float *blocks, size_t count, size_t width, const float *points, size_t queries,
                              float *result, size_t stride);

/// The same of squared Euclidean distances.
void ptoken_squared_distances(const float *blocks, size_t count, size_t width, const float *points, size_t queries,
                              float *result, size_t stride);

/// The k smallest of max(a, b), ascending, into `nearest`; infinite where there are fewer. Returns how many indices it
/// noted: all that are below the largest of the k times `slack`, and some others; ascending.
///
/// `a` and `b` end with a whole block, here and below.
size_t ptoken_nearest(const float *a, const float *b, size_t n, float *nearest, size_t k, float slack,
                      uint32_t *indices);

/// Indices with max(a, b) <= limit, ascending; returns how many.
size_t ptoken_within(const float *a, const float *b, size_t n, float limit, uint32_t *indices);

/// Returns how many are below `low`; indices of those from low to high, ascending, and how many.
size_t ptoken_count_below(const float *values, size_t n, float low, float high, uint32_t *between,
                          size_t *between_count);

/// Distances of a point to `count` points from `start` on, in double precision and in the order of columns, each operation
/// rounded: squared where `is_squared`. Returns the least.
double ptoken_leaf_distances(const double *columns, size_t stride, size_t width, size_t start, size_t count,
                             const double *point, int is_squared, double *result);

/// Most points of a leaf that is counted in.
#define PTOKEN_LEAF 128

/// How many of those are nearer than `radius`, or as near where `is_inclusive`. `count` is at most PTOKEN_LEAF.
size_t ptoken_leaf_count(const double *columns, size_t stride, size_t width, size_t start, size_t count,
                         const double *point, int is_squared, double radius, int is_inclusive);
