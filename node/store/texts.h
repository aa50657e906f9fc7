/* Lists of byte strings, and the forms in which they stand in one: listpacks, packs, runs, and strings of an RDB. What
 * texts.py promises.
 */

#ifndef GOSSAMER_TEXTS_H
#define GOSSAMER_TEXTS_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <stdint.h>
#include <string.h>

#include "listpack.h"
#include "lzf.h"

#define TEXT(list, i) PyBytes_AS_STRING(PyList_GET_ITEM(list, i))
#define SIZE(list, i) ((size_t)PyBytes_GET_SIZE(PyList_GET_ITEM(list, i)))

/* Is it a list of bytes? 0 with an error set. ``room`` are then the bytes of all, and ``around`` for each. */
static int are_texts(PyObject *list, size_t around, size_t *room)
{
    if (!PyList_CheckExact(list))
        return PyErr_Format(PyExc_TypeError, "a list is needed") != NULL;
    *room = 0;
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(list); i++) {
        if (!PyBytes_CheckExact(PyList_GET_ITEM(list, i)))
            return PyErr_Format(PyExc_TypeError, "a list of bytes is needed") != NULL;
        *room += SIZE(list, i) + around;
    }
    return 1;
}

static int is_bytes(PyObject *object)
{
    return PyBytes_CheckExact(object) || PyErr_Format(PyExc_TypeError, "bytes are needed") != NULL;
}

/* -1 with an error set; ``text`` may be NULL then. */
static int add_text(PyObject *list, const char *text, size_t size)
{
    PyObject *made = PyBytes_FromStringAndSize(text, (Py_ssize_t)size);
    int failed = made ? PyList_Append(list, made) : -1;
    Py_XDECREF(made);
    return failed;
}

/* --- listpacks */

static PyObject *from_listpack(PyObject *Py_UNUSED(module), PyObject *data)
{
    Walk walk;
    if (!is_bytes(data) || !walk_begin(&walk, PyBytes_AS_STRING(data), (size_t)PyBytes_GET_SIZE(data)))
        return NULL;
    PyObject *list = PyList_New(0);
    int more = list ? walk_next(&walk) : -1;
    while (more > 0)
        more = add_text(list, walk.text, walk.size) < 0 ? -1 : walk_next(&walk);
    if (more < 0 || !has_count(PyBytes_AS_STRING(data), PyList_GET_SIZE(list)))
        Py_CLEAR(list);
    return list;
}

static PyObject *listpack_length(PyObject *Py_UNUSED(module), PyObject *data)
{
    Walk walk;
    if (!is_bytes(data) || !walk_begin(&walk, PyBytes_AS_STRING(data), (size_t)PyBytes_GET_SIZE(data)))
        return NULL;
    Py_ssize_t count = 0;
    int more;
    while ((more = walk_next(&walk)) > 0)
        count++;
    if (more < 0 || !has_count(PyBytes_AS_STRING(data), count))
        return NULL;
    return PyLong_FromSsize_t(count);
}

static PyObject *to_listpack(PyObject *Py_UNUSED(module), PyObject *list)
{
    size_t room;
    if (!are_texts(list, AROUND_ELEMENT, &room))
        return NULL;
    PyObject *data = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)(room + LISTPACK_FRAME));
    if (!data)
        return NULL;
    uint8_t *start = (uint8_t *)PyBytes_AS_STRING(data), *out = start + LISTPACK_HEAD;
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(list); i++)
        out = put_element(out, TEXT(list, i), SIZE(list, i));
    *out++ = LISTPACK_END;
    if ((size_t)(out - start) > UINT32_MAX) {
        Py_DECREF(data);
        return PyErr_Format(PyExc_OverflowError, "a listpack of 4 GB");
    }
    store_signed(start, out - start, 4);
    store_signed(start + 4, Py_MIN(PyList_GET_SIZE(list), UNKNOWN_COUNT), 2);
    _PyBytes_Resize(&data, out - start);
    return data;
}

static PyObject *listpack_size(PyObject *Py_UNUSED(module), PyObject *list)
{
    size_t room, size = 0;
    if (!are_texts(list, 0, &room))
        return NULL;
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(list); i++)
        size += element_size(TEXT(list, i), SIZE(list, i));
    return PyLong_FromSize_t(size);
}

/* --- packs: each text behind a byte that is its length */

static PyObject *from_pack(PyObject *Py_UNUSED(module), PyObject *pack)
{
    PyObject *list = is_bytes(pack) ? PyList_New(0) : NULL;
    if (!list)
        return NULL;
    const char *at = PyBytes_AS_STRING(pack), *end = at + PyBytes_GET_SIZE(pack);
    for (size_t size; at < end; at += size + 1) {
        size = (uint8_t)*at;
        if (size >= (size_t)(end - at) ? !damaged("a pack is cut off") : add_text(list, at + 1, size) < 0) {
            Py_DECREF(list);
            return NULL;
        }
    }
    return list;
}

static PyObject *to_pack(PyObject *Py_UNUSED(module), PyObject *list)
{
    size_t room;
    if (!are_texts(list, 1, &room))
        return NULL;
    PyObject *pack = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)room);
    char *out = pack ? PyBytes_AS_STRING(pack) : NULL;
    for (Py_ssize_t i = 0; pack && i < PyList_GET_SIZE(list); i++) {
        size_t size = SIZE(list, i);
        if (size > UINT8_MAX) {
            Py_DECREF(pack);
            return PyErr_Format(PyExc_ValueError, "a text that is too long for a pack");
        }
        *out++ = (char)size;
        memcpy(out, TEXT(list, i), size);
        out += size;
    }
    return pack;
}

/* --- runs: each text as a bulk string of RESP */

#define AROUND_ITEM 25 /* bytes of an item beside its text, at most */

static PyObject *to_run(PyObject *Py_UNUSED(module), PyObject *list)
{
    size_t room;
    if (!are_texts(list, AROUND_ITEM, &room))
        return NULL;
    PyObject *run = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)room);
    char *out = run ? PyBytes_AS_STRING(run) : NULL, digits[LONGEST_INTEGER];
    for (Py_ssize_t i = 0; run && i < PyList_GET_SIZE(list); i++) {
        size_t size = SIZE(list, i);
        const char *behind = digits + sizeof digits, *number = format_integer((int64_t)size, digits + sizeof digits);
        *out++ = '$';
        memcpy(out, number, (size_t)(behind - number));
        out += behind - number;
        memcpy(out, "\r\n", 2);
        memcpy(out + 2, TEXT(list, i), size);
        memcpy(out + 2 + size, "\r\n", 2);
        out += size + 4;
    }
    if (run)
        _PyBytes_Resize(&run, out - PyBytes_AS_STRING(run));
    return run;
}

static PyObject *from_run(PyObject *Py_UNUSED(module), PyObject *run)
{
    PyObject *list = is_bytes(run) ? PyList_New(0) : NULL;
    if (!list)
        return NULL;
    const char *at = PyBytes_AS_STRING(run), *end = at + PyBytes_GET_SIZE(run);
    while (at < end) {
        size_t size = 0;
        while (++at < end && *at != '\r' && size < (size_t)(end - at))
            size = size * 10 + (size_t)(*at - '0');
        if (end - at < 4 || size > (size_t)(end - at) - 4 ? !damaged("a run is cut off")
                                                          : add_text(list, at + 2, size) < 0) {
            Py_DECREF(list);
            return NULL;
        }
        at += size + 4;
    }
    return list;
}

/* --- members with scores in turn, as a small sorted set: zsets/packed.py says how that is made */

#define PACKED_HEAD 3
#define PACKED_MOST 512
#define PACKED_LONGEST 255
#define EXACT_DIGITS 15 /* of an integer that surely is a double */

/* A score as nearly all are: digits, perhaps with a sign and a point; 0 if it is another, or with an error set. */
static int plain_score(const char *text, size_t size, double *score)
{
    size_t digits = 0, points = 0, negative = size && text[0] == '-';
    int64_t value = 0;
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
    if (!points && digits <= EXACT_DIGITS)
        *score = (double)(negative ? -value : value);
    else
        *score = PyOS_string_to_double(text, NULL, NULL); /* bytes end with a zero */
    return !(*score == -1.0 && PyErr_Occurred());
}

static int score_width(double score)
{
    if (!(-2147483648.0 <= score && score < 2147483648.0) || score != (double)(int64_t)score)
        return 8;
    return -128.0 <= score && score < 128.0 ? 1 : -32768.0 <= score && score < 32768.0 ? 2 : 4;
}

/* Is the member at ``i`` with its score behind the one before it? */
static int in_order(PyObject *list, Py_ssize_t i, double before, double score)
{
    if (before != score)
        return before < score;
    size_t one = SIZE(list, i - 2), other = SIZE(list, i);
    int order = memcmp(TEXT(list, i - 2), TEXT(list, i), Py_MIN(one, other));
    return order < 0 || (order == 0 && one < other);
}

/* Find the scores and their width; 0 if the small form, or this function, cannot hold them. */
static int read_scores(PyObject *list, double *scores, int *width)
{
    double before = 0.0;
    *width = 1;
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(list); i += 2) {
        double score;
        if (SIZE(list, i) > PACKED_LONGEST || !plain_score(TEXT(list, i + 1), SIZE(list, i + 1), &score))
            return 0;
        if (i && !in_order(list, i, before, score))
            return 0;
        *width = Py_MAX(*width, score_width(score));
        scores[i / 2] = before = score;
    }
    return 1;
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

static PyObject *to_scored(PyObject *Py_UNUSED(module), PyObject *list)
{
    double scores[PACKED_MOST];
    size_t room;
    int width;
    if (!are_texts(list, 0, &room))
        return NULL;
    Py_ssize_t count = PyList_GET_SIZE(list) / 2;
    if (PyList_GET_SIZE(list) % 2 || count > PACKED_MOST || !read_scores(list, scores, &width))
        return PyErr_Occurred() ? NULL : Py_NewRef(Py_None);
    size_t size = PACKED_HEAD + (size_t)count * (size_t)(1 + width);
    for (Py_ssize_t i = 0; i < 2 * count; i += 2)
        size += SIZE(list, i);
    PyObject *packed = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)size);
    if (!packed)
        return NULL;
    uint8_t *out = store_signed((uint8_t *)PyBytes_AS_STRING(packed), count, 2), *sizes = out + 1;
    *out = (uint8_t)width;
    out = sizes + count;
    for (Py_ssize_t i = 0; i < 2 * count; i += 2) {
        *sizes++ = (uint8_t)SIZE(list, i);
        memcpy(out, TEXT(list, i), SIZE(list, i));
        out += SIZE(list, i);
    }
    for (Py_ssize_t i = 0; i < count; i++)
        out = put_score(out, scores[i], width);
    return packed;
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

/* --- strings as they stand in an RDB */

/* A length at ``at`` of at most 14 bits, and where it ends; NULL if it is not whole, or another. */
static const uint8_t *rdb_length(const uint8_t *at, const uint8_t *end, size_t *length)
{
    if (at == end || *at >= 0x80 || (*at >= 0x40 && end - at < 2))
        return NULL;
    *length = *at < 0x40 ? *at : (size_t)(*at & 0x3f) << 8 | at[1];
    return at + (*at < 0x40 ? 1 : 2);
}

/* A string that is compressed; where it ends, NULL if it is not whole or damaged, or with an error set. */
static const uint8_t *rdb_packed(const uint8_t *at, const uint8_t *end, PyObject **text)
{
    size_t packed, size;
    at = rdb_length(at, end, &packed);
    at = at ? rdb_length(at, end, &size) : NULL;
    if (!at || (size_t)(end - at) < packed || size > packed * LZF_GROWTH)
        return NULL;
    *text = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)size);
    if (!*text)
        return NULL;
    if (lzf_unpack(at, packed, (uint8_t *)PyBytes_AS_STRING(*text), size)) {
        Py_CLEAR(*text);
        return NULL;
    }
    return at + packed;
}

/* The string at ``at``, and where it ends; NULL if it is not one to be read here, or with an error set. */
static const uint8_t *rdb_string(const uint8_t *at, const uint8_t *end, PyObject **text)
{
    size_t size;
    const uint8_t *begin = rdb_length(at, end, &size);
    if (begin && (size_t)(end - begin) >= size) {
        *text = PyBytes_FromStringAndSize((const char *)begin, (Py_ssize_t)size);
        return *text ? begin + size : NULL;
    }
    if (begin || at == end || *at < 0xc0)
        return NULL;
    if (*at == 0xc3)
        return rdb_packed(at + 1, end, text);
    int width = 1 << (*at - 0xc0);
    if (*at > 0xc2 || end - at <= width)
        return NULL;
    char digits[LONGEST_INTEGER], *behind = digits + sizeof digits;
    const char *number = format_integer(load_signed(at + 1, width), behind);
    *text = PyBytes_FromStringAndSize(number, behind - number);
    return *text ? at + 1 + width : NULL;
}

/* Read up to ``most`` strings into ``list``; where the last one ends. It fails with an error set. */
static const uint8_t *rdb_strings(const uint8_t *at, const uint8_t *end, Py_ssize_t most, PyObject *list)
{
    while (PyList_GET_SIZE(list) < most) {
        PyObject *text = NULL;
        const uint8_t *behind = rdb_string(at, end, &text);
        if (!behind)
            break;
        int failed = PyList_Append(list, text);
        Py_DECREF(text);
        if (failed)
            break;
        at = behind;
    }
    return at;
}

static PyObject *read_strings(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t count)
{
    if (count != 3 || !PyBytes_CheckExact(args[0]))
        return PyErr_Format(PyExc_TypeError, "read_strings(bytes, at, most)");
    Py_ssize_t at = PyLong_AsSsize_t(args[1]), most = PyErr_Occurred() ? -1 : PyLong_AsSsize_t(args[2]);
    if (PyErr_Occurred())
        return NULL;
    if (at < 0 || at > PyBytes_GET_SIZE(args[0]))
        return PyErr_Format(PyExc_ValueError, "a place outside of the bytes");
    const uint8_t *data = (const uint8_t *)PyBytes_AS_STRING(args[0]), *end = data + PyBytes_GET_SIZE(args[0]);
    PyObject *list = PyList_New(0);
    const uint8_t *behind = list ? rdb_strings(data + at, end, most, list) : NULL;
    if (!list || PyErr_Occurred()) {
        Py_XDECREF(list);
        return NULL;
    }
    return Py_BuildValue("(Nn)", list, (Py_ssize_t)(behind - data));
}

static uint8_t *put_rdb_length(uint8_t *out, uint64_t length)
{
    int width = length < 1 << 6 ? 0 : length < 1 << 14 ? 1 : length <= UINT32_MAX ? 4 : 8;
    *out++ = (uint8_t)(width == 0 ? length : width == 1 ? 0x40 | length >> 8 : width == 4 ? 0x80 : 0x81);
    for (int i = width; i--;)
        *out++ = (uint8_t)(length >> (8 * i));
    return out;
}

#define AROUND_STRING 9
#define AROUND_PACKED 16
#define LONGEST_SHORT_INTEGER 11
#define LEAST_PACKED 21 /* bytes of the shortest string for which LZF is tried */
#define LEAST_SAVED 4

static uint8_t *put_plain(uint8_t *out, const char *text, size_t size)
{
    int64_t number;
    if (size <= LONGEST_SHORT_INTEGER && parse_integer(text, size, &number) && fits(number, 32)) {
        int code = fits(number, 8) ? 0 : fits(number, 16) ? 1 : 2;
        *out++ = (uint8_t)(0xc0 + code);
        return store_signed(out, number, 1 << code);
    }
    out = put_rdb_length(out, size);
    memcpy(out, text, size);
    return out + size;
}

/* As LZF, if that saves enough; NULL if not. There is room for ``lzf_room`` and AROUND_PACKED. */
static uint8_t *put_packed(uint8_t *out, const char *text, size_t size)
{
    size_t packed = lzf_pack((const uint8_t *)text, size, out + AROUND_PACKED);
    if (packed + LEAST_SAVED > size)
        return NULL;
    uint8_t *body = out + AROUND_PACKED;
    *out++ = 0xc3;
    out = put_rdb_length(put_rdb_length(out, packed), size);
    memmove(out, body, packed);
    return out + packed;
}

/* -1 with an error set. */
static int put_string(PyObject *into, const char *text, size_t size, int compress)
{
    int packs = compress && size >= LEAST_PACKED && size <= LZF_MOST;
    Py_ssize_t held = PyByteArray_GET_SIZE(into);
    size_t room = packs ? lzf_room(size) + AROUND_PACKED : size + AROUND_STRING;
    if (PyByteArray_Resize(into, held + (Py_ssize_t)room) < 0)
        return -1;
    uint8_t *start = (uint8_t *)PyByteArray_AS_STRING(into), *end = packs ? put_packed(start + held, text, size) : NULL;
    if (!end)
        end = put_plain(start + held, text, size);
    return PyByteArray_Resize(into, end - start);
}

static PyObject *put_strings(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t count)
{
    size_t room;
    if (count != 3 || !PyByteArray_CheckExact(args[0]))
        return PyErr_Format(PyExc_TypeError, "put_strings(bytearray, texts, compress)");
    int compress = PyObject_IsTrue(args[2]);
    if (compress < 0 || !are_texts(args[1], 0, &room))
        return NULL;
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(args[1]); i++)
        if (put_string(args[0], TEXT(args[1], i), SIZE(args[1], i), compress) < 0)
            return NULL;
    Py_RETURN_NONE;
}

#define TEXT_FUNCTIONS                                                                                                 \
    {"from_listpack", from_listpack, METH_O, "from_listpack(bytes): its elements; ValueError if damaged."},            \
        {"to_listpack", to_listpack, METH_O, "to_listpack(texts): the listpack."},                                     \
        {"listpack_length", listpack_length, METH_O, "listpack_length(bytes): its elements; ValueError if damaged."},  \
        {"listpack_size", listpack_size, METH_O, "listpack_size(texts): bytes of the elements in a listpack."},        \
        {"from_pack", from_pack, METH_O, "from_pack(bytes): texts, of which each stands behind its length."},          \
        {"to_pack", to_pack, METH_O, "to_pack(texts): as one."},                                                       \
        {"from_run", from_run, METH_O, "from_run(bytes): texts, of which each is a bulk string."},                     \
        {"to_run", to_run, METH_O, "to_run(texts): as bulk strings."},                                                 \
        {"to_scored", to_scored, METH_O, "to_scored(members and scores): as a small sorted set, or None."},            \
        {"from_scored", from_scored, METH_O, "from_scored(bytes): members and scores; None if they are doubles."},     \
        {"read_strings", (PyCFunction)(void *)read_strings, METH_FASTCALL, "read_strings(bytes, at, most): of RDB."},  \
        {"put_strings", (PyCFunction)(void *)put_strings, METH_FASTCALL, "put_strings(bytearray, texts, compress)."}

#endif
