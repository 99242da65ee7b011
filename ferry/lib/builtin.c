#include "ferry/lib/builtin.h"

#include "ferry/lib/keys.h"
#include "ferry/lib/reconcile.h"
#include "ferry/lib/resync.h"

const struct delivery_handler builtin_handlers[] = {
    {"resync-ask", resync_prepare, resync_apply_ask, resync_discard},
    {"resync-answer", resync_prepare, resync_apply_answer, resync_discard},
    {"reconciliation", resync_prepare, reconcile_apply, resync_discard},
    {"key", keys_prepare, keys_apply, keys_discard},
};
const size_t builtin_n_handlers = sizeof builtin_handlers / sizeof builtin_handlers[0];
