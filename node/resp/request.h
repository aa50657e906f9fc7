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
    if (!PyList_CheckExact(argv)) {
        PyErr_Format(PyExc_TypeError, "a request is a list, not %.100s", Py_TYPE(argv)->tp_name);
        return -1;
    }
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

/* It ends at ``end``. */
static void encode_before(char *end, PyObject *argv)
{
    for (Py_ssize_t i = PyList_GET_SIZE(argv); i-- > 0;) {
        PyObject *arg = PyList_GET_ITEM(argv, i);
        size_t length = (size_t)PyBytes_GET_SIZE(arg);
        end = put_before(end, "\r\n", 2);
        end = put_before(end, PyBytes_AS_STRING(arg), length);
        end = put_head(end, '$', length);
    }
    put_head(end, '*', (size_t)PyList_GET_SIZE(argv));
}

static PyObject *encoded(PyObject *Py_UNUSED(module), PyObject *argv)
{
    Py_ssize_t size = encoded_size(argv);
    PyObject *request = size < 0 ? NULL : PyBytes_FromStringAndSize(NULL, size);
    if (request)
        encode_before(PyBytes_AS_STRING(request) + size, argv);
    return request;
}

/* The array gets ``size`` bytes more; and room for as many as it has then, so that most calls ask for no memory. */
static int lengthen(PyObject *array, Py_ssize_t size)
{
    Py_ssize_t before = PyByteArray_GET_SIZE(array);
    if (size > PY_SSIZE_T_MAX / 2 - before) {
        PyErr_NoMemory();
        return -1;
    }
    size += before;
    if (size >= ((PyByteArrayObject *)array)->ob_alloc && PyByteArray_Resize(array, 2 * size) < 0)
        return -1;
    return PyByteArray_Resize(array, size);
}

static PyObject *append_encoded(PyObject *Py_UNUSED(module), PyObject *const *arguments, Py_ssize_t count)
{
    if (count != 2 || !PyByteArray_CheckExact(arguments[0]))
        return PyErr_Format(PyExc_TypeError, "append_encoded takes a bytearray and a request");
    Py_ssize_t size = encoded_size(arguments[1]);
    if (size < 0 || lengthen(arguments[0], size) < 0)
        return NULL;
    encode_before(PyByteArray_AS_STRING(arguments[0]) + PyByteArray_GET_SIZE(arguments[0]), arguments[1]);
    Py_RETURN_NONE;
}

#endif
