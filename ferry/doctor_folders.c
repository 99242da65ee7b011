/* doctor_folders.c - the gateway's folders: there, usable by who uses them, renames atomic, events seen. */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/magic.h>
#include <poll.h>
#include <pwd.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/file.h"
#include "ferry/doctor.h"

#define SLOW_MS 1000
#define COMMAND_OLD_S 60

struct trial { bool renamed, seen; int64_t took_ms; char why[128]; };

/* Under hidden names, which every reader of the folder leaves alone; removed again. */
static int try_rename(struct trial *t, int dir, const char *tmp, const char *final)
{
    struct buf body;
    buf_init(&body, 0);
    buf_str(&body, "ferry doctor\n");
    const int64_t start = clock_mono_ms();
    int fd = openat(dir, tmp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    int rc = fd < 0 ? -1 : fd_write_all(fd, buf_bytes(&body));
    if (rc == 0 && fsync(fd) < 0)
        rc = -1;
    if (fd >= 0 && fd_close(&fd) < 0)
        rc = -1;
    if (rc == 0)
        t->renamed = renameat2(dir, tmp, dir, final, RENAME_NOREPLACE) == 0 || (linkat(dir, tmp, dir, final, 0) == 0 && unlinkat(dir, tmp, 0) == 0);
    if (rc < 0 || !t->renamed)
        snprintf(t->why, sizeof t->why, "%s", strerror(errno));
    if (rc == 0 && fsync(dir) < 0)
        snprintf(t->why, sizeof t->why, "fsync: %s", strerror(errno));
    t->took_ms = clock_mono_ms() - start;
    buf_clear(&body);
    return rc;
}

static void try_folder(struct trial *t, const char *path)
{
    char tmp[64], final[64], events[4096];
    const uint32_t r = randombytes_random();
    int dir, notify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    struct err e = {0};
    snprintf(tmp, sizeof tmp, ".doctor.%08x.tmp", r);
    snprintf(final, sizeof final, ".doctor.%08x.done.tmp", r);
    if (folder_open(&dir, path, 0, &e) < 0)
        snprintf(t->why, sizeof t->why, "%.120s", e.msg);
    else {
        if (notify >= 0)
            inotify_add_watch(notify, path, IN_MOVED_TO | IN_CREATE);
        try_rename(t, dir, tmp, final);
        struct pollfd p = {notify, POLLIN, 0};
        t->seen = notify >= 0 && poll(&p, 1, 500) > 0 && read(notify, events, sizeof events) > 0;
        unlinkat(dir, tmp, 0);
        unlinkat(dir, final, 0);
        close(dir);
    }
    if (notify >= 0)
        close(notify);
}

static bool is_network(const char *path)
{
    struct statfs s;
    if (statfs(path, &s) < 0)
        return false;
    const unsigned long type = (unsigned long)s.f_type;
    return type == NFS_SUPER_MAGIC || type == SMB_SUPER_MAGIC || type == 0xff534d42ul || type == 0xfe534d42ul || type == 0x65735546ul;
}

/* May this user read, write and enter the folder, by its mode? */
static bool may_use(uid_t uid, const struct stat *st)
{
    struct passwd p, *found;
    char text[1024];
    gid_t groups[64];
    int n = 64;
    if (uid == 0)
        return true;
    if (uid == st->st_uid)
        return (st->st_mode & 0700) == 0700;
    if (getpwuid_r(uid, &p, text, sizeof text, &found) != 0 || !found || getgrouplist(p.pw_name, p.pw_gid, groups, &n) < 0)
        n = 0;
    for (int i = 0; i < n; i++)
        if (groups[i] == st->st_gid)
            return (st->st_mode & 0070) == 0070;
    return (st->st_mode & 0007) == 0007;
}

/* Who uses it: the owner of the side's own folders. -1: not known here. */
static int64_t user_of(const struct doctor *d, const struct doctor_side *s)
{
    struct stat st;
    const char *data = config_text(d->c, s->data_key), *commands = config_text(d->c, s->commands_key);
    const char *path = *data ? data : commands;
    return *path && stat(path, &st) == 0 ? (int64_t)st.st_uid : -1;
}

static void check_trial(struct doctor *d, const char *key, const char *path)
{
    struct trial t = {.renamed = false};
    char type[700];
    try_folder(&t, path);
    snprintf(type, sizeof type, "ls -ld %s; mount | grep -F %s", path, path);
    if (!t.renamed || t.why[0])
        doctor_say(d, DOCTOR_FAULT, key, type, told("%s: write, fsync, rename: %s", "%s：写入、落盘、改名失败：%s"), path, t.why);
    else if (is_network(path) && config_number(d->c, "rescan_s") > 1)
        doctor_say(d, DOCTOR_WARNING, key, told("rescan_s = 1 in ferry.conf and in the service's configuration", "在 ferry.conf 和服务配置中设 rescan_s = 1"), "%s: %s", path,
                   told("a network mount: what others write there is seen by rescans only", "网络挂载：只能靠定时扫描发现他机写入"));
    else if (!t.seen)
        doctor_say(d, DOCTOR_WARNING, key, "sysctl fs.inotify", "%s: %s", path, told("no event of a new file (inotify): found by rescans only", "收不到新文件事件（inotify）：只能靠定时扫描"));
    else if (t.took_ms > SLOW_MS)
        doctor_say(d, DOCTOR_WARNING, key, type, told("%s: write, fsync and rename took %lld ms", "%s：写入、落盘、改名用了 %lld 毫秒"), path, (long long)t.took_ms);
    else
        doctor_say(d, DOCTOR_OK, key, "", told("%s: written, renamed and seen in %lld ms", "%s：写入、改名、事件均正常，%lld 毫秒"), path, (long long)t.took_ms);
}

/* here: a program of this host uses it. */
static void check_folder(struct doctor *d, const char *key, bool here, int64_t user)
{
    struct stat st;
    char type[700];
    const char *path = config_text(d->c, key);
    if (!*path)
        return;
    if (stat(path, &st) < 0 || !S_ISDIR(st.st_mode)) {
        snprintf(type, sizeof type, "install -d -m 0770 -g huzheng %s", path);
        if (here)
            doctor_say(d, DOCTOR_FAULT, key, errno == ENOENT ? type : "", "%s: %s", path, S_ISDIR(st.st_mode) || errno ? strerror(errno) : told("not a folder", "不是文件夹"));
        return;
    }
    if (!here)
        return;
    snprintf(type, sizeof type, "ls -ld %s; id %lld", path, (long long)user);
    if (user >= 0 && !may_use((uid_t)user, &st))
        doctor_say(d, DOCTOR_FAULT, key, type, told("%s: mode %04o does not let user %lld read, write and enter it", "%s：权限 %04o 不允许用户 %lld 读写进入"), path, st.st_mode & 07777, (long long)user);
    else if (access(path, R_OK | W_OK | X_OK) < 0)
        doctor_say(d, DOCTOR_WARNING, key, told("run it as root or as the service's user", "请以 root 或服务账号运行"), "%s: %s", path, strerror(errno));
    else
        check_trial(d, key, path);
}

/* Links, pipes and folders can only be renamed aside. */
static void check_aside(struct doctor *d, const char *from_key, const char *to_key)
{
    struct stat a, b;
    const char *from = config_text(d->c, from_key), *to = config_text(d->c, to_key);
    if (*from && *to && stat(from, &a) == 0 && stat(to, &b) == 0 && a.st_dev != b.st_dev)
        doctor_say(d, DOCTOR_WARNING, to_key, told("move the quarantine to the folder's volume", "请把隔离区放到同一卷"), told("%s is on another volume than %s: what is not a regular file cannot be set aside", "%s 与 %s 不在同一卷：非普通文件无法隔离"), to, from);
}

/* A command that lies there though its service runs: the service reads another folder. */
static void check_commands(struct doctor *d, const struct doctor_side *s)
{
    struct dir_entry *list;
    struct err e = {0};
    size_t n, old = 0;
    int fd;
    const char *path = config_text(d->c, s->commands_key);
    if (!*path || folder_open(&fd, path, 0, &e) < 0)
        return;
    if (folder_list(&list, &n, fd, 10000, &e) == 0) {
        for (size_t i = 0; i < n; i++) {
            const size_t len = strlen(list[i].name);
            old += len > 4 && strcmp(list[i].name + len - 4, ".ask") == 0 && d->now_ms - list[i].mtime_ms > COMMAND_OLD_S * 1000LL;
        }
        free(list);
        if (old)
            doctor_say(d, DOCTOR_WARNING, s->commands_key, "ferry status", told("%zu commands lie there unanswered: no service reads %s", "%zu 条命令无人处理：没有服务在读 %s"), old, path);
    }
    close(fd);
}

void doctor_folders(struct doctor *d, const struct doctor_side *s)
{
    const bool mover = *config_text(d->c, "status_file");
    const int64_t user = s->here ? user_of(d, s) : -1;
    check_folder(d, s->outbox_key, s->here || mover, user);
    check_folder(d, s->inbox_key, s->here || mover, user);
    if (s->here) {
        check_aside(d, s->inbox_key, s->quarantine_key);
        check_commands(d, s);
    }
    if (mover)
        check_aside(d, s->outbox_key, "quarantine");
}
