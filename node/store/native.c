/* The table of keys in C: what Python sees of it. plain.py says what each method promises. And LZF, CRC-64, lists of
 * texts and the buckets of sorted sets, beside it.
 *
 * docs/table.md has a picture. Read from below: hash.h, heap.h, clock.h, entry.h, segment.h, table.h.
 *
 * Whatever the end of a value runs (``__del__``) may call the table again. So a method lets go of a value last, when it
 * holds no pointer into the table; and while a method reads a table, the collector rests.
 */

#include "../native.h"
#include "clock.h"
#include "crc64.h"
#include "lzf.h"
#include "packed_zset.h"
#include "rdb_strings.h"
#include "shards.h"
#include "stream_entries.h"
#include "stream_entry.h"
#include "table.h"
#include "texts.h"
#include "zbucket.h"
#include "zorder.h"

static int is_key(PyObject *key)
{
    if (PyBytes_CheckExact(key))
        return 1;
    PyErr_Format(PyExc_TypeError, "a key is bytes, not %.100s", Py_TYPE(key)->tp_name);
    return 0;
}

/* --- one key */

static PyObject *table_get(Table *self, PyObject *key)
{
    if (!is_key(key))
        return NULL;
    Entry *entry = table_entry(self, KEY(key));
    return entry ? entry_value(entry) : Py_NewRef(Py_None);
}

static int table_contains(Table *self, PyObject *key) { return is_key(key) ? table_entry(self, KEY(key)) != NULL : -1; }

static PyObject *table_expire(Table *self, PyObject *key)
{
    if (!is_key(key))
        return NULL;
    Entry *entry = self->expiring ? table_entry(self, KEY(key)) : NULL;
    return PyLong_FromLongLong(entry ? entry_expire(entry) : NEVER);
}

/* 0 if there is an error, which is set. */
static int is_clock(PyObject *object)
{
    if (Py_IS_TYPE(object, &clock_type))
        return 1;
    PyErr_Format(PyExc_TypeError, "a Clock is needed, not %.100s", Py_TYPE(object)->tp_name);
    return 0;
}

static PyObject *table_use(Table *self, PyObject *const *args, Py_ssize_t count)
{
    if (count != 2) {
        PyErr_SetString(PyExc_TypeError, "use(key, clock)");
        return NULL;
    }
    if (!is_key(args[0]) || !is_clock(args[1]))
        return NULL;
    Entry *entry = table_entry(self, KEY(args[0]));
    if (!entry)
        Py_RETURN_NONE;
    uint32_t stamp = clock_used((Clock *)args[1], entry->stamp);
    if (stamp != entry->stamp) /* most keys are used often: their memory stays as it is */
        entry->stamp = stamp;
    return entry_value(entry);
}

static PyObject *table_stamp(Table *self, PyObject *key)
{
    if (!is_key(key))
        return NULL;
    const Entry *entry = table_entry(self, KEY(key));
    return PyLong_FromLong(entry ? (long)entry->stamp : -1);
}

static PyObject *table_set_stamp(Table *self, PyObject *const *args, Py_ssize_t count)
{
    uint32_t stamp;
    if (count != 2) {
        PyErr_SetString(PyExc_TypeError, "set_stamp(key, stamp)");
        return NULL;
    }
    if (!is_key(args[0]) || !read_stamp(args[1], &stamp))
        return NULL;
    Entry *entry = table_entry(self, KEY(args[0]));
    if (entry)
        entry->stamp = stamp;
    return PyBool_FromLong(entry != NULL);
}

/* -1 with an error set. */
static int put_new(Table *table, uint64_t hash, PyObject *key, PyObject *value, int64_t at, const Clock *clock)
{
    Entry *entry = entry_new(KEY(key), value, at, clock ? clock_fresh(clock) : 0);
    if (entry && table_add(table, hash, entry) == 0)
        return 0;
    if (entry)
        entry_free(entry);
    PyErr_NoMemory();
    return -1;
}

/* -1 with an error set. */
static int put_over(Table *table, uint64_t hash, Bucket *bucket, int place, PyObject *key, PyObject *value, int64_t at)
{
    if (entry_rewrite(bucket->entry[place], value, at))
        return 0;
    Entry *entry = entry_new(KEY(key), value, at, bucket->entry[place]->stamp);
    if (!entry) {
        PyErr_NoMemory();
        return -1;
    }
    entry_free(table_swap(table, hash, bucket, place, entry));
    return 0;
}

static PyObject *put(Table *table, PyObject *key, PyObject *value, int64_t at, Clock *clock)
{
    int place;
    uint64_t hash = hash_of(KEY(key));
    Bucket *bucket = table_find(table, hash, KEY(key), &place);
    if (!bucket)
        return put_new(table, hash, key, value, at, clock) < 0 ? NULL : Py_NewRef(Py_None);
    Entry *entry = bucket->entry[place];
    PyObject *old = entry_length_or_object(entry);
    if (old && put_over(table, hash, bucket, place, key, value, at == KEEP ? entry_expire(entry) : at) < 0)
        Py_CLEAR(old);
    else if (old && clock && at != KEEP)
        bucket->entry[place]->stamp = clock_used(clock, bucket->entry[place]->stamp);
    return old;
}

/* 0 if there is an error, which is set. */
static int read_time(PyObject *object, int64_t *at)
{
    *at = PyLong_AsLongLong(object);
    return !(*at == -1 && PyErr_Occurred());
}

static PyObject *table_put(Table *self, PyObject *const *args, Py_ssize_t count)
{
    int64_t at = NEVER;
    if (count < 2 || count > 4) {
        PyErr_SetString(PyExc_TypeError, "put(key, value, at, clock)");
        return NULL;
    }
    if (!is_key(args[0]) || (count > 2 && !read_time(args[2], &at)) || (count > 3 && !is_clock(args[3])))
        return NULL;
    if ((uint64_t)PyBytes_GET_SIZE(args[0]) > UINT32_MAX) {
        PyErr_SetString(PyExc_OverflowError, "a key of 4 GB");
        return NULL;
    }
    return put(self, args[0], args[1], at, count > 3 ? (Clock *)args[3] : NULL);
}

/* An entry like ``old``, but with another expire time, or NEVER; NULL for want of memory. The object is the same. */
static Entry *entry_with_expire(const Entry *old, int64_t at)
{
    unsigned flags = (old->flags & ~(unsigned)EXPIRES) | (at >= 0 ? EXPIRES : 0);
    size_t behind = entry_size(old) - sizeof(Entry) - key_offset(old->flags);
    Entry *entry = heap_take(sizeof(Entry) + key_offset(flags) + behind);
    if (!entry)
        return NULL;
    *entry = *old;
    entry->flags = (uint8_t)flags;
    memcpy(entry->data, old->data, expire_offset(flags));
    entry_set_expire(entry, at);
    memcpy(entry->data + key_offset(flags), key_start(old), behind);
    return entry;
}

static PyObject *table_set_expire(Table *self, PyObject *const *args, Py_ssize_t count)
{
    int64_t at;
    if (count != 2) {
        PyErr_SetString(PyExc_TypeError, "set_expire(key, at)");
        return NULL;
    }
    if (!is_key(args[0]) || !read_time(args[1], &at))
        return NULL;
    int place;
    uint64_t hash = hash_of(KEY(args[0]));
    Bucket *bucket = table_find(self, hash, KEY(args[0]), &place);
    if (!bucket)
        Py_RETURN_FALSE;
    Entry *entry = bucket->entry[place];
    if ((at >= 0) == ((entry->flags & EXPIRES) != 0)) {
        entry_set_expire(entry, at);
        Py_RETURN_TRUE;
    }
    Entry *changed = entry_with_expire(entry, at);
    if (!changed)
        return PyErr_NoMemory();
    entry_discard(table_swap(self, hash, bucket, place, changed));
    Py_RETURN_TRUE;
}

static PyObject *table_remove(Table *self, PyObject *key)
{
    if (!is_key(key))
        return NULL;
    int place;
    uint64_t hash = hash_of(KEY(key));
    Bucket *bucket = table_find(self, hash, KEY(key), &place);
    if (!bucket)
        Py_RETURN_NONE;
    PyObject *value = entry_value(bucket->entry[place]);
    if (!value)
        return NULL;
    Entry *entry = table_take_out(self, hash, bucket, place);
    table_settle(self, hash);
    entry_free(entry); /* ``value`` still refers to what the entry did */
    return value;
}

/* --- many keys */

/* Take up to ``most`` keys out of one segment, and let ``objects`` have what is not a string; how many. With an error
 * set it has ended before one that stays. The segment may be empty, or half so, but it is there still. */
static Py_ssize_t drop_some(Table *table, Segment *segment, Py_ssize_t most, PyObject *objects)
{
    Py_ssize_t dropped = 0;
    int place;
    for EACH_BUCKET (bucket, segment) {
        fetch_ahead(bucket, behind);
        for EACH_PLACE (place, places_taken(bucket)) {
            Entry *entry = bucket->entry[place];
            int object = entry->flags & OBJECT && !PyBytes_CheckExact(entry_object(entry));
            if (object && PyList_Append(objects, entry_object(entry)) < 0)
                return dropped;
            entry_free(table_take_out(table, entry_hash(entry), bucket, place));
            if (++dropped == most)
                return dropped;
        }
    }
    return dropped;
}

static PyObject *table_drop(Table *self, PyObject *count)
{
    Py_ssize_t most = PyLong_AsSsize_t(count);
    if (most == -1 && PyErr_Occurred())
        return NULL;
    PyObject *objects = PyList_New(0);
    Py_ssize_t before = self->count;
    uint64_t position = 0;
    while (objects && most > 0 && self->count && !PyErr_Occurred()) {
        Segment *segment = segment_at(self, position);
        if (!segment->count) {
            position = position_behind(segment, position) % POSITION_END;
            continue;
        }
        most -= drop_some(self, segment, most, objects);
        table_settle(self, position << POSITION_SHIFT);
    }
    if (objects && PyErr_Occurred() && self->count < before)
        PyErr_Clear(); /* the caller shall have what has left the table; what is left can be dropped later */
    else if (PyErr_Occurred())
        Py_CLEAR(objects);
    return objects;
}

/* What walks tell of an entry. */
typedef PyObject *Told(Entry *entry);

static PyObject *key_of(Entry *entry)
{
    return PyBytes_FromStringAndSize(key_start(entry), (Py_ssize_t)key_size(entry));
}

static PyObject *item_of(Entry *entry)
{
    PyObject *item = PyTuple_New(3);
    if (!item)
        return NULL;
    PyObject *parts[] = {key_of(entry), entry_value(entry), PyLong_FromLongLong(entry_expire(entry))};
    int whole = 1;
    for (int i = 0; i < 3; i++) {
        PyTuple_SET_ITEM(item, i, parts[i]);
        whole &= parts[i] != NULL;
    }
    if (!whole)
        Py_CLEAR(item);
    return item;
}

static PyObject *candidate_of(Entry *entry)
{
    PyObject *key = key_of(entry);
    return key ? Py_BuildValue("(NIL)", key, (unsigned)entry->stamp, (long long)entry_expire(entry)) : NULL;
}

typedef struct {
    PyObject *list;
    Told *told;
    int expiring; /* only those that expire are told of */
} Telling;

static int tell(Entry *entry, void *context)
{
    const Telling *telling = context;
    if (telling->expiring && !(entry->flags & EXPIRES))
        return 0;
    PyObject *told = telling->told(entry);
    int failed = !told || PyList_Append(telling->list, told) < 0;
    Py_XDECREF(told);
    return failed;
}

#define LOOKED_AT 4096 /* buckets, in one call, however few entries they have */

/* Go on from ``position``; POSITION_END at the end. It fails with an error set. */
static int walk_on(const Table *table, uint64_t *position, Py_ssize_t most, Telling *telling)
{
    for (int looked = 0; looked < LOOKED_AT && PyList_GET_SIZE(telling->list) < most; looked++) {
        if (!table->count)
            *position = POSITION_END;
        if (*position >= POSITION_END)
            return 0;
        const Segment *segment = segment_at(table, *position);
        if (telling->expiring ? !segment->expiring : !segment->count) {
            *position = position_behind(segment, *position);
            continue;
        }
        if (visit_home(segment, *position, tell, telling))
            return -1;
        *position = position_of_next(segment, *position);
    }
    return 0;
}

static PyObject *walk(const Table *table, PyObject *const *args, Py_ssize_t count, Told *told, int expiring)
{
    if (count != 2) {
        PyErr_SetString(PyExc_TypeError, "a walk takes a cursor and a count");
        return NULL;
    }
    uint64_t position = PyLong_AsUnsignedLongLong(args[0]);
    Py_ssize_t most = PyErr_Occurred() ? -1 : PyLong_AsSsize_t(args[1]);
    Telling telling = {PyErr_Occurred() ? NULL : PyList_New(0), told, expiring};
    if (!telling.list)
        return NULL;
    int collecting = PyGC_Disable();
    int failed = walk_on(table, &position, most > 0 ? most : 1, &telling);
    if (collecting)
        PyGC_Enable();
    if (failed) {
        Py_DECREF(telling.list);
        return NULL;
    }
    return Py_BuildValue("(KN)", (unsigned long long)(position < POSITION_END ? position : 0), telling.list);
}

static PyObject *table_keys(Table *self, PyObject *const *args, Py_ssize_t count)
{
    return walk(self, args, count, key_of, 0);
}

static PyObject *table_items(Table *self, PyObject *const *args, Py_ssize_t count)
{
    return walk(self, args, count, item_of, 0);
}

static PyObject *table_expiring_keys(Table *self, PyObject *const *args, Py_ssize_t count)
{
    return walk(self, args, count, key_of, 1);
}

static PyObject *table_position(Table *Py_UNUSED(self), PyObject *key)
{
    return is_key(key) ? PyLong_FromUnsignedLongLong(hash_of(KEY(key)) >> POSITION_SHIFT) : NULL;
}

/* --- chance */

#define DRAWS 1000 /* of which none hits an entry in a table that could not shrink */

/* Draw a place of a segment of the largest size, each with the same chance; NULL if there is no entry. For that the
 * segment must be drawn by the first of its places in the directory. */
static Entry *draw(const Table *table, uint64_t number)
{
    size_t at = directory_place(table, number);
    const Segment *segment = table->directory[at];
    uint32_t low = (uint32_t)number, bits = table->depth ? MOST_BITS : segment->bits;
    uint32_t bucket = low & (((uint32_t)1 << bits) - 1), place = ((low >> MOST_BITS & 0xfff) * PLACES) >> 12;
    if ((at && table->directory[at - 1] == segment) || bucket > mask_of(segment))
        return NULL;
    return segment->bucket[bucket].tag[place] ? segment->bucket[bucket].entry[place] : NULL;
}

/* Any entry at ``position`` or behind it. There is one. */
static Entry *next_entry(const Table *table, uint64_t position)
{
    const Segment *segment;
    while (!(segment = segment_at(table, position))->count)
        position = position_behind(segment, position) % POSITION_END;
    const Bucket *bucket = segment->bucket;
    while (!places_taken(bucket))
        bucket++;
    return bucket->entry[first_of(places_taken(bucket))];
}

static PyObject *table_random(Table *self, PyObject *number)
{
    uint64_t chance = PyLong_AsUnsignedLongLong(number);
    if (PyErr_Occurred())
        return NULL;
    if (!self->count)
        Py_RETURN_NONE;
    Entry *entry = NULL;
    for (int drawn = 0; drawn < DRAWS && !entry; drawn++)
        entry = draw(self, next_number(&chance));
    return key_of(entry ? entry : next_entry(self, next_number(&chance) >> POSITION_SHIFT));
}

/* Fill ``telling`` with ``most`` entries, or more, that stand side by side from ``position`` on; behind the last one
 * comes the first. Nobody asks for more than there are. */
static int take_sample(const Table *table, uint64_t position, Py_ssize_t most, Telling *telling)
{
    for (int turn = 0; turn < 2 && PyList_GET_SIZE(telling->list) < most; turn++) {
        while (position < POSITION_END && PyList_GET_SIZE(telling->list) < most)
            if (walk_on(table, &position, most, telling))
                return -1;
        position = 0;
    }
    return 0;
}

/* Leave ``most`` of a list, from where ``number`` says: the last of a crowded bucket shall have its chance. */
static int cut(PyObject *list, Py_ssize_t most, uint64_t number)
{
    Py_ssize_t more = PyList_GET_SIZE(list) - most;
    if (more <= 0)
        return 0;
    Py_ssize_t before = (Py_ssize_t)(number % (uint64_t)(more + 1));
    if (PyList_SetSlice(list, before + most, PyList_GET_SIZE(list), NULL) < 0)
        return -1;
    return PyList_SetSlice(list, 0, before, NULL);
}

static PyObject *table_sample(Table *self, PyObject *const *args, Py_ssize_t count)
{
    if (count != 3) {
        PyErr_SetString(PyExc_TypeError, "sample(number, count, expiring)");
        return NULL;
    }
    uint64_t number = PyLong_AsUnsignedLongLong(args[0]);
    Py_ssize_t most = PyErr_Occurred() ? -1 : PyLong_AsSsize_t(args[1]);
    int expiring = PyErr_Occurred() ? -1 : PyObject_IsTrue(args[2]);
    Telling telling = {expiring < 0 ? NULL : PyList_New(0), candidate_of, expiring};
    if (!telling.list)
        return NULL;
    most = Py_MIN(most, expiring ? self->expiring : self->count);
    uint64_t position = number >> POSITION_SHIFT;
    int collecting = PyGC_Disable();
    int failed = take_sample(self, position_of_bucket(segment_at(self, position), position), most, &telling);
    if (collecting)
        PyGC_Enable();
    if (failed || cut(telling.list, Py_MAX(most, 0), number) < 0)
        Py_CLEAR(telling.list);
    return telling.list;
}

/* --- the table as a whole */

static PyObject *table_used(Table *self, PyObject *Py_UNUSED(none))
{
    size_t directory = self->depth ? heap_cost(directory_bytes(self->depth)) : 0;
    return PyLong_FromSize_t(sizeof *self + self->bytes + directory);
}

static Py_ssize_t table_length(Table *self) { return self->count; }

static PyObject *table_expiring(Table *self, void *Py_UNUSED(closure)) { return PyLong_FromSsize_t(self->expiring); }

static PyObject *table_new(PyTypeObject *type, PyObject *args, PyObject *names)
{
    if (!PyArg_ParseTuple(args, ":Table") || (names && PyDict_GET_SIZE(names)))
        return PyErr_Occurred() ? NULL : PyErr_Format(PyExc_TypeError, "Table() takes no arguments");
    Table *table = (Table *)type->tp_alloc(type, 0);
    if (table)
        table_start(table);
    return (PyObject *)table;
}

static void table_dealloc(Table *self)
{
    int place;
    for (size_t i = 0; i < (size_t)1 << self->depth;) {
        Segment *segment = self->directory[i];
        i += (size_t)1 << (self->depth - segment->depth);
        for EACH_BUCKET (bucket, segment) {
            fetch_ahead(bucket, behind);
            for EACH_PLACE (place, places_taken(bucket))
                entry_free(bucket->entry[place]);
        }
        segment_free(segment);
    }
    if (self->depth)
        heap_give_back(self->directory, directory_bytes(self->depth));
    Py_TYPE(self)->tp_free((PyObject *)self);
}

static PyMethodDef table_methods[] = {
    {"get", (PyCFunction)table_get, METH_O, "get(key): its value, or None."},
    {"expire", (PyCFunction)table_expire, METH_O, "expire(key): when it expires, or NEVER."},
    {"use", (PyCFunction)(void *)table_use, METH_FASTCALL, "use(key, clock): its value, or None; it is used now."},
    {"stamp", (PyCFunction)table_stamp, METH_O, "stamp(key): what a Clock notes of its uses; -1: no key."},
    {"set_stamp", (PyCFunction)(void *)table_set_stamp, METH_FASTCALL, "set_stamp(key, stamp): is the key there?"},
    {"put", (PyCFunction)(void *)table_put, METH_FASTCALL, "put(key, value, at, clock): what was."},
    {"set_expire", (PyCFunction)(void *)table_set_expire, METH_FASTCALL, "set_expire(key, at): is the key there?"},
    {"remove", (PyCFunction)table_remove, METH_O, "remove(key): its value, or None."},
    {"drop", (PyCFunction)table_drop, METH_O, "drop(count): take out so many; those values that are not strings."},
    {"position", (PyCFunction)table_position, METH_O, "position(key): where walks come across it."},
    {"keys", (PyCFunction)(void *)table_keys, METH_FASTCALL, "keys(cursor, count): the next cursor or 0; keys."},
    {"items", (PyCFunction)(void *)table_items, METH_FASTCALL, "As keys, with the value and the expire time of each."},
    {"expiring_keys", (PyCFunction)(void *)table_expiring_keys, METH_FASTCALL, "As keys, of those that expire."},
    {"random", (PyCFunction)table_random, METH_O, "random(number below 1 << 64): a key, or None."},
    {"sample", (PyCFunction)(void *)table_sample, METH_FASTCALL, "sample(number, count, expiring): key, stamp, end."},
    {"used", (PyCFunction)table_used, METH_NOARGS, "used(): bytes of memory, without values that are no strings."},
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef table_attributes[] = {
    {"expiring", (getter)table_expiring, NULL, "How many keys expire.", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PySequenceMethods table_sequence = {
    .sq_length = (lenfunc)table_length,
    .sq_contains = (objobjproc)table_contains,
};

/* The collector does not look into tables: it would take a second for ten million keys. So a value must not refer to
 * the table that it is in. */
static PyTypeObject table_type = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "gossamer.node.store.native.Table",
    .tp_basicsize = sizeof(Table),
    .tp_flags = Py_TPFLAGS_DEFAULT,
    .tp_doc = "Keys with their values and expire times.",
    .tp_new = table_new,
    .tp_dealloc = (destructor)table_dealloc,
    .tp_methods = table_methods,
    .tp_getset = table_attributes,
    .tp_as_sequence = &table_sequence,
};

/* --- a batch of requests */

#define BATCH 32 /* requests whose memory is fetched side by side */
#define LINE 64  /* bytes that the processor fetches at once */
#define FETCHED 1024 /* bytes of an entry, at most: of a longer key the processor itself fetches the rest in time */

typedef struct {
    const Table *table;
    uint64_t hash;
    const Bucket *bucket;
} Lookup;

/* The slot of the second word of ``request``, -1 if there is none, or of a key by itself; ``lookup`` if there is a table
 * for it. */
static int route_one(PyObject *request, PyObject *tables, int shift, Lookup *lookup)
{
    lookup->table = NULL;
    PyObject *key = request;
    if (PyList_CheckExact(request))
        key = PyList_GET_SIZE(request) > 1 ? PyList_GET_ITEM(request, 1) : Py_None;
    if (!PyBytes_CheckExact(key))
        return -1;
    int slot = cluster_slot(KEY(key)), place = slot >> shift;
    if (place < PyList_GET_SIZE(tables) && Py_IS_TYPE(PyList_GET_ITEM(tables, place), &table_type)) {
        lookup->table = (const Table *)PyList_GET_ITEM(tables, place);
        lookup->hash = hash_of(KEY(key));
    }
    return slot;
}

/* The entry itself may be longer than a line, and refer to an object. */
static void fetch_rest(const Entry *entry)
{
    size_t size = entry_size(entry);
    for (size_t at = LINE; at < size && at < FETCHED; at += LINE)
        __builtin_prefetch((const char *)entry + at);
    __builtin_prefetch((const char *)entry + size - 1);
    if (entry->flags & OBJECT)
        __builtin_prefetch(entry_object(entry));
}

/* Have the memory fetched that look-ups need: buckets, then entries, then the rest of them. Each loop waits for what
 * the one before it has asked for, but for all of them at once. */
static void fetch(Lookup *lookup, Py_ssize_t count)
{
    for (Py_ssize_t i = 0; i < count; i++) {
        const Segment *segment = segment_of(lookup[i].table, lookup[i].hash);
        lookup[i].bucket = &segment->bucket[home_of(segment, lookup[i].hash)];
        __builtin_prefetch(lookup[i].bucket);
    }
    int place;
    for (Py_ssize_t i = 0; i < count; i++)
        for EACH_PLACE (place, places_with(lookup[i].bucket, tag_of(lookup[i].hash)))
            __builtin_prefetch(lookup[i].bucket->entry[place]);
    for (Py_ssize_t i = 0; i < count; i++)
        for EACH_PLACE (place, places_with(lookup[i].bucket, tag_of(lookup[i].hash)))
            fetch_rest(lookup[i].bucket->entry[place]);
}

/* Fill ``slots`` from ``first`` on. -1 with an error set. */
static int route_some(PyObject *requests, PyObject *tables, int shift, PyObject *slots, Py_ssize_t first)
{
    Lookup lookup[BATCH];
    Py_ssize_t found = 0, behind = Py_MIN(first + BATCH, PyList_GET_SIZE(slots));
    for (Py_ssize_t i = first; i < behind; i++) {
        PyObject *slot = PyLong_FromLong(route_one(PyList_GET_ITEM(requests, i), tables, shift, &lookup[found]));
        if (!slot)
            return -1;
        PyList_SET_ITEM(slots, i, slot);
        found += lookup[found].table != NULL;
    }
    fetch(lookup, found);
    return 0;
}

static PyObject *route(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t count)
{
    if (count != 3 || !PyList_CheckExact(args[0]) || !PyList_CheckExact(args[1])) {
        PyErr_SetString(PyExc_TypeError, "route takes a list of requests, a list of tables, and a shift");
        return NULL;
    }
    long shift = PyLong_AsLong(args[2]);
    if (shift < 0 || shift > 14)
        return PyErr_Occurred() ? NULL : PyErr_Format(PyExc_ValueError, "a shift is 0 to 14");
    PyObject *slots = PyList_New(PyList_GET_SIZE(args[0]));
    for (Py_ssize_t first = 0; slots && first < PyList_GET_SIZE(slots); first += BATCH)
        if (route_some(args[0], args[1], (int)shift, slots, first) < 0)
            Py_CLEAR(slots);
    return slots;
}

/* --- LZF */

#define BYTES_OF(object) ((uint8_t *)PyBytes_AS_STRING(object))

static PyObject *compress(PyObject *Py_UNUSED(module), PyObject *data)
{
    if (!PyBytes_CheckExact(data))
        return PyErr_Format(PyExc_TypeError, "compress takes bytes");
    size_t size = (size_t)PyBytes_GET_SIZE(data);
    if (size > LZF_MOST)
        return PyErr_Format(PyExc_OverflowError, "a string of 4 GB");
    PyObject *packed = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)lzf_room(size));
    if (packed) {
        size_t count = lzf_pack(BYTES_OF(data), size, BYTES_OF(packed));
        _PyBytes_Resize(&packed, (Py_ssize_t)count);
    }
    return packed;
}

static PyObject *decompress(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t count)
{
    Py_ssize_t size = count == 2 && PyBytes_CheckExact(args[0]) ? PyLong_AsSsize_t(args[1]) : -1;
    if (size < 0)
        return PyErr_Occurred() ? NULL : PyErr_Format(PyExc_TypeError, "decompress(bytes, size)");
    size_t packed = (size_t)PyBytes_GET_SIZE(args[0]);
    if ((size_t)size > packed * LZF_GROWTH) /* before memory is asked for: the size may be a lie */
        return PyErr_Format(PyExc_ValueError, "shorter than it says");
    PyObject *data = PyBytes_FromStringAndSize(NULL, size);
    const char *wrong = data ? lzf_unpack(BYTES_OF(args[0]), packed, BYTES_OF(data), (size_t)size) : NULL;
    if (wrong) {
        Py_CLEAR(data);
        PyErr_SetString(PyExc_ValueError, wrong);
    }
    return data;
}

/* --- CRC-64 */

static PyObject *crc64(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t count)
{
    Py_buffer data;
    if (count != 2)
        return PyErr_Format(PyExc_TypeError, "crc64(data, before)");
    uint64_t before = PyLong_AsUnsignedLongLong(args[1]);
    if (PyErr_Occurred() || PyObject_GetBuffer(args[0], &data, PyBUF_SIMPLE) < 0)
        return NULL;
    uint64_t sum = crc64_of(data.buf, (size_t)data.len, before);
    PyBuffer_Release(&data);
    return PyLong_FromUnsignedLongLong(sum);
}

/* --- the module */

static PyObject *seed(PyObject *Py_UNUSED(module), PyObject *key)
{
    if (!PyBytes_CheckExact(key) || PyBytes_GET_SIZE(key) != sizeof hash_seed) {
        PyErr_SetString(PyExc_ValueError, "a seed is 16 bytes");
        return NULL;
    }
    hash_seed[0] = load_word(PyBytes_AS_STRING(key));
    hash_seed[1] = load_word(PyBytes_AS_STRING(key) + 8);
    Py_RETURN_NONE;
}

static PyObject *use_huge_pages(PyObject *Py_UNUSED(module), PyObject *wanted)
{
    int truth = PyObject_IsTrue(wanted);
    if (truth < 0)
        return NULL;
    heap_use_huge_pages(truth);
    Py_RETURN_NONE;
}

static PyObject *resident(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(none))
{
    return PyLong_FromSize_t(heap_resident());
}

static PyObject *in_use(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(none))
{
    return PyLong_FromSize_t(heap_bytes);
}

static PyObject *fail(PyObject *count, int recovers)
{
    long granted = PyLong_AsLong(count);
    if (granted == -1 && PyErr_Occurred())
        return NULL;
    heap_failing = granted;
    heap_recovers = recovers;
    Py_RETURN_NONE;
}

static PyObject *fail_after(PyObject *Py_UNUSED(module), PyObject *count) { return fail(count, 0); }

static PyObject *fail_once(PyObject *Py_UNUSED(module), PyObject *count) { return fail(count, 1); }

static PyObject *key_slot(PyObject *Py_UNUSED(module), PyObject *key)
{
    return is_key(key) ? PyLong_FromLong(cluster_slot(KEY(key))) : NULL;
}

static PyMethodDef functions[] = {
    {"key_slot", key_slot, METH_O, "key_slot(key): its hash slot."},
    {"route", (PyCFunction)(void *)route, METH_FASTCALL, "route(requests, tables, shift): the slots of their keys."},
    {"compress", compress, METH_O, "compress(bytes): as LZF; may be longer."},
    {"decompress", (PyCFunction)(void *)decompress, METH_FASTCALL, "decompress(bytes, size): ValueError if damaged."},
    {"count_less", (PyCFunction)(void *)count_less, METH_FASTCALL, "count_less(scores, score): how many are less."},
    {"count_up_to", (PyCFunction)(void *)count_up_to, METH_FASTCALL, "count_up_to(scores, score): not greater."},
    SHARD_FUNCTIONS,
    ZORDER_FUNCTIONS,
    {"crc64", (PyCFunction)(void *)crc64, METH_FASTCALL, "crc64(data, before): the checksum with ``data`` behind."},
    TEXT_FUNCTIONS,
    PACKED_ZSET_FUNCTIONS,
    RDB_STRING_FUNCTIONS,
    STREAM_ENTRY_FUNCTIONS,
    STREAM_ENTRIES_FUNCTIONS,
    {"seed", seed, METH_O, "seed(16 bytes): the key of the hash, before there is any table."},
    {"use_huge_pages", use_huge_pages, METH_O, "use_huge_pages(wanted): for the memory of tables."},
    {"resident", resident, METH_NOARGS, "resident(): bytes of memory, as pages of the heap."},
    {"in_use", in_use, METH_NOARGS, "in_use(): bytes of it that tables use, and of long pieces beside it."},
    {"fail_after", fail_after, METH_O, "fail_after(count): for tests: grant so many requests for memory; -1: all."},
    {"fail_once", fail_once, METH_O, "fail_once(count): for tests: grant so many, refuse one, grant all others."},
    {NULL, NULL, 0, NULL},
};

/* Bytes of a key with a string beside their lengths: 8 of head, 3.5 of rounding, and of a bucket's 64 what falls to
 * each of the keys that it has on an average. Measured. */
#define OVERHEAD 26
#define EXPIRY 8 /* bytes of an expire time */

static int prepare(PyObject *module)
{
    crc_prepare();
    crc64_prepare();
    crc32_prepare();
    if (PyType_Ready(&table_type) < 0 || PyModule_AddObjectRef(module, "Table", (PyObject *)&table_type) < 0)
        return -1;
    if (PyType_Ready(&clock_type) < 0 || PyModule_AddObjectRef(module, "Clock", (PyObject *)&clock_type) < 0)
        return -1;
    if (PyType_Ready(&zbucket_type) < 0 || PyModule_AddObjectRef(module, "Bucket", (PyObject *)&zbucket_type) < 0)
        return -1;
    return PyModule_AddIntMacro(module, OVERHEAD) < 0 ? -1 : PyModule_AddIntMacro(module, EXPIRY);
}

/* All tables of a process share one heap and one seed, and rely on the global lock. */
static PyModuleDef_Slot slots[] = {{Py_mod_exec, (void *)prepare}, COMMON_SLOTS};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "gossamer.node.store.native",
    .m_doc = "The table of keys, the buckets of sorted sets, LZF, lists of texts, and entries of streams, in C.",
    .m_methods = functions,
    .m_slots = slots,
};

PyMODINIT_FUNC PyInit_native(void) { return PyModuleDef_Init(&definition); }
