/* LZF, in C: plain_lzf.py says what it is. Strings of bytes in, strings of bytes out; nothing here knows of objects. */

#ifndef GOSSAMER_LZF_H
#define GOSSAMER_LZF_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define MOST_LITERALS 32
#define MOST_BACK (1 << 13)
#define LEAST_COPIED 3
#define MOST_COPIED 264
#define LONG_COPY 7
#define PATIENCE 5 /* after so many powers of two of bytes without a copy the search goes in longer steps */

#define LZF_MOST UINT32_MAX       /* bytes that can be packed */
#define LZF_GROWTH (MOST_COPIED / 3) /* times as long as what was packed is what comes out, at most */

/* Room for the packed form of ``size`` bytes, whatever they are. */
static size_t lzf_room(size_t size) { return size + size / MOST_LITERALS + 1; }

static uint8_t *lzf_put_literals(uint8_t *out, const uint8_t *from, const uint8_t *to)
{
    while (from < to) {
        size_t count = (size_t)(to - from) < MOST_LITERALS ? (size_t)(to - from) : MOST_LITERALS;
        *out++ = (uint8_t)(count - 1);
        memcpy(out, from, count);
        out += count;
        from += count;
    }
    return out;
}

static uint8_t *lzf_put_copy(uint8_t *out, size_t back, size_t length)
{
    back -= 1;
    length -= 2;
    *out++ = (uint8_t)((length < LONG_COPY ? length : LONG_COPY) << 5 | back >> 8);
    if (length >= LONG_COPY)
        *out++ = (uint8_t)(length - LONG_COPY);
    *out++ = (uint8_t)back;
    return out;
}

static size_t lzf_match(const uint8_t *seen, const uint8_t *at, const uint8_t *end)
{
    size_t length = LEAST_COPIED, most = (size_t)(end - at) < MOST_COPIED ? (size_t)(end - at) : MOST_COPIED;
    while (length < most && seen[length] == at[length])
        length++;
    return length;
}

#define SEEN_BITS 13

/* Pack ``size`` bytes, LZF_MOST at most, into ``lzf_room`` of them; how many it takes. */
static size_t lzf_pack(const uint8_t *data, size_t size, uint8_t *out)
{
    uint32_t last_seen[1 << SEEN_BITS]; /* by hash: behind the first of three bytes; 0 if there were none such */
    int bits = size < 1024 ? 8 : SEEN_BITS; /* clearing all of it would take longer than packing a short string */
    memset(last_seen, 0, sizeof *last_seen << bits);
    const uint8_t *at = data, *literal = data, *end = data + size;
    uint8_t *start = out;
    while (end - at >= LEAST_COPIED) {
        uint32_t three = (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16;
        uint32_t *place = &last_seen[three * 2654435761u >> (32 - bits)];
        const uint8_t *seen = *place ? data + *place - 1 : NULL;
        *place = (uint32_t)(at - data) + 1;
        if (!seen || at - seen > MOST_BACK || memcmp(seen, at, LEAST_COPIED) != 0) {
            at += 1 + ((at - literal) >> PATIENCE);
            continue;
        }
        size_t length = lzf_match(seen, at, end);
        out = lzf_put_copy(lzf_put_literals(out, literal, at), (size_t)(at - seen), length);
        literal = at += length;
    }
    return (size_t)(lzf_put_literals(out, literal, end) - start);
}

/* Make the ``size`` bytes that ``data`` stands for; what is wrong with it, NULL if nothing. */
static const char *lzf_unpack(const uint8_t *data, size_t packed, uint8_t *out, size_t size)
{
    const uint8_t *end = data + packed;
    uint8_t *start = out, *full = out + size;
    while (data < end) {
        size_t control = *data++, length = control >> 5;
        if (!length) {
            length = control + 1;
            if ((size_t)(end - data) < length)
                return "literal bytes are missing";
            if ((size_t)(full - out) < length)
                return "longer than it says";
            memcpy(out, data, length);
            out += length;
            data += length;
            continue;
        }
        if (end - data < 1 + (length == LONG_COPY))
            return "a copy is cut off";
        if (length == LONG_COPY)
            length += *data++;
        length += 2;
        size_t back = ((control & 31) << 8 | *data++) + 1;
        if ((size_t)(out - start) < back)
            return "a copy from before the beginning";
        if ((size_t)(full - out) < length)
            return "longer than it says";
        const uint8_t *from = out - back;
        if (back >= length) {
            memcpy(out, from, length);
            out += length;
            continue;
        }
        while (length--) /* byte by byte: it copies what it makes */
            *out++ = *from++;
    }
    return out < full ? "shorter than it says" : NULL;
}

#endif
