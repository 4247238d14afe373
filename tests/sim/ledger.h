/* Who may read what, by the rules of spec/roster.md and spec/consult.md, from the heads that were
 * signed and the records that requesters wrote: a second opinion on what cores decide. It never
 * says no where a rule says yes. */
#ifndef CONSILIUM_TESTS_SIM_LEDGER_H
#define CONSILIUM_TESTS_SIM_LEDGER_H

#include "tests/sim/world.h"

struct ledger *ledger_new(void);
void ledger_free(struct ledger *ledger);

/* A hospital's own record is durable. */
void ledger_take(struct hospital *hospital, const struct step_record *record);

/* Is `to` admitted, and past its cooling-off, as `from` sees it? */
bool ledger_admits(const struct hospital *from, const struct hospital *to);
/* May `writer` have written in this case, as far as `from` knows: it asked it, or was ever granted?
 */
bool ledger_takes_part(const struct hospital *from, const struct hospital *writer,
                       const struct scope *scope);
/* Did the requester ever write to `to` that it has access to the case? */
bool ledger_noticed(const struct hospital *requester, const struct hospital *to,
                    const struct scope *scope);
/* May `from` hand this record's key to `to`, as far as `from` can know? NULL, or why not. */
const char *ledger_refuses(const struct hospital *from, const struct hospital *to,
                           const struct record_claim *claim);

#endif
