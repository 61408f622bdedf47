// The activation functions of networks, for single precision: compiled for AVX2 beside the
// baseline and chosen when the program starts, which Swift cannot do for one function.
#pragma once
#include <stddef.h>

/// y = max(x, 0).
void ptoken_relu(const float *restrict x, float *restrict y, size_t count);

/// result = g where y > 0, else 0.
void ptoken_relu_gradient(const float *restrict y, const float *restrict g, float *restrict result, size_t count);

/// result = g (min(y, 0) + 1), for y = ELU(x).
void ptoken_elu_gradient(const float *restrict y, const float *restrict g, float *restrict result, size_t count);

/// y = x for x > 0, else e^x - 1.
void ptoken_elu(const float *restrict x, float *restrict y, size_t count);

/// y = x / (1 + e^(-2 √(2/π) (x + 0.044715 x³))).
void ptoken_gelu(const float *restrict x, float *restrict y, size_t count);
