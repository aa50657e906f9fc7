/* When keys are used: 24 bits in each entry, as Redis has them in each object (evict.c).
 *
 * By time (LRU) they are the second of the last use. By frequency (LFU) they are the minute of the last use, 16 bits,
 * and a counter of 8 bits that grows with the logarithm of the uses and falls with the minutes between them. A change
 * of the one to the other leaves what is noted as it is, as in Redis.
 *
 * plain.py has the same in Python, to the bit.
 */

#ifndef GOSSAMER_CLOCK_H
#define GOSSAMER_CLOCK_H

#include <Python.h>

#include <stdint.h>

#define STAMP_MASK ((uint32_t)0xffffff)
#define MINUTE_MASK ((uint32_t)0xffff)
#define FRESH_COUNT 5 /* of a new key: without it none would live long enough to be used again */
#define MOST_COUNT 255

typedef struct {
    PyObject_HEAD
    uint64_t chance; /* from here the next number follows */
    uint32_t second, minute;
    uint32_t log_factor, decay_time;
    char lfu;
} Clock;

/* The next of the numbers that follow from one (SplitMix64, Steele et al.). */
static uint64_t next_number(uint64_t *state)
{
    uint64_t number = *state += 0x9e3779b97f4a7c15;
    number = (number ^ number >> 30) * 0xbf58476d1ce4e5b9;
    number = (number ^ number >> 27) * 0x94d049bb133111eb;
    return number ^ number >> 31;
}

/* How often a key was used, on a logarithmic scale, less what has decayed since. */
static uint32_t clock_frequency(const Clock *clock, uint32_t stamp)
{
    uint32_t then = stamp >> 8, count = stamp & MOST_COUNT;
    uint32_t passed = clock->minute >= then ? clock->minute - then : MINUTE_MASK - then + clock->minute;
    uint32_t decayed = clock->decay_time ? passed / clock->decay_time : 0;
    return decayed > count ? 0 : count - decayed;
}

/* Of a key that did not exist. */
static uint32_t clock_fresh(const Clock *clock)
{
    return clock->lfu ? clock->minute << 8 | FRESH_COUNT : clock->second;
}

/* Of a key that is used and had ``stamp``. */
static uint32_t clock_used(Clock *clock, uint32_t stamp)
{
    if (!clock->lfu)
        return clock->second;
    uint32_t count = clock_frequency(clock, stamp);
    if (count < MOST_COUNT) {
        double above = count > FRESH_COUNT ? count - FRESH_COUNT : 0;
        double drawn = (double)(next_number(&clock->chance) >> 11) * 0x1p-53;
        count += drawn < 1.0 / (above * clock->log_factor + 1);
    }
    return clock->minute << 8 | count;
}

static uint32_t clock_idle(const Clock *clock, uint32_t stamp)
{
    return clock->second >= stamp ? clock->second - stamp : STAMP_MASK - stamp + clock->second;
}

/* --- what Python sees of it */

/* 0 if there is an error, which is set. */
static int read_stamp(PyObject *object, uint32_t *stamp)
{
    unsigned long number = PyLong_AsUnsignedLong(object);
    *stamp = (uint32_t)number & STAMP_MASK;
    return !(number == (unsigned long)-1 && PyErr_Occurred());
}

static PyObject *clock_tick(Clock *self, PyObject *seconds)
{
    long long now = PyLong_AsLongLong(seconds);
    if (now == -1 && PyErr_Occurred())
        return NULL;
    self->second = (uint32_t)now & STAMP_MASK;
    self->minute = (uint32_t)(now / 60) & MINUTE_MASK;
    Py_RETURN_NONE;
}

static PyObject *clock_choose(Clock *self, PyObject *args)
{
    int lfu;
    unsigned int log_factor, decay_time;
    if (!PyArg_ParseTuple(args, "pII:choose", &lfu, &log_factor, &decay_time))
        return NULL;
    self->lfu = (char)lfu;
    self->log_factor = log_factor;
    self->decay_time = decay_time;
    Py_RETURN_NONE;
}

static PyObject *clock_fresh_stamp(Clock *self, PyObject *Py_UNUSED(none))
{
    return PyLong_FromUnsignedLong(clock_fresh(self));
}

static PyObject *clock_used_stamp(Clock *self, PyObject *object)
{
    uint32_t stamp;
    return read_stamp(object, &stamp) ? PyLong_FromUnsignedLong(clock_used(self, stamp)) : NULL;
}

static PyObject *clock_idle_seconds(Clock *self, PyObject *object)
{
    uint32_t stamp;
    return read_stamp(object, &stamp) ? PyLong_FromUnsignedLong(clock_idle(self, stamp)) : NULL;
}

static PyObject *clock_count(Clock *self, PyObject *object)
{
    uint32_t stamp;
    return read_stamp(object, &stamp) ? PyLong_FromUnsignedLong(clock_frequency(self, stamp)) : NULL;
}

static PyObject *clock_lfu(Clock *self, void *Py_UNUSED(closure)) { return PyBool_FromLong(self->lfu); }

static PyObject *clock_new(PyTypeObject *type, PyObject *args, PyObject *names)
{
    unsigned long long seed = 0;
    static char *known[] = {"seed", NULL};
    if (!PyArg_ParseTupleAndKeywords(args, names, "|K:Clock", known, &seed))
        return NULL;
    Clock *clock = (Clock *)type->tp_alloc(type, 0);
    if (clock)
        clock->chance = seed;
    return (PyObject *)clock;
}

static PyMethodDef clock_methods[] = {
    {"tick", (PyCFunction)clock_tick, METH_O, "tick(now): it is this unix second now."},
    {"choose", (PyCFunction)clock_choose, METH_VARARGS, "choose(lfu, log_factor, decay_time)"},
    {"fresh", (PyCFunction)clock_fresh_stamp, METH_NOARGS, "fresh(): the stamp of a key that did not exist."},
    {"used", (PyCFunction)clock_used_stamp, METH_O, "used(stamp): the stamp of a key after a use."},
    {"idle", (PyCFunction)clock_idle_seconds, METH_O, "idle(stamp): seconds since the last use."},
    {"frequency", (PyCFunction)clock_count, METH_O, "frequency(stamp): 0 to 255, a logarithm, as it has decayed."},
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef clock_attributes[] = {
    {"lfu", (getter)clock_lfu, NULL, "Is noted how often keys are used, and not when?", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyTypeObject clock_type = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "gossamer.node.store.native.Clock",
    .tp_basicsize = sizeof(Clock),
    .tp_flags = Py_TPFLAGS_DEFAULT,
    .tp_doc = "What stamps the keys of a node when they are used.",
    .tp_new = clock_new,
    .tp_methods = clock_methods,
    .tp_getset = clock_attributes,
};

#endif
