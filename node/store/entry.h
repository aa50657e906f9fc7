/* An entry: the key, when it was used, the expire time if there is one, and the value, in one piece of memory.
 *
 *     | flags 1 | key size 1 | value size 2 | stamp 4 | long key size 4? | expire time 8? | key | value, or pointer 8 |
 *
 * A short string (bytes) lies in the entry. A longer one, and any other value, is an object that the entry refers to.
 */

#ifndef GOSSAMER_ENTRY_H
#define GOSSAMER_ENTRY_H

#include <Python.h>

#include "hash.h"
#include "heap.h"

#define NEVER ((int64_t)-1)
#define KEEP ((int64_t)-2) /* of a put: the key expires when it did, and this is no use of it */
#define INLINE_BYTES 448 /* a copy of a longer string costs more than what it saves: an object's header of 33 bytes */
#define SHORT_KEY 254

enum { OBJECT = 1, EXPIRES = 2, LONG_KEY = 4 };

typedef struct {
    uint8_t flags;
    uint8_t key_size; /* 255 if LONG_KEY */
    uint16_t value_size;
    uint32_t stamp; /* see clock.h */
    char data[];
} Entry;

/* What ``key`` and ``size`` of other functions mean. */
#define KEY(object) PyBytes_AS_STRING(object), (size_t)PyBytes_GET_SIZE(object)

static size_t expire_offset(unsigned flags) { return flags & LONG_KEY ? 4 : 0; }

static size_t key_offset(unsigned flags) { return expire_offset(flags) + (flags & EXPIRES ? 8 : 0); }

static size_t key_size(const Entry *entry)
{
    uint32_t size = entry->key_size;
    if (entry->flags & LONG_KEY)
        memcpy(&size, entry->data, sizeof size);
    return size;
}

static const char *key_start(const Entry *entry) { return entry->data + key_offset(entry->flags); }

static char *value_start(Entry *entry) { return entry->data + key_offset(entry->flags) + key_size(entry); }

static size_t entry_size_of(unsigned flags, size_t key_size, size_t value_size)
{
    return sizeof(Entry) + key_offset(flags) + key_size + (flags & OBJECT ? sizeof(PyObject *) : value_size);
}

static size_t entry_size(const Entry *entry) { return entry_size_of(entry->flags, key_size(entry), entry->value_size); }

static uint64_t entry_hash(const Entry *entry) { return hash_of(key_start(entry), key_size(entry)); }

static int entry_has_key(const Entry *entry, const char *key, size_t size)
{
    return key_size(entry) == size && memcmp(key_start(entry), key, size) == 0;
}

static int64_t entry_expire(const Entry *entry)
{
    int64_t at = NEVER;
    if (entry->flags & EXPIRES)
        memcpy(&at, entry->data + expire_offset(entry->flags), sizeof at);
    return at;
}

static void entry_set_expire(Entry *entry, int64_t at)
{
    if (entry->flags & EXPIRES)
        memcpy(entry->data + expire_offset(entry->flags), &at, sizeof at);
}

/* The object that the entry refers to, if it is OBJECT: not a new reference. */
static PyObject *entry_object(const Entry *entry)
{
    PyObject *value;
    memcpy(&value, key_start(entry) + key_size(entry), sizeof value);
    return value;
}

/* A new reference to the value; NULL with an error set. */
static PyObject *entry_value(Entry *entry)
{
    if (entry->flags & OBJECT)
        return Py_NewRef(entry_object(entry));
    return PyBytes_FromStringAndSize(value_start(entry), entry->value_size);
}

/* The length of a string, any other value itself: a new reference; NULL with an error set. */
static PyObject *entry_length_or_object(const Entry *entry)
{
    if (!(entry->flags & OBJECT))
        return PyLong_FromLong(entry->value_size);
    PyObject *value = entry_object(entry);
    return PyBytes_CheckExact(value) ? PyLong_FromSsize_t(PyBytes_GET_SIZE(value)) : Py_NewRef(value);
}

/* Bytes that the entry takes, with those of a string that it refers to. */
static size_t entry_cost(const Entry *entry)
{
    size_t cost = heap_cost(entry_size(entry));
    if (entry->flags & OBJECT && PyBytes_CheckExact(entry_object(entry)))
        cost += sizeof(PyBytesObject) + (size_t)PyBytes_GET_SIZE(entry_object(entry));
    return cost;
}

static unsigned flags_of(size_t key_size, PyObject *value, int64_t at)
{
    int inlined = PyBytes_CheckExact(value) && PyBytes_GET_SIZE(value) <= INLINE_BYTES;
    return (inlined ? 0 : OBJECT) | (at >= 0 ? EXPIRES : 0) | (key_size > SHORT_KEY ? LONG_KEY : 0);
}

static void entry_set_value(Entry *entry, PyObject *value)
{
    if (entry->flags & OBJECT) {
        Py_INCREF(value);
        memcpy(value_start(entry), &value, sizeof value);
        return;
    }
    entry->value_size = (uint16_t)PyBytes_GET_SIZE(value);
    memcpy(value_start(entry), PyBytes_AS_STRING(value), entry->value_size);
}

/* NULL for want of memory. */
static Entry *entry_new(const char *key, size_t size, PyObject *value, int64_t at, uint32_t stamp)
{
    unsigned flags = flags_of(size, value, at);
    Entry *entry = heap_take(entry_size_of(flags, size, flags & OBJECT ? 0 : (size_t)PyBytes_GET_SIZE(value)));
    if (!entry)
        return NULL;
    *entry = (Entry){(uint8_t)flags, (uint8_t)(flags & LONG_KEY ? 255 : size), 0, stamp};
    uint32_t long_size = (uint32_t)size;
    if (flags & LONG_KEY)
        memcpy(entry->data, &long_size, sizeof long_size);
    memcpy(entry->data + key_offset(flags), key, size);
    entry_set_expire(entry, at);
    entry_set_value(entry, value);
    return entry;
}

/* Give ``entry`` another value where it lies; 0 if that does not fit, or it refers to an object or shall do so. */
static int entry_rewrite(Entry *entry, PyObject *value, int64_t at)
{
    unsigned flags = flags_of(key_size(entry), value, at);
    if (flags != entry->flags || flags & OBJECT)
        return 0;
    size_t size = entry_size_of(flags, key_size(entry), (size_t)PyBytes_GET_SIZE(value));
    if (heap_cost(size) != heap_cost(entry_size(entry)))
        return 0;
    entry_set_expire(entry, at);
    entry_set_value(entry, value);
    return 1;
}

/* The memory alone. */
static void entry_discard(Entry *entry) { heap_give_back(entry, entry_size(entry)); }

/* With the reference to an object, whose end may run any code: nothing may be half done by now. */
static void entry_free(Entry *entry)
{
    PyObject *value = entry->flags & OBJECT ? entry_object(entry) : NULL;
    entry_discard(entry);
    Py_XDECREF(value);
}

#endif
