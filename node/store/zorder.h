/* Steps through the buckets of a sorted set, each in one call. plain_zorder.py says what each function promises. */

#ifndef GOSSAMER_ZORDER_H
#define GOSSAMER_ZORDER_H

#include <Python.h>

#include "search.h"
#include "zbucket.h"

#define NOT_IN_ONE_STEP (-1)
#define STAYS (-2)

typedef struct {
    PyObject *buckets, *own; /* lists */
    Py_buffer lows;
    Py_ssize_t count;
} ZOrder;

/* The order that is ``buckets``, ``own`` and ``lows``; 0 with an error set, else the buffer must be released. */
static int zorder_lists(ZOrder *order, PyObject *const *args)
{
    if (!PyList_Check(args[0]) || !PyList_Check(args[1])) {
        PyErr_SetString(PyExc_TypeError, "buckets, and who owns them");
        return 0;
    }
    if (!search_scores(args[2], &order->lows))
        return 0;
    order->buckets = args[0];
    order->own = args[1];
    order->count = order->lows.len / (Py_ssize_t)sizeof(double);
    if (PyList_GET_SIZE(order->buckets) == order->count && PyList_GET_SIZE(order->own) == order->count &&
        !order->lows.readonly)
        return 1;
    PyBuffer_Release(&order->lows);
    PyErr_SetString(PyExc_ValueError, "a low and an owner for each bucket");
    return 0;
}

/* The same, with a score and a member behind them. */
static int zorder_open(ZOrder *order, PyObject *const *args, Py_ssize_t given, Py_ssize_t wanted)
{
    if (given == wanted && PyFloat_Check(args[3]) && PyBytes_Check(args[4]))
        return zorder_lists(order, args);
    PyErr_SetString(PyExc_TypeError, "buckets, who owns them, their lows, a score, a member and limits");
    return 0;
}

/* The bucket at ``index``; NULL with an error set if it is none, or empty. */
static ZBucket *zorder_bucket(ZOrder *order, Py_ssize_t index)
{
    PyObject *bucket = PyList_GET_ITEM(order->buckets, index);
    if (Py_IS_TYPE(bucket, &zbucket_type) && ((ZBucket *)bucket)->count)
        return (ZBucket *)bucket;
    PyErr_SetString(PyExc_TypeError, "buckets with members");
    return NULL;
}

/* The last bucket that begins with ``score`` and ``member`` or less, the first one if none does; -1 with an error. */
static Py_ssize_t zorder_index(ZOrder *order, double score, PyObject *member)
{
    const double *lows = order->lows.buf;
    Py_ssize_t high = search_up_to(lows, 0, order->count, score), low;
    if (high == 0 || lows[high - 1] != score)
        return Py_MAX(high - 1, 0);
    low = search_less(lows, 0, high, score);
    while (low < high) {
        Py_ssize_t middle = (low + high) >> 1;
        ZBucket *bucket = zorder_bucket(order, middle);
        if (!bucket)
            return -1;
        if (search_compare(bucket->members[0], member) <= 0)
            low = middle + 1;
        else
            high = middle;
    }
    return Py_MAX(low - 1, 0);
}

/* Where ``score`` and ``member`` belong, if that bucket may be changed; else NULL, with an error or without. */
static ZBucket *zorder_own(ZOrder *order, PyObject *const *args, Py_ssize_t *index)
{
    *index = order->count ? zorder_index(order, PyFloat_AS_DOUBLE(args[3]), args[4]) : -1;
    return *index < 0 || PyList_GET_ITEM(order->own, *index) != Py_True ? NULL : zorder_bucket(order, *index);
}

static PyObject *zorder_close(ZOrder *order, Py_ssize_t result)
{
    PyBuffer_Release(&order->lows);
    return PyErr_Occurred() ? NULL : PyLong_FromSsize_t(result);
}

static PyObject *order_index(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t given)
{
    ZOrder order;
    if (!zorder_open(&order, args, given, 5))
        return NULL;
    return zorder_close(&order, order.count ? zorder_index(&order, PyFloat_AS_DOUBLE(args[3]), args[4]) : 0);
}

static PyObject *order_add(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t given)
{
    ZOrder order;
    Py_ssize_t index, most, place;
    if (!zorder_open(&order, args, given, 6))
        return NULL;
    ZBucket *bucket = zorder_own(&order, args, &index);
    most = bucket ? PyLong_AsSsize_t(args[5]) : -1;
    if (!bucket || PyErr_Occurred() || bucket->count >= most)
        return zorder_close(&order, NOT_IN_ONE_STEP);
    place = zbucket_put(bucket, PyFloat_AS_DOUBLE(args[3]), args[4]);
    if (place == 0)
        ((double *)order.lows.buf)[index] = PyFloat_AS_DOUBLE(args[3]);
    return zorder_close(&order, index);
}

static PyObject *order_leave(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t given)
{
    ZOrder order;
    Py_ssize_t index, few, place;
    if (!zorder_open(&order, args, given, 7))
        return NULL;
    ZBucket *bucket = zorder_own(&order, args, &index);
    few = bucket ? PyLong_AsSsize_t(args[6]) : -1;
    if (bucket && !PyErr_Occurred() && !PyFloat_Check(args[5]))
        PyErr_SetString(PyExc_TypeError, "a score is a float");
    if (!bucket || PyErr_Occurred() || bucket->count <= Py_MAX(few, 1))
        return zorder_close(&order, NOT_IN_ONE_STEP);
    place = zbucket_find_present(bucket, args + 3);
    if (place < 0)
        return zorder_close(&order, NOT_IN_ONE_STEP);
    if (zbucket_stays(bucket, place, PyFloat_AS_DOUBLE(args[5])))
        return zorder_close(&order, STAYS);
    zbucket_drop(bucket, place);
    if (place == 0)
        ((double *)order.lows.buf)[index] = bucket->scores[0];
    return zorder_close(&order, index);
}

static PyObject *order_pop(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t given)
{
    ZOrder order;
    Py_ssize_t index, few = given == 5 ? PyLong_AsSsize_t(args[4]) : -1;
    PyObject *popped = NULL;
    if (given != 5 || !PyBool_Check(args[3]))
        return PyErr_Format(PyExc_TypeError, "buckets, who owns them, their lows, whether it is the highest, a limit");
    if (PyErr_Occurred() || !zorder_lists(&order, args))
        return NULL;
    index = args[3] == Py_True ? order.count - 1 : 0;
    ZBucket *bucket = order.count && PyList_GET_ITEM(order.own, index) == Py_True ? zorder_bucket(&order, index) : NULL;
    if (bucket && bucket->count > Py_MAX(few, 1)) {
        popped = zbucket_take(bucket, args[3] == Py_True ? bucket->count - 1 : 0);
        ((double *)order.lows.buf)[index] = bucket->scores[0];
    }
    PyBuffer_Release(&order.lows);
    return popped || PyErr_Occurred() ? popped : Py_NewRef(Py_None);
}

#define ZORDER_FUNCTIONS                                                                                              \
    {"order_index", (PyCFunction)(void *)order_index, METH_FASTCALL, "order_index(buckets, own, lows, score, member)"}, \
    {"order_add", (PyCFunction)(void *)order_add, METH_FASTCALL,                                                      \
     "order_add(buckets, own, lows, score, member, most): the bucket, or -1."},                                       \
    {"order_leave", (PyCFunction)(void *)order_leave, METH_FASTCALL,                                                  \
     "order_leave(buckets, own, lows, score, member, new, few): the bucket, -1 or -2."},                               \
    {"order_pop", (PyCFunction)(void *)order_pop, METH_FASTCALL, "order_pop(buckets, own, lows, highest, few)"}

#endif
