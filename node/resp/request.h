/* A request as RESP has it, in C: plain.py says what it is. One piece of memory, filled from its end on, for the
 * digits of a number come out with the last one first. */

#ifndef GOSSAMER_REQUEST_H
#define GOSSAMER_REQUEST_H

#include <Python.h>

#include <string.h>

static size_t digits_of(size_t number)
{
    size_t digits = 1;
    for (; number >= 10; number /= 10)
        digits++;
    return digits;
}

static char *put_before(char *end, const char *data, size_t size) { return memcpy(end - size, data, size); }

/* ``mark``, the number and CR LF. */
static char *put_head(char *end, char mark, size_t number)
{
    end = put_before(end, "\r\n", 2);
    for (; number >= 10; number /= 10)
        *--end = (char)('0' + number % 10);
    *--end = (char)('0' + number);
    *--end = mark;
    return end;
}

/* How long it is; -1 with an error set. */
static Py_ssize_t encoded_size(PyObject *argv)
{
    size_t size = 3 + digits_of((size_t)PyList_GET_SIZE(argv));
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(argv); i++) {
        PyObject *arg = PyList_GET_ITEM(argv, i);
        if (!PyBytes_Check(arg)) {
            PyErr_Format(PyExc_TypeError, "an argument is bytes, not %.100s", Py_TYPE(arg)->tp_name);
            return -1;
        }
        size_t length = (size_t)PyBytes_GET_SIZE(arg);
        size += 5 + digits_of(length) + length;
        if (size > PY_SSIZE_T_MAX) {
            PyErr_NoMemory();
            return -1;
        }
    }
    return (Py_ssize_t)size;
}

static PyObject *encoded(PyObject *Py_UNUSED(module), PyObject *argv)
{
    if (!PyList_CheckExact(argv))
        return PyErr_Format(PyExc_TypeError, "a request is a list, not %.100s", Py_TYPE(argv)->tp_name);
    Py_ssize_t size = encoded_size(argv);
    PyObject *request = size < 0 ? NULL : PyBytes_FromStringAndSize(NULL, size);
    if (!request)
        return NULL;
    char *end = PyBytes_AS_STRING(request) + size;
    for (Py_ssize_t i = PyList_GET_SIZE(argv); i-- > 0;) {
        PyObject *arg = PyList_GET_ITEM(argv, i);
        size_t length = (size_t)PyBytes_GET_SIZE(arg);
        end = put_before(end, "\r\n", 2);
        end = put_before(end, PyBytes_AS_STRING(arg), length);
        end = put_head(end, '$', length);
    }
    put_head(end, '*', (size_t)PyList_GET_SIZE(argv));
    return request;
}

#endif
