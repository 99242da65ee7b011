/* vault.h - data at rest: the master key outside the database, what is derived from it, and the folder of page files.
 * Owns:    keys in locked memory and the folder's descriptor until vault_close.
 * Threads: safe.
 * Every ciphertext is bound to its place ("table/column/row"), so that a swapped one does not open (ERR_CORRUPT). */
#ifndef INTRANET_STORE_VAULT_H
#define INTRANET_STORE_VAULT_H

#include "common/db.h"
#include "common/file.h"
#include "common/seal.h"

struct vault;
/* create: make the key file when it is missing. files: existing folder, mode 0700. */
int vault_open(struct vault **out, const char *key_path, const char *files, bool create, struct err *e);
void vault_close(struct vault *v);

/* Keyed hash for equality: ID numbers. */
void vault_index(struct hash256 *out, const struct vault *v, const char *id_no);
int vault_seal(struct buf *out, const struct vault *v, const char *place, struct bytes plain, struct err *e);
int vault_unseal(struct buf *out, const struct vault *v, const char *place, struct bytes sealed, struct err *e);
/* Audit chain: mac over what is given, under a key of its own. */
void vault_mac(struct hash256 *out, const struct vault *v, struct bytes in);

/* The key of a case, made at first use (create, inside a write). ERR_MISSING when there is none. secret_free it. */
int vault_case_key(struct secret **out, const struct vault *v, struct db_conn *c, const char *no, bool create, struct err *e);
/* Text under a case's key, bound to a place. */
int vault_case_seal(struct buf *out, const struct secret *key, const char *place, struct bytes plain, struct err *e);
int vault_case_unseal(struct buf *out, const struct secret *key, const char *place, struct bytes sealed, struct err *e);

/* Page files: encrypted, named by a random id, fsynced before the call returns. */
int vault_file_put(char name[33], const struct vault *v, const struct secret *key, struct bytes bytes, struct err *e);
int vault_file_get(struct buf *out, const struct vault *v, const struct secret *key, const char *name, struct err *e);
void vault_file_drop(const struct vault *v, const char *name);      /* a file whose row was not written */

/* Names in the folder; *out is malloc'ed. */
int vault_files(const struct vault *v, struct dir_entry **out, size_t *n, struct err *e);

#endif
