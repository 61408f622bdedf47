#include "activation.h"

#include <stdint.h>
#include <string.h>

#if defined(__x86_64__) && defined(__linux__)
#define CLONES __attribute__((target_clones("arch=x86-64-v3", "default")))
#else
#define CLONES
#endif

// Cephes' polynomial, as Float.exponential of LinearAlgebra has it.
static inline __attribute__((always_inline)) float exponential(float x) {
  x = x < -87.0f ? -87.0f : x;
  x = x > 88.0f ? 88.0f : x;
  float shifted = x * 1.44269504f + 12582912.0f;
  float power = shifted - 12582912.0f;
  float rest = (x - power * 0.693359375f) + power * 2.12194440e-4f;
  float sum = 1.98756915e-4f;
  sum = sum * rest + 1.3981999507e-3f;
  sum = sum * rest + 8.3334519073e-3f;
  sum = sum * rest + 4.1665795894e-2f;
  sum = sum * rest + 1.6666665459e-1f;
  sum = sum * rest + 5.0000001201e-1f;
  sum = sum * rest * rest + rest + 1.0f;
  int32_t bits;
  memcpy(&bits, &shifted, 4);
  bits = (bits - 0x4b400000 + 127) << 23;
  float scale;
  memcpy(&scale, &bits, 4);
  return sum * scale;
}

CLONES void ptoken_relu(const float *restrict x, float *restrict y, size_t count) {
  for (size_t i = 0; i < count; i++) y[i] = x[i] > 0.0f ? x[i] : 0.0f;
}

CLONES void ptoken_relu_gradient(const float *restrict y, const float *restrict g, float *restrict result,
                                 size_t count) {
  for (size_t i = 0; i < count; i++) result[i] = y[i] > 0.0f ? g[i] : 0.0f;
}

CLONES void ptoken_elu_gradient(const float *restrict y, const float *restrict g, float *restrict result,
                                size_t count) {
  for (size_t i = 0; i < count; i++) result[i] = g[i] * ((y[i] < 0.0f ? y[i] : 0.0f) + 1.0f);
}

CLONES void ptoken_elu(const float *restrict x, float *restrict y, size_t count) {
  for (size_t i = 0; i < count; i++) {
    float below = x[i] < 0.0f ? x[i] : 0.0f;
    float above = x[i] > 0.0f ? x[i] : 0.0f;
    y[i] = above + exponential(below) - 1.0f;
  }
}

CLONES void ptoken_gelu(const float *restrict x, float *restrict y, size_t count) {
  for (size_t i = 0; i < count; i++) {
    float inner = -2.0f * 0.7978845608028654f * (x[i] + 0.044715f * x[i] * x[i] * x[i]);
    y[i] = x[i] / (1.0f + exponential(inner));
  }
}
