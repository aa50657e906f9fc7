/* Listpacks, element by element: what plain_listpack.py promises. Integers in their shortest form are held as such. */

#ifndef GOSSAMER_LISTPACK_H
#define GOSSAMER_LISTPACK_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <stdint.h>
#include <string.h>

#define LISTPACK_HEAD 6
#define LISTPACK_FRAME 7 /* bytes of a listpack without elements */
#define LISTPACK_END 0xff
#define UNKNOWN_COUNT 0xffff
#define LONGEST_INTEGER 20 /* characters of -9223372036854775808 */
#define AROUND_ELEMENT 10  /* bytes of an element beside its text, at most */

/* --- integers as text */

/* Is ``text`` an integer of 64 bits in its shortest form? Then it is ``number``. */
static int parse_integer(const char *text, size_t size, int64_t *number)
{
    if (!size || size > LONGEST_INTEGER)
        return 0;
    int negative = text[0] == '-';
    size_t at = (size_t)negative;
    if (at == size || (text[at] == '0' && size > 1))
        return 0;
    uint64_t value = 0, most = (uint64_t)INT64_MAX + (uint64_t)negative;
    for (; at < size; at++) {
        unsigned digit = (unsigned)(text[at] - '0');
        if (digit > 9 || value > (most - digit) / 10)
            return 0;
        value = value * 10 + digit;
    }
    *number = negative ? (int64_t)(0 - value) : (int64_t)value;
    return 1;
}

/* Write ``number`` as text before ``end``; where it begins. */
static char *format_unsigned(uint64_t number, char *end)
{
    do {
        *--end = (char)('0' + number % 10);
        number /= 10;
    } while (number);
    return end;
}

static char *format_integer(int64_t number, char *end)
{
    end = format_unsigned(number < 0 ? 0 - (uint64_t)number : (uint64_t)number, end);
    if (number < 0)
        *--end = '-';
    return end;
}

/* ``width`` bytes, the lowest first, as a signed number. */
static int64_t load_signed(const uint8_t *bytes, int width)
{
    uint64_t value = 0;
    for (int i = width; i--;)
        value = value << 8 | bytes[i];
    uint64_t sign = (uint64_t)1 << (8 * width - 1);
    return (int64_t)((value ^ sign) - sign);
}

static uint8_t *store_signed(uint8_t *out, int64_t number, int width)
{
    for (int i = 0; i < width; i++)
        *out++ = (uint8_t)((uint64_t)number >> (8 * i));
    return out;
}

/* Does ``number`` fit into so many bits? */
static int fits(int64_t number, int bits)
{
    int64_t reach = (int64_t)1 << (bits - 1);
    return -reach <= number && number < reach;
}

/* --- reading */

typedef struct {
    const uint8_t *at, *end; /* up to the last byte, which is LISTPACK_END */
    const char *text; /* of the present element: within the listpack, or in ``digits`` */
    size_t size;
    char digits[LONGEST_INTEGER];
} Walk;

/* 0 with an error set. */
static int damaged(const char *how)
{
    PyErr_SetString(PyExc_ValueError, how);
    return 0;
}

static size_t backlen_size(size_t size)
{
    size_t count = 1;
    while (count < 5 && size >> (7 * count))
        count++;
    return count;
}

static uint8_t *put_backlen(uint8_t *out, size_t size)
{
    size_t count = backlen_size(size);
    for (size_t i = count; i--;)
        *out++ = (uint8_t)((size >> (7 * i) & 0x7f) | (i < count - 1 ? 0x80 : 0));
    return out;
}

static int walk_begin(Walk *walk, const char *data, size_t size)
{
    const uint8_t *bytes = (const uint8_t *)data;
    if (size < LISTPACK_FRAME || bytes[size - 1] != LISTPACK_END ||
        (size_t)(uint32_t)load_signed(bytes, 4) != size)
        return damaged("a listpack of another size than it says");
    walk->at = bytes + LISTPACK_HEAD;
    walk->end = bytes + size - 1;
    return 1;
}

/* An integer of so many bytes behind its encoding; where it ends. */
static const uint8_t *walk_integer(Walk *walk, int64_t number, const uint8_t *end)
{
    char *behind = walk->digits + sizeof walk->digits;
    walk->text = format_integer(number, behind);
    walk->size = (size_t)(behind - walk->text);
    return end;
}

static const uint8_t *walk_text(Walk *walk, size_t head, size_t size)
{
    if ((size_t)(walk->end - walk->at) < head || (size_t)(walk->end - walk->at) - head < size) {
        damaged("a listpack is cut off");
        return NULL;
    }
    walk->text = (const char *)walk->at + head;
    walk->size = size;
    return walk->at + head + size;
}

/* Where the element ends whose ``text`` and ``size`` are known now; NULL with an error set. */
static const uint8_t *walk_element(Walk *walk)
{
    static const int widths[] = {2, 3, 4, 8};
    const uint8_t *at = walk->at;
    size_t left = (size_t)(walk->end - at);
    unsigned first = *at;
    if (first < 0x80)
        return walk_integer(walk, first, at + 1);
    if (first < 0xc0)
        return walk_text(walk, 1, first & 0x3f);
    if (first < 0xe0 && left >= 2)
        return walk_integer(walk, (int64_t)(((first & 0x1f) << 8 | at[1]) ^ 0x1000) - 0x1000, at + 2);
    if (first < 0xf0)
        return walk_text(walk, 2, left < 2 ? 0 : (first & 0x0f) << 8 | at[1]);
    if (first == 0xf0)
        return walk_text(walk, 5, left < 5 ? 0 : (uint32_t)load_signed(at + 1, 4));
    if (first <= 0xf4 && left > (size_t)widths[first - 0xf1])
        return walk_integer(walk, load_signed(at + 1, widths[first - 0xf1]), at + 1 + widths[first - 0xf1]);
    PyErr_Format(PyExc_ValueError, "unknown coding 0x%02x in a listpack", first);
    return NULL;
}

/* Go to the next element, if there is one: 0 at the end, -1 with an error set. */
static int walk_next(Walk *walk)
{
    uint8_t back[5];
    if (walk->at == walk->end)
        return 0;
    const uint8_t *end = walk_element(walk);
    if (!end)
        return -1;
    size_t told = (size_t)(put_backlen(back, (size_t)(end - walk->at)) - back);
    if ((size_t)(walk->end - end) < told || memcmp(end, back, told) != 0)
        return damaged("an element of a listpack says another size at its end") - 1;
    walk->at = end + told;
    return 1;
}

/* ``data`` has so many elements; 0 with an error set if it says something else. */
static int has_count(const char *data, Py_ssize_t count)
{
    unsigned told = (uint8_t)data[4] | (unsigned)(uint8_t)data[5] << 8;
    return told == UNKNOWN_COUNT || told == count || damaged("a listpack of another count than it says");
}

/* --- writing */

static uint8_t *put_listpack_integer(uint8_t *out, int64_t number)
{
    if (0 <= number && number < 0x80) {
        *out++ = (uint8_t)number;
        return out;
    }
    if (fits(number, 13)) {
        *out++ = (uint8_t)(0xc0 | (number >> 8 & 0x1f));
        *out++ = (uint8_t)number;
        return out;
    }
    int code = fits(number, 16) ? 0 : fits(number, 24) ? 1 : fits(number, 32) ? 2 : 3;
    *out++ = (uint8_t)(0xf1 + code);
    return store_signed(out, number, code < 3 ? code + 2 : 8);
}

/* An element of ``size`` bytes of text; it takes AROUND_ELEMENT more at most. */
static uint8_t *put_element(uint8_t *out, const char *text, size_t size)
{
    uint8_t *start = out;
    int64_t number;
    if (parse_integer(text, size, &number)) {
        out = put_listpack_integer(out, number);
        return put_backlen(out, (size_t)(out - start));
    }
    if (size < 1 << 6) {
        *out++ = (uint8_t)(0x80 | size);
    } else if (size < 1 << 12) {
        *out++ = (uint8_t)(0xe0 | size >> 8);
        *out++ = (uint8_t)size;
    } else {
        *out++ = 0xf0;
        out = store_signed(out, (int64_t)size, 4);
    }
    memcpy(out, text, size);
    out += size;
    return put_backlen(out, (size_t)(out - start));
}

/* Bytes of the element that ``text`` is. */
static size_t element_size(const char *text, size_t size)
{
    uint8_t room[AROUND_ELEMENT + LONGEST_INTEGER];
    int64_t number;
    if (parse_integer(text, size, &number))
        return (size_t)(put_listpack_integer(room, number) - room) + 1;
    size += size < 1 << 6 ? 1 : size < 1 << 12 ? 2 : 5;
    return size + backlen_size(size);
}

#endif
