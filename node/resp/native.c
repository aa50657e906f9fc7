/* Requests, parsed and encoded: what plain.py does, for a third of the instructions.
 *
 * Of the input nothing is believed that was not looked at, and whatever is unusual is left to the parser in Python:
 * then there is no request here, and no error either.
 */

#include "../native.h"
#include "numbers.h"
#include "request.h"

enum {
    MOST_DIGITS = 16, /* far from any limit of the machine's numbers */
    LEAST_BYTES = 6,  /* that an argument takes: $0 CR LF CR LF */
    LONGEST_SHARED = 64,
};

typedef struct {
    const char *bytes;
    Py_ssize_t size, pos;
} Input;

/* The number of the line at pos, which moves behind its CR LF; -1 if it is not plain to see. */
static Py_ssize_t number(Input *input)
{
    Py_ssize_t first = input->pos, pos = first, end = input->size - 1, value = 0;
    if (end > first + MOST_DIGITS + 1)
        end = first + MOST_DIGITS + 1;
    for (; pos < end; pos++) {
        unsigned digit = (unsigned)(unsigned char)input->bytes[pos] - '0';
        if (digit > 9)
            break;
        value = value * 10 + (Py_ssize_t)digit;
    }
    if (pos >= end || input->bytes[pos] != '\r' || pos == first || (pos > first + 1 && input->bytes[first] == '0'))
        return -1;
    input->pos = pos + 2;
    return value;
}

static int starts(Input *input, char type)
{
    if (input->pos >= input->size || input->bytes[input->pos] != type)
        return 0;
    input->pos++;
    return 1;
}

/* The argument of so many bytes at pos: that of the request before if it is the same, as names of commands are, and keys
 * and fields often. NULL with an error set. */
static PyObject *argument_at(Input *input, Py_ssize_t size, PyObject *before, Py_ssize_t at)
{
    const char *bytes = input->bytes + input->pos;
    if (before != NULL && size <= LONGEST_SHARED && at < PyList_GET_SIZE(before)) {
        PyObject *known = PyList_GET_ITEM(before, at);
        if (PyBytes_GET_SIZE(known) == size && memcmp(PyBytes_AS_STRING(known), bytes, (size_t)size) == 0)
            return Py_NewRef(known);
    }
    return PyBytes_FromStringAndSize(bytes, size);
}

/* The arguments of the request at pos, which moves behind it. NULL: there is none, or with an exception no memory.
 * ``before``: the request before it, or NULL. */
static PyObject *parse(Input *input, PyObject *before)
{
    Py_ssize_t count = starts(input, '*') ? number(input) : -1;
    if (count < 1 || count > (input->size - input->pos) / LEAST_BYTES)
        return NULL;
    PyObject *arguments = PyList_New(count);
    if (arguments == NULL)
        return NULL;
    for (Py_ssize_t at = 0; at < count; at++) {
        Py_ssize_t size = starts(input, '$') ? number(input) : -1;
        PyObject *argument = NULL;
        if (size >= 0 && size <= input->size - input->pos - 2)
            argument = argument_at(input, size, before, at);
        if (argument == NULL) {
            Py_DECREF(arguments);
            return NULL;
        }
        PyList_SET_ITEM(arguments, at, argument);
        input->pos += size + 2;
    }
    return arguments;
}

static int to_input(PyObject *const *arguments, Input *input)
{
    if (!PyBytes_CheckExact(arguments[0])) {
        PyErr_SetString(PyExc_TypeError, "the input must be bytes");
        return 0;
    }
    input->bytes = PyBytes_AS_STRING(arguments[0]);
    input->size = PyBytes_GET_SIZE(arguments[0]);
    return to_number(arguments[1], 0, PY_SSIZE_T_MAX, &input->pos);
}

/* The pair of both; takes over the first. */
static PyObject *with_position(PyObject *first, Py_ssize_t pos)
{
    PyObject *second = PyLong_FromSsize_t(pos);
    PyObject *pair = second == NULL ? NULL : PyTuple_New(2);
    if (pair == NULL) {
        Py_DECREF(first);
        Py_XDECREF(second);
        return NULL;
    }
    PyTuple_SET_ITEM(pair, 0, first);
    PyTuple_SET_ITEM(pair, 1, second);
    return pair;
}

static PyObject *parse_request(PyObject *Py_UNUSED(module), PyObject *const *arguments, Py_ssize_t count)
{
    Input input;
    if (!takes("parse_request", count, 2) || !to_input(arguments, &input))
        return NULL;
    PyObject *request = parse(&input, NULL);
    if (request != NULL)
        return with_position(request, input.pos);
    if (PyErr_Occurred())
        return NULL;
    Py_RETURN_NONE;
}

static PyObject *parse_requests(PyObject *Py_UNUSED(module), PyObject *const *arguments, Py_ssize_t count)
{
    Input input;
    Py_ssize_t most, bytes;
    if (!takes("parse_requests", count, 4) || !to_input(arguments, &input) ||
        !to_number(arguments[2], 0, PY_SSIZE_T_MAX, &most) || !to_number(arguments[3], 0, PY_SSIZE_T_MAX, &bytes))
        return NULL;
    PyObject *requests = PyList_New(0);
    if (requests == NULL)
        return NULL;
    Py_ssize_t first = input.pos, behind = first;
    PyObject *before = NULL;
    while (PyList_GET_SIZE(requests) < most && behind - first < bytes) {
        PyObject *request = parse(&input, before);
        if (request == NULL)
            break;
        int failed = PyList_Append(requests, request);
        Py_DECREF(request);
        if (failed)
            break;
        behind = input.pos;
        before = request;
    }
    if (PyErr_Occurred()) {
        Py_DECREF(requests);
        return NULL;
    }
    return with_position(requests, behind);
}

static PyMethodDef functions[] = {
    {"plain_double", plain_double, METH_O, "plain_double(text): the number that it is; None if not plain."},
    {"whole_text", whole_text, METH_O, "whole_text(number): its digits; None if it is not whole, or has many."},
    {"encoded", encoded, METH_O, "encoded(argv): a request, as a RESP array of bulk strings."},
    {"append_encoded", (PyCFunction)(void *)append_encoded, METH_FASTCALL,
     "append_encoded(buffer, argv): to the end of a bytearray."},
    {"parse_request", (PyCFunction)(void *)parse_request, METH_FASTCALL,
     "parse_request(input, pos): with its end; or None."},
    {"parse_requests", (PyCFunction)(void *)parse_requests, METH_FASTCALL,
     "parse_requests(input, pos, most, bytes): as many, and their end."},
    {NULL, NULL, 0, NULL},
};

static PyModuleDef_Slot slots[] = {COMMON_SLOTS};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "gossamer.node.resp.native",
    .m_doc = "Requests, parsed and encoded.",
    .m_methods = functions,
    .m_slots = slots,
};

PyMODINIT_FUNC PyInit_native(void) { return PyModuleDef_Init(&definition); }
