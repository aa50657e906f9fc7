/* Two hashes of a key: SipHash-1-3, which places it in a table, and CRC16, which names its slot in the cluster.
 *
 * SipHash (Aumasson and Bernstein) is keyed: who does not know the seed cannot make keys that collide. The CRC is that
 * of the Redis cluster specification, as in cluster/slots.py.
 */

#ifndef GOSSAMER_HASH_H
#define GOSSAMER_HASH_H

#include <stdint.h>
#include <string.h>

static uint64_t hash_seed[2];

/* Eight bytes as a number, the first one lowest. */
static inline uint64_t load_word(const void *bytes)
{
    uint64_t word;
    memcpy(&word, bytes, sizeof word);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    word = __builtin_bswap64(word);
#endif
    return word;
}

/* The last ``size % 8`` bytes of ``key``. They are read with those before them where there are eight. */
static inline uint64_t load_rest(const char *key, size_t size)
{
    size_t rest = size % 8;
    if (rest && size >= 8)
        return load_word(key + size - 8) >> (64 - 8 * rest);
    uint64_t word = 0;
    for (size_t i = 0; i < rest; i++)
        word |= (uint64_t)(unsigned char)key[i] << (8 * i);
    return word;
}

#define ROTATE(x, n) (((x) << (n)) | ((x) >> (64 - (n))))
#define SIP_ROUND                                                                                                      \
    do {                                                                                                               \
        a += b, c += d;                                                                                                \
        b = ROTATE(b, 13) ^ a, d = ROTATE(d, 16) ^ c;                                                                  \
        a = ROTATE(a, 32);                                                                                             \
        c += b, a += d;                                                                                                \
        b = ROTATE(b, 17) ^ c, d = ROTATE(d, 21) ^ a;                                                                  \
        c = ROTATE(c, 32);                                                                                             \
    } while (0)

static uint64_t hash_of(const char *key, size_t size)
{
    uint64_t a = hash_seed[0] ^ 0x736f6d6570736575, b = hash_seed[1] ^ 0x646f72616e646f6d;
    uint64_t c = hash_seed[0] ^ 0x6c7967656e657261, d = hash_seed[1] ^ 0x7465646279746573;
    for (size_t at = 0; at + 8 <= size; at += 8) {
        uint64_t word = load_word(key + at);
        d ^= word;
        SIP_ROUND;
        a ^= word;
    }
    uint64_t last = (uint64_t)size << 56 | load_rest(key, size);
    d ^= last;
    SIP_ROUND;
    a ^= last;
    c ^= 0xff;
    SIP_ROUND;
    SIP_ROUND;
    SIP_ROUND;
#ifdef GOSSAMER_WEAK_HASH /* for tests: many keys share a place and a tag */
    return (a ^ b ^ c ^ d) & 0xf000800000000003;
#else
    return a ^ b ^ c ^ d;
#endif
}

static uint16_t crc_ahead[8][256]; /* what a byte does to the CRC when so many more bytes have followed it */

static void crc_prepare(void)
{
    for (int byte = 0; byte < 256; byte++) {
        uint16_t crc = (uint16_t)(byte << 8);
        for (int bit = 0; bit < 8; bit++)
            crc = (uint16_t)(crc << 1 ^ (crc & 0x8000 ? 0x1021 : 0));
        crc_ahead[0][byte] = crc;
    }
    for (int ahead = 1; ahead < 8; ahead++)
        for (int byte = 0; byte < 256; byte++) {
            uint16_t crc = crc_ahead[ahead - 1][byte];
            crc_ahead[ahead][byte] = (uint16_t)(crc << 8 ^ crc_ahead[0][crc >> 8]);
        }
}

static uint16_t crc_of(const char *key, size_t size)
{
    const unsigned char *byte = (const unsigned char *)key;
    uint16_t crc = 0;
    for (; size >= 8; size -= 8, byte += 8)
        crc = crc_ahead[7][byte[0] ^ crc >> 8] ^ crc_ahead[6][byte[1] ^ (crc & 0xff)] ^ crc_ahead[5][byte[2]]
              ^ crc_ahead[4][byte[3]] ^ crc_ahead[3][byte[4]] ^ crc_ahead[2][byte[5]] ^ crc_ahead[1][byte[6]]
              ^ crc_ahead[0][byte[7]];
    for (; size; size--, byte++)
        crc = (uint16_t)(crc << 8 ^ crc_ahead[0][*byte ^ crc >> 8]);
    return crc;
}

#define CLUSTER_SLOTS 16384

/* Of what stands between the first { and the next } if anything does, else of the whole key. */
static int cluster_slot(const char *key, size_t size)
{
    const char *open = memchr(key, '{', size);
    const char *close = open ? memchr(open + 1, '}', (size_t)(key + size - open - 1)) : NULL;
    if (close && close > open + 1)
        return crc_of(open + 1, (size_t)(close - open - 1)) % CLUSTER_SLOTS;
    return crc_of(key, size) % CLUSTER_SLOTS;
}

#endif
