/* Small sorted sets, of listpacks and to lists: zsets/packed.py says what they consist of. */

#ifndef GOSSAMER_PACKED_ZSET_H
#define GOSSAMER_PACKED_ZSET_H

#include "texts.h"

#define PACKED_HEAD 3
#define PACKED_LONGEST 255
#define EXACT_DIGITS 15 /* of an integer that surely is a double */

/* A score as nearly all are: digits, perhaps with a sign and a point; 0 if it is another, or with an error set. */
static int plain_score(const char *text, size_t size, double *score)
{
    size_t digits = 0, points = 0, negative = size && text[0] == '-';
    int64_t value = 0;
    char copy[PACKED_LONGEST + 1];
    for (size_t i = negative; i < size; i++) {
        unsigned digit = (unsigned)(text[i] - '0');
        points += text[i] == '.';
        if (digit > 9 && text[i] != '.')
            return 0;
        if (digit <= 9 && ++digits <= EXACT_DIGITS)
            value = value * 10 + (int64_t)digit;
    }
    if (!digits || points > 1 || size > PACKED_LONGEST)
        return 0;
    if (!points && digits <= EXACT_DIGITS) {
        *score = (double)(negative ? -value : value);
        return 1;
    }
    memcpy(copy, text, size);
    copy[size] = 0;
    *score = PyOS_string_to_double(copy, NULL, NULL);
    return !(*score == -1.0 && PyErr_Occurred());
}

static int score_width(double score)
{
    if (!(-2147483648.0 <= score && score < 2147483648.0) || score != (double)(int64_t)score)
        return 8;
    return -128.0 <= score && score < 128.0 ? 1 : -32768.0 <= score && score < 32768.0 ? 2 : 4;
}

typedef struct {
    Names names;
    double scores[REPACKED_MOST];
    int width;
} Scored;

/* Is the last member with its score behind the one before it? */
static int in_order(const Scored *set)
{
    int last = set->names.count - 1;
    if (!last || set->scores[last - 1] != set->scores[last])
        return !last || set->scores[last - 1] < set->scores[last];
    const uint8_t *one = set->names.at[last - 1], *other = set->names.at[last];
    int order = memcmp(one + 1, other + 1, Py_MIN(*one, *other));
    return order < 0 || (order == 0 && *one < *other);
}

/* Find members, which go behind ``out``, and scores; 0 if that is nothing for here, or with an error set. */
static int read_scored(Walk *walk, Scored *set, uint8_t *out)
{
    int more;
    set->names.count = 0;
    set->width = 1;
    while ((more = walk_next(walk)) > 0) {
        const uint8_t *start = out;
        if (walk->size > UINT8_MAX)
            return 0;
        out = put_short(out, walk->text, walk->size);
        if (!add_name(&set->names, start) || walk_next(walk) <= 0)
            return 0;
        double *score = &set->scores[set->names.count - 1];
        if (!plain_score(walk->text, walk->size, score) || !in_order(set))
            return 0;
        set->width = Py_MAX(set->width, score_width(*score));
    }
    return more == 0 && set->names.count;
}

static uint8_t *put_score(uint8_t *out, double score, int width)
{
    if (width < 8)
        return store_signed(out, (int64_t)score, width);
    uint64_t word;
    score += 0.0; /* no negative zero */
    memcpy(&word, &score, sizeof word);
    return store_signed(out, (int64_t)word, 8);
}

static PyObject *packed_of(const Scored *set)
{
    int count = set->names.count;
    size_t size = PACKED_HEAD + (size_t)count * (size_t)(1 + set->width);
    for (int i = 0; i < count; i++)
        size += *set->names.at[i];
    PyObject *packed = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)size);
    if (!packed)
        return NULL;
    uint8_t *out = store_signed((uint8_t *)PyBytes_AS_STRING(packed), count, 2);
    *out++ = (uint8_t)set->width;
    for (int i = 0; i < count; i++)
        *out++ = *set->names.at[i];
    for (int i = 0; i < count; i++) {
        memcpy(out, set->names.at[i] + 1, *set->names.at[i]);
        out += *set->names.at[i];
    }
    for (int i = 0; i < count; i++)
        out = put_score(out, set->scores[i], set->width);
    return packed;
}

static PyObject *to_scored(PyObject *Py_UNUSED(module), PyObject *data)
{
    Walk walk;
    Scored set;
    if (!begin(&walk, data))
        return NULL;
    uint8_t *members = PyMem_Malloc((size_t)PyBytes_GET_SIZE(data) * REPACKED_GROWTH);
    if (!members)
        return PyErr_NoMemory();
    PyObject *packed = NULL;
    if (read_scored(&walk, &set, members) && has_count(PyBytes_AS_STRING(data), 2 * set.names.count))
        packed = packed_of(&set);
    PyMem_Free(members);
    return packed || PyErr_Occurred() ? packed : Py_NewRef(Py_None);
}

/* Members and the scores, which are integers of ``width`` bytes; -1 with an error set. */
static int add_scored(PyObject *list, const uint8_t *data, const uint8_t *end, Py_ssize_t count, int width)
{
    const uint8_t *member = data + PACKED_HEAD + count, *score = end - count * width;
    char digits[LONGEST_INTEGER], *behind = digits + sizeof digits;
    for (Py_ssize_t i = 0; i < count; i++) {
        size_t size = data[PACKED_HEAD + i];
        if (member > score || size > (size_t)(end - member))
            return damaged("a packed sorted set is cut off") - 1;
        const char *text = format_integer(load_signed(score, width), behind);
        if (add_text(list, (const char *)member, size) < 0 || add_text(list, text, (size_t)(behind - text)) < 0)
            return -1;
        member += size;
        score += width;
    }
    return 0;
}

static PyObject *from_scored(PyObject *Py_UNUSED(module), PyObject *packed)
{
    if (!is_bytes(packed))
        return NULL;
    const uint8_t *data = (const uint8_t *)PyBytes_AS_STRING(packed), *end = data + PyBytes_GET_SIZE(packed);
    Py_ssize_t count = end - data < PACKED_HEAD ? 0 : data[0] | data[1] << 8;
    int width = end - data < PACKED_HEAD ? 0 : data[2];
    if (width == 8)
        Py_RETURN_NONE;
    if ((width != 1 && width != 2 && width != 4) || end - data < PACKED_HEAD + count * (1 + width))
        return PyErr_Format(PyExc_ValueError, "no packed sorted set");
    PyObject *list = PyList_New(0);
    if (list && add_scored(list, data, end, count, width) < 0)
        Py_CLEAR(list);
    return list;
}

#define PACKED_ZSET_FUNCTIONS                                                                                          \
    {"to_scored", to_scored, METH_O, "to_scored(listpack): as a small sorted set, or None."},                          \
        {"from_scored", from_scored, METH_O, "from_scored(bytes): members and scores; None if they are doubles."}

#endif
