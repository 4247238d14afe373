/* Connections between hospitals: in order, delayed, and sometimes lost with all that is under way.
 */
#ifndef CONSILIUM_TESTS_SIM_LINE_H
#define CONSILIUM_TESTS_SIM_LINE_H

#include "tests/sim/world.h"

/* Every pair that may talk and is not connected gets a connection. */
void line_dial_all(struct world *world);
/* Over the connection that `from` holds to be up; lost when it ended. */
void line_send(struct hospital *from, uint32_t to, struct bytes frame);
/* As if `from` had sent it to `to`; false when they are not connected. */
bool line_forge(struct hospital *from, struct hospital *to, struct bytes frame);
void line_cut_hospital(struct hospital *hospital);
/* Ends the connection of two hospitals; they will dial again. */
void line_cut(struct hospital *a, struct hospital *b);
/* Cuts what crosses the sides of world->side. */
void line_part(struct world *world);

void line_up(struct world *world, const struct schedule_item *item);
void line_down(struct world *world, const struct schedule_item *item);
void line_deliver(struct world *world, const struct schedule_item *item);

#endif
