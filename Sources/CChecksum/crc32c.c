#include "crc32c.h"

#include <string.h>

// Reflected polynomial.
#define POLYNOMIAL 0x82f63b78u

static uint32_t table[8][256];
// table_shift[i][b]: what byte i of a register becomes when LANE zero bytes follow.
enum { LANE = 1024 };
static uint32_t table_shift[4][256];

__attribute__((constructor)) static void make_tables(void) {
  for (uint32_t i = 0; i < 256; i++) {
    uint32_t c = i;
    for (int k = 0; k < 8; k++) c = c & 1 ? POLYNOMIAL ^ (c >> 1) : c >> 1;
    table[0][i] = c;
  }
  for (int slice = 1; slice < 8; slice++)
    for (uint32_t i = 0; i < 256; i++)
      table[slice][i] = table[0][table[slice - 1][i] & 255] ^ (table[slice - 1][i] >> 8);
  // Linear in the register: shift each bit, then add bits up.
  uint32_t bit[32];
  for (int b = 0; b < 32; b++) {
    uint32_t c = 1u << b;
    for (int n = 0; n < LANE; n++) c = table[0][c & 255] ^ (c >> 8);
    bit[b] = c;
  }
  for (int byte = 0; byte < 4; byte++)
    for (uint32_t i = 0; i < 256; i++) {
      uint32_t c = 0;
      for (int k = 0; k < 8; k++)
        if (i >> k & 1) c ^= bit[8 * byte + k];
      table_shift[byte][i] = c;
    }
}

static uint32_t shifted(uint32_t c) {
  return table_shift[0][c & 255] ^ table_shift[1][c >> 8 & 255] ^ table_shift[2][c >> 16 & 255] ^
         table_shift[3][c >> 24];
}

static uint32_t by_table(uint32_t c, const uint8_t *p, size_t n) {
  for (; n >= 8; p += 8, n -= 8) {
    uint64_t v;
    memcpy(&v, p, 8);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    v = __builtin_bswap64(v);
#endif
    v ^= c;
    c = table[7][v & 255] ^ table[6][v >> 8 & 255] ^ table[5][v >> 16 & 255] ^
        table[4][v >> 24 & 255] ^ table[3][v >> 32 & 255] ^ table[2][v >> 40 & 255] ^
        table[1][v >> 48 & 255] ^ table[0][v >> 56];
  }
  for (; n; p++, n--) c = table[0][(c ^ *p) & 255] ^ (c >> 8);
  return c;
}

#if defined(__x86_64__)
#define BY_INSTRUCTION __attribute__((target("sse4.2")))
#define STEP8(c, v) ((uint32_t)__builtin_ia32_crc32di(c, v))
static int has_instruction(void) { return __builtin_cpu_supports("sse4.2"); }
#elif defined(__aarch64__) && defined(__ARM_FEATURE_CRC32)
#include <arm_acle.h>
#define BY_INSTRUCTION
#define STEP8(c, v) __crc32cd(c, v)
static int has_instruction(void) { return 1; }
#endif

#ifdef BY_INSTRUCTION
// The instruction takes three cycles and can start in each: three lanes at a time.
BY_INSTRUCTION static uint32_t by_instruction(uint32_t c, const uint8_t *p, size_t n) {
  for (; n >= 3 * LANE; p += 3 * LANE, n -= 3 * LANE) {
    uint32_t c0 = c, c1 = 0, c2 = 0;
    for (size_t i = 0; i < LANE; i += 8) {
      uint64_t v0, v1, v2;
      memcpy(&v0, p + i, 8);
      memcpy(&v1, p + LANE + i, 8);
      memcpy(&v2, p + 2 * LANE + i, 8);
      c0 = STEP8(c0, v0);
      c1 = STEP8(c1, v1);
      c2 = STEP8(c2, v2);
    }
    c = shifted(shifted(c0) ^ c1) ^ c2;
  }
  for (; n >= 8; p += 8, n -= 8) {
    uint64_t v;
    memcpy(&v, p, 8);
    c = STEP8(c, v);
  }
  return by_table(c, p, n);
}
#endif

uint32_t ptk_crc32c(uint32_t crc, const void *bytes, size_t count) {
#ifdef BY_INSTRUCTION
  if (has_instruction()) return ~by_instruction(~crc, bytes, count);
#endif
  return ~by_table(~crc, bytes, count);
}
