/* A town of 10,000 residents, thousands of steps of every kind of business in random order, with refusals and reversals, through the real engine,
 * the real effect files and a real database. After each batch the register is counted and compared with what its history says.
 * POP-24 POP-28 POP-29 POP-33 POP-40..61. TOWN_SEED repeats a run, TOWN_STEPS lengthens it. */
#include "tests/unit/intranet_world.h"

#include <stdarg.h>
#include <time.h>

#include "common/idnumber.h"
#include "intranet-side/domain/effect.h"
#include "intranet-side/service/dossier.h"
#include "intranet-side/service/registry.h"
#include "intranet-side/service/reversal.h"
#include "intranet-side/store/event.h"

enum { PERSONS = 10000, BATCH = 500, MOST_ROWS = 400000, MOST_DONE = 400000, MOST_PENDING = 64 };

struct done { char no[17]; int delta; };
struct pending { char no[17], item[8], unit[13]; json_t *entries; unsigned stage; int delta; };
struct tally { const char *name; unsigned accepted, refused; };
struct town {
    struct world *w;
    struct db_conn *conn;
    struct register_store s;
    uint64_t random;
    char (*person)[33], (*home)[33];
    size_t n_persons, n_homes;
    struct done *done;
    size_t n_done;
    struct pending pending[MOST_PENDING];
    size_t n_pending;
    unsigned cases;
    int64_t expected, last_event;
    json_t *rows, *first;                /* uid -> row: as the history makes it; as it was before the first step */
    json_t *numbers;                     /* id number -> uid, of all ever given */
    json_t *came;                        /* uids of those who came with a number */
    json_t *entries;                     /* of the application being made */
    struct tally tally[48];
    const char *refusals[512];
};

/* --- chance --- */
static unsigned below(struct town *t, unsigned n)
{
    t->random ^= t->random << 13;
    t->random ^= t->random >> 7;
    t->random ^= t->random << 17;
    return (unsigned)((t->random >> 11) % n);
}
static bool chance(struct town *t, unsigned percent) { return below(t, 100) < percent; }
static const char *pick(struct town *t, const char *const *list)
{
    unsigned n = 0;
    while (list[n])
        n++;
    return list[below(t, n)];
}
#define PICK(t, ...) pick(t, (const char *const[]){__VA_ARGS__, NULL})

static void day(struct town *t, char out[11], int from, int to)
{
    date_text(out, (struct date){.y = from + (int)below(t, (unsigned)(to - from + 1)), .m = 1 + (int)below(t, 10), .d = 1 + (int)below(t, 28)});
}

static void number(struct town *t, char out[19], const char *region, const char *birth, char gender)
{
    do {
        unsigned seq = below(t, 499) * 2 + (gender == '1' ? 1 : 2);
        snprintf(out, 19, "%.6s%.4s%.2s%.2s%03u", region, birth, birth + 5, birth + 8, seq % 1000);
        out[17] = id_check_digit(out);
        out[18] = '\0';
    } while (json_object_get(t->numbers, out));
}

/* --- the register as the test sees it --- */
static json_t *person_row(struct town *t, const char *uid)
{
    json_t *p = NULL;
    struct err e = {0};
    must(register_by_uid(&t->s, uid, &p, &e), &e);
    return p;
}
static json_t *home_row(struct town *t, const char *uid)
{
    json_t *h = NULL;
    struct err e = {0};
    must(register_household(&t->s, uid, &h, &e), &e);
    return h;
}
static json_t *members_of(struct town *t, const char *uid)
{
    json_t *m = NULL;
    struct err e = {0};
    must(register_members(&t->s, uid, true, &m, &e), &e);
    return m;
}
static json_t *somebody(struct town *t, const char *status, const char *gender)
{
    for (int i = 0; i < 4000; i++) {
        json_t *p = person_row(t, t->person[below(t, (unsigned)t->n_persons)]);
        if (p && (!*status || strcmp(text_of(p, "status"), status) == 0) && (!*gender || strcmp(text_of(p, "gender"), gender) == 0))
            return p;
        json_decref(p);
    }
    return NULL;
}
static json_t *some_home(struct town *t, bool normal)
{
    for (;;) {
        json_t *h = home_row(t, t->home[below(t, (unsigned)t->n_homes)]);
        if (h && (!normal || strcmp(text_of(h, "status"), "normal") == 0))
            return h;
        json_decref(h);
    }
}

/* --- an application --- */
static void say(struct town *t, const char *field, const char *value)
{
    if (value && *value)
        json_object_set_new(t->entries, field, json_string(value));
}
static void says(struct town *t, const char *field, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
static void says(struct town *t, const char *field, const char *fmt, ...)
{
    char text[200];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    say(t, field, text);
}
static void subject(struct town *t, const json_t *p)
{
    say(t, "subject_name", chance(t, 4) ? "别人" : text_of(p, "name"));
    say(t, "subject_id_no", text_of(p, "id_no"));
    say(t, "subject_region", "340799");
}
static void target(struct town *t, const json_t *home, const char *relation)
{
    json_t *head = *text_of(home, "head_person_id") ? person_row(t, text_of(home, "head_person_id")) : NULL;
    bool collective = *text_of(home, "kind") == '2';
    say(t, "target_kind", collective ? "20" : "10");
    says(t, "target_address", "%s %s", text_of(home, "region"), text_of(home, "address"));
    if (head && !collective)
        say(t, "target_head_id_no", text_of(head, "id_no"));
    if (collective)
        say(t, "done_book_no", text_of(home, "book_no"));
    say(t, "target_relation", relation);
    json_decref(head);
}
static void new_address(struct town *t, const char *field)
{
    says(t, field, "340799 江州市江州区新城路%u号%u室", 1 + below(t, 900), 101 + below(t, 900));
}
static void person_of(struct town *t, char birth[11])
{
    day(t, birth, 1950, 2025);
    say(t, "person_name", PICK(t, "沈一", "韩二", "杨三", "朱四", "秦五"));
    say(t, "person_gender", PICK(t, "1", "2"));
    say(t, "person_ethnicity", PICK(t, "01", "03"));
    say(t, "person_birth_date", birth);
}
/* Of this head's household somebody else, sometimes; NULL. */
static json_t *other_member(struct town *t, const json_t *p)
{
    json_t *m = members_of(t, text_of(p, "household_id")), *out = NULL;
    size_t n = json_array_size(m);
    for (size_t i = 0, from = n ? below(t, (unsigned)n) : 0; i < n && !out; i++) {
        json_t *x = json_array_get(m, (from + i) % n);
        if (strcmp(text_of(x, "person_id"), text_of(p, "person_id")) != 0)
            out = json_incref(x);
    }
    json_decref(m);
    return out;
}
static void follower(struct town *t, const json_t *p, const char *field, const char *name)
{
    json_t *o = chance(t, 70) ? other_member(t, p) : NULL;
    if (o)
        say(t, field, text_of(o, "id_no"));
    if (o && name)
        say(t, name, text_of(o, "name"));
    json_decref(o);
}

/* --- what an application does, counted by the test --- */
struct made { const char *item, *unit; int delta; bool staged; char keep[13]; };
typedef bool (*make_fn)(struct town *t, struct made *m);          /* false: nobody fits just now */

static void unit_of(struct town *t, struct made *m, const char *household)
{
    json_t *h = home_row(t, household);
    snprintf(m->keep, sizeof m->keep, "%s", chance(t, 4) ? OTHER_STATION : text_of(h, "unit_code"));
    m->unit = m->keep;
    json_decref(h);
}

static bool birth(struct town *t, struct made *m)
{
    char born[11];
    json_t *mother = somebody(t, "normal", "2"), *home = home_row(t, text_of(mother, "household_id"));
    day(t, born, 2026, 2026);
    says(t, "child_name", "婴%u", t->cases);
    say(t, "child_gender", PICK(t, "1", "2"));
    say(t, "child_ethnicity", "01");
    say(t, "child_birth_date", born);
    say(t, "mother_id_no", text_of(mother, "id_no"));
    say(t, "mother_name", text_of(mother, "name"));
    say(t, "settle_with", "mother");
    target(t, home, PICK(t, "20", "30", "99"));
    unit_of(t, m, text_of(home, "household_id"));
    m->item = "HJ001";
    m->delta = 1;
    json_decref(mother);
    json_decref(home);
    return true;
}
static bool adoption(struct town *t, struct made *m)
{
    char born[11];
    json_t *who = somebody(t, "normal", ""), *home = home_row(t, text_of(who, "household_id"));
    person_of(t, born);
    say(t, "adopter1_id_no", text_of(who, "id_no"));
    say(t, "adopter1_name", text_of(who, "name"));
    say(t, "adoption_basis", "certificate");
    target(t, home, "27");
    m->item = "HJ016";
    m->delta = 1;
    unit_of(t, m, text_of(home, "household_id"));
    json_decref(who);
    json_decref(home);
    return true;
}
static bool settlement(struct town *t, struct made *m)
{
    char born[11];
    json_t *home = some_home(t, !chance(t, 5));
    person_of(t, born);
    say(t, "identity_kind", "hk_macao");
    if (chance(t, 50)) {
        say(t, "settle_mode", "own");
        say(t, "target_relation", "02");
        say(t, "target_kind", "10");
        new_address(t, "target_address");
    } else {
        say(t, "settle_mode", "kin");
        say(t, "kin_relation", PICK(t, "10", "20"));
        target(t, home, "97");
    }
    m->item = "HJ018";
    m->delta = 1;
    unit_of(t, m, text_of(home, "household_id"));
    json_decref(home);
    return true;
}
static bool supplement(struct town *t, struct made *m)
{
    char born[11];
    json_t *home = some_home(t, true), *dead = chance(t, 40) ? somebody(t, "cancelled", "") : NULL;
    if (dead) {
        say(t, "category", "death_revoked");
        say(t, "person_name", text_of(dead, "name"));
        say(t, "person_id_no", text_of(dead, "id_no"));
    } else {
        person_of(t, born);
        say(t, "category", "special");
    }
    if (chance(t, 30)) {
        say(t, "target_relation", "02");
        say(t, "target_kind", "10");
        new_address(t, "target_address");
    } else {
        target(t, home, "97");
    }
    m->item = "HX029";
    m->delta = 1;
    unit_of(t, m, text_of(home, "household_id"));
    json_decref(dead);
    json_decref(home);
    return true;
}
static bool cancelling(struct town *t, struct made *m, const char *item)
{
    json_t *p = somebody(t, chance(t, 8) ? "" : "normal", "");
    subject(t, p);
    say(t, "death_date", "2026-11-01");
    say(t, "death_kind", "normal");
    say(t, "enlist_date", "2026-09-10");
    say(t, "proof_kind", "notice");
    say(t, "destination", PICK(t, "hk_macao", "taiwan", "abroad", "nationality"));
    say(t, "remove_id_no", text_of(p, "id_no"));
    say(t, "remove_name", text_of(p, "name"));
    say(t, "student_kind", "enrol");
    say(t, "to_region", "320100");
    json_t *keep = somebody(t, "normal", "");
    say(t, "keep_id_no", text_of(keep, "id_no"));
    json_decref(keep);
    follower(t, p, "done_new_head_id_no", NULL);
    m->item = item;
    m->delta = -1;
    unit_of(t, m, text_of(p, "household_id"));
    json_decref(p);
    return true;
}
static bool death(struct town *t, struct made *m) { return cancelling(t, m, "HJ083"); }
static bool enlistment(struct town *t, struct made *m) { return cancelling(t, m, "HJ084"); }
static bool emigration(struct town *t, struct made *m) { return cancelling(t, m, "HJ087"); }
static bool duplicate(struct town *t, struct made *m) { return cancelling(t, m, "HX028"); }
static bool student_out(struct town *t, struct made *m) { return cancelling(t, m, "HJ054"); }

static bool correction(struct town *t, struct made *m)
{
    static const char *const items[] = {"HJ025", "HJ031", "HJ032", "HJ034", "HJ035", "HJ043", "HX012"};
    char born[11];
    json_t *p = somebody(t, chance(t, 5) ? "" : "normal", ""), *parent = somebody(t, "normal", "");
    subject(t, p);
    day(t, born, 1950, 2025);
    says(t, "new_name", "新名%u", t->cases);
    says(t, "former_name", "旧名%u", below(t, 50));
    say(t, "gender_before", text_of(p, "gender"));
    say(t, "gender_after", chance(t, 90) ? (*text_of(p, "gender") == '1' ? "2" : "1") : text_of(p, "gender"));
    say(t, "ethnicity_before", text_of(p, "ethnicity"));
    say(t, "ethnicity_after", text_of(parent, "ethnicity"));
    say(t, "parent_id_no", text_of(parent, "id_no"));
    say(t, "birth_date_before", text_of(p, "birth_date"));
    say(t, "birth_date_after", born);
    say(t, "change_item", PICK(t, "employer", "household_kind", "phone"));
    say(t, "employer_after", PICK(t, "铜材公司", "第二中学"));
    say(t, "phone_after", "13905620001");
    say(t, "household_kind_after", "11");
    say(t, "done_item", "ethnicity");
    say(t, "done_ethnicity", PICK(t, "01", "03", "05"));
    m->item = items[below(t, 7)];
    unit_of(t, m, text_of(p, "household_id"));
    json_decref(p);
    json_decref(parent);
    return true;
}
static void list_add(struct town *t, const char *list, const json_t *p, const char *relation)
{
    json_t *all = json_object_get(t->entries, list);
    if (all == NULL) {
        all = json_array();
        json_object_set_new(t->entries, list, all);
    }
    json_array_append_new(all, json_pack("{s:s, s:s, s:s, s:s}", "name", text_of(p, "name"), "id_no", text_of(p, "id_no"), "relation_after", relation, "relation",
                                         relation));
}
static bool head_change(struct town *t, struct made *m)
{
    json_t *p = somebody(t, "normal", ""), *h = home_row(t, text_of(p, "household_id")), *old = person_row(t, text_of(h, "head_person_id"));
    subject(t, p);
    say(t, "old_head_name", text_of(old, "name"));
    say(t, "old_head_id_no", text_of(old, "id_no"));
    say(t, "new_head_name", text_of(p, "name"));
    say(t, "new_head_id_no", text_of(p, "id_no"));
    say(t, "reason", PICK(t, "assigned", "house_transferred", "dead"));
    json_t *o = chance(t, 50) ? other_member(t, p) : NULL;
    if (o)
        list_add(t, "members", o, "97");
    m->item = "HJ042";
    unit_of(t, m, text_of(h, "household_id"));
    json_decref(o);
    json_decref(old);
    json_decref(h);
    json_decref(p);
    return true;
}
static bool split(struct town *t, struct made *m)
{
    json_t *p = somebody(t, "normal", ""), *o = chance(t, 40) ? other_member(t, p) : NULL;
    subject(t, p);
    say(t, "new_head_id_no", text_of(p, "id_no"));
    say(t, "new_head_name", text_of(p, "name"));
    say(t, "split_kind", PICK(t, "property", "disabled", "rural"));
    if (chance(t, 90))
        new_address(t, "new_address");
    if (o)
        list_add(t, "members", o, "12");
    m->item = "HJ044";
    unit_of(t, m, text_of(p, "household_id"));
    json_decref(o);
    json_decref(p);
    return true;
}
static bool establish(struct town *t, struct made *m)
{
    json_t *p = somebody(t, chance(t, 5) ? "" : "normal", ""), *o = chance(t, 30) ? somebody(t, "normal", "") : NULL;
    new_address(t, "address");
    if (chance(t, 70)) {
        say(t, "head_id_no", text_of(p, "id_no"));
        say(t, "head_name", text_of(p, "name"));
        if (o)
            list_add(t, "members", o, "97");
        m->item = "HJ108";
    } else {
        say(t, "kind", PICK(t, "unit", "student", "talent", "temple", "public"));
        says(t, "unit_name", "集体%u", below(t, 400));
        m->item = "HJ109";
    }
    unit_of(t, m, text_of(p, "household_id"));
    json_decref(o);
    json_decref(p);
    return true;
}

/* Moving in: from inside the city at once, from elsewhere in stages; kept in t->pending between them. */
static bool move_in(struct town *t, struct made *m)
{
    json_t *to = some_home(t, !chance(t, 3));
    unsigned kind = below(t, 3);            /* city, province, outside */
    bool fresh = chance(t, 30), whole = false;
    m->staged = kind != 0 || chance(t, 50);         /* inside the city also at once, as a change of address */
    if (kind == 0) {
        json_t *p = somebody(t, "normal", "");
        subject(t, p);
        whole = fresh && chance(t, 50);
        if (whole)
            json_object_set_new(t->entries, "whole_household", json_true());
        follower(t, p, "done_new_head_id_no", NULL);
        json_decref(p);
    } else {
        char birth[11], no[19];
        day(t, birth, 1950, 2020);
        number(t, no, kind == 1 ? "340104" : "320102", birth, (char)('1' + below(t, 2)));
        says(t, "subject_name", "外%u", t->cases);
        say(t, "subject_id_no", no);
        say(t, "subject_region", kind == 1 ? "340104" : "320102");
        say(t, "done_ethnicity", "01");
        if (kind == 2)
            says(t, "done_certificate_no", "苏%07u", t->cases);
        m->delta = 1;
        if (chance(t, 30)) {
            json_t *child = json_pack("{s:s, s:s}", "name", "随迁", "id_no", "");
            day(t, birth, 2005, 2024);
            number(t, no, "320102", birth, (char)('1' + below(t, 2)));
            json_object_set_new(child, "id_no", json_string(no));
            list_add(t, "movers", child, "20");
            json_decref(child);
            m->delta++;
        }
    }
    say(t, "land_kind", PICK(t, "state", "collective"));
    if (fresh) {
        say(t, "house_kind", "owned");
        say(t, "target_kind", "10");
        say(t, "target_relation", "02");
        new_address(t, "target_address");
        m->item = "HJ050";
    } else {
        json_t *host = person_row(t, text_of(to, "head_person_id"));
        say(t, "kin_kind", "support");
        say(t, "host_id_no", text_of(host, "id_no"));
        say(t, "host_name", text_of(host, "name"));
        target(t, to, "97");
        m->item = "HJ046";
        json_decref(host);
    }
    unit_of(t, m, text_of(to, "household_id"));
    json_decref(to);
    return true;
}
static bool student_in(struct town *t, struct made *m)
{
    char birth[11], no[19];
    json_t *to = some_home(t, true);
    day(t, birth, 2005, 2008);
    number(t, no, "320102", birth, (char)('1' + below(t, 2)));
    says(t, "subject_name", "学%u", t->cases);
    say(t, "subject_id_no", no);
    say(t, "subject_region", "320102");
    say(t, "student_kind", "enrol");
    says(t, "migration_permit_no", "苏%07u", t->cases);
    say(t, "done_ethnicity", "01");
    target(t, to, "99");
    m->item = "HJ055";
    m->delta = 1;
    unit_of(t, m, text_of(to, "household_id"));
    json_decref(to);
    return true;
}
static bool move_out(struct town *t, struct made *m)
{
    json_t *p = somebody(t, "normal", ""), *all = members_of(t, text_of(p, "household_id"));
    const char *kind = PICK(t, "whole", "member", "head");
    subject(t, p);
    say(t, "move_kind", kind);
    says(t, "permit_no", "准%u", t->cases);
    say(t, "to_region", "320100");
    say(t, "reason", "工作");
    m->delta = strcmp(kind, "whole") == 0 ? -(int)json_array_size(all) : -1;
    if (strcmp(kind, "head") == 0)
        follower(t, p, "new_head_id_no", "new_head_name");
    m->item = "HX023";
    unit_of(t, m, text_of(p, "household_id"));
    json_decref(all);
    json_decref(p);
    return true;
}
static bool restoration(struct town *t, struct made *m)
{
    static const struct { const char *kind, *reason; } by[] = {{"enlistment", "army_returned"}, {"abroad", "short_exit"}, {"moved_out", "permit_expired"},
                                                               {"nationality", "nationality_lost"}};
    json_t *p = somebody(t, "cancelled", ""), *home = NULL;
    if (p == NULL)
        return false;
    const char *reason = "prison_released";
    for (size_t i = 0; i < 4; i++)
        if (strcmp(text_of(p, "cancel_kind"), by[i].kind) == 0)
            reason = by[i].reason;
    home = some_home(t, true);
    say(t, "person_name", text_of(p, "name"));
    say(t, "person_id_no", text_of(p, "id_no"));
    say(t, "person_birth_date", text_of(p, "birth_date"));
    say(t, "cancel_reason", reason);
    say(t, "discharge_kind", "discharged");
    say(t, "settle_mode", "original");
    if (chance(t, 30)) {
        say(t, "target_relation", "02");
        say(t, "target_kind", "10");
        new_address(t, "target_address");
        say(t, "settle_mode", "own");
    } else {
        target(t, home, "97");
    }
    m->item = strcmp(reason, "army_returned") == 0 && chance(t, 50) ? "HJ070" : "HJ075";
    m->delta = 1;
    unit_of(t, m, text_of(home, "household_id"));
    json_decref(home);
    json_decref(p);
    return true;
}
static bool paper(struct town *t, struct made *m)
{
    json_t *p = somebody(t, chance(t, 40) ? "cancelled" : "normal", ""), *h, *head;
    if (p == NULL)
        return false;
    h = home_row(t, text_of(p, "household_id"));
    head = *text_of(h, "head_person_id") ? person_row(t, text_of(h, "head_person_id")) : NULL;
    subject(t, p);
    say(t, "head_name", text_of(head, "name"));
    say(t, "head_id_no", text_of(head, "id_no"));
    say(t, "reason", strcmp(text_of(p, "status"), "normal") == 0 ? PICK(t, "lost", "damaged", "dispute", "new") : PICK(t, "lost", "expired"));
    say(t, "certificate_kind", PICK(t, "cancellation", "registration"));
    say(t, "old_no", "34079900000001");
    m->item = PICK(t, "HJ097", "HJ099", "HJ102", "HJ105");
    unit_of(t, m, text_of(p, "household_id"));
    json_decref(head);
    json_decref(h);
    json_decref(p);
    return true;
}

static const struct { const char *name; make_fn make; unsigned weight; } kinds[] = {
    {"birth", birth, 14},          {"adoption", adoption, 4},     {"settlement", settlement, 4}, {"supplement", supplement, 5}, {"death", death, 10},
    {"enlistment", enlistment, 4}, {"emigration", emigration, 4}, {"duplicate", duplicate, 1},   {"student_out", student_out, 4}, {"correction", correction, 14},
    {"head_change", head_change, 5}, {"split", split, 6},         {"establish", establish, 5},   {"move_in", move_in, 14},      {"student_in", student_in, 4},
    {"move_out", move_out, 6},     {"restoration", restoration, 6}, {"paper", paper, 5},
};
enum { N_KINDS = sizeof kinds / sizeof kinds[0], REVERSAL = N_KINDS, ABANDON, LATER_STAGE };

/* --- one step in a savepoint --- */
static bool attempt(struct town *t, const char *no, const char *item, const char *unit, const json_t *entries, const char *stage)
{
    struct err e = {0};
    struct reply r = {0};
    char result[600];
    struct dossier d = {.catalogue = t->w->c.catalogue, .item = catalogue_item(t->w->c.catalogue, item), .entries = entries};
    snprintf(d.f.no, sizeof d.f.no, "%s", no);
    snprintf(d.f.unit, sizeof d.f.unit, "%s", unit);
    must(unit_get(t->conn, unit, &d.unit, &e), &e);
    assert_non_null(d.item);
    must(db_exec(t->conn, "SAVEPOINT step", &e), &e);
    int rc = stage ? registry_apply(&t->w->c, t->conn, &d, &t->w->officer, stage, t->w->now, result, sizeof result, &r, &e)
                   : reversal_rows(&t->w->c, t->conn, no, &t->w->officer, t->w->now, &r, &e);
    if (rc < 0 && (e.code != ERR_CONFLICT || *r.zh == '\0'))
        fail_msg("case %s %s %s: %s %s\n%s", no, item, stage ? stage : "reversal", err_word(e.code), e.msg, json_dumps(entries, JSON_ENSURE_ASCII * 0));
    struct err back = {0};
    if (rc < 0)
        must(db_exec(t->conn, "ROLLBACK TO step", &back), &back);
    must(db_exec(t->conn, "RELEASE step", &back), &back);
    for (size_t i = 0; rc < 0 && i < 512; i++) {
        if (t->refusals[i] == NULL)
            t->refusals[i] = strdup(r.zh);
        size_t have = strlen(t->refusals[i]), want = strlen(r.zh);        /* the end of a sentence names nobody */
        if (strcmp(t->refusals[i] + (have > 30 ? have - 30 : 0), r.zh + (want > 30 ? want - 30 : 0)) == 0)
            break;
    }
    reply_clear(&r);
    return rc == 0;
}

/* --- what the history says --- */
static int follow(const struct register_event *v, void *arg, struct err *e)
{
    struct town *t = arg;
    bool person = strcmp(v->kind, "person") == 0;
    (void)e;
    t->last_event = v->id;
    json_t *known = json_object_get(t->rows, v->subject);
    if (v->before == NULL && known)
        fail_msg("event %lld: the row of %s was there", (long long)v->id, v->subject);
    if (v->before && !json_equal(known, v->before))
        fail_msg("event %lld %s %s: before is not what the history says\n%s\n%s", (long long)v->id, v->op, v->subject, json_dumps(known, JSON_SORT_KEYS),
                 json_dumps(v->before, JSON_SORT_KEYS));
    const char *lock = text_of(v->before, "lock_case");
    if (*lock && strcmp(lock, v->case_no) != 0)
        fail_msg("event %lld: %s is locked by %s and touched by %s", (long long)v->id, v->subject, lock, v->case_no);
    if (v->after == NULL)
        json_object_del(t->rows, v->subject);
    else
        json_object_set(t->rows, v->subject, (json_t *)v->after);
    if (v->before == NULL && v->after && person && t->n_persons < MOST_ROWS)
        snprintf(t->person[t->n_persons++], 33, "%s", v->subject);
    if (v->before == NULL && v->after && strcmp(v->kind, "household") == 0 && t->n_homes < MOST_ROWS)
        snprintf(t->home[t->n_homes++], 33, "%s", v->subject);
    if (!person)
        return 0;
    const char *no = text_of(v->after, "id_no"), *owner = text_of(t->numbers, no);
    if (strcmp(v->op, "admit_person") == 0 && v->before == NULL)
        json_object_set_new(t->came, v->subject, json_true());
    if (v->after == NULL && json_object_get(t->came, v->subject))
        json_object_del(t->numbers, text_of(v->before, "id_no"));
    if (v->after && *owner && strcmp(owner, v->subject) != 0)
        fail_msg("number %s was given twice", no);
    if (v->after)
        json_object_set_new(t->numbers, no, json_string(v->subject));
    return 0;
}

static void catch_up(struct town *t)
{
    struct err e = {0};
    must(register_event_replay(&t->s, t->last_event, follow, t, &e), &e);
}

/* --- steps --- */
static void count(struct town *t, unsigned kind, const char *name, bool accepted)
{
    t->tally[kind].name = name;
    if (accepted)
        t->tally[kind].accepted++;
    else
        t->tally[kind].refused++;
}

static void finished(struct town *t, const char *no, int delta)
{
    t->expected += delta;
    if (t->n_done < MOST_DONE) {
        snprintf(t->done[t->n_done].no, 17, "%s", no);
        t->done[t->n_done++].delta = delta;
    }
}

static const char *const province[] = {"permit", "move_out", "move_in"}, *const outside[] = {"permit", "finish"};
static void stage_next(struct town *t, size_t i)
{
    struct pending *p = &t->pending[i];
    bool far = strncmp(text_of(p->entries, "subject_region"), "32", 2) == 0;
    unsigned last = far ? 1 : 2;
    bool good = attempt(t, p->no, p->item, p->unit, p->entries, far ? outside[p->stage] : province[p->stage]);
    count(t, LATER_STAGE, "later stage", good);
    bool over = !good || p->stage++ == last;
    if (good && over)
        finished(t, p->no, p->delta);
    if (!good && (p->stage || true))
        attempt(t, p->no, p->item, p->unit, p->entries, NULL);      /* given up: what its stages did goes back */
    if (over) {
        json_decref(p->entries);
        *p = t->pending[--t->n_pending];
    }
}

static void take_back(struct town *t)
{
    if (t->n_done == 0)
        return;
    size_t i = chance(t, 60) ? t->n_done - 1 - below(t, t->n_done < 20 ? (unsigned)t->n_done : 20) : below(t, (unsigned)t->n_done);
    json_t *none = json_object();
    bool good = attempt(t, t->done[i].no, "HJ001", STATION, none, NULL);
    json_decref(none);
    count(t, REVERSAL, "reversal", good);
    if (good) {
        t->expected -= t->done[i].delta;
        t->done[i] = t->done[--t->n_done];
    }
}

static void apply_one(struct town *t, unsigned k)
{
    struct made m = {.delta = 0};
    char no[17];
    snprintf(no, sizeof no, "34%014u", ++t->cases);
    t->entries = json_object();
    bool fits = kinds[k].make(t, &m);
    bool staged = fits && m.staged && t->n_pending < MOST_PENDING;
    if (staged) {
        struct pending *p = &t->pending[t->n_pending++];
        *p = (struct pending){.entries = json_incref(t->entries), .delta = m.delta};
        snprintf(p->no, sizeof p->no, "%s", no);
        snprintf(p->item, sizeof p->item, "%s", m.item);
        snprintf(p->unit, sizeof p->unit, "%s", m.unit);
        stage_next(t, t->n_pending - 1);
        count(t, k, kinds[k].name, true);
    } else if (fits && !m.staged) {
        bool good = attempt(t, no, m.item, m.unit, t->entries, "finish");
        count(t, k, kinds[k].name, good);
        if (good)
            finished(t, no, m.delta);
    }
    json_decref(t->entries);
    t->entries = NULL;
}

static void step(struct town *t)
{
    unsigned total = 0, at;
    if (t->n_pending && chance(t, 8))
        stage_next(t, below(t, (unsigned)t->n_pending));
    else if (chance(t, 7))
        take_back(t);
    else {
        for (size_t i = 0; i < N_KINDS; i++)
            total += kinds[i].weight;
        at = below(t, total);
        unsigned k = 0;
        for (; at >= kinds[k].weight; k++)
            at -= kinds[k].weight;
        apply_one(t, k);
    }
    t->w->now += 1000;
    catch_up(t);
}

/* --- what must hold --- */
struct audit { struct town *t; int64_t normal; size_t homes; json_t *seen; };

static int home_holds(const json_t *h, void *arg, struct err *e)
{
    struct audit *a = arg;
    const char *uid = text_of(h, "household_id"), *head = text_of(h, "head_person_id");
    json_t *members = members_of(a->t, uid), *m;
    size_t i, heads = 0, n = json_array_size(members);
    bool family = *text_of(h, "kind") == '1' && !*text_of(h, "collective_kind"), normal = strcmp(text_of(h, "status"), "normal") == 0;
    (void)e;
    json_array_foreach(members, i, m) {
        heads += strcmp(text_of(m, "person_id"), head) == 0;
        if (json_object_get(a->seen, text_of(m, "person_id")))
            fail_msg("%s is in two households", text_of(m, "person_id"));
        json_object_set_new(a->seen, text_of(m, "person_id"), json_true());
        if ((strcmp(text_of(m, "person_id"), head) == 0) != (strcmp(text_of(m, "relation_to_head"), "02") == 0) &&
            strcmp(text_of(m, "person_id"), head) == 0)
            fail_msg("household %s: the head's relation is %s", uid, text_of(m, "relation_to_head"));
    }
    if (n && (heads != 1 || !normal))
        fail_msg("household %s: %zu members, %zu heads, %s", uid, n, heads, text_of(h, "status"));
    if (n == 0 && family && normal)
        fail_msg("family household %s is normal and has nobody", uid);
    a->normal += (int64_t)n;
    a->homes++;
    json_t *stored = json_copy((json_t *)h), *told = json_object_get(a->t->rows, uid);
    json_object_del(stored, "head_name");
    if (!json_equal(stored, told))
        fail_msg("household %s: the history says\n%s\nthe register has\n%s", uid, json_dumps(told, JSON_SORT_KEYS), json_dumps(stored, JSON_SORT_KEYS));
    json_decref(stored);
    json_decref(members);
    return 0;
}

static void number_holds(const json_t *p)
{
    struct id_number n;
    char birth[11];
    const char *no = text_of(p, "id_no");
    if (id_number_parse(&n, no, strlen(no), clock_beijing_date(NOW + 365LL * 86400000)) != ID_OK)
        fail_msg("%s is no number", no);
    snprintf(birth, sizeof birth, "%04d-%02d-%02d", n.birth.y, n.birth.m, n.birth.d);
    if (strcmp(birth, text_of(p, "birth_date")) != 0 || n.sex != *text_of(p, "gender"))
        fail_msg("%s: born %s, gender %s", no, text_of(p, "birth_date"), text_of(p, "gender"));
}

/* Every row is what replaying its history from the start gives. */
static void audit(struct town *t)
{
    struct err e = {0};
    struct audit a = {.t = t, .seen = json_object()};
    const char *uid;
    json_t *told, *unique = json_object();
    int64_t persons = 0, living = 0, stored = 0;
    must(register_household_each(&t->s, home_holds, &a, &e), &e);
    json_object_foreach(t->rows, uid, told) {
        json_t *row = NULL;
        if (json_object_get(told, "paper_id"))
            must(paper_by_uid(&t->s, uid, &row, &e), &e);
        else if (json_object_get(told, "person_id"))
            row = person_row(t, uid);
        else
            continue;
        if (!json_equal(row, told))
            fail_msg("%s: the history says\n%s\nthe register has\n%s", uid, json_dumps(told, JSON_SORT_KEYS), json_dumps(row, JSON_SORT_KEYS));
        if (json_object_get(row, "person_id") && !json_object_get(row, "paper_id")) {
            number_holds(row);
            assert_null(json_object_get(unique, text_of(row, "id_no")));
            json_object_set_new(unique, text_of(row, "id_no"), json_true());
            living += strcmp(text_of(row, "status"), "normal") == 0;
            persons++;
        }
        json_decref(row);
    }
    must(register_count(t->conn, &stored, &e), &e);
    assert_int_equal(stored, persons);
    assert_int_equal(a.normal, living);
    if (living != t->expected)
        fail_msg("living residents: counted %lld, by the ledger %lld", (long long)living, (long long)t->expected);
    json_decref(unique);
    json_decref(a.seen);
}

/* --- the town --- */
static void keep(struct town *t, const char *uid, json_t *row)
{
    json_object_set_new(t->rows, uid, row);
}

static int settle(struct town *t, unsigned n, const char *const *units, struct err *e)
{
    char birth[11], no[19], uid[33], head[33];
    snprintf(uid, sizeof uid, "%032u", 500000000u + n);
    json_t *h = json_object(), *a = json_object();
    bool collective = n % 40 == 0;
    const char *unit = units[n % 8];
    char text[120];
    snprintf(text, sizeof text, "江州市老街%u号", n);
    json_object_update_new(a, json_pack("{s:s, s:s, s:s, s:s}", "address_id", uid, "region", "340799", "text", text, "unit_code", unit));
    json_object_update_new(h, json_pack("{s:s, s:s+, s:s, s:s, s:s, s:s, s:s, s:s}", "household_id", uid, "book_no", "340799", uid + 24, "kind",
                                        collective ? "20" : "10", "address_id", uid, "unit_code", unit, "status", "normal", "land_kind",
                                        n % 9 ? "state" : "collective", "frozen", n % 50 == 7 ? "1" : "0"));
    if (collective)
        json_object_set_new(h, "collective_kind", json_string("unit"));
    unsigned size = collective ? 5 : 1 + below(t, 5);
    snprintf(head, sizeof head, "%032u", 100000000u + (unsigned)t->n_persons);
    json_object_set_new(h, "head_person_id", json_string(head));
    int rc = register_add_address(&t->s, a, e) < 0 || register_add_household(&t->s, h, e) < 0 ? -1 : 0;
    for (unsigned i = 0; rc == 0 && i < size && t->n_persons < PERSONS; i++) {
        char gender = (char)('1' + below(t, 2)), id[33], name[40];
        day(t, birth, 1940, 2024);
        number(t, no, "340799", birth, gender);
        snprintf(id, sizeof id, "%032u", 100000000u + (unsigned)t->n_persons);
        snprintf(name, sizeof name, "居民%zu", t->n_persons);
        json_t *p = json_pack("{s:s, s:s, s:s, s:s, s:s#, s:s, s:s, s:s, s:s}", "person_id", id, "household_id", uid, "id_no", no, "name", name, "gender", &gender,
                              1, "ethnicity", below(t, 8) ? "01" : "03", "birth_date", birth, "relation_to_head", i ? "97" : "02", "status", "normal");
        rc = register_add_person(&t->s, p, e);
        json_object_set_new(t->numbers, no, json_string(id));
        snprintf(t->person[t->n_persons++], 33, "%s", id);
        keep(t, id, p);
    }
    snprintf(t->home[t->n_homes++], 33, "%s", uid);
    json_object_set_new(h, "region", json_string("340799"));
    json_object_set_new(h, "address", json_string(text));
    keep(t, uid, h);
    json_decref(a);
    return rc;
}

static int populate(struct db_conn *conn, void *arg, struct err *e)
{
    static const char *const units[] = {"340797510000", "340797520000", "340797530000", "340798510000", "340798520000", "340799510000", "340799520000",
                                        "340799530000"};
    struct town *t = arg;
    t->conn = conn;
    t->s = (struct register_store){conn, t->w->c.vault};
    must(db_exec(conn, "DELETE FROM paper", e), e);
    must(db_exec(conn, "DELETE FROM person", e), e);
    must(db_exec(conn, "DELETE FROM household", e), e);
    must(db_exec(conn, "DELETE FROM id_given", e), e);
    for (unsigned n = 1; t->n_persons < PERSONS; n++)
        if (settle(t, n, units, e) < 0)
            return -1;
    t->expected = (int64_t)t->n_persons;
    t->first = json_deep_copy(t->rows);
    return 0;
}

static int batch(struct db_conn *conn, void *arg, struct err *e)
{
    struct town *t = arg;
    (void)e;
    t->conn = conn;
    t->s.c = conn;
    for (int i = 0; i < BATCH; i++)
        step(t);
    return 0;
}

static int audit_all(struct db_conn *conn, void *arg, struct err *e)
{
    struct town *t = arg;
    (void)e;
    t->conn = conn;
    t->s.c = conn;
    audit(t);
    return 0;
}

/* The whole history once more, from the first day, onto the rows of the first day. */
static int replay(struct db_conn *conn, void *arg, struct err *e)
{
    struct town *t = arg;
    json_t *kept = t->rows, *numbers = t->numbers;
    size_t persons = t->n_persons, homes = t->n_homes;
    t->s.c = conn;
    t->rows = json_deep_copy(t->first);
    t->numbers = json_object();
    t->last_event = 0;
    must(register_event_replay(&t->s, 0, follow, t, e), e);
    assert_true(json_equal(kept, t->rows));
    json_decref(kept);
    json_decref(numbers);
    t->n_persons = persons;
    t->n_homes = homes;
    return 0;
}

static unsigned long setting(const char *name, unsigned long usual)
{
    const char *s = getenv(name);
    return s && *s ? strtoul(s, NULL, 10) : usual;
}

static void test_town(void **state)
{
    struct world *w = *state;
    struct err e = {0};
    unsigned long steps = setting("TOWN_STEPS", 5000), seed = setting("TOWN_SEED", (unsigned long)time(NULL));
    struct town *t = calloc(1, sizeof *t);
    t->w = w;
    t->random = seed * 2654435761u + 88172645463325252ull;
    t->person = calloc(MOST_ROWS, 33);
    t->home = calloc(MOST_ROWS, 33);
    t->done = calloc(MOST_DONE, sizeof *t->done);
    t->rows = json_object();
    t->numbers = json_object();
    t->came = json_object();
    print_message("town: seed %lu, %lu steps\n", seed, steps);
    must(db_write(w->c.db, populate, t, &e), &e);
    for (unsigned long n = 0; n < steps; n += BATCH) {
        must(db_write(w->c.db, batch, t, &e), &e);
        if (n % (BATCH * 4) == 0 || n + BATCH >= steps)
            must(db_write(w->c.db, audit_all, t, &e), &e);
    }
    must(db_write(w->c.db, replay, t, &e), &e);
    must(db_write(w->c.db, audit_all, t, &e), &e);
    for (size_t i = 0; i < 48; i++)
        if (t->tally[i].name) {
            print_message("  %-12s accepted %5u refused %5u\n", t->tally[i].name, t->tally[i].accepted, t->tally[i].refused);
            assert_true(t->tally[i].accepted > 0);
            assert_true(t->tally[i].refused > 0 || strcmp(t->tally[i].name, "later stage") == 0);
        }
    size_t said = 0;
    while (said < 512 && t->refusals[said])
        said++;
    print_message("  living %lld, events %lld, different refusals %zu\n", (long long)t->expected, (long long)t->last_event, said);
    for (size_t i = 0; getenv("TOWN_SAY") && i < said; i++)
        print_message("    %s\n", t->refusals[i]);
    for (size_t i = 0; i < said; i++)
        free((char *)t->refusals[i]);
    while (t->n_pending)
        json_decref(t->pending[--t->n_pending].entries);
    json_decref(t->rows);
    json_decref(t->first);
    json_decref(t->numbers);
    json_decref(t->came);
    free(t->person);
    free(t->home);
    free(t->done);
    free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test_setup_teardown(test_town, world_setup, world_teardown)};
    log_open("test", LOG_ERROR);
    return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
