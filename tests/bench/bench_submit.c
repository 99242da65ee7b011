/* bench_submit.c - durable submissions a second beside the same work without the database: parse, judge by the rules, hash, write the record, seal it;
 * then, in one group-committed transaction, its place in the case's order and its item. 64 threads, as the service has. Aim: at least 0.5 of it. */
#include <ftw.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/form.h"
#include "common/log.h"
#include "common/record.h"
#include "ferry/lib/delivery.h"

#define RUN_MS 1500
#define ROUNDS 5
#define THREADS 64
#define APP_ID 0x687a6265u

static const char entries[] =
    "{\"applicant_name\":\"测试甲\",\"applicant_id_no\":\"340799200204265823\",\"applicant_phone\":\"13900000000\",\"applicant_relation\":\"01\","
    "\"subject_name\":\"测试甲\",\"subject_id_no\":\"340799200204265823\",\"subject_region\":\"340799\",\"accept_unit\":\"340799520000\","
    "\"change_item\":\"employer\",\"employer_after\":\"江州市图书馆\",\"promise\":true}";

struct bench {
    struct db *db;
    struct catalogue *cat;
    struct key_pair *own, *peer;
    struct date today;
};
struct worker { const struct bench *b; bool durable; int64_t until; unsigned done; struct err e; };

static void write_record(struct xml_out *x, const json_t *clean, const char *no)
{
    const char *key;
    json_t *value;
    char content[65];
    struct hash256 h;
    char *canonical = json_dumps(clean, JSON_SORT_KEYS | JSON_COMPACT);
    hash_of(&h, bytes_of(canonical));
    hash_hex(content, &h);
    free(canonical);
    xml_begin(x, "application", "urn:hz:record:1");
    xml_attr(x, "case", no);
    xml_attr(x, "content", content);
    json_object_foreach((json_t *)(uintptr_t)clean, key, value) {
        xml_open(x, "entry");
        xml_attr(x, "field", key);
        xml_text(x, json_is_string(value) ? json_string_value(value) : "true");
        xml_close(x);
    }
}

struct put { struct id128 id; const char *no; struct bytes sealed; };

static int put_item(struct db_conn *c, void *arg, struct err *e)
{
    struct put *p = arg;
    uint64_t seq;
    struct out_item it = {.id = p->id, .kind = "application", .case_no = p->no, .retain = true, .sealed = p->sealed};
    if (delivery_next_seq(c, p->no, &seq, 1, e) < 0)
        return -1;
    it.case_seq = seq;
    return delivery_enqueue(c, &it, 1, e);
}

static int seal_and_keep(struct worker *w, const json_t *clean)
{
    static _Atomic unsigned long serial;
    char no[24];
    struct xml_out x;
    struct buf sealed;
    struct manifest m = {.protocol = 1, .config_version = 1, .kind = "application"};
    snprintf(no, sizeof no, "%016lu", ++serial % 10000000000000000ul);
    write_record(&x, clean, no);
    id_random(&m.id);
    buf_init(&sealed, 0);
    int rc = xml_end(&x, &w->e) < 0 || seal_item(&sealed, &m, buf_bytes(&x.out), w->b->own, keys_public(w->b->peer), &w->e) < 0 ? -1 : 0;
    struct put p = {m.id, no, buf_bytes(&sealed)};
    if (rc == 0 && w->durable)
        rc = db_write(w->b->db, put_item, &p, &w->e);
    buf_wipe(&x.out);
    buf_clear(&sealed);
    return rc;
}

static int submit(struct worker *w)
{
    struct form_report r = {0};
    struct form_context ctx = {.today = w->b->today};
    json_t *in;
    if (form_parse(&in, bytes_of(entries), &w->e) < 0)
        return -1;
    int rc = form_check(&r, w->b->cat, "HJ043", in, &ctx, &w->e);
    if (rc == 0 && r.n)
        rc = err_set(&w->e, ERR_INPUT, "%s: %s", r.v[0].field, r.v[0].rule);
    if (rc == 0)
        rc = seal_and_keep(w, r.clean);
    form_report_clear(&r);
    json_decref(in);
    return rc;
}

static void *work(void *arg)
{
    struct worker *w = arg;
    while (clock_mono_ms() < w->until && submit(w) == 0)
        w->done++;
    return NULL;
}

static double rate(const struct bench *b, bool durable)
{
    static struct worker w[THREADS];
    pthread_t t[THREADS];
    int64_t start = clock_mono_ms();
    unsigned long done = 0;
    for (int i = 0; i < THREADS; i++) {
        w[i] = (struct worker){.b = b, .durable = durable, .until = start + RUN_MS};
        pthread_create(&t[i], NULL, work, &w[i]);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(t[i], NULL);
        done += w[i].done;
        if (w[i].e.code) {
            fprintf(stderr, "bench_submit: %s\n", w[i].e.msg);
            exit(1);
        }
    }
    return (double)done * 1000.0 / (double)(clock_mono_ms() - start);
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *f)
{
    (void)st; (void)kind; (void)f;
    return remove(path);
}

static void must(int rc, const struct err *e)
{
    if (rc < 0) {
        fprintf(stderr, "bench_submit: %s\n", e->msg);
        exit(1);
    }
}

int main(void)
{
    char dir[] = "build/bench-XXXXXX", path[64];
    struct bench b = {.today = clock_beijing_date(clock_wall_ms())};
    struct err e = {0};
    log_open("bench", LOG_ERROR);
    if (!mkdtemp(dir))
        return 1;
    snprintf(path, sizeof path, "%s/bench.db", dir);
    struct db_options opt = {.path = path, .application_id = APP_ID, .migrations_dir = "schemas/migrations/delivery", .readers = 2};
    must(seal_init(&e), &e);
    must(catalogue_load_dir(&b.cat, "schemas", &e), &e);
    must(keys_generate(&b.own, "internet", &e), &e);
    must(keys_generate(&b.peer, "intranet", &e), &e);
    must(db_open(&b.db, &opt, &e), &e);
    double ratio[ROUNDS];
    for (int i = 0; i < ROUNDS; i++) {     /* in turn, so that a noisy minute hits both */
        double without = rate(&b, false), with = rate(&b, true);
        ratio[i] = with / without;
        printf("round %d: same work without the database %8.0f /s   durable submissions %8.0f /s   ratio %.2f\n", i + 1, without, with, ratio[i]);
    }
    qsort(ratio, ROUNDS, sizeof ratio[0], by_size);
    printf("durable submissions: median ratio %.2f of %d rounds, %.2f to %.2f (aim 0.50): %s\n", ratio[ROUNDS / 2], ROUNDS, ratio[0], ratio[ROUNDS - 1],
           ratio[ROUNDS / 2] >= 0.5 ? "reached" : "NOT reached");
    db_close(b.db);
    catalogue_unref(b.cat);
    keys_free(b.own);
    keys_free(b.peer);
    nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    return 0;
}
