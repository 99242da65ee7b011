/* quarantine.c - ferry quarantine: the files that were set aside on this host, each with its reason. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/file.h"
#include "common/text.h"
#include "ferry/commands.h"
#include "ferry/lib/quarantine.h"

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
    text_mend(out, '?');
    buf_clear(&b);
}

/* Files beyond the bound: a line each, the file itself was let go. */
static int list_more(const char *key, int dirfd, const char *name, json_t *rows, struct err *e)
{
    struct buf text;
    buf_init(&text, (size_t)QUARANTINE_MORE_BYTES + (1 << 20));
    int rc = file_read(&text, dirfd, name, (size_t)QUARANTINE_MORE_BYTES + (1 << 20), e);
    if (rc < 0 && e->code == ERR_MISSING) {
        err_clear(e);
        rc = 0;
    }
    for (const char *p = buf_text(&text), *end; rc == 0 && (end = strchr(p, '\n')) != NULL; p = end + 1) {
        json_t *row = json_loadb(p, (size_t)(end - p), 0, NULL);
        int64_t at = 0;
        const char *when = json_string_value(json_object_get(row, "at"));
        if (!when || clock_parse_rfc3339(&at, when, e) < 0) {
            err_clear(e);                /* a line that a crash cut short */
            json_decref(row);
            continue;
        }
        json_object_set_new(row, "folder", json_string(key));
        json_object_set_new(row, "at_ms", json_integer(at));
        json_object_set_new(row, "kept", json_false());
        json_array_append_new(rows, row);
    }
    buf_clear(&text);
    return rc;
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
        char reason[512], shown[256];
        if (quarantine_is_note(list[i].name))
            continue;
        read_reason(reason, fd, list[i].name);
        memcpy(shown, list[i].name, sizeof shown);
        text_mend(shown, '?');
        json_t *row = json_pack("{s:s, s:s, s:I, s:I, s:s}", "folder", key, "file", shown, "bytes", (json_int_t)list[i].size, "at_ms", (json_int_t)list[i].mtime_ms, "reason", reason);
        json_array_append_new(rows, row);
    }
    if (rc == 0)
        free(list);
    if (rc == 0 && (list_more(key, fd, QUARANTINE_MORE_BEFORE, rows, e) < 0 || list_more(key, fd, QUARANTINE_MORE, rows, e) < 0))
        rc = -1;
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
        const char *hash = json_string_value(json_object_get(r, "hash"));
        printf("%s  %.10s %.8s  %s  %lld\n    %s\n", json_string_value(json_object_get(r, "folder")), at, at + 11, json_string_value(json_object_get(r, "file")),
               (long long)json_integer_value(json_object_get(r, "bytes")), json_string_value(json_object_get(r, "reason")));
        if (json_is_false(json_object_get(r, "kept")))
            printf("    %s %s\n", told("beyond the bound: the file was let go, BLAKE2b-256", "超出上限，未保留文件，BLAKE2b-256"), hash ? hash : "");
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
