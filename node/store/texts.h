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
    *room = 0;
    if (!PyList_CheckExact(list))
        return PyErr_Format(PyExc_TypeError, "a list is needed") != NULL;
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

#define REPACKED_MOST 64  /* names that are compared with each other */
#define REPACKED_GROWTH 3 /* a byte of a listpack becomes less than so many bytes of texts */

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

/* Names that have come so far, each behind its length. */
typedef struct {
    const uint8_t *at[REPACKED_MOST];
    int count;
} Names;

/* Is ``name`` new, and is there room for it? */
static int add_name(Names *names, const uint8_t *name)
{
    if (names->count == REPACKED_MOST)
        return 0;
    for (int i = 0; i < names->count; i++)
        if (*names->at[i] == *name && memcmp(names->at[i] + 1, name + 1, *name) == 0)
            return 0;
    names->at[names->count++] = name;
    return 1;
}

static uint8_t *put_short(uint8_t *out, const char *text, size_t size)
{
    *out++ = (uint8_t)size;
    memcpy(out, text, size);
    return out + size;
}

/* Write the elements behind ``out``; where they end, NULL if that is nothing for here, or with an error set. */
static uint8_t *repack_all(Walk *walk, int step, uint8_t *out, Py_ssize_t *count)
{
    Names names = {.count = 0};
    int more;
    for (*count = 0; (more = walk_next(walk)) > 0; ++*count) {
        uint8_t *start = out;
        if (walk->size > UINT8_MAX)
            return NULL;
        out = put_short(out, walk->text, walk->size);
        if (*count % step == 0 && !add_name(&names, start))
            return NULL;
    }
    return more < 0 || !*count || *count % step ? NULL : out;
}

static PyObject *repack(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t given)
{
    Walk walk;
    long step = given == 2 && PyBytes_CheckExact(args[0]) ? PyLong_AsLong(args[1]) : -1;
    if (step < 1 || step > INT_MAX)
        return PyErr_Occurred() ? NULL : PyErr_Format(PyExc_TypeError, "repack(bytes, step)");
    if (!walk_begin(&walk, PyBytes_AS_STRING(args[0]), (size_t)PyBytes_GET_SIZE(args[0])))
        return NULL;
    PyObject *pack = PyBytes_FromStringAndSize(NULL, PyBytes_GET_SIZE(args[0]) * REPACKED_GROWTH);
    Py_ssize_t count;
    uint8_t *start = pack ? (uint8_t *)PyBytes_AS_STRING(pack) : NULL;
    uint8_t *end = pack ? repack_all(&walk, (int)step, start, &count) : NULL;
    if (!end || !has_count(PyBytes_AS_STRING(args[0]), count)) {
        Py_XDECREF(pack);
        return PyErr_Occurred() ? NULL : Py_NewRef(Py_None);
    }
    if (_PyBytes_Resize(&pack, end - start) < 0)
        return NULL;
    return Py_BuildValue("(Nn)", pack, count / step);
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

/* --- small sorted sets: zsets/packed.py says what they consist of */

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
    if (!is_bytes(data) || !walk_begin(&walk, PyBytes_AS_STRING(data), (size_t)PyBytes_GET_SIZE(data)))
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
    if (begin || at == end || *at < 0xc0 || *at > 0xc3)
        return NULL;
    if (*at == 0xc3)
        return rdb_packed(at + 1, end, text);
    int width = 1 << (*at - 0xc0);
    if (end - at <= width)
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
        {"repack", (PyCFunction)(void *)repack, METH_FASTCALL, "repack(listpack, step): the pack and a count, or None."}, \
        {"from_pack", from_pack, METH_O, "from_pack(bytes): texts, of which each stands behind its length."},          \
        {"to_pack", to_pack, METH_O, "to_pack(texts): as one."},                                                       \
        {"from_run", from_run, METH_O, "from_run(bytes): texts, of which each is a bulk string."},                     \
        {"to_run", to_run, METH_O, "to_run(texts): as bulk strings."},                                                 \
        {"to_scored", to_scored, METH_O, "to_scored(listpack): as a small sorted set, or None."},                      \
        {"from_scored", from_scored, METH_O, "from_scored(bytes): members and scores; None if they are doubles."},     \
        {"read_strings", (PyCFunction)(void *)read_strings, METH_FASTCALL, "read_strings(bytes, at, most): of RDB."},  \
        {"put_strings", (PyCFunction)(void *)put_strings, METH_FASTCALL, "put_strings(bytearray, texts, compress)."}

#endif
