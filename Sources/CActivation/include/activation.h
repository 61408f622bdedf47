// The activation functions of networks that need an exponential, for single precision: compiled for AVX2 beside the
// baseline and chosen when the program starts, which Swift cannot do for one function.
#pragma once
#include <stddef.h>

/// y = x for x > 0, else e^x - 1.
void ptoken_elu(const float *restrict x, float *restrict y, size_t count);

/// y = x / (1 + e^(-2 √(2/π) (x + 0.044715 x³))).
void ptoken_gelu(const float *restrict x, float *restrict y, size_t count);
