// SPDX-License-Identifier: Apache-2.0
// libFuzzer around an embedded Python: each input goes to one function of targets.py, whose exceptions are crashes.
// The extensions are built with coverage and sanitizers; their runtime is this program, so nothing is preloaded.

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdint.h>
#include <stdlib.h>

static PyObject *target;

static void check(int good)
{
    if (!good) {
        PyErr_Print();
        abort();
    }
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    PyConfig config;
    PyConfig_InitPythonConfig(&config);
    config.parse_argv = 0;
    config.install_signal_handlers = 0;
    // The executable of the virtual environment, so that its packages are found.
    PyConfig_SetBytesString(&config, &config.executable, getenv("FUZZ_PYTHON"));
    PyConfig_SetBytesString(&config, &config.program_name, (*argv)[0]);
    PyStatus status = Py_InitializeFromConfig(&config);
    PyConfig_Clear(&config);
    if (PyStatus_Exception(status))
        Py_ExitStatusException(status);
    PyObject *module = PyImport_ImportModule("targets");
    check(module != NULL);
    target = PyObject_CallMethod(module, "target", "s", getenv("FUZZ_TARGET"));
    check(target != NULL);
    Py_DECREF(module);
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    // A view of libFuzzer's own copy, which ends where the input ends: reading one octet more is seen.
    PyObject *view = PyMemoryView_FromMemory((char *)(uintptr_t)data, (Py_ssize_t)size, PyBUF_READ);
    check(view != NULL);
    PyObject *result = PyObject_CallOneArg(target, view);
    check(result != NULL);
    Py_DECREF(result);
    Py_DECREF(view);
    return 0;
}
