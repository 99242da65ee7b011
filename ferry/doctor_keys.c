/* doctor_keys.c - are the keys there, do they fit each other, do both ends of a lane know them, when do they expire. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/keyring.h"
#include "ferry/doctor.h"
#include "ferry/lane_keys.h"
#include "ferry/status.h"

static void check_expiry(struct doctor *d, const char *check, const struct key_entry *k, const char *side)
{
    const unsigned passed = key_warning(k, d->now_ms);
    const long long days = key_days(k, d->now_ms);
    char type[80];
    snprintf(type, sizeof type, k->own ? "ferry key generate --side %s" : "ferry key list --side %s", side);
    if (passed)
        doctor_say(d, DOCTOR_WARNING, check, type, days < 0 ? told("key %s expired %lld days ago", "密钥 %s 已过期 %lld 天") : told("key %s expires in %lld days", "密钥 %s 还有 %lld 天到期"), k->id, days < 0 ? -days : days);
}

static void check_ring(struct doctor *d, const char *check, const struct key_set *set, const char *side)
{
    const struct key_list *l = key_set_list(set);
    unsigned own = 0, peer = 0;
    for (size_t i = 0; i < l->n; i++) {
        const struct key_entry *k = &l->key[i];
        char type[100];
        check_expiry(d, check, k, side);
        own += k->own && k->state == KEY_CURRENT;
        peer += !k->own && k->state == KEY_CURRENT && k->trusted;
        snprintf(type, sizeof type, "ferry key trust %s --fingerprint … --side %s", k->id, side);
        if (!k->own && !k->trusted && k->state != KEY_RETIRED && k->state != KEY_REVOKED)
            doctor_say(d, DOCTOR_WARNING, check, type, told("the peer's key %s was announced, nobody here compared it", "对侧公布了密钥 %s，本侧尚未核对"), k->id);
    }
    if (own && peer)
        doctor_say(d, DOCTOR_OK, check, "", told("ring of %zu keys, ours and the peer's in use", "密钥环 %zu 把，本侧与对侧均有使用中的密钥"), l->n);
    else
        doctor_say(d, DOCTOR_FAULT, check, "ferry key list", "%s", own ? told("no key of the peer is in use", "没有对侧的可用密钥") : told("no key of ours is in use", "没有本侧的可用密钥"));
}

/* The mover must know the key that the side signs with, else everything goes to its quarantine. */
static void check_known(struct doctor *d, const struct key_set *set, const struct doctor_side *s)
{
    struct lane_keys l = {.n = 0};
    struct err e = {0};
    char lane_key[24], check[40];
    const struct key_public *own = keys_public(key_set_own(set));
    char id[17];
    snprintf(lane_key, sizeof lane_key, "%s_key", s->name);
    if (!*config_text(d->c, "status_file") || lane_keys_load(&l, config_text(d->c, lane_key), &e) < 0)
        return;
    hex_put(id, own->id.b, 8);
    snprintf(check, sizeof check, "lane %s", s->name);
    for (size_t i = 0; i < l.n; i++)
        if (memcmp(l.list[i]->id.b, own->id.b, sizeof own->id.b) == 0)
            return;
    doctor_say(d, DOCTOR_FAULT, check, "ferry key trust FILE.pub --keys GATEWAY-KEYS --fingerprint …", told("the mover does not know key %s, with which this side signs", "摆渡程序不认识本侧签名密钥 %s"), id);
}

/* Without the folder of private keys the service's own words have to do. */
static void check_told(struct doctor *d, const char *check, const struct doctor_side *s)
{
    json_t *status = *config_text(d->c, s->status_key) ? status_read(config_text(d->c, s->status_key)) : NULL, *k;
    size_t i;
    json_array_foreach(json_object_get(status, "keys"), i, k) {
        const char *state = json_string_value(json_object_get(k, "state")), *id = json_string_value(json_object_get(k, "id"));
        const long long days = json_integer_value(json_object_get(k, "days"));
        if (!state || !id || strcmp(state, "retired") == 0 || strcmp(state, "revoked") == 0)
            continue;
        doctor_say(d, days < 60 ? DOCTOR_WARNING : DOCTOR_OK, check, days < 60 ? "ferry key generate" : "", told("key %s (%s): %lld days left", "密钥 %s（%s）：还有 %lld 天"), id, state, days);
    }
    json_decref(status);
}

/* A ring is read by its owner alone: root looks with the owner's eyes. One thread here. */
static int open_ring(struct keyring **ring, const char *dir, struct err *e)
{
    struct stat st;
    const bool other = geteuid() == 0 && stat(dir, &st) == 0 && st.st_uid != 0;
    if (other && (setegid(st.st_gid) < 0 || seteuid(st.st_uid) < 0))
        return err_sys(e, "become the owner of %s", dir);
    int rc = keyring_open_dir(ring, dir, e);
    if (other && (seteuid(0) < 0 || setegid(getgid()) < 0) && rc == 0) {
        keyring_close(*ring);
        rc = err_sys(e, "become root again");
    }
    return rc;
}

void doctor_keys(struct doctor *d, const struct doctor_side *s)
{
    struct keyring *ring;
    struct err e = {0};
    char check[40];
    const char *dir = config_text(d->c, s->keys_key);
    snprintf(check, sizeof check, "key %s", s->name);
    if (!*dir) {
        check_told(d, check, s);
        return;
    }
    if (open_ring(&ring, dir, &e) < 0) {
        doctor_say(d, DOCTOR_FAULT, check, "ferry key list --keys DIR", "%s", e.msg);
        return;
    }
    struct key_set *set = keyring_take(ring);
    check_ring(d, check, set, s->name);
    check_known(d, set, s);
    key_set_release(set);
    keyring_close(ring);
}

void doctor_lanes(struct doctor *d)
{
    static const char *const names[] = {"internet", "intranet"};
    for (int i = 0; i < 2; i++) {
        struct lane_keys l = {.n = 0};
        struct err e = {0};
        char key[24], check[40];
        snprintf(key, sizeof key, "%s_key", names[i]);
        snprintf(check, sizeof check, "lane %s", names[i]);
        if (lane_keys_load(&l, config_text(d->c, key), &e) < 0)
            doctor_say(d, DOCTOR_FAULT, check, told("copy that side's .pub file there", "请把该侧的 .pub 文件复制到此处"), "%s", e.msg);
        else if (strcmp(l.list[0]->name, names[i]) != 0)
            doctor_say(d, DOCTOR_FAULT, check, told("exchange internet_key and intranet_key", "internet_key 与 intranet_key 写反"), told("%s: want a key of %s, have one of %s", "%s：应为 %s 的密钥，现为 %s 的"), config_text(d->c, key), names[i], l.list[0]->name);
        else
            doctor_say(d, l.ignored ? DOCTOR_WARNING : DOCTOR_OK, check, "", told("%zu public keys may sign, %zu files are none", "%zu 把公钥可签名，%zu 个文件不是公钥"), l.n, l.ignored);
    }
}
