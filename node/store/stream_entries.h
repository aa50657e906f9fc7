/* Entries of a stream, as a client gets them: those of one node, from their packed form (types/streams/node.py). */

#ifndef GOSSAMER_STREAM_ENTRIES_H
#define GOSSAMER_STREAM_ENTRIES_H

#include "stream_entry.h"
#include "texts.h"

#define DEAD_ENTRY 1
#define AROUND_BULK 32   /* bytes of a bulk string beside its text, at most, or of any other head */
#define ENTRIES_ROOM 512 /* bytes of a reply that is begun */

/* What is written so far. ``data`` is NULL once there was no memory for it. */
typedef struct {
    char *data;
    size_t used, room;
} Output;

typedef struct {
    PyObject *fields; /* of the node */
    Id master, first, last;
} Entries;

static int id_less(Id one, Id other)
{
    return one.milliseconds != other.milliseconds ? one.milliseconds < other.milliseconds
                                                  : one.sequence < other.sequence;
}

/* --- writing */

/* Have room for ``size`` bytes more; 0 with an error set. */
static int reserve(Output *out, size_t size)
{
    if (out->room - out->used >= size)
        return 1;
    size_t room = 2 * (out->used + size);
    char *data = PyMem_Realloc(out->data, room);
    if (!data)
        return PyErr_NoMemory() != NULL;
    out->data = data;
    out->room = room;
    return 1;
}

static void put_bytes(Output *out, const char *bytes, size_t size)
{
    memcpy(out->data + out->used, bytes, size);
    out->used += size;
}

static void put_unsigned(Output *out, uint64_t number)
{
    char digits[LONGEST_INTEGER], *end = digits + sizeof digits, *begin = format_unsigned(number, end);
    put_bytes(out, begin, (size_t)(end - begin));
}

/* ``*3`` or ``$5``, and its end of line. */
static void put_count(Output *out, char mark, uint64_t number)
{
    put_bytes(out, &mark, 1);
    put_unsigned(out, number);
    put_bytes(out, "\r\n", 2);
}

static int put_bulk(Output *out, const char *text, size_t size)
{
    if (!reserve(out, size + AROUND_BULK))
        return 0;
    put_count(out, '$', size);
    put_bytes(out, text, size);
    put_bytes(out, "\r\n", 2);
    return 1;
}

static int put_id(Output *out, Id id)
{
    char text[ID_ROOM];
    Output made = {text, 0, sizeof text};
    put_unsigned(&made, id.milliseconds);
    put_bytes(&made, "-", 1);
    put_unsigned(&made, id.sequence);
    return put_bulk(out, text, made.used);
}

/* --- reading */

static int read_number(Walk *walk, int64_t *number)
{
    int more = walk_next(walk);
    if (more > 0 && parse_integer(walk->text, walk->size, number))
        return 1;
    return more < 0 ? 0 : damaged("an entry of a stream lacks a number");
}

static int read_text(Walk *walk)
{
    int more = walk_next(walk);
    return more > 0 || (more == 0 && damaged("an entry of a stream is cut off"));
}

static int skip_texts(Walk *walk, uint64_t count)
{
    while (count--)
        if (!read_text(walk))
            return 0;
    return 1;
}

/* Fields and values of an entry that has ``count`` of each. */
static int put_pairs(Output *out, Walk *walk, PyObject *fields, uint64_t count)
{
    if (!reserve(out, AROUND_BULK))
        return 0;
    put_count(out, '*', 2 * count);
    for (uint64_t i = 0; i < count; i++) {
        if (fields && !put_bulk(out, TEXT(fields, (Py_ssize_t)i), SIZE(fields, (Py_ssize_t)i)))
            return 0;
        if (!fields && !(read_text(walk) && put_bulk(out, walk->text, walk->size)))
            return 0;
        if (!read_text(walk) || !put_bulk(out, walk->text, walk->size))
            return 0;
    }
    return 1;
}

/* The next entry: 1 if it is written now, 0 if it is not wanted, -1 with an error set, END if it is behind ``last``. */
#define END 2

static int show_entry(Output *out, Walk *walk, const Entries *wanted)
{
    int64_t flags, milliseconds, sequence, count = PyList_GET_SIZE(wanted->fields);
    if (!read_number(walk, &flags) || !read_number(walk, &milliseconds) || !read_number(walk, &sequence))
        return -1;
    int same = (flags & SAME_FIELDS) != 0;
    if (!same && !read_number(walk, &count))
        return -1;
    Id id = {wanted->master.milliseconds + (uint64_t)milliseconds, wanted->master.sequence + (uint64_t)sequence};
    if (id_less(wanted->last, id))
        return END;
    if (count < 0 || count > walk->end - walk->at)
        return damaged("an entry of a stream has another size than it says") - 1;
    if (flags & DEAD_ENTRY || id_less(id, wanted->first))
        return skip_texts(walk, (uint64_t)(same ? count : 2 * count) + 1) - 1;
    if (!reserve(out, AROUND_BULK))
        return -1;
    put_count(out, '*', 2);
    if (!put_id(out, id) || !put_pairs(out, walk, same ? wanted->fields : NULL, (uint64_t)count))
        return -1;
    return skip_texts(walk, 1) ? 1 : -1;
}

/* How many of up to ``most`` entries are written now; -1 with an error set. ``at``: where the next one begins, or -1 if
 * none that comes is wanted. */
static Py_ssize_t show_entries(Output *out, Walk *walk, const Entries *wanted, Py_ssize_t most, Py_ssize_t *at)
{
    const uint8_t *begin = walk->at - *at;
    Py_ssize_t count = 0;
    while (count < most && walk->at < walk->end) {
        int put = show_entry(out, walk, wanted);
        if (put < 0)
            return -1;
        if (put == END) {
            *at = -1;
            return count;
        }
        count += put;
    }
    *at = walk->at - begin;
    return count;
}

static int read_halves(PyObject *milliseconds, PyObject *sequence, Id *id)
{
    id->milliseconds = PyLong_AsUnsignedLongLong(milliseconds);
    id->sequence = PyErr_Occurred() ? 0 : PyLong_AsUnsignedLongLong(sequence);
    return !PyErr_Occurred();
}

static PyObject *encode_entries(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t count)
{
    Entries wanted;
    size_t room;
    if (count != 10 || !PyBytes_CheckExact(args[0]))
        return PyErr_Format(PyExc_TypeError, "encode_entries(bytes, at, fields, master, first, last, most)");
    Py_ssize_t at = PyLong_AsSsize_t(args[1]), most = PyErr_Occurred() ? 0 : PyLong_AsSsize_t(args[9]);
    if (PyErr_Occurred() || !are_texts(args[2], 0, &room) || !read_halves(args[3], args[4], &wanted.master) ||
        !read_halves(args[5], args[6], &wanted.first) || !read_halves(args[7], args[8], &wanted.last))
        return NULL;
    if (at < 0 || at > PyBytes_GET_SIZE(args[0]))
        return PyErr_Format(PyExc_IndexError, "no entry is there");
    wanted.fields = args[2];
    const uint8_t *data = (const uint8_t *)PyBytes_AS_STRING(args[0]);
    Walk walk = {.at = data + at, .end = data + PyBytes_GET_SIZE(args[0])};
    Output out = {NULL, 0, 0};
    Py_ssize_t found = reserve(&out, ENTRIES_ROOM) ? show_entries(&out, &walk, &wanted, most, &at) : -1;
    PyObject *result = found < 0 ? NULL : Py_BuildValue("y#nn", out.data, (Py_ssize_t)out.used, found, at);
    PyMem_Free(out.data);
    return result;
}

#define STREAM_ENTRIES_FUNCTIONS                                                                                       \
    {"encode_entries", (PyCFunction)(void *)encode_entries, METH_FASTCALL, "encode_entries(...): see stream_entries.py."}

#endif
