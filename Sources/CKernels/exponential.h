// e^x in single precision, inlined into loops.
#pragma once
#include <stdint.h>
#include <string.h>

/// Cephes' polynomial, as Float.exponential of LinearAlgebra has it.
static inline __attribute__((always_inline)) float ptoken_exponential(float x) {
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
