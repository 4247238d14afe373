/* Erasing a case, in the steps of node/erasure/case_erasure.c: how the case stood is kept, then all
 * is destroyed and a tombstone set, then the engine is told. A crash may come between. */
#ifndef CONSILIUM_TESTS_SIM_ERASING_H
#define CONSILIUM_TESTS_SIM_ERASING_H

#include "tests/sim/world.h"

void erasing_begin(struct hospital *hospital, const struct scope *scope,
                   const struct record_id *erase);
/* The next step that is due. */
void erasing_go_on(struct hospital *hospital);
/* After a start: what was begun and not ended. */
void case_erasure_resume(struct hospital *hospital);
void erasing_forget(struct hospital *hospital);

#endif
