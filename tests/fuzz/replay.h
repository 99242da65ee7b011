/* replay.h - for fuzz entries built by gcc (-DREPLAY): a main that feeds every file of the folder in argv[1] to the entry, once.
 * libFuzzer brings its own main; then this header is empty. */
#ifndef TESTS_FUZZ_REPLAY_H
#define TESTS_FUZZ_REPLAY_H

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#ifdef REPLAY
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/file.h"

int main(int argc, char **argv)
{
    struct err e = {0};
    struct dir_entry *list = NULL;
    size_t n = 0, ran = 0;
    int fd = -1;
    if (argc != 2 || folder_open(&fd, argv[1], 0, &e) < 0 || folder_list(&list, &n, fd, 100000, &e) < 0) {
        fprintf(stderr, "replay: %s\n", argc == 2 ? e.msg : "want one folder");
        return 2;
    }
    for (size_t i = 0; i < n; i++) {
        struct buf b;
        buf_init(&b, 0);
        if (list[i].regular && file_read(&b, fd, list[i].name, (size_t)16 << 20, &e) == 0) {
            LLVMFuzzerTestOneInput(b.p ? b.p : (const uint8_t *)"", b.n);
            ran++;
        }
        buf_clear(&b);
    }
    free(list);
    printf("%zu inputs replayed\n", ran);
    return ran > 0 && ran == n ? 0 : 1;
}
#endif
#endif
