/* effect_household.c - households that are formed, changed, and get another head. */
#include <stdio.h>
#include <string.h>

#include "intranet-side/domain/effect_work.h"

static void copy(json_t *to, const json_t *from, const char *column)
{
    if (*effect_text(from, column))
        json_object_set(to, column, json_object_get(from, column));
}

/* The address is known when another household stands or stood there: the same row, its land mark, and nobody settles on frozen land. */
static int settle(struct effect_work *w, json_t *row, struct err *e)
{
    json_t *there = NULL, *v;
    size_t i;
    const char *address = effect_text(row, "address");
    if (*address == '\0') {
        work_refuse(w, "没有新户的地址，不能立户");
        return 0;
    }
    if (w->x->look.at_address(w->x->look.arg, address, &there, e) < 0)
        return -1;
    json_array_foreach(there, i, v) {
        copy(row, v, "address_id");
        if (*effect_text(row, "land_kind") == '\0')
            copy(row, v, "land_kind");
        if (effect_is(v, "frozen", "1"))
            work_refuse(w, "%s 的地址已经冻结，不能立户，请先核实解冻", address);
    }
    json_decref(there);
    if (*effect_text(row, "address_id"))
        return 0;
    char id[40];
    if (w->x->look.draw(w->x->look.arg, "id", w->drawn_ids++, id, e) < 0)
        return -1;
    json_object_set_new(row, "address_id", json_string(id));
    return 0;
}

/* "340799 江州市…": the code stands for the row's region. */
static void split_address(struct effect_work *w, json_t *row, const json_t *set)
{
    const char *field = effect_text(json_object_get(set, "address"), "field"), *raw = effect_text(w->x->entries, field);
    char region[7] = "";
    if (strspn(raw, "0123456789") == 6 && raw[6] == ' ')
        snprintf(region, sizeof region, "%.6s", raw);
    json_object_set_new(row, "region", json_string(*region ? region : w->x->unit_region));
}

static int form(struct effect_work *w, const json_t *op, struct err *e)
{
    char book[40];
    const json_t *set = json_object_get(op, "set");
    struct effect_change *c = work_new(w, EFFECT_HOUSEHOLD, "form_household", e);
    if (c == NULL || w->x->look.draw(w->x->look.arg, "book_no", w->drawn_books++, book, e) < 0)
        return -1;
    json_t *row = c->after;
    json_object_set_new(row, "book_no", json_string(book));
    json_object_set_new(row, "unit_code", json_string(w->x->unit));
    json_object_set_new(row, "status", json_string("normal"));
    json_object_set_new(row, "kind", json_string("10"));
    json_object_set_new(row, "formed", json_string(w->x->today));
    json_object_set_new(row, "frozen", json_string("0"));
    if (effect_set(w, row, set, e) < 0)
        return -1;
    split_address(w, row, set);
    w->formed = effect_text(row, "household_id");
    return settle(w, row, e);
}

/* What the old head is to the new one, as far as their relation says it (GB/T 4761): from, and what it turns into for a man and for a woman. */
static const struct { const char *from, *man, *woman; } turns[] = {
    {"28", "55", "56"}, {"38", "53", "54"},                                          /* 女婿, 儿媳 */
    {"27", "57", "58"}, {"37", "57", "58"}, {"57", "27", "37"}, {"58", "27", "37"},  /* 养子女、继子女; 养父母、继父母 */
    {"53", "97", "38"}, {"54", "97", "38"}, {"55", "28", "97"}, {"56", "28", "97"},  /* 公婆, 岳父母 */
    {"43", "63", "64"}, {"44", "63", "64"}, {"63", "43", "44"}, {"64", "43", "44"},  /* 外孙, 外祖父母 */
    {"45", "65", "65"}, {"46", "65", "65"}, {"65", "46", "45"},                      /* 孙辈的配偶 */
    {"40", "60", "60"}, {"49", "60", "60"}, {"60", "40", "40"}, {"69", "49", "49"},
    {"47", "69", "69"}, {"48", "69", "69"}, {"66", "47", "48"}, {"67", "47", "48"}, {"68", "97", "97"},   /* 曾祖 */
    {"71", "73", "77"}, {"75", "73", "77"}, {"73", "71", "75"}, {"77", "71", "75"},  /* 兄姐, 弟妹 */
    {"99", "99", "99"},
    {"1", "11", "12"},  {"2", "51", "52"},  {"3", "51", "52"},  {"4", "61", "62"},   /* the rest of each group */
    {"5", "20", "30"},  {"6", "41", "42"},  {"7", "79", "79"},
};

static const char *turned(const char *relation, const char *gender)
{
    for (size_t i = 0; i < sizeof turns / sizeof turns[0]; i++)
        if (strncmp(relation, turns[i].from, strlen(turns[i].from)) == 0)
            return *gender == '1' ? turns[i].man : turns[i].woman;
    return "97";
}

static int turn_old_head(struct effect_work *w, const json_t *home, const char *relation, struct err *e)
{
    json_t *members = NULL, *m;
    size_t i;
    int rc = work_members(w, effect_text(home, "household_id"), &members, e);
    json_array_foreach(members, i, m) {
        if (rc < 0 || !effect_is(m, "person_id", effect_text(home, "head_person_id")) || !effect_is(m, "relation_to_head", "02"))
            continue;
        struct effect_change *c = work_touch(w, EFFECT_PERSON, "set_head", m, e);
        if (c == NULL)
            rc = -1;
        else
            json_object_set_new(c->after, "relation_to_head", json_string(turned(relation, effect_text(m, "gender"))));
    }
    json_decref(members);
    return rc;
}

static int head(struct effect_work *w, json_t *home, json_t *person, struct err *e)
{
    if (person == NULL || !effect_is(person, "status", "normal") || !effect_is(person, "household_id", effect_text(home, "household_id"))) {
        work_refuse(w, "新户主不是户内的正常成员，请核对身份证号");
        return 0;
    }
    if (effect_is(home, "head_person_id", effect_text(person, "person_id")))
        return 0;
    struct effect_change *h = work_touch(w, EFFECT_HOUSEHOLD, "set_head", home, e);
    if (h == NULL || turn_old_head(w, h->after, effect_text(person, "relation_to_head"), e) < 0)
        return -1;
    struct effect_change *c = work_touch(w, EFFECT_PERSON, "set_head", person, e);
    if (c == NULL)
        return -1;
    json_object_set(h->after, "head_person_id", json_object_get(person, "person_id"));
    json_object_set(h->after, "head_name", json_object_get(c->after, "name"));
    json_object_set_new(c->after, "relation_to_head", json_string("02"));
    return 0;
}

int op_household(struct effect_work *w, const json_t *op, const char *kind, struct err *e)
{
    json_t *home = NULL, *person = NULL;
    if (strcmp(kind, "form_household") == 0)
        return form(w, op, e);
    int rc = work_household(w, json_object_get(op, "household"), &home, e);
    if (rc == 0 && home == NULL)
        work_refuse(w, "没有找到要改的户，请核对");
    else if (rc == 0 && strcmp(kind, "set_head") == 0) {
        if ((rc = work_person(w, json_object_get(op, "person"), &person, e)) == 0)
            rc = head(w, home, person, e);
    } else if (rc == 0 && strcmp(kind, "update_household") == 0) {
        struct effect_change *c = work_touch(w, EFFECT_HOUSEHOLD, kind, home, e);
        rc = c ? effect_set(w, c->after, json_object_get(op, "set"), e) : -1;
    } else if (rc == 0)
        rc = err_set(e, ERR_INPUT, "effect: unknown op %s", kind);
    json_decref(person);
    json_decref(home);
    return rc;
}
