/* What happens when: a heap of things to do, by time and then by the order of asking. */
#ifndef CONSILIUM_TESTS_SIM_SCHEDULE_H
#define CONSILIUM_TESTS_SIM_SCHEDULE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol/base/bytes.h"

enum schedule_kind {
    SCHEDULE_TICK,       /* hospital */
    SCHEDULE_CHECKED,    /* hospital */
    SCHEDULE_WRITTEN,    /* hospital: a batch reaches the disk */
    SCHEDULE_KEPT,       /* hospital */
    SCHEDULE_POSTS,      /* hospital: try what was busy again */
    SCHEDULE_FRAME,      /* line, towards `end` */
    SCHEDULE_UP,         /* line, `end` */
    SCHEDULE_DOWN,       /* line, `end` */
    SCHEDULE_DIAL,       /* all pairs that are not connected */
    SCHEDULE_HEADS,      /* hospital learns heads up to `number` */
    SCHEDULE_ERASE,      /* hospital: the next step of an erasure */
    SCHEDULE_REST,       /* hospital: the row of a case (`frame`) reaches the disk */
    SCHEDULE_CHOOSE,     /* hospital, its way to `end` */
    SCHEDULE_WAYS,       /* hospital: time for its boxes */
    SCHEDULE_WIRE_UP,    /* hospital and relay `line`, told to `end`: 0 the hospital */
    SCHEDULE_WIRE_DOWN,  /* as above */
    SCHEDULE_WIRE_FRAME, /* as above */
    SCHEDULE_RELAY_TIME, /* relay `line` */
    SCHEDULE_DRAINED,    /* relay `line`: the wire takes frames again */
};

struct schedule_item {
    uint64_t at;
    uint64_t serial;
    enum schedule_kind kind;
    uint32_t hospital;
    uint32_t boot;
    uint32_t line;
    uint32_t end;
    uint64_t number;
    uint8_t *frame; /* owned */
    size_t frame_size;
};

struct schedule {
    struct schedule_item *heap;
    size_t count, capacity;
    uint64_t serial_last;
};

/* Gives the item a copy of the frame. */
void schedule_frame(struct schedule_item *item, struct bytes frame);
void schedule_add(struct schedule *schedule, const struct schedule_item *item);
/* False when nothing is due by `until`. */
bool schedule_take(struct schedule *schedule, uint64_t until, struct schedule_item *ret_item);
void schedule_free(struct schedule *schedule);

#endif
