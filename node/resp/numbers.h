/* Numbers that are plain to see. */

#ifndef GOSSAMER_NUMBERS_H
#define GOSSAMER_NUMBERS_H

#include <Python.h>

#include <math.h>
#include <stdint.h>

#define EXACT_DIGITS 15 /* the number that so many digits make, and the power of ten that is its divisor, are doubles */

/* The double of ``text``: digits, with a point or a sign perhaps, and no more of them than make one exactly or by one
 * division, which rounds as reading does. None if it is anything else. */
static PyObject *plain_double(PyObject *Py_UNUSED(module), PyObject *text)
{
    static const double tens[EXACT_DIGITS + 1] = {1e0, 1e1, 1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                                  1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15};
    if (!PyBytes_Check(text))
        return PyErr_Format(PyExc_TypeError, "bytes");
    const char *at = PyBytes_AS_STRING(text), *end = at + PyBytes_GET_SIZE(text), *point = NULL;
    int negative = at < end && *at == '-', digits = 0;
    int64_t value = 0;
    for (at += negative; at < end && digits <= EXACT_DIGITS; at++) {
        unsigned digit = (unsigned)(unsigned char)*at - '0';
        if (digit <= 9) {
            value = value * 10 + digit;
            digits++;
        } else if (*at == '.' && !point)
            point = at;
        else
            Py_RETURN_NONE;
    }
    if (at < end || !digits || digits > EXACT_DIGITS)
        Py_RETURN_NONE;
    double number = point ? (double)value / tens[end - point - 1] : (double)value;
    return PyFloat_FromDouble(negative ? -number : number);
}

#define WHOLE 1e15 /* numbers below have no more than EXACT_DIGITS digits */

/* The digits of ``number``, if it is a whole one with few of them, and not the negative zero; else None. */
static PyObject *whole_text(PyObject *Py_UNUSED(module), PyObject *number)
{
    char text[EXACT_DIGITS + 1], *at = text + sizeof text;
    if (!PyFloat_Check(number))
        return PyErr_Format(PyExc_TypeError, "a float");
    double value = PyFloat_AS_DOUBLE(number);
    if (!(-WHOLE < value && value < WHOLE) || (double)(int64_t)value != value || (value == 0 && signbit(value)))
        Py_RETURN_NONE;
    uint64_t left = (uint64_t)(value < 0 ? -value : value);
    do
        *--at = (char)('0' + left % 10);
    while (left /= 10);
    if (value < 0)
        *--at = '-';
    return PyBytes_FromStringAndSize(at, text + sizeof text - at);
}

#endif
