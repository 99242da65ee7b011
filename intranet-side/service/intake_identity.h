/* intake_identity.h - the identity provider's signed statement: verified here against a key that the internet host does not have.
 * Owns: nothing. Threads: no shared state. */
#ifndef INTRANET_SERVICE_INTAKE_IDENTITY_H
#define INTRANET_SERVICE_INTAKE_IDENTITY_H

#include "common/record.h"
#include "intranet-side/service/intake_record.h"

/* Signature over the exact bytes, result pass, bound to this content, name and number of the applicant, not expired when submitted. in->identity is the
 * statement with its signature. ERR_INPUT otherwise, with the citizen's sentence; ERR_HELD when no provider's key is installed. */
int identity_check(struct incoming *in, const struct rec_node *root, const struct key_public *provider, struct err *e);

#endif
