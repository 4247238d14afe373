/* Drives the engine of one federation: one loop takes what happened from the queue (runtime.h),
 * gives it to the engine, and carries out what the engine decides.
 *
 *   EFFECT_CHECK -> verify_jobs -> EVENT_CHECKED     EFFECT_KEEP -> commit_jobs -> EVENT_KEPT
 *   EFFECT_LOAD  -> read_jobs   -> EVENT_LOADED      EFFECT_HEADS -> roster_sync -> EVENT_ROSTER
 *   EFFECT_DESTROY -> case_erasure -> EVENT_DESTROYED
 *
 * It makes the modules that the effects need, restores the engine from the store, and ends all of
 * them in order. Events of links enter here, because the frame is the link's and is read at once.
 */
#ifndef CONSILIUM_NODE_DRIVER_DRIVER_H
#define CONSILIUM_NODE_DRIVER_DRIVER_H

#include "node/runtime/runtime.h"

struct driver;

/* Opens the store, restores roster and engine from it, and starts. `ret_problem` gets one line that
 * says what to do when it fails. Errors as store_open, and ERR_CORRUPT. */
MUST_USE err driver_open(const struct runtime_config *config,
                         char ret_problem[static STORE_PROBLEM_SIZE], struct driver **ret_driver);
/* Finishes what is being kept and answers who waits, then closes; no news come any more. The memory
 * goes as the loop turns. Accepts NULL. */
void driver_close(struct driver *driver);

/* What it drives, until driver_close. */
struct runtime *driver_runtime(struct driver *driver);

/* ---- what happens on links; `frame` is borrowed for the call ---- */

void driver_link_up(struct driver *driver, struct link_id link, const struct transport_key *peer);
void driver_link_down(struct driver *driver, struct link_id link);
/* Not while an effect is carried out: the frame would be gone when its turn comes. */
void driver_frame(struct driver *driver, struct link_id link, struct bytes frame);
/* A relay told its head. */
void driver_relay_head(struct driver *driver, uint64_t epoch, const struct head_id *head);

/* Another process signs as this node: nothing more is written, and after a start the store is not
 * trusted. */
void driver_second(struct driver *driver);

#endif
