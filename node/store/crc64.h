/* CRC-64 with the Jones polynomial, reflected, eight bytes at a time: each has a table of what it makes of the sum. */

#ifndef GOSSAMER_CRC64_H
#define GOSSAMER_CRC64_H

#include <stddef.h>
#include <stdint.h>

#include "hash.h"

#define JONES_REFLECTED 0x95ac9329ac4bc9b5u

static uint64_t crc64_table[8][256];

static void crc64_prepare(void)
{
    for (unsigned byte = 0; byte < 256; byte++) {
        uint64_t sum = byte;
        for (int bit = 0; bit < 8; bit++)
            sum = sum >> 1 ^ (sum & 1 ? JONES_REFLECTED : 0);
        crc64_table[0][byte] = sum;
    }
    for (int place = 1; place < 8; place++)
        for (unsigned byte = 0; byte < 256; byte++) {
            uint64_t sum = crc64_table[place - 1][byte];
            crc64_table[place][byte] = crc64_table[0][sum & 0xff] ^ sum >> 8;
        }
}

static uint64_t crc64_of(const char *data, size_t size, uint64_t sum)
{
    for (; size >= 8; data += 8, size -= 8) {
        uint64_t word = sum ^ load_word(data);
        sum = 0;
        for (int place = 0; place < 8; place++)
            sum ^= crc64_table[7 - place][word >> (8 * place) & 0xff];
    }
    for (; size; data++, size--)
        sum = crc64_table[0][(sum ^ (unsigned char)*data) & 0xff] ^ sum >> 8;
    return sum;
}

#endif
