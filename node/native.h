/* What the modules in C have in common: how they take arguments, and what they say of themselves. */

#ifndef GOSSAMER_NATIVE_H
#define GOSSAMER_NATIVE_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

/* 0 with an error set, as with all that follows. */
static inline int takes(const char *name, Py_ssize_t count, Py_ssize_t wanted)
{
    if (count == wanted)
        return 1;
    PyErr_Format(PyExc_TypeError, "%s takes %zd arguments, not %zd", name, wanted, count);
    return 0;
}

static inline int to_number(PyObject *object, Py_ssize_t least, Py_ssize_t most, Py_ssize_t *number)
{
    *number = PyLong_AsSsize_t(object);
    if (*number == -1 && PyErr_Occurred())
        return 0;
    if (*number >= least && *number <= most)
        return 1;
    PyErr_Format(PyExc_ValueError, "%zd is not from %zd to %zd", *number, least, most);
    return 0;
}

/* Module slots: there is one state for the process, and it relies on the global lock. */
#ifdef Py_mod_multiple_interpreters
#define ONE_INTERPRETER {Py_mod_multiple_interpreters, Py_MOD_MULTIPLE_INTERPRETERS_NOT_SUPPORTED},
#else
#define ONE_INTERPRETER
#endif
#ifdef Py_mod_gil
#define NEEDS_LOCK {Py_mod_gil, Py_MOD_GIL_USED},
#else
#define NEEDS_LOCK
#endif
#define COMMON_SLOTS ONE_INTERPRETER NEEDS_LOCK {0, NULL}

#endif
