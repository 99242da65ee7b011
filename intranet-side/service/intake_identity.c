#include "intranet-side/service/intake_identity.h"

#include <string.h>

#include "common/clock.h"
#include "intranet-side/service/core_parts.h"

static const char again[] = "身份核验没有通过，请重新刷脸后提交";

static int refuse(struct incoming *in, struct err *e, const char *why)
{
    return incoming_refuse(in, e, ERR_INPUT, why, again);
}

static int statement_judge(struct incoming *in, const json_t *s, struct err *e)
{
    int64_t at, expires;
    struct err ignored = {0};
    if (strcmp(text_of(s, "result"), "pass") != 0)
        return refuse(in, e, "identity: the provider did not say pass");
    if (strcmp(text_of(s, "bound"), in->content) != 0)
        return refuse(in, e, "identity: bound to another content");
    if (strcmp(text_of(s, "name"), text_of(in->entries, "applicant_name")) != 0 ||
        strcmp(text_of(s, "id_no"), text_of(in->entries, "applicant_id_no")) != 0 || *text_of(s, "id_no") == '\0')
        return refuse(in, e, "identity: of another person than the applicant");
    if (clock_parse_rfc3339(&at, text_of(s, "at"), &ignored) < 0 || clock_parse_rfc3339(&expires, text_of(s, "expires"), &ignored) < 0)
        return refuse(in, e, "identity: no times");
    if (in->submitted > expires || expires <= at)
        return refuse(in, e, "identity: expired when the application was submitted");
    if (at > in->submitted + 300 * 1000)             /* clocks of two houses */
        return refuse(in, e, "identity: stated after the application was submitted");
    return 0;
}

int identity_check(struct incoming *in, const struct rec_node *root, const struct key_public *provider, struct err *e)
{
    const struct rec_node *node = rec_child(root, "identity");
    struct buf text, sig;
    int rc;
    if (provider == NULL)
        return err_set(e, ERR_HELD, "identity: no public key of the identity provider is installed");
    if (node == NULL)
        return refuse(in, e, "identity: none");
    buf_init(&text, 1 << 16);
    buf_init(&sig, 256);
    if (base64_get(&text, bytes_of(rec_child_text(node, "statement"))) < 0 || base64_get(&sig, bytes_of(rec_child_text(node, "signature"))) < 0 || sig.n != 64)
        rc = refuse(in, e, "identity: not base64 of a statement and 64 bytes of signature");
    else {
        struct err mine = {0};
        rc = sign_check(sig.p, "hz-identity-1", buf_bytes(&text), provider, &mine) < 0 ? refuse(in, e, "identity: the signature is not the provider's") : 0;
    }
    if (rc == 0 && (in->identity = json_loadb((const char *)text.p, text.n, JSON_REJECT_DUPLICATES, NULL)) == NULL)
        rc = refuse(in, e, "identity: not JSON");
    if (rc == 0)
        rc = statement_judge(in, in->identity, e);
    if (rc == 0) {                                   /* the evidence is the exact bytes */
        json_object_set_new(in->identity, "statement", json_string(rec_child_text(node, "statement")));
        json_object_set_new(in->identity, "signature", json_string(rec_child_text(node, "signature")));
    }
    buf_wipe(&text);
    buf_clear(&sig);
    return rc;
}
