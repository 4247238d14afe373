/* Is this node's clock right? Judged by the clocks that other members told, by the roster head, and
 * by what this node itself wrote last (spec/wire.md, HELLO).
 *
 * Of each member the last clock that it told is remembered together with the monotonic time at
 * which it came, so that it goes on from there: a step of our own clock is noticed at once. */
#ifndef CONSILIUM_PROTOCOL_STATE_CLOCK_CHECK_H
#define CONSILIUM_PROTOCOL_STATE_CLOCK_CHECK_H

#include "protocol/base/ids.h"
#include "protocol/base/limits.h"
#include "protocol/base/scope.h"

struct engine;
struct peer;

/* What a clock said, and when. */
struct clock_reading {
    struct wall told; /* 0: nothing was told */
    struct mono at;
};

enum clock_state {
    CLOCK_UNCHECKED,   /* no member was heard: nothing speaks against it */
    CLOCK_AGREES,      /* with the median of the members heard */
    CLOCK_ONE_DIFFERS, /* from the median, but a single member contradicts: a warning */
    CLOCK_CONTRADICTED,
    CLOCK_BEHIND_HEAD,   /* the roster head in force was issued later */
    CLOCK_BEHIND_RECORD, /* this node's own last record was written later */
};

struct clock_view {
    enum clock_state state;
    bool stops_posting; /* (W-5), (W-31) */
    int64_t ahead_ms;   /* of our clock, by the median; by the head or the record: negative */
    uint32_t heard_count;
    uint32_t differing_count; /* of them, those that differ by more than CLOCK_SKEW_MS_MAX */
    struct wall reference;    /* BEHIND_HEAD, BEHIND_RECORD: the time that ours is behind */
};

struct clock_heard {
    struct node_id node;
    struct clock_reading reading;
};

struct clock_check {
    struct clock_heard heard[LINK_COUNT_MAX]; /* each member once */
    uint32_t heard_count;
    struct wall wrote;    /* time of this node's last record; 0: none is known */
    struct wall replayed; /* at the start: of the last record of `replaying` so far */
    struct stream_id replaying;
    uint64_t base; /* wall minus monotonic clock when `view` was made */
    struct mono judged_at;
    struct clock_view view;
};

/* A member told its clock: the reading is remembered, and kept in `peer` too. */
void clock_check_heard(struct engine *engine, struct peer *peer, struct wall told);
/* This node's own record of that time is durable. */
void clock_check_wrote(struct engine *engine, struct wall time);
/* At the start, for each own record that is replayed: the last of each stream counts. */
void clock_check_replayed(struct engine *engine, const struct stream_id *stream, struct wall time);

/* Judges again: who is heard, or what is in force, has changed. */
void clock_check_refresh(struct engine *engine);
/* With each step: judges again when a second has passed, or when our own clock was set. */
void clock_check_step(struct engine *engine);

/* Does this peer's clock differ from ours by more than CLOCK_SKEW_MS_MAX? */
bool clock_check_differs(const struct engine *engine, const struct peer *peer);

#endif
