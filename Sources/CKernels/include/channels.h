// Dense layers of few inputs and outputs, for rows that lie side by side: [width][count], so that a vector is of as many
// rows. Compiled for AVX2 and AVX-512 beside the baseline and chosen when the program starts.
#pragma once
#include <stddef.h>

/// y[o] = bias[o] + sum over i of weights[i * row + o * column] x[i]; without bias where that is null.
void ptoken_channels_multiply(const float *restrict x, size_t inputs, const float *restrict weights, size_t row,
                              size_t column, const float *restrict bias, float *restrict y, size_t outputs, size_t count);

/// weights[i * outputs + o] += sum over rows of x[i] y[o].
void ptoken_channels_products(const float *restrict x, size_t inputs, const float *restrict y, size_t outputs,
                              size_t count, float *restrict weights);

/// sums[i] += sum over rows of x[i].
void ptoken_channels_sums(const float *restrict x, size_t inputs, size_t count, float *restrict sums);
