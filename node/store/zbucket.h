/* Some members of a sorted set and their scores, in order: what plain_bucket.py promises, in one block of memory.
 *
 * The scores stand side by side, and the members behind them: a search through objects would wait for the memory of
 * each. A member is looked for and changed in one call.
 */

#ifndef GOSSAMER_ZBUCKET_H
#define GOSSAMER_ZBUCKET_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <string.h>

#include "heap.h"
#include "search.h"

#define ZBUCKET_STEP 16 /* the block has room for a multiple of so many, and at most three times so many to spare */

typedef struct {
    PyObject_HEAD
    Py_ssize_t count;
    Py_ssize_t room;
    double *scores; /* the block */
    PyObject **members;
} ZBucket;

static PyTypeObject zbucket_type;

/* --- memory */

/* Have room for ``count`` members, which is no less than there are; 0 if there is no memory, and then nothing has
 * changed. */
static int zbucket_resize(ZBucket *bucket, Py_ssize_t count)
{
    Py_ssize_t room = (count + ZBUCKET_STEP - 1) / ZBUCKET_STEP * ZBUCKET_STEP;
    size_t scores = (size_t)room * sizeof(double), held = (size_t)bucket->count * sizeof(double);
    if (room == bucket->room)
        return 1;
    if (!room) {
        PyMem_Free(bucket->scores);
        bucket->scores = NULL;
        bucket->members = NULL;
        bucket->room = 0;
        return 1;
    }
    double *block = heap_refuses() ? NULL : PyMem_Malloc(scores + (size_t)room * sizeof(PyObject *));
    if (!block)
        return PyErr_NoMemory() != NULL;
    PyObject **members = (PyObject **)(block + room);
    if (bucket->count) {
        memcpy(block, bucket->scores, held);
        memcpy(members, bucket->members, (size_t)bucket->count * sizeof(PyObject *));
    }
    PyMem_Free(bucket->scores);
    bucket->scores = block;
    bucket->members = members;
    bucket->room = room;
    return 1;
}

/* Some are gone: give memory back if it is worth it. Where there is none to move to, all stays as it is. */
static void zbucket_settle(ZBucket *bucket)
{
    if (bucket->room - bucket->count > 3 * ZBUCKET_STEP && !zbucket_resize(bucket, bucket->count))
        PyErr_Clear();
}

static ZBucket *zbucket_make(Py_ssize_t count)
{
    ZBucket *bucket = PyObject_New(ZBucket, &zbucket_type);
    if (!bucket)
        return NULL;
    bucket->count = bucket->room = 0;
    bucket->scores = NULL;
    bucket->members = NULL;
    if (!zbucket_resize(bucket, count))
        Py_CLEAR(bucket);
    return bucket;
}

/* Append those of ``other`` from ``start`` up to ``stop``, for which there is room. */
static void zbucket_append(ZBucket *bucket, ZBucket *other, Py_ssize_t start, Py_ssize_t stop)
{
    Py_ssize_t place;
    for (place = start; place < stop; place++) {
        bucket->scores[bucket->count] = other->scores[place];
        bucket->members[bucket->count++] = Py_NewRef(other->members[place]);
    }
}

/* Close the gap that the members from ``start`` up to ``stop`` leave, whose references the caller has. */
static void zbucket_close(ZBucket *bucket, Py_ssize_t start, Py_ssize_t stop)
{
    size_t behind = (size_t)(bucket->count - stop);
    if (start == stop)
        return; /* there may be no block */
    memmove(bucket->scores + start, bucket->scores + stop, behind * sizeof(double));
    memmove(bucket->members + start, bucket->members + stop, behind * sizeof(PyObject *));
    bucket->count -= stop - start;
    zbucket_settle(bucket);
}

static void zbucket_drop(ZBucket *bucket, Py_ssize_t place)
{
    PyObject *member = bucket->members[place];
    zbucket_close(bucket, place, place + 1);
    Py_DECREF(member);
}

static void zbucket_dealloc(ZBucket *bucket)
{
    Py_ssize_t place;
    for (place = 0; place < bucket->count; place++)
        Py_DECREF(bucket->members[place]);
    PyMem_Free(bucket->scores);
    PyObject_Free(bucket);
}

/* --- arguments */

/* The number of ``object``, from ``least`` to ``most``; -1 with an error set. */
static Py_ssize_t zbucket_place(PyObject *object, Py_ssize_t least, Py_ssize_t most)
{
    Py_ssize_t place = PyLong_AsSsize_t(object);
    if (place == -1 && PyErr_Occurred())
        return -1;
    if (place >= least && place <= most)
        return place;
    PyErr_SetString(PyExc_IndexError, "no place in the bucket");
    return -1;
}

/* A start and a stop; 0 with an error set. */
static int zbucket_range(ZBucket *bucket, PyObject *const *args, Py_ssize_t count, Py_ssize_t *start, Py_ssize_t *stop)
{
    if (count != 2) {
        PyErr_SetString(PyExc_TypeError, "a start and a stop");
        return 0;
    }
    *start = zbucket_place(args[0], 0, bucket->count);
    *stop = *start < 0 ? -1 : zbucket_place(args[1], *start, PY_SSIZE_T_MAX);
    *stop = Py_MIN(*stop, bucket->count);
    return *stop >= 0;
}

static int zbucket_takes(PyObject *const *args, Py_ssize_t count, Py_ssize_t wanted)
{
    if (count == wanted && PyFloat_Check(args[0]) && PyBytes_Check(args[1]))
        return 1;
    PyErr_SetString(PyExc_TypeError, "a score and a member");
    return 0;
}

/* --- one member */

static Py_ssize_t zbucket_find(ZBucket *bucket, double score, PyObject *member)
{
    Py_ssize_t place = search_less(bucket->scores, 0, bucket->count, score);
    if (place == bucket->count || bucket->scores[place] != score)
        return place;
    return search_member(bucket->members, place, search_up_to(bucket->scores, place, bucket->count, score), member);
}

/* The place of what must be there; -1 with an error set. */
static Py_ssize_t zbucket_find_present(ZBucket *bucket, PyObject *const *args)
{
    double score = PyFloat_AS_DOUBLE(args[0]);
    Py_ssize_t place = zbucket_find(bucket, score, args[1]);
    if (place < bucket->count && bucket->scores[place] == score && !search_compare(bucket->members[place], args[1]))
        return place;
    PyErr_SetString(PyExc_KeyError, "the member is not there with that score");
    return -1;
}

static PyObject *zbucket_find_place(ZBucket *self, PyObject *const *args, Py_ssize_t count)
{
    return zbucket_takes(args, count, 2) ? PyLong_FromSsize_t(zbucket_find(self, PyFloat_AS_DOUBLE(args[0]), args[1]))
                                        : NULL;
}

/* Put in ``member``, which is not there, and say where; -1 with an error set. */
static Py_ssize_t zbucket_put(ZBucket *bucket, double score, PyObject *member)
{
    Py_ssize_t place = zbucket_find(bucket, score, member);
    if (bucket->count == bucket->room && !zbucket_resize(bucket, bucket->count + 1))
        return -1;
    size_t behind = (size_t)(bucket->count - place);
    memmove(bucket->scores + place + 1, bucket->scores + place, behind * sizeof(double));
    memmove(bucket->members + place + 1, bucket->members + place, behind * sizeof(PyObject *));
    bucket->scores[place] = score;
    bucket->members[place] = Py_NewRef(member);
    bucket->count++;
    return place;
}

static PyObject *zbucket_add(ZBucket *self, PyObject *const *args, Py_ssize_t count)
{
    if (!zbucket_takes(args, count, 2))
        return NULL;
    Py_ssize_t place = zbucket_put(self, PyFloat_AS_DOUBLE(args[0]), args[1]);
    return place < 0 ? NULL : PyLong_FromSsize_t(place);
}

static PyObject *zbucket_remove(ZBucket *self, PyObject *const *args, Py_ssize_t count)
{
    Py_ssize_t place = zbucket_takes(args, count, 2) ? zbucket_find_present(self, args) : -1;
    if (place < 0)
        return NULL;
    zbucket_drop(self, place);
    Py_RETURN_NONE;
}

/* Give the member at ``place`` a score if it stands between two others with it, too. */
static int zbucket_stays(ZBucket *bucket, Py_ssize_t place, double score)
{
    double *scores = bucket->scores + place;
    if (!place || place >= bucket->count - 1 || scores[-1] >= score || score >= scores[1])
        return 0;
    scores[0] = score;
    return 1;
}

static PyObject *zbucket_move(ZBucket *self, PyObject *const *args, Py_ssize_t count)
{
    Py_ssize_t place = zbucket_takes(args, count, 3) ? zbucket_find_present(self, args) : -1;
    if (place < 0)
        return NULL;
    if (!PyFloat_Check(args[2]))
        return PyErr_Format(PyExc_TypeError, "a score is a float");
    if (zbucket_stays(self, place, PyFloat_AS_DOUBLE(args[2])))
        Py_RETURN_TRUE;
    zbucket_drop(self, place);
    Py_RETURN_FALSE;
}

/* Take the member at ``place`` away, which is returned with its score. */
static PyObject *zbucket_take(ZBucket *bucket, Py_ssize_t place)
{
    PyObject *score = PyFloat_FromDouble(bucket->scores[place]);
    PyObject *popped = score ? PyTuple_Pack(2, bucket->members[place], score) : NULL;
    Py_XDECREF(score);
    if (popped)
        zbucket_drop(bucket, place);
    return popped;
}

static PyObject *zbucket_pop(ZBucket *self, PyObject *argument)
{
    Py_ssize_t place = zbucket_place(argument, 0, self->count - 1);
    return place < 0 ? NULL : zbucket_take(self, place);
}

static PyObject *zbucket_below(ZBucket *self, PyObject *const *args, Py_ssize_t count)
{
    if (count != 2 || !PyFloat_Check(args[0]))
        return PyErr_Format(PyExc_TypeError, "a score, and whether it is included");
    double score = PyFloat_AS_DOUBLE(args[0]);
    return PyLong_FromSsize_t(args[1] == Py_True ? search_up_to(self->scores, 0, self->count, score)
                                                 : search_less(self->scores, 0, self->count, score));
}

/* --- many members */

static PyObject *zbucket_members(ZBucket *self, PyObject *const *args, Py_ssize_t count)
{
    Py_ssize_t start, stop, place;
    PyObject *list = zbucket_range(self, args, count, &start, &stop) ? PyList_New(stop - start) : NULL;
    for (place = start; list && place < stop; place++)
        PyList_SET_ITEM(list, place - start, Py_NewRef(self->members[place]));
    return list;
}

static PyObject *zbucket_scores(ZBucket *self, PyObject *const *args, Py_ssize_t count)
{
    Py_ssize_t start, stop, place;
    PyObject *list = zbucket_range(self, args, count, &start, &stop) ? PyList_New(stop - start) : NULL;
    for (place = start; list && place < stop; place++) {
        PyObject *score = PyFloat_FromDouble(self->scores[place]);
        if (score)
            PyList_SET_ITEM(list, place - start, score);
        else
            Py_CLEAR(list);
    }
    return list;
}

static PyObject *zbucket_cut(ZBucket *self, PyObject *const *args, Py_ssize_t count)
{
    Py_ssize_t start, stop, place;
    PyObject *list = zbucket_range(self, args, count, &start, &stop) ? PyList_New(stop - start) : NULL;
    if (!list)
        return NULL;
    for (place = start; place < stop; place++)
        PyList_SET_ITEM(list, place - start, self->members[place]); /* the list has the references now */
    zbucket_close(self, start, stop);
    return list;
}

static PyObject *zbucket_split(ZBucket *self, PyObject *argument)
{
    Py_ssize_t place = zbucket_place(argument, 0, self->count), stop = self->count;
    ZBucket *other = place < 0 ? NULL : zbucket_make(stop - place);
    if (!other)
        return NULL;
    zbucket_append(other, self, place, stop);
    while (self->count > place)
        Py_DECREF(self->members[--self->count]); /* none of these is the last one */
    zbucket_settle(self);
    return (PyObject *)other;
}

static PyObject *zbucket_join(ZBucket *self, PyObject *argument)
{
    if (!Py_IS_TYPE(argument, &zbucket_type) || argument == (PyObject *)self)
        return PyErr_Format(PyExc_TypeError, "another bucket");
    ZBucket *other = (ZBucket *)argument;
    if (self->count + other->count > self->room && !zbucket_resize(self, self->count + other->count))
        return NULL;
    zbucket_append(self, other, 0, other->count);
    Py_RETURN_NONE;
}

static PyObject *zbucket_copy(ZBucket *self, PyObject *Py_UNUSED(none))
{
    ZBucket *other = zbucket_make(self->count);
    if (other)
        zbucket_append(other, self, 0, self->count);
    return (PyObject *)other;
}

static Py_ssize_t zbucket_length(ZBucket *self) { return self->count; }

static PyObject *zbucket_first(ZBucket *self, void *Py_UNUSED(closure))
{
    return self->count ? Py_NewRef(self->members[0]) : PyErr_Format(PyExc_IndexError, "the bucket is empty");
}

static PyObject *zbucket_low(ZBucket *self, void *Py_UNUSED(closure))
{
    return self->count ? PyFloat_FromDouble(self->scores[0]) : PyErr_Format(PyExc_IndexError, "the bucket is empty");
}

static PyObject *zbucket_sizeof(ZBucket *self, PyObject *Py_UNUSED(none))
{
    return PyLong_FromSize_t(sizeof(ZBucket) + (size_t)self->room * (sizeof(double) + sizeof(PyObject *)));
}

static PyObject *zbucket_new(PyTypeObject *Py_UNUSED(type), PyObject *args, PyObject *Py_UNUSED(names))
{
    PyObject *scores = NULL, *members = NULL;
    Py_ssize_t place;
    if (!PyArg_ParseTuple(args, "|O!O!:Bucket", &PyList_Type, &scores, &PyList_Type, &members))
        return NULL;
    Py_ssize_t count = scores ? PyList_GET_SIZE(scores) : 0;
    if (scores && (!members || PyList_GET_SIZE(members) != count))
        return PyErr_Format(PyExc_TypeError, "a score for each member");
    ZBucket *bucket = zbucket_make(count);
    for (place = 0; bucket && place < count; place++) {
        PyObject *pair[] = {PyList_GET_ITEM(scores, place), PyList_GET_ITEM(members, place)};
        if (!zbucket_takes(pair, 2, 2)) {
            Py_CLEAR(bucket);
            break;
        }
        bucket->scores[place] = PyFloat_AS_DOUBLE(pair[0]);
        bucket->members[place] = Py_NewRef(pair[1]);
        bucket->count++;
    }
    return (PyObject *)bucket;
}

static PyMethodDef zbucket_methods[] = {
    {"find", (PyCFunction)(void *)zbucket_find_place, METH_FASTCALL, "find(score, member): how many are less."},
    {"below", (PyCFunction)(void *)zbucket_below, METH_FASTCALL, "below(score, inclusive): how many scores are."},
    {"add", (PyCFunction)(void *)zbucket_add, METH_FASTCALL, "add(score, member): put it in; where it is now."},
    {"remove", (PyCFunction)(void *)zbucket_remove, METH_FASTCALL, "remove(score, member)"},
    {"move", (PyCFunction)(void *)zbucket_move, METH_FASTCALL, "move(score, member, new): False if it is removed."},
    {"pop", (PyCFunction)zbucket_pop, METH_O, "pop(place): the member and its score."},
    {"members", (PyCFunction)(void *)zbucket_members, METH_FASTCALL, "members(start, stop)"},
    {"scores", (PyCFunction)(void *)zbucket_scores, METH_FASTCALL, "scores(start, stop)"},
    {"cut", (PyCFunction)(void *)zbucket_cut, METH_FASTCALL, "cut(start, stop): take these members away."},
    {"split", (PyCFunction)zbucket_split, METH_O, "split(place): what stands from there on, as another bucket."},
    {"join", (PyCFunction)zbucket_join, METH_O, "join(other): what that one has follows."},
    {"copy", (PyCFunction)zbucket_copy, METH_NOARGS, "copy()"},
    {"__sizeof__", (PyCFunction)zbucket_sizeof, METH_NOARGS, "bytes, without the members'."},
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef zbucket_attributes[] = {
    {"first", (getter)zbucket_first, NULL, "The first member.", NULL},
    {"low", (getter)zbucket_low, NULL, "Its score.", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PySequenceMethods zbucket_sequence = {.sq_length = (lenfunc)zbucket_length};

static PyTypeObject zbucket_type = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "gossamer.node.store.native.Bucket",
    .tp_basicsize = sizeof(ZBucket),
    .tp_flags = Py_TPFLAGS_DEFAULT,
    .tp_doc = "Members of a sorted set and their scores, in order.",
    .tp_new = zbucket_new,
    .tp_dealloc = (destructor)zbucket_dealloc,
    .tp_methods = zbucket_methods,
    .tp_getset = zbucket_attributes,
    .tp_as_sequence = &zbucket_sequence,
};

#endif
