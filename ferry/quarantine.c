/* quarantine.c - ferry quarantine: the files that were set aside on this host, each with its reason. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/file.h"
#include "ferry/commands.h"

static bool is_reason(const char *name)
{
    size_t n = strlen(name);
    return n > 7 && strcmp(name + n - 7, ".reason") == 0;
}

static void read_reason(char out[512], int dirfd, const char *name)
{
    struct buf b;
    struct err e = {0};
    char beside[300];
    buf_init(&b, 4096);
    snprintf(beside, sizeof beside, "%.255s.reason", name);
    if (file_read(&b, dirfd, beside, 4096, &e) < 0)
        snprintf(out, 512, "%s", told("(no reason beside it)", "（旁边没有原因）"));
    else
        snprintf(out, 512, "%.*s", (int)(b.n < 500 ? b.n : 500), (const char *)b.p);
    out[strcspn(out, "\r\n")] = 0;
    buf_clear(&b);
}

static int list_folder(const char *key, const char *path, json_t *rows, struct err *e)
{
    struct dir_entry *list;
    size_t n;
    int fd;
    if (folder_open(&fd, path, 0, e) < 0)
        return -1;
    int rc = folder_list(&list, &n, fd, 1000000, e);
    for (size_t i = 0; rc == 0 && i < n; i++) {
        char reason[512];
        if (is_reason(list[i].name))
            continue;
        read_reason(reason, fd, list[i].name);
        json_t *row = json_pack("{s:s, s:s, s:I, s:I, s:s}", "folder", key, "file", list[i].name, "bytes", (json_int_t)list[i].size, "at_ms", (json_int_t)list[i].mtime_ms, "reason", reason);
        json_array_append_new(rows, row ? row : json_pack("{s:s, s:s}", "folder", key, "file", "?"));      /* a name that is no text */
    }
    if (rc == 0)
        free(list);
    close(fd);
    return rc;
}

static void print(const json_t *rows)
{
    size_t i;
    json_t *r;
    json_array_foreach(rows, i, r) {
        char at[21];
        clock_rfc3339(at, json_integer_value(json_object_get(r, "at_ms")) + 8 * 3600 * 1000);
        printf("%s  %.10s %.8s  %s  %lld\n    %s\n", json_string_value(json_object_get(r, "folder")), at, at + 11, json_string_value(json_object_get(r, "file")),
               (long long)json_integer_value(json_object_get(r, "bytes")), json_string_value(json_object_get(r, "reason")));
    }
    if (json_array_size(rows) == 0)
        printf("%s\n", told("nothing", "没有"));
}

int command_quarantine(const struct config *c, const struct arguments *a)
{
    static const char *const keys[] = {"quarantine", "internet_quarantine", "intranet_quarantine"};
    json_t *rows = json_array();
    int rc = 0;
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        struct err e = {0};
        if (*config_text(c, keys[i]) && list_folder(keys[i], config_text(c, keys[i]), rows, &e) < 0) {
            fprintf(stderr, "ferry quarantine: %s\n", e.msg);
            rc = 1;
        }
    }
    if (arguments_option(a, "--json")) {
        json_dumpf(rows, stdout, JSON_INDENT(2));
        putchar('\n');
    } else
        print(rows);
    json_decref(rows);
    return rc;
}
