/* CRC-32C (Castagnoli, RFC 3720 appendix B.4), the checksum of what is written to files: it finds
 * torn and decayed data, not forged data. */
#ifndef OUTDIAL_BASE_CRC32C_H
#define OUTDIAL_BASE_CRC32C_H

#include <stddef.h>
#include <stdint.h>

/* Returns the checksum of the bytes; of none, 0. */
uint32_t crc32c(const void *data, size_t size);

/* Returns the checksum of bytes that follow others of which `crc` is the checksum. */
uint32_t crc32c_extend(uint32_t crc, const void *data, size_t size);

/* The same as crc32c_extend without the processor's instruction: for processors that have none,
 * and for the test that compares both. */
uint32_t crc32c_extend_by_table(uint32_t crc, const void *data, size_t size);

#endif
