/* Which nodes a case entitles to read a record. */
#ifndef CONSILIUM_PROTOCOL_CONSULT_CONSULT_ENTITLED_H
#define CONSILIUM_PROTOCOL_CONSULT_CONSULT_ENTITLED_H

#include "protocol/base/ids.h"

struct consult;
struct consult_record;

/* True when the case entitles `node` to the body of this record; the statement does not matter. The
 * caller checks the roster as well (admitted, past cooling-off).
 *
 * Opinions sealed to the requester open to participants once a REVEAL names them, or once their
 * author has released them after the deadline and the time of that release has come. Of an erased
 * case, only the clear records that
 * announce the erasure may be read. */
bool consult_entitled(const struct consult *consult, const struct node_id *node,
                      const struct consult_record *record, struct wall now);

/* When the release of this record comes into effect; 0: it has, or there is none. */
struct wall consult_entitled_from(const struct consult *consult,
                                  const struct consult_record *record, struct wall now);

#endif
