/* doctor_files.c - owners and modes of what belongs to a service alone, and the space of every volume. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "ferry/doctor.h"
#include "ferry/status.h"

static const char *owner_name(char out[64], uid_t uid)
{
    struct passwd p, *found;
    char text[1024];
    if (getpwuid_r(uid, &p, text, sizeof text, &found) == 0 && found)
        snprintf(out, 64, "%s", p.pw_name);
    else
        snprintf(out, 64, "%u", uid);
    return out;
}

struct modes { struct doctor *d; const char *check, *open; uid_t owner; unsigned seen, wrong; };

static void wrong_mode(struct modes *m, const char *path, const struct stat *st, mode_t want)
{
    char type[700], owner[64], have[64];
    m->wrong++;
    if (m->wrong > 5)
        return;                          /* the rest is of the same kind */
    if (st->st_uid != m->owner) {
        snprintf(type, sizeof type, "chown %s %s", owner_name(owner, m->owner), path);
        doctor_say(m->d, DOCTOR_FAULT, m->check, type, told("%s: want owner %s, have %s", "%s：属主应为 %s，现为 %s"), path, owner_name(owner, m->owner), owner_name(have, st->st_uid));
        return;
    }
    snprintf(type, sizeof type, "chmod %04o %s", want, path);
    doctor_say(m->d, DOCTOR_FAULT, m->check, type, told("%s: want mode %04o, have %04o: others can read it", "%s：权限应为 %04o，现为 %04o：他人可读"), path, want, st->st_mode & 07777);
}

static void check_one(struct modes *m, const char *path, const struct stat *st)
{
    m->seen++;
    if (st->st_uid != m->owner || st->st_mode & 077)
        wrong_mode(m, path, st, S_ISDIR(st->st_mode) ? 0700 : 0600);
}

/* Everything in the folder; *.pub and the status file (open) may be read by all. */
static void walk(struct modes *m, const char *path)
{
    DIR *dir = opendir(path);
    struct dirent *x;
    struct stat st;
    if (!dir) {
        doctor_say(m->d, DOCTOR_WARNING, m->check, told("run it as root or as the service's user", "请以 root 或服务账号运行"), "%s: %s", path, strerror(errno));
        return;
    }
    while ((x = readdir(dir)) != NULL) {
        char below[600];
        size_t n = strlen(x->d_name);
        const bool dots = strcmp(x->d_name, ".") == 0 || strcmp(x->d_name, "..") == 0, pub = n > 4 && strcmp(x->d_name + n - 4, ".pub") == 0;
        if (dots || pub || (size_t)snprintf(below, sizeof below, "%s/%s", path, x->d_name) >= sizeof below || strcmp(below, m->open) == 0)
            continue;
        if (fstatat(dirfd(dir), x->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 && (S_ISREG(st.st_mode) || S_ISDIR(st.st_mode)))
            check_one(m, below, &st);
    }
    closedir(dir);
}

/* The folder's owner is the service: what lies in it must be the same. */
static void check_private(struct doctor *d, const char *what, const struct doctor_side *s, const char *key)
{
    char check[48], type[700];
    struct stat st;
    const char *path = *key ? config_text(d->c, key) : "";
    snprintf(check, sizeof check, "%s %s", what, s->name);
    if (!*path)
        return;
    if (stat(path, &st) < 0) {
        snprintf(type, sizeof type, "install -d -m 0700 %s", path);
        doctor_say(d, DOCTOR_FAULT, check, errno == ENOENT ? type : "", "%s: %s", path, strerror(errno));
        return;
    }
    struct modes m = {d, check, config_text(d->c, s->status_key), st.st_uid, 0, 0};
    check_one(&m, path, &st);
    walk(&m, path);
    if (m.wrong > 5)
        doctor_say(d, DOCTOR_FAULT, check, "", told("%u more of the kind", "另有 %u 个同样问题"), m.wrong - 5);
    if (m.seen && !m.wrong)
        doctor_say(d, DOCTOR_OK, check, "", told("%s: %u entries, nobody else can read them", "%s：%u 项，他人不可读"), path, m.seen);
}

void doctor_modes(struct doctor *d, const struct doctor_side *s)
{
    check_private(d, "data", s, s->data_key);
    check_private(d, "keys", s, s->keys_key);
    check_private(d, "vault", s, s->vault_key);
    check_private(d, "commands", s, s->commands_key);
}

/* --- space --- */

static unsigned percent(uint64_t part, uint64_t all)
{
    return all ? (unsigned)(part * 100 / all) : 100;
}

static void check_volume(struct doctor *d, const char *path)
{
    struct statvfs v;
    if (statvfs(path, &v) < 0)
        return;
    const unsigned space = percent(v.f_bavail, v.f_blocks), nodes = percent(v.f_favail, v.f_files);
    const unsigned least = space < nodes ? space : nodes;
    const int word = v.f_flag & ST_RDONLY || least < FREE_CRITICAL ? DOCTOR_FAULT : least < FREE_WARN ? DOCTOR_WARNING : DOCTOR_OK;
    char type[700];
    snprintf(type, sizeof type, v.f_flag & ST_RDONLY ? "mount -o remount,rw %s" : "df -h %s; du -xh -d 2 %s | sort -h | tail", path, path);
    doctor_say(d, word, "space", word == DOCTOR_OK ? "" : type, told("%s: %u %% of the space and %u %% of the file entries free%s", "%s：剩余空间 %u%%，剩余文件项 %u%%%s"), path, space, nodes,
               v.f_flag & ST_RDONLY ? told(", mounted read-only", "，只读挂载") : "");
}

void doctor_space(struct doctor *d)
{
    static const char *const keys[] = {"internet_data", "intranet_data", "intranet_vault", "internet_outbox", "intranet_inbox", "intranet_outbox", "internet_inbox", "quarantine",
                                       "internet_quarantine", "intranet_quarantine", "internet_keys", "intranet_keys"};
    dev_t seen[sizeof keys / sizeof keys[0]];
    size_t n = 0;
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        struct stat st;
        bool again = false;
        const char *path = config_text(d->c, keys[i]);
        if (!*path || stat(path, &st) < 0)
            continue;
        for (size_t k = 0; k < n; k++)
            again = again || seen[k] == st.st_dev;
        if (again)
            continue;
        seen[n++] = st.st_dev;
        check_volume(d, path);
    }
}
