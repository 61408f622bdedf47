#include "channels.h"

#include "clones.h"

enum { width = 16 };
typedef float lanes __attribute__((vector_size(4 * width), aligned(4)));

#define INLINE static inline __attribute__((always_inline))

// No functions: a vector as an argument would change with the clone.
#define LOAD(source) (*(const lanes *)(source))

INLINE float sum(const float *values) {
  float total = 0;
  for (int lane = 0; lane < width; lane++) total += values[lane];
  return total;
}

// Four outputs of two vectors of rows: each load of x serves four products, each weight two.
INLINE void four(const float *restrict x, size_t inputs, const float *restrict weights, size_t row, size_t column,
                 const float *restrict bias, float *restrict y, size_t count, size_t first) {
  lanes a = {0}, b = {0}, c = {0}, d = {0}, e = {0}, f = {0}, g = {0}, h = {0};
  for (size_t i = 0; i < inputs; i++) {
    const float *w = weights + i * row;
    lanes one = LOAD(x + i * count + first), other = LOAD(x + i * count + first + width);
    a += w[0] * one;
    b += w[0] * other;
    c += w[column] * one;
    d += w[column] * other;
    e += w[2 * column] * one;
    f += w[2 * column] * other;
    g += w[3 * column] * one;
    h += w[3 * column] * other;
  }
  if (bias) {
    a += bias[0];
    b += bias[0];
    c += bias[1];
    d += bias[1];
    e += bias[2];
    f += bias[2];
    g += bias[3];
    h += bias[3];
  }
  float *target = y + first;
  *(lanes *)target = a;
  *(lanes *)(target + width) = b;
  *(lanes *)(target + count) = c;
  *(lanes *)(target + count + width) = d;
  *(lanes *)(target + 2 * count) = e;
  *(lanes *)(target + 2 * count + width) = f;
  *(lanes *)(target + 3 * count) = g;
  *(lanes *)(target + 3 * count + width) = h;
}

// One output of four vectors of rows.
INLINE void one(const float *restrict x, size_t inputs, const float *restrict weights, size_t row, float bias,
                float *restrict y, size_t count, size_t first) {
  lanes a = {0}, b = {0}, c = {0}, d = {0};
  for (size_t i = 0; i < inputs; i++) {
    float w = weights[i * row];
    const float *source = x + i * count + first;
    a += w * LOAD(source);
    b += w * LOAD(source + width);
    c += w * LOAD(source + 2 * width);
    d += w * LOAD(source + 3 * width);
  }
  *(lanes *)(y + first) = a + bias;
  *(lanes *)(y + first + width) = b + bias;
  *(lanes *)(y + first + 2 * width) = c + bias;
  *(lanes *)(y + first + 3 * width) = d + bias;
}

INLINE void rest(const float *restrict x, size_t inputs, const float *restrict weights, size_t row, float bias,
                 float *restrict y, size_t count, size_t first) {
  for (size_t p = first; p < count; p++) y[p] = bias;
  for (size_t i = 0; i < inputs; i++)
    for (size_t p = first; p < count; p++) y[p] += weights[i * row] * x[i * count + p];
}

WIDE_CLONES void ptoken_channels_multiply(const float *restrict x, size_t inputs, const float *restrict weights,
                                          size_t row, size_t column, const float *restrict bias, float *restrict y,
                                          size_t outputs, size_t count) {
  size_t o = 0;
  for (; o + 4 <= outputs; o += 4) {
    size_t p = 0;
    for (; p + 2 * width <= count; p += 2 * width)
      four(x, inputs, weights + o * column, row, column, bias ? bias + o : 0, y + o * count, count, p);
    for (size_t k = o; k < o + 4; k++)
      rest(x, inputs, weights + k * column, row, bias ? bias[k] : 0, y + k * count, count, p);
  }
  for (; o < outputs; o++) {
    size_t p = 0;
    float own = bias ? bias[o] : 0;
    for (; p + 4 * width <= count; p += 4 * width)
      one(x, inputs, weights + o * column, row, own, y + o * count, count, p);
    rest(x, inputs, weights + o * column, row, own, y + o * count, count, p);
  }
}

// Products of `m` rows of x with `n` of y, at most 4 each: constants where it is inlined.
INLINE void products(const float *restrict x, const float *restrict y, size_t m, size_t n, size_t count,
                     float *restrict weights, size_t stride) {
  lanes sums[4][4] = {0};
  size_t p = 0;
  for (; p + width <= count; p += width)
    for (size_t i = 0; i < m; i++)
      for (size_t o = 0; o < n; o++) sums[i][o] += LOAD(x + i * count + p) * LOAD(y + o * count + p);
  for (size_t i = 0; i < m; i++)
    for (size_t o = 0; o < n; o++) {
      float total = sum((const float *)&sums[i][o]);
      for (size_t rest = p; rest < count; rest++) total += x[i * count + rest] * y[o * count + rest];
      weights[i * stride + o] += total;
    }
}

WIDE_CLONES void ptoken_channels_products(const float *restrict x, size_t inputs, const float *restrict y,
                                          size_t outputs, size_t count, float *restrict weights) {
  for (size_t i = 0; i < inputs; i += 4)
    for (size_t o = 0; o < outputs; o += 4) {
      const float *left = x + i * count, *right = y + o * count;
      float *target = weights + i * outputs + o;
      size_t m = inputs - i < 4 ? inputs - i : 4, n = outputs - o < 4 ? outputs - o : 4;
      if (m == 4 && n == 4) products(left, right, 4, 4, count, target, outputs);
      else if (m == 4 && n == 1) products(left, right, 4, 1, count, target, outputs);
      else products(left, right, m, n, count, target, outputs);
    }
}

WIDE_CLONES void ptoken_channels_sums(const float *restrict x, size_t inputs, size_t count, float *restrict sums) {
  for (size_t i = 0; i < inputs; i++) {
    lanes a = {0}, b = {0};
    const float *row = x + i * count;
    size_t p = 0;
    for (; p + 2 * width <= count; p += 2 * width) {
      a += LOAD(row + p);
      b += LOAD(row + p + width);
    }
    a += b;
    float total = sum((const float *)&a);
    for (; p < count; p++) total += row[p];
    sums[i] += total;
  }
}
