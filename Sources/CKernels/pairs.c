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
