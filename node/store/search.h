/* Searches in a bucket of a sorted set: scores side by side in an array of doubles, and a list of the members.
 *
 * bisect of the standard library would make an object of each score that it looks at. plain_search.py says what each
 * function promises.
 */

#ifndef GOSSAMER_SEARCH_H
#define GOSSAMER_SEARCH_H

#include <Python.h>

#include <string.h>

/* How many of ``scores`` from ``low`` up to ``high`` are less than ``score``, and the ``low`` before them. */
static Py_ssize_t search_less(const double *scores, Py_ssize_t low, Py_ssize_t high, double score)
{
    while (low < high) {
        Py_ssize_t middle = (low + high) >> 1;
        if (scores[middle] < score)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* The same of those that are not greater. */
static Py_ssize_t search_up_to(const double *scores, Py_ssize_t low, Py_ssize_t high, double score)
{
    while (low < high) {
        Py_ssize_t middle = (low + high) >> 1;
        if (scores[middle] <= score)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static int search_is_less(PyObject *one, PyObject *other)
{
    Py_ssize_t size = PyBytes_GET_SIZE(one), other_size = PyBytes_GET_SIZE(other);
    int order = memcmp(PyBytes_AS_STRING(one), PyBytes_AS_STRING(other), (size_t)Py_MIN(size, other_size));
    return order ? order < 0 : size < other_size;
}

/* Among the members from ``low`` up to ``high``, which have the same score; -1 with an error set. */
static Py_ssize_t search_member(PyObject *members, Py_ssize_t low, Py_ssize_t high, PyObject *member)
{
    while (low < high) {
        Py_ssize_t middle = (low + high) >> 1;
        PyObject *there = PyList_GET_ITEM(members, middle);
        if (!PyBytes_Check(there)) {
            PyErr_SetString(PyExc_TypeError, "members are bytes");
            return -1;
        }
        if (search_is_less(there, member))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* The scores of ``array``; 0 with an error set. ``PyBuffer_Release`` must follow. */
static int search_scores(PyObject *array, Py_buffer *view)
{
    if (PyObject_GetBuffer(array, view, PyBUF_SIMPLE) < 0)
        return 0;
    if (view->itemsize == sizeof(double) && view->len % (Py_ssize_t)sizeof(double) == 0)
        return 1;
    PyBuffer_Release(view);
    PyErr_SetString(PyExc_TypeError, "scores are doubles");
    return 0;
}

static PyObject *search_count(PyObject *const *args, Py_ssize_t count,
                              Py_ssize_t (*search)(const double *, Py_ssize_t, Py_ssize_t, double))
{
    if (count != 2 || !PyFloat_Check(args[1]))
        return PyErr_Format(PyExc_TypeError, "an array of scores, and a score");
    Py_buffer view;
    if (!search_scores(args[0], &view))
        return NULL;
    Py_ssize_t found = search(view.buf, 0, view.len / (Py_ssize_t)sizeof(double), PyFloat_AS_DOUBLE(args[1]));
    PyBuffer_Release(&view);
    return PyLong_FromSsize_t(found);
}

static PyObject *count_less(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t count)
{
    return search_count(args, count, search_less);
}

static PyObject *count_up_to(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t count)
{
    return search_count(args, count, search_up_to);
}

static PyObject *place_of(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t count)
{
    if (count != 4 || !PyList_Check(args[1]) || !PyFloat_Check(args[2]) || !PyBytes_Check(args[3]))
        return PyErr_Format(PyExc_TypeError, "an array of scores, a list of members, a score, and a member");
    Py_buffer view;
    if (!search_scores(args[0], &view))
        return NULL;
    const double *scores = view.buf;
    double score = PyFloat_AS_DOUBLE(args[2]);
    Py_ssize_t length = view.len / (Py_ssize_t)sizeof(double);
    Py_ssize_t place = search_less(scores, 0, length, score);
    if (place < length && scores[place] == score && length <= PyList_GET_SIZE(args[1]))
        place = search_member(args[1], place, search_up_to(scores, place, length, score), args[3]);
    PyBuffer_Release(&view);
    return place < 0 ? NULL : PyLong_FromSsize_t(place);
}

#endif
