/* SEC-04, SEC-05: the ring of one side's keys, its states, and who may sign and open what. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/file.h"
#include "common/keyring.h"
#include "tests/unit/scratch.h"

#define ONE "00000000000000aa"
#define TWO "00000000000000bb"

static unsigned suite = 1;               /* every test runs in each */

struct world { struct scratch s; char ours[100], theirs[100]; struct keyring *ring, *peer; };

static void must(int rc, const struct err *e)
{
    if (rc < 0)
        fail_msg("%s", e->msg);
}

static void copy_public(const char *from, const char *to, const char *name)
{
    char a[300], b[300];
    struct key_public k;
    struct err e = {0};
    snprintf(a, sizeof a, "%s/%s.pub", from, name);
    snprintf(b, sizeof b, "%s/%s.pub", to, name);
    must(keys_load_public(&k, a, &e), &e);
    must(keys_save_public(&k, b, &e), &e);
}

static void make_side(const char *dir, const char *name)
{
    char priv[300], pub[300];
    struct key_pair *k;
    struct err e = {0};
    snprintf(priv, sizeof priv, "%s/%s.key", dir, name);
    snprintf(pub, sizeof pub, "%s/%s.pub", dir, name);
    must(folder_make(dir, 0700, &e), &e);
    must(keys_generate_in(&k, name, suite, &e), &e);
    must(keys_save(k, priv, pub, &e), &e);
    keys_free(k);
}

static int setup(void **state)
{
    struct world *w = calloc(1, sizeof *w);
    struct err e = {0};
    scratch_open(&w->s);
    snprintf(w->ours, sizeof w->ours, "%s/internet", w->s.dir);
    snprintf(w->theirs, sizeof w->theirs, "%s/intranet", w->s.dir);
    make_side(w->ours, "internet");
    make_side(w->theirs, "intranet");
    copy_public(w->ours, w->theirs, "internet");
    copy_public(w->theirs, w->ours, "intranet");
    must(keyring_open_dir(&w->ring, w->ours, &e), &e);
    must(keyring_open_dir(&w->peer, w->theirs, &e), &e);
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;
    keyring_close(w->ring);
    keyring_close(w->peer);
    scratch_close(&w->s);
    free(w);
    return 0;
}

static bool there(const char *dir, const char *name)
{
    char path[300];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    return access(path, F_OK) == 0;
}

static struct key_entry entry_of(struct keyring *r, const char *id)
{
    struct key_set *s = keyring_take(r);
    const struct key_list *l = key_set_list(s);
    struct key_entry out = {.file = "none"};
    for (size_t i = 0; i < l->n; i++)
        if (strcmp(l->key[i].id, id) == 0)
            out = l->key[i];
    key_set_release(s);
    if (strcmp(out.file, "none") == 0)
        fail_msg("key %s is not in the ring", id);
    return out;
}

static void current_of(struct keyring *r, char id[17])
{
    struct key_set *s = keyring_take(r);
    hex_put(id, keys_public(key_set_own(s))->id.b, 8);
    key_set_release(s);
}

struct set_job { const char *id, *incarnation; uint64_t number; enum key_state state; bool trust; };

static int use(struct key_list *keys, void *arg, struct err *e)
{
    struct set_job *j = arg;
    return key_list_use(keys, j->id, j->incarnation, j->number, 5000, e);
}

static int set(struct key_list *keys, void *arg, struct err *e)
{
    struct set_job *j = arg;
    struct key_entry *k = key_list_find(keys, j->id);
    if (!k)
        return err_set(e, ERR_MISSING, "no key %s", j->id);
    if (j->trust)
        k->trusted = true;
    else
        key_list_set(k, j->state, 6000);
    return 1;
}

static void trust(struct keyring *r, const char *id)
{
    struct set_job j = {.id = id, .trust = true};
    struct err e = {0};
    must(keyring_edit(r, set, &j, &e), &e);
}

static void put_state(struct keyring *r, const char *id, enum key_state state)
{
    struct set_job j = {.id = id, .state = state};
    struct err e = {0};
    must(keyring_edit(r, set, &j, &e), &e);
}

/* A new pair of ours, known to and trusted by the peer. */
static void new_key(struct world *w, char id[17])
{
    struct err e = {0};
    must(keyring_generate(w->ring, 1000, id, &e), &e);
    struct key_entry k = entry_of(w->ring, id);
    must(keyring_heard(w->peer, &k.pub, 2000, &e), &e);
    trust(w->peer, id);
    trust(w->ring, id);
}

static void switch_to(struct world *w, const char *id, uint64_t number)
{
    struct set_job j = {.id = id, .incarnation = ONE, .number = number};
    struct err e = {0};
    must(keyring_edit(w->ring, use, &j, &e), &e);
    must(keyring_edit(w->peer, use, &j, &e), &e);
}

static struct buf sealed_by(struct keyring *r, const char *text)
{
    struct manifest m = {.kind = "status", .protocol = 1};
    struct buf out;
    struct err e = {0};
    id_random(&m.id);
    buf_init(&out, 0);
    must(keyring_seal(&out, &m, bytes_of(text), r, &e), &e);
    return out;
}

static int open_by(struct keyring *r, const struct buf *sealed, bool *revoked, struct err *e)
{
    struct key_set *s = keyring_take(r);
    struct manifest m;
    struct buf content;
    buf_init(&content, 0);
    int rc = key_set_open(&m, &content, buf_bytes(sealed), s, revoked, e);
    key_set_release(s);
    buf_wipe(&content);
    return rc;
}

/* SEC-04: two configured files are a ring of one current key on each side, and nothing is written for it. */
static void test_two_files_are_a_ring(void **state)
{
    struct world *w = *state;
    struct key_set *s = keyring_take(w->ring);
    assert_int_equal(key_set_list(s)->n, 2);
    assert_string_equal(keys_public(key_set_own(s))->name, "internet");
    assert_string_equal(key_set_peer(s)->name, "intranet");
    assert_ptr_equal(key_set_signer(s, ONE, 1), key_set_own(s));
    key_set_release(s);
    assert_false(there(w->ours, "keyring.json"));
    struct buf sealed = sealed_by(w->ring, "hello");
    struct err e = {0};
    bool revoked = true;
    must(open_by(w->peer, &sealed, &revoked, &e), &e);
    assert_false(revoked);
    buf_clear(&sealed);
}

/* SEC-04: a peer's key that lies elsewhere comes into the folder with the first change; the ring is the same afterwards. */
static void test_first_change_gathers_the_keys(void **state)
{
    struct world *w = *state;
    struct keyring *r;
    struct err e = {0};
    char own[300], peer[300], id[17], before[17], name[64];
    snprintf(own, sizeof own, "%s/internet.key", w->ours);
    snprintf(peer, sizeof peer, "%s/intranet.pub", w->theirs);
    must(keyring_open(&r, own, peer, &e), &e);
    current_of(r, before);
    must(keyring_generate(r, 1000, id, &e), &e);
    struct key_set *s = keyring_take(r);
    char hex[17];
    hex_put(hex, key_set_peer(s)->id.b, 8);
    key_set_release(s);
    snprintf(name, sizeof name, "intranet-%s.pub", hex);
    assert_true(there(w->ours, name));
    assert_true(there(w->ours, "keyring.json"));
    keyring_close(r);
    must(keyring_open(&r, own, "/nonexistent", &e), &e);      /* the list stands for itself now */
    current_of(r, hex);
    assert_string_equal(hex, before);
    struct key_entry k = entry_of(r, id);
    assert_int_equal(k.state, KEY_ANNOUNCED);
    assert_int_equal(k.expires_ms, 1000 + KEY_LIFE_MS);
    keyring_close(r);
}

/* SEC-05: an announced key becomes current only when the peer said that it trusts it, and a heard one only when somebody here did. */
static void test_use_wants_trust(void **state)
{
    struct world *w = *state;
    char id[17];
    struct err e = {0};
    must(keyring_generate(w->ring, 1000, id, &e), &e);
    struct set_job j = {.id = id, .incarnation = ONE, .number = 5};
    assert_error(keyring_edit(w->ring, use, &j, &e), &e, ERR_CONFLICT, "the peer has not said");
    struct key_entry k = entry_of(w->ring, id);
    must(keyring_heard(w->peer, &k.pub, 2000, &e), &e);
    assert_error(keyring_edit(w->peer, use, &j, &e), &e, ERR_CONFLICT, "compared its fingerprint");
    trust(w->ring, id);
    must(keyring_edit(w->ring, use, &j, &e), &e);
    must(keyring_edit(w->ring, use, &j, &e), &e);              /* twice is once */
    struct set_job none = {.id = "0000000000000000", .incarnation = ONE};
    assert_error(keyring_edit(w->ring, use, &none, &e), &e, ERR_MISSING, "not in this ring");
    char now[17];
    current_of(w->ring, now);
    assert_string_equal(now, id);
}

/* FRY-14: which key signs a file depends on its number alone: what was formed before the change has the same bytes when it is sent again. */
static void test_signer_goes_by_number(void **state)
{
    struct world *w = *state;
    char first[17], second[17], third[17], got[17];
    current_of(w->ring, first);
    new_key(w, second);
    switch_to(w, second, 10);
    new_key(w, third);
    switch_to(w, third, 20);
    const struct { const char *incarnation; uint64_t number; const char *want; } rows[] = {
        {ONE, 1, first}, {ONE, 9, first}, {ONE, 10, second}, {ONE, 19, second}, {ONE, 20, third}, {ONE, 900, third}, {TWO, 1, third}, {TWO, 15, third},
    };
    struct key_set *s = keyring_take(w->ring);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        hex_put(got, keys_public(key_set_signer(s, rows[i].incarnation, rows[i].number))->id.b, 8);
        assert_string_equal(got, rows[i].want);
    }
    key_set_release(s);
}

/* FRY-14, SEC-04: each state against each kind of file. Validity is judged by incarnation and number. */
static void test_who_may_sign(void **state)
{
    struct key_entry k = {.id = "0123456789abcdef", .ended = "", .until = 0};
    const struct { enum key_state state; bool trusted, ended, kept; const char *incarnation; uint64_t number; enum err_code want; const char *words; } rows[] = {
        {KEY_CURRENT, true, false, false, ONE, 1, ERR_NONE, ""},
        {KEY_ANNOUNCED, true, false, false, ONE, 1, ERR_NONE, ""},
        {KEY_ANNOUNCED, false, false, false, ONE, 1, ERR_HELD, "nobody here trusts it"},
        {KEY_ANNOUNCED, false, false, true, ONE, 1, ERR_HELD, "nobody here trusts it"},
        {KEY_ACCEPTING, true, false, false, ONE, 99, ERR_NONE, ""},
        {KEY_ACCEPTING, true, true, false, ONE, 9, ERR_NONE, ""},
        {KEY_ACCEPTING, true, true, false, ONE, 10, ERR_CORRUPT, "ended before number 10"},
        {KEY_ACCEPTING, true, true, false, TWO, 3, ERR_CORRUPT, "ended before number 10"},
        {KEY_ACCEPTING, true, true, false, ONE, 0, ERR_NONE, ""},
        {KEY_ACCEPTING, true, true, true, ONE, 10, ERR_NONE, ""},
        {KEY_RETIRED, true, true, false, ONE, 1, ERR_CORRUPT, "is retired"},
        {KEY_RETIRED, true, true, false, ONE, 0, ERR_CORRUPT, "is retired"},
        {KEY_RETIRED, true, true, true, ONE, 1, ERR_NONE, ""},
        {KEY_REVOKED, true, false, false, ONE, 1, ERR_CORRUPT, "is revoked"},
        {KEY_REVOKED, true, false, true, ONE, 1, ERR_NONE, ""},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct err e = {0};
        k.state = rows[i].state;
        k.trusted = rows[i].trusted;
        snprintf(k.ended, sizeof k.ended, "%s", rows[i].ended ? ONE : "");
        k.until = rows[i].ended ? 10 : 0;
        int rc = key_entry_may_sign(&k, rows[i].incarnation, rows[i].number, rows[i].kept, &e);
        if (rows[i].want == ERR_NONE)
            must(rc, &e);
        else
            assert_error(rc, &e, rows[i].want, rows[i].words);
    }
}

/* SEC-05: items open by the keys that their headers name; the state of each decides. */
static void test_items_by_state(void **state)
{
    struct world *w = *state;
    char first[17], second[17];
    struct err e = {0};
    bool revoked;
    current_of(w->ring, first);
    struct buf old = sealed_by(w->ring, "before the change");
    struct buf to_old = sealed_by(w->peer, "to the old key");
    must(keyring_generate(w->ring, 1000, second, &e), &e);
    struct key_entry k = entry_of(w->ring, second);
    trust(w->ring, second);
    struct set_job j = {.id = second, .incarnation = ONE, .number = 7};
    must(keyring_edit(w->ring, use, &j, &e), &e);
    struct buf fresh = sealed_by(w->ring, "after the change");
    assert_error(open_by(w->peer, &fresh, &revoked, &e), &e, ERR_HELD, "not one that we hold");     /* nobody brought it yet */
    must(keyring_heard(w->peer, &k.pub, 2000, &e), &e);
    assert_error(open_by(w->peer, &fresh, &revoked, &e), &e, ERR_HELD, "nobody here trusts it");
    trust(w->peer, second);
    must(open_by(w->peer, &fresh, &revoked, &e), &e);                                              /* trusted, though the peer's word did not come yet */
    must(keyring_edit(w->peer, use, &j, &e), &e);
    must(open_by(w->peer, &old, &revoked, &e), &e);                                                /* accepting */
    must(open_by(w->ring, &to_old, &revoked, &e), &e);                                             /* what was sealed to it opens, too */
    assert_false(revoked);
    put_state(w->peer, first, KEY_RETIRED);
    must(open_by(w->peer, &old, &revoked, &e), &e);                                                       /* comes again after a resync */
    put_state(w->ring, first, KEY_RETIRED);
    must(open_by(w->ring, &to_old, &revoked, &e), &e);
    assert_false(revoked);
    put_state(w->peer, first, KEY_REVOKED);
    must(open_by(w->peer, &old, &revoked, &e), &e);
    assert_true(revoked);
    put_state(w->ring, first, KEY_REVOKED);
    must(open_by(w->ring, &to_old, &revoked, &e), &e);
    assert_true(revoked);
    must(open_by(w->peer, &fresh, &revoked, &e), &e);
    assert_false(revoked);
    buf_clear(&old);
    buf_clear(&to_old);
    buf_clear(&fresh);
}

/* SEC-04: a second program that changed the ring is followed; a ring that cannot be read any more leaves the keys in use as they are. */
static void test_follow(void **state)
{
    struct world *w = *state;
    struct keyring *other;
    struct err e = {0};
    char id[17], path[300];
    bool changed;
    must(keyring_open_dir(&other, w->ours, &e), &e);
    must(keyring_follow(other, &changed, &e), &e);
    assert_false(changed);
    must(keyring_generate(w->ring, 1000, id, &e), &e);
    must(keyring_follow(other, &changed, &e), &e);
    assert_true(changed);
    assert_int_equal(entry_of(other, id).state, KEY_ANNOUNCED);
    must(keyring_follow(other, &changed, &e), &e);
    assert_false(changed);
    snprintf(path, sizeof path, "%s/keyring.json", w->ours);
    must(file_write_path(path, bytes_of("{\"version\": 1, \"keys\": []}"), 0600, &e), &e);
    assert_error(keyring_follow(other, &changed, &e), &e, ERR_CORRUPT, "want one current key");
    assert_int_equal(entry_of(other, id).state, KEY_ANNOUNCED);
    assert_int_equal(chmod(path, 0644), 0);
    assert_error(keyring_follow(other, &changed, &e), &e, ERR_DENIED, "0600");
    keyring_close(other);
}

/* SEC-05: a private key or a list that others can read is refused at the start, and says what the mode should be. */
static void test_wrong_mode_is_refused(void **state)
{
    struct world *w = *state;
    struct keyring *r;
    struct err e = {0};
    char id[17], path[300];
    must(keyring_generate(w->ring, 1000, id, &e), &e);
    snprintf(path, sizeof path, "%s/internet-%s.key", w->ours, id);
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(chmod(path, 0640), 0);
    assert_error(keyring_open_dir(&r, w->ours, &e), &e, ERR_DENIED, "want mode 0600");
    assert_int_equal(chmod(path, 0600), 0);
    snprintf(path, sizeof path, "%s/keyring.json", w->ours);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(chmod(path, 0604), 0);
    assert_error(keyring_open_dir(&r, w->ours, &e), &e, ERR_DENIED, "mode 0600");
}

/* A list is read strictly: a missing, unknown or impossible value is a refusal that names it. */
static void test_list_is_strict(void **state)
{
    struct world *w = *state;
    struct key_list *list = calloc(1, sizeof *list), *back = calloc(1, sizeof *back);
    struct key_set *s = keyring_take(w->ring);
    struct buf text;
    struct err e = {0};
    char says[20];
    snprintf(says, sizeof says, "\"suite\": %u", suite);
    *list = *key_set_list(s);
    key_set_release(s);
    buf_init(&text, 0);
    must(keyring_print(&text, list, &e), &e);
    must(keyring_parse(back, buf_bytes(&text), &e), &e);
    assert_int_equal(back->n, 2);
    const struct { const char *find, *put; enum err_code code; } rows[] = {
        {"\"state\": \"current\"", "\"state\": \"retired\"", ERR_CORRUPT}, {"\"state\": \"current\"", "\"state\": \"better\"", ERR_HELD},
        {says, "\"suite\": 3", ERR_HELD}, {says, "\"suite\": 0", ERR_HELD}, {"\"version\": 1", "\"version\": 2", ERR_HELD}, {"\"owner\": \"peer\"", "\"owner\": \"own\"", ERR_CORRUPT},
        {"\"file\": \"internet.key\"", "\"file\": \"../internet.key\"", ERR_CORRUPT}, {"\"file\": \"internet.key\"", "\"file\": \"/etc/passwd\"", ERR_CORRUPT},
        {"\"told\"", "\"toll\"", ERR_CORRUPT}, {"\"told\": \"current\"", "\"told\": \"curr\\n\"", ERR_CORRUPT}, {"\"from\": 0", "\"from\": -1", ERR_CORRUPT}, {"\"incarnation\": \"\"", "\"incarnation\": \"XY\"", ERR_CORRUPT},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const char *at = strstr(buf_text(&text), rows[i].find);
        struct buf bad;
        assert_non_null(at);
        buf_init(&bad, 0);
        buf_put(&bad, text.p, (size_t)(at - buf_text(&text)));
        buf_str(&bad, rows[i].put);
        buf_str(&bad, at + strlen(rows[i].find));
        assert_error(keyring_parse(back, buf_bytes(&bad), &e), &e, rows[i].code, "keyring.json");
        buf_clear(&bad);
    }
    for (size_t n = 0; n + 2 < text.n; n++) {
        err_clear(&e);
        assert_int_equal(keyring_parse(back, (struct bytes){text.p, n}, &e), -1);
    }
    buf_clear(&text);
    free(list);
    free(back);
}

/* SEC-05: the key in a file must be the one that the list names, and ours must be ours. */
static void test_swapped_files_are_refused(void **state)
{
    struct world *w = *state;
    struct keyring *r;
    struct err e = {0};
    char id[17], a[300], b[300];
    must(keyring_generate(w->ring, 1000, id, &e), &e);
    snprintf(a, sizeof a, "%s/internet.key", w->ours);
    snprintf(b, sizeof b, "%s/internet-%s.key", w->ours, id);
    assert_int_equal(rename(b, a), 0);
    assert_error(keyring_open_dir(&r, w->ours, &e), &e, ERR_CORRUPT, "want key");
    must(keyring_open_dir(&r, w->theirs, &e), &e);
    struct key_set *s = keyring_take(w->peer);
    struct key_public own = *keys_public(key_set_own(s));
    key_set_release(s);
    assert_error(keyring_heard(r, &own, 1, &e), &e, ERR_DENIED, "want one of internet");
    keyring_close(r);
}

/* SEC-04: the suite in keyring.json must be that of the key's file. */
static void test_suite_of_another_file_is_refused(void **state)
{
    struct world *w = *state;
    struct keyring *r;
    struct buf text;
    struct err e = {0};
    char id[17], path[300], says[20];
    must(keyring_generate(w->ring, 1000, id, &e), &e);
    assert_int_equal(entry_of(w->ring, id).suite, suite);            /* a new key is of the suite of the one in use */
    snprintf(path, sizeof path, "%s/keyring.json", w->ours);
    snprintf(says, sizeof says, "\"suite\": %u", suite);
    buf_init(&text, 0);
    must(file_read_path(&text, path, 60000, &e), &e);
    char *at = strstr((char *)text.p, says);
    assert_non_null(at);
    at[9] = (char)('0' + 3 - suite);
    must(file_write_path(path, buf_bytes(&text), 0600, &e), &e);
    assert_error(keyring_open_dir(&r, w->ours, &e), &e, ERR_CORRUPT, "want a key of suite");
    buf_clear(&text);
}

/* A pair of ours in this suite, known to and trusted by the peer, in use on both sides from `number` on. */
static void change_suite(struct world *w, unsigned to, uint64_t number, char id[17])
{
    struct err e = {0};
    must(keyring_generate_in(w->ring, to, 1000, id, &e), &e);
    struct key_entry k = entry_of(w->ring, id);
    assert_int_equal(k.suite, to);
    must(keyring_heard(w->peer, &k.pub, 2000, &e), &e);
    assert_int_equal(entry_of(w->peer, id).suite, to);
    trust(w->peer, id);
    trust(w->ring, id);
    switch_to(w, id, number);
}

/* SEC-04, FRY-14: from suite 1 to suite 2 with items under way in both directions: what was sealed before, between and after the change opens, also
 * while only one side has changed; the old key signs what it signed. */
static void test_change_of_suite(void **state)
{
    struct world *w = *state;
    char first[17], ours[17], got[17];
    struct err e = {0};
    bool revoked;
    current_of(w->ring, first);
    struct buf sent[6];
    sent[0] = sealed_by(w->ring, "before, from us");
    sent[1] = sealed_by(w->peer, "before, to us");
    change_suite(w, 2, 10, ours);
    sent[2] = sealed_by(w->ring, "between, from us");
    sent[3] = sealed_by(w->peer, "between, to us");
    assert_int_equal(sent[2].p[3], 1);                               /* the peer's key is of suite 1 still */
    assert_int_equal(sent[3].p[3], 2);
    struct world turned = {.ring = w->peer, .peer = w->ring};
    char theirs[17];
    change_suite(&turned, 2, 20, theirs);
    sent[4] = sealed_by(w->ring, "after, from us");
    sent[5] = sealed_by(w->peer, "after, to us");
    for (int i = 0; i < 6; i++) {
        assert_int_equal(sent[i].p[3], i < 3 ? 1 : 2);
        must(open_by(i % 2 ? w->ring : w->peer, &sent[i], &revoked, &e), &e);
        buf_clear(&sent[i]);
    }
    struct key_set *s = keyring_take(w->ring);
    hex_put(got, keys_public(key_set_signer(s, ONE, 9))->id.b, 8);
    assert_string_equal(got, first);
    hex_put(got, keys_public(key_set_signer(s, ONE, 10))->id.b, 8);
    assert_string_equal(got, ours);
    key_set_release(s);
}

/* SEC-04: there is no way back: a key of an older suite is not made, not heard, and one that was announced before is not used. */
static void test_downgrade_of_a_ring_is_refused(void **state)
{
    struct world *w = *state;
    struct err e = {0};
    char id[17], waiting[17];
    struct key_pair *old;
    new_key(w, waiting);                                             /* of suite 1, announced and trusted, not in use */
    change_suite(w, 2, 10, id);
    assert_error(keyring_generate_in(w->ring, 1, 1000, id, &e), &e, ERR_DENIED, "our current one is of suite 2: one of suite 1 would be a downgrade");
    struct set_job j = {.id = waiting, .incarnation = ONE, .number = 30};
    assert_error(keyring_edit(w->ring, use, &j, &e), &e, ERR_DENIED, "is of suite 1, the one in use of suite 2: a downgrade");
    assert_error(keyring_edit(w->peer, use, &j, &e), &e, ERR_DENIED, "a downgrade");
    must(keys_generate(&old, "internet", &e), &e);
    assert_error(keyring_heard(w->peer, keys_public(old), 2000, &e), &e, ERR_DENIED, "is of suite 1, the peer's current one of suite 2: a downgrade");
    keys_free(old);
    must(keyring_generate(w->ring, 1000, id, &e), &e);
    assert_int_equal(entry_of(w->ring, id).suite, 2);
    must(keyring_generate(w->peer, 1000, id, &e), &e);               /* each side for itself */
    assert_int_equal(entry_of(w->peer, id).suite, 1);
}

/* Warnings at 60, 30 and 7 days, and when it is over; retired and revoked keys are silent. An expiry stops nothing. */
static void test_expiry_only_warns(void **state)
{
    struct world *w = *state;
    const int64_t day = 24LL * 3600 * 1000, at = 1000 * day;
    const struct { int64_t left; unsigned want; } rows[] = {{730 * day, 0}, {60 * day, 0}, {60 * day - 1, 60}, {30 * day, 60}, {30 * day - 1, 30}, {7 * day - 1, 7}, {0, 7}, {-1, 1}, {-400 * day, 1}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct key_entry k = {.state = KEY_CURRENT, .expires_ms = at + rows[i].left};
        assert_int_equal(key_warning(&k, at), rows[i].want);
        k.state = KEY_RETIRED;
        assert_int_equal(key_warning(&k, at), 0);
    }
    struct key_entry k = {.state = KEY_CURRENT, .expires_ms = 1};
    struct err e = {0};
    must(key_entry_may_sign(&k, ONE, 1, false, &e), &e);
    (void)w;
}

/* SEC-05: a fingerprint is the same on both sides and another for another key. */
static void test_fingerprint(void **state)
{
    struct world *w = *state;
    char a[KEY_FINGERPRINT], b[KEY_FINGERPRINT];
    struct key_set *ours = keyring_take(w->ring), *theirs = keyring_take(w->peer);
    key_fingerprint(a, keys_public(key_set_own(ours)));
    key_fingerprint(b, key_set_peer(theirs));
    assert_string_equal(a, b);
    assert_int_equal(strlen(a), 39);
    key_fingerprint(b, key_set_peer(ours));
    assert_string_not_equal(a, b);
    key_set_release(ours);
    key_set_release(theirs);
}

struct racer { struct keyring *r; atomic_bool stop; atomic_ulong sealed; };

static void *race(void *arg)
{
    struct racer *j = arg;
    while (!j->stop) {
        struct buf b = sealed_by(j->r, "under load");
        struct key_set *s = keyring_take(j->r);
        if (!key_set_signer(s, ONE, 3) || b.n == 0)
            abort();
        key_set_release(s);
        buf_clear(&b);
        j->sealed++;
    }
    return NULL;
}

/* SEC-04: keys change while others seal: each call has a whole snapshot, and all old private keys are wiped at the end. */
static void test_changes_under_load(void **state)
{
    struct world *w = *state;
    struct racer j = {.r = w->ring, .stop = false};
    pthread_t t[2];
    struct err e = {0};
    char id[17];
    for (int i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&t[i], NULL, race, &j), 0);
    for (uint64_t n = 1; n <= 12; n++) {
        must(keyring_generate(w->ring, 1000, id, &e), &e);
        trust(w->ring, id);
        struct set_job u = {.id = id, .incarnation = ONE, .number = n * 10};
        must(keyring_edit(w->ring, use, &u, &e), &e);
    }
    j.stop = true;
    for (int i = 0; i < 2; i++)
        pthread_join(t[i], NULL);
    assert_true(j.sealed > 10);
}

/* Thirty-two keys are enough for sixteen years; then the oldest retired one leaves the list. */
static void test_full_ring_forgets_the_oldest_retired(void **state)
{
    struct world *w = *state;
    struct err e = {0};
    char id[17], first[17] = "";
    int rc = 0;
    for (int i = 0; i < KEYRING_MAX && rc == 0; i++) {
        rc = keyring_generate(w->ring, 1000 + i, id, &e);
        if (i == 0)
            memcpy(first, id, sizeof first);
    }
    assert_error(rc, &e, ERR_FULL, "none of them retired");
    put_state(w->ring, first, KEY_RETIRED);
    must(keyring_generate(w->ring, 9000, id, &e), &e);
    struct key_set *s = keyring_take(w->ring);
    assert_int_equal(key_set_list(s)->n, KEYRING_MAX);
    for (size_t i = 0; i < KEYRING_MAX; i++)
        assert_string_not_equal(key_set_list(s)->key[i].id, first);
    key_set_release(s);
}

/* The old configuration's two constants, for whoever has no folder: never changes. */
static void test_fixed_ring(void **state)
{
    struct world *w = *state;
    struct key_set *s = keyring_take(w->ring);
    struct keyring *r;
    struct err e = {0};
    char id[17];
    bool changed = true;
    must(keyring_of(&r, key_set_own(s), key_set_peer(s), &e), &e);
    must(keyring_follow(r, &changed, &e), &e);
    assert_false(changed);
    assert_string_equal(keyring_dir(r), "");
    assert_error(keyring_generate(r, 1, id, &e), &e, ERR_CONFLICT, "fixed");
    struct buf sealed = sealed_by(r, "x");
    bool revoked;
    must(open_by(w->peer, &sealed, &revoked, &e), &e);
    buf_clear(&sealed);
    keyring_close(r);
    key_set_release(s);
}

int main(void)
{
    struct err e = {0};
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_two_files_are_a_ring, setup, teardown), cmocka_unit_test_setup_teardown(test_first_change_gathers_the_keys, setup, teardown),
        cmocka_unit_test_setup_teardown(test_use_wants_trust, setup, teardown), cmocka_unit_test_setup_teardown(test_signer_goes_by_number, setup, teardown),
        cmocka_unit_test(test_who_may_sign), cmocka_unit_test_setup_teardown(test_items_by_state, setup, teardown),
        cmocka_unit_test_setup_teardown(test_follow, setup, teardown), cmocka_unit_test_setup_teardown(test_wrong_mode_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(test_list_is_strict, setup, teardown), cmocka_unit_test_setup_teardown(test_swapped_files_are_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(test_expiry_only_warns, setup, teardown), cmocka_unit_test_setup_teardown(test_fingerprint, setup, teardown),
        cmocka_unit_test_setup_teardown(test_changes_under_load, setup, teardown), cmocka_unit_test_setup_teardown(test_full_ring_forgets_the_oldest_retired, setup, teardown),
        cmocka_unit_test_setup_teardown(test_fixed_ring, setup, teardown), cmocka_unit_test_setup_teardown(test_suite_of_another_file_is_refused, setup, teardown),
    };
    const struct CMUnitTest changes[] = {
        cmocka_unit_test_setup_teardown(test_change_of_suite, setup, teardown), cmocka_unit_test_setup_teardown(test_downgrade_of_a_ring_is_refused, setup, teardown),
    };
    if (seal_init(&e) < 0)
        return 1;
    int bad = cmocka_run_group_tests_name("suite 1", tests, NULL, NULL) + cmocka_run_group_tests_name("changes", changes, NULL, NULL);
    suite = 2;
    return bad + cmocka_run_group_tests_name("suite 2", tests, NULL, NULL);
}
