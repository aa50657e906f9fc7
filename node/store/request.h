/* A request as RESP has it, in C: plain_request.py says what it is. One piece of memory, filled from left to right. */

#ifndef GOSSAMER_REQUEST_H
#define GOSSAMER_REQUEST_H

#include <Python.h>

#include <string.h>

static int digits_of(size_t number)
{
    int digits = 1;
    while (number >= 10) {
        number /= 10;
        digits++;
    }
    return digits;
}

/* ``mark``, the number and CR LF. */
static char *put_head(char *out, char mark, size_t number)
{
    int digits = digits_of(number);
    *out = mark;
    for (char *place = out + digits; place > out; number /= 10)
        *place-- = (char)('0' + number % 10);
    memcpy(out + 1 + digits, "\r\n", 2);
    return out + digits + 3;
}

static char *put_argument(char *out, PyObject *arg)
{
    size_t size = (size_t)PyBytes_GET_SIZE(arg);
    out = put_head(out, '$', size);
    memcpy(out, PyBytes_AS_STRING(arg), size);
    memcpy(out + size, "\r\n", 2);
    return out + size + 2;
}

/* How long it is; -1 with an error set. */
static Py_ssize_t encoded_size(PyObject *argv)
{
    size_t size = 3 + (size_t)digits_of((size_t)PyList_GET_SIZE(argv));
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(argv); i++) {
        PyObject *arg = PyList_GET_ITEM(argv, i);
        if (!PyBytes_Check(arg)) {
            PyErr_Format(PyExc_TypeError, "an argument is bytes, not %.100s", Py_TYPE(arg)->tp_name);
            return -1;
        }
        size_t length = (size_t)PyBytes_GET_SIZE(arg);
        size += 5 + (size_t)digits_of(length) + length;
    }
    if (size > PY_SSIZE_T_MAX) {
        PyErr_NoMemory();
        return -1;
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
    char *out = put_head(PyBytes_AS_STRING(request), '*', (size_t)PyList_GET_SIZE(argv));
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(argv); i++)
        out = put_argument(out, PyList_GET_ITEM(argv, i));
    return request;
}

#endif
