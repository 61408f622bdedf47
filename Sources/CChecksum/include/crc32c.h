// CRC-32C (Castagnoli, RFC 3720), by instruction where the processor has one.
#pragma once
#include <stddef.h>
#include <stdint.h>

/// Continues a checksum over more bytes; begin with 0.
uint32_t ptk_crc32c(uint32_t crc, const void *bytes, size_t count);
