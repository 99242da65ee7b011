/* intake_record.h - records of the internet side read and judged before anything is stored: application, supplement, withdrawal.
 * Owns:    struct incoming until incoming_free.
 * Threads: no shared state; the parser child is a pool.
 * Errors:  ERR_INPUT, ERR_CORRUPT: refused for good, with the citizen's sentence in `zh` and findings; ERR_HELD: somebody must act first. */
#ifndef INTRANET_SERVICE_INTAKE_RECORD_H
#define INTRANET_SERVICE_INTAKE_RECORD_H

#include "intranet-side/service/core.h"

enum { INCOMING_MAX_PAGES = 400, INCOMING_MAX_PARTS = 2000 };
struct incoming_page { char id[33], type[24]; int material, alternative, n; int64_t size; size_t first_part, n_parts; };
struct incoming_part { char id[33], hash[65]; int64_t size; int n; };
struct incoming {
    char case_no[17], item[8], unit[13], channel[8], content[65], phone[16];
    int64_t seq, config, round, submitted;
    json_t *entries;                     /* clean */
    json_t *materials;                   /* [{no, alternative?}] with something in them */
    json_t *untypeable;                  /* [{field, pinyin, page}] */
    json_t *identity;                    /* the verified statement, without its bound hash's proof; with "signature" */
    struct incoming_page *pages;
    struct incoming_part *parts;
    size_t n_pages, n_parts;
    bool originals_due;
    struct catalogue *catalogue;         /* the version it names; a reference */
    /* of a refusal */
    char zh[256];
    json_t *findings;
};

/* Read and judge; case_no is the one the item travelled under. *out is set in every case, so that a refusal can be answered. */
int incoming_application(struct incoming **out, struct core *c, const char *case_no, struct bytes xml, int64_t now_ms, struct err *e);
/* Shape only: what was asked stands in the case, so its judgement is intake's. */
int incoming_supplement(struct incoming **out, struct core *c, const char *case_no, struct bytes xml, struct err *e);
int incoming_withdrawal(struct incoming **out, struct core *c, const char *case_no, struct bytes xml, struct err *e);
void incoming_free(struct incoming *in);
int incoming_refuse(struct incoming *in, struct err *e, enum err_code code, const char *why, const char *zh);

/* The hash of schemas/xsd/README.md over what was read. */
int incoming_content(char out[65], const struct incoming *in, struct err *e);
/* The catalogue of a version: the one in force or a released one kept in bundle_dir. ERR_HELD. */
int catalogue_for(struct catalogue **out, struct core *c, int64_t version, struct err *e);

#endif
