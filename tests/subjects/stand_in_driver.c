/* A stand-in for the CUDA driver: a device that can be asked about, and nothing behind it.

   It starts, counts and describes one device and hands out a context. Where something is to be put
   on the device it says CUDA_ERROR_NOT_SUPPORTED; all other functions are missing. */
#include <string.h>

enum { SUCCESS = 0, NOT_FOUND = 500, NOT_SUPPORTED = 801 };
enum { WARP_SIZE = 10, CAPABILITY_MAJOR = 75, CAPABILITY_MINOR = 76 };

static const size_t memory_bytes = (size_t)1 << 30;
static int only_context;
static __thread void *current;

int cuInit(unsigned flags) { return SUCCESS; }
int cuDriverGetVersion(int *version) { *version = 12040; return SUCCESS; }
int cuDeviceGetCount(int *count) { *count = 1; return SUCCESS; }
int cuDeviceGet(int *device, int ordinal) { *device = 0; return SUCCESS; }
int cuDeviceGetName(char *name, int length, int device) {
    strncpy(name, "stand-in", length);
    return SUCCESS;
}
int cuDeviceGetUuid_v2(void *uuid, int device) { memset(uuid, 1, 16); return SUCCESS; }
int cuDeviceGetUuid(void *uuid, int device) { return cuDeviceGetUuid_v2(uuid, device); }
int cuDeviceTotalMem_v2(size_t *bytes, int device) { *bytes = memory_bytes; return SUCCESS; }
int cuDeviceGetAttribute(int *value, int attribute, int device) {
    switch (attribute) {
    case WARP_SIZE: *value = 32; break;
    case CAPABILITY_MAJOR: *value = 9; break;
    case CAPABILITY_MINOR: *value = 0; break;
    default: *value = 1024; /* of every limit enough */
    }
    return SUCCESS;
}

int cuDevicePrimaryCtxRetain(void **context, int device) { *context = &only_context; return SUCCESS; }
int cuDevicePrimaryCtxRelease_v2(int device) { return SUCCESS; }
int cuDevicePrimaryCtxGetState(int device, unsigned *flags, int *is_active) {
    *flags = 0;
    *is_active = 1;
    return SUCCESS;
}
int cuCtxGetCurrent(void **context) { *context = current; return SUCCESS; }
int cuCtxSetCurrent(void *context) { current = context; return SUCCESS; }
int cuCtxPushCurrent_v2(void *context) { return cuCtxSetCurrent(context); }
int cuCtxPopCurrent_v2(void **context) { *context = current; current = 0; return SUCCESS; }
int cuCtxGetDevice(int *device) { *device = 0; return SUCCESS; }
int cuCtxSynchronize(void) { return SUCCESS; }
int cuMemGetInfo_v2(size_t *n_free, size_t *total) {
    *n_free = *total = memory_bytes;
    return SUCCESS;
}

/* What a kernel goes through first; which of them is asked depends on the version of numba. */
int cuModuleLoadDataEx(void **module, const void *image, unsigned n, int *options, void **values) {
    return NOT_SUPPORTED;
}
int cuLibraryLoadData(void **library, const void *code, int *options, void **values, unsigned n,
                      int *library_options, void **library_values, unsigned n_library_options) {
    return NOT_SUPPORTED;
}
int cuLinkCreate_v2(unsigned n, int *options, void **values, void **state) { return NOT_SUPPORTED; }

/* Never called, but numba's built-in target looks for it as soon as the driver has started. */
int cuIpcOpenMemHandle(void **address, char handle[64], unsigned flags) { return NOT_SUPPORTED; }

int cuGetErrorName(int status, const char **name) {
    *name = status == NOT_SUPPORTED ? "CUDA_ERROR_NOT_SUPPORTED" : "CUDA_ERROR_OF_THE_STAND_IN";
    return SUCCESS;
}
int cuGetErrorString(int status, const char **text) {
    *text = "there is no device behind the stand-in";
    return SUCCESS;
}

/* NVIDIA's own bindings ask for each function by this one, under its name without a version. */
#define UNVERSIONED(name) {#name, name}
#define VERSION_2(name) {#name, name##_v2}
static const struct { const char *name; void *function; } functions[] = {
    UNVERSIONED(cuInit), UNVERSIONED(cuDriverGetVersion), UNVERSIONED(cuDeviceGetCount),
    UNVERSIONED(cuDeviceGet), UNVERSIONED(cuDeviceGetName), VERSION_2(cuDeviceGetUuid),
    VERSION_2(cuDeviceTotalMem), UNVERSIONED(cuDeviceGetAttribute),
    UNVERSIONED(cuDevicePrimaryCtxRetain), VERSION_2(cuDevicePrimaryCtxRelease),
    UNVERSIONED(cuDevicePrimaryCtxGetState), UNVERSIONED(cuCtxGetCurrent),
    UNVERSIONED(cuCtxSetCurrent), VERSION_2(cuCtxPushCurrent), VERSION_2(cuCtxPopCurrent),
    UNVERSIONED(cuCtxGetDevice), UNVERSIONED(cuCtxSynchronize), VERSION_2(cuMemGetInfo),
    UNVERSIONED(cuModuleLoadDataEx), UNVERSIONED(cuLibraryLoadData), VERSION_2(cuLinkCreate),
    UNVERSIONED(cuGetErrorName), UNVERSIONED(cuGetErrorString),
};

int cuGetProcAddress_v2(const char *name, void **function, int version, unsigned long long flags,
                        int *result) {
    *function = strcmp(name, "cuGetProcAddress") ? 0 : (void *)cuGetProcAddress_v2;
    for (size_t i = 0; i < sizeof functions / sizeof *functions; i++)
        if (!strcmp(functions[i].name, name))
            *function = functions[i].function;
    if (result)
        *result = *function ? 0 : 1;
    return *function ? SUCCESS : NOT_FOUND;
}
int cuGetProcAddress(const char *name, void **function, int version, unsigned long long flags) {
    return cuGetProcAddress_v2(name, function, version, flags, 0);
}
