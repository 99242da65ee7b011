/* suite.c - which suites there are: 1 is linked in, 2 is a module beside the programs. */
#include "common/suite.h"

#include <dlfcn.h>
#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static pthread_mutex_t loading = PTHREAD_MUTEX_INITIALIZER;
static _Atomic(const struct suite *) suite2;     /* NULL until it was loaded and started; then for ever */

/* Beside this program, as it was built or as it is installed: never by a search path that somebody else could set. */
static void *open_module(char why[160])
{
    static const char *const places[] = {"../libexec/suite2.so", "../lib/huzheng/suite2.so"};
    char self[PATH_MAX], path[PATH_MAX + 64];
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    self[n > 0 ? n : 0] = 0;
    char *slash = strrchr(self, '/');
    snprintf(why, 160, "libexec/suite2.so is not beside the programs");
    for (size_t i = 0; slash && i < sizeof places / sizeof places[0]; i++) {
        snprintf(path, sizeof path, "%.*s/%s", (int)(slash - self), self, places[i]);
        if (access(path, F_OK) < 0)
            continue;
        void *module = dlopen(path, RTLD_NOW | RTLD_LOCAL);
        if (module)
            return module;
        const char *reason = dlerror();
        snprintf(why, 160, "%s", reason ? reason : "it cannot be loaded");
    }
    return NULL;
}

static const struct suite *load(struct err *e)
{
    char why[160];
    void *module = open_module(why);
    const struct suite *s = module ? dlsym(module, "hz_suite2") : NULL;
    if (!s)
        err_set(e, ERR_HELD, "suite 2 (SM2, SM3, SM4) is not usable here: %s", module ? "its module is another file" : why);
    else if (s->abi != SUITE_ABI || s->number != 2)
        err_set(e, ERR_HELD, "suite 2 (SM2, SM3, SM4) is not usable here: its module is of another version");
    else if (s->start(e) == 0)
        return s;
    return NULL;
}

const struct suite *suite_find(unsigned number, struct err *e)
{
    if (number == suite1.number)
        return &suite1;
    if (number != 2) {
        err_set(e, ERR_HELD, "suite %u is not known here", number);
        return NULL;
    }
    const struct suite *s = atomic_load(&suite2);
    if (s)
        return s;
    pthread_mutex_lock(&loading);
    s = atomic_load(&suite2);
    if (!s && (s = load(e)))
        atomic_store(&suite2, s);
    pthread_mutex_unlock(&loading);
    return s;
}
