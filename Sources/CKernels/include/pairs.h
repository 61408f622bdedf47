// Loops over pairs of rows, for critics that score every row of a batch with some others: compiled for AVX2 and AVX-512
// beside the baseline and chosen when the program starts.
//
// A block holds `size` pairs, of row i of x and row (i + shift) mod `size` of y.
#pragma once
#include <stddef.h>

/// sums[i] = a[i] + b[(i + shift) mod size]; rows of `width` numbers.
void ptoken_pair_sums(const float *restrict a, const float *restrict b, size_t size, size_t width, size_t shift,
                      float *restrict sums);

/// The reverse: a[i] += sums[i], b[(i + shift) mod size] += sums[i].
void ptoken_add_pairs(const float *restrict sums, size_t size, size_t width, size_t shift, float *restrict a,
                      float *restrict b);

/// sums[j] = a + b[j] for every row j of b; rows of `width` numbers.
void ptoken_row_sums(const float *restrict a, const float *restrict b, size_t size, size_t width, float *restrict sums);

/// The reverse: a += sums[j] and b[j] += sums[j].
void ptoken_add_row(const float *restrict sums, size_t size, size_t width, float *restrict a, float *restrict b);

/// InfoNCE of one row's scores with `size` partners, of which `own` is matched: returns ln sum e^score less the matched score,
/// and writes the gradient of its share of the mean over `size` rows.
float ptoken_infonce_row(const float *restrict scores, size_t size, size_t own, float *restrict gradient);

/// InfoNCE of scores [blocks, size], the first block matched: writes each row's ln sum e^score to `normalizers` and, where
/// `gradient` is not null, the gradient of the mean of normalizer less matched score. `work` holds `size` numbers.
void ptoken_infonce(const float *restrict scores, size_t blocks, size_t size, float *restrict normalizers,
                    float *restrict gradient, float *restrict work);
