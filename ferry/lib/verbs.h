/* verbs.h - what the operator can ask of a running delivery (command.h carries it). docs/operators.md says when.
 *
 *   list    {what: open|out|files|differences, max}   items held, waiting, refused | items of ours not confirmed, with their state | files not acknowledged
 *   show    {id}                          one item by its id, or all of a case by its number, both directions
 *   retry   {id | "all"}                  process held items again
 *   discard {id, reason}                  a held item becomes refused: final, its sender is told the reason; its bytes stay
 *   drain   {}                            nothing new is accepted, what was accepted goes out; answers how much is left
 *   resume  {}                            ends drain
 *   window  {open: bool}                  while open the limits of what may be under way are lifted, for an export to a medium
 *   resync  {}                            after a database was restored or emptied (resync.h)
 *   resync-state {}                       "" when there is none; which question is open
 *   evidence {case}                       the journal's entries of a case, provable (evidence.h)
 *   reconcile {day} | {settle, reason}    our list of a day to the peer, now; a difference was looked into (reconcile.h)
 *   keys    {}                            the ring, read again; key-use, key-retire, key-revoke {id}: keys.h
 * An item's state: sealed (queued), sent, received (acknowledged), confirmed (then it is gone), held, refused, waiting; overdue beside it. */
#ifndef FERRY_VERBS_H
#define FERRY_VERBS_H

#include "ferry/lib/command.h"

extern const struct delivery_verb delivery_verbs[];
extern const size_t delivery_n_verbs;

#endif
