/* What happens when: a heap of things to do, by time and then by the order of asking. */
#ifndef CONSILIUM_TESTS_SIM_AGENDA_H
#define CONSILIUM_TESTS_SIM_AGENDA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol/bytes.h"

enum agenda_kind {
    AGENDA_TICK,       /* hospital */
    AGENDA_CHECKED,    /* hospital */
    AGENDA_WRITTEN,    /* hospital: a batch reaches the disk */
    AGENDA_KEPT,       /* hospital */
    AGENDA_POSTS,      /* hospital: try what was busy again */
    AGENDA_FRAME,      /* line, towards `end` */
    AGENDA_UP,         /* line, `end` */
    AGENDA_DOWN,       /* line, `end` */
    AGENDA_DIAL,       /* all pairs that are not connected */
    AGENDA_HEADS,      /* hospital learns heads up to `number` */
    AGENDA_ERASE,      /* hospital: the next step of an erasure */
    AGENDA_REST,       /* hospital: the row of a case (`frame`) reaches the disk */
    AGENDA_CHOOSE,     /* hospital, its way to `end` */
    AGENDA_WAYS,       /* hospital: time for its boxes */
    AGENDA_WIRE_UP,    /* hospital and relay `line`, told to `end`: 0 the hospital */
    AGENDA_WIRE_DOWN,  /* as above */
    AGENDA_WIRE_FRAME, /* as above */
    AGENDA_RELAY_TIME, /* relay `line` */
    AGENDA_DRAINED,    /* relay `line`: the wire takes frames again */
};

struct agenda_item {
    uint64_t at;
    uint64_t serial;
    enum agenda_kind kind;
    uint32_t hospital;
    uint32_t boot;
    uint32_t line;
    uint32_t end;
    uint64_t number;
    uint8_t *frame; /* owned */
    size_t frame_size;
};

struct agenda {
    struct agenda_item *heap;
    size_t count, capacity;
    uint64_t serial_last;
};

/* Gives the item a copy of the frame. */
void agenda_frame(struct agenda_item *item, struct bytes frame);
void agenda_add(struct agenda *agenda, const struct agenda_item *item);
/* False when nothing is due by `until`. */
bool agenda_take(struct agenda *agenda, uint64_t until, struct agenda_item *ret_item);
void agenda_free(struct agenda *agenda);

#endif
