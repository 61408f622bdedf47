#include "activation.h"

#include "clones.h"
#include "exponential.h"

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
    y[i] = above + ptoken_exponential(below) - 1.0f;
  }
}

CLONES void ptoken_gelu(const float *restrict x, float *restrict y, size_t count) {
  for (size_t i = 0; i < count; i++) {
    float inner = -2.0f * 0.7978845608028654f * (x[i] + 0.044715f * x[i] * x[i] * x[i]);
    y[i] = x[i] / (1.0f + ptoken_exponential(inner));
  }
}
