/* The effects of each family on the register, as data: what an accepted plan changes, and each refusal with its sentence; and the loader that
 * refuses a wrong file. The people are those of schemas/org/demo-residents.json.
 * POP-20 POP-22 POP-23 POP-24 POP-28 POP-29 POP-30 POP-40..61 POP-63 POP-65 WFL-15 CAT-12 */
#include "tests/unit/intranet_world.h"

#include "intranet-side/domain/effect.h"
#include "intranet-side/service/dossier.h"
#include "intranet-side/service/registry.h"
#include "intranet-side/service/reversal.h"
#include "intranet-side/store/event.h"

/* --- entries as JSON with ' for ", "$a.b" for what the cast says there, "$name:a.b" for the name of the person of that number, "@k" for other columns */
static json_t *residents;

static const char *cast_of(const char *path)
{
    char part[64];
    const json_t *at = json_object_get(residents, "cast");
    while (*path) {
        size_t n = strcspn(path, ".");
        snprintf(part, sizeof part, "%.*s", (int)n, path);
        at = json_object_get(at, part);
        path += n + (path[n] == '.');
    }
    if (!json_is_string(at))
        fail_msg("the cast has no %s", path);
    return json_string_value(at);
}

static const char *column_of(const char *id_no, const char *column)
{
    size_t i;
    json_t *p;
    json_array_foreach(json_object_get(residents, "persons"), i, p)
        if (strcmp(text_of(p, "id_no"), id_no) == 0)
            return text_of(p, column);
    fail_msg("nobody has the number %s", id_no);
    return "";
}

static const char *resolved(const char *s)
{
    char column[40];
    if (*s != '$')
        return s;
    const char *colon = strchr(s, ':');
    if (colon == NULL)
        return cast_of(s + 1);
    snprintf(column, sizeof column, "%.*s", (int)(colon - s - 1), s + 1);
    return column_of(cast_of(colon + 1), column);
}

static void resolve(json_t *o)
{
    const char *key;
    json_t *v;
    size_t i;
    if (json_is_array(o))
        json_array_foreach(o, i, v)
            resolve(v);
    json_object_foreach(o, key, v) {
        if (json_is_string(v))
            json_object_set_new(o, key, json_string(resolved(json_string_value(v))));
        else
            resolve(v);
    }
}

static json_t *read_entries(const char *text)
{
    char b[4000];
    json_error_t je;
    snprintf(b, sizeof b, "{%s}", text);
    for (char *p = b; *p; p++)
        if (*p == '\'')
            *p = '"';
    json_t *o = json_loads(b, JSON_REJECT_DUPLICATES, &je);
    if (o == NULL)
        fail_msg("%s: %s", je.text, b);
    resolve(o);
    return o;
}

/* --- one application carried out, or refused --- */
struct use { struct world *w; const char *item, *no, *unit, *stage; json_t *entries; json_t *words; char result[600], zh[400], warned[400]; bool reverse, only_planned; };

static int use_fn(struct db_conn *conn, void *arg, struct err *e)
{
    struct use *u = arg;
    struct reply r = {0};
    struct effect_plan p;
    struct dossier d = {.catalogue = u->w->c.catalogue, .item = catalogue_item(u->w->c.catalogue, u->item), .entries = u->entries};
    snprintf(d.f.no, sizeof d.f.no, "%s", u->no);
    snprintf(d.f.unit, sizeof d.f.unit, "%s", u->unit);
    if (unit_get(conn, u->unit, &d.unit, e) < 0)
        return -1;
    int rc;
    if (u->reverse) {
        rc = reversal_rows(&u->w->c, conn, u->no, &u->w->officer, u->w->now, &r, e);
    } else {
        assert_non_null(d.item);
        rc = registry_plan(&p, &u->w->c, conn, &d, u->stage, u->w->now, e);
        snprintf(u->warned, sizeof u->warned, "%s", rc == 0 && json_array_size(p.warnings) ? json_string_value(json_array_get(p.warnings, 0)) : "");
        u->words = rc == 0 ? effect_in_words(&p, u->w->c.catalogue) : NULL;
        effect_plan_clear(&p);
        rc = rc < 0 || u->only_planned ? rc : registry_apply(&u->w->c, conn, &d, &u->w->officer, u->stage, u->w->now, u->result, sizeof u->result, &r, e);
    }
    snprintf(u->zh, sizeof u->zh, "%s", r.zh);
    reply_clear(&r);
    return rc;
}

static unsigned cases;
static const char *new_case(void)
{
    static char no[17];
    snprintf(no, sizeof no, "34%014u", ++cases);
    return no;
}

/* want: NULL accepted; else part of the sentence that refuses. say: part of the result, "" = any. */
static void use(struct world *w, const char *no, const char *item, const char *unit, const char *stage, const char *entries, const char *want, const char *say)
{
    struct use u = {.w = w, .item = item, .no = no, .unit = unit, .stage = stage, .entries = read_entries(entries)};
    struct err e = {0};
    int rc = db_write(w->c.db, use_fn, &u, &e);
    if (want == NULL && rc < 0)
        fail_msg("%s %s: %s: %s (%s)\n%s", item, stage, err_word(e.code), e.msg, u.zh, entries);
    if (want && (rc == 0 || e.code != ERR_CONFLICT || !strstr(u.zh, want)))
        fail_msg("%s %s: want \"%s\", have %s \"%s\" (%s)\n%s", item, stage, want, rc ? "refused" : "accepted", u.zh, e.msg, entries);
    if (want == NULL && !strstr(u.result, say))
        fail_msg("%s: want \"%s\", have \"%s\"", item, say, u.result);
    json_decref(u.words);
    json_decref(u.entries);
}
#define ACCEPT(item, entries, say) use(w, new_case(), item, STATION, "finish", entries, NULL, say)
#define REFUSE(item, entries, want) use(w, new_case(), item, STATION, "finish", entries, want, "")

static void warns(struct world *w, const char *item, const char *entries, const char *want)
{
    struct use u = {.w = w, .item = item, .no = new_case(), .unit = STATION, .stage = "finish", .only_planned = true, .entries = read_entries(entries)};
    struct err e = {0};
    db_write(w->c.db, use_fn, &u, &e);
    if (!strstr(u.warned, want))
        fail_msg("%s: want the warning \"%s\", have \"%s\"", item, want, u.warned);
    json_decref(u.words);
    json_decref(u.entries);
}

static void back(struct world *w, const char *no, const char *want)
{
    struct use u = {.w = w, .item = "HJ001", .no = no, .unit = STATION, .reverse = true};
    struct err e = {0};
    int rc = db_write(w->c.db, use_fn, &u, &e);
    if ((want == NULL) != (rc == 0) || (want && !strstr(u.zh, want)))
        fail_msg("reversal of %s: want \"%s\", have \"%s\" (%s)", no, want ? want : "good", u.zh, e.msg);
}

/* Column of a person: "$cast.path" or a number. */
static void is(struct world *w, const char *who, const char *column, const char *value)
{
    json_t *p = registered(w, resolved(who));
    if (p == NULL || strcmp(text_of(p, column), resolved(value)) != 0)
        fail_msg("%s %s: want %s, have %s", who, column, value, p ? text_of(p, column) : "nobody");
    json_decref(p);
}

struct home { struct world *w; const char *household, *person; json_t *row, *papers; };
static int home_fn(struct db_conn *conn, void *arg, struct err *e)
{
    struct home *h = arg;
    struct register_store s = {conn, h->w->c.vault};
    return register_household(&s, h->household, &h->row, e) < 0 ? -1 : paper_of(&s, h->household, h->person, &h->papers, e);
}

static void household_is(struct world *w, const char *who, const char *column, const char *value)
{
    json_t *p = registered(w, resolved(who));
    struct home h = {w, text_of(p, "household_id"), "", NULL, NULL};
    struct err e = {0};
    must(db_read(w->c.db, home_fn, &h, &e), &e);
    if (strcmp(text_of(h.row, column), value) != 0)
        fail_msg("household of %s: %s: want %s, have %s", who, column, value, text_of(h.row, column));
    json_decref(p);
    json_decref(h.row);
    json_decref(h.papers);
}

/* How many papers of a kind and state he or his household has. */
static void papers(struct world *w, const char *who, const char *kind, const char *status, size_t want)
{
    json_t *p = registered(w, resolved(who)), *v;
    struct home h = {w, text_of(p, "household_id"), text_of(p, "person_id"), NULL, NULL};
    struct err e = {0};
    size_t i, n = 0;
    must(db_read(w->c.db, home_fn, &h, &e), &e);
    json_array_foreach(h.papers, i, v)
        n += strcmp(text_of(v, "kind"), kind) == 0 && strcmp(text_of(v, "status"), status) == 0;
    if (n != want)
        fail_msg("%s: want %zu %s %s, have %zu", who, want, status, kind, n);
    json_decref(p);
    json_decref(h.row);
    json_decref(h.papers);
}

#define SUBJECT(path) "'subject_name':'$name:" path "','subject_id_no':'$" path "','subject_region':'340799'"
#define PERSON(path) "'person_name':'$name:" path "','person_id_no':'$" path "','person_birth_date':'$birth_date:" path "','person_gender':'$gender:" path "','person_ethnicity':'01'"
#define TARGET(path, relation) "'target_kind':'10','target_address':'$" path ".address','target_head_id_no':'$" path ".head','target_relation':'" relation "'"
#define NEW_HOME "'target_kind':'10','target_relation':'02','target_address':'340799 江州市江州区长江路900号1栋101室'"

/* --- 14 kinds of business --- */
/* POP-42 POP-44 POP-58 POP-59: who had no household gets one, or comes into one; twice the same child is refused. */
static void test_new_people(void **state)
{
    struct world *w = *state;
#define CHILD "'person_name':'小石','person_gender':'2','person_ethnicity':'01','person_birth_date':'2024-03-05'"
    const char *adopt = CHILD ",'adoption_basis':'certificate','adopter1_name':'$name:family.head','adopter1_id_no':'$family.head',"
                              "'adopter2_name':'$name:family.spouse','adopter2_id_no':'$family.spouse'," TARGET("family", "37");
    ACCEPT("HJ016", adopt, "340799202403050023");
    is(w, "340799202403050023", "father_id_no", "$family.head");
    is(w, "340799202403050023", "mother_id_no", "$family.spouse");
    is(w, "340799202403050023", "relation_to_head", "37");
    REFUSE("HJ016", adopt, "请核对是否重复登记");
    REFUSE("HJ016", CHILD ",'adoption_basis':'certificate','target_kind':'10','target_address':'340799 江州市路1号','target_relation':'27'", "没有找到要落的户");
    ACCEPT("HJ017", "'person_name':'院一','person_gender':'1','person_birth_date':'2025-01-09','done_ethnicity':'01','adoption_basis':'institution',"
                    "'target_kind':'20','target_address':'340799 江州市路1号','target_relation':'99','done_book_no':'$collective.public.book_no'", "");
    is(w, "340799202501090010", "ethnicity", "01");

#define COMER "'person_name':'林港生','person_gender':'1','person_ethnicity':'01','person_birth_date':'1980-02-03','identity_kind':'hk_macao'"
    ACCEPT("HJ018", COMER ",'settle_mode':'own'," NEW_HOME, "340799198002030014");
    is(w, "340799198002030014", "relation_to_head", "02");
    household_is(w, "340799198002030014", "address", "江州市江州区长江路900号1栋101室");
    REFUSE("HJ019", COMER ",'settle_mode':'kin','kin_relation':'20'," TARGET("collective_land", "20"), "只限国有土地");      /* POP-63 */
    ACCEPT("HJ019", COMER ",'settle_mode':'kin','kin_relation':'12'," TARGET("collective_land", "12"), "已登记常住户口");    /* 投靠配偶的除外 */
    REFUSE("HJ019", COMER ",'settle_mode':'kin','kin_relation':'20'," TARGET("frozen", "20"), "已经冻结");
    REFUSE("HJ022", COMER ",'settle_mode':'own','target_kind':'10','target_relation':'02','target_address':'$frozen.address'", "已经冻结，不能立户");
    ACCEPT("HJ020", COMER ",'settle_mode':'collective','employer':'$collective.unit.name','target_kind':'20','target_address':'340799 江州市路1号','target_relation':'99'", "");
    REFUSE("HJ018", COMER ",'settle_mode':'own','done_id_no':'$family.head'," NEW_HOME, "有正常的户口");

#define LOST "'person_name':'无名','person_gender':'1','person_ethnicity':'01','person_birth_date':'1975-05-05','category':'vagrant'"
    ACCEPT("HJ089", LOST ",'institution_name':'$collective.public.name','target_kind':'20','target_address':'340799 江州市路1号','target_relation':'99'", "已登记常住户口");
    ACCEPT("HJ092", PERSON("supplement_death.subject") ",'category':'death_revoked'," TARGET("supplement_death", "20"), "已登记常住户口");
    is(w, "$supplement_death.subject", "status", "normal");
    is(w, "$supplement_death.subject", "cancel_kind", "");
    REFUSE("HJ092", PERSON("restoration_prison.subject") ",'category':'death_revoked'," TARGET("supplement_death", "20"), "不是因为死亡注销的");
    REFUSE("HJ091", PERSON("family.son") ",'category':'foster'," TARGET("family", "20"), "有正常的户口，不用补录");
}

#define RESTORE \
    "'person_name':'$name:restoration_%s.subject','person_id_no':'$restoration_%s.subject','person_birth_date':'$birth_date:restoration_%s.subject'," \
    "'person_gender':'1','person_ethnicity':'01','cancel_reason':'%s','former_address':'340799 江州市路1号','target_kind':'10'," \
    "'target_address':'$restoration_%s.address','target_head_id_no':'$restoration_%s.head','target_relation':'20'"
/* POP-43: each reason of cancellation has its way back, and no other. */
static void test_restorations(void **state)
{
    struct world *w = *state;
    static const struct { const char *who, *item, *reason; } t[] = {
        {"short_exit", "HJ076", "short_exit"}, {"missing", "HJ078", "declared_missing"}, {"long_absent", "HJ079", "long_absent"},
        {"marriage_away", "HJ080", "marriage_away"}, {"prison", "HJ077", "prison_released"}, {"nationality", "HJ082", "nationality_lost"},
        {"permit_expired", "HJ081", "permit_expired"},
    };
    for (size_t i = 0; i < sizeof t / sizeof t[0]; i++) {
        char text[1500], who[80];
        snprintf(text, sizeof text, RESTORE, t[i].who, t[i].who, t[i].who, "army_returned", t[i].who, t[i].who);
        REFUSE("HJ075", text, "不是因为应征入伍注销的");
        snprintf(text, sizeof text, RESTORE, t[i].who, t[i].who, t[i].who, t[i].reason, t[i].who, t[i].who);
        ACCEPT(t[i].item, text, "已恢复");
        snprintf(who, sizeof who, "$restoration_%s.subject", t[i].who);
        is(w, who, "status", "normal");
        is(w, who, "cancel_reason", "");
        is(w, who, "move_out_region", "");
        REFUSE(t[i].item, text, "请核对注销原因");
    }
#define SOLDIER "'person_name':'$name:restoration_army.subject','person_id_no':'$restoration_army.subject','person_birth_date':'$birth_date:restoration_army.subject'," \
    "'person_gender':'1','person_ethnicity':'01','discharge_date':'2026-09-01'"
    REFUSE("HJ073", SOLDIER ",'discharge_kind':'transferred','settle_mode':'kin'," TARGET("collective_land", "20"), "只限国有土地");
    REFUSE("HJ070", "'person_name':'别人','person_id_no':'$restoration_army.subject','discharge_kind':'discharged','settle_mode':'original','target_relation':'20','target_kind':'10'", "姓名和户籍登记不同");
    const char *no = new_case();
    char kept[17];
    snprintf(kept, sizeof kept, "%s", no);
    use(w, kept, "HJ072", STATION, "finish", SOLDIER ",'discharge_kind':'retired','settle_mode':'own'," NEW_HOME, NULL, "已恢复");
    is(w, "$restoration_army.subject", "military_status", "1");
    is(w, "$restoration_army.subject", "relation_to_head", "02");
    back(w, kept, NULL);
    is(w, "$restoration_army.subject", "status", "cancelled");
    ACCEPT("HJ070", SOLDIER ",'discharge_kind':'discharged','settle_mode':'original','target_kind':'10','target_address':'340799 江州市路1号','target_relation':'20'", "已恢复");
}

/* POP-45 POP-46 POP-47 POP-29: corrections; a number that encodes what was wrong is drawn anew and never given again. */
static void test_corrections(void **state)
{
    struct world *w = *state;
    ACCEPT("HJ031", SUBJECT("former_name.subject") ",'former_name':'石头'", "登记为 石头");
    REFUSE("HJ031", SUBJECT("former_name.subject") ",'former_name':'石头'", "已经登记过了");
    ACCEPT("HJ031", SUBJECT("former_name.subject") ",'former_name':'石'", "登记为 石头、石");
    REFUSE("HJ032", SUBJECT("sex_change.subject") ",'gender_before':'2','gender_after':'1'", "登记性别和户籍登记不同");
    REFUSE("HJ032", SUBJECT("sex_change.subject") ",'gender_before':'1','gender_after':'1'", "已经是要改成的性别");
    char kept[17], region_birth[19];
    snprintf(kept, sizeof kept, "%s", new_case());
    use(w, kept, "HJ033", STATION, "finish", SUBJECT("sex_change.subject") ",'gender_before':'1','gender_after':'2'", NULL, "停用");
    json_t *old = registered(w, resolved("$sex_change.subject"));
    assert_null(old);
    snprintf(region_birth, sizeof region_birth, "%.14s", resolved("$sex_change.subject"));
    REFUSE("HJ018", COMER ",'settle_mode':'own','done_id_no':'$sex_change.subject'," NEW_HOME, "已经停用");
    back(w, kept, NULL);
    is(w, "$sex_change.subject", "gender", "1");
    ACCEPT("HJ036", SUBJECT("birthdate_change.subject") ",'birth_date_before':'$birth_date:birthdate_change.subject','birth_date_after':'1986-02-17'", "340799198602170029");
    is(w, "340799198602170029", "birth_date", "1986-02-17");
    REFUSE("HJ036", SUBJECT("name_change.subject") ",'birth_date_before':'1999-02-11','birth_date_after':'1986-02-17'", "登记出生日期和户籍登记不同");
    ACCEPT("HJ034", SUBJECT("ethnicity_change.subject") ",'ethnicity_before':'01','ethnicity_after':'03','parent_id_no':'$ethnicity_change.parent'", "民族");
    is(w, "$ethnicity_change.subject", "ethnicity", "03");
    REFUSE("HJ034", SUBJECT("family.daughter") ",'ethnicity_before':'01','ethnicity_after':'05','parent_id_no':'$family.head'", "不是要改成的民族");
    ACCEPT("HJ043", SUBJECT("family.son") ",'change_item':'household_kind','household_kind_after':'11'", "");
    household_is(w, "$family.son", "kind", "11");
    ACCEPT("HX012", SUBJECT("family.son") ",'item_name':'籍贯','done_item':'native_region','done_native_region':'340104'", "");
    is(w, "$family.son", "native_region", "340104");
    REFUSE("HX012", SUBJECT("family.son") ",'item_name':'籍贯','done_item':'native_region','done_native_region':'340104'", "没有改动");
    /* a new name stands at the relatives too */
    ACCEPT("HJ025", SUBJECT("family.head") ",'new_name':'新户主名'", "");
    is(w, "$family.son", "father_name", "新户主名");
    is(w, "$family.spouse", "spouse_name", "新户主名");
}

/* POP-46 POP-48 POP-49 POP-23 POP-60: heads change, households split and are set up. */
static void test_households(void **state)
{
    struct world *w = *state;
#define CHANGE_HEAD SUBJECT("family.spouse") ",'old_head_name':'$name:family.head','old_head_id_no':'$family.head','new_head_name':'$name:family.spouse','new_head_id_no':'$family.spouse','reason':'assigned'"
    REFUSE("HJ042", CHANGE_HEAD ",'members':[{'name':'x','id_no':'$host.head','relation_after':'20'}]", "不是这户的成员");
    ACCEPT("HJ042", CHANGE_HEAD ",'members':[{'name':'x','id_no':'$family.son','relation_after':'21'}]", "户主已变更");
    is(w, "$family.spouse", "relation_to_head", "02");
    is(w, "$family.head", "relation_to_head", "11");
    is(w, "$family.son", "relation_to_head", "21");
    REFUSE("HJ042", CHANGE_HEAD, "不是这户的户主");
    REFUSE("HJ044", SUBJECT("family.spouse") ",'split_kind':'property','new_address':'340799 江州市江州区长江路901号1栋101室','new_head_name':'$name:family.spouse','new_head_id_no':'$family.spouse'",
           "还有 3 名家庭成员在户内：请在办结信息里填写原户的新户主，或先办理户主变更");
    REFUSE("HJ044", SUBJECT("family.son") ",'split_kind':'property','new_address':'$collective_land.address','new_head_name':'$name:family.son','new_head_id_no':'$family.son'", "只限国有土地");
    warns(w, "HJ044", SUBJECT("family.son") ",'split_kind':'property','new_address':'340799 江州市江州区长江路901号1栋101室','new_head_name':'$name:family.son','new_head_id_no':'$family.son'", "土地性质");
    ACCEPT("HJ044", SUBJECT("family.son") ",'split_kind':'property','new_address':'340799 江州市江州区长江路901号1栋101室','new_head_name':'$name:family.son','new_head_id_no':'$family.son',"
                    "'members':[{'name':'x','id_no':'$family.daughter','relation_after':'77'}]", "新户户号");
    household_is(w, "$family.daughter", "address", "江州市江州区长江路901号1栋101室");
    household_is(w, "$family.son", "land_kind", "state");
    is(w, "$family.daughter", "relation_to_head", "77");
    ACCEPT("HJ108", "'address':'340799 江州市江州区长江路902号1栋101室','head_name':'$name:establish_family.subject','head_id_no':'$establish_family.subject'", "签发居民户口簿");
    papers(w, "$establish_family.subject", "booklet", "valid", 1);
    REFUSE("HJ108", "'address':'340799 江州市江州区长江路903号','head_name':'某','head_id_no':'11010119900307803X'", "请先办理迁入");
    static const char *const kinds[] = {"unit", "student", "talent", "temple", "public"};
    for (size_t i = 0; i < 5; i++) {
        char text[300], item[8];
        snprintf(item, sizeof item, "HJ%zu", 109 + i);
        snprintf(text, sizeof text, "'kind':'%s','unit_name':'新集体%zu','address':'340799 江州市江州区长江路95%zu号'", kinds[i], i, i);
        ACCEPT(item, text, "已立集体户");
        REFUSE(item, text, "已经立过");
    }
}

/* POP-56 POP-57: cancellations; a head with others left, and a second time, refused. */
static void test_cancellations(void **state)
{
    struct world *w = *state;
    REFUSE("HJ084", SUBJECT("family.head") ",'enlist_date':'2026-09-10','proof_kind':'notice'", "户内还有 3 名家庭成员");
    ACCEPT("HJ084", SUBJECT("family.head") ",'enlist_date':'2026-09-10','proof_kind':'notice','done_new_head_id_no':'$family.spouse'", "退役后");
    is(w, "$family.head", "cancel_kind", "enlistment");
    is(w, "$family.spouse", "relation_to_head", "02");
    ACCEPT("HJ084", SUBJECT("enlistment.subject") ",'enlist_date':'2026-09-10','proof_kind':'notice'", "");
    household_is(w, "$enlistment.subject", "status", "cancelled");      /* nobody is left: the household ends by itself */
    REFUSE("HJ084", SUBJECT("enlistment.subject") ",'enlist_date':'2026-09-10','proof_kind':'notice'", "已经注销");
    static const char *const to[] = {"hk_macao", "taiwan", "abroad", "nationality"};
    for (size_t i = 0; i < 4; i++) {
        char text[400], no[17];
        snprintf(no, sizeof no, "%s", new_case());
        snprintf(text, sizeof text, SUBJECT("emigration.subject") ",'destination':'%s','destination_country':'HKG'", to[i]);
        use(w, no, "HJ087", STATION, "finish", text, NULL, "已注销");
        is(w, "$emigration.subject", "cancel_kind", to[i]);
        back(w, no, NULL);
        is(w, "$emigration.subject", "status", "normal");
    }
    REFUSE("HX028", "'keep_id_no':'$name_change.subject','remove_id_no':'$name_change.subject','remove_name':'$name:name_change.subject'", "同一个号码");
    ACCEPT("HX028", "'keep_id_no':'$certificate.subject','remove_id_no':'$name_change.subject','remove_name':'$name:name_change.subject','cause':'错登'", "已删除");
    is(w, "$name_change.subject", "cancel_kind", "duplicate");
}

#define KIN(who, target) SUBJECT(who) ",'kin_kind':'parent_to_child','host_id_no':'$" target ".head','host_name':'$name:" target ".head','land_kind':'state'," TARGET(target, "51")
/* POP-50 POP-52 WFL-15: one-stop inside the province: electronic permit and lock, consent, arrival; meanwhile nobody else touches him. */
static void test_one_stop(void **state)
{
    struct world *w = *state;
    char no[17], other[17];
    snprintf(no, sizeof no, "%s", new_case());
    const char *move = KIN("move_in_kin.subject", "host");
    REFUSE("HJ049", KIN("move_in_kin.subject", "collective_land"), "只限国有土地");
    REFUSE("HJ049", KIN("move_in_kin.subject", "frozen"), "已经冻结");
    use(w, new_case(), "HJ049", OTHER_STATION, "permit", move, "不在受理派出所辖区", "");
    use(w, no, "HJ049", STATION, "permit", move, NULL, "");
    papers(w, "$move_in_kin.subject", "e_permit", "valid", 1);
    is(w, "$move_in_kin.subject", "lock_case", no);
    snprintf(other, sizeof other, "%s", new_case());
    use(w, other, "HJ083", "340798520000", "finish", SUBJECT("move_in_kin.subject") ",'death_date':'2026-11-01','death_kind':'normal'", "正在办理户口迁移", "");
    use(w, other, "HJ049", STATION, "permit", move, "正在办理另一件户口迁移", "");
    use(w, no, "HJ049", STATION, "move_out", move, NULL, "");
    is(w, "$move_in_kin.subject", "move_out_region", "340799");
    is(w, "$move_in_kin.subject", "lock_case", no);
    use(w, no, "HJ049", STATION, "move_in", move, NULL, "已迁入");
    is(w, "$move_in_kin.subject", "lock_case", "");
    is(w, "$move_in_kin.subject", "move_out_region", "");
    is(w, "$move_in_kin.subject", "relation_to_head", "51");
    household_is(w, "$move_in_kin.subject", "head_name", resolved("$name:host.head"));
    papers(w, "$move_in_kin.subject", "e_permit", "used", 1);
    back(w, no, NULL);                                                  /* all three stages go back */
    is(w, "$move_in_kin.subject", "lock_case", "");
    household_is(w, "$move_in_kin.subject", "status", "normal");
    papers(w, "$move_in_kin.subject", "e_permit", "cancelled", 1);
}

#define FAR "'subject_name':'陆远来','subject_id_no':'320102199003078019','subject_region':'320102'"
#define FAR_KIN FAR ",'kin_kind':'spouse','host_id_no':'$host.spouse','host_name':'$name:host.spouse','land_kind':'state'," TARGET("host", "97")
/* POP-51 POP-53 POP-30: from another province: permit of 40 days, then the migration certificate and the person as it says. */
static void test_from_outside(void **state)
{
    struct world *w = *state;
    char no[17];
    snprintf(no, sizeof no, "%s", new_case());
    REFUSE("HJ046", FAR_KIN ",'done_certificate_no':'苏001','done_ethnicity':'01'", "没有有效的准迁证");
    use(w, no, "HJ046", STATION, "permit", FAR_KIN, NULL, "");
    w->now += 41 * 86400000LL;
    use(w, no, "HJ046", STATION, "finish", FAR_KIN ",'done_certificate_no':'苏001','done_ethnicity':'01'", "已经过期", "");
    w->now -= 41 * 86400000LL;
    use(w, no, "HJ046", STATION, "finish", FAR_KIN ",'done_certificate_no':'苏001','done_ethnicity':'03','movers':[{'name':'陆小','id_no':'320102201503078015','relation':'20'}]", NULL, "已迁入");
    is(w, "320102199003078019", "birth_date", "1990-03-07");
    is(w, "320102199003078019", "gender", "1");
    is(w, "320102199003078019", "ethnicity", "03");
    is(w, "320102199003078019", "move_in_region", "320102");
    is(w, "320102201503078015", "relation_to_head", "20");
    papers(w, "320102199003078019", "migration_certificate", "valid", 1);
    REFUSE("HJ055", "'subject_name':'学生','subject_id_no':'320102200703078015','subject_region':'320102','student_kind':'enrol','migration_permit_no':'苏001',"
                    "'done_ethnicity':'01','school':'$collective.student.name','target_kind':'20','target_address':'340799 江州市路1号','target_relation':'99'", "已经用过");
    ACCEPT("HJ055", "'subject_name':'学生','subject_id_no':'320102200703078015','subject_region':'320102','student_kind':'enrol','migration_permit_no':'苏002',"
                    "'done_ethnicity':'01','school':'$collective.student.name','target_kind':'20','target_address':'340799 江州市路1号','target_relation':'99'", "已迁入");
    household_is(w, "320102200703078015", "collective_kind", "student");
    ACCEPT("HJ062", SUBJECT("move_in_work.subject") ",'work_kind':'skilled','settle_mode':'unit','employer':'$collective.unit.name','target_kind':'20','target_address':'340799 江州市路1号','target_relation':'99'", "已迁入");
    ACCEPT("HJ069", SUBJECT("student_move_in.subject") ",'case_kind':'refuse_move','target_kind':'10','target_relation':'97','target_address':'$host.address','target_head_id_no':'$host.head'", "已迁入");
    REFUSE("HJ046", SUBJECT("supplement_death.subject") ",'kin_kind':'spouse','host_id_no':'$host.spouse','host_name':'$name:host.spouse','land_kind':'state'," TARGET("host", "97"), "已经登记死亡");
    REFUSE("HJ046", SUBJECT("host.spouse") ",'kin_kind':'spouse','host_id_no':'$host.head','host_name':'$name:host.head','land_kind':'state'," TARGET("host", "97"), "已经在这一户里");
}

/* POP-50 POP-55 POP-24: a whole household into a house of its own; the old household ends; back again it stands. */
static void test_whole_household(void **state)
{
    struct world *w = *state;
    char no[17];
    snprintf(no, sizeof no, "%s", new_case());
    use(w, no, "HJ050", STATION, "finish", SUBJECT("family.head") ",'whole_household':true,'house_kind':'owned','land_kind':'state'," NEW_HOME, NULL, "已迁入");
    household_is(w, "$family.daughter", "address", "江州市江州区长江路900号1栋101室");
    household_is(w, "$family.daughter", "land_kind", "state");
    is(w, "$family.head", "relation_to_head", "02");
    REFUSE("HJ043", SUBJECT("family.son") ",'change_item':'relation','relation_after':'02'", "户内已经有户主");
    back(w, no, NULL);
    is(w, "$family.son", "relation_to_head", "20");
    household_is(w, "$family.son", "status", "normal");
    REFUSE("HJ050", SUBJECT("move_in_house.subject") ",'house_kind':'owned','land_kind':'state','target_kind':'10','target_relation':'02','target_address':'$collective_land.address'", "只限国有土地");
    ACCEPT("HJ050", SUBJECT("move_in_house.subject") ",'house_kind':'owned','land_kind':'state','target_kind':'10','target_relation':'02','target_address':'$move_in_house.new_address'", "已迁入");
}

/* POP-54 POP-30: moving out with a certificate each; head only with the next one. */
static void test_moving_out(void **state)
{
    struct world *w = *state;
#define OUT SUBJECT("family.head") ",'permit_no':'沪准1','permit_by':'上海','to_region':'310101','to_address':'310101 上海市路1号','reason':'工作调动'"
    char no[17];
    REFUSE("HX024", OUT ",'move_kind':'member'", "要按户主迁移办，先定好新户主");
    REFUSE("HX025", OUT ",'move_kind':'head','new_head_name':'x','new_head_id_no':'$family.spouse'", "新户主的姓名和户籍登记不同");
    snprintf(no, sizeof no, "%s", new_case());
    use(w, no, "HX023", STATION, "finish", OUT ",'move_kind':'whole'", NULL, "签发户口迁移证");
    household_is(w, "$family.head", "status", "cancelled");
    is(w, "$family.daughter", "cancel_kind", "moved_out");
    is(w, "$family.daughter", "move_out_region", "310101");
    papers(w, "$family.daughter", "migration_certificate", "valid", 1);
    back(w, no, NULL);
    ACCEPT("HX025", OUT ",'move_kind':'head','new_head_name':'$name:family.spouse','new_head_id_no':'$family.spouse'", "");
    is(w, "$family.spouse", "relation_to_head", "02");
    ACCEPT("HJ054", SUBJECT("student_move_out.subject") ",'student_kind':'enrol','to_region':'320100','to_address':'320102 南京市路1号'", "40 天内有效");
    REFUSE("HJ054", SUBJECT("student_move_out.subject") ",'student_kind':'enrol','to_region':'320100','to_address':'320102 南京市路1号'", "已经注销");
}

/* POP-46 CWD-04: what the old head is to the new one follows from what that one was to him (GB/T 4761), and back again. */
static void test_relations_turn(void **state)
{
    struct world *w = *state;
    static const struct { const char *wife, *husband, *again; } t[] = {
        {"30", "51", "30"}, {"12", "11", "12"}, {"44", "63", "44"}, {"42", "61", "42"}, {"54", "97", "97"}, {"56", "28", "56"}, {"58", "27", "58"},
        {"38", "53", "38"}, {"37", "57", "37"}, {"45", "65", "45"}, {"48", "69", "49"}, {"64", "43", "64"}, {"75", "73", "75"}, {"77", "71", "77"},
        {"74", "79", "79"}, {"94", "97", "97"}, {"99", "99", "99"},
    };
    char text[800];
    for (size_t i = 0; i < sizeof t / sizeof t[0]; i++) {
        snprintf(text, sizeof text, SUBJECT("family.spouse") ",'change_item':'relation','relation_after':'%s'", t[i].wife);
        ACCEPT("HJ043", text, "");
        ACCEPT("HJ042", "'old_head_name':'$name:family.head','old_head_id_no':'$family.head','new_head_name':'$name:family.spouse','new_head_id_no':'$family.spouse','reason':'assigned'", "");
        is(w, "$family.head", "relation_to_head", t[i].husband);
        ACCEPT("HJ042", "'old_head_name':'$name:family.spouse','old_head_id_no':'$family.spouse','new_head_name':'$name:family.head','new_head_id_no':'$family.head','reason':'assigned'", "");
        is(w, "$family.spouse", "relation_to_head", t[i].again);
        if (strcmp(t[i].wife, t[i].again) != 0 || strcmp(t[i].wife, "99") == 0)
            continue;
        snprintf(text, sizeof text, SUBJECT("family.spouse") ",'change_item':'relation','relation_after':'97'");
        ACCEPT("HJ043", text, "");
    }
}

/* POP-23 POP-46: nobody has to be named in a collective household; the longest member follows by itself. */
static void test_head_of_collective(void **state)
{
    struct world *w = *state;
    ACCEPT("HJ054", SUBJECT("collective.student.head") ",'student_kind':'enrol','to_region':'310100','to_address':'310101 上海市路1号'", "40 天内有效");
    json_t *member = registered(w, cast_of("collective.student.member"));
    struct home h = {w, text_of(member, "household_id"), "", NULL, NULL};
    struct err e = {0};
    must(db_read(w->c.db, home_fn, &h, &e), &e);
    assert_string_not_equal(text_of(h.row, "head_person_id"), "");
    assert_string_not_equal(text_of(h.row, "head_person_id"), column_of(cast_of("collective.student.head"), "person_id"));
    json_decref(h.row);
    json_decref(h.papers);
    json_decref(member);
    ACCEPT("HJ083", SUBJECT("collective.unit.head") ",'death_date':'2026-11-01','death_kind':'normal'", "");
    REFUSE("HJ083", SUBJECT("family.head") ",'death_date':'2026-11-01','death_kind':'normal'", "逝者是户主");
}

/* POP-48: each station counts its own books: what another station (or a book with letters) has used up does not matter here. */
struct books { struct world *w; char first[40], full[40], letters[40], other[40]; };
static int books_fn(struct db_conn *conn, void *arg, struct err *e)
{
    struct books *b = arg;
    struct register_store s = {conn, b->w->c.vault};
    if (register_next_book(&s, STATION, 0, b->first, e) < 0 ||
        db_exec(conn, "UPDATE household SET book_no = '34079853999999' WHERE id = (SELECT min(id) FROM household)", e) < 0 ||
        register_next_book(&s, STATION, 0, b->full, e) < 0 || register_next_book(&s, "340798540000", 0, b->other, e) < 0 ||
        db_exec(conn, "UPDATE household SET book_no = '34079951AB9999' WHERE id = (SELECT min(id) FROM household)", e) < 0)
        return -1;
    return register_next_book(&s, STATION, 0, b->letters, e);
}

static void test_book_numbers(void **state)
{
    struct books b = {.w = *state};
    struct err e = {0};
    must(db_write(b.w->c.db, books_fn, &b, &e), &e);
    assert_memory_equal(b.first, "34079951", 8);
    assert_string_equal(b.full, b.first);
    assert_string_equal(b.letters, b.first);
    assert_string_equal(b.other, "34079854000001");
}

/* CRT-01 POP-65 POP-30: papers issued again, the old ones void. */
static void test_papers(void **state)
{
    struct world *w = *state;
#define BOOK SUBJECT("family.spouse") ",'head_name':'$name:family.head','head_id_no':'$family.head'"
    ACCEPT("HJ095", BOOK ",'reason':'lost'", "已签发居民户口簿");
    papers(w, "$family.head", "booklet", "lost", 1);
    papers(w, "$family.head", "booklet", "valid", 1);
    ACCEPT("HJ098", BOOK ",'reason':'dispute'", "");
    papers(w, "$family.spouse", "dispute_booklet", "valid", 1);
    papers(w, "$family.head", "booklet", "valid", 1);
    REFUSE("HJ097", SUBJECT("family.spouse") ",'reason':'damaged','head_name':'$name:family.son','head_id_no':'$family.son'", "不是这户的户主");
    ACCEPT("HJ101", SUBJECT("migration_permit.subject") ",'reason':'expired','to_region':'320100','old_no':'$migration_permit.old_no'", "40 天内有效");
    papers(w, "$migration_permit.subject", "migration_certificate", "expired", 1);
    REFUSE("HJ099", SUBJECT("family.son") ",'reason':'lost','to_region':'320100'", "没有迁出");
    warns(w, "HJ102", FAR ",'reason':'lost','old_no':'12345'", "没有查到这个编号");
    ACCEPT("HJ102", FAR ",'reason':'lost','old_no':'$permit_to_move.old_no'", "已签发准予迁入证明");
    ACCEPT("HJ106", SUBJECT("restoration_prison.subject") ",'certificate_kind':'cancellation','purpose':'办理低保'", "注销户口证明");
    REFUSE("HJ106", SUBJECT("certificate.subject") ",'certificate_kind':'cancellation','purpose':'办理低保'", "没有注销");
    REFUSE("HX036", SUBJECT("certificate.subject") ",'certificate_kind':'no_registration','purpose':'办理低保'", "有记录");
    ACCEPT("HX036", FAR ",'certificate_kind':'no_registration','purpose':'办理低保'", "");
}

/* POP-61 POP-33: what a later case touched, and a household that would have no head, are refused in words. */
static void test_reversal_refused(void **state)
{
    struct world *w = *state;
    char first[17], second[17];
    snprintf(first, sizeof first, "%s", new_case());
    use(w, first, "HJ025", STATION, "finish", SUBJECT("name_change.subject") ",'new_name':'蒋一'", NULL, "");
    snprintf(second, sizeof second, "%s", new_case());
    use(w, second, "HJ031", STATION, "finish", "'subject_name':'蒋一','subject_id_no':'$name_change.subject','former_name':'小名'", NULL, "");
    back(w, first, second);
    back(w, second, NULL);
    back(w, first, NULL);
    back(w, first, "已经撤销过");
    is(w, "$name_change.subject", "former_name", "");
    /* the member who left comes back to a household that ended since */
    snprintf(first, sizeof first, "%s", new_case());
    use(w, first, "HJ084", STATION, "finish", SUBJECT("birth.mother") ",'enlist_date':'2026-09-10','proof_kind':'notice'", NULL, "");
    ACCEPT("HJ083", SUBJECT("birth.father") ",'death_date':'2026-11-01','death_kind':'normal'", "");
    back(w, first, "后来已经注销");
}

/* A case that ends without being done leaves nothing behind: the permit is void, the person free (POP-32). */
static void test_given_up(void **state)
{
    struct world *w = *state;
    reflow(w, "HJ025", "flow", "move_in");
    struct app *a = open_case(w, "HJ025", RENAME, RENAME_SLOTS);
    use(w, a->no, "HJ049", STATION, "permit", KIN("move_in_kin.subject", "host"), NULL, "");
    is(w, "$move_in_kin.subject", "lock_case", a->no);
    takes(w, &w->officer, a->no, "pass", "\"unseen_ok\":true", "awaiting_originals");
    takes(w, &w->officer, a->no, "originals_ok", "\"unseen_ok\":true", "awaiting_completion");
    takes(w, &w->officer, a->no, "move_in_registration", "\"unseen_ok\":true", "awaiting_move_out");
    takes(w, &w->officer, a->no, "terminate", "\"opinion\":\"不再办理\",\"sentence\":\"您已在别处办理\",\"confirm_text\":\"终止办理\"", "terminated");
    is(w, "$move_in_kin.subject", "lock_case", "");
    papers(w, "$move_in_kin.subject", "e_permit", "cancelled", 1);
    app_free(a);
}

/* The register shows the plan in words before anything is done, persons, households and papers alike. */
static void test_words(void **state)
{
    struct world *w = *state;
    struct use u = {.w = w, .item = "HJ108", .no = new_case(), .unit = STATION, .stage = "finish",
                    .entries = read_entries("'address':'340799 江州市江州区长江路902号1栋101室','head_name':'$name:establish_family.subject','head_id_no':'$establish_family.subject'")};
    struct err e = {0};
    must(db_write(w->c.db, use_fn, &u, &e), &e);
    char *text = json_dumps(u.words, JSON_COMPACT);
    assert_non_null(strstr(text, "\"what\":\"户籍地址\",\"before\":\"\",\"after\":\"江州市江州区长江路902号1栋101室\""));
    assert_non_null(strstr(text, "\"who\":\"居民户口簿 "));
    assert_non_null(strstr(text, "\"what\":\"所在户\""));
    assert_non_null(strstr(text, "\"what\":\"户主\""));
    free(text);
    json_decref(u.words);
    json_decref(u.entries);
}

/* --- the loader --- */
/* Each mistake is refused with its place; the file without one passes. */
static void test_loader(void **state)
{
    (void)state;
#define GOOD_OP "{'op':'update_person','person':'who','set':{'name':{'field':'new_name'}}}"
#define RULE(extra, guards, ops) "{'form':'x','title':'t','names':{'who':{'by':'id_no','field':'subject_id_no'}}," extra "'guards':[" guards "],'ops':[" ops "],'result':'r'}"
    static const struct { const char *rule, *say; } t[] = {
        {RULE("", "", GOOD_OP), NULL},
        {RULE("", "", ""), "an effect of no use"},
        {RULE("'colour':1,", "", GOOD_OP), "unknown key colour"},
        {RULE("", "", "{'op':'paint_person','person':'who','set':{'name':{'const':'a'}}}"), "unknown op paint_person"},
        {RULE("", "", "{'op':'update_person','set':{'name':{'const':'a'}}}"), "want a person"},
        {RULE("", "", "{'op':'update_person','person':'whom','set':{'name':{'const':'a'}}}"), "unknown name whom"},
        {RULE("", "", "{'op':'update_person','person':'who','set':{'colour':{'const':'a'}}}"), "unknown column colour"},
        {RULE("", "", "{'op':'update_person','person':'who','set':{'name':{'guess':'a'}}}"), "source: want one of"},
        {RULE("", "", "{'op':'update_person','person':'who','set':{'name':{'const':'a','field':'b'}}}"), "source: want one of"},
        {RULE("", "", "{'op':'update_person','person':'who','set':{}}"), "changes nothing"},
        {RULE("", "", "{'op':'update_person','stage':'later','person':'who','set':{'name':{'const':'a'}}}"), "unknown stage later"},
        {RULE("", "", "{'op':'update_person','when':[{'field':'a'}],'person':'who','set':{'name':{'const':'a'}}}"), "condition: want a field"},
        {RULE("", "", "{'op':'cancel_person','person':'who','set':{'status':{'const':'cancelled'}}}"), "known cancel_kind"},
        {RULE("", "", "{'op':'cancel_person','person':'who','set':{'status':{'const':'cancelled'},'cancel_kind':{'const':'eaten'}}}"), "known cancel_kind"},
        {RULE("", "", "{'op':'move_person','person':'who','household':[{'by':'smell'}],'set':{'name':{'const':'a'}}}"), "no way to a household: smell"},
        {RULE("", "", "{'op':'issue_paper','person':'who','kind':'poster'}"), "unknown kind of paper poster"},
        {RULE("", "{'check':'is_happy','person':'who','severity':'refuse','message':'m'}", GOOD_OP), "unknown check is_happy"},
        {RULE("", "{'check':'person_found','person':'who','severity':'refuse'}", GOOD_OP), "has no message"},
        {RULE("", "{'check':'person_found','person':'who','severity':'mind','message':'m'}", GOOD_OP), "severity: want refuse or warn"},
        {RULE("", "{'check':'person_found','severity':'refuse','message':'m'}", GOOD_OP), "want a person"},
        {RULE("", "{'check':'name_matches','person':'who','severity':'refuse','message':'m'}", GOOD_OP), "wants a field"},
        {RULE("'completion':[{'id':'extra','label':'l','type':'text','required':true}],", "", GOOD_OP), "starts with done_"},
        {RULE("'completion':[{'id':'done_a','label':'l','type':'smell','required':true}],", "", GOOD_OP), "unknown type smell"},
        {RULE("'completion':[{'id':'done_a','label':'l','type':'enum','required':true}],", "", GOOD_OP), "wants values"},
        {RULE("'completion':[{'id':'done_a','label':'l','type':'text','required':true}],", "", GOOD_OP), "nothing reads done_a"},
        {"{'form':'x','title':'t','names':{'who':{'by':'id_no','field':'a'},'idle':{'by':'id_no','field':'b'}},'guards':[],'ops':[" GOOD_OP "],'result':'r'}", "nothing uses idle"},
        {"{'form':'x','title':'','guards':[],'ops':[],'result':'r'}", "want a title"},
    };
    for (size_t i = 0; i < sizeof t / sizeof t[0]; i++) {
        struct err e = {0};
        char b[2000];
        snprintf(b, sizeof b, "%s", t[i].rule);
        for (char *p = b; *p; p++)
            if (*p == '\'')
                *p = '"';
        json_t *rule = json_loads(b, 0, NULL);
        assert_non_null(rule);
        int rc = effect_rule_check(rule, "x", &e);
        if ((rc == 0) != (t[i].say == NULL) || (t[i].say && !strstr(e.msg, t[i].say)))
            fail_msg("%zu: want \"%s\", have %d \"%s\"", i, t[i].say ? t[i].say : "good", rc, e.msg);
        json_decref(rule);
    }
}

/* Every family has its file and every field a file reads is there; one that is not is named. */
static void test_fields(void **state)
{
    struct world *w = *state;
    struct err e = {0};
    must(effect_fields_check(w->c.rules->effects, w->c.catalogue, &e), &e);
    json_t *wrong = json_deep_copy(w->c.rules->effects);
    json_object_set_new(json_object_get(json_object_get(json_object_get(wrong, "death"), "names"), "subject"), "field", json_string("subjekt"));
    assert_error(effect_fields_check(wrong, w->c.catalogue, &e), &e, ERR_INPUT, "unknown field subjekt");
    json_object_del(wrong, "death");
    memset(&e, 0, sizeof e);
    assert_error(effect_fields_check(wrong, w->c.catalogue, &e), &e, ERR_INPUT, "death has no file");
    json_decref(wrong);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)
    const struct CMUnitTest tests[] = {T(test_new_people), T(test_restorations), T(test_corrections), T(test_households), T(test_cancellations), T(test_one_stop),
                                       T(test_from_outside), T(test_whole_household), T(test_moving_out), T(test_relations_turn), T(test_head_of_collective), T(test_papers), T(test_book_numbers), T(test_reversal_refused), T(test_given_up), T(test_words),
                                       cmocka_unit_test(test_loader), T(test_fields)};
    log_open("test", LOG_ERROR);
    residents = json_load_file(SOURCE_DIR "/schemas/org/demo-residents.json", 0, NULL);
    int rc = sodium_init() < 0 || residents == NULL ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
    json_decref(residents);
    return rc;
}
