/* import_judge.c - the intranet's judgement on applications in volume: records as they would lie in a sealed item, judged by the import's own code
 * with nothing behind it (no database, no ferry).
 *
 *   import_judge hash                          a line each: base64 of canonical JSON -> its hash in hex, as the identity is bound to
 *   import_judge judge SCHEMAS PROVIDER.pub    a line each: CASE base64 of the record -> {"word": "taken" | "refused" | "held", "why", "findings"} */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/catalogue.h"
#include "common/child.h"
#include "common/clock.h"
#include "common/log.h"
#include "intranet-side/service/core_parts.h"
#include "intranet-side/service/intake_record.h"

enum { LINE_CAP = 4 << 20 };

static void check(int rc, const struct err *e, const char *what)
{
    if (rc >= 0)
        return;
    fprintf(stderr, "import_judge: %s: %s\n", what, e->msg);
    exit(1);
}

static struct bytes decoded(struct buf *b, const char *text)
{
    struct err e = {0};
    buf_init(b, LINE_CAP);
    check(base64_get(b, bytes_of(text)) < 0 || b->bad ? err_set(&e, ERR_INPUT, "not base64") : 0, &e, "input");
    return buf_bytes(b);
}

static void hash_line(char *line)
{
    struct buf b;
    struct hash256 h;
    char hex[65];
    hash_of(&h, decoded(&b, line));
    hash_hex(hex, &h);
    puts(hex);
    buf_clear(&b);
}

static const char *word_of(int rc, const struct err *e)
{
    if (rc == 0)
        return "taken";
    return e->code == ERR_INPUT || e->code == ERR_CORRUPT || e->code == ERR_TOO_LARGE || e->code == ERR_CONFLICT ? "refused"
         : e->code == ERR_HELD || e->code == ERR_UNAVAILABLE                                                    ? "held"
                                                                                                                : "again";
}

static void judge_line(struct core *c, char *line)
{
    struct incoming *in = NULL;
    struct err e = {0};
    struct buf xml;
    char *space = strchr(line, ' ');
    check(space ? 0 : err_set(&e, ERR_INPUT, "want CASE RECORD"), &e, "input");
    *space = '\0';
    const int rc = incoming_application(&in, c, line, decoded(&xml, space + 1), clock_wall_ms(), &e);
    json_t *answer = json_pack("{s:s, s:s, s:o}", "word", word_of(rc, &e), "why", rc < 0 ? e.msg : "", "findings",
                               in && in->findings ? json_incref(in->findings) : json_array());
    char *text = json_dumps(answer, JSON_COMPACT);
    puts(text);
    free(text);
    json_decref(answer);
    incoming_free(in);
    buf_clear(&xml);
}

static void open_core(struct core *c, struct key_public *provider, const char *schemas, const char *key)
{
    static char xsd[600];
    struct err e = {0};
    const char *argv[] = { xsd, NULL };
    const struct child_options parser = { .path = BUILD_DIR "/libexec/parser", .argv = argv, .n = 1, .max_answer = 32 << 20, .deadline_ms = 20000, .clean_env = true };
    check(str_fmt(xsd, sizeof xsd, &e, "%s/xsd", schemas), &e, "schemas");
    struct catalogue *read = NULL;
    check(catalogue_load_dir(&read, schemas, &e), &e, "schemas");
    c->catalogue = read;
    check(keys_load_public(provider, key, &e), &e, "provider's key");
    check(child_pool_open(&c->parser, &parser, &e), &e, "parser");
    c->identity = provider;
}

int main(int argc, char **argv)
{
    struct core c = {0};
    struct key_public provider;
    struct err e = {0};
    char *line = malloc(LINE_CAP);
    const bool judging = argc == 4 && strcmp(argv[1], "judge") == 0;
    if (line == NULL || (!judging && !(argc == 2 && strcmp(argv[1], "hash") == 0))) {
        fprintf(stderr, "usage: import_judge hash | judge SCHEMAS PROVIDER.pub\n");
        return 2;
    }
    log_open("import_judge", LOG_ERROR);
    check(seal_init(&e), &e, "start");
    if (judging)
        open_core(&c, &provider, argv[2], argv[3]);
    while (fgets(line, LINE_CAP, stdin)) {
        line[strcspn(line, "\n")] = '\0';
        if (judging)
            judge_line(&c, line);
        else
            hash_line(line);
    }
    child_pool_close(c.parser);
    catalogue_unref(c.catalogue);
    free(line);
    return ferror(stdout) || fflush(stdout) ? 1 : 0;
}
