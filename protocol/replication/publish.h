/* Our own records take the same path: place, seal, keep, and only then out. */
#ifndef CONSILIUM_PROTOCOL_REPLICATION_PUBLISH_H
#define CONSILIUM_PROTOCOL_REPLICATION_PUBLISH_H

#include "protocol/state/engine_state.h"

struct publish_post {
    struct scope scope;
    enum audience audience;
    struct bytes plaintext; /* a statement's bytes; copied into the step */
    struct wall expires;
    struct token token;
};

/* Leaves an EFFECT_SEAL. Nothing is written unless OK.
 *
 *   ERR_INVALID       no record may have this audience in this scope
 *   ERR_BUSY          the stream is being written, or heads were not compared yet: again soon
 *   ERR_FUTURE        our clock is in doubt (clock_check.h): set it right
 *   ERR_EXPIRED       the roster's time is over: announcements and grants wait for a new head
 *   ERR_DESTROYED     the case was erased
 *   ERR_NOT_ENTITLED  not a scope in which this node writes
 *   ERR_FULL          no room for another stream, or on the disk */
MUST_USE err publish_post(struct engine *engine, const struct publish_post *post,
                          struct step *step);

/* EVENT_POST: as above, and an EFFECT_DONE when it failed at once. */
void publish_event(struct engine *engine, const struct event *event, struct step *step);

/* EVENT_SEALED: keep it; or NOTICE_WRITE_FAILED, when its place was taken meanwhile. */
void publish_sealed(struct engine *engine, const struct event *event, struct step *step);

/* The batch of an own record is durable, or not: tell who asked. */
void publish_kept(struct engine *engine, const struct event *event, struct step *step);

#endif
