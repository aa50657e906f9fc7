/* Strings as they stand in an RDB: read, and written, many at once. */

#ifndef GOSSAMER_RDB_STRINGS_H
#define GOSSAMER_RDB_STRINGS_H

#include "lzf.h"
#include "texts.h"

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

#define RDB_STRING_FUNCTIONS                                                                                           \
    {"read_strings", (PyCFunction)(void *)read_strings, METH_FASTCALL, "read_strings(bytes, at, most): of RDB."},      \
        {"put_strings", (PyCFunction)(void *)put_strings, METH_FASTCALL, "put_strings(bytearray, texts, compress)."}

#endif
