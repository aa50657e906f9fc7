/* Waiting, reading and writing for the sockets of clients: what select.epoll.poll, os.read and os.write do, for less.
 *
 * The interpreter's lock is kept where the call cannot take long, and no memory is asked for but what is needed: of a
 * request of 40 bytes the lock alone would be a tenth. sockets.py says what each function promises.
 */

#include "../native.h"

#include <errno.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

enum {
    MOST = 256,        /* events told of at once */
    SHORT = 64 * 1024, /* bytes that are copied in the meantime of others */
};

/* errno as an exception, unless a signal was the cause and its handler has nothing against another attempt. */
static int to_repeat(void)
{
    if (errno == EINTR)
        return PyErr_CheckSignals() == 0;
    PyErr_SetFromErrno(PyExc_OSError);
    return 0;
}

/* --- waiting */

static double monotonic(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

static int milliseconds(double wait)
{
    if (!(wait > 0))
        return 0;
    return wait < 1e6 ? (int)(wait * 1000 + 0.999) : 1000000000;
}

/* Fills both lists; -1 with an exception. */
static int sort_out(const struct epoll_event *events, int count, PyObject *readable, PyObject *others)
{
    for (int at = 0; at < count; at++) {
        int only_readable = events[at].events == EPOLLIN;
        PyObject *told = only_readable ? PyLong_FromLong(events[at].data.fd)
                                       : Py_BuildValue("(iI)", events[at].data.fd, events[at].events);
        if (told == NULL)
            return -1;
        int failed = PyList_Append(only_readable ? readable : others, told);
        Py_DECREF(told);
        if (failed)
            return -1;
    }
    return 0;
}

static PyObject *wait_(PyObject *Py_UNUSED(module), PyObject *const *arguments, Py_ssize_t count)
{
    struct epoll_event events[MOST];
    Py_ssize_t epoll, most;
    if (!takes("wait", count, 3) || !to_number(arguments[0], 0, INT_MAX, &epoll) ||
        !to_number(arguments[1], 1, MOST, &most))
        return NULL;
    double wait = PyFloat_AsDouble(arguments[2]);
    if (wait == -1.0 && PyErr_Occurred())
        return NULL;
    double end = wait > 0 ? monotonic() + wait : 0;
    int ready;
    for (;;) {
        Py_BEGIN_ALLOW_THREADS
        ready = epoll_wait((int)epoll, events, (int)most, milliseconds(wait));
        Py_END_ALLOW_THREADS
        if (ready >= 0)
            break;
        if (!to_repeat())
            return NULL;
        wait = end > 0 ? end - monotonic() : 0;
    }
    PyObject *readable = PyList_New(0), *others = PyList_New(0), *both = NULL;
    if (readable != NULL && others != NULL && sort_out(events, ready, readable, others) == 0)
        both = PyTuple_Pack(2, readable, others);
    Py_XDECREF(readable);
    Py_XDECREF(others);
    return both;
}

/* --- reading and writing */

static PyObject *read_long(int descriptor, Py_ssize_t size)
{
    PyObject *data = PyBytes_FromStringAndSize(NULL, size);
    if (data == NULL)
        return NULL;
    ssize_t got;
    do {
        Py_BEGIN_ALLOW_THREADS
        got = read(descriptor, PyBytes_AS_STRING(data), (size_t)size);
        Py_END_ALLOW_THREADS
    } while (got < 0 && to_repeat());
    if (got < 0)
        Py_CLEAR(data);
    else if (got < size)
        _PyBytes_Resize(&data, got);
    return data;
}

static PyObject *read_(PyObject *Py_UNUSED(module), PyObject *const *arguments, Py_ssize_t count)
{
    static char room[SHORT]; /* the lock is held from the read to the copy */
    Py_ssize_t descriptor, size;
    if (!takes("read", count, 2) || !to_number(arguments[0], 0, INT_MAX, &descriptor) ||
        !to_number(arguments[1], 0, PY_SSIZE_T_MAX, &size))
        return NULL;
    if (size > SHORT)
        return read_long((int)descriptor, size);
    ssize_t got;
    do
        got = read((int)descriptor, room, (size_t)size);
    while (got < 0 && to_repeat());
    return got < 0 ? NULL : PyBytes_FromStringAndSize(room, got);
}

static PyObject *write_(PyObject *Py_UNUSED(module), PyObject *const *arguments, Py_ssize_t count)
{
    Py_ssize_t descriptor;
    if (!takes("write", count, 2) || !to_number(arguments[0], 0, INT_MAX, &descriptor))
        return NULL;
    if (!PyBytes_CheckExact(arguments[1])) {
        PyErr_SetString(PyExc_TypeError, "what is written must be bytes");
        return NULL;
    }
    const char *data = PyBytes_AS_STRING(arguments[1]);
    size_t size = (size_t)PyBytes_GET_SIZE(arguments[1]);
    ssize_t written;
    do {
        if (size <= SHORT) {
            written = write((int)descriptor, data, size);
        } else {
            Py_BEGIN_ALLOW_THREADS
            written = write((int)descriptor, data, size);
            Py_END_ALLOW_THREADS
        }
    } while (written < 0 && to_repeat());
    return written < 0 ? NULL : PyLong_FromSsize_t(written);
}

/* --- the module */

static PyMethodDef functions[] = {
    {"wait", (PyCFunction)(void *)wait_, METH_FASTCALL,
     "wait(epoll, most, seconds): what is readable, and other events."},
    {"read", (PyCFunction)(void *)read_, METH_FASTCALL, "read(descriptor, size): bytes that are there."},
    {"write", (PyCFunction)(void *)write_, METH_FASTCALL, "write(descriptor, bytes): how many were taken."},
    {NULL, NULL, 0, NULL},
};

static PyModuleDef_Slot slots[] = {COMMON_SLOTS};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "gossamer.node.io.native",
    .m_doc = "Waiting, reading and writing for the sockets of clients.",
    .m_methods = functions,
    .m_slots = slots,
};

PyMODINIT_FUNC PyInit_native(void) { return PyModuleDef_Init(&definition); }
