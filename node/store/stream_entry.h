/* Ids of streams, and entries as they stand in their nodes: what plain_stream_entries.py promises. */

#ifndef GOSSAMER_STREAM_ENTRY_H
#define GOSSAMER_STREAM_ENTRY_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <stdint.h>
#include <string.h>

#include "listpack.h"
#include "texts.h"

#define ID_BYTES 16
#define ID_ROOM 41 /* characters of the longest id */
#define SAME_FIELDS 2
#define AROUND_ENTRY 64 /* bytes of an entry beside its elements, at most */
#define SHORT_ENTRY 512 /* bytes of one that is put together where memory is not asked for */

typedef struct {
    uint64_t milliseconds, sequence;
} Id;

#if PY_VERSION_HEX < 0x030C0000

/* Its digits are at hand: to go by way of bytes takes ten times as long. 0 with an error set. */
static int read_id(PyObject *number, Id *id)
{
    if (!PyLong_Check(number))
        return PyErr_Format(PyExc_TypeError, "an id is an integer") != NULL;
    uint64_t low = 0, high = 0;
    Py_ssize_t at = Py_SIZE(number);
    if (at < 0)
        return PyErr_Format(PyExc_OverflowError, "an id is not negative") != NULL;
    while (at-- > 0) {
        if (high >> (64 - PyLong_SHIFT))
            return PyErr_Format(PyExc_OverflowError, "an id has 128 bits") != NULL;
        high = high << PyLong_SHIFT | low >> (64 - PyLong_SHIFT);
        low = low << PyLong_SHIFT | ((PyLongObject *)number)->ob_digit[at];
    }
    id->sequence = low;
    id->milliseconds = high;
    return 1;
}

static PyObject *make_id(Id id)
{
    digit digits[ID_BYTES * 8 / PyLong_SHIFT + 1];
    Py_ssize_t count = 0;
    for (uint64_t low = id.sequence, high = id.milliseconds; low || high; high >>= PyLong_SHIFT) {
        digits[count++] = (digit)(low & PyLong_MASK);
        low = low >> PyLong_SHIFT | high << (64 - PyLong_SHIFT);
    }
    PyLongObject *number = count ? _PyLong_New(count) : NULL;
    if (number)
        memcpy(number->ob_digit, digits, (size_t)count * sizeof *digits);
    return count ? (PyObject *)number : PyLong_FromLong(0);
}

#else

/* 0 with an error set. */
static int read_id(PyObject *number, Id *id)
{
    uint8_t bytes[ID_BYTES];
    if (!PyLong_Check(number))
        return PyErr_Format(PyExc_TypeError, "an id is an integer") != NULL;
#if PY_VERSION_HEX >= 0x030D0000
    int flags = Py_ASNATIVEBYTES_LITTLE_ENDIAN | Py_ASNATIVEBYTES_UNSIGNED_BUFFER | Py_ASNATIVEBYTES_REJECT_NEGATIVE;
    Py_ssize_t needed = PyLong_AsNativeBytes(number, bytes, ID_BYTES, flags);
    if (needed < 0)
        return PyErr_Format(PyExc_OverflowError, "an id is not negative") != NULL;
    if (needed > ID_BYTES)
        return PyErr_Format(PyExc_OverflowError, "an id has 128 bits") != NULL;
#else
    if (_PyLong_AsByteArray((PyLongObject *)number, bytes, ID_BYTES, 1, 0) < 0)
        return 0;
#endif
    id->sequence = (uint64_t)load_signed(bytes, 8);
    id->milliseconds = (uint64_t)load_signed(bytes + 8, 8);
    return 1;
}

static PyObject *make_id(Id id)
{
    uint8_t bytes[ID_BYTES];
    store_signed(store_signed(bytes, (int64_t)id.sequence, 8), (int64_t)id.milliseconds, 8);
#if PY_VERSION_HEX >= 0x030D0000
    return PyLong_FromUnsignedNativeBytes(bytes, ID_BYTES, Py_ASNATIVEBYTES_LITTLE_ENDIAN);
#else
    return _PyLong_FromByteArray(bytes, ID_BYTES, 1, 0);
#endif
}

#endif

static PyObject *id_after(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t count)
{
    Id id;
    if (count != 2)
        return PyErr_Format(PyExc_TypeError, "id_after(last, now)");
    if (!read_id(args[0], &id))
        return NULL;
    uint64_t now = PyLong_AsUnsignedLongLong(args[1]);
    if (now == (uint64_t)-1 && PyErr_Occurred())
        return NULL;
    if (now > id.milliseconds) {
        id.milliseconds = now;
        id.sequence = 0;
    } else if (!++id.sequence && !++id.milliseconds) {
        return PyErr_Format(PyExc_OverflowError, "there is no id behind the last one");
    }
    return make_id(id);
}

static PyObject *id_text(PyObject *Py_UNUSED(module), PyObject *number)
{
    Id id;
    if (!read_id(number, &id))
        return NULL;
    char room[ID_ROOM], *end = room + sizeof room;
    char *begin = format_unsigned(id.sequence, end);
    *--begin = '-';
    begin = format_unsigned(id.milliseconds, begin);
    return PyBytes_FromStringAndSize(begin, end - begin);
}

static uint8_t *put_number(uint8_t *out, int64_t number)
{
    uint8_t *end = put_listpack_integer(out, number);
    return put_backlen(end, (size_t)(end - out));
}

/* Are ``fields`` those of ``pairs``, fields and values in turn? */
static int are_fields(PyObject *fields, PyObject *pairs)
{
    Py_ssize_t count = PyList_GET_SIZE(fields);
    if (PyList_GET_SIZE(pairs) != 2 * count)
        return 0;
    for (Py_ssize_t i = 0; i < count; i++)
        if (SIZE(fields, i) != SIZE(pairs, 2 * i) ||
            memcmp(TEXT(fields, i), TEXT(pairs, 2 * i), SIZE(fields, i)) != 0)
            return 0;
    return 1;
}

static uint8_t *put_entry(uint8_t *out, PyObject *fields, PyObject *pairs, Id master, Id id)
{
    int same = are_fields(fields, pairs);
    Py_ssize_t count = PyList_GET_SIZE(pairs) / 2;
    out = put_number(out, same ? SAME_FIELDS : 0);
    out = put_number(out, (int64_t)(id.milliseconds - master.milliseconds));
    out = put_number(out, (int64_t)(id.sequence - master.sequence));
    if (!same)
        out = put_number(out, count);
    for (Py_ssize_t i = same; i < 2 * count; i += 1 + same)
        out = put_element(out, TEXT(pairs, i), SIZE(pairs, i));
    return put_number(out, same ? count + 3 : 2 * count + 4);
}

static PyObject *pack_entry(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t count)
{
    Id master, id;
    size_t room;
    if (count != 4)
        return PyErr_Format(PyExc_TypeError, "pack_entry(fields, pairs, master, entry_id)");
    PyObject *fields = args[0], *pairs = args[1];
    if (!are_texts(fields, 0, &room) || !are_texts(pairs, AROUND_ELEMENT, &room) || !read_id(args[2], &master) ||
        !read_id(args[3], &id))
        return NULL;
    room += AROUND_ENTRY;
    if (room <= SHORT_ENTRY) {
        uint8_t entry[SHORT_ENTRY];
        uint8_t *end = put_entry(entry, fields, pairs, master, id);
        return PyBytes_FromStringAndSize((char *)entry, end - entry);
    }
    PyObject *entry = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)room);
    if (!entry)
        return NULL;
    uint8_t *begin = (uint8_t *)PyBytes_AS_STRING(entry);
    _PyBytes_Resize(&entry, put_entry(begin, fields, pairs, master, id) - begin);
    return entry;
}

#define STREAM_ENTRY_FUNCTIONS                                                                                         \
    {"id_after", (PyCFunction)(void *)id_after, METH_FASTCALL, "id_after(last, now): the id of the next entry."},      \
        {"id_text", id_text, METH_O, "id_text(id): as clients see it."},                                               \
        {"pack_entry", (PyCFunction)(void *)pack_entry, METH_FASTCALL,                                                 \
         "pack_entry(fields, pairs, master, id): an entry of a node."}

#endif
