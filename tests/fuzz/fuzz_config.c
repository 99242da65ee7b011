/* fuzz_config.c - a configuration file of any bytes. What must hold: no crash; refused with a sentence, or every key has a value in its bounds. */
#include <assert.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/config.h"
#include "common/bytes.h"
#include "common/file.h"
#include "tests/fuzz/replay.h"

static const struct config_key keys[] = {
    {"port", CONFIG_NUMBER, "8080", 1, 65535, "number"},
    {"name", CONFIG_TEXT, "a", 0, 0, "text"},
    {"folder", CONFIG_PATH, "var", 0, 0, "path"},
    {"sandbox", CONFIG_BOOL, "no", 0, 0, "switch"},
    {NULL, CONFIG_TEXT, NULL, 0, 0, NULL},
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct config *c = NULL;
    struct err e = {0};
    char path[64];
    int fd = memfd_create("config", MFD_CLOEXEC);
    assert(fd >= 0 && fd_write_all(fd, (struct bytes){data, size}) == 0);
    if (str_fmt(path, sizeof path, &e, "/proc/self/fd/%d", fd) == 0 && config_load(&c, path, keys, &e) == 0) {
        assert(config_number(c, "port") >= 1 && config_number(c, "port") <= 65535);
        assert(strcmp(config_text(c, "sandbox"), "yes") == 0 || strcmp(config_text(c, "sandbox"), "no") == 0);
        assert(config_text(c, "folder")[0] == '/' && !strchr(config_text(c, "name"), '\n'));
    } else {
        assert((e.code == ERR_INPUT || e.code == ERR_TOO_LARGE) && e.msg[0] && !c);
    }
    config_free(c);
    close(fd);
    return 0;
}
