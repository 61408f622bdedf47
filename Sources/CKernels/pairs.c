#include "pairs.h"

#include <math.h>

#include "clones.h"
#include "exponential.h"

WIDE_CLONES void ptoken_pair_sums(const float *restrict a, const float *restrict b, size_t size, size_t width,
                                  size_t shift, float *restrict sums) {
  // Two runs without a turn: rows before the last `shift` and those.
  size_t straight = (size - shift) * width, turned = shift * width;
  for (size_t i = 0; i < straight; i++) sums[i] = a[i] + b[turned + i];
  for (size_t i = 0; i < turned; i++) sums[straight + i] = a[straight + i] + b[i];
}

WIDE_CLONES void ptoken_add_pairs(const float *restrict sums, size_t size, size_t width, size_t shift,
                                  float *restrict a, float *restrict b) {
  size_t straight = (size - shift) * width, turned = shift * width;
  for (size_t i = 0; i < straight; i++) {
    a[i] += sums[i];
    b[turned + i] += sums[i];
  }
  for (size_t i = 0; i < turned; i++) {
    a[straight + i] += sums[straight + i];
    b[i] += sums[straight + i];
  }
}

WIDE_CLONES void ptoken_row_sums(const float *restrict a, const float *restrict b, size_t size, size_t width,
                                 float *restrict sums) {
  if (width == 1) {
    for (size_t j = 0; j < size; j++) sums[j] = a[0] + b[j];
    return;
  }
  for (size_t j = 0; j < size; j++)
    for (size_t k = 0; k < width; k++) sums[j * width + k] = a[k] + b[j * width + k];
}

WIDE_CLONES void ptoken_add_row(const float *restrict sums, size_t size, size_t width, float *restrict a,
                                float *restrict b) {
  for (size_t j = 0; j < size * width; j++) b[j] += sums[j];
  if (width == 1) {
    // In sixteen parts, so that a vector is of as many.
    float parts[16] = {0};
    size_t j = 0;
    for (; j + 16 <= size; j += 16)
      for (size_t lane = 0; lane < 16; lane++) parts[lane] += sums[j + lane];
    for (; j < size; j++) parts[0] += sums[j];
    for (size_t lane = 0; lane < 16; lane++) a[0] += parts[lane];
    return;
  }
  for (size_t j = 0; j < size; j++)
    for (size_t k = 0; k < width; k++) a[k] += sums[j * width + k];
}

WIDE_CLONES float ptoken_infonce_row(const float *restrict scores, size_t size, size_t own, float *restrict gradient) {
  float parts[16], total = 0;
  size_t whole = size - size % 16;
  for (size_t lane = 0; lane < 16; lane++) parts[lane] = scores[own];
  for (size_t j = 0; j < whole; j += 16)
    for (size_t lane = 0; lane < 16; lane++) {
      float score = scores[j + lane];
      parts[lane] = score > parts[lane] ? score : parts[lane];
    }
  float largest = parts[0];
  for (size_t lane = 1; lane < 16; lane++) largest = parts[lane] > largest ? parts[lane] : largest;
  for (size_t j = whole; j < size; j++) largest = scores[j] > largest ? scores[j] : largest;
  for (size_t j = 0; j < size; j++) gradient[j] = ptoken_exponential(scores[j] - largest);
  for (size_t lane = 0; lane < 16; lane++) parts[lane] = 0;
  for (size_t j = 0; j < whole; j += 16)
    for (size_t lane = 0; lane < 16; lane++) parts[lane] += gradient[j + lane];
  for (size_t j = whole; j < size; j++) total += gradient[j];
  for (size_t lane = 0; lane < 16; lane++) total += parts[lane];
  float share = 1.0f / (total * (float)size);
  for (size_t j = 0; j < size; j++) gradient[j] *= share;
  gradient[own] -= 1.0f / (float)size;
  return logf(total) + largest - scores[own];
}

WIDE_CLONES void ptoken_infonce(const float *restrict scores, size_t blocks, size_t size, float *restrict normalizers,
                                float *restrict gradient, float *restrict work) {
  // Row by row within a block, so that a vector is of as many rows.
  for (size_t i = 0; i < size; i++) {
    normalizers[i] = scores[i];
    work[i] = 0;
  }
  for (size_t block = 1; block < blocks; block++)
    for (size_t i = 0; i < size; i++) {
      float score = scores[block * size + i];
      normalizers[i] = score > normalizers[i] ? score : normalizers[i];
    }
  for (size_t block = 0; block < blocks; block++)
    for (size_t i = 0; i < size; i++) {
      float e = ptoken_exponential(scores[block * size + i] - normalizers[i]);
      work[i] += e;
      if (gradient) gradient[block * size + i] = e;
    }
  for (size_t i = 0; i < size; i++) {
    normalizers[i] += logf(work[i]);
    work[i] = 1.0f / (work[i] * (float)size);
  }
  if (!gradient) return;
  for (size_t block = 0; block < blocks; block++)
    for (size_t i = 0; i < size; i++) gradient[block * size + i] *= work[i];
  for (size_t i = 0; i < size; i++) gradient[i] -= 1.0f / (float)size;
}
