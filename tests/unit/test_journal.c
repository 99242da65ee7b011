/* The journal: a chain that shows every change, a tree that shows it shortly. SEC-12 SEC-13 FRY-14 */
#include <stdio.h>
#include <sqlite3.h>

#include "common/seal.h"
#include "ferry/lib/journal.h"
#include "tests/unit/scratch.h"

#define APP_ID 0x687a7401u
#define LIST 70

struct world { struct scratch s; struct db *db; };

static int setup(void **state)
{
    struct world *w = calloc(1, sizeof *w);
    struct err e = {0};
    if (!w || seal_init(&e) < 0)
        return -1;
    scratch_open(&w->s);
    struct db_options opt = {.path = scratch_path(&w->s, "side.db"), .application_id = APP_ID, .migrations_dir = "schemas/migrations/delivery", .readers = 2};
    if (db_open(&w->db, &opt, &e) < 0 || journal_prepare(w->db, &e) < 0)
        fail_msg("%s", e.msg);
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;
    db_close(w->db);
    scratch_close(&w->s);
    free(w);
    return 0;
}

/* --- the tree alone: leaves in an array, inner nodes made on demand --- */

static struct hash256 leaves[LIST + 1];

static int fetch_leaf(void *arg, struct tree_at at, struct hash256 *out, struct err *e)
{
    struct hash256 right;
    (void)arg;
    if (at.height == 0) {
        *out = leaves[at.end];
        return 0;
    }
    uint64_t half = (uint64_t)1 << (at.height - 1);
    fetch_leaf(NULL, (struct tree_at){at.end - half, at.height - 1}, out, e);
    fetch_leaf(NULL, (struct tree_at){at.end, at.height - 1}, &right, e);
    tree_node(out, out, &right);
    return 0;
}

static void make_leaves(void)
{
    for (uint64_t i = 1; i <= LIST; i++) {
        char text[20];
        snprintf(text, sizeof text, "leaf %llu", (unsigned long long)i);
        hash_of(&leaves[i], bytes_of(text));
    }
}

static struct hash256 root_of(uint64_t size)
{
    struct tree t = {.n = 0};
    struct hash256 root;
    for (uint64_t i = 1; i <= size; i++)
        assert_true(tree_push(&t, &leaves[i], 0));
    assert_int_equal(t.size, size);
    tree_root(&root, &t);
    return root;
}

static void SEC_13_every_entry_has_a_short_path_and_no_other_fits(void **state)
{
    struct hash256 path[TREE_MOST], root;
    struct err e = {0};
    size_t n;
    (void)state;
    make_leaves();
    for (uint64_t size = 1; size <= LIST; size++) {
        root = root_of(size);
        for (uint64_t seq = 1; seq <= size; seq++) {
            assert_int_equal(tree_path(path, &n, seq, size, fetch_leaf, NULL, &e), 0);
            assert_true(n <= 7);
            assert_true(tree_path_holds(&leaves[seq], seq, size, path, n, &root));
            assert_false(tree_path_holds(&leaves[seq % LIST + 1], seq, size, path, n, &root));
            assert_false(tree_path_holds(&leaves[seq], seq + 1, size, path, n, &root));
            if (n) {
                assert_false(tree_path_holds(&leaves[seq], seq, size, path, n - 1, &root));
                path[n / 2].b[5] ^= 1;
                assert_false(tree_path_holds(&leaves[seq], seq, size, path, n, &root));
            }
        }
    }
}

static void SEC_13_a_later_root_shows_that_it_continues_an_earlier_one(void **state)
{
    struct hash256 proof[TREE_MOST], early, late, other;
    struct err e = {0};
    size_t n;
    (void)state;
    make_leaves();
    hash_of(&other, bytes_of("other"));
    for (uint64_t to = 1; to <= LIST; to++)
        for (uint64_t from = 0; from <= to; from++) {
            early = root_of(from);
            late = root_of(to);
            assert_int_equal(tree_proof(proof, &n, from, to, fetch_leaf, NULL, &e), 0);
            assert_true(tree_proof_holds(from, &early, to, &late, proof, n));
            assert_false(tree_proof_holds(from, &early, to, &other, proof, n));
            if (from)
                assert_false(tree_proof_holds(from, &other, to, &late, proof, n));
            assert_false(tree_proof_holds(from, &early, to, &late, proof, n - 1));
            assert_false(tree_proof_holds(to, &late, from, &early, proof, n) && from != to);
            proof[n - 1].b[31] ^= 1;
            assert_false(tree_proof_holds(from, &early, to, &late, proof, n));
        }
    /* A list in which one old entry was changed and which then grew. */
    early = root_of(40);
    leaves[3] = other;
    late = root_of(41);
    assert_int_equal(tree_proof(proof, &n, 40, 41, fetch_leaf, NULL, &e), 0);
    assert_false(tree_proof_holds(40, &early, 41, &late, proof, n));
}

/* --- in the database --- */

struct put_job { int n; uint64_t seq, size; struct hash256 root, path[TREE_MOST]; size_t npath; struct journal_entry x; };

static int put_many(struct db_conn *c, void *arg, struct err *e)
{
    struct put_job *j = arg;
    for (int i = 0; i < j->n; i++) {
        char id[33], hash[65];
        struct hash256 h;
        snprintf(id, sizeof id, "%032d", i);
        hash_of(&h, bytes_of(id));
        hash_hex(hash, &h);
        if (journal_item(c, "sealed", id, "application", i % 10 ? "" : "3407261100000018", hash, 1000 + i, e) < 0)
            return -1;
    }
    return 0;
}

static int read_path(struct db_conn *c, void *arg, struct err *e)
{
    struct put_job *j = arg;
    return journal_root(c, j->size, &j->root, e) < 0 ? -1 : journal_path(c, j->seq, j->size, j->path, &j->npath, e);
}

struct case_job { struct journal_entry list[50]; size_t n, max; };

static int read_case(struct db_conn *c, void *arg, struct err *e)
{
    struct case_job *j = arg;
    return journal_of_case(c, "3407261100000018", j->list, j->max, &j->n, e);
}

static void SEC_13_entries_are_chained_and_found_again_with_their_paths(void **state)
{
    struct world *w = *state;
    struct err e = {0};
    struct put_job j = {.n = 300};
    struct case_job k = {.max = 50};
    assert_int_equal(db_write(w->db, put_many, &j, &e), 0);
    assert_int_equal(db_read(w->db, read_case, &k, &e), 0);
    assert_int_equal(k.n, 30);
    for (size_t i = 0; i < k.n; i++) {
        struct hash256 h;
        journal_hash(&h, &k.list[i]);
        assert_true(hash_equal(&h, &k.list[i].own));
        j.seq = k.list[i].seq;
        for (j.size = j.seq; j.size <= 300; j.size += 37) {
            assert_int_equal(db_read(w->db, read_path, &j, &e), 0);
            assert_true(tree_path_holds(&h, j.seq, j.size, j.path, j.npath, &j.root));
        }
        k.list[i].at_ms++;
        journal_hash(&h, &k.list[i]);
        assert_false(hash_equal(&h, &k.list[i].own));
    }
    k.max = 29;
    assert_error(db_read(w->db, read_case, &k, &e), &e, ERR_TOO_LARGE, "more than 29");
    j.size = 301;
    assert_error(db_read(w->db, read_path, &j, &e), &e, ERR_MISSING, "not there");
}

static int put_and_fail(struct db_conn *c, void *arg, struct err *e)
{
    struct put_job *j = arg;
    return put_many(c, j, e) < 0 ? -1 : err_set(e, ERR_INPUT, "rolled back");
}

static void SEC_13_what_is_rolled_back_leaves_no_entry_and_no_gap(void **state)
{
    struct world *w = *state;
    struct err e = {0};
    struct put_job j = {.n = 5};
    struct case_job k = {.max = 50};
    assert_int_equal(db_write(w->db, put_many, &j, &e), 0);
    assert_error(db_write(w->db, put_and_fail, &j, &e), &e, ERR_INPUT, "rolled back");
    assert_int_equal(db_write(w->db, put_many, &j, &e), 0);
    assert_int_equal(db_read(w->db, read_case, &k, &e), 0);
    assert_int_equal(k.n, 2);
    assert_int_equal(k.list[0].seq, 1);
    assert_int_equal(k.list[1].seq, 6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(SEC_13_every_entry_has_a_short_path_and_no_other_fits),
        cmocka_unit_test(SEC_13_a_later_root_shows_that_it_continues_an_earlier_one),
        cmocka_unit_test_setup_teardown(SEC_13_entries_are_chained_and_found_again_with_their_paths, setup, teardown),
        cmocka_unit_test_setup_teardown(SEC_13_what_is_rolled_back_leaves_no_entry_and_no_gap, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
