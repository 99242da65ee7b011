/* Accounts, sessions, who sees what, the audit chain, SMS queue. NTF-03 NTF-12 REV-06 IMP-02 */
#include "tests/unit/intranet_world.h"

#include "intranet-side/service/access.h"
#include "intranet-side/service/admin.h"
#include "intranet-side/service/auth_password.h"
#include "intranet-side/service/caselist.h"
#include "intranet-side/service/publish.h"
#include "intranet-side/store/log_books.h"

#define ADDR "10.1.2.3"

/* An account as an administrator makes it; gives its first password. */
static void account(struct world *w, const char *login, char first[17], char id[33])
{
    struct reply r = {0};
    struct err e = {0};
    must(admin_officer_add(&w->c, &w->admin, login, "试用民警", "officer", STATION, w->now, &r, &e), &e);
    snprintf(first, 17, "%s", text_of(r.body, "first_password"));
    snprintf(id, 33, "%s", text_of(json_object_get(r.body, "officer"), "id"));
    reply_clear(&r);
}

static int login(struct world *w, const char *name, const char *password, char token[65], struct reply *r, struct err *e)
{
    memset(r, 0, sizeof *r);
    memset(e, 0, sizeof *e);
    return auth_login(&w->c, name, password, ADDR, w->now, token, r, e);
}

/* The first password opens nothing but its own change; then everything. */
static void test_first_password(void **state)
{
    struct world *w = *state;
    char first[17], id[33], token[65], second[65];
    struct reply r;
    struct err e;
    struct actor a;
    account(w, "trial_1", first, id);
    must(login(w, "trial_1", first, token, &r, &e), &e);
    assert_true(json_is_true(json_object_get(r.body, "must_change_password")));
    reply_clear(&r);
    must(auth_session(&w->c, token, ADDR, w->now, &a, &e), &e);
    assert_error(auth_allowed(&a, "GET", "/api/cases", &e), &e, ERR_DENIED, "first password");
    assert_int_equal(auth_allowed(&a, "POST", "/api/password", &e), 0);
    static const struct { const char *old, *new, *zh; } bad[] = {
        {"wrong", "Long-Enough-123", "原密码不对"}, {NULL, "Short-1", "12 到 128"}, {NULL, "alllowercaseletters", "三种"}, {NULL, "Trial_1-Password", "账号"}, {NULL, NULL, "最近 5 次"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_error(auth_password(&w->c, &a, bad[i].old ? bad[i].old : first, bad[i].new ? bad[i].new : first, w->now, second, &r, &e), &e, ERR_INPUT, "password");
        assert_non_null(strstr(r.zh, bad[i].zh));
        assert_true(json_array_size(r.fields) == 1);
        reply_clear(&r);
    }
    must(auth_password(&w->c, &a, first, "Better-Words-2026", w->now, second, &r, &e), &e);
    assert_false(json_is_true(json_object_get(r.body, "must_change_password")));
    reply_clear(&r);
    assert_error(auth_session(&w->c, token, ADDR, w->now, &a, &e), &e, ERR_AUTH, "unknown or over");
    must(auth_session(&w->c, second, ADDR, w->now, &a, &e), &e);
    assert_int_equal(auth_allowed(&a, "GET", "/api/cases", &e), 0);
    assert_true(auth_csrf_equal(&a, a.csrf));
    assert_false(auth_csrf_equal(&a, NULL));
    assert_false(auth_csrf_equal(&a, "0000000000000000000000000000000000000000000000000000000000000000"));
}

/* SEC-18: the change of a password is no other door: five wrong old ones lock the account and end its sessions. */
static void test_old_password_is_not_guessed(void **state)
{
    struct world *w = *state;
    char first[17], id[33], token[65], second[65];
    struct reply r;
    struct err e;
    struct actor a;
    account(w, "trial_9", first, id);
    must(login(w, "trial_9", first, token, &r, &e), &e);
    reply_clear(&r);
    must(auth_session(&w->c, token, ADDR, w->now, &a, &e), &e);
    for (int i = 0; i < 4; i++) {
        assert_error(auth_password(&w->c, &a, "wrong", "Better-Words-2026", w->now, second, &r, &e), &e, ERR_INPUT, "old password");
        reply_clear(&r);
    }
    assert_error(auth_password(&w->c, &a, "wrong", "Better-Words-2026", w->now, second, &r, &e), &e, ERR_BUSY, "locked");
    assert_int_equal(r.retry_s, w->c.lock_s);
    reply_clear(&r);
    assert_error(auth_session(&w->c, token, ADDR, w->now, &a, &e), &e, ERR_AUTH, "unknown or over");
    assert_error(login(w, "trial_9", first, token, &r, &e), &e, ERR_BUSY, "locked");
    reply_clear(&r);
}

/* Five failures lock, whatever is typed then; the lock ends by itself or by an administrator; unknown logins read the same. */
static void test_lock_out(void **state)
{
    struct world *w = *state;
    char first[17], id[33], token[65];
    struct reply r;
    struct err e;
    account(w, "trial_2", first, id);
    for (int i = 0; i < 4; i++) {
        assert_error(login(w, "trial_2", "wrong", token, &r, &e), &e, ERR_AUTH, "");
        assert_string_equal(r.zh, "账号或密码不对");
    }
    assert_error(login(w, "nobody_here", "wrong", token, &r, &e), &e, ERR_AUTH, "");
    assert_string_equal(r.zh, "账号或密码不对");
    assert_error(login(w, "trial_2", "wrong", token, &r, &e), &e, ERR_BUSY, "locked");
    assert_int_equal(r.retry_s, 900);
    assert_error(login(w, "trial_2", first, token, &r, &e), &e, ERR_BUSY, "locked");
    w->now += 901 * 1000;
    must(login(w, "trial_2", first, token, &r, &e), &e);
    reply_clear(&r);
    for (int i = 0; i < 5; i++)
        login(w, "trial_2", "wrong", token, &r, &e);
    assert_int_equal(e.code, ERR_BUSY);
    memset(&e, 0, sizeof e);
    memset(&r, 0, sizeof r);
    must(admin_officer_act(&w->c, &w->admin, id, "unlock", w->now, &r, &e), &e);
    assert_false(json_is_true(json_object_get(json_object_get(r.body, "officer"), "locked")));
    reply_clear(&r);
    must(login(w, "trial_2", first, token, &r, &e), &e);
    reply_clear(&r);
}

/* Sessions end by idleness, by age, by another address, by log-out, with the account. */
static void test_sessions_end(void **state)
{
    struct world *w = *state;
    char first[17], id[33], token[65];
    struct reply r;
    struct err e;
    struct actor a;
    account(w, "trial_3", first, id);
    must(login(w, "trial_3", first, token, &r, &e), &e);
    reply_clear(&r);
    must(auth_session(&w->c, token, ADDR, w->now + 1799 * 1000, &a, &e), &e);
    assert_error(auth_session(&w->c, token, ADDR, w->now + 1799 * 2000 + 3000, &a, &e), &e, ERR_AUTH, "over");

    must(login(w, "trial_3", first, token, &r, &e), &e);
    reply_clear(&r);
    int64_t t = w->now;
    while (auth_session(&w->c, token, ADDR, t, &a, &e) == 0)
        t += 1000 * 1000;
    assert_true(t - w->now > 36000 * 1000LL && t - w->now <= 37000 * 1000LL);
    memset(&e, 0, sizeof e);

    must(login(w, "trial_3", first, token, &r, &e), &e);
    reply_clear(&r);
    assert_error(auth_session(&w->c, token, "10.9.9.9", w->now, &a, &e), &e, ERR_AUTH, "");
    assert_error(auth_session(&w->c, token, ADDR, w->now, &a, &e), &e, ERR_AUTH, "");

    must(login(w, "trial_3", first, token, &r, &e), &e);
    reply_clear(&r);
    must(auth_session(&w->c, token, ADDR, w->now, &a, &e), &e);
    must(auth_logout(&w->c, &a, w->now, &e), &e);
    assert_error(auth_session(&w->c, token, ADDR, w->now, &a, &e), &e, ERR_AUTH, "");

    must(login(w, "trial_3", first, token, &r, &e), &e);
    reply_clear(&r);
    must(admin_officer_act(&w->c, &w->admin, id, "disable", w->now, &r, &e), &e);
    reply_clear(&r);
    assert_error(auth_session(&w->c, token, ADDR, w->now, &a, &e), &e, ERR_AUTH, "");
    assert_error(login(w, "trial_3", first, token, &r, &e), &e, ERR_AUTH, "");
    assert_error(auth_session(&w->c, NULL, ADDR, w->now, &a, &e), &e, ERR_AUTH, "no session");
    assert_error(auth_session(&w->c, "short", ADDR, w->now, &a, &e), &e, ERR_AUTH, "no session");
}

/* Accounts are for administrators, nobody acts on his own, roles belong to levels. */
static void test_accounts(void **state)
{
    struct world *w = *state;
    struct reply r = {0};
    struct err e = {0};
    char first[17], id[33], token[65];
    static const struct { const char *login, *name, *role, *unit; enum err_code code; } bad[] = {
        {"Bad Login", "某某", "officer", STATION, ERR_INPUT},  {"ok_login", "a1", "officer", STATION, ERR_INPUT},      {"ok_login", "某某", "king", STATION, ERR_INPUT},
        {"ok_login", "某某", "system", STATION, ERR_INPUT},    {"ok_login", "某某", "officer", SUB_BUREAU, ERR_INPUT}, {"ok_login", "某某", "sub_bureau", STATION, ERR_INPUT},
        {"ok_login", "某某", "officer", "999999999999", ERR_INPUT}, {"officer_a", "某某", "officer", STATION, ERR_CONFLICT},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_error(admin_officer_add(&w->c, &w->admin, bad[i].login, bad[i].name, bad[i].role, bad[i].unit, w->now, &r, &e), &e, bad[i].code, "");
        reply_clear(&r);
    }
    assert_error(admin_officer_add(&w->c, &w->officer, "ok_login", "某某", "officer", STATION, w->now, &r, &e), &e, ERR_DENIED, "administrators");
    reply_clear(&r);
    assert_error(admin_officers(&w->c, &w->chief, w->now, &r, &e), &e, ERR_DENIED, "");
    reply_clear(&r);
    assert_error(admin_exceptions(&w->c, &w->officer, &r, &e), &e, ERR_DENIED, "");
    reply_clear(&r);
    assert_error(admin_officer_act(&w->c, &w->admin, w->admin.id.s, "disable", w->now, &r, &e), &e, ERR_DENIED, "his own");
    reply_clear(&r);
    assert_error(admin_officer_act(&w->c, &w->admin, w->officer.id.s, "promote", w->now, &r, &e), &e, ERR_MISSING, "");
    reply_clear(&r);
    account(w, "trial_4", first, id);
    must(admin_officer_act(&w->c, &w->admin, id, "reset", w->now, &r, &e), &e);
    char again[17];
    snprintf(again, sizeof again, "%s", text_of(r.body, "first_password"));
    reply_clear(&r);
    assert_error(login(w, "trial_4", first, token, &r, &e), &e, ERR_AUTH, "");
    must(login(w, "trial_4", again, token, &r, &e), &e);
    reply_clear(&r);
}

/* The matrix role × unit × use case over one case that was sent up. ok = 0 done or a refusal by state, 1 = as if it were not there. */
static void test_access_matrix(void **state)
{
    struct world *w = *state;
    struct app *a = open_case(w, "HJ025", RENAME, RENAME_SLOTS);
    struct actor *who[] = {&w->aux, &w->officer, &w->neighbour, &w->chief, &w->other_chief, &w->admin};
    static const int before[] = {0, 0, 1, 1, 1, 1}, after[] = {0, 0, 1, 0, 1, 1};
    for (int up = 0; up < 2; up++) {
        for (size_t i = 0; i < 6; i++) {
            const int hidden = up ? after[i] : before[i];
            json_t *d = json_loads("{\"action\":\"pass\",\"version\":0}", 0, NULL);
            struct page_original p;
            for (int k = 0; k < 8; k++) {
                struct reply r = {0};
                struct err e = {0};
                const char *page = a->page[0].id;
                int rc = k == 0   ? caseview_get(&w->c, who[i], a->no, false, w->now, &r, &e)
                         : k == 1 ? caseview_effect(&w->c, who[i], a->no, w->now, &r, &e)
                         : k == 2 ? decide_take(&w->c, who[i], a->no, d, w->now, &r, &e)
                         : k == 3 ? decide_preview(&w->c, who[i], a->no, d, w->now, &r, &e)
                         : k == 4 ? page_open(&w->c, who[i], a->no, page, false, w->now, &p, &r, &e)
                         : k == 5 ? page_mark(&w->c, who[i], a->no, page, true, "good", w->now, &r, &e)
                         : k == 6 ? caseview_reveal(&w->c, who[i], a->no, NULL, "id_no", "x", w->now, &r, &e)
                                  : decide_undo(&w->c, who[i], a->no, w->now, &r, &e);
                bool missing = rc < 0 && e.code == ERR_MISSING && strcmp(r.zh, "没有这件，或不在您的范围") == 0;
                if (missing != (hidden == 1))
                    fail_msg("%s, use case %d, %s: %s %s", who[i]->login, k, up ? "sent up" : "at the station", err_word(e.code), e.msg);
                if (k == 4 && rc == 0)
                    page_original_clear(&p);
                reply_clear(&r);
            }
            struct reply r = {0};
            struct err e = {0};
            must(caselist_find(&w->c, who[i], &(struct case_query){.view = "todo", .q = a->no}, w->now, &r, &e), &e);
            bool listed = json_integer_value(json_object_get(r.body, "total")) > 0;
            bool todo = up ? who[i] == &w->chief : who[i] == &w->aux || who[i] == &w->officer;
            assert_int_equal(listed, todo);
            reply_clear(&r);
            json_decref(d);
        }
        if (!up)
            takes(w, &w->officer, a->no, "submit_up", "\"opinion\":\"属实\",\"level\":\"sub_bureau\",\"unseen_ok\":true", "awaiting_sub_bureau");
    }
    app_free(a);
}

/* A case is found by number typed in groups, by name and by ID number, by nobody else's officers. */
static void test_search(void **state)
{
    struct world *w = *state;
    struct app *a = open_case(w, "HJ025", RENAME, RENAME_SLOTS);
    char groups[24];
    snprintf(groups, sizeof groups, "%.4s %.4s %.4s %.4s", a->no, a->no + 4, a->no + 8, a->no + 12);
    const char *const found[] = {a->no, groups, "国庆", "340799199902101476", "340799 19990210 1476"}, *const none[] = {"340799199902101477", "国庆节", "3407000000000000"};
    for (size_t i = 0; i < 8; i++)
        for (int k = 0; k < 2; k++) {
            struct reply r = {0};
            struct err e = {0};
            must(caselist_find(&w->c, k ? &w->neighbour : &w->officer, &(struct case_query){.view = "todo", .q = i < 5 ? found[i] : none[i - 5]}, w->now, &r, &e), &e);
            assert_int_equal(json_integer_value(json_object_get(r.body, "total")), i < 5 && k == 0);
            reply_clear(&r);
        }
    struct reply r = {0};
    struct err e = {0};
    assert_error(caselist_find(&w->c, &w->officer, &(struct case_query){.view = "all"}, w->now, &r, &e), &e, ERR_INPUT, "view");
    reply_clear(&r);
    must(caselist_desk(&w->c, &w->officer, w->now + 3 * 3600 * 1000, &r, &e), &e);
    assert_string_equal(text_of(json_object_get(r.body, "oldest"), "todo"), "3 小时");
    reply_clear(&r);
    app_free(a);
}

/* Numbers are shown in full to the holder or to whom it is to do, masked to others and once the case is closed. */
static void test_masking(void **state)
{
    struct world *w = *state;
    struct app *a = open_case(w, "HJ001", BIRTH, BIRTH_SLOTS);
    struct reply r = {0};
    struct err e = {0};
    must(decide_claim(&w->c, &w->officer, a->no, w->now, &r, &e), &e);
    reply_clear(&r);
    for (int i = 0; i < 2; i++) {
        json_t *c = see(w, i ? &w->colleague : &w->officer, a->no);
        json_t *row = json_array_get(json_object_get(json_array_get(json_object_get(c, "sections"), 0), "rows"), 1);
        assert_string_equal(text_of(row, "field"), "applicant_id_no");
        assert_string_equal(text_of(row, "value"), i ? "340***********6943" : "340799199710206943");
        char *text = json_dumps(c, 0);
        assert_true((strstr(text, "340799199710206943") != NULL) == !i);
        free(text);
        json_decref(c);
    }
    app_free(a);
}

/* --- audit --- */
static int chain(struct db_conn *conn, void *arg, struct err *e)
{
    struct world *w = arg;
    int64_t rows;
    int rc = audit_check(conn, w->c.vault, &rows, e);
    assert_true(rc < 0 || rows >= 3);
    return rc;
}

static int acts(struct db_conn *conn, void *arg, struct err *e)
{
    struct world *w = arg;
    int64_t n = 0;
    if (audit_count(conn, w->officer.id.s, "read_case", 0, &n, e) < 0)
        return -1;
    assert_true(n >= 1);
    return 0;
}

/* Every reading and step is in the chain; rows can be neither changed nor removed through the service's own connection, and a row that was
 * changed in the file is found. */
static void test_audit_chain(void **state)
{
    struct world *w = *state;
    struct err e = {0};
    struct app *a = open_case(w, "HJ001", BIRTH, BIRTH_SLOTS);
    json_decref(see(w, &w->officer, a->no));
    takes(w, &w->officer, a->no, "pass", "\"unseen_ok\":true", "awaiting_originals");
    must(db_read(w->c.db, acts, w, &e), &e);
    must(db_read(w->c.db, chain, w, &e), &e);
    sqlite3 *raw = NULL;
    assert_int_equal(sqlite3_open(scratch_path(&w->dir, "i.db"), &raw), SQLITE_OK);
    assert_int_not_equal(sqlite3_exec(raw, "UPDATE audit SET act = 'x' WHERE id = 3", NULL, NULL, NULL), SQLITE_OK);
    assert_int_not_equal(sqlite3_exec(raw, "DELETE FROM audit WHERE id = 3", NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_exec(raw, "DROP TRIGGER audit_no_update; UPDATE audit SET act = 'x' WHERE id = 3", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(raw);
    assert_error(db_read(w->c.db, chain, w, &e), &e, ERR_CORRUPT, "row 3");
    app_free(a);
}

/* What cannot be logged is not handed out. */
static void test_no_log_no_reading(void **state)
{
    struct world *w = *state;
    struct app *a = open_case(w, "HJ001", BIRTH, BIRTH_SLOTS);
    struct reply r = {0};
    struct err e = {0};
    db_fail_commit(w->c.db, 1);
    assert_error(caseview_get(&w->c, &w->officer, a->no, false, w->now, &r, &e), &e, ERR_FULL, "");
    assert_null(r.body);
    reply_clear(&r);
    app_free(a);
}

/* --- configuration --- */
struct released { char hash[65]; int64_t version; };
static int release_row(struct db_conn *conn, void *arg, struct err *e)
{
    struct released *x = arg;
    struct configuration_row row = {.version = x->version, .published = 1};
    snprintf(row.hash, sizeof row.hash, "%s", x->hash);
    return configuration_add(conn, &row, e);
}

/* A released number never changes its content: the same folder keeps it, an edited one gets the next. */
static void test_configuration_numbers(void **state)
{
    struct world *w = *state;
    struct released x = {.version = catalogue_version(w->c.catalogue)};
    struct catalogue *c = NULL;
    struct err e = {0};
    hash_hex(x.hash, catalogue_hash(w->c.catalogue));
    must(db_write(w->c.db, release_row, &x, &e), &e);
    must(publish_catalogue(&c, w->c.db, SOURCE_DIR "/schemas", &e), &e);
    assert_int_equal(catalogue_version(c), x.version);
    catalogue_unref(c);
    x.version++;
    x.hash[0] = x.hash[0] == '0' ? '1' : '0';
    must(db_write(w->c.db, release_row, &x, &e), &e);
    must(publish_catalogue(&c, w->c.db, SOURCE_DIR "/schemas", &e), &e);
    assert_int_equal(catalogue_version(c), x.version + 1);
    const char *path = scratch_path(&w->dir, "base.json");
    must(publish_export(c, path, &e), &e);
    struct buf b;
    struct catalogue *again = NULL;
    buf_init(&b, 0);
    must(file_read_path(&b, path, 64 << 20, &e), &e);
    must(catalogue_load_bundle(&again, buf_bytes(&b), &e), &e);
    assert_true(hash_equal(catalogue_hash(again), catalogue_hash(c)));
    assert_null(memmem(b.p, b.n, "hj_officer1", 11));
    buf_clear(&b);
    catalogue_unref(again);
    catalogue_unref(c);
}

/* The demonstration's accounts: passwords work, once loaded nothing is loaded twice. */
static void test_demo_accounts(void **state)
{
    struct world *w = *state;
    struct err e = {0};
    struct reply r;
    char path[600], token[65];
    snprintf(path, sizeof path, "%s", scratch_path(&w->dir, "accounts.json"));
    must(setup_demo(&w->c, SOURCE_DIR "/schemas/org", path, true, w->now, &e), &e);
    json_t *all = json_load_file(path, 0, NULL), *first = json_array_get(json_object_get(all, "accounts"), 0);
    assert_true(json_array_size(json_object_get(all, "accounts")) == 22);
    assert_null(json_object_get(first, "hash"));
    must(login(w, text_of(first, "login"), text_of(first, "password"), token, &r, &e), &e);
    assert_false(json_is_true(json_object_get(r.body, "must_change_password")));
    reply_clear(&r);
    must(setup_demo(&w->c, SOURCE_DIR "/schemas/org", scratch_path(&w->dir, "again.json"), true, w->now, &e), &e);
    must(login(w, text_of(first, "login"), text_of(first, "password"), token, &r, &e), &e);
    reply_clear(&r);
    char password[17];
    assert_error(setup_first_admin(&w->c, w->now, password, &e), &e, ERR_CONFLICT, "accounts already");
    json_decref(all);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)
    const struct CMUnitTest tests[] = {
        T(test_first_password), T(test_old_password_is_not_guessed),
        T(test_lock_out), T(test_sessions_end), T(test_accounts), T(test_access_matrix), T(test_masking), T(test_search), T(test_audit_chain),
        T(test_no_log_no_reading), T(test_configuration_numbers), T(test_demo_accounts),
    };
    log_open("test", LOG_ERROR);
    return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
