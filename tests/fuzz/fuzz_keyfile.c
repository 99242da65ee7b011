/* fuzz_keyfile.c - files of the key folder. The first byte picks:
 *   'r' the rest is keyring.json      's' the rest is a share file      'j' two share files, parted by a zero byte, to be joined
 *   'p' the rest is a private key file, 'u' a public one
 * What must hold: no crash; a refusal has a code and a sentence; what is accepted is written and read again as the same. */
#include <assert.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/keyring.h"
#include "common/shares.h"
#include "tests/fuzz/replay.h"

static void ring(struct bytes text)
{
    static struct key_list list, again;
    struct buf out;
    struct err e = {0};
    if (keyring_parse(&list, text, &e) < 0) {
        assert((e.code == ERR_CORRUPT || e.code == ERR_HELD) && e.msg[0]);
        return;
    }
    assert(list.n >= 2 && list.n <= KEYRING_MAX && key_list_current(&list, true) && key_list_current(&list, false));
    buf_init(&out, 0);
    assert(keyring_print(&out, &list, &e) == 0 && keyring_parse(&again, buf_bytes(&out), &e) == 0 && again.n == list.n);
    for (size_t i = 0; i < list.n; i++) {
        assert(!strchr(list.key[i].file, '/') && list.key[i].file[0] != '.');
        assert(strcmp(list.key[i].id, again.key[i].id) == 0 && list.key[i].state == again.key[i].state && list.key[i].until == again.key[i].until);
        key_warning(&list.key[i], 0);
        key_entry_may_sign(&list.key[i], "0123456789abcdef", 7, false, &e);
    }
    key_list_use(&list, list.key[0].id, "0123456789abcdef", 7, 1, &e);
    buf_clear(&out);
}

static void share(struct bytes text)
{
    static struct share s, again;
    struct buf out;
    struct err e = {0};
    if (share_read(&s, text, &e) < 0) {
        assert((e.code == ERR_CORRUPT || e.code == ERR_HELD) && e.msg[0]);
        return;
    }
    buf_init(&out, 0);
    assert(s.n > 32 && s.n <= sizeof s.y && s.number >= 1 && s.number <= SHARES);
    assert(share_write(&out, &s, &e) == 0 && share_read(&again, buf_bytes(&out), &e) == 0 && memcmp(&s, &again, sizeof s) == 0);
    buf_clear(&out);
}

static void join(struct bytes both)
{
    static struct share a, b;
    struct buf secret;
    struct err e = {0};
    const uint8_t *cut = both.n ? memchr(both.p, 0, both.n) : NULL;
    if (!cut)
        return;
    size_t n = (size_t)(cut - both.p);
    if (share_read(&a, (struct bytes){both.p, n}, &e) < 0 || share_read(&b, (struct bytes){cut + 1, both.n - n - 1}, &e) < 0)
        return;
    buf_init(&secret, 0);
    if (shares_join(&secret, &a, &b, &e) < 0)
        assert((e.code == ERR_INPUT || e.code == ERR_CORRUPT) && e.msg[0] && secret.n == 0);
    buf_wipe(&secret);
}

static void key_file(struct bytes text, bool private)
{
    char path[64];
    struct key_public k;
    struct key_pair *pair = NULL;
    struct err e = {0};
    int fd = memfd_create("key", MFD_CLOEXEC);
    assert(fd >= 0 && fchmod(fd, 0600) == 0 && (text.n == 0 || write(fd, text.p, text.n) == (ssize_t)text.n));
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    int rc = private ? keys_load(&pair, path, &e) : keys_load_public(&k, path, &e);
    if (rc == 0)
        assert(private ? keys_public(pair)->name[0] : k.name[0]);
    else
        assert((e.code == ERR_INPUT || e.code == ERR_TOO_LARGE || e.code == ERR_HELD) && e.msg[0] && !pair);
    keys_free(pair);
    close(fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0 || sodium_init() < 0)
        return 0;
    struct bytes rest = {data + 1, size - 1};
    switch (data[0]) {
    case 'r': ring(rest); break;
    case 's': share(rest); break;
    case 'j': join(rest); break;
    case 'p': key_file(rest, true); break;
    case 'u': key_file(rest, false); break;
    }
    return 0;
}
