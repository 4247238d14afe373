/* A delta: the changes from one roster head to a later one. A delta from nothing is a snapshot.
 *
 * A delta is a list of items: u8 kind, u32 size, content. In this order: at most one SETTINGS (the
 * whole settings), any CUTS (a piece of the added cuts, in order), then MEMBER items (packed
 * entries that are new or changed, ascending by node_id). It is sent in parts of at most
 * DELTA_PART_SIZE_MAX bytes that hold whole items:
 *
 *   head_id 32 | base head_id 32 (zeros: from nothing) | part index u32 | last u8 | items
 *
 * A receiver trusts nothing in a delta: it checks the content against the roots of the head
 * (roster_fill). */
#ifndef CONSILIUM_PROTOCOL_ROSTER_DELTA_H
#define CONSILIUM_PROTOCOL_ROSTER_DELTA_H

#include "protocol/base/bytes.h"
#include "protocol/base/error.h"
#include "protocol/base/ids.h"
#include "protocol/base/limits.h"

enum delta_kind { DELTA_SETTINGS = 1, DELTA_CUTS = 2, DELTA_MEMBER = 3 };

enum {
    DELTA_PART_HEADER_SIZE = 32 + 32 + 4 + 1,
    DELTA_ITEM_HEADER_SIZE = 1 + 4,
    DELTA_ITEM_SIZE_MAX = DELTA_PART_SIZE_MAX - DELTA_PART_HEADER_SIZE - DELTA_ITEM_HEADER_SIZE,
};

struct delta {
    struct head_id head; /* the head that it leads to */
    struct head_id base; /* the head that it starts from; zeros: a snapshot */
    struct bytes items;  /* borrowed */
};

/* ---- items ---- */

void delta_item_write(struct buffer *items, enum delta_kind kind, struct bytes content);

/* Reads the next item from `reader`. ERR_NOT_FOUND at the end; ERR_TRUNCATED, ERR_TOO_LARGE or
 * ERR_MALFORMED (unknown kind) otherwise. The content borrows. */
MUST_USE err delta_item_read(struct reader *reader, enum delta_kind *ret_kind,
                             struct bytes *ret_content);

/* ---- parts ---- */

/* Writes the part that starts at `*offset` of `delta->items` and moves `*offset` past it. The
 * caller guarantees that the items are well-formed. Returns true when it was the last part. */
bool delta_part_write(const struct delta *delta, uint32_t index, size_t *offset,
                      struct buffer *part);

struct delta_part {
    struct head_id head;
    struct head_id base;
    uint32_t index;
    bool last;
    struct bytes items; /* borrowed; format checked */
};
MUST_USE err delta_part_read(struct bytes all, struct delta_part *ret_part);

/* ---- putting parts together ---- */

struct delta_assembly {
    struct head_id head;
    struct head_id base;
    uint32_t index; /* of the next part */
    bool complete;
    struct buffer items; /* over the caller's memory */
};

/* Starts to collect; `memory` is the bound. */
void delta_assembly_begin(struct delta_assembly *assembly, const struct head_id *head,
                          const struct head_id *base, uint8_t *memory, size_t size);

/* ERR_OUT_OF_ORDER  not the next part, or a part of another delta: drop it, ask for `index`
 *   ERR_TOO_LARGE     more than the memory holds: give up this delta */
MUST_USE err delta_assembly_add(struct delta_assembly *assembly, const struct delta_part *part);

/* The whole delta, once complete; borrows the assembly's memory. */
struct delta delta_assembly_delta(const struct delta_assembly *assembly);

#endif
