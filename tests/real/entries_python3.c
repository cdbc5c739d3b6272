/*
 * entries_python3.c - time.time of Python, at TARGET: replaced or, with -DWRAP, wrapped.
 *
 * Replaced, it is 1970 for ever; wrapped, 40 years later than it is.
 */
#include <hotpatch.h>

HOTPATCH_MODULE("entries", TEXT);

/* What is used of floatobject.h. */
void *PyFloat_FromDouble(double value);
double PyFloat_AsDouble(void *object);
void Py_DecRef(void *object);

HOTPATCH_REPLACE_AS(void *, time_time, (void *module, void *unused), TARGET)
{
#ifdef WRAP
    void *now = HOTPATCH_ORIGINAL(time_time)(module, unused);
    double seconds = PyFloat_AsDouble(now);

    Py_DecRef(now);
    return PyFloat_FromDouble(seconds + 40 * 365.25 * 24 * 3600);
#else
    (void)module;
    (void)unused;
    return PyFloat_FromDouble(1);
#endif
}
