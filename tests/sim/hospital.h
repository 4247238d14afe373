/* One hospital: a core, its roster and its disk, and a shell that keeps the promises of step.h. */
#ifndef CONSILIUM_TESTS_SIM_HOSPITAL_H
#define CONSILIUM_TESTS_SIM_HOSPITAL_H

#include "tests/sim/world.h"

void hospital_init(struct world *world, uint32_t index);
/* NULL when the world has none of that id. */
struct hospital *hospital_of(const struct world *world, const struct node_id *node);
void hospital_free(struct hospital *hospital);

/* Restores the core from the disk in the order of node/driver/restore.c and starts it. */
void hospital_boot(struct hospital *hospital);
/* All that is not durable is lost. */
void hospital_crash(struct hospital *hospital);

struct wall hospital_wall(const struct hospital *hospital);
struct event hospital_event(const struct hospital *hospital, enum event_kind kind);
void hospital_step(struct hospital *hospital, const struct event *event);

/* case_paging.c: a case as the hospital knows it, awake or at rest; NULL. Borrowed until the fourth
 * call after this one. */
const struct consult *hospital_case(const struct hospital *hospital, const struct case_id *case_id);
void case_paging_rows_keep(struct hospital *hospital, const struct effect *effect);
/* A row reaches the disk. */
void case_paging_kept(struct hospital *hospital, const struct schedule_item *item);
/* Gives the core an event, after it woke what the event is about; what an earlier one left to be
 * woken, too. */
void case_paging_rows_step(struct hospital *hospital, const struct event *event);
void case_paging_rows_wake(struct hospital *hospital);

/* reboot.c: what is on the disk, into the core. */
void reboot_restore(struct hospital *hospital);
/* A generation of a stream of ours was opened or ended: kept for the next start. */
void reboot_note(struct hospital *hospital, const struct effect *effect);

/* Something to be done at that time, unless it crashes before. */
void hospital_plan(struct hospital *hospital, enum schedule_kind kind, uint64_t at);

/* Things of the agenda. */
void hospital_checked(struct hospital *hospital);
void hospital_written(struct hospital *hospital);
void hospital_kept(struct hospital *hospital);
void hospital_tick(struct hospital *hospital, uint64_t pace);
void hospital_ways(struct hospital *hospital, uint64_t pace);
/* Ticks come by world->tick_ms from now on. */
void hospital_pace(struct hospital *hospital);
/* What was to be tried again `at` that moment: posts, and what keeps the core busy. */
void hospital_ask(struct hospital *hospital, uint64_t at);

/* Writes a record as the local API would; answers a number for world->outcomes. */
struct posting {
    struct scope scope;
    enum audience audience;
    struct bytes body;
    struct wall expires;
};
uint64_t hospital_post(struct hospital *hospital, const struct posting *posting);

#endif
