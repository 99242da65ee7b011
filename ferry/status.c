/* status.c - ferry status: is it fine, since when not, what is oldest, what to do. Reads status files and folders, nothing else. */
#include "ferry/status.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/file.h"

const char *const words_en[] = {"fine", "warning", "critical", "unknown"};
const char *const words_zh[] = {"正常", "警告", "严重", "未知"};

#define WATCH_S 2
#define CONTROLS "\001\002\003\004\005\006\007\b\t\n\v\f\r\016\017\020\021\022\023\024\025\026\027\030\031\032\033\034\035\036\037\177"
#define STATUS_MOST (1LL << 53)           /* no figure of ours is larger: ages can be computed without overflow */

long long status_number(const json_t *o, const char *key)
{
    const long long v = json_integer_value(json_object_get(o, key));
    return v > STATUS_MOST ? STATUS_MOST : v < -STATUS_MOST ? -STATUS_MOST : v;
}

const char *status_text(const json_t *o, const char *key)
{
    const char *s = json_string_value(json_object_get(o, key));
    return s ? s : "";
}

bool status_true(const json_t *o, const char *key)
{
    return json_is_true(json_object_get(o, key));
}

const char *status_heard(const json_t *o)
{
    return status_number(o, "peer_beat_ms") ? "peer_beat_ms" : "started_ms";
}

/* These texts go to a terminal: whoever wrote the file, nothing in it moves the cursor. */
static void make_plain(json_t *v)
{
    const char *key;
    size_t i;
    json_t *x;
    json_object_foreach(v, key, x) make_plain(x);
    json_array_foreach(v, i, x) make_plain(x);
    if (!json_is_string(v) || strcspn(json_string_value(v), CONTROLS) == json_string_length(v))
        return;
    char *text = strdup(json_string_value(v));
    for (char *p = text; p && *(p += strcspn(p, CONTROLS));)
        *p = '?';
    json_string_set(v, text ? text : "");
    free(text);
}

static json_t *parse(struct bytes text)
{
    json_t *status = json_loadb((const char *)text.p, text.n, JSON_REJECT_DUPLICATES, NULL);
    make_plain(status);
    return status;
}

json_t *status_read(const char *path)
{
    struct buf b;
    struct err e = {0};
    json_t *status = NULL;
    buf_init(&b, 65536);
    if (file_read_path(&b, path, 65535, &e) == 0)
        status = parse(buf_bytes(&b));
    buf_clear(&b);
    return status;
}

bool status_runs(const json_t *status, int64_t now_ms)
{
    return now_ms - status_number(status, "at_ms") <= STATUS_STALE_MS && status_true(status, "running");
}

static void load(struct part *p, const char *path)
{
    p->configured = *path != 0;
    if (p->configured)
        p->status = status_read(path);
}

static double volume_free(const char *path)
{
    struct statvfs v;
    if (!*path || statvfs(path, &v) < 0)
        return -1;
    if (v.f_flag & ST_RDONLY)
        return 0;
    if (!v.f_blocks)
        return 1;
    const double space = (double)v.f_bavail / (double)v.f_blocks, entries = v.f_files ? (double)v.f_favail / (double)v.f_files : 1;
    return space < entries ? space : entries;
}

static void look_folder(struct folder_part *f, const char *path)
{
    struct dir_entry *list;
    size_t n;
    struct err e = {0};
    int fd;
    if (folder_open(&fd, path, 0, &e) < 0)
        return;
    f->readable = folder_list(&list, &n, fd, 100000, &e) == 0;
    for (size_t i = 0; f->readable && i < n; i++) {
        size_t len = strlen(list[i].name);
        if (len > 7 && strcmp(list[i].name + len - 7, ".reason") == 0)
            continue;
        f->files++;
        if (!f->oldest_ms || list[i].mtime_ms < f->oldest_ms)
            f->oldest_ms = list[i].mtime_ms;
    }
    if (f->readable)
        free(list);
    close(fd);
}

static int report(const struct config *c, const struct arguments *a)
{
    static const char *const folder_keys[STATUS_FOLDERS] = {"internet_outbox", "intranet_inbox", "intranet_outbox", "internet_inbox", "quarantine"};
    static const char *const volume_keys[STATUS_VOLUMES] = {"internet_data", "intranet_data", "intranet_vault", "internet_outbox", "intranet_inbox", "intranet_outbox", "internet_inbox", "quarantine"};
    struct report r = {.now_ms = clock_wall_ms(),
                       .parts = {{.key = "internet_status", .side = "internet", .en = "internet-side", .zh = "互联网侧"},
                                 {.key = "intranet_status", .side = "intranet", .en = "intranet-side", .zh = "公安网侧"},
                                 {.key = "status_file", .side = "", .en = "mover", .zh = "摆渡程序"}}};
    for (int i = 0; i < STATUS_PARTS; i++)
        load(&r.parts[i], config_text(c, r.parts[i].key));
    for (int i = 0; i < STATUS_FOLDERS; i++) {
        r.folders[i].key = folder_keys[i];
        look_folder(&r.folders[i], config_text(c, folder_keys[i]));
    }
    for (int i = 0; i < STATUS_VOLUMES; i++)
        r.volumes[i] = (struct volume_part){.key = volume_keys[i], .free = volume_free(config_text(c, volume_keys[i]))};
    status_judge(&r);
    if (arguments_option(a, "--json"))
        status_print_json(&r);
    else if (arguments_option(a, "--prometheus"))
        status_print_prometheus(&r);
    else
        status_print(&r);
    for (int i = 0; i < STATUS_PARTS; i++)
        json_decref(r.parts[i].status);
    return (int)r.word;
}

int command_status(const struct config *c, const struct arguments *a)
{
    int word = report(c, a);
    while (arguments_option(a, "--watch") && fflush(stdout) == 0) {
        sleep(WATCH_S);
        if (isatty(STDOUT_FILENO))
            fputs("\033[H\033[J", stdout);
        word = report(c, a);
    }
    return word;
}
