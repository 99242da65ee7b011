/* effect_words.c - rows of the register as officers read them. */
#include <stdio.h>
#include <string.h>

#include "intranet-side/domain/effect_work.h"

struct column { const char *column, *label, *table; };
static const struct column of_person[] = {
    {"id_no", "公民身份号码", NULL}, {"name", "姓名", NULL}, {"former_name", "曾用名", NULL}, {"gender", "性别", "GB/T 2261.1"},
    {"ethnicity", "民族", "GB/T 3304"}, {"birth_date", "出生日期", NULL}, {"birth_time", "出生时间", NULL},
    {"birth_country", "出生国家（地区）", "GB/T 2659"}, {"birth_region", "出生地", "GB/T 2260"}, {"birth_place", "出生地详址", NULL},
    {"native_region", "籍贯", "GB/T 2260"}, {"marital_status", "婚姻状况", "GB/T 2261.2"}, {"education", "文化程度", "GB/T 4658"},
    {"military_status", "兵役状况", "GA/T 2000.36"}, {"employer", "服务处所", NULL}, {"phone", "联系电话", NULL},
    {"relation_to_head", "与户主关系", "GB/T 4761"}, {"household_id", "所在户", NULL}, {"father_id_no", "父亲证件号码", NULL}, {"father_name", "父亲姓名", NULL},
    {"mother_id_no", "母亲证件号码", NULL}, {"mother_name", "母亲姓名", NULL}, {"spouse_name", "配偶姓名", NULL},
    {"spouse_id_no", "配偶证件号码", NULL}, {"status", "户口状态", NULL}, {"cancel_kind", "注销类别", NULL},
    {"cancel_date", "注销日期", NULL}, {"cancel_reason", "注销原因", NULL}, {"lock_case", "迁移锁定（受理号）", NULL}, {"move_in_date", "迁入日期", NULL},
    {"move_in_region", "从何地迁来", "GB/T 2260"}, {"move_in_reason", "迁入原因", NULL}, {"move_out_region", "迁往地", "GB/T 2260"},
    {"move_out_place", "迁往地详址", NULL},
};
static const struct column of_household[] = {
    {"book_no", "户号", NULL}, {"kind", "户别", "GA/T 2000.27"}, {"collective_kind", "集体户类别", NULL}, {"name", "集体户名称", NULL},
    {"head_person_id", "户主", NULL}, {"address", "户籍地址", NULL}, {"land_kind", "土地性质", NULL}, {"frozen", "冻结", NULL}, {"status", "户的状态", NULL},
    {"formed", "立户日期", NULL}, {"ended", "销户日期", NULL},
};
static const struct column of_paper[] = {
    {"no", "证件编号", NULL}, {"status", "证件状态", NULL}, {"valid_until", "有效期至", NULL}, {"reason", "签发原因", NULL},
};
static const struct { const struct column *v; size_t n; } kinds[] = {
    {of_person, sizeof of_person / sizeof of_person[0]},
    {of_household, sizeof of_household / sizeof of_household[0]},
    {of_paper, sizeof of_paper / sizeof of_paper[0]},
};

static const struct { const char *column, *value, *label; } words[] = {
    {"status", "normal", "正常"}, {"status", "cancelled", "已注销"}, {"status", "valid", "有效"}, {"status", "lost", "遗失作废"},
    {"status", "damaged", "损坏作废"}, {"status", "expired", "超期作废"}, {"status", "replaced", "已换发"}, {"status", "used", "已使用"},
    {"cancel_kind", "death", "死亡"}, {"cancel_kind", "enlistment", "应征入伍"}, {"cancel_kind", "hk_macao", "前往港澳定居"},
    {"cancel_kind", "taiwan", "前往台湾定居"}, {"cancel_kind", "abroad", "国外定居"}, {"cancel_kind", "nationality", "加入外国国籍"},
    {"cancel_kind", "moved_out", "迁出"}, {"cancel_kind", "duplicate", "重复户口"}, {"cancel_kind", "missing", "宣告失踪"},
    {"cancel_kind", "short_exit", "因私短期出国（境）"}, {"cancel_kind", "long_absent", "长期外出"}, {"cancel_kind", "marriage_away", "婚嫁外出"},
    {"cancel_kind", "prison", "服刑"}, {"cancel_kind", "other", "其他"}, {"collective_kind", "unit", "单位集体户"},
    {"collective_kind", "student", "学生集体户"}, {"collective_kind", "talent", "人才交流中心集体户"}, {"collective_kind", "temple", "寺庙集体户"},
    {"collective_kind", "public", "公共集体户"}, {"land_kind", "state", "国有土地"}, {"land_kind", "collective", "集体土地"}, {"frozen", "0", "否"},
    {"frozen", "1", "已冻结"}, {"paper", "booklet", "居民户口簿"}, {"paper", "dispute_booklet", "居民户口簿（仅首页和本人页）"},
    {"paper", "migration_certificate", "户口迁移证"}, {"paper", "permit", "准予迁入证明"}, {"paper", "e_permit", "电子准迁证"}, {"paper", "certificate", "户籍证明"},
};

const char *register_column(enum effect_kind kind, size_t i)
{
    return i < kinds[kind].n ? kinds[kind].v[i].column : NULL;
}

static const struct column *column_named(const char *column)
{
    for (size_t k = 0; k < 3; k++)
        for (size_t i = 0; i < kinds[k].n; i++)
            if (strcmp(kinds[k].v[i].column, column) == 0)
                return &kinds[k].v[i];
    return NULL;
}

const char *register_label(const char *column)
{
    const struct column *c = column_named(column);
    return c ? c->label : column;
}

const char *register_value(const struct catalogue *c, const char *column, const char *value)
{
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (strcmp(words[i].column, column) == 0 && strcmp(words[i].value, value) == 0)
            return words[i].label;
    const struct column *k = column_named(column);
    const char *l = k && k->table ? catalogue_label(c, k->table, value) : NULL;
    return l ? l : value;
}

void effect_who(char *out, size_t cap, enum effect_kind kind, const json_t *row)
{
    if (kind == EFFECT_PERSON)
        snprintf(out, cap, "%s", effect_text(row, "name"));
    else if (kind == EFFECT_HOUSEHOLD)
        snprintf(out, cap, "%s户号 %s", *effect_text(row, "name") ? effect_text(row, "name") : "", effect_text(row, "book_no"));
    else
        snprintf(out, cap, "%s %s", register_value(NULL, "paper", effect_text(row, "kind")), effect_text(row, "no"));
}

/* Ids say nothing to a reader: a household is its address and number, a head his name, as far as the plan knows them. */
static const char *shown(const struct effect_plan *p, const struct catalogue *c, const char *column, const char *value)
{
    if (strcmp(column, "household_id") == 0)
        return *effect_text(p->homes, value) ? effect_text(p->homes, value) : "（未知的户）";
    if (strcmp(column, "head_person_id") != 0)
        return register_value(c, column, value);
    for (size_t i = 0; i < p->n; i++)
        if (p->v[i].kind == EFFECT_PERSON && effect_is(p->v[i].after, "person_id", value))
            return effect_text(p->v[i].after, "name");
    return "（原户主）";
}

json_t *effect_in_words(const struct effect_plan *p, const struct catalogue *c)
{
    json_t *out = json_array();
    for (size_t i = 0; i < p->n; i++) {
        const struct effect_change *v = &p->v[i];
        char who[160];
        effect_who(who, sizeof who, v->kind, v->before ? v->before : v->after);
        for (size_t k = 0; k < kinds[v->kind].n; k++) {
            const struct column *m = &kinds[v->kind].v[k];
            const char *a = effect_text(v->before, m->column), *b = effect_text(v->after, m->column);
            if (strcmp(a, b) == 0 || (!*a && strcmp(b, "0") == 0))
                continue;
            json_array_append_new(out, json_pack("{s:s, s:s, s:s, s:s}", "who", who, "what", m->label, "before", *a ? shown(p, c, m->column, a) : "",
                                                 "after", *b ? shown(p, c, m->column, b) : ""));
        }
    }
    return out;
}
