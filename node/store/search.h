/* Searches in sorted sets: scores side by side in an array of doubles, and their members.
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

/* Less than 0 if ``one`` stands before ``other``, 0 if they are equal. Both are bytes. */
static int search_compare(PyObject *one, PyObject *other)
{
    Py_ssize_t size = PyBytes_GET_SIZE(one), other_size = PyBytes_GET_SIZE(other);
    int order = memcmp(PyBytes_AS_STRING(one), PyBytes_AS_STRING(other), (size_t)Py_MIN(size, other_size));
    return order ? order : (size > other_size) - (size < other_size);
}

/* Among the members from ``low`` up to ``high``, which have the same score. */
static Py_ssize_t search_member(PyObject *const *members, Py_ssize_t low, Py_ssize_t high, PyObject *member)
{
    while (low < high) {
        Py_ssize_t middle = (low + high) >> 1;
        if (search_compare(members[middle], member) < 0)
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

#endif
