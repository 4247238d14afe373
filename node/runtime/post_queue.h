/* Records that this node is to write and that wait for their turn: a stream takes one at a time. */
#ifndef CONSILIUM_NODE_RUNTIME_POST_QUEUE_H
#define CONSILIUM_NODE_RUNTIME_POST_QUEUE_H

#include "node/runtime/event_queue.h"
#include "node/runtime/runtime.h"

struct post_queue;

/* NULL: no memory. `events` is borrowed until post_queue_free. */
struct post_queue *post_queue_new(struct event_queue *events);
/* Answers ERR_BUSY to all. Accepts NULL. */
void post_queue_free(struct post_queue *queue);

/* As runtime_post. */
void post_queue_add(struct post_queue *queue, const struct runtime_post *post,
                    void (*on_done)(void *arg, const struct runtime_done *done), void *arg);

/* Offers every post that is not under way to the engine, in the order in which they came. */
void post_queue_next(struct post_queue *queue);
/* EFFECT_DONE: the engine's answer to one; after ERR_BUSY it waits on. */
void post_queue_done(struct post_queue *queue, const struct effect *effect);
/* Gives up on what waited too long. */
void post_queue_tick(struct post_queue *queue);
/* True when one is not under way. */
bool post_queue_waits(const struct post_queue *queue);
/* Answers ERR_BUSY to those that are not under way, or to all. */
void post_queue_stop(struct post_queue *queue, bool is_for_all);

#endif
