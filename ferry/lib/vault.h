/* vault.h - files as received, on another volume, fsynced before they are applied: restore = backup + the vault read again.
 * Names are those that the verified header gives. Receiver thread, but for the last two. */
#ifndef FERRY_VAULT_H
#define FERRY_VAULT_H

#include "ferry/lib/delivery.h"
#include "ferry/lib/envelope.h"

/* A repeat is the same file; two files of one number are both kept, the second under its hash. Without a vault: nothing to do. */
int vault_keep(struct delivery *d, const struct envelope_head *h, struct bytes body, struct err *e);
/* Apply what lies there and is not known to the database. *read gets the number of files that were applied; one that cannot be applied now fails the call. */
int vault_replay(struct delivery *d, uint64_t *read, struct err *e);
/* name gets one of the peer's newest stream that the database never received and that does not lie in the inbox any more, "" = there is none. Any thread. */
int vault_unknown(struct delivery *d, char name[80], struct err *e);
/* Remove files older than vault_days. *removed may be NULL. */
int vault_expire(struct delivery *d, uint64_t *removed, struct err *e);

#endif
