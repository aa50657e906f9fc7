/* Lists of byte strings, and the forms in which they stand in one: listpacks, packs and runs (texts.py). */

#ifndef GOSSAMER_TEXTS_H
#define GOSSAMER_TEXTS_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <stdint.h>
#include <string.h>

#include "listpack.h"

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

/* Stand before the elements of ``data``; 0 with an error set. */
static int begin(Walk *walk, PyObject *data)
{
    return is_bytes(data) && walk_begin(walk, PyBytes_AS_STRING(data), (size_t)PyBytes_GET_SIZE(data));
}

static PyObject *from_listpack(PyObject *Py_UNUSED(module), PyObject *data)
{
    Walk walk;
    if (!begin(&walk, data))
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
    if (!begin(&walk, data))
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
    if (!begin(&walk, args[0]))
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

static char *put_item(char *out, const char *text, size_t size)
{
    char digits[LONGEST_INTEGER], *behind = digits + sizeof digits;
    const char *number = format_unsigned(size, behind);
    *out++ = '$';
    while (number < behind)
        *out++ = *number++;
    memcpy(out, "\r\n", 2);
    memcpy(out + 2, text, size);
    memcpy(out + 2 + size, "\r\n", 2);
    return out + size + 4;
}

static PyObject *to_item(PyObject *Py_UNUSED(module), PyObject *text)
{
    if (!is_bytes(text))
        return NULL;
    size_t size = (size_t)PyBytes_GET_SIZE(text), around = 6;
    for (size_t left = size; left >= 10; left /= 10)
        around++;
    PyObject *item = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)(around + size));
    if (item)
        put_item(PyBytes_AS_STRING(item), PyBytes_AS_STRING(text), size);
    return item;
}

static PyObject *to_run(PyObject *Py_UNUSED(module), PyObject *list)
{
    size_t room;
    if (!are_texts(list, AROUND_ITEM, &room))
        return NULL;
    PyObject *run = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)room);
    char *out = run ? PyBytes_AS_STRING(run) : NULL;
    for (Py_ssize_t i = 0; run && i < PyList_GET_SIZE(list); i++)
        out = put_item(out, TEXT(list, i), SIZE(list, i));
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

#define TEXT_FUNCTIONS                                                                                                 \
    {"from_listpack", from_listpack, METH_O, "from_listpack(bytes): its elements; ValueError if damaged."},            \
        {"to_listpack", to_listpack, METH_O, "to_listpack(texts): the listpack."},                                     \
        {"listpack_length", listpack_length, METH_O, "listpack_length(bytes): its elements; ValueError if damaged."},  \
        {"listpack_size", listpack_size, METH_O, "listpack_size(texts): bytes of the elements in a listpack."},        \
        {"repack", (PyCFunction)(void *)repack, METH_FASTCALL, "repack(listpack, step): pack, count; or None."},       \
        {"from_pack", from_pack, METH_O, "from_pack(bytes): texts, of which each stands behind its length."},          \
        {"to_pack", to_pack, METH_O, "to_pack(texts): as one."},                                                       \
        {"from_run", from_run, METH_O, "from_run(bytes): texts, of which each is a bulk string."},                     \
        {"to_item", to_item, METH_O, "to_item(text): as a bulk string."},                                              \
        {"to_run", to_run, METH_O, "to_run(texts): as bulk strings."}

#endif
