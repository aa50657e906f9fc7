/* The map of a sorted set: in which shard a member is, and the score that it gets there. plain_shards.py says what each
 * function promises.
 */

#ifndef GOSSAMER_SHARDS_H
#define GOSSAMER_SHARDS_H

#include <Python.h>

#include <stdint.h>

#include "hash.h"

#define CRC32_REFLECTED 0xedb88320u

static uint32_t crc32_table[8][256]; /* what a byte does to the sum when so many more bytes have followed it */

static void crc32_prepare(void)
{
    for (unsigned byte = 0; byte < 256; byte++) {
        uint32_t sum = byte;
        for (int bit = 0; bit < 8; bit++)
            sum = sum >> 1 ^ (sum & 1 ? CRC32_REFLECTED : 0);
        crc32_table[0][byte] = sum;
    }
    for (int place = 1; place < 8; place++)
        for (unsigned byte = 0; byte < 256; byte++) {
            uint32_t sum = crc32_table[place - 1][byte];
            crc32_table[place][byte] = crc32_table[0][sum & 0xff] ^ sum >> 8;
        }
}

static uint32_t crc32_of(const char *data, size_t size)
{
    uint32_t sum = 0xffffffffu;
    for (; size >= 8; data += 8, size -= 8) {
        uint64_t word = sum ^ load_word(data);
        sum = 0;
        for (int place = 0; place < 8; place++)
            sum ^= crc32_table[7 - place][word >> (8 * place) & 0xff];
    }
    for (; size; data++, size--)
        sum = crc32_table[0][(sum ^ (unsigned char)*data) & 0xff] ^ sum >> 8;
    return ~sum;
}

static PyObject *shard_of(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t given)
{
    if (given != 2 || !PyBytes_Check(args[0]) || !PyLong_Check(args[1]))
        return PyErr_Format(PyExc_TypeError, "a member, and how many shards there are");
    Py_ssize_t count = PyLong_AsSsize_t(args[1]), mask = 1;
    if (count < 1)
        return PyErr_Occurred() ? NULL : PyErr_Format(PyExc_ValueError, "there is a shard at least");
    while (mask < count)
        mask <<= 1;
    Py_ssize_t sum = (Py_ssize_t)crc32_of(PyBytes_AS_STRING(args[0]), (size_t)PyBytes_GET_SIZE(args[0]));
    Py_ssize_t index = sum & (mask - 1);
    return PyLong_FromSsize_t(index < count ? index : index & ((mask >> 1) - 1));
}

static PyObject *give_score(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t given)
{
    if (given != 3 || !PyDict_Check(args[0]) || !PyBytes_Check(args[1]) || !PyFloat_Check(args[2]))
        return PyErr_Format(PyExc_TypeError, "a shard, a member and a score");
    PyObject *old = PyDict_GetItemWithError(args[0], args[1]);
    if (old && !PyFloat_Check(old))
        return PyErr_Format(PyExc_TypeError, "a score is a float");
    if (!old && PyErr_Occurred())
        return NULL;
    Py_XINCREF(old);
    if (!old || PyFloat_AS_DOUBLE(old) != PyFloat_AS_DOUBLE(args[2]))
        if (PyDict_SetItem(args[0], args[1], args[2]) < 0)
            Py_CLEAR(old);
    return old ? old : PyErr_Occurred() ? NULL : Py_NewRef(Py_None);
}

#define SHARD_FUNCTIONS                                                                                               \
    {"shard_of", (PyCFunction)(void *)shard_of, METH_FASTCALL, "shard_of(member, count): the number of its shard."},   \
    {"give_score", (PyCFunction)(void *)give_score, METH_FASTCALL, "give_score(shard, member, score): the old one."}

#endif
